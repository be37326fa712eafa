//! What goes wrong, and what is left afterwards: the error, the states, the untouched data.

use std::fs;

use strongroom_control::{
    Page, Reason,
    backups::BackupFilter,
    checkpoints::NewCheckpoint,
    operation_logs::{OperationFailure, OperationLogFilter},
    restores::{NewRestore, RestoreTarget},
    upkeep::Upkeep,
    vaults::{NewVault, VaultChange},
    words::{ObjectType, ProtectType},
};
use strongroom_model::{
    Bytes, GiB,
    state::{BackupStatus, CheckpointStatus, ProtectStatus, TaskStatus},
};
use strongroom_store::{
    ErrorKind, Operation,
    fault::{Fault, Rule},
};

use crate::world::{World, refused};

/// The failure of the newest task.
fn newest_failure(world: &World) -> OperationFailure {
    let filter = OperationLogFilter::default();
    let found = world
        .control
        .list_operation_logs(&world.alice, &filter, &Page::default())
        .unwrap();
    let log = &found.items[0];
    assert_eq!(log.status, TaskStatus::Failed);
    log.error.clone().unwrap()
}

#[test]
fn a_full_vault_takes_no_backup_unless_it_may_grow() {
    let world = World::new();
    let share = world.share("a");
    let vault = world.vault("v", ObjectType::Turbo, &[&share]);
    world.set_used(vault.id, GiB(10).bytes());
    let order = || {
        world
            .control
            .create_checkpoint(&world.alice, NewCheckpoint::of(vault.id))
    };
    assert_eq!(refused(order()), Reason::VaultFull);
    assert!(world.backups(&BackupFilter::default()).is_empty());
    let change = VaultChange {
        auto_expand: Some(true),
        ..VaultChange::default()
    };
    world
        .control
        .update_vault(&world.alice, vault.id, change)
        .unwrap();
    order().unwrap();
    world.run();
    let grown = world.control.show_vault(&world.alice, vault.id).unwrap();
    assert_eq!(grown.size, GiB(13), "a quarter more, rounded up");
    assert_eq!(world.only_backup().status, BackupStatus::Available);
}

#[test]
fn a_backup_that_outgrows_its_vault_fails_and_is_forgotten() {
    let world = World::new();
    let share = world.share("a");
    let vault = world.vault("v", ObjectType::Turbo, &[&share]);
    let used = Bytes(GiB(10).bytes().0 - 10);
    world.set_used(vault.id, used);
    let backup = world.back_up(vault.id);
    assert_eq!(backup.status, BackupStatus::Error);
    assert_eq!(newest_failure(&world).reason, Reason::VaultFull);
    let report = world
        .control
        .backup_report(&world.alice, backup.id)
        .unwrap();
    assert_eq!((report.manifest, report.stored), (None, Bytes(0)));
    assert!(report.fail_reason.unwrap().contains("the vault is full"));
    let shown = world.control.show_vault(&world.alice, vault.id).unwrap();
    assert_eq!(shown.used, Bytes(0), "measured by the collection");
    assert_eq!(world.manifests(vault.id), 0);
    assert_eq!(shown.resources[0].protect_status, ProtectStatus::Error);
    assert_eq!(shown.resources[0].backup_count, 0);
    let checkpoint = world
        .control
        .show_checkpoint(&world.alice, backup.checkpoint_id)
        .unwrap();
    assert_eq!(checkpoint.status, CheckpointStatus::Error);

    world.set_used(vault.id, Bytes(0));
    assert_eq!(
        world.back_up(vault.id).status,
        BackupStatus::Available,
        "it can be tried again"
    );
    world
        .control
        .delete_backup(&world.alice, backup.id)
        .unwrap();
    world.run();
    assert_eq!(world.only_backup().status, BackupStatus::Available);
}

#[test]
fn a_vanished_path_fails_the_job_by_name() {
    let world = World::new();
    let share = world.share("a");
    let vault = world.vault("v", ObjectType::Turbo, &[&share]);
    fs::remove_dir_all(world.file("a")).unwrap();
    let backup = world.back_up(vault.id);
    assert_eq!(backup.status, BackupStatus::Error);
    let failure = newest_failure(&world);
    assert_eq!(failure.reason, Reason::PathVanished);
    let path = world.file("a").display().to_string();
    assert!(failure.message.contains(&path), "{}", failure.message);
    fs::write(world.file("a"), "now a file").unwrap();
    world.back_up(vault.id);
    assert_eq!(newest_failure(&world).reason, Reason::PathVanished);
}

#[test]
fn a_target_that_is_too_small_or_of_another_kind_is_refused_at_once() {
    let world = World::new();
    let (big, small) = (world.volume("big", 1 << 20), world.volume("small", 1 << 19));
    let share = world.share("share");
    let vault = world.vault("v", ObjectType::Disk, &[&big]);
    let backup = world.back_up(vault.id);
    let restore = |target| {
        let new = NewRestore {
            backup_id: backup.id,
            target,
            inside: None,
        };
        world.control.restore_backup(&world.alice, new)
    };
    assert_eq!(
        refused(restore(RestoreTarget::Resource(small.id))),
        Reason::TargetTooSmall
    );
    let other_kind = restore(RestoreTarget::Resource(share.id));
    assert_eq!(refused(other_kind), Reason::RestoreElsewhereRefused);
    let nothing = restore(RestoreTarget::Resource(world.nothing()));
    assert_eq!(refused(nothing), Reason::NoSuchResource);
    let path = restore(RestoreTarget::NewPath(world.file("new")));
    assert_eq!(refused(path), Reason::Forbidden, "tenants name no paths");
    assert_eq!(world.only_backup().status, BackupStatus::Available);
    let shown = world.control.show_vault(&world.alice, vault.id).unwrap();
    assert_eq!(shown.resources[0].protect_status, ProtectStatus::Available);
}

#[test]
fn a_backup_can_be_restored_onto_another_resource_which_is_saved_first() {
    let world = World::new();
    let (a, b) = (world.volume("a", 1 << 20), world.volume("b", 1 << 20));
    let vault = world.vault("v", ObjectType::Disk, &[&a]);
    let backup = world.back_up(vault.id);
    let before = fs::read(world.file("b")).unwrap();
    world
        .restore(backup.id, RestoreTarget::Resource(b.id))
        .unwrap();
    assert_eq!(
        fs::read(world.file("b")).unwrap(),
        fs::read(world.file("a")).unwrap()
    );
    let safety = world.backup_named("safety_");
    assert_eq!((safety.resource_id, safety.vault_id), (b.id, vault.id));
    world.restore(safety.id, RestoreTarget::Original).unwrap();
    assert_eq!(fs::read(world.file("b")).unwrap(), before);
}

#[test]
fn two_orders_for_one_resource_back_it_up_once() {
    let world = World::new();
    let (a, b) = (world.share("a"), world.share("b"));
    let vault = world.vault("v", ObjectType::Turbo, &[&a, &b]);
    let only = |resource| NewCheckpoint {
        resources: Some(vec![resource]),
        ..NewCheckpoint::of(vault.id)
    };
    let order = |new| world.control.create_checkpoint(&world.alice, new);
    order(only(a.id)).unwrap();
    let error = order(only(a.id)).unwrap_err();
    assert_eq!(error.reason(), Reason::NothingToBackUp);
    assert!(
        error.to_string().contains("waits or runs already"),
        "{error}"
    );
    let both = order(NewCheckpoint::of(vault.id)).unwrap();
    assert_eq!(
        both.resources.iter().map(|r| r.id).collect::<Vec<_>>(),
        [b.id]
    );
    let [skipped] = &*both.skipped else {
        panic!("{:?}", both.skipped)
    };
    assert_eq!((skipped.id, skipped.reason), (a.id, Reason::BackupRunning));
    assert_eq!(
        refused(order(only(world.nothing()))),
        Reason::ResourceNotInVault
    );
    let twice = NewCheckpoint {
        resources: Some(vec![a.id, a.id]),
        ..NewCheckpoint::of(vault.id)
    };
    assert_eq!(refused(order(twice)), Reason::ResourceTwice);
    world.run();
    assert_eq!(world.backups(&BackupFilter::default()).len(), 2);
    let shown = world
        .control
        .show_checkpoint(&world.alice, both.id)
        .unwrap();
    assert_eq!(shown.skipped, both.skipped);
}

#[test]
fn an_empty_vault_a_replication_vault_and_a_vault_on_its_way_out_take_no_backup() {
    let world = World::new();
    let order = |id| {
        world
            .control
            .create_checkpoint(&world.alice, NewCheckpoint::of(id))
    };
    let empty = world.vault("v", ObjectType::Turbo, &[]);
    assert_eq!(refused(order(empty.id)), Reason::NothingToBackUp);
    let new = NewVault {
        protect_type: ProtectType::Replication,
        ..NewVault::new("r", ObjectType::Server, GiB(10))
    };
    let replicas = world.control.create_vault(&world.alice, new).unwrap();
    assert_eq!(refused(order(replicas.id)), Reason::VaultKindForbidsBackup);
    world.control.delete_vault(&world.alice, empty.id).unwrap();
    assert_eq!(refused(order(empty.id)), Reason::VaultStateForbidsBackup);
    let change = VaultChange {
        name: Some("x".into()),
        ..VaultChange::default()
    };
    let update = world.control.update_vault(&world.alice, empty.id, change);
    assert_eq!(refused(update), Reason::VaultNotUpdatable);
}

#[test]
fn what_is_busy_is_neither_deleted_nor_restored_twice() {
    let world = World::new();
    let share = world.share("a");
    let vault = world.vault("v", ObjectType::Turbo, &[&share]);
    world
        .control
        .create_checkpoint(&world.alice, NewCheckpoint::of(vault.id))
        .unwrap();
    let waiting = world.only_backup();
    let delete = |id| world.control.delete_backup(&world.alice, id);
    let restore = |id| {
        let target = RestoreTarget::Original;
        let new = NewRestore {
            backup_id: id,
            target,
            inside: None,
        };
        world.control.restore_backup(&world.alice, new)
    };
    assert_eq!(refused(delete(waiting.id)), Reason::BackupNotDeletable);
    assert_eq!(
        refused(restore(waiting.id)),
        Reason::BackupStateForbidsRestore
    );
    let metadata = world.control.backup_metadata(&world.alice, waiting.id);
    assert_eq!(refused(metadata), Reason::MetadataNotReady);
    let vault_away = || world.control.delete_vault(&world.alice, vault.id);
    assert_eq!(refused(vault_away()), Reason::VaultNotDeletable);
    let take_out = || {
        world
            .control
            .remove_vault_resources(&world.alice, vault.id, vec![share.id])
    };
    assert_eq!(refused(take_out()), Reason::BackupInUse);
    world.run();

    let other = world.back_up(vault.id);
    restore(waiting.id).unwrap();
    assert_eq!(refused(delete(waiting.id)), Reason::BackupInUse);
    assert_eq!(refused(restore(waiting.id)), Reason::RestoreRunning);
    assert_eq!(
        refused(restore(other.id)),
        Reason::RestoreRunning,
        "of the same target"
    );
    assert_eq!(refused(vault_away()), Reason::VaultNotDeletable);
    assert_eq!(refused(take_out()), Reason::BackupInUse);
    let order = world
        .control
        .create_checkpoint(&world.alice, NewCheckpoint::of(vault.id));
    assert_eq!(refused(order), Reason::NothingToBackUp);
    world.run();
    delete(waiting.id).unwrap();
    world.run();
}

#[test]
fn a_locked_vault_keeps_its_resources_and_its_automatic_backups() {
    let world = World::new();
    let share = world.share("a");
    let vault = world.vault("v", ObjectType::Turbo, &[&share]);
    let automatic = NewCheckpoint {
        auto_trigger: true,
        ..NewCheckpoint::of(vault.id)
    };
    world
        .control
        .create_checkpoint(&world.alice, automatic)
        .unwrap();
    world.run();
    let backup = world.only_backup();
    assert!(backup.name.starts_with("autobk_"), "{}", backup.name);
    let by_hand = world.back_up(vault.id);
    let change = VaultChange {
        locked: Some(true),
        ..VaultChange::default()
    };
    world
        .control
        .update_vault(&world.alice, vault.id, change)
        .unwrap();
    let delete = |id| world.control.delete_backup(&world.alice, id);
    assert_eq!(refused(delete(backup.id)), Reason::LockedVaultKeepsBackup);
    delete(by_hand.id).unwrap();
    let take_out = world
        .control
        .remove_vault_resources(&world.alice, vault.id, vec![share.id]);
    assert_eq!(refused(take_out), Reason::VaultLocked);
    let away = world.control.delete_vault(&world.alice, vault.id);
    assert_eq!(refused(away), Reason::VaultNotDeletable);
}

#[test]
fn backups_end_on_their_day() {
    let world = World::new();
    let share = world.share("a");
    let vault = world.vault("v", ObjectType::Turbo, &[&share]);
    let kept = NewCheckpoint {
        retention_days: Some(2),
        ..NewCheckpoint::of(vault.id)
    };
    world
        .control
        .create_checkpoint(&world.alice, kept.clone())
        .unwrap();
    world.run();
    let backup = world.only_backup();
    assert!(backup.expired_at.is_some());
    world.clock.advance_seconds(2 * 86_400 - 1);
    assert_eq!(world.control.delete_expired_backups().unwrap(), 0);
    world.clock.advance_seconds(2);
    assert_eq!(world.control.delete_expired_backups().unwrap(), 1);
    assert_eq!(world.control.delete_expired_backups().unwrap(), 0);
    world.run();
    assert!(world.backups(&BackupFilter::default()).is_empty());
    let automatic = NewCheckpoint {
        auto_trigger: true,
        ..kept
    };
    let order = world.control.create_checkpoint(&world.alice, automatic);
    assert_eq!(refused(order), Reason::InvalidParameter);
}

#[test]
fn upkeep_ends_what_is_old_and_nothing_else() {
    let world = World::new();
    let share = world.share("a");
    let vault = world.vault("v", ObjectType::Turbo, &[&share]);
    let brief = NewCheckpoint {
        retention_days: Some(1),
        ..NewCheckpoint::of(vault.id)
    };
    world
        .control
        .create_checkpoint(&world.alice, brief)
        .unwrap();
    world.run();
    let kept = world.back_up(vault.id);
    let noted = Upkeep {
        notes: 1,
        ..Upkeep::default()
    };
    assert_eq!(world.control.keep_up().unwrap(), noted);
    world.run();
    assert_eq!(world.control.keep_up().unwrap(), Upkeep::default());
    world.clock.advance_seconds(86_400);
    assert_eq!(world.control.keep_up().unwrap().expired, 1);
    world.run();
    assert_eq!(world.only_backup().id, kept.id);
    world.clock.advance_seconds(29 * 86_400 - 10);
    assert_eq!(world.control.keep_up().unwrap(), noted);
    world.clock.advance_seconds(86_400);
    let done = world.control.keep_up().unwrap();
    assert_eq!((done.expired, done.logs), (0, 2), "the deletion is younger");
    assert_eq!(world.only_backup().id, kept.id);
}

#[test]
fn a_vault_goes_although_a_collection_waits() {
    let world = World::new();
    let share = world.share("a");
    let vault = world.vault("v", ObjectType::Turbo, &[&share]);
    let backup = world.back_up(vault.id);
    world
        .control
        .delete_backup(&world.alice, backup.id)
        .unwrap();
    let runner = world.runner();
    assert!(
        runner.run_one().unwrap(),
        "the deletion, which orders a collection"
    );
    world.control.delete_vault(&world.alice, vault.id).unwrap();
    world.run_for_long();
    assert!(world.vaults().is_empty());
    assert_eq!(world.objects(vault.id), 0);
}

#[test]
fn an_unreadable_file_makes_the_backup_incomplete_but_still_restorable_by_the_operator() {
    let world = World::new();
    let share = world.share("a");
    let vault = world.vault("v", ObjectType::Turbo, &[&share]);
    if !world.make_unreadable("a/secret") {
        return println!("skipped: an unreadable file cannot be made here");
    }
    let backup = world.back_up(vault.id);
    assert_eq!(backup.status, BackupStatus::Error);
    let failure = newest_failure(&world);
    assert_eq!(failure.reason, Reason::BackupIncomplete);
    assert!(failure.message.contains("secret"), "{}", failure.message);
    let report = world
        .control
        .backup_report(&world.alice, backup.id)
        .unwrap();
    assert!(report.manifest.is_some() && report.problems[0].contains("secret"));
    let in_place = NewRestore {
        backup_id: backup.id,
        target: RestoreTarget::Original,
        inside: None,
    };
    let in_place = world.control.restore_backup(&world.alice, in_place);
    assert_eq!(refused(in_place), Reason::BackupStateForbidsRestore);
    let to = world.file("out");
    world
        .restore(backup.id, RestoreTarget::NewPath(to.clone()))
        .unwrap();
    assert_eq!(fs::read(to.join("hello.txt")).unwrap(), b"hello from a");
    assert!(!to.join("secret").exists());
    assert_eq!(
        world.only_backup().status,
        BackupStatus::Error,
        "it did not get better"
    );
}

#[test]
fn nothing_is_restored_over_what_could_not_be_saved() {
    let world = World::new();
    let share = world.share("a");
    let vault = world.vault("v", ObjectType::Turbo, &[&share]);
    let backup = world.back_up(vault.id);
    fs::write(world.file("a/hello.txt"), "precious").unwrap();
    if !world.make_unreadable("a/secret") {
        return println!("skipped: an unreadable file cannot be made here");
    }
    let failure = world
        .restore(backup.id, RestoreTarget::Original)
        .unwrap_err();
    assert_eq!(failure.reason, Reason::TargetStateForbidsRestore);
    assert!(
        failure.message.contains("nothing was written"),
        "{}",
        failure.message
    );
    assert_eq!(fs::read(world.file("a/hello.txt")).unwrap(), b"precious");
    let shown = world.control.show_vault(&world.alice, vault.id).unwrap();
    assert_eq!(shown.resources[0].protect_status, ProtectStatus::Error);
}

#[test]
fn a_restore_in_place_that_loses_data_leaves_the_original() {
    let world = World::new();
    let share = world.share("a");
    let vault = world.vault("v", ObjectType::Turbo, &[&share]);
    let backup = world.back_up(vault.id);
    fs::write(world.file("a/hello.txt"), "precious").unwrap();
    world.lose_packs(vault.id);
    let failure = world
        .restore(backup.id, RestoreTarget::Original)
        .unwrap_err();
    assert_eq!(failure.reason, Reason::DataDamaged);
    assert_eq!(fs::read(world.file("a/hello.txt")).unwrap(), b"precious");
    let left: Vec<_> = fs::read_dir(world.file("")).unwrap().collect();
    assert_eq!(left.len(), 1, "no shadow stays: {left:?}");
    assert_eq!(
        world.backup_named("manualbk_").status,
        BackupStatus::Available
    );
}

#[test]
fn a_volume_whose_restore_fails_halfway_is_taken_back_from_its_safety_backup() {
    let world = World::new();
    let disk = world.volume("d", 4 << 20);
    world.scribble("d", 1);
    let vault = world.vault("v", ObjectType::Disk, &[&disk]);
    let backup = world.back_up(vault.id);
    world.scribble("d", 2);
    let before = fs::read(world.file("d")).unwrap();
    world.spoil_largest_pack(vault.id);
    let failure = world
        .restore(backup.id, RestoreTarget::Original)
        .unwrap_err();
    assert_eq!(failure.reason, Reason::DataDamaged, "{}", failure.message);
    assert!(
        fs::read(world.file("d")).unwrap() == before,
        "the volume is as it was"
    );
}

#[test]
fn a_full_disk_fails_the_job_cleanly_and_earlier_backups_still_restore() {
    let world = World::new();
    let disk = world.volume("d", 8 << 20);
    world.scribble("d", 1);
    let vault = world.vault("v", ObjectType::Disk, &[&disk]);
    let good = world.back_up(vault.id);
    let first = fs::read(world.file("d")).unwrap();
    world.scribble("d", 2);
    for operation in [Operation::PutIdempotent, Operation::CreateNew] {
        let full = Fault::Refuse(ErrorKind::NoSpace);
        world
            .faults
            .add(Rule::on(operation).under("packs"), full.clone());
        world.faults.add(Rule::on(operation).under("index"), full);
    }
    let bad = world.back_up(vault.id);
    assert_eq!(bad.status, BackupStatus::Error);
    assert_eq!(newest_failure(&world).reason, Reason::StoreFull);
    world.faults.heal();
    world.run();
    let used = world
        .control
        .show_vault(&world.alice, vault.id)
        .unwrap()
        .used;
    assert_eq!(
        used,
        world
            .control
            .backup_report(&world.alice, good.id)
            .unwrap()
            .stored
    );
    let to = world.file("out");
    world
        .restore(good.id, RestoreTarget::NewPath(to.clone()))
        .unwrap();
    assert!(fs::read(to).unwrap() == first);
    assert_eq!(world.back_up(vault.id).status, BackupStatus::Available);
}

#[test]
fn a_disk_that_is_really_full_gives_back_what_the_failed_backup_took() {
    let world = World::new();
    if !world.small_disk_for_stores("14m") {
        return println!("skipped: a small file system cannot be mounted here");
    }
    let disk = world.volume("d", 8 << 20);
    world.scribble("d", 1);
    let first = fs::read(world.file("d")).unwrap();
    let vault = world.vault("v", ObjectType::Disk, &[&disk]);
    let good = world.back_up(vault.id);
    assert_eq!(good.status, BackupStatus::Available);
    let before = world.bytes_of_stores();
    world.scribble("d", 2);
    assert_eq!(world.back_up(vault.id).status, BackupStatus::Error);
    assert_eq!(newest_failure(&world).reason, Reason::StoreFull);
    world.run_for_long();
    let after = world.bytes_of_stores();
    assert!(
        after < before + (64 << 10),
        "{before} bytes before, {after} after"
    );
    let to = world.file("out");
    world
        .restore(good.id, RestoreTarget::NewPath(to.clone()))
        .unwrap();
    assert!(fs::read(to).unwrap() == first);
    world.control.delete_backup(&world.alice, good.id).unwrap();
    world.run_for_long();
    assert_eq!(
        world.back_up(vault.id).status,
        BackupStatus::Available,
        "there is room again"
    );
}

#[test]
fn a_cancelled_task_is_undone_and_says_so() {
    let world = World::new();
    let share = world.share("a");
    let vault = world.vault("v", ObjectType::Turbo, &[&share]);
    world
        .control
        .create_checkpoint(&world.alice, NewCheckpoint::of(vault.id))
        .unwrap();
    let filter = OperationLogFilter::default();
    let logs = || {
        world
            .control
            .list_operation_logs(&world.alice, &filter, &Page::default())
            .unwrap()
            .items
    };
    let log = logs().remove(0).id;
    world.control.cancel_operation(&world.alice, log).unwrap();
    world.run();
    assert_eq!(newest_failure(&world).reason, Reason::Cancelled);
    assert_eq!(world.only_backup().status, BackupStatus::Error);
    let again = world.control.cancel_operation(&world.alice, log);
    assert_eq!(refused(again), Reason::TaskFinished);
    world.clock.advance_seconds(1);
    world
        .control
        .delete_backup(&world.alice, world.only_backup().id)
        .unwrap();
    let deletion = logs().remove(0).id;
    let stop = world.control.cancel_operation(&world.alice, deletion);
    assert_eq!(refused(stop), Reason::TaskNotCancellable);
}

#[test]
fn a_store_that_is_away_for_a_while_delays_the_work_only() {
    let world = World::new();
    let share = world.share("a");
    let vault = world.vault("v", ObjectType::Turbo, &[&share]);
    world
        .faults
        .add(Rule::any().times(3), Fault::Refuse(ErrorKind::Unavailable));
    let backup = world.back_up(vault.id);
    assert_eq!(backup.status, BackupStatus::Protecting);
    world.run_for_long();
    assert_eq!(world.only_backup().status, BackupStatus::Available);
}

#[test]
fn a_repository_that_is_not_where_it_was_is_never_made_anew() {
    let world = World::new();
    let share = world.share("a");
    let vault = world.vault("v", ObjectType::Turbo, &[&share]);
    world.back_up(vault.id);
    let place = world.dir.path().join("data/repositories");
    let aside = world.dir.path().join("aside");
    fs::rename(&place, &aside).unwrap();
    fs::create_dir(&place).unwrap();
    let second = world.back_up(vault.id);
    assert_eq!(second.status, BackupStatus::Protecting);
    assert_eq!(
        world.objects(vault.id),
        0,
        "nothing is written to the wrong place"
    );
    fs::remove_dir_all(&place).unwrap();
    fs::rename(&aside, &place).unwrap();
    world.run_for_long();
    let second = world.control.show_backup(&world.alice, second.id).unwrap();
    assert_eq!(second.status, BackupStatus::Available);
}

#[test]
fn a_share_around_the_data_directory_is_saved_without_it_and_never_replaced() {
    let world = World::new();
    let new = strongroom_control::resources::NewResource {
        kind: strongroom_model::ResourceKind::Share,
        name: "all".into(),
        path: world.dir.path().to_owned(),
        project_id: None,
        tags: Vec::new(),
    };
    let around = world.control.register_resource(&world.admin, new).unwrap();
    fs::write(world.file("kept"), "kept").unwrap();
    let vault = world.vault("v", ObjectType::Turbo, &[&around]);
    let backup = world.back_up(vault.id);
    assert_eq!(backup.status, BackupStatus::Available);
    let in_place = NewRestore {
        backup_id: backup.id,
        target: RestoreTarget::Original,
        inside: None,
    };
    let in_place = world.control.restore_backup(&world.alice, in_place);
    assert_eq!(refused(in_place), Reason::TargetStateForbidsRestore);
    let elsewhere = tempfile::tempdir().unwrap();
    let to = elsewhere.path().join("out");
    world
        .restore(backup.id, RestoreTarget::NewPath(to.clone()))
        .unwrap();
    assert_eq!(fs::read(to.join("files/kept")).unwrap(), b"kept");
    assert!(!to.join("data").exists());
    let inside = RestoreTarget::NewPath(world.dir.path().join("data/new"));
    let new = NewRestore {
        backup_id: backup.id,
        target: inside,
        inside: None,
    };
    assert_eq!(
        refused(world.control.restore_backup(&world.admin, new)),
        Reason::InvalidParameter
    );
}
