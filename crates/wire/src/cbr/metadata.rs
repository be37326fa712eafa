//! What is kept besides the data: the resource as it was described when it was backed up.
//!
//! Document: "Querying Backup Metadata". Most fields hold JSON written as text.

use serde::{Deserialize, Serialize};

/// The answer of `ShowMetadata`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetadataReply {
    /// The backup.
    pub backup_id: String,
    /// The backup itself, JSON as text.
    pub backups: String,
    /// The server's flavour, JSON as text.
    pub flavor: String,
    /// The server's public addresses, each JSON as text.
    pub floatingips: Vec<String>,
    /// The server's interfaces, JSON as text.
    pub interface: String,
    /// The server's ports, each JSON as text.
    pub ports: Vec<String>,
    /// The server, JSON as text.
    pub server: String,
    /// The disks, each JSON as text.
    pub volumes: Vec<String>,
    /// The desktop, JSON as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<String>,
}
