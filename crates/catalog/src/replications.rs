//! Copies of backups that were asked for, and what became of each.
//!
//! A record belongs to the project of the original. Either end may be gone by now: the record
//! says what was done, the replica's own row (`replica_of`) that it is there.

use strongroom_model::{
    BackupId, CheckpointId, OperationLogId, PolicyId, ProjectId, ReplicationId, Timestamp, VaultId,
};

use crate::{
    error::Result,
    query::{Direction::Ascending, Filter, Key},
    table::table,
    tx::Tx,
    value::{Field, words},
};

/// Where a copy stands, in the vendor's words.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ReplicationStatus {
    /// It waits for a worker.
    Waiting,
    /// It is being made.
    Replicating,
    /// It is there.
    Success,
    /// It could not be made.
    Fail,
    /// It was left out.
    Skip,
}

impl ReplicationStatus {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Waiting,
        Self::Replicating,
        Self::Success,
        Self::Fail,
        Self::Skip,
    ];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting_replicate",
            Self::Replicating => "replicating",
            Self::Success => "success",
            Self::Fail => "fail",
            Self::Skip => "skip",
        }
    }

    /// The status of that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|status| status.as_str() == word)
    }
}

words!(ReplicationStatus);

table! {
    /// A copy that was asked for.
    pub struct ReplicationRow, "replications", "replication", key ["project_id", "id"] {
        /// Its id.
        id: ReplicationId,
        /// The project of the original.
        project_id: ProjectId,
        /// The original.
        backup_id: BackupId,
        /// The original's restore point.
        source_checkpoint_id: CheckpointId,
        /// The original's vault.
        vault_id: VaultId,
        /// The original's region.
        source_region: String,
        /// The project of the copy.
        destination_project_id: ProjectId,
        /// The region of the copy.
        destination_region: String,
        /// The vault of the copy.
        destination_vault_id: VaultId,
        /// The restore point of the copy.
        destination_checkpoint_id: CheckpointId,
        /// The copy.
        destination_backup_id: BackupId,
        /// Where it stands.
        status: ReplicationStatus,
        /// Why it failed, in one word.
        error_code: Option<String>,
        /// The same for people.
        error_message: Option<String>,
        /// The task that makes it.
        log_id: OperationLogId,
        /// The policy that asked for it.
        policy_id: Option<PolicyId>,
        /// When it was asked for.
        created_at: Timestamp,
        /// When it last changed.
        updated_at: Timestamp,
    }
}

const BY_AGE: &[Key] = &[("created_at", Ascending), ("id", Ascending)];
const UNFINISHED: &str = "status IN ('waiting_replicate', 'replicating')";

/// The table of copies.
pub struct Replications<'t>(&'t Tx<'t>);

impl Tx<'_> {
    /// The copies that were asked for.
    pub fn replications(&self) -> Replications<'_> {
        Replications(self)
    }
}

impl Replications<'_> {
    /// Notes that a copy was asked for.
    pub fn insert(&self, row: &ReplicationRow) -> Result<()> {
        self.0.insert(row)
    }

    /// The project's record of that id.
    pub fn get(&self, project: &ProjectId, id: &ReplicationId) -> Result<Option<ReplicationRow>> {
        self.0.one(&own(project).is("id", id))
    }

    /// What became of the copies of a backup, the oldest first.
    pub fn of_backup(&self, project: &ProjectId, backup: &BackupId) -> Result<Vec<ReplicationRow>> {
        self.0.select(&own(project).is("backup_id", backup), BY_AGE)
    }

    /// Whether a copy of the backup is being made.
    pub fn unfinished_of_backup(&self, project: &ProjectId, backup: &BackupId) -> Result<bool> {
        let of = own(project).is("backup_id", backup).that(UNFINISHED);
        Ok(self.0.count::<ReplicationRow>(&of)? > 0)
    }

    /// Whether a copy is being made from or into the vault, whoever asked for it.
    pub fn any_project_unfinished_of_vault(&self, vault: &VaultId) -> Result<bool> {
        for end in ["vault_id", "destination_vault_id"] {
            let of = Filter::new().is(end, vault).that(UNFINISHED);
            if self.0.count::<ReplicationRow>(&of)? > 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Changes a record and returns it; `NotFound` if the project has none of that id.
    pub fn change(
        &self,
        project: &ProjectId,
        id: &ReplicationId,
        edit: impl FnOnce(&mut ReplicationRow),
    ) -> Result<ReplicationRow> {
        self.0.change(&own(project).is("id", id), id, edit)
    }

    /// Forgets the failures of all projects that ended before that time; for upkeep. What
    /// succeeded goes with its original.
    pub fn any_project_remove_failed_before(&self, time: Timestamp) -> Result<u64> {
        let sql = "DELETE FROM replications WHERE updated_at < ?1 AND status IN ('fail', 'skip')";
        self.0.execute(sql, &[time.to_value()])
    }

    /// Forgets what was said of a backup that is gone.
    pub(crate) fn remove_backup(&self, project: &ProjectId, backup: &BackupId) -> Result<u64> {
        self.0
            .remove::<ReplicationRow>(&own(project).is("backup_id", backup))
    }
}

fn own(project: &ProjectId) -> Filter {
    Filter::new().is("project_id", project)
}
