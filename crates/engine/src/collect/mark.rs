//! The set of chunks that are reached, as a filter of bounded size.
//!
//! A Bloom filter over the ids (which are keyed hashes and serve as hash values themselves) with 16
//! bits for every chunk the index knows: 100 MB for 50 million chunks. It errs on one side only:
//! one unneeded chunk in two thousand is taken for needed and stays until the next collection.
//!
//! Invariant: a chunk that was marked is never taken for unneeded.

use crate::id::ChunkId;

const BITS_PER_CHUNK: u64 = 16;
const PROBES: u64 = 8;

/// Chunks that manifests reach.
pub(super) struct Marked {
    bits: Vec<u64>,
}

impl Marked {
    /// An empty set, for an index of that many entries.
    pub(super) fn for_entries(entries: usize) -> Self {
        let words = (entries as u64 * BITS_PER_CHUNK).div_ceil(64).max(16);
        let words = usize::try_from(words).expect("the index's entries are in memory's reach");
        Self {
            bits: vec![0; words],
        }
    }

    /// Marks a chunk; `false` if it was marked before.
    pub(super) fn mark(&mut self, id: &ChunkId) -> bool {
        let mut new = false;
        for bit in self.positions(id) {
            let (word, mask) = Self::at(bit);
            let word = &mut self.bits[word];
            new |= *word & mask == 0;
            *word |= mask;
        }
        new
    }

    /// Whether the chunk was marked; seldom true of one that was not.
    pub(super) fn contains(&self, id: &ChunkId) -> bool {
        self.positions(id).all(|bit| {
            let (word, mask) = Self::at(bit);
            self.bits[word] & mask != 0
        })
    }

    fn positions(&self, id: &ChunkId) -> impl Iterator<Item = u64> + use<> {
        let half = |at: usize| {
            u64::from_le_bytes(
                *id.as_bytes()[at..]
                    .first_chunk()
                    .expect("an id has 32 bytes"),
            )
        };
        let (start, stride) = (half(0), half(8) | 1);
        let bits = self.bits.len() as u64 * 64;
        (0..PROBES).map(move |probe| start.wrapping_add(probe.wrapping_mul(stride)) % bits)
    }

    fn at(bit: u64) -> (usize, u64) {
        (
            usize::try_from(bit / 64).expect("a position inside the filter"),
            1 << (bit % 64),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u32) -> ChunkId {
        ChunkId::from_bytes(*blake3::hash(&number.to_le_bytes()).as_bytes())
    }

    #[test]
    fn marked_chunks_are_found_and_few_others() {
        let mut marked = Marked::for_entries(10_000);
        assert!(
            (0..10_000)
                .filter(|number| marked.mark(&id(*number)))
                .count()
                > 9_900
        );
        assert!((0..10_000).all(|number| marked.contains(&id(number))));
        assert!(!marked.mark(&id(5)));
        let wrong = (10_000..60_000)
            .filter(|number| marked.contains(&id(*number)))
            .count();
        assert!(wrong < 100, "{wrong} of 50000");
    }
}
