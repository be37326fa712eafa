//! The power fails at any moment: whatever was acknowledged is there afterwards, the repository
//! checks, and a clean run goes on from there.
//!
//! Every change that the directory store makes on its disk is noted while trees are saved,
//! forgotten and collected; then every state of the disk that a power cut may leave is opened.
//! Where few changes are unsynced, all their subsets are tried; where many are, some by seed.

use std::collections::{BTreeMap, BTreeSet};

use strongroom_engine::{Error, ManifestId, Repository, Unlock};
use strongroom_store::{Key, Store, power::Noted};
use strongroom_testkit::{
    dice::Dice,
    tree::{Shape, Tree},
};

use crate::{
    scene::{KEY, entropy, memory, open, small},
    world::{Origin, Saves, assert_sound, changed, collect_now, comes_back, save},
};

/// Up to so many unsynced changes, all their subsets are tried.
const ALL_SUBSETS: usize = 6;
/// Beyond that, so many of them.
const SAMPLES: usize = 24;

/// What was acknowledged at a moment.
#[derive(Default, Clone)]
struct Promise {
    created: bool,
    saves: Saves,
    /// Forgotten, or about to be: may be there or not.
    leaving: BTreeSet<ManifestId>,
}

/// Runs a story on a noted store; returns what was acknowledged from which moment on.
fn story(noted: &Noted, seed: u64) -> Vec<(usize, Promise)> {
    let store = noted.store();
    let mut promise = Promise::default();
    let mut promises = vec![(0, promise.clone())];
    let mut acknowledged = |promise: &Promise| promises.push((noted.moment(), promise.clone()));
    let repository =
        Repository::create(store.clone(), &Unlock::Key(KEY), small(), &*entropy(seed)).unwrap();
    promise.created = true;
    acknowledged(&promise);
    let shape = Shape {
        entries: 8,
        file_bytes: 20_000,
        ..Shape::default()
    };
    let mut last = None;
    let mut tree = Tree::random(seed, &shape);
    for n in 0..3 {
        let id = save(&repository, &tree, last, seed + 10 + n).unwrap();
        promise.saves.insert(id, Origin::Tree(tree.clone()));
        acknowledged(&promise);
        last = Some(id);
        tree = changed(&tree, seed + 20 + n);
    }
    let first = *promise.saves.keys().next().unwrap();
    promise.saves.remove(&first);
    promise.leaving.insert(first);
    acknowledged(&promise);
    repository.forget(&first, &*entropy(seed + 30)).unwrap();
    acknowledged(&promise);
    collect_now(&repository, seed + 40).unwrap();
    acknowledged(&promise);
    let id = save(&repository, &tree, None, seed + 50).unwrap();
    promise.saves.insert(id, Origin::Tree(tree));
    acknowledged(&promise);
    promises
}

fn holding(objects: &BTreeMap<String, Vec<u8>>) -> Store {
    let store = memory();
    for (key, bytes) in objects {
        store.create_new(&Key::new(key).unwrap(), bytes).unwrap();
    }
    store
}

/// What must hold for what a power cut left.
fn survives(store: &Store, promise: &Promise, what: &str) {
    let repository = match Repository::open(store.clone(), &Unlock::Key(KEY)) {
        Ok(repository) => repository,
        Err(Error::NotARepository { .. }) if !promise.created => return,
        Err(error) => panic!("{what}: {error:?}"),
    };
    let manifests = repository.manifests().unwrap();
    for (id, origin) in &promise.saves {
        assert!(manifests.contains(id), "{what}: {id} is gone");
        assert!(comes_back(&repository, id, origin), "{what}: {id}");
    }
    assert_sound(&repository, &promise.saves);
    // A manifest that nobody was told of yet is whole, or is not there: the check above saw it.
    let tree = Tree::random(
        99,
        &Shape {
            entries: 5,
            file_bytes: 9_000,
            ..Shape::default()
        },
    );
    let again = save(&repository, &tree, None, 900).unwrap();
    collect_now(&repository, 901).unwrap();
    let mut saves = promise.saves.clone();
    saves.insert(again, Origin::Tree(tree));
    let repository = open(store);
    for (id, origin) in &saves {
        assert!(comes_back(&repository, id, origin), "{what}, later: {id}");
    }
    assert_sound(&repository, &saves);
}

/// Tries what a cut may leave, every `step` moments.
fn every_cut(seed: u64, step: usize) {
    println!("seed {seed}");
    let folder = tempfile::tempdir().unwrap();
    let noted = Noted::open(folder.path()).unwrap();
    let promises = story(&noted, seed);
    let (mut dice, mut tried) = (Dice::new(seed), BTreeSet::new());
    for moment in (0..=noted.moment()).step_by(step) {
        let kept = promises.iter().rposition(|(from, _)| *from <= moment);
        let kept = kept.unwrap_or_default();
        let unsynced = noted.unsynced(moment);
        let subsets: Vec<Vec<bool>> = if unsynced <= ALL_SUBSETS {
            (0..1_u32 << unsynced)
                .map(|bits| (0..unsynced).map(|at| bits >> at & 1 == 1).collect())
                .collect()
        } else {
            let mut sample = || (0..unsynced).map(|_| dice.chance(2)).collect();
            let mut subsets: Vec<Vec<bool>> = (0..SAMPLES).map(|_| sample()).collect();
            subsets.extend([vec![false; unsynced], vec![true; unsynced]]);
            subsets
        };
        for subset in subsets {
            let objects = noted.after(moment, &mut |at| subset[at]);
            let mut hasher = blake3::Hasher::new();
            for (key, bytes) in &objects {
                hasher.update(key.as_bytes()).update(&[0]).update(bytes);
            }
            if tried.insert((kept, *hasher.finalize().as_bytes())) {
                let what = format!("seed {seed}, moment {moment}, {subset:?}");
                survives(&holding(&objects), &promises[kept].1, &what);
            }
        }
    }
    assert!(tried.len() > 30 / step, "{} states", tried.len());
}

#[test]
fn what_was_acknowledged_survives_a_power_cut_at_any_moment() {
    every_cut(1, 1);
}

#[test]
#[ignore = "nightly: minutes"]
fn what_was_acknowledged_survives_a_power_cut_at_any_moment_of_many_stories() {
    for seed in 2..40 {
        every_cut(seed * 1000, 1);
    }
}
