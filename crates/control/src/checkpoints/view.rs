//! What callers say about checkpoints and what they get to see of them.

use serde::{Deserialize, Serialize};
use strongroom_model::{
    CheckpointId, ProjectId, ResourceId, ResourceKind, Timestamp, VaultId, state::CheckpointStatus,
};

use crate::{Reason, VaultResource, words::ObjectType};

/// An order to back up resources of a vault.
#[derive(Debug, Clone, PartialEq)]
pub struct NewCheckpoint {
    /// The vault.
    pub vault_id: VaultId,
    /// The backups' name, 1 to 64 characters; `manualbk_` and four hexadecimal digits if absent.
    pub name: Option<String>,
    /// At most 255 characters without `<` and `>`.
    pub description: Option<String>,
    /// True (the default) builds on the previous backup, false reads everything again.
    pub incremental: Option<bool>,
    /// Whether a schedule orders it.
    pub auto_trigger: bool,
    /// Only these resources; all of the vault if absent.
    pub resources: Option<Vec<ResourceId>>,
    /// Days to keep the backups, 1 to 36500; −1 or absent keeps them for ever.
    pub retention_days: Option<i64>,
}

impl NewCheckpoint {
    /// An order to back up all resources of a vault.
    pub fn of(vault_id: VaultId) -> Self {
        Self {
            vault_id,
            name: None,
            description: None,
            incremental: None,
            auto_trigger: false,
            resources: None,
            retention_days: None,
        }
    }
}

/// A checkpoint as its project sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// Its id.
    pub id: CheckpointId,
    /// The project it belongs to.
    pub project_id: ProjectId,
    /// Its state.
    pub status: CheckpointStatus,
    /// When it was ordered.
    pub created_at: Timestamp,
    /// The vault.
    pub vault_id: VaultId,
    /// The vault's name.
    pub vault_name: String,
    /// The vault's type, which decides its provider.
    pub object_type: ObjectType,
    /// The resources that are backed up, as they are in the vault now.
    pub resources: Vec<VaultResource>,
    /// The resources that are not, and why.
    pub skipped: Vec<SkippedResource>,
    /// The backups' name.
    pub name: String,
    /// Free text.
    pub description: Option<String>,
    /// As ordered; −1 is for ever.
    pub retention_days: i64,
    /// What was asked for.
    pub incremental: bool,
}

/// A resource that a checkpoint leaves out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedResource {
    /// Its id.
    pub id: ResourceId,
    /// What it is.
    pub kind: ResourceKind,
    /// Its name.
    pub name: String,
    /// Why it is left out.
    pub reason: Reason,
    /// The same in words.
    pub message: String,
}
