//! Merges runs into fewer, page by page.
//!
//! The result is one or more runs whose ranges of ids do not overlap, each small enough to be
//! built in memory, so that a lookup still asks one of them. Merging removes nothing: the old runs
//! go when a collection says so.

use std::{cmp::Reverse, collections::BinaryHeap, sync::Arc, vec};

use strongroom_model::Entropy;

use super::{Entry, Run, RunBuilder};
use crate::{
    error::Result,
    id::{ChunkId, PackId, RunId},
    layout::Object,
    objects::Objects,
};

/// Entries in a merged run; it is built in memory, at about 130 bytes each.
const ENTRIES_MAX: usize = 1 << 19;

/// Walks one run in the order of its ids.
struct Cursor<'a> {
    run: &'a Run,
    next_page: usize,
    entries: vec::IntoIter<Entry>,
}

impl Cursor<'_> {
    fn next(&mut self, objects: &Objects) -> Result<Option<Entry>> {
        loop {
            if let Some(entry) = self.entries.next() {
                return Ok(Some(entry));
            }
            if self.next_page == self.run.pages() {
                return Ok(None);
            }
            self.entries = self.run.entries(objects, self.next_page)?.into_iter();
            self.next_page += 1;
        }
    }
}

/// Stores runs that hold, of all entries of `runs` (newest first) whose pack `keep` wants, one per
/// chunk: the newest.
pub(crate) fn merge(
    objects: &Objects,
    runs: &[Arc<Run>],
    epoch: u64,
    keep: &dyn Fn(&PackId) -> bool,
    entropy: &dyn Entropy,
) -> Result<Vec<RunId>> {
    let mut cursors: Vec<_> = runs
        .iter()
        .map(|run| Cursor {
            run,
            next_page: 0,
            entries: Vec::new().into_iter(),
        })
        .collect();
    let mut heads: BinaryHeap<Reverse<(ChunkId, usize)>> = BinaryHeap::new();
    let mut pending: Vec<Option<Entry>> = Vec::new();
    for (at, cursor) in cursors.iter_mut().enumerate() {
        let entry = cursor.next(objects)?;
        heads.extend(entry.map(|entry| Reverse((entry.id, at))));
        pending.push(entry);
    }
    let mut merged = Vec::new();
    let mut builder = RunBuilder::default();
    let mut last = None;
    while let Some(Reverse((id, at))) = heads.pop() {
        let next = cursors[at].next(objects)?;
        heads.extend(next.map(|entry| Reverse((entry.id, at))));
        let entry = std::mem::replace(&mut pending[at], next);
        let Some(location) = entry.map(|entry| cursors[at].run.locate(&entry)) else {
            continue;
        };
        if last == Some(id) || !keep(&location.pack.id) {
            continue;
        }
        last = Some(id);
        builder.add(id, &location);
        if builder.len() == ENTRIES_MAX {
            store(
                objects,
                std::mem::take(&mut builder),
                epoch,
                entropy,
                &mut merged,
            )?;
        }
    }
    store(objects, builder, epoch, entropy, &mut merged)?;
    Ok(merged)
}

fn store(
    objects: &Objects,
    builder: RunBuilder,
    epoch: u64,
    entropy: &dyn Entropy,
    merged: &mut Vec<RunId>,
) -> Result<()> {
    if let Some(run) = builder.finish(objects.keys(), epoch, entropy) {
        objects.put_named(Object::Run(run.id), &run.bytes)?;
        merged.push(run.id);
    }
    Ok(())
}
