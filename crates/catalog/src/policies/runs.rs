//! What came of each run of a policy, and the backups that runs asked for.

use strongroom_model::{
    BackupId, CheckpointId, PolicyId, ProjectId, ResourceId, Timestamp, VaultId,
    state::BackupStatus,
};

use super::own;
use crate::{
    error::{Error, Result},
    query::Filter,
    table::table,
    tx::Tx,
    value::{Field, Json, words},
};

/// What became of a run.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Outcome {
    /// Its backups were ordered.
    Ordered,
    /// It could not begin; the task says why.
    Failed,
    /// Its time passed while no server ran.
    Missed,
    /// Nothing was to be done: every resource is suspended, or there is none.
    Idle,
}

impl Outcome {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ordered => "ordered",
            Self::Failed => "failed",
            Self::Missed => "missed",
            Self::Idle => "idle",
        }
    }

    /// The outcome of that word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Ordered, Self::Failed, Self::Missed, Self::Idle]
            .into_iter()
            .find(|known| known.as_str() == word)
    }
}

words!(Outcome);

table! {
    /// What came of one instant of a policy at a vault.
    pub struct RunRow, "policy_runs", "run", key ["seq"] {
        /// The order in which runs were decided.
        seq: i64,
        /// The project.
        project_id: ProjectId,
        /// The vault.
        vault_id: VaultId,
        /// The policy.
        policy_id: PolicyId,
        /// How often the clock was set back before.
        era: u64,
        /// The instant.
        due_at: Timestamp,
        /// What came of it.
        outcome: Outcome,
        /// What was ordered.
        checkpoint_id: Option<CheckpointId>,
        /// When that was decided.
        decided_at: Timestamp,
    }
}

table! {
    /// A backup that a run asked for.
    pub struct ScheduledBackupRow, "scheduled_backups", "scheduled backup", key ["backup_id"] {
        /// The backup.
        backup_id: BackupId,
        /// Its project.
        project_id: ProjectId,
        /// Its vault.
        vault_id: VaultId,
        /// What it is of.
        resource_id: ResourceId,
        /// The policy.
        policy_id: PolicyId,
        /// The run's place among all runs: what is newer.
        run: i64,
        /// The run's instant.
        due_at: Timestamp,
        /// How many backups the policy kept then, if it counted.
        max_backups: Option<u32>,
        /// The retention that held then, as `control` writes it.
        definition: Option<Json<serde_json::Value>>,
        /// Whether somebody has set its day by hand since.
        day_by_hand: bool,
    }
}

/// A scheduled backup with what retention wants to know of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScheduledBackup {
    /// Its row.
    pub row: ScheduledBackupRow,
    /// Where it stands.
    pub status: BackupStatus,
    /// The day that was set when it was made.
    pub expired_at: Option<Timestamp>,
}

/// The table of runs.
pub struct PolicyRuns<'t>(&'t Tx<'t>);

/// The table of the backups that runs asked for.
pub struct ScheduledBackups<'t>(&'t Tx<'t>);

impl Tx<'_> {
    /// The runs of policies.
    pub fn policy_runs(&self) -> PolicyRuns<'_> {
        PolicyRuns(self)
    }

    /// The backups that runs asked for.
    pub fn scheduled_backups(&self) -> ScheduledBackups<'_> {
        ScheduledBackups(self)
    }
}

impl PolicyRuns<'_> {
    /// Records a run, whose `seq` is drawn here; `None` if somebody has recorded it before.
    pub fn claim(&self, row: &RunRow) -> Result<Option<RunRow>> {
        let sql = "SELECT COALESCE(MAX(seq), 0) + 1 FROM policy_runs";
        let next = self
            .0
            .query("policy_runs", sql, &[], |row| row.take::<i64>("seq"))?;
        let row = RunRow {
            seq: next.first().copied().unwrap_or(1),
            ..row.clone()
        };
        match self.0.insert(&row) {
            Ok(()) => Ok(Some(row)),
            Err(Error::Duplicate(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Records a run of a catalog that was lost, under the number that it had; nothing if that
    /// number or instant is known.
    pub fn remember(&self, row: &RunRow) -> Result<()> {
        match self.0.insert(row) {
            Ok(()) | Err(Error::Duplicate(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Says what came of a run.
    pub fn settle(
        &self,
        project: &ProjectId,
        seq: i64,
        outcome: Outcome,
        checkpoint: Option<CheckpointId>,
    ) -> Result<RunRow> {
        self.0
            .change(&own(project).is("seq", &seq), &seq, |row: &mut RunRow| {
                row.outcome = outcome;
                row.checkpoint_id = checkpoint;
            })
    }

    /// The runs of a vault, the newest first.
    pub fn of_vault(&self, project: &ProjectId, vault: &VaultId) -> Result<Vec<RunRow>> {
        self.0.select(
            &own(project).is("vault_id", vault),
            &[("seq", crate::query::Direction::Descending)],
        )
    }

    /// Forgets runs that were decided before that time, but the newest of all: its number must
    /// not come again.
    pub fn any_project_remove_before(&self, time: Timestamp) -> Result<u64> {
        let sql = "DELETE FROM policy_runs WHERE decided_at < ?1 \
                   AND seq < (SELECT MAX(seq) FROM policy_runs)";
        self.0.execute(sql, &[time.to_value()])
    }
}

impl ScheduledBackups<'_> {
    /// Notes that a run asked for a backup.
    pub fn insert(&self, row: &ScheduledBackupRow) -> Result<()> {
        self.0.insert(row)
    }

    /// The note on a backup, if a run asked for it.
    pub fn get(
        &self,
        project: &ProjectId,
        backup: &BackupId,
    ) -> Result<Option<ScheduledBackupRow>> {
        self.0.one(&own(project).is("backup_id", backup))
    }

    /// Notes that somebody set the backup's day by hand; `false` if no run asked for it.
    pub fn set_day_by_hand(&self, project: &ProjectId, backup: &BackupId) -> Result<bool> {
        let sql = "UPDATE scheduled_backups SET day_by_hand = 1 \
                   WHERE project_id = ?1 AND backup_id = ?2";
        let values = [project.to_value(), backup.to_value()];
        Ok(self.0.execute(sql, &values)? > 0)
    }

    /// The scheduled backups of a vault, or of one resource in it, that are not in the trash:
    /// resource by resource, and of each the newest first.
    pub fn of_vault(
        &self,
        project: &ProjectId,
        vault: &VaultId,
        resource: Option<&ResourceId>,
    ) -> Result<Vec<ScheduledBackup>> {
        let filter = Filter::new()
            .is("s.project_id", project)
            .is("s.vault_id", vault)
            .maybe("s.resource_id", resource);
        let columns = <ScheduledBackupRow as crate::table::Table>::COLUMNS;
        let sql = format!(
            "SELECT s.{}, b.status, b.expired_at FROM scheduled_backups AS s \
             JOIN backups AS b ON b.id = s.backup_id AND b.trashed_at IS NULL{} \
             ORDER BY s.resource_id ASC, s.run DESC, s.backup_id DESC",
            columns.join(", s."),
            filter.sql()
        );
        self.0
            .query("scheduled_backups", &sql, filter.params(), |row| {
                Ok(ScheduledBackup {
                    row: <ScheduledBackupRow as crate::table::Table>::read(row)?,
                    status: row.take("status")?,
                    expired_at: row.take("expired_at")?,
                })
            })
    }
}
