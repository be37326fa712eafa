//! Decides where the chunks of a byte stream end, and finds bytes that are all zero.
//!
//! A boundary depends only on the 64 bytes before it and on the repository's chunker key, so an
//! insertion moves the chunks after it without changing them. A public filter picks one position
//! in about a thousand at memory speed (`filter`); only there a keyed hash decides, so that
//! chunk lengths tell an observer nothing about content that he could have computed himself.
//!
//! Invariant: the cuts of given bytes under a given key never change (frozen in the tests), and
//! are the same on every machine. A chunk starts where the last one ended and no byte before its
//! start has any influence on where it ends.
//!
//! Format: docs/format.md, "Chunk boundaries".

mod filter;

use std::ops::Range;

use crate::header::Sizes;

/// Bytes before a boundary that the keyed hash reads.
const WINDOW: usize = 64;
/// Before the target size, one position in twice that size is a boundary. The filter has passed
/// one in 2^10 already, so the hash decides for one in the target by 2^9 …
const STRICT: u32 = 9;
/// … and from the target size on for one in the target by 2^12: one position in a quarter of it.
const RELAXED: u32 = 12;

/// Whether the bytes handed to [`Cutter::next`] are all there is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rest {
    /// More bytes of the stream may follow.
    Follows,
    /// These are the last.
    Ended,
}

/// Finds the chunks of byte streams, by content.
#[derive(Clone)]
pub struct Cutter {
    key: [u8; 32],
    min: usize,
    target: usize,
    max: usize,
    /// The greatest hashes that make a boundary before and from the target size on.
    strict: u64,
    relaxed: u64,
    search: filter::Search,
}

impl Cutter {
    pub(crate) fn new(key: &[u8; 32], sizes: &Sizes) -> Self {
        let doublings = sizes.chunk_target.ilog2();
        Self {
            key: *key,
            strict: u64::MAX >> doublings.saturating_sub(STRICT),
            relaxed: u64::MAX >> doublings.saturating_sub(RELAXED),
            min: sizes.chunk_min as usize,
            target: sizes.chunk_target as usize,
            max: sizes.chunk_max as usize,
            search: filter::fastest(),
        }
    }

    /// The longest chunk, in bytes; with so many at hand [`Cutter::next`] always finds an end.
    pub const fn max(&self) -> usize {
        self.max
    }

    /// The length of the chunk at the front of `bytes`; `None` if it needs to see more of the
    /// stream, or if nothing is left.
    pub fn next(&self, bytes: &[u8], rest: Rest) -> Option<usize> {
        let end = bytes.len().min(self.max);
        let cut = self
            .cut_within(bytes, self.min..self.target.min(end), self.strict)
            .or_else(|| self.cut_within(bytes, self.target..end, self.relaxed));
        match cut {
            Some(cut) => Some(cut),
            None if bytes.len() >= self.max => Some(self.max),
            None if rest == Rest::Ended && !bytes.is_empty() => Some(bytes.len()),
            None => None,
        }
    }

    /// The chunks of a whole stream, as ranges that touch.
    pub fn cuts<'a>(&'a self, bytes: &'a [u8]) -> impl Iterator<Item = Range<usize>> + 'a {
        let mut start = 0;
        std::iter::from_fn(move || {
            let len = self.next(bytes.get(start..)?, Rest::Ended)?;
            let chunk = start..start + len;
            start = chunk.end;
            Some(chunk)
        })
    }

    /// The first boundary in `positions` (numbers of bytes in front of it).
    fn cut_within(&self, bytes: &[u8], positions: Range<usize>, limit: u64) -> Option<usize> {
        let mut from = positions.start;
        while from < positions.end {
            let candidate = (self.search)(bytes, from..positions.end)?;
            let window = &bytes[candidate - WINDOW..candidate];
            let hash = blake3::keyed_hash(&self.key, window);
            let hash = hash
                .as_bytes()
                .first_chunk()
                .expect("a hash has more than 8 bytes");
            if u64::from_le_bytes(*hash) <= limit {
                return Some(candidate);
            }
            from = candidate + 1;
        }
        None
    }
}

impl Drop for Cutter {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.key);
    }
}

/// Whether all of `bytes` are zero, at memory speed.
pub fn is_zero(bytes: &[u8]) -> bool {
    let (blocks, tail) = bytes.as_chunks::<128>();
    blocks
        .iter()
        .all(|block| block.iter().fold(0, |any, byte| any | byte) == 0)
        && tail.iter().all(|byte| *byte == 0)
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) mod vectors;
