//! Policies of an organization: what an account rolls out to each of its projects.

use serde_json::Value;
use strongroom_model::{DomainId, OrganizationPolicyId, ProjectId, Timestamp};

use crate::{
    error::Result,
    query::{Direction::Ascending, Filter, Key, Listed, Page},
    table::table,
    tx::Tx,
    value::Json,
};

table! {
    /// A policy of an organization.
    pub struct OrganizationPolicyRow, "organization_policies", "organization policy",
    key ["domain_id", "id"] {
        /// Its id.
        id: OrganizationPolicyId,
        /// The account that it belongs to.
        domain_id: DomainId,
        /// Its name.
        name: String,
        /// What was written about it.
        description: Option<String>,
        /// `backup` or `replication`.
        operation_type: String,
        /// The name of the policies that it makes.
        policy_name: String,
        /// Whether they are switched on.
        policy_enabled: bool,
        /// Their retention, as it was sent.
        definition: Json<Value>,
        /// Their schedule, as it was sent.
        policy_trigger: Json<Value>,
        /// To whom it applies, as it was sent.
        effective_scope: Option<String>,
        /// When it was made.
        created_at: Timestamp,
        /// When it was last changed.
        updated_at: Timestamp,
    }
}

table! {
    /// What became of an organization's policy in one project.
    pub struct RolloutRow, "organization_policy_rollouts", "roll-out",
    key ["organization_policy_id", "project_id"] {
        /// The organization's policy.
        organization_policy_id: OrganizationPolicyId,
        /// The project.
        project_id: ProjectId,
        /// The project's policy that came of it.
        policy_id: Option<String>,
        /// The vendor's word for how it went.
        status: String,
    }
}

const BY_AGE: &[Key] = &[("created_at", Ascending), ("id", Ascending)];

/// The table of organizations' policies.
pub struct OrganizationPolicies<'t>(&'t Tx<'t>);

impl Tx<'_> {
    /// The policies of organizations.
    pub fn organization_policies(&self) -> OrganizationPolicies<'_> {
        OrganizationPolicies(self)
    }
}

impl OrganizationPolicies<'_> {
    /// Adds a policy.
    pub fn insert(&self, row: &OrganizationPolicyRow) -> Result<()> {
        self.0.insert(row)
    }

    /// The account's policy of that id.
    pub fn get(
        &self,
        domain: &DomainId,
        id: &OrganizationPolicyId,
    ) -> Result<Option<OrganizationPolicyRow>> {
        self.0.one(&own(domain).is("id", id))
    }

    /// One page of the account's policies of one kind, the oldest first.
    pub fn list(
        &self,
        domain: &DomainId,
        operation_type: &str,
        page: &Page,
    ) -> Result<Listed<OrganizationPolicyRow>> {
        let wanted = own(domain).is("operation_type", &operation_type.to_owned());
        self.0.list(&own(domain), wanted, BY_AGE, page)
    }

    /// Changes a policy and returns it; `NotFound` if the account has none of that id.
    pub fn change(
        &self,
        domain: &DomainId,
        id: &OrganizationPolicyId,
        edit: impl FnOnce(&mut OrganizationPolicyRow),
    ) -> Result<OrganizationPolicyRow> {
        self.0.change(&own(domain).is("id", id), id, edit)
    }

    /// Removes a policy with what is known of its roll-out; `false` if there was none.
    pub fn remove(&self, domain: &DomainId, id: &OrganizationPolicyId) -> Result<bool> {
        Ok(self
            .0
            .remove::<OrganizationPolicyRow>(&own(domain).is("id", id))?
            > 0)
    }

    /// Writes down what became of a policy in a project.
    pub fn set_rollout(&self, row: &RolloutRow) -> Result<()> {
        self.0.upsert(row)
    }

    /// The policies of all accounts; for upkeep.
    pub fn any_domain(&self) -> Result<Vec<OrganizationPolicyRow>> {
        self.0.select(&Filter::new(), BY_AGE)
    }

    /// Whether a policy of the project came of a roll-out.
    pub fn has_rolled_out(&self, project: &ProjectId, policy: &str) -> Result<bool> {
        let came = Filter::new()
            .is("project_id", project)
            .is("policy_id", &policy.to_owned());
        Ok(self.0.count::<RolloutRow>(&came)? > 0)
    }

    /// What became of a policy in each project.
    pub fn rollouts(&self, id: &OrganizationPolicyId) -> Result<Vec<RolloutRow>> {
        let of = Filter::new().is("organization_policy_id", id);
        self.0.select(&of, &[("project_id", Ascending)])
    }
}

fn own(domain: &DomainId) -> Filter {
    Filter::new().is("domain_id", domain)
}
