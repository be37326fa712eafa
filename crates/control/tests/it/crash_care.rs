//! The process dies at any moment while it looks after what is there: retention, notes beside the
//! data, an import, the rebuilding of a lost catalog.

use std::fs;

use strongroom_control::{
    backups::{Backup, BackupFilter},
    import::Found,
    policies::{Definition, NewPolicy, VaultPolicy},
    restores::RestoreTarget,
    vaults_below,
    words::ObjectType,
};
use strongroom_model::{VaultId, state::BackupStatus};

use crate::{
    crash::{all_is_done, restored_equals, survive},
    world::World,
};

const HOUR: i64 = 3600;

fn all(world: &World) -> Vec<Backup> {
    world.backups(&BackupFilter::default())
}

/// A vault with two scheduled backups of a share, of which its policy keeps one.
fn one_too_many() -> (World, VaultId, Vec<Backup>) {
    let world = World::new();
    let share = world.share("a");
    let vault = world.vault("v", ObjectType::Turbo, &[&share]).id;
    let definition = Definition {
        max_backups: Some(1),
        ..Definition::default()
    };
    let new = NewPolicy {
        definition,
        ..NewPolicy::new("nightly", &["FREQ=DAILY;BYHOUR=1;BYMINUTE=0"])
    };
    let policy = world.control.create_policy(&world.alice, new).unwrap();
    let bound = VaultPolicy {
        vault_id: vault,
        policy_id: policy.id,
        destination_vault_id: None,
    };
    let bind = world
        .control
        .associate_vault_policies(&world.alice, &[bound]);
    bind.unwrap();
    for hour in 0..2 * 24 {
        world.clock.advance_seconds(HOUR);
        fs::write(world.file("a/hour"), hour.to_string()).unwrap();
        world.control.schedule_round().unwrap();
        world.run();
    }
    let made = all(&world);
    assert_eq!(made.len(), 2);
    (world, vault, made)
}

#[test]
fn retention_and_notes_survive_a_crash_at_any_moment() {
    let (world, vault, made) = one_too_many();
    let act = |world: &World| {
        let done = world.control.keep_up().unwrap();
        assert_eq!((done.expired, done.notes), (1, 1));
    };
    survive(world, act, |world| {
        // Whatever was done, another round does the rest and nothing more.
        world.control.keep_up().unwrap();
        world.run_for_long();
        all_is_done(world);
        let left = all(world);
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].id, made[0].id);
        assert_eq!(world.manifests(vault), 1);
        assert_eq!(world.counted_wrongly(), [""; 0]);
        restored_equals(world, &left[0], "hello.txt", b"hello from a");
    });
}

/// A share that was backed up twice, with a note beside the data.
fn noted() -> (World, VaultId) {
    let world = World::new();
    let share = world.share("a");
    let vault = world.vault("v", ObjectType::Turbo, &[&share]).id;
    world.back_up(vault);
    fs::write(world.file("a/more"), "more").unwrap();
    world.back_up(vault);
    world.control.keep_up().unwrap();
    world.run();
    (world, vault)
}

#[test]
fn an_import_survives_a_crash_at_any_moment() {
    let (world, vault) = noted();
    let lost = all(&world).remove(0);
    world.forget_row(&lost);
    let act = |world: &World| {
        world.control.import_vault(&world.alice, vault).unwrap();
    };
    survive(world, act, |world| {
        all_is_done(world);
        let back = all(world);
        // It is there as a whole, or the order was never taken.
        assert!(back.len() == 1 || back[0].id == lost.id);
        if back.len() == 2 {
            assert_eq!(back[0].status, BackupStatus::Available);
            restored_equals(world, &back[0], "more", b"more");
        }
        for backup in &back {
            restored_equals(world, backup, "hello.txt", b"hello from a");
        }
        world.control.import_vault(&world.alice, vault).unwrap();
        world.run_for_long();
        assert_eq!(all(world).len(), 2);
        assert_eq!(world.manifests(vault), 2);
    });
}

#[test]
fn the_rebuilding_of_a_lost_catalog_survives_a_crash_at_any_moment() {
    let (mut world, vault) = noted();
    let before: Vec<_> = all(&world).iter().map(|backup| backup.id).collect();
    world.lose_catalog();
    let rebuild = |world: &World| {
        let place = world.dir.path().join("data/repositories");
        for vault in vaults_below(place.to_str().unwrap()).unwrap() {
            let found = Found {
                vault,
                region: None,
            };
            world.control.rebuild_vault(&found).unwrap();
        }
    };
    survive(world, rebuild, |world| {
        rebuild(world);
        world.run_for_long();
        let after: Vec<_> = all(world).iter().map(|backup| backup.id).collect();
        assert_eq!(after, before);
        assert_eq!(world.vaults().len(), 1);
        assert_eq!(world.manifests(vault), 2);
        assert_eq!(world.counted_wrongly(), [""; 0]);
        let to = world.dir.path().join("check");
        for (id, files) in after.iter().zip([2, 1]) {
            world
                .restore(*id, RestoreTarget::NewPath(to.clone()))
                .unwrap();
            assert_eq!(fs::read_dir(&to).unwrap().count(), files);
            fs::remove_dir_all(&to).unwrap();
        }
    });
}
