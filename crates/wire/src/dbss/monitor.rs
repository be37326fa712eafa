//! What an instance and its host do, and whether statistics are counted.
//!
//! The documents name no units: sizes are GiB, use is percent, traffic MB in a second.

use serde::{Deserialize, Serialize};

use super::statement::TimeRange;
use crate::time::DbssTime;

paths! {
    /// `/v3/{project_id}/audit/summary/{busi_type}/task-status`
    StatisticsPath {
        /// The project, 32 hexadecimal digits.
        project_id,
        /// `audit` or `risk`.
        busi_type,
    }
}

words! {
    /// What statistics are of.
    Business, "busi_type" {
        /// Statements.
        Audit = "audit",
        /// Statements that rules call risky.
        Risk = "risk",
    }

    /// What is done with the counting of statistics.
    StatisticsOrder, "oper_type" {
        /// It is switched on or off.
        Switch = "switch",
        /// It is done now.
        Execute = "execute",
    }

    /// A switch.
    OnOff, "code" {
        /// On.
        On = "on",
        /// Off.
        Off = "off",
    }

    /// How the counting of statistics stands.
    StatisticsStatus, "task_status" {
        /// It can be begun.
        Ready = "0",
        /// It runs.
        Running = "1",
        /// It was done.
        Succeeded = "2",
        /// It failed.
        Failed = "3",
    }
}

/// The answer of `ShowAuditTaskStatus`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatisticsReply {
    /// The task's number.
    pub id: u64,
    /// The project.
    pub project_id: String,
    /// What is counted.
    pub busi_type: Business,
    /// Whether it is.
    pub task_switch: OnOff,
    /// How it stands.
    pub task_status: StatisticsStatus,
    /// Instances in all.
    pub total_num: u64,
    /// Instances that were counted.
    pub completed_num: u64,
    /// When the counting began, in milliseconds.
    pub begin_time: Option<i64>,
    /// When it ended, in milliseconds.
    pub end_time: Option<i64>,
    /// From when on lines were counted, in milliseconds.
    pub query_begin_time: Option<i64>,
    /// Until when, in milliseconds.
    pub query_end_time: Option<i64>,
}

/// The body of `UpdateAuditTaskStatus`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatisticsRequest {
    /// What is done.
    pub oper_type: StatisticsOrder,
    /// On or off, to switch it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<OnOff>,
    /// From when on lines are counted, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query_begin_time: Option<i64>,
    /// Until when, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query_end_time: Option<i64>,
}

/// The answer of `ShowAuditUpgradeStatus`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpgradesReply {
    /// One for each instance.
    pub audit_upgrade_infos: Vec<UpgradeStatus>,
}

/// How the upgrade of an instance stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpgradeStatus {
    /// The instance.
    pub instance_id: String,
    /// What it is.
    pub current_version: String,
    /// What it would become.
    pub upgrade_version: String,
    /// 0: it is being upgraded, 1: it can be, 2: it cannot.
    pub status: u8,
    /// How many steps.
    pub total: u32,
    /// Which.
    pub steps: Vec<UpgradeStep>,
}

/// A step of an upgrade.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpgradeStep {
    /// What it is.
    pub step_name: String,
    /// What came of it.
    pub result_code: String,
    /// The same in words.
    pub msg: String,
    /// When.
    pub time: String,
}

/// The body of `ShowInstanceMonitorInfo`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MonitorRequest {
    /// When.
    pub time: TimeRange,
}

/// The answer of `ShowInstanceMonitorInfo`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MonitorReply {
    /// The disks now.
    pub disk_infos: DiskInfo,
    /// Processors and memory, the oldest sample first.
    pub system_infos: Vec<SystemInfo>,
    /// The network, the same.
    pub traffic_infos: Vec<TrafficInfo>,
}

/// How full the disks are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DiskInfo {
    /// The sample's name.
    pub id: String,
    /// Free where the data are.
    pub data_available: f64,
    /// In all.
    pub data_total: f64,
    /// Percent used.
    pub data_use_percent: u8,
    /// Free where temporary files are.
    pub swap_available: f64,
    /// In all.
    pub swap_total: f64,
    /// Percent used.
    pub swap_use_percent: u8,
    /// Free where the operating system is.
    pub system_available: f64,
    /// In all.
    pub system_total: f64,
    /// Percent used.
    pub system_use_percent: u8,
    /// When.
    pub time: DbssTime,
}

/// What processors and memory did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SystemInfo {
    /// The sample's name.
    pub id: String,
    /// Percent of the processors' time.
    pub cpu_use: f64,
    /// Percent of the memory.
    pub mem_use: f64,
    /// Until when.
    pub time: DbssTime,
}

/// What the network did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrafficInfo {
    /// The sample's name.
    pub id: String,
    /// MB that came in a second.
    pub rxmegabytes: f64,
    /// MB that went.
    pub txmegabytes: f64,
    /// Until when.
    pub time: DbssTime,
}
