//! Our own small API, for what the vendors' documents have no word for.
//!
//! Deletions are planned here, what was deleted is brought back ([`safety`]), what retention will
//! do is foretold ([`retention`]), and databases ([`database`]) and directories of their audit logs
//! ([`audit_log`]) are registered.
//! Operators register what can be protected and restore to places of their choice: a path of the
//! host is never a tenant's word. Everything else goes through the vendors' operations.

pub mod audit_log;
pub mod database;
pub mod retention;
pub mod safety;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use audit_log::{
    AuditInstanceChange, AuditInstancePath, AuditInstanceRegistration, AuditInstanceSettings,
    AuditJobPath, AuditJobReply, BackUpAuditInstanceReply, RegisteredAuditInstance,
    VerifyAuditRequest,
};
use database::{
    BackUpInstanceReply, Copies, CopiesStarted, InstancePath, InstanceRegistration, Logs,
    RegisteredInstance, TopologyReply,
};
use retention::RetentionPreview;
use safety::{Deed, Grace, Plan, Trash, VaultSafety, VaultSafetyChange};

use crate::{
    operation::Empty,
    path::NoPath,
    query::{Limit, NoQuery},
    time::CbrTime,
    watch::{
        Alarms, AuditRecords, FreshnessPage, ListAlarmsQuery, ListAuditRecordsQuery,
        ListFreshnessQuery, Status,
    },
};

operations! { Native;
    /// Whether the service can work
    ShowHealth: Get "/native/v1/health", public "native:health:get", 200,
        working(NoPath, NoQuery, Empty) -> Health;

    /// Where the services are
    ShowEndpoints: Get "/native/v1/endpoints", public "native:endpoints:get", 200,
        working(NoPath, NoQuery, Empty) -> Endpoints;

    /// Listing who did what
    ListAuditRecords: Get "/native/v1/audit", "native:audit:list", 200,
        working(NoPath, ListAuditRecordsQuery, Empty) -> AuditRecords;

    /// Whether the project is backed up as promised
    ShowStatus: Get "/native/v1/status", "native:status:get", 200,
        working(NoPath, NoQuery, Empty) -> Status;

    /// Listing how fresh the backups of each resource are
    ListFreshness: Get "/native/v1/freshness", "native:freshness:list", 200,
        working(NoPath, ListFreshnessQuery, Empty) -> FreshnessPage;

    /// Listing what somebody should look at
    ListAlarms: Get "/native/v1/alarms", "native:alarms:list", 200,
        working(NoPath, ListAlarmsQuery, Empty) -> Alarms;

    /// Registering a resource
    RegisterResource: Post "/native/v1/resources", "native:resources:create", 201,
        working(NoPath, NoQuery, ResourceRegistration) -> Resource;

    /// Listing resources
    ListResources: Get "/native/v1/resources", "native:resources:list", 200,
        working(NoPath, ListResourcesQuery, Empty) -> Resources;

    /// Showing a resource
    ShowResource: Get "/native/v1/resources/{resource_id}", "native:resources:get", 200,
        working(ResourcePath, NoQuery, Empty) -> Resource;

    /// Forgetting a resource that is in no vault
    RemoveResource: Delete "/native/v1/resources/{resource_id}", "native:resources:delete", 204,
        working(ResourcePath, NoQuery, Empty) -> Empty;

    /// Registering a sharding layer and its data nodes
    RegisterInstance: Post "/native/v1/instances", "native:instances:create", 201,
        working(NoPath, NoQuery, InstanceRegistration) -> RegisteredInstance;

    /// Backing up what a sharding layer knows
    BackUpInstance: Post "/native/v1/instances/{instance_id}/backups",
        "native:instances:backup", 202,
        working(InstancePath, NoQuery, Empty) -> BackUpInstanceReply;

    /// Registering a directory of audit logs
    RegisterAuditInstance: Post "/native/v1/audit-instances", "native:auditInstances:create", 201,
        working(NoPath, NoQuery, AuditInstanceRegistration) -> RegisteredAuditInstance;

    /// Changing what is set of a directory of audit logs
    ChangeAuditInstance: Put "/native/v1/audit-instances/{instance_id}",
        "native:auditInstances:update", 200,
        working(AuditInstancePath, NoQuery, AuditInstanceChange) -> AuditInstanceSettings;

    /// Backing up what is new in a directory of audit logs
    BackUpAuditInstance: Post "/native/v1/audit-instances/{instance_id}/backups",
        "native:auditInstances:backup", 202,
        working(AuditInstancePath, NoQuery, Empty) -> BackUpAuditInstanceReply;

    /// Proving that no audit log is missing or changed
    VerifyAuditInstance: Post "/native/v1/audit-instances/{instance_id}/verifications",
        "native:auditInstances:verify", 202,
        working(AuditInstancePath, NoQuery, VerifyAuditRequest) -> TaskStarted;

    /// Showing a job about audit logs
    ShowAuditJob: Get "/native/v1/audit-jobs/{job_id}", "native:auditInstances:getJob", 200,
        working(AuditJobPath, NoQuery, Empty) -> AuditJobReply;

    /// Copying the files of a sharding layer's data nodes
    CopyDataNodes: Post "/native/v1/instances/{instance_id}/copies",
        "native:instances:copy", 202,
        working(InstancePath, NoQuery, Empty) -> CopiesStarted;

    /// Listing the copies of data nodes' files
    ListCopies: Get "/native/v1/instances/{instance_id}/copies",
        "native:instances:getCopies", 200,
        working(InstancePath, NoQuery, Empty) -> Copies;

    /// Archiving the logs of a sharding layer and its data nodes now
    ArchiveLogs: Post "/native/v1/instances/{instance_id}/logs",
        "native:instances:archive", 200,
        working(InstancePath, NoQuery, Empty) -> Logs;

    /// Showing the topology file of a sharding layer
    ShowTopology: Get "/native/v1/instances/{instance_id}/topology",
        "native:instances:getTopology", 200,
        working(InstancePath, NoQuery, Empty) -> TopologyReply;

    /// Cancelling a task
    CancelTask: Post "/native/v1/tasks/{operation_log_id}/cancel", "native:tasks:cancel", 202,
        working(TaskPath, NoQuery, Empty) -> Empty;

    /// Showing what a backup holds and what it lacks
    ShowBackupReport: Get "/native/v1/backups/{backup_id}/report", "native:backups:getReport", 200,
        working(BackupPath, NoQuery, Empty) -> BackupReport;

    /// Showing what can be brought back
    ListTrash: Get "/native/v1/trash", "native:trash:list", 200,
        working(NoPath, NoQuery, Empty) -> Trash;

    /// Bringing a deleted backup back
    UndeleteBackup: Post "/native/v1/trash/backups/{backup_id}/undelete",
        "native:backups:undelete", 204,
        working(BackupPath, NoQuery, Empty) -> Empty;

    /// Bringing a deleted vault back
    UndeleteVault: Post "/native/v1/trash/vaults/{vault_id}/undelete",
        "native:vaults:undelete", 204,
        working(VaultPath, NoQuery, Empty) -> Empty;

    /// Showing how careful the service is with a vault
    ShowVaultSafety: Get "/native/v1/vaults/{vault_id}/safety", "native:vaults:getSafety", 200,
        working(VaultPath, NoQuery, Empty) -> VaultSafety;

    /// Making the service more careful with a vault
    ChangeVaultSafety: Put "/native/v1/vaults/{vault_id}/safety", "native:vaults:changeSafety", 200,
        working(VaultPath, NoQuery, VaultSafetyChange) -> VaultSafety;

    /// Showing which backups exist on a day to come, and why the others go
    PreviewRetention: Get "/native/v1/vaults/{vault_id}/retention-preview",
        "native:vaults:getRetentionPreview", 200,
        working(VaultPath, PreviewRetentionQuery, Empty) -> RetentionPreview;

    /// Saying how long what is deleted can be brought back
    SetGrace: Put "/native/v1/grace", "native:service:setGrace", 200,
        working(NoPath, NoQuery, Grace) -> Grace;

    /// Showing what a deletion would take
    PlanDeletion: Post "/native/v1/plans", "native:plans:getPlan", 200,
        working(NoPath, NoQuery, Deed) -> Plan;

    /// Deleting what was planned
    CarryOutPlan: Post "/native/v1/plans/{token}", "native:plans:carryOut", 202,
        working(PlanPath, NoQuery, Deed) -> Empty;

    /// Restoring to a place of the operator's choice
    RestoreBackupTo: Post "/native/v1/backups/{backup_id}/restore", "native:backups:restore", 202,
        working(BackupPath, NoQuery, RestoreTo) -> TaskStarted;
}

paths! {
    /// `/native/v1/resources/{resource_id}`
    ResourcePath {
        /// The resource.
        resource_id,
    }

    /// `/native/v1/tasks/{operation_log_id}/cancel`
    TaskPath {
        /// The task.
        operation_log_id,
    }

    /// `/native/v1/backups/{backup_id}…`
    BackupPath {
        /// The backup.
        backup_id,
    }

    /// `/native/v1/vaults/{vault_id}…`
    VaultPath {
        /// The vault.
        vault_id,
    }

    /// `/native/v1/plans/{token}`
    PlanPath {
        /// The plan's token.
        token,
    }
}

words! {
    /// What a resource is.
    ResourceKind, "kind of resource" {
        /// A directory tree.
        Share = "share",
        /// A raw image file or a block device.
        Volume = "volume",
    }
}

queries! {
    /// What `PreviewRetention` looks ahead at.
    PreviewRetentionQuery {
        /// To the end of that day in UTC, `YYYY-MM-DD`; 30 days ahead if nothing is said.
        day: Option<String>,
        /// As though the vault followed this policy.
        policy_id: Option<String>,
        /// Only of this resource.
        resource_id: Option<String>,
    }

    /// Filters of `ListResources`; all of them must hold.
    ListResourcesQuery {
        /// The project.
        project_id: Option<String>,
        /// What the resource is.
        kind: Option<ResourceKind>,
        /// Its name.
        name: Option<String>,
        /// Rows in the page.
        limit: Option<Limit<1000>>,
        /// The id of the last row of the page before.
        marker: Option<String>,
    }
}

/// Whether the service can work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// Whether everything below works.
    pub healthy: bool,
    /// The program's version.
    pub version: String,
    /// What does not work, by part; empty if all does.
    #[serde(default)]
    pub problems: BTreeMap<String, String>,
}

/// Where the services are; the same object as the file `endpoints.json`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Endpoints {
    /// The region.
    pub region: String,
    /// Scheme, host and port by name of service.
    #[serde(flatten)]
    pub origins: BTreeMap<String, String>,
}

/// A resource to be registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceRegistration {
    /// The project that may protect it; the caller's if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// What it is.
    pub kind: ResourceKind,
    /// Its name, unique within project and kind.
    pub name: String,
    /// Where it is on this host, absolute.
    pub path: String,
    /// By which vaults that bind resources by themselves find it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
}

/// A registered resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    /// The resource.
    pub id: String,
    /// The project that may protect it.
    pub project_id: String,
    /// What it is.
    pub kind: ResourceKind,
    /// Its name.
    pub name: String,
    /// Where it is on this host.
    pub path: String,
    /// Its size in bytes when it was last looked at.
    pub size: u64,
}

/// The answer of `ListResources`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resources {
    /// The page.
    pub resources: Vec<Resource>,
}

/// What a backup holds and what it lacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupReport {
    /// The backup.
    pub backup_id: String,
    /// What it restores to, in bytes.
    pub logical_bytes: u64,
    /// What of that was new to the vault, in bytes before compression.
    pub unique_bytes: u64,
    /// What it added to the store, in bytes.
    pub stored_bytes: u64,
    /// How many files, directories and other entries it holds; 1 for a volume.
    pub items: u64,
    /// What could not be read; empty for a complete backup.
    pub problems: Vec<Problem>,
    /// How many problems there are, should the list be cut short.
    pub problem_count: u64,
    /// When everything that it needs was last read and found as it is said below; null before the
    /// first time.
    #[serde(default)]
    pub verified_at: Option<CbrTime>,
    /// What was lost of it then; null if nothing was.
    #[serde(default)]
    pub damage: Option<String>,
}

/// Something that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Where, inside the resource; bytes that are not UTF-8 are replaced.
    pub path: String,
    /// What happened.
    pub problem: String,
}

/// Where an operator restores to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RestoreTo {
    /// A new path on this host; in place if nothing is said.
    #[serde(default)]
    pub to: Option<String>,
    /// Only this file or directory of a share.
    #[serde(default)]
    pub inside: Option<String>,
}

/// A task that was started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskStarted {
    /// The operation log to watch.
    pub job_id: String,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn endpoints_are_a_flat_object() {
        let flat = json!({"region": "r-1", "identity": "http://h:1", "cbr": "http://h:2"});
        let endpoints: Endpoints = serde_json::from_value(flat.clone()).unwrap();
        assert_eq!(endpoints.origins["cbr"], "http://h:2");
        assert_eq!(serde_json::to_value(endpoints).unwrap(), flat);
    }

    #[test]
    fn where_to_restore_may_be_left_open() {
        let open: RestoreTo = serde_json::from_value(json!({})).unwrap();
        assert_eq!(open, RestoreTo::default());
        assert_eq!(
            serde_json::to_value(open).unwrap(),
            json!({"to": null, "inside": null})
        );
    }
}
