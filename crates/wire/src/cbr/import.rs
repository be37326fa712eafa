//! Imports: backups that the data hold and the service does not know.
//!
//! Documents: "Importing Backups", "Importing a Restore Point". Here a "bucket" is a vault, by
//! id or name: its data say the rest, and the other fields of an item are not needed.

use serde::{Deserialize, Serialize};

use crate::text::Name;

/// The request of `ImportBackup`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportBackupRequest {
    /// The backups, 1 to 50.
    pub sync: Vec<BackupSync>,
}

/// A backup to be imported (table `BackupSync`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupSync {
    /// The backup.
    pub backup_id: String,
    /// Its name.
    pub backup_name: Name,
    /// Where it lies.
    pub bucket_name: String,
    /// Where in there.
    pub image_path: String,
    /// The resource.
    pub resource_id: String,
    /// The resource's name.
    pub resource_name: String,
    /// What the resource is.
    pub resource_type: String,
    /// When it was taken, in seconds since 1970.
    pub created_at: i64,
}

/// The answer of `ImportBackup`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportBackupReply {
    /// The tasks, in the order of the request.
    pub sync: Vec<BackupSyncTask>,
}

/// A task that imports a backup (table `BackupSyncRespBody`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupSyncTask {
    /// The backup.
    pub backup_id: String,
    /// The task.
    pub operation_log_id: String,
}

/// The request of `ImportCheckpoint`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportCheckpointRequest {
    /// What to read again.
    pub sync: VaultSync,
}

/// A vault to be read again (table `SyncParam`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VaultSync {
    /// Whether a schedule asks.
    pub auto_trigger: bool,
    /// The vault.
    pub vault_id: String,
}

/// The answer of `ImportCheckpoint`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportCheckpointReply {
    /// The task.
    pub sync: VaultSyncTask,
}

/// A task that reads a vault again (table `SyncRespBody`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VaultSyncTask {
    /// The task.
    pub operation_log_id: String,
    /// The vault.
    pub vault_id: String,
}
