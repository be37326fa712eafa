//! The day on which the backups of a vault end, set by hand.
//!
//! The vendor's call names a vault and a day, and all finished backups of the vault end with that
//! day. Of a scheduled backup this is above the policy's number; the newest good one of a resource
//! stays all the same (docs/adr/0014-clockwork.md).
//!
//! Invariant: where a lock or a guard keeps promises, nothing ends earlier than it would have; the
//! call changes everything or nothing.

use serde_json::json;
use strongroom_catalog::{BackupRow, Tx, VaultRow};
use strongroom_model::{OperationLogId, Timestamp, VaultId, retention::Zone};

use super::end_of_day;
use crate::{
    Caller, Control, Error, Reason, Result, backups,
    control::project,
    jobs, locks,
    operation_logs::{self, NewTask, OperationDetail},
    vaults,
};

/// The day on which a vault's backups are to end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewExpiry {
    /// The vault.
    pub vault_id: VaultId,
    /// `YYYY-MM-DD`; they end with it.
    pub day: String,
    /// Where the day is: an offset such as `UTC+08:00`.
    pub zone: String,
}

/// What setting the day changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExpiryChanged {
    /// How many backups have another end now.
    pub affected: u64,
    /// The task that says so.
    pub task: OperationLogId,
}

impl Control {
    /// Has all finished backups of a vault end with a certain day.
    pub fn set_expiry(&self, caller: &Caller, new: &NewExpiry) -> Result<ExpiryChanged> {
        let project = project(caller)?;
        let zone: Zone = new
            .zone
            .parse()
            .map_err(|error| Error::invalid("time_zone", format!("{error}")))?;
        let end = end_of_day("expect_expiration_date", &new.day, &zone)?;
        let now = self.now();
        if end <= now {
            let problem = "that day is over: name one to come, or delete the backups";
            return Err(Error::invalid("expect_expiration_date", problem));
        }
        self.write(|tx| {
            let vault =
                vaults::rows::get_available(tx, project, new.vault_id, Reason::VaultStateForbids)?;
            let backups = backups::rows::finished(tx, &project, vault.id)?;
            for backup in &backups {
                may_end(tx, &vault, backup, end, now)?;
            }
            let mut affected = 0;
            for backup in backups.iter().filter(|row| row.expired_at != Some(end)) {
                tx.backups().change(&project, &backup.id, |row| {
                    row.expired_at = Some(end);
                    row.updated_at = now;
                })?;
                tx.scheduled_backups()
                    .set_day_by_hand(&project, &backup.id)?;
                affected += 1;
            }
            let task = OperationLogId::new(self.entropy());
            let noted = NewTask {
                id: task,
                vault: &vault,
                checkpoint_id: None,
                backup: None,
                resource: None,
                detail: OperationDetail::Expiry {
                    affected,
                    day: new.day.clone(),
                },
                job: jobs::DELETE_BACKUP,
                params: json!(null),
                exclusive_key: String::new(),
            };
            operation_logs::noted(self, tx, &caller.request_id, &noted)?;
            Ok(ExpiryChanged { affected, task })
        })
    }
}

/// Refuses an end that comes before the one that a lock or a guard keeps.
fn may_end(
    tx: &Tx<'_>,
    vault: &VaultRow,
    backup: &BackupRow,
    end: Timestamp,
    now: Timestamp,
) -> Result<()> {
    let safety = locks::safety_of(tx, vault)?;
    if backup.expired_at.is_some_and(|day| day <= end) {
        return Ok(());
    }
    if locks::keeps(safety, backup, now) {
        return Err(Error::conflict(
            Reason::LockedVaultKeepsBackup,
            &backup.name,
        ));
    }
    if safety.guarded && backup.manifest_id.is_some() {
        let about = format!(
            "vault {} is guarded, and {} would end sooner",
            vault.name, backup.name
        );
        return Err(Error::conflict(Reason::BackupNotDeletable, about));
    }
    Ok(())
}
