//! What can be protected: registered by operators and agents, seen by the tenants of a project.

use strongroom_model::{Bytes, ProjectId, ResourceId, ResourceKind, Timestamp};

use crate::{
    error::Result,
    query::{Direction::Ascending, Filter, Key, Listed, Page},
    table::table,
    tx::Tx,
    value::Field as _,
};

table! {
    /// A registered resource.
    pub struct ResourceRow, "resources", "resource", key ["project_id", "id"] {
        /// Its id.
        id: ResourceId,
        /// The project that may protect it.
        project_id: ProjectId,
        /// What it is.
        kind: ResourceKind,
        /// Its name, not unique.
        name: String,
        /// Where it is on this host; bytes, because paths need not be text.
        path: Vec<u8>,
        /// Its size when it was last looked at.
        size_bytes: Bytes,
        /// When it was registered.
        created_at: Timestamp,
        /// When it was taken off the list; its backups may live on.
        removed_at: Option<Timestamp>,
    }
}

/// Which resources are wanted; a field left empty means "whatever".
#[derive(Clone, Debug, Default)]
pub struct ResourceFilter {
    /// Of this kind.
    pub kind: Option<ResourceKind>,
    /// With exactly this name.
    pub name: Option<String>,
    /// With one of these ids.
    pub ids: Vec<ResourceId>,
    /// Those that were removed, too.
    pub with_removed: bool,
}

impl ResourceFilter {
    fn apply(&self, filter: Filter) -> Filter {
        let filter = filter
            .maybe("kind", self.kind.as_ref())
            .maybe("name", self.name.as_ref())
            .any("id", &self.ids);
        if self.with_removed {
            filter
        } else {
            filter.that("removed_at IS NULL")
        }
    }
}

const BY_AGE: &[Key] = &[("created_at", Ascending), ("id", Ascending)];

/// The table of resources.
pub struct Resources<'t>(&'t Tx<'t>);

impl Tx<'_> {
    /// The resources.
    pub fn resources(&self) -> Resources<'_> {
        Resources(self)
    }
}

impl Resources<'_> {
    /// Adds a resource.
    pub fn insert(&self, row: &ResourceRow) -> Result<()> {
        self.0.insert(row)
    }

    /// The project's resource of that id, removed or not.
    pub fn get(&self, project: &ProjectId, id: &ResourceId) -> Result<Option<ResourceRow>> {
        self.0.one(&own(project).is("id", id))
    }

    /// One page of the project's resources, the oldest first.
    pub fn list(
        &self,
        project: &ProjectId,
        filter: &ResourceFilter,
        page: &Page,
    ) -> Result<Listed<ResourceRow>> {
        self.0
            .list(&own(project), filter.apply(own(project)), BY_AGE, page)
    }

    /// The project's resources of a kind that are in no vault and bear one of these tags (any, if
    /// none is named), the oldest first; at most `limit`.
    pub fn free(
        &self,
        project: &ProjectId,
        kind: ResourceKind,
        tags: &[(String, String)],
        limit: u32,
    ) -> Result<Vec<ResourceRow>> {
        let mut filter = own(project)
            .is("kind", &kind)
            .that("removed_at IS NULL")
            .that("id NOT IN (SELECT resource_id FROM vault_resources)");
        if !tags.is_empty() {
            let places = vec!["(key = {} AND value = {})"; tags.len()].join(" OR ");
            let bears = format!(
                "id IN (SELECT resource_id FROM resource_tags WHERE project_id = {{}} \
                 AND ({places}))"
            );
            let mut values = vec![project.to_value()];
            for (key, value) in tags {
                values.extend([key.to_value(), value.to_value()]);
            }
            filter = filter.that_with(&bears, &values);
        }
        let page = Page {
            limit,
            ..Page::default()
        };
        Ok(self.0.list(&own(project), filter, BY_AGE, &page)?.rows)
    }

    /// Changes a resource and returns it; `NotFound` if the project has none of that id.
    pub fn change(
        &self,
        project: &ProjectId,
        id: &ResourceId,
        edit: impl FnOnce(&mut ResourceRow),
    ) -> Result<ResourceRow> {
        self.0.change(&own(project).is("id", id), id, edit)
    }

    /// The resource of that id in any project; for operators and jobs.
    pub fn any_project_get(&self, id: &ResourceId) -> Result<Option<ResourceRow>> {
        self.0.one(&Filter::new().is("id", id))
    }

    /// One page of the resources of all projects, the oldest first; for operators.
    pub fn any_project_list(
        &self,
        filter: &ResourceFilter,
        page: &Page,
    ) -> Result<Listed<ResourceRow>> {
        self.0
            .list(&Filter::new(), filter.apply(Filter::new()), BY_AGE, page)
    }
}

fn own(project: &ProjectId) -> Filter {
    Filter::new().is("project_id", project)
}
