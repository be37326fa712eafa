//! Which chunks lie in packs that are there, for tens of millions of chunks in memory.
//!
//! Asking the index for each chunk costs two pages each, in no order that a cache could use. So
//! the index is read once from front to back, and of each entry four bytes of the chunk's id are
//! kept, in a bucket that other bytes of the id choose: five bytes for each chunk. A chunk that is
//! not there is taken for present once in 5 · 10^8 times; keyed hashes cannot be made to collide.
//!
//! Invariant: what the index names in a pack that is there is found; pages of the index that do
//! not open are left out, and the caller asks the index itself about what is not found.

use std::collections::BTreeMap;

use crate::{
    error::{Error, Result},
    id::{ChunkId, PackId},
    repository::Repository,
    tree::Progress,
};

/// Bytes of an id that are kept.
const KEPT: usize = 4;
/// Entries in a bucket, on average.
const BUCKET: usize = 8;

/// The chunks that are there.
pub(super) struct Roster {
    /// Where each bucket begins, and the end of the last.
    starts: Vec<u32>,
    kept: Vec<[u8; KEPT]>,
    bits: u32,
}

impl Roster {
    /// Reads the index: all entries whose packs are `present`.
    pub(super) fn load(
        repository: &Repository,
        present: &BTreeMap<PackId, u64>,
        progress: &Progress,
    ) -> Result<Self> {
        let entries: usize = repository.index()?.runs().iter().map(|run| run.len()).sum();
        let bits = (entries / BUCKET).max(1).ilog2().min(28);
        let mut roster = Self {
            starts: vec![0; (1 << bits) + 1],
            kept: Vec::new(),
            bits,
        };
        // Two readings: one counts, one fills.
        each_present(repository, present, progress, &mut |id| {
            let bucket = roster.bucket(id);
            roster.starts[bucket + 1] += 1;
        })?;
        let mut sum = 0;
        for start in &mut roster.starts {
            sum += *start;
            *start = sum;
        }
        roster.kept = vec![[0; KEPT]; sum as usize];
        let mut filled = roster.starts.clone();
        each_present(repository, present, progress, &mut |id| {
            let bucket = roster.bucket(id);
            // A run that was merged between the readings is left out, not written over others.
            if filled[bucket] < roster.starts[bucket + 1] {
                roster.kept[filled[bucket] as usize] = kept(id);
                filled[bucket] += 1;
            }
        })?;
        Ok(roster)
    }

    /// Whether the chunk is in a pack that is there.
    pub(super) fn contains(&self, id: &ChunkId) -> bool {
        let bucket = self.bucket(id);
        let (start, end) = (self.starts[bucket], self.starts[bucket + 1]);
        self.kept[start as usize..end as usize].contains(&kept(id))
    }

    fn bucket(&self, id: &ChunkId) -> usize {
        let [a, b, c, d, ..] = *id.as_bytes();
        // As u64, for all 32 bits may have to go.
        let bucket = u64::from(u32::from_be_bytes([a, b, c, d])) >> (32 - self.bits);
        usize::try_from(bucket).expect("a bucket's number has at most 28 bits")
    }
}

fn kept(id: &ChunkId) -> [u8; KEPT] {
    *id.as_bytes()[8..]
        .first_chunk()
        .expect("an id has 32 bytes")
}

/// Visits the chunks of all pages of the index that open.
fn each_present(
    repository: &Repository,
    present: &BTreeMap<PackId, u64>,
    progress: &Progress,
    visit: &mut dyn FnMut(&ChunkId),
) -> Result<()> {
    for run in repository.index()?.runs() {
        let there: Vec<bool> = run
            .packs()
            .iter()
            .map(|pack| present.contains_key(&pack.id))
            .collect();
        for page in 0..run.pages() {
            progress.check()?;
            let entries = match run.entries(repository.objects(), page) {
                Ok(entries) => entries,
                Err(Error::Damaged { .. }) => continue,
                Err(error) => return Err(error),
            };
            for entry in entries {
                if there[entry.pack as usize] {
                    visit(&entry.id);
                }
            }
        }
    }
    Ok(())
}
