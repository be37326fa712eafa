//! Jobs: what was ordered and what came of it.

use serde::{Deserialize, Serialize};

use super::{Limit, Millis};
use crate::{query::Offset, time::DdmTime};

words! {
    /// What is with a job.
    JobStatus, "status of a job" {
        /// Waits or runs.
        Running = "Running",
        /// Done.
        Completed = "Completed",
        /// Failed.
        Failed = "Failed",
    }
}

queries! {
    /// Filters of `ListTasks`.
    ListJobsQuery {
        /// Asked for at that time or later, in milliseconds.
        start_time: Option<Millis>,
        /// Asked for at that time or earlier; at most 30 days later.
        end_time: Option<Millis>,
        /// Rows to skip.
        offset: Option<Offset>,
        /// Rows in the page; 10 if nothing is said.
        limit: Option<Limit>,
    }
}

/// The answer of `ListTasks`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListJobsReply {
    /// Rows skipped.
    pub offset: u32,
    /// Rows asked for.
    pub limit: u32,
    /// Rows over all pages.
    pub total: u64,
    /// The page, the newest first.
    pub jobs: Vec<JobRow>,
}

/// A job in a list (table `JobItem`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobRow {
    /// Its id.
    pub id: String,
    /// What it does.
    pub name: String,
    /// What is with it.
    pub status: JobStatus,
    /// When it was asked for.
    pub created_time: DdmTime,
    /// When it ended; empty while it runs.
    pub end_time: String,
    /// How far it is, such as `60%`; empty when it ended.
    pub process: String,
    /// The instance's name.
    pub instance_name: String,
    /// The instance.
    pub instance_id: String,
    /// What can be done with it: nothing.
    pub operations: Vec<String>,
    /// The schema.
    pub database_name: String,
    /// Why it failed.
    pub fail_reason: String,
}

/// The answer of `ShowDdmJobResult`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobDetailReply {
    /// The job.
    pub job: JobDetail,
}

/// A job (table `JobInfo`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobDetail {
    /// Its id.
    pub id: String,
    /// What it does.
    pub name: String,
    /// What is with it.
    pub status: JobStatus,
    /// When it was asked for.
    pub created_time: DdmTime,
    /// When it ended; empty while it runs.
    pub end_time: String,
    /// How far it is, such as `60%`; empty when it ended.
    pub process: String,
    /// The instance.
    pub instance: JobInstance,
    /// Why it failed: undocumented here, as in the list; left out if it did not.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub fail_reason: String,
}

/// The instance of a job (table `Instance`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobInstance {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}
