//! The operations of the vendor's document, in its order.

use super::{
    EnterpriseProjectPath, ResourcePath, VersionPath,
    project::{
        ActionRequest, ConfigsReply, EnterpriseProjectReply, EnterpriseProjectRequest,
        ListEnterpriseProjectQuery, ListEnterpriseProjectReply, QuotasReply,
    },
    resource::{
        AssociatedResourcesQuery, AssociatedResourcesReply, FilterResourcesReply,
        FilterResourcesRequest, ListMigrationRecordQuery, ListMigrationRecordReply,
        ListProvidersQuery, ListProvidersReply, MigrateResourceRequest, ResourceMappingReply,
    },
    version::{VersionReply, VersionsReply},
};
use crate::{operation::Empty, path::NoPath, query::NoQuery};

operations! { Eps;
    /// Creating an Enterprise Project
    CreateEnterpriseProject: Post "/v1.0/enterprise-projects", "eps:enterpriseProjects:create", 201,
        working(NoPath, NoQuery, EnterpriseProjectRequest) -> EnterpriseProjectReply;

    /// Deleting an Enterprise Project
    DeleteEnterpriseProject: Delete "/v1.0/enterprise-projects/{enterprise_project_id}",
        "eps:enterpriseProjects:delete", 204,
        working(EnterpriseProjectPath, NoQuery, Empty) -> Empty;

    /// Disabling an Enterprise Project
    DisableEnterpriseProject: Post "/v1.0/enterprise-projects/{enterprise_project_id}/action",
        "eps:enterpriseProjects:enable", 204,
        working(EnterpriseProjectPath, NoQuery, ActionRequest) -> Empty;

    /// Enabling an Enterprise Project
    EnableEnterpriseProject: Post "/v1.0/enterprise-projects/{enterprise_project_id}/action",
        "eps:enterpriseProjects:enable", 204,
        working(EnterpriseProjectPath, NoQuery, ActionRequest) -> Empty;

    /// Querying API Versions
    ListApiVersions: Get "/", public "eps:versions:list", 200,
        working(NoPath, NoQuery, Empty) -> VersionsReply;

    /// Querying Enterprise Projects
    ListEnterpriseProject: Get "/v1.0/enterprise-projects", "eps:enterpriseProjects:list", 200,
        working(NoPath, ListEnterpriseProjectQuery, Empty) -> ListEnterpriseProjectReply;

    /// Querying the Moves of Resources
    ListMigrationRecord: Get "/v1.0/enterprise-projects/migrate-record/list",
        "eps:resources:listMigrations", 200,
        working(NoPath, ListMigrationRecordQuery, Empty) -> ListMigrationRecordReply;

    /// Querying the Services That Know Enterprise Projects
    ListProviders: Get "/v1.0/enterprise-projects/providers", "eps:providers:list", 200,
        working(NoPath, ListProvidersQuery, Empty) -> ListProvidersReply;

    /// Querying the Kinds of Resources
    ListResourceMapping: Get "/v1.0/enterprise-projects/resources-mapping",
        "eps:resources:listMapping", 200,
        working(NoPath, NoQuery, Empty) -> ResourceMappingReply;

    /// Moving a Resource to an Enterprise Project
    MigrateResource: Post "/v1.0/enterprise-projects/{enterprise_project_id}/resources-migrate",
        "eps:resources:migrate", 204,
        working(EnterpriseProjectPath, NoQuery, MigrateResourceRequest) -> Empty;

    /// Querying an API Version
    ShowApiVersion: Get "/{api_version}", public "eps:versions:get", 200,
        working(VersionPath, NoQuery, Empty) -> VersionReply;

    /// Querying What Belongs to a Resource
    ShowAssociatedResources: Get "/v1.0/associated-resources/{resource_id}",
        "eps:resources:getAssociated", 200,
        working(ResourcePath, AssociatedResourcesQuery, Empty) -> AssociatedResourcesReply;

    /// Querying an Enterprise Project
    ShowEnterpriseProject: Get "/v1.0/enterprise-projects/{enterprise_project_id}",
        "eps:enterpriseProjects:get", 200,
        working(EnterpriseProjectPath, NoQuery, Empty) -> EnterpriseProjectReply;

    /// Querying the Quota
    ShowEnterpriseProjectQuota: Get "/v1.0/enterprise-projects/quotas", "eps:quotas:get", 200,
        working(NoPath, NoQuery, Empty) -> QuotasReply;

    /// Querying What the Service Supports
    ShowEpConfigs: Get "/v1/enterprise-projects/configs", "eps:configs:get", 200,
        working(NoPath, NoQuery, Empty) -> ConfigsReply;

    /// Querying the Resources of an Enterprise Project
    ShowResourceBindEnterpriseProject: Post
        "/v1.0/enterprise-projects/{enterprise_project_id}/resources/filter",
        "eps:resources:list", 200,
        working(EnterpriseProjectPath, NoQuery, FilterResourcesRequest) -> FilterResourcesReply;

    /// Modifying an Enterprise Project
    UpdateEnterpriseProject: Put "/v1.0/enterprise-projects/{enterprise_project_id}",
        "eps:enterpriseProjects:update", 200,
        working(EnterpriseProjectPath, NoQuery, EnterpriseProjectRequest) -> EnterpriseProjectReply;
}
