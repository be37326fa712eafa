//! A repository in memory, and what goes through it.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use strongroom_engine::{
    CreateOptions, ManifestId, PassphraseCost, Repository, Sizes, Unlock, WriterOptions,
    tree::{Progress, RestoreOptions, Restored, SaveOptions, Saved, restore_tree, save_tree},
    volume::{restore_volume, save_volume},
};
use strongroom_model::Entropy;
use strongroom_source::{Place, Share, ShareTarget, Source, Target};
use strongroom_store::Store;
use strongroom_testkit::entropy::SeededEntropy;

fn entropy() -> Arc<dyn Entropy> {
    // Two writers must not draw the same name.
    static SEED: AtomicU64 = AtomicU64::new(1);
    Arc::new(SeededEntropy::new(SEED.fetch_add(1, Ordering::SeqCst)))
}

pub(crate) fn repository() -> Repository {
    let options = CreateOptions {
        sizes: Sizes {
            segment: 64 << 10,
            pack: 256 << 10,
            ..Sizes::default()
        },
        passphrase_cost: PassphraseCost {
            memory_kib: 64,
            passes: 1,
            lanes: 1,
        },
        ..CreateOptions::default()
    };
    let store = Store::open("memory:").unwrap();
    Repository::create(store, &Unlock::Key([7; 32]), options, &*entropy()).unwrap()
}

pub(crate) fn save(
    repository: &Repository,
    source: &Source,
    previous: Option<ManifestId>,
) -> Saved {
    let progress = Progress::default();
    let mut options = SaveOptions::new(&progress, entropy());
    options.previous = previous;
    options.writer = WriterOptions {
        workers: Some(2),
        ..WriterOptions::default()
    };
    match source {
        Source::Tree(share) => save_tree(repository, share, &options).unwrap(),
        Source::Blocks(volume) => save_volume(repository, volume, &options).unwrap(),
    }
}

/// Restores without the switch.
pub(crate) fn fill(
    repository: &Repository,
    manifest: &ManifestId,
    target: &Target,
) -> strongroom_engine::Result<Restored> {
    let progress = Progress::default();
    let options = RestoreOptions {
        threads: 2,
        progress: &progress,
    };
    match target {
        Target::Tree(target) => restore_tree(repository, manifest, target, options),
        Target::Blocks(target) => restore_volume(repository, manifest, target, options),
    }
}

/// Saves the share at `from` and restores it to `to`.
pub(crate) fn carry(from: &Path, to: &Path, place: Place) -> (Saved, Restored) {
    let repository = repository();
    let saved = save(&repository, &Source::Tree(Share::open(from).unwrap()), None);
    let target = Target::Tree(ShareTarget::create(to, place).unwrap());
    let restored = fill(&repository, &saved.manifest, &target).unwrap();
    assert_eq!(target.switch().unwrap().len(), 0);
    (saved, restored)
}
