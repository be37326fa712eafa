//! What retention will do: which backups exist on a day to come, and why the others go.
//!
//! Times are as CBR shows them.

use serde::{Deserialize, Serialize};

use crate::time::CbrTime;

/// The answer of `PreviewRetention`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetentionPreview {
    /// The vault.
    pub vault_id: String,
    /// The policy that was supposed; null if there is none.
    pub policy_id: Option<String>,
    /// To when it looks.
    pub until: CbrTime,
    /// From when on backups may go; later than now after the clock of the service jumped.
    pub deletes_from: CbrTime,
    /// How many backups exist at the end.
    pub exist: u64,
    /// How many go until then.
    pub go: u64,
    /// Every backup that there is or will be until then: resource by resource, the newest first.
    pub backups: Vec<ForeseenBackup>,
}

/// What becomes of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeseenBackup {
    /// The backup; null for one that is not made yet.
    pub backup_id: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// What it is of.
    pub resource_id: String,
    /// The resource's name.
    pub resource_name: String,
    /// Whether a policy asked for it.
    pub scheduled: bool,
    /// The instant that it is made for.
    pub at: CbrTime,
    /// When it will be made; null for one that is there.
    pub made_at: Option<CbrTime>,
    /// When it goes; null for one that exists at the end.
    pub goes_at: Option<CbrTime>,
    /// Why it goes, or everything that holds it at the end.
    pub because: Vec<Because>,
}

words! {
    /// Why a backup goes or stays.
    Ground, "ground" {
        /// Stays: it is the newest good one.
        Newest = "newest",
        /// Stays: it is among so many newest. Goes: there are so many newer ones.
        Count = "count",
        /// The same by the number that the policy had when it was made.
        FormerCount = "former_count",
        /// Stays: its day has not come.
        Until = "until",
        /// Stays: nothing limits it.
        Forever = "forever",
        /// Stays: it is the newest of its day.
        NewestOfDay = "newest_of_day",
        /// Stays: it is the newest of its week.
        NewestOfWeek = "newest_of_week",
        /// Stays: it is the newest of its month.
        NewestOfMonth = "newest_of_month",
        /// Stays: it is the newest of its year.
        NewestOfYear = "newest_of_year",
        /// Stays: a long-term rule keeps it until then.
        LongTerm = "long_term",
        /// Stays: a locked or guarded vault keeps it under the rule that it was made under.
        Promised = "promised",
        /// Stays: it failed and is kept for a look at it.
        Failed = "failed",
        /// Stays: it would go, but the service's clock is not believed yet.
        ClockNotBelieved = "clock_not_believed",
        /// Goes: its day has come.
        Expired = "expired",
        /// Goes: it failed long ago.
        FailedLongAgo = "failed_long_ago",
        /// Goes: many newer ones failed, too.
        FailedTooOften = "failed_too_often",
    }
}

/// A ground with its number or time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Because {
    /// The ground.
    pub ground: Ground,
    /// Of `count` and `former_count`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u32>,
    /// Of `until`, `long_term` and `expired`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<CbrTime>,
}
