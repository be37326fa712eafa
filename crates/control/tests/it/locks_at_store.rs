//! Locks that hold at the store: whoever has the service's own credentials there cannot delete what
//! a locked backup needs.

use std::sync::Arc;

use strongroom_control::{
    MasterKey,
    backups::{Backup, BackupFilter},
    keys::RECORD_PATH,
    locks::SafetyChange,
    restores::RestoreTarget,
    retention::NewExpiry,
    words::ObjectType,
};
use strongroom_engine::{
    Repository, Unlock,
    collect::{CollectOptions, collect},
    repair::{self, RepairOptions},
    tree::Progress,
};
use strongroom_model::{Clock as _, Entropy, Timestamp, VaultId};
use strongroom_store::{
    ErrorKind, Key, Store,
    kept::{Kept, Terms},
};
use strongroom_testkit::entropy::SeededEntropy;

use crate::world::World;

const DAY: i64 = 86_400;

fn store(world: &World, vault: VaultId) -> Store {
    let place = world.dir.path().join("data/repositories");
    let url = place.join(vault.to_string());
    let clock = Arc::clone(&world.clock) as _;
    let kept = Kept::open(url.to_str().unwrap(), Terms::default(), clock);
    kept.unwrap().store()
}

fn keys(store: &Store) -> Vec<Key> {
    let mut found = Vec::new();
    store
        .list("", &mut |key, _| {
            found.push(key);
            Ok(())
        })
        .unwrap();
    found
}

/// Deletes everything that can be deleted; what is left.
fn ravage(store: &Store) -> Vec<Key> {
    for key in keys(store) {
        if let Err(error) = store.delete(&key) {
            assert_eq!(error.kind, ErrorKind::Retained, "{key}");
        }
    }
    keys(store)
}

fn lock(world: &World, vault: VaultId) {
    let lock = SafetyChange {
        locked: Some(true),
        locks_manual: Some(true),
        ..SafetyChange::default()
    };
    let changed = world.control.change_vault_safety(&world.alice, vault, lock);
    assert!(changed.unwrap().locks_manual);
    world.run();
}

/// A locked vault in a store with locks, and a backup in it.
fn scene() -> (World, VaultId, Backup) {
    let mut world = World::new();
    world.keep_stores();
    let share = world.share("a");
    let vault = world.vault("v", ObjectType::Turbo, &[&share]).id;
    lock(&world, vault);
    let backup = world.back_up(vault);
    (world, vault, backup)
}

fn restores(world: &World, backup: &Backup) {
    let out = world.dir.path().join("out");
    let to = RestoreTarget::NewPath(out.clone());
    world.restore(backup.id, to).unwrap();
    let text = std::fs::read(out.join("hello.txt")).unwrap();
    assert_eq!(text, b"hello from a");
    std::fs::remove_dir_all(out).unwrap();
}

#[test]
fn what_a_locked_backup_needs_survives_whoever_deletes_all_he_can() {
    let (world, vault, backup) = scene();
    let store = store(&world, vault);
    let left = ravage(&store);
    for kind in ["format", "keys/", "manifests/", "packs/", "vault.json"] {
        let there = left.iter().any(|key| key.as_str().starts_with(kind));
        assert!(there, "{kind} is gone: {left:?}");
    }
    // Index runs come back from the packs.
    let record = store.get(&Key::new(RECORD_PATH).unwrap()).unwrap();
    let master = MasterKey::from_hex(&"5a".repeat(32)).unwrap();
    let key = master.open_record(&record).unwrap().key();
    let repository = Repository::open(store, &Unlock::Key(key)).unwrap();
    let (options, progress) = (RepairOptions::default(), Progress::default());
    let plan = repair::plan(&repository, &options, &progress).unwrap();
    assert!(!plan.is_empty());
    let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(1));
    let repaired = plan.execute(&repository, &options, &progress, &entropy);
    repaired.unwrap();
    restores(&world, &backup);
}

#[test]
fn a_vault_that_is_locked_later_has_its_backups_kept_from_then_on() {
    let mut world = World::new();
    world.keep_stores();
    let share = world.share("a");
    let vault = world.vault("v", ObjectType::Turbo, &[&share]).id;
    let backup = world.back_up(vault);
    let before = keys(&store(&world, vault));
    world.control.keep_up().unwrap();
    world.run();
    let pack = before.iter().find(|key| key.as_str().starts_with("packs/"));
    let until = store(&world, vault).retained_until(pack.unwrap()).unwrap();
    assert_eq!(until, None);
    lock(&world, vault);
    let until = store(&world, vault).retained_until(pack.unwrap()).unwrap();
    assert!(until.is_some());
    restores(&world, &backup);
}

/// The first object of a kind.
fn first(store: &Store, kind: &str) -> Key {
    let found = keys(store).into_iter();
    let mut of_kind = found.filter(|key| key.as_str().starts_with(kind));
    of_kind.next().unwrap()
}

#[test]
fn the_lock_of_a_backup_without_an_end_is_extended_for_as_long_as_it_is_there() {
    let (world, vault, _) = scene();
    let store = store(&world, vault);
    for _ in 0..8 {
        world.clock.advance_seconds(10 * DAY);
        world.control.keep_up().unwrap();
        world.run();
        for kind in ["packs/", "manifests/", "keys/"] {
            let refused = store.delete(&first(&store, kind)).unwrap_err();
            assert_eq!(refused.kind, ErrorKind::Retained);
        }
    }
}

#[test]
fn a_lock_at_the_store_ends_with_the_backup_and_nothing_stays() {
    let mut world = World::new();
    world.keep_stores();
    let share = world.share("a");
    let vault = world.vault("v", ObjectType::Turbo, &[&share]).id;
    let backup = world.back_up(vault);
    let day = NewExpiry {
        vault_id: vault,
        day: "2026-01-20".into(),
        zone: "UTC+00:00".into(),
    };
    world.control.set_expiry(&world.alice, &day).unwrap();
    lock(&world, vault);
    let store = store(&world, vault);
    let expired = world.backups(&BackupFilter::default())[0].expired_at;
    let until = store.retained_until(&first(&store, "packs/")).unwrap();
    assert_eq!(
        until.map(Timestamp::as_seconds),
        expired.map(Timestamp::as_seconds)
    );
    let before = world.clock.now();
    world
        .clock
        .advance_seconds(expired.unwrap().as_seconds() - before.as_seconds() - 1);
    let refused = store.delete(&first(&store, "packs/")).unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Retained);
    restores(&world, &backup);
    world.clock.advance_seconds(2);
    for _ in 0..3 {
        world.control.keep_up().unwrap();
        world.run_for_long();
        world.clock.advance_seconds(DAY);
    }
    assert_eq!(world.backups(&BackupFilter::default()).len(), 0);
    let data =
        |key: &Key| ["packs/", "parity/", "manifests/"].map(|kind| key.as_str().starts_with(kind));
    let left: Vec<_> = keys(&store)
        .into_iter()
        .filter(|key| data(key).contains(&true))
        .collect();
    assert_eq!(left, []);
}

#[test]
fn what_a_lock_keeps_although_nothing_needs_it_goes_when_the_lock_ends() {
    let (world, vault, backup) = scene();
    let store = store(&world, vault);
    let pack = first(&store, "packs/");
    // As when a policy lets a backup go that was retained ahead.
    world.forget_row(&backup);
    let record = store.get(&Key::new(RECORD_PATH).unwrap()).unwrap();
    let master = MasterKey::from_hex(&"5a".repeat(32)).unwrap();
    let key = master.open_record(&record).unwrap().key();
    let repository = Repository::open(store.clone(), &Unlock::Key(key)).unwrap();
    let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(1));
    for id in repository.manifests().unwrap() {
        repository.forget(&id, &*entropy).unwrap();
    }
    let free = || {
        let options = CollectOptions::default();
        let progress = Progress::default();
        collect(&repository, &options, &progress, &entropy).unwrap()
    };
    let kept = free();
    assert!(kept.retained > 1, "{kept:?}");
    assert_eq!(
        (
            kept.packs_removed,
            kept.bytes_removed,
            kept.manifests_removed
        ),
        (0, 0, 0)
    );
    store.get(&pack).unwrap();
    assert_eq!(repository.manifests().unwrap(), []);
    world.clock.advance_seconds(31 * DAY);
    let freed = free();
    assert!(
        freed.packs_removed > 0 && freed.bytes_removed > 0,
        "{freed:?}"
    );
    assert_eq!((freed.retained, freed.manifests_removed), (0, 1));
    assert_eq!(store.get(&pack).unwrap_err().kind, ErrorKind::NotFound);
}

#[test]
fn a_store_without_locks_is_left_alone() {
    let world = World::new();
    let share = world.share("a");
    let vault = world.vault("v", ObjectType::Turbo, &[&share]).id;
    lock(&world, vault);
    let backup = world.back_up(vault);
    for _ in 0..2 {
        world.control.keep_up().unwrap();
        world.run();
    }
    restores(&world, &backup);
}
