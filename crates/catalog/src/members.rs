//! Share members: one backup made visible to one other project.
//!
//! A row belongs to two projects: the owner of the backup asks by its own id, the receiver by
//! [`Members::received`]; each sees nothing but its side.

use strongroom_model::{BackupId, MemberId, ProjectId, Timestamp, VaultId};

use crate::{
    error::Result,
    query::{Direction::Ascending, Filter, Key},
    table::table,
    tx::Tx,
    value::words,
};

/// What the receiver made of a share, in the vendor's words.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ShareStatus {
    /// Nothing yet.
    Pending,
    /// It took it into one of its vaults.
    Accepted,
    /// It does not want it.
    Rejected,
}

impl ShareStatus {
    /// All of them.
    pub const ALL: &[Self] = &[Self::Pending, Self::Accepted, Self::Rejected];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
        }
    }

    /// The status of that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|status| status.as_str() == word)
    }
}

words!(ShareStatus);

table! {
    /// A share of a backup.
    pub struct MemberRow, "members", "share member", key ["project_id", "id"] {
        /// Its id.
        id: MemberId,
        /// The project whose backup it is.
        project_id: ProjectId,
        /// The backup.
        backup_id: BackupId,
        /// The project that may restore it.
        dest_project_id: ProjectId,
        /// What that project made of it.
        status: ShareStatus,
        /// The vault that the receiver took it into.
        vault_id: Option<VaultId>,
        /// When it was shared.
        created_at: Timestamp,
        /// When it was last changed.
        updated_at: Option<Timestamp>,
    }
}

const BY_AGE: &[Key] = &[("created_at", Ascending), ("id", Ascending)];

/// The table of share members.
pub struct Members<'t>(&'t Tx<'t>);

impl Tx<'_> {
    /// The share members.
    pub fn members(&self) -> Members<'_> {
        Members(self)
    }
}

impl Members<'_> {
    /// Adds a share; `Duplicate` if the backup is shared with that project already.
    pub fn insert(&self, row: &MemberRow) -> Result<()> {
        self.0.insert(row)
    }

    /// With whom the project shares its backup, the oldest share first.
    pub fn of_backup(&self, project: &ProjectId, backup: &BackupId) -> Result<Vec<MemberRow>> {
        self.0.select(&own(project).is("backup_id", backup), BY_AGE)
    }

    /// What the receiving project was given of somebody else's backup.
    pub fn received(&self, receiver: &ProjectId, backup: &BackupId) -> Result<Option<MemberRow>> {
        let theirs = Filter::new()
            .is("dest_project_id", receiver)
            .is("backup_id", backup);
        self.0.one(&theirs)
    }

    /// Changes a share and returns it; `NotFound` if the owner has none of that id.
    pub fn change(
        &self,
        owner: &ProjectId,
        id: &MemberId,
        edit: impl FnOnce(&mut MemberRow),
    ) -> Result<MemberRow> {
        self.0.change(&own(owner).is("id", id), id, edit)
    }

    /// Ends a share; `false` if the owner has none of that id.
    pub fn remove(&self, owner: &ProjectId, id: &MemberId) -> Result<bool> {
        Ok(self.0.remove::<MemberRow>(&own(owner).is("id", id))? > 0)
    }
}

fn own(project: &ProjectId) -> Filter {
    Filter::new().is("project_id", project)
}
