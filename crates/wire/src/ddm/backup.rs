//! Backups of metadata, listed and shown.
//!
//! Documents: "Querying Backups", "Querying Backup Details" (both Huawei Cloud and T Cloud Public).

use serde::{Deserialize, Serialize};

use super::Limit;
use crate::{query::Offset, time::DdmTime};

words! {
    /// What is with a backup.
    BackupStatus, "status of a backup" {
        /// Is being made.
        Creating = "creating",
        /// Can be restored.
        Normal = "normal",
        /// Is gone; never in a list.
        Deleted = "deleted",
        /// Could not be made.
        Failed = "createfail",
    }

    /// Why a backup was made.
    BackupType, "type of a backup" {
        /// Every day.
        Automatic = "auto_metadata",
        /// Before something else was done.
        Ordered = "metadata",
    }
}

queries! {
    /// Filters of `ListBackups`; all of them must hold.
    ListBackupsQuery {
        /// The instance.
        instance_id: Option<String>,
        /// The instance's name.
        instance_name: Option<String>,
        /// The backup's name.
        backup_name: Option<String>,
        /// Rows to skip.
        offset: Option<Offset>,
        /// Rows in the page; 10 if nothing is said.
        limit: Option<Limit>,
    }
}

/// The answer of `ListBackups`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ListBackupsReply {
    /// The page, the newest first.
    pub backups: Vec<BackupInfo>,
    /// Rows over all pages.
    pub total: u64,
    /// Rows skipped.
    pub offset: u32,
    /// Rows asked for.
    pub limit: u32,
}

/// One backup (table `BackupInfo`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BackupInfo {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Why it was made.
    pub description: String,
    /// What is with it.
    pub status: BackupStatus,
    /// The instance.
    pub instance_id: String,
    /// The instance's name.
    pub instance_name: String,
    /// What the instance was then.
    pub instance_status: String,
    /// Its size in KB.
    pub file_size: f64,
    /// When it was begun.
    pub created: DdmTime,
    /// When it was changed last.
    pub updated: DdmTime,
    /// Why it was made, in a word.
    pub backup_type: BackupType,
}

/// The answer of `ShowBackup`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupReply {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The instance.
    pub instance_id: String,
    /// The instance's name.
    pub instance_name: String,
    /// The data nodes then.
    pub related_data_nodes: Vec<RelatedDataNode>,
}

/// A data node of a backup (table `RelatedDn`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelatedDataNode {
    /// Its id.
    pub instance_id: String,
    /// Its name.
    pub instance_name: String,
}
