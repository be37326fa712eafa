//! Export of statements that rules call risky: what is set for it.

use serde::{Deserialize, Serialize};

use super::{Number, backup::Cycle};

/// The answer of `ListAuditBackupRiskTemplates`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RiskTemplatesReply {
    /// One for each database.
    pub templates: Vec<RiskTemplate>,
}

/// What is exported of a database; also the answer of `ShowAuditBackRiskTemplate`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RiskTemplate {
    /// The database.
    pub db_id: String,
    /// Where it is; empty if the logs do not say.
    pub db_ip: String,
    /// Its name.
    pub db_name: String,
    /// Its port; 0 if the logs do not say.
    pub db_port: u32,
    /// The template's id; null if nothing was ever set.
    pub id: Option<String>,
    /// 1 if it is exported, else 0.
    pub status: u8,
}

/// The body of `SetAuditBackupRiskSwitch`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RiskSwitchRequest {
    /// How often.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cycle: Option<Cycle>,
    /// The database.
    pub db_id: String,
    /// 1 for on, 0 for off.
    pub status: Number,
}

/// Where exports go: the answer of `ShowBackupRiskBucketPath`, the body of
/// `UpdateAuditRiskBucketPath`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RiskBucket {
    /// The account.
    #[serde(default)]
    pub backup_domain_id: Option<String>,
    /// The bucket.
    pub bucket_name: String,
    /// A name in it.
    #[serde(default)]
    pub bucket_root_path: Option<String>,
}
