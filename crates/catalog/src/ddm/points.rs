//! What a point in time needs: copies of data nodes' files, and what of logs is archived.
//!
//! A log is archived in pieces. Pieces of one *epoch* follow each other without a gap; where
//! something is missing a new epoch begins.

use strongroom_model::{
    Bytes, DataNodeId, DdmBackupId, DdmInstanceId, ProjectId, Timestamp, state::DdmBackupStatus,
};

use crate::{
    error::Result,
    query::{
        Direction::{Ascending, Descending},
        Filter, Key,
    },
    table::table,
    tx::Tx,
    value::Json,
};

table! {
    /// A copy of a data node's files.
    pub struct DdmNodeBackupRow, "ddm_node_backups", "backup", key ["project_id", "id"],
    state status {
        /// The project that it belongs to.
        project_id: ProjectId,
        /// Its id.
        id: DdmBackupId,
        /// The layer.
        instance_id: DdmInstanceId,
        /// The data node.
        node_id: DataNodeId,
        /// The data node's name then.
        node_name: String,
        /// What is with it.
        status: DdmBackupStatus,
        /// How long it is.
        file_bytes: Bytes,
        /// Its manifest; none before it is complete.
        manifest_id: Option<String>,
        /// The run of the server's log that follows it; none if there is none.
        epoch: Option<u64>,
        /// The file of the log that follows it.
        log_file: Option<String>,
        /// The place in that file.
        log_offset: Option<u64>,
        /// The transactions that it holds.
        gtid: Option<String>,
        /// How far the engine's own log went.
        lsn: Option<String>,
        /// The server's clock behind it, in seconds since 1970.
        from_second: Option<i64>,
        /// Why there is none.
        fail_reason: Option<String>,
        /// When it was asked for.
        created_at: Timestamp,
        /// When something of it was changed last.
        updated_at: Timestamp,
    }
}

table! {
    /// A piece of a server's log.
    pub struct DdmLogPartRow, "ddm_log_parts", "log", key ["project_id", "server_id", "seq"] {
        /// The project that it belongs to.
        project_id: ProjectId,
        /// The data node, or the layer.
        server_id: String,
        /// Its number, rising.
        seq: u64,
        /// The layer.
        instance_id: DdmInstanceId,
        /// Which run of the log.
        epoch: u64,
        /// The server's file.
        file: String,
        /// Where it begins in the file.
        from_offset: u64,
        /// Where it ends.
        to_offset: u64,
        /// Changes of definitions: place and second.
        changes: Json<Vec<(u64, i64)>>,
        /// The server's clock when the epoch began.
        from_second: i64,
        /// Up to which second the log is whole with it.
        until_second: i64,
        /// Its manifest.
        manifest_id: String,
        /// When it was archived.
        created_at: Timestamp,
    }
}

table! {
    /// How far a server's log is archived.
    pub struct DdmLogRow, "ddm_logs", "log", key ["project_id", "server_id"] {
        /// The project that it belongs to.
        project_id: ProjectId,
        /// The data node, or the layer.
        server_id: String,
        /// The layer.
        instance_id: DdmInstanceId,
        /// What messages call the server.
        name: String,
        /// Which run of the log is being archived.
        epoch: u64,
        /// The server's clock when that began.
        from_second: i64,
        /// Up to which second it is whole.
        until_second: i64,
        /// The file that is being read; none before the first.
        file: Option<String>,
        /// How much of it is archived.
        log_offset: u64,
        /// When the file was begun, and by which server.
        head: Option<String>,
        /// What the server had done when all of its log was archived.
        gtid: Option<String>,
        /// Why it could not be read on last time.
        problem: Option<String>,
        /// The last gap: what is missing.
        gap: Option<String>,
        /// When that was seen.
        gap_at: Option<Timestamp>,
        /// When the server was last asked.
        looked_at: Timestamp,
    }
}

/// The tables of points in time.
pub struct DdmPoints<'t>(&'t Tx<'t>);

impl Tx<'_> {
    /// Copies of data nodes' files, and their logs.
    pub fn ddm_points(&self) -> DdmPoints<'_> {
        DdmPoints(self)
    }
}

const BY_AGE: &[Key] = &[("created_at", Ascending), ("id", Ascending)];
const BY_SEQ: &[Key] = &[("server_id", Ascending), ("seq", Ascending)];

impl DdmPoints<'_> {
    /// Adds a copy.
    pub fn insert_copy(&self, row: &DdmNodeBackupRow) -> Result<()> {
        self.0.insert(row)
    }

    /// The project's copy of that id.
    pub fn copy(&self, project: &ProjectId, id: &DdmBackupId) -> Result<Option<DdmNodeBackupRow>> {
        self.0.one(&own(project).is("id", id))
    }

    /// The copies of a layer's data nodes, the oldest first.
    pub fn copies(
        &self,
        project: &ProjectId,
        instance: &DdmInstanceId,
    ) -> Result<Vec<DdmNodeBackupRow>> {
        let filter = own(project).is("instance_id", instance);
        self.0.select(&filter, BY_AGE)
    }

    /// Changes a copy and returns it; `NotFound` if the project has none of that id.
    pub fn change_copy(
        &self,
        project: &ProjectId,
        id: &DdmBackupId,
        edit: impl FnOnce(&mut DdmNodeBackupRow),
    ) -> Result<DdmNodeBackupRow> {
        self.0.change(&own(project).is("id", id), id, edit)
    }

    /// Removes a copy; `false` if there was none.
    pub fn remove_copy(&self, project: &ProjectId, id: &DdmBackupId) -> Result<bool> {
        let filter = own(project).is("id", id);
        Ok(self.0.remove::<DdmNodeBackupRow>(&filter)? > 0)
    }

    /// Adds a piece of a log.
    pub fn insert_part(&self, row: &DdmLogPartRow) -> Result<()> {
        self.0.insert(row)
    }

    /// Says anew what is known of a piece of a log.
    pub fn set_part(&self, row: &DdmLogPartRow) -> Result<()> {
        self.0.upsert(row)
    }

    /// The pieces of a server's log, in order.
    pub fn parts(&self, project: &ProjectId, server: &str) -> Result<Vec<DdmLogPartRow>> {
        let filter = own(project).is("server_id", &server.to_owned());
        self.0.select(&filter, BY_SEQ)
    }

    /// The pieces of the logs of a layer and its data nodes, by server, in order.
    pub fn all_parts(
        &self,
        project: &ProjectId,
        instance: &DdmInstanceId,
    ) -> Result<Vec<DdmLogPartRow>> {
        let filter = own(project).is("instance_id", instance);
        self.0.select(&filter, BY_SEQ)
    }

    /// The last piece of a server's log.
    pub fn last_part(&self, project: &ProjectId, server: &str) -> Result<Option<DdmLogPartRow>> {
        let filter = own(project).is("server_id", &server.to_owned());
        self.0.first(&filter, &[("seq", Descending)])
    }

    /// Removes a piece of a log, if it is still that manifest; `false` if it is not there.
    pub fn remove_part(
        &self,
        project: &ProjectId,
        server: &str,
        (seq, manifest): (u64, &str),
    ) -> Result<bool> {
        let filter = own(project)
            .is("server_id", &server.to_owned())
            .is("seq", &seq)
            .is("manifest_id", &manifest.to_owned());
        Ok(self.0.remove::<DdmLogPartRow>(&filter)? > 0)
    }

    /// How far a server's log is archived.
    pub fn log(&self, project: &ProjectId, server: &str) -> Result<Option<DdmLogRow>> {
        let filter = own(project).is("server_id", &server.to_owned());
        self.0.one(&filter)
    }

    /// How far the logs of a layer and its data nodes are archived.
    pub fn logs(&self, project: &ProjectId, instance: &DdmInstanceId) -> Result<Vec<DdmLogRow>> {
        let filter = own(project).is("instance_id", instance);
        self.0
            .select(&filter, &[("name", Ascending), ("server_id", Ascending)])
    }

    /// How far the logs of all projects are archived; for the watchdog.
    pub fn any_project_logs(&self) -> Result<Vec<DdmLogRow>> {
        let order: &[Key] = &[("project_id", Ascending), ("server_id", Ascending)];
        self.0.select(&Filter::new(), order)
    }

    /// Says how far a server's log is archived.
    pub fn set_log(&self, row: &DdmLogRow) -> Result<()> {
        self.0.upsert(row)
    }

    /// Follows the logs of a layer and its data nodes no longer; how many there were.
    pub fn remove_logs(&self, project: &ProjectId, instance: &DdmInstanceId) -> Result<u64> {
        let filter = own(project).is("instance_id", instance);
        self.0.remove::<DdmLogRow>(&filter)
    }
}

fn own(project: &ProjectId) -> Filter {
    Filter::new().is("project_id", project)
}
