//! Operation logs: the vendor's view of a task.
//!
//! Documents: "Querying Tasks", "Querying a Single Task". `error_info` is an object on every row
//! (the `openstack` command fails on null), and what belongs to another kind of task is left out.

use serde::{Deserialize, Serialize};

use super::{Limit, resource::ResourceRef};
use crate::{query::Offset, time::CbrTime};

words! {
    /// What a task does.
    OperationType, "operation type" {
        /// Makes a backup.
        Backup = "backup",
        /// Copies a backup within the region.
        Copy = "copy",
        /// Copies a backup to another region.
        Replication = "replication",
        /// Restores.
        Restore = "restore",
        /// Deletes a backup.
        Delete = "delete",
        /// Imports backups.
        Sync = "sync",
        /// Deletes a vault.
        VaultDelete = "vault_delete",
        /// Releases a resource and deletes its backups.
        RemoveResource = "remove_resource",
    }

    /// The state of a task.
    TaskStatus, "task status" {
        /// Done.
        Success = "success",
        /// Left out on purpose.
        Skipped = "skipped",
        /// Failed.
        Failed = "failed",
        /// Runs.
        Running = "running",
        /// Given up after its time.
        Timeout = "timeout",
        /// Waits for a worker.
        Waiting = "waiting",
    }
}

queries! {
    /// Filters of `ListOpLogs`; all of them must hold.
    ListOpLogsQuery {
        /// Begun at this time or before.
        end_time: Option<CbrTime>,
        /// Rows in the page; 1000 if nothing is said.
        limit: Option<Limit>,
        /// Rows to skip.
        offset: Option<Offset>,
        /// The id of the last row of the page before: undocumented, sent by openstacksdk.
        marker: Option<String>,
        /// What the task does.
        operation_type: Option<OperationType>,
        /// The kind of resource, see [`provider`](super::resource::provider).
        provider_id: Option<String>,
        /// The resource.
        resource_id: Option<String>,
        /// The resource's name.
        resource_name: Option<String>,
        /// Begun at this time or later.
        start_time: Option<CbrTime>,
        /// Its state.
        status: Option<TaskStatus>,
        /// The vault.
        vault_id: Option<String>,
        /// The vault's name.
        vault_name: Option<String>,
        /// The enterprise project, or `all_granted_eps`.
        enterprise_project_id: Option<String>,
    }
}

/// The answer of `ListOpLogs`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListOpLogsReply {
    /// The page.
    pub operation_logs: Vec<OperationLog>,
    /// Rows over all pages.
    pub count: u64,
    /// Rows that a page holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Rows that were skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u32>,
}

/// The answer of `ShowOpLog`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationLogReply {
    /// The task.
    pub operation_log: OperationLog,
}

/// A task (table `OperationLog`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationLog {
    /// The restore point.
    pub checkpoint_id: Option<String>,
    /// When it was asked for.
    pub created_at: CbrTime,
    /// When it ended; null until then.
    pub ended_at: Option<CbrTime>,
    /// Why it failed; empty texts if it did not.
    pub error_info: OperationError,
    /// Details by kind of task.
    pub extra_info: OperationExtraInfo,
    /// The task.
    pub id: String,
    /// What it does.
    pub operation_type: OperationType,
    /// The policy that asked for it.
    pub policy_id: Option<String>,
    /// The project.
    pub project_id: String,
    /// The kind of resource, see [`provider`](super::resource::provider).
    pub provider_id: Option<String>,
    /// When it began; when it was asked for, until then.
    pub started_at: CbrTime,
    /// Its state.
    pub status: TaskStatus,
    /// When it last changed.
    pub updated_at: CbrTime,
    /// The vault.
    pub vault_id: Option<String>,
    /// The vault's name.
    pub vault_name: Option<String>,
}

/// Why a task failed (table `OpErrorInfo`).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct OperationError {
    /// The error code.
    pub code: String,
    /// The same in words.
    pub message: String,
}

/// Details of a task (table `OpExtraInfo`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationExtraInfo {
    /// Of a backup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup: Option<BackupDetail>,
    /// Of every task.
    pub common: CommonDetail,
    /// Of a deletion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delete: Option<DeleteDetail>,
    /// Of an import.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sync: Option<SyncDetail>,
    /// Of a release of resources.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remove_resources: Option<RemoveResourcesDetail>,
    /// Of a copy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replication: Option<ReplicationDetail>,
    /// The resource concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<ResourceRef>,
    /// Of a restore.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restore: Option<RestoreDetail>,
    /// Of the deletion of a vault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vault_delete: Option<VaultDeleteDetail>,
    /// Of a change of expiry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update_expiration_time: Option<ExpirationDetail>,
}

/// Details of every task (table `OpExtendInfoCommon`).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CommonDetail {
    /// How far it is, in percent.
    pub progress: u32,
    /// The request that asked for it.
    pub request_id: String,
    /// The job behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_id: Option<String>,
}

/// Details of a backup (table `OpExtendInfoBckup`). Whether it is incremental is not said here:
/// one client wants a boolean, two want text, and all take its absence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupDetail {
    /// The backup.
    pub backup_id: String,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup_name: Option<String>,
    /// Why application consistency was not reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_consistency_error_code: Option<String>,
    /// The same in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_consistency_error_message: Option<String>,
    /// `1` if it was reached, else `0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_consistency_status: Option<String>,
}

/// Details of a deletion (table `OpExtendInfoDelete`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeleteDetail {
    /// The backup.
    pub backup_id: String,
    /// Its name.
    pub backup_name: String,
}

/// Details of an import (table `OpExtendInfoSync`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncDetail {
    /// Backups that came in.
    pub sync_backup_num: u64,
    /// Backups that went.
    pub delete_backup_num: u64,
    /// Backups that could not be imported.
    pub err_sync_backup_num: u64,
}

/// Details of a release of resources (table `OpExtendInfoRemoveResources`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoveResourcesDetail {
    /// Backups that could not be deleted.
    pub fail_count: u64,
    /// Backups in all.
    pub total_count: u64,
    /// The resources.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<Vec<ResourceRef>>,
}

/// Details of a copy (table `OpExtendInfoReplication`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplicationDetail {
    /// The copy.
    pub destination_backup_id: String,
    /// The restore point of the copy.
    pub destination_checkpoint_id: String,
    /// The project of the copy.
    pub destination_project_id: String,
    /// The region of the copy.
    pub destination_region: String,
    /// The original.
    pub source_backup_id: String,
    /// The restore point of the original.
    pub source_checkpoint_id: String,
    /// The project of the original.
    pub source_project_id: String,
    /// The region of the original.
    pub source_region: String,
    /// The original's name.
    pub source_backup_name: String,
    /// The copy's name.
    pub destination_backup_name: String,
}

/// Details of a restore (table `OpExtendInfoRestore`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreDetail {
    /// The backup.
    pub backup_id: String,
    /// Its name.
    pub backup_name: String,
    /// What it was restored to.
    pub target_resource_id: String,
    /// Its name.
    pub target_resource_name: String,
}

/// Details of the deletion of a vault (table `OpExtendInfoVaultDelete`). Both pairs of names say
/// the same: the document has the first, Terraform reads the second.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VaultDeleteDetail {
    /// Backups that could not be deleted.
    pub fail_count: u64,
    /// Backups in all.
    pub total_count: u64,
    /// Backups that could not be deleted.
    pub fail_delete_count: u64,
    /// Backups in all.
    pub total_delete_count: u64,
}

/// Details of a change of expiry (table `OpExtendInfoUpdateExpirationTime`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpirationDetail {
    /// Backups that changed.
    pub affected_backups_count: u64,
    /// The new day, `YYYY-MM-DD`.
    pub expiration_day: String,
}
