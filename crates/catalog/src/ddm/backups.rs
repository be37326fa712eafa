//! Backups of what sharding layers know.
//!
//! A backup says by itself whose it was, because it outlives its layer.

use serde::{Deserialize, Serialize};
use strongroom_model::{
    Bytes, DataNodeId, DdmBackupId, DdmInstanceId, ProjectId, Timestamp, state::DdmBackupStatus,
};

use crate::{
    error::Result,
    query::{
        Direction::{Ascending, Descending},
        Filter, Key, Listed, Page,
    },
    table::table,
    tx::Tx,
    value::{Field as _, Json},
};

/// A data node as a backup remembers it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataNodeName {
    /// Its id.
    pub id: DataNodeId,
    /// Its name.
    pub name: String,
}

table! {
    /// A backup of a layer's metadata.
    pub struct DdmBackupRow, "ddm_backups", "backup", key ["project_id", "id"], state status {
        /// The project that it belongs to.
        project_id: ProjectId,
        /// Its id.
        id: DdmBackupId,
        /// Its name.
        name: String,
        /// Why it was made.
        description: String,
        /// What is with it.
        status: DdmBackupStatus,
        /// `auto_metadata` or `metadata`.
        kind: String,
        /// The layer.
        instance_id: DdmInstanceId,
        /// The layer's name then.
        instance_name: String,
        /// The layer's state then.
        instance_status: String,
        /// The data nodes then.
        data_nodes: Json<Vec<DataNodeName>>,
        /// How long the document is.
        file_bytes: Bytes,
        /// Its manifest; none before it is complete.
        manifest_id: Option<String>,
        /// The instant at which it is consistent.
        taken_at: Option<Timestamp>,
        /// The file of the layer's own log then; none if it keeps none.
        log_file: Option<String>,
        /// The place in that file.
        log_offset: Option<u64>,
        /// Why there is none.
        fail_reason: Option<String>,
        /// When it was asked for.
        created_at: Timestamp,
        /// When something of it was changed last.
        updated_at: Timestamp,
        /// When it may go.
        expires_at: Option<Timestamp>,
    }
}

/// Which backups are wanted; a field left empty means "whatever".
#[derive(Clone, Debug, Default)]
pub struct DdmBackupFilter {
    /// Of this layer.
    pub instance_id: Option<DdmInstanceId>,
    /// Of layers with exactly this name.
    pub instance_name: Option<String>,
    /// With exactly this name.
    pub name: Option<String>,
}

const NEWEST: &[Key] = &[("created_at", Descending), ("id", Ascending)];

/// The table of metadata backups.
pub struct DdmBackups<'t>(&'t Tx<'t>);

impl Tx<'_> {
    /// The metadata backups.
    pub fn ddm_backups(&self) -> DdmBackups<'_> {
        DdmBackups(self)
    }
}

impl DdmBackups<'_> {
    /// Adds a backup.
    pub fn insert(&self, row: &DdmBackupRow) -> Result<()> {
        self.0.insert(row)
    }

    /// The project's backup of that id, also one that is being deleted.
    pub fn get(&self, project: &ProjectId, id: &DdmBackupId) -> Result<Option<DdmBackupRow>> {
        self.0.one(&own(project).is("id", id))
    }

    /// One page of the project's backups, the newest first; without those that are being deleted.
    pub fn list(
        &self,
        project: &ProjectId,
        filter: &DdmBackupFilter,
        page: &Page,
    ) -> Result<Listed<DdmBackupRow>> {
        let wanted = own(project)
            .maybe("instance_id", filter.instance_id.as_ref())
            .maybe("instance_name", filter.instance_name.as_ref())
            .maybe("name", filter.name.as_ref())
            .that("status <> 'deleted'");
        self.0.list(&own(project), wanted, NEWEST, page)
    }

    /// The newest good backup of a layer that shows it at that time or before.
    pub fn newest_good(
        &self,
        project: &ProjectId,
        instance: &DdmInstanceId,
        until: Timestamp,
    ) -> Result<Option<DdmBackupRow>> {
        let filter = own(project)
            .is("instance_id", instance)
            .is("status", &DdmBackupStatus::Normal)
            .that_with("taken_at <= {}", &[until.to_value()]);
        self.0
            .first(&filter, &[("taken_at", Descending), ("id", Ascending)])
    }

    /// All good backups of a layer, the oldest first.
    pub fn good(&self, project: &ProjectId, instance: &DdmInstanceId) -> Result<Vec<DdmBackupRow>> {
        let filter = own(project)
            .is("instance_id", instance)
            .is("status", &DdmBackupStatus::Normal)
            .that("taken_at IS NOT NULL");
        self.0
            .select(&filter, &[("taken_at", Ascending), ("id", Ascending)])
    }

    /// Changes a backup and returns it; `NotFound` if the project has none of that id.
    pub fn change(
        &self,
        project: &ProjectId,
        id: &DdmBackupId,
        edit: impl FnOnce(&mut DdmBackupRow),
    ) -> Result<DdmBackupRow> {
        self.0.change(&own(project).is("id", id), id, edit)
    }

    /// Removes a backup; `false` if there was none.
    pub fn remove(&self, project: &ProjectId, id: &DdmBackupId) -> Result<bool> {
        Ok(self.0.remove::<DdmBackupRow>(&own(project).is("id", id))? > 0)
    }

    /// Backups of all projects that may go by that time and are not on their way, the oldest first.
    pub fn any_project_expired(&self, now: Timestamp, limit: u32) -> Result<Vec<DdmBackupRow>> {
        let filter = Filter::new()
            .that("status IN ('normal', 'createfail')")
            .that_with("expires_at <= {}", &[now.to_value()]);
        let order: &[Key] = &[("created_at", Ascending), ("id", Ascending)];
        self.0.some(&filter, order, limit)
    }
}

fn own(project: &ProjectId) -> Filter {
    Filter::new().is("project_id", project)
}
