//! A blocked Bloom filter over one stretch of a run: 64-byte blocks, 8 bits per chunk.
//!
//! Chunk ids are keyed hashes, so their bytes serve as the hash functions. A question touches one
//! block, which is one cache line. At 12 bits per chunk about one in 200 wrong chunks passes.

use crate::id::ChunkId;

/// Bytes of a block.
const BLOCK_LEN: usize = 64;
/// Bits per chunk.
const BITS: usize = 12;
/// Bits set per chunk.
const PROBES: u32 = 8;

/// Bytes of a filter over `entries` chunks.
pub(super) const fn len(entries: usize) -> usize {
    let bits = entries * BITS;
    let blocks = bits.div_ceil(BLOCK_LEN * 8);
    if blocks == 0 {
        BLOCK_LEN
    } else {
        blocks * BLOCK_LEN
    }
}

/// A filter over these chunks, of which there are `entries`.
pub(super) fn build<'a>(entries: usize, ids: impl Iterator<Item = &'a ChunkId>) -> Vec<u8> {
    let mut filter = vec![0; len(entries)];
    for id in ids {
        let start = block(filter.len(), id) * BLOCK_LEN;
        for (byte, mask) in bits(id) {
            filter[start + byte] |= mask;
        }
    }
    filter
}

/// Whether the filter may have been built with `id`; no means no.
pub(crate) fn may_contain(filter: &[u8], id: &ChunkId) -> bool {
    if filter.len() < BLOCK_LEN {
        return true;
    }
    let start = block(filter.len(), id) * BLOCK_LEN;
    let block = &filter[start..start + BLOCK_LEN];
    bits(id).all(|(byte, mask)| block[byte] & mask != 0)
}

/// The block of `id`: bytes 16 to 20 of the id, scaled to the number of blocks.
fn block(filter_len: usize, id: &ChunkId) -> usize {
    let bytes = id.as_bytes();
    let hash = u32::from_le_bytes([bytes[16], bytes[17], bytes[18], bytes[19]]);
    let blocks = (filter_len / BLOCK_LEN) as u64;
    usize::try_from((u64::from(hash) * blocks) >> 32).expect("smaller than the number of blocks")
}

/// The bits of `id` in its block: nine bits each, from byte 20 of the id on.
fn bits(id: &ChunkId) -> impl Iterator<Item = (usize, u8)> {
    let mut low = [0; 16];
    low[..12].copy_from_slice(&id.as_bytes()[20..]);
    let source = u128::from_le_bytes(low);
    (0..PROBES).map(move |probe| {
        let bit = (source >> (9 * probe)) & 0x1ff;
        let bit = u16::try_from(bit).expect("nine bits");
        (usize::from(bit >> 3), 1 << (bit & 7))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u32) -> ChunkId {
        ChunkId::from_bytes(*blake3::hash(&n.to_le_bytes()).as_bytes())
    }

    #[test]
    fn what_was_put_in_is_always_found_and_little_else() {
        for entries in [0, 1, 10, 500, 16_384_u32] {
            let ids: Vec<_> = (0..entries).map(id).collect();
            let filter = build(ids.len(), ids.iter());
            assert!(ids.iter().all(|id| may_contain(&filter, id)));
            let wrong = (1_000_000..1_020_000)
                .filter(|n| may_contain(&filter, &id(*n)))
                .count();
            assert!(
                wrong < 300,
                "{wrong} of 20000 wrong chunks pass among {entries}"
            );
        }
    }

    #[test]
    fn a_full_filter_page_has_24_kib() {
        assert_eq!(len(16_384), 24 << 10);
    }
}
