//! Stores that lie are found out, each by the check that names its lie.

use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{
        Mutex, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;

use super::{Report, Unsound, conformance};
use crate::{
    error::{Error, ErrorKind, Result},
    key::Key,
    memory::Memory,
    store::{Backend, Listing, Store, Visit},
};

/// What a [`Liar`] does wrong.
#[derive(Clone, Copy, PartialEq)]
enum Lie {
    /// Ignores the condition, as some S3 servers do.
    Overwrites,
    /// Checks the condition, then writes: right in sequence, wrong in a race.
    ChecksThenWrites,
    /// Does not list the newest object.
    ListsLate,
    /// Lists at most 1,000 objects and says that is all.
    ListsOnePage,
    /// Returns what there is of a range.
    CutsRanges,
    /// Lists in no order.
    Shuffles,
    /// Refuses everything.
    Denies,
}

struct Liar {
    lie: Lie,
    honest: Memory,
    overwritten: RwLock<BTreeMap<Key, Bytes>>,
    newest: Mutex<Option<Key>>,
    checking: AtomicUsize,
}

fn liar(lie: Lie) -> Store {
    let (honest, overwritten, newest, checking) = Default::default();
    Store::new(Liar {
        lie,
        honest,
        overwritten,
        newest,
        checking,
    })
}

impl Backend for Liar {
    fn create_new(&self, key: &Key, bytes: &[u8]) -> Result<()> {
        let overwrites = match self.lie {
            Lie::Denies => return Err(Error::new(ErrorKind::Denied)),
            Lie::Overwrites => true,
            Lie::ChecksThenWrites => {
                let free = self.honest.get(key).is_err();
                self.checking.fetch_add(1, Ordering::SeqCst);
                // Give a competitor the time to look as well; in sequence there is none.
                let alone = || self.checking.load(Ordering::SeqCst) == 1;
                (0..10_000)
                    .take_while(|_| alone())
                    .for_each(|_| std::thread::yield_now());
                self.checking.fetch_sub(1, Ordering::SeqCst);
                free
            }
            _ => false,
        };
        *self.newest.lock().unwrap() = Some(key.clone());
        if overwrites {
            let _there_already = self.honest.create_new(key, bytes);
            self.overwritten
                .write()
                .unwrap()
                .insert(key.clone(), Bytes::copy_from_slice(bytes));
            return Ok(());
        }
        self.honest.create_new(key, bytes)
    }

    fn put_idempotent(&self, key: &Key, bytes: &[u8]) -> Result<()> {
        self.honest.put_idempotent(key, bytes)
    }

    fn get(&self, key: &Key) -> Result<Bytes> {
        let overwritten = self.overwritten.read().unwrap().get(key).cloned();
        overwritten.map_or_else(|| self.honest.get(key), Ok)
    }

    fn get_range(&self, key: &Key, range: Range<u64>) -> Result<Bytes> {
        let end = if self.lie == Lie::CutsRanges {
            self.size(key)?
        } else {
            range.end
        };
        let end = end.min(range.end);
        self.honest.get_range(key, range.start.min(end)..end)
    }

    fn size(&self, key: &Key) -> Result<u64> {
        Ok(self.get(key)?.len() as u64)
    }

    fn list(&self, listing: Listing<'_>, visit: &mut Visit<'_>) -> Result<()> {
        let mut found = Vec::new();
        self.honest.list(listing, &mut |key, size| {
            found.push((key, size));
            Ok(())
        })?;
        let newest = self.newest.lock().unwrap().clone();
        match self.lie {
            Lie::ListsLate => found.retain(|(key, _)| Some(key) != newest.as_ref()),
            Lie::ListsOnePage => found.truncate(1_000),
            Lie::Shuffles => found.reverse(),
            _ => {}
        }
        found
            .into_iter()
            .try_for_each(|(key, size)| visit(key, size))
    }

    fn delete(&self, key: &Key) -> Result<()> {
        self.overwritten.write().unwrap().remove(key);
        self.honest.delete(key)
    }

    fn describe(&self) -> String {
        "liar".into()
    }
}

fn broken(done: Result<Report>) -> Vec<&'static str> {
    let error = done.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unsupported);
    let cause = std::error::Error::source(&error).unwrap();
    let unsound = cause.downcast_ref::<Unsound>().unwrap();
    assert!(
        unsound.to_string().contains("liar breaks the contract"),
        "{unsound}"
    );
    unsound
        .report
        .problems()
        .map(|checked| checked.promise)
        .collect()
}

#[test]
fn the_probe_finds_a_store_that_ignores_the_condition() {
    let found = broken(liar(Lie::Overwrites).probe());
    assert!(
        found.contains(&"an existing object is never overwritten by a create"),
        "{found:?}"
    );
}

#[test]
fn the_probe_finds_a_store_that_is_right_in_sequence_and_wrong_in_a_race() {
    let found = broken(liar(Lie::ChecksThenWrites).probe());
    assert_eq!(
        found,
        ["of concurrent creators of a key exactly one succeeds"]
    );
}

#[test]
fn the_probe_finds_a_listing_that_lags_or_is_out_of_order() {
    for lie in [Lie::ListsLate, Lie::Shuffles] {
        let found = broken(liar(lie).probe());
        assert_eq!(
            found,
            ["a listing is complete, sorted and shows what was just written"]
        );
    }
}

#[test]
fn the_suite_finds_a_listing_that_stops_after_one_page() {
    let found = broken(conformance(&liar(Lie::ListsOnePage)));
    assert_eq!(found, ["a listing of many objects is complete"]);
}

#[test]
fn short_ranges_are_caught_by_the_handle_itself() {
    let store = liar(Lie::CutsRanges);
    conformance(&store).unwrap();
}

#[test]
fn a_store_that_lets_nobody_in_fails_with_that_kind_and_at_once() {
    assert_eq!(
        liar(Lie::Denies).probe().unwrap_err().kind,
        ErrorKind::Denied
    );
}

#[test]
fn an_honest_store_passes_and_is_left_empty() {
    let store = Store::new(Memory::default());
    let report = conformance(&store).unwrap();
    assert_eq!(report.checks.len(), super::CHECKS.len());
    assert!(store.probe().unwrap().checks.len() < report.checks.len());
    store
        .list("", &mut |key, _| panic!("{key} was left behind"))
        .unwrap();
}
