//! Decorator that counts the calls on a store, and lists them if asked.
//!
//! Counting costs a few words and may stay on in production (metrics); listing grows with every
//! call and is for tests that pin down how many calls an operation makes.

use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use strongroom_model::Timestamp;

use crate::{
    call::{Call, Operation},
    error::{Error, Result},
    key::Key,
    store::{Backend, Listing, Store, Visit},
};

/// The record of the calls on every store it wraps; clones share it.
#[derive(Clone, Default)]
pub struct Recorder(Arc<Mutex<Record>>);

/// Sums over the calls of one operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Calls made.
    pub calls: u64,
    /// Calls among them that failed.
    pub failures: u64,
    /// Bytes handed over or returned.
    pub bytes: u64,
}

#[derive(Default)]
struct Record {
    tallies: BTreeMap<Operation, Tally>,
    calls: Option<Vec<Call>>,
}

impl Recorder {
    /// Counts only.
    pub fn counting() -> Self {
        Self::default()
    }

    /// Counts and keeps every call.
    pub fn listing() -> Self {
        let recorder = Self::default();
        recorder.record().calls = Some(Vec::new());
        recorder
    }

    /// The same store, recorded.
    #[must_use]
    pub fn wrap(&self, store: &Store) -> Store {
        Store::new(Recorded {
            inner: store.clone(),
            recorder: self.clone(),
        })
    }

    /// The sums for one operation.
    pub fn tally(&self, operation: Operation) -> Tally {
        self.record()
            .tallies
            .get(&operation)
            .copied()
            .unwrap_or_default()
    }

    /// How many calls there were in all.
    pub fn total(&self) -> u64 {
        self.record()
            .tallies
            .values()
            .map(|tally| tally.calls)
            .sum()
    }

    /// Takes the calls listed so far, in the order they ended; empty for a counting recorder.
    pub fn take_calls(&self) -> Vec<Call> {
        self.record()
            .calls
            .as_mut()
            .map(std::mem::take)
            .unwrap_or_default()
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note<T>(
        &self,
        operation: Operation,
        name: &str,
        done: Result<T>,
        bytes: impl FnOnce(&T) -> u64,
    ) -> Result<T> {
        let bytes = done.as_ref().map_or(0, bytes);
        let failure = done.as_ref().err().map(|error| error.kind);
        let mut record = self.record();
        let tally = record.tallies.entry(operation).or_default();
        tally.calls += 1;
        tally.failures += u64::from(failure.is_some());
        tally.bytes += bytes;
        if let Some(calls) = &mut record.calls {
            calls.push(Call {
                operation,
                name: name.to_owned(),
                bytes,
                failure,
            });
        }
        done
    }
}

struct Recorded {
    inner: Store,
    recorder: Recorder,
}

impl Backend for Recorded {
    fn create_new(&self, key: &Key, bytes: &[u8]) -> Result<()> {
        let done = self.inner.backend().create_new(key, bytes);
        self.recorder
            .note(Operation::CreateNew, key.as_str(), done, |()| {
                bytes.len() as u64
            })
    }

    fn put_idempotent(&self, key: &Key, bytes: &[u8]) -> Result<()> {
        let done = self.inner.backend().put_idempotent(key, bytes);
        self.recorder
            .note(Operation::PutIdempotent, key.as_str(), done, |()| {
                bytes.len() as u64
            })
    }

    fn get(&self, key: &Key) -> Result<Bytes> {
        let done = self.inner.backend().get(key);
        self.recorder
            .note(Operation::Get, key.as_str(), done, |bytes| {
                bytes.len() as u64
            })
    }

    fn get_range(&self, key: &Key, range: Range<u64>) -> Result<Bytes> {
        let done = self.inner.backend().get_range(key, range);
        self.recorder
            .note(Operation::GetRange, key.as_str(), done, |bytes| {
                bytes.len() as u64
            })
    }

    fn get_into(&self, key: &Key, range: Range<u64>, out: &mut Vec<u8>) -> Result<()> {
        let length = range.end - range.start;
        let done = self.inner.backend().get_into(key, range, out);
        self.recorder
            .note(Operation::GetRange, key.as_str(), done, |()| length)
    }

    fn size(&self, key: &Key) -> Result<u64> {
        let done = self.inner.backend().size(key);
        self.recorder
            .note(Operation::Size, key.as_str(), done, |_| 0)
    }

    fn list(&self, listing: Listing<'_>, visit: &mut Visit<'_>) -> Result<()> {
        let done: Result<(), Error> = self.inner.backend().list(listing, visit);
        self.recorder
            .note(Operation::List, listing.prefix, done, |()| 0)
    }

    fn delete(&self, key: &Key) -> Result<()> {
        let done = self.inner.backend().delete(key);
        self.recorder
            .note(Operation::Delete, key.as_str(), done, |()| 0)
    }

    fn retains(&self) -> Result<bool> {
        self.inner.backend().retains()
    }

    fn retain(&self, key: &Key, until: Timestamp) -> Result<()> {
        let done = self.inner.backend().retain(key, until);
        self.recorder
            .note(Operation::Retain, key.as_str(), done, |()| 0)
    }

    fn describe(&self) -> String {
        self.inner.describe()
    }
}
