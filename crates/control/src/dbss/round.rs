//! What happens to audit logs by itself: backups that are due, backups of a disk that fills up, and
//! backups whose days are over.
//!
//! A round decides by the catalog, the clock and the disks alone, so one that is missed or comes
//! twice does no harm: a directory moves on to its next instant in the transaction that orders its
//! backup, and what was missed is caught up once. Nothing is deleted by a clock that jumped, and
//! the newest good backup of a registered directory stays.

use strongroom_catalog::DbssInstanceRow;
use strongroom_model::{
    Timestamp,
    cycle::Cycle,
    state::{DbssInstanceStatus, DbssProgress},
};

use crate::{
    Control, Error, Result,
    dbss::{backups::Why, key, open},
    schedule::Ledger,
};

/// Directories or backups that are looked at together.
const BATCH: u32 = 200;
/// A disk that stays full asks for no second backup for so long.
const PRESSED_AGAIN_SECONDS: i64 = 300;

/// What one round did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DbssRound {
    /// Backups that were ordered because they were due.
    pub ordered: u64,
    /// Backups that were ordered because a disk fills up.
    pub pressed: u64,
    /// Backups whose deletion was ordered.
    pub expired: u64,
}

impl Control {
    /// One round; to be called about every minute.
    pub fn dbss_round(&self) -> Result<DbssRound> {
        let now = self.now();
        self.sample_host();
        Ok(DbssRound {
            ordered: self.order_due_log_backups(now)?,
            pressed: self.order_pressed_log_backups(now)?,
            expired: self.expire_log_backups(now)?,
        })
    }

    fn order_due_log_backups(&self, now: Timestamp) -> Result<u64> {
        let mut ordered = 0;
        loop {
            let due = self.read(|tx| Ok(tx.dbss_instances().any_project_due(now, BATCH)?))?;
            if due.is_empty() {
                return Ok(ordered);
            }
            for row in &due {
                ordered += self.order(|tx| {
                    let there = tx.dbss_instances().get(&row.project_id, &row.id)?;
                    // Another server was faster.
                    let Some(row) = there.filter(|row| row.next_backup_at <= Some(now)) else {
                        return Ok(0);
                    };
                    let (due, start) = (row.next_backup_at, row.trigger_at);
                    let cycle = Cycle::parse(&row.cycle)
                        .ok_or_else(|| Error::bug("a row has an unknown cycle", &*row.cycle))?;
                    let next = cycle.next(start.unwrap_or(now), now);
                    let row = tx
                        .dbss_instances()
                        .change(&row.project_id, &row.id, |row| {
                            row.next_backup_at = Some(next);
                        })?;
                    if row.status == DbssInstanceStatus::Stopped {
                        return Ok(0);
                    }
                    // One that waits already will read what is new, however late it is.
                    if tx.jobs().unfinished_with_key(&key(row.id))? > 1 {
                        return Ok(0);
                    }
                    self.order_log_backup(tx, &row, &Why::Due(due.unwrap_or(now)))?;
                    Ok(1)
                })?;
            }
        }
    }

    /// Backs up at once what stands on a disk that fills up, before the oldest logs are removed.
    fn order_pressed_log_backups(&self, now: Timestamp) -> Result<u64> {
        let mut pressed = 0;
        for row in self.read(|tx| Ok(tx.dbss_instances().any_project_list()?))? {
            if !hurries(&row, now) {
                continue;
            }
            // One that cannot be read is told of by its backups.
            let used = open(&row).ok().and_then(|logs| logs.pressure().ok());
            let limit = u8::try_from(row.hurry_percent).unwrap_or(100);
            if !used.is_some_and(|used| used.is_above(limit)) {
                continue;
            }
            pressed += self.order(|tx| {
                let there = tx.dbss_instances().get(&row.project_id, &row.id)?;
                let Some(row) = there.filter(|row| hurries(row, now)) else {
                    return Ok(0);
                };
                if tx.jobs().unfinished_with_key(&key(row.id))? > 0 {
                    return Ok(0);
                }
                tx.dbss_instances()
                    .change(&row.project_id, &row.id, |row| {
                        row.pressed_at = Some(now);
                    })?;
                self.order_log_backup(tx, &row, &Why::Pressed)?;
                Ok(1)
            })?;
        }
        Ok(pressed)
    }

    fn expire_log_backups(&self, now: Timestamp) -> Result<u64> {
        let Some(believed) = self.read(|tx| Ok(Ledger::read(tx, now)?.believed(now)))? else {
            return Ok(0);
        };
        let old = self.read(|tx| Ok(tx.dbss_backups().any_project_expired(believed, BATCH)?))?;
        let mut expired = 0;
        for row in old {
            expired += self.order(|tx| {
                let Some(row) = tx.dbss_backups().get(&row.project_id, &row.id)? else {
                    return Ok(0);
                };
                let (project, instance) = (row.project_id, row.instance_id);
                let directory = tx.dbss_instances().get(&project, &instance)?;
                if directory.is_some_and(|directory| directory.removed_at.is_none()) {
                    let newest = tx.dbss_backups().newest_good(&project, &instance)?;
                    if newest.is_none_or(|newest| newest.id == row.id) {
                        return Ok(0);
                    }
                }
                if row.progress.next(DbssProgress::Deleting).is_err() {
                    return Ok(0);
                }
                self.order_log_deletion(tx, &row)?;
                Ok(1)
            })?;
        }
        Ok(expired)
    }
}

/// Whether a directory may ask for a backup because its disk fills up: whoever wants automatic
/// backups wants them before it is too late, and not one after the other.
fn hurries(row: &DbssInstanceRow, now: Timestamp) -> bool {
    let again = |at: Timestamp| now >= at.plus_seconds(PRESSED_AGAIN_SECONDS) || now < at;
    row.automatic
        && row.status != DbssInstanceStatus::Stopped
        && row.removed_at.is_none()
        && row.pressed_at.is_none_or(again)
}
