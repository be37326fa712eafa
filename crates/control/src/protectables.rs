//! What a project could protect: its registered resources, each with the vault that holds it.

use strongroom_catalog::{self as catalog, ResourceRow, Tx};
use strongroom_model::ResourceId;

use crate::{
    Caller, Control, Error, Listed, Page, Reason, Resource, Result, Vault, control::project,
    page::LIMIT_MAX, resources, vaults, words::ProtectableType,
};

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

/// The largest `limit` here: the documents say 50, one client asks for 100 and more.
const PAGE_MAX: u32 = LIMIT_MAX;

impl Control {
    /// The resources of that type.
    pub fn list_protectables(
        &self,
        caller: &Caller,
        of: ProtectableType,
        filter: &ProtectableFilter,
        page: &Page,
    ) -> Result<Listed<Protectable>> {
        let project = project(caller)?;
        page.rows(PAGE_MAX)?;
        let active = filter
            .status
            .as_deref()
            .is_none_or(|status| status == "active");
        let (Some(kind), true, None) = (of.kind(), active, &filter.server_id) else {
            return Ok(Listed::nothing());
        };
        let rows = catalog::ResourceFilter {
            kind: Some(kind),
            ids: filter.id.into_iter().collect(),
            ..catalog::ResourceFilter::default()
        };
        let named = |row: &ResourceRow| {
            filter
                .name
                .as_ref()
                .is_none_or(|part| row.name.contains(part.as_str()))
        };
        self.read(|tx| {
            let all = tx
                .resources()
                .list(&project, &rows, &catalog::Page::ALL)?
                .rows;
            let matching = all.into_iter().filter(named).collect();
            let window = page.window(matching, |row: &ResourceRow| row.id.to_string())?;
            let total = window.total;
            let items = window.items.into_iter().map(|row| view(tx, caller, row));
            Ok(Listed {
                items: items.collect::<Result<_>>()?,
                total,
            })
        })
    }

    /// One resource of that type.
    pub fn show_protectable(
        &self,
        caller: &Caller,
        of: ProtectableType,
        id: ResourceId,
    ) -> Result<Protectable> {
        let project = project(caller)?;
        self.read(|tx| {
            let row = resources::get(tx, project, id)?;
            if of.kind() != Some(row.kind) {
                return Err(Error::not_found(Reason::NoSuchResource, id));
            }
            view(tx, caller, row)
        })
    }
}

fn view(tx: &Tx<'_>, caller: &Caller, row: ResourceRow) -> Result<Protectable> {
    let project = row.project_id;
    let resource = resources::view(tx, caller, row)?;
    let vault = match resource.vault_id {
        Some(id) => Some(vaults::rows::view(tx, vaults::rows::get(tx, project, id)?)?),
        None => None,
    };
    Ok(Protectable { resource, vault })
}
