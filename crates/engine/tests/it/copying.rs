//! Copies of manifests: whole without their source, only what is missing is stored, and a copy
//! that was stopped or disturbed anywhere is finished by the next.

use strongroom_engine::{
    CreateOptions, Error, ManifestId, Repository, Result, Unlock,
    check::Depth,
    copy::{COPY_OF, Copied, CopyOptions, copy, create_mirror},
    layout::Object,
    repair::{self, RepairOptions},
    tree::Progress,
};
use strongroom_store::{
    ErrorKind, Operation, Store,
    fault::{Fault, Faults, Rule},
    record::Recorder,
};

use crate::{
    scene::{alter, entropy, keys, memory, open, options, small},
    world::{
        Origin, Saves, assert_sound, changed, comes_back, copy as twin, pack_bytes, save, world,
    },
};

const OTHER_KEY: [u8; 32] = [0xa7; 32];

/// An empty repository with a key of its own.
fn other(store: &Store) -> Repository {
    let unlock = Unlock::Key(OTHER_KEY);
    Repository::create(store.clone(), &unlock, small(), &*entropy(500)).unwrap()
}

fn open_other(store: &Store) -> Repository {
    Repository::open(store.clone(), &Unlock::Key(OTHER_KEY)).unwrap()
}

fn mirror_of(source: &Repository) -> Store {
    let store = memory();
    create_mirror(source, &store).unwrap();
    store
}

fn copy_all(source: &Repository, dest: &Repository, seed: u64) -> Result<Copied> {
    let progress = Progress::default();
    let wanted = CopyOptions {
        manifests: &[],
        writer: options(),
        progress: &progress,
        entropy: entropy(seed),
        labels: None,
    };
    copy(source, dest, &wanted)
}

/// What was saved, by the names of the copies.
fn renamed(saves: &Saves, copied: &Copied) -> Saves {
    let origin = |from: &ManifestId| saves[from].clone();
    let pairs = copied.copied.iter();
    pairs.map(|(from, to)| (*to, origin(from))).collect()
}

#[test]
fn a_copy_with_keys_of_its_own_restores_with_the_source_gone() {
    let store = memory();
    let (source, saves) = world(&store);
    let place = memory();
    let copied = copy_all(&source, &other(&place), 1).unwrap();
    drop(source);
    for key in keys(&store, "") {
        store.delete(&key).unwrap();
    }
    let dest = open_other(&place);
    let there = renamed(&saves, &copied);
    assert_eq!(there.len(), saves.len());
    for (id, origin) in &there {
        assert!(comes_back(&dest, id, origin), "{id}");
    }
    assert_sound(&dest, &there);
}

#[test]
fn a_copy_keeps_labels_and_counts_and_says_what_it_is_a_copy_of() {
    let store = memory();
    let source = crate::scene::create(&store);
    let (tree, later) = (crate::world::tree(1), changed(&crate::world::tree(1), 2));
    let first = save(&source, &tree, None, 2).unwrap();
    let second = save(&source, &later, Some(first), 3).unwrap();
    let dest = other(&memory());
    let progress = Progress::default();
    let wanted = CopyOptions {
        manifests: &[first],
        writer: options(),
        progress: &progress,
        entropy: entropy(3),
        labels: None,
    };
    let mut copied = copy(&source, &dest, &wanted).unwrap().copied;
    copied.extend(copy_all(&source, &dest, 4).unwrap().copied);
    assert_eq!(copied.len(), 2);
    let (a, b) = (
        source.manifest(&second).unwrap(),
        dest.manifest(&copied[1].1).unwrap(),
    );
    assert_eq!(b.body.labels[COPY_OF], format!("{}.{second}", source.id()));
    assert_eq!(
        (b.body.items, b.body.started),
        (a.body.items, a.body.started)
    );
    assert_eq!(b.body.previous, Some(copied[0].1));
    assert!(
        a.body
            .labels
            .iter()
            .all(|(key, value)| b.body.labels.get(key) == Some(value))
    );
}

#[test]
fn a_second_copy_stores_nothing_and_a_later_one_what_is_new() {
    let store = memory();
    let (source, saves) = world(&store);
    let place = memory();
    let first = copy_all(&source, &other(&place), 1).unwrap();
    let before = keys(&place, "");
    let second = copy_all(&open(&store), &open_other(&place), 2).unwrap();
    assert_eq!(
        (second.copied.len(), second.present.len()),
        (0, saves.len())
    );
    assert_eq!(keys(&place, ""), before);
    let (id, origin) = saves.first_key_value().unwrap();
    let Origin::Tree(tree) = saves
        .values()
        .find(|origin| matches!(origin, Origin::Tree(_)))
        .unwrap()
    else {
        panic!("{id} is no tree");
    };
    assert!(comes_back(&source, id, origin));
    let bytes = pack_bytes(&open_other(&place));
    let new = save(&open(&store), &changed(tree, 77), None, 78).unwrap();
    let recorder = Recorder::counting();
    let watched = open(&recorder.wrap(&store));
    let third = copy_all(&watched, &open_other(&place), 3).unwrap();
    assert_eq!(third.copied.len(), 1);
    assert_eq!(third.copied[0].0, new);
    let grown = pack_bytes(&open_other(&place)) - bytes;
    assert!(grown * 3 < bytes, "{grown} of {bytes}");
    assert_eq!(first.copied.len(), saves.len());
    assert!(
        recorder.tally(Operation::CreateNew).calls == 0,
        "the source is only read"
    );
}

#[test]
fn a_copy_back_finds_every_chunk_where_it_was() {
    let store = memory();
    let (source, saves) = world(&store);
    let (place, third) = (memory(), memory());
    copy_all(&source, &other(&place), 1).unwrap();
    // Into an older state of the first repository, from which packs are lost.
    for key in keys(&store, "manifests/") {
        store.delete(&key).unwrap();
    }
    let packs = keys(&store, "packs/");
    let copied = copy_all(&open_other(&place), &open(&store), 2).unwrap();
    assert_eq!(keys(&store, "packs/"), packs, "everything was there");
    let by_label: Saves = copied
        .copied
        .iter()
        .map(|(from, to)| {
            let label = open_other(&place).manifest(from).unwrap().body.labels[COPY_OF].clone();
            let id: ManifestId = label.split_once('.').unwrap().1.parse().unwrap();
            (*to, saves[&id].clone())
        })
        .collect();
    assert_sound(&open(&store), &by_label);
    assert!(keys(&third, "").is_empty());
}

#[test]
fn damage_of_the_source_fails_what_it_hits_and_nothing_wrong_is_copied() {
    let store = memory();
    let (source, saves) = world(&store);
    let mut failures = 0;
    for pack in keys(&store, "packs/") {
        let harmed = twin(&store);
        alter(&harmed, &pack, |bytes| bytes[150] ^= 1);
        let (rekeyed, mirrored) = (memory(), mirror_of(&source));
        for dest in [other(&rekeyed), open(&mirrored)] {
            let copied = copy_all(&open(&harmed), &dest, 1).unwrap();
            assert_eq!(copied.copied.len() + copied.failed.len(), saves.len());
            failures += copied.failed.len();
            let there = renamed(&saves, &copied);
            for (id, origin) in &there {
                assert!(comes_back(&dest, id, origin), "{pack}: {id}");
            }
            assert_sound(&dest, &there);
        }
    }
    assert!(failures > saves.len(), "{failures}");
}

#[test]
fn a_copy_that_is_disturbed_anywhere_is_finished_by_the_next() {
    let store = memory();
    let source = crate::scene::create(&store);
    let mut saves = Saves::new();
    let tree = crate::world::tree(5);
    let id = save(&source, &tree, None, 6).unwrap();
    saves.insert(id, Origin::Tree(tree.clone()));
    let later = changed(&tree, 7);
    saves.insert(
        save(&source, &later, Some(id), 8).unwrap(),
        Origin::Tree(later),
    );
    for mirrored in [false, true] {
        let start = || {
            let place = memory();
            if mirrored {
                create_mirror(&source, &place).unwrap();
            } else {
                other(&place);
            }
            place
        };
        let opened = |store: &Store| {
            if mirrored {
                open(store)
            } else {
                open_other(store)
            }
        };
        let counting = Faults::new();
        let dest = opened(&counting.wrap(&start()));
        let opening = counting.calls();
        copy_all(&source, &dest, 1).unwrap();
        let calls = counting.calls() - opening;
        assert!(calls > 10);
        for n in 1..=calls {
            for how in 0..3 {
                let place = start();
                let faults = Faults::new();
                let dest = opened(&faults.wrap(&place));
                let call = Rule::call(faults.calls() + n);
                match how {
                    0 => faults.stop_after(n - 1),
                    1 => faults.add(call, Fault::LoseReply(ErrorKind::Unavailable)),
                    _ => faults.add(call, Fault::Refuse(ErrorKind::NoSpace)),
                }
                let disturbed = copy_all(&source, &dest, 2);
                faults.heal();
                let again = copy_all(&source, &opened(&place), 3).unwrap();
                assert!(again.failed.is_empty(), "call {n}: {:?}", again.failed);
                let dest = opened(&place);
                let mut there = renamed(&saves, &again);
                if let Ok(disturbed) = disturbed {
                    there.extend(renamed(&saves, &disturbed));
                }
                for id in dest.manifests().unwrap() {
                    let manifest = dest.manifest(&id).unwrap();
                    let from = manifest.body.labels.get(COPY_OF).map_or(id, |label| {
                        label.split_once('.').unwrap().1.parse().unwrap()
                    });
                    there.insert(id, saves[&from].clone());
                }
                assert_eq!(there.len(), saves.len(), "call {n}, {how}");
                assert_sound(&dest, &there);
                for (id, origin) in &there {
                    assert!(comes_back(&dest, id, origin), "call {n}, {how}");
                }
            }
        }
    }
}

#[test]
fn a_pack_that_the_destination_did_not_keep_is_noticed_before_a_manifest_names_it() {
    let store = memory();
    let (source, _) = world(&store);
    for mirrored in [false, true] {
        let place = if mirrored {
            mirror_of(&source)
        } else {
            memory()
        };
        if !mirrored {
            other(&place);
        }
        let faults = Faults::new();
        let torn = Fault::TearWrite {
            keep: 120,
            report: None,
        };
        faults.add(
            Rule::on(Operation::PutIdempotent).under("packs/").nth(2),
            torn,
        );
        let wrapped = faults.wrap(&place);
        let dest = if mirrored {
            open(&wrapped)
        } else {
            open_other(&wrapped)
        };
        let copied = copy_all(&source, &dest, 1);
        let noticed = match &copied {
            Ok(copied) => !copied.failed.is_empty(),
            Err(_) => true,
        };
        assert!(noticed, "{copied:?}");
        for id in dest.manifests().unwrap() {
            let manifest = dest.manifest(&id).unwrap();
            let lost = strongroom_engine::check::check(
                &dest,
                &strongroom_engine::check::CheckOptions::default(),
                &Progress::default(),
            )
            .unwrap();
            assert!(
                lost.findings
                    .iter()
                    .all(|found| !found.manifests.contains(&manifest.id))
            );
        }
    }
}

#[test]
fn a_mirror_opens_with_the_same_key_and_is_made_only_where_nothing_is() {
    let store = memory();
    let (source, saves) = world(&store);
    let place = mirror_of(&source);
    let copied = copy_all(&source, &open(&place), 1).unwrap();
    assert!(copied.failed.is_empty(), "{copied:?}");
    assert_eq!(copied.copied.len(), saves.len(), "{copied:?}");
    assert_sound(&open(&place), &saves);
    for (id, origin) in &saves {
        assert!(comes_back(&open(&place), id, origin), "{id}");
    }
    let again = create_mirror(&source, &place);
    assert!(matches!(again, Err(Error::RepositoryExists { .. })));
    let taken = memory();
    Repository::create(
        taken.clone(),
        &Unlock::Key(OTHER_KEY),
        CreateOptions::default(),
        &*entropy(3),
    )
    .unwrap();
    assert!(matches!(
        create_mirror(&source, &taken),
        Err(Error::RepositoryExists { .. })
    ));
    let header = taken.get(&Object::Format.key()).unwrap();
    assert_eq!(taken.get(&Object::Format.key()).unwrap(), header);
}

#[test]
fn a_pack_that_rots_before_it_is_read_back_is_stored_anew_by_the_next_copy() {
    let store = memory();
    let (source, saves) = world(&store);
    let place = memory();
    other(&place);
    let faults = Faults::new();
    let inner = place.clone();
    let rot = move || {
        for pack in keys(&inner, "packs/") {
            alter(&inner, &pack, |bytes| bytes[150] ^= 1);
        }
    };
    let first = Rule::on(Operation::Get).under("packs/").nth(1);
    faults.add(first, Fault::Before(std::sync::Arc::new(rot)));
    let copied = copy_all(&source, &open_other(&faults.wrap(&place)), 1).unwrap();
    assert!(!copied.failed.is_empty());
    faults.heal();
    let mut there = renamed(&saves, &copied);
    for seed in 2..20 {
        let again = copy_all(&source, &open_other(&place), seed).unwrap();
        there.extend(renamed(&saves, &again));
        if again.failed.is_empty() {
            break;
        }
    }
    assert_eq!(there.len(), saves.len());
    for (id, origin) in &there {
        assert!(comes_back(&open_other(&place), id, origin), "{id}");
    }
    assert_sound(&open_other(&place), &there);
}

#[test]
fn a_copy_says_what_it_is_told_to_and_only_such_a_copy_counts_as_there() {
    let store = memory();
    let (source, saves) = world(&store);
    let place = memory();
    let dest = other(&place);
    let first = *saves.keys().next().unwrap();
    let progress = Progress::default();
    let told = |word: &str, seed| {
        let labels = [("backup".to_owned(), word.to_owned())].into();
        let wanted = CopyOptions {
            manifests: &[first],
            writer: options(),
            progress: &progress,
            entropy: entropy(seed),
            labels: Some(&labels),
        };
        copy(&source, &dest, &wanted).unwrap()
    };
    let one = told("one", 1);
    let bytes = pack_bytes(&dest);
    let again = told("one", 2);
    assert_eq!((again.copied.len(), again.present.len()), (0, 1));
    let two = told("two", 3);
    assert_eq!((two.copied.len(), two.present.len()), (1, 0));
    for (copied, word) in [(&one, "one"), (&two, "two")] {
        let (_, id) = copied.copied[0];
        let labels = dest.manifest(&id).unwrap().body.labels;
        let told: Vec<_> = labels.keys().map(String::as_str).collect();
        assert_eq!(told, ["backup", COPY_OF]);
        assert_eq!(labels["backup"], word);
        assert!(comes_back(&dest, &id, &saves[&first]));
    }
    assert_eq!(pack_bytes(&dest), bytes, "the second stored no data");
    // Whatever a copy says, the original was copied.
    assert_eq!(copy_all(&source, &dest, 4).unwrap().present, [first]);
}

#[test]
fn a_copy_brings_back_what_its_original_lost() {
    let store = memory();
    let (source, saves) = world(&store);
    let place = memory();
    copy_all(&source, &other(&place), 1).unwrap();
    drop(source);
    for pack in keys(&store, "packs/") {
        alter(&store, &pack, |bytes| {
            let half = bytes.len() / 2;
            bytes[half..].fill(0);
        });
    }
    for parity in keys(&store, "parity/") {
        store.delete(&parity).unwrap();
    }
    let damaged = open(&store);
    let repaired = RepairOptions {
        depth: Depth::AllBytes,
        ..RepairOptions::default()
    };
    let progress = Progress::default();
    let plan = repair::plan(&damaged, &repaired, &progress).unwrap();
    plan.execute(&damaged, &repaired, &progress, &entropy(2))
        .unwrap();
    assert!(!plan.unhealed.is_empty());
    let replica = open_other(&place);
    let labels = [("heals".to_owned(), "it".to_owned())].into();
    let wanted = CopyOptions {
        manifests: &[],
        writer: options(),
        progress: &progress,
        entropy: entropy(3),
        labels: Some(&labels),
    };
    let healed = copy(&replica, &open(&store), &wanted).unwrap();
    assert_eq!(healed.copied.len(), saves.len());
    let whole = open(&store);
    for (_, temporary) in &healed.copied {
        whole.forget(temporary, &*entropy(4)).unwrap();
    }
    for (id, origin) in &saves {
        assert!(comes_back(&whole, id, origin), "{id}");
    }
}
