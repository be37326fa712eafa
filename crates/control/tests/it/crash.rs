//! The process dies at any moment; a new one over what is left finishes or undoes everything.
//!
//! A camera copies the whole world (catalog, stores, files) at every call of the clock and of a
//! store while something is ordered and done. Each copy is what a `kill -9` at that moment would
//! have left. Then each copy is put in the world's place, a new service starts over it, and what
//! was acknowledged must come true.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use strongroom_control::{
    Page,
    backups::{Backup, BackupFilter},
    checkpoints::NewCheckpoint,
    operation_logs::{OperationLog, OperationLogFilter},
    restores::{NewRestore, RestoreTarget},
    words::ObjectType,
};
use strongroom_model::{
    Clock, ResourceId, Timestamp, VaultId,
    state::{BackupStatus, CheckpointStatus, ProtectStatus, TaskStatus},
};
use strongroom_store::{
    ErrorKind,
    fault::{Fault, Rule},
};
use strongroom_testkit::clock::ManualClock;
use tempfile::TempDir;

use crate::world::World;

/// Copies the world whenever it is told to.
struct Camera {
    world: PathBuf,
    album: TempDir,
    shots: Mutex<usize>,
    open: AtomicBool,
}

impl Camera {
    fn of(world: &Path) -> Arc<Self> {
        Arc::new(Self {
            world: world.to_owned(),
            album: tempfile::tempdir().unwrap(),
            shots: Mutex::default(),
            open: AtomicBool::new(false),
        })
    }

    fn shoot(&self) {
        if !self.open.load(Ordering::SeqCst) {
            return;
        }
        let mut shots = self.shots.lock().unwrap();
        let shot = self.shot(*shots);
        photograph(&self.world, &shot);
        *shots += 1;
    }

    fn shot(&self, number: usize) -> PathBuf {
        self.album.path().join(number.to_string())
    }
}

/// Copies the world to where nothing is yet, as a `kill -9` would leave it.
pub(crate) fn photograph(world: &Path, shot: &Path) {
    // A file that goes away while it is copied is one that a crash may or may not leave.
    Command::new("cp")
        .arg("-a")
        .arg(world)
        .arg(shot)
        .output()
        .unwrap();
    let shared_memory = shot.join("data/catalog.sqlite-shm");
    let _ = fs::remove_file(shared_memory);
}

/// A clock that takes a picture before it answers.
struct Shutter(Arc<Camera>, Arc<ManualClock>);

impl Clock for Shutter {
    fn now(&self) -> Timestamp {
        self.0.shoot();
        self.1.now()
    }
}

/// Lets `act` happen once under the camera; then every picture of it must come out well.
pub(crate) fn survive(mut world: World, act: impl Fn(&World), check: impl Fn(&World)) {
    let camera = Camera::of(world.dir.path());
    world.set_clock(Arc::new(Shutter(
        Arc::clone(&camera),
        Arc::clone(&world.clock),
    )));
    let eye = Arc::clone(&camera);
    world
        .faults
        .add(Rule::any(), Fault::Before(Arc::new(move || eye.shoot())));
    camera.open.store(true, Ordering::SeqCst);
    act(&world);
    world.run();
    camera.open.store(false, Ordering::SeqCst);
    world.faults.heal();
    check(&world);
    let shots = *camera.shots.lock().unwrap();
    assert!(shots > 10, "{shots} pictures prove nothing");
    for number in 0..shots {
        world.become_copy(&camera.shot(number));
        world.run_for_long();
        // Printed only if the check fails.
        println!("picture {number} of {shots}");
        check(&world);
    }
}

fn logs(world: &World) -> Vec<OperationLog> {
    let filter = OperationLogFilter::default();
    world
        .control
        .list_operation_logs(&world.alice, &filter, &Page::default())
        .unwrap()
        .items
}

/// Nothing is left undone, and nothing failed.
pub(crate) fn all_is_done(world: &World) {
    for log in logs(world) {
        assert_eq!(log.status, TaskStatus::Success, "{log:?}");
    }
    for vault in world.vaults() {
        for resource in &vault.resources {
            assert_eq!(resource.protect_status, ProtectStatus::Available);
        }
    }
    for backup in world.backups(&BackupFilter::default()) {
        assert_eq!(backup.status, BackupStatus::Available);
        let checkpoint = world
            .control
            .show_checkpoint(&world.alice, backup.checkpoint_id);
        assert_eq!(checkpoint.unwrap().status, CheckpointStatus::Available);
    }
}

/// What the vault counts is what its backups say.
fn the_books_are_right(world: &World, vault: VaultId) {
    let backups = world.backups(&BackupFilter::default());
    let stored = |backup: &Backup| {
        world
            .control
            .backup_report(&world.alice, backup.id)
            .unwrap()
            .stored
            .0
    };
    let shown = world.control.show_vault(&world.alice, vault).unwrap();
    assert_eq!(shown.used.0, backups.iter().map(stored).sum::<u64>());
    for resource in &shown.resources {
        let of = |backup: &&Backup| backup.resource_id == resource.id;
        assert_eq!(
            resource.backup_count,
            backups.iter().filter(of).count() as u64
        );
        let sum = backups.iter().filter(of).map(stored).sum::<u64>();
        assert_eq!(resource.backup_size.0, sum);
    }
    assert_eq!(
        world.manifests(vault),
        backups.len(),
        "one manifest for each backup"
    );
}

pub(crate) fn restored_equals(world: &World, backup: &Backup, name: &str, expected: &[u8]) {
    let to = world.dir.path().join("check");
    world
        .restore(backup.id, RestoreTarget::NewPath(to.clone()))
        .unwrap();
    assert_eq!(fs::read(to.join(name)).unwrap(), expected);
    fs::remove_dir_all(to).unwrap();
}

#[test]
fn a_backup_survives_a_crash_at_any_moment() {
    let world = World::new();
    let share = world.share("a");
    let vault = world.vault("v", ObjectType::Turbo, &[&share]).id;
    let order = move |world: &World| {
        world
            .control
            .create_checkpoint(&world.alice, NewCheckpoint::of(vault))
            .unwrap();
    };
    survive(world, order, |world| {
        all_is_done(world);
        the_books_are_right(world, vault);
        // None if the process died before the order was taken.
        for backup in world.backups(&BackupFilter::default()) {
            restored_equals(world, &backup, "hello.txt", b"hello from a");
        }
    });
}

#[test]
fn a_restore_in_place_survives_a_crash_at_any_moment() {
    let world = World::new();
    let share = world.share("a");
    let vault = world.vault("v", ObjectType::Turbo, &[&share]).id;
    let backup = world.back_up(vault);
    fs::write(world.file("a/hello.txt"), "newer").unwrap();
    world.clock.advance_seconds(1);
    let order = |world: &World| {
        let target = RestoreTarget::Original;
        let new = NewRestore {
            backup_id: backup.id,
            target,
            inside: None,
        };
        world.control.restore_backup(&world.alice, new).unwrap();
    };
    survive(world, order, |world| {
        all_is_done(world);
        the_books_are_right(world, vault);
        let ordered = logs(world).len() > 1;
        let expected: &[u8] = if ordered { b"hello from a" } else { b"newer" };
        assert_eq!(fs::read(world.file("a/hello.txt")).unwrap(), expected);
        assert_eq!(
            fs::read_dir(world.file("")).unwrap().count(),
            1,
            "no shadow stays"
        );
        if ordered {
            let safety = world.backup_named("safety_");
            restored_equals(world, &safety, "hello.txt", b"newer");
        }
    });
}

#[test]
fn a_restore_of_a_volume_survives_a_crash_at_any_moment() {
    let world = World::new();
    let disk = world.volume("d", 1 << 18);
    world.scribble("d", 1);
    let first = fs::read(world.file("d")).unwrap();
    let vault = world.vault("v", ObjectType::Disk, &[&disk]).id;
    let backup = world.back_up(vault);
    world.scribble("d", 2);
    let second = fs::read(world.file("d")).unwrap();
    world.clock.advance_seconds(1);
    let order = |world: &World| {
        let target = RestoreTarget::Original;
        let new = NewRestore {
            backup_id: backup.id,
            target,
            inside: None,
        };
        world.control.restore_backup(&world.alice, new).unwrap();
    };
    survive(world, order, |world| {
        all_is_done(world);
        let expected = if logs(world).len() > 1 {
            &first
        } else {
            &second
        };
        assert!(fs::read(world.file("d")).unwrap() == *expected);
    });
}

#[test]
fn a_restore_to_a_path_survives_a_crash_at_any_moment() {
    let world = World::new();
    let share = world.share("a");
    let vault = world.vault("v", ObjectType::Turbo, &[&share]).id;
    let backup = world.back_up(vault);
    let order = |world: &World| {
        let target = RestoreTarget::NewPath(world.file("out"));
        let new = NewRestore {
            backup_id: backup.id,
            target,
            inside: None,
        };
        world.control.restore_backup(&world.admin, new).unwrap();
    };
    survive(world, order, |world| {
        all_is_done(world);
        let expected = if logs(world).len() > 1 { 2 } else { 1 };
        assert_eq!(
            fs::read_dir(world.file("")).unwrap().count(),
            expected,
            "nothing staged stays"
        );
        if expected == 2 {
            assert_eq!(
                fs::read(world.file("out/hello.txt")).unwrap(),
                b"hello from a"
            );
        }
    });
}

#[test]
fn deletions_survive_a_crash_at_any_moment() {
    let world = World::new();
    let (a, b) = (world.share("a"), world.share("b"));
    let vault = world.vault("v", ObjectType::Turbo, &[&a, &b]).id;
    world
        .control
        .create_checkpoint(&world.alice, NewCheckpoint::of(vault))
        .unwrap();
    world.run();
    let of = |world: &World, resource: ResourceId| {
        let filter = BackupFilter {
            resource_id: Some(resource),
            ..BackupFilter::default()
        };
        world.backups(&filter)
    };
    let act = |world: &World| {
        world
            .control
            .delete_backup(&world.alice, of(world, a.id)[0].id)
            .unwrap();
        world.run();
        world
            .control
            .remove_vault_resources(&world.alice, vault, vec![b.id])
            .unwrap();
    };
    survive(world, act, |world| {
        all_is_done(world);
        // Each order is there and done, or was never taken.
        let deleted = of(world, a.id).is_empty();
        let removed = world
            .control
            .show_vault(&world.alice, vault)
            .unwrap()
            .resources
            .len()
            == 1;
        let tasks = usize::from(deleted) + usize::from(removed);
        assert_eq!(logs(world).len(), 2 + tasks);
        assert_eq!(of(world, b.id).is_empty(), removed);
        for backup in of(world, b.id) {
            restored_equals(world, &backup, "hello.txt", b"hello from b");
        }
        assert_eq!(
            world.manifests(vault),
            world.backups(&BackupFilter::default()).len()
        );
    });
}

#[test]
fn the_end_of_a_vault_survives_a_crash_at_any_moment() {
    let world = World::new();
    let share = world.share("a");
    let vault = world.vault("v", ObjectType::Turbo, &[&share]).id;
    let backup = world.back_up(vault);
    let act = |world: &World| world.control.delete_vault(&world.alice, vault).unwrap();
    survive(world, act, |world| {
        all_is_done(world);
        let ordered = logs(world).len() > 1;
        assert_eq!(world.vaults().is_empty(), ordered);
        if ordered {
            assert_eq!(world.objects(vault), 0);
            assert!(world.backups(&BackupFilter::default()).is_empty());
        } else {
            restored_equals(world, &backup, "hello.txt", b"hello from a");
        }
    });
}

#[test]
fn a_store_that_fails_at_any_call_delays_a_backup_or_fails_it_cleanly() {
    at_each_call(fail_at);
}

/// Has each of the store's calls fail once; `fail_at` does everything with one that fails, and says
/// how many calls there were.
pub(crate) fn at_each_call(fail_at: impl Fn(u64, ErrorKind) -> u64) {
    let kinds = [ErrorKind::Unavailable, ErrorKind::NoSpace, ErrorKind::Other];
    let calls = fail_at(u64::MAX, ErrorKind::Other);
    for call in 1..=calls {
        // Each kind meets a third of the calls; which third changes with the release's calls.
        fail_at(call, kinds[usize::try_from(call).unwrap() % kinds.len()]);
    }
}

/// Backs up with a store whose `n`th call fails; how many calls there were.
fn fail_at(call: u64, kind: ErrorKind) -> u64 {
    let world = World::new();
    let share = world.share("a");
    let vault = world.vault("v", ObjectType::Turbo, &[&share]).id;
    let good = world.back_up(vault);
    let before = world.faults.calls();
    fs::write(world.file("a/more"), "more").unwrap();
    world.faults.add(Rule::call(call), Fault::Refuse(kind));
    world.clock.advance_seconds(1);
    world
        .control
        .create_checkpoint(&world.alice, NewCheckpoint::of(vault))
        .unwrap();
    world.run_for_long();
    world.faults.heal();
    let calls = world.faults.calls() - before;
    let newest = world.backups(&BackupFilter::default()).remove(0);
    assert_ne!(newest.id, good.id);
    match newest.status {
        BackupStatus::Available => restored_equals(&world, &newest, "more", b"more"),
        BackupStatus::Error => {
            assert_ne!(kind, ErrorKind::Unavailable, "that would have passed");
            world
                .control
                .delete_backup(&world.alice, newest.id)
                .unwrap();
            world.run_for_long();
            let again = world.back_up(vault);
            restored_equals(&world, &again, "more", b"more");
        }
        other => panic!("call {call} of {calls}, {kind:?}: {other}"),
    }
    restored_equals(&world, &good, "hello.txt", b"hello from a");
    calls
}
