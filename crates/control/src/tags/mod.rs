//! Labels on vaults, and vaults found by their labels.

use strongroom_model::VaultId;

use crate::{
    Caller, Control, Listed, Page, Result, Tag, Vault,
    words::{CloudType, ObjectType},
};

/// A key with the values that satisfy it; no value means any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagValues {
    /// The key.
    pub key: String,
    /// One of these.
    pub values: Vec<String>,
}

/// Which vaults to find; all given conditions must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TagQuery {
    /// Only vaults without a tag; the other tag conditions are ignored.
    pub without_any_tag: bool,
    /// Every key holds.
    pub tags: Vec<TagValues>,
    /// At least one key holds.
    pub tags_any: Vec<TagValues>,
    /// Not every key holds.
    pub not_tags: Vec<TagValues>,
    /// No key holds.
    pub not_tags_any: Vec<TagValues>,
    /// The vault's name contains this.
    pub name_contains: Option<String>,
    /// See [`Vault`].
    pub cloud_type: Option<CloudType>,
    /// See [`Vault`].
    pub object_type: Option<ObjectType>,
}

impl Control {
    /// The labels of a vault, by key.
    pub fn vault_tags(&self, caller: &Caller, id: VaultId) -> Result<Vec<Tag>> {
        self.pending(caller, id)
    }

    /// Every key in the project with all its values, in order.
    pub fn project_tags(&self, caller: &Caller) -> Result<Vec<TagValues>> {
        self.pending(caller, ())
    }

    /// Sets labels; those with the same keys are replaced.
    pub fn set_vault_tags(&self, caller: &Caller, id: VaultId, tags: Vec<Tag>) -> Result<()> {
        self.pending(caller, (id, tags))
    }

    /// Removes labels; missing keys are no error, and a value given must be the label's.
    pub fn remove_vault_tags(
        &self,
        caller: &Caller,
        id: VaultId,
        tags: Vec<(String, Option<String>)>,
    ) -> Result<()> {
        self.pending(caller, (id, tags))
    }

    /// Removes one label; a missing key is not found.
    pub fn delete_vault_tag(&self, caller: &Caller, id: VaultId, key: &str) -> Result<()> {
        self.pending(caller, (id, key))
    }

    /// The vaults that match, oldest first.
    pub fn find_vaults_by_tags(
        &self,
        caller: &Caller,
        query: &TagQuery,
        page: &Page,
    ) -> Result<Listed<Vault>> {
        self.pending(caller, (query, page))
    }
}
