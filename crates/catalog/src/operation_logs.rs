//! Operation logs: what tenants see of the tasks done for them. They outlive what they speak of.

use strongroom_model::{
    BackupId, CheckpointId, JobId, OperationLogId, ProjectId, ResourceId, ResourceKind, Timestamp,
    VaultId, state::TaskStatus,
};

use crate::{
    error::Result,
    query::{
        Direction::{Ascending, Descending},
        Filter, Key, Listed, Page,
    },
    table::table,
    tx::Tx,
    value::{Field, Json, words},
};

/// What a task does, in the vendor's words.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum OperationType {
    /// Makes a backup.
    Backup,
    /// Copies a backup inside the region.
    Copy,
    /// Copies a backup to another region.
    Replication,
    /// Restores a backup.
    Restore,
    /// Deletes a backup.
    Delete,
    /// Reads backups in from elsewhere.
    Sync,
    /// Deletes a vault.
    VaultDelete,
    /// Takes resources out of a vault, with their backups.
    RemoveResource,
}

impl OperationType {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Backup,
        Self::Copy,
        Self::Replication,
        Self::Restore,
        Self::Delete,
        Self::Sync,
        Self::VaultDelete,
        Self::RemoveResource,
    ];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Backup => "backup",
            Self::Copy => "copy",
            Self::Replication => "replication",
            Self::Restore => "restore",
            Self::Delete => "delete",
            Self::Sync => "sync",
            Self::VaultDelete => "vault_delete",
            Self::RemoveResource => "remove_resource",
        }
    }

    /// The type of that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|operation| operation.as_str() == word)
    }
}

words!(OperationType);

table! {
    /// An operation log.
    pub struct OperationLogRow, "operation_logs", "operation log", key ["project_id", "id"],
    state status {
        /// Its id; for a restore, the id that the client polls.
        id: OperationLogId,
        /// The project it belongs to.
        project_id: ProjectId,
        /// The vault concerned.
        vault_id: Option<VaultId>,
        /// Its name at that time.
        vault_name: Option<String>,
        /// The checkpoint concerned.
        checkpoint_id: Option<CheckpointId>,
        /// The backup concerned.
        backup_id: Option<BackupId>,
        /// The resource concerned.
        resource_id: Option<ResourceId>,
        /// Its name at that time.
        resource_name: Option<String>,
        /// Its kind.
        resource_kind: Option<ResourceKind>,
        /// What is done.
        operation_type: OperationType,
        /// Where it stands.
        status: TaskStatus,
        /// In percent.
        progress: u8,
        /// The code of the failure, as it is shown.
        error_code: Option<String>,
        /// What failed, as it is shown.
        error_message: Option<String>,
        /// The job that does it.
        job_id: Option<JobId>,
        /// The request that asked for it.
        request_id: String,
        /// What its kind of operation shows beside, as it is shown.
        extra: Json<serde_json::Value>,
        /// When it was asked for.
        created_at: Timestamp,
        /// When it was begun.
        started_at: Option<Timestamp>,
        /// When it ended.
        ended_at: Option<Timestamp>,
        /// When it was last changed.
        updated_at: Timestamp,
    }
}

/// Which operation logs are wanted; a field left empty means "whatever".
#[derive(Clone, Debug, Default)]
pub struct OperationLogFilter {
    /// Of this kind.
    pub operation_type: Option<OperationType>,
    /// In one of these states.
    pub statuses: Vec<TaskStatus>,
    /// Concerning this vault.
    pub vault_id: Option<VaultId>,
    /// Concerning a vault with exactly this name.
    pub vault_name: Option<String>,
    /// Concerning this resource.
    pub resource_id: Option<ResourceId>,
    /// Concerning a resource with exactly this name.
    pub resource_name: Option<String>,
    /// Concerning this kind of resource.
    pub resource_kind: Option<ResourceKind>,
    /// Concerning this checkpoint.
    pub checkpoint_id: Option<CheckpointId>,
    /// Concerning this backup.
    pub backup_id: Option<BackupId>,
    /// Asked for at this time or later.
    pub created_from: Option<Timestamp>,
    /// Asked for at this time or earlier.
    pub created_to: Option<Timestamp>,
    /// Concerning a vault of this enterprise project that still exists.
    pub enterprise_project_id: Option<String>,
}

impl OperationLogFilter {
    fn apply(&self, filter: Filter) -> Filter {
        let filter = filter
            .maybe("operation_type", self.operation_type.as_ref())
            .any("status", &self.statuses)
            .maybe("vault_id", self.vault_id.as_ref())
            .maybe("vault_name", self.vault_name.as_ref())
            .maybe("resource_id", self.resource_id.as_ref())
            .maybe("resource_name", self.resource_name.as_ref())
            .maybe("resource_kind", self.resource_kind.as_ref())
            .maybe("checkpoint_id", self.checkpoint_id.as_ref())
            .maybe("backup_id", self.backup_id.as_ref())
            .at_least("created_at", self.created_from.as_ref())
            .at_most("created_at", self.created_to.as_ref());
        match &self.enterprise_project_id {
            None => filter,
            Some(project) => {
                let inside = "vault_id IN (SELECT id FROM vaults WHERE enterprise_project_id = {})";
                filter.that_with(inside, &[project.to_value()])
            }
        }
    }
}

const NEWEST_FIRST: &[Key] = &[("created_at", Descending), ("id", Descending)];

/// The table of operation logs.
pub struct OperationLogs<'t>(&'t Tx<'t>);

impl Tx<'_> {
    /// The operation logs.
    pub fn operation_logs(&self) -> OperationLogs<'_> {
        OperationLogs(self)
    }
}

impl OperationLogs<'_> {
    /// Adds an operation log.
    pub fn insert(&self, row: &OperationLogRow) -> Result<()> {
        self.0.insert(row)
    }

    /// The project's operation log of that id.
    pub fn get(&self, project: &ProjectId, id: &OperationLogId) -> Result<Option<OperationLogRow>> {
        self.0.one(&own(project).is("id", id))
    }

    /// One page of the project's operation logs, the newest first.
    pub fn list(
        &self,
        project: &ProjectId,
        filter: &OperationLogFilter,
        page: &Page,
    ) -> Result<Listed<OperationLogRow>> {
        self.0.list(
            &own(project),
            filter.apply(own(project)),
            NEWEST_FIRST,
            page,
        )
    }

    /// Changes an operation log and returns it.
    ///
    /// `NotFound` if the project has none of that id, `Illegal` if its state may not change so.
    pub fn change(
        &self,
        project: &ProjectId,
        id: &OperationLogId,
        edit: impl FnOnce(&mut OperationLogRow),
    ) -> Result<OperationLogRow> {
        self.0.change(&own(project).is("id", id), id, edit)
    }

    /// The operation logs of a job, in any project, the oldest first; for jobs.
    pub fn any_project_of_job(&self, job: &JobId) -> Result<Vec<OperationLogRow>> {
        let order = &[("created_at", Ascending), ("id", Ascending)];
        self.0.select(&Filter::new().is("job_id", job), order)
    }

    /// One page of the operation logs of all projects, the newest first; for operators.
    pub fn any_project_list(
        &self,
        filter: &OperationLogFilter,
        page: &Page,
    ) -> Result<Listed<OperationLogRow>> {
        self.0.list(
            &Filter::new(),
            filter.apply(Filter::new()),
            NEWEST_FIRST,
            page,
        )
    }

    /// Forgets logs of all projects that ended before that time; how many there were.
    pub fn any_project_remove_ended_before(&self, time: Timestamp) -> Result<u64> {
        self.0.execute(
            "DELETE FROM operation_logs WHERE ended_at < ?1",
            &[time.to_value()],
        )
    }
}

fn own(project: &ProjectId) -> Filter {
    Filter::new().is("project_id", project)
}
