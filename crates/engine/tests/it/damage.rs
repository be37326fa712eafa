//! Damaged repositories: what is lost is named, everything else still comes back, and the next
//! save heals what it can.

use strongroom_engine::{Damage, Error, ManifestId, PackId, Repository, Stream, layout::Object};
use strongroom_store::Store;

use crate::scene::*;

const CHUNKS: std::ops::Range<u64> = 0..150;

/// A way to damage an object.
type Harm = (&'static str, fn(&Store, &strongroom_store::Key));

const HARMS: &[Harm] = &[
    ("removed", |store, key| store.delete(key).unwrap()),
    ("cut to nothing", |store, key| alter(store, key, Vec::clear)),
    ("cut in half", |store, key| {
        alter(store, key, |bytes| bytes.truncate(bytes.len() / 2));
    }),
    ("one byte short", |store, key| {
        alter(store, key, |bytes| bytes.truncate(bytes.len() - 1));
    }),
    ("one byte longer", |store, key| {
        alter(store, key, |bytes| bytes.push(0));
    }),
    ("first byte flipped", |store, key| {
        alter(store, key, |bytes| bytes[0] ^= 1);
    }),
    ("salt flipped", |store, key| {
        alter(store, key, |bytes| bytes[40] ^= 1);
    }),
    ("middle flipped", |store, key| {
        alter(store, key, |bytes| {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 0x80;
        });
    }),
    ("last byte flipped", |store, key| {
        alter(store, key, |bytes| *bytes.last_mut().unwrap() ^= 1);
    }),
    ("zeroed", |store, key| {
        alter(store, key, |bytes| bytes.fill(0));
    }),
];

fn saved() -> (Store, ManifestId) {
    let store = memory();
    let id = save(&create(&store), 2, CHUNKS).unwrap();
    (store, id)
}

fn data_packs(repository: &Repository) -> Vec<PackId> {
    let mut packs = Vec::new();
    repository.packs(&mut |id, _| packs.push(id)).unwrap();
    packs.retain(|id| repository.pack_directory(*id).unwrap().stream() == Stream::Data);
    packs
}

#[test]
fn a_damaged_pack_loses_its_own_chunks_by_name_and_no_others() {
    for (harm, damage) in HARMS {
        let (store, id) = saved();
        let pack = data_packs(&open(&store))[0];
        let inside: Vec<_> = open(&store)
            .pack_directory(pack)
            .unwrap()
            .chunks()
            .map(|chunk| chunk.id)
            .collect();
        damage(&store, &Object::Pack(pack).key());
        let (good, errors) = load(&open(&store), &id, CHUNKS).unwrap();
        assert_eq!(good + errors.len(), 150, "{harm}");
        for error in &errors {
            let Error::ChunkLost {
                id,
                stream: Stream::Data,
                pack: lost,
                ..
            } = error
            else {
                panic!("{harm}: {error:?}");
            };
            assert_eq!(*lost, pack, "{harm}");
            assert!(inside.contains(id), "{harm}");
        }
        let whole = [
            "one byte short",
            "one byte longer",
            "first byte flipped",
            "salt flipped",
        ];
        let harmless = whole.contains(harm) || *harm == "last byte flipped";
        assert_eq!(
            errors.is_empty(),
            harmless,
            "{harm}: segments that hold are read"
        );
        let bytes = open(&store).pack_bytes(pack);
        let seen = bytes.map_or(true, |bytes| open(&store).open_pack(pack, &bytes).is_err());
        assert!(seen, "{harm}: the name gives it away in any case");
    }
}

#[test]
fn the_error_says_how_the_bytes_are_bad() {
    let (store, id) = saved();
    let pack = data_packs(&open(&store))[0];
    let key = Object::Pack(pack).key();
    let whole = store.get(&key).unwrap();
    let first_damage = || {
        let (_, errors) = load(&open(&store), &id, CHUNKS).unwrap();
        match &errors[0] {
            Error::ChunkLost { damage, bytes, .. } => (damage.clone(), bytes.clone()),
            error => panic!("{error:?}"),
        }
    };
    replace(&store, &key, &whole[..100]);
    let (damage, bytes) = first_damage();
    assert_eq!(
        damage,
        Damage::Truncated {
            expected: bytes.end,
            found: 100
        }
    );
    let mut flipped = whole.to_vec();
    flipped[95] ^= 1;
    replace(&store, &key, &flipped);
    assert_eq!(first_damage(), (Damage::Altered { at: 92 }, bytes));
    store.delete(&key).unwrap();
    assert_eq!(first_damage().0, Damage::Missing);
}

#[test]
fn the_next_save_stores_the_chunks_of_missing_and_shortened_packs_anew() {
    for (harm, damage) in &HARMS[..5] {
        let (store, id) = saved();
        for pack in data_packs(&open(&store)) {
            damage(&store, &Object::Pack(pack).key());
        }
        let again = save(&open(&store), 3, CHUNKS).unwrap();
        let repository = open(&store);
        assert_restores(&repository, &again, CHUNKS);
        let (good, errors) = load(&repository, &id, CHUNKS).unwrap();
        assert_eq!(
            (good, errors.len()),
            (150, 0),
            "{harm}: the first save is healed too"
        );
    }
}

#[test]
fn the_next_save_stores_what_damaged_index_runs_hid_anew() {
    for (harm, damage) in HARMS {
        let (store, id) = saved();
        for key in keys(&store, "index/") {
            damage(&store, &key);
        }
        let again = save(&open(&store), 3, CHUNKS).unwrap();
        assert_restores(&open(&store), &again, CHUNKS);
        assert_restores(&open(&store), &id, CHUNKS);
        assert!(!harm.is_empty());
    }
}

#[test]
fn a_damaged_index_run_is_named_and_the_others_still_answer() {
    for (harm, damage) in HARMS.iter().filter(|(harm, _)| *harm != "removed") {
        let (store, id) = saved();
        let runs = keys(&store, "index/");
        assert!(runs.len() > 2);
        damage(&store, &runs[0]);
        let repository = open(&store);
        let Ok((good, errors)) = load(&repository, &id, CHUNKS) else {
            continue;
        };
        assert!(good > 0, "{harm}");
        for error in errors {
            let Error::Damaged {
                object: Object::Run(run),
                ..
            } = error
            else {
                panic!("{harm}: {error:?}");
            };
            assert_eq!(Object::Run(run).key(), runs[0]);
        }
    }
}

#[test]
fn a_damaged_manifest_is_named_and_others_are_not_touched() {
    for (harm, damage) in HARMS {
        let (store, first) = saved();
        let second = save(&open(&store), 3, 100..200).unwrap();
        damage(&store, &Object::Manifest(first).key());
        let repository = open(&store);
        let error = repository.manifest(&first).unwrap_err();
        if *harm == "removed" {
            assert!(matches!(error, Error::ManifestMissing { .. }));
        } else {
            let named = Object::Manifest(first);
            assert!(
                matches!(error, Error::Damaged { object, .. } if object == named),
                "{harm}"
            );
            assert!(repository.manifests().unwrap().contains(&first), "{harm}");
        }
        assert_restores(&repository, &second, 100..200);
    }
}

#[test]
fn a_manifest_cut_to_the_length_of_a_fence_is_damage_and_no_fence() {
    let (store, id) = saved();
    alter(&store, &Object::Manifest(id).key(), |bytes| {
        bytes.truncate(256);
    });
    assert_eq!(open(&store).manifests().unwrap(), [id]);
}

#[test]
fn two_manifests_or_two_packs_that_are_swapped_are_refused() {
    let (store, first) = saved();
    let second = save(&open(&store), 3, 100..200).unwrap();
    let swap = |a: &strongroom_store::Key, b: &strongroom_store::Key| {
        let (bytes_a, bytes_b) = (store.get(a).unwrap(), store.get(b).unwrap());
        replace(&store, a, &bytes_b);
        replace(&store, b, &bytes_a);
    };
    let (a, b) = (
        Object::Manifest(first).key(),
        Object::Manifest(second).key(),
    );
    swap(&a, &b);
    for id in [first, second] {
        assert!(matches!(
            open(&store).manifest(&id),
            Err(Error::Damaged { .. })
        ));
    }
    swap(&a, &b);
    let packs = data_packs(&open(&store));
    swap(&Object::Pack(packs[0]).key(), &Object::Pack(packs[1]).key());
    // Names of packs are random: both may belong to either save.
    let (_, mut errors) = load(&open(&store), &first, CHUNKS).unwrap();
    errors.extend(load(&open(&store), &second, 100..200).unwrap().1);
    assert!(!errors.is_empty());
    assert!(
        errors
            .iter()
            .all(|error| matches!(error, Error::ChunkLost { .. }))
    );
}

#[test]
fn an_object_of_another_repository_is_named_as_such() {
    let (store, id) = saved();
    let other = memory();
    let foreign = strongroom_engine::Repository::create(
        other.clone(),
        &strongroom_engine::Unlock::Key(KEY),
        small(),
        &*entropy(99),
    )
    .unwrap();
    let foreign_id = save(&foreign, 98, CHUNKS).unwrap();
    let theirs = other.get(&Object::Manifest(foreign_id).key()).unwrap();
    replace(&store, &Object::Manifest(id).key(), &theirs);
    let error = open(&store).manifest(&id).unwrap_err();
    let found = foreign.id();
    assert!(matches!(
        error,
        Error::Damaged { damage: Damage::Foreign { found: named }, .. } if named == found
    ));
    let header = other.get(&Object::Format.key()).unwrap();
    replace(&store, &Object::Format.key(), &header);
    let opened = Repository::open(store, &strongroom_engine::Unlock::Key(KEY));
    assert!(matches!(opened, Err(Error::WrongKey { slots: 0, .. })));
}

#[test]
fn a_damaged_header_or_key_slot_keeps_the_repository_shut_and_says_which() {
    for (harm, damage) in HARMS {
        let (store, _) = saved();
        damage(&store, &Object::Format.key());
        let unlock = strongroom_engine::Unlock::Key(KEY);
        let error = Repository::open(store, &unlock).unwrap_err();
        assert!(
            matches!(
                error,
                Error::Damaged {
                    object: Object::Format,
                    ..
                } | Error::NotARepository { .. }
                    | Error::WrongKey { .. }
            ),
            "{harm}: {error:?}"
        );
        let (store, _) = saved();
        damage(&store, &keys(&store, "keys/")[0]);
        let error = Repository::open(store, &unlock).unwrap_err();
        assert!(
            matches!(
                error,
                Error::Damaged {
                    object: Object::Slot(_),
                    ..
                } | Error::WrongKey { .. }
            ),
            "{harm}: {error:?}"
        );
    }
}

#[test]
fn a_pack_that_rotted_in_part_is_salvaged_segment_by_segment() {
    let (store, _) = saved();
    let repository = open(&store);
    let segments = |pack| repository.pack_directory(pack).unwrap().segments().len();
    // The last pack of a writer is as small as it happens to be.
    let packs = data_packs(&repository).into_iter();
    let pack = packs.max_by_key(|pack| segments(*pack)).unwrap();
    assert!(segments(pack) > 2);
    alter(&store, &Object::Pack(pack).key(), |bytes| bytes[200] ^= 1);
    let bytes = repository.pack_bytes(pack).unwrap();
    let view = repository.salvage_pack(pack, &bytes).unwrap();
    let (mut held, mut lost) = (0, 0);
    for segment in view.directory().segments() {
        let mut count = |_, chunk: Result<&[u8], Damage>| match chunk {
            Ok(_) => held += 1,
            Err(_) => lost += 1,
        };
        view.decode(segment.number(), &mut count).unwrap();
    }
    let first = view.directory().segments().next().unwrap().chunks().len();
    assert_eq!(lost, first);
    assert!(held > 0);
}
