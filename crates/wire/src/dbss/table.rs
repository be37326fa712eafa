//! The operations of the SDK that have to do with backups of audit logs, and those that its clients
//! ask for on their way.

use super::{
    AcceptedReply, BackupPath, DatabasePath, DomainInstancePath, DoneReply, InstancePath,
    LongPageQuery, PageQuery, ProjectPath, ResourcePath, StatusReply, TaggedPath, TypePath,
    backup::{
        BackupStatusReply, BucketsReply, ListBackupsReply, ListBackupsRequest, SwitchRequest,
        TemplateReply,
    },
    instance::{
        DeleteInstanceRequest, InstanceName, InstancesReply, JobsReply, LastInstancesReply,
        OldInstancesReply, QuotaReply, SummaryReply, TimeZoneRequest, UpdateInstanceRequest,
        VersionReply, ZonesReply,
    },
    log::{OperateLogsReply, OperateLogsRequest},
    monitor::{
        MonitorReply, MonitorRequest, StatisticsPath, StatisticsReply, StatisticsRequest,
        UpgradesReply,
    },
    risk::{RiskBucket, RiskSwitchRequest, RiskTemplate, RiskTemplatesReply},
    setting::{SettingsReply, UpdateSettingsRequest},
    statement::{
        ListDatabasesQuery, ListDatabasesReply, ListSqlsReply, ListSqlsRequest, SqlDetailReply,
    },
    tag::{ProjectTagsReply, TagSearch, TaggedReply, TagsReply, TagsRequest},
};
use crate::{operation::Empty, query::NoQuery};

operations! { Dbss;
    /// Obtaining the Backup Status
    ShowAuditBackupStatus: Get "/v1/{project_id}/audit/{instance_id}/backup/status",
        "dbss:auditBackup:getStatus", 200,
        working(InstancePath, NoQuery, Empty) -> BackupStatusReply;

    /// Querying Backups
    ListAuditBackupInfo: Post "/v2/{project_id}/audit/{instance_id}/backups",
        "dbss:auditBackup:list", 200,
        working(InstancePath, NoQuery, ListBackupsRequest) -> ListBackupsReply;

    /// Deleting a Backup
    DeleteAuditBackupTask: Delete "/v1/{project_id}/audit/{instance_id}/backups/{id}",
        "dbss:auditBackup:delete", 200,
        working(BackupPath, NoQuery, Empty) -> AcceptedReply;

    /// Restoring a Backup
    RestoreAuditBackup: Post "/v1/{project_id}/audit/{instance_id}/backup/{id}/restore",
        "dbss:auditBackup:restore", 200,
        working(BackupPath, NoQuery, Empty) -> AcceptedReply;

    /// Repeating What Failed
    RetryAuditBackupTask: Post "/v1/{project_id}/audit/{instance_id}/backup/{id}/retry",
        "dbss:auditBackup:retry", 200,
        working(BackupPath, NoQuery, Empty) -> AcceptedReply;

    /// Querying the Switch of Automatic Backups
    SetAuditAutoBackupTemplate: Get "/v1/{project_id}/audit/{instance_id}/backup/template",
        "dbss:auditBackup:getTemplate", 200,
        working(InstancePath, NoQuery, Empty) -> TemplateReply;

    /// Setting the Switch of Automatic Backups
    SetAuditBackupSwitch: Post "/v1/{domain_id}/audit/{instance_id}/backup/switch",
        "dbss:auditBackup:setSwitch", 200,
        working(DomainInstancePath, NoQuery, SwitchRequest) -> AcceptedReply;

    /// Querying What Is Exported of Risks
    ListAuditBackupRiskTemplates: Get
        "/v1/{project_id}/audit/{instance_id}/backup/risk/templates",
        "dbss:auditBackup:listRiskTemplates", 200,
        working(InstancePath, NoQuery, Empty) -> RiskTemplatesReply;

    /// Querying What Is Exported of One Database's Risks
    ShowAuditBackRiskTemplate: Get
        "/v1/{project_id}/audit/{instance_id}/backup/risk/template/{db_id}",
        "dbss:auditBackup:getRiskTemplate", 200,
        working(DatabasePath, NoQuery, Empty) -> RiskTemplate;

    /// Querying Where Risks Are Exported To
    ShowBackupRiskBucketPath: Get "/v1/{project_id}/audit/{instance_id}/backup/risk/bucket-path",
        "dbss:auditBackup:getRiskBucketPath", 200,
        working(InstancePath, NoQuery, Empty) -> RiskBucket;

    /// Setting the Export of Risks
    SetAuditBackupRiskSwitch: Post "/v1/{domain_id}/audit/{instance_id}/backup/risk/switch",
        "dbss:auditBackup:setRiskSwitch", 200,
        working(DomainInstancePath, NoQuery, RiskSwitchRequest) -> AcceptedReply;

    /// Setting Where Risks Are Exported To
    UpdateAuditRiskBucketPath: Post
        "/v1/{domain_id}/audit/{instance_id}/backup/risk/global/bucket-path",
        "dbss:auditBackup:setRiskBucketPath", 200,
        working(DomainInstancePath, NoQuery, RiskBucket) -> AcceptedReply;

    /// Querying Buckets
    ListAuditObsBuckets: Get "/v2/{project_id}/audit/backup/obs-buckets",
        "dbss:auditBackup:listBuckets", 200,
        working(ProjectPath, NoQuery, Empty) -> BucketsReply;

    /// Querying Audit Instances, Version 1, Deprecated
    ListAuditInstances: Get "/v1/{project_id}/dbss/audit/instances",
        "dbss:auditInstance:list", 200,
        working(ProjectPath, PageQuery, Empty) -> OldInstancesReply;

    /// Querying Audit Instances, Version 1
    ListAuditInstancesNew: Get "/v1/{project_id}/audit/instances",
        "dbss:auditInstance:list", 200,
        working(ProjectPath, PageQuery, Empty) -> InstancesReply;

    /// Querying Audit Instances
    ListAuditInstancesLast: Get "/v2/{project_id}/audit/instances",
        "dbss:auditInstance:list", 200,
        working(ProjectPath, PageQuery, Empty) -> LastInstancesReply;

    /// Querying the Jobs of an Instance, Deprecated
    ListAuditInstanceJobs: Get "/v1/{project_id}/dbss/audit/jobs/{resource_id}",
        "dbss:auditInstance:listJobs", 200,
        working(ResourcePath, NoQuery, Empty) -> JobsReply;

    /// Querying the Jobs of an Instance
    ListAuditInstanceJobsNew: Get "/v1/{project_id}/audit/{resource_id}/jobs",
        "dbss:auditInstance:listJobs", 200,
        working(ResourcePath, NoQuery, Empty) -> JobsReply;

    /// Querying Quotas, Version 1
    ShowAuditQuota: Get "/v1/{project_id}/dbss/audit/quota", "dbss:auditInstance:getQuota", 200,
        working(ProjectPath, NoQuery, Empty) -> QuotaReply;

    /// Querying Quotas
    ShowAuditQuotaNew: Get "/v2/{project_id}/audit/quota", "dbss:auditInstance:getQuota", 200,
        working(ProjectPath, NoQuery, Empty) -> QuotaReply;

    /// Querying How Long Logs Are Kept
    ShowLogRetentionCommonSettings: Get
        "/v1/{project_id}/audit/{instance_id}/settings/common-settings",
        "dbss:auditInstance:getSettings", 200,
        working(InstancePath, NoQuery, Empty) -> SettingsReply;

    /// Changing How Long Logs Are Kept
    UpdateLogRetentionCommonSettings: Put
        "/v1/{project_id}/audit/{instance_id}/settings/common-settings",
        "dbss:auditInstance:updateSettings", 200,
        working(InstancePath, NoQuery, UpdateSettingsRequest) -> StatusReply;

    /// Querying the Version of the Service
    ShowServerVersion: Get "/v1/{project_id}/version", "dbss:auditInstance:getVersion", 200,
        working(ProjectPath, NoQuery, Empty) -> VersionReply;

    /// Querying Databases, Deprecated
    ListAuditDatabases: Get "/v1/{project_id}/{instance_id}/dbss/audit/databases",
        "dbss:auditDatabase:list", 200,
        working(InstancePath, ListDatabasesQuery, Empty) -> ListDatabasesReply;

    /// Querying Databases
    ListAuditDatabasesNew: Get "/v2/{project_id}/audit/{instance_id}/databases",
        "dbss:auditDatabase:list", 200,
        working(InstancePath, ListDatabasesQuery, Empty) -> ListDatabasesReply;

    /// Querying Operation Logs, Deprecated
    ListAuditOperateLogs: Post "/v1/{project_id}/{instance_id}/dbss/audit/operate-log",
        "dbss:auditOperateLog:list", 200,
        working(InstancePath, NoQuery, OperateLogsRequest) -> OperateLogsReply;

    /// Querying Operation Logs
    ListAuditOperateLogsNew: Post "/v1/{project_id}/audit/{instance_id}/operation-log",
        "dbss:auditOperateLog:list", 200,
        working(InstancePath, NoQuery, OperateLogsRequest) -> OperateLogsReply;

    /// Querying Statements, Deprecated
    ListAuditSqls: Post "/v1/{project_id}/{instance_id}/audit/sqls", "dbss:auditSql:list", 200,
        working(InstancePath, NoQuery, ListSqlsRequest) -> ListSqlsReply;

    /// Querying Statements
    ListAuditSqlsNew: Post "/v2/{project_id}/audit/{instance_id}/sqls", "dbss:auditSql:list", 200,
        working(InstancePath, NoQuery, ListSqlsRequest) -> ListSqlsReply;

    /// Querying a Statement
    ShowSqlDetail: Get "/v2/{project_id}/audit/{instance_id}/sqls/{id}", "dbss:auditSql:get", 200,
        working(BackupPath, NoQuery, Empty) -> SqlDetailReply;

    /// Setting the Zone of Local Times
    SetAuditInstanceTimeZone: Post "/v1/{project_id}/audit/{instance_id}/timezone",
        "dbss:auditInstance:setTimeZone", 200,
        working(InstancePath, NoQuery, TimeZoneRequest) -> StatusReply;

    /// Starting an Instance Again
    RebootAuditInstanceNew: Post "/v1/{project_id}/audit/instance/reboot",
        "dbss:auditInstance:reboot", 200,
        working(ProjectPath, NoQuery, InstanceName) -> DoneReply;

    /// Starting an Instance
    StartAuditInstanceNew: Post "/v1/{project_id}/audit/instance/start",
        "dbss:auditInstance:start", 200,
        working(ProjectPath, NoQuery, InstanceName) -> DoneReply;

    /// Stopping an Instance
    StopAuditInstanceNew: Post "/v1/{project_id}/audit/instance/stop",
        "dbss:auditInstance:stop", 200,
        working(ProjectPath, NoQuery, InstanceName) -> DoneReply;

    /// Changing an Instance
    UpdateAuditInstanceNew: Put "/v1/{project_id}/audit/instance/{instance_id}",
        "dbss:auditInstance:update", 200,
        working(InstancePath, NoQuery, UpdateInstanceRequest) -> DoneReply;

    /// Deleting an Instance
    DeleteInstancesNew: Delete "/v1/{project_id}/audit/instance",
        "dbss:auditInstance:delete", 200,
        working(ProjectPath, NoQuery, DeleteInstanceRequest) -> AcceptedReply;

    /// Querying Availability Zones
    ListAvailabilityZoneInfosNew: Get "/v2/{project_id}/availability-zone",
        "dbss:availabilityZone:list", 200,
        working(ProjectPath, NoQuery, Empty) -> ZonesReply;

    /// Querying Whether Statistics Are Counted
    ShowAuditTaskStatus: Get "/v3/{project_id}/audit/summary/{busi_type}/task-status",
        "dbss:auditSummary:getTaskStatus", 200,
        working(StatisticsPath, NoQuery, Empty) -> StatisticsReply;

    /// Counting Statistics Anew
    UpdateAuditTaskStatus: Post "/v1/{project_id}/audit/summary/{busi_type}/task-status",
        "dbss:auditSummary:updateTaskStatus", 200,
        working(StatisticsPath, NoQuery, StatisticsRequest) -> Empty;

    /// Querying Upgrades
    ShowAuditUpgradeStatus: Get "/v1/{project_id}/audit/upgrade/status",
        "dbss:auditInstance:getUpgradeStatus", 200,
        working(ProjectPath, NoQuery, Empty) -> UpgradesReply;

    /// Querying What the Host of an Instance Does
    ShowInstanceMonitorInfo: Post "/v1/{project_id}/audit/{instance_id}/system/monitorinfo",
        "dbss:auditInstance:getMonitorInfo", 200,
        working(InstancePath, NoQuery, MonitorRequest) -> MonitorReply;

    /// Querying Statistics
    ListAuditSummaryInfos: Get "/v2/{project_id}/audit/summary/info",
        "dbss:auditSummary:list", 200,
        working(ProjectPath, LongPageQuery, Empty) -> SummaryReply;

    /// Putting Labels on an Instance
    BatchAddResourceTag: Post "/v1/{project_id}/{resource_type}/{resource_id}/tags/create",
        "dbss:auditTag:create", 204,
        working(TaggedPath, NoQuery, TagsRequest) -> Empty;

    /// Taking Labels off an Instance
    BatchDeleteResourceTag: Delete "/v1/{project_id}/{resource_type}/{resource_id}/tags/delete",
        "dbss:auditTag:delete", 204,
        working(TaggedPath, NoQuery, TagsRequest) -> Empty;

    /// Counting Instances by Label
    CountResourceInstanceByTag: Post "/v1/{project_id}/{resource_type}/resource-instances/count",
        "dbss:auditInstance:getCountByTag", 200,
        working(TypePath, NoQuery, TagSearch) -> TaggedReply;

    /// Querying the Labels of an Instance
    ListAuditTags: Get "/v1/{project_id}/{resource_type}/{resource_id}/tags",
        "dbss:auditTag:list", 200,
        working(TaggedPath, NoQuery, Empty) -> TagsReply;

    /// Querying the Labels of a Project
    ListProjectResourceTags: Get "/v1/{project_id}/{resource_type}/tags",
        "dbss:auditTag:list", 200,
        working(TypePath, NoQuery, Empty) -> ProjectTagsReply;

    /// Querying Instances by Label
    ListResourceInstanceByTag: Post
        "/v1/{project_id}/{resource_type}/resource-instances/filter",
        "dbss:auditInstance:listByTag", 200,
        working(TypePath, LongPageQuery, TagSearch) -> TaggedReply;
}
