//! The vendor's closed sets of words that a vault or a query is made of.
//!
//! These are control's own: what is stored must not change when `wire` learns a new spelling.
//! Parsing knows exactly the documented words; the caller's field name goes into the refusal.

use serde::{Deserialize, Serialize};
use strongroom_model::ResourceKind;

use crate::{Error, Result};

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident in $field:literal {
        $($(#[$vdoc:meta])* $variant:ident = $word:literal,)*
    })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub enum $name {
            $($(#[$vdoc])* $variant,)*
        }

        impl $name {
            /// Every word.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The vendor's word.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        impl std::str::FromStr for $name {
            type Err = Error;

            fn from_str(word: &str) -> Result<Self> {
                Self::ALL.iter().copied().find(|known| known.as_str() == word).ok_or_else(|| {
                    let known: Vec<_> = Self::ALL.iter().map(|known| known.as_str()).collect();
                    Error::invalid($field, format!("must be one of {}", known.join(", ")))
                })
            }
        }

        impl From<$name> for String {
            fn from(word: $name) -> Self {
                word.as_str().to_owned()
            }
        }

        impl TryFrom<String> for $name {
            type Error = Error;

            fn try_from(word: String) -> Result<Self> {
                word.parse()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    )*};
}

words! {
    /// The kind of resources that a vault takes.
    ObjectType in "object_type" {
        /// Servers.
        Server = "server",
        /// Volumes.
        Disk = "disk",
        /// File shares.
        Turbo = "turbo",
        /// Desktops.
        Workspace = "workspace",
        /// Virtual machines of another hypervisor.
        Vmware = "vmware",
        /// Databases.
        Rds = "rds",
        /// Files of an agent.
        File = "file",
    }

    /// What a vault is for.
    ProtectType in "protect_type" {
        /// Backups.
        Backup = "backup",
        /// Replicas of backups of other regions.
        Replication = "replication",
        /// Backups from premises.
        Hybrid = "hybrid",
    }

    /// What instant the backups in a vault show.
    ConsistentLevel in "consistent_level" {
        /// As after a power loss.
        Crash = "crash_consistent",
        /// As applications want it.
        App = "app_consistent",
    }

    /// Where the resources of a vault are.
    CloudType in "cloud_type" {
        /// In the cloud.
        Public = "public",
        /// On premises.
        Hybrid = "hybrid",
    }

    /// How a vault would be paid for; remembered and shown, nothing else.
    ChargingMode in "charging_mode" {
        /// By use.
        PostPaid = "post_paid",
        /// In advance.
        PrePaid = "pre_paid",
    }

    /// What a policy does.
    PolicyType in "operation_type" {
        /// Makes backups.
        Backup = "backup",
        /// Copies them to another region.
        Replication = "replication",
    }

    /// What a task does.
    OperationType in "operation_type" {
        /// Makes a backup of one resource.
        Backup = "backup",
        /// Copies a backup within the region.
        Copy = "copy",
        /// Copies a backup to another region.
        Replication = "replication",
        /// Restores a backup.
        Restore = "restore",
        /// Deletes a backup.
        Delete = "delete",
        /// Imports backups.
        Sync = "sync",
        /// Deletes a vault with its backups.
        VaultDelete = "vault_delete",
        /// Takes resources out of a vault and deletes their backups.
        RemoveResource = "remove_resource",
    }

    /// Whose backups a query is about.
    OwnType in "own_type" {
        /// The project's own.
        Private = "private",
        /// Those that others share with the project.
        Shared = "shared",
        /// Both.
        AllGranted = "all_granted",
    }

    /// What a project made of a backup that is shared with it.
    MemberStatus in "member_status" {
        /// Nothing yet.
        Pending = "pending",
        /// It took it.
        Accepted = "accepted",
        /// It refused it.
        Rejected = "rejected",
    }

    /// How a backup came into its vault.
    ImageType in "image_type" {
        /// It was made there.
        Backup = "backup",
        /// It was replicated.
        Replication = "replication",
    }

    /// The kind of instances in a path under `protectables`.
    ProtectableType in "protectable_type" {
        /// Servers.
        Server = "server",
        /// Volumes.
        Disk = "disk",
        /// File shares.
        Turbo = "turbo",
        /// Desktops.
        Workspace = "workspace",
        /// Desktops of the second generation.
        WorkspaceV2 = "workspace_v2",
    }
}

/// A word that the catalog holds; one that is not known means that somebody else wrote it.
pub(crate) fn stored<T: std::str::FromStr<Err = Error>>(word: &str) -> Result<T> {
    word.parse()
        .map_err(|error| Error::bug("the catalog holds an unknown word", error))
}

impl ObjectType {
    /// The kind of resource that such a vault takes, if there is one here.
    pub const fn kind(self) -> Option<ResourceKind> {
        match self {
            Self::Disk => Some(ResourceKind::Volume),
            Self::Turbo => Some(ResourceKind::Share),
            Self::Server | Self::Workspace | Self::Vmware | Self::Rds | Self::File => None,
        }
    }

    /// The type of vault for resources of `kind`.
    pub const fn of(kind: ResourceKind) -> Self {
        match kind {
            ResourceKind::Volume => Self::Disk,
            ResourceKind::Share => Self::Turbo,
        }
    }
}

impl ProtectableType {
    /// The kind of resource behind the word, if there is one here.
    pub const fn kind(self) -> Option<ResourceKind> {
        match self {
            Self::Disk => Some(ResourceKind::Volume),
            Self::Turbo => Some(ResourceKind::Share),
            Self::Server | Self::Workspace | Self::WorkspaceV2 => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_word_is_refused_with_the_known_ones() {
        let error = "cold".parse::<ConsistentLevel>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "consistent_level: must be one of crash_consistent, app_consistent"
        );
    }

    #[test]
    fn every_kind_of_resource_has_its_vault() {
        for kind in ResourceKind::ALL {
            assert_eq!(ObjectType::of(*kind).kind(), Some(*kind));
        }
    }
}
