//! The damage matrix: each kind of object, damaged in each way. Check names the damage and nothing
//! else, restores bring back what is not hit and list exactly what is, and nothing ever comes back
//! wrong in silence.
//!
//! The tables are data: [`HARMS`] are ways to damage bytes, [`PLACES`] the kinds of object. What a
//! restore lists is compared with the truth, byte by byte.

use std::collections::BTreeSet;

use strongroom_engine::{
    CreateOptions, Error, ManifestId, Repository, Stream, Unlock,
    layout::Object,
    quarantine::Reason,
    tree::{Loss, Part, Progress, RestoreOptions, restore_tree},
    volume::restore_volume,
};
use strongroom_store::{Key, Store, fault::Faults};
use strongroom_testkit::{
    dice::Dice,
    memory::{MemoryDisk, MemorySink},
    tree::{Body, Content, Tree, is_at_or_below},
};

use crate::{
    scene::{KEY, entropy, keys, memory, options, replace, small},
    world::{Origin, Saves, checked, comes_back, copy, world, world_in},
};

/// A way to damage the bytes of an object.
type Harm = (&'static str, fn(&mut Vec<u8>));

fn flip(bytes: &mut [u8], at: usize) {
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 0x10;
    }
}

fn part(bytes: &[u8], tenths: usize) -> usize {
    bytes.len() * tenths / 10
}

const HARMS: &[Harm] = &[
    ("first bit flipped", |bytes| flip(bytes, 0)),
    ("version flipped", |bytes| flip(bytes, 8)),
    ("kind flipped", |bytes| flip(bytes, 10)),
    ("cipher or way flipped", |bytes| flip(bytes, 11)),
    ("repository flipped", |bytes| flip(bytes, 14)),
    ("salt flipped", |bytes| flip(bytes, 30)),
    ("commitment flipped", |bytes| flip(bytes, 64)),
    ("first sealed byte flipped", |bytes| flip(bytes, 92)),
    ("flipped at a third", |bytes| {
        let at = bytes.len() / 3;
        flip(bytes, at);
    }),
    ("flipped in the middle", |bytes| {
        let at = bytes.len() / 2;
        flip(bytes, at);
    }),
    ("flipped at nine tenths", |bytes| {
        let at = part(bytes, 9);
        flip(bytes, at);
    }),
    ("flipped near the end", |bytes| {
        let at = bytes.len().saturating_sub(30);
        flip(bytes, at);
    }),
    ("length of the directory flipped", |bytes| {
        let at = bytes.len().saturating_sub(12);
        flip(bytes, at);
    }),
    ("last bit flipped", |bytes| {
        let at = bytes.len() - 1;
        flip(bytes, at);
    }),
    ("flipped in many places", |bytes| {
        for at in (40..bytes.len()).step_by(997) {
            flip(bytes, at);
        }
    }),
    ("cut to nothing", Vec::clear),
    ("cut by one byte", |bytes| {
        bytes.pop();
    }),
    ("cut by a page", |bytes| {
        let end = bytes.len().saturating_sub(4096);
        bytes.truncate(end);
    }),
    ("cut in half", |bytes| {
        let end = bytes.len() / 2;
        bytes.truncate(end);
    }),
    ("cut to the header", |bytes| bytes.truncate(80)),
    ("first byte gone", |bytes| {
        bytes.remove(0);
    }),
    ("a byte longer", |bytes| bytes.push(0)),
    ("a page of zeroes longer", |bytes| {
        bytes.extend_from_slice(&[0; 4096]);
    }),
    ("twice in a row", |bytes| bytes.extend_from_within(..)),
    ("a byte in front", |bytes| bytes.insert(0, 0)),
    ("first block zeroed", |bytes| {
        let end = bytes.len().min(64);
        bytes[..end].fill(0);
    }),
    ("a block zeroed", |bytes| {
        let (from, to) = (part(bytes, 4), part(bytes, 6));
        bytes[from..to].fill(0);
    }),
    ("last block zeroed", |bytes| {
        let from = bytes.len().saturating_sub(64);
        bytes[from..].fill(0);
    }),
    ("all zeroes", |bytes| bytes.fill(0)),
    ("all ones", |bytes| bytes.fill(0xff)),
    ("garbage of the same length", |bytes| {
        *bytes = Dice::new(4).bytes(bytes.len());
    }),
    ("text of the same length", |bytes| bytes.fill(b'x')),
    ("a block repeated", |bytes| {
        let (from, to) = (part(bytes, 2), part(bytes, 4));
        bytes.copy_within(from..to, to);
    }),
    ("two blocks swapped", |bytes| {
        let step = part(bytes, 2);
        let (head, rest) = bytes.split_at_mut(2 * step);
        head[step..].swap_with_slice(&mut rest[..step]);
    }),
    ("backwards", |bytes| bytes.reverse()),
    ("a write that went elsewhere", |bytes| {
        let at = part(bytes, 5);
        let end = (at + 100).min(bytes.len());
        let elsewhere = Dice::new(5).bytes(end - at);
        bytes[at..end].copy_from_slice(&elsewhere);
    }),
];

/// What happens to whole objects.
const FATES: [&str; 7] = [
    "missing",
    "swapped with another",
    "another in its place",
    "also under a name of its own",
    "another repository's in its place",
    "another key's in its place",
    "another kind's in its place",
];

const PLACES: [&str; 13] = [
    "header",
    "key slot",
    "data pack",
    "tree pack",
    "parity",
    "index run",
    "manifest",
    "fence",
    "lease",
    "quarantine",
    "wait list",
    "forgotten",
    "verdict",
];

struct Scene {
    store: Store,
    saves: Saves,
    /// The same in a repository of another id.
    foreign: Store,
    /// The same in a repository of the same id with another root key.
    other_key: Store,
}

fn with_parity() -> CreateOptions {
    CreateOptions {
        parity_percent: 10,
        ..small()
    }
}

/// A repository with at least two objects of nearly every kind.
fn build(seed: u64, key: [u8; 32]) -> (Store, Saves) {
    let store = memory();
    let unlock = Unlock::Key(key);
    let made = Repository::create(store.clone(), &unlock, with_parity(), &*entropy(seed)).unwrap();
    let (repository, saves) = world_in(made);
    let unlock = Unlock::Key([0x77; 32]);
    repository
        .add_unlock(&unlock, small().passphrase_cost, &*entropy(seed + 1))
        .unwrap();
    for (seed, back) in [(90, false), (100, false), (110, true), (120, true)] {
        let tree = crate::world::tree(if back { 1 } else { seed });
        let extra = crate::world::save(&repository, &tree, None, seed + 5).unwrap();
        repository.forget(&extra, &*entropy(seed + 1)).unwrap();
        if back {
            repository
                .restore_forgotten(&extra, &*entropy(seed + 2))
                .unwrap();
        }
    }
    // Two writers that died: one is fenced off later, the leases of the others stay.
    for seed in [130, 131, 132, 133] {
        let faults = Faults::new();
        let cut = Repository::open(faults.wrap(&store), &Unlock::Key(key)).unwrap();
        let writer = cut.writer(options(), entropy(seed)).unwrap();
        faults.stop_after(0);
        let id = writer.id();
        drop(writer);
        if seed < 132 {
            let by = strongroom_engine::QuarantineId::from_bytes([0; 16]);
            repository.fence(&id, by, &*entropy(seed + 10)).unwrap();
        }
    }
    crate::world::collect_now(&repository, 94).unwrap();
    let nothing = repository.quarantine(Reason::Repacked, Vec::new(), &*entropy(95));
    repository
        .note_waits(nothing.unwrap().id, &*entropy(96))
        .unwrap();
    (store, saves)
}

fn scene() -> Scene {
    let (store, saves) = build(1, KEY);
    let (foreign, _) = build(999, KEY);
    // A header of the first repository over objects that were sealed with another root key.
    let (other_key, _) = build(2000, KEY);
    Scene {
        store,
        saves,
        foreign,
        other_key,
    }
}

/// The objects of that kind.
fn objects(store: &Store, place: &str) -> Vec<Key> {
    let repository = open(store).unwrap();
    let of_stream = |key: &Key, stream| {
        matches!(Object::parse(key.as_str()), Some(Object::Pack(id))
            if repository.pack_directory(id).unwrap().stream() == stream)
    };
    let leaving: BTreeSet<_> = repository
        .quarantines()
        .unwrap()
        .into_iter()
        .flat_map(|each| each.packs)
        .map(|pack| Object::Pack(pack).key())
        .collect();
    // What is about to go may be missing and nobody minds.
    let stays = |key: &Key| !leaving.contains(key);
    let is_fence = |key: &Key| {
        matches!(Object::parse(key.as_str()), Some(Object::Manifest(id))
            if repository.is_fence(&id).unwrap())
    };
    let ends = |key: &Key, end: &str| key.as_str().ends_with(end);
    let prefix = match place {
        "header" => return vec![Object::Format.key()],
        "key slot" => "keys/",
        "data pack" | "tree pack" => "packs/",
        "parity" => "parity/",
        "index run" => "index/",
        "manifest" | "fence" => "manifests/",
        "lease" => "leases/",
        "quarantine" | "wait list" => "quarantine/",
        _ => "forgotten/",
    };
    let mut found = keys(store, prefix);
    found.retain(|key| match place {
        "data pack" => stays(key) && of_stream(key, Stream::Data),
        "tree pack" => stays(key) && of_stream(key, Stream::Tree),
        "fence" => is_fence(key),
        "manifest" => !is_fence(key),
        "wait list" => ends(key, ".waits"),
        "quarantine" => !ends(key, ".waits") && !ends(key, ".verdict"),
        "verdict" => ends(key, ".verdict"),
        "forgotten" => !ends(key, ".verdict"),
        _ => true,
    });
    found
}

fn open(store: &Store) -> Result<Repository, Error> {
    Repository::open(store.clone(), &Unlock::Key(KEY))
}

/// One damage to one object.
struct Case<'a> {
    place: &'a str,
    how: &'a str,
    /// Objects that are not what they were.
    hit: Vec<Key>,
    /// Whether nothing of what is there now is wrong: absence that means nothing, or valid bytes.
    harmless: bool,
}

fn key_named(place: &str, like: &Key, dice: &mut Dice) -> Key {
    let digits = like.as_str().rsplit('/').next().unwrap().len().min(64);
    let name = hex::encode(dice.bytes(digits / 2));
    let path = match place {
        "data pack" | "tree pack" => format!("packs/{}/{name}", &name[..2]),
        "parity" => format!("parity/{}/{name}", &name[..2]),
        _ => {
            let folder = like.as_str().split('/').next().unwrap();
            format!("{folder}/{}", &name[..digits.min(name.len())])
        }
    };
    Key::new(&path).unwrap()
}

/// Damages a whole object; `None` if that makes no sense for it.
fn fate<'a>(
    scene: &Scene,
    store: &Store,
    place: &'a str,
    how: &'a str,
    key: &Key,
) -> Option<Case<'a>> {
    let others = objects(&scene.store, place);
    let other = others.iter().find(|other| *other != key);
    let bytes = store.get(key).unwrap();
    let mut hit = vec![key.clone()];
    let mut harmless = false;
    match how {
        "missing" => {
            store.delete(key).unwrap();
            harmless = matches!(
                place,
                "key slot"
                    | "fence"
                    | "lease"
                    | "quarantine"
                    | "wait list"
                    | "forgotten"
                    | "verdict"
            );
        }
        "swapped with another" => {
            let other = other?;
            let theirs = store.get(other).unwrap();
            replace(store, key, &theirs);
            replace(store, other, &bytes);
            hit.push(other.clone());
            harmless = place == "key slot";
        }
        "another in its place" => {
            replace(store, key, &store.get(other?).unwrap());
            harmless = place == "key slot";
        }
        "also under a name of its own" => {
            if matches!(place, "header" | "wait list" | "forgotten" | "verdict") {
                return None;
            }
            let name = key_named(place, key, &mut Dice::new(8));
            store.create_new(&name, &bytes).unwrap();
            hit = vec![name];
            // Parity is asked for by the pack's name, and there is no such pack.
            harmless = matches!(place, "key slot" | "parity");
        }
        "another repository's in its place" => {
            let theirs = objects(&scene.foreign, place);
            replace(store, key, &scene.foreign.get(theirs.first()?).unwrap());
        }
        "another key's in its place" => {
            let theirs = objects(&scene.other_key, place);
            let mut theirs = scene.other_key.get(theirs.first()?).unwrap().to_vec();
            // Claims to be ours.
            let ours = scene.store.get(&Object::Format.key()).unwrap();
            theirs.get_mut(12..28)?.copy_from_slice(&ours[11..27]);
            replace(store, key, &theirs);
        }
        _ => {
            let kind = if place == "lease" {
                "manifest"
            } else {
                "lease"
            };
            let theirs = objects(&scene.store, kind);
            replace(store, key, &scene.store.get(theirs.first()?).unwrap());
        }
    }
    Some(Case {
        place,
        how,
        hit,
        harmless,
    })
}

#[test]
fn there_are_more_than_thirty_ways_to_be_damaged() {
    let ways: BTreeSet<_> = HARMS.iter().map(|(name, _)| *name).chain(FATES).collect();
    assert_eq!(ways.len(), HARMS.len() + FATES.len());
    assert!(ways.len() > 30, "{}", ways.len());
}

/// Runs the row of the matrix that belongs to one kind of object.
fn row(place: &'static str) {
    assert!(PLACES.contains(&place));
    let scene = scene();
    let sound = checked(&open(&scene.store).unwrap(), &scene.saves).unwrap();
    assert!(sound.findings.is_empty(), "{:?}", sound.findings);
    let mut found = objects(&scene.store, place);
    if place == "manifest" {
        let of_saves = |key: &Key| {
            let saves = scene.saves.keys();
            saves
                .map(|id| Object::Manifest(*id).key())
                .any(|save| save == *key)
        };
        found.retain(of_saves);
    }
    if place == "key slot" {
        // The one that opens it here.
        found.retain(|key| {
            let twin = copy(&scene.store);
            twin.delete(key).unwrap();
            open(&twin).is_err()
        });
    }
    // The largest of a kind is needed by most.
    let key = found
        .into_iter()
        .max_by_key(|key| scene.store.size(key).unwrap())
        .unwrap();
    for (how, harm) in HARMS {
        let twin = copy(&scene.store);
        let before = twin.get(&key).unwrap().to_vec();
        let mut bytes = before.clone();
        harm(&mut bytes);
        if bytes == before {
            continue;
        }
        replace(&twin, &key, &bytes);
        let hit = vec![key.clone()];
        let harmless = false;
        judge(
            &scene,
            &twin,
            &Case {
                place,
                how,
                hit,
                harmless,
            },
        );
    }
    for how in FATES {
        let twin = copy(&scene.store);
        if let Some(case) = fate(&scene, &twin, place, how, &key) {
            judge(&scene, &twin, &case);
        }
    }
}

macro_rules! rows {
    ($($name:ident: $place:literal;)*) => {$(
        #[test]
        fn $name() {
            row($place);
        }
    )*};
}

rows! {
    a_damaged_header_keeps_the_repository_shut: "header";
    a_damaged_key_slot_is_told_from_a_wrong_key_or_opens_nothing: "key slot";
    a_damaged_data_pack_is_named_and_the_rest_restores: "data pack";
    a_damaged_tree_pack_is_named_and_the_rest_restores: "tree pack";
    damaged_parity_is_named_and_everything_restores: "parity";
    a_damaged_index_run_is_named_and_the_rest_restores: "index run";
    a_damaged_manifest_is_named_and_the_others_restore: "manifest";
    a_damaged_fence_is_named_and_everything_restores: "fence";
    a_damaged_lease_is_named_and_everything_restores: "lease";
    a_damaged_quarantine_is_named_and_everything_restores: "quarantine";
    a_damaged_wait_list_is_named_and_everything_restores: "wait list";
    a_damaged_forgetting_record_is_named_and_everything_restores: "forgotten";
    a_damaged_verdict_is_named_and_everything_restores: "verdict";
}

/// Compares what check and restores say with the truth.
fn judge(scene: &Scene, store: &Store, case: &Case<'_>) {
    let Case { place, how, .. } = case;
    let what = format!("{place}: {how}");
    let repository = match open(store) {
        Ok(repository) => repository,
        // Header and key slot are needed for everything; that is said at once.
        Err(error) => {
            assert!(matches!(*place, "header" | "key slot"), "{what}: {error}");
            return;
        }
    };
    assert!(*place != "header", "{what}: opens");
    let findings = checked(&repository, &scene.saves).unwrap().findings;
    let mut named = BTreeSet::new();
    for finding in &findings {
        let subject = subject(&finding.error);
        let expected = subject
            .as_ref()
            .map_or(*place == "index run", |key| case.hit.contains(key));
        assert!(expected, "{what}: {:?} is not hit", finding.error);
        named.extend(subject);
    }
    let silently_gone = *place == "index run" && *how == "missing";
    if !case.harmless && !silently_gone {
        let silent: Vec<_> = case
            .hit
            .iter()
            .filter(|key| !named.contains(*key))
            .collect();
        assert!(silent.is_empty(), "{what}: {silent:?} not in {findings:?}");
    }
    let blamed: BTreeSet<_> = findings.iter().flat_map(|each| &each.manifests).collect();
    for (id, origin) in &scene.saves {
        let whole = restores(&repository, *id, origin, case, &what);
        let hits_chunks = matches!(*place, "data pack" | "tree pack" | "index run");
        assert!(
            whole || blamed.contains(id) || hits_chunks,
            "{what}: {id} is lost in silence"
        );
        let says_lost = *place == "manifest" && blamed.contains(id);
        assert!(!whole || !says_lost, "{what}: {id} is whole and blamed");
        if matches!(*place, "data pack" | "tree pack" | "index run" | "manifest") {
            assert!(whole || !findings.is_empty(), "{what}: {id}");
        } else {
            assert!(whole, "{what}: {id}");
        }
    }
}

/// The object that an error is about; `None` for a chunk that no run knows.
fn subject(error: &Error) -> Option<Key> {
    match error {
        Error::Damaged { object, .. } => Some(object.key()),
        Error::ChunkLost { pack, .. } => Some(Object::Pack(*pack).key()),
        Error::ManifestMissing { id } => Some(Object::Manifest(*id).key()),
        Error::ChunkMissing { .. } => None,
        error => panic!("{error:?}"),
    }
}

/// Restores and compares; `true` if everything came back. What did not must be listed, with a
/// cause that names an object that was hit, and nothing else may be listed.
fn restores(
    repository: &Repository,
    id: ManifestId,
    origin: &Origin,
    case: &Case<'_>,
    what: &str,
) -> bool {
    let progress = Progress::default();
    let wanted = RestoreOptions {
        threads: 1,
        progress: &progress,
    };
    let restored = match origin {
        Origin::Tree(tree) => {
            let sink = MemorySink::new();
            restore_tree(repository, &id, &sink, wanted)
                .inspect(|restored| compare_trees(tree, &sink.into_tree(), &restored.losses, what))
        }
        Origin::Disk(content) => {
            let disk = MemoryDisk::new(Content {
                size: content.size,
                ..Content::default()
            });
            restore_volume(repository, &id, &disk, wanted).inspect(|restored| {
                compare_bytes(content, &disk.content(), restored.losses.iter(), what);
            })
        }
    };
    let causes: Vec<Error> = match restored {
        Ok(restored) => restored
            .losses
            .into_iter()
            .map(|loss| match loss.cause {
                strongroom_engine::tree::Cause::Repository(error) => error,
                other @ strongroom_engine::tree::Cause::Target(_) => panic!("{what}: {other:?}"),
            })
            .collect(),
        // Manifest or root are lost: nothing comes back, and the error says why.
        Err(error) => vec![error],
    };
    for cause in &causes {
        let hit = subject(cause).map_or(case.place == "index run", |key| case.hit.contains(&key));
        assert!(hit, "{what}: {cause:?}");
    }
    causes.is_empty()
}

fn compare_trees(wanted: &Tree, found: &Tree, losses: &[Loss], what: &str) {
    let is_lost = |path: &_| {
        losses.iter().any(|loss| match loss.part {
            Part::Entry => is_at_or_below(path, &loss.path),
            Part::Entries => is_at_or_below(path, &loss.path) && *path != loss.path,
            Part::Bytes(_) | Part::Attributes => *path == loss.path,
        })
    };
    let rest = |tree: &Tree| {
        let rest = tree.0.iter().filter(|(path, _)| !is_lost(*path));
        Tree(
            rest.map(|(path, entry)| (path.clone(), entry.clone()))
                .collect(),
        )
    };
    let differences = rest(wanted).differences(&rest(found));
    assert!(
        differences.is_empty(),
        "{what}: {differences:?}, {losses:?}"
    );
    for (path, entry) in &found.0 {
        let Some(original) = wanted.0.get(path) else {
            panic!("{what}: {path} was never saved");
        };
        if let (Body::File(original), Body::File(content)) = (&original.body, &entry.body) {
            let of_file = losses.iter().filter(|loss| loss.path == *path);
            compare_bytes(original, content, of_file, what);
        }
    }
}

/// Bytes outside the losses are the original's; those inside are zeroes.
fn compare_bytes<'a>(
    wanted: &Content,
    found: &Content,
    losses: impl Iterator<Item = &'a Loss>,
    what: &str,
) {
    assert_eq!(wanted.size, found.size, "{what}");
    let size = usize::try_from(wanted.size).unwrap();
    let (mut original, mut content) = (vec![0; size], vec![0; size]);
    wanted.read(0, &mut original);
    found.read(0, &mut content);
    for loss in losses {
        if let Part::Bytes(range) = &loss.part {
            let range = usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap();
            assert!(
                content[range.clone()].iter().all(|byte| *byte == 0),
                "{what}"
            );
            original[range].fill(0);
        }
    }
    assert!(
        original == content,
        "{what}: bytes differ outside what is listed"
    );
}

/// A folder where a file was is a missing file, and another name is nobody's object.
#[test]
fn a_folder_in_the_place_of_an_object_is_a_missing_object() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("repository");
    let store = Store::open(place.to_str().unwrap()).unwrap();
    let unlock = Unlock::Key(KEY);
    let made = Repository::create(store.clone(), &unlock, small(), &*entropy(1)).unwrap();
    let (_, saves) = world_in(made);
    let pack = keys(&store, "packs/").swap_remove(0);
    let file = place.join(pack.as_str());
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    let findings = checked(&open(&store).unwrap(), &saves).unwrap().findings;
    assert!(!findings.is_empty());
    for finding in findings {
        assert_eq!(subject(&finding.error), Some(pack.clone()), "{finding:?}");
    }
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
