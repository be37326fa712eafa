//! Whether the audit logs are backed up as promised; written apart from the calendar on purpose.
//!
//! What is promised is a pause: no longer than one cycle, and some patience. What is looked at is
//! when backups were made, not what was planned; so a scheduler that stands still is noticed.

use strongroom_catalog::{DbssInstanceRow, Tx};
use strongroom_model::{Timestamp, state::DbssInstanceStatus};

use crate::{Result, dbss::backups::Standing};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// For so long people are told that lines were lost.
const GAP_TOLD_SECONDS: i64 = DAY;

/// How a directory stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// How its backups stand.
    pub(crate) standing: Standing,
    /// When the newest good one was made.
    pub(crate) last_good_at: Option<Timestamp>,
    /// Why the newest failed, or what it left out.
    pub(crate) failure: Option<String>,
    /// What was lost before it was read, not long ago.
    pub(crate) lost: Option<String>,
}

/// The longest pause between two backups, and how late one may be after it.
fn promised(cycle: &str) -> (i64, i64) {
    match cycle {
        "FIVE_MIN" => (5 * MINUTE, 5 * MINUTE),
        "PER_HOUR" => (HOUR, 15 * MINUTE),
        "PER_DAY" => (DAY, 3 * HOUR),
        "PER_WEEK" => (7 * DAY, 12 * HOUR),
        _ => (31 * DAY, DAY),
    }
}

/// How a directory stands at that time.
pub(crate) fn judge(tx: &Tx<'_>, row: &DbssInstanceRow, now: Timestamp) -> Result<Found> {
    let (project, id) = (&row.project_id, &row.id);
    let newest = tx.dbss_backups().newest_ended(project, id)?;
    let good = tx.dbss_backups().newest_good(project, id)?;
    let last_good_at = good.and_then(|good| good.ended_at);
    let failure = newest
        .as_ref()
        .and_then(|row| row.backup_fail_reason.clone());
    let overdue = row.automatic
        && row.status != DbssInstanceStatus::Stopped
        && due(row, last_good_at).is_some_and(|due| due < now);
    let standing = match (&newest, &failure) {
        _ if overdue => Standing::Overdue,
        (None, _) => Standing::None,
        (Some(_), Some(_)) => Standing::Failed,
        (Some(_), None) => Standing::Good,
    };
    let told = now.plus_seconds(-GAP_TOLD_SECONDS);
    let gap = tx.dbss_backups().newest_gap(project, id)?;
    let lost = gap.filter(|row| row.ended_at >= Some(told)).map(|row| {
        let what: Vec<_> = row.gaps.0.into_iter().map(|gap| gap.what).collect();
        what.join("; ")
    });
    Ok(Found {
        standing,
        last_good_at,
        failure,
        lost,
    })
}

/// When a backup must have been made at the latest.
fn due(row: &DbssInstanceRow, last_good_at: Option<Timestamp>) -> Option<Timestamp> {
    let (pause, patience) = promised(&row.cycle);
    let trigger = row.trigger_at?;
    // A switch promises from its setting on: what was not promised is not late.
    let since = row
        .switched_at?
        .max(last_good_at.unwrap_or(row.switched_at?));
    Some(
        since
            .plus_seconds(pause)
            .max(trigger)
            .plus_seconds(patience),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cycle_of_the_calendar_is_promised_with_patience() {
        for (cycle, pause) in [
            ("FIVE_MIN", 300),
            ("PER_HOUR", 3600),
            ("PER_DAY", 86_400),
            ("PER_WEEK", 604_800),
            ("PER_MONTH", 2_678_400),
        ] {
            let (found, patience) = promised(cycle);
            assert_eq!(found, pause, "{cycle}");
            assert!(patience > 0 && patience <= pause, "{cycle}");
        }
    }
}
