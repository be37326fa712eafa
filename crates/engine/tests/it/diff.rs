//! Comparisons: exactly what differs is told, what is equal is not even read, damage is no
//! difference.

use std::collections::BTreeSet;

use proptest::prelude::*;
use strongroom_engine::{
    Repository,
    diff::{Aspect, Difference, DiskChange, DiskRange, diff_trees, diff_volumes},
};
use strongroom_model::content::{FileTime, Special, TreePath, Xattr};
use strongroom_testkit::{
    dice::Dice,
    image::{random, scribble},
    tree::{Body, Content, Entry, Shape, Tree},
};

use crate::{
    scene::{create, keys, memory, open},
    world::{save, save_disk},
};

fn compare(repository: &Repository, a: &Tree, b: &Tree) -> Vec<Difference> {
    let before = save(repository, a, None, 1).unwrap();
    let after = save(repository, b, Some(before), 2).unwrap();
    let mut found = Vec::new();
    let summary = diff_trees(repository, &before, &after, &mut |difference| {
        found.push(difference);
        Ok(())
    })
    .unwrap();
    assert!(summary.losses.is_empty(), "{:?}", summary.losses);
    let count = |wanted: fn(&Difference) -> bool| {
        u64::try_from(found.iter().filter(|found| wanted(found)).count()).unwrap()
    };
    assert_eq!(summary.added, count(|found| found.before.is_none()));
    assert_eq!(summary.removed, count(|found| found.after.is_none()));
    assert_eq!(summary.changed, count(|found| !found.aspects.is_empty()));
    found
}

fn path(difference: &Difference) -> TreePath {
    let entry = difference.after.as_ref().or(difference.before.as_ref());
    entry.unwrap().path.clone()
}

/// What a comparison of the two must find, as the judge sees it: sockets are not kept.
fn expected(a: &Tree, b: &Tree) -> BTreeSet<TreePath> {
    let kept = |tree: &Tree, path: &TreePath| {
        let entry = tree.0.get(path)?;
        (entry.body != Body::Socket).then(|| (entry.attributes.clone(), entry.body.clone()))
    };
    let all = a.0.keys().chain(b.0.keys());
    all.filter(|path| kept(a, path) != kept(b, path))
        .cloned()
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn exactly_the_entries_that_differ_are_told_in_order(seed: u64, entries in 1_u64..120) {
        let shape = Shape { entries, file_bytes: 40_000, ..Shape::default() };
        let a = Tree::random(seed, &shape);
        let (mut b, mut dice) = (a.clone(), Dice::new(seed));
        for _ in 0..8 {
            b.change(&mut dice, &shape, FileTime::new(1_900_000_000, 3));
        }
        let found = compare(&create(&memory()), &a, &b);
        let told: Vec<_> = found.iter().map(path).collect();
        let told_once: BTreeSet<_> = told.iter().cloned().collect();
        prop_assert_eq!(told.len(), told_once.len());
        let expected = expected(&a, &b);
        prop_assert_eq!(told_once, expected);
    }

    #[test]
    fn ranges_of_disks_are_told_by_the_block(seed: u64, size in 1_u64..20 << 20) {
        let a = random(seed, size);
        let mut b = a.clone();
        scribble(&mut b, &mut Dice::new(seed));
        let repository = create(&memory());
        let before = save_disk(&repository, &a, 1).unwrap();
        let after = save_disk(&repository, &b, 2).unwrap();
        let mut found: Vec<DiskRange> = Vec::new();
        diff_volumes(&repository, &before, &after, &mut |range| {
            found.push(range);
            Ok(())
        })
        .unwrap();
        prop_assert!(found.is_sorted_by_key(|range| range.bytes.start));
        let told = |at: u64| {
            let range = found.iter().find(|range| range.bytes.contains(&at));
            range.map(|range| range.change)
        };
        for at in (0..a.size.max(b.size)).step_by(64 << 10) {
            prop_assert_eq!(told(at), judged(&a, &b, at), "at {}", at);
        }
    }
}

/// What happened to the block at `at`.
fn judged(a: &Content, b: &Content, at: u64) -> Option<DiskChange> {
    let block = |content: &Content| {
        let length = content.size.saturating_sub(at).min(64 << 10);
        let mut bytes = vec![0; usize::try_from(length).unwrap()];
        content.read(at, &mut bytes);
        bytes.iter().any(|byte| *byte != 0).then_some(bytes)
    };
    match (block(a), block(b)) {
        (a, b) if a == b => None,
        (Some(_), Some(_)) => Some(DiskChange::Changed),
        (None, _) => Some(DiskChange::Filled),
        (_, None) => Some(DiskChange::Freed),
    }
}

#[test]
fn each_respect_in_which_an_entry_differs_is_told() {
    let mut a = Tree::empty();
    let place = |text: &str| TreePath::parse(text.as_bytes()).unwrap();
    let mut entry = a.0[&TreePath::root()].clone();
    entry.body = Body::File(Content::solid(vec![7; 100_000]));
    for name in ["content", "mode", "owner", "time", "kind", "xattr"] {
        entry.inode += 1;
        a.0.insert(place(name), entry.clone());
    }
    let mut b = a.clone();
    let changed = FileTime::new(1_900_000_000, 1);
    for (name, edit) in edits() {
        let entry = b.0.get_mut(&place(name)).unwrap();
        entry.changed = changed;
        edit(entry);
    }
    let found = compare(&create(&memory()), &a, &b);
    let told: Vec<_> = found
        .iter()
        .map(|found| (path(found).to_string(), found.aspects.clone()))
        .collect();
    let expected = [
        ("content", Aspect::Content),
        ("kind", Aspect::Kind),
        ("mode", Aspect::Mode),
        ("owner", Aspect::Owner),
        ("time", Aspect::Modified),
        ("xattr", Aspect::Attributes),
    ];
    let expected: Vec<_> = expected
        .into_iter()
        .map(|(name, aspect)| (name.to_owned(), vec![aspect]))
        .collect();
    assert_eq!(told, expected);
}

type Edit = fn(&mut Entry);

fn edits() -> [(&'static str, Edit); 6] {
    [
        ("content", |entry| {
            entry.body = Body::File(Content::solid(vec![8; 100_000]));
        }),
        ("mode", |entry| entry.attributes.mode ^= 1),
        ("owner", |entry| entry.attributes.gid += 1),
        ("time", |entry| entry.attributes.modified.nanos += 1),
        ("kind", |entry| entry.body = Body::Special(Special::Fifo)),
        ("xattr", |entry| {
            entry.attributes.xattrs.push(Xattr {
                name: b"user.x".to_vec(),
                value: b"y".to_vec(),
            });
        }),
    ]
}

#[test]
fn what_is_equal_is_not_read() {
    let place = |text: &str| TreePath::parse(text.as_bytes()).unwrap();
    let mut common = Tree::empty();
    let folder = common.0[&TreePath::root()].clone();
    for number in 0..5000_u64 {
        let mut entry = folder.clone();
        entry.inode = 10 + number;
        entry.body = Body::File(Content::default());
        let name = format!("d{}/{number:05}", number / 2500);
        common.0.insert(place(&name), entry);
    }
    common.0.insert(place("d0"), folder.clone());
    common.0.insert(place("d1"), folder);
    let with_mode = |mode: u32| {
        let mut tree = common.clone();
        let entry = tree.0.get_mut(&place("d1/03000")).unwrap();
        entry.changed = FileTime::new(1_900_000_000 + i64::from(mode), 1);
        entry.attributes.mode = mode;
        tree
    };
    let store = memory();
    let repository = create(&store);
    let first = save(&repository, &common, None, 1).unwrap();
    // Every node that the next two have in common is in these packs.
    let packs = keys(&store, "packs/");
    let a = save(&repository, &with_mode(0o600), Some(first), 2).unwrap();
    let b = save(&repository, &with_mode(0o640), Some(first), 3).unwrap();
    for pack in packs {
        store.delete(&pack).unwrap();
    }
    let mut found = Vec::new();
    let mut visit = |difference| {
        found.push(difference);
        Ok(())
    };
    let summary = diff_trees(&open(&store), &a, &b, &mut visit).unwrap();
    assert!(summary.losses.is_empty(), "{:?}", summary.losses);
    assert_eq!(found.len(), 1);
    assert_eq!(path(&found[0]), place("d1/03000"));
    assert_eq!(found[0].aspects, [Aspect::Mode]);

    // What is lost is no difference.
    let mut found = Vec::new();
    let mut visit = |difference| {
        found.push(difference);
        Ok(())
    };
    let lost = diff_trees(&open(&store), &first, &b, &mut visit);
    assert!(lost.is_err() && found.is_empty(), "{lost:?} {found:?}");
}

#[test]
fn a_comparison_across_kinds_is_refused() {
    let repository = create(&memory());
    let tree = save(&repository, &Tree::random(1, &Shape::default()), None, 1).unwrap();
    let disk = save_disk(&repository, &random(1, 1 << 20), 2).unwrap();
    assert!(diff_trees(&repository, &tree, &disk, &mut |_| Ok(())).is_err());
    assert!(diff_volumes(&repository, &tree, &disk, &mut |_| Ok(())).is_err());
}
