//! Tests of `index`.

use std::collections::BTreeMap;

use proptest::{collection, prelude::*};
use strongroom_store::Store;
use strongroom_testkit::entropy::SeededEntropy;

use super::*;
use crate::{
    id::{PackId, RepositoryId, Stream},
    keys::KeyTree,
    pack::PackInfo,
    seal::HEADER_LEN,
    segment::{Codec, Extent},
};

fn objects() -> Objects {
    let keys = KeyTree::new(&[1; 32], RepositoryId::from_bytes([1; 16]));
    Objects::new(Store::open("memory:").unwrap(), keys)
}

fn id(n: u32) -> ChunkId {
    ChunkId::from_bytes(*blake3::hash(&n.to_le_bytes()).as_bytes())
}

fn pack(n: u8) -> PackInfo {
    let stream = if n.is_multiple_of(2) {
        Stream::Data
    } else {
        Stream::Tree
    };
    PackInfo {
        id: PackId::from_bytes([n; 32]),
        stream,
        salt: [n; 32],
        size: 1 << 24,
    }
}

fn location(pack_number: u8, n: u32) -> Location {
    let extent = Extent {
        number: n,
        offset: n,
        sealed_len: 40,
        plain_len: 100,
        codec: Codec::Plain,
    };
    Location {
        pack: pack(pack_number),
        extent,
        start: n % 60,
        len: 1 + n % 40,
    }
}

/// Stores a run of these chunks, all in one pack.
fn store(objects: &Objects, seed: u64, pack: u8, chunks: impl Iterator<Item = u32>) -> RunId {
    let mut builder = RunBuilder::default();
    chunks.for_each(|n| builder.add(id(n), &location(pack, n)));
    let run = builder
        .finish(objects.keys(), seed, &SeededEntropy::new(seed))
        .unwrap();
    objects.put_named(Object::Run(run.id), &run.bytes).unwrap();
    run.id
}

fn load(objects: &Objects) -> Index {
    Index::load(objects, &Index::default()).unwrap()
}

fn find(objects: &Objects, index: &Index, id: &ChunkId) -> Option<Location> {
    index.locations(objects, id).next().transpose().unwrap()
}

#[test]
fn a_run_of_many_pages_finds_all_its_chunks_and_no_other() {
    let objects = objects();
    store(&objects, 1, 4, 0..40_000);
    let index = load(&objects);
    assert_eq!(index.runs()[0].pages(), 79);
    for n in (0..40_000).step_by(7) {
        assert_eq!(find(&objects, &index, &id(n)), Some(location(4, n)));
    }
    for n in 40_000..45_000 {
        assert_eq!(find(&objects, &index, &id(n)), None);
    }
}

#[test]
fn the_newest_run_is_asked_first_and_older_ones_after() {
    let objects = objects();
    store(&objects, 1, 1, 0..10);
    store(&objects, 2, 2, 5..15);
    let index = load(&objects);
    let packs = |n: u32| -> Vec<_> {
        index
            .locations(&objects, &id(n))
            .map(|found| found.unwrap().pack.id)
            .collect()
    };
    assert_eq!(packs(3), [pack(1).id]);
    assert_eq!(packs(7), [pack(2).id, pack(1).id]);
    assert_eq!(index.next_epoch(), 3);
}

#[test]
fn refreshing_keeps_open_runs_and_sees_new_and_removed_ones() {
    let objects = objects();
    let first = store(&objects, 1, 1, 0..10);
    let index = load(&objects);
    store(&objects, 2, 2, 10..20);
    let fresh = Index::load(&objects, &index).unwrap();
    assert!(Arc::ptr_eq(&index.runs()[0], &fresh.runs()[1]));
    objects.delete(Object::Run(first)).unwrap();
    let fresh = Index::load(&objects, &fresh).unwrap();
    assert_eq!(fresh.runs().len(), 1);
}

#[test]
fn every_flipped_bit_is_seen_or_harmless_and_other_runs_still_answer() {
    let keys = objects();
    let mut builder = RunBuilder::default();
    (0..3).for_each(|n| builder.add(id(n), &location(2, n)));
    let run = builder
        .finish(keys.keys(), 1, &SeededEntropy::new(1))
        .unwrap();
    // One page of three entries, one of the filter; the name alone tells about the padding behind.
    let pages = HEADER_LEN + (3 * 61 + 16) + (64 + 16);
    let len = run.bytes.len();
    let directory: [u8; 4] = *run.bytes[len - 12..].first_chunk().unwrap();
    let padding = pages..len - 12 - u32::from_le_bytes(directory) as usize;
    for bit in (0..len * 8).filter(|bit| !padding.contains(&(bit / 8))) {
        let objects = objects();
        store(&objects, 9, 7, 2..4);
        let mut bad = run.bytes.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        objects.put_named(Object::Run(run.id), &bad).unwrap();
        let index = load(&objects);
        let broken_page = index
            .runs()
            .iter()
            .any(|run| run.find(&objects, &id(0)).is_err());
        assert!(broken_page || index.damaged().len() == 1, "bit {bit}");
        let other = index.locations(&objects, &id(3)).find_map(Result::ok);
        assert_eq!(other, Some(location(7, 3)));
    }
}

#[test]
fn every_truncation_is_seen() {
    let objects = objects();
    let mut builder = RunBuilder::default();
    (0..3).for_each(|n| builder.add(id(n), &location(2, n)));
    let run = builder
        .finish(objects.keys(), 1, &SeededEntropy::new(1))
        .unwrap();
    for len in 0..run.bytes.len() {
        let objects = self::objects();
        objects
            .put_named(Object::Run(run.id), &run.bytes[..len])
            .unwrap();
        assert_eq!(load(&objects).damaged().len(), 1, "{len} bytes");
    }
}

#[test]
fn merging_drops_what_is_not_wanted_and_makes_runs_that_do_not_overlap() {
    let objects = objects();
    store(&objects, 1, 1, 0..3000);
    store(&objects, 2, 2, 1000..2000);
    store(&objects, 3, 3, 2500..5000);
    let index = load(&objects);
    let entropy = SeededEntropy::new(9);
    let keep = |wanted: &PackId| *wanted != pack(3).id;
    let merged = merge(&objects, index.runs(), 4, &keep, &entropy).unwrap();
    let old: Vec<_> = index.runs().iter().map(|run| run.id()).collect();
    for run in old {
        objects.delete(Object::Run(run)).unwrap();
    }
    let fresh = load(&objects);
    assert_eq!(
        fresh.runs().iter().map(|run| run.id()).collect::<Vec<_>>(),
        merged
    );
    assert_eq!(
        fresh.runs().iter().map(|run| run.len()).sum::<usize>(),
        3000
    );
    for n in 0..5000 {
        let expected = match n {
            1000..2000 => Some(location(2, n)),
            0..3000 => Some(location(1, n)),
            _ => None,
        };
        assert_eq!(find(&objects, &fresh, &id(n)), expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn an_index_answers_like_a_map(
        runs in collection::vec(collection::btree_map(0_u32..2000, 0_u8..4, 1..800), 1..5),
        asked in collection::vec(0_u32..2500, 1..100),
    ) {
        let objects = objects();
        let mut model = BTreeMap::new();
        for (epoch, run) in runs.iter().enumerate() {
            let mut builder = RunBuilder::default();
            for (n, pack) in run {
                builder.add(id(*n), &location(*pack, *n));
                model.insert(*n, *pack);
            }
            let epoch = epoch as u64;
            let run = builder.finish(objects.keys(), epoch, &SeededEntropy::new(epoch)).unwrap();
            objects.put_named(Object::Run(run.id), &run.bytes).unwrap();
        }
        let check = |index: &Index| {
            for n in &asked {
                let expected = model.get(n).map(|pack| location(*pack, *n));
                assert_eq!(find(&objects, index, &id(*n)), expected);
            }
        };
        let index = load(&objects);
        check(&index);
        let entropy = SeededEntropy::new(77);
        merge(&objects, index.runs(), 9, &|_| true, &entropy).unwrap();
        for run in index.runs() {
            objects.delete(Object::Run(run.id())).unwrap();
        }
        check(&load(&objects));
    }
}

/// A measurement: `cargo nextest run --release -p strongroom-engine --run-ignored only lookups
/// --no-capture`.
#[test]
#[ignore = "prints figures; asserts nothing"]
fn lookups_in_a_million_entries_of_ten_runs() {
    let objects = objects();
    for run in 0..10_u32 {
        store(&objects, run.into(), 2, run * 100_000..(run + 1) * 100_000);
    }
    let index = load(&objects);
    for (what, ids) in [("unknown", 2_000_000..2_200_000), ("known", 0..200_000_u32)] {
        for round in ["first", "second"] {
            let ids: Vec<_> = ids
                .clone()
                .map(|n| id(n.wrapping_mul(5) % 4_000_000))
                .collect();
            let started = std::time::Instant::now();
            let found = ids
                .iter()
                .filter(|id| find(&objects, &index, id).is_some())
                .count();
            let each = started.elapsed().as_nanos() / ids.len() as u128;
            println!("{what}, {round}: {each} ns each, {found} found");
        }
    }
}
