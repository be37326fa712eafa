//! The 76 operations of the vendor's document, in its order.

use super::{
    AgentPath, BackupPath, CheckpointPath, DomainNamePath, FeaturePath, MemberPath,
    OperationLogPath, OrderPath, OrganizationPolicyPath, PolicyPath, ProjectPath, ProtectablePath,
    ProtectablesPath, SourceProjectPath, VaultPath, VaultTagPath, VersionPath,
    account::{
        DomainProjectsReply, DomainReply, FeaturesQuery, FeaturesReply, MigrateDomainReply,
        MigrateDomainRequest, MigrateStatusQuery, MigrateStatusReply, RegionProjectsReply,
    },
    agent::{
        AddAgentPathReply, AddAgentPathRequest, AgentReply, CheckAgentReply, CheckAgentRequest,
        ListAgentQuery, ListAgentReply, RegisterAgentRequest, RemoveAgentPathReply,
        RemoveAgentPathRequest, UpdateAgentRequest,
    },
    backup::{
        BackupReply, ListBackupsQuery, ListBackupsReply, RestoreBackupReply, RestoreBackupRequest,
        UpdateBackupRequest,
    },
    checkpoint::{CheckpointReply, CreateCheckpointRequest},
    expiry::{UpdateExpirationTimeReply, UpdateExpirationTimeRequest},
    import::{
        ImportBackupReply, ImportBackupRequest, ImportCheckpointReply, ImportCheckpointRequest,
    },
    member::{
        AddMembersReply, AddMembersRequest, ListMembersReply, MemberReply, ShowMembersDetailQuery,
        UpdateMemberRequest,
    },
    metadata::MetadataReply,
    operation_log::{ListOpLogsQuery, ListOpLogsReply, OperationLogReply},
    order::{
        ChangeChargeModeRequest, ChangeOrderRequest, OrderReply, OrderVaultReply, UpdateOrderReply,
    },
    organization::{
        CreateOrganizationPolicyRequest, ListOrganizationPoliciesQuery,
        ListOrganizationPoliciesReply, OrganizationPolicyReply, OrganizationRolloutsReply,
        UpdateOrganizationPolicyRequest,
    },
    policy::{
        AssociatePolicyReply, AssociatePolicyRequest, CreatePolicyRequest, DissociatePolicyReply,
        DissociatePolicyRequest, ListPoliciesQuery, ListPoliciesReply, PolicyReply,
        SetVaultResourceReply, SetVaultResourceRequest, UpdatePolicyRequest,
    },
    protectable::{ListProtectableQuery, ListProtectableReply, ProtectableReply},
    replication::{
        CopyBackupReply, CopyBackupRequest, CopyCheckpointReply, CopyCheckpointRequest,
        ListExternalVaultQuery, ListExternalVaultReply, ReplicationCapabilitiesReply,
    },
    tag::{
        BatchVaultTagsRequest, CreateVaultTagsRequest, ProjectTagsReply, SearchVaultsReply,
        SearchVaultsRequest, VaultTagsReply,
    },
    usage::{ShowStorageUsageQuery, StorageUsageReply, SummaryReply},
    vault::{
        AddVaultResourceReply, AddVaultResourceRequest, BatchUpdateVaultReply,
        BatchUpdateVaultRequest, CreateVaultRequest, ListVaultQuery, ListVaultReply,
        MigrateVaultResourceReply, MigrateVaultResourceRequest, RemoveVaultResourceReply,
        RemoveVaultResourceRequest, UpdateVaultRequest, VaultReply,
    },
    version::VersionsReply,
};
use crate::{operation::Empty, path::NoPath, query::NoQuery};

operations! { Cbr;
    /// Adding Paths to an Agent
    AddAgentPath: Post "/v3/{project_id}/agents/{agent_id}/add-path", "cbr:agents:update", 200,
        working(AgentPath, NoQuery, AddAgentPathRequest) -> AddAgentPathReply;

    /// Adding a Share Member
    AddMember: Post "/v3/{project_id}/backups/{backup_id}/members", "cbr:member:create", 200,
        working(BackupPath, NoQuery, AddMembersRequest) -> AddMembersReply;

    /// Adding Resources to a Vault
    AddVaultResource: Post "/v3/{project_id}/vaults/{vault_id}/addresources",
        "cbr:vaults:addResources", 200,
        working(VaultPath, NoQuery, AddVaultResourceRequest) -> AddVaultResourceReply;

    /// Applying a Policy to a Vault
    AssociateVaultPolicy: Post "/v3/{project_id}/vaults/{vault_id}/associatepolicy",
        "cbr:vaults:associatePolicy", 200,
        working(VaultPath, NoQuery, AssociatePolicyRequest) -> AssociatePolicyReply;

    /// Adding or Deleting Tags of a Vault in a Batch
    BatchCreateAndDeleteVaultTags: Post "/v3/{project_id}/vault/{vault_id}/tags/action",
        "cbr:vaults:bulkCreateOrDeleteTags", 204,
        working(VaultPath, NoQuery, BatchVaultTagsRequest) -> Empty;

    /// Modifying All Vaults
    BatchUpdateVault: Put "/v3/{project_id}/vaults/batch-update", "cbr:vaults:update", 200,
        working(ProjectPath, NoQuery, BatchUpdateVaultRequest) -> BatchUpdateVaultReply;

    /// Changing an Order
    ChangeOrder: Post "/v3/{project_id}/orders/change", "cbr:orders:update", 200,
        working(ProjectPath, NoQuery, ChangeOrderRequest) -> OrderReply;

    /// Changing the Billing Mode of Vaults
    ChangeVaultChargeMode: Post "/v3/{project_id}/vaults/change-charge-mode",
        "cbr:orders:update", 200,
        working(ProjectPath, NoQuery, ChangeChargeModeRequest) -> OrderReply;

    /// Checking Agents
    CheckAgent: Post "/v3/{project_id}/agent/check", "cbr:agents:check", 200,
        working(ProjectPath, NoQuery, CheckAgentRequest) -> CheckAgentReply;

    /// Replicating a Backup
    CopyBackup: Post "/v3/{project_id}/backups/{backup_id}/replicate", "cbr:backups:replicate", 200,
        working(BackupPath, NoQuery, CopyBackupRequest) -> CopyBackupReply;

    /// Replicating a Restore Point
    CopyCheckpoint: Post "/v3/{project_id}/checkpoints/replicate", "cbr:vaults:replicate", 200,
        working(ProjectPath, NoQuery, CopyCheckpointRequest) -> CopyCheckpointReply;

    /// Creating a Restore Point
    CreateCheckpoint: Post "/v3/{project_id}/checkpoints", "cbr:vaults:backup", 200,
        working(ProjectPath, NoQuery, CreateCheckpointRequest) -> CheckpointReply;

    /// Creating an Organization Policy
    CreateOrganizationPolicy: Post "/v3/{project_id}/organization-policies",
        "cbr:organizationPolicies:create", 200,
        working(ProjectPath, NoQuery, CreateOrganizationPolicyRequest) -> OrganizationPolicyReply;

    /// Creating a Policy
    CreatePolicy: Post "/v3/{project_id}/policies", "cbr:policies:create", 200,
        working(ProjectPath, NoQuery, CreatePolicyRequest) -> PolicyReply;

    /// Ordering a Vault
    CreatePostPaidVault: Post "/v3/{project_id}/vaults/order", "cbr:vaults:create", 200,
        working(ProjectPath, NoQuery, CreateVaultRequest) -> OrderVaultReply;

    /// Creating a Vault
    CreateVault: Post "/v3/{project_id}/vaults", "cbr:vaults:create", 200,
        working(ProjectPath, NoQuery, CreateVaultRequest) -> VaultReply;

    /// Adding a Tag to a Vault
    CreateVaultTags: Post "/v3/{project_id}/vault/{vault_id}/tags", "cbr:vaults:setTags", 204,
        working(VaultPath, NoQuery, CreateVaultTagsRequest) -> Empty;

    /// Deleting a Backup
    DeleteBackup: Delete "/v3/{project_id}/backups/{backup_id}", "cbr:backups:delete", 204,
        working(BackupPath, NoQuery, Empty) -> Empty;

    /// Deleting a Share Member
    DeleteMember: Delete "/v3/{project_id}/backups/{backup_id}/members/{member_id}",
        "cbr:member:delete", 204,
        working(MemberPath, NoQuery, Empty) -> Empty;

    /// Deleting an Organization Policy
    DeleteOrganizationPolicy: Delete
        "/v3/{project_id}/organization-policies/{organization_policy_id}",
        "cbr:organizationPolicies:delete", 204,
        working(OrganizationPolicyPath, NoQuery, Empty) -> Empty;

    /// Deleting a Policy
    DeletePolicy: Delete "/v3/{project_id}/policies/{policy_id}", "cbr:policies:delete", 204,
        working(PolicyPath, NoQuery, Empty) -> Empty;

    /// Deleting a Vault
    DeleteVault: Delete "/v3/{project_id}/vaults/{vault_id}", "cbr:vaults:delete", 204,
        working(VaultPath, NoQuery, Empty) -> Empty;

    /// Deleting a Tag of a Vault
    DeleteVaultTag: Delete "/v3/{project_id}/vault/{vault_id}/tags/{key}",
        "cbr:vaults:deleteTags", 204,
        working(VaultTagPath, NoQuery, Empty) -> Empty;

    /// Removing a Policy from a Vault
    DisassociateVaultPolicy: Post "/v3/{project_id}/vaults/{vault_id}/dissociatepolicy",
        "cbr:vaults:dissociatePolicy", 200,
        working(VaultPath, NoQuery, DissociatePolicyRequest) -> DissociatePolicyReply;

    /// Importing Backups
    ImportBackup: Post "/v3/{project_id}/backups/sync", "cbr:backups:sync", 200,
        working(ProjectPath, NoQuery, ImportBackupRequest) -> ImportBackupReply;

    /// Importing a Restore Point
    ImportCheckpoint: Post "/v3/{project_id}/checkpoints/sync", "cbr:vaults:sync", 200,
        working(ProjectPath, NoQuery, ImportCheckpointRequest) -> ImportCheckpointReply;

    /// Querying Agents
    ListAgent: Get "/v3/{project_id}/agents", "cbr:agents:list", 200,
        working(ProjectPath, ListAgentQuery, Empty) -> ListAgentReply;

    /// Querying All Backups
    ListBackups: Get "/v3/{project_id}/backups", "cbr:backups:list", 200,
        working(ProjectPath, ListBackupsQuery, Empty) -> ListBackupsReply;

    /// Querying the Projects of an Account
    ListDomainProjects: Get "/v3/domain/{domain_name}/projects", "cbr:projects:list", 200,
        working(DomainNamePath, NoQuery, Empty) -> DomainProjectsReply;

    /// Querying Vaults of Another Region
    ListExternalVault: Get "/v3/{project_id}/vaults/external", "cbr:vaults:listExternal", 200,
        working(ProjectPath, ListExternalVaultQuery, Empty) -> ListExternalVaultReply;

    /// Querying All Features
    ListFeatures: Get "/v3/{project_id}/cbr-features", "cbr:features:list", 200,
        working(ProjectPath, FeaturesQuery, Empty) -> FeaturesReply;

    /// Querying Tasks
    ListOpLogs: Get "/v3/{project_id}/operation-logs", "cbr:tasks:list", 200,
        working(ProjectPath, ListOpLogsQuery, Empty) -> ListOpLogsReply;

    /// Querying Organization Policies
    ListOrganizationPolicies: Get "/v3/{project_id}/organization-policies",
        "cbr:organizationPolicies:list", 200,
        working(ProjectPath, ListOrganizationPoliciesQuery, Empty)
            -> ListOrganizationPoliciesReply;

    /// Querying the Roll-out of an Organization Policy
    ListOrganizationPolicyDetail: Get
        "/v3/{project_id}/organization-policies/{organization_policy_id}/policy-detail",
        "cbr:organizationPolicies:get", 200,
        working(OrganizationPolicyPath, NoQuery, Empty) -> OrganizationRolloutsReply;

    /// Querying Policies
    ListPolicies: Get "/v3/{project_id}/policies", "cbr:policies:list", 200,
        working(ProjectPath, ListPoliciesQuery, Empty) -> ListPoliciesReply;

    /// Querying the Projects of the Region
    ListProjects: Get "/v3/region-projects", "cbr:projects:list", 200,
        working(NoPath, NoQuery, Empty) -> RegionProjectsReply;

    /// Querying Protectable Resources
    ListProtectable: Get "/v3/{project_id}/protectables/{protectable_type}/instances",
        "cbr:vaults:listProtectables", 200,
        working(ProtectablesPath, ListProtectableQuery, Empty) -> ListProtectableReply;

    /// Querying the Vault List
    ListVault: Get "/v3/{project_id}/vaults", "cbr:vaults:list", 200,
        working(ProjectPath, ListVaultQuery, Empty) -> ListVaultReply;

    /// Migrating an Account
    MigrateDomain: Post "/v3/migrates", "cbr:migrates:create", 200,
        working(NoPath, NoQuery, MigrateDomainRequest) -> MigrateDomainReply;

    /// Migrating Resources to Another Vault
    MigrateVaultResource: Post "/v3/{project_id}/vaults/{vault_id}/migrateresources",
        "cbr:vaults:migrateResources", 200,
        working(VaultPath, NoQuery, MigrateVaultResourceRequest) -> MigrateVaultResourceReply;

    /// Registering an Agent
    RegisterAgent: Post "/v3/{project_id}/agents", "cbr:agents:create", 200,
        working(ProjectPath, NoQuery, RegisterAgentRequest) -> AgentReply;

    /// Removing Paths from an Agent
    RemoveAgentPath: Post "/v3/{project_id}/agents/{agent_id}/remove-path",
        "cbr:agents:update", 200,
        working(AgentPath, NoQuery, RemoveAgentPathRequest) -> RemoveAgentPathReply;

    /// Removing Resources from a Vault
    RemoveVaultResource: Post "/v3/{project_id}/vaults/{vault_id}/removeresources",
        "cbr:vaults:removeResources", 200,
        working(VaultPath, NoQuery, RemoveVaultResourceRequest) -> RemoveVaultResourceReply;

    /// Restoring Data Using a Backup
    RestoreBackup: Post "/v3/{project_id}/backups/{backup_id}/restore", "cbr:backups:restore", 202,
        working(BackupPath, NoQuery, RestoreBackupRequest) -> RestoreBackupReply;

    /// Switching Automatic Backup of Resources
    SetVaultResource: Put "/v3/{project_id}/vaults/{vault_id}/set-resources",
        "cbr:vaults:setResources", 200,
        working(VaultPath, NoQuery, SetVaultResourceRequest) -> SetVaultResourceReply;

    /// Querying a Specified Agent
    ShowAgent: Get "/v3/{project_id}/agents/{agent_id}", "cbr:agents:get", 200,
        working(AgentPath, NoQuery, Empty) -> AgentReply;

    /// Querying a Specified Backup
    ShowBackup: Get "/v3/{project_id}/backups/{backup_id}", "cbr:backups:get", 200,
        working(BackupPath, NoQuery, Empty) -> BackupReply;

    /// Querying a Restore Point
    ShowCheckpoint: Get "/v3/{project_id}/checkpoints/{checkpoint_id}", "cbr:backups:get", 200,
        working(CheckpointPath, NoQuery, Empty) -> CheckpointReply;

    /// Querying the Account of a Project
    ShowDomain: Get "/v3/domain/{source_project_id}", "cbr:domains:get", 200,
        working(SourceProjectPath, NoQuery, Empty) -> DomainReply;

    /// Querying a Specified Feature
    ShowFeature: Get "/v3/{project_id}/cbr-features/{feature_key}", "cbr:features:get", 200,
        working(FeaturePath, FeaturesQuery, Empty) -> FeaturesReply;

    /// Querying a Share Member
    ShowMemberDetail: Get "/v3/{project_id}/backups/{backup_id}/members/{member_id}",
        "cbr:member:get", 200,
        working(MemberPath, NoQuery, Empty) -> MemberReply;

    /// Querying Share Members
    ShowMembersDetail: Get "/v3/{project_id}/backups/{backup_id}/members", "cbr:member:list", 200,
        working(BackupPath, ShowMembersDetailQuery, Empty) -> ListMembersReply;

    /// Querying Backup Metadata
    ShowMetadata: Get "/v3/{project_id}/backups/{backup_id}/metadata",
        "cbr:backups:getMetadata", 200,
        working(BackupPath, NoQuery, Empty) -> MetadataReply;

    /// Querying the State of a Migration
    ShowMigrateStatus: Get "/v3/migrates", "cbr:migrates:get", 200,
        working(NoPath, MigrateStatusQuery, Empty) -> MigrateStatusReply;

    /// Querying a Single Task
    ShowOpLog: Get "/v3/{project_id}/operation-logs/{operation_log_id}", "cbr:tasks:get", 200,
        working(OperationLogPath, NoQuery, Empty) -> OperationLogReply;

    /// Querying a Specified Organization Policy
    ShowOrganizationPolicy: Get "/v3/{project_id}/organization-policies/{organization_policy_id}",
        "cbr:organizationPolicies:get", 200,
        working(OrganizationPolicyPath, NoQuery, Empty) -> OrganizationPolicyReply;

    /// Querying a Specified Policy
    ShowPolicy: Get "/v3/{project_id}/policies/{policy_id}", "cbr:policies:get", 200,
        working(PolicyPath, NoQuery, Empty) -> PolicyReply;

    /// Querying a Specified Protectable Resource
    ShowProtectable: Get "/v3/{project_id}/protectables/{protectable_type}/instances/{instance_id}",
        "cbr:vaults:getProtectables", 200,
        working(ProtectablePath, NoQuery, Empty) -> ProtectableReply;

    /// Querying the Replication Capabilities
    ShowReplicationCapabilities: Get "/v3/{project_id}/replication-capabilities",
        "cbr:backups:queryReplicationCapability", 200,
        working(ProjectPath, NoQuery, Empty) -> ReplicationCapabilitiesReply;

    /// Querying Storage Usage
    ShowStorageUsage: Get "/v3/{project_id}/storage_usage", "cbr:vaults:listStorageUsage", 200,
        working(ProjectPath, ShowStorageUsageQuery, Empty) -> StorageUsageReply;

    /// Querying the Vault Summary
    ShowSummary: Get "/v3/{project_id}/vaults/summary", "cbr:vaults:getSummary", 200,
        working(ProjectPath, NoQuery, Empty) -> SummaryReply;

    /// Querying a Specified Vault
    ShowVault: Get "/v3/{project_id}/vaults/{vault_id}", "cbr:vaults:get", 200,
        working(VaultPath, NoQuery, Empty) -> VaultReply;

    /// Querying Tags of a Project
    ShowVaultProjectTag: Get "/v3/{project_id}/vault/tags", "cbr:vaults:listProjectTags", 200,
        working(ProjectPath, NoQuery, Empty) -> ProjectTagsReply;

    /// Querying Vaults by Tag
    ShowVaultResourceInstances: Post "/v3/{project_id}/vault/resource_instances/action",
        "cbr:vaults:listResourceInstances", 200,
        working(ProjectPath, NoQuery, SearchVaultsRequest) -> SearchVaultsReply;

    /// Querying Tags of a Vault
    ShowVaultTag: Get "/v3/{project_id}/vault/{vault_id}/tags", "cbr:vaults:getTags", 200,
        working(VaultPath, NoQuery, Empty) -> VaultTagsReply;

    /// Removing an Agent
    UnregisterAgent: Delete "/v3/{project_id}/agents/{agent_id}", "cbr:agents:delete", 200,
        working(AgentPath, NoQuery, Empty) -> Empty;

    /// Modifying an Agent
    UpdateAgent: Put "/v3/{project_id}/agents/{agent_id}", "cbr:agents:update", 200,
        working(AgentPath, NoQuery, UpdateAgentRequest) -> AgentReply;

    /// Modifying a Backup
    UpdateBackup: Put "/v3/{project_id}/backups/{backup_id}", "cbr:backups:update", 200,
        working(BackupPath, NoQuery, UpdateBackupRequest) -> BackupReply;

    /// Changing the Expiry of Backups
    UpdateExpirationTime: Put "/v3/{project_id}/vaults/{vault_id}/update-backup-expiration-time",
        "cbr:vaults:updateExpirationTime", 200,
        working(VaultPath, NoQuery, UpdateExpirationTimeRequest) -> UpdateExpirationTimeReply;

    /// Accepting or Rejecting a Share
    UpdateMemberStatus: Put "/v3/{project_id}/backups/{backup_id}/members/{member_id}",
        "cbr:member:update", 200,
        working(MemberPath, NoQuery, UpdateMemberRequest) -> MemberReply;

    /// Modifying an Order
    UpdateOrder: Put "/v3/{project_id}/orders/{order_id}", "cbr:orders:update", 200,
        working(OrderPath, NoQuery, ChangeOrderRequest) -> UpdateOrderReply;

    /// Modifying an Organization Policy
    UpdateOrganizationPolicy: Put "/v3/{project_id}/organization-policies/{organization_policy_id}",
        "cbr:organizationPolicies:update", 200,
        working(OrganizationPolicyPath, NoQuery, UpdateOrganizationPolicyRequest)
            -> OrganizationPolicyReply;

    /// Modifying a Policy
    UpdatePolicy: Put "/v3/{project_id}/policies/{policy_id}", "cbr:policies:update", 200,
        working(PolicyPath, NoQuery, UpdatePolicyRequest) -> PolicyReply;

    /// Modifying a Vault
    UpdateVault: Put "/v3/{project_id}/vaults/{vault_id}", "cbr:vaults:update", 200,
        working(VaultPath, NoQuery, UpdateVaultRequest) -> VaultReply;

    /// Querying API Versions
    ListApiVersions: Get "/", public "cbr:versions:list", 300,
        working(NoPath, NoQuery, Empty) -> VersionsReply;

    /// Querying a Specified API Version
    ShowApiVersion: Get "/{api_version}", public "cbr:versions:get", 300,
        working(VersionPath, NoQuery, Empty) -> VersionsReply;
}
