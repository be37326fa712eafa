//! The index: which pack holds which chunk.
//!
//! Immutable sorted runs, newest first. A run is read page by page through one bounded cache, so
//! memory stays bounded whatever the size of the repository; a filter in front of each run answers
//! most questions for chunks it does not have. A damaged run hides only its own entries, and the
//! packs can name their chunks without it.
//!
//! Invariant: an index is a snapshot; refreshing makes a new one. An entry is a claim that a pack
//! was stored, never a proof that it is still there: readers check every byte, writers check that
//! the pack exists.
//!
//! Format: docs/format.md, "Index runs".

mod drawer;
mod entry;
mod filter;
mod generations;
mod merge;
mod packs;
mod run;

use std::{collections::HashMap, sync::Arc};

#[cfg(any(test, fuzzing))]
pub(crate) use self::{entry::ENTRY_LEN, filter::may_contain, run::directory_round_trip};
pub(crate) use self::{
    entry::{Entry, Location},
    generations::{GENERATIONS_MAX, crowded},
    merge::merge,
    packs::Packs,
    run::{Pages, Run, RunBuilder},
};
use crate::{
    error::{Damage, Error, Result},
    id::{ChunkId, RunId},
    layout::{Object, prefix},
    objects::Objects,
};

/// A snapshot of all runs.
#[derive(Default)]
pub(crate) struct Index {
    /// Newest first.
    runs: Vec<Arc<Run>>,
    /// Runs that could not be opened.
    damaged: Vec<(RunId, Damage)>,
}

impl Index {
    /// Opens the runs that are in the store now; those of `before` are kept open.
    pub(crate) fn load(objects: &Objects, before: &Self) -> Result<Self> {
        let open: HashMap<RunId, &Arc<Run>> =
            before.runs.iter().map(|run| (run.id(), run)).collect();
        let mut listed = Vec::new();
        objects.list(prefix::RUNS, &mut |object, size| {
            if let Object::Run(id) = object {
                listed.push((id, size));
            }
        })?;
        let mut index = Self::default();
        for (id, size) in listed {
            match open.get(&id) {
                Some(run) => index.runs.push(Arc::clone(run)),
                None => match Run::open(objects, id, size) {
                    Ok(run) => index.runs.push(Arc::new(run)),
                    // Merged and removed since the listing.
                    Err(Error::Damaged {
                        damage: Damage::Missing,
                        ..
                    }) => {}
                    Err(Error::Damaged { damage, .. }) => index.damaged.push((id, damage)),
                    Err(error) => return Err(error),
                },
            }
        }
        index
            .runs
            .sort_by_key(|run| (std::cmp::Reverse(run.epoch()), run.id()));
        Ok(index)
    }

    /// The runs, newest first.
    pub(crate) fn runs(&self) -> &[Arc<Run>] {
        &self.runs
    }

    /// Runs that are there and cannot be used, with the reason.
    pub(crate) fn damaged(&self) -> &[(RunId, Damage)] {
        &self.damaged
    }

    /// The epoch of a run that is newer than all of these.
    pub(crate) fn next_epoch(&self) -> u64 {
        self.runs
            .first()
            .map_or(1, |run| run.epoch().saturating_add(1))
    }

    /// Whether `other` has the same runs.
    pub(crate) fn same_runs(&self, other: &Self) -> bool {
        self.runs
            .iter()
            .map(|run| run.id())
            .eq(other.runs.iter().map(|run| run.id()))
    }

    /// Where the chunk lies, newest first; a page that cannot be read is an error in its place.
    pub(crate) fn locations<'a>(
        &'a self,
        objects: &'a Objects,
        id: &'a ChunkId,
    ) -> impl Iterator<Item = Result<Location>> + 'a {
        self.runs.iter().filter_map(move |run| {
            run.find(objects, id)
                .map(|entry| Some(run.locate(&entry?)))
                .transpose()
        })
    }
}

#[cfg(test)]
mod scale;
#[cfg(test)]
mod tests;
