//! Trees: what is saved comes back, what is unchanged is not read, what is lost is named.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use proptest::prelude::*;
use strongroom_engine::{
    Error, ManifestId, Repository,
    tree::{
        Depth, Part, ProblemKind, Progress, Reached, RestoreOptions, Restored, SaveOptions, Saved,
        Visit, Visitor, cat, list, problems, reach, restore_path, restore_tree, save_tree,
    },
};
use strongroom_model::content::{FileTime, TreePath, Xattr};
use strongroom_testkit::{
    dice::Dice,
    memory::{Fault, MemorySink, MemorySource},
    tree::{Body, Content, Shape, Tree},
};

use crate::scene::{create, entropy, memory, options};

/// Later than everything in a random tree.
pub(crate) const NOW: FileTime = FileTime::new(2_100_000_000, 7);

pub(crate) fn save(
    repository: &Repository,
    source: &MemorySource,
    previous: Option<ManifestId>,
) -> Saved {
    // Two saves must not draw the same name.
    static SEED: AtomicU64 = AtomicU64::new(1000);
    let progress = Progress::default();
    let entropy = entropy(SEED.fetch_add(1, Ordering::SeqCst));
    let mut wanted = SaveOptions::new(&progress, entropy);
    wanted.previous = previous;
    wanted.writer = options();
    save_tree(repository, source, &wanted).unwrap()
}

pub(crate) fn restore(
    repository: &Repository,
    manifest: ManifestId,
    path: &str,
) -> (Tree, Restored) {
    let sink = MemorySink::new();
    let progress = Progress::default();
    let path = TreePath::parse(path.as_bytes()).unwrap();
    let wanted = RestoreOptions {
        threads: 2,
        progress: &progress,
    };
    let restored = restore_path(repository, &manifest, &path, &sink, wanted).unwrap();
    (sink.into_tree(), restored)
}

fn round_trip(seed: u64, shape: &Shape) {
    let tree = Tree::random(seed, shape);
    let repository = create(&memory());
    let saved = save(&repository, &MemorySource::new(tree.clone(), NOW), None);
    assert!(saved.complete);
    let (back, restored) = restore(&repository, saved.manifest, "");
    assert!(restored.is_complete(), "{:?}", restored.losses);
    tree.assert_same(&back);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_saved_comes_back(seed: u64, entries in 1_u64..150) {
        round_trip(seed, &Shape { entries, ..Shape::default() });
    }

    #[test]
    fn a_save_on_top_of_another_is_the_same_as_a_full_one(seed: u64) {
        let (mut dice, shape) = (Dice::new(seed), Shape::default());
        let mut tree = Tree::random(seed, &shape);
        let (repository, fresh) = (create(&memory()), create(&memory()));
        let mut previous = None;
        for round in 1..5 {
            let now = FileTime::new(NOW.seconds + round * 100, 0);
            let source = MemorySource::new(tree.clone(), now);
            let saved = save(&repository, &source, previous);
            let full = save(&fresh, &source, None);
            prop_assert_eq!(saved.stats.items, full.stats.items);
            prop_assert_eq!(saved.stats.logical_bytes, full.stats.logical_bytes);
            let (back, restored) = restore(&repository, saved.manifest, "");
            prop_assert!(restored.is_complete());
            tree.assert_same(&back);
            previous = Some(saved.manifest);
            tree.change(&mut dice, &shape, FileTime::new(now.seconds + 50, 5));
        }
    }
}

#[test]
fn an_unchanged_tree_is_not_opened_again_and_stores_next_to_nothing() {
    let tree = Tree::random(
        3,
        &Shape {
            entries: 300,
            ..Shape::default()
        },
    );
    let repository = create(&memory());
    let first = save(&repository, &MemorySource::new(tree.clone(), NOW), None);
    let again = MemorySource::new(tree, NOW);
    let second = save(&repository, &again, Some(first.manifest));
    assert_eq!(again.counts().files_opened(), 0);
    assert_eq!(second.stats.read_bytes, 0);
    assert_eq!(
        (second.stats.new, second.stats.changed),
        (0, 0),
        "{:?}",
        second.stats
    );
    // The top holds the time of the start.
    assert!(second.counts.new_chunks <= 1, "{:?}", second.counts);
}

#[test]
fn the_same_tree_has_the_same_nodes_whatever_the_history() {
    let shape = Shape {
        entries: 400,
        ..Shape::default()
    };
    let (one, other) = (Tree::random(1, &shape), Tree::random(2, &shape));
    let repository = create(&memory());
    let source = |tree: &Tree| MemorySource::new(tree.clone(), NOW);
    let direct = save(&repository, &source(&one), None);
    let detour = save(&repository, &source(&other), Some(direct.manifest));
    let back = save(&repository, &source(&one), Some(detour.manifest));
    let root = |saved: &Saved| repository.manifest(&saved.manifest).unwrap().body.root;
    assert_eq!(root(&direct), root(&back));
}

pub(crate) fn file(tree: &mut Tree, path: &str, bytes: &[u8]) {
    let path = TreePath::parse(path.as_bytes()).unwrap();
    let inode = 1000 + tree.0.len() as u64;
    let mut entry = tree.0[&TreePath::root()].clone();
    entry.inode = inode;
    entry.body = Body::File(Content::solid(bytes.to_vec()));
    entry.attributes.mode = 0o644;
    tree.0.insert(path, entry);
}

pub(crate) fn directory(tree: &mut Tree, path: &str) {
    file(tree, path, b"");
    tree.0
        .get_mut(&TreePath::parse(path.as_bytes()).unwrap())
        .unwrap()
        .body = Body::Directory;
}

#[test]
fn a_rewrite_of_the_same_size_and_modification_time_is_noticed() {
    let mut tree = Tree::empty();
    file(&mut tree, "a", &[b'1'; 1000]);
    let repository = create(&memory());
    let first = save(&repository, &MemorySource::new(tree.clone(), NOW), None);
    let path = TreePath::parse(b"a").unwrap();
    let entry = tree.0.get_mut(&path).unwrap();
    entry.body = Body::File(Content::solid(vec![b'2'; 1000]));
    entry.changed.nanos += 1;
    let second = save(
        &repository,
        &MemorySource::new(tree.clone(), NOW),
        Some(first.manifest),
    );
    assert_eq!(second.stats.changed, 1);
    tree.assert_same(&restore(&repository, second.manifest, "").0);
}

#[test]
fn a_file_written_in_the_tick_in_which_it_was_read_is_read_again() {
    let mut tree = Tree::empty();
    file(&mut tree, "a", &[b'1'; 1000]);
    let written = tree.0[&TreePath::parse(b"a").unwrap()].changed;
    let repository = create(&memory());
    let now = FileTime::new(written.seconds, written.nanos + 1_000_000);
    let first = save(&repository, &MemorySource::new(tree.clone(), now), None);
    let path = TreePath::parse(b"a").unwrap();
    tree.0.get_mut(&path).unwrap().body = Body::File(Content::solid(vec![b'2'; 1000]));
    let second = save(
        &repository,
        &MemorySource::new(tree.clone(), NOW),
        Some(first.manifest),
    );
    tree.assert_same(&restore(&repository, second.manifest, "").0);
    let third = MemorySource::new(tree, NOW);
    save(&repository, &third, Some(second.manifest));
    assert_eq!(
        third.counts().files_opened(),
        0,
        "read again once, not for ever"
    );
}

#[test]
fn a_change_of_one_file_in_a_big_directory_rewrites_one_part_of_it() {
    let mut tree = Tree::empty();
    for number in 0..5000 {
        file(
            &mut tree,
            &format!("file-{number:05}"),
            format!("{number}").as_bytes(),
        );
    }
    let repository = create(&memory());
    let first = save(&repository, &MemorySource::new(tree.clone(), NOW), None);
    file(&mut tree, "file-02500", b"changed");
    let second = save(
        &repository,
        &MemorySource::new(tree.clone(), NOW),
        Some(first.manifest),
    );
    assert!(first.counts.new_chunks > 20, "{:?}", first.counts);
    // A part, the node above it, and the top.
    assert!(second.counts.new_chunks <= 4, "{:?}", second.counts);
    tree.assert_same(&restore(&repository, second.manifest, "").0);
}

#[test]
fn a_file_of_many_chunks_shares_the_parts_that_did_not_change() {
    let mut bytes = Dice::new(1).bytes(24 << 20);
    let mut tree = Tree::empty();
    file(&mut tree, "big", &bytes);
    let repository = create(&memory());
    let first = save(&repository, &MemorySource::new(tree.clone(), NOW), None);
    bytes.splice(9_000_000..9_000_000, *b"an insertion");
    file(&mut tree, "big", &bytes);
    let second = save(
        &repository,
        &MemorySource::new(tree.clone(), NOW),
        Some(first.manifest),
    );
    assert!(first.counts.new_chunks > 250, "{:?}", first.counts);
    assert!(second.counts.new_chunks < 10, "{:?}", second.counts);
    tree.assert_same(&restore(&repository, second.manifest, "").0);
}

#[test]
fn what_goes_wrong_with_one_entry_is_recorded_and_stops_nothing() {
    let mut tree = Tree::empty();
    directory(&mut tree, "d");
    directory(&mut tree, "locked");
    for name in [
        "fine",
        "forbidden",
        "bad",
        "gone1",
        "gone2",
        "busy",
        "cut",
        "d/x",
        "locked/y",
    ] {
        file(&mut tree, name, &vec![b'x'; 100_000]);
    }
    let source = MemorySource::new(tree.clone(), NOW)
        .with_fault("forbidden", Fault::Forbidden)
        .with_fault("locked", Fault::Forbidden)
        .with_fault("bad", Fault::BadDisk)
        .with_fault("gone1", Fault::GoneBeforeStat)
        .with_fault("gone2", Fault::GoneBeforeOpen)
        .with_fault("cut", Fault::Cut(70_000))
        .with_fault("busy", Fault::Busy(99));
    let repository = create(&memory());
    let saved = save(&repository, &source, None);
    let found: Vec<_> = saved
        .problems
        .iter()
        .map(|problem| (problem.path.to_string(), problem.kind))
        .collect();
    let wanted = [
        ("bad", ProblemKind::Unreadable),
        ("busy", ProblemKind::Changed),
        ("forbidden", ProblemKind::Unreadable),
        ("gone1", ProblemKind::Vanished),
        ("gone2", ProblemKind::Vanished),
        ("locked", ProblemKind::Unreadable),
    ];
    assert_eq!(found, wanted.map(|(path, kind)| (path.to_owned(), kind)));
    assert!(!saved.complete);
    let manifest = repository.manifest(&saved.manifest).unwrap();
    assert!(!manifest.body.complete);
    assert_eq!(
        problems(&repository.reader(), &manifest).unwrap(),
        saved.problems
    );
    let (back, restored) = restore(&repository, saved.manifest, "");
    assert!(restored.is_complete());
    let names: Vec<_> = back.0.keys().map(ToString::to_string).collect();
    assert_eq!(names, [".", "busy", "cut", "d", "d/x", "fine", "locked"]);
}

#[test]
fn a_file_that_holds_still_in_the_end_is_no_problem() {
    let mut tree = Tree::empty();
    file(&mut tree, "small", &[b'x'; 9000]);
    file(&mut tree, "big", &Dice::new(2).bytes(5 << 20));
    let source = MemorySource::new(tree.clone(), NOW)
        .with_fault("small", Fault::Busy(1))
        .with_fault("big", Fault::Busy(1));
    let repository = create(&memory());
    let saved = save(&repository, &source, None);
    assert_eq!(saved.problems, []);
    tree.assert_same(&restore(&repository, saved.manifest, "").0);
}

#[test]
fn a_big_file_that_never_holds_still_or_cannot_be_read_is_a_problem() {
    let mut tree = Tree::empty();
    file(&mut tree, "busy", &Dice::new(2).bytes(9 << 20));
    file(&mut tree, "bad", &Dice::new(3).bytes(9 << 20));
    file(&mut tree, "gone", &Dice::new(4).bytes(9 << 20));
    let source = MemorySource::new(tree, NOW)
        .with_fault("busy", Fault::Busy(99))
        .with_fault("bad", Fault::BadDisk)
        .with_fault("gone", Fault::GoneBeforeOpen);
    let saved = save(&create(&memory()), &source, None);
    let kinds: Vec<_> = saved.problems.iter().map(|problem| problem.kind).collect();
    assert_eq!(
        kinds,
        [
            ProblemKind::Unreadable,
            ProblemKind::Changed,
            ProblemKind::Vanished
        ]
    );
}

#[test]
fn a_socket_is_skipped_with_a_note_and_the_tree_is_complete() {
    let mut tree = Tree::empty();
    file(&mut tree, "s", b"");
    tree.0
        .get_mut(&TreePath::parse(b"s").unwrap())
        .unwrap()
        .body = Body::Socket;
    let repository = create(&memory());
    let saved = save(&repository, &MemorySource::new(tree, NOW), None);
    assert!(saved.complete);
    assert_eq!(saved.problems[0].kind, ProblemKind::Socket);
    Tree::empty().assert_same(&restore(&repository, saved.manifest, "").0);
}

#[test]
fn a_hole_of_a_tebibyte_costs_nothing() {
    let mut content = Content {
        size: 1 << 40,
        ..Content::default()
    };
    content.write(1 << 39, b"in the middle");
    let mut tree = Tree::empty();
    file(&mut tree, "sparse", b"");
    tree.0
        .get_mut(&TreePath::parse(b"sparse").unwrap())
        .unwrap()
        .body = Body::File(content);
    let source = MemorySource::new(tree.clone(), NOW);
    let repository = create(&memory());
    let saved = save(&repository, &source, None);
    assert!(source.counts().bytes_read() < 1 << 20);
    tree.assert_same(&restore(&repository, saved.manifest, "").0);
}

#[test]
fn a_tree_deeper_than_any_path_comes_back() {
    let mut tree = Tree::empty();
    let mut path = String::new();
    for level in 0..2100 {
        path = if level == 0 {
            "d".to_owned()
        } else {
            format!("{path}/d")
        };
        directory(&mut tree, &path);
    }
    file(&mut tree, &format!("{path}/leaf"), b"deep");
    let repository = create(&memory());
    let saved = save(&repository, &MemorySource::new(tree.clone(), NOW), None);
    tree.assert_same(&restore(&repository, saved.manifest, "").0);
}

#[test]
fn one_entry_comes_back_alone_with_everything_below_it() {
    let tree = Tree::random(
        11,
        &Shape {
            entries: 200,
            ..Shape::default()
        },
    );
    let repository = create(&memory());
    let saved = save(&repository, &MemorySource::new(tree.clone(), NOW), None);
    for (path, entry) in &tree.0 {
        if entry.body == Body::Socket {
            continue;
        }
        let sink = MemorySink::new();
        let progress = Progress::default();
        let wanted = RestoreOptions {
            threads: 2,
            progress: &progress,
        };
        restore_path(&repository, &saved.manifest, path, &sink, wanted).unwrap();
        tree.below(path).assert_same(&sink.into_tree());
    }
    let missing = TreePath::parse(b"no/such").unwrap();
    let sink = MemorySink::new();
    let progress = Progress::default();
    let wanted = RestoreOptions {
        threads: 2,
        progress: &progress,
    };
    let refused = restore_path(&repository, &saved.manifest, &missing, &sink, wanted);
    assert!(matches!(refused, Err(Error::PathMissing { .. })));
}

#[test]
fn a_listing_shows_every_entry_once_in_order() {
    let tree = Tree::random(
        12,
        &Shape {
            entries: 200,
            ..Shape::default()
        },
    );
    let repository = create(&memory());
    let saved = save(&repository, &MemorySource::new(tree.clone(), NOW), None);
    let mut listed = Vec::new();
    let lost = list(
        &repository,
        &saved.manifest,
        &TreePath::root(),
        Depth::All,
        &mut |entry| {
            listed.push(entry);
            Ok(())
        },
    );
    assert!(lost.unwrap().is_empty());
    let mut found: Vec<_> = listed.iter().map(|entry| entry.path.clone()).collect();
    found.sort();
    let wanted = tree
        .0
        .iter()
        .filter(|(path, entry)| entry.body != Body::Socket && **path != TreePath::root());
    assert_eq!(
        found,
        wanted.map(|(path, _)| path.clone()).collect::<Vec<_>>()
    );
    for entry in listed {
        let known = &tree.0[&entry.path];
        assert_eq!(
            (entry.mode, entry.uid),
            (known.attributes.mode, known.attributes.uid)
        );
    }
}

#[test]
fn any_range_of_a_file_can_be_written_to_a_stream() {
    let mut content = Content::solid(Dice::new(5).bytes(6 << 20));
    content.punch(1 << 20..3 << 20);
    let mut tree = Tree::empty();
    file(&mut tree, "big", b"");
    file(&mut tree, "tiny", b"tiny");
    tree.0
        .get_mut(&TreePath::parse(b"big").unwrap())
        .unwrap()
        .body = Body::File(content.clone());
    let repository = create(&memory());
    let saved = save(&repository, &MemorySource::new(tree, NOW), None);
    let read = |path: &str, range: std::ops::Range<u64>| {
        let mut out = Vec::new();
        let path = TreePath::parse(path.as_bytes()).unwrap();
        let progress = Progress::default();
        let count = cat(
            &repository,
            &saved.manifest,
            &path,
            range,
            &mut out,
            &progress,
        )
        .unwrap();
        assert_eq!(count, out.len() as u64);
        out
    };
    for range in [
        0..u64::MAX,
        5..6,
        0..0,
        1_000_000..3_500_000,
        6_000_000..9_000_000,
    ] {
        let end = range.end.min(content.size);
        let mut wanted = vec![0; usize::try_from(end - range.start).unwrap()];
        content.read(range.start, &mut wanted);
        assert!(read("big", range.clone()) == wanted, "{range:?}");
    }
    assert_eq!(read("tiny", 1..3), b"in");
    let progress = Progress::default();
    let root = TreePath::root();
    let refused = cat(
        &repository,
        &saved.manifest,
        &root,
        0..1,
        &mut Vec::new(),
        &progress,
    );
    assert!(matches!(refused, Err(Error::NotAFile { .. })));
}

#[test]
fn a_cancelled_run_ends_without_a_manifest() {
    let tree = Tree::random(4, &Shape::default());
    let repository = create(&memory());
    let progress = Progress::default();
    progress.cancel();
    let mut wanted = SaveOptions::new(&progress, entropy(9));
    wanted.writer = options();
    let refused = save_tree(&repository, &MemorySource::new(tree, NOW), &wanted);
    assert!(matches!(refused, Err(Error::Cancelled)));
    assert_eq!(repository.manifests().unwrap(), []);
    assert_eq!(crate::scene::keys(repository.store(), "leases/"), []);
}

#[test]
fn lost_chunks_are_named_and_everything_else_comes_back() {
    let mut tree = Tree::empty();
    directory(&mut tree, "d");
    for number in 0..40 {
        file(
            &mut tree,
            &format!("d/f{number:02}"),
            &Dice::new(number).bytes(30_000),
        );
    }
    file(&mut tree, "big", &Dice::new(77).bytes(5 << 20));
    let store = memory();
    let repository = create(&store);
    let saved = save(&repository, &MemorySource::new(tree.clone(), NOW), None);
    let mut hit = 0;
    for key in crate::scene::keys(&store, "packs/").into_iter().step_by(5) {
        let bytes = store.get(&key).unwrap();
        store.delete(&key).unwrap();
        let (back, restored) = {
            let repository = crate::scene::open(&store);
            let sink = MemorySink::new();
            let progress = Progress::default();
            let wanted = RestoreOptions {
                threads: 2,
                progress: &progress,
            };
            match restore_tree(&repository, &saved.manifest, &sink, wanted) {
                Ok(restored) => (sink.into_tree(), restored),
                // The pack held the root: nothing can be found.
                Err(Error::ChunkLost { .. }) => {
                    store.create_new(&key, &bytes).unwrap();
                    continue;
                }
                Err(error) => panic!("{error}"),
            }
        };
        hit += usize::from(!restored.is_complete());
        assert_eq!(restored.losses_total, restored.losses.len() as u64);
        for loss in &restored.losses {
            assert!(loss.to_string().contains("pack"), "{loss}");
        }
        check_losses(&tree, &back, &restored);
        store.create_new(&key, &bytes).unwrap();
    }
    assert!(hit > 3, "{hit}");
}

/// Every difference is a loss that was named, and every loss is a difference.
fn check_losses(tree: &Tree, back: &Tree, restored: &Restored) {
    for (path, entry) in &tree.0 {
        let losses: Vec<_> = restored
            .losses
            .iter()
            .filter(|loss| loss.path == *path)
            .collect();
        let Some(found) = back.0.get(path) else {
            let above = restored
                .losses
                .iter()
                .any(|loss| loss.part == Part::Entries);
            assert!(above, "{path} is missing and nobody said so");
            continue;
        };
        let (Body::File(wanted), Body::File(found)) = (&entry.body, &found.body) else {
            continue;
        };
        let mut patched = found.clone();
        assert_eq!(patched.size, wanted.size);
        for loss in losses {
            let Part::Bytes(range) = &loss.part else {
                panic!("{loss}")
            };
            let mut bytes = vec![0; usize::try_from(range.end - range.start).unwrap()];
            patched.read(range.start, &mut bytes);
            assert!(
                bytes.iter().all(|byte| *byte == 0),
                "{loss}: lost bytes read as zeroes"
            );
            wanted.read(range.start, &mut bytes);
            patched.write(range.start, &bytes);
        }
        assert!(
            patched == *wanted,
            "{path} differs where nothing was said to be lost"
        );
    }
}

#[test]
fn a_lost_chunk_is_healed_by_the_next_save_and_never_named_again() {
    let mut tree = Tree::empty();
    for number in 0..60 {
        file(
            &mut tree,
            &format!("f{number:02}"),
            &Dice::new(number).bytes(20_000),
        );
    }
    let store = memory();
    let repository = create(&store);
    let first = save(&repository, &MemorySource::new(tree.clone(), NOW), None);
    let packs = crate::scene::keys(&store, "packs/");
    for key in packs.iter().step_by(3) {
        store.delete(key).unwrap();
    }
    let repository = crate::scene::open(&store);
    let source = MemorySource::new(tree.clone(), NOW);
    let second = save(&repository, &source, Some(first.manifest));
    assert!(source.counts().files_opened() > 0);
    let (back, restored) = restore(&repository, second.manifest, "");
    assert!(restored.is_complete(), "{:?}", restored.losses);
    tree.assert_same(&back);
}

#[test]
fn names_of_one_inode_are_read_once_and_stay_one_inode() {
    let mut tree = Tree::empty();
    directory(&mut tree, "other");
    file(&mut tree, "first", &Dice::new(1).bytes(200_000));
    let entry = tree.0[&TreePath::parse(b"first").unwrap()].clone();
    for number in 0..500 {
        let path = format!("other/link-{number}");
        tree.0
            .insert(TreePath::parse(path.as_bytes()).unwrap(), entry.clone());
    }
    let source = MemorySource::new(tree.clone(), NOW);
    let repository = create(&memory());
    let saved = save(&repository, &source, None);
    assert_eq!(saved.stats.items.files, 1);
    assert_eq!(saved.stats.logical_bytes, 200_000);
    assert!(
        source.counts().files_opened() < 100,
        "{:?}",
        source.counts()
    );
    tree.assert_same(&restore(&repository, saved.manifest, "").0);
}

#[test]
fn a_volume_is_not_taken_for_a_tree() {
    let repository = create(&memory());
    let disk = strongroom_testkit::memory::MemoryDisk::new(Content::solid(vec![1; 5000]));
    let progress = Progress::default();
    let mut wanted = SaveOptions::new(&progress, Arc::clone(&entropy(3)));
    wanted.writer = options();
    let saved = strongroom_engine::volume::save_volume(&repository, &disk, &wanted).unwrap();
    let sink = MemorySink::new();
    let wanted = RestoreOptions {
        threads: 1,
        progress: &progress,
    };
    let refused = restore_tree(&repository, &saved.manifest, &sink, wanted);
    assert!(matches!(refused, Err(Error::WrongLayer { .. })));
}

#[test]
fn everything_a_tree_needs_is_reached_and_nothing_else_is_stored() {
    #[derive(Default)]
    struct Collected(std::collections::HashSet<Reached>);
    impl Visitor for Collected {
        fn reach(&mut self, reached: Reached) -> strongroom_engine::Result<Visit> {
            Ok(if self.0.insert(reached) {
                Visit::Descend
            } else {
                Visit::Skip
            })
        }
        fn lose(
            &mut self,
            _: strongroom_engine::ChunkId,
            error: Error,
        ) -> strongroom_engine::Result<()> {
            Err(error)
        }
    }
    let mut tree = Tree::random(
        6,
        &Shape {
            entries: 900,
            ..Shape::default()
        },
    );
    file(&mut tree, "many-chunks", &Dice::new(1).bytes(20 << 20));
    file(&mut tree, "unreadable", b"x");
    let root = tree.0.get_mut(&TreePath::root()).unwrap();
    let big = |name: &str| Xattr {
        name: name.into(),
        value: vec![7; 60_000],
    };
    root.attributes.xattrs = vec![big("user.a"), big("user.b")];
    let source = MemorySource::new(tree, NOW).with_fault("unreadable", Fault::Forbidden);
    let repository = create(&memory());
    let saved = save(&repository, &source, None);
    let manifest = repository.manifest(&saved.manifest).unwrap();
    let mut collected = Collected::default();
    reach(&repository.reader(), &manifest, &mut collected).unwrap();
    assert_eq!(collected.0.len() as u64, saved.counts.new_chunks);
}
