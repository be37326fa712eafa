//! Which policy a vault has, and when its next run is.

use strongroom_model::{PolicyId, ProjectId, Timestamp, VaultId};

use super::{PolicyRow, PolicyType, own};
use crate::{
    error::Result,
    query::{Direction::Ascending, Filter, Key},
    table::{Table as _, table},
    tx::Tx,
    value::Field,
};

table! {
    /// A policy's place at a vault.
    pub struct VaultPolicyRow, "vault_policies", "policy of the vault",
    key ["project_id", "vault_id", "operation_type"] {
        /// The project of both.
        project_id: ProjectId,
        /// The vault.
        vault_id: VaultId,
        /// The policy.
        policy_id: PolicyId,
        /// What it does; a vault has one of each type.
        operation_type: PolicyType,
        /// Where copies go.
        destination_vault_id: Option<VaultId>,
        /// How many runs made backups here.
        runs: u64,
        /// The next instant of its calendar; none while it does not run.
        due_at: Option<Timestamp>,
        /// When that run starts.
        start_at: Option<Timestamp>,
        /// When it was bound.
        added_at: Timestamp,
    }
}

/// A binding with its policy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Binding {
    /// The binding.
    pub place: VaultPolicyRow,
    /// The policy.
    pub policy: PolicyRow,
}

const BY_VAULT: &[Key] = &[("added_at", Ascending), ("vault_id", Ascending)];

/// A vault in the trash keeps its policies for its return, and nobody sees or runs them.
const NOT_IN_TRASH: &str = "NOT EXISTS (SELECT 1 FROM vaults WHERE vaults.id = vault_id \
                            AND vaults.trashed_at IS NOT NULL)";

/// The table of policies at vaults.
pub struct VaultPolicies<'t>(&'t Tx<'t>);

impl Tx<'_> {
    /// The policies at vaults.
    pub fn vault_policies(&self) -> VaultPolicies<'_> {
        VaultPolicies(self)
    }
}

impl VaultPolicies<'_> {
    /// Binds a policy, in the place of another one of its type.
    pub fn set(&self, row: &VaultPolicyRow) -> Result<()> {
        self.0.upsert(row)
    }

    /// The vault's policy of that type.
    pub fn get(
        &self,
        project: &ProjectId,
        vault: &VaultId,
        operation_type: PolicyType,
    ) -> Result<Option<VaultPolicyRow>> {
        let place = own(project)
            .is("vault_id", vault)
            .is("operation_type", &operation_type);
        self.0.one(&place)
    }

    /// The vaults that a policy is bound to, in the order they were bound.
    pub fn of_policy(&self, project: &ProjectId, policy: &PolicyId) -> Result<Vec<VaultPolicyRow>> {
        let bound = own(project).is("policy_id", policy).that(NOT_IN_TRASH);
        self.0.select(&bound, BY_VAULT)
    }

    /// Takes a policy from a vault; `false` if it was not bound to it.
    pub fn remove(&self, project: &ProjectId, vault: &VaultId, policy: &PolicyId) -> Result<bool> {
        let place = own(project).is("vault_id", vault).is("policy_id", policy);
        Ok(self.0.remove::<VaultPolicyRow>(&place)? > 0)
    }

    /// Takes a policy from every vault; how many there were.
    pub fn remove_policy(&self, project: &ProjectId, policy: &PolicyId) -> Result<u64> {
        self.0
            .remove::<VaultPolicyRow>(&own(project).is("policy_id", policy))
    }

    pub(crate) fn remove_vault(&self, project: &ProjectId, vault: &VaultId) -> Result<u64> {
        self.0
            .remove::<VaultPolicyRow>(&own(project).is("vault_id", vault))
    }

    /// The bindings of all projects whose next run is not after `until`, those longest due first;
    /// at most `limit`.
    pub fn any_project_due(&self, until: Timestamp, limit: u32) -> Result<Vec<Binding>> {
        let filter = Filter::new().at_most("start_at", Some(&until));
        self.bindings(filter, "start_at, vault_id", limit)
    }

    /// The bindings of all projects that have no next run although their policy is enabled; at most
    /// `limit`. Releases that did not run policies of a type left such.
    pub fn any_project_unplanned(&self, limit: u32) -> Result<Vec<Binding>> {
        let enabled = "due_at IS NULL AND EXISTS (SELECT 1 FROM policies \
                       WHERE policies.project_id = vault_policies.project_id \
                       AND policies.id = policy_id AND policies.enabled = 1)";
        self.bindings(Filter::new().that(enabled), "vault_id", limit)
    }

    /// The bindings of all projects after that vault, by vault; at most `limit`.
    pub fn any_project_page(&self, after: Option<VaultId>, limit: u32) -> Result<Vec<Binding>> {
        let filter = match after {
            None => Filter::new(),
            Some(vault) => Filter::new().that_with("vault_id > {}", &[vault.to_value()]),
        };
        self.bindings(filter, "vault_id, operation_type", limit)
    }

    /// The bindings of all projects that copy into that vault.
    pub fn any_project_into(&self, destination: &VaultId) -> Result<Vec<Binding>> {
        let filter = Filter::new().is("destination_vault_id", destination);
        self.bindings(filter, "vault_id, operation_type", u32::MAX)
    }

    fn bindings(&self, mut filter: Filter, order: &str, limit: u32) -> Result<Vec<Binding>> {
        filter = filter.that(NOT_IN_TRASH);
        let clauses = filter.sql();
        let limit = filter.bind(limit.to_value());
        let sql = format!(
            "SELECT {} FROM vault_policies{clauses} ORDER BY {order} LIMIT {limit}",
            VaultPolicyRow::COLUMNS.join(", "),
        );
        let places = self.0.query(
            VaultPolicyRow::NAME,
            &sql,
            filter.params(),
            VaultPolicyRow::read,
        )?;
        let mut found = Vec::with_capacity(places.len());
        for place in places {
            // A foreign key keeps the policy for as long as the binding is there.
            if let Some(policy) = self.0.policies().get(&place.project_id, &place.policy_id)? {
                found.push(Binding { place, policy });
            }
        }
        Ok(found)
    }
}
