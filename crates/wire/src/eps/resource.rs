//! What is under an enterprise project, and its moves. Here that is vaults.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

queries! {
    /// Filters of `ListMigrationRecord`.
    ListMigrationRecordQuery {
        /// At that time or later.
        start_time: Option<crate::time::CbrTime>,
        /// At that time or earlier.
        end_time: Option<crate::time::CbrTime>,
        /// Rows to skip.
        offset: Option<String>,
        /// Rows in the page.
        limit: Option<String>,
        /// Of this resource.
        resource_id: Option<String>,
    }

    /// Which services.
    ListProvidersQuery {
        /// The language of the names; one here.
        locale: Option<String>,
        /// Rows in the page.
        limit: Option<String>,
        /// Rows to skip.
        offset: Option<String>,
        /// This one.
        provider: Option<String>,
    }

    /// Where the resource is.
    AssociatedResourcesQuery {
        /// Its project.
        project_id: Option<String>,
        /// Its region.
        region_id: Option<String>,
        /// What it is.
        resource_type: Option<String>,
    }
}

/// The body of `MigrateResource`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MigrateResourceRequest {
    /// Its region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region_id: Option<String>,
    /// Its project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// The resource.
    pub resource_id: String,
    /// What it is.
    pub resource_type: String,
    /// Whether what belongs to it comes along; nothing belongs to a vault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub associated: Option<bool>,
}

/// The answer of `ListMigrationRecord`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListMigrationRecordReply {
    /// The page, the newest first.
    pub records: Vec<MigrationRecord>,
    /// Rows over all pages.
    pub total_count: u64,
}

/// A move (table `ResourceMigrateRecord`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MigrationRecord {
    /// Whether what belongs to it came along.
    pub associated: bool,
    /// The status.
    pub code: String,
    /// The status in words.
    pub message: String,
    /// The resource's project.
    pub project_id: String,
    /// Its name.
    pub project_name: String,
    /// The region.
    pub region_id: String,
    /// When.
    pub event_time: String,
    /// Who.
    pub user_name: String,
    /// What.
    pub operate_type: String,
    /// The resource.
    pub resource_id: String,
    /// Its name.
    pub resource_name: String,
    /// What it is.
    pub resource_type: String,
    /// Where the move was asked for.
    pub initiate_ep_id: String,
    /// Its name.
    pub initiate_ep_name: String,
    /// Where the resource was.
    pub origin_ep_id: String,
    /// Its name.
    pub origin_ep_name: String,
    /// Where it is.
    pub target_ep_id: String,
    /// Its name.
    pub target_ep_name: String,
    /// Whether something did not come along, as text.
    pub exist_failed: String,
}

/// The answer of `ListProviders`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListProvidersReply {
    /// The services.
    pub providers: Vec<Provider>,
    /// How many there are.
    pub total_count: u64,
}

/// A service (table `ProviderResponseBody`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provider {
    /// Its short name.
    pub provider: String,
    /// Its name.
    pub provider_i18n_display_name: String,
    /// What of it can be under an enterprise project.
    pub resource_types: Vec<ResourceType>,
}

/// A kind of resource (table `ResourceTypeBody`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceType {
    /// Its short name.
    pub resource_type: String,
    /// Its name.
    pub resource_type_i18n_display_name: String,
    /// Where it is found.
    pub regions: Vec<String>,
    /// Whether it belongs to no region.
    pub global: bool,
}

/// The answer of `ListResourceMapping`: kind of resource to service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceMappingReply {
    /// The map.
    pub resource_mapping: BTreeMap<String, String>,
}

/// The answer of `ShowAssociatedResources`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssociatedResourcesReply {
    /// The resource.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it is: the document knows servers and addresses, and a vault is neither.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// What belongs to it; nothing belongs to a vault.
    pub associated_resources: Vec<serde_json::Value>,
    /// What could not be found out.
    pub errors: Vec<serde_json::Value>,
}

/// The body of `ShowResourceBindEnterpriseProject`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilterResourcesRequest {
    /// In one of these projects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub projects: Option<Vec<String>>,
    /// Of one of these kinds.
    pub resource_types: Vec<String>,
    /// Rows to skip.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// Rows in the page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// With these texts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matches: Option<Vec<Match>>,
}

/// A text to be found in a resource (table Match).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Match {
    /// `resource_name`.
    pub key: String,
    /// The text.
    pub value: String,
}

/// The answer of `ShowResourceBindEnterpriseProject`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilterResourcesReply {
    /// The page.
    pub resources: Vec<BoundResource>,
    /// What could not be found out.
    pub errors: Vec<serde_json::Value>,
    /// Rows over all pages.
    pub total_count: u64,
}

/// A resource under an enterprise project (table Resources).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoundResource {
    /// The enterprise project.
    pub enterprise_project_id: String,
    /// The resource's project.
    pub project_id: String,
    /// Its name.
    pub project_name: String,
    /// More about it; nothing here.
    pub resource_detail: Option<serde_json::Value>,
    /// The resource.
    pub resource_id: String,
    /// Its name.
    pub resource_name: String,
    /// What it is.
    pub resource_type: String,
}
