//! What this writer stored and no index run names yet.
//!
//! A chunk is claimed by the first thread that brings it, is under way until its pack is durable,
//! and then waits for the next run. Sharded, because every put asks here first.
//!
//! Invariant: an entry has a place only if its pack is durable.

use std::{
    collections::{HashMap, hash_map::Entry as Slot},
    hash::{BuildHasherDefault, Hasher},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use crate::{
    id::ChunkId,
    index::{Location, RunBuilder},
    pack::{Listed, PackInfo},
    segment::Extent,
};

const SHARDS: usize = 16;

/// Chunks of this writer that are not in a run.
#[derive(Default)]
pub(super) struct Memtable {
    shards: [Mutex<Shard>; SHARDS],
    packs: Mutex<Vec<PackInfo>>,
    /// Whether anything was ever claimed: while nothing was, nobody needs to look.
    used: AtomicBool,
    durable: AtomicUsize,
}

type Shard = HashMap<ChunkId, Option<Place>, BuildHasherDefault<IdHasher>>;

/// Takes a part of an id as its hash: ids are keyed hashes, so nobody can choose them to collide.
#[derive(Default)]
struct IdHasher(u64);

impl Hasher for IdHasher {
    fn write(&mut self, id: &[u8]) {
        // The first byte has chosen the shard.
        if let Some(part) = id.last_chunk() {
            self.0 = u64::from_le_bytes(*part);
        }
    }

    fn write_usize(&mut self, _length_of_the_id: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

/// A chunk's place; packs are numbered by the memtable.
#[derive(Clone, Copy)]
struct Place {
    pack: u32,
    extent: Extent,
    start: u32,
    len: u32,
}

impl Memtable {
    /// Whether the chunk is under way or waits for its run.
    pub(super) fn contains(&self, id: &ChunkId) -> bool {
        self.used.load(Ordering::Acquire) && self.shard(id).contains_key(id)
    }

    /// Marks the chunk as under way; `false` if it is already.
    pub(super) fn claim(&self, id: ChunkId) -> bool {
        if !self.used.load(Ordering::Relaxed) {
            self.used.store(true, Ordering::Release);
        }
        match self.shard(&id).entry(id) {
            Slot::Occupied(_) => false,
            Slot::Vacant(slot) => {
                slot.insert(None);
                true
            }
        }
    }

    /// Gives all chunks of a durable pack their places; returns how many entries wait for a run.
    pub(super) fn publish(&self, pack: PackInfo, segments: &[Listed]) -> usize {
        let number = {
            let mut packs = lock(&self.packs);
            packs.push(pack);
            u32::try_from(packs.len() - 1).expect("fewer packs than 2^32 wait for a run")
        };
        // Counted first: a run that takes some of them in counts them off at once.
        let published: usize = segments.iter().map(|each| each.chunks.len()).sum();
        let waiting = self.durable.fetch_add(published, Ordering::AcqRel) + published;
        for Listed { extent, chunks } in segments {
            let mut start = 0;
            for chunk in chunks {
                let place = Place {
                    pack: number,
                    extent: *extent,
                    start,
                    len: chunk.len,
                };
                self.shard(&chunk.id).insert(chunk.id, Some(place));
                start += chunk.len;
            }
        }
        waiting
    }

    /// Adds every entry that waits for a run to `builder`; they stay here until [`Self::forget`].
    pub(super) fn collect(&self, builder: &mut RunBuilder) -> Vec<ChunkId> {
        let packs = lock(&self.packs).clone();
        let mut ids = Vec::new();
        for shard in &self.shards {
            for (id, place) in lock(shard).iter() {
                // A place of a pack that was published after the copy waits for the next run.
                let Some((place, pack)) =
                    place.and_then(|place| Some((place, packs.get(place.pack as usize)?)))
                else {
                    continue;
                };
                let Place {
                    extent, start, len, ..
                } = place;
                builder.add(
                    *id,
                    &Location {
                        pack: *pack,
                        extent,
                        start,
                        len,
                    },
                );
                ids.push(*id);
            }
        }
        ids
    }

    /// Drops entries whose run is stored.
    pub(super) fn forget(&self, ids: &[ChunkId]) {
        for id in ids {
            self.shard(id).remove(id);
        }
        self.durable.fetch_sub(ids.len(), Ordering::AcqRel);
    }

    /// Chunks that are not durable yet.
    pub(super) fn under_way(&self) -> usize {
        let mut pending = 0;
        for shard in &self.shards {
            pending += lock(shard).values().filter(|place| place.is_none()).count();
        }
        pending
    }

    fn shard(&self, id: &ChunkId) -> MutexGuard<'_, Shard> {
        lock(&self.shards[usize::from(id.as_bytes()[0]) % SHARDS])
    }
}

/// Locks; a thread that panics fails the whole writer, so what it left is never committed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
