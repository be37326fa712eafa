//! The main story: protect, back up, change, back up, restore, delete; with real files through
//! the real engine.

use std::fs;

use strongroom_control::{
    Page, Reason,
    backups::{BackupFilter, BackupSort},
    checkpoints::NewCheckpoint,
    operation_logs::{OperationDetail, OperationLogFilter},
    restores::{NewRestore, RestoreTarget},
    words::{ObjectType, OperationType},
};
use strongroom_model::{
    Bytes,
    state::{BackupStatus, CheckpointStatus, ProtectStatus, TaskStatus, VaultStatus},
};

use crate::world::{World, refused};

#[test]
fn a_share_comes_back_as_it_was_at_each_of_its_backups() {
    let world = World::new();
    let share = world.share("home");
    let vault = world.vault("v", ObjectType::Turbo, &[&share]);
    let first = world
        .control
        .create_checkpoint(&world.alice, NewCheckpoint::of(vault.id))
        .unwrap();
    assert_eq!(first.status, CheckpointStatus::Protecting);
    assert_eq!(first.resources[0].protect_status, ProtectStatus::Protecting);
    assert!(
        first.name.starts_with("manualbk_") && first.name.len() == 13,
        "{}",
        first.name
    );
    world.run();

    let done = world
        .control
        .show_checkpoint(&world.alice, first.id)
        .unwrap();
    assert_eq!(done.status, CheckpointStatus::Available);
    assert_eq!(done.resources[0].protect_status, ProtectStatus::Available);
    let one = world.backup_of(first.id);
    assert_eq!(
        (one.status, one.incremental),
        (BackupStatus::Available, false)
    );
    assert!(one.protected_at.is_some() && one.progress.is_none());

    fs::write(world.file("home/hello.txt"), "changed").unwrap();
    fs::write(world.file("home/new.txt"), "new").unwrap();
    world.clock.advance_seconds(60);
    let two = world.back_up(vault.id);
    assert!(two.incremental);

    let to = world.dir.path().join("elsewhere");
    world
        .restore(one.id, RestoreTarget::NewPath(to.clone()))
        .unwrap();
    assert_eq!(fs::read(to.join("hello.txt")).unwrap(), b"hello from home");
    assert!(!to.join("new.txt").exists());

    world.restore(one.id, RestoreTarget::Original).unwrap();
    assert_eq!(
        fs::read(world.file("home/hello.txt")).unwrap(),
        b"hello from home"
    );
    assert!(!world.file("home/new.txt").exists());
    let shown = world.control.show_vault(&world.alice, vault.id).unwrap();
    assert_eq!(shown.resources[0].protect_status, ProtectStatus::Available);
    assert_eq!(
        shown.resources[0].backup_count, 3,
        "the safety backup counts"
    );

    let safety = world.backup_named("safety_");
    world.restore(safety.id, RestoreTarget::Original).unwrap();
    assert_eq!(fs::read(world.file("home/hello.txt")).unwrap(), b"changed");
}

#[test]
fn every_task_leaves_an_operation_log_that_ends_with_it() {
    let world = World::new();
    let disk = world.volume("disk", 3 << 20);
    let vault = world.vault("v", ObjectType::Disk, &[&disk]);
    world
        .control
        .create_checkpoint(&world.alice, NewCheckpoint::of(vault.id))
        .unwrap();
    let logs = |filter: OperationLogFilter| {
        world
            .control
            .list_operation_logs(&world.alice, &filter, &Page::default())
            .unwrap()
            .items
    };
    let waiting = &logs(OperationLogFilter::default())[0];
    assert_eq!((waiting.status, waiting.progress), (TaskStatus::Waiting, 0));
    assert_eq!(waiting.request_id.as_deref(), Some("request-1"));
    world.run();
    let done = world
        .control
        .show_operation_log(&world.alice, waiting.id)
        .unwrap();
    assert_eq!((done.status, done.progress), (TaskStatus::Success, 100));
    assert!(done.started_at.is_some() && done.ended_at.is_some() && done.error.is_none());
    assert_eq!(done.resource.as_ref().unwrap().id, disk.id);

    let backup = world.only_backup();
    let log = world.restore(backup.id, RestoreTarget::Original).unwrap();
    let OperationDetail::Restore {
        backup_id, target, ..
    } = log.detail
    else {
        panic!("{log:?}")
    };
    assert_eq!((backup_id, target.unwrap().id), (backup.id, disk.id));

    world
        .control
        .delete_backup(&world.alice, backup.id)
        .unwrap();
    world.run();
    for (kind, count) in [
        (OperationType::Backup, 2),
        (OperationType::Restore, 1),
        (OperationType::Delete, 1),
        (OperationType::VaultDelete, 0),
    ] {
        let filter = OperationLogFilter {
            operation_type: Some(kind),
            ..OperationLogFilter::default()
        };
        let found = logs(filter);
        assert_eq!(found.len(), count, "{kind}");
        assert!(
            found.iter().all(|log| log.status == TaskStatus::Success),
            "{found:?}"
        );
    }
}

#[test]
fn a_checkpoint_ends_with_its_last_backup() {
    let world = World::new();
    let (a, b) = (world.share("a"), world.share("b"));
    let vault = world.vault("v", ObjectType::Turbo, &[&a, &b]);
    let checkpoint = world
        .control
        .create_checkpoint(&world.alice, NewCheckpoint::of(vault.id))
        .unwrap();
    world.run();
    let filter = BackupFilter {
        checkpoint_id: Some(checkpoint.id),
        ..BackupFilter::default()
    };
    let backups = world
        .control
        .list_backups(
            &world.alice,
            &filter,
            &BackupSort::default(),
            &Page::default(),
        )
        .unwrap()
        .items;
    assert_eq!(backups.len(), 2);
    world
        .control
        .delete_backup(&world.alice, backups[0].id)
        .unwrap();
    world.run();
    let shown = world
        .control
        .show_checkpoint(&world.alice, checkpoint.id)
        .unwrap();
    assert_eq!(shown.resources.len(), 1);
    world
        .control
        .delete_backup(&world.alice, backups[1].id)
        .unwrap();
    let deleting = world
        .control
        .show_backup(&world.alice, backups[1].id)
        .unwrap();
    assert_eq!(deleting.status, BackupStatus::WaitingDelete);
    world
        .control
        .delete_backup(&world.alice, backups[1].id)
        .unwrap();
    world.run();
    let gone = world.control.show_checkpoint(&world.alice, checkpoint.id);
    assert_eq!(refused(gone), Reason::NoSuchCheckpoint);
    assert_eq!(
        refused(world.control.show_backup(&world.alice, backups[1].id)),
        Reason::NoSuchBackup
    );
    let vault = world.control.show_vault(&world.alice, vault.id).unwrap();
    assert!(
        vault
            .resources
            .iter()
            .all(|resource| resource.backup_count == 0)
    );
    assert!(
        vault
            .resources
            .iter()
            .all(|resource| resource.backup_size == Bytes(0))
    );
}

#[test]
fn a_removed_resource_takes_its_backups_along_and_no_others() {
    let world = World::new();
    let (a, b) = (world.share("a"), world.share("b"));
    let vault = world.vault("v", ObjectType::Turbo, &[&a, &b]);
    world
        .control
        .create_checkpoint(&world.alice, NewCheckpoint::of(vault.id))
        .unwrap();
    world.run();
    let removed = world
        .control
        .remove_vault_resources(&world.alice, vault.id, vec![a.id])
        .unwrap();
    assert_eq!(removed, [a.id]);
    let shown = world.control.show_vault(&world.alice, vault.id).unwrap();
    assert_eq!(shown.resources[0].protect_status, ProtectStatus::Removing);
    world.run();
    let shown = world.control.show_vault(&world.alice, vault.id).unwrap();
    assert_eq!(shown.resources.len(), 1);
    assert_eq!(world.only_backup().resource_id, b.id);
    let again = world
        .control
        .remove_vault_resources(&world.alice, vault.id, vec![a.id]);
    assert_eq!(refused(again), Reason::ResourceNotInVault);
}

#[test]
fn a_deleted_vault_leaves_nothing_behind() {
    let world = World::new();
    let share = world.share("a");
    let vault = world.vault("v", ObjectType::Turbo, &[&share]);
    world.back_up(vault.id);
    assert!(world.objects(vault.id) > 3);
    world.control.delete_vault(&world.alice, vault.id).unwrap();
    let shown = world.control.show_vault(&world.alice, vault.id).unwrap();
    assert_eq!(shown.status, VaultStatus::Deleting);
    world.control.delete_vault(&world.alice, vault.id).unwrap();
    world.run();
    assert_eq!(
        refused(world.control.show_vault(&world.alice, vault.id)),
        Reason::NoSuchVault
    );
    assert_eq!(world.objects(vault.id), 0);
    let again = world.vault("w", ObjectType::Turbo, &[&share]);
    assert_eq!(
        again.resources.len(),
        1,
        "the resource is free for another vault"
    );
}

#[test]
fn what_deleted_backups_took_is_free_again() {
    let world = World::new();
    let disk = world.volume("d", 2 << 20);
    let vault = world.vault("v", ObjectType::Disk, &[&disk]).id;
    let used = || {
        world
            .control
            .show_vault(&world.alice, vault)
            .unwrap()
            .used
            .0
    };
    let mut backups = Vec::new();
    for seed in 1..=3 {
        world.scribble("d", seed);
        backups.push((world.back_up(vault), fs::read(world.file("d")).unwrap()));
        assert!(used() > seed * (2 << 20), "random bytes take what they are");
    }
    let full = used();
    world
        .control
        .delete_backup(&world.alice, backups.remove(0).0.id)
        .unwrap();
    world.run();
    assert!(used() < full * 3 / 4, "{} of {full}", used());
    assert_eq!(world.manifests(vault), 2);
    for (backup, content) in &backups {
        let to = world.file("check");
        world
            .restore(backup.id, RestoreTarget::NewPath(to.clone()))
            .unwrap();
        assert!(fs::read(&to).unwrap() == *content);
        fs::remove_file(to).unwrap();
        world
            .control
            .delete_backup(&world.alice, backup.id)
            .unwrap();
    }
    world.run();
    assert_eq!(used(), 0);
    world.back_up(vault);
    assert!(used() > 2 << 20);
}

#[test]
fn one_path_inside_a_share_is_restored_alone() {
    let world = World::new();
    let share = world.share("a");
    fs::create_dir(world.file("a/deep")).unwrap();
    fs::write(world.file("a/deep/one"), "1").unwrap();
    let vault = world.vault("v", ObjectType::Turbo, &[&share]);
    let backup = world.back_up(vault.id);
    let order = |inside: &[u8], to: &str| NewRestore {
        backup_id: backup.id,
        target: RestoreTarget::NewPath(world.file(to)),
        inside: Some(inside.to_vec()),
    };
    world
        .control
        .restore_backup(&world.admin, order(b"deep/one", "one"))
        .unwrap();
    world.run();
    assert_eq!(fs::read(world.file("one")).unwrap(), b"1");
    world
        .control
        .restore_backup(&world.admin, order(b"deep", "dir"))
        .unwrap();
    world.run();
    assert_eq!(fs::read(world.file("dir/one")).unwrap(), b"1");
    let id = world
        .control
        .restore_backup(&world.admin, order(b"missing", "two"))
        .unwrap();
    world.run();
    let log = world.control.show_operation_log(&world.alice, id).unwrap();
    assert_eq!(log.error.unwrap().reason, Reason::InvalidParameter);
    assert!(!world.file("two").exists());
}
