//! Custom policies, and whom they concern. What a document means is not this crate's business.

use strongroom_model::{DomainId, ProjectId, Timestamp, UserId};

use crate::{
    error::Result,
    query::{Direction::Ascending, Filter},
    table::table,
    tx::Tx,
    value::Field,
};

table! {
    /// A custom policy of a domain.
    pub struct PermissionPolicyRow, "permission_policies", "policy", key ["domain_id", "name"] {
        /// The domain.
        domain_id: DomainId,
        /// Its name, unique in the domain.
        name: String,
        /// The vendor's JSON, as it was given.
        document: String,
        /// When it was made.
        created_at: Timestamp,
        /// When its document was last replaced.
        updated_at: Timestamp,
    }
}

table! {
    /// A policy that concerns a user.
    pub struct PermissionGrantRow, "permission_grants", "policy of a user",
        key ["user_id", "domain_id", "policy", "project_id"] {
        /// The user.
        user_id: UserId,
        /// The domain of user and policy.
        domain_id: DomainId,
        /// The policy's name.
        policy: String,
        /// The project in which it holds; none is everywhere in the domain.
        project_id: Option<ProjectId>,
    }
}

/// The tables of custom policies.
pub struct Permissions<'t>(&'t Tx<'t>);

impl Tx<'_> {
    /// The custom policies.
    pub fn permissions(&self) -> Permissions<'_> {
        Permissions(self)
    }
}

impl Permissions<'_> {
    /// Adds a policy, or gives the one of that name another document.
    pub fn put(&self, row: &PermissionPolicyRow) -> Result<()> {
        self.0.upsert(row)
    }

    /// The domain's policy of that name.
    pub fn get(&self, domain: &DomainId, name: &str) -> Result<Option<PermissionPolicyRow>> {
        self.0.one(&named(domain, name))
    }

    /// The domain's policies by name.
    pub fn list(&self, domain: &DomainId) -> Result<Vec<PermissionPolicyRow>> {
        let own = Filter::new().is("domain_id", domain);
        self.0.select(&own, &[("name", Ascending)])
    }

    /// Removes a policy, which fails with `Reference` while it concerns somebody.
    pub fn remove(&self, domain: &DomainId, name: &str) -> Result<bool> {
        let removed = self.0.remove::<PermissionPolicyRow>(&named(domain, name))?;
        Ok(removed > 0)
    }

    /// Has a policy concern a user; that it does so already is fine.
    pub fn give(&self, row: &PermissionGrantRow) -> Result<()> {
        if self.0.count::<PermissionGrantRow>(&held(row))? == 0 {
            self.0.insert(row)
        } else {
            Ok(())
        }
    }

    /// Ends that; `false` if the policy did not concern the user there.
    pub fn take(&self, row: &PermissionGrantRow) -> Result<bool> {
        Ok(self.0.remove::<PermissionGrantRow>(&held(row))? > 0)
    }

    /// Which policies concern whom in the domain, by policy.
    pub fn grants(&self, domain: &DomainId) -> Result<Vec<PermissionGrantRow>> {
        let own = Filter::new().is("domain_id", domain);
        let order = [("policy", Ascending), ("user_id", Ascending)];
        self.0.select(&own, &order)
    }

    /// The policies that concern the user in the project, or without one those that concern it
    /// everywhere, by name. Each once.
    pub fn of_user(
        &self,
        user: &UserId,
        project: Option<&ProjectId>,
    ) -> Result<Vec<PermissionPolicyRow>> {
        let held = "EXISTS (SELECT 1 FROM permission_grants \
                    WHERE permission_grants.domain_id = permission_policies.domain_id \
                    AND policy = name AND user_id = {} \
                    AND (project_id IS NULL OR project_id = {}))";
        let values = [user.to_value(), project.copied().to_value()];
        let filter = Filter::new().that_with(held, &values);
        self.0.select(&filter, &[("name", Ascending)])
    }
}

fn named(domain: &DomainId, name: &str) -> Filter {
    Filter::new()
        .is("domain_id", domain)
        .is("name", &name.to_owned())
}

fn held(row: &PermissionGrantRow) -> Filter {
    let place = "COALESCE(project_id, '') = COALESCE({}, '')";
    Filter::new()
        .is("user_id", &row.user_id)
        .is("domain_id", &row.domain_id)
        .is("policy", &row.policy)
        .that_with(place, &[row.project_id.to_value()])
}
