//! The frozen cuts of chunker 1, by every search that this machine can run: AVX2 and AVX-512 where
//! they are; the portable one is SSE2 on x86-64 and NEON on 64-bit ARM.

use serde_json::{Value, json};

use super::*;
use crate::vectors::{frozen, xof};

/// How the bytes of a case are made; fixtures/vectors/README.md says the same in words.
#[derive(Clone, Copy)]
enum Input {
    /// So many bytes of the output stream of that seed, each modulo a number.
    Random(u64, usize, u16),
    /// One byte again and again.
    Run(u8, usize),
    /// So many numbered lines.
    Lines(u32),
}

impl Input {
    fn bytes(self) -> Vec<u8> {
        match self {
            Self::Random(seed, len, modulus) => {
                let mut bytes = xof(seed, len);
                for byte in &mut bytes {
                    *byte = u8::try_from(u16::from(*byte) % modulus).unwrap();
                }
                bytes
            }
            Self::Run(byte, len) => vec![byte; len],
            Self::Lines(count) => (0..count)
                .flat_map(|n| format!("line {n}\n").into_bytes())
                .collect(),
        }
    }

    fn json(self) -> Value {
        match self {
            Self::Random(seed, length, modulus) => {
                json!({ "random": seed, "length": length, "modulus": modulus })
            }
            Self::Run(byte, length) => json!({ "run": byte, "length": length }),
            Self::Lines(count) => json!({ "lines": count }),
        }
    }
}

/// Key byte, smallest, target and greatest chunk, input.
const CASES: &[(u8, [u32; 3], Input)] = &[
    (
        7,
        [8 << 10, 32 << 10, 128 << 10],
        Input::Random(1, 1 << 20, 256),
    ),
    (
        8,
        [8 << 10, 32 << 10, 128 << 10],
        Input::Random(1, 1 << 20, 256),
    ),
    (7, [8 << 10, 32 << 10, 128 << 10], Input::Lines(40_000)),
    (
        7,
        [8 << 10, 32 << 10, 128 << 10],
        Input::Random(2, 600_000, 4),
    ),
    (
        7,
        [8 << 10, 32 << 10, 128 << 10],
        Input::Random(3, 600_000, 29),
    ),
    (
        7,
        [16 << 10, 64 << 10, 256 << 10],
        Input::Random(1, 1 << 20, 256),
    ),
    (7, [64, 256, 1024], Input::Random(4, 30_000, 256)),
    (7, [100, 4097, 5000], Input::Random(5, 60_000, 256)),
    (
        7,
        [256 << 10, 512 << 10, 1 << 20],
        Input::Random(6, 3 << 20, 256),
    ),
    (
        7,
        [8 << 10, 32 << 10, 128 << 10],
        Input::Run(0, (256 << 10) + 5),
    ),
    (
        7,
        [8 << 10, 32 << 10, 128 << 10],
        Input::Run(255, (128 << 10) + 1),
    ),
    (
        7,
        [8 << 10, 32 << 10, 128 << 10],
        Input::Random(7, 8 << 10, 256),
    ),
    (7, [8 << 10, 32 << 10, 128 << 10], Input::Random(7, 1, 256)),
    (7, [8 << 10, 32 << 10, 128 << 10], Input::Random(7, 0, 256)),
];

fn lengths(search: filter::Search, case: &(u8, [u32; 3], Input)) -> Vec<usize> {
    let (key, [chunk_min, chunk_target, chunk_max], input) = *case;
    let sizes = Sizes {
        chunk_min,
        chunk_target,
        chunk_max,
        ..Sizes::default()
    };
    assert!(sizes.are_sane());
    let mut cutter = Cutter::new(&[key; 32], &sizes);
    cutter.search = search;
    let bytes = input.bytes();
    cutter.cuts(&bytes).map(|chunk| chunk.len()).collect()
}

#[test]
fn every_search_cuts_where_version_1_cuts() {
    let searches = filter::runnable();
    for search in &searches {
        let cases: Vec<Value> = CASES
            .iter()
            .map(|case| {
                json!({
                    "key": hex::encode([case.0; 32]),
                    "sizes": case.1,
                    "input": case.2.json(),
                    "chunks": lengths(*search, case),
                })
            })
            .collect();
        frozen("chunker", &json!({ "chunker": 1, "cases": cases }));
    }
}

#[test]
#[cfg(target_arch = "x86_64")]
fn every_search_that_the_processor_has_is_tried() {
    use std::arch::is_x86_feature_detected;
    let vector = [
        is_x86_feature_detected!("avx2"),
        is_x86_feature_detected!("avx512f"),
    ];
    let wanted = 1 + vector.iter().filter(|detected| **detected).count();
    assert_eq!(filter::runnable().len(), wanted);
}
