//! The golden repositories of format version 1: what was written once is read for ever.
//!
//! `fixtures/repository/v1` holds every feature that version 1 has; `expected/<manifest>` says what
//! each manifest holds, a line for each entry. The same lines come from `docs/read_repository.py`.
//! Version 1 is frozen: the objects never change again, and [`DIGEST`] says so. What a later
//! version adds gets a folder of its own.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use strongroom_engine::{
    CreateOptions, Layer, ManifestId, PackId, Passphrase, PassphraseCost, Repository, Unlock,
    check::{CheckOptions, Depth, check},
    quarantine::{Outcome, Reason},
    repair::{self, RepairOptions},
    slots::OwnSlot,
    tree::{Progress, RestoreOptions, restore_tree},
    volume::{restore_volume, volume_size},
};
use strongroom_model::content::{Attributes, FileTime, Special, TreePath, Xattr};
use strongroom_store::{
    ErrorKind, Operation, Store,
    fault::{Fault, Faults, Rule},
};
use strongroom_testkit::{
    dice::Dice,
    image,
    memory::{MemoryDisk, MemorySink},
    tree::{Body, Content, Entry, Tree},
};

use crate::{
    scene::{KEY, alter, entropy, keys, small},
    world::{save, save_disk},
};

/// The hash of every key and every byte of the golden repository.
const DIGEST: &str = "b8150d96ba3b162c39be58d5b846bad66f881e1ae67c3823532c491bd258ad9e";

const PASSPHRASE: &str = "correct horse battery staple";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/repository/v1")
}

fn entry(inode: u64, mode: u32, body: Body) -> Entry {
    let modified = FileTime::new(1_600_000_000 + i64::try_from(inode).unwrap(), 123_456_789);
    let attributes = Attributes {
        mode,
        uid: 1000,
        gid: 100,
        modified,
        xattrs: Vec::new(),
    };
    Entry {
        inode,
        changed: modified,
        attributes,
        body,
    }
}

/// One of each kind, and each way in which a node can hold its lists.
fn every_kind() -> Tree {
    let mut dice = Dice::new(20_261_121);
    let mut tree = Tree::empty();
    let mut add = |path: &[u8], entry: Entry| tree.0.insert(TreePath::parse(path).unwrap(), entry);
    let file = |content| Body::File(content);
    add(b"a", entry(10, 0o1777, Body::Directory));
    add(b"a/deep", entry(11, 0o750, Body::Directory));
    add(
        b"a/deep/\xff\xfenot utf-8",
        entry(12, 0o644, file(Content::solid(b"x".to_vec()))),
    );
    add(b"empty", entry(13, 0o600, file(Content::default())));
    add(b"empty folder", entry(14, 0o700, Body::Directory));
    let random = Content::solid(dice.bytes(150_000));
    add(b"random", entry(15, 0o4755, file(random.clone())));
    add(b"a/random again", entry(16, 0o644, file(random)));
    let text = "all work and no play ".repeat(5_000).into_bytes();
    let mut linked = entry(17, 0o644, file(Content::solid(text)));
    linked.attributes.xattrs = vec![Xattr {
        name: b"user.note".to_vec(),
        value: b"short".to_vec(),
    }];
    add(b"text", linked.clone());
    add(b"a/same text", linked);
    let mut sparse = Content::default();
    for page in 0..12 {
        sparse.write(page * 65_536 + 4096, &dice.bytes(4096));
    }
    sparse.size = 1 << 20;
    let mut sparse = entry(18, 0o644, file(sparse));
    sparse.attributes.xattrs = vec![Xattr {
        name: b"user.long".to_vec(),
        value: dice.bytes(2_000),
    }];
    add(b"sparse", sparse);
    let special = |special| Body::Special(special);
    add(
        b"link",
        entry(
            19,
            0o777,
            special(Special::Symlink(b"a/deep/nowhere".to_vec())),
        ),
    );
    add(b"pipe", entry(20, 0o622, special(Special::Fifo)));
    add(
        b"null",
        entry(21, 0o666, special(Special::CharDevice((1 << 32) | 3))),
    );
    add(
        b"disk",
        entry(22, 0o660, special(Special::BlockDevice((8 << 32) | 1))),
    );
    add(b"many", entry(23, 0o755, Body::Directory));
    for n in 0..700_u64 {
        let content = Content::solid(n.to_string().into_bytes());
        add(
            format!("many/{n:03}").as_bytes(),
            entry(1000 + n, 0o644, file(content)),
        );
    }
    tree
}

/// Makes the repository in `store`; deterministic but for the order in which threads draw.
fn make(store: &Store) {
    let options = CreateOptions {
        parity_percent: 10,
        ..small()
    };
    let repository =
        Repository::create(store.clone(), &Unlock::Key(KEY), options, &*entropy(1)).unwrap();
    let passphrase = Unlock::Passphrase(Passphrase::new(PASSPHRASE));
    let cost = PassphraseCost {
        memory_kib: 64,
        passes: 1,
        lanes: 1,
    };
    repository
        .add_unlock(&passphrase, cost, &*entropy(2))
        .unwrap();
    let tree = every_kind();
    let first = save(&repository, &tree, None, 3).unwrap();
    let mut later = tree.clone();
    later.0.remove(&TreePath::parse(b"pipe").unwrap());
    later.0.insert(
        TreePath::parse(b"new").unwrap(),
        entry(30, 0o644, Body::File(Content::solid(b"later".to_vec()))),
    );
    save(&repository, &later, Some(first), 4).unwrap();
    let mut disk = image::random(5, 3 << 20);
    disk.punch(1 << 20..2 << 20);
    disk.size -= 777;
    disk.punch(disk.size..u64::MAX);
    save_disk(&repository, &disk, 5).unwrap();
    let forgotten = save(&repository, &Tree::empty(), None, 6).unwrap();
    repository.forget(&forgotten, &*entropy(7)).unwrap();
    repository.forget(&first, &*entropy(9)).unwrap();
    repository.restore_forgotten(&first, &*entropy(10)).unwrap();
    let gone = PackId::from_bytes([7; 32]);
    let reason = Reason::Unreachable;
    repository
        .quarantine(reason, vec![gone], &*entropy(8))
        .unwrap();
    interrupted(&repository);
}

/// What those leave behind who are stopped at the worst moment.
fn interrupted(repository: &Repository) {
    let store = repository.store();
    let faults = Faults::new();
    let stopped = Repository::open(faults.wrap(store), &Unlock::Key(KEY)).unwrap();
    let refuse = |operation, prefix: &str| {
        let refused = Fault::Refuse(ErrorKind::Unavailable);
        faults.add(Rule::on(operation).under(prefix), refused);
    };
    // A commit of unknown outcome: its lease stays, and its packs.
    refuse(Operation::CreateNew, "manifests/");
    let mut tree = Tree::empty();
    let never =
        Content::solid(b"never committed, but stored; more than fits into a node".repeat(3));
    let path = TreePath::parse(b"never").unwrap();
    tree.0.insert(path, entry(40, 0o600, Body::File(never)));
    save(&stopped, &tree, None, 11).unwrap_err();
    faults.heal();
    // A slot that somebody began to remove.
    let third = Unlock::Key([0x77; 32]);
    let slot = repository
        .add_unlock(&third, PassphraseCost::default(), &*entropy(12))
        .unwrap();
    refuse(Operation::Delete, "keys/");
    let removed = stopped.remove_slot(slot, OwnSlot::Stays, &*entropy(13));
    removed.unwrap_err();
    faults.heal();
    // A collection that has decided, and not yet swept.
    let reason = Reason::Repacked;
    let decided = repository
        .quarantine(reason, vec![PackId::from_bytes([8; 32])], &*entropy(14))
        .unwrap();
    repository.note_waits(decided.id, &*entropy(15)).unwrap();
    repository
        .settle(decided.id, Outcome::Swept, &*entropy(16))
        .unwrap();
    // A writer that was given up.
    let fenced = ManifestId::from_bytes([6; 16]);
    repository
        .fence(&fenced, decided.id, &*entropy(17))
        .unwrap();
    // A lease that was replaced from a mirror by somebody who stopped before he tidied up.
    let mirror = Store::open("memory:").unwrap();
    copy_to(store, &mirror);
    let mirrors = [Repository::open(mirror, &Unlock::Key(KEY)).unwrap()];
    let lease = keys(store, "leases/").remove(0);
    alter(store, &lease, |bytes| bytes[100] ^= 1);
    refuse(Operation::Delete, "replacements/");
    let options = RepairOptions {
        mirrors: &mirrors,
        ..RepairOptions::default()
    };
    let progress = Progress::default();
    let plan = repair::plan(&stopped, &options, &progress).unwrap();
    let repaired = plan.execute(&stopped, &options, &progress, &entropy(18));
    repaired.unwrap_err();
}

fn quote(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'.' | b'-' | b'~' | b'/' => {
                text.push(char::from(*byte));
            }
            other => write!(text, "%{other:02X}").unwrap(),
        }
        text
    })
}

fn bytes(content: &Content) -> Vec<u8> {
    let mut bytes = vec![0; usize::try_from(content.size).unwrap()];
    content.read(0, &mut bytes);
    bytes
}

/// A line for each entry, as the Python reader writes it.
fn lines(tree: &Tree) -> String {
    let mut seen: BTreeMap<u64, &TreePath> = BTreeMap::new();
    let mut lines = Vec::new();
    for (path, entry) in &tree.0 {
        let first = *seen.entry(entry.inode).or_insert(path);
        let (kind, what) = match &entry.body {
            Body::File(content) => {
                let hash = blake3::hash(&bytes(content));
                (1, format!("{} {hash}", content.size))
            }
            Body::Directory => (2, "-".to_owned()),
            Body::Special(Special::Symlink(target)) => (3, quote(target)),
            Body::Special(Special::Fifo) => (4, "-".to_owned()),
            Body::Special(Special::CharDevice(number)) => (5, number.to_string()),
            Body::Special(Special::BlockDevice(number)) => (6, number.to_string()),
            Body::Socket => continue,
        };
        let same = if first == path {
            "-".to_owned()
        } else {
            quote(first.as_bytes())
        };
        let Attributes {
            mode,
            uid,
            gid,
            modified,
            xattrs,
        } = &entry.attributes;
        let xattrs: Vec<_> = xattrs
            .iter()
            .map(|Xattr { name, value }| {
                let hash = blake3::hash(value).to_hex();
                format!("{}={}", quote(name), &hash[..16])
            })
            .collect();
        let xattrs = if xattrs.is_empty() {
            "-".to_owned()
        } else {
            xattrs.join(",")
        };
        let time = format!("{}.{:09}", modified.seconds, modified.nanos);
        let path = quote(path.as_bytes());
        lines.push(format!(
            "/{path} {kind} {mode:o} {uid}:{gid} {time} {what} {same} {xattrs}\n"
        ));
    }
    lines.sort();
    lines.concat()
}

/// What a manifest holds, restored.
fn fingerprint(repository: &Repository, id: &ManifestId) -> String {
    let progress = Progress::default();
    let restore = RestoreOptions {
        threads: 1,
        progress: &progress,
    };
    if repository.manifest(id).unwrap().body.layer == Layer::Tree {
        let sink = MemorySink::new();
        assert!(
            restore_tree(repository, id, &sink, restore)
                .unwrap()
                .is_complete()
        );
        return lines(&sink.into_tree());
    }
    let disk = MemoryDisk::new(Content {
        size: volume_size(repository, id).unwrap(),
        ..Content::default()
    });
    assert!(
        restore_volume(repository, id, &disk, restore)
            .unwrap()
            .is_complete()
    );
    let content = disk.content();
    format!(
        "volume {} {}\n",
        content.size,
        blake3::hash(&bytes(&content))
    )
}

fn copy_to(from: &Store, to: &Store) {
    from.list("", &mut |key, _| to.create_new(&key, &from.get(&key)?))
        .unwrap();
}

/// The golden repository, copied to memory: opening it may not change it.
fn golden() -> Store {
    let from = Store::open(folder().join("objects").to_str().unwrap()).unwrap();
    let store = Store::open("memory:").unwrap();
    copy_to(&from, &store);
    store
}

#[test]
fn version_1_is_frozen_and_so_is_its_golden_repository() {
    let mut hasher = blake3::Hasher::new();
    let store = golden();
    for key in keys(&store, "") {
        let object = store.get(&key).unwrap();
        hasher.update(key.as_str().as_bytes()).update(&[0]);
        hasher.update(blake3::hash(&object).as_bytes());
    }
    assert_eq!(hasher.finalize().to_hex().as_str(), DIGEST);
}

#[test]
fn the_golden_repository_opens_checks_and_restores() {
    let expected = folder().join("expected");
    if std::env::var_os("STRONGROOM_BLESS").is_some() && !folder().exists() {
        fs::create_dir_all(&expected).unwrap();
        let made = Store::open("memory:").unwrap();
        make(&made);
        let place = folder().join("objects");
        copy_to(&made, &Store::open(place.to_str().unwrap()).unwrap());
        fs::write(folder().join("key"), format!("{}\n", hex::encode(KEY))).unwrap();
        let repository = Repository::open(golden(), &Unlock::Key(KEY)).unwrap();
        for id in repository.manifests().unwrap() {
            fs::write(expected.join(id.to_string()), fingerprint(&repository, &id)).unwrap();
        }
    }
    let store = golden();
    let by_key = Repository::open(store.clone(), &Unlock::Key(KEY)).unwrap();
    let passphrase = Unlock::Passphrase(Passphrase::new(PASSPHRASE));
    let by_passphrase = Repository::open(store.clone(), &passphrase).unwrap();
    assert_eq!(by_key.id(), by_passphrase.id());
    let manifests = by_key.manifests().unwrap();
    assert_eq!(manifests.len(), 3);
    assert_eq!(by_key.manifest_names().unwrap().len(), 4);
    assert_eq!(by_key.quarantines().unwrap().len(), 2);
    assert_eq!(by_key.leases().unwrap().len(), 1);
    assert_eq!(keys(&store, "replacements/").len(), 1);
    assert_eq!(
        by_key
            .slots()
            .unwrap()
            .iter()
            .filter(|slot| slot.leaving)
            .count(),
        1
    );
    for id in &manifests {
        let text = fs::read_to_string(expected.join(id.to_string())).unwrap();
        assert_eq!(fingerprint(&by_passphrase, id), text, "{id}");
    }
    let options = CheckOptions {
        depth: Depth::AllBytes,
        expected: manifests,
    };
    let checked = check(&by_key, &options, &Progress::default()).unwrap();
    assert!(checked.findings.is_empty(), "{:?}", checked.findings);
    for key in keys(&store, "parity/") {
        let id: PackId = key.as_str().rsplit('/').next().unwrap().parse().unwrap();
        let mut pack = by_key.pack_bytes(id).unwrap().to_vec();
        pack[100] ^= 1;
        by_key.heal_pack(id, &pack).unwrap();
    }
}
