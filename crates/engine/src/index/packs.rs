//! The packs that open runs name, each once in memory.
//!
//! A merged run of a big repository names nearly every pack there is, and there are many such
//! runs: what they know of a pack is shared.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{id::PackId, pack::PackInfo};

/// What is known of packs, by their names.
#[derive(Default)]
pub(crate) struct Packs(Mutex<HashMap<PackId, Arc<PackInfo>>>);

impl Packs {
    /// Exchanges what is known already, and remembers the rest.
    pub(super) fn share(&self, packs: &mut [Arc<PackInfo>]) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for pack in packs {
            let shared = known.entry(pack.id).or_insert_with(|| Arc::clone(pack));
            // A run that says something else of a pack keeps its own opinion.
            if shared == pack {
                *pack = Arc::clone(shared);
            }
        }
    }
}
