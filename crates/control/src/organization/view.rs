//! What callers say about policies of an organization and what they get to see of them.

use serde::{Deserialize, Serialize};
use strongroom_catalog::{OrganizationPolicyRow, Tx};
use strongroom_model::{DomainId, OrganizationPolicyId, ProjectId};

use crate::{
    Error, Reason, Result,
    policies::{self, Definition, NewPolicy, PolicyChange},
    words::{PolicyType, stored},
};

/// A policy of an organization to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOrganizationPolicy {
    /// 1 to 64 letters, digits, `_`, `-`.
    pub name: String,
    /// Free text.
    pub description: Option<String>,
    /// The account that it applies to; this one if nothing is said, and there is no other here.
    pub effective_scope: Option<String>,
    /// What each project gets.
    pub policy: NewPolicy,
}

/// What to change; `None` leaves a field as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OrganizationPolicyChange {
    /// Of the organization's policy.
    pub name: Option<String>,
    /// Free text.
    pub description: Option<String>,
    /// See [`NewOrganizationPolicy`].
    pub effective_scope: Option<String>,
    /// What changes in each project.
    pub policy: PolicyChange,
}

/// A policy of an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganizationPolicy {
    /// Its id.
    pub id: OrganizationPolicyId,
    /// The account.
    pub domain_id: DomainId,
    /// The account's name.
    pub domain_name: String,
    /// Its name.
    pub name: String,
    /// Free text.
    pub description: Option<String>,
    /// As it was set.
    pub effective_scope: Option<String>,
    /// What it does.
    pub operation_type: PolicyType,
    /// The name of the policies in the projects.
    pub policy_name: String,
    /// Whether they run.
    pub policy_enabled: bool,
    /// Their retention.
    pub definition: Definition,
    /// Their calendar.
    pub calendar: Calendar,
    /// Whether every project has it.
    pub rolled_out: bool,
}

/// The calendar of a policy of an organization, as the catalog keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Calendar {
    /// Its rules.
    pub pattern: Vec<String>,
    /// Over how many minutes starts are spread.
    pub start_window_minutes: Option<u32>,
}

/// What became of a policy of an organization in one project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rollout {
    /// The project's policy; empty if it could not be made.
    pub policy_id: String,
    /// The project.
    pub project_id: ProjectId,
    /// The vendor's word.
    pub status: String,
}

pub(super) fn calendar_of(row: &OrganizationPolicyRow) -> Result<Calendar> {
    serde_json::from_value(row.policy_trigger.0.clone())
        .map_err(|error| Error::bug("the catalog holds an unreadable calendar", error))
}

pub(super) fn view(tx: &Tx<'_>, row: OrganizationPolicyRow) -> Result<OrganizationPolicy> {
    let domain = tx
        .domains()
        .get(&row.domain_id)?
        .ok_or_else(|| Error::not_found(Reason::NoSuchDomain, row.domain_id))?;
    Ok(OrganizationPolicy {
        domain_name: domain.name,
        operation_type: stored(&row.operation_type)?,
        definition: policies::read(&row.definition.0)?,
        calendar: calendar_of(&row)?,
        rolled_out: super::missing(tx, &row)?.is_empty(),
        id: row.id,
        domain_id: row.domain_id,
        name: row.name,
        description: row.description,
        effective_scope: row.effective_scope,
        policy_name: row.policy_name,
        policy_enabled: row.policy_enabled,
    })
}
