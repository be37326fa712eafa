//! Decorator that misbehaves by script, so that tests can meet every failure of a real store.
//!
//! Calls are numbered from 1 in the order they arrive. A rule says which calls, a fault says what
//! happens to them; [`Faults::stop_after`] cuts the store off for good, as a killed process or a
//! pulled cable would. Sweeping `n` over all calls of an operation is how the engine is tested.

use std::{
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use strongroom_model::Timestamp;

use crate::{
    call::Operation,
    error::{Error, ErrorKind, Result},
    key::Key,
    store::{Backend, Listing, Store, Visit},
};

/// What goes wrong.
#[derive(Clone)]
pub enum Fault {
    /// Nothing is done and the call fails so.
    Refuse(ErrorKind),
    /// Everything is done, but the answer, good or bad, is lost: the call fails so.
    LoseReply(ErrorKind),
    /// A write fails so, and is done all the same when so many more calls have arrived, or when all
    /// is healed: a request that the network held back.
    Late {
        /// Calls that come before it.
        after: u64,
        /// How the call fails.
        report: ErrorKind,
    },
    /// A write stores only the first `keep` bytes, then fails as `report` says or claims success.
    TearWrite {
        /// How many bytes are stored.
        keep: usize,
        /// How the call ends.
        report: Option<ErrorKind>,
    },
    /// A read returns only the first `keep` bytes of what it should.
    CutRead {
        /// How many bytes are returned.
        keep: usize,
    },
    /// A read returns one bit changed, in the byte at this position (modulo the length).
    FlipBit {
        /// Position of the byte.
        at: usize,
    },
    /// A listing passes over `count` objects after the first `skip`.
    OmitListed {
        /// Objects listed before the gap.
        skip: usize,
        /// Objects left out.
        count: usize,
    },
    /// A listing fails so after it has visited `after` objects.
    BreakOff {
        /// Objects visited before the failure.
        after: usize,
        /// How the call fails.
        report: ErrorKind,
    },
    /// A listing does not show the last `newest` objects that were written through this decorator.
    StaleList {
        /// How many of the latest writes it has not heard of.
        newest: usize,
    },
    /// This is run first, then the call proceeds: what somebody else does in between.
    Before(Arc<dyn Fn() + Send + Sync>),
}

/// Which calls a fault befalls: all that match, or some of them by number.
#[derive(Clone, Debug)]
pub struct Rule {
    operation: Option<Operation>,
    prefix: String,
    first: u64,
    times: u64,
    every: u64,
    matched: u64,
}

impl Rule {
    /// Every call.
    pub fn any() -> Self {
        let (operation, prefix) = (None, String::new());
        Self {
            operation,
            prefix,
            first: 1,
            times: u64::MAX,
            every: 1,
            matched: 0,
        }
    }

    /// The `n`th call of all, from 1.
    pub fn call(n: u64) -> Self {
        Self::any().nth(n)
    }

    /// Every call of that operation.
    pub fn on(operation: Operation) -> Self {
        Self {
            operation: Some(operation),
            ..Self::any()
        }
    }

    /// Among them only those whose key (or listed prefix) begins so.
    #[must_use]
    pub fn under(mut self, prefix: &str) -> Self {
        prefix.clone_into(&mut self.prefix);
        self
    }

    /// Among them only the `n`th, from 1.
    #[must_use]
    pub fn nth(self, n: u64) -> Self {
        Self {
            first: n,
            times: 1,
            ..self
        }
    }

    /// From the first match on, this many times.
    #[must_use]
    pub fn times(self, times: u64) -> Self {
        Self { times, ..self }
    }

    /// Among them only every `n`th.
    #[must_use]
    pub fn every(self, n: u64) -> Self {
        Self {
            first: n,
            every: n,
            ..self
        }
    }

    fn strikes(&mut self, operation: Operation, name: &str) -> bool {
        if self.operation.is_some_and(|wanted| wanted != operation)
            || !name.starts_with(&self.prefix)
        {
            return false;
        }
        self.matched += 1;
        let Some(since) = self.matched.checked_sub(self.first) else {
            return false;
        };
        since.is_multiple_of(self.every) && since / self.every < self.times
    }
}

/// The script of the stores it wraps; clones share it.
#[derive(Clone, Default)]
pub struct Faults(Arc<Mutex<Script>>);

#[derive(Default)]
struct Script {
    rules: Vec<(Rule, Fault)>,
    calls: u64,
    stop_after: Option<u64>,
    written: Vec<Key>,
    late: Vec<Late>,
}

/// A write that is still under way.
struct Late {
    /// The call before which it arrives.
    due: u64,
    store: Store,
    operation: Operation,
    key: Key,
    bytes: Vec<u8>,
}

impl Late {
    fn arrive(self) {
        let backend = self.store.backend();
        // Nobody waits for the answer any more.
        let _answer = match self.operation {
            Operation::CreateNew => backend.create_new(&self.key, &self.bytes),
            _ => backend.put_idempotent(&self.key, &self.bytes),
        };
    }
}

impl Faults {
    /// No faults yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same store, with these faults.
    #[must_use]
    pub fn wrap(&self, store: &Store) -> Store {
        Store::new(Faulty {
            inner: store.clone(),
            faults: self.clone(),
        })
    }

    /// Adds a rule; where several strike, the earliest added one counts.
    pub fn add(&self, rule: Rule, fault: Fault) {
        self.script().rules.push((rule, fault));
    }

    /// Lets `n` more calls pass; all later ones fail with kind `Other` and do nothing.
    pub fn stop_after(&self, n: u64) {
        let mut script = self.script();
        script.stop_after = Some(script.calls.saturating_add(n));
    }

    /// Forgets all rules and the stop: from now on everything works.
    pub fn heal(&self) {
        let late = {
            let mut script = self.script();
            script.rules.clear();
            script.stop_after = None;
            std::mem::take(&mut script.late)
        };
        late.into_iter().for_each(Late::arrive);
    }

    /// How many calls have arrived.
    pub fn calls(&self) -> u64 {
        self.script().calls
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was held back until now.
    fn overdue(&self) -> Vec<Late> {
        let mut script = self.script();
        let now = script.calls;
        script.late.extract_if(.., |late| late.due <= now).collect()
    }

    /// Counts a call and decides its fate.
    fn next(&self, operation: Operation, name: &str) -> Result<Option<Fault>> {
        self.overdue().into_iter().for_each(Late::arrive);
        let mut script = self.script();
        script.calls += 1;
        if script.stop_after.is_some_and(|last| script.calls > last) {
            return Err(Error::new(ErrorKind::Other).because("stopped by the test"));
        }
        let mut struck = None;
        for (rule, fault) in &mut script.rules {
            // Every rule counts every call, whichever of them strikes.
            if rule.strikes(operation, name) && struck.is_none() {
                struck = Some(fault.clone());
            }
        }
        drop(script);
        match struck {
            Some(Fault::Refuse(kind)) => Err(injected(kind)),
            Some(Fault::Before(act)) => {
                act();
                Ok(None)
            }
            struck => Ok(struck),
        }
    }
}

struct Faulty {
    inner: Store,
    faults: Faults,
}

impl Faulty {
    fn next(&self, operation: Operation, key: &Key) -> Result<Option<Fault>> {
        self.faults
            .next(operation, key.as_str())
            .map_err(|error| error.at(key))
    }

    fn write(
        &self,
        operation: Operation,
        key: &Key,
        bytes: &[u8],
        write: impl FnOnce(&[u8]) -> Result<()>,
    ) -> Result<()> {
        let fault = self.next(operation, key)?;
        let (stored, report) = match fault {
            Some(Fault::TearWrite { keep, report }) => (bytes.get(..keep).unwrap_or(bytes), report),
            Some(Fault::LoseReply(kind)) => (bytes, Some(kind)),
            Some(Fault::Late { after, report }) => {
                let mut script = self.faults.script();
                let due = script.calls + after;
                script.late.push(Late {
                    due,
                    store: self.inner.clone(),
                    operation,
                    key: key.clone(),
                    bytes: bytes.to_vec(),
                });
                return Err(injected(report).at(key));
            }
            _ => (bytes, None),
        };
        let done = write(stored);
        if done.is_ok() {
            self.faults.script().written.push(key.clone());
        }
        report.map_or(done, |kind| Err(injected(kind).at(key)))
    }

    fn read(
        &self,
        operation: Operation,
        key: &Key,
        read: impl FnOnce() -> Result<Bytes>,
    ) -> Result<Bytes> {
        let fault = self.next(operation, key)?;
        let bytes = read()?;
        match fault {
            Some(Fault::CutRead { keep }) => Ok(bytes.slice(..keep.min(bytes.len()))),
            Some(Fault::FlipBit { at }) => {
                let mut changed = bytes.to_vec();
                flip(&mut changed, at);
                Ok(changed.into())
            }
            Some(Fault::LoseReply(kind)) => Err(injected(kind).at(key)),
            _ => Ok(bytes),
        }
    }
}

impl Backend for Faulty {
    fn create_new(&self, key: &Key, bytes: &[u8]) -> Result<()> {
        let inner = self.inner.backend();
        self.write(Operation::CreateNew, key, bytes, |bytes| {
            inner.create_new(key, bytes)
        })
    }

    fn put_idempotent(&self, key: &Key, bytes: &[u8]) -> Result<()> {
        let inner = self.inner.backend();
        self.write(Operation::PutIdempotent, key, bytes, |bytes| {
            inner.put_idempotent(key, bytes)
        })
    }

    fn get(&self, key: &Key) -> Result<Bytes> {
        self.read(Operation::Get, key, || self.inner.backend().get(key))
    }

    fn get_range(&self, key: &Key, range: Range<u64>) -> Result<Bytes> {
        self.read(Operation::GetRange, key, || {
            self.inner.backend().get_range(key, range)
        })
    }

    fn get_into(&self, key: &Key, range: Range<u64>, out: &mut Vec<u8>) -> Result<()> {
        let fault = self.next(Operation::GetRange, key)?;
        let before = out.len();
        self.inner.backend().get_into(key, range, out)?;
        match fault {
            Some(Fault::CutRead { keep }) => out.truncate(before.saturating_add(keep)),
            Some(Fault::FlipBit { at }) => flip(out.get_mut(before..).unwrap_or_default(), at),
            // The bytes stay where they are: the caller has to cope.
            Some(Fault::LoseReply(kind)) => return Err(injected(kind).at(key)),
            _ => {}
        }
        Ok(())
    }

    fn size(&self, key: &Key) -> Result<u64> {
        let fault = self.next(Operation::Size, key)?;
        let size = self.inner.backend().size(key)?;
        match fault {
            Some(Fault::LoseReply(kind)) => Err(injected(kind).at(key)),
            _ => Ok(size),
        }
    }

    fn list(&self, listing: Listing<'_>, visit: &mut Visit<'_>) -> Result<()> {
        let fault = self.faults.next(Operation::List, listing.prefix)?;
        let unheard: Vec<Key> = match fault {
            Some(Fault::StaleList { newest }) => self
                .faults
                .script()
                .written
                .iter()
                .rev()
                .take(newest)
                .cloned()
                .collect(),
            _ => Vec::new(),
        };
        let mut seen = 0;
        self.inner.backend().list(listing, &mut |key, size| {
            seen += 1;
            match fault {
                Some(Fault::OmitListed { skip, count }) if seen > skip && seen - skip <= count => {
                    Ok(())
                }
                Some(Fault::BreakOff { after, report }) if seen > after => Err(injected(report)),
                _ if unheard.contains(&key) => Ok(()),
                _ => visit(key, size),
            }
        })?;
        match fault {
            Some(Fault::LoseReply(kind)) => Err(injected(kind)),
            _ => Ok(()),
        }
    }

    fn delete(&self, key: &Key) -> Result<()> {
        let fault = self.next(Operation::Delete, key)?;
        self.inner.backend().delete(key)?;
        match fault {
            Some(Fault::LoseReply(kind)) => Err(injected(kind).at(key)),
            _ => Ok(()),
        }
    }

    fn retains(&self) -> Result<bool> {
        self.inner.backend().retains()
    }

    fn retain(&self, key: &Key, until: Timestamp) -> Result<()> {
        let fault = self.next(Operation::Retain, key)?;
        self.inner.backend().retain(key, until)?;
        match fault {
            Some(Fault::LoseReply(kind)) => Err(injected(kind).at(key)),
            _ => Ok(()),
        }
    }

    fn retained_until(&self, key: &Key) -> Result<Option<Timestamp>> {
        self.inner.backend().retained_until(key)
    }

    fn describe(&self) -> String {
        self.inner.describe()
    }
}

fn injected(kind: ErrorKind) -> Error {
    Error::new(kind).because("injected by the test")
}

fn flip(bytes: &mut [u8], at: usize) {
    let position = at.checked_rem(bytes.len()).unwrap_or(0);
    if let Some(byte) = bytes.get_mut(position) {
        *byte ^= 1;
    }
}
