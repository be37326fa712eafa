//! Share members: a backup made visible to other projects.
//!
//! Documents: "Adding a Share Member", "Obtaining Share Members", "Obtaining Share Member
//! Details", "Updating the Share Member Status", "Removing a Share Member".

use serde::{Deserialize, Serialize};

use super::{Limit, backup::MemberStatus};
use crate::{query::Offset, time::CbrTime};

words! {
    /// What a receiver can answer. The tables know `accepted` and `rejected`; one client offers
    /// its users the words without an ending.
    MemberAnswer, "member status" {
        /// Takes it.
        Accepted = "accepted",
        /// Takes it, as one client says.
        Accept = "accept",
        /// Does not want it.
        Rejected = "rejected",
        /// Does not want it, as one client says.
        Reject = "reject",
        /// In the table, and never a legal answer.
        Pending = "pending",
    }
}

queries! {
    /// Filters of `ShowMembersDetail`; all of them must hold.
    ShowMembersDetailQuery {
        /// The project it is shared with.
        dest_project_id: Option<String>,
        /// The image made of it; there are none here.
        image_id: Option<String>,
        /// What the receiver made of it.
        status: Option<MemberStatus>,
        /// The vault that the receiver took it into.
        vault_id: Option<String>,
        /// Rows in the page; 1000 if nothing is said.
        limit: Option<Limit>,
        /// The id of the last row of the page before.
        marker: Option<String>,
        /// Rows to skip.
        offset: Option<Offset>,
        /// `key[:asc|:desc],…`
        sort: Option<String>,
    }
}

/// The body of `AddMember`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddMembersRequest {
    /// The projects to share with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub members: Option<Vec<String>>,
    /// The accounts to share with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domains: Option<Vec<String>>,
}

/// A share (table Member).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// What the receiver made of it.
    pub status: MemberStatus,
    /// When it was shared.
    pub created_at: CbrTime,
    /// When it was last changed.
    pub updated_at: Option<CbrTime>,
    /// The backup.
    pub backup_id: String,
    /// The image made of it; there are none here.
    pub image_id: Option<String>,
    /// The project it is shared with.
    pub dest_project_id: String,
    /// The vault that the receiver took it into.
    pub vault_id: Option<String>,
    /// The share.
    pub id: String,
}

/// The answer of `AddMember`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddMembersReply {
    /// The new shares.
    pub members: Vec<Member>,
    /// How many; only one of the two vendors shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
}

/// The answer of `ShowMembersDetail`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListMembersReply {
    /// The page.
    pub members: Vec<Member>,
    /// Rows over all pages.
    pub count: u64,
}

/// The body of `UpdateMemberStatus`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateMemberRequest {
    /// The answer.
    pub status: MemberAnswer,
    /// The vault to take it into; needed to accept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vault_id: Option<String>,
}

/// One share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberReply {
    /// The share.
    pub member: Member,
}
