//! How long logs are kept.

use serde::{Deserialize, Serialize};

use super::Number;

/// The answer of `ShowLogRetentionCommonSettings`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingsReply {
    /// How long.
    pub log_retention: Retention,
    /// From how many percent of the disk on the oldest logs are usually removed.
    pub data_usage_limit: u32,
}

/// How long, and within which bounds (model `CommonSettingsResponseLogRetention`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retention {
    /// Days.
    pub retention_days: u32,
    /// The fewest.
    pub range_days_min: u32,
    /// The most.
    pub range_days_max: u32,
}

/// The body of `UpdateLogRetentionCommonSettings`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateSettingsRequest {
    /// Days.
    pub retention_days: Number,
}
