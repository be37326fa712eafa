//! Tests of `chunk`.

use proptest::{collection, prelude::*};

use super::*;

const KEY: [u8; 32] = [7; 32];

fn cutter() -> Cutter {
    Cutter::new(&KEY, &Sizes::default())
}

fn random(seed: u64, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    blake3::Hasher::new()
        .update(&seed.to_le_bytes())
        .finalize_xof()
        .fill(&mut bytes);
    bytes
}

fn lengths(cutter: &Cutter, bytes: &[u8]) -> Vec<usize> {
    cutter.cuts(bytes).map(|chunk| chunk.len()).collect()
}

#[test]
fn the_cuts_of_version_1_are_frozen() {
    let random = random(1, 1 << 20);
    let text: Vec<u8> = (0..40_000_u32)
        .flat_map(|n| format!("line {n}\n").into_bytes())
        .collect();
    let frozen_random: &[usize] = &[
        91_906, 81_567, 70_680, 75_400, 97_588, 69_199, 57_376, 55_083, 84_616, 66_160, 98_542,
        40_017, 65_895, 76_028, 18_519,
    ];
    let frozen_text: &[usize] = &[106_060, 58_112, 46_970, 79_004, 119_823, 18_921];
    let twice = Sizes {
        chunk_min: 16 << 10,
        chunk_target: 64 << 10,
        chunk_max: 256 << 10,
        ..Sizes::default()
    };
    let twice = Cutter::new(&KEY, &twice);
    assert_eq!(lengths(&twice, &random), frozen_random);
    assert_eq!(lengths(&twice, &text), frozen_text);
    let frozen_random: &[usize] = &[
        38_324, 53_582, 33_949, 41_083, 33_193, 19_214, 40_173, 43_634, 26_771, 51_411, 35_807,
        16_384, 46_430, 34_191, 29_570, 52_037, 38_182, 49_480, 14_702, 13_448, 34_929, 34_417,
        62_015, 33_503, 11_705, 41_890, 35_203, 39_057, 25_773, 18_519,
    ];
    let frozen_text: &[usize] = &[
        106_060, 12_001, 45_814, 36_390, 10_877, 79_004, 119_823, 9_097, 9_824,
    ];
    assert_eq!(lengths(&cutter(), &random), frozen_random);
    assert_eq!(lengths(&cutter(), &text), frozen_text);
}

#[test]
fn the_mean_chunk_of_random_bytes_is_near_the_target() {
    let chunks = lengths(&cutter(), &random(2, 32 << 20));
    let mean = (32 << 20) / chunks.len();
    assert!((28 << 10..38 << 10).contains(&mean), "{mean}");
    assert!(chunks.iter().filter(|len| **len == 128 << 10).count() <= chunks.len() / 50);
}

#[test]
fn another_key_cuts_elsewhere() {
    let bytes = random(3, 2 << 20);
    let other = Cutter::new(&[8; 32], &Sizes::default());
    let ends = |cutter: &Cutter| cutter.cuts(&bytes).map(|cut| cut.end).collect::<Vec<_>>();
    let (ours, theirs) = (ends(&cutter()), ends(&other));
    let common = ours.iter().filter(|end| theirs.contains(end)).count();
    // Both keys choose among the same candidates of the filter; one in 60 and in 8 of them.
    assert!(common <= ours.len() / 8, "{common} of {}", ours.len());
}

#[test]
fn an_insertion_changes_only_the_chunks_around_it() {
    let old = random(4, 4 << 20);
    let mut new = old.clone();
    new.splice(1_000_000..1_000_000, *b"inserted");
    let chunks = |bytes: &[u8]| {
        let mut ids: Vec<_> = cutter()
            .cuts(bytes)
            .map(|cut| blake3::hash(&bytes[cut]))
            .collect();
        ids.sort_by_key(|id| *id.as_bytes());
        ids
    };
    let (old, new) = (chunks(&old), chunks(&new));
    let changed = new.iter().filter(|id| !old.contains(id)).count();
    assert!(changed <= 4, "{changed} of {}", new.len());
}

#[test]
fn zeros_are_cut_at_the_longest_chunk() {
    assert_eq!(
        lengths(&cutter(), &vec![0; (128 << 10) + 5]),
        [128 << 10, 5]
    );
}

#[test]
fn a_stream_that_goes_on_is_not_cut_too_early() {
    let cutter = cutter();
    let bytes = random(5, 1 << 20);
    let whole = cutter.next(&bytes, Rest::Ended).unwrap();
    for len in [0, 1, 8 << 10, whole - 1] {
        assert_eq!(
            cutter.next(&bytes[..len], Rest::Follows),
            None,
            "{len} bytes"
        );
    }
    assert_eq!(cutter.next(&bytes[..=whole], Rest::Follows), Some(whole));
    assert_eq!(cutter.next(&[], Rest::Ended), None);
    assert_eq!(cutter.next(&[1], Rest::Ended), Some(1));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn cuts_cover_the_input_and_keep_the_bounds(
        seed: u64, len in 0_usize..600_000, alphabet in 1_u8..=255,
    ) {
        let mut bytes = random(seed, len);
        for byte in &mut bytes {
            *byte %= alphabet;
        }
        let cutter = cutter();
        let cuts: Vec<_> = cutter.cuts(&bytes).collect();
        let mut end = 0;
        for (at, cut) in cuts.iter().enumerate() {
            prop_assert_eq!(cut.start, end);
            prop_assert!(cut.len() <= 128 << 10);
            prop_assert!(cut.len() >= 8 << 10 || at + 1 == cuts.len());
            end = cut.end;
        }
        prop_assert_eq!(end, len);
        for search in filter::runnable() {
            let mut other = cutter.clone();
            other.search = search;
            prop_assert_eq!(lengths(&other, &bytes), lengths(&cutter, &bytes));
        }
    }

    #[test]
    fn cuts_do_not_depend_on_how_the_stream_is_handed_over(
        seed: u64, pieces in collection::vec(1_usize..200_000, 1..20),
    ) {
        let bytes = random(seed, pieces.iter().sum());
        let cutter = cutter();
        let (mut buffer, mut at, mut found) = (Vec::new(), 0, Vec::new());
        for piece in pieces {
            buffer.extend_from_slice(&bytes[at..at + piece]);
            at += piece;
            while let Some(len) = cutter.next(&buffer, Rest::Follows) {
                found.push(len);
                buffer.drain(..len);
            }
        }
        found.extend(lengths(&cutter, &buffer));
        prop_assert_eq!(found, lengths(&cutter, &bytes));
    }

    #[test]
    fn a_single_set_bit_is_not_zero(len in 1_usize..1000, at: prop::sample::Index, bit in 0_u8..8) {
        let mut bytes = vec![0; len];
        prop_assert!(is_zero(&bytes));
        bytes[at.index(len)] = 1 << bit;
        prop_assert!(!is_zero(&bytes));
    }
}
