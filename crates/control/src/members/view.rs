//! What callers say about shares and what they get to see of them.

use std::str::FromStr;

use strongroom_catalog::{MemberRow, ShareStatus};
use strongroom_model::{BackupId, MemberId, ProjectId, Timestamp, VaultId};

use crate::{Error, Result, words::MemberStatus};

/// With whom to share.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewMembers {
    /// Ids of projects.
    pub projects: Vec<String>,
    /// Ids of accounts, each standing for all its projects.
    pub domains: Vec<String>,
}

/// A share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its id.
    pub id: MemberId,
    /// The backup.
    pub backup_id: BackupId,
    /// The receiving project.
    pub dest_project_id: ProjectId,
    /// What the receiver made of it.
    pub status: MemberStatus,
    /// The receiver's vault.
    pub vault_id: Option<VaultId>,
    /// When it was shared.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Option<Timestamp>,
}

impl From<MemberRow> for Member {
    fn from(row: MemberRow) -> Self {
        Self {
            id: row.id,
            backup_id: row.backup_id,
            dest_project_id: row.dest_project_id,
            status: word(row.status),
            vault_id: row.vault_id,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

const fn word(status: ShareStatus) -> MemberStatus {
    match status {
        ShareStatus::Pending => MemberStatus::Pending,
        ShareStatus::Accepted => MemberStatus::Accepted,
        ShareStatus::Rejected => MemberStatus::Rejected,
    }
}

/// The catalog's word for a filter.
pub(crate) const fn row_status(status: MemberStatus) -> ShareStatus {
    match status {
        MemberStatus::Pending => ShareStatus::Pending,
        MemberStatus::Accepted => ShareStatus::Accepted,
        MemberStatus::Rejected => ShareStatus::Rejected,
    }
}

/// What a receiver says to a share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MemberAnswer {
    /// It takes it.
    Accept {
        /// Into this vault of its own.
        vault: VaultId,
    },
    /// It does not want it (any more).
    Reject,
}

/// What a list of shares can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SortKey {
    CreatedAt,
    UpdatedAt,
    Status,
    Receiver,
    Id,
}

/// Which shares to list; `None` matches all.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MemberFilter {
    /// With this project.
    pub dest_project_id: Option<String>,
    /// Made an image of; there are none, so anything matches nothing.
    pub image_id: Option<String>,
    /// In this state.
    pub status: Option<MemberStatus>,
    /// Taken into this vault.
    pub vault_id: Option<String>,
    /// In this order.
    pub sort: MemberSort,
}

/// The order of a list of shares; the oldest first if empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MemberSort(Vec<(SortKey, bool)>);

impl FromStr for MemberSort {
    type Err = Error;

    /// Reads the vendor's `key[:asc|:desc],…`; a key without a direction sorts downwards.
    fn from_str(text: &str) -> Result<Self> {
        let mut keys = Vec::new();
        for part in text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
        {
            let (key, way) = part.split_once(':').unwrap_or((part, "desc"));
            let key = match key {
                "created_at" => SortKey::CreatedAt,
                "updated_at" => SortKey::UpdatedAt,
                "status" => SortKey::Status,
                "dest_project_id" => SortKey::Receiver,
                "id" => SortKey::Id,
                _ => {
                    let known = "knows created_at, updated_at, status, dest_project_id and id";
                    return Err(Error::invalid("sort", known));
                }
            };
            let descending = match way {
                "asc" => false,
                "desc" => true,
                _ => return Err(Error::invalid("sort", "knows the directions asc and desc")),
            };
            keys.push((key, descending));
        }
        Ok(Self(keys))
    }
}

impl MemberFilter {
    pub(super) fn matches(&self, row: &MemberRow) -> bool {
        let is = |wanted: &Option<String>, found: Option<String>| {
            wanted
                .as_ref()
                .is_none_or(|wanted| found.as_ref() == Some(wanted))
        };
        self.image_id.is_none()
            && is(&self.dest_project_id, Some(row.dest_project_id.to_string()))
            && is(&self.vault_id, row.vault_id.map(|id| id.to_string()))
            && self
                .status
                .is_none_or(|wanted| row_status(wanted) == row.status)
    }

    /// Sorts in place; the oldest first if nothing was asked for.
    pub(super) fn sort(&self, members: &mut [Member]) {
        for (key, descending) in self.sort.0.iter().rev() {
            members.sort_by(|a, b| {
                let order = match key {
                    SortKey::CreatedAt => a.created_at.cmp(&b.created_at),
                    SortKey::UpdatedAt => a.updated_at.cmp(&b.updated_at),
                    SortKey::Status => a.status.as_str().cmp(b.status.as_str()),
                    SortKey::Receiver => a.dest_project_id.cmp(&b.dest_project_id),
                    SortKey::Id => a.id.cmp(&b.id),
                };
                if *descending { order.reverse() } else { order }
            });
        }
    }
}
