//! The day on which the backups of a vault end.
//!
//! Document: "Modifying the Expiration Time of Backups".

use serde::{Deserialize, Serialize};

/// The body of `UpdateExpirationTime` (table `UpdateExpirationTimeReq`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateExpirationTimeRequest {
    /// The day, `YYYY-MM-DD`.
    pub expect_expiration_date: String,
    /// Where the day is, such as `UTC+08:00`.
    pub time_zone: String,
}

/// The answer of `UpdateExpirationTime`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateExpirationTimeReply {
    /// Backups that changed.
    pub affected_backups_count: u64,
    /// The day that was set.
    pub new_expiration_day: String,
    /// The task.
    pub operation_log_id: String,
}
