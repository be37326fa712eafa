//! Documents of our own API about who did what, and whether everything is backed up as promised.

use std::collections::BTreeMap;

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

words! {
    /// How a resource stands.
    FreshnessState, "state" {
        /// A good backup, as fresh as was promised.
        Fresh = "fresh",
        /// No backup yet, and none need be there yet.
        Waiting = "waiting",
        /// The newest backup failed; an earlier one is good and not too old.
        Failed = "failed",
        /// The newest good backup is older than was promised.
        Overdue = "overdue",
        /// No good backup, though one should be there.
        NeverBackedUp = "never_backed_up",
    }
}

queries! {
    /// The page of `ListFreshness`.
    ListFreshnessQuery {
        /// Rows in the page.
        limit: Option<Limit<1000>>,
        /// The id of the last resource of the page before.
        marker: Option<String>,
    }
}

queries! {
    /// The page of `ListAlarms`.
    ListAlarmsQuery {
        /// Also those that have ended.
        all: Option<bool>,
        /// Rows in the page.
        limit: Option<Limit<1000>>,
        /// Rows to leave out first.
        offset: Option<Offset>,
    }
}

/// The answer of `ListFreshness`, by id of the resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FreshnessPage {
    /// The page.
    pub resources: Vec<Freshness>,
}

/// How fresh the backups of a resource are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Freshness {
    /// The resource.
    pub resource_id: String,
    /// Its name.
    pub resource_name: String,
    /// The vault that it is in.
    pub vault_id: String,
    /// The vault's name.
    pub vault_name: String,
    /// How it stands.
    pub state: FreshnessState,
    /// When the data of its newest good backup began to be read.
    pub last_good_at: Option<IamTime>,
    /// When its newest failed backup was asked for.
    pub last_failed_at: Option<IamTime>,
    /// When the repository with its data was last checked.
    pub last_verified_at: Option<IamTime>,
    /// The longest time between backups that its policy promises, in seconds.
    pub promised_seconds: Option<i64>,
    /// Since when a backup is missing.
    pub overdue_since: Option<IamTime>,
}

/// The answer of `ListAlarms`, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alarms {
    /// The page.
    pub alarms: Vec<Alarm>,
    /// How many there are on all pages.
    pub total: u64,
}

/// Something that somebody should look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alarm {
    /// Its number, rising.
    pub seq: u64,
    /// `overdue`, `failed`, `never_backed_up`, `nearly_full`, `damaged` or `log_gap`.
    pub kind: String,
    /// The vault.
    pub vault_id: String,
    /// The vault's name.
    pub vault_name: String,
    /// The resource, if it is about one.
    pub resource_id: Option<String>,
    /// The resource's name.
    pub resource_name: Option<String>,
    /// What is wrong, for people.
    pub message: String,
    /// Since when.
    pub raised_at: IamTime,
    /// Until when; none if it still holds.
    pub cleared_at: Option<IamTime>,
}

/// The answer of `ShowStatus`: whether the project is backed up as promised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// How many resources are in each state, by its word.
    pub resources: BTreeMap<String, u64>,
    /// The alarms that hold, the newest first; the first thousand.
    pub alarms: Vec<Alarm>,
    /// How many alarms hold.
    pub alarm_count: u64,
    /// When the watchdog last looked; none if it has not since the service started.
    pub watched_at: Option<IamTime>,
}
