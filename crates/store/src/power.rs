//! What a power cut leaves of a directory store: a model of the file system below it.
//!
//! A file system promises little: bytes are on the disk after the file was synced, a name after
//! its directory was, and nothing else; what is not synced may be there or not, in any combination
//! and whatever its order. [`Noted`] is the directory backend over the real file system with every
//! change noted. From the notes, [`Noted::after`] makes the objects that are there when the power
//! fails at any moment and any part of what was not synced has reached the disk.
//!
//! Made for tests, like [`fault`](crate::fault): it keeps every byte that was written in memory.

use std::{collections::BTreeMap, path::Path};

use crate::{
    error::Result,
    local::{Local, noted::Log},
    store::Store,
};

/// A directory store of which every change is noted.
pub struct Noted {
    store: Store,
    log: Log,
}

impl Noted {
    /// The store in `directory`.
    pub fn open(directory: &Path) -> Result<Self> {
        let log = Log::default();
        let store = Store::new(Local::noted(directory, log.clone())?);
        Ok(Self { store, log })
    }

    /// The store; clones are noted too.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// How many changes are noted. What was acknowledged by now must survive a power cut at this
    /// moment and at every later one.
    pub fn moment(&self) -> usize {
        self.log.len()
    }

    /// How many changes before `moment` need not have reached the disk.
    pub fn unsynced(&self, moment: usize) -> usize {
        self.log.replay(moment).unsynced()
    }

    /// The objects after a power cut at `moment`, if of the changes that are not synced those
    /// reached the disk that `reached` says.
    pub fn after(
        &self,
        moment: usize,
        reached: &mut dyn FnMut(usize) -> bool,
    ) -> BTreeMap<String, Vec<u8>> {
        self.log.replay(moment).objects(reached)
    }
}
