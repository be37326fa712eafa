//! Policies, which vaults they are bound to, and what came of each of their runs.
//!
//! A run is recorded once for a vault, a policy and an instant: the row is unique, so whichever
//! server writes it first has the work, and nobody does it twice.

mod bindings;
mod runs;

pub use bindings::{Binding, VaultPolicies, VaultPolicyRow};
pub use runs::{
    Outcome, PolicyRuns, RunRow, ScheduledBackup, ScheduledBackupRow, ScheduledBackups,
};

use strongroom_model::{PolicyId, ProjectId, Timestamp, VaultId};

use crate::{
    error::Result,
    query::{Direction::Ascending, Filter, Key, Listed, Page},
    table::table,
    tx::Tx,
    value::{Field, Json, words},
};

/// What a policy does.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum PolicyType {
    /// Makes backups.
    Backup,
    /// Copies them elsewhere.
    Replication,
}

impl PolicyType {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Backup => "backup",
            Self::Replication => "replication",
        }
    }

    /// The type of that word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Backup, Self::Replication]
            .into_iter()
            .find(|known| known.as_str() == word)
    }
}

words!(PolicyType);

table! {
    /// A policy.
    pub struct PolicyRow, "policies", "policy", key ["project_id", "id"] {
        /// Its id.
        id: PolicyId,
        /// The project it belongs to.
        project_id: ProjectId,
        /// Its name, not unique.
        name: String,
        /// What it does; never changed.
        operation_type: PolicyType,
        /// Whether it runs.
        enabled: bool,
        /// How long backups stay and where copies go, as `control` writes it.
        definition: Json<serde_json::Value>,
        /// Echoed.
        trigger_id: String,
        /// Its calendar rules, as they were sent.
        pattern: Json<Vec<String>>,
        /// Over how many minutes its starts are spread.
        start_window_minutes: Option<u32>,
        /// From when its calendar counts.
        started_at: Timestamp,
        /// When it was made.
        created_at: Timestamp,
        /// When it was last changed.
        updated_at: Timestamp,
    }
}

/// Which policies are wanted; a field left empty means "whatever".
#[derive(Clone, Debug, Default)]
pub struct PolicyFilter {
    /// That do this.
    pub operation_type: Option<PolicyType>,
    /// Bound to this vault.
    pub vault_id: Option<VaultId>,
}

impl PolicyFilter {
    fn apply(&self, filter: Filter) -> Filter {
        let filter = filter.maybe("operation_type", self.operation_type.as_ref());
        match &self.vault_id {
            None => filter,
            Some(vault) => {
                let bound = "id IN (SELECT policy_id FROM vault_policies WHERE vault_id = {})";
                filter.that_with(bound, &[vault.to_value()])
            }
        }
    }
}

const BY_AGE: &[Key] = &[("created_at", Ascending), ("id", Ascending)];

/// The table of policies.
pub struct Policies<'t>(&'t Tx<'t>);

impl Tx<'_> {
    /// The policies.
    pub fn policies(&self) -> Policies<'_> {
        Policies(self)
    }
}

impl Policies<'_> {
    /// Adds a policy.
    pub fn insert(&self, row: &PolicyRow) -> Result<()> {
        self.0.insert(row)
    }

    /// The project's policy of that id.
    pub fn get(&self, project: &ProjectId, id: &PolicyId) -> Result<Option<PolicyRow>> {
        self.0.one(&own(project).is("id", id))
    }

    /// One page of the project's policies, the oldest first.
    pub fn list(
        &self,
        project: &ProjectId,
        filter: &PolicyFilter,
        page: &Page,
    ) -> Result<Listed<PolicyRow>> {
        self.0
            .list(&own(project), filter.apply(own(project)), BY_AGE, page)
    }

    /// How many policies of that type the project has.
    pub fn count(&self, project: &ProjectId, operation_type: PolicyType) -> Result<u64> {
        self.0
            .count::<PolicyRow>(&own(project).is("operation_type", &operation_type))
    }

    /// Changes a policy and returns it; `NotFound` if the project has none of that id.
    pub fn change(
        &self,
        project: &ProjectId,
        id: &PolicyId,
        edit: impl FnOnce(&mut PolicyRow),
    ) -> Result<PolicyRow> {
        self.0.change(&own(project).is("id", id), id, edit)
    }

    /// Removes a policy; `false` if there was none. `Reference` while it is bound to a vault.
    pub fn remove(&self, project: &ProjectId, id: &PolicyId) -> Result<bool> {
        Ok(self.0.remove::<PolicyRow>(&own(project).is("id", id))? > 0)
    }
}

pub(super) fn own(project: &ProjectId) -> Filter {
    Filter::new().is("project_id", project)
}
