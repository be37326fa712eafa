//! The filter's searches in the vector instructions of x86-64.
//!
//! Each phase of a block is one vector of products in AVX-512 and two in AVX2. The unsigned
//! greatest of all products tells whether any position passes, which is rare; only then the masks
//! of the phases are made and the first position taken from them.
//!
//! Invariant: a search runs only on processors that have its instructions, because [`runnable`]
//! is the only way to get one.

#![expect(
    unsafe_code,
    reason = "loading vectors from memory, and calling functions compiled for more than the baseline"
)]

use std::{
    arch::{
        is_x86_feature_detected,
        x86_64::{
            __m256i, __m512i, _mm256_castsi256_ps, _mm256_cmpeq_epi32, _mm256_loadu_si256,
            _mm256_max_epu32, _mm256_movemask_ps, _mm256_mullo_epi32, _mm256_set1_epi32,
            _mm512_cmpge_epu32_mask, _mm512_loadu_si512, _mm512_max_epu32, _mm512_mullo_epi32,
            _mm512_set1_epi32,
        },
    },
    ops::Range,
};

use super::{FACTOR, LIMIT, SPAN, Search, WIDTH, by_blocks};

/// The searches of this module that the processor can run, the fastest last.
pub(super) fn runnable() -> impl Iterator<Item = Search> {
    let searches: [(bool, Search); 2] = [
        (is_x86_feature_detected!("avx2"), avx2),
        (is_x86_feature_detected!("avx512f"), avx512),
    ];
    searches
        .into_iter()
        .filter_map(|(detected, search)| detected.then_some(search))
}

fn avx2(bytes: &[u8], positions: Range<usize>) -> Option<usize> {
    // SAFETY: `runnable` hands this function out only after it detected AVX2.
    unsafe { compiled_avx2(bytes, positions) }
}

fn avx512(bytes: &[u8], positions: Range<usize>) -> Option<usize> {
    // SAFETY: `runnable` hands this function out only after it detected AVX-512F.
    unsafe { compiled_avx512(bytes, positions) }
}

#[target_feature(enable = "avx2")]
fn compiled_avx2(bytes: &[u8], positions: Range<usize>) -> Option<usize> {
    let factor = _mm256_set1_epi32(FACTOR.cast_signed());
    let limit = _mm256_set1_epi32(LIMIT.cast_signed());
    // One bit for each lane whose product is not below the limit.
    let passing = |products: __m256i| {
        let at_least = _mm256_cmpeq_epi32(_mm256_max_epu32(products, limit), products);
        _mm256_movemask_ps(_mm256_castsi256_ps(at_least)).cast_unsigned()
    };
    by_blocks(bytes, positions, |block: &[u8; SPAN]| {
        let products = |phase: usize, half: usize| {
            let lanes: &[u8; 32] = block[phase + 32 * half..].first_chunk()?;
            // SAFETY: the 32 bytes are there, and the load needs no alignment.
            let lanes = unsafe { _mm256_loadu_si256(lanes.as_ptr().cast()) };
            Some(_mm256_mullo_epi32(lanes, factor))
        };
        let mut all = [[factor; 2]; WIDTH];
        let mut greatest = _mm256_set1_epi32(0);
        for (phase, halves) in all.iter_mut().enumerate() {
            *halves = [products(phase, 0)?, products(phase, 1)?];
            greatest = _mm256_max_epu32(greatest, _mm256_max_epu32(halves[0], halves[1]));
        }
        if passing(greatest) == 0 {
            return None;
        }
        first(all.map(|[low, high]| passing(low) | passing(high) << 8))
    })
}

#[target_feature(enable = "avx512f")]
fn compiled_avx512(bytes: &[u8], positions: Range<usize>) -> Option<usize> {
    let factor = _mm512_set1_epi32(FACTOR.cast_signed());
    let limit = _mm512_set1_epi32(LIMIT.cast_signed());
    let passing = |products: __m512i| u32::from(_mm512_cmpge_epu32_mask(products, limit));
    by_blocks(bytes, positions, |block: &[u8; SPAN]| {
        let products = |phase: usize| {
            let lanes: &[u8; 64] = block[phase..].first_chunk()?;
            // SAFETY: the 64 bytes are there, and the load needs no alignment.
            let lanes = unsafe { _mm512_loadu_si512(lanes.as_ptr().cast()) };
            Some(_mm512_mullo_epi32(lanes, factor))
        };
        let all = [products(0)?, products(1)?, products(2)?, products(3)?];
        let greatest = _mm512_max_epu32(
            _mm512_max_epu32(all[0], all[1]),
            _mm512_max_epu32(all[2], all[3]),
        );
        if passing(greatest) == 0 {
            return None;
        }
        first(all.map(passing))
    })
}

/// The first position that passes: lane `i` of phase `p` is position `4 i + p`.
fn first(phases: [u32; WIDTH]) -> Option<usize> {
    phases
        .into_iter()
        .enumerate()
        .filter(|(_, lanes)| *lanes != 0)
        .map(|(phase, lanes)| WIDTH * lanes.trailing_zeros() as usize + phase)
        .min()
}
