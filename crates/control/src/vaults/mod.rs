//! Vaults: quota, resources, labels, and the key of their data.

mod view;

pub use view::{AddedResource, NewVault, Tag, Vault, VaultChange, VaultFilter, VaultResource};

use strongroom_model::{ResourceId, VaultId};

use crate::{Caller, Control, Listed, Page, Result};

impl Control {
    /// Makes a vault, with its resources and tags, all or nothing.
    pub fn create_vault(&self, caller: &Caller, new: NewVault) -> Result<Vault> {
        self.pending(caller, new)
    }

    /// One vault.
    pub fn show_vault(&self, caller: &Caller, id: VaultId) -> Result<Vault> {
        self.pending(caller, id)
    }

    /// The vaults that match, oldest first.
    pub fn list_vaults(
        &self,
        caller: &Caller,
        filter: &VaultFilter,
        page: &Page,
    ) -> Result<Listed<Vault>> {
        self.pending(caller, (filter, page))
    }

    /// Changes what `change` names.
    pub fn update_vault(&self, caller: &Caller, id: VaultId, change: VaultChange) -> Result<Vault> {
        self.pending(caller, (id, change))
    }

    /// Begins to delete a vault with all its backups and its key.
    pub fn delete_vault(&self, caller: &Caller, id: VaultId) -> Result<()> {
        self.pending(caller, id)
    }

    /// Adds resources to a vault; returns their ids in the order given.
    pub fn add_vault_resources(
        &self,
        caller: &Caller,
        id: VaultId,
        resources: Vec<AddedResource>,
    ) -> Result<Vec<ResourceId>> {
        self.pending(caller, (id, resources))
    }

    /// Begins to take resources out of a vault and to delete their backups.
    pub fn remove_vault_resources(
        &self,
        caller: &Caller,
        id: VaultId,
        resources: Vec<ResourceId>,
    ) -> Result<Vec<ResourceId>> {
        self.pending(caller, (id, resources))
    }
}
