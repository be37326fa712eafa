//! Retention: what it promises, what it foretells, and that nobody talks it out of its promises.

use std::collections::BTreeSet;

use strongroom_control::{
    Reason,
    locks::SafetyChange,
    operation_logs::{OperationDetail, OperationLogFilter},
    policies::{Definition, NewPolicy, PolicyChange},
    retention::{NewExpiry, NewPreview, Preview},
};
use strongroom_model::{
    Clock as _, Timestamp,
    retention::{Cause, Fate, Hold},
};

use crate::schedule::{Scene, counted};

const HOUR: i64 = 3600;
const SIX_HOURLY: &str = "FREQ=DAILY;BYHOUR=1,7,13,19;BYMINUTE=0";
const NIGHTLY: &str = "FREQ=DAILY;BYHOUR=1;BYMINUTE=0";

fn aged(days: i64) -> Definition {
    Definition {
        retention_duration_days: Some(days),
        ..Definition::default()
    }
}

/// The day so many days after today, as a caller writes it.
fn day(scene: &Scene, days: i64) -> String {
    let then = scene.world.clock.now().plus_seconds(days * 24 * HOUR);
    then.to_jiff().unwrap().to_string()[..10].to_owned()
}

fn look(scene: &Scene, days: i64) -> Preview {
    let new = NewPreview {
        vault_id: scene.vault,
        day: Some(day(scene, days)),
        policy_id: None,
        resource_id: None,
    };
    let world = &scene.world;
    world.control.preview_retention(&world.alice, &new).unwrap()
}

fn expire(scene: &Scene, days: i64) -> Result<u64, Reason> {
    let new = NewExpiry {
        vault_id: scene.vault,
        day: day(scene, days),
        zone: "UTC+00:00".into(),
    };
    let world = &scene.world;
    let changed = world.control.set_expiry(&world.alice, &new);
    changed
        .map(|changed| changed.affected)
        .map_err(|error| error.reason())
}

fn lock(scene: &Scene) {
    safety(
        scene,
        SafetyChange {
            locked: Some(true),
            ..SafetyChange::default()
        },
    );
}

fn safety(scene: &Scene, change: SafetyChange) {
    let world = &scene.world;
    world
        .control
        .change_vault_safety(&world.alice, scene.vault, change)
        .unwrap();
}

/// Lets the clock go on hour by hour, upkeep included.
fn live(scene: &Scene, hours: i64) {
    for _ in 0..hours {
        scene.pass(1);
        scene.world.control.keep_up().unwrap();
        scene.world.run();
    }
}

/// In which hours the backups that there are were ordered.
fn there(scene: &Scene) -> BTreeSet<i64> {
    let backups = scene.backups();
    backups
        .iter()
        .map(|backup| hour(backup.created_at))
        .collect()
}

fn hour(at: Timestamp) -> i64 {
    at.as_seconds().div_euclid(HOUR)
}

/// Of which hours those are that the preview says exist at its end.
fn foretold(preview: &Preview) -> BTreeSet<i64> {
    let stay = preview
        .backups
        .iter()
        .filter(|one| matches!(one.fate, Fate::Stays(_)));
    stay.map(|one| hour(one.begins.unwrap_or(one.at))).collect()
}

#[test]
fn what_is_foretold_is_what_the_clock_brings() {
    for definition in [
        counted(3),
        aged(1),
        Definition {
            day_backups: Some(3),
            week_backups: Some(1),
            timezone: Some("Europe/Berlin".into()),
            ..counted(2)
        },
    ] {
        let scene = Scene::new(&[SIX_HOURLY], definition.clone());
        live(&scene, 20);
        let by_hand = scene.world.back_up(scene.vault);
        let preview = look(&scene, 2);
        let hours = preview.until.micros_since(scene.world.clock.now()) / 1_000_000 / HOUR;
        // What was foretold for an earlier day holds as well: the world passes it on the way.
        let sooner = look(&scene, 0);
        let first = sooner.until.micros_since(scene.world.clock.now()) / 1_000_000 / HOUR;
        live(&scene, first);
        assert_eq!(there(&scene), foretold(&sooner), "{definition:?}");
        live(&scene, hours - first);
        assert_eq!(there(&scene), foretold(&preview), "{definition:?}");
        let manual = preview.backups.iter().find(|one| !one.scheduled).unwrap();
        assert_eq!(manual.backup.as_ref().unwrap().0, by_hand.id);
        assert_eq!(manual.fate, Fate::Stays(vec![Hold::Forever]));
    }
}

#[test]
fn a_preview_says_why_and_what_another_policy_would_cost() {
    let scene = Scene::new(&[NIGHTLY], counted(5));
    live(&scene, 4 * 24);
    assert_eq!(scene.backups().len(), 4);
    let tomorrow = look(&scene, 0);
    assert_eq!(tomorrow.policy_id, Some(scene.policy.id));
    let fates: Vec<_> = tomorrow.backups.iter().map(|one| &one.fate).collect();
    assert_eq!(fates.len(), 5);
    assert_eq!(*fates[0], Fate::Stays(vec![Hold::Newest, Hold::Count(5)]));

    let world = &scene.world;
    let stricter = NewPolicy {
        definition: counted(1),
        ..NewPolicy::new("stricter", &[NIGHTLY])
    };
    let other = world.control.create_policy(&world.alice, stricter).unwrap();
    let new = NewPreview {
        vault_id: scene.vault,
        day: Some(day(&scene, 0)),
        policy_id: Some(other.id),
        resource_id: None,
    };
    let supposed = world.control.preview_retention(&world.alice, &new).unwrap();
    let goes = supposed.backups.iter().filter(|one| {
        let now = world.clock.now();
        matches!(one.fate, Fate::Goes { at, cause: Cause::Count(1) } if at >= now)
    });
    assert_eq!(goes.count(), 4);
    assert_eq!(foretold(&supposed).len(), 1);
    // Nothing happened but looking.
    assert_eq!(scene.backups().len(), 4);

    for (day, field) in [
        ("2020-01-01", "day"),
        ("tomorrow", "day"),
        ("2026-02-30", "day"),
    ] {
        let new = NewPreview {
            day: Some(day.into()),
            ..new.clone()
        };
        let error = world
            .control
            .preview_retention(&world.alice, &new)
            .unwrap_err();
        assert!(error.to_string().starts_with(field), "{error}");
    }
    let far = NewPreview {
        day: Some("9998-12-31".into()),
        policy_id: None,
        ..new
    };
    let error = world
        .control
        .preview_retention(&world.alice, &far)
        .unwrap_err();
    assert!(error.to_string().contains("nearer day"), "{error}");
}

#[test]
fn while_the_clock_is_not_believed_the_preview_lets_nothing_go() {
    let scene = Scene::new(&[NIGHTLY], aged(1));
    live(&scene, 2 * 24);
    scene.world.clock.advance_seconds(40 * 24 * HOUR);
    scene.round();
    let preview = look(&scene, 3);
    let now = scene.world.clock.now();
    assert_eq!(preview.deletes_from, now.plus_seconds(24 * HOUR));
    let mut gone = 0;
    for one in &preview.backups {
        if let Fate::Goes { at, .. } = one.fate {
            assert!(at >= preview.deletes_from, "{one:?}");
            gone += 1;
        }
    }
    assert!(gone > 0);
}

/// Users of such services lost backups to somebody who set a 30 to a 3. A lock promised otherwise.
#[test]
fn lowering_a_number_lets_go_of_nothing_that_a_lock_promised() {
    for locked in [false, true] {
        let scene = Scene::new(&[NIGHTLY], counted(3));
        live(&scene, 3 * 24);
        let before = there(&scene);
        assert_eq!(before.len(), 3);
        if locked {
            lock(&scene);
        }
        scene.change(PolicyChange {
            definition: Some(counted(1)),
            ..PolicyChange::default()
        });
        let foreseen = foretold(&look(&scene, 0));
        live(&scene, 2);
        let after = there(&scene);
        // One night made a fourth, so the oldest had its three newer ones; a lock promised no more.
        let kept = after.intersection(&before).count();
        assert_eq!(kept, if locked { 2 } else { 0 });
        assert_eq!(after, foreseen);
        // By the old number again, the old ones go in their turn.
        scene.change(PolicyChange {
            definition: Some(counted(3)),
            ..PolicyChange::default()
        });
        live(&scene, 3 * 24);
        assert_eq!(there(&scene).len(), 3);
        assert!(there(&scene).is_disjoint(&before));
    }
}

#[test]
fn lowering_an_age_or_taking_the_policy_away_breaks_no_promise() {
    let scene = Scene::new(
        &[NIGHTLY],
        Definition {
            week_backups: Some(2),
            timezone: Some("UTC+00:00".into()),
            ..counted(1)
        },
    );
    live(&scene, 8 * 24);
    let before = there(&scene);
    assert_eq!(before.len(), 2);
    safety(
        &scene,
        SafetyChange {
            guarded: Some(true),
            ..SafetyChange::default()
        },
    );
    scene.change(PolicyChange {
        definition: Some(counted(1)),
        enabled: Some(false),
        ..PolicyChange::default()
    });
    live(&scene, 24);
    assert_eq!(there(&scene), before);
    let world = &scene.world;
    world
        .control
        .delete_policy(&world.alice, scene.policy.id)
        .unwrap();
    live(&scene, 24);
    assert_eq!(there(&scene), before);
    // An operator takes the guard away, and with it goes the promise.
    let open = SafetyChange {
        guarded: Some(false),
        ..SafetyChange::default()
    };
    let changed = world
        .control
        .change_vault_safety(&world.admin, scene.vault, open);
    changed.unwrap();
    live(&scene, 2);
    assert_eq!(there(&scene).len(), 1);
}

#[test]
fn a_day_set_by_hand_holds_a_backup_and_ends_it_but_the_newest() {
    let scene = Scene::new(&[NIGHTLY], counted(2));
    live(&scene, 2 * 24);
    let by_hand = scene.world.back_up(scene.vault);
    let before = there(&scene);
    assert_eq!(expire(&scene, 3), Ok(3));
    assert_eq!(expire(&scene, 3), Ok(0));
    let world = &scene.world;
    let page = strongroom_control::Page::default();
    let logs = world
        .control
        .list_operation_logs(&world.alice, &OperationLogFilter::default(), &page)
        .unwrap();
    let said = logs
        .items
        .iter()
        .any(|log| matches!(log.detail, OperationDetail::Expiry { affected: 3, .. }));
    assert!(said);
    // Two more nights: by number alone the two would be gone.
    let preview = look(&scene, 2);
    live(&scene, 2 * 24);
    assert!(there(&scene).is_superset(&before));
    let hours = preview.until.micros_since(scene.world.clock.now()) / 1_000_000 / HOUR;
    live(&scene, hours);
    assert_eq!(there(&scene), foretold(&preview));
    live(&scene, 2 * 24);
    assert!(there(&scene).is_disjoint(&before));
    assert!(!scene.backups().iter().any(|backup| backup.id == by_hand.id));
    assert_eq!(scene.backups().len(), 2);
}

#[test]
fn a_day_that_is_over_or_none_is_refused_and_nothing_changes() {
    let scene = Scene::new(&[NIGHTLY], counted(2));
    live(&scene, 24);
    let before = scene.backups();
    assert_eq!(expire(&scene, -1), Err(Reason::InvalidParameter));
    let world = &scene.world;
    for (day, zone) in [
        ("2999-1-31", "UTC+00:00"),
        ("2999-02-29", "UTC+00:00"),
        ("2999-01-31 00:00", "UTC+00:00"),
        ("2999-01-31", "UTC+25:00"),
        ("", ""),
    ] {
        let new = NewExpiry {
            vault_id: scene.vault,
            day: day.into(),
            zone: zone.into(),
        };
        let error = world.control.set_expiry(&world.alice, &new).unwrap_err();
        assert_eq!(error.reason(), Reason::InvalidParameter, "{day} {zone}");
    }
    assert_eq!(scene.backups(), before);
}

#[test]
fn where_promises_are_kept_a_day_moves_away_and_never_nearer() {
    let scene = Scene::new(&[NIGHTLY], aged(10));
    live(&scene, 2 * 24);
    let before = scene.backups();
    safety(
        &scene,
        SafetyChange {
            guarded: Some(true),
            ..SafetyChange::default()
        },
    );
    assert_eq!(expire(&scene, 3), Err(Reason::BackupNotDeletable));
    lock(&scene);
    assert_eq!(expire(&scene, 3), Err(Reason::LockedVaultKeepsBackup));
    assert_eq!(scene.backups(), before);
    assert_eq!(expire(&scene, 20), Ok(2));
    assert_eq!(expire(&scene, 19), Err(Reason::LockedVaultKeepsBackup));
}
