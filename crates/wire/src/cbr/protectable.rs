//! Protectable resources: what a vault could take.
//!
//! Documents: "Querying Protectable Resources", "Querying a Specified Protectable Resource".

use serde::{Deserialize, Serialize};

use super::{Limit, resource::ResourceType, vault::Vault};
use crate::query::Offset;

queries! {
    /// Filters of `ListProtectable`; all of them must hold.
    ListProtectableQuery {
        /// Rows in the page. The table says 50 at most, real clients ask for more.
        limit: Option<Limit>,
        /// The id of the last row of the page before.
        marker: Option<String>,
        /// The resource's name.
        name: Option<String>,
        /// Rows to skip.
        offset: Option<Offset>,
        /// The resource's state.
        status: Option<String>,
        /// The resource.
        id: Option<String>,
        /// Disks of this server.
        server_id: Option<String>,
        /// The enterprise project, or `all_granted_eps`.
        enterprise_project_id: Option<String>,
    }
}

/// The answer of `ListProtectable`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ListProtectableReply {
    /// The page.
    pub instances: Vec<Protectable>,
}

/// The answer of `ShowProtectable`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProtectableReply {
    /// The resource.
    pub instance: Protectable,
}

/// A resource that a vault could take (table `ProtectablesResp`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Protectable {
    /// Its parts, such as a server's disks, in the same shape but for `protectable`.
    pub children: Vec<serde_json::Value>,
    /// What its own service says of it.
    pub detail: serde_json::Value,
    /// The resource.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whether it can be protected.
    pub protectable: Protectability,
    /// Its size in GB.
    pub size: u64,
    /// Its state in its own service's words, such as `active`, `available`, `ACTIVE`.
    pub status: String,
    /// What it is.
    #[serde(rename = "type")]
    pub resource_type: ResourceType,
}

/// Whether a resource can be protected (table `ProtectableResult`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Protectability {
    /// The error code if it cannot; else empty.
    pub code: String,
    /// Why, in words; else empty.
    pub reason: String,
    /// Whether it can be protected.
    pub result: bool,
    /// The vault that has it already.
    pub vault: Option<Box<Vault>>,
    /// More about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}
