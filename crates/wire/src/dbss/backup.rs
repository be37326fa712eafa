//! Backups of audit logs: their state, list, and what makes them.
//!
//! Documents: "Obtaining the Backup Status"; the rest is known from the SDK alone.

use serde::{Deserialize, Serialize};

use super::Number;
use crate::time::DbssTime;

words! {
    /// How often backups are made.
    Cycle, "cycle" {
        /// Every day.
        Day = "PER_DAY",
        /// Every seven days.
        Week = "PER_WEEK",
        /// Every month.
        Month = "PER_MONTH",
        /// Every hour.
        Hour = "PER_HOUR",
        /// Every five minutes.
        FiveMinutes = "FIVE_MIN",
    }

    /// Who makes backups: the switch knows one.
    SwitchMode, "mode" {
        /// The service by itself.
        Automatic = "AUTO",
    }

    /// Why a backup was made.
    BackupMode, "mode" {
        /// By the calendar.
        Automatic = "AUTO",
        /// Somebody asked for it.
        Manual = "MANUAL",
    }

    /// The unit of a size.
    SizeUnit, "unit" {
        /// One.
        Byte = "Byte",
        /// 1024.
        Kilo = "KB",
        /// 1024².
        Mega = "MB",
        /// 1024³.
        Giga = "GB",
    }

    /// How far a backup is; all words of the vendor's, of which not all happen here.
    Progress, "progress" {
        /// What a failure left is being removed.
        Cleaning = "CLEAN_AFTER_FAILED",
        /// Is being deleted.
        Deleting = "DELETING",
        /// Its lines are gone.
        Deleted = "DELETED",
        /// Could not be deleted.
        DeleteFailed = "DELETE_FAIL",
        /// A restore waits.
        RestoreWaiting = "RESTORING_WAITING",
        /// A restore runs.
        Restoring = "RESTORING",
        /// Its lines can be searched.
        Restored = "RESTORED",
        /// Could not be restored.
        RestoreFailed = "RESTORE_FAIL",
        /// Waits.
        Waiting = "BACKUP_WAITING",
        /// Its file waits.
        UploadWaiting = "FILE_UPLOAD_WAITING",
        /// Its file is on its way.
        Uploading = "FILE_UPLOADING",
        /// Is being made by itself.
        AutoRunning = "AUTO_BACKUPING",
        /// Was made by itself.
        AutoDone = "AUTO_BACKUPED",
        /// Could not be made by itself.
        AutoFailed = "AUTO_BACKUP_FAIL",
        /// Is being made.
        ManualRunning = "MANUAL_BACKUPING",
        /// Was made.
        ManualDone = "MANUAL_BACKUPED",
        /// Could not be made.
        ManualFailed = "MANUAL_BACKUP_FAIL",
        /// Of another product.
        IsapWaiting = "ISAP_WAITING",
        /// Of another product.
        IsapRunning = "ISAP_BACKUPING",
        /// Of another product.
        IsapDone = "ISAP_BACKUPED",
        /// Of another product.
        IsapFailed = "ISAP_BACKUP_FAIL",
        /// Of another product.
        IsapUploadWaiting = "ISAP_FILE_UPLOAD_WAITING",
        /// Of another product.
        IsapUploading = "ISAP_FILE_UPLOADING",
    }
}

/// The answer of `ShowAuditBackupStatus`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupStatusReply {
    /// 1 if the latest run that was due succeeded; other values are ours (docs/dbss.md).
    pub status: u32,
}

/// The body of `ListAuditBackupInfo`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ListBackupsRequest {
    /// Asked for at that time or earlier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_time: Option<DbssTime>,
    /// The page's number, from 1.
    pub page: Number,
    /// Rows of a page.
    pub size: Number,
    /// Asked for at that time or later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_time: Option<DbssTime>,
}

/// The answer of `ListAuditBackupInfo`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListBackupsReply {
    /// The page, the newest first.
    pub data_list: Vec<BackupInfo>,
    /// Rows over all pages.
    pub total_num: u64,
}

/// One backup (model `BackupInfo`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupInfo {
    /// Why there is none.
    pub backup_task_fail_reason: Option<String>,
    /// When it was asked for.
    pub backup_time: DbssTime,
    /// Whether its lines were deleted.
    pub deleted: bool,
    /// When its last line was written; null if it has none.
    pub end_time: Option<DbssTime>,
    /// Its size in the unit.
    pub file_size: u64,
    /// The unit.
    pub file_size_unit: SizeUnit,
    /// Its id.
    pub id: String,
    /// Why it was made.
    pub mode: BackupMode,
    /// Its name.
    pub name: String,
    /// How much of what is being done is done.
    pub percentage: u8,
    /// How far it is.
    pub progress: Progress,
    /// Why its lines were not restored or not deleted.
    pub restore_task_fail_reason: Option<String>,
    /// SHA-256 of its lines; empty before they are stored.
    pub sha256: String,
    /// When its first line was written; null if it has none.
    pub start_time: Option<DbssTime>,
}

/// The answer of `SetAuditAutoBackupTemplate`, which reads the switch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateReply {
    /// The bucket.
    pub bucket_name: String,
    /// A name in it.
    pub bucket_root_path: String,
    /// How often.
    pub cycle: Cycle,
    /// When the newest backup was made; null if none was.
    pub latest_backup_time: Option<DbssTime>,
    /// 1 if backups are made by themselves, else 0.
    pub status: u8,
    /// From when on; null if that was never said.
    pub trigger_time: Option<DbssTime>,
    /// Whether one was made since the switch was set.
    pub triggered: bool,
}

/// The body of `SetAuditBackupSwitch`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SwitchRequest {
    /// The bucket.
    pub bucket_name: String,
    /// A name in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bucket_root_path: Option<String>,
    /// How often.
    pub cycle: Cycle,
    /// By itself.
    pub mode: SwitchMode,
    /// 1 for on, 0 for off.
    pub status: Number,
    /// From when on.
    pub trigger_time: DbssTime,
}

/// The answer of `ListAuditObsBuckets`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BucketsReply {
    /// The buckets.
    pub obs_list: Vec<Bucket>,
}

/// A bucket (model `ObsBucketObject`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bucket {
    /// Its name.
    pub bucket_name: String,
    /// Its region.
    pub location: String,
}
