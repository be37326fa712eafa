//! Backups of what layers know: listed, shown, ordered, deleted.

use strongroom_catalog::{self as catalog, DataNodeName, DdmBackupRow, DdmInstanceRow, Json, Tx};
use strongroom_model::{
    Bytes, DdmBackupId, DdmInstanceId, JobId, ProjectId, Timestamp, state::DdmBackupStatus,
};

use crate::{
    Caller, Control, Error, Listed, Page, Reason, Result,
    control::project,
    ddm::{get, instances, tasks},
    jobs,
};

/// The most rows of one page: the vendor's limit.
pub const PAGE_MAX: u32 = 128;
/// The word for a backup that a calendar ordered.
pub const AUTOMATIC: &str = "auto_metadata";
/// The word for any other.
pub const ORDERED: &str = "metadata";

/// A backup as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetadataBackup {
    /// Its id.
    pub id: DdmBackupId,
    /// Its name.
    pub name: String,
    /// Why it was made.
    pub description: String,
    /// What is with it.
    pub status: DdmBackupStatus,
    /// [`AUTOMATIC`] or [`ORDERED`].
    pub kind: String,
    /// The layer, which may be gone.
    pub instance_id: DdmInstanceId,
    /// The layer's name then.
    pub instance_name: String,
    /// The layer's state then.
    pub instance_status: String,
    /// How long the document is.
    pub file_bytes: Bytes,
    /// The data nodes then.
    pub data_nodes: Vec<DataNodeName>,
    /// The instant at which it is consistent.
    pub taken_at: Option<Timestamp>,
    /// Why there is none.
    pub fail_reason: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

/// Which backups to list; `None` matches all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MetadataBackupFilter {
    /// Of this layer.
    pub instance_id: Option<DdmInstanceId>,
    /// Of layers with exactly this name.
    pub instance_name: Option<String>,
    /// With exactly this name.
    pub name: Option<String>,
}

/// Why a backup is made.
pub(crate) enum Why {
    /// The calendar says so.
    Daily,
    /// Definitions were changed since the last one.
    Changed,
    /// Something is about to happen.
    Before(String),
    /// Somebody asked for it.
    Asked,
}

impl Why {
    const fn kind(&self) -> &'static str {
        match self {
            Self::Daily => AUTOMATIC,
            Self::Before(_) | Self::Changed | Self::Asked => ORDERED,
        }
    }

    fn description(&self) -> String {
        match self {
            Self::Daily => "auto metadata backup".to_owned(),
            Self::Before(what) => format!("metadata backup before {what}"),
            Self::Changed => "metadata backup after a change".to_owned(),
            Self::Asked => "metadata backup".to_owned(),
        }
    }
}

impl Control {
    /// The project's backups, the newest first, of layers that are gone as well.
    pub fn list_metadata_backups(
        &self,
        caller: &Caller,
        filter: &MetadataBackupFilter,
        page: &Page,
    ) -> Result<Listed<MetadataBackup>> {
        let project = project(caller)?;
        let page = page.rows(PAGE_MAX)?;
        let MetadataBackupFilter {
            instance_id,
            instance_name,
            name,
        } = filter.clone();
        let filter = catalog::DdmBackupFilter {
            instance_id,
            instance_name,
            name,
        };
        self.read(|tx| {
            let found = tx.ddm_backups().list(&project, &filter, &page)?;
            Listed::of_rows(found, |row| Ok(view(row)))
        })
    }

    /// One backup; of that layer, if one is named.
    pub fn show_metadata_backup(
        &self,
        caller: &Caller,
        instance: Option<DdmInstanceId>,
        id: DdmBackupId,
    ) -> Result<MetadataBackup> {
        let project = project(caller)?;
        self.read(|tx| {
            let row = backup(tx, project, id)?;
            if instance.is_some_and(|instance| row.instance_id != instance) {
                return Err(Error::not_found(Reason::NoSuchBackup, id));
            }
            Ok(view(row))
        })
    }

    /// Orders a backup of a layer now.
    pub fn back_up_metadata(
        &self,
        caller: &Caller,
        instance: DdmInstanceId,
    ) -> Result<(DdmBackupId, JobId)> {
        let project = project(caller)?;
        self.order(|tx| {
            let row = get(tx, project, instance)?;
            self.order_backup(tx, &row, &Why::Asked)
        })
    }

    /// Orders the deletion of a backup.
    pub fn delete_metadata_backup(&self, caller: &Caller, id: DdmBackupId) -> Result<JobId> {
        let project = project(caller)?;
        self.order(|tx| {
            let row = backup(tx, project, id)?;
            self.order_deletion(tx, &row)
        })
    }

    /// Writes a backup of a layer and its job.
    pub(crate) fn order_backup(
        &self,
        tx: &Tx<'_>,
        instance: &DdmInstanceRow,
        why: &Why,
    ) -> Result<(DdmBackupId, JobId)> {
        let (project, now) = (instance.project_id, self.now());
        let nodes = tx.ddm_instances().nodes(&project, &instance.id)?;
        let row = DdmBackupRow {
            project_id: project,
            id: DdmBackupId::new(self.entropy()),
            name: name(&instance.name, now),
            description: why.description(),
            status: DdmBackupStatus::Creating,
            kind: why.kind().to_owned(),
            instance_id: instance.id,
            instance_name: instance.name.clone(),
            instance_status: "normal".to_owned(),
            data_nodes: Json(
                nodes
                    .into_iter()
                    .map(|node| DataNodeName {
                        id: node.id,
                        name: node.name,
                    })
                    .collect(),
            ),
            file_bytes: Bytes(0),
            manifest_id: None,
            taken_at: None,
            log_file: None,
            log_offset: None,
            fail_reason: None,
            created_at: now,
            updated_at: now,
            expires_at: None,
        };
        tx.ddm_backups().insert(&row)?;
        let order = tasks::Order {
            kind: jobs::DDM_BACKUP,
            name: "createMetadataBackup",
            instance,
            database: None,
        };
        let params = jobs::params::DdmBackup {
            project,
            instance: instance.id,
            backup: row.id,
        };
        let job = tasks::order(self, tx, &order, &params)?;
        Ok((row.id, job))
    }

    /// Hides a backup from lists and writes the job that removes its data.
    pub(crate) fn order_deletion(&self, tx: &Tx<'_>, backup: &DdmBackupRow) -> Result<JobId> {
        let now = self.now();
        if backup.status == DdmBackupStatus::Creating {
            return Err(Error::conflict(Reason::BackupNotReady, backup.id));
        }
        let before = backup.status;
        tx.ddm_backups()
            .change(&backup.project_id, &backup.id, |row| {
                row.status = DdmBackupStatus::Deleting;
                row.updated_at = now;
            })?;
        let params = jobs::params::DdmDeleteBackup {
            project: backup.project_id,
            backup: backup.id,
            before,
        };
        tasks::order_deletion(self, tx, backup, &params)
    }
}

/// The project's backup of that id that is not being deleted, or the refusal.
pub(crate) fn backup(tx: &Tx<'_>, project: ProjectId, id: DdmBackupId) -> Result<DdmBackupRow> {
    tx.ddm_backups()
        .get(&project, &id)?
        .filter(|row| row.status != DdmBackupStatus::Deleting)
        .ok_or_else(|| Error::not_found(Reason::NoSuchBackup, id))
}

/// A good backup, or the refusal.
pub(crate) fn good(tx: &Tx<'_>, project: ProjectId, id: DdmBackupId) -> Result<DdmBackupRow> {
    let row = backup(tx, project, id)?;
    if row.status != DdmBackupStatus::Normal {
        return Err(Error::conflict(Reason::BackupStateForbidsRestore, id));
    }
    Ok(row)
}

/// `Backup-NAME-20250520054003`
fn name(instance: &str, now: Timestamp) -> String {
    let time = now
        .to_jiff()
        .map(|time| time.strftime("%Y%m%d%H%M%S").to_string());
    format!("Backup-{instance}-{}", time.unwrap_or_default())
}

fn view(row: DdmBackupRow) -> MetadataBackup {
    MetadataBackup {
        id: row.id,
        name: row.name,
        description: row.description,
        status: row.status,
        kind: row.kind,
        instance_id: row.instance_id,
        instance_name: row.instance_name,
        instance_status: row.instance_status,
        file_bytes: row.file_bytes,
        data_nodes: row.data_nodes.0,
        taken_at: row.taken_at,
        fail_reason: row.fail_reason,
        created_at: row.created_at,
        updated_at: row.updated_at,
    }
}

/// Whether a layer is still there.
pub(crate) fn is_registered(tx: &Tx<'_>, row: &DdmBackupRow) -> Result<bool> {
    let all = instances::all(tx, row.project_id)?;
    Ok(all.iter().any(|instance| instance.id == row.instance_id))
}
