//! Vaults: a quota, a set of resources, tags, and the sealed key of one repository.

mod contents;
mod tags;

pub use contents::{VaultResourceRow, VaultResources};
pub use tags::{TagRow, VaultTags};

use strongroom_model::{
    Bytes, GiB, PolicyId, ProjectId, ResourceId, Timestamp, UserId, VaultId, state::VaultStatus,
};

use crate::{
    error::Result,
    query::{Direction::Ascending, Filter, Key, Listed, Page},
    table::{Row, table},
    tx::Tx,
    value::{Field, Json, Sealed},
};

table! {
    /// A vault. What has no meaning for us is kept to be echoed exactly.
    pub struct VaultRow, "vaults", "vault", key ["project_id", "id"], state status {
        /// Its id.
        id: VaultId,
        /// The project it belongs to.
        project_id: ProjectId,
        /// Who made it.
        user_id: UserId,
        /// Its name, not unique.
        name: String,
        /// What its user wrote about it.
        description: Option<String>,
        /// Where it stands.
        status: VaultStatus,
        /// The quota.
        size_gib: GiB,
        /// How much of the quota its backups use.
        used_bytes: Bytes,
        /// The kind of resources it takes, in the vendor's word (`turbo`, `disk`).
        object_type: String,
        /// `backup` or `replication`.
        protect_type: String,
        /// `crash_consistent` or `app_consistent`.
        consistent_level: String,
        /// `public` or `hybrid`.
        cloud_type: String,
        /// `post_paid` or `pre_paid`.
        charging_mode: String,
        /// Echoed.
        is_multi_az: bool,
        /// Whether resources with fitting tags join by themselves.
        auto_bind: bool,
        /// The tags for that, as they were sent.
        bind_rules: Json<Option<serde_json::Value>>,
        /// Whether the quota grows when it is used up.
        auto_expand: bool,
        /// Percent of the quota from which people are told.
        threshold: u32,
        /// Whether they are told.
        smn_notify: bool,
        /// Whether backups are kept from deletion by hand; never unset.
        locked: bool,
        /// How names of automatic backups begin.
        backup_name_prefix: Option<String>,
        /// Echoed.
        demand_billing: bool,
        /// The enterprise project; "0" is the default one.
        enterprise_project_id: String,
        /// Echoed.
        availability_zone: Option<String>,
        /// The repository's key, sealed by the master key.
        data_key_sealed: Sealed,
        /// When it was made.
        created_at: Timestamp,
        /// When it was last changed.
        updated_at: Timestamp,
        /// The region whose store holds its data; `None` is the service's own.
        region: Option<String>,
    }
}

/// Which vaults are wanted; a field left empty means "whatever".
#[derive(Clone, Debug, Default)]
pub struct VaultFilter {
    /// With one of these ids.
    pub ids: Vec<VaultId>,
    /// With exactly this name.
    pub name: Option<String>,
    /// In this state.
    pub status: Option<VaultStatus>,
    /// Of this cloud type.
    pub cloud_type: Option<String>,
    /// Of this protect type.
    pub protect_type: Option<String>,
    /// For this kind of resources.
    pub object_type: Option<String>,
    /// Of this enterprise project.
    pub enterprise_project_id: Option<String>,
    /// Holding at least one of these resources.
    pub resource_ids: Vec<ResourceId>,
    /// Bound to this policy.
    pub policy_id: Option<PolicyId>,
    /// That bind resources by themselves, or not.
    pub auto_bind: Option<bool>,
    /// In that region, or with nothing inside in the service's own.
    pub region: Option<Option<String>>,
}

impl VaultFilter {
    fn apply(&self, filter: Filter) -> Filter {
        let filter = filter
            .any("id", &self.ids)
            .maybe("name", self.name.as_ref())
            .maybe("status", self.status.as_ref())
            .maybe("cloud_type", self.cloud_type.as_ref())
            .maybe("protect_type", self.protect_type.as_ref())
            .maybe("object_type", self.object_type.as_ref())
            .maybe("enterprise_project_id", self.enterprise_project_id.as_ref())
            .maybe("auto_bind", self.auto_bind.as_ref())
            .maybe("region", self.region.as_ref().and_then(Option::as_ref));
        let filter = if self.region == Some(None) {
            filter.that("region IS NULL")
        } else {
            filter
        };
        let filter = match &self.policy_id {
            None => filter,
            Some(policy) => {
                let bound = "id IN (SELECT vault_id FROM vault_policies WHERE policy_id = {})";
                filter.that_with(bound, &[policy.to_value()])
            }
        };
        if self.resource_ids.is_empty() {
            return filter;
        }
        let places = vec!["{}"; self.resource_ids.len()].join(", ");
        let holds =
            format!("id IN (SELECT vault_id FROM vault_resources WHERE resource_id IN ({places}))");
        let ids: Vec<_> = self.resource_ids.iter().map(Field::to_value).collect();
        filter.that_with(&holds, &ids)
    }
}

const BY_AGE: &[Key] = &[("created_at", Ascending), ("id", Ascending)];

/// The table of vaults.
pub struct Vaults<'t>(&'t Tx<'t>);

impl Tx<'_> {
    /// The vaults.
    pub fn vaults(&self) -> Vaults<'_> {
        Vaults(self)
    }
}

impl Vaults<'_> {
    /// Adds a vault.
    pub fn insert(&self, row: &VaultRow) -> Result<()> {
        self.0.insert(row)
    }

    /// The project's vault of that id.
    pub fn get(&self, project: &ProjectId, id: &VaultId) -> Result<Option<VaultRow>> {
        self.0.one(&own(project).is("id", id))
    }

    /// The enterprise project of the project's vault of that id.
    pub fn enterprise_project(&self, project: &ProjectId, id: &VaultId) -> Result<Option<String>> {
        let filter = own(project).is("id", id);
        let sql = format!("SELECT enterprise_project_id FROM vaults{}", filter.sql());
        let read = |row: &mut Row| row.take("enterprise_project_id");
        Ok(self.0.query("vaults", &sql, filter.params(), read)?.pop())
    }

    /// One page of the project's vaults, the oldest first.
    pub fn list(
        &self,
        project: &ProjectId,
        filter: &VaultFilter,
        page: &Page,
    ) -> Result<Listed<VaultRow>> {
        self.0
            .list(&own(project), filter.apply(own(project)), BY_AGE, page)
    }

    /// Changes a vault and returns it.
    ///
    /// `NotFound` if the project has none of that id, `Illegal` if its state may not change so.
    pub fn change(
        &self,
        project: &ProjectId,
        id: &VaultId,
        edit: impl FnOnce(&mut VaultRow),
    ) -> Result<VaultRow> {
        self.0.change(&own(project).is("id", id), id, edit)
    }

    /// Removes a vault, from the trash too, with its tags, its policies' places and its
    /// repository's row; `false` if there was none.
    ///
    /// `Reference` if it still holds resources or backups.
    pub fn remove(&self, project: &ProjectId, id: &VaultId) -> Result<bool> {
        self.0.vault_tags().remove_all(project, id)?;
        self.0.vault_policies().remove_vault(project, id)?;
        self.0.notes().remove(project, id)?;
        self.0.checks().remove_vault(project, id)?;
        self.0.repositories().remove(project, id)?;
        let anywhere = Filter::new().is("project_id", project).is("id", id);
        Ok(self.0.remove::<VaultRow>(&anywhere)? > 0)
    }

    /// The vault of that id in any project; for operators and jobs.
    pub fn any_project_get(&self, id: &VaultId) -> Result<Option<VaultRow>> {
        self.0.one(&kept().is("id", id))
    }

    /// One page of the vaults of all projects, the oldest first; for operators and jobs.
    pub fn any_project_list(&self, filter: &VaultFilter, page: &Page) -> Result<Listed<VaultRow>> {
        self.0.list(&kept(), filter.apply(kept()), BY_AGE, page)
    }
}

/// Rows that are not in the trash: what is there was deleted, as far as anybody asks here.
fn kept() -> Filter {
    Filter::new().that("trashed_at IS NULL")
}

fn own(project: &ProjectId) -> Filter {
    kept().is("project_id", project)
}
