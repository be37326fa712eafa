//! Keeps objects in memory: for tests and for trying things out.
//!
//! Stricter than it needs to be: it refuses keys that some other store could not hold beside those
//! it
//! has (see [`Key`]), so that a test over memory finds such a mistake.

use std::{
    collections::BTreeMap,
    ops::{Bound, Range},
    sync::{Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;

use crate::{
    error::{Error, ErrorKind, Result},
    key::Key,
    store::{Backend, Listing, Visit, same_length, short},
};

/// Objects copied out of the map at a time, so that a visitor may use the store.
const LIST_BATCH: usize = 256;

/// A store that lives as long as its handle.
#[derive(Default)]
pub(crate) struct Memory(Mutex<BTreeMap<Key, Bytes>>);

impl Memory {
    fn objects(&self) -> MutexGuard<'_, BTreeMap<Key, Bytes>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Backend for Memory {
    fn create_new(&self, key: &Key, bytes: &[u8]) -> Result<()> {
        let mut objects = self.objects();
        if objects.contains_key(key) {
            return Err(Error::new(ErrorKind::AlreadyExists).at(key));
        }
        refuse_conflict(&objects, key)?;
        objects.insert(key.clone(), Bytes::copy_from_slice(bytes));
        Ok(())
    }

    fn put_idempotent(&self, key: &Key, bytes: &[u8]) -> Result<()> {
        match self.create_new(key, bytes) {
            Err(error) if error.kind == ErrorKind::AlreadyExists => {
                same_length(key, self.size(key)?, bytes)
            }
            done => done,
        }
    }

    fn get(&self, key: &Key) -> Result<Bytes> {
        let found = self.objects().get(key).cloned();
        found.ok_or_else(|| Error::new(ErrorKind::NotFound).at(key))
    }

    fn get_range(&self, key: &Key, range: Range<u64>) -> Result<Bytes> {
        let bytes = self.get(key)?;
        if range.end > bytes.len() as u64 {
            return Err(short(key, &range));
        }
        let position = |at: u64| usize::try_from(at).expect("it lies within an object in memory");
        Ok(bytes.slice(position(range.start)..position(range.end)))
    }

    fn size(&self, key: &Key) -> Result<u64> {
        Ok(self.get(key)?.len() as u64)
    }

    fn list(&self, listing: Listing<'_>, visit: &mut Visit<'_>) -> Result<()> {
        let prefix = listing.prefix;
        let mut last = listing.after.cloned();
        loop {
            let batch: Vec<(Key, u64)> = {
                let objects = self.objects();
                let start = match &last {
                    Some(last) if last.as_str() >= prefix => Bound::Excluded(last.as_str()),
                    _ => Bound::Included(prefix),
                };
                objects
                    .range::<str, _>((start, Bound::Unbounded))
                    .take_while(|(key, _)| key.as_str().starts_with(prefix))
                    .take(LIST_BATCH)
                    .map(|(key, bytes)| (key.clone(), bytes.len() as u64))
                    .collect()
            };
            let Some((end, _)) = batch.last() else {
                return Ok(());
            };
            last = Some(end.clone());
            for (key, size) in batch {
                visit(key, size)?;
            }
        }
    }

    fn delete(&self, key: &Key) -> Result<()> {
        self.objects().remove(key);
        Ok(())
    }

    fn describe(&self) -> String {
        "memory".to_owned()
    }
}

fn refuse_conflict(objects: &BTreeMap<Key, Bytes>, key: &Key) -> Result<()> {
    let text = key.as_str();
    let exists = |beginning: String| {
        let from = Bound::Included(beginning.as_str());
        let mut behind = objects.range::<str, _>((from, Bound::Unbounded));
        behind
            .next()
            .is_some_and(|(first, _)| first.as_str().starts_with(&beginning))
    };
    let mut cut = text.match_indices(['/', '-', '.']).filter_map(|(at, cut)| {
        let before = text.get(..at)?;
        // Where this key has one of the three, another must not have a different one of them,
        // if a slash is involved.
        let conflict = match cut {
            "/" => {
                objects.contains_key(before)
                    || exists(format!("{before}-"))
                    || exists(format!("{before}."))
            }
            _ => exists(format!("{before}/")),
        };
        conflict.then_some(before)
    });
    if cut.next().is_some() || exists(format!("{text}/")) {
        let cause = "beside this key there is one that no directory or server can hold with it";
        return Err(Error::new(ErrorKind::Unsupported).at(key).because(cause));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
