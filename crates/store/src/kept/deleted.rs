//! What was deleted and is still there: put aside, listed, brought back, and gone when its time is
//! over.

use strongroom_model::Timestamp;

use super::{Kept, SECOND_DIGITS};
use crate::{
    error::{Error, ErrorKind, Result},
    key::Key,
};

/// An object that was deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deleted {
    /// Its key.
    pub key: Key,
    /// When it was deleted.
    pub at: Timestamp,
    /// Its length.
    pub bytes: u64,
}

impl Kept {
    /// Copies an object that is about to be deleted. Asks for no room: a full store can be emptied.
    pub(super) fn put_aside(&self, key: &Key, digest: &str, now: Timestamp) -> Result<()> {
        let bytes = self.objects.get(key)?;
        let mut copy = Vec::with_capacity(key.as_str().len() + 1 + bytes.len());
        copy.extend_from_slice(key.as_str().as_bytes());
        copy.push(b'\n');
        copy.extend_from_slice(&bytes);
        let second = format!("{:0SECOND_DIGITS$}", now.as_seconds());
        // The same key may be deleted twice within one second, with different bytes.
        for place in 0_u32.. {
            let name = Key::new(&format!("{second}/{digest}/{place:04}"))?;
            match self.deleted.create_new(&name, &copy) {
                Err(error) if error.kind == ErrorKind::AlreadyExists => {}
                done => {
                    *self.used_slot() = None;
                    return done;
                }
            }
        }
        Err(Error::new(ErrorKind::Other).at(key))
    }

    /// Removes for good what was deleted long enough ago; how many objects.
    pub fn purge(&self) -> Result<u64> {
        let end = self.clock.now().as_seconds() - self.terms.keep_deleted_seconds;
        let mut purged = 0;
        self.aside(&mut |name, at, size| {
            if at <= end {
                self.deleted.delete(name)?;
                self.freed(size);
                purged += 1;
            }
            Ok(())
        })?;
        Ok(purged)
    }

    /// What was deleted since then, the oldest first.
    pub fn deleted(&self, since: Timestamp) -> Result<Vec<Deleted>> {
        let mut found = Vec::new();
        self.aside(&mut |name, at, _| {
            if at >= since.as_seconds() {
                let (key, bytes) = self.read_aside(name)?;
                found.push(Deleted {
                    key,
                    at: Timestamp::from_micros(at.saturating_mul(1_000_000)),
                    bytes: bytes.len() as u64,
                });
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// Brings back what was deleted since then, where nothing else took its place; of several
    /// objects under one key the one that was deleted last. How many objects.
    pub fn undelete(&self, since: Timestamp) -> Result<u64> {
        let mut names = Vec::new();
        self.aside(&mut |name, at, _| {
            if at >= since.as_seconds() {
                names.push(name.clone());
            }
            Ok(())
        })?;
        let mut back = 0;
        for name in names.iter().rev() {
            let (key, bytes) = self.read_aside(name)?;
            match self.objects.create_new(&key, &bytes) {
                Ok(()) => back += 1,
                Err(error) if error.kind == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        *self.used_slot() = None;
        Ok(back)
    }

    /// Visits the names of what was put aside, with the second of the deletion and the size.
    fn aside(&self, visit: &mut dyn FnMut(&Key, i64, u64) -> Result<()>) -> Result<()> {
        self.deleted.list("", &mut |name, size| {
            let second = name.as_str().split('/').next();
            match second.and_then(|second| second.parse().ok()) {
                Some(at) => visit(&name, at, size),
                None => Ok(()),
            }
        })
    }

    fn read_aside(&self, name: &Key) -> Result<(Key, bytes::Bytes)> {
        let copy = self.deleted.get(name)?;
        let damaged = || Error::new(ErrorKind::Corrupt).at(name);
        let end = copy.iter().position(|byte| *byte == b'\n');
        let end = end.ok_or_else(damaged)?;
        let text = std::str::from_utf8(copy.get(..end).unwrap_or_default());
        let key = Key::new(text.map_err(|_| damaged())?)?;
        Ok((key, copy.slice(end + 1..)))
    }
}
