//! Copies in another region: whole without their originals, only what is missing is stored, and
//! what goes wrong on the way leaves no half a replica and no lost original.

use std::fs;

use strongroom_catalog::ReplicationStatus;
use strongroom_control::{
    Caller, Page, Reason, Resource, Result, Vault,
    backups::{Backup, BackupFilter, BackupSort},
    checkpoints::NewCheckpoint,
    import::{Found, Rebuilt},
    operation_logs::{OperationDetail, OperationLog, OperationLogFilter},
    policies::{Definition, NewPolicy, VaultPolicy},
    replication::{Destination, ExternalFilter, NewCopy, NewVaultCopy, Ordered, Replication},
    restores::RestoreTarget,
    vaults::{NewVault, VaultChange},
    words::{ImageType, ObjectType, OperationType, PolicyType, ProtectType},
};
use strongroom_model::{
    BackupId, Bytes, Clock as _, GiB, PolicyId, VaultId,
    state::{BackupStatus, CheckpointStatus, TaskStatus},
};
use strongroom_store::{
    ErrorKind,
    fault::{Fault, Rule},
};

use crate::{
    crash::{at_each_call, survive},
    world::{FAR, World, manifests_in, refused},
};

/// A vault for copies, in the other region.
fn far_vault(world: &World, object_type: ObjectType) -> Vault {
    let new = NewVault {
        protect_type: ProtectType::Replication,
        ..NewVault::new("far", object_type, GiB(10))
    };
    world.control.create_vault(&world.alice, new).unwrap()
}

/// A share in a vault with one backup, and a vault for copies in the other region.
struct Scene {
    world: World,
    share: Resource,
    vault: VaultId,
    backup: Backup,
    far: VaultId,
}

fn scene() -> Scene {
    let world = World::new();
    let share = world.share("a");
    let vault = world.vault("v", ObjectType::Turbo, &[&share]).id;
    let far = far_vault(&world, ObjectType::Turbo).id;
    Scene {
        backup: world.back_up(vault),
        world,
        share,
        vault,
        far,
    }
}

fn to(who: &Caller, vault: VaultId) -> Destination {
    Destination {
        region: FAR.to_owned(),
        project: who.project_id.unwrap().to_string(),
        vault,
    }
}

fn new_copy(world: &World, backup: &Backup, vault: VaultId) -> NewCopy {
    NewCopy {
        backup_id: backup.id,
        destination: to(&world.alice, vault),
        name: None,
        description: None,
    }
}

fn copy(world: &World, backup: &Backup, vault: VaultId) -> Result<Ordered> {
    let new = new_copy(world, backup, vault);
    world.clock.advance_seconds(1);
    world.control.copy_backup(&world.alice, &new)
}

fn copies_of(world: &World, backup: &Backup) -> Vec<Replication> {
    let shown = world.control.show_backup(&world.alice, backup.id).unwrap();
    shown.replications.unwrap_or_default()
}

fn replicas(world: &World, vault: VaultId) -> Vec<Backup> {
    world.backups(&BackupFilter {
        vault_id: Some(vault),
        ..BackupFilter::default()
    })
}

fn tasks(world: &World) -> Vec<OperationLog> {
    let filter = OperationLogFilter {
        operation_type: Some(OperationType::Replication),
        ..OperationLogFilter::default()
    };
    let page = Page::default();
    let listed = world
        .control
        .list_operation_logs(&world.alice, &filter, &page);
    listed.unwrap().items
}

fn lose_the_near_region(world: &World) {
    fs::remove_dir_all(world.dir.path().join("data/repositories")).unwrap();
}

fn restores(world: &World, backup: &Backup, name: &str, expected: &[u8]) {
    let out = world.dir.path().join("out");
    world
        .restore(backup.id, RestoreTarget::NewPath(out.clone()))
        .unwrap();
    assert!(fs::read(out.join(name)).unwrap() == expected);
    fs::remove_dir_all(out).unwrap();
}

#[test]
fn a_copy_restores_with_the_source_gone() {
    let Scene {
        world, backup, far, ..
    } = scene();

    let ordered = copy(&world, &backup, far).unwrap();
    assert_eq!(ordered.copies.len(), 1);
    let [waiting] = &*copies_of(&world, &backup) else {
        panic!("one record")
    };
    assert_eq!(waiting.status, ReplicationStatus::Waiting);
    assert_eq!(waiting.id, ordered.copies[0].1);
    world.run();

    let [done] = &*copies_of(&world, &backup) else {
        panic!("one record")
    };
    assert_eq!(done.status, ReplicationStatus::Success);
    assert_eq!((done.progress, &*done.destination_region), (100, FAR));
    let [replica] = &*replicas(&world, far) else {
        panic!("one replica")
    };
    assert_eq!(replica.status, BackupStatus::Available);
    assert_eq!(replica.replica_of, Some(backup.id));
    assert_eq!(replica.protected_at, backup.protected_at);
    assert_eq!(done.destination_backup_id, replica.id);
    let checkpoint = world
        .control
        .show_checkpoint(&world.alice, replica.checkpoint_id);
    assert_eq!(checkpoint.unwrap().status, CheckpointStatus::Available);
    let [task] = &*tasks(&world) else {
        panic!("one task")
    };
    assert_eq!(task.status, TaskStatus::Success);
    let OperationDetail::Replication(detail) = &task.detail else {
        panic!("{task:?}")
    };
    assert_eq!(detail.destination_backup_id, replica.id);
    let of_type = |image_type| {
        let filter = BackupFilter {
            image_type: Some(image_type),
            ..BackupFilter::default()
        };
        world.backups(&filter)
    };
    assert_eq!(of_type(ImageType::Replication)[0].id, replica.id);
    assert_eq!(of_type(ImageType::Backup)[0].id, backup.id);
    let shown = world.control.show_vault(&world.alice, far).unwrap();
    let report = world.control.backup_report(&world.alice, replica.id);
    assert_eq!(shown.used, report.unwrap().stored);

    lose_the_near_region(&world);
    restores(&world, replica, "hello.txt", b"hello from a");
}

#[test]
fn a_second_copy_stores_only_what_is_missing() {
    let world = World::new();
    let disk = world.volume("d", 1 << 22);
    world.scribble("d", 1);
    let vault = world.vault("v", ObjectType::Disk, &[&disk]).id;
    let far = far_vault(&world, ObjectType::Disk).id;
    let first = world.back_up(vault);
    copy(&world, &first, far).unwrap();
    world.run();
    let mut bytes = fs::read(world.file("d")).unwrap();
    bytes[1 << 21] ^= 1;
    fs::write(world.file("d"), &bytes).unwrap();
    let second = world.back_up(vault);
    copy(&world, &second, far).unwrap();
    world.run();
    let stored = |backup: &Backup| {
        let report = world.control.backup_report(&world.alice, backup.id);
        report.unwrap().stored.0
    };
    let [newer, older] = &*replicas(&world, far) else {
        panic!("two replicas")
    };
    assert!(stored(older) > 1 << 22, "{}", stored(older));
    assert!(stored(newer) < 1 << 18, "{}", stored(newer));
    lose_the_near_region(&world);
    let out = world.dir.path().join("out");
    let target = RestoreTarget::NewPath(out.clone());
    world.restore(newer.id, target).unwrap();
    assert!(fs::read(out).unwrap() == bytes);
}

#[test]
fn the_newest_backup_of_each_resource_is_copied_with_its_vault() {
    let world = World::new();
    let (a, b) = (world.share("a"), world.share("b"));
    let vault = world.vault("v", ObjectType::Turbo, &[&a, &b]).id;
    let far = far_vault(&world, ObjectType::Turbo).id;
    let new = NewVaultCopy {
        vault_id: vault,
        destination: to(&world.alice, far),
        auto_trigger: false,
    };
    let copy = || {
        world.clock.advance_seconds(1);
        world.control.copy_checkpoint(&world.alice, &new)
    };
    assert_eq!(refused(copy()), Reason::NothingToBackUp);
    let back_up = || {
        world.clock.advance_seconds(1);
        let new = NewCheckpoint::of(vault);
        world.control.create_checkpoint(&world.alice, new).unwrap();
        world.run();
    };
    back_up();
    back_up();
    let ordered = copy().unwrap();
    let newest: Vec<_> = ordered.copies.iter().map(|(backup, _)| *backup).collect();
    let made = world.backups(&BackupFilter {
        vault_id: Some(vault),
        ..BackupFilter::default()
    });
    assert_eq!(newest.len(), 2);
    assert!(
        newest
            .iter()
            .all(|id| made[..2].iter().any(|one| one.id == *id))
    );
    assert_eq!(refused(copy()), Reason::CopiedAlready);
    world.run();
    assert_eq!(refused(copy()), Reason::CopiedAlready);
    let copies = replicas(&world, far);
    assert_eq!(copies.len(), 2);
    assert_eq!(copies[0].checkpoint_id, copies[1].checkpoint_id);
    lose_the_near_region(&world);
    for replica in &copies {
        let expected = format!("hello from {}", replica.resource_name);
        restores(&world, replica, "hello.txt", expected.as_bytes());
    }
}

#[test]
fn what_makes_no_sense_as_a_copy_is_refused() {
    let world = World::new();
    let share = world.share("a");
    let vault = world.vault("v", ObjectType::Turbo, &[&share]).id;
    let far = far_vault(&world, ObjectType::Turbo).id;
    let other_kind = far_vault(&world, ObjectType::Disk).id;
    let near_vault = world.vault("w", ObjectType::Turbo, &[]).id;
    let new = NewVault {
        availability_zone: Some(FAR.into()),
        ..NewVault::new("b", ObjectType::Turbo, GiB(10))
    };
    let far_for_backups = world.control.create_vault(&world.alice, new).unwrap().id;
    let backup = world.back_up(vault);
    let wanted = new_copy(&world, &backup, far);
    let try_with = |edit: &dyn Fn(&mut NewCopy)| {
        let mut new = wanted.clone();
        edit(&mut new);
        refused(world.control.copy_backup(&world.alice, &new))
    };
    for (reason, edit) in [
        (
            Reason::NoReplicationTarget,
            &(|new: &mut NewCopy| new.destination.vault = vault) as &dyn Fn(&mut NewCopy),
        ),
        (Reason::RegionTakesNoCopies, &|new| {
            new.destination.region = "local".into();
        }),
        (Reason::RegionTakesNoCopies, &|new| {
            new.destination.region = "atlantis".into();
        }),
        (Reason::ProjectTakesNoCopies, &|new| {
            new.destination.project = world.mallory.project_id.unwrap().to_string();
        }),
        (Reason::ProjectTakesNoCopies, &|new| {
            new.destination.project = "nobody".into();
        }),
        (Reason::NoSuchTargetVault, &|new| {
            new.destination.vault = VaultId::from_bytes(*world.nothing().as_bytes());
        }),
        (Reason::NoSuchTargetVault, &|new| {
            new.destination.vault = near_vault;
        }),
        (Reason::NoReplicationTarget, &|new| {
            new.destination.vault = far_for_backups;
        }),
        (Reason::VaultTakesOtherType, &|new| {
            new.destination.vault = other_kind;
        }),
    ] {
        assert_eq!(try_with(edit), reason);
    }
    world.set_used(far, GiB(10).bytes());
    assert_eq!(try_with(&|_| {}), Reason::TargetVaultFull);
    world.set_used(far, Bytes(0));

    copy(&world, &backup, far).unwrap();
    assert_eq!(try_with(&|_| {}), Reason::CopiedAlready);
    world.run();
    assert_eq!(try_with(&|_| {}), Reason::CopiedAlready);
    // A replica goes no further, and a backup that is being made does not go yet.
    let replica = replicas(&world, far).remove(0);
    let again = new_copy(&world, &replica, vault);
    let again = world.control.copy_backup(&world.alice, &again);
    assert_eq!(refused(again), Reason::VaultKindForbidsReplication);
    world.clock.advance_seconds(1);
    let new = NewCheckpoint::of(vault);
    let made = world.control.create_checkpoint(&world.alice, new).unwrap();
    let unfinished = new_copy(&world, &world.backup_of(made.id), far);
    let unfinished = world.control.copy_backup(&world.alice, &unfinished);
    assert_eq!(refused(unfinished), Reason::BackupNotReady);
    assert_eq!(tasks(&world).len(), 1, "what was refused left nothing");
}

#[test]
fn while_a_copy_is_made_neither_end_of_it_is_deleted() {
    let Scene {
        world,
        share,
        vault,
        backup,
        far,
    } = scene();
    copy(&world, &backup, far).unwrap();
    let c = &world.control;
    let alice = &world.alice;
    assert_eq!(
        refused(c.delete_backup(alice, backup.id)),
        Reason::BackupInUse
    );
    assert_eq!(
        refused(c.delete_vault(alice, vault)),
        Reason::VaultReplicating
    );
    assert_eq!(
        refused(c.delete_vault(alice, far)),
        Reason::VaultNotDeletable
    );
    let removal = c.remove_vault_resources(alice, vault, vec![share.id]);
    assert_eq!(refused(removal), Reason::VaultReplicating);
    world.run();
    // After it each goes by itself, and the other stays.
    c.delete_vault(alice, vault).unwrap();
    world.run();
    let [replica] = &*replicas(&world, far) else {
        panic!("one replica")
    };
    restores(&world, replica, "hello.txt", b"hello from a");
    c.delete_vault(alice, far).unwrap();
    world.run();
    assert!(world.vaults().is_empty());
    let mut left = 0;
    let count = &mut |_, _| {
        left += 1;
        Ok(())
    };
    world.far_store(far).list("", count).unwrap();
    assert_eq!(left, 0);
}

#[test]
fn a_replica_that_was_deleted_can_be_made_again() {
    let Scene {
        world, backup, far, ..
    } = scene();
    copy(&world, &backup, far).unwrap();
    world.run();
    let first = replicas(&world, far).remove(0);
    world.control.delete_backup(&world.alice, first.id).unwrap();
    world.run();
    assert!(replicas(&world, far).is_empty());
    copy(&world, &backup, far).unwrap();
    world.run();
    let second = replicas(&world, far).remove(0);
    assert_ne!(second.id, first.id);
    restores(&world, &second, "hello.txt", b"hello from a");
}

#[test]
fn a_copy_that_does_not_fit_leaves_a_record_and_nothing_else() {
    let world = World::new();
    let disk = world.volume("d", 1 << 22);
    world.scribble("d", 1);
    let vault = world.vault("v", ObjectType::Disk, &[&disk]).id;
    let far = far_vault(&world, ObjectType::Disk).id;
    let backup = world.back_up(vault);
    world.set_used(far, Bytes(GiB(10).bytes().0 - (1 << 20)));
    copy(&world, &backup, far).unwrap();
    world.run_for_long();
    let [failed] = &*copies_of(&world, &backup) else {
        panic!("one record")
    };
    assert_eq!(failed.status, ReplicationStatus::Fail);
    assert_eq!(
        failed.failure.as_ref().map(|(reason, _)| *reason),
        Some(Reason::TargetVaultFull)
    );
    assert_eq!(tasks(&world)[0].status, TaskStatus::Failed);
    assert!(replicas(&world, far).is_empty());
    assert_eq!(manifests_in(world.far_store(far), far), 0);
    // With room it is made.
    let larger = VaultChange {
        size: Some(GiB(20)),
        ..VaultChange::default()
    };
    world
        .control
        .update_vault(&world.alice, far, larger)
        .unwrap();
    copy(&world, &backup, far).unwrap();
    world.run_for_long();
    assert_eq!(replicas(&world, far).len(), 1);
}

#[test]
fn a_copy_of_damaged_data_fails_and_says_what_is_lost() {
    let Scene {
        world,
        vault,
        backup,
        far,
        ..
    } = scene();
    world.lose_packs(vault);
    copy(&world, &backup, far).unwrap();
    world.run_for_long();
    let failed = copies_of(&world, &backup).remove(0);
    let (reason, message) = failed.failure.unwrap();
    assert_eq!(reason, Reason::DataDamaged, "{message}");
    assert!(replicas(&world, far).is_empty());
}

#[test]
fn a_lost_catalog_finds_replicas_again_and_whose_they_are() {
    let Scene {
        mut world,
        vault,
        backup,
        far,
        ..
    } = scene();
    copy(&world, &backup, far).unwrap();
    world.run();
    let replica = replicas(&world, far).remove(0);
    world.lose_catalog();
    for (vault, region) in [(vault, None), (far, Some(FAR.to_owned()))] {
        let found = Found { vault, region };
        let rebuilt = world.control.rebuild_vault(&found).unwrap();
        let Rebuilt::Back { brought, .. } = rebuilt else {
            panic!("{rebuilt:?}")
        };
        assert_eq!((brought.new, brought.lost.len()), (1, 0));
    }
    world.run();
    let [back] = &*replicas(&world, far) else {
        panic!("one replica")
    };
    assert_eq!((back.id, back.replica_of), (replica.id, Some(backup.id)));
    assert_eq!(back.status, BackupStatus::Available);
    assert_eq!(back.protected_at, replica.protected_at);
    let [told] = &*copies_of(&world, &backup) else {
        panic!("one record")
    };
    assert_eq!(told.status, ReplicationStatus::Success);
    assert_eq!(told.destination_backup_id, replica.id);
    assert_eq!(refused(copy(&world, &backup, far)), Reason::CopiedAlready);
    lose_the_near_region(&world);
    restores(&world, back, "hello.txt", b"hello from a");
}

#[test]
fn regions_and_their_vaults_are_told() {
    let world = World::new();
    let far = far_vault(&world, ObjectType::Turbo).id;
    let near = world.vault("v", ObjectType::Turbo, &[]).id;
    let regions = world.control.replication_regions(&world.alice).unwrap();
    let names: Vec<_> = regions.iter().map(|region| &*region.name).collect();
    assert_eq!(names, ["local", FAR]);
    assert_eq!(regions[0].destinations, [FAR]);
    let project = world.alice.project_id.unwrap().to_string();
    let listed = |who: &Caller, region: &str, filter: &ExternalFilter| {
        let page = Page::default();
        let listed = world
            .control
            .list_external_vaults(who, (region, &project), filter, &page)?;
        let ids = listed.items.iter().map(|vault| vault.id);
        Ok::<_, strongroom_control::Error>(ids.collect::<Vec<_>>())
    };
    let all = ExternalFilter::default();
    assert_eq!(listed(&world.alice, FAR, &all).unwrap(), [far]);
    assert_eq!(listed(&world.alice, "local", &all).unwrap(), [near]);
    let backups = ExternalFilter {
        protect_type: Some(ProtectType::Backup),
        ..all.clone()
    };
    assert_eq!(listed(&world.alice, FAR, &backups).unwrap(), []);
    let unknown = listed(&world.alice, "atlantis", &all);
    assert_eq!(refused(unknown), Reason::RegionTakesNoCopies);
    let stranger = listed(&world.mallory, FAR, &all);
    assert_eq!(refused(stranger), Reason::ProjectTakesNoCopies);
}

#[test]
fn a_stranger_sees_neither_replica_nor_record() {
    let Scene {
        world, backup, far, ..
    } = scene();
    copy(&world, &backup, far).unwrap();
    world.run();
    let replica = replicas(&world, far).remove(0);
    let shown = world.control.show_backup(&world.mallory, replica.id);
    assert_eq!(refused(shown), Reason::NoSuchBackup);
    let filter = BackupFilter {
        with_replications: true,
        ..BackupFilter::default()
    };
    let (sort, page) = (BackupSort::default(), Page::default());
    let listed = world
        .control
        .list_backups(&world.mallory, &filter, &sort, &page);
    assert_eq!(listed.unwrap().total, 0);
}

#[test]
fn a_copy_survives_a_crash_at_any_moment() {
    let Scene {
        world, backup, far, ..
    } = scene();
    let act = |world: &World| {
        let new = new_copy(world, &backup, far);
        world.control.copy_backup(&world.alice, &new).unwrap();
    };
    survive(world, act, |world| {
        // Nothing if the process died before the order was taken.
        for task in tasks(world) {
            assert_eq!(task.status, TaskStatus::Success, "{task:?}");
        }
        let copies = copies_of(world, &backup);
        let found = replicas(world, far);
        assert_eq!(
            (copies.len(), found.len()),
            (tasks(world).len(), copies.len())
        );
        let manifests = if found.is_empty() {
            0
        } else {
            manifests_in(world.far_store(far), far)
        };
        assert_eq!(manifests, found.len(), "one manifest for each replica");
        for (replica, record) in found.iter().zip(&copies) {
            assert_eq!(replica.status, BackupStatus::Available);
            assert_eq!(record.status, ReplicationStatus::Success);
            let report = world.control.backup_report(&world.alice, replica.id);
            let shown = world.control.show_vault(&world.alice, far).unwrap();
            assert_eq!(shown.used, report.unwrap().stored);
            restores(world, replica, "hello.txt", b"hello from a");
        }
        restores(world, &backup, "hello.txt", b"hello from a");
    });
}

#[test]
fn a_store_that_fails_at_any_call_delays_a_copy_or_fails_it_cleanly() {
    at_each_call(fail_at);
}

/// Copies with stores whose `n`th call fails; how many calls there were.
fn fail_at(call: u64, kind: ErrorKind) -> u64 {
    let Scene {
        world, backup, far, ..
    } = scene();
    let before = world.faults.calls();
    world.faults.add(Rule::call(call), Fault::Refuse(kind));
    copy(&world, &backup, far).unwrap();
    world.run_for_long();
    world.faults.heal();
    let calls = world.faults.calls() - before;
    let record = copies_of(&world, &backup).remove(0);
    match record.status {
        ReplicationStatus::Success => {}
        ReplicationStatus::Fail => {
            assert_ne!(kind, ErrorKind::Unavailable, "that would have passed");
            assert!(replicas(&world, far).is_empty());
            copy(&world, &backup, far).unwrap();
            world.run_for_long();
        }
        other => panic!("call {call} of {calls}, {kind:?}: {other:?}"),
    }
    let [replica] = &*replicas(&world, far) else {
        panic!("call {call}: one replica")
    };
    restores(&world, replica, "hello.txt", b"hello from a");
    restores(&world, &backup, "hello.txt", b"hello from a");
    calls
}

const DAY: i64 = 24 * 3600;

/// A vault with a share, backed up by hand, whose backups are copied each night by that rule.
fn nightly(world: &World, definition: Definition) -> (VaultId, VaultId, PolicyId) {
    let into_day = world.clock.now().as_seconds().rem_euclid(DAY);
    world.clock.advance_seconds(DAY - into_day);
    let share = world.share("a");
    let vault = world.vault("v", ObjectType::Turbo, &[&share]).id;
    let far = far_vault(world, ObjectType::Turbo).id;
    let new = NewPolicy {
        operation_type: PolicyType::Replication,
        definition: Definition {
            destination_region: Some(FAR.into()),
            destination_project_id: world.alice.project_id.map(|id| id.to_string()),
            ..definition
        },
        ..NewPolicy::new("nightly", &["FREQ=DAILY;BYHOUR=1;BYMINUTE=0"])
    };
    let policy = world.control.create_policy(&world.alice, new).unwrap().id;
    bind(world, vault, policy, far).unwrap();
    world.control.schedule_round().unwrap();
    (vault, far, policy)
}

fn bind(world: &World, vault: VaultId, policy: PolicyId, far: VaultId) -> Result<Vec<VaultPolicy>> {
    let asked = VaultPolicy {
        vault_id: vault,
        policy_id: policy,
        destination_vault_id: Some(far),
    };
    world
        .control
        .associate_vault_policies(&world.alice, &[asked])
}

/// Goes on by a day in steps that the clock's ledger believes, with the rounds of scheduler and
/// retention.
fn one_day(world: &World) {
    for _ in 0..48 {
        world.clock.advance_seconds(1800);
        world.control.schedule_round().unwrap();
        world.run();
        world.control.keep_up().unwrap();
        world.run();
    }
}

/// The originals of the replicas that are there, the newest first.
fn originals_there(world: &World, far: VaultId) -> Vec<BackupId> {
    let mut there = replicas(world, far);
    there.sort_by_key(|replica| std::cmp::Reverse(replica.protected_at));
    there.iter().map(|one| one.replica_of.unwrap()).collect()
}

#[test]
fn a_policy_copies_each_night_what_is_not_there_and_keeps_what_its_own_rule_says() {
    let world = World::new();
    let two = Definition {
        max_backups: Some(2),
        ..Definition::default()
    };
    let (vault, far, _) = nightly(&world, two);
    let mut made = Vec::new();
    for _ in 0..4 {
        made.insert(0, world.back_up(vault).id);
        one_day(&world);
        let expected: Vec<_> = made.iter().take(2).copied().collect();
        assert_eq!(originals_there(&world, far), expected);
    }
    // Nothing new, nothing done; the originals stay by their own rule, which is none.
    let before = tasks(&world).len();
    one_day(&world);
    assert_eq!(tasks(&world).len(), before);
    assert_eq!(world.manifests(vault), 4);
    let replica = replicas(&world, far).remove(0);
    assert!(replica.auto_trigger);
    lose_the_near_region(&world);
    restores(&world, &replica, "hello.txt", b"hello from a");
}

#[test]
fn a_binding_of_an_old_catalog_gets_its_next_run_and_nothing_is_said_to_be_missed() {
    let world = World::new();
    let (vault, far, _) = nightly(&world, Definition::default());
    let backup = world.back_up(vault).id;
    world.forget_next_run(vault, strongroom_catalog::PolicyType::Replication);
    for _ in 0..3 {
        world.clock.advance_seconds(DAY / 48);
    }
    one_day(&world);
    assert_eq!(originals_there(&world, far), [backup]);
    let tasks = tasks(&world);
    assert!(tasks.iter().all(|task| task.error.is_none()), "{tasks:?}");
}

#[test]
fn what_the_rule_there_would_delete_at_once_is_not_copied() {
    let world = World::new();
    let days = Definition {
        retention_duration_days: Some(2),
        ..Definition::default()
    };
    let share = world.share("old");
    let old = world.vault("o", ObjectType::Turbo, &[&share]).id;
    world.back_up(old);
    let kept = world.back_up(old);
    for _ in 0..5 {
        one_day(&world);
    }
    let (_, far, policy) = nightly(&world, days);
    let newest = world.back_up(old);
    bind(&world, old, policy, far).unwrap();
    one_day(&world);
    assert_eq!(originals_there(&world, far), [newest.id]);
    for _ in 0..4 {
        one_day(&world);
    }
    // The last replica stays although its days are over, and the old ones were never copied.
    assert_eq!(originals_there(&world, far), [newest.id]);
    assert!(copies_of(&world, &kept).is_empty());
}

#[test]
fn a_run_that_cannot_copy_says_why_and_the_next_makes_up_for_it() {
    let world = World::new();
    let (vault, far, _) = nightly(&world, Definition::default());
    let backup = world.back_up(vault);
    world.set_used(far, GiB(10).bytes());
    one_day(&world);
    let [failed] = &*tasks(&world) else {
        panic!("one task")
    };
    assert_eq!(failed.status, TaskStatus::Failed);
    let reason = failed.error.as_ref().map(|error| error.reason);
    assert_eq!(reason, Some(Reason::TargetVaultFull));
    world.set_used(far, Bytes(0));
    one_day(&world);
    assert_eq!(originals_there(&world, far), [backup.id]);
}

#[test]
fn a_policy_is_bound_only_where_it_can_copy_to() {
    let world = World::new();
    let (vault, far, policy) = nightly(&world, Definition::default());
    let other_kind = far_vault(&world, ObjectType::Disk).id;
    for (reason, to) in [
        (Reason::NoReplicationTarget, vault),
        (Reason::VaultTakesOtherType, other_kind),
        (
            Reason::NoSuchTargetVault,
            VaultId::from_bytes(*world.nothing().as_bytes()),
        ),
    ] {
        assert_eq!(refused(bind(&world, vault, policy, to)), reason);
    }
    let refusal = bind(&world, far, policy, far);
    assert_eq!(refused(refusal), Reason::VaultKindForbidsReplication);
    let nowhere = NewPolicy {
        operation_type: PolicyType::Replication,
        definition: Definition {
            destination_region: Some("atlantis".into()),
            destination_project_id: world.alice.project_id.map(|id| id.to_string()),
            ..Definition::default()
        },
        ..NewPolicy::new("nowhere", &["FREQ=DAILY;BYHOUR=1;BYMINUTE=0"])
    };
    let nowhere = world.control.create_policy(&world.alice, nowhere).unwrap();
    let refusal = bind(&world, vault, nowhere.id, far);
    assert_eq!(refused(refusal), Reason::RegionTakesNoCopies);
}

#[test]
fn a_failure_is_forgotten_with_its_task_and_a_success_is_not() {
    let world = World::new();
    let share = world.share("a");
    let vault = world.vault("v", ObjectType::Turbo, &[&share]).id;
    let far = far_vault(&world, ObjectType::Turbo).id;
    let (good, bad) = (world.back_up(vault), world.back_up(vault));
    copy(&world, &good, far).unwrap();
    world.run();
    world.lose_packs(vault);
    copy(&world, &bad, far).unwrap();
    world.run_for_long();
    assert_eq!(copies_of(&world, &bad).len(), 1);
    world.clock.advance_seconds(31 * DAY);
    world.control.keep_up().unwrap();
    assert!(copies_of(&world, &bad).is_empty());
    assert_eq!(copies_of(&world, &good).len(), 1);
}
