//! Which resources sit in which vault. A resource sits in one at most; the database sees to it.

use strongroom_model::{Bytes, ProjectId, ResourceId, Timestamp, VaultId, state::ProtectStatus};

use crate::{
    error::Result,
    query::{Direction::Ascending, Filter, Key},
    resources::ResourceRow,
    table::table,
    tx::Tx,
    value::Json,
};

table! {
    /// A resource's place in a vault.
    pub struct VaultResourceRow, "vault_resources", "resource of the vault",
    key ["project_id", "vault_id", "resource_id"], state protect_status {
        /// The project of both.
        project_id: ProjectId,
        /// The vault.
        vault_id: VaultId,
        /// The resource.
        resource_id: ResourceId,
        /// What is being done with it.
        protect_status: ProtectStatus,
        /// What was sent with it, to be echoed.
        extra_info: Json<serde_json::Value>,
        /// The size of its backups in this vault.
        backup_size_bytes: Bytes,
        /// The number of its backups in this vault.
        backup_count: u64,
        /// When it was added.
        added_at: Timestamp,
        /// Whether the vault's policy covers it.
        auto_protect: bool,
    }
}

const BY_AGE: &[Key] = &[("added_at", Ascending), ("resource_id", Ascending)];

/// The table of the resources in vaults.
pub struct VaultResources<'t>(&'t Tx<'t>);

impl Tx<'_> {
    /// The resources in vaults.
    pub fn vault_resources(&self) -> VaultResources<'_> {
        VaultResources(self)
    }
}

impl VaultResources<'_> {
    /// Puts a resource into a vault; `Duplicate` if it sits in one already.
    pub fn insert(&self, row: &VaultResourceRow) -> Result<()> {
        self.0.insert(row)
    }

    /// The place of a resource, in whichever vault of the project.
    pub fn get(
        &self,
        project: &ProjectId,
        resource: &ResourceId,
    ) -> Result<Option<VaultResourceRow>> {
        self.0.one(&own(project).is("resource_id", resource))
    }

    /// What the vault holds, each place with its resource, in the order they were added.
    pub fn of_vault(
        &self,
        project: &ProjectId,
        vault: &VaultId,
    ) -> Result<Vec<(VaultResourceRow, ResourceRow)>> {
        let places: Vec<VaultResourceRow> =
            self.0.select(&own(project).is("vault_id", vault), BY_AGE)?;
        let mut found = Vec::with_capacity(places.len());
        for place in places {
            // A foreign key keeps the resource's row for as long as the place is there.
            if let Some(resource) = self.0.resources().get(project, &place.resource_id)? {
                found.push((place, resource));
            }
        }
        Ok(found)
    }

    /// Changes a place and returns it.
    ///
    /// `NotFound` if the vault does not hold it, `Illegal` if its state may not change so.
    pub fn change(
        &self,
        project: &ProjectId,
        vault: &VaultId,
        resource: &ResourceId,
        edit: impl FnOnce(&mut VaultResourceRow),
    ) -> Result<VaultResourceRow> {
        let place = own(project)
            .is("vault_id", vault)
            .is("resource_id", resource);
        self.0.change(&place, resource, edit)
    }

    /// Takes a resource out of a vault; `false` if it was not there.
    pub fn remove(
        &self,
        project: &ProjectId,
        vault: &VaultId,
        resource: &ResourceId,
    ) -> Result<bool> {
        let place = own(project)
            .is("vault_id", vault)
            .is("resource_id", resource);
        Ok(self.0.remove::<VaultResourceRow>(&place)? > 0)
    }
}

fn own(project: &ProjectId) -> Filter {
    Filter::new().is("project_id", project)
}
