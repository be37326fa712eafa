//! The lock of a vault at its store: which backups the store is to keep from deletion, and until
//! when. The store is asked by the job `retain`; docs/adr/0031-locks-at-the-store.md.
//!
//! What was asked for is remembered in memory only, so that a round need not ask the store again:
//! it is the store that knows.

use strongroom_catalog::{BackupRow, Page, Tx, VaultFilter, VaultRow};
use strongroom_model::{Timestamp, state::VaultStatus};

use super::{keeps, safety_of};
use crate::{Control, Result, backups, jobs};

const DAY: i64 = 86_400;
/// How far ahead a backup is retained whose end is not known.
const AHEAD_DAYS: i64 = 30;
/// From when on that is extended.
const LEAST_DAYS: i64 = 15;

/// Until when a backup is retained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Until {
    /// What is asked of the store.
    pub(crate) goal: Timestamp,
    /// What is enough for now.
    pub(crate) least: Timestamp,
}

/// The backups of a locked vault that the store is to keep.
pub(crate) fn kept(
    tx: &Tx<'_>,
    vault: &VaultRow,
    now: Timestamp,
) -> Result<Vec<(BackupRow, Until)>> {
    let safety = safety_of(tx, vault)?;
    if !safety.locked {
        return Ok(Vec::new());
    }
    let rows = backups::rows::finished(tx, &vault.project_id, vault.id)?;
    let locked = rows.into_iter().filter(|row| keeps(safety, row, now));
    Ok(locked
        .map(|row| {
            let until = until(&row, now);
            (row, until)
        })
        .collect())
}

fn until(backup: &BackupRow, now: Timestamp) -> Until {
    match backup.expired_at {
        Some(end) => Until {
            goal: end,
            least: end,
        },
        None => Until {
            goal: now.plus_seconds(AHEAD_DAYS * DAY),
            least: now.plus_seconds(LEAST_DAYS * DAY),
        },
    }
}

/// Remembers that the store keeps it.
pub(crate) fn note(control: &Control, backup: &BackupRow, until: Until) {
    let mut known = control.retained();
    let known = known.entry(backup.id).or_insert(until.least);
    *known = (*known).max(until.least);
}

impl Control {
    /// Orders what locks at the stores need; how many vaults there were. To be called now and
    /// then; idempotent.
    pub(crate) fn retention_locks_round(&self) -> Result<u64> {
        let available = VaultFilter {
            status: Some(VaultStatus::Available),
            ..VaultFilter::default()
        };
        let now = self.now();
        let vaults = self.read(|tx| Ok(tx.vaults().any_project_list(&available, &Page::ALL)?))?;
        let mut ordered = 0;
        for vault in vaults.rows.into_iter().filter(|vault| vault.locked) {
            let kept = self.read(|tx| kept(tx, &vault, now))?;
            let due = {
                let known = self.retained();
                let short = |(backup, until): &(BackupRow, Until)| {
                    known
                        .get(&backup.id)
                        .is_none_or(|known| *known < until.least)
                };
                kept.iter().any(short)
            };
            // Asked here, so that no job is ordered each hour for a store that has no locks.
            let retains = || self.store_of(&vault).and_then(|store| store.retains());
            if due && retains().unwrap_or(true) {
                let again = jobs::Again::No;
                self.order(|tx| jobs::order_retention(self, tx, &vault, again))?;
                ordered += 1;
            }
        }
        Ok(ordered)
    }
}
