//! Audit instances: three lists, what is done with them, and what a cloud would say of them.

use serde::{Deserialize, Serialize};

words! {
    /// What an instance does.
    InstanceStatus, "status of an instance" {
        /// Its backups are suspended.
        Stopped = "SHUTOFF",
        /// Its backups are made.
        Active = "ACTIVE",
        /// Is going.
        Deleting = "DELETING",
        /// Is being made.
        Building = "BUILD",
        /// Is gone.
        Deleted = "DELETED",
        /// Its directory cannot be read.
        Error = "ERROR",
        /// Waits for its twin.
        Waiting = "HAWAIT",
        /// Was not paid.
        Frozen = "FROZEN",
        /// Is being brought up to date.
        Upgrading = "UPGRADING",
    }

    /// What is being done with an instance.
    InstanceTask, "task of an instance" {
        /// It is being started.
        Starting = "powering-on",
        /// It is being stopped.
        Stopping = "powering-off",
        /// It is being started again.
        Rebooting = "rebooting",
        /// It is going.
        Deleting = "delete_wait",
        /// Nothing.
        None = "NO_TASK",
    }

    /// How an instance is paid.
    ChargeModel, "charging" {
        /// In advance.
        Period = "Period",
        /// By use.
        Demand = "Demand",
    }

    /// The state of a job.
    JobStatus, "status of a job" {
        /// Done.
        Success = "SUCCESS",
        /// Waits or runs.
        Running = "RUNNING",
        /// Failed.
        Failed = "FAIL",
        /// Is being prepared.
        Init = "INIT",
        /// Can begin.
        Ready = "READY",
    }

    /// What kind of zone it is.
    ZoneType, "type of a zone" {
        /// A usual one.
        Dedicated = "DEDICATED",
        /// Of a customer's own.
        Private = "DEC",
        /// At the edge.
        Edge = "EDGE",
    }

    /// What is counted.
    SummaryKind, "kind of summary" {
        /// Statements.
        Audit = "audit",
        /// Risks.
        Risk = "risk",
    }
}

/// The answer of `ListAuditInstances`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OldInstancesReply {
    /// The page, the oldest first.
    pub servers: Vec<InstanceRow>,
    /// Rows over all pages.
    pub total: u64,
}

/// The answer of `ListAuditInstancesNew`: the SDK reads one list and the pages name the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstancesReply {
    /// The page, the oldest first.
    pub instances: Vec<InstanceRow>,
    /// Rows over all pages.
    pub total: u64,
    /// The same page.
    pub servers: Vec<InstanceRow>,
}

/// The answer of `ListAuditInstancesLast`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastInstancesReply {
    /// The page, the oldest first.
    pub instances: Vec<InstanceRow>,
    /// Rows over all pages.
    pub total: u64,
}

/// An instance (models `AuditInstanceListBean`, `ResponseAuditV2`, `AuditInstanceBean`). What the
/// models have not in common is `None` where a list does not know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceRow {
    /// How it is paid.
    pub charge_model: ChargeModel,
    /// A remark.
    pub comment: String,
    /// How many databases it knows.
    pub config_num: u64,
    /// Its address.
    pub connect_ip: String,
    /// The same in IPv6.
    pub connect_ipv6: Option<String>,
    /// Its cores.
    pub cpu: u32,
    /// When it was registered.
    pub created: String,
    /// How many databases it may know.
    pub database_limit: u64,
    /// Why it is frozen.
    pub effect: Option<u8>,
    /// When it ends.
    pub expired: Option<String>,
    /// Its id.
    pub id: String,
    /// Days that it is kept when frozen.
    pub keep_days: Option<String>,
    /// Its name.
    pub name: String,
    /// A newer version.
    pub new_version: Option<String>,
    /// Its network port.
    pub port_id: String,
    /// Its memory.
    pub ram: u32,
    /// Its region.
    pub region: String,
    /// Days to its end.
    pub remain_days: Option<String>,
    /// What tags and jobs know it by: its id.
    pub resource_id: String,
    /// Its size.
    pub resource_spec_code: String,
    /// Why it is frozen.
    pub scene: Option<String>,
    /// Its security group.
    pub security_group_id: String,
    /// Its size.
    pub specification: String,
    /// What it does.
    pub status: InstanceStatus,
    /// Its part of the network.
    pub subnet_id: String,
    /// What is being done with it.
    pub task: InstanceTask,
    /// The version of the service.
    pub version: String,
    /// Its network.
    pub vpc_id: String,
    /// Its zone.
    pub zone: String,
    /// Its id; in the second list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_id: Option<String>,
    /// Its enterprise project; in the second list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enterprise_project_id: Option<String>,
    /// The zone of local times in its logs; in the second list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// What it can do; in the second and third list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supported_feature: Option<Vec<String>>,
}

/// The body of starting, stopping and starting again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceName {
    /// The instance.
    pub instance_id: String,
}

/// The body of `UpdateAuditInstanceNew`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct UpdateInstanceRequest {
    /// Its new name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A new remark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// The body of `DeleteInstancesNew`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeleteInstanceRequest {
    /// The instance.
    pub id: String,
    /// Whether its public address goes too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delete_publicip: Option<bool>,
    /// Whether its disks go too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delete_volume: Option<bool>,
}

/// The body of `SetAuditInstanceTimeZone`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeZoneRequest {
    /// The zone, such as `GMT+08:00`.
    pub timezone: String,
}

/// The answer of `ListAuditInstanceJobs` and its successor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobsReply {
    /// The jobs, the newest first.
    pub jobs: Vec<JobRow>,
}

/// A job (model `JobBean`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobRow {
    /// Its id.
    pub job_id: String,
    /// What is with it.
    pub status: JobStatus,
    /// What it does.
    pub job_type: Option<String>,
    /// The instance.
    pub server_id: String,
    /// The instance's name then.
    pub server_name: String,
    /// The instance.
    pub resource_id: String,
    /// When it was asked for, in milliseconds.
    pub begin_time: i64,
    /// When it ended, in milliseconds; 0 while it has not.
    pub end_time: i64,
    /// How the instance is paid.
    pub charge_mode: ChargeModel,
    /// The code of its failure.
    pub error_code: Option<String>,
    /// Why it failed.
    pub fail_reason: Option<String>,
    /// Not in use.
    pub ha_id: Option<String>,
    /// Not in use.
    pub ha_name: Option<String>,
}

/// The answer of `ShowAuditQuota` and its successor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotaReply {
    /// The project.
    pub project_id: String,
    /// How many more instances it may have.
    pub audit_quota: u64,
    /// How many more cores; nothing of the kind is counted here.
    pub cpu: u32,
    /// How much more memory; nothing of the kind is counted here.
    pub ram: u32,
}

/// The answer of `ListAvailabilityZoneInfosNew`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZonesReply {
    /// The zones.
    pub azs: Vec<Zone>,
}

/// A zone (model `AzInfo`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Zone {
    /// Its name.
    pub zone_name: String,
    /// Its number.
    pub zone_number: u32,
    /// What kind of zone it is.
    pub az_type: ZoneType,
    /// Its label.
    pub alias: String,
    /// Its label in English.
    pub alias_us: String,
}

/// The answer of `ShowServerVersion`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionReply {
    /// The version of the service.
    pub version: String,
}

/// The answer of `ListAuditSummaryInfos`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SummaryReply {
    /// The project.
    pub project_id: String,
    /// Days since the first line that was kept.
    pub audit_duration: u64,
    /// Lines that were kept.
    pub total_sql: u64,
    /// Risks; no rules are known here.
    pub total_risk: u64,
    /// Lines that were kept today.
    pub today_sql: u64,
    /// Risks today.
    pub today_risk: u64,
    /// Sessions today; not counted here.
    pub today_session: u64,
    /// When that was so, in milliseconds.
    pub update_time: i64,
    /// The page, one row for each instance.
    pub data_list: Vec<SummaryRow>,
    /// Rows over all pages.
    pub total: u64,
}

/// What was kept of an instance (model `AuditSummaryResponseDataList`). The model's ids are
/// numbers: the place in the list stands for both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SummaryRow {
    /// Its place.
    pub id: u64,
    /// 1 while it is kept up to date.
    pub status: String,
    /// The project.
    pub project_id: String,
    /// Its place.
    pub instance_id: u64,
    /// Its name.
    pub instance_name: String,
    /// Days since the first line that was kept.
    pub audit_duration: u64,
    /// Lines that were kept.
    pub total_sql: u64,
    /// Risks.
    pub total_risk: u64,
    /// Lines that were kept today.
    pub today_sql: u64,
    /// Risks today.
    pub today_risk: u64,
    /// Sessions today.
    pub today_session: u64,
    /// When that was so, in milliseconds.
    pub update_time: i64,
    /// Not in use.
    pub reserve1: Option<String>,
    /// Not in use.
    pub reserve2: Option<String>,
}
