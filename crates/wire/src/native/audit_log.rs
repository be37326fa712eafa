//! Directories of audit logs that operators register, and what the vendor has no words for: a
//! backup that somebody asks for, and the proof that nothing is missing.

use serde::{Deserialize, Serialize};

use crate::{dbss::instance::JobStatus, time::IamTime};

paths! {
    /// `/native/v1/audit-instances/{instance_id}…`
    AuditInstancePath {
        /// The directory.
        instance_id,
    }

    /// `/native/v1/audit-jobs/{job_id}`
    AuditJobPath {
        /// The job.
        job_id,
    }
}

/// A directory of audit logs to be registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditInstanceRegistration {
    /// The project that it is for; the caller's if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// Its name, unique in the project.
    pub name: String,
    /// Where it is on this host, absolute.
    pub path: String,
    /// What wrote the logs: `server_audit`, `postgres_csv`, `json_lines`; found out if nothing is
    /// said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// Days that its backups are kept; 180 if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_days: Option<u32>,
    /// The zone of local times in the logs, such as `+02:00`; UTC if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// From how many percent of its disk on it is backed up at once; 100 is never, 80 if nothing is
    /// said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hurry_percent: Option<u32>,
}

/// A directory of audit logs that was registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisteredAuditInstance {
    /// Its id.
    pub id: String,
    /// The project that it is for.
    pub project_id: String,
    /// Its name.
    pub name: String,
    /// Where it is on this host.
    pub path: String,
    /// What wrote the logs.
    pub format: String,
}

/// What is changed of a directory; what is not said stays.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AuditInstanceChange {
    /// Its name, unique in the project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What is said of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Days that its backups are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_days: Option<u32>,
    /// The zone of local times in the logs, such as `+02:00`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// From how many percent of its disk on it is backed up at once; 100 is never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hurry_percent: Option<u32>,
}

/// What is set of a directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditInstanceSettings {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What is said of it.
    pub comment: String,
    /// Days that its backups are kept.
    pub keep_days: u32,
    /// The zone of local times in the logs.
    pub timezone: String,
    /// From how many percent of its disk on it is backed up at once.
    pub hurry_percent: u32,
}

/// A backup that was ordered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackUpAuditInstanceReply {
    /// The backup.
    pub backup_id: String,
    /// The job that makes it.
    pub job_id: String,
}

/// What is to be proven.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct VerifyAuditRequest {
    /// From then on; from the first backup if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<IamTime>,
    /// Until then; to the last backup if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<IamTime>,
}

/// A job about audit logs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditJobReply {
    /// Its id.
    pub id: String,
    /// What it does.
    pub name: String,
    /// What is with it.
    pub status: JobStatus,
    /// Percent, while it runs.
    pub progress: u8,
    /// Why it failed.
    pub fail_reason: Option<String>,
    /// What a verification found, signed.
    pub report: Option<serde_json::Value>,
}
