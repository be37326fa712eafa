//! The damage matrix: each kind of object, damaged in each way. Check names every damage, restores
//! bring back what is not hit and say what is, and nothing ever comes back wrong in silence.

use strongroom_engine::{Error, Repository, Unlock};
use strongroom_store::{Key, Store};

use crate::{
    scene::{KEY, entropy, keys, memory, options, small},
    world::{Saves, checked, comes_back, copy, world, world_in},
};

#[derive(Clone, Copy, PartialEq, Debug)]
enum Damage {
    FlipFirst,
    FlipMiddle,
    FlipLast,
    Halve,
    Empty,
    Extend,
    Delete,
    Swap,
    Foreign,
}

const DAMAGES: [Damage; 9] = [
    Damage::FlipFirst,
    Damage::FlipMiddle,
    Damage::FlipLast,
    Damage::Halve,
    Damage::Empty,
    Damage::Extend,
    Damage::Delete,
    Damage::Swap,
    Damage::Foreign,
];

const KINDS: [&str; 7] = [
    "format",
    "keys/",
    "packs/",
    "index/",
    "manifests/",
    "quarantine/",
    "forgotten/",
];

fn replace(store: &Store, key: &Key, bytes: &[u8]) {
    store.delete(key).unwrap();
    store.create_new(key, bytes).unwrap();
}

/// Damages `key`; `false` if there is nothing to swap it with.
fn damage(store: &Store, foreign: &Store, kind: &str, key: &Key, damage: Damage) -> bool {
    let mut bytes = store.get(key).unwrap().to_vec();
    let (middle, last) = (bytes.len() / 2, bytes.len() - 1);
    let flip = |bytes: &mut Vec<u8>, at: usize| bytes[at] ^= 0x10;
    match damage {
        Damage::FlipFirst => flip(&mut bytes, 0),
        Damage::FlipMiddle => flip(&mut bytes, middle),
        Damage::FlipLast => flip(&mut bytes, last),
        Damage::Halve => bytes.truncate(middle),
        Damage::Empty => bytes.clear(),
        Damage::Extend => bytes.push(0),
        Damage::Delete => {
            store.delete(key).unwrap();
            return true;
        }
        Damage::Swap => {
            let others = keys(store, kind);
            let Some(other) = others.iter().find(|other| *other != key) else {
                return false;
            };
            let theirs = store.get(other).unwrap();
            replace(store, other, &bytes);
            bytes = theirs.to_vec();
        }
        Damage::Foreign => {
            let Some(other) = keys(foreign, kind).into_iter().next() else {
                return false;
            };
            bytes = foreign.get(&other).unwrap().to_vec();
        }
    }
    replace(store, key, &bytes);
    true
}

/// The world with something forgotten and something in quarantine.
fn full_world() -> (Store, Saves) {
    let store = memory();
    let (repository, mut saves) = world(&store);
    let extra = crate::scene::save(&repository, 90, 0..4).unwrap();
    repository.forget(&extra, &*entropy(91)).unwrap();
    let (id, _) = saves.pop_last().unwrap();
    repository.forget(&id, &*entropy(92)).unwrap();
    let writer = repository.writer(options(), entropy(93)).unwrap();
    crate::world::collect_now(&repository, 94).unwrap();
    writer.abandon();
    assert!(!keys(&store, "quarantine/").is_empty());
    (store, saves)
}

fn open(store: &Store) -> Result<Repository, Error> {
    Repository::open(store.clone(), &Unlock::Key(KEY))
}

/// Absence that nobody can notice, and that costs nothing that was promised.
fn is_harmless(kind: &str, damage: Damage) -> bool {
    matches!(
        (kind, damage),
        ("quarantine/" | "forgotten/", Damage::Delete)
    )
}

/// Whether the key is that of a pack in quarantine: its absence is what will be.
fn is_condemned(repository: &Repository, key: &Key) -> bool {
    let condemned = repository.quarantines().unwrap_or_default();
    let mut packs = condemned.iter().flat_map(|each| &each.packs);
    packs.any(|pack| key.as_str().ends_with(&pack.to_string()))
}

#[test]
fn every_damage_is_named_and_everything_else_comes_back() {
    let (store, saves) = full_world();
    let foreign = memory();
    world_in(
        Repository::create(foreign.clone(), &Unlock::Key(KEY), small(), &*entropy(999)).unwrap(),
    );
    for kind in KINDS {
        let objects = keys(&store, kind);
        assert!(!objects.is_empty(), "{kind}");
        // The first and the last stand for the others; packs hold data and trees.
        let some = if kind == "packs/" {
            objects.len().min(6)
        } else {
            2
        };
        for key in objects.iter().take(some).chain(objects.last()) {
            for how in DAMAGES {
                let twin = copy(&store);
                if !damage(&twin, &foreign, kind, key, how) {
                    continue;
                }
                judge(&twin, &saves, kind, key, how);
            }
        }
    }
}

fn judge(store: &Store, saves: &Saves, kind: &str, key: &Key, how: Damage) {
    let repository = match open(store) {
        Ok(repository) => repository,
        // Header and key slot are needed for everything; that is said at once.
        Err(error) => {
            assert!(
                matches!(kind, "format" | "keys/"),
                "{how:?} of {key}: {error}"
            );
            return;
        }
    };
    let checked = checked(&repository, saves).unwrap();
    let restored = saves
        .iter()
        .filter(|(id, origin)| comes_back(&repository, id, origin))
        .count();
    let forgotten = kind == "manifests/"
        && !saves
            .keys()
            .any(|id| key.as_str().ends_with(&id.to_string()));
    if how == Damage::Delete && forgotten
        || is_harmless(kind, how)
        || how == Damage::Delete && is_condemned(&repository, key)
    {
        assert_eq!(restored, saves.len(), "{how:?} of {key}");
        return;
    }
    if kind == "index/" && how == Damage::Delete && checked.findings.is_empty() {
        // A run of nothing but forgotten chunks: its packs are garbage now, as they were before.
        assert_eq!(restored, saves.len(), "{how:?} of {key}");
        return;
    }
    assert!(
        !checked.findings.is_empty(),
        "{how:?} of {key} is not found"
    );
    let named = checked.findings.iter().any(|finding| {
        let name = key.as_str().rsplit('/').next().unwrap();
        chain(&finding.error).contains(name.split('.').next().unwrap())
    });
    let index_lost = kind == "index/" && how == Damage::Delete;
    assert!(
        named || index_lost,
        "{how:?} of {key}: {:?}",
        checked.findings
    );
    if matches!(kind, "quarantine/" | "forgotten/" | "keys/") {
        return;
    }
    // What the check does not blame comes back.
    for (id, origin) in saves {
        let blamed = checked
            .findings
            .iter()
            .any(|finding| finding.manifests.contains(id));
        let back = comes_back(&repository, id, origin);
        let bytes_are_bad = checked.findings.iter().any(|finding| {
            matches!(
                finding.error,
                Error::ChunkLost { .. } | Error::Damaged { .. }
            )
        });
        assert!(
            back || blamed || bytes_are_bad,
            "{how:?} of {key}: {id} is lost in silence"
        );
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

#[test]
fn a_lost_manifest_is_noticed_by_who_remembers_its_name() {
    let store = memory();
    let (repository, saves) = world(&store);
    let id = *saves.first_key_value().unwrap().0;
    store
        .delete(&Key::new(&format!("manifests/{id}")).unwrap())
        .unwrap();
    let checked = checked(&repository, &saves).unwrap();
    let missing: Vec<_> = checked
        .findings
        .iter()
        .map(|finding| finding.error.to_string())
        .collect();
    assert_eq!(missing, [format!("there is no manifest {id}")]);
}

/// Longhorn#1385: damage to one block must not spoil the saves that come after.
#[test]
fn a_missing_pack_does_not_poison_later_saves() {
    let store = memory();
    let (_, saves) = world(&store);
    for pack in keys(&store, "packs/") {
        let twin = copy(&store);
        twin.delete(&pack).unwrap();
        let repository = open(&twin).unwrap();
        let (_, origin) = saves.iter().next().unwrap();
        let id = match origin {
            crate::world::Origin::Tree(tree) => {
                let previous = saves.keys().next().copied();
                crate::world::save(&repository, tree, previous, 95).unwrap()
            }
            crate::world::Origin::Disk(disk) => {
                crate::world::save_disk(&repository, disk, 95).unwrap()
            }
        };
        assert!(comes_back(&repository, &id, origin), "without {pack}");
    }
}
