//! Saves and restores of trees on a store that fails or stops at every single call: what was
//! committed comes back, and a clean run afterwards succeeds.

use strongroom_engine::{
    Error, ManifestId, Repository, Result,
    tree::{Progress, RestoreOptions, Restored, SaveOptions, Saved, restore_tree, save_tree},
};
use strongroom_model::content::FileTime;
use strongroom_store::{
    ErrorKind, Store,
    fault::{Fault, Faults, Rule},
};
use strongroom_testkit::{
    dice::Dice,
    memory::{MemorySink, MemorySource},
    tree::{Shape, Tree},
};

use crate::{
    scene::{create, entropy, memory, open, options},
    tree::NOW,
};

struct States {
    first: Tree,
    second: Tree,
}

fn states() -> States {
    let shape = Shape {
        entries: 40,
        file_bytes: 40_000,
        ..Shape::default()
    };
    let first = Tree::random(21, &shape);
    let mut second = first.clone();
    second.change(
        &mut Dice::new(3),
        &shape,
        FileTime::new(NOW.seconds + 50, 1),
    );
    States { first, second }
}

fn save(
    repository: &Repository,
    tree: &Tree,
    seed: u64,
    previous: Option<ManifestId>,
) -> Result<Saved> {
    let progress = Progress::default();
    let mut wanted = SaveOptions::new(&progress, entropy(seed));
    wanted.previous = previous;
    wanted.writer = options();
    save_tree(repository, &MemorySource::new(tree.clone(), NOW), &wanted)
}

fn restore(repository: &Repository, manifest: ManifestId) -> Result<(Tree, Restored)> {
    let (sink, progress) = (MemorySink::new(), Progress::default());
    let wanted = RestoreOptions {
        threads: 2,
        progress: &progress,
    };
    let restored = restore_tree(repository, &manifest, &sink, wanted)?;
    Ok((sink.into_tree(), restored))
}

fn assert_comes_back(store: &Store, manifest: ManifestId, tree: &Tree) {
    let (back, restored) = restore(&open(store), manifest).unwrap();
    assert!(restored.is_complete(), "{:?}", restored.losses);
    tree.assert_same(&back);
}

/// A repository with the first state in it, behind a store that can be made to fail.
fn prepared(states: &States) -> (Store, Faults, Repository, ManifestId) {
    let inner = memory();
    let first = save(&create(&inner), &states.first, 2, None)
        .unwrap()
        .manifest;
    let faults = Faults::new();
    let repository = open(&faults.wrap(&inner));
    (inner, faults, repository, first)
}

/// Disturbs the save of the second state at every call in turn.
fn sweep(disturb: impl Fn(&Faults, u64)) {
    let states = states();
    let (_, faults, repository, first) = prepared(&states);
    let before = faults.calls();
    save(&repository, &states.second, 3, Some(first)).unwrap();
    let calls = faults.calls() - before;
    assert!(calls > 10, "{calls}");
    for n in 1..=calls {
        let (store, faults, repository, first) = prepared(&states);
        disturb(&faults, n);
        let disturbed = save(&repository, &states.second, 3, Some(first));
        faults.heal();
        assert_comes_back(&store, first, &states.first);
        if let Ok(saved) = disturbed {
            assert!(saved.complete);
            assert_comes_back(&store, saved.manifest, &states.second);
        }
        let again = save(&open(&store), &states.second, 4, Some(first)).unwrap();
        assert_comes_back(&store, again.manifest, &states.second);
    }
}

#[test]
fn a_store_that_stops_during_a_save_loses_nothing() {
    sweep(|faults, n| faults.stop_after(n - 1));
}

#[test]
fn a_failure_at_any_call_of_a_save_is_reported_or_harmless() {
    sweep(|faults, n| {
        faults.add(
            Rule::call(faults.calls() + n),
            Fault::Refuse(ErrorKind::NoSpace),
        );
    });
}

#[test]
fn a_lost_reply_at_any_call_of_a_save_is_reported_or_harmless() {
    sweep(|faults, n| {
        faults.add(
            Rule::call(faults.calls() + n),
            Fault::LoseReply(ErrorKind::Unavailable),
        );
    });
}

#[test]
fn a_restore_from_a_failing_store_fails_and_never_calls_it_a_loss() {
    let states = states();
    let (_, faults, repository, first) = prepared(&states);
    let before = faults.calls();
    restore(&repository, first).unwrap();
    let calls = faults.calls() - before;
    for n in 1..=calls {
        let (_, faults, repository, first) = prepared(&states);
        faults.add(
            Rule::call(faults.calls() + n),
            Fault::Refuse(ErrorKind::Unavailable),
        );
        match restore(&repository, first) {
            Err(Error::Store { .. }) => {}
            Err(error) => panic!("call {n}: {error}"),
            // A call that only read ahead.
            Ok((back, restored)) => {
                assert!(restored.is_complete(), "call {n}: {:?}", restored.losses);
                states.first.assert_same(&back);
            }
        }
    }
}
