//! Resources: paths of the host that operators let a project protect.
//!
//! Only operators name paths; tenants use ids.

use std::path::PathBuf;

use strongroom_model::{Bytes, ProjectId, ResourceId, ResourceKind, Timestamp, VaultId};

use crate::{Caller, Control, Listed, Page, Result};

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
    pub fn register_resource(&self, caller: &Caller, new: NewResource) -> Result<Resource> {
        self.pending(caller, new)
    }

    /// The project's resources, oldest first.
    pub fn list_resources(
        &self,
        caller: &Caller,
        filter: &ResourceFilter,
        page: &Page,
    ) -> Result<Listed<Resource>> {
        self.pending(caller, (filter, page))
    }

    /// One resource.
    pub fn show_resource(&self, caller: &Caller, id: ResourceId) -> Result<Resource> {
        self.pending(caller, id)
    }

    /// Forgets a resource that no vault holds; operators only. What stands at the path stays.
    pub fn remove_resource(&self, caller: &Caller, id: ResourceId) -> Result<()> {
        self.pending(caller, id)
    }
}
