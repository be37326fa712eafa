//! Documents of our own API about who did what.

use serde::{Deserialize, Serialize};

use crate::{
    query::{Limit, Offset},
    time::IamTime,
};

queries! {
    /// The page of `ListAuditRecords`.
    ListAuditRecordsQuery {
        /// Rows in the page.
        limit: Option<Limit<1000>>,
        /// Rows to leave out first.
        offset: Option<Offset>,
    }
}

/// The answer of `ListAuditRecords`, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRecords {
    /// The page.
    pub records: Vec<AuditRecord>,
    /// How many there are on all pages.
    pub total: u64,
}

/// Something that was done, or tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRecord {
    /// Its number, rising.
    pub seq: u64,
    /// When.
    pub at: IamTime,
    /// The user's id, or how the caller called itself if that was not proven.
    pub who: String,
    /// The project it concerned.
    pub project_id: Option<String>,
    /// The network address it came from.
    pub source: String,
    /// The request, as in the header `X-Request-Id`.
    pub request_id: String,
    /// The action, such as `cbr:vaults:delete`.
    pub operation: String,
    /// What it was done to.
    pub target: String,
    /// The status and code of the answer.
    pub outcome: String,
}
