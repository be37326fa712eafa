//! The watchdog: compares what should be with what is, raises and clears alarms, orders
//! notifications.
//!
//! A round reads everything on one view of the catalog, in pages, and writes only what has
//! changed; so a round that is missed or made twice (by two servers) does no harm. It knows of no
//! job, no schedule and no queue.
//!
//! Invariant: an alarm and the notifications about it are written together.

use std::collections::HashMap;

use serde_json::json;
use strongroom_catalog::{self as catalog, AlarmRow, FreshnessRow, Json, NotificationRow, Tx};
use strongroom_model::{ProjectId, ResourceId, Timestamp, VaultId};

use super::{Freshness, State, count, judge};
use crate::{
    Control, Result,
    dbss::{backups::Standing, watch},
    notify::channels,
};

/// Days that alarms and notifications are remembered after their end.
const REMEMBERED_DAYS: i64 = 90;

const PAGE: u32 = 1000;

/// What an alarm is about.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    /// A backup is older than was promised.
    Overdue,
    /// The newest backup failed.
    Failed,
    /// There is no good backup and should be one.
    NeverBackedUp,
    /// A vault is used beyond its threshold.
    NearlyFull,
    /// A check found damage.
    Damaged,
    /// Audit logs were lost before they were read.
    LogGap,
}

impl Kind {
    /// Every kind.
    pub const ALL: &[Self] = &[
        Self::Overdue,
        Self::Failed,
        Self::NeverBackedUp,
        Self::NearlyFull,
        Self::Damaged,
        Self::LogGap,
    ];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Overdue => "overdue",
            Self::Failed => "failed",
            Self::NeverBackedUp => "never_backed_up",
            Self::NearlyFull => "nearly_full",
            Self::Damaged => "damaged",
            Self::LogGap => "log_gap",
        }
    }
}

/// What one round found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Round {
    /// When.
    pub at: Timestamp,
    /// Resources by state.
    pub resources: Vec<(State, u64)>,
    /// Alarms that hold, by kind.
    pub alarms: Vec<(Kind, u64)>,
    /// The age of the oldest of the newest good backups, in seconds: no resource that has any is
    /// worse off.
    pub oldest_good_seconds: Option<i64>,
    /// Alarms that this round raised.
    pub raised: u64,
    /// Alarms that this round ended.
    pub cleared: u64,
}

impl Round {
    /// Whether nothing is wrong.
    pub fn all_is_well(&self) -> bool {
        self.alarms.iter().all(|(_, count)| *count == 0)
    }
}

/// A thing that is wrong now.
struct Trouble {
    kind: Kind,
    project_id: ProjectId,
    vault_id: VaultId,
    vault_name: String,
    resource: Option<(ResourceId, String)>,
    notify: bool,
    message: String,
}

type Key = (String, VaultId, Option<ResourceId>);

impl Control {
    /// One round of the watchdog.
    pub fn watch_round(&self) -> Result<Round> {
        let now = self.now();
        let (mut round, troubles, open) = self.read(|tx| look(tx, now))?;
        let key = |row: &AlarmRow| (row.kind.clone(), row.vault_id, row.resource_id);
        let mut known: HashMap<Key, AlarmRow> =
            open.into_iter().map(|row| (key(&row), row)).collect();
        let mut fresh = Vec::new();
        for trouble in troubles {
            if let Some((_, count)) = round
                .alarms
                .iter_mut()
                .find(|(kind, _)| *kind == trouble.kind)
            {
                *count += 1;
            }
            let id = trouble.resource.as_ref().map(|(id, _)| *id);
            let key = (trouble.kind.as_str().to_owned(), trouble.vault_id, id);
            if known.remove(&key).is_none() {
                fresh.push(trouble);
            }
        }
        if !fresh.is_empty() || !known.is_empty() {
            (round.raised, round.cleared) =
                self.write(|tx| note(tx, fresh, known.into_values(), now))?;
        }
        self.set_round(round.clone());
        Ok(round)
    }

    /// Forgets alarms and notifications that ended long ago.
    pub(crate) fn forget_alarms(&self) -> Result<()> {
        let before = self.now().plus_seconds(-REMEMBERED_DAYS * 86_400);
        self.write(|tx| Ok(tx.notifications().forget_before(before).map(drop)?))
    }
}

/// Writes what has changed; how many alarms were raised and cleared.
fn note(
    tx: &Tx<'_>,
    fresh: Vec<Trouble>,
    gone: impl Iterator<Item = AlarmRow>,
    now: Timestamp,
) -> Result<(u64, u64)> {
    let channels = channels::told(tx)?;
    let tell = |alarm: &AlarmRow, event: &str| -> Result<()> {
        for channel in &channels {
            if alarm.notify && channel.concerns(alarm.project_id) {
                let message = Json(message(alarm, event));
                tx.notifications().tell(&NotificationRow {
                    seq: 0,
                    channel: channel.name.clone(),
                    message,
                    created_at: now,
                    attempts: 0,
                    not_before: now,
                    problem: None,
                    delivered_at: None,
                    given_up_at: None,
                })?;
            }
        }
        Ok(())
    };
    let (mut raised, mut cleared) = (0, 0);
    for trouble in fresh {
        let alarm = alarm(trouble, now);
        match tx.notifications().raise(&alarm) {
            Ok(()) => {
                tell(&alarm, "raised")?;
                raised += 1;
            }
            // Another server was faster.
            Err(catalog::Error::Duplicate(_)) => {}
            Err(other) => return Err(other.into()),
        }
    }
    for alarm in gone {
        let alarm = tx.notifications().clear(alarm.seq, now)?;
        tell(&alarm, "cleared")?;
        cleared += 1;
    }
    Ok((raised, cleared))
}

/// Everything that is wrong, and the alarms that hold, on one view.
fn look(tx: &Tx<'_>, now: Timestamp) -> Result<(Round, Vec<Trouble>, Vec<AlarmRow>)> {
    let mut round = Round {
        at: now,
        resources: State::ALL.iter().map(|state| (*state, 0)).collect(),
        alarms: Kind::ALL.iter().map(|kind| (*kind, 0)).collect(),
        ..Round::default()
    };
    let mut troubles = Vec::new();
    let mut after = None;
    loop {
        let rows = tx.freshness().any_project_list(after.as_ref(), PAGE)?;
        let Some(last) = rows.last() else {
            break;
        };
        after = Some(last.resource_id);
        for row in rows {
            one(row, now, &mut round, &mut troubles);
        }
    }
    for full in tx.freshness().any_project_nearly_full()? {
        troubles.push(Trouble {
            kind: Kind::NearlyFull,
            project_id: full.project_id,
            vault_id: full.vault_id,
            resource: None,
            notify: full.notify,
            message: format!(
                "vault {} is {} % full (you asked to be told at {} %): make it larger, delete \
                 backups, or let it grow by itself",
                full.vault_name, full.used_percent, full.threshold
            ),
            vault_name: full.vault_name,
        });
    }
    for damaged in tx.freshness().any_project_damaged()? {
        troubles.push(Trouble {
            kind: Kind::Damaged,
            project_id: damaged.project_id,
            vault_id: damaged.vault_id,
            resource: None,
            notify: damaged.notify,
            message: format!(
                "a check of vault {} found {} problems, the first: {}",
                damaged.vault_name,
                damaged.problems.len(),
                damaged.problems.first().map_or("", String::as_str)
            ),
            vault_name: damaged.vault_name,
        });
    }
    audit_logs(tx, now, &mut troubles)?;
    Ok((round, troubles, tx.notifications().any_project_open()?))
}

/// What is wrong with backups of audit logs. An audit instance has no vault; in its alarms it
/// stands in a vault's place.
fn audit_logs(tx: &Tx<'_>, now: Timestamp, troubles: &mut Vec<Trouble>) -> Result<()> {
    for row in tx.dbss_instances().any_project_list()? {
        let found = watch::judge(tx, &row, now)?;
        let name = &row.name;
        let late = matches!(found.standing, Standing::Overdue).then(|| match found.last_good_at {
            Some(_) => (
                Kind::Overdue,
                format!(
                    "the audit logs {name} were not backed up in time: {} is promised",
                    row.cycle
                ),
            ),
            None => (
                Kind::NeverBackedUp,
                format!("the audit logs {name} have never been backed up"),
            ),
        });
        let failed = found.failure.map(|why| {
            let text = format!("the newest backup of the audit logs {name} failed: {why}");
            (Kind::Failed, text)
        });
        let lost = found.lost.map(|what| {
            let text = format!("audit logs of {name} were lost before they were read: {what}");
            (Kind::LogGap, text)
        });
        let all = late.into_iter().chain(failed).chain(lost);
        troubles.extend(all.map(|(kind, message)| Trouble {
            kind,
            project_id: row.project_id,
            vault_id: VaultId::from_bytes(*row.id.as_bytes()),
            vault_name: row.name.clone(),
            resource: None,
            notify: true,
            message,
        }));
    }
    Ok(())
}

fn one(row: FreshnessRow, now: Timestamp, round: &mut Round, troubles: &mut Vec<Trouble>) {
    let notify = row.notify;
    let found = judge(row, now);
    count(&mut round.resources, found.state);
    if let Some(good) = found.last_good_at {
        let age = now.micros_since(good).max(0) / 1_000_000;
        round.oldest_good_seconds = round.oldest_good_seconds.max(Some(age));
    }
    let late = match found.state {
        State::Fresh | State::Waiting | State::Failed => None,
        State::Overdue => Some(Kind::Overdue),
        State::NeverBackedUp => Some(Kind::NeverBackedUp),
    };
    let failed = found.failing.then_some(Kind::Failed);
    troubles.extend(late.into_iter().chain(failed).map(|kind| Trouble {
        kind,
        project_id: found.project_id,
        vault_id: found.vault_id,
        message: in_words(kind, &found),
        vault_name: found.vault_name.clone(),
        resource: Some((found.resource_id, found.resource_name.clone())),
        notify,
    }));
}

fn in_words(kind: Kind, found: &Freshness) -> String {
    let (resource, vault) = (&found.resource_name, &found.vault_name);
    let time = |at: Option<Timestamp>| {
        let at = at.and_then(Timestamp::to_jiff);
        at.map_or_else(|| "never".to_owned(), |at| format!("{at:.0}"))
    };
    match kind {
        Kind::Overdue => format!(
            "{resource} in vault {vault} has no new backup since {}: one was promised every {} h",
            time(found.last_good_at),
            found.promised_seconds.unwrap_or_default() / 3600
        ),
        Kind::Failed => format!(
            "the newest backup of {resource} in vault {vault} failed at {}; the last good one is \
             of {}",
            time(found.last_failed_at),
            time(found.last_good_at)
        ),
        _ => format!("{resource} in vault {vault} has never been backed up"),
    }
}

fn alarm(trouble: Trouble, now: Timestamp) -> AlarmRow {
    let (resource_id, resource_name) = trouble.resource.unzip();
    AlarmRow {
        seq: 0,
        kind: trouble.kind.as_str().to_owned(),
        project_id: trouble.project_id,
        vault_id: trouble.vault_id,
        vault_name: trouble.vault_name,
        resource_id,
        resource_name,
        message: trouble.message,
        notify: trouble.notify,
        raised_at: now,
        cleared_at: None,
    }
}

/// What a channel is told.
fn message(alarm: &AlarmRow, event: &str) -> serde_json::Value {
    let time = |at: Option<Timestamp>| at.and_then(Timestamp::to_jiff).map(|at| at.to_string());
    json!({
        "event": event,
        "kind": alarm.kind,
        "project_id": alarm.project_id.to_string(),
        "vault_id": alarm.vault_id.to_string(),
        "vault_name": alarm.vault_name,
        "resource_id": alarm.resource_id.map(|id| id.to_string()),
        "resource_name": alarm.resource_name,
        "message": alarm.message,
        "raised_at": time(Some(alarm.raised_at)),
        "cleared_at": time(alarm.cleared_at),
    })
}
