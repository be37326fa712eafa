//! What is done now and then, whoever asks: idempotent, and of no project.

use crate::{Control, Result};

/// Days that ended tasks and jobs are remembered, as the vendor documents for operation logs.
const REMEMBERED_DAYS: i64 = 30;

/// Days that runs of policies are remembered: longer than any clock is set back by mistake.
const RUNS_REMEMBERED_DAYS: i64 = 90;

/// What one round of upkeep did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Upkeep {
    /// Backups whose time had come and whose deletion was ordered.
    pub expired: u64,
    /// What had been in the trash long enough and whose purge was ordered.
    pub purged: u64,
    /// Operation logs that were forgotten.
    pub logs: u64,
    /// Jobs that were forgotten.
    pub jobs: u64,
    /// Vaults of which a new note is written beside their data.
    pub notes: u64,
    /// Projects of which something was counted wrongly and is right now.
    pub recounted: u64,
}

impl Control {
    /// One round of upkeep: orders the deletion of expired backups, rolls out policies of
    /// organizations to projects that lack them, forgets old tasks, wipes
    /// what deleted rows (destroyed keys among them) left in the catalog's log, and sees to the
    /// notes beside the data.
    pub fn keep_up(&self) -> Result<Upkeep> {
        let expired = self.delete_expired_backups()? + self.retention_round()?;
        let purged = self.purge_trash()?;
        let before = self.now().plus_seconds(-REMEMBERED_DAYS * 86_400);
        let (logs, jobs) = self.write(|tx| {
            let logs = tx
                .operation_logs()
                .any_project_remove_ended_before(before)?;
            let runs = self.now().plus_seconds(-RUNS_REMEMBERED_DAYS * 86_400);
            tx.policy_runs().any_project_remove_before(runs)?;
            tx.replications().any_project_remove_failed_before(before)?;
            tx.dbss_tasks().any_project_remove_ended_before(before)?;
            tx.ddm_tasks().any_project_remove_ended_before(before)?;
            let jobs = tx.jobs().remove_ended_before(before)?;
            Ok((logs, jobs))
        })?;
        self.roll_out_organizations()?;
        self.forget_alarms()?;
        let recounted = self.recount()?;
        self.catalog().fold_log()?;
        let notes = self.note_vaults()?;
        self.retention_locks_round()?;
        Ok(Upkeep {
            expired,
            purged,
            logs,
            jobs,
            notes,
            recounted,
        })
    }
}
