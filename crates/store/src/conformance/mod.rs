//! Checks that a store keeps the contract: for our tests, and for a user's own server.
//!
//! Servers that speak S3 differ in what they hold: some ignore the condition of a conditional
//! write, some honour it only as long as nobody else writes. A store that lies there loses data
//! later and silently, so [`Store::probe`] asks before a repository is made, and [`conformance`]
//! asks everything. The checks are data ([`CHECKS`]); each works under a directory of its own
//! beneath `strongroom-check/`, which is emptied afterwards.

mod checks;
mod writing;

use std::{
    fmt,
    hash::{BuildHasher, RandomState},
};

use strongroom_model::chain;

use crate::{
    error::{Error, ErrorKind, Result},
    key::Key,
    store::{Store, Visit},
};

/// Where the checks put their objects.
const DIRECTORY: &str = "strongroom-check";

/// What came of the checks.
#[derive(Clone, Debug)]
pub struct Report {
    /// The store, as it describes itself.
    pub store: String,
    /// The checks in the order they ran.
    pub checks: Vec<Checked>,
}

/// What came of one check.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The promise that was checked, as a sentence.
    pub promise: &'static str,
    /// What the store did instead; `None` if it kept the promise.
    pub problem: Option<String>,
}

impl Report {
    /// The checks that failed.
    pub fn problems(&self) -> impl Iterator<Item = &Checked> {
        self.checks
            .iter()
            .filter(|checked| checked.problem.is_some())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{}", self.store)?;
        for checked in &self.checks {
            match &checked.problem {
                None => writeln!(out, "  kept    {}", checked.promise)?,
                Some(problem) => writeln!(out, "  broken  {}: {problem}", checked.promise)?,
            }
        }
        Ok(())
    }
}

/// A store that breaks its contract; source of the errors of this module.
#[derive(Debug, thiserror::Error)]
#[error("{} breaks the contract of a store: {}", report.store, first_problem(report))]
pub struct Unsound {
    /// Everything that was checked.
    pub report: Report,
}

fn first_problem(report: &Report) -> String {
    let problems: Vec<String> = report
        .problems()
        .map(|checked| {
            let found = checked.problem.as_deref().unwrap_or_default();
            format!("it does not hold that {}: {found}", checked.promise)
        })
        .collect();
    problems.join("; ")
}

/// Checks everything; takes seconds on a disk and about half a minute on a slow server.
///
/// A broken promise is an error of kind `Unsupported` with an [`Unsound`] as its source; a store
/// that cannot be used at all (unreachable, access denied, full) fails with that kind at once.
pub fn conformance(store: &Store) -> Result<Report> {
    run(store, CHECKS)
}

impl Store {
    /// Checks what must hold before a repository may be made here: conditional creation, in
    /// sequence and in a race, reading what was written, whole and in parts, and listing. Errors
    /// as [`conformance`].
    pub fn probe(&self) -> Result<Report> {
        run(self, CHECKS.iter().filter(|check| check.essential))
    }
}

/// One promise and how to check it.
pub struct Check {
    /// The promise as a sentence that follows "it holds that …".
    pub promise: &'static str,
    /// Whether [`Store::probe`] checks it too.
    pub essential: bool,
    run: fn(&Area) -> Outcome,
}

/// Every check, cheapest first.
pub const CHECKS: &[Check] = &[
    essential("an object comes back as it was written", checks::comes_back),
    essential(
        "a missing object is reported as missing",
        checks::missing_is_missing,
    ),
    essential(
        "an existing object is never overwritten by a create",
        writing::create_refuses,
    ),
    essential(
        "of concurrent creators of a key exactly one succeeds",
        writing::race,
    ),
    essential(
        "a listing is complete, sorted and shows what was just written",
        checks::listing,
    ),
    essential("ranges are exact at the edges", checks::ranges),
    further(
        "an object is never overwritten by an idempotent put",
        writing::put_refuses,
    ),
    further("an empty object is an object", checks::empty_object),
    further(
        "a large object comes back as it was written",
        checks::large_object,
    ),
    further("a range beyond the end is an error", checks::ranges_beyond),
    further(
        "a deleted object is gone and its key is free again",
        checks::deletion,
    ),
    further(
        "a reader sees an object whole or not at all",
        writing::whole_or_nothing,
    ),
    further("a prefix cuts anywhere in a key", checks::prefixes),
    further(
        "a listing of many objects is complete",
        checks::many_objects,
    ),
    further(
        "a listing survives deletions while it runs",
        checks::deleting_while_listing,
    ),
    further(
        "a listing ends where its visitor says",
        checks::visitor_stops,
    ),
    further(
        "keys that could escape or collide are refused",
        checks::hostile_keys,
    ),
];

const fn essential(promise: &'static str, run: fn(&Area) -> Outcome) -> Check {
    Check {
        promise,
        essential: true,
        run,
    }
}

const fn further(promise: &'static str, run: fn(&Area) -> Outcome) -> Check {
    Check {
        promise,
        essential: false,
        run,
    }
}

fn run<'a>(store: &Store, checks: impl IntoIterator<Item = &'a Check>) -> Result<Report> {
    let mut report = Report {
        store: store.describe(),
        checks: Vec::new(),
    };
    for (number, check) in checks.into_iter().enumerate() {
        let area = Area::new(store, number);
        let outcome = (check.run)(&area);
        let cleaned = area.clear();
        let problem = match outcome.and_then(|()| cleaned.map_err(Finding::Failed)) {
            Ok(()) => None,
            Err(Finding::Failed(error)) if is_hopeless(error.kind) => return Err(error),
            Err(Finding::Failed(error)) => Some(chain(&error)),
            Err(Finding::Broken(what)) => Some(what),
        };
        report.checks.push(Checked {
            promise: check.promise,
            problem,
        });
    }
    if report.problems().next().is_none() {
        return Ok(report);
    }
    Err(Error::new(ErrorKind::Unsupported).because(Unsound { report }))
}

/// Whether a failure says nothing about the contract and will meet every further check too.
const fn is_hopeless(kind: ErrorKind) -> bool {
    use ErrorKind::{Denied, NoSpace, Throttled, Unavailable};
    matches!(kind, Denied | NoSpace | Throttled | Unavailable)
}

type Outcome = Result<(), Finding>;

/// Why a check failed.
enum Finding {
    /// A call failed that should have succeeded.
    Failed(Error),
    /// A call succeeded, but not as it should have.
    Broken(String),
}

impl From<Error> for Finding {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// `Ok` if `held`, else what the store did.
fn ensure(held: bool, what: impl FnOnce() -> String) -> Outcome {
    if held {
        Ok(())
    } else {
        Err(Finding::Broken(what()))
    }
}

/// That `done` failed with `kind` and not otherwise.
fn ensure_fails<T>(done: Result<T>, kind: ErrorKind, what: &str) -> Outcome {
    match done {
        Err(error) if error.kind == kind => Ok(()),
        Err(error) if is_hopeless(error.kind) => Err(error.into()),
        Err(error) => Err(Finding::Broken(format!(
            "{what} fails with {:?}",
            error.kind
        ))),
        Ok(_) => Err(Finding::Broken(format!("{what} succeeds, not {kind:?}"))),
    }
}

/// A corner of the store that one check has for itself.
struct Area<'a> {
    store: &'a Store,
    directory: String,
}

impl<'a> Area<'a> {
    /// A corner that no other run has: two checks of one store at once must not meet.
    fn new(store: &'a Store, number: usize) -> Self {
        let run = RandomState::new().hash_one(number);
        Self {
            store,
            directory: format!("{DIRECTORY}/{run:016x}-{number}"),
        }
    }

    fn key(&self, name: &str) -> Key {
        let text = format!("{}/{name}", self.directory);
        Key::new(&text).expect("the checks use valid names")
    }

    /// The names listed below `prefix` with their sizes, without the corner's own directory.
    fn list(&self, prefix: &str) -> Result<Vec<(String, u64)>> {
        self.listed(|visit| self.store.list(&self.prefix(prefix), visit))
    }

    /// The same, as a caller sees it that builds nothing on it.
    fn list_unsettled(&self, prefix: &str) -> Result<Vec<(String, u64)>> {
        self.listed(|visit| self.store.list_unsettled(&self.prefix(prefix), visit))
    }

    fn prefix(&self, prefix: &str) -> String {
        format!("{}/{prefix}", self.directory)
    }

    fn listed(
        &self,
        list: impl FnOnce(&mut Visit<'_>) -> Result<()>,
    ) -> Result<Vec<(String, u64)>> {
        let base = self.prefix("");
        let mut found = Vec::new();
        list(&mut |key, size| {
            let name = key.as_str().strip_prefix(&base).unwrap_or(key.as_str());
            found.push((name.to_owned(), size));
            Ok(())
        })?;
        Ok(found)
    }

    /// Deletes everything in the corner.
    fn clear(&self) -> Result<()> {
        let mut keys = Vec::new();
        self.store
            .list(&format!("{}/", self.directory), &mut |key, _| {
                keys.push(key);
                Ok(())
            })?;
        in_parallel(&keys, |key| self.store.delete(key))
    }
}

/// Does something for every item in a few threads; on failure the first error.
fn in_parallel<T: Sync, E: Send>(
    items: &[T],
    act: impl Fn(&T) -> Result<(), E> + Sync,
) -> Result<(), E> {
    const THREADS: usize = 8;
    let share = items.len().div_ceil(THREADS).max(1);
    let act = &act;
    std::thread::scope(|scope| {
        let threads: Vec<_> = items
            .chunks(share)
            .map(|items| scope.spawn(move || items.iter().try_for_each(act)))
            .collect();
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().expect("a check does not panic"))
    })
}

/// Bytes that differ from position to position and from seed to seed.
fn pattern(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        // A multiplicative generator: not random, but no part equals a shifted other part.
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

#[cfg(test)]
mod tests;
