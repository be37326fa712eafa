//! Is everything backed up as promised? For every resource in a vault: its last good backup, when
//! its data were last verified, what its policy promises, and since when it is overdue.
//!
//! [`watchdog`] asks this every minute, raises and clears alarms, and orders notifications. It
//! shares no code with the scheduler and looks at what backups there are, not at what was planned;
//! a scheduler that stands still is what it is for (docs/adr/0017-watch.md).

mod promise;
pub mod watchdog;

use strongroom_catalog::{AlarmRow, FreshnessRow, Sums};
use strongroom_model::{ProjectId, ResourceId, ResourceKind, Timestamp, VaultId};

pub use strongroom_catalog::Which;

use crate::{Caller, Control, Listed, Page, Result, control::project, page::LIMIT_MAX};

/// A resource without any promise is expected to have a backup this long after it came into its
/// vault.
const FIRST_WITHIN: i64 = 24 * 3600;

/// How a resource stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum State {
    /// It has a good backup, as fresh as was promised.
    Fresh,
    /// It has no backup yet, and need not have one yet.
    Waiting,
    /// Its newest backup failed; an earlier one is good and not too old.
    Failed,
    /// Its newest good backup is older than was promised.
    Overdue,
    /// It has no good backup and should have one.
    NeverBackedUp,
}

impl State {
    /// Every state, the best first.
    pub const ALL: &[Self] = &[
        Self::Fresh,
        Self::Waiting,
        Self::Failed,
        Self::Overdue,
        Self::NeverBackedUp,
    ];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Waiting => "waiting",
            Self::Failed => "failed",
            Self::Overdue => "overdue",
            Self::NeverBackedUp => "never_backed_up",
        }
    }
}

/// How fresh the backups of one resource are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Freshness {
    /// The project.
    pub project_id: ProjectId,
    /// The vault.
    pub vault_id: VaultId,
    /// Its name.
    pub vault_name: String,
    /// The resource.
    pub resource_id: ResourceId,
    /// Its name.
    pub resource_name: String,
    /// What it is.
    pub kind: ResourceKind,
    /// How it stands.
    pub state: State,
    /// When the data of its newest good backup began to be read: it holds what was then.
    pub last_good_at: Option<Timestamp>,
    /// When its newest failed backup was asked for.
    pub last_failed_at: Option<Timestamp>,
    /// When the repository with its data was last checked.
    pub last_verified_at: Option<Timestamp>,
    /// The longest time between backups that its policy promises, in seconds.
    pub promised_seconds: Option<i64>,
    /// Since when a backup is missing.
    pub overdue_since: Option<Timestamp>,
    /// Whether its newest backup failed, whatever else is wrong.
    pub failing: bool,
}

/// Something that somebody should look at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Alarm {
    /// Its number, rising.
    pub seq: u64,
    /// What is wrong.
    pub kind: String,
    /// The vault.
    pub vault_id: VaultId,
    /// Its name.
    pub vault_name: String,
    /// The resource, if it is about one.
    pub resource_id: Option<ResourceId>,
    /// Its name.
    pub resource_name: Option<String>,
    /// What is wrong, for people.
    pub message: String,
    /// Since when.
    pub raised_at: Timestamp,
    /// Until when; none if it still holds.
    pub cleared_at: Option<Timestamp>,
}

impl Control {
    /// The caller's resources that are in a vault, by id. The total is not counted.
    pub fn freshness(&self, caller: &Caller, page: &Page) -> Result<Vec<Freshness>> {
        let project = project(caller)?;
        let rows = page.rows(LIMIT_MAX)?;
        let after: Option<ResourceId> = match &page.marker {
            Some(marker) => Some(marker.parse()?),
            None => None,
        };
        let now = self.now();
        self.read(|tx| {
            let found = tx.freshness().list(&project, after.as_ref(), rows.limit)?;
            Ok(found.into_iter().map(|row| judge(row, now)).collect())
        })
    }

    /// How many of the caller's resources are in each state.
    pub fn freshness_counts(&self, caller: &Caller) -> Result<Vec<(State, u64)>> {
        let project = project(caller)?;
        let now = self.now();
        let mut counts: Vec<_> = State::ALL.iter().map(|state| (*state, 0)).collect();
        self.read(|tx| {
            let mut after = None;
            loop {
                let rows = tx.freshness().list(&project, after.as_ref(), LIMIT_MAX)?;
                let Some(last) = rows.last() else {
                    return Ok(counts);
                };
                after = Some(last.resource_id);
                for row in rows {
                    count(&mut counts, judge(row, now).state);
                }
            }
        })
    }

    /// Sums over the installation, for metrics.
    pub fn sums(&self) -> Result<Sums> {
        self.read(|tx| Ok(tx.freshness().any_project_sums()?))
    }

    /// One page of the caller's alarms, the newest first.
    pub fn alarms(&self, caller: &Caller, which: Which, page: &Page) -> Result<Listed<Alarm>> {
        let project = project(caller)?;
        let page = page.rows(LIMIT_MAX)?;
        self.read(|tx| {
            let found = tx.notifications().alarms(&project, which, &page)?;
            Ok(Listed {
                items: found.rows.into_iter().map(shown).collect(),
                total: found.total,
            })
        })
    }
}

fn count(counts: &mut [(State, u64)], state: State) {
    if let Some((_, count)) = counts.iter_mut().find(|(known, _)| *known == state) {
        *count += 1;
    }
}

fn shown(row: AlarmRow) -> Alarm {
    Alarm {
        seq: row.seq,
        kind: row.kind,
        vault_id: row.vault_id,
        vault_name: row.vault_name,
        resource_id: row.resource_id,
        resource_name: row.resource_name,
        message: row.message,
        raised_at: row.raised_at,
        cleared_at: row.cleared_at,
    }
}

/// How a resource stands at that time.
fn judge(row: FreshnessRow, now: Timestamp) -> Freshness {
    let promised = row.promise.as_ref().and_then(|promise| {
        let pause = promise::longest_pause(&promise.pattern)?;
        let grace = promise::grace(pause, promise.start_window_minutes);
        Some((pause, grace, promise.since))
    });
    let due = match (row.last_good_at, promised) {
        // A promise counts from when it was made: a policy does not make old backups overdue.
        (last, Some((pause, grace, since))) => {
            let from = last.unwrap_or(row.added_at).max(since);
            Some(from.plus_seconds(pause + grace))
        }
        (None, None) => Some(row.added_at.plus_seconds(FIRST_WITHIN)),
        (Some(_), None) => None,
    };
    let overdue_since = due.filter(|due| *due < now);
    let failing = match (row.last_failed_at, row.last_good_asked_at) {
        (Some(failed), Some(good)) => failed > good,
        (failed, None) => failed.is_some(),
        (None, Some(_)) => false,
    };
    let state = match (row.last_good_at, overdue_since) {
        (None, Some(_)) => State::NeverBackedUp,
        (Some(_), Some(_)) => State::Overdue,
        _ if failing => State::Failed,
        (None, None) => State::Waiting,
        (Some(_), None) => State::Fresh,
    };
    Freshness {
        project_id: row.project_id,
        vault_id: row.vault_id,
        vault_name: row.vault_name,
        resource_id: row.resource_id,
        resource_name: row.resource_name,
        kind: row.kind,
        state,
        last_good_at: row.last_good_at,
        last_failed_at: row.last_failed_at,
        last_verified_at: row.last_verified_at,
        promised_seconds: promised.map(|(pause, ..)| pause),
        overdue_since,
        failing,
    }
}

#[cfg(test)]
mod tests;
