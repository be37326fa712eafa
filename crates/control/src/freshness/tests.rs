//! How a resource stands, by what is known of it; a table over promises, good and failed backups.

use strongroom_catalog::PromiseRow;
use strongroom_model::{ProjectId, ResourceId, VaultId};

use super::*;

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

fn at(hours: i64) -> Timestamp {
    Timestamp::from_micros(0).plus_seconds(1_000 * DAY + hours * HOUR)
}

/// A resource that came into its vault at hour 0.
fn row() -> FreshnessRow {
    FreshnessRow {
        project_id: ProjectId::from_bytes([1; 16]),
        vault_id: VaultId::from_bytes([2; 16]),
        vault_name: "v".to_owned(),
        notify: true,
        resource_id: ResourceId::from_bytes([3; 16]),
        resource_name: "r".to_owned(),
        kind: ResourceKind::Share,
        added_at: at(0),
        last_good_at: None,
        last_failed_at: None,
        last_good_asked_at: None,
        last_verified_at: None,
        promise: None,
    }
}

fn good(hours: i64) -> FreshnessRow {
    FreshnessRow {
        last_good_at: Some(at(hours)),
        last_good_asked_at: Some(at(hours)),
        ..row()
    }
}

/// A policy that backs up every day, since that hour.
fn daily(row: FreshnessRow, since: i64) -> FreshnessRow {
    let promise = PromiseRow {
        pattern: vec!["FREQ=DAILY;INTERVAL=1;BYHOUR=2;BYMINUTE=00".to_owned()],
        start_window_minutes: None,
        since: at(since),
    };
    FreshnessRow {
        promise: Some(promise),
        ..row
    }
}

fn state(row: FreshnessRow, hours: i64) -> State {
    judge(row, at(hours)).state
}

#[test]
fn without_a_promise_a_first_backup_is_expected_and_no_second() {
    assert_eq!(state(row(), 23), State::Waiting);
    assert_eq!(state(row(), 25), State::NeverBackedUp);
    assert_eq!(state(good(1), 10_000), State::Fresh);
}

#[test]
fn a_promise_is_kept_with_patience_and_counts_from_when_it_was_made() {
    assert_eq!(state(daily(good(1), 0), 24 + 3), State::Fresh);
    assert_eq!(state(daily(good(1), 0), 1 + 24 + 4), State::Overdue);
    let overdue = judge(daily(good(1), 0), at(100));
    assert_eq!(overdue.overdue_since, Some(at(1 + 24 + 3)));
    assert_eq!(overdue.promised_seconds, Some(DAY));
    // Old backups are not overdue because somebody has made a policy.
    assert_eq!(state(daily(good(1), 500), 510), State::Fresh);
    assert_eq!(state(daily(good(1), 500), 500 + 28), State::Overdue);
    assert_eq!(state(daily(row(), 0), 20), State::Waiting);
    assert_eq!(state(daily(row(), 0), 28), State::NeverBackedUp);
}

#[test]
fn a_failure_counts_until_a_good_backup_follows_it() {
    let failed = |row: FreshnessRow, hours| FreshnessRow {
        last_failed_at: Some(at(hours)),
        ..row
    };
    assert_eq!(state(failed(good(5), 6), 7), State::Failed);
    assert_eq!(state(failed(good(5), 4), 7), State::Fresh);
    assert_eq!(state(failed(row(), 4), 7), State::Failed);
    let late = judge(failed(daily(good(5), 0), 20), at(100));
    assert_eq!((late.state, late.failing), (State::Overdue, true));
}

#[test]
fn a_clock_set_back_a_year_makes_nothing_overdue() {
    assert_eq!(state(daily(good(0), 0), -365 * 24), State::Fresh);
    assert_eq!(state(row(), -365 * 24), State::Waiting);
}
