//! The public filter in front of the keyed hash: finds the few positions worth a closer look.
//!
//! A position passes if the four bytes before it, as a little-endian number times [`FACTOR`], are
//! in the top 1/1024 of all numbers. The test has no state, so it runs on 64 positions at once, as
//! four phases of 32-bit lanes: in the instructions of AVX-512 or AVX2 (`simd`), or as plain code
//! of the same shape, which the compiler turns into the vectors of the target (SSE2, NEON).
//!
//! Invariant: every search finds the same positions. A run of one byte never passes, whatever the
//! byte.

#[cfg(target_arch = "x86_64")]
mod simd;

use std::ops::Range;

/// The multiplier; odd, and chosen so that no run of one byte passes.
const FACTOR: u32 = 0x9e37_79b1;
/// Products from here on pass: one in 2^10.
const LIMIT: u32 = 0xffc0_0000;
/// Bytes that the filter reads before a position.
const WIDTH: usize = 4;
/// Positions tested together.
const BLOCK: usize = 64;
/// Bytes that the test of a block reads.
const SPAN: usize = BLOCK + WIDTH - 1;

const _: () = {
    let mut byte: u32 = 0;
    while byte < 256 {
        assert!(!passes(byte * 0x0101_0101), "a run of one byte would pass");
        byte += 1;
    }
};

/// Finds the first position in a range that passes; a position is a number of bytes in front of
/// it, at least [`WIDTH`] and at most the number of bytes.
pub(super) type Search = fn(&[u8], Range<usize>) -> Option<usize>;

/// The fastest search that this machine can run.
pub(super) fn fastest() -> Search {
    *runnable().last().expect("the portable one always is")
}

/// The searches that this machine can run, the fastest last.
pub(super) fn runnable() -> Vec<Search> {
    #[cfg(target_arch = "x86_64")]
    let vectors = simd::runnable();
    #[cfg(not(target_arch = "x86_64"))]
    let vectors = std::iter::empty();
    std::iter::once(portable as Search).chain(vectors).collect()
}

/// The search in the target's baseline instructions.
pub(super) fn portable(bytes: &[u8], positions: Range<usize>) -> Option<usize> {
    by_blocks(bytes, positions, |block| {
        any_passes(block)
            .then(|| one_by_one(block, WIDTH..SPAN + 1))
            .flatten()
            .map(|position| position - WIDTH)
    })
}

const fn passes(window: u32) -> bool {
    window.wrapping_mul(FACTOR) >= LIMIT
}

/// Searches block by block with `test`, which finds the first of 64 positions that passes.
/// Inlined into each caller, so that it is compiled for the caller's instructions.
#[expect(
    clippy::inline_always,
    reason = "a call would leave the caller's instruction set"
)]
#[inline(always)]
fn by_blocks(
    bytes: &[u8],
    positions: Range<usize>,
    test: impl Fn(&[u8; SPAN]) -> Option<usize>,
) -> Option<usize> {
    let mut from = positions.start;
    while from + BLOCK <= positions.end {
        if let Some(found) = test(bytes[from - WIDTH..].first_chunk()?) {
            return Some(from + found);
        }
        from += BLOCK;
    }
    one_by_one(bytes, from..positions.end)
}

/// Whether any position of a block passes.
fn any_passes(block: &[u8; SPAN]) -> bool {
    // The greatest product per lane: this shape is what the vectoriser turns into whole vectors.
    let mut greatest = [0_u32; BLOCK / WIDTH];
    for phase in 0..WIDTH {
        let (lanes, _) = block[phase..].as_chunks::<WIDTH>();
        for (greatest, lane) in greatest.iter_mut().zip(lanes) {
            *greatest = (*greatest).max(u32::from_le_bytes(*lane).wrapping_mul(FACTOR));
        }
    }
    greatest.iter().fold(0, |a, b| a.max(*b)) >= LIMIT
}

/// The first position that passes, by the plain loop that the others are measured by.
fn one_by_one(bytes: &[u8], mut positions: Range<usize>) -> Option<usize> {
    positions.find(|position| {
        bytes[..*position]
            .last_chunk()
            .is_some_and(|window| passes(u32::from_le_bytes(*window)))
    })
}

#[cfg(test)]
mod tests {
    use proptest::{collection, prelude::*};

    use super::*;

    #[test]
    fn one_position_in_a_thousand_passes_on_random_bytes() {
        let mut bytes = vec![0; 4 << 20];
        blake3::Hasher::new().finalize_xof().fill(&mut bytes);
        let passing = (4..bytes.len())
            .filter(|at| one_by_one(&bytes, *at..*at + 1).is_some())
            .count();
        assert!(
            (3500..4700).contains(&passing),
            "{passing} of 4 Mi positions"
        );
    }

    #[test]
    fn runs_of_one_byte_never_pass() {
        for byte in 0..=255 {
            let run = [byte; 300];
            for search in runnable() {
                assert_eq!(search(&run, 4..301), None);
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn every_search_finds_what_the_plain_loop_finds(
            seed: u64, len in 4_usize..3000, from in 4_usize..200, alphabet in 1_u8..=255,
        ) {
            let mut bytes = vec![0; len];
            blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof().fill(&mut bytes);
            for byte in &mut bytes {
                *byte %= alphabet;
            }
            let mut from = from;
            while from <= len {
                let expected = one_by_one(&bytes, from..len);
                for search in runnable() {
                    prop_assert_eq!(search(&bytes, from..len), expected);
                }
                match expected {
                    Some(position) => from = position + 1,
                    None => break,
                }
            }
        }

        #[test]
        fn a_passing_window_is_found_wherever_it_is(
            before in collection::vec(0_u8..4, 0..200), after in 0_usize..200,
        ) {
            let window = (0..u32::MAX).map(|n| n.wrapping_mul(0x0101_6b5f))
                .find(|window| passes(*window)).expect("one in 1024 does");
            let mut bytes = before;
            bytes.extend_from_slice(&window.to_le_bytes());
            let at = bytes.len();
            bytes.resize(at + after, 0);
            for search in runnable() {
                prop_assert_eq!(search(&bytes, at..at + 1), Some(at));
                let found = search(&bytes, 4..bytes.len() + 1);
                prop_assert!(found.is_some_and(|found| found <= at));
            }
        }
    }
}
