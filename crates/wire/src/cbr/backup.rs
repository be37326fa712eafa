//! Backups: list, show, rename, delete, restore.
//!
//! Documents: "Querying a Specified Backup", "Querying All Backups", "Modifying a Backup",
//! "Restoring Data Using a Backup". A server's backup is a parent with one child per disk.

use serde::{Deserialize, Serialize};

use super::{Limit, resource::ResourceType};
use crate::{
    query::{Offset, Percent, QueryValue},
    text::Name,
    time::CbrTime,
};

words! {
    /// The state of a backup.
    BackupStatus, "backup status" {
        /// Can be restored.
        Available = "available",
        /// Data is being read.
        Protecting = "protecting",
        /// Is being deleted.
        Deleting = "deleting",
        /// A restore from it runs.
        Restoring = "restoring",
        /// Failed or incomplete.
        Error = "error",
        /// Waits for a worker to read data.
        WaitingProtect = "waiting_protect",
        /// Waits for a worker to delete it.
        WaitingDelete = "waiting_delete",
        /// Waits for a worker to restore from it.
        WaitingRestore = "waiting_restore",
    }

    /// Whether a backup was made here or copied from another region.
    ImageType, "image type" {
        /// Made here.
        Backup = "backup",
        /// A copy.
        Replication = "replication",
    }

    /// What a backup can be restored to.
    RestoreMode, "restore mode" {
        /// To new resources only.
        Na = "na",
        /// To the disks it was made of.
        Backup = "backup",
        /// To a whole new server.
        Snapshot = "snapshot",
    }

    /// The state of one copy of a backup.
    ReplicationStatus, "replication status" {
        /// Is being copied.
        Replicating = "replicating",
        /// Is there.
        Success = "success",
        /// Failed.
        Fail = "fail",
        /// Was left out.
        Skip = "skip",
        /// Waits for a worker.
        WaitingReplicate = "waiting_replicate",
    }

    /// Whose backups a list shows.
    OwnType, "own type" {
        /// One's own and those shared with one.
        AllGranted = "all_granted",
        /// One's own; this holds if nothing is said.
        Private = "private",
        /// Those shared with one.
        Shared = "shared",
    }

    /// The state of a share with another project.
    MemberStatus, "member status" {
        /// Offered.
        Pending = "pending",
        /// Taken.
        Accepted = "accepted",
        /// Refused.
        Rejected = "rejected",
    }

    /// What a list of backups can be sorted by.
    BackupSortField, "sort key" {
        /// When it was begun.
        CreatedAt = "created_at",
        /// When it last changed.
        UpdatedAt = "updated_at",
        /// Its name.
        Name = "name",
        /// Its state.
        Status = "status",
        /// When the data was captured.
        ProtectedAt = "protected_at",
        /// Its id.
        Id = "id",
    }

    /// Which way a sort key runs.
    SortDirection, "sort direction" {
        /// Smallest first.
        Ascending = "asc",
        /// Largest first; this holds if nothing is said.
        Descending = "desc",
    }
}

queries! {
    /// Filters of `ListBackups`; all of them must hold.
    ListBackupsQuery {
        /// Backups of one restore point.
        checkpoint_id: Option<String>,
        /// Only those of a dedicated cloud; without effect here.
        dec: Option<bool>,
        /// Begun at this time or before.
        end_time: Option<CbrTime>,
        /// Made here, or copied.
        image_type: Option<ImageType>,
        /// Rows in the page; 1000 if nothing is said.
        limit: Option<Limit>,
        /// The id of the last row of the page before.
        marker: Option<String>,
        /// The backup's name.
        name: Option<String>,
        /// Rows to skip.
        offset: Option<Offset>,
        /// The resource's availability zone.
        resource_az: Option<String>,
        /// The resource.
        resource_id: Option<String>,
        /// The resource's name.
        resource_name: Option<String>,
        /// What the resource is.
        resource_type: Option<ResourceType>,
        /// The order of the rows.
        sort: Option<Sort>,
        /// Begun at this time or later.
        start_time: Option<CbrTime>,
        /// Any of these states.
        status: Vec<BackupStatus>,
        /// The vault.
        vault_id: Option<String>,
        /// The enterprise project, or `all_granted_eps`.
        enterprise_project_id: Option<String>,
        /// Whose backups.
        own_type: Option<OwnType>,
        /// The state of the share with this project.
        member_status: Option<MemberStatus>,
        /// The backup that it is a part of.
        parent_id: Option<String>,
        /// In vaults that are full to this percentage at least.
        used_percent: Option<Percent>,
        /// Whether to list the copies of each backup.
        show_replication: Option<bool>,
        /// Incremental or full.
        incremental: Option<bool>,
    }
}

/// A sort order: `created_at:asc,name`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sort(pub Vec<(BackupSortField, SortDirection)>);

impl QueryValue for Sort {
    fn parse(text: &str) -> Result<Self, String> {
        if text.chars().count() > 255 {
            return Err("expected at most 255 characters".to_owned());
        }
        let key = |part: &str| {
            let (field, direction) = part.split_once(':').unwrap_or((part, "desc"));
            Ok((
                QueryValue::parse(field.trim())?,
                QueryValue::parse(direction.trim())?,
            ))
        };
        text.split(',')
            .map(key)
            .collect::<Result<_, String>>()
            .map(Self)
    }

    fn text(&self) -> String {
        let keys: Vec<_> = self
            .0
            .iter()
            .map(|(field, direction)| format!("{field}:{direction}"))
            .collect();
        keys.join(",")
    }
}

/// A backup (tables `BackupDetail` and `BackupResp`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Backup {
    /// The restore point.
    pub checkpoint_id: String,
    /// When it was begun.
    pub created_at: CbrTime,
    /// Free text.
    pub description: Option<String>,
    /// When it will be deleted; never if null.
    pub expired_at: Option<CbrTime>,
    /// Details.
    pub extend_info: BackupExtendInfo,
    /// The backup.
    pub id: String,
    /// Made here, or copied.
    pub image_type: ImageType,
    /// Its name.
    pub name: String,
    /// The backup that it is a part of.
    pub parent_id: Option<String>,
    /// The project.
    pub project_id: String,
    /// When the data was captured.
    pub protected_at: Option<CbrTime>,
    /// The resource's availability zone.
    pub resource_az: Option<String>,
    /// The resource.
    pub resource_id: String,
    /// The resource's name.
    pub resource_name: String,
    /// The resource's size in GB.
    pub resource_size: u64,
    /// What the resource is.
    pub resource_type: ResourceType,
    /// Its state.
    pub status: BackupStatus,
    /// When it last changed.
    pub updated_at: Option<CbrTime>,
    /// The vault.
    pub vault_id: String,
    /// The policy that made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheduled_operation_id: Option<String>,
    /// The backups of the parts; empty, never missing.
    pub children: Vec<Backup>,
    /// Its copies, if they were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replication_records: Option<Vec<ReplicationRecord>>,
    /// The enterprise project as text; children leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enterprise_project_id: Option<String>,
    /// The kind of resource, see [`provider`](super::resource::provider).
    pub provider_id: String,
    /// Whether it holds only what changed since the one before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incremental: Option<bool>,
    /// The kind of snapshot behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
}

/// Details of a backup (table `BackupExtendInfo`, and what the examples add).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct BackupExtendInfo {
    /// Whether a policy made it.
    pub auto_trigger: bool,
    /// Whether it holds a disk to boot from.
    pub bootable: Option<bool>,
    /// The same as the backup's own flag, where the document has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incremental: Option<bool>,
    /// The snapshot behind a disk's backup.
    pub snapshot_id: Option<String>,
    /// Whether a restore can serve data before it is complete.
    pub support_lld: Option<bool>,
    /// What it can be restored to.
    pub supported_restore_mode: Option<RestoreMode>,
    /// The images made of it.
    pub os_images_data: Option<Vec<ImageData>>,
    /// Whether a server's backup holds its system disk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contain_system_disk: Option<bool>,
    /// Whether the disk was encrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encrypted: Option<bool>,
    /// Whether the disk is a system disk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_disk: Option<bool>,
    /// Whether it is kept in several availability zones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_multi_az: Option<bool>,
    /// How far it is, in percent.
    pub progress: Option<u32>,
    /// The processor that a server's backup is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub architecture: Option<String>,
    /// How consistent a server's backup is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_consistency: Option<AppConsistency>,
}

/// How consistent a server's backup is; the codes are digits as text, `0` for none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppConsistency {
    /// Whether consistency was asked of the applications.
    pub app_consistency: String,
    /// Why it was not reached.
    pub app_consistency_error_code: String,
    /// The same in words.
    pub app_consistency_error_message: String,
    /// Whether it was reached.
    pub app_consistency_status: String,
}

/// An image made of a backup (table `ImageData`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageData {
    /// The image.
    pub image_id: String,
}

/// A copy of a backup (table `ReplicationRecordGet`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplicationRecord {
    /// When copying began.
    pub created_at: CbrTime,
    /// The copy.
    pub destination_backup_id: String,
    /// The restore point of the copy.
    pub destination_checkpoint_id: String,
    /// The project of the copy.
    pub destination_project_id: String,
    /// The region of the copy.
    pub destination_region: String,
    /// The vault of the copy.
    pub destination_vault_id: String,
    /// Details.
    pub extra_info: ReplicationExtraInfo,
    /// The record.
    pub id: String,
    /// The original.
    pub source_backup_id: String,
    /// The restore point of the original.
    pub source_checkpoint_id: String,
    /// The project of the original.
    pub source_project_id: String,
    /// The region of the original.
    pub source_region: String,
    /// The state of the copy.
    pub status: ReplicationStatus,
    /// The vault of the original.
    pub vault_id: String,
}

/// Details of a copy (table `ReplicationRecordsExtraInfo`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplicationExtraInfo {
    /// How far copying is, in percent.
    pub progress: u32,
    /// Why it failed; empty if it did not.
    pub fail_code: String,
    /// The same in words.
    pub fail_reason: String,
    /// Whether a policy began it.
    pub auto_trigger: bool,
    /// The vault of the copy.
    pub destination_vault_id: String,
    /// The same under the name that older documents misspell.
    pub destinatio_vault_id: String,
}

/// The answer of `ListBackups`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ListBackupsReply {
    /// The page.
    pub backups: Vec<Backup>,
    /// Rows over all pages.
    pub count: u64,
    /// Rows that were skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u32>,
    /// Rows that a page holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// The answer of `ShowBackup` and `UpdateBackup`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BackupReply {
    /// The backup.
    pub backup: Backup,
}

/// The request of `UpdateBackup`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateBackupRequest {
    /// What changes.
    pub backup: BackupUpdate,
}

/// What can change of a backup (table `BackupUpdate`).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct BackupUpdate {
    /// Its new name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
}

/// The request of `RestoreBackup`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreBackupRequest {
    /// Where to.
    pub restore: Restore,
}

/// Where a restore goes to (table `BackupRestore`). Which fields count depends on the kind of
/// backup; clients send all of them, null or not.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Restore {
    /// Which disk's backup goes to which disk of the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mappings: Option<Vec<RestoreMapping>>,
    /// Whether to start the server afterwards; yes if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub power_on: Option<bool>,
    /// The server, for a server's backup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_id: Option<String>,
    /// The disk, for a disk's backup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume_id: Option<String>,
    /// The resource, for a share's backup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_id: Option<String>,
    /// Options for files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<RestoreDetails>,
}

/// Which disk's backup goes where (table `BackupRestoreServerMapping`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreMapping {
    /// The backup of a disk.
    pub backup_id: String,
    /// The disk.
    pub volume_id: String,
}

/// Options for a restore of files (table `RestoreDetails`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreDetails {
    /// The directory to restore into, 1 to 255 characters.
    pub destination_path: String,
}

/// The answer of `RestoreBackup`: undocumented, but Terraform waits for this task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreBackupReply {
    /// The operation log to watch.
    pub job_id: String,
}
