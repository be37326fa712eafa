//! The tags of vaults: keys with values, for people to sort vaults by.

use std::collections::BTreeMap;

use strongroom_model::{ProjectId, VaultId};

use crate::{
    error::Result,
    query::{Direction::Ascending, Filter},
    table::table,
    tx::Tx,
};

table! {
    /// A tag of a vault.
    pub struct TagRow, "vault_tags", "tag", key ["project_id", "vault_id", "key"] {
        /// The vault's project.
        project_id: ProjectId,
        /// The vault.
        vault_id: VaultId,
        /// The key, unique in the vault.
        key: String,
        /// The value; may be empty.
        value: String,
    }
}

/// The table of tags.
pub struct VaultTags<'t>(&'t Tx<'t>);

impl Tx<'_> {
    /// The tags of vaults.
    pub fn vault_tags(&self) -> VaultTags<'_> {
        VaultTags(self)
    }
}

impl VaultTags<'_> {
    /// Adds a tag, or gives the key that value.
    pub fn set(&self, row: &TagRow) -> Result<()> {
        self.0.upsert(row)
    }

    /// Removes a tag; `false` if there was none of that key.
    pub fn remove(&self, project: &ProjectId, vault: &VaultId, key: &str) -> Result<bool> {
        let tag = of_vault(project, vault).is("key", &key.to_owned());
        Ok(self.0.remove::<TagRow>(&tag)? > 0)
    }

    /// The vault's tags by key.
    pub fn of_vault(&self, project: &ProjectId, vault: &VaultId) -> Result<Vec<TagRow>> {
        self.0
            .select(&of_vault(project, vault), &[("key", Ascending)])
    }

    /// The project's keys, each with its different values, sorted.
    pub fn of_project(&self, project: &ProjectId) -> Result<BTreeMap<String, Vec<String>>> {
        let order = &[("key", Ascending), ("value", Ascending)];
        let rows: Vec<TagRow> = self
            .0
            .select(&Filter::new().is("project_id", project), order)?;
        let mut keys = BTreeMap::<String, Vec<String>>::new();
        for row in rows {
            let values = keys.entry(row.key).or_default();
            if values.last() != Some(&row.value) {
                values.push(row.value);
            }
        }
        Ok(keys)
    }

    pub(crate) fn remove_all(&self, project: &ProjectId, vault: &VaultId) -> Result<u64> {
        self.0.remove::<TagRow>(&of_vault(project, vault))
    }
}

fn of_vault(project: &ProjectId, vault: &VaultId) -> Filter {
    Filter::new()
        .is("project_id", project)
        .is("vault_id", vault)
}
