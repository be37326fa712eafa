//! Nothing is lost by mistake: locks, guards, plans, the trash; and the disasters that users of
//! such services have met, each by name.

use strongroom_control::{
    Caller, Error, Reason,
    backups::BackupFilter,
    locks::{Safety, SafetyChange},
    plans::Deed,
    policies::AutoProtect,
    restores::RestoreTarget,
    vaults::{AddedResource, VaultChange},
    words::ObjectType,
};
use strongroom_model::{BackupId, Bytes, VaultId};

use crate::world::{World, added};

const DAY: i64 = 86_400;

fn grace(world: &World, vault: VaultId, days: u32) {
    let change = SafetyChange {
        grace_days: Some(days),
        ..SafetyChange::default()
    };
    world
        .control
        .change_vault_safety(&world.admin, vault, change)
        .unwrap();
}

fn guard(world: &World, vault: VaultId) -> Safety {
    let change = SafetyChange {
        guarded: Some(true),
        ..SafetyChange::default()
    };
    world
        .control
        .change_vault_safety(&world.alice, vault, change)
        .unwrap()
}

#[track_caller]
fn refuses<T: std::fmt::Debug>(reason: Reason, answer: Result<T, Error>) {
    assert_eq!(answer.unwrap_err().reason(), reason);
}

#[track_caller]
fn is_gone(world: &World, who: &Caller, id: BackupId) {
    refuses(Reason::NoSuchBackup, world.control.show_backup(who, id));
}

/// A new restore of the backup into a new place gives the file back.
fn restores(world: &World, id: BackupId, place: &str) {
    let to = world.file(place);
    world
        .restore(id, RestoreTarget::NewPath(to.clone()))
        .unwrap();
    assert!(
        std::fs::read_to_string(to.join("hello.txt"))
            .unwrap()
            .starts_with("hello from")
    );
}

#[test]
fn a_deleted_backup_is_gone_for_its_project_and_comes_back_as_it_was() {
    let world = World::new();
    let home = world.share("home");
    let vault = world.vault("v", ObjectType::Turbo, &[&home]).id;
    grace(&world, vault, 7);
    let backup = world.back_up(vault);
    let (control, alice) = (&world.control, &world.alice);

    control.delete_backup(alice, backup.id).unwrap();
    world.run();
    is_gone(&world, alice, backup.id);
    refuses(
        Reason::NoSuchBackup,
        control.delete_backup(alice, backup.id),
    );
    refuses(
        Reason::NoSuchCheckpoint,
        control.show_checkpoint(alice, backup.checkpoint_id),
    );
    assert_eq!(world.backups(&BackupFilter::default()), []);
    assert_eq!(
        control.show_vault(alice, vault).unwrap().resources[0].backup_count,
        0
    );
    assert_eq!(world.manifests(vault), 1);
    let trash = control.list_trash(alice).unwrap();
    assert_eq!((trash.backups.len(), trash.vaults.len()), (1, 0));
    assert_eq!(trash.backups[0].id, backup.id);

    // Neither another project sees it nor can it bring it back.
    assert_eq!(control.list_trash(&world.mallory).unwrap().backups, []);
    refuses(
        Reason::NoSuchBackup,
        control.undelete_backup(&world.mallory, backup.id),
    );

    control.undelete_backup(alice, backup.id).unwrap();
    assert_eq!(
        control.show_backup(alice, backup.id).unwrap().status,
        backup.status
    );
    assert_eq!(
        control.show_vault(alice, vault).unwrap().resources[0].backup_count,
        1
    );
    control
        .show_checkpoint(alice, backup.checkpoint_id)
        .unwrap();
    refuses(
        Reason::NoSuchBackup,
        control.undelete_backup(alice, backup.id),
    );
    restores(&world, backup.id, "again");
}

#[test]
fn after_its_grace_a_backup_is_purged_and_nothing_brings_it_back() {
    let world = World::new();
    let home = world.share("home");
    let vault = world.vault("v", ObjectType::Turbo, &[&home]).id;
    grace(&world, vault, 2);
    let backup = world.back_up(vault);
    let kept = world.back_up(vault);
    world
        .control
        .delete_backup(&world.alice, backup.id)
        .unwrap();
    world.clock.advance_seconds(2 * DAY - 1);
    assert_eq!(world.control.keep_up().unwrap().purged, 0);
    world.clock.advance_seconds(1);
    assert_eq!(world.control.keep_up().unwrap().purged, 1);
    // The purge has begun but not run: too late all the same.
    refuses(
        Reason::BackupNotDeletable,
        world.control.undelete_backup(&world.alice, backup.id),
    );
    world.run_for_long();
    assert_eq!(world.control.keep_up().unwrap().purged, 0);
    assert_eq!(world.manifests(vault), 1);
    assert_eq!(world.control.list_trash(&world.alice).unwrap().backups, []);
    restores(&world, kept.id, "kept");
}

#[test]
fn a_deleted_vault_comes_back_with_its_backups_and_free_resources() {
    let world = World::new();
    let (home, docs) = (world.share("home"), world.share("docs"));
    let vault = world.vault("v", ObjectType::Turbo, &[&home]).id;
    grace(&world, vault, 7);
    let earlier = world.back_up(vault);
    let backup = world.back_up(vault);
    let (control, alice) = (&world.control, &world.alice);
    control
        .add_vault_resources(alice, vault, vec![added(&docs)])
        .unwrap();
    control.delete_backup(alice, earlier.id).unwrap();
    world.clock.advance_seconds(60);

    control.delete_vault(alice, vault).unwrap();
    refuses(Reason::NoSuchVault, control.show_vault(alice, vault));
    refuses(Reason::NoSuchVault, control.delete_vault(alice, vault));
    assert!(world.vaults().is_empty());
    is_gone(&world, alice, backup.id);
    // Its resources are free for another vault.
    let other = world.vault("other", ObjectType::Turbo, &[&docs]).id;
    let trash = control.list_trash(alice).unwrap();
    assert_eq!((trash.backups.len(), trash.vaults.len()), (0, 1));
    assert_eq!(trash.vaults[0].backups, 1);
    refuses(
        Reason::VaultStateForbids,
        control.undelete_backup(alice, earlier.id),
    );
    refuses(
        Reason::NoSuchVault,
        control.undelete_vault(&world.mallory, vault),
    );

    control.undelete_vault(alice, vault).unwrap();
    let back = control.show_vault(alice, vault).unwrap();
    assert_eq!(back.resources.len(), 1, "docs is elsewhere now");
    assert_eq!(
        (back.resources[0].id, back.resources[0].backup_count),
        (home.id, 1)
    );
    assert_eq!(control.show_vault(alice, other).unwrap().resources.len(), 1);
    restores(&world, backup.id, "again");
    // What was deleted before the vault was is still deleted, and can still come back.
    is_gone(&world, alice, earlier.id);
    control.undelete_backup(alice, earlier.id).unwrap();
    restores(&world, earlier.id, "earlier");
    // A further backup goes on where the last one ended.
    assert!(world.back_up(vault).incremental);
}

#[test]
fn after_its_grace_a_vault_goes_with_its_data_and_its_key() {
    let world = World::new();
    let home = world.share("home");
    let vault = world.vault("v", ObjectType::Turbo, &[&home]).id;
    grace(&world, vault, 1);
    let first = world.back_up(vault);
    world.back_up(vault);
    world.control.delete_backup(&world.alice, first.id).unwrap();
    world.clock.advance_seconds(1);
    world.control.delete_vault(&world.alice, vault).unwrap();
    world.clock.advance_seconds(DAY);
    assert_eq!(world.control.keep_up().unwrap().purged, 1);
    refuses(
        Reason::BackupNotDeletable,
        world.control.undelete_vault(&world.alice, vault),
    );
    world.run_for_long();
    assert_eq!(world.manifests(vault), 0);
    assert_eq!(world.bytes_of_stores(), 0);
    let trash = world.control.list_trash(&world.alice).unwrap();
    assert!(trash.vaults.is_empty() && trash.backups.is_empty());
}

#[test]
fn a_guarded_vault_loses_nothing_without_the_present_plan() {
    let world = World::new();
    let home = world.share("home");
    let vault = world.vault("v", ObjectType::Turbo, &[&home]).id;
    let backup = world.back_up(vault);
    let (control, alice) = (&world.control, &world.alice);
    assert_eq!(guard(&world, vault).grace_days, 7);
    // Less care is for operators.
    let looser = SafetyChange {
        guarded: Some(false),
        ..SafetyChange::default()
    };
    let error = control
        .change_vault_safety(alice, vault, looser)
        .unwrap_err();
    assert!(matches!(error, Error::Forbidden { .. }), "{error}");
    let shorter = SafetyChange {
        grace_days: Some(0),
        ..SafetyChange::default()
    };
    let error = control
        .change_vault_safety(alice, vault, shorter)
        .unwrap_err();
    assert!(matches!(error, Error::Forbidden { .. }), "{error}");

    refuses(
        Reason::BackupNotDeletable,
        control.delete_backup(alice, backup.id),
    );
    refuses(
        Reason::VaultNotDeletable,
        control.delete_vault(alice, vault),
    );
    let remove = || control.remove_vault_resources(alice, vault, vec![home.id]);
    refuses(Reason::VaultStateForbids, remove());

    let deed = Deed::DeleteVault(vault);
    let plan = control.plan(alice, &deed).unwrap();
    assert!(plan.guarded && plan.key_goes && plan.refused.is_none());
    assert_eq!((plan.goes.len(), plan.last_copies.len()), (1, 1));
    assert_eq!(plan.goes[0].id, backup.id);
    assert_eq!(plan.last_copies[0].resource_id, home.id);
    assert!(plan.recoverable_until.is_some());
    assert_eq!(
        control.plan(alice, &deed).unwrap(),
        plan,
        "looking changes nothing"
    );

    // One backup more: the consent was to something else.
    let second = world.back_up(vault);
    refuses(
        Reason::VaultNotDeletable,
        control.carry_out(alice, &deed, &plan.token),
    );
    // The token of one deed is not that of another.
    let one = Deed::DeleteBackup(backup.id);
    let plan = control.plan(alice, &one).unwrap();
    assert!(plan.last_copies.is_empty());
    let other = Deed::DeleteBackup(second.id);
    refuses(
        Reason::BackupNotDeletable,
        control.carry_out(alice, &other, &plan.token),
    );
    control.carry_out(alice, &one, &plan.token).unwrap();
    is_gone(&world, alice, backup.id);
    control.undelete_backup(alice, backup.id).unwrap();
    let plan = control.plan(alice, &deed).unwrap();
    control.carry_out(alice, &deed, &plan.token).unwrap();
    refuses(Reason::NoSuchVault, control.show_vault(alice, vault));
    refuses(Reason::NoSuchVault, control.plan(&world.mallory, &deed));
}

#[test]
fn a_lock_is_one_way_and_covers_what_was_said() {
    let world = World::new();
    let home = world.share("home");
    let vault = world.vault("v", ObjectType::Turbo, &[&home]).id;
    let backup = world.back_up(vault);
    let (control, alice) = (&world.control, &world.alice);
    let lock = SafetyChange {
        locked: Some(true),
        locks_manual: Some(true),
        ..SafetyChange::default()
    };
    let safety = control.change_vault_safety(alice, vault, lock).unwrap();
    assert!(safety.locked && safety.locks_manual);
    for undo in [
        SafetyChange {
            locked: Some(false),
            ..SafetyChange::default()
        },
        SafetyChange {
            locks_manual: Some(false),
            ..SafetyChange::default()
        },
    ] {
        let undone = control.change_vault_safety(&world.admin, vault, undo);
        refuses(Reason::VaultNotUpdatable, undone);
    }
    let undone = VaultChange {
        locked: Some(false),
        ..VaultChange::default()
    };
    refuses(
        Reason::VaultNotUpdatable,
        control.update_vault(&world.admin, vault, undone),
    );

    // Made by hand and without an end: kept for ever, whoever asks and however.
    refuses(
        Reason::LockedVaultKeepsBackup,
        control.delete_backup(alice, backup.id),
    );
    let deed = Deed::DeleteBackup(backup.id);
    let plan = control.plan(&world.admin, &deed).unwrap();
    assert!(plan.refused.unwrap().contains("locked"));
    let done = control.carry_out(&world.admin, &deed, &plan.token);
    refuses(Reason::LockedVaultKeepsBackup, done);
    refuses(
        Reason::VaultNotDeletable,
        control.delete_vault(alice, vault),
    );
    let removed = control.remove_vault_resources(alice, vault, vec![home.id]);
    refuses(Reason::VaultLocked, removed);
    let other = world.vault("other", ObjectType::Turbo, &[]).id;
    let moved = control.migrate_vault_resources(alice, vault, other, vec![home.id]);
    refuses(Reason::VaultLocked, moved);
    restores(&world, backup.id, "still");
}

#[test]
fn disaster_removing_a_resource_from_a_vault_takes_all_its_backups() {
    // Users dissociate a resource to stop its backups and lose those that they have.
    let world = World::new();
    let home = world.share("home");
    let vault = world.vault("v", ObjectType::Turbo, &[&home]).id;
    grace(&world, vault, 7);
    let backups = [world.back_up(vault), world.back_up(vault)];
    let (control, alice) = (&world.control, &world.alice);
    let deed = Deed::RemoveResources {
        vault,
        resources: vec![home.id],
    };
    let plan = control.plan(alice, &deed).unwrap();
    assert_eq!((plan.goes.len(), plan.last_copies.len()), (2, 1));
    control
        .remove_vault_resources(alice, vault, vec![home.id])
        .unwrap();
    world.run();
    assert!(
        control
            .show_vault(alice, vault)
            .unwrap()
            .resources
            .is_empty()
    );
    for backup in &backups {
        is_gone(&world, alice, backup.id);
        control.undelete_backup(alice, backup.id).unwrap();
        restores(&world, backup.id, &format!("back-{}", backup.id));
    }
    // In the vault again, its backups count again.
    control
        .add_vault_resources(alice, vault, vec![added(&home)])
        .unwrap();
    assert_eq!(
        control.show_vault(alice, vault).unwrap().resources[0].backup_count,
        2
    );
    assert!(control.show_vault(alice, vault).unwrap().used > Bytes(0));
}

#[test]
fn disaster_deleting_a_vault_takes_every_backup_at_once() {
    // One call, or one line of a Terraform file, and a year of backups is gone.
    let world = World::new();
    world.control.set_grace_days(&world.admin, 3).unwrap();
    let refusal = world.control.set_grace_days(&world.alice, 0).unwrap_err();
    assert!(matches!(refusal, Error::Forbidden { .. }));
    let home = world.share("home");
    let vault = world.vault("v", ObjectType::Turbo, &[&home]).id;
    let backups = [world.back_up(vault), world.back_up(vault)];
    world.control.delete_vault(&world.alice, vault).unwrap();
    world.run();
    world.clock.advance_seconds(3 * DAY - 1);
    world.control.keep_up().unwrap();
    world.run();
    world.control.undelete_vault(&world.alice, vault).unwrap();
    for backup in &backups {
        restores(&world, backup.id, &format!("back-{}", backup.id));
    }
}

#[test]
fn a_vault_that_comes_back_knows_what_was_said_of_its_resources() {
    let world = World::new();
    let (home, work) = (world.share("home"), world.share("work"));
    let vault = world.vault("v", ObjectType::Turbo, &[]).id;
    let (control, alice) = (&world.control, &world.alice);
    let said = serde_json::json!({ "note": "by hand" });
    let first = AddedResource {
        extra_info: Some(said),
        ..added(&home)
    };
    control
        .add_vault_resources(alice, vault, vec![first, added(&work)])
        .unwrap();
    control
        .set_auto_protect(alice, vault, &[work.id], AutoProtect::LeftOut)
        .unwrap();
    grace(&world, vault, 3);
    let before = control.show_vault(alice, vault).unwrap().resources;
    control.delete_vault(alice, vault).unwrap();
    world.run();
    refuses(Reason::NoSuchVault, control.show_vault(alice, vault));
    control.undelete_vault(alice, vault).unwrap();
    assert_eq!(control.show_vault(alice, vault).unwrap().resources, before);
}
