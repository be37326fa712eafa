//! The watchdog over real backups: what it raises, what it clears, whom it tells.

use std::fs;

use strongroom_catalog::Which;
use strongroom_control::{
    Page,
    freshness::{
        State,
        watchdog::{Kind, Round},
    },
    locks::SafetyChange,
    notify::{Channel, Courier, Settings},
    policies::{NewPolicy, VaultPolicy},
    vaults::VaultChange,
    words::ObjectType,
};
use strongroom_model::{Bytes, Clock as _, GiB};

use crate::world::World;

/// Takes everything and remembers nothing: how much was told is in the answer.
struct Sink;

impl Courier for Sink {
    fn deliver(&self, _: &Settings, message: &serde_json::Value) -> Result<(), String> {
        let complete = message["message"].is_string() && message["event"].is_string();
        complete.then_some(()).ok_or_else(|| message.to_string())
    }

    fn beat(&self, _: &str) -> Result<(), String> {
        Ok(())
    }
}

fn round(world: &World) -> Round {
    world.control.watch_round().unwrap()
}

fn count(round: &Round, kind: Kind) -> u64 {
    round
        .alarms
        .iter()
        .find(|(known, _)| *known == kind)
        .unwrap()
        .1
}

fn told(world: &World) -> u64 {
    world
        .control
        .deliver_notifications(&Sink)
        .unwrap()
        .delivered
}

fn hook(world: &World) {
    let now = world.clock.now();
    let channel = Channel {
        name: "ops".to_owned(),
        project_id: None,
        settings: Settings::Webhook {
            url: "http://127.0.0.1/".to_owned(),
        },
    };
    world.control.channels().add(&channel, now).unwrap();
    let heart = Channel {
        name: "heart".to_owned(),
        settings: Settings::Heartbeat {
            url: "http://127.0.0.1/".to_owned(),
        },
        ..channel
    };
    world.control.channels().add(&heart, now).unwrap();
}

#[test]
fn a_resource_that_nobody_backs_up_is_told_of_once_and_again_when_it_is_well() {
    let world = World::new();
    hook(&world);
    let share = world.share("a");
    let vault = world.vault("v", ObjectType::Turbo, &[&share]);
    assert!(round(&world).all_is_well());
    assert_eq!(world.control.beat(&Sink).unwrap(), 1);
    world.clock.advance_seconds(25 * 3600);
    let found = round(&world);
    assert_eq!((found.raised, count(&found, Kind::NeverBackedUp)), (1, 1));
    // A further round finds the same and tells nobody anew.
    let again = round(&world);
    assert_eq!(
        (
            again.raised,
            again.cleared,
            count(&again, Kind::NeverBackedUp)
        ),
        (0, 0, 1)
    );
    assert_eq!(world.control.beat(&Sink).unwrap(), 0);
    assert_eq!((told(&world), told(&world)), (1, 0));
    let alarms = world
        .control
        .alarms(&world.alice, Which::Open, &Page::default());
    let alarms = alarms.unwrap().items;
    assert_eq!(alarms[0].resource_id, Some(share.id));
    assert!(
        alarms[0].message.contains("never been backed up"),
        "{}",
        alarms[0].message
    );
    // Nobody of another project sees it.
    let foreign = world
        .control
        .alarms(&world.mallory, Which::All, &Page::default());
    assert_eq!(foreign.unwrap().total, 0);

    world.back_up(vault.id);
    let found = round(&world);
    assert_eq!((found.raised, found.cleared), (0, 1));
    assert!(found.all_is_well());
    assert_eq!(told(&world), 1);
    assert_eq!(world.control.beat(&Sink).unwrap(), 1);
    let all = world
        .control
        .alarms(&world.alice, Which::All, &Page::default());
    assert!(all.unwrap().items[0].cleared_at.is_some());
}

#[test]
fn a_failed_backup_is_an_alarm_until_a_good_one_follows() {
    let world = World::new();
    let share = world.share("a");
    let vault = world.vault("v", ObjectType::Turbo, &[&share]);
    world.back_up(vault.id);
    let moved = world.file("elsewhere");
    fs::rename(world.file("a"), &moved).unwrap();
    world.back_up(vault.id);
    assert_eq!(count(&round(&world), Kind::Failed), 1);
    let all = world
        .control
        .freshness(&world.alice, &Page::default())
        .unwrap();
    assert_eq!(all[0].state, State::Failed);
    assert!(all[0].last_good_at.is_some() && all[0].last_failed_at.is_some());
    fs::rename(&moved, world.file("a")).unwrap();
    world.back_up(vault.id);
    let found = round(&world);
    assert_eq!((found.cleared, count(&found, Kind::Failed)), (1, 0));
    let none = world.control.freshness(&world.mallory, &Page::default());
    assert!(none.unwrap().is_empty());
}

#[test]
fn what_is_in_the_trash_protects_nobody_and_is_nobodys_worry() {
    let world = World::new();
    let share = world.share("a");
    let vault = world.vault("v", ObjectType::Turbo, &[&share]);
    let grace = SafetyChange {
        grace_days: Some(7),
        ..SafetyChange::default()
    };
    let control = &world.control;
    control
        .change_vault_safety(&world.admin, vault.id, grace)
        .unwrap();
    let backup = world.back_up(vault.id);
    let last_good = || {
        let all = control.freshness(&world.alice, &Page::default()).unwrap();
        all[0].last_good_at
    };
    assert!(last_good().is_some());
    control.delete_backup(&world.alice, backup.id).unwrap();
    world.run();
    assert_eq!(last_good(), None);
    control.undelete_backup(&world.alice, backup.id).unwrap();
    assert!(last_good().is_some());

    world.set_used(vault.id, Bytes(GiB(10).bytes().0));
    assert_eq!(count(&round(&world), Kind::NearlyFull), 1);
    control.delete_vault(&world.alice, vault.id).unwrap();
    world.run();
    assert!(round(&world).all_is_well());
}

#[test]
fn a_vault_beyond_its_threshold_is_told_of_unless_it_grows_or_nobody_wants_to_know() {
    let world = World::new();
    hook(&world);
    let share = world.share("a");
    let vault = world.vault("v", ObjectType::Turbo, &[&share]);
    world.back_up(vault.id);
    let gib = |percent: u64| Bytes(GiB(10).bytes().0 / 100 * percent);
    world.set_used(vault.id, gib(79));
    assert!(round(&world).all_is_well());
    world.set_used(vault.id, gib(81));
    assert_eq!(count(&round(&world), Kind::NearlyFull), 1);
    assert_eq!(told(&world), 1);
    let change = |change: VaultChange| {
        let changed = world.control.update_vault(&world.alice, vault.id, change);
        changed.unwrap();
    };
    change(VaultChange {
        auto_expand: Some(true),
        ..VaultChange::default()
    });
    assert!(round(&world).all_is_well());
    assert_eq!(told(&world), 1);
    change(VaultChange {
        auto_expand: Some(false),
        smn_notify: Some(false),
        ..VaultChange::default()
    });
    let found = round(&world);
    assert_eq!((found.raised, count(&found, Kind::NearlyFull)), (1, 1));
    assert_eq!(told(&world), 0);
}

#[test]
fn many_resources_are_looked_at_in_pages() {
    let world = World::new();
    let shares: Vec<_> = (0..3)
        .map(|number| world.share(&format!("s{number}")))
        .collect();
    let all: Vec<_> = shares.iter().collect();
    world.vault("v", ObjectType::Turbo, &all);
    let page = |marker: Option<String>| {
        let page = Page {
            limit: 2,
            offset: 0,
            marker,
        };
        let found = world.control.freshness(&world.alice, &page).unwrap();
        found
            .into_iter()
            .map(|one| one.resource_id)
            .collect::<Vec<_>>()
    };
    let first = page(None);
    let rest = page(Some(first[1].to_string()));
    assert_eq!((first.len(), rest.len()), (2, 1));
    assert!(first[0] < first[1] && first[1] < rest[0]);
    let counts = world.control.freshness_counts(&world.alice).unwrap();
    assert_eq!(counts[1], (State::Waiting, 3));
}

#[test]
fn a_scheduler_that_never_runs_is_noticed_by_the_policy_that_was_promised() {
    let world = World::new();
    let share = world.share("a");
    let vault = world.vault("v", ObjectType::Turbo, &[&share]);
    world.back_up(vault.id);
    world.clock.advance_seconds(30 * 24 * 3600);
    assert!(round(&world).all_is_well(), "nothing was promised");
    let daily = NewPolicy::new("daily", &["FREQ=DAILY;INTERVAL=1;BYHOUR=02;BYMINUTE=00"]);
    let policy = world.control.create_policy(&world.alice, daily).unwrap();
    let bind = VaultPolicy {
        vault_id: vault.id,
        policy_id: policy.id,
        destination_vault_id: None,
    };
    let bound = world
        .control
        .associate_vault_policies(&world.alice, &[bind]);
    bound.unwrap();
    assert!(
        round(&world).all_is_well(),
        "a promise counts from when it was made"
    );
    world.clock.advance_seconds(26 * 3600);
    assert!(round(&world).all_is_well());
    world.clock.advance_seconds(2 * 3600);
    let found = round(&world);
    assert_eq!(count(&found, Kind::Overdue), 1);
    let all = world
        .control
        .freshness(&world.alice, &Page::default())
        .unwrap();
    assert_eq!(
        (all[0].state, all[0].promised_seconds),
        (State::Overdue, Some(24 * 3600))
    );
    world.back_up(vault.id);
    assert!(round(&world).all_is_well());
}
