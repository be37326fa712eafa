//! What callers see of tasks.

use serde::{Deserialize, Serialize};
use strongroom_model::{
    BackupId, CheckpointId, JobId, OperationLogId, PolicyId, ProjectId, ResourceId, ResourceKind,
    Timestamp, VaultId, state::TaskStatus,
};

use crate::{
    Reason,
    words::{ObjectType, OperationType},
};

/// A task.
#[derive(Debug, Clone, PartialEq)]
pub struct OperationLog {
    /// Its id.
    pub id: OperationLogId,
    /// The project it belongs to.
    pub project_id: ProjectId,
    /// What it does.
    pub operation_type: OperationType,
    /// Its state.
    pub status: TaskStatus,
    /// Percent of the work done.
    pub progress: u8,
    /// The vault, which may be gone.
    pub vault_id: Option<VaultId>,
    /// The vault's name at the time.
    pub vault_name: Option<String>,
    /// The vault's type at the time, which decides the provider.
    pub object_type: Option<ObjectType>,
    /// The checkpoint that ordered it.
    pub checkpoint_id: Option<CheckpointId>,
    /// The resource concerned.
    pub resource: Option<OperationResource>,
    /// What is said only of this type of task.
    pub detail: OperationDetail,
    /// Why it failed.
    pub error: Option<OperationFailure>,
    /// The request that ordered it.
    pub request_id: Option<String>,
    /// The job behind it.
    pub job_id: Option<JobId>,
    /// When it was ordered.
    pub created_at: Timestamp,
    /// When a worker took it.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

/// A resource as a task names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationResource {
    /// Its id.
    pub id: ResourceId,
    /// What it is.
    pub kind: ResourceKind,
    /// Its name at the time.
    pub name: String,
}

/// Why a task failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationFailure {
    /// The situation.
    pub reason: Reason,
    /// What happened, for the owner.
    pub message: String,
}

/// What is said only of one type of task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperationDetail {
    /// A backup.
    Backup {
        /// The backup.
        backup_id: BackupId,
        /// Its name at the time.
        backup_name: String,
    },
    /// A restore.
    Restore {
        /// The backup.
        backup_id: BackupId,
        /// Its name at the time.
        backup_name: String,
        /// The resource restored to; absent for a path.
        target: Option<OperationResource>,
    },
    /// A deletion of a backup.
    Delete {
        /// The backup.
        backup_id: BackupId,
        /// Its name at the time.
        backup_name: String,
    },
    /// A copy into another region.
    Replication(Box<OperationCopy>),
    /// Runs of a policy that copied nothing.
    ReplicationRun {
        /// The policy.
        policy_id: PolicyId,
        /// How many runs there were.
        runs: u64,
    },
    /// Runs of a policy that made no backup.
    PolicyRun {
        /// The policy.
        policy_id: PolicyId,
        /// How many runs there were.
        runs: u64,
    },
    /// A deletion of a vault.
    VaultDelete {
        /// Backups that could not be deleted.
        failed: u64,
        /// Backups in all.
        total: u64,
    },
    /// Backups taken in from a vault's data.
    Sync {
        /// Backups that the catalog did not know.
        imported: u64,
        /// Backups that could not be imported.
        failed: u64,
    },
    /// A change of the day on which backups end.
    Expiry {
        /// Backups that have another end now.
        affected: u64,
        /// The day, `YYYY-MM-DD`.
        day: String,
    },
    /// A removal of resources from a vault.
    RemoveResources {
        /// Resources that could not be removed.
        failed: u64,
        /// Resources in all.
        total: u64,
        /// The resources.
        resources: Vec<OperationResource>,
    },
}

/// What a task that copies a backup says of both ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationCopy {
    /// The original.
    pub source_backup_id: BackupId,
    /// Its name at the time.
    pub source_backup_name: String,
    /// Its restore point.
    pub source_checkpoint_id: CheckpointId,
    /// Its project.
    pub source_project_id: ProjectId,
    /// Its region.
    pub source_region: String,
    /// The copy.
    pub destination_backup_id: BackupId,
    /// Its name at the time.
    pub destination_backup_name: String,
    /// Its restore point.
    pub destination_checkpoint_id: CheckpointId,
    /// Its project.
    pub destination_project_id: ProjectId,
    /// Its region.
    pub destination_region: String,
    /// The policy that asked for it.
    pub policy_id: Option<PolicyId>,
}

/// Which tasks to list; `None` matches all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OperationLogFilter {
    /// See [`OperationLog`].
    pub operation_type: Option<OperationType>,
    /// See [`OperationLog`].
    pub status: Option<TaskStatus>,
    /// See [`OperationLog`].
    pub vault_id: Option<VaultId>,
    /// Exactly this name.
    pub vault_name: Option<String>,
    /// See [`OperationLog`].
    pub resource_id: Option<ResourceId>,
    /// Exactly this name.
    pub resource_name: Option<String>,
    /// Of vaults of one of these types (the vendor asks by provider); an empty list matches none.
    pub object_types: Option<Vec<ObjectType>>,
    /// Ordered at that time or later.
    pub start_time: Option<Timestamp>,
    /// Ordered at that time or earlier.
    pub end_time: Option<Timestamp>,
    /// Of the vault.
    pub enterprise_project_id: Option<String>,
}
