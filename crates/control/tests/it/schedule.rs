//! The scheduler: what is due is backed up once, whatever servers and clocks do.

use strongroom_control::{
    Page, Reason, Resource, Tag,
    backups::{Backup, BackupFilter},
    locks::SafetyChange,
    operation_logs::{OperationLog, OperationLogFilter},
    policies::{
        AutoProtect, Definition, NewPolicy, Policy, PolicyChange, StartWindow, VaultPolicy,
    },
    resources::NewResource,
    schedule::Round,
    vaults::NewVault,
    words::ObjectType,
};
use strongroom_model::{
    Clock as _, GiB, ResourceKind, VaultId,
    state::{BackupStatus, TaskStatus},
};

use crate::world::World;

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
const NIGHTLY: &str = "FREQ=DAILY;BYHOUR=1;BYMINUTE=0";

/// A world at midnight with a share in a vault that follows a policy.
pub(crate) struct Scene {
    pub(crate) world: World,
    pub(crate) vault: VaultId,
    pub(crate) policy: Policy,
}

impl Scene {
    pub(crate) fn new(pattern: &[&str], definition: Definition) -> Self {
        Self::with(NewPolicy {
            definition,
            ..NewPolicy::new("nightly", pattern)
        })
    }

    fn with(new: NewPolicy) -> Self {
        let world = World::new();
        let into_day = world.clock.now().as_seconds().rem_euclid(DAY);
        world.clock.advance_seconds(DAY - into_day);
        let share = world.share("a");
        let vault = world.vault("v", ObjectType::Turbo, &[&share]).id;
        let policy = world.control.create_policy(&world.alice, new).unwrap();
        let scene = Self {
            world,
            vault,
            policy,
        };
        scene.bind();
        scene.round();
        scene
    }

    fn bind(&self) {
        let bound = VaultPolicy {
            vault_id: self.vault,
            policy_id: self.policy.id,
            destination_vault_id: None,
        };
        let world = &self.world;
        world
            .control
            .associate_vault_policies(&world.alice, &[bound])
            .unwrap();
    }

    pub(crate) fn round(&self) -> Round {
        self.world.control.schedule_round().unwrap()
    }

    /// Lets the clock go on, a round each hour, and does what was ordered.
    pub(crate) fn pass(&self, hours: i64) {
        for _ in 0..hours {
            self.world.clock.advance_seconds(HOUR);
            self.round();
            self.world.run();
        }
    }

    pub(crate) fn backups(&self) -> Vec<Backup> {
        self.world.backups(&BackupFilter::default())
    }

    fn failed(&self) -> Vec<OperationLog> {
        let world = &self.world;
        let filter = OperationLogFilter {
            status: Some(TaskStatus::Failed),
            ..OperationLogFilter::default()
        };
        let page = Page::default();
        world
            .control
            .list_operation_logs(&world.alice, &filter, &page)
            .unwrap()
            .items
    }

    pub(crate) fn change(&self, change: PolicyChange) {
        let world = &self.world;
        world
            .control
            .update_policy(&world.alice, self.policy.id, change)
            .unwrap();
    }
}

pub(crate) fn counted(max: i64) -> Definition {
    Definition {
        max_backups: Some(max),
        ..Definition::default()
    }
}

#[test]
fn every_night_has_its_backup_and_a_round_too_many_makes_no_other() {
    let scene = Scene::new(&[NIGHTLY], Definition::default());
    scene.pass(3 * 24);
    let backups = scene.backups();
    assert_eq!(backups.len(), 3);
    for backup in &backups {
        assert!(backup.auto_trigger);
        assert_eq!(backup.status, BackupStatus::Available);
        assert!(backup.name.starts_with("autobk_"), "{}", backup.name);
        let into_day = backup.created_at.as_seconds().rem_euclid(DAY);
        assert_eq!(into_day, HOUR);
    }
    assert_eq!(scene.round(), Round::default());
    assert_eq!(scene.failed(), []);
}

#[test]
fn a_second_server_and_a_restart_find_the_work_done() {
    let scene = Scene::new(&[NIGHTLY], Definition::default());
    scene.world.clock.advance_seconds(HOUR);
    let first = scene.round();
    assert_eq!((first.ordered, first.backups), (1, 1));
    let second = scene.world.second_control();
    assert_eq!(second.schedule_round().unwrap(), Round::default());
    scene.world.run();
    assert_eq!(scene.backups().len(), 1);
}

#[test]
fn two_servers_at_the_same_moment_make_one_backup() {
    let scene = Scene::new(&[NIGHTLY], Definition::default());
    scene.world.clock.advance_seconds(HOUR);
    let servers: Vec<_> = (0..4).map(|_| scene.world.second_control()).collect();
    let ordered: u64 = std::thread::scope(|scope| {
        let rounds: Vec<_> = servers
            .iter()
            .map(|server| scope.spawn(|| server.schedule_round().unwrap().ordered))
            .collect();
        rounds.into_iter().map(|round| round.join().unwrap()).sum()
    });
    assert_eq!(ordered, 1);
    scene.world.run();
    assert_eq!(scene.backups().len(), 1);
}

#[test]
fn a_run_is_caught_up_once_within_its_hour_and_missed_after_it() {
    let scene = Scene::new(&[NIGHTLY], Definition::default());
    // Two nights without a server; it is back 50 minutes after the third began.
    scene.world.clock.advance_seconds(2 * DAY + HOUR + 50 * 60);
    let round = scene.round();
    assert_eq!((round.ordered, round.failed), (1, 0));
    scene.world.run();
    assert_eq!(scene.backups().len(), 1);
    let failed = scene.failed();
    assert_eq!(failed.len(), 1);
    let error = failed[0].error.clone().unwrap();
    assert_eq!(error.reason, Reason::Missed);
    assert!(
        error.message.contains("2 runs of policy nightly"),
        "{}",
        error.message
    );

    // A night that is over two hours ago when the server is back is missed, and said once.
    scene.world.clock.advance_seconds(DAY + 70 * 60);
    let round = scene.round();
    assert_eq!((round.ordered, round.failed), (0, 1));
    assert_eq!(scene.round(), Round::default());
    assert_eq!(scene.failed().len(), 2);
    assert_eq!(scene.backups().len(), 1);
    scene.pass(24);
    assert_eq!(scene.backups().len(), 2);
}

#[test]
fn a_clock_set_back_a_year_goes_on_making_backups_and_deletes_nothing() {
    let scene = Scene::new(&[NIGHTLY], counted(2));
    scene.pass(3 * 24);
    scene.world.control.retention_round().unwrap();
    scene.world.run();
    assert_eq!(scene.backups().len(), 2);
    scene.world.clock.advance_seconds(-365 * DAY);
    scene.round();
    scene.pass(23);
    // Nothing goes for a day after the clock moved, and the new backup is the newest.
    assert_eq!(scene.backups().len(), 3);
    assert_eq!(scene.world.control.retention_round().unwrap(), 0);
    scene.pass(24);
    assert_eq!(scene.backups().len(), 4);
    assert_eq!(scene.world.control.retention_round().unwrap(), 2);
    scene.world.run();
    let left = scene.backups();
    let now = scene.world.clock.now();
    assert_eq!(left.len(), 2);
    assert!(
        left.iter().all(|backup| backup.created_at <= now),
        "{left:?}"
    );
}

#[test]
fn a_clock_that_jumps_forward_deletes_nothing_for_a_day() {
    let days = Definition {
        retention_duration_days: Some(7),
        ..Definition::default()
    };
    let scene = Scene::new(&[NIGHTLY], days);
    scene.pass(3 * 24);
    let before = scene.backups();
    assert_eq!(before.len(), 3);
    scene.world.clock.advance_seconds(3650 * DAY);
    for _ in 0..2 {
        scene.round();
        assert_eq!(scene.world.control.keep_up().unwrap().expired, 0);
    }
    // It was a mistake: the clock is right again, and nothing was lost.
    scene.world.clock.advance_seconds(-3650 * DAY);
    scene.round();
    assert_eq!(scene.world.control.keep_up().unwrap().expired, 0);
    scene.pass(30);
    let kept: Vec<_> = scene.backups().iter().map(|backup| backup.id).collect();
    assert!(before.iter().all(|backup| kept.contains(&backup.id)));
}

#[test]
fn the_newest_so_many_are_kept_and_manual_ones_are_nobodys_business() {
    let scene = Scene::new(&["FREQ=DAILY;BYHOUR=1,7,13,19;BYMINUTE=0"], counted(3));
    let manual = scene.world.back_up(scene.vault);
    for _ in 0..4 {
        scene.pass(12);
        scene.world.control.retention_round().unwrap();
        scene.world.run();
    }
    let (by_hand, scheduled): (Vec<_>, Vec<_>) = scene
        .backups()
        .into_iter()
        .partition(|backup| !backup.auto_trigger);
    assert_eq!(by_hand, [manual]);
    assert_eq!(scheduled.len(), 3);
    let newest = scene.world.clock.now().plus_seconds(-18 * HOUR);
    assert!(scheduled.iter().all(|backup| backup.created_at >= newest));
}

#[test]
fn backups_in_the_trash_take_no_place_of_those_that_stay() {
    let scene = Scene::new(&["FREQ=DAILY;BYHOUR=1,7,13,19;BYMINUTE=0"], counted(3));
    let (world, days) = (&scene.world, Some(7));
    let grace = SafetyChange {
        grace_days: days,
        ..SafetyChange::default()
    };
    let changed = world
        .control
        .change_vault_safety(&world.admin, scene.vault, grace);
    changed.unwrap();
    scene.pass(18);
    let mut three = scene.backups();
    three.sort_by_key(|backup| backup.created_at);
    let [first, second, third] = <[Backup; 3]>::try_from(three).unwrap();
    for deleted in [second.id, third.id] {
        world.control.delete_backup(&world.alice, deleted).unwrap();
    }
    world.run();
    scene.pass(6);
    world.control.retention_round().unwrap();
    world.run();
    let left = scene.backups();
    assert_eq!(left.len(), 2);
    assert!(left.iter().any(|backup| backup.id == first.id));
}

#[test]
fn many_backups_by_hand_that_claim_to_be_scheduled_push_nothing_out() {
    let scene = Scene::new(&[NIGHTLY], counted(2));
    scene.pass(2 * 24);
    let good = scene.backups();
    assert_eq!(good.len(), 2);
    for _ in 0..5 {
        let new = strongroom_control::checkpoints::NewCheckpoint {
            auto_trigger: true,
            ..strongroom_control::checkpoints::NewCheckpoint::of(scene.vault)
        };
        let world = &scene.world;
        world.control.create_checkpoint(&world.alice, new).unwrap();
        scene.world.run();
        assert_eq!(scene.world.control.retention_round().unwrap(), 0);
    }
    assert_eq!(scene.backups().len(), 7);
}

#[test]
fn age_ends_backups_but_never_the_newest() {
    let days = Definition {
        retention_duration_days: Some(2),
        ..Definition::default()
    };
    let scene = Scene::new(&[NIGHTLY], days);
    scene.pass(3 * 24);
    scene.change(PolicyChange {
        enabled: Some(false),
        ..PolicyChange::default()
    });
    let expiry = scene.backups()[0].expired_at.unwrap();
    assert_eq!(
        expiry.micros_since(scene.backups()[0].created_at) / 1_000_000,
        2 * DAY
    );
    scene.pass(10 * 24);
    assert_eq!(scene.world.control.keep_up().unwrap().expired, 2);
    scene.world.run();
    assert_eq!(scene.backups().len(), 1);
    assert_eq!(scene.world.control.keep_up().unwrap().expired, 0);
}

#[test]
fn what_is_switched_off_left_out_or_unbound_is_not_backed_up() {
    let scene = Scene::new(&[NIGHTLY], Definition::default());
    let world = &scene.world;
    let share = world.vaults()[0].resources[0].id;
    let cover = |covered| {
        let set = world
            .control
            .set_auto_protect(&world.alice, scene.vault, &[share], covered);
        set.unwrap();
    };
    cover(AutoProtect::LeftOut);
    scene.pass(24);
    assert_eq!(scene.backups().len(), 0);
    cover(AutoProtect::Covered);
    let enabled = |enabled| PolicyChange {
        enabled: Some(enabled),
        ..PolicyChange::default()
    };
    scene.change(enabled(false));
    scene.pass(24);
    assert_eq!(scene.backups().len(), 0);
    scene.change(enabled(true));
    scene.pass(24);
    assert_eq!(scene.backups().len(), 1);
    world
        .control
        .dissociate_vault_policy(&world.alice, scene.vault, scene.policy.id)
        .unwrap();
    scene.pass(48);
    assert_eq!(scene.backups().len(), 1);
    assert_eq!(scene.failed(), []);
}

#[test]
fn a_run_that_finds_every_resource_busy_fails_and_says_so() {
    let scene = Scene::new(&[NIGHTLY], Definition::default());
    let world = &scene.world;
    let new = strongroom_control::checkpoints::NewCheckpoint::of(scene.vault);
    world.control.create_checkpoint(&world.alice, new).unwrap();
    world.clock.advance_seconds(HOUR);
    let round = scene.round();
    assert_eq!((round.ordered, round.failed), (0, 1));
    let failed = scene.failed();
    assert_eq!(
        failed[0].error.clone().unwrap().reason,
        Reason::NothingToBackUp
    );
}

#[test]
fn a_start_window_spreads_starts_and_each_run_still_happens_once() {
    let scene = Scene::with(NewPolicy {
        start_window: Some(StartWindow::Minutes(480)),
        ..NewPolicy::new("spread", &[NIGHTLY])
    });
    let shown = scene
        .world
        .control
        .show_policy(&scene.world.alice, scene.policy.id)
        .unwrap();
    let start = shown.vaults[0].next_run.unwrap();
    let due = scene.world.clock.now().plus_seconds(HOUR);
    let delay = start.micros_since(due) / 1_000_000;
    assert!((0..8 * HOUR).contains(&delay), "{delay}");
    scene.pass(1 + delay / HOUR);
    assert_eq!(scene.backups().len(), 0);
    scene.pass(1);
    assert_eq!(scene.backups().len(), 1);
    scene.pass(24);
    assert_eq!(scene.backups().len(), 2);
}

#[test]
fn every_third_run_reads_everything() {
    let scene = Scene::new(
        &[NIGHTLY],
        Definition {
            full_backup_interval: Some(3),
            ..Definition::default()
        },
    );
    scene.pass(5 * 24);
    let mut backups = scene.backups();
    backups.reverse();
    let full: Vec<_> = backups.iter().map(|backup| !backup.incremental).collect();
    assert_eq!(full, [true, false, false, true, false]);
}

#[test]
fn a_vault_binds_free_resources_with_its_tags_before_each_run() {
    let scene = Scene::new(&[NIGHTLY], Definition::default());
    let world = &scene.world;
    let tag = |key: &str, value: &str| Tag {
        key: key.into(),
        value: value.into(),
    };
    let tagged = |name: &str, tag: Tag| -> Resource {
        std::fs::create_dir(world.file(name)).unwrap();
        let new = NewResource {
            kind: ResourceKind::Share,
            name: name.into(),
            path: world.file(name),
            project_id: None,
            tags: vec![tag],
        };
        world.control.register_resource(&world.admin, new).unwrap()
    };
    let binding = NewVault {
        auto_bind: Some(true),
        bind_rules: vec![tag("env", "prod"), tag("tier", "gold")],
        backup_policy_id: Some(scene.policy.id),
        backup_name_prefix: Some("night".into()),
        ..NewVault::new("binding", ObjectType::Turbo, GiB(10))
    };
    let vault = world
        .control
        .create_vault(&world.alice, binding)
        .unwrap()
        .id;
    let prod = tagged("p", tag("env", "prod"));
    tagged("t", tag("env", "test"));
    let gold = tagged("s", tag("tier", "gold"));
    scene.pass(24);
    let shown = world.control.show_vault(&world.alice, vault).unwrap();
    let bound: Vec<_> = shown.resources.iter().map(|resource| resource.id).collect();
    assert_eq!(bound.len(), 2);
    assert!(bound.contains(&prod.id) && bound.contains(&gold.id));
    let of_vault = BackupFilter {
        vault_id: Some(vault),
        ..BackupFilter::default()
    };
    let backups = world.backups(&of_vault);
    assert_eq!(backups.len(), 2);
    assert!(
        backups
            .iter()
            .all(|backup| backup.name.starts_with("night_"))
    );
}

#[test]
fn a_deleted_policy_leaves_its_backups_under_the_rule_they_were_made_under() {
    let scene = Scene::new(&[NIGHTLY], counted(2));
    scene.pass(2 * 24);
    let world = &scene.world;
    world
        .control
        .delete_policy(&world.alice, scene.policy.id)
        .unwrap();
    scene.pass(5 * 24);
    world.control.keep_up().unwrap();
    world.run();
    assert_eq!(scene.backups().len(), 2);
}

#[test]
fn a_run_at_a_full_vault_fails_and_the_next_one_does_not() {
    let scene = Scene::new(&[NIGHTLY], Definition::default());
    scene.world.set_used(scene.vault, GiB(10).bytes());
    scene.pass(24);
    assert_eq!(scene.backups().len(), 0);
    let failed = scene.failed();
    assert_eq!(failed[0].error.clone().unwrap().reason, Reason::VaultFull);
    scene.world.set_used(scene.vault, GiB(1).bytes());
    scene.pass(24);
    assert_eq!(scene.backups().len(), 1);
}
