//! What happens to layers by itself: the daily backup, and backups whose days are over.
//!
//! A round decides by the catalog and the clock alone, so one that is missed or comes twice does no
//! harm: a layer moves on to its next day in the transaction that orders its backup. Nothing is
//! deleted by a clock that jumped, and the newest good backup of a registered layer stays.

use strongroom_model::{Timestamp, state::DdmBackupStatus};

use crate::{
    Control, Result,
    ddm::backups::{Why, is_registered},
    schedule::Ledger,
};

/// Layers or backups that are looked at together.
const BATCH: u32 = 200;
const DAY_SECONDS: i64 = 86_400;

/// What one round did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DdmRound {
    /// Backups that were ordered.
    pub ordered: u64,
    /// Backups whose deletion was ordered.
    pub expired: u64,
}

impl Control {
    /// One round; to be called about every minute.
    pub fn ddm_round(&self) -> Result<DdmRound> {
        let now = self.now();
        let mut round = DdmRound::default();
        loop {
            let due = self.read(|tx| Ok(tx.ddm_instances().any_project_due(now, BATCH)?))?;
            if due.is_empty() {
                break;
            }
            for row in &due {
                round.ordered += self.order(|tx| {
                    let there = tx.ddm_instances().get(&row.project_id, &row.id)?;
                    // Another server was faster.
                    let Some(row) = there.filter(|row| row.next_backup_at <= Some(now)) else {
                        return Ok(0);
                    };
                    let next = next_after(now, row.backup_minute);
                    let row = tx.ddm_instances().change(&row.project_id, &row.id, |row| {
                        row.next_backup_at = Some(next);
                    })?;
                    self.order_backup(tx, &row, &Why::Daily)?;
                    if !self.order_copies(tx, &row)?.is_empty() {
                        self.order_trim(tx, &row)?;
                    }
                    Ok(1)
                })?;
            }
        }
        round.expired = self.expire_metadata_backups()?;
        self.expire_points()?;
        Ok(round)
    }

    /// Orders that copies and logs go of layers that were taken off the list long enough ago.
    fn expire_points(&self) -> Result<()> {
        let now = self.now();
        let Some(believed) = self.read(|tx| Ok(Ledger::read(tx, now)?.believed(now)))? else {
            return Ok(());
        };
        let left = self.read(|tx| Ok(tx.ddm_instances().any_project_left_over(believed)?))?;
        for row in left {
            let days = i64::from(row.keep_days) * DAY_SECONDS;
            let due = row.removed_at.map(|removed| removed.plus_seconds(days));
            if due.is_some_and(|due| due <= believed) {
                self.order(|tx| self.order_trim_once(tx, &row))?;
            }
        }
        Ok(())
    }

    fn expire_metadata_backups(&self) -> Result<u64> {
        let now = self.now();
        let Some(believed) = self.read(|tx| Ok(Ledger::read(tx, now)?.believed(now)))? else {
            return Ok(0);
        };
        let old = self.read(|tx| Ok(tx.ddm_backups().any_project_expired(believed, BATCH)?))?;
        let mut expired = 0;
        for row in old {
            expired += self.order(|tx| {
                let Some(row) = tx.ddm_backups().get(&row.project_id, &row.id)? else {
                    return Ok(0);
                };
                if row.status == DdmBackupStatus::Normal && is_registered(tx, &row)? {
                    let newest =
                        tx.ddm_backups()
                            .newest_good(&row.project_id, &row.instance_id, now)?;
                    if newest.is_none_or(|newest| newest.id == row.id) {
                        return Ok(0);
                    }
                }
                if row.status == DdmBackupStatus::Deleting {
                    return Ok(0);
                }
                self.order_deletion(tx, &row)?;
                Ok(1)
            })?;
        }
        Ok(expired)
    }
}

/// The next time after `now` at that minute of a day.
pub(crate) fn next_after(now: Timestamp, minute: u32) -> Timestamp {
    let seconds = now.as_seconds();
    let midnight = seconds - seconds.rem_euclid(DAY_SECONDS);
    let today = midnight + i64::from(minute) * 60;
    let next = if today > seconds {
        today
    } else {
        today + DAY_SECONDS
    };
    Timestamp::from_micros(next.saturating_mul(1_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_time_is_later_and_at_that_minute() {
        let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
        assert_eq!(next_after(at(0), 120), at(7200));
        assert_eq!(next_after(at(7199), 120), at(7200));
        assert_eq!(next_after(at(7200), 120), at(7200 + 86_400));
        assert_eq!(next_after(at(86_399), 0), at(86_400));
    }
}
