//! How much space is used, by resource and in all.
//!
//! Documents: "Querying Storage Usage" (bytes), "Querying the Vault Summary" (GB).

use serde::{Deserialize, Serialize};

use super::{Limit, resource::ResourceType};
use crate::query::Offset;

queries! {
    /// Filters of `ShowStorageUsage`; all of them must hold.
    ShowStorageUsageQuery {
        /// Rows in the page; 1000 if nothing is said.
        limit: Option<Limit>,
        /// Rows to skip.
        offset: Option<Offset>,
        /// The id of the last row of the page before: undocumented, sent by openstacksdk.
        marker: Option<String>,
        /// The resource.
        resource_id: Option<String>,
        /// What the resource is.
        resource_type: Option<ResourceType>,
    }
}

/// The answer of `ShowStorageUsage`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StorageUsageReply {
    /// Rows over all pages.
    pub resource_count: u64,
    /// The page.
    pub storage_usage: Vec<StorageUsage>,
}

/// What the backups of one resource take (table `StorageUsage`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StorageUsage {
    /// How many backups there are.
    pub backup_count: u64,
    /// What they take, in bytes.
    pub backup_size: u64,
    /// The resource.
    pub resource_id: String,
    /// Its name.
    pub resource_name: String,
    /// What it is.
    pub resource_type: ResourceType,
    /// What is kept in several availability zones, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup_size_multiaz: Option<u64>,
}

/// The answer of `ShowSummary`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SummaryReply {
    /// The size of all vaults, in GB.
    pub size: u64,
    /// What their backups take, in GB.
    pub used_size: u64,
}
