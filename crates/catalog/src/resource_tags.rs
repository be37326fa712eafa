//! The tags of resources, by which vaults that bind resources by themselves find them.

use strongroom_model::{ProjectId, ResourceId};

use crate::{
    error::Result,
    query::{Direction::Ascending, Filter},
    table::table,
    tx::Tx,
};

table! {
    /// A tag of a resource.
    pub struct ResourceTagRow, "resource_tags", "tag", key ["project_id", "resource_id", "key"] {
        /// The resource's project.
        project_id: ProjectId,
        /// The resource.
        resource_id: ResourceId,
        /// The key, unique for the resource.
        key: String,
        /// The value; may be empty.
        value: String,
    }
}

/// The table of resources' tags.
pub struct ResourceTags<'t>(&'t Tx<'t>);

impl Tx<'_> {
    /// The tags of resources.
    pub fn resource_tags(&self) -> ResourceTags<'_> {
        ResourceTags(self)
    }
}

impl ResourceTags<'_> {
    /// Adds a tag, or gives the key that value.
    pub fn set(&self, row: &ResourceTagRow) -> Result<()> {
        self.0.upsert(row)
    }

    /// The resource's tags by key.
    pub fn of_resource(
        &self,
        project: &ProjectId,
        resource: &ResourceId,
    ) -> Result<Vec<ResourceTagRow>> {
        let own = Filter::new()
            .is("project_id", project)
            .is("resource_id", resource);
        self.0.select(&own, &[("key", Ascending)])
    }
}
