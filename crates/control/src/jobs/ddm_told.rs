//! What a manifest tells of its backup's row, so that a lost catalog is made anew from the data.
//!
//! A row as the catalog had it stands in a label; what the layer and its servers were stands in the
//! document itself. A layer comes back off the list and without passwords, which are nowhere but in
//! the catalog: its backups can be restored to others, and it can be registered again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;
use strongroom_catalog::{
    Columns, DataNodeRow, DdmBackupRow, DdmInstanceRow, Document as _, DomainRow, Json, ProjectRow,
    Sealed, Tx,
};
use strongroom_engine::Repository;
use strongroom_jobs::{StepContext, StepError};
use strongroom_model::{
    Bytes, DdmBackupId, DdmInstanceId, ProjectId, Timestamp,
    state::{DdmBackupStatus, DdmInstanceStatus},
};
use strongroom_source::ddm::document::{self, Summary};

use super::{
    ddm_backup::{Kept, LABEL, read},
    failure::{chain, of_control},
    params::DdmBackup,
};
use crate::{
    Control, Error, Reason, Result,
    ddm::{backups, instances},
};

/// The label that says what the backup's row says.
const ROW_LABEL: &str = "ddm-row";

/// What the manifest is found by, and what its row is made of should the catalog be lost.
pub(super) fn labels(
    control: &Control,
    context: &StepContext<'_>,
    params: &DdmBackup,
) -> Result<BTreeMap<String, String>, StepError> {
    let said = control
        .read(|tx| Said::of(tx, params))
        .map_err(|error| of_control(context, &error))?;
    Ok(BTreeMap::from([
        (LABEL.to_owned(), params.backup.to_string()),
        (ROW_LABEL.to_owned(), json!(said).to_string()),
    ]))
}

/// What a manifest says of its backup's row.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Said {
    id: DdmBackupId,
    name: String,
    description: String,
    kind: String,
    instance: DdmInstanceId,
    instance_name: String,
    created_at: Timestamp,
    domain: Columns,
    project: Columns,
}

impl Said {
    fn of(tx: &Tx<'_>, params: &DdmBackup) -> Result<Self> {
        let row = backups::backup(tx, params.project, params.backup)?;
        let gone = || Error::not_found(Reason::NoSuchProject, params.project);
        let project = tx.projects().get(&params.project)?.ok_or_else(gone)?;
        let domain = tx.domains().get(&project.domain_id)?.ok_or_else(gone)?;
        Ok(Self {
            id: row.id,
            name: row.name,
            description: row.description,
            kind: row.kind,
            instance: row.instance_id,
            instance_name: row.instance_name,
            created_at: row.created_at,
            domain: domain.to_document(),
            project: project.to_document(),
        })
    }
}

/// A backup as its manifest tells of it, and whose it is.
pub(crate) struct Told {
    pub(crate) row: DdmBackupRow,
    pub(crate) domain: DomainRow,
    pub(crate) project: ProjectRow,
    /// The layer and its data nodes as they were, off the list and without passwords: so that the
    /// backup can be restored to another layer.
    pub(crate) instance: DdmInstanceRow,
    pub(crate) nodes: Vec<DataNodeRow>,
}

/// The rows of all backups in a repository, for a catalog that was lost. A backup is kept from now
/// on as if it were made now: nobody knows what was agreed on.
pub(crate) fn rows(
    control: &Control,
    repository: &Repository,
    project: ProjectId,
) -> Result<Vec<Told>> {
    let now = control.now();
    let broken = |error: strongroom_engine::Error| Error::Conflict {
        reason: Reason::DataDamaged,
        message: chain(&error),
    };
    let mut rows = Vec::new();
    for id in repository.manifests().map_err(broken)? {
        let Ok(manifest) = repository.manifest(&id) else {
            continue;
        };
        let said = manifest.body.labels.get(ROW_LABEL);
        let Some(said) = said.and_then(|text| serde_json::from_str::<Said>(text).ok()) else {
            continue;
        };
        let summary = read(repository, &id.to_string(), document::summarise)?;
        let (instance, nodes) = layer_of(&said, &summary, project, now);
        let kept = Kept::of(&manifest, summary);
        let days = i64::from(instances::KEEP_DAYS);
        let (domain, owner) = (
            DomainRow::from_document(&said.domain)?,
            ProjectRow::from_document(&said.project)?,
        );
        let row = DdmBackupRow {
            project_id: project,
            id: said.id,
            name: said.name,
            description: said.description,
            status: DdmBackupStatus::Normal,
            kind: said.kind,
            instance_id: said.instance,
            instance_name: said.instance_name,
            instance_status: "normal".to_owned(),
            data_nodes: Json(kept.nodes),
            file_bytes: Bytes(kept.bytes),
            manifest_id: Some(kept.manifest),
            taken_at: Some(kept.taken_at),
            log_file: kept.layer.as_ref().map(|place| place.file.clone()),
            log_offset: kept.layer.map(|place| place.offset),
            fail_reason: None,
            created_at: said.created_at,
            updated_at: now,
            expires_at: Some(now.plus_seconds(days * 86_400)),
        };
        rows.push(Told {
            row,
            domain,
            project: owner,
            instance,
            nodes,
        });
    }
    Ok(rows)
}

/// The rows of a layer as a backup tells of it.
fn layer_of(
    said: &Said,
    summary: &Summary,
    project: ProjectId,
    now: Timestamp,
) -> (DdmInstanceRow, Vec<DataNodeRow>) {
    let nodes = summary.nodes.iter().map(|node| DataNodeRow {
        project_id: project,
        id: node.id,
        instance_id: said.instance,
        name: node.name.clone(),
        host: node.host.clone(),
        port: u32::from(node.port),
        url_sealed: Sealed(Vec::new()),
        physical_sealed: None,
        engine: node.engine.clone(),
        version: node.engine_version.clone(),
        status: "abnormal".to_owned(),
        created_at: said.created_at,
        updated_at: now,
    });
    let instance = DdmInstanceRow {
        project_id: project,
        id: said.instance,
        name: said.instance_name.clone(),
        provider: summary.head.provider.clone(),
        host: String::new(),
        port: 0,
        url_sealed: Sealed(Vec::new()),
        version: summary.head.engine_version.clone(),
        status: DdmInstanceStatus::Error,
        keep_days: instances::KEEP_DAYS,
        backup_minute: instances::BACKUP_MINUTE,
        next_backup_at: None,
        created_at: said.created_at,
        updated_at: now,
        removed_at: Some(now),
    };
    (instance, nodes.collect())
}
