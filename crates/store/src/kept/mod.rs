//! A store that is kept for somebody who is not to be trusted with everything: it has so much room
//! and no more, what is deleted stays for a while, and what is retained cannot be deleted.
//!
//! ```text
//! objects/     the store itself, as its user sees it; can be opened as a store of its own
//! retained/    a record for each object that is retained: <digest of the key>/<until when>
//! deleted/     what was deleted: <when>/<digest of the key>, the key and the bytes
//! ```
//!
//! Records are made and removed, never changed, so this works over any store. A process that dies
//! between the copy and the deletion leaves both; the deletion is asked for again.
//!
//! Invariants: a deletion is answered with success only when the copy is durable; a retention is
//! never shortened; retaining and deleting one object take turns. The turns are kept in memory: one
//! process at a time may serve a store that is kept (the data directory's lock sees to it).

mod deleted;

use std::{
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use strongroom_model::{Clock, Timestamp};

use crate::{
    config::Environment,
    error::{Error, ErrorKind, Result},
    key::Key,
    registry,
    store::{Backend, Listing, Store, Visit},
};

pub use deleted::Deleted;

/// How many objects are deleted or retained at once, at most.
const TURNS: usize = 64;
/// Digits of a time in seconds, so that names sort as times do.
const SECOND_DIGITS: usize = 12;

/// What the store's user may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// The most bytes, what was deleted and is still there included; `None` is any number.
    pub quota: Option<u64>,
    /// For how long what is deleted stays.
    pub keep_deleted_seconds: i64,
}

/// A store with what belongs to it.
pub struct Kept {
    objects: Store,
    retained: Store,
    deleted: Store,
    terms: Terms,
    clock: Arc<dyn Clock>,
    /// Bytes that are there; `None` until they are counted.
    used: Mutex<Option<u64>>,
    turns: [Mutex<()>; TURNS],
}

impl Kept {
    /// What is kept below `url`; touches nothing.
    pub fn open(url: &str, terms: Terms, clock: Arc<dyn Clock>) -> Result<Arc<Self>> {
        let environment = Environment::of_process();
        let open = |name| Store::open_with(&registry::below(url, name), &environment);
        Ok(Arc::new(Self {
            objects: open("objects")?,
            retained: open("retained")?,
            deleted: open("deleted")?,
            terms,
            clock,
            used: Mutex::new(None),
            turns: std::array::from_fn(|_| Mutex::default()),
        }))
    }

    /// The store as its user sees it.
    pub fn store(self: &Arc<Self>) -> Store {
        Store::new(View(Arc::clone(self)))
    }

    /// How many bytes are there, what was deleted and is still there included.
    pub fn used(&self) -> Result<u64> {
        self.counted(&mut self.used_slot())
    }

    fn used_slot(&self) -> MutexGuard<'_, Option<u64>> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn counted(&self, used: &mut Option<u64>) -> Result<u64> {
        if let Some(used) = *used {
            return Ok(used);
        }
        let mut sum = 0;
        for store in [&self.objects, &self.deleted] {
            store.list("", &mut |_, size| {
                sum += size;
                Ok(())
            })?;
        }
        Ok(*used.insert(sum))
    }

    /// Makes a write that needs so much room, or says that there is not enough.
    fn with_room(&self, key: &Key, bytes: usize, write: impl FnOnce() -> Result<()>) -> Result<()> {
        let Some(quota) = self.terms.quota else {
            return write();
        };
        let bytes = bytes as u64;
        {
            let mut slot = self.used_slot();
            let used = self.counted(&mut slot)?;
            if used.saturating_add(bytes) > quota {
                let cause = format!(
                    "{used} of {quota} bytes are used, those that were deleted and are kept for \
                     a while included"
                );
                return Err(Error::new(ErrorKind::NoSpace).at(key).because(cause));
            }
            *slot = Some(used + bytes);
        }
        let done = write();
        match &done {
            Ok(()) => {}
            Err(error) if error.kind == ErrorKind::AlreadyExists => self.freed(bytes),
            // Whether it is there now, only the store knows.
            Err(_) => *self.used_slot() = None,
        }
        done
    }

    fn freed(&self, bytes: u64) {
        let mut slot = self.used_slot();
        *slot = slot.map(|used| used.saturating_sub(bytes));
    }

    /// Held by whoever deletes or retains the object.
    fn turn(&self, digest: &str) -> MutexGuard<'_, ()> {
        let place = digest
            .get(..2)
            .and_then(|hex| usize::from_str_radix(hex, 16).ok());
        let turn = &self.turns[place.unwrap_or_default() % TURNS];
        turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Until when the object is retained, and the records that say so.
    fn retained_until(&self, digest: &str) -> Result<(i64, Vec<Key>)> {
        let mut records = Vec::new();
        self.retained.list(&format!("{digest}/"), &mut |key, _| {
            records.push(key);
            Ok(())
        })?;
        let until = |key: &Key| key.as_str().rsplit_once('/')?.1.parse::<i64>().ok();
        let longest = records.iter().filter_map(until).max();
        Ok((longest.unwrap_or(i64::MIN), records))
    }

    fn retain(&self, key: &Key, until: i64) -> Result<()> {
        let digest = digest_of(key);
        let _turn = self.turn(&digest);
        self.objects.size(key)?;
        let (longest, records) = self.retained_until(&digest)?;
        if longest >= until || until <= self.clock.now().as_seconds() {
            return Ok(());
        }
        let name = format!("{digest}/{until:0SECOND_DIGITS$}");
        self.retained
            .put_idempotent(&Key::new(&name)?, key.as_str().as_bytes())?;
        // The longest counts, so it does no harm if the shorter ones stay.
        for record in records {
            self.retained.delete(&record)?;
        }
        Ok(())
    }

    fn delete(&self, key: &Key) -> Result<()> {
        let digest = digest_of(key);
        let _turn = self.turn(&digest);
        let size = match self.objects.size(key) {
            Err(error) if error.kind == ErrorKind::NotFound => return Ok(()),
            size => size?,
        };
        let now = self.clock.now();
        let (until, records) = self.retained_until(&digest)?;
        if until > now.as_seconds() {
            let cause = format!(
                "it is retained for {} seconds more",
                until - now.as_seconds()
            );
            return Err(Error::new(ErrorKind::Retained).at(key).because(cause));
        }
        let copied = self.terms.keep_deleted_seconds > 0;
        if copied {
            self.put_aside(key, &digest, now)?;
        }
        self.objects.delete(key)?;
        if !copied {
            self.freed(size);
        }
        for record in records {
            self.retained.delete(&record)?;
        }
        Ok(())
    }
}

/// A name of one length for a key of any.
fn digest_of(key: &Key) -> String {
    let digest = blake3::hash(key.as_str().as_bytes()).to_hex();
    let (folder, rest) = digest.split_at(2);
    format!("{folder}/{rest}")
}

/// What the store's user sees.
struct View(Arc<Kept>);

impl Backend for View {
    fn create_new(&self, key: &Key, bytes: &[u8]) -> Result<()> {
        self.0
            .with_room(key, bytes.len(), || self.0.objects.create_new(key, bytes))
    }

    fn put_idempotent(&self, key: &Key, bytes: &[u8]) -> Result<()> {
        // What is there already takes no room, and a full store must not refuse it.
        if self.0.terms.quota.is_some() && self.0.objects.size(key).is_ok() {
            return self.0.objects.put_idempotent(key, bytes);
        }
        self.0.with_room(key, bytes.len(), || {
            self.0.objects.put_idempotent(key, bytes)
        })
    }

    fn get(&self, key: &Key) -> Result<Bytes> {
        self.0.objects.get(key)
    }

    fn get_range(&self, key: &Key, range: Range<u64>) -> Result<Bytes> {
        self.0.objects.get_range(key, range)
    }

    fn size(&self, key: &Key) -> Result<u64> {
        self.0.objects.size(key)
    }

    fn list(&self, listing: Listing<'_>, visit: &mut Visit<'_>) -> Result<()> {
        self.0.objects.backend().list(listing, visit)
    }

    fn delete(&self, key: &Key) -> Result<()> {
        self.0.delete(key)
    }

    fn retains(&self) -> Result<bool> {
        Ok(true)
    }

    fn retain(&self, key: &Key, until: Timestamp) -> Result<()> {
        self.0.retain(key, until.as_seconds())
    }

    fn retained_until(&self, key: &Key) -> Result<Option<Timestamp>> {
        let (until, _) = self.0.retained_until(&digest_of(key))?;
        let told = until != i64::MIN;
        Ok(told.then(|| Timestamp::from_micros(until.saturating_mul(1_000_000))))
    }

    fn describe(&self) -> String {
        self.0.objects.describe()
    }
}

#[cfg(test)]
mod tests;
