//! What a project could protect: its registered resources, each with the vault that holds it.

use strongroom_model::ResourceId;

use crate::{Caller, Control, Listed, Page, Resource, Result, Vault, words::ProtectableType};

/// A resource and whether a vault holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct Protectable {
    /// The resource.
    pub resource: Resource,
    /// The vault that holds it; none means that it can be added to one.
    pub vault: Option<Vault>,
}

/// Which resources to list; `None` matches all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProtectableFilter {
    /// The name contains this.
    pub name: Option<String>,
    /// Only this one.
    pub id: Option<ResourceId>,
    /// The vendor's word; all of ours are active.
    pub status: Option<String>,
    /// Disks of that server; none of ours belongs to one, so any matches nothing.
    pub server_id: Option<String>,
}

impl Control {
    /// The resources of that type; at most 50 a page.
    pub fn list_protectables(
        &self,
        caller: &Caller,
        of: ProtectableType,
        filter: &ProtectableFilter,
        page: &Page,
    ) -> Result<Listed<Protectable>> {
        self.pending(caller, (of, filter, page))
    }

    /// One resource of that type.
    pub fn show_protectable(
        &self,
        caller: &Caller,
        of: ProtectableType,
        id: ResourceId,
    ) -> Result<Protectable> {
        self.pending(caller, (of, id))
    }
}
