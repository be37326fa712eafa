//! Copies of data nodes' files: ordered every day, when somebody asks, and when a log begins anew.

use serde_json::json;
use strongroom_catalog::{DataNodeRow, DdmInstanceRow, DdmNodeBackupRow, Tx};
use strongroom_model::{
    Bytes, DataNodeId, DdmBackupId, DdmInstanceId, JobId, Timestamp, state::DdmBackupStatus,
};

use crate::{
    Caller, Control, Error, Reason, Result,
    control::project,
    ddm::{backups::Why, get, pieces::ripe, points::Points, recovery, tasks},
    jobs::{
        self,
        params::{DdmLogs, depot_key},
    },
};

/// What failed is not tried again before; the daily one and orders come all the same.
const AGAIN_SECONDS: i64 = 3600;
/// Definitions that change all the time are not backed up more often than that.
const CHANGES_SECONDS: i64 = 300;

/// A copy of a data node's files, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copy {
    /// Its id.
    pub id: DdmBackupId,
    /// The data node.
    pub node_id: DataNodeId,
    /// The data node's name then.
    pub node_name: String,
    /// What is with it.
    pub status: DdmBackupStatus,
    /// How long it is.
    pub file_bytes: Bytes,
    /// From when on it can be rolled forward; none if the server keeps no log.
    pub from: Option<Timestamp>,
    /// The transactions that it holds.
    pub gtid: Option<String>,
    /// Why there is none.
    pub fail_reason: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
}

impl Control {
    /// Orders a copy of the files of each data node of a layer that can be copied.
    pub fn copy_nodes(
        &self,
        caller: &Caller,
        id: DdmInstanceId,
    ) -> Result<Vec<(DdmBackupId, JobId)>> {
        let project = project(caller)?;
        self.order(|tx| {
            let row = get(tx, project, id)?;
            let ordered = self.order_copies(tx, &row)?;
            if ordered.is_empty() {
                let why = format!(
                    "no data node of {} can be copied: register it with the data directories of \
                     its data nodes",
                    row.name
                );
                return Err(Error::conflict(Reason::InstanceUnfit, why));
            }
            Ok(ordered)
        })
    }

    /// The copies of a layer's data nodes, the oldest first.
    pub fn list_copies(&self, caller: &Caller, id: DdmInstanceId) -> Result<Vec<Copy>> {
        let project = project(caller)?;
        self.read(|tx| {
            let known = tx.ddm_instances().get(&project, &id)?;
            known.ok_or_else(|| Error::not_found(Reason::NoSuchInstance, id))?;
            let rows = tx.ddm_points().copies(&project, &id)?;
            Ok(rows.into_iter().map(view).collect())
        })
    }

    /// Writes a copy and its job for each data node that can be copied.
    pub(crate) fn order_copies(
        &self,
        tx: &Tx<'_>,
        instance: &DdmInstanceRow,
    ) -> Result<Vec<(DdmBackupId, JobId)>> {
        let nodes = tx
            .ddm_instances()
            .nodes(&instance.project_id, &instance.id)?;
        let copyable = nodes.iter().filter(|node| node.physical_sealed.is_some());
        copyable
            .map(|node| self.order_copy(tx, instance, node))
            .collect()
    }

    fn order_copy(
        &self,
        tx: &Tx<'_>,
        instance: &DdmInstanceRow,
        node: &DataNodeRow,
    ) -> Result<(DdmBackupId, JobId)> {
        let now = self.now();
        let row = DdmNodeBackupRow {
            project_id: instance.project_id,
            id: DdmBackupId::new(self.entropy()),
            instance_id: instance.id,
            node_id: node.id,
            node_name: node.name.clone(),
            status: DdmBackupStatus::Creating,
            file_bytes: Bytes(0),
            manifest_id: None,
            epoch: None,
            log_file: None,
            log_offset: None,
            gtid: None,
            lsn: None,
            from_second: None,
            fail_reason: None,
            created_at: now,
            updated_at: now,
        };
        tx.ddm_points().insert_copy(&row)?;
        let order = tasks::Order {
            kind: jobs::DDM_COPY,
            name: "createDataNodeBackup",
            instance,
            database: None,
        };
        let params = jobs::params::DdmCopy {
            project: instance.project_id,
            instance: instance.id,
            node: node.id,
            copy: row.id,
        };
        // A long copy stands in the way of other copies of that server alone.
        let behind = Some(format!("ddm-node:{}", node.id));
        let job = tasks::order_behind(self, tx, &order, behind, &params)?;
        Ok((row.id, job))
    }

    /// Orders that what no point in time needs any more goes.
    pub(crate) fn order_trim(&self, tx: &Tx<'_>, instance: &DdmInstanceRow) -> Result<JobId> {
        let order = tasks::Order {
            kind: jobs::DDM_TRIM,
            name: "deleteConsistentBackup",
            instance,
            database: None,
        };
        let params = of_logs(instance);
        let behind = Some(depot_key(instance.project_id));
        tasks::order_behind(self, tx, &order, behind, &params)
    }

    /// The same, unless it was ordered within the hour.
    pub(crate) fn order_trim_once(&self, tx: &Tx<'_>, instance: &DdmInstanceRow) -> Result<()> {
        if !self.is_recent(tx, instance, jobs::DDM_TRIM)? {
            self.order_trim(tx, instance)?;
        }
        Ok(())
    }

    /// Whether such a job about the layer's logs has not ended, or was ordered within the hour.
    fn is_recent(&self, tx: &Tx<'_>, instance: &DdmInstanceRow, kind: &str) -> Result<bool> {
        let params = json!(of_logs(instance));
        let hour_ago = self.now().plus_seconds(-AGAIN_SECONDS);
        let recent = tx.jobs().recent_of_kind(kind, hour_ago)?;
        Ok(recent.iter().any(|job| job.params == params))
    }

    /// Orders that pieces of the layer's logs are put together, at most once an hour.
    fn order_merge(&self, tx: &Tx<'_>, instance: &DdmInstanceRow, points: &Points) -> Result<u64> {
        let now = self.now();
        if !points.parts().any(|parts| !ripe(parts, now).is_empty())
            || recovery::is_under_way(tx, instance.id)?
            || self.is_recent(tx, instance, jobs::DDM_MERGE)?
        {
            return Ok(0);
        }
        let order = (self.job_id(), now);
        let behind = depot_key(instance.project_id);
        jobs::enqueue(tx, order, jobs::DDM_MERGE, behind, json!(of_logs(instance)))?;
        Ok(1)
    }

    /// Orders what a new beginning of a log, or a change of definitions, makes necessary.
    pub(crate) fn order_what_is_missing(&self, row: &DdmInstanceRow) -> Result<u64> {
        let now = self.now();
        self.order(|tx| {
            let points = Points::read(tx, row.project_id, row.id)?;
            let mut ordered = self.order_merge(tx, row, &points)?;
            for node in tx.ddm_instances().nodes(&row.project_id, &row.id)? {
                let recent = points.copies.iter().any(|copy| {
                    let age = now.micros_since(copy.created_at) / 1_000_000;
                    copy.node_id == node.id
                        && (copy.status == DdmBackupStatus::Creating || age < AGAIN_SECONDS)
                });
                if node.physical_sealed.is_some() && !recent && points.lacks_copy(node.id) {
                    self.order_copy(tx, row, &node)?;
                    ordered += 1;
                }
            }
            let newest = tx.ddm_backups().list(
                &row.project_id,
                &strongroom_catalog::DdmBackupFilter {
                    instance_id: Some(row.id),
                    ..Default::default()
                },
                &strongroom_catalog::Page {
                    limit: 1,
                    ..Default::default()
                },
            )?;
            let recent = newest.rows.first().is_some_and(|backup| {
                let age = now.micros_since(backup.created_at) / 1_000_000;
                backup.status == DdmBackupStatus::Creating || age < CHANGES_SECONDS
            });
            if !recent && points.lacks_metadata() {
                self.order_backup(tx, row, &Why::Changed)?;
                ordered += 1;
            }
            Ok(ordered)
        })
    }
}

fn of_logs(instance: &DdmInstanceRow) -> DdmLogs {
    DdmLogs {
        project: instance.project_id,
        instance: instance.id,
    }
}

fn view(row: DdmNodeBackupRow) -> Copy {
    Copy {
        id: row.id,
        node_id: row.node_id,
        node_name: row.node_name,
        status: row.status,
        file_bytes: row.file_bytes,
        from: row.from_second.map(super::archive::at),
        gtid: row.gtid,
        fail_reason: row.fail_reason,
        created_at: row.created_at,
    }
}
