//! Sharding layers, the database servers behind them, and the labels on them.

use strongroom_model::{DataNodeId, DdmInstanceId, ProjectId, Timestamp, state::DdmInstanceStatus};

use crate::{
    error::Result,
    query::{Direction::Ascending, Filter, Key, Listed, Page},
    table::table,
    tx::Tx,
    value::{Field as _, Sealed},
};

table! {
    /// A sharding layer.
    pub struct DdmInstanceRow, "ddm_instances", "instance", key ["project_id", "id"], state status {
        /// The project that it is for.
        project_id: ProjectId,
        /// Its id.
        id: DdmInstanceId,
        /// Its name.
        name: String,
        /// What kind of layer it is: `spider`, `topology`.
        provider: String,
        /// The host that it listens on.
        host: String,
        /// The port that it listens on.
        port: u32,
        /// How it is reached, and its topology file if it has one, sealed.
        url_sealed: Sealed,
        /// Its version when it was last looked at.
        version: String,
        /// What it does.
        status: DdmInstanceStatus,
        /// Days that its backups are kept.
        keep_days: u32,
        /// Minutes after midnight, UTC, at which it is backed up every day.
        backup_minute: u32,
        /// When the next daily backup is due; none once it is removed.
        next_backup_at: Option<Timestamp>,
        /// When it was registered.
        created_at: Timestamp,
        /// When something of it was changed last.
        updated_at: Timestamp,
        /// When it was taken off the list; its backups live on.
        removed_at: Option<Timestamp>,
    }
}

table! {
    /// A database server behind a sharding layer.
    pub struct DataNodeRow, "ddm_data_nodes", "data node", key ["project_id", "id"] {
        /// The project that it is for.
        project_id: ProjectId,
        /// Its id.
        id: DataNodeId,
        /// The layer.
        instance_id: DdmInstanceId,
        /// Its name.
        name: String,
        /// The host that it listens on.
        host: String,
        /// The port that it listens on.
        port: u32,
        /// How it is reached, sealed.
        url_sealed: Sealed,
        /// How its files are copied, sealed; none if they are not.
        physical_sealed: Option<Sealed>,
        /// What it is: `MariaDB`, `MySQL`.
        engine: String,
        /// Its version when it was last looked at.
        version: String,
        /// `normal` or `abnormal`, when it was last looked at.
        status: String,
        /// When it was registered.
        created_at: Timestamp,
        /// When it was last looked at.
        updated_at: Timestamp,
    }
}

table! {
    /// A label on a layer.
    pub struct DdmTagRow, "ddm_tags", "tag", key ["project_id", "instance_id", "key"] {
        /// The project.
        project_id: ProjectId,
        /// The layer.
        instance_id: DdmInstanceId,
        /// The label's key.
        key: String,
        /// Its value.
        value: String,
    }
}

const BY_AGE: &[Key] = &[("created_at", Ascending), ("id", Ascending)];

/// The tables of layers, data nodes and labels.
pub struct DdmInstances<'t>(&'t Tx<'t>);

impl Tx<'_> {
    /// The sharding layers.
    pub fn ddm_instances(&self) -> DdmInstances<'_> {
        DdmInstances(self)
    }
}

impl DdmInstances<'_> {
    /// Adds a layer.
    pub fn insert(&self, row: &DdmInstanceRow) -> Result<()> {
        self.0.insert(row)
    }

    /// The project's layer of that id, removed or not.
    pub fn get(&self, project: &ProjectId, id: &DdmInstanceId) -> Result<Option<DdmInstanceRow>> {
        self.0.one(&own(project).is("id", id))
    }

    /// The project's registered layer of that name.
    pub fn named(&self, project: &ProjectId, name: &str) -> Result<Option<DdmInstanceRow>> {
        let filter = own(project)
            .is("name", &name.to_owned())
            .that("removed_at IS NULL");
        self.0.first(&filter, BY_AGE)
    }

    /// One page of the project's registered layers, the oldest first.
    pub fn list(&self, project: &ProjectId, page: &Page) -> Result<Listed<DdmInstanceRow>> {
        let filter = own(project).that("removed_at IS NULL");
        self.0.list(&own(project), filter, BY_AGE, page)
    }

    /// Changes a layer and returns it; `NotFound` if the project has none of that id.
    pub fn change(
        &self,
        project: &ProjectId,
        id: &DdmInstanceId,
        edit: impl FnOnce(&mut DdmInstanceRow),
    ) -> Result<DdmInstanceRow> {
        self.0.change(&own(project).is("id", id), id, edit)
    }

    /// The layers of all projects whose daily backup is due, the longest first; for the scheduler.
    pub fn any_project_due(&self, now: Timestamp, limit: u32) -> Result<Vec<DdmInstanceRow>> {
        let filter = Filter::new()
            .that("removed_at IS NULL")
            .that_with("next_backup_at <= {}", &[now.to_value()]);
        let order: &[Key] = &[("next_backup_at", Ascending), ("id", Ascending)];
        self.0.some(&filter, order, limit)
    }

    /// The layers of all projects that have a data node whose files are copied.
    pub fn any_project_with_points(&self) -> Result<Vec<DdmInstanceRow>> {
        let filter = Filter::new().that("removed_at IS NULL").that(
            "EXISTS (SELECT 1 FROM ddm_data_nodes AS node WHERE node.project_id = \
             ddm_instances.project_id AND node.instance_id = ddm_instances.id AND \
             node.physical_sealed IS NOT NULL)",
        );
        self.0.select(&filter, BY_AGE)
    }

    /// The layers of all projects that were taken off the list by that time and of whose points in
    /// time something is left.
    pub fn any_project_left_over(&self, until: Timestamp) -> Result<Vec<DdmInstanceRow>> {
        let of = |table: &str| {
            format!(
                "EXISTS (SELECT 1 FROM {table} AS kept WHERE kept.project_id = \
                 ddm_instances.project_id AND kept.instance_id = ddm_instances.id)"
            )
        };
        let tables = ["ddm_node_backups", "ddm_log_parts", "ddm_logs"].map(of);
        let filter = Filter::new()
            .that_with("removed_at <= {}", &[until.to_value()])
            .that(&format!("({})", tables.join(" OR ")));
        self.0.select(&filter, BY_AGE)
    }

    /// Adds a data node, or puts the server of that id behind another layer.
    pub fn set_node(&self, row: &DataNodeRow) -> Result<()> {
        self.0.upsert(row)
    }

    /// The data nodes of a layer, in the order in which they were named.
    pub fn nodes(&self, project: &ProjectId, id: &DdmInstanceId) -> Result<Vec<DataNodeRow>> {
        let order: &[Key] = &[("created_at", Ascending), ("name", Ascending)];
        self.0.select(&own(project).is("instance_id", id), order)
    }

    /// The data nodes of all the project's registered layers.
    pub fn all_nodes(&self, project: &ProjectId) -> Result<Vec<DataNodeRow>> {
        let registered = "instance_id IN (SELECT id FROM ddm_instances WHERE removed_at IS NULL)";
        let order: &[Key] = &[("created_at", Ascending), ("name", Ascending)];
        self.0.select(&own(project).that(registered), order)
    }

    /// Changes a data node and returns it; `NotFound` if the project has none of that id.
    pub fn change_node(
        &self,
        project: &ProjectId,
        id: &DataNodeId,
        edit: impl FnOnce(&mut DataNodeRow),
    ) -> Result<DataNodeRow> {
        self.0.change(&own(project).is("id", id), id, edit)
    }

    /// Puts a label on a layer, over one of the same key.
    pub fn set_tag(&self, row: &DdmTagRow) -> Result<()> {
        self.0.upsert(row)
    }

    /// Takes a label off; `false` if there was none.
    pub fn remove_tag(&self, project: &ProjectId, id: &DdmInstanceId, key: &str) -> Result<bool> {
        let filter = own(project)
            .is("instance_id", id)
            .is("key", &key.to_owned());
        Ok(self.0.remove::<DdmTagRow>(&filter)? > 0)
    }

    /// The labels of a layer, or of all the project's, by key.
    pub fn tags(&self, project: &ProjectId, id: Option<&DdmInstanceId>) -> Result<Vec<DdmTagRow>> {
        let order: &[Key] = &[("key", Ascending), ("value", Ascending)];
        self.0.select(&own(project).maybe("instance_id", id), order)
    }
}

fn own(project: &ProjectId) -> Filter {
    Filter::new().is("project_id", project)
}
