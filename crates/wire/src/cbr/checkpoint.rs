//! Checkpoints (restore points): make one by hand, watch it.
//!
//! Documents: "Creating a Restore Point", "Querying a Restore Point". Sizes and counts of a
//! checkpoint's resources are numbers written as text; Go programs insist on it.

use serde::{Deserialize, Serialize};

use super::resource::{ProtectStatus, ResourceRef, ResourceType};
use crate::{
    text::{Description, Name},
    time::CbrTime,
};

words! {
    /// The state of a restore point.
    CheckpointStatus, "checkpoint status" {
        /// All its backups can be restored.
        Available = "available",
        /// Is being deleted.
        Deleting = "deleting",
        /// Its backups are being made.
        Protecting = "protecting",
        /// Its last backup is gone.
        Deleted = "deleted",
        /// Its deletion failed.
        ErrorDeleting = "error-deleting",
        /// At least one backup failed.
        Error = "error",
    }
}

/// The request of `CreateCheckpoint`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateCheckpointRequest {
    /// What to back up.
    pub checkpoint: CheckpointCreate,
}

/// What to back up (table `VaultBackup`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointCreate {
    /// Options of this run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<CheckpointParameters>,
    /// The vault.
    pub vault_id: String,
}

/// Options of a manual backup (table `CheckpointParam`).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CheckpointParameters {
    /// Whether a schedule asks; people do not say yes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_trigger: Option<bool>,
    /// Free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Description>,
    /// Whether only changes are to be read; yes if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incremental: Option<bool>,
    /// The backups' name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    /// Only these resources of the vault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<Vec<String>>,
    /// Only these resources, each with options of its own; at most 256.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_details: Option<Vec<ResourceRef>>,
    /// The policy on whose behalf it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_id: Option<String>,
    /// How many days to keep the backups, 1 to 36500; -1 for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention_duration_days: Option<i32>,
}

/// The answer of `CreateCheckpoint` and `ShowCheckpoint`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointReply {
    /// The restore point.
    pub checkpoint: Checkpoint,
}

/// A restore point (table `CheckpointCreate`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// When it was begun.
    pub created_at: CbrTime,
    /// The restore point.
    pub id: String,
    /// The project.
    pub project_id: String,
    /// Its state.
    pub status: CheckpointStatus,
    /// The vault and what takes part.
    pub vault: CheckpointVault,
    /// What was asked for.
    pub extra_info: Option<CheckpointExtraInfo>,
}

/// The vault of a restore point (table `CheckpointPlanCreate`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointVault {
    /// The vault.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What is backed up.
    pub resources: Vec<CheckpointResource>,
    /// What was left out, and why; in the answer to the request only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped_resources: Option<Vec<SkippedResource>>,
    /// The kind of resource, see [`provider`](super::resource::provider).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_id: Option<String>,
}

/// A resource that is backed up (table `CheckpointResourceResp`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointResource {
    /// Always null: two clients read text here.
    pub extra_info: Option<String>,
    /// The resource.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What goes on with it.
    pub protect_status: ProtectStatus,
    /// Its size in GB.
    pub resource_size: NumberText,
    /// What it is.
    #[serde(rename = "type")]
    pub resource_type: ResourceType,
    /// What its backups take, in MB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup_size: Option<NumberText>,
    /// How many backups of it there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup_count: Option<NumberText>,
}

/// A resource that was left out (table `CheckpointCreateSkippedResource`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedResource {
    /// The resource.
    pub id: String,
    /// What it is.
    #[serde(rename = "type")]
    pub resource_type: ResourceType,
    /// Its name.
    pub name: String,
    /// The error code.
    pub code: String,
    /// Why, in words.
    pub reason: String,
}

/// What was asked for (table `CheckpointExtraInfoResp`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointExtraInfo {
    /// The backups' name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How many days to keep the backups; -1 for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention_duration: Option<i32>,
}

/// A whole number that the wire writes as text; read from either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct NumberText(pub u64);

impl Serialize for NumberText {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for NumberText {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Either;

        impl serde::de::Visitor<'_> for Either {
            type Value = NumberText;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a whole number, as text or not")
            }

            fn visit_u64<E>(self, number: u64) -> Result<NumberText, E> {
                Ok(NumberText(number))
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<NumberText, E> {
                let invalid = || E::invalid_value(serde::de::Unexpected::Str(text), &self);
                text.parse().map(NumberText).map_err(|_| invalid())
            }
        }

        from.deserialize_any(Either)
    }
}
