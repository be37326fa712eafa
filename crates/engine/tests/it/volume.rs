//! Volumes: blocks come back, holes stay holes, an unchanged image is not read.

use std::sync::atomic::{AtomicU64, Ordering};

use proptest::prelude::*;
use strongroom_engine::{
    Error, ManifestId, Repository,
    tree::{
        Part, ProblemKind, Progress, Reached, RestoreOptions, Restored, SaveOptions, Saved, Visit,
        Visitor, reach,
    },
    volume::{cat_volume, restore_volume, save_volume, volume_size},
};
use strongroom_model::content::{self, FileTime};
use strongroom_testkit::{
    dice::Dice,
    image::{random, same_bytes, scribble},
    memory::MemoryDisk,
    tree::Content,
};

use crate::scene::{create, entropy, keys, memory, open, options};

const BLOCK: u64 = 64 << 10;

fn save(repository: &Repository, disk: &MemoryDisk, previous: Option<ManifestId>) -> Saved {
    // Two saves must not draw the same name.
    static SEED: AtomicU64 = AtomicU64::new(2000);
    let progress = Progress::default();
    let entropy = entropy(SEED.fetch_add(1, Ordering::SeqCst));
    let mut wanted = SaveOptions::new(&progress, entropy);
    wanted.previous = previous;
    wanted.writer = options();
    let saved = save_volume(repository, disk, &wanted).unwrap();
    assert_eq!(progress.bytes_done(), saved.stats.logical_bytes);
    saved
}

fn restore_to(repository: &Repository, manifest: ManifestId, disk: &MemoryDisk) -> Restored {
    let progress = Progress::default();
    let wanted = RestoreOptions {
        threads: 2,
        progress: &progress,
    };
    restore_volume(repository, &manifest, disk, wanted).unwrap()
}

fn restore(repository: &Repository, manifest: ManifestId) -> Content {
    let size = volume_size(repository, &manifest).unwrap();
    let disk = MemoryDisk::new(Content {
        size,
        ..Content::default()
    });
    let restored = restore_to(repository, manifest, &disk);
    assert!(restored.is_complete(), "{:?}", restored.losses);
    disk.content()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_state_of_a_disk_comes_back(seed: u64, size in 1_u64..40 << 20) {
        let mut image = random(seed, size);
        let (mut dice, repository) = (Dice::new(seed), create(&memory()));
        let (mut previous, mut states) = (None, Vec::new());
        for _ in 0..3 {
            let saved = save(&repository, &MemoryDisk::new(image.clone()), previous);
            previous = Some(saved.manifest);
            states.push((saved.manifest, image.clone()));
            scribble(&mut image, &mut dice);
        }
        for (manifest, state) in states {
            prop_assert!(same_bytes(&restore(&repository, manifest), &state));
        }
    }

    #[test]
    fn any_range_of_a_disk_can_be_streamed(
        seed: u64, size in 1_u64..40 << 20, start in 0_u64..41 << 20, length in 0_u64..20 << 20,
    ) {
        let (image, repository) = (random(seed, size), create(&memory()));
        let manifest = save(&repository, &MemoryDisk::new(image.clone()), None).manifest;
        for range in [start..start + length, 0..u64::MAX] {
            let mut out = Vec::new();
            let told = Progress::default();
            let count =
                cat_volume(&repository, &manifest, range.clone(), &mut out, &told).unwrap();
            let range = range.start.min(size)..range.end.min(size);
            let mut wanted = vec![0; usize::try_from(range.end - range.start).unwrap()];
            image.read(range.start, &mut wanted);
            prop_assert_eq!(count, wanted.len() as u64);
            prop_assert!(out == wanted, "{:?}", range);
        }
    }

    #[test]
    fn a_restore_over_other_content_leaves_nothing_of_it(seed: u64) {
        let (wanted, other) = (random(seed, 5 << 20), random(seed ^ 1, 6 << 20));
        let repository = create(&memory());
        let saved = save(&repository, &MemoryDisk::new(wanted.clone()), None);
        let disk = MemoryDisk::new(other);
        restore_to(&repository, saved.manifest, &disk);
        let mut found = disk.content();
        found.punch(wanted.size..found.size);
        found.size = wanted.size;
        prop_assert!(same_bytes(&found, &wanted));
    }
}

#[test]
fn the_same_disk_has_the_same_map_whatever_the_history() {
    let (one, other) = (random(1, 30 << 20), random(2, 30 << 20));
    let repository = create(&memory());
    let direct = save(&repository, &MemoryDisk::new(one.clone()), None);
    let detour = save(&repository, &MemoryDisk::new(other), Some(direct.manifest));
    let back = save(&repository, &MemoryDisk::new(one), Some(detour.manifest));
    let root = |saved: &Saved| repository.manifest(&saved.manifest).unwrap().body.root;
    assert_eq!(root(&direct), root(&back));
    assert_eq!(back.counts.new_chunks, 0);
}

#[test]
fn a_written_block_costs_itself_and_the_nodes_above_it() {
    let mut image = Content::solid(Dice::new(1).bytes(80 << 20));
    let repository = create(&memory());
    let first = save(&repository, &MemoryDisk::new(image.clone()), None);
    assert_eq!(first.stats.items.blocks, 80 << 4);
    image.write(70 << 20, b"one write");
    let second = save(
        &repository,
        &MemoryDisk::new(image.clone()),
        Some(first.manifest),
    );
    // The block, its leaf, the root, and the top that names the root.
    assert_eq!(second.counts.new_chunks, 4);
    assert!(same_bytes(&restore(&repository, second.manifest), &image));
}

#[test]
fn zeroes_and_holes_are_neither_stored_nor_is_a_hole_read() {
    let mut image = Content {
        size: 1 << 40,
        ..Content::default()
    };
    image.write(1 << 39, &vec![0; 3 << 20]);
    image.write(1 << 38, b"x");
    let repository = create(&memory());
    let disk = MemoryDisk::new(image.clone());
    let saved = save(&repository, &disk, None);
    assert_eq!(saved.stats.items.blocks, 1);
    assert!(disk.counts.bytes_read() <= 4 << 20, "{:?}", disk.counts);
    let back = restore(&repository, saved.manifest);
    assert!(back.allocated() <= BLOCK);
    assert!(same_bytes(&back, &image));
}

#[test]
fn an_image_whose_file_did_not_change_is_not_read_at_all() {
    let written = FileTime::new(1_700_000_000, 5);
    let image = random(5, 20 << 20);
    let repository = create(&memory());
    let disk = || MemoryDisk::new(image.clone()).with_stat(written);
    let first = save(&repository, &disk(), None);
    let again = disk();
    let second = save(&repository, &again, Some(first.manifest));
    assert_eq!(again.counts.bytes_read(), 0);
    assert_eq!((second.stats.unchanged, second.stats.changed), (1, 0));
    assert_eq!(second.stats.items, first.stats.items);
    assert!(same_bytes(&restore(&repository, second.manifest), &image));
    let touched = MemoryDisk::new(image.clone()).with_stat(FileTime::new(1_700_000_000, 6));
    save(&repository, &touched, Some(second.manifest));
    assert!(touched.counts.bytes_read() > 0);
    let mut racy = disk();
    racy.now = FileTime::new(written.seconds, written.nanos + 1000);
    let racy = save(&repository, &racy, Some(first.manifest));
    let after = disk();
    save(&repository, &after, Some(racy.manifest));
    assert!(
        after.counts.bytes_read() > 0,
        "it may have changed in the tick it was read in"
    );
}

#[test]
fn an_unchanged_image_whose_chunks_are_lost_is_read_again() {
    let image = Content::solid(Dice::new(1).bytes(3 << 20));
    let store = memory();
    let repository = create(&store);
    let disk = || MemoryDisk::new(image.clone()).with_stat(FileTime::new(1_700_000_000, 5));
    let first = save(&repository, &disk(), None);
    store.delete(&keys(&store, "packs/")[3]).unwrap();
    let repository = open(&store);
    let again = disk();
    let second = save(&repository, &again, Some(first.manifest));
    assert!(again.counts.bytes_read() > 0);
    assert!(same_bytes(&restore(&repository, second.manifest), &image));
}

#[test]
fn bad_sectors_make_the_save_incomplete_and_spoil_only_their_blocks() {
    let image = Content::solid(Dice::new(1).bytes(4 << 20));
    let repository = create(&memory());
    let mut disk = MemoryDisk::new(image.clone());
    disk.bad.push((1 << 20) + 5..(1 << 20) + 6);
    let saved = save(&repository, &disk, None);
    assert!(!saved.complete);
    assert_eq!(saved.problems[0].kind, ProblemKind::Unreadable);
    assert!(
        saved.problems[0].cause.contains("bytes 1048576 to 1114112"),
        "{:?}",
        saved.problems
    );
    let mut expected = image;
    expected.punch(1 << 20..(1 << 20) + BLOCK);
    assert!(same_bytes(&restore(&repository, saved.manifest), &expected));
}

#[test]
fn a_target_smaller_than_the_volume_is_refused_before_anything_is_written() {
    let repository = create(&memory());
    let saved = save(&repository, &MemoryDisk::new(random(1, 3 << 20)), None);
    let small = MemoryDisk::new(random(2, 2 << 20));
    let before = small.content();
    let progress = Progress::default();
    let wanted = RestoreOptions {
        threads: 2,
        progress: &progress,
    };
    let refused = restore_volume(&repository, &saved.manifest, &small, wanted).unwrap_err();
    let Error::Source(error) = refused else {
        panic!("{refused}")
    };
    assert!(
        matches!(
            *error,
            content::Error::TargetTooSmall {
                needed: 3_145_728,
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(small.content(), before);
}

#[test]
fn lost_blocks_are_named_in_bytes_and_the_others_come_back() {
    let image = Content::solid(Dice::new(7).bytes(9 << 20));
    let store = memory();
    let repository = create(&store);
    let saved = save(&repository, &MemoryDisk::new(image.clone()), None);
    let mut hit = 0;
    for key in keys(&store, "packs/").into_iter().step_by(7) {
        let bytes = store.get(&key).unwrap();
        store.delete(&key).unwrap();
        let disk = MemoryDisk::new(Content {
            size: image.size,
            ..Content::default()
        });
        let progress = Progress::default();
        let wanted = RestoreOptions {
            threads: 2,
            progress: &progress,
        };
        match restore_volume(&open(&store), &saved.manifest, &disk, wanted) {
            Ok(restored) => {
                hit += usize::from(!restored.is_complete());
                let mut expected = image.clone();
                for loss in &restored.losses {
                    let Part::Bytes(range) = &loss.part else {
                        panic!("{loss}")
                    };
                    expected.punch(range.clone());
                }
                assert!(same_bytes(&disk.content(), &expected));
            }
            // The pack held the top of the volume.
            Err(Error::ChunkLost { .. }) => {}
            Err(error) => panic!("{error}"),
        }
        store.create_new(&key, &bytes).unwrap();
    }
    assert!(hit > 3, "{hit}");
}

/// Collects what is reached.
#[derive(Default)]
struct Collected(std::collections::HashSet<Reached>, usize);

impl Visitor for Collected {
    fn reach(&mut self, reached: Reached) -> strongroom_engine::Result<Visit> {
        Ok(if self.0.insert(reached) {
            Visit::Descend
        } else {
            Visit::Skip
        })
    }

    fn lose(&mut self, _: strongroom_engine::ChunkId, _: Error) -> strongroom_engine::Result<()> {
        self.1 += 1;
        Ok(())
    }
}

#[test]
fn everything_a_manifest_needs_is_reached_and_nothing_else_is_stored() {
    let repository = create(&memory());
    let disk = MemoryDisk::new(Content::solid(Dice::new(7).bytes(9 << 20)));
    let saved = save(&repository, &disk, None);
    let manifest = repository.manifest(&saved.manifest).unwrap();
    let mut collected = Collected::default();
    reach(&repository.reader(), &manifest, &mut collected).unwrap();
    assert_eq!(collected.0.len() as u64, saved.counts.new_chunks);
    assert_eq!(collected.1, 0);
}
