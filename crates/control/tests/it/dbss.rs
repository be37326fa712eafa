//! Audit logs over time: backups by the calendar, what was missed, what is late, what goes, what
//! was lost; crashes at every step; who sees them.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    path::PathBuf,
};

use strongroom_control::{
    Page, Reason, Result,
    dbss::{
        backups::{LogBackup, LogBackupFilter, Standing},
        instances::{Instance, InstanceChange, NewInstance},
        statements::Query,
        switch::{NewSwitch, bucket_of},
    },
    freshness::Which,
};
use strongroom_model::{
    DbssInstanceId, Timestamp,
    state::{DbssProgress, DbssTaskStatus},
};

use crate::{
    crash::survive,
    world::{World, refused},
};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

fn logs(world: &World) -> PathBuf {
    world.file("logs")
}

/// Writes statements into the log, one line each.
fn write(world: &World, statements: &[&str]) {
    let path = logs(world).join("server_audit.log");
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .unwrap();
    for statement in statements {
        let line = format!("20260101 00:00:00,db,app,10.0.0.7,1,1,QUERY,shop,'{statement}',0");
        writeln!(file, "{line}").unwrap();
    }
}

fn new(world: &World, name: &str) -> NewInstance {
    NewInstance {
        name: name.to_owned(),
        path: logs(world),
        format: None,
        project_id: None,
        retention_days: None,
        zone_minutes: 0,
        // However full the disk is that the test runs on.
        hurry_percent: Some(100),
    }
}

/// A registered directory with one statement in its log.
fn registered(world: &World) -> Instance {
    fs::create_dir(logs(world)).unwrap();
    write(world, &["SELECT 1"]);
    let new = new(world, "shop");
    world.control.register_logs(&world.admin, new).unwrap()
}

fn backups(world: &World, id: DbssInstanceId) -> Vec<LogBackup> {
    let all = LogBackupFilter::default();
    let listed = world
        .control
        .list_log_backups(&world.alice, id, &all, &Page::default());
    listed.unwrap().items
}

fn set(world: &World, instance: &Instance, cycle: &str, trigger_at: Timestamp) {
    let new = NewSwitch {
        automatic: true,
        cycle: cycle.to_owned(),
        trigger_at,
        bucket_name: bucket_of(instance.project_id),
        bucket_root_path: None,
    };
    let set = world
        .control
        .set_log_switch(&world.alice, instance.id, &new);
    set.unwrap();
}

fn standing(world: &World, instance: &Instance) -> Standing {
    let found = world.control.log_backup_standing(&world.alice, instance.id);
    found.unwrap()
}

/// What the round of a minute does: rounds and work.
fn minute(world: &World) -> u64 {
    world.control.schedule_round().unwrap();
    let round = world.control.dbss_round().unwrap();
    world.run();
    round.ordered
}

fn alarms(world: &World) -> Vec<String> {
    world.control.watch_round().unwrap();
    let page = Page::default();
    let open = world.control.alarms(&world.alice, Which::Open, &page);
    open.unwrap()
        .items
        .into_iter()
        .map(|alarm| alarm.kind)
        .collect()
}

#[test]
fn backups_are_made_by_the_calendar_once_and_what_was_missed_is_caught_up_once() {
    let world = World::new();
    let instance = registered(&world);
    assert_eq!(standing(&world, &instance), Standing::None);
    assert_eq!(minute(&world), 0, "nobody asked for any");

    // From ten minutes from now on, every hour.
    let start = strongroom_model::Clock::now(&*world.clock).plus_seconds(10 * MINUTE);
    set(&world, &instance, "PER_HOUR", start);
    world.clock.advance_seconds(9 * MINUTE);
    assert_eq!(minute(&world), 0, "too early");
    world.clock.advance_seconds(MINUTE);
    assert_eq!(minute(&world), 1);
    assert_eq!(minute(&world), 0, "once");
    let made = backups(&world, instance.id);
    assert_eq!((made.len(), made[0].progress), (1, DbssProgress::AutoDone));
    assert_eq!((made[0].lines, made[0].sequence), (1, Some(1)));
    assert_eq!(standing(&world, &instance), Standing::Good);
    let switch = world.control.log_switch(&world.alice, instance.id).unwrap();
    assert!(switch.triggered && switch.latest_at.is_some());

    // The service stands still for ten instants; then there is one backup, and the next is in time.
    write(&world, &["SELECT 2", "SELECT 3"]);
    world.clock.advance_seconds(10 * HOUR);
    assert_eq!(standing(&world, &instance), Standing::Overdue);
    assert_eq!(minute(&world), 1);
    assert_eq!(standing(&world, &instance), Standing::Good);
    assert_eq!(backups(&world, instance.id)[0].lines, 2);
    world.clock.advance_seconds(HOUR - MINUTE);
    assert_eq!(minute(&world), 0);
    world.clock.advance_seconds(MINUTE);
    assert_eq!(minute(&world), 1);
    let newest = &backups(&world, instance.id)[0];
    assert_eq!(
        (newest.lines, newest.sequence),
        (0, None),
        "nothing new counts too"
    );
    assert_eq!(newest.progress, DbssProgress::AutoDone);

    // Stopped, nothing is made and nothing is late; two servers make one backup.
    world.control.stop_logs(&world.alice, instance.id).unwrap();
    world.clock.advance_seconds(3 * HOUR);
    assert_eq!(minute(&world), 0);
    assert_eq!(standing(&world, &instance), Standing::Good);
    world.control.start_logs(&world.alice, instance.id).unwrap();
    world.clock.advance_seconds(HOUR);
    let second = world.second_control();
    let twice = world.control.dbss_round().unwrap().ordered + second.dbss_round().unwrap().ordered;
    assert_eq!(twice, 1);
}

#[test]
fn a_disk_that_fills_up_has_its_logs_backed_up_at_once_but_not_one_after_the_other() {
    let world = World::new();
    fs::create_dir(logs(&world)).unwrap();
    write(&world, &["SELECT 1"]);
    let new = NewInstance {
        // Every disk is fuller than that.
        hurry_percent: Some(0),
        ..new(&world, "shop")
    };
    let instance = world.control.register_logs(&world.admin, new).unwrap();
    let pressed = |world: &World| {
        let round = world.control.dbss_round().unwrap();
        world.run();
        round.pressed
    };
    assert_eq!(pressed(&world), 0, "nobody asked for automatic backups");
    let later = strongroom_model::Clock::now(&*world.clock).plus_seconds(30 * DAY);
    set(&world, &instance, "PER_MONTH", later);
    assert_eq!(pressed(&world), 1);
    let made = backups(&world, instance.id);
    assert_eq!(
        (made.len(), made[0].progress, made[0].lines),
        (1, DbssProgress::AutoDone, 1)
    );
    world.clock.advance_seconds(MINUTE);
    assert_eq!(pressed(&world), 0);
    world.clock.advance_seconds(5 * MINUTE);
    assert_eq!(pressed(&world), 1);
    world.control.stop_logs(&world.alice, instance.id).unwrap();
    world.clock.advance_seconds(HOUR);
    assert_eq!(pressed(&world), 0, "stopped");
}

#[test]
fn what_is_late_failed_or_lost_is_told_and_told_to_be_over() {
    let world = World::new();
    let instance = registered(&world);
    let now = strongroom_model::Clock::now(&*world.clock);
    set(&world, &instance, "PER_HOUR", now);
    assert_eq!(alarms(&world), [""; 0]);
    world.clock.advance_seconds(2 * HOUR);
    assert_eq!(
        alarms(&world),
        ["never_backed_up"],
        "the scheduler stands still"
    );
    minute(&world);
    assert_eq!(alarms(&world), [""; 0]);
    world.clock.advance_seconds(2 * HOUR);
    assert_eq!(alarms(&world), ["overdue"]);

    // The directory is away: the backup fails after its tries, and the instance says so.
    let aside = world.file("aside");
    fs::rename(logs(&world), &aside).unwrap();
    world.control.dbss_round().unwrap();
    world.run_for_long();
    assert!(alarms(&world).contains(&"failed".to_owned()));
    let failed = &backups(&world, instance.id)[0];
    assert_eq!(failed.progress, DbssProgress::AutoFailed);
    assert!(failed.backup_fail_reason.is_some(), "{failed:?}");
    let shown = world.control.show_logs(&world.alice, instance.id).unwrap();
    assert_eq!(shown.status.as_str(), "ERROR");
    fs::rename(&aside, logs(&world)).unwrap();
    let id = failed.id;
    world
        .control
        .retry_log_backup(&world.alice, instance.id, id)
        .unwrap();
    world.run();
    assert_eq!(standing(&world, &instance), Standing::Good);
    assert_eq!(alarms(&world), [""; 0]);
    let again = world
        .control
        .retry_log_backup(&world.alice, instance.id, id);
    assert_eq!(refused(again), Reason::BackupStateForbidsRestore);

    // A log that was cut before it was read is a gap, told for a day.
    write(&world, &["SELECT 'lost'"]);
    let file = logs(&world).join("server_audit.log");
    world
        .control
        .back_up_logs(&world.alice, instance.id)
        .unwrap();
    world.run();
    write(&world, &["SELECT 'lost too'"]);
    fs::write(&file, "").unwrap();
    write(&world, &["SELECT 'left'"]);
    world.clock.advance_seconds(MINUTE);
    world
        .control
        .back_up_logs(&world.alice, instance.id)
        .unwrap();
    world.run();
    assert_eq!(alarms(&world), ["log_gap"]);
    let newest = &backups(&world, instance.id)[0];
    assert!(!newest.gaps.is_empty() && newest.lines == 1, "{newest:?}");
    let off = NewSwitch {
        automatic: false,
        cycle: "PER_DAY".to_owned(),
        trigger_at: now,
        bucket_name: bucket_of(instance.project_id),
        bucket_root_path: Some("x".to_owned()),
    };
    world
        .control
        .set_log_switch(&world.alice, instance.id, &off)
        .unwrap();
    world.clock.advance_seconds(DAY + HOUR);
    assert_eq!(alarms(&world), [""; 0]);
}

#[test]
fn backups_go_when_their_days_are_over_and_the_newest_stays() {
    let world = World::new();
    let instance = registered(&world);
    let change = InstanceChange {
        retention_days: Some(2),
        ..InstanceChange::default()
    };
    world
        .control
        .change_logs(&world.alice, instance.id, &change)
        .unwrap();
    for statement in ["SELECT 2", "SELECT 3"] {
        world
            .control
            .back_up_logs(&world.alice, instance.id)
            .unwrap();
        world.run();
        world.clock.advance_seconds(HOUR);
        write(&world, &[statement]);
    }
    // The clock goes on evenly, so it is believed.
    for _ in 0..50 {
        world.clock.advance_seconds(HOUR);
        minute(&world);
    }
    world.run();
    let left = backups(&world, instance.id);
    let states: Vec<_> = left.iter().map(|row| row.progress).collect();
    assert_eq!(states, [DbssProgress::ManualDone, DbssProgress::Deleted]);

    // Off the list there is a last backup, and then nothing keeps the newest.
    world
        .control
        .remove_logs(&world.alice, instance.id)
        .unwrap();
    world.run();
    assert_eq!(backups(&world, instance.id).len(), 3);
    assert_eq!(
        backups(&world, instance.id)[0].lines,
        1,
        "what was new at the end"
    );
    let gone = world.control.show_logs(&world.alice, instance.id);
    assert_eq!(refused(gone), Reason::NoSuchInstance);
    for _ in 0..60 {
        world.clock.advance_seconds(HOUR);
        minute(&world);
    }
    world.run();
    let gone = backups(&world, instance.id);
    assert!(
        gone.iter().all(|row| row.progress == DbssProgress::Deleted),
        "{gone:?}"
    );
}

#[test]
fn a_crash_at_any_moment_neither_loses_a_line_nor_keeps_one_twice() {
    let world = World::new();
    let instance = registered(&world);
    world
        .control
        .back_up_logs(&world.alice, instance.id)
        .unwrap();
    world.run();
    write(&world, &["SELECT 2", "SELECT 3"]);
    let id = instance.id;
    survive(
        world,
        |world| {
            world.control.back_up_logs(&world.alice, id).unwrap();
        },
        |world| {
            let made = backups(world, id);
            // A second look at copied files may move the chain on without a line.
            let full = made.iter().filter(|row| row.lines > 0);
            assert!(full.count() <= 2, "{made:?}");
            for row in &made {
                assert_eq!(row.progress, DbssProgress::ManualDone, "{row:?}");
            }
            // What was not ordered before the crash is in the next one.
            world.control.back_up_logs(&world.alice, id).unwrap();
            world.run();
            let made = backups(world, id);
            let lines: u64 = made.iter().map(|row| row.lines).sum();
            assert_eq!(lines, 3, "{made:?}");
            let job = world
                .control
                .verify_logs(&world.alice, id, None, None)
                .unwrap();
            world.run();
            let task = world.control.show_log_task(&world.alice, job).unwrap();
            let report = task.report.unwrap();
            assert_eq!(report["report"]["proven"], true, "{report}");
        },
    );
}

#[test]
#[ignore = "nightly: each of many moments takes a restore, a deletion and a collection"]
fn a_crash_at_any_moment_of_a_restore_or_a_deletion_leaves_it_done() {
    let world = World::new();
    let instance = registered(&world);
    let (backup, _) = world
        .control
        .back_up_logs(&world.alice, instance.id)
        .unwrap();
    world.run();
    fs::remove_file(logs(&world).join("server_audit.log")).unwrap();
    let id = instance.id;
    let find = |world: &World| {
        let found = world
            .control
            .search_logs(&world.alice, id, &Query::default());
        found.unwrap().total
    };
    survive(
        world,
        |world| {
            world
                .control
                .restore_log_backup(&world.alice, id, backup)
                .unwrap();
            world.run();
            assert_eq!(find(world), 1);
            world
                .control
                .delete_log_backup(&world.alice, id, backup)
                .unwrap();
        },
        |world| {
            let row = &backups(world, id)[0];
            match row.progress {
                DbssProgress::ManualDone | DbssProgress::Deleted => assert_eq!(find(world), 0),
                DbssProgress::Restored => assert_eq!(find(world), 1),
                other => panic!("{other}"),
            }
            let tasks = world.control.list_log_tasks(&world.alice, id).unwrap();
            assert!(
                tasks
                    .iter()
                    .all(|task| task.status == DbssTaskStatus::Succeeded)
            );
        },
    );
}

#[test]
fn another_project_finds_nothing_and_tenants_name_no_path() {
    let world = World::new();
    let instance = registered(&world);
    let (backup, job) = world
        .control
        .back_up_logs(&world.alice, instance.id)
        .unwrap();
    world.run();
    let (control, mallory, id) = (&world.control, &world.mallory, instance.id);
    let page = Page::default();
    let gone = |answer: Result<()>| refused(answer);
    let all = LogBackupFilter::default();
    for reason in [
        gone(control.show_logs(mallory, id).map(drop)),
        gone(control.log_backup_standing(mallory, id).map(drop)),
        gone(control.list_log_backups(mallory, id, &all, &page).map(drop)),
        gone(control.back_up_logs(mallory, id).map(drop)),
        gone(control.log_switch(mallory, id).map(drop)),
        gone(control.log_tags(mallory, id).map(drop)),
        gone(control.set_log_tags(mallory, id, Vec::new())),
        gone(control.stop_logs(mallory, id)),
        gone(control.start_logs(mallory, id)),
        gone(control.remove_logs(mallory, id).map(drop)),
        gone(control.list_log_tasks(mallory, id).map(drop)),
        gone(control.log_operations(mallory, id, None, None).map(drop)),
        gone(
            control
                .search_logs(mallory, id, &Query::default())
                .map(drop),
        ),
        gone(control.verify_logs(mallory, id, None, None).map(drop)),
    ] {
        assert_eq!(reason, Reason::NoSuchInstance);
    }
    for reason in [
        gone(control.delete_log_backup(mallory, id, backup).map(drop)),
        gone(control.restore_log_backup(mallory, id, backup).map(drop)),
        gone(control.retry_log_backup(mallory, id, backup).map(drop)),
    ] {
        assert_eq!(reason, Reason::NoSuchBackup);
    }
    assert_eq!(
        gone(control.show_log_task(mallory, job).map(drop)),
        Reason::NoSuchTask
    );
    assert_eq!(control.list_logs(mallory, &page).unwrap().total, 0);

    // A path is an operator's word, and a directory one instance's.
    assert_eq!(shown_path(&world, &instance), None);
    let tenant = control.register_logs(&world.alice, new(&world, "twin"));
    assert_eq!(refused(tenant), Reason::Forbidden);
    let twin = control.register_logs(&world.admin, new(&world, "twin"));
    assert_eq!(refused(twin), Reason::DirectoryTaken);
    let own = NewInstance {
        path: world.dir.path().join("data"),
        format: Some("server_audit".to_owned()),
        ..new(&world, "own")
    };
    assert_eq!(
        refused(control.register_logs(&world.admin, own)),
        Reason::InvalidParameter
    );
}

fn shown_path(world: &World, instance: &Instance) -> Option<PathBuf> {
    let shown = world.control.show_logs(&world.alice, instance.id);
    shown.unwrap().path
}
