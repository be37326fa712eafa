//! What callers say about backups and what they get to see of them.

use std::str::FromStr;

use strongroom_model::{
    BackupId, Bytes, CheckpointId, ProjectId, ResourceId, ResourceKind, Timestamp, VaultId,
    state::BackupStatus,
};

use crate::{
    Error, Result,
    replication::Replication,
    verification::Verified,
    words::{ImageType, MemberStatus, OwnType},
};

/// A backup as its project sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Backup {
    /// Its id.
    pub id: BackupId,
    /// The project it belongs to.
    pub project_id: ProjectId,
    /// The vault it is in.
    pub vault_id: VaultId,
    /// The checkpoint it was made by.
    pub checkpoint_id: CheckpointId,
    /// The backup it is a part of.
    pub parent_id: Option<BackupId>,
    /// Its parts.
    pub children: Vec<Backup>,
    /// What it is a backup of.
    pub resource_id: ResourceId,
    /// The resource's name at the time.
    pub resource_name: String,
    /// What the resource is.
    pub kind: ResourceKind,
    /// The resource's size at the time.
    pub resource_size: Bytes,
    /// Its name.
    pub name: String,
    /// Free text.
    pub description: Option<String>,
    /// Its state.
    pub status: BackupStatus,
    /// Whether it was made on top of a previous backup.
    pub incremental: bool,
    /// Whether a schedule ordered it.
    pub auto_trigger: bool,
    /// The vault's enterprise project.
    pub enterprise_project_id: String,
    /// Percent of the work done, while it is being made.
    pub progress: Option<u8>,
    /// When it was ordered.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Option<Timestamp>,
    /// The instant that it shows.
    pub protected_at: Option<Timestamp>,
    /// When it ends.
    pub expired_at: Option<Timestamp>,
    /// The backup that it is a copy of.
    pub replica_of: Option<BackupId>,
    /// Its copies, where they are asked for.
    pub replications: Option<Vec<Replication>>,
}

/// What is known about a finished backup beyond the vendor's document.
#[derive(Debug, Clone, PartialEq)]
pub struct BackupReport {
    /// The backup.
    pub backup: Backup,
    /// The engine's name of its content; absent if there is none.
    pub manifest: Option<String>,
    /// Bytes that a restore writes.
    pub logical: Bytes,
    /// Bytes that were new in the vault, before compression.
    pub unique: Bytes,
    /// Bytes that were added to the store.
    pub stored: Bytes,
    /// Files, directories and other entries; 1 for a volume.
    pub items: u64,
    /// Why it is in error; absent if it is not.
    pub fail_reason: Option<String>,
    /// What the last check said of it; absent before the first.
    pub verified: Option<Verified>,
    /// What could not be read, the first hundred; `fail_reason` says how many there were in all.
    pub problems: Vec<String>,
}

/// Which backups to list; `None` and empty lists match all.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BackupFilter {
    /// Made by this checkpoint.
    pub checkpoint_id: Option<CheckpointId>,
    /// In this vault.
    pub vault_id: Option<VaultId>,
    /// Of this resource.
    pub resource_id: Option<ResourceId>,
    /// Of resources with exactly this name at the time.
    pub resource_name: Option<String>,
    /// Of one of these kinds; an empty list (a vendor's type without a kind here) matches none.
    pub kinds: Option<Vec<ResourceKind>>,
    /// With exactly this name.
    pub name: Option<String>,
    /// In one of these states.
    pub statuses: Vec<BackupStatus>,
    /// Made at that time or later.
    pub start_time: Option<Timestamp>,
    /// Made at that time or earlier.
    pub end_time: Option<Timestamp>,
    /// The project's own unless said otherwise.
    pub own_type: Option<OwnType>,
    /// Only backups that are shared with the project have one.
    pub member_status: Option<MemberStatus>,
    /// Parts of this backup.
    pub parent_id: Option<BackupId>,
    /// In vaults that are used to at least so many percent, 1 to 100.
    pub used_percent: Option<i64>,
    /// Asked for, or made, as this.
    pub incremental: Option<bool>,
    /// Whether to show the copies of each.
    pub with_replications: bool,
    /// How it came into the vault.
    pub image_type: Option<ImageType>,
    /// In this zone; resources here have none.
    pub resource_az: Option<String>,
    /// Of the vault.
    pub enterprise_project_id: Option<String>,
    /// Dedicated cloud only; there is none here, so true matches nothing.
    pub dedicated_cloud: Option<bool>,
}

/// What a list of backups can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackupSortKey {
    /// When it was ordered.
    CreatedAt,
    /// When it was changed last.
    UpdatedAt,
    /// The name.
    Name,
    /// The state's word.
    Status,
    /// The instant that it shows.
    ProtectedAt,
    /// The id.
    Id,
}

/// Up or down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Smallest first.
    Ascending,
    /// Largest first.
    Descending,
}

/// The order of a list of backups; newest first if empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BackupSort(pub Vec<(BackupSortKey, Direction)>);

impl FromStr for BackupSort {
    type Err = Error;

    /// Reads the vendor's `key[:asc|:desc],…`; a key without a direction sorts downwards.
    fn from_str(text: &str) -> Result<Self> {
        let wrong = |problem: &str| Error::invalid("sort", problem);
        if text.chars().count() > 255 {
            return Err(wrong("must have at most 255 characters"));
        }
        let mut keys = Vec::new();
        for part in text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
        {
            let (key, direction) = part.split_once(':').unwrap_or((part, "desc"));
            let key = match key.trim() {
                "created_at" => BackupSortKey::CreatedAt,
                "updated_at" => BackupSortKey::UpdatedAt,
                "name" => BackupSortKey::Name,
                "status" => BackupSortKey::Status,
                "protected_at" => BackupSortKey::ProtectedAt,
                "id" => BackupSortKey::Id,
                _ => {
                    return Err(wrong(
                        "knows created_at, updated_at, name, status, protected_at and id",
                    ));
                }
            };
            let direction = match direction.trim() {
                "asc" => Direction::Ascending,
                "desc" => Direction::Descending,
                _ => return Err(wrong("knows the directions asc and desc")),
            };
            if keys.iter().any(|(known, _)| *known == key) {
                return Err(wrong("names a key twice"));
            }
            keys.push((key, direction));
        }
        Ok(Self(keys))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sort_key_without_a_direction_sorts_downwards() {
        let sort: BackupSort = "created_at, name:asc".parse().unwrap();
        assert_eq!(
            sort.0,
            [
                (BackupSortKey::CreatedAt, Direction::Descending),
                (BackupSortKey::Name, Direction::Ascending)
            ]
        );
        for bad in [
            "size",
            "name:up",
            "name,name",
            "name:asc:desc",
            &"x".repeat(256),
        ] {
            assert!(bad.parse::<BackupSort>().is_err(), "{bad}");
        }
        assert_eq!("".parse::<BackupSort>().unwrap(), BackupSort::default());
    }
}
