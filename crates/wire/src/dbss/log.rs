//! Who used the service: its operation logs.

use serde::{Deserialize, Serialize};

use super::{NumberText, statement::TimeRange};
use crate::time::DbssTime;

words! {
    /// What was done, as a filter spells it.
    ActionFilter, "action" {
        /// Something was made.
        Create = "CREATE",
        /// Something was deleted.
        Delete = "DELETE",
        /// Something was fetched.
        Download = "DOWNLOAD",
        /// Something was changed.
        Update = "UPDATE",
    }

    /// What was done, as a row spells it.
    Action, "action" {
        /// Something was made.
        Create = "create",
        /// Something was changed.
        Update = "update",
        /// Something was deleted.
        Delete = "delete",
        /// Something was fetched.
        Download = "download",
    }

    /// What came of it.
    Outcome, "result" {
        /// It was done, or taken as an order.
        Success = "success",
        /// It was refused, or failed.
        Fail = "fail",
    }
}

/// The body of `ListAuditOperateLogs` and its successor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperateLogsRequest {
    /// When.
    pub time: TimeRange,
    /// By whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_name: Option<String>,
    /// What.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<ActionFilter>,
    /// With what outcome.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Outcome>,
    /// The page's number, from 1; text.
    pub page: NumberText,
    /// Rows of a page; text.
    pub size: NumberText,
}

/// The answer of both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperateLogsReply {
    /// Rows over all pages.
    pub total_num: u64,
    /// The page, the newest first.
    pub operate_log: Vec<OperateLog>,
}

/// Something that was done (model `OperateLogInfo`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperateLog {
    /// Its number.
    pub id: String,
    /// Who did it.
    pub user: String,
    /// When.
    pub time: DbssTime,
    /// What.
    pub action: Action,
    /// With what part of the service.
    pub function: String,
    /// The operation.
    pub name: String,
    /// What it was done to, from where, with which answer.
    pub description: String,
    /// What came of it.
    pub result: Outcome,
}
