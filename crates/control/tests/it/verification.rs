//! Checks: what is whole is proven, what can be healed is healed, what is lost is said aloud.

use strongroom_control::{
    Page,
    backups::{Backup, BackupFilter},
    freshness::Which,
    operation_logs::OperationLogFilter,
    replication::{Destination, NewCopy},
    restores::RestoreTarget,
    vaults::NewVault,
    verification::{Terms, Verified},
    words::{ObjectType, ProtectType},
};
use strongroom_model::{GiB, VaultId, state::TaskStatus};
use strongroom_store::{
    ErrorKind, Operation, Store,
    fault::{Fault, Rule},
};

use crate::{
    crash::survive,
    world::{FAR, World, manifests_in},
};

const DAY: i64 = 24 * 3600;

const fn within(days: u32) -> Terms {
    Terms { days, rate: None }
}

/// Orders what is due and does it; how many parts there were.
fn verify(world: &World, days: u32) -> u64 {
    world.clock.advance_seconds(1);
    let ordered = world.control.verification_round(within(days)).unwrap();
    world.run_for_long();
    ordered
}

fn verdict(world: &World, backup: &Backup) -> Option<Verified> {
    let report = world.control.backup_report(&world.alice, backup.id);
    report.unwrap().verified
}

fn is_whole(world: &World, backup: &Backup) -> bool {
    verdict(world, backup).is_some_and(|verified| verified.problem.is_none())
}

/// The alarms about damage that hold after a round of the watchdog.
fn alarms(world: &World) -> Vec<String> {
    world.control.watch_round().unwrap();
    let open = world
        .control
        .alarms(&world.alice, Which::Open, &Page::default());
    let damaged = open.unwrap().items.into_iter();
    damaged
        .filter(|alarm| alarm.kind == "damaged")
        .map(|alarm| alarm.message)
        .collect()
}

fn lose(store: &Store, prefix: &str) {
    let mut found = Vec::new();
    store
        .list(prefix, &mut |key, _| {
            found.push(key);
            Ok(())
        })
        .unwrap();
    assert!(!found.is_empty(), "{prefix}");
    for key in found {
        store.delete(&key).unwrap();
    }
}

fn restores(world: &World, backup: &Backup) {
    let out = world.dir.path().join("out");
    world
        .restore(backup.id, RestoreTarget::NewPath(out.clone()))
        .unwrap();
    let text = std::fs::read(out.join("hello.txt")).unwrap();
    assert_eq!(text, b"hello from a");
    std::fs::remove_dir_all(out).unwrap();
}

/// A share in a vault with one backup.
fn scene() -> (World, VaultId, Backup) {
    let world = World::new();
    let share = world.share("a");
    let vault = world.vault("v", ObjectType::Turbo, &[&share]).id;
    let backup = world.back_up(vault);
    (world, vault, backup)
}

/// The same with a replica in the other region.
fn with_replica() -> (World, VaultId, Backup, VaultId, Backup) {
    let (world, vault, backup) = scene();
    let new = NewVault {
        protect_type: ProtectType::Replication,
        ..NewVault::new("far", ObjectType::Turbo, GiB(10))
    };
    let far = world.control.create_vault(&world.alice, new).unwrap().id;
    let copy = NewCopy {
        backup_id: backup.id,
        destination: Destination {
            region: FAR.to_owned(),
            project: world.alice.project_id.unwrap().to_string(),
            vault: far,
        },
        name: None,
        description: None,
    };
    world.control.copy_backup(&world.alice, &copy).unwrap();
    world.run();
    let filter = BackupFilter {
        vault_id: Some(far),
        ..BackupFilter::default()
    };
    let replica = world.backups(&filter).remove(0);
    (world, vault, backup, far, replica)
}

#[test]
fn a_whole_backup_is_proven_once_a_round_and_not_before_its_end() {
    let (world, vault, first) = scene();
    assert_eq!(world.control.verification_round(within(0)).unwrap(), 0);
    assert_eq!(verify(&world, 3), 1);
    assert_eq!(verify(&world, 3), 0, "one part a day");
    assert_eq!(verdict(&world, &first), None);
    let late = world.back_up(vault);
    for _ in 0..2 {
        world.clock.advance_seconds(DAY);
        assert_eq!(verify(&world, 3), 1);
    }
    assert!(is_whole(&world, &first));
    assert_eq!(verdict(&world, &late), None, "parts of it may be unread");
    let fresh = world.control.freshness(&world.alice, &Page::default());
    assert!(fresh.unwrap()[0].last_verified_at.is_some());
    for _ in 0..3 {
        world.clock.advance_seconds(DAY);
        verify(&world, 3);
    }
    assert!(is_whole(&world, &late));
    assert_eq!(alarms(&world), Vec::<String>::new());
    assert!(world.control.check_sums().unwrap().packs > 0);
}

#[test]
fn what_nothing_can_heal_is_said_of_the_backup_and_of_its_vault() {
    let (world, vault, backup) = scene();
    lose(&world.store(vault), "packs/");
    verify(&world, 1);
    let problem = verdict(&world, &backup).unwrap().problem.unwrap();
    assert!(!problem.is_empty());
    assert_eq!(alarms(&world).len(), 1);
    assert_eq!(world.control.check_sums().unwrap().damaged_backups, 1);
    // It goes with the backup.
    world
        .control
        .delete_backup(&world.alice, backup.id)
        .unwrap();
    world.run_for_long();
    world.clock.advance_seconds(DAY);
    verify(&world, 1);
    assert_eq!(world.control.check_sums().unwrap().damaged_backups, 0);
}

#[test]
fn a_manifest_that_the_catalog_knows_and_the_repository_has_not_is_an_alarm_at_once() {
    let (world, vault, backup) = scene();
    lose(&world.store(vault), "manifests/");
    // The first of many parts, and yet it is noticed.
    verify(&world, 30);
    let alarms = alarms(&world);
    assert_eq!(alarms.len(), 1, "{alarms:?}");
    assert!(verdict(&world, &backup).unwrap().problem.is_some());
}

#[test]
fn an_original_is_healed_from_its_replica() {
    let (world, vault, backup, ..) = with_replica();
    let before = world.manifests(vault);
    lose(&world.store(vault), "packs/");
    verify(&world, 1);
    assert_eq!(alarms(&world), Vec::<String>::new());
    assert!(is_whole(&world, &backup));
    assert!(world.control.check_sums().unwrap().healed > 0);
    assert_eq!(
        world.manifests(vault),
        before,
        "nothing is left of the healing"
    );
    restores(&world, &backup);
}

#[test]
fn a_replica_is_healed_from_its_original() {
    let (world, _, _, far, replica) = with_replica();
    lose(&world.far_store(far), "packs/");
    verify(&world, 1);
    assert_eq!(alarms(&world), Vec::<String>::new());
    assert!(is_whole(&world, &replica));
    assert_eq!(manifests_in(world.far_store(far), far), 1);
    restores(&world, &replica);
}

/// Changes a byte in the middle of every object there.
fn spoil(store: &Store, prefix: &str) {
    let mut found = Vec::new();
    store
        .list(prefix, &mut |key, _| {
            found.push(key);
            Ok(())
        })
        .unwrap();
    assert!(!found.is_empty(), "{prefix}");
    for key in found {
        let mut bytes = store.get(&key).unwrap().to_vec();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        store.delete(&key).unwrap();
        store.create_new(&key, &bytes).unwrap();
    }
}

type Harm = fn(&Store, &str);

#[test]
fn a_manifest_that_is_lost_or_damaged_comes_back_from_the_replica_or_the_original() {
    // That one is lost is noticed by the first of many parts; each is read once a round.
    for (name, harm, of_replica, days) in [
        ("original lost", lose as Harm, false, 30),
        ("original damaged", spoil, false, 1),
        ("replica lost", lose, true, 30),
        ("replica damaged", spoil, true, 1),
    ] {
        let (world, vault, original, far, replica) = with_replica();
        let (store, hit) = if of_replica {
            (world.far_store(far), &replica)
        } else {
            (world.store(vault), &original)
        };
        harm(&store, "manifests/");
        verify(&world, days);
        assert_eq!(alarms(&world), Vec::<String>::new(), "{name}");
        let sums = world.control.check_sums().unwrap();
        assert!(sums.healed > 0, "{name}: {sums:?}");
        for backup in [&original, &replica] {
            restores(&world, backup);
        }
        let report = world.control.backup_report(&world.alice, hit.id).unwrap();
        assert_eq!(&report.backup.children, &hit.children);
        assert_eq!(report.backup.resource_size, hit.resource_size);
        // A round that began after it came back proves it.
        for _ in 0..2 {
            world.clock.advance_seconds(DAY);
            verify(&world, 1);
        }
        assert!(is_whole(&world, hit));
        assert_eq!(world.manifests(vault), 1);
        assert_eq!(manifests_in(world.far_store(far), far), 1);
        // The other copy may go: what came back needs nothing of it.
        let other = if of_replica { &original } else { &replica };
        world.control.delete_backup(&world.alice, other.id).unwrap();
        world.run_for_long();
        restores(&world, hit);
    }
}

#[test]
fn a_damaged_manifest_whose_removal_fails_is_gone_after_the_next_check() {
    let (world, vault, backup, ..) = with_replica();
    spoil(&world.store(vault), "manifests/");
    let removal = Rule::on(Operation::Delete).under("manifests/").times(1);
    world.faults.add(removal, Fault::Refuse(ErrorKind::Other));
    verify(&world, 1);
    for _ in 0..2 {
        world.clock.advance_seconds(DAY);
        verify(&world, 1);
    }
    assert!(is_whole(&world, &backup));
    assert_eq!(world.manifests(vault), 1);
    restores(&world, &backup);
}

#[test]
fn what_came_back_is_found_by_a_catalog_that_is_made_anew() {
    let (mut world, vault, original, ..) = with_replica();
    lose(&world.store(vault), "manifests/");
    verify(&world, 1);
    world.lose_catalog();
    let known = crate::rebuild::rebuild(&world);
    assert_eq!(known.len(), 1, "{known:?}");
    restores(&world, &original);
}

#[test]
fn a_manifest_without_another_copy_stays_an_alarm_and_nothing_is_removed() {
    let (world, vault, backup) = scene();
    spoil(&world.store(vault), "manifests/");
    let before = world.objects(vault);
    verify(&world, 1);
    assert_eq!(alarms(&world).len(), 1);
    assert!(verdict(&world, &backup).unwrap().problem.is_some());
    assert_eq!(world.objects(vault), before);
}

#[test]
#[ignore = "nightly: hundreds of pictures of a check that brings a manifest back, two minutes"]
fn a_check_that_brings_a_manifest_back_survives_a_crash_at_any_moment() {
    let (world, vault, backup, ..) = with_replica();
    spoil(&world.store(vault), "manifests/");
    let act = |world: &World| {
        world.clock.advance_seconds(1);
        world.control.verification_round(within(1)).unwrap();
    };
    survive(world, act, |world| {
        verify(world, 1);
        world.clock.advance_seconds(DAY);
        verify(world, 1);
        assert!(is_whole(world, &backup));
        assert_eq!(world.manifests(vault), 1);
        restores(world, &backup);
    });
}

#[test]
fn a_damage_that_was_healed_ends_its_alarm() {
    let (world, vault, backup, far, _) = with_replica();
    lose(&world.store(vault), "packs/");
    // The other region cannot be reached when the damage is found.
    let place = world.dir.path().join("data").join(FAR);
    let aside = world.dir.path().join("aside");
    std::fs::rename(&place, &aside).unwrap();
    world.clock.advance_seconds(1);
    world.control.verification_round(within(1)).unwrap();
    for _ in 0..20 {
        world.run();
        world.clock.advance_seconds(600);
    }
    assert!(!alarms(&world).is_empty());
    assert!(!is_whole(&world, &backup));
    let _ = std::fs::remove_dir_all(&place);
    std::fs::rename(&aside, &place).unwrap();
    world.clock.advance_seconds(DAY);
    verify(&world, 1);
    assert_eq!(alarms(&world), Vec::<String>::new());
    assert!(is_whole(&world, &backup));
    restores(&world, &backup);
    assert_eq!(manifests_in(world.far_store(far), far), 1);
}

#[test]
fn a_vault_is_deleted_although_its_check_waits() {
    let (world, vault, _) = scene();
    world.clock.advance_seconds(1);
    world.control.verification_round(within(1)).unwrap();
    world.control.delete_vault(&world.alice, vault).unwrap();
    world.run_for_long();
    assert!(world.vaults().is_empty());
    assert_eq!(world.objects(vault), 0);
}

#[test]
#[ignore = "nightly: hundreds of pictures of a check that heals, two minutes"]
fn a_check_that_heals_survives_a_crash_at_any_moment() {
    let (world, vault, backup, ..) = with_replica();
    lose(&world.store(vault), "packs/");
    let act = |world: &World| {
        world.clock.advance_seconds(1);
        world.control.verification_round(within(1)).unwrap();
    };
    survive(world, act, |world| {
        // A crash before the order: the next round orders it.
        verify(world, 1);
        let log = world.control.list_operation_logs(
            &world.alice,
            &OperationLogFilter::default(),
            &Page::default(),
        );
        let all = log.unwrap().items;
        assert!(all.iter().all(|log| log.status == TaskStatus::Success));
        assert!(is_whole(world, &backup));
        restores(world, &backup);
    });
}
