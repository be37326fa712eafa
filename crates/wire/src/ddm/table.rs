//! The operations of the vendor's document that a backup service has to do with, and those that
//! its clients ask for on their way.

use super::{
    BackupPath, DatabasePath, InstanceBackupPath, InstancePath, JobPath, JobReply, LongPageQuery,
    NodePath, OldDatabasePath, PageQuery, ProjectPath, TagPath,
    backup::{BackupReply, ListBackupsQuery, ListBackupsReply},
    database::{
        CreateDatabaseReply, CreateDatabaseRequest, DatabaseReply, DeleteDatabaseQuery,
        DeleteDatabaseReply, ListDatabasesReply, OldDatabaseReply, SchemaMetadataReply,
        UploadMetadataReply, UploadMetadataRequest,
    },
    engine::{EnginesReply, FlavorsReply, OldEnginesReply, OldFlavorsReply, VersionsReply},
    instance::{
        DeleteDdmInstanceQuery, DeleteInstanceQuery, DeleteInstanceReply, DetailsReply,
        InstanceReply, ListDdmsReply, ListInstancesReply, RenameReply, RenameRequest,
    },
    job::{JobDetailReply, ListJobsQuery, ListJobsReply},
    node::{
        AvailableDataNodesReply, CheckConnectionsReply, CheckConnectionsRequest, ListNodesReply,
        NodeReply, OldNodeReply, UsersReply,
    },
    restore::{
        RecoverRequest, RelatedDataNodesQuery, RelatedDataNodesReply, RestorableTimesReply,
        RestoreMetadataRequest, TargetDataNodesQuery, TargetDataNodesReply, TargetInstancesReply,
    },
    tag::{ProjectTagsReply, TagValue, Tags},
};
use crate::{operation::Empty, path::NoPath, query::NoQuery};

operations! { Ddm;
    /// Querying Backups
    ListBackups: Get "/v3/{project_id}/backups", "ddm:backups:list", 200,
        working(ProjectPath, ListBackupsQuery, Empty) -> ListBackupsReply;

    /// Deleting a Backup
    DeleteBackup: Delete "/v3/{project_id}/backups/{backup_id}", "ddm:backups:delete", 202,
        working(BackupPath, NoQuery, Empty) -> JobReply;

    /// Querying Backup Details
    ShowBackup: Get "/v3/{project_id}/instances/{instance_id}/backups/{backup_id}",
        "ddm:backups:get", 200,
        working(InstanceBackupPath, NoQuery, Empty) -> BackupReply;

    /// Querying the Data Nodes of a Point in Time
    ShowRelatedDns: Get "/v3/{project_id}/instances/{instance_id}/backups/related-dn",
        "ddm:backups:getDataNodes", 200,
        working(InstancePath, RelatedDataNodesQuery, Empty) -> RelatedDataNodesReply;

    /// Querying the Times That Can Be Restored
    ShowAvalibleTime: Get
        "/v3/{project_id}/instances/{instance_id}/backups/restorable-time-interval",
        "ddm:backups:getTimes", 200,
        working(InstancePath, PageQuery, Empty) -> RestorableTimesReply;

    /// Querying the Data Nodes That Can Be Restored To
    ShowAvalibleRds: Get "/v3/{project_id}/instances/{instance_id}/backups/restorable-data-node",
        "ddm:backups:getTargets", 200,
        working(InstancePath, TargetDataNodesQuery, Empty) -> TargetDataNodesReply;

    /// Querying the Instances That Can Be Restored To
    ShowAvalibleDdms: Get "/v3/{project_id}/instances/{instance_id}/backups/restorable-instances",
        "ddm:backups:getTargets", 200,
        working(InstancePath, LongPageQuery, Empty) -> TargetInstancesReply;

    /// Restoring Data to an Existing Instance
    Restore2Exist: Post "/v3/{project_id}/instances/{instance_id}/backups/recovery",
        "ddm:backups:recover", 202,
        working(InstancePath, NoQuery, RecoverRequest) -> JobReply;

    /// Restoring Metadata
    RestoreMetadata: Post "/v3/{project_id}/instances/{instance_id}/backups/metadata-recovery",
        "ddm:backups:restore", 202,
        working(InstancePath, NoQuery, RestoreMetadataRequest) -> JobReply;

    /// Querying Jobs
    ListTasks: Get "/v3/{project_id}/jobs", "ddm:jobs:list", 200,
        working(ProjectPath, ListJobsQuery, Empty) -> ListJobsReply;

    /// Querying a Job
    ShowDdmJobResult: Get "/v3/{project_id}/jobs/{job_id}", "ddm:jobs:get", 200,
        working(JobPath, NoQuery, Empty) -> JobDetailReply;

    /// Querying Instances, Version 1
    ListInstances: Get "/v1/{project_id}/instances", "ddm:instances:list", 200,
        working(ProjectPath, PageQuery, Empty) -> ListInstancesReply;

    /// Querying Instances
    ListDdms: Get "/v3/{project_id}/instances", "ddm:instances:list", 200,
        working(ProjectPath, LongPageQuery, Empty) -> ListDdmsReply;

    /// Querying an Instance, Version 1
    ShowInstance: Get "/v1/{project_id}/instances/{instance_id}", "ddm:instances:get", 200,
        working(InstancePath, NoQuery, Empty) -> InstanceReply;

    /// Querying an Instance
    ShowDdmDetail: Get "/v3/{project_id}/instances/{instance_id}", "ddm:instances:get", 200,
        working(InstancePath, NoQuery, Empty) -> DetailsReply;

    /// Creating an Instance, Version 1
    CreateInstance: Post "/v1/{project_id}/instances", "ddm:instances:create", 200,
        refused("servers are their owners'; register one with `strongroom resource add ddm`");

    /// Creating an Instance
    CreateDdmInstance: Post "/v3/{project_id}/instances", "ddm:instances:create", 202,
        refused("servers are their owners'; register one with `strongroom resource add ddm`");

    /// Deleting an Instance, Version 1
    DeleteInstance: Delete "/v1/{project_id}/instances/{instance_id}", "ddm:instances:delete", 200,
        working(InstancePath, DeleteInstanceQuery, Empty) -> DeleteInstanceReply;

    /// Deleting an Instance
    DeleteDdmInstance: Delete "/v3/{project_id}/instances/{instance_id}",
        "ddm:instances:delete", 202,
        working(InstancePath, DeleteDdmInstanceQuery, Empty) -> JobReply;

    /// Querying Nodes
    ListNodes: Get "/v1/{project_id}/instances/{instance_id}/nodes", "ddm:nodes:list", 200,
        working(InstancePath, PageQuery, Empty) -> ListNodesReply;

    /// Querying a Node, Version 1
    ShowNode: Get "/v1/{project_id}/instances/{instance_id}/nodes/{node_id}", "ddm:nodes:get", 200,
        working(NodePath, NoQuery, Empty) -> OldNodeReply;

    /// Querying a Node
    ShowDdmNodeDetail: Get "/v3/{project_id}/instances/{instance_id}/nodes/{node_id}",
        "ddm:nodes:get", 200,
        working(NodePath, NoQuery, Empty) -> NodeReply;

    /// Querying Schemas
    ListDatabases: Get "/v1/{project_id}/instances/{instance_id}/databases",
        "ddm:databases:list", 200,
        working(InstancePath, PageQuery, Empty) -> ListDatabasesReply;

    /// Querying a Schema, Version 1
    ShowDatabase: Get "/v1/{project_id}/instances/{instance_id}/databases/{ddm_dbname}",
        "ddm:databases:get", 200,
        working(OldDatabasePath, NoQuery, Empty) -> OldDatabaseReply;

    /// Querying a Schema
    ShowInstanceDatabase: Get "/v3/{project_id}/instances/{instance_id}/databases/{database_name}",
        "ddm:databases:get", 200,
        working(DatabasePath, NoQuery, Empty) -> DatabaseReply;

    /// Creating a Schema
    CreateDdmDatabase: Post "/v3/{project_id}/instances/{instance_id}/databases",
        "ddm:databases:create", 202,
        working(InstancePath, NoQuery, CreateDatabaseRequest) -> CreateDatabaseReply;

    /// Deleting a Schema
    DeleteDdmDatabase: Delete "/v3/{project_id}/instances/{instance_id}/databases/{database_name}",
        "ddm:databases:delete", 202,
        working(DatabasePath, DeleteDatabaseQuery, Empty) -> DeleteDatabaseReply;

    /// Exporting Schemas
    DownloadSchemaMetadata: Get "/v3/{project_id}/instances/{instance_id}/schema-metadata",
        "ddm:databases:getMetadata", 200,
        working(InstancePath, NoQuery, Empty) -> SchemaMetadataReply;

    /// Importing Schemas
    UploadSchemaMetadata: Post "/v3/{project_id}/instances/{instance_id}/schema-metadata",
        "ddm:databases:import", 202,
        working(InstancePath, NoQuery, UploadMetadataRequest) -> UploadMetadataReply;

    /// Querying Engines
    ListDdmEngines: Get "/v3/{project_id}/engines", "ddm:engines:list", 200,
        working(ProjectPath, LongPageQuery, Empty) -> EnginesReply;

    /// Querying Sizes
    ListDdmFlavors: Get "/v3/{project_id}/flavors", "ddm:flavors:list", 200,
        working(ProjectPath, LongPageQuery, Empty) -> FlavorsReply;

    /// Querying Engines, Version 2
    ListEngines: Get "/v2/{project_id}/engines", "ddm:engines:list", 200,
        working(ProjectPath, PageQuery, Empty) -> OldEnginesReply;

    /// Querying Sizes, Version 2
    ListFlavors: Get "/v2/{project_id}/flavors", "ddm:flavors:list", 200,
        working(ProjectPath, PageQuery, Empty) -> OldFlavorsReply;

    /// Querying Versions of the API
    ListApiVersion: Get "/", public "ddm:versions:list", 200,
        working(NoPath, NoQuery, Empty) -> VersionsReply;

    /// Querying Data Nodes for Schemas
    ListAvailableRds: Get "/v3/{project_id}/instances/{instance_id}/available-data-nodes",
        "ddm:dataNodes:list", 200,
        working(InstancePath, LongPageQuery, Empty) -> AvailableDataNodesReply;

    /// Looking at the Data Nodes Anew
    SyncDnInformation: Post "/v3/{project_id}/instances/{instance_id}/data-nodes/sync",
        "ddm:dataNodes:sync", 200,
        working(InstancePath, NoQuery, Empty) -> Empty;

    /// Trying Accounts of Data Nodes
    CheckDataNodeConnection: Post "/v3/{project_id}/instances/{instance_id}/rds/connection",
        "ddm:dataNodes:check", 200,
        working(InstancePath, NoQuery, CheckConnectionsRequest) -> CheckConnectionsReply;

    /// Renaming an Instance
    UpdateDdmInstanceName: Put "/v3/{project_id}/instances/{instance_id}/name",
        "ddm:instances:rename", 200,
        working(InstancePath, NoQuery, RenameRequest) -> RenameReply;

    /// Restarting an Instance
    RestartDdmInstance: Post "/v3/{project_id}/instances/{instance_id}/restart",
        "ddm:instances:restart", 202,
        refused("servers are their owners', who restart them");

    /// Querying Accounts
    ListDdmUsers: Get "/v3/{project_id}/instances/{instance_id}/users", "ddm:users:list", 200,
        working(InstancePath, PageQuery, Empty) -> UsersReply;

    /// Querying the Tags of an Instance
    ListInstanceTags: Get "/v3/{project_id}/instances/{instance_id}/tags", "ddm:tags:list", 200,
        working(InstancePath, NoQuery, Empty) -> Tags;

    /// Querying the Tags of All Instances
    ListProjectTags: Get "/v3/{project_id}/instances/tags", "ddm:tags:list", 200,
        working(ProjectPath, PageQuery, Empty) -> ProjectTagsReply;

    /// Adding Tags to an Instance
    BatchCreateTags: Post "/v3/{project_id}/instances/{instance_id}/tags/create",
        "ddm:tags:create", 200,
        working(InstancePath, NoQuery, Tags) -> Empty;

    /// Deleting Tags of an Instance
    BatchDeleteTags: Post "/v3/{project_id}/instances/{instance_id}/tags/delete",
        "ddm:tags:delete", 200,
        working(InstancePath, NoQuery, Tags) -> Empty;

    /// Changing a Tag of an Instance
    UpdateTag: Put "/v3/{project_id}/instances/{instance_id}/tags/{key}", "ddm:tags:update", 200,
        working(TagPath, NoQuery, TagValue) -> Empty;
}
