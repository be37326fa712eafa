//! A repository with trees and a disk in it, and judges of what comes back.

use std::collections::BTreeMap;

use strongroom_engine::{
    ManifestId, Repository, Result,
    check::{CheckOptions, Checked, Depth, check},
    collect::{CollectOptions, Collected, collect},
    tree::{Progress, RestoreOptions, SaveOptions, restore_tree, save_tree},
    volume::{restore_volume, save_volume},
};
use strongroom_model::content::FileTime;
use strongroom_store::Store;
use strongroom_testkit::{
    dice::Dice,
    image,
    memory::{MemoryDisk, MemorySink, MemorySource},
    tree::{Content, Shape, Tree},
};

use crate::scene::{create, entropy, options};

pub(crate) const SHAPE: Shape = Shape {
    entries: 40,
    file_bytes: 60_000,
    owner: None,
    xattrs: true,
};

/// What was saved.
#[derive(Clone)]
pub(crate) enum Origin {
    Tree(Tree),
    Disk(Content),
}

/// What was saved under which manifest.
pub(crate) type Saves = BTreeMap<ManifestId, Origin>;

pub(crate) fn tree(seed: u64) -> Tree {
    Tree::random(seed, &SHAPE)
}

/// `tree` a day later.
pub(crate) fn changed(tree: &Tree, seed: u64) -> Tree {
    let mut tree = tree.clone();
    let mut dice = Dice::new(seed);
    for _ in 0..6 {
        let now = FileTime::new(1_700_000_000 + i64::try_from(seed).unwrap(), 0);
        tree.change(&mut dice, &SHAPE, now);
    }
    tree
}

pub(crate) fn save(
    repository: &Repository,
    tree: &Tree,
    previous: Option<ManifestId>,
    seed: u64,
) -> Result<ManifestId> {
    let progress = Progress::default();
    let source = MemorySource::new(tree.clone(), FileTime::new(1_800_000_000, 0));
    let mut save = SaveOptions::new(&progress, entropy(seed));
    save.previous = previous;
    save.threads = 1;
    save.writer = options();
    save_tree(repository, &source, &save).map(|saved| saved.manifest)
}

pub(crate) fn save_disk(repository: &Repository, disk: &Content, seed: u64) -> Result<ManifestId> {
    let progress = Progress::default();
    let mut save = SaveOptions::new(&progress, entropy(seed));
    save.threads = 1;
    save.writer = options();
    save_volume(repository, &MemoryDisk::new(disk.clone()), &save).map(|saved| saved.manifest)
}

/// Whether the manifest comes back as it was. Panics if it does not and nothing says so.
pub(crate) fn comes_back(repository: &Repository, id: &ManifestId, origin: &Origin) -> bool {
    let progress = Progress::default();
    let restore = RestoreOptions {
        threads: 1,
        progress: &progress,
    };
    match origin {
        Origin::Tree(tree) => {
            let sink = MemorySink::new();
            match restore_tree(repository, id, &sink, restore) {
                Ok(restored) if restored.is_complete() => {
                    tree.assert_same(&sink.into_tree());
                    true
                }
                _ => false,
            }
        }
        Origin::Disk(content) => {
            let disk = MemoryDisk::new(Content {
                size: content.size,
                ..Content::default()
            });
            match restore_volume(repository, id, &disk, restore) {
                Ok(restored) if restored.is_complete() => {
                    assert!(image::same_bytes(content, &disk.content()));
                    true
                }
                _ => false,
            }
        }
    }
}

pub(crate) fn assert_all_come_back(repository: &Repository, saves: &Saves) {
    for (id, origin) in saves {
        assert!(comes_back(repository, id, origin), "{id}");
    }
}

pub(crate) fn checked(repository: &Repository, saves: &Saves) -> Result<Checked> {
    let expected = saves.keys().copied().collect();
    let options = CheckOptions {
        depth: Depth::AllBytes,
        expected,
    };
    check(repository, &options, &Progress::default())
}

pub(crate) fn assert_sound(repository: &Repository, saves: &Saves) {
    let checked = checked(repository, saves).unwrap();
    assert!(checked.findings.is_empty(), "{:?}", checked.findings);
}

pub(crate) fn collect_now(repository: &Repository, seed: u64) -> Result<Collected> {
    collect(
        repository,
        &CollectOptions::default(),
        &Progress::default(),
        &entropy(seed),
    )
}

/// A repository with two states of a tree, another tree and a disk.
pub(crate) fn world(store: &Store) -> (Repository, Saves) {
    world_in(create(store))
}

/// The same in a repository that is there already.
pub(crate) fn world_in(repository: Repository) -> (Repository, Saves) {
    let (first, other) = (tree(1), tree(2));
    let second = changed(&first, 3);
    let disk = image::random(4, 3 << 20);
    let mut saves = Saves::new();
    let a = save(&repository, &first, None, 11).unwrap();
    let b = save(&repository, &second, Some(a), 12).unwrap();
    let c = save(&repository, &other, None, 13).unwrap();
    let d = save_disk(&repository, &disk, 14).unwrap();
    saves.insert(a, Origin::Tree(first));
    saves.insert(b, Origin::Tree(second));
    saves.insert(c, Origin::Tree(other));
    saves.insert(d, Origin::Disk(disk));
    (repository, saves)
}

/// Another store with the same objects.
pub(crate) fn copy(store: &Store) -> Store {
    let twin = Store::open("memory:").unwrap();
    store
        .list("", &mut |key, _| twin.create_new(&key, &store.get(&key)?))
        .unwrap();
    twin
}

/// Bytes of all packs.
pub(crate) fn pack_bytes(repository: &Repository) -> u64 {
    let mut bytes = 0;
    repository.packs(&mut |_, size| bytes += size).unwrap();
    bytes
}
