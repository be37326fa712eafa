//! Policies of an organization: what an account rolls out to its projects.
//!
//! Documents: "Creating an Organization Policy", "Querying Organization Policies", "Querying the
//! Roll-out of an Organization Policy", "Modifying an Organization Policy".

use serde::{Deserialize, Serialize};

use super::{
    Limit,
    policy::{OperationDefinition, PolicyOperation, TriggerRequest},
};
use crate::{query::Offset, text::Name};

queries! {
    /// Filters of `ListOrganizationPolicies`.
    ListOrganizationPoliciesQuery {
        /// What they do; must be said.
        operation_type: Option<PolicyOperation>,
        /// Rows in the page.
        limit: Option<Limit>,
        /// Rows to skip.
        offset: Option<Offset>,
    }
}

/// The request of `CreateOrganizationPolicy`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateOrganizationPolicyRequest {
    /// The policy to be.
    pub policy: OrganizationPolicyCreate,
}

/// A policy of an organization to be (table `OrganizationPolicyCreate`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrganizationPolicyCreate {
    /// Its name.
    pub name: Name,
    /// Free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What it does.
    pub operation_type: PolicyOperation,
    /// The name of the policies in the projects.
    pub policy_name: Name,
    /// Whether they run.
    pub policy_enabled: bool,
    /// Their retention.
    pub policy_operation_definition: OperationDefinition,
    /// Their calendar.
    pub policy_trigger: TriggerRequest,
    /// The account that it applies to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective_scope: Option<String>,
}

/// The request of `UpdateOrganizationPolicy`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateOrganizationPolicyRequest {
    /// What changes.
    pub policy: OrganizationPolicyUpdate,
}

/// What can change of it (table `OrganizationPolicyUpdate`); what is missing stays.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct OrganizationPolicyUpdate {
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    /// Free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The name of the policies in the projects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_name: Option<Name>,
    /// Whether they run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_enabled: Option<bool>,
    /// Their retention; replaces all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_operation_definition: Option<OperationDefinition>,
    /// Their calendar.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_trigger: Option<TriggerRequest>,
    /// The account that it applies to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective_scope: Option<String>,
}

/// The answer about one policy of an organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrganizationPolicyReply {
    /// The policy.
    pub policy: OrganizationPolicy,
}

/// The answer of `ListOrganizationPolicies`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListOrganizationPoliciesReply {
    /// Rows over all pages.
    pub count: u64,
    /// Rows in the page at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Rows skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u32>,
    /// The page.
    pub policies: Vec<OrganizationPolicy>,
}

/// A policy of an organization (table `OrganizationPolicy`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrganizationPolicy {
    /// Free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The account.
    pub domain_id: String,
    /// The account's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain_name: Option<String>,
    /// The account that it applies to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective_scope: Option<String>,
    /// The policy.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it does.
    pub operation_type: PolicyOperation,
    /// Whether the projects' policies run.
    pub policy_enabled: bool,
    /// Their name.
    pub policy_name: String,
    /// Their retention.
    pub policy_operation_definition: OperationDefinition,
    /// Their calendar.
    pub policy_trigger: TriggerRequest,
    /// `syncing` while a project lacks it, else `available`.
    pub status: String,
}

/// The answer of `ListOrganizationPolicyDetail`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrganizationRolloutsReply {
    /// How many there are.
    pub count: u64,
    /// Always 1000: there are no pages.
    pub limit: u32,
    /// Always 0.
    pub offset: u64,
    /// What became of it in each project.
    pub policies: Vec<OrganizationRollout>,
}

/// What became of it in one project (table `OrganizationPolicyStatus`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrganizationRollout {
    /// The account.
    pub domain_id: String,
    /// The project's policy; empty if it could not be made.
    pub policy_id: String,
    /// The project.
    pub project_id: String,
    /// `available` or `failed`.
    pub status: String,
}
