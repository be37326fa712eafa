//! The catalog is lost, and comes back from the data; single backups come back by import.

use std::fs;

use strongroom_control::{
    Reason, Tag, Vault,
    backups::{Backup, BackupFilter},
    checkpoints::NewCheckpoint,
    enterprise::NewEnterpriseProject,
    import::{Found, NewImport, Rebuilt},
    locks::SafetyChange,
    operation_logs::{OperationDetail, OperationFailure},
    organization::{NewOrganizationPolicy, Rollout},
    policies::{NewPolicy, PolicyChange, VaultPolicy},
    restores::RestoreTarget,
    vaults::{NewVault, VaultChange},
    vaults_below,
    words::ObjectType,
};
use strongroom_model::{
    BackupId, GiB, OperationLogId, Timestamp, VaultId,
    state::{CheckpointStatus, TaskStatus},
};
use strongroom_store::Key;

use crate::{
    schedule::{Scene, counted},
    world::{World, added, refused},
};

/// Rebuilds every vault whose data are found.
pub(crate) fn rebuild(world: &World) -> Vec<(VaultId, Rebuilt)> {
    let place = world.dir.path().join("data/repositories");
    let found = vaults_below(place.to_str().unwrap()).unwrap();
    let rebuilt = |vault: VaultId| {
        let region = None;
        world
            .control
            .rebuild_vault(&Found { vault, region })
            .unwrap()
    };
    found
        .into_iter()
        .map(|vault| (vault, rebuilt(vault)))
        .collect()
}

/// A vault as it is compared: when it was changed last does not come back, nor how it is now
/// with what is measured later.
fn compared(vault: Vault) -> Vault {
    Vault {
        updated_at: Timestamp::default(),
        ..vault
    }
}

fn compared_backups(world: &World) -> Vec<Backup> {
    let mut backups = world.backups(&BackupFilter::default());
    for backup in &mut backups {
        backup.updated_at = None;
    }
    backups
}

fn check_restores(world: &World, backup: &Backup, expected: &[u8]) {
    let to = world.dir.path().join("check");
    world
        .restore(backup.id, RestoreTarget::NewPath(to.clone()))
        .unwrap();
    assert_eq!(fs::read(to.join("hello.txt")).unwrap(), expected);
    fs::remove_dir_all(to).unwrap();
}

/// A share that was backed up twice, changed in between, in a vault with everything said.
fn scene() -> (World, VaultId) {
    let world = World::new();
    let (share, disk) = (world.share("home"), world.volume("disk", 3 << 20));
    let new = NewVault {
        description: Some("what matters".into()),
        resources: vec![added(&share)],
        tags: vec![Tag {
            key: "team".into(),
            value: "blue".into(),
        }],
        ..NewVault::new("home", ObjectType::Turbo, GiB(20))
    };
    let vault = world.control.create_vault(&world.alice, new).unwrap().id;
    world.back_up(vault);
    fs::write(world.file("home/hello.txt"), "changed").unwrap();
    world.back_up(vault);
    let other = world.vault("disks", ObjectType::Disk, &[&disk]).id;
    world.clock.advance_seconds(1);
    let new = NewCheckpoint {
        retention_days: Some(9),
        name: Some("nine".into()),
        ..NewCheckpoint::of(other)
    };
    world.control.create_checkpoint(&world.alice, new).unwrap();
    world.run();
    (world, vault)
}

#[test]
fn a_lost_catalog_comes_back_whole_from_the_data() {
    let (mut world, vault) = scene();
    // All this happens after the backups were made: only the notes know of it.
    let first = world.backups(&BackupFilter::default()).pop().unwrap();
    world
        .control
        .rename_backup(&world.alice, first.id, Some("first"))
        .unwrap();
    let change = VaultChange {
        name: Some("homes".into()),
        locked: Some(true),
        ..VaultChange::default()
    };
    world
        .control
        .update_vault(&world.alice, vault, change)
        .unwrap();
    let empty = world.vault("empty", ObjectType::Turbo, &[]).id;
    assert_eq!(world.control.keep_up().unwrap().notes, 3);
    world.run();
    let before = (world.vaults(), compared_backups(&world));
    assert_eq!(
        world.control.keep_up().unwrap().notes,
        0,
        "nothing new to say"
    );

    world.lose_catalog();
    assert_eq!(world.vaults(), []);
    let rebuilt = rebuild(&world);
    assert_eq!(rebuilt.len(), 3);
    world.run();

    let mut after = (world.vaults(), compared_backups(&world));
    for (old, new) in before.0.iter().zip(&after.0) {
        assert_eq!(compared(new.clone()), compared(old.clone()));
    }
    for (old, new) in before.1.iter().zip(&mut after.1) {
        assert_eq!(new, old);
        let checkpoint = world
            .control
            .show_checkpoint(&world.alice, new.checkpoint_id)
            .unwrap();
        assert_eq!(checkpoint.status, CheckpointStatus::Available);
    }
    assert_eq!((after.0.len(), after.1.len()), (3, 3));
    assert!(after.0.iter().any(|vault| vault.id == empty));
    assert_eq!(after.1[2].name, "first");

    let of_share: Vec<_> = after.1.iter().filter(|of| of.vault_id == vault).collect();
    check_restores(&world, of_share[0], b"changed");
    check_restores(&world, of_share[1], b"hello from home");
    // And the service goes on where it was.
    fs::write(world.file("home/hello.txt"), "later").unwrap();
    let next = world.back_up(vault);
    assert!(next.incremental, "it builds on what came back");
    check_restores(&world, &next, b"later");
}

#[test]
fn without_notes_the_manifests_alone_bring_everything_back_that_has_a_backup() {
    let (mut world, vault) = scene();
    let before = compared_backups(&world);
    world.lose_catalog();
    for (_, rebuilt) in rebuild(&world) {
        assert!(matches!(rebuilt, Rebuilt::Back { .. }), "{rebuilt:?}");
    }
    world.run();
    let after = compared_backups(&world);
    assert_eq!(after.len(), 3);
    for (old, new) in before.iter().zip(&after) {
        // When exactly reading began is the catalog's own knowledge.
        assert_eq!(
            Backup {
                protected_at: old.protected_at,
                expired_at: old.expired_at,
                ..new.clone()
            },
            *old
        );
        assert_eq!(new.expired_at.is_some(), old.expired_at.is_some());
    }
    let shown = world.control.show_vault(&world.alice, vault).unwrap();
    assert_eq!((shown.name.as_str(), shown.size), ("home", GiB(20)));
    check_restores(&world, &after[1], b"changed");
}

#[test]
fn the_label_of_a_vault_comes_back_by_its_note_and_by_its_manifests_alone() {
    for noted in [true, false] {
        let (mut world, vault) = scene();
        let new = NewEnterpriseProject {
            name: "research".into(),
            description: Some("what is found out".into()),
            kind: None,
        };
        let label = world.control.create_enterprise_project(&world.admin, &new);
        let label = label.unwrap();
        let moved = NewVault {
            resources: vec![added(&world.share("lab"))],
            enterprise_project_id: Some(label.id.clone()),
            ..NewVault::new("lab", ObjectType::Turbo, GiB(10))
        };
        let lab = world.control.create_vault(&world.alice, moved).unwrap().id;
        world.back_up(lab);
        if noted {
            world.control.keep_up().unwrap();
            world.run();
        }
        world.lose_catalog();
        rebuild(&world);
        let id = label.id.clone();
        let found = world.control.show_enterprise_project(&world.admin, &id);
        let found = found.unwrap();
        assert_eq!((&found.name, &found.id), (&label.name, &label.id));
        assert_eq!(found.description, label.description);
        let vaults = world.vaults();
        let of = |id: VaultId| vaults.iter().find(|one| one.id == id).unwrap();
        assert_eq!(of(lab).enterprise_project_id, id);
        assert_eq!(of(vault).enterprise_project_id, "0");
    }
}

#[test]
fn rebuilding_twice_changes_nothing_and_deleted_backups_stay_away() {
    let (mut world, vault) = scene();
    world.control.keep_up().unwrap();
    world.run();
    let gone = world.backups(&BackupFilter::default()).pop().unwrap();
    world.control.delete_backup(&world.alice, gone.id).unwrap();
    world.run();
    let before = compared_backups(&world);
    world.lose_catalog();
    rebuild(&world);
    for (_, rebuilt) in rebuild(&world) {
        let Rebuilt::Back { brought, .. } = rebuilt else {
            panic!("{rebuilt:?}")
        };
        assert_eq!((brought.new, brought.known), (0, 1));
        assert!(brought.lost.is_empty());
    }
    world.run();
    assert_eq!(compared_backups(&world), before);
    let shown = world.control.show_vault(&world.alice, vault).unwrap();
    assert_eq!(shown.resources[0].backup_count, 1);
}

#[test]
fn a_vault_that_cannot_be_read_is_named_and_stands_in_no_others_way() {
    let (mut world, vault) = scene();
    world.lose_catalog();
    let record = Key::new("vault.json").unwrap();
    let kept = world.store(vault).get(&record).unwrap();
    world.store(vault).delete(&record).unwrap();
    let rebuilt = rebuild(&world);
    let of = |id: VaultId| &rebuilt.iter().find(|(found, _)| *found == id).unwrap().1;
    let Rebuilt::Unreadable(why) = of(vault) else {
        panic!("{rebuilt:?}")
    };
    assert!(why.contains("key record"), "{why}");
    assert_eq!(world.vaults().len(), 1, "the other one is back");

    // The key record of another vault opens nothing here.
    let other = world.vaults()[0].id;
    let stranger = world.store(other).get(&record).unwrap();
    world.store(vault).create_new(&record, &stranger).unwrap();
    let rebuilt = rebuild(&world);
    assert!(
        rebuilt
            .iter()
            .any(|(id, of)| *id == vault && matches!(of, Rebuilt::Unreadable(_)))
    );
    world.store(vault).delete(&record).unwrap();
    world.store(vault).create_new(&record, &kept).unwrap();
    rebuild(&world);
    assert_eq!(world.backups(&BackupFilter::default()).len(), 3);
}

#[test]
fn a_damaged_manifest_is_named_and_the_others_come_back() {
    let (mut world, vault) = scene();
    world.lose_catalog();
    let store = world.store(vault);
    let mut manifests = Vec::new();
    store
        .list("manifests/", &mut |key, _| {
            manifests.push(key);
            Ok(())
        })
        .unwrap();
    let mut bytes = store.get(&manifests[0]).unwrap().to_vec();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    store.delete(&manifests[0]).unwrap();
    store.create_new(&manifests[0], &bytes).unwrap();
    let rebuilt = rebuild(&world);
    let (_, of_vault) = rebuilt.iter().find(|(id, _)| *id == vault).unwrap();
    let Rebuilt::Back { brought, .. } = of_vault else {
        panic!("{of_vault:?}")
    };
    assert_eq!((brought.new, brought.lost.len()), (1, 1));
}

#[test]
fn a_catalog_that_was_begun_anew_is_not_mixed_with_the_old_one() {
    let (mut world, _) = scene();
    world.lose_catalog();
    world.begin_anew();
    for (_, rebuilt) in rebuild(&world) {
        let Rebuilt::Unreadable(why) = rebuilt else {
            panic!("{rebuilt:?}")
        };
        assert!(why.contains("move that catalog away"), "{why}");
    }
}

fn sync(world: &World, log: OperationLogId) -> Result<(u64, u64), OperationFailure> {
    world.run();
    let log = world.control.show_operation_log(&world.alice, log).unwrap();
    match (log.error, log.detail) {
        (Some(failure), _) => Err(failure),
        (None, OperationDetail::Sync { imported, failed }) => {
            assert_eq!(log.status, TaskStatus::Success);
            Ok((imported, failed))
        }
        (None, other) => panic!("{other:?}"),
    }
}

#[test]
fn an_import_brings_back_what_the_catalog_does_not_know_and_nothing_else() {
    let (world, vault) = scene();
    let before = compared_backups(&world);
    let log = world.control.import_vault(&world.alice, vault).unwrap();
    assert_eq!(sync(&world, log), Ok((0, 0)));

    let lost = before
        .iter()
        .find(|backup| backup.vault_id == vault)
        .unwrap();
    world.forget_row(lost);
    assert_eq!(world.backups(&BackupFilter::default()).len(), 2);
    let by_name = NewImport {
        backup_id: lost.id,
        place: "home".into(),
    };
    let ordered = world
        .control
        .import_backups(&world.alice, std::slice::from_ref(&by_name))
        .unwrap();
    assert_eq!(ordered[0].0, lost.id);
    assert_eq!(sync(&world, ordered[0].1), Ok((1, 0)));
    assert_eq!(compared_backups(&world).len(), 3);
    check_restores(&world, lost, b"changed");

    world.forget_row(lost);
    let log = world.control.import_vault(&world.alice, vault).unwrap();
    assert_eq!(sync(&world, log), Ok((1, 0)));
    let shown = world.control.show_vault(&world.alice, vault).unwrap();
    // Two rows were lost behind everybody's back with what they counted for.
    assert_eq!(shown.resources[0].backup_count, 2 + 2);
}

#[test]
fn imports_are_refused_in_words() {
    let (world, vault) = scene();
    let import = |backup_id: BackupId, place: &str| {
        let import = NewImport {
            backup_id,
            place: place.to_owned(),
        };
        world.control.import_backups(&world.alice, &[import])
    };
    let backup = world.backups(&BackupFilter::default())[0].id;
    assert_eq!(refused(import(backup, "nowhere")), Reason::NoSuchVault);
    let nothing = world.control.import_backups(&world.alice, &[]);
    assert_eq!(refused(nothing), Reason::InvalidParameter);
    world.vault("home", ObjectType::Turbo, &[]);
    assert_eq!(refused(import(backup, "home")), Reason::InvalidParameter);

    let unknown = BackupId::from_bytes([9; 16]);
    let log = import(unknown, &vault.to_string()).unwrap()[0].1;
    assert_eq!(sync(&world, log).unwrap_err().reason, Reason::NoSuchBackup);

    world.control.import_vault(&world.alice, vault).unwrap();
    let again = world.control.import_vault(&world.alice, vault);
    assert_eq!(refused(again), Reason::SynchronisationRuns);
    world.run();
    world.control.delete_vault(&world.alice, vault).unwrap();
    let late = world.control.import_vault(&world.alice, vault);
    assert_eq!(refused(late), Reason::VaultCannotSynchronise);
}

#[test]
fn a_deleted_vault_takes_its_notes_along() {
    let (world, vault) = scene();
    world.control.keep_up().unwrap();
    world.control.delete_vault(&world.alice, vault).unwrap();
    world.run_for_long();
    assert_eq!(world.objects(vault), 0);
    world.control.keep_up().unwrap();
    world.run_for_long();
    assert_eq!(world.objects(vault), 0, "neither key nor note comes back");
}

#[test]
fn policies_come_back_with_what_they_promised_and_go_on() {
    let mut scene = Scene::new(&["FREQ=DAILY;BYHOUR=1;BYMINUTE=0"], counted(3));
    scene.pass(4 * 24);
    let world = &scene.world;
    let guard = SafetyChange {
        guarded: Some(true),
        grace_days: Some(9),
        ..SafetyChange::default()
    };
    let changed = world
        .control
        .change_vault_safety(&world.alice, scene.vault, guard);
    let safety = changed.unwrap();
    world.control.keep_up().unwrap();
    world.run();
    // The deletion that upkeep ordered is news for the note.
    world.control.keep_up().unwrap();
    world.run();
    let policy = world
        .control
        .show_policy(&world.alice, scene.policy.id)
        .unwrap();
    let before = scene.backups();
    assert_eq!(before.len(), 3);

    scene.world.lose_catalog();
    let world = &scene.world;
    assert_eq!(rebuild(world).len(), 1);
    world.run();
    let again = world
        .control
        .show_policy(&world.alice, scene.policy.id)
        .unwrap();
    assert_eq!(again, policy);
    let safe = world.control.vault_safety(&world.alice, scene.vault);
    assert_eq!(safe.unwrap(), safety);

    // What is made from now on is newer than what was there, and pushes it out in its turn.
    for (nights, old) in [(1, 2), (2, 1), (3, 0)] {
        for _ in 0..24 {
            scene.pass(1);
            scene.world.control.keep_up().unwrap();
            scene.world.run();
        }
        let now = scene.backups();
        assert_eq!(now.len(), 3, "after {nights} nights");
        let left = before
            .iter()
            .filter(|was| now.iter().any(|is| is.id == was.id));
        assert_eq!(left.count(), old, "after {nights} nights");
    }
}

#[test]
fn policies_of_an_organization_come_back_as_its_own_and_are_rolled_out_to_whoever_lacks_them() {
    let (mut world, vault) = scene();
    let nightly = NewPolicy {
        definition: counted(3),
        ..NewPolicy::new("nightly", &["FREQ=DAILY;BYHOUR=1;BYMINUTE=0"])
    };
    let new = NewOrganizationPolicy {
        name: "everybody".into(),
        description: Some("at night".into()),
        effective_scope: None,
        policy: nightly,
    };
    let control = &world.control;
    let made = control.create_organization_policy(&world.admin, new);
    let made = made.unwrap();
    let rollouts = |world: &World| {
        let listed = world.control.organization_rollouts(&world.admin, made.id);
        listed.unwrap()
    };
    let before = rollouts(&world);
    assert_eq!(before.len(), 2);
    let ours = world.alice.project_id.unwrap();
    let of_ours = |all: &[Rollout]| {
        let found = all.iter().find(|rollout| rollout.project_id == ours);
        found.unwrap().policy_id.clone()
    };
    let policy_id = of_ours(&before).parse().unwrap();
    let bound = VaultPolicy {
        vault_id: vault,
        policy_id,
        destination_vault_id: None,
    };
    let bound = control.associate_vault_policies(&world.alice, &[bound]);
    bound.unwrap();
    control.keep_up().unwrap();
    world.run();

    world.lose_catalog();
    rebuild(&world);
    let control = &world.control;
    let again = control.show_organization_policy(&world.admin, made.id);
    let again = again.unwrap();
    assert_eq!(
        (&again.name, &again.description),
        (&made.name, &made.description)
    );
    assert_eq!(again.policy_name, made.policy_name);
    // It is the organization's still, and no second one was made.
    assert_eq!(of_ours(&rollouts(&world)), policy_id.to_string());
    let renamed = PolicyChange {
        name: Some("mine".into()),
        ..PolicyChange::default()
    };
    let changed = control.update_policy(&world.alice, policy_id, renamed);
    assert_eq!(refused(changed), Reason::Forbidden);
    control.keep_up().unwrap();
    assert_eq!(of_ours(&rollouts(&world)), policy_id.to_string());
}
