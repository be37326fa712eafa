//! Labels on vaults, and vaults found by their labels.

mod query;

pub use query::{TagQuery, TagValues};

use strongroom_catalog::{self as catalog, TagRow};
use strongroom_model::VaultId;

use crate::{
    Caller, Control, Error, Listed, Page, Reason, Result, Tag, Vault, control::project, limits,
    vaults,
};

impl Control {
    /// The labels of a vault, by key.
    pub fn vault_tags(&self, caller: &Caller, id: VaultId) -> Result<Vec<Tag>> {
        let project = project(caller)?;
        self.read(|tx| {
            vaults::rows::get(tx, project, id)?;
            let rows = tx.vault_tags().of_vault(&project, &id)?;
            Ok(rows.into_iter().map(Tag::from).collect())
        })
    }

    /// Every key in the project with all its values, in order.
    pub fn project_tags(&self, caller: &Caller) -> Result<Vec<TagValues>> {
        let project = project(caller)?;
        let keys = self.read(|tx| Ok(tx.vault_tags().of_project(&project)?))?;
        Ok(keys
            .into_iter()
            .map(|(key, values)| TagValues { key, values })
            .collect())
    }

    /// Sets labels; those with the same keys are replaced.
    pub fn set_vault_tags(&self, caller: &Caller, id: VaultId, tags: Vec<Tag>) -> Result<()> {
        let project = project(caller)?;
        let tags = limits::tags("tags", tags)?;
        self.write(|tx| {
            vaults::rows::get_available(tx, project, id, Reason::VaultStateForbids)?;
            for Tag { key, value } in tags {
                let (project_id, vault_id) = (project, id);
                tx.vault_tags().set(&TagRow {
                    project_id,
                    vault_id,
                    key,
                    value,
                })?;
            }
            limits::tag_count(tx.vault_tags().of_vault(&project, &id)?.len())?;
            Ok(())
        })
    }

    /// Removes labels; missing keys are no error, and a value given must be the label's.
    pub fn remove_vault_tags(
        &self,
        caller: &Caller,
        id: VaultId,
        tags: Vec<(String, Option<String>)>,
    ) -> Result<()> {
        let project = project(caller)?;
        self.write(|tx| {
            vaults::rows::get_available(tx, project, id, Reason::VaultStateForbids)?;
            let there = tx.vault_tags().of_vault(&project, &id)?;
            for (key, value) in tags {
                let meant = |tag: &&TagRow| {
                    tag.key == key.trim()
                        && value.as_ref().is_none_or(|value| tag.value == value.trim())
                };
                if let Some(tag) = there.iter().find(meant) {
                    tx.vault_tags().remove(&project, &id, &tag.key)?;
                }
            }
            Ok(())
        })
    }

    /// Removes one label; a missing key is not found.
    pub fn delete_vault_tag(&self, caller: &Caller, id: VaultId, key: &str) -> Result<()> {
        let project = project(caller)?;
        self.write(|tx| {
            vaults::rows::get_available(tx, project, id, Reason::VaultStateForbids)?;
            if !tx.vault_tags().remove(&project, &id, key)? {
                return Err(Error::not_found(Reason::NoSuchTag, key));
            }
            Ok(())
        })
    }

    /// The vaults that match, oldest first.
    pub fn find_vaults_by_tags(
        &self,
        caller: &Caller,
        query: &TagQuery,
        page: &Page,
    ) -> Result<Listed<Vault>> {
        let project = project(caller)?;
        query.check()?;
        let filter = catalog::VaultFilter {
            cloud_type: query.cloud_type.map(String::from),
            object_type: query.object_type.map(String::from),
            ..catalog::VaultFilter::default()
        };
        self.read(|tx| {
            let all = tx
                .vaults()
                .list(&project, &filter, &catalog::Page::ALL)?
                .rows;
            let mut matching = Vec::new();
            for row in all {
                let tags = tx.vault_tags().of_vault(&project, &row.id)?;
                if query.matches(
                    &row.name,
                    &tags.into_iter().map(Tag::from).collect::<Vec<_>>(),
                ) {
                    matching.push(row);
                }
            }
            let window = page.window(matching, |row| row.id.to_string())?;
            let total = window.total;
            let items = window
                .items
                .into_iter()
                .map(|row| vaults::rows::view(tx, row));
            Ok(Listed {
                items: items.collect::<Result<_>>()?,
                total,
            })
        })
    }
}
