//! Copies in other regions: orders, capabilities, vaults that take them.
//!
//! Documents: "Replicating a Backup", "Replicating a Restore Point", "Querying the Replication
//! Capabilities", "Querying Vaults of Another Region". What became of a copy stands on its
//! original: [`ReplicationRecord`](super::backup::ReplicationRecord).

use serde::{Deserialize, Serialize};

use super::{
    Limit,
    resource::ObjectType,
    vault::{CloudType, ProtectType, Vault},
};
use crate::{
    query::Offset,
    text::{Description, Name},
};

queries! {
    /// Filters of `ListExternalVault`; all of them must hold.
    ListExternalVaultQuery {
        /// The project in that region; must be there.
        external_project_id: Option<String>,
        /// The region; must be there.
        region_id: Option<String>,
        /// Rows in the page; 1000 if nothing is said.
        limit: Option<Limit>,
        /// Rows to skip.
        offset: Option<Offset>,
        /// What it is for.
        protect_type: Option<ProtectType>,
        /// What it takes, under the name that the document misspells or the right one.
        objcet_type: Option<ObjectType> as "objcet_type" | "object_type",
        /// Where its resources are.
        cloud_type: Option<CloudType>,
        /// The vault.
        vault_id: Option<String>,
    }
}

/// The request of `CopyBackup`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyBackupRequest {
    /// Where to.
    pub replicate: BackupReplicate,
}

/// Where a backup is copied to (table `BackupReplicateReqBody`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupReplicate {
    /// The copy's description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Description>,
    /// The project in the target region.
    pub destination_project_id: String,
    /// The target region.
    pub destination_region: String,
    /// The vault that takes the copy.
    pub destination_vault_id: String,
    /// Without effect here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enable_acceleration: Option<bool>,
    /// The copy's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    /// A vault of another account: not served here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cross_account_urn: Option<String>,
}

/// The answer of `CopyBackup`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyBackupReply {
    /// What was begun.
    pub replication: BackupReplication,
}

/// A copy that was begun (table `BackupReplicateRespBody`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupReplication {
    /// The original.
    pub backup_id: String,
    /// The project of the copy.
    pub destination_project_id: String,
    /// The region of the copy.
    pub destination_region: String,
    /// The vault of the copy.
    pub destination_vault_id: String,
    /// The project of the original.
    pub project_id: String,
    /// The kind of resource, see [`provider`](super::resource::provider).
    pub provider_id: String,
    /// The record to watch.
    pub replication_record_id: String,
    /// The region of the original.
    pub source_region: String,
}

/// The request of `CopyCheckpoint`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyCheckpointRequest {
    /// What and where to.
    pub replicate: CheckpointReplicate,
}

/// Whose newest restore point is copied where (table `CheckpointReplicateParam`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointReplicate {
    /// Whether a schedule asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_trigger: Option<bool>,
    /// The project in the target region.
    pub destination_project_id: String,
    /// The target region.
    pub destination_region: String,
    /// The vault that takes the copies.
    pub destination_vault_id: String,
    /// Without effect here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enable_acceleration: Option<bool>,
    /// The vault of the originals.
    pub vault_id: String,
    /// A vault of another account: not served here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cross_account_urn: Option<String>,
}

/// The answer of `CopyCheckpoint`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyCheckpointReply {
    /// What was begun.
    pub replication: CheckpointReplication,
}

/// Copies that were begun (table `CheckpointReplicateRespBody`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointReplication {
    /// Each original with its record.
    pub backups: Vec<CopiedBackup>,
    /// The project of the copies.
    pub destination_project_id: String,
    /// The region of the copies.
    pub destination_region: String,
    /// The vault of the copies.
    pub destination_vault_id: String,
    /// The project of the originals.
    pub project_id: String,
    /// The kind of resource, see [`provider`](super::resource::provider).
    pub provider_id: String,
    /// The region of the originals.
    pub source_region: String,
    /// The vault of the originals.
    pub vault_id: String,
}

/// An original and its record (table `CheckpointReplicateRespbackups`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopiedBackup {
    /// The original.
    pub backup_id: String,
    /// The record to watch.
    pub replication_record_id: String,
}

/// The answer of `ShowReplicationCapabilities`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplicationCapabilitiesReply {
    /// The regions.
    pub regions: Vec<ReplicationRegion>,
}

/// A region (table `ProtectableReplicationCapabilitiesRespRegion`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplicationRegion {
    /// Its name.
    pub name: String,
    /// Where its backups can be copied to.
    pub replication_destinations: Vec<String>,
}

/// The answer of `ListExternalVault`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ListExternalVaultReply {
    /// The page.
    pub vaults: Vec<Vault>,
    /// Rows over all pages.
    pub count: u64,
    /// Rows that a page holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Rows that were skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u32>,
}
