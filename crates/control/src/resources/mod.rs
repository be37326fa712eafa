//! Resources: paths of the host that operators let a project protect.
//!
//! Only operators name paths; tenants use ids.

pub(crate) mod probe;

use std::{
    ffi::OsStr,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};

use strongroom_catalog::{self as catalog, ResourceRow, ResourceTagRow, Tx};
use strongroom_model::{Bytes, ProjectId, ResourceId, ResourceKind, Timestamp, VaultId};

use crate::{
    Caller, Control, Error, Listed, Page, Reason, Result, Tag,
    control::{operator, project},
    limits,
    operation_logs::OperationResource,
    page::LIMIT_MAX,
};

/// A registered resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// Its id.
    pub id: ResourceId,
    /// The project it is for.
    pub project_id: ProjectId,
    /// What it is.
    pub kind: ResourceKind,
    /// Its name.
    pub name: String,
    /// Where it is; only operators get to see it.
    pub path: Option<PathBuf>,
    /// Its size when it was last looked at.
    pub size: Bytes,
    /// The vault that holds it.
    pub vault_id: Option<VaultId>,
    /// When it was registered.
    pub created_at: Timestamp,
}

/// A resource to register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewResource {
    /// What it is.
    pub kind: ResourceKind,
    /// 1 to 255 characters; unique among the project's resources.
    pub name: String,
    /// Where it is; must exist and be of the kind.
    pub path: PathBuf,
    /// The project it is for; the caller's if absent.
    pub project_id: Option<ProjectId>,
    /// By which vaults that bind resources by themselves find it; at most 20.
    pub tags: Vec<Tag>,
}

/// Which resources to list; `None` matches all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ResourceFilter {
    /// See [`Resource`].
    pub kind: Option<ResourceKind>,
    /// Exactly this name.
    pub name: Option<String>,
}

impl Control {
    /// Registers a path; operators only.
    ///
    /// The path is resolved to the place it leads to now, must exist and be of the kind, and must
    /// not be inside a directory of the service's own. A share around such a directory is taken;
    /// its backups leave that directory out (see `jobs::own_paths`).
    pub fn register_resource(&self, caller: &Caller, new: NewResource) -> Result<Resource> {
        operator(caller)?;
        let project = new.project_id.map_or_else(|| project(caller), Ok)?;
        limits::resource_name(&new.name)?;
        let tags = limits::tags("tags", new.tags)?;
        limits::tag_count(tags.len())?;
        let (path, size) = self.probe(new.kind, &new.path)?;
        let row = ResourceRow {
            id: ResourceId::new(self.entropy()),
            project_id: project,
            kind: new.kind,
            name: new.name,
            path: path.as_os_str().as_bytes().to_vec(),
            size_bytes: size,
            created_at: self.now(),
            removed_at: None,
        };
        self.write(|tx| {
            if tx.projects().get(&project)?.is_none() {
                return Err(Error::not_found(Reason::NoSuchProject, project));
            }
            let name = Some(row.name.clone());
            let filter = catalog::ResourceFilter {
                name,
                ..catalog::ResourceFilter::default()
            };
            if tx
                .resources()
                .list(&project, &filter, &catalog::Page::ALL)?
                .total
                > 0
            {
                let about = format!("a resource called {}", row.name);
                return Err(Error::conflict(Reason::AlreadyExists, about));
            }
            tx.resources().insert(&row)?;
            for Tag { key, value } in tags {
                tx.resource_tags().set(&ResourceTagRow {
                    project_id: project,
                    resource_id: row.id,
                    key,
                    value,
                })?;
            }
            view(tx, caller, row)
        })
    }

    /// The project's resources, oldest first.
    pub fn list_resources(
        &self,
        caller: &Caller,
        filter: &ResourceFilter,
        page: &Page,
    ) -> Result<Listed<Resource>> {
        let project = project(caller)?;
        let page = page.rows(LIMIT_MAX)?;
        let ResourceFilter { kind, name } = filter.clone();
        let filter = catalog::ResourceFilter {
            kind,
            name,
            ..catalog::ResourceFilter::default()
        };
        self.read(|tx| {
            let found = tx.resources().list(&project, &filter, &page)?;
            Listed::of_rows(found, |row| view(tx, caller, row))
        })
    }

    /// One resource.
    pub fn show_resource(&self, caller: &Caller, id: ResourceId) -> Result<Resource> {
        let project = project(caller)?;
        self.read(|tx| view(tx, caller, get(tx, project, id)?))
    }

    /// Forgets a resource that no vault holds; operators only. What stands at the path stays.
    pub fn remove_resource(&self, caller: &Caller, id: ResourceId) -> Result<()> {
        operator(caller)?;
        let project = project(caller)?;
        let now = self.now();
        self.write(|tx| {
            let row = get(tx, project, id)?;
            if let Some(place) = tx.vault_resources().get(&project, &id)? {
                let about = format!("vault {} holds {}", place.vault_id, row.name);
                return Err(Error::conflict(Reason::StillInUse, about));
            }
            tx.resources()
                .change(&project, &id, |row| row.removed_at = Some(now))?;
            Ok(())
        })
    }

    /// Where a path leads to, and the size of what is there.
    fn probe(&self, kind: ResourceKind, path: &Path) -> Result<(PathBuf, Bytes)> {
        if !path.is_absolute() {
            return Err(Error::invalid("path", "must be absolute"));
        }
        let invalid = |error: &dyn std::fmt::Display| {
            Error::invalid("path", format!("{}: {error}", path.display()))
        };
        let resolved = path.canonicalize().map_err(|error| invalid(&error))?;
        if self.own_paths().iter().any(|own| resolved.starts_with(own)) {
            return Err(invalid(&"belongs to the service itself"));
        }
        let size = probe::size(kind, &resolved).map_err(|error| invalid(&error))?;
        Ok((resolved, size))
    }
}

/// The project's resource of that id that is still registered, or the refusal.
pub(crate) fn get(tx: &Tx<'_>, project: ProjectId, id: ResourceId) -> Result<ResourceRow> {
    tx.resources()
        .get(&project, &id)?
        .filter(|row| row.removed_at.is_none())
        .ok_or_else(|| Error::not_found(Reason::NoSuchResource, id))
}

/// What the caller sees of a resource.
pub(crate) fn view(tx: &Tx<'_>, caller: &Caller, row: ResourceRow) -> Result<Resource> {
    let place = tx.vault_resources().get(&row.project_id, &row.id)?;
    let path = caller.is_admin.then(|| path_of(&row));
    Ok(Resource {
        id: row.id,
        project_id: row.project_id,
        kind: row.kind,
        name: row.name,
        path,
        size: row.size_bytes,
        vault_id: place.map(|place| place.vault_id),
        created_at: row.created_at,
    })
}

/// Where a resource is.
pub(crate) fn path_of(row: &ResourceRow) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(&row.path))
}

/// A resource as a task names it.
pub(crate) fn named(row: &ResourceRow) -> OperationResource {
    OperationResource {
        id: row.id,
        kind: row.kind,
        name: row.name.clone(),
    }
}
