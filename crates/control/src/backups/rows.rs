//! Between the catalog's rows and what callers see of a backup.

use std::collections::BTreeMap;

use serde_json::Value;
use strongroom_catalog::{self as catalog, BackupRow, Looked, Tx};
use strongroom_model::{BackupId, ProjectId, VaultId, state::BackupStatus};

use super::{Backup, BackupFilter, BackupReport, BackupSort, BackupSortKey, Direction};
use crate::{
    Error, Reason, Result,
    members::row_status,
    operation_logs::{self, KindsWanted, kinds_wanted},
    replication,
    vaults::one_enterprise_project,
    verification,
    words::{ImageType, OwnType},
};

/// The project's backup of that id, or the refusal.
pub(crate) fn get(tx: &Tx<'_>, project: ProjectId, id: BackupId) -> Result<BackupRow> {
    tx.backups()
        .get(&project, &id)?
        .ok_or_else(|| Error::not_found(Reason::NoSuchBackup, id))
}

/// The backups of a vault that are neither being made nor on their way out.
pub(crate) fn finished(tx: &Tx<'_>, project: &ProjectId, vault: VaultId) -> Result<Vec<BackupRow>> {
    let filter = catalog::BackupFilter {
        vault_id: Some(vault),
        statuses: vec![
            BackupStatus::Available,
            BackupStatus::WaitingRestore,
            BackupStatus::Restoring,
            BackupStatus::Error,
        ],
        ..catalog::BackupFilter::default()
    };
    let page = catalog::Page::ALL;
    Ok(tx.backups().list(project, &filter, &[], &page)?.rows)
}

/// The backup with its parts.
pub(super) fn view(tx: &Tx<'_>, row: BackupRow) -> Result<Backup> {
    let parts = tx.backups().parts_of(&row.project_id, &[row.id])?;
    let mut known = EnterpriseProjects::default();
    assembled(tx, &mut known, row, parts)
}

/// The project's own backup, if one look said all there is to say of it.
pub(super) fn view_alone(looked: Looked) -> Option<Backup> {
    let is_being_made = looked.backup.status == BackupStatus::Protecting;
    if looked.has_parts || looked.has_copies || is_being_made {
        return None;
    }
    let place = looked.enterprise_project_id;
    let place = place.unwrap_or_else(no_enterprise_project);
    Some(shown(looked.backup, place, None))
}

/// The project's own backup with its parts and copies, of which only those are read that there are.
pub(super) fn view_looked(tx: &Tx<'_>, looked: Looked) -> Result<Backup> {
    let row = looked.backup;
    // The documents show no empty list here.
    let replications = if looked.has_copies {
        Some(replication::of_backup(tx, &row)?).filter(|copies| !copies.is_empty())
    } else {
        None
    };
    let parts = if looked.has_parts {
        tx.backups().parts_of(&row.project_id, &[row.id])?
    } else {
        Vec::new()
    };
    let place = looked.enterprise_project_id;
    let mut known = EnterpriseProjects::default();
    known.insert(row.vault_id, place.unwrap_or_else(no_enterprise_project));
    let backup = assembled(tx, &mut known, row, parts)?;
    Ok(Backup {
        replications,
        ..backup
    })
}

/// The backups with their parts, as a project sees them; what they share is looked up once.
pub(super) fn views_for(
    tx: &Tx<'_>,
    project: ProjectId,
    rows: Vec<BackupRow>,
) -> Result<Vec<Backup>> {
    let mut owners = BTreeMap::<_, Vec<_>>::new();
    for row in &rows {
        owners.entry(row.project_id).or_default().push(row.id);
    }
    let mut parts = BTreeMap::<_, Vec<_>>::new();
    for (owner, ids) in owners {
        for part in tx.backups().parts_of(&owner, &ids)? {
            parts.entry(part.parent_id).or_default().push(part);
        }
    }
    let mut known = EnterpriseProjects::default();
    rows.into_iter()
        .map(|row| {
            let parts = parts.remove(&Some(row.id)).unwrap_or_default();
            let (owner, id) = (row.project_id, row.id);
            let backup = assembled(tx, &mut known, row, parts)?;
            in_share(tx, project, (owner, id), backup)
        })
        .collect()
}

/// The enterprise projects of vaults that were looked up.
type EnterpriseProjects = BTreeMap<VaultId, String>;

fn assembled(
    tx: &Tx<'_>,
    known: &mut EnterpriseProjects,
    row: BackupRow,
    parts: Vec<BackupRow>,
) -> Result<Backup> {
    let children = parts
        .into_iter()
        .map(|part| alone(tx, known, part))
        .collect::<Result<_>>()?;
    Ok(Backup {
        children,
        ..alone(tx, known, row)?
    })
}

fn no_enterprise_project() -> String {
    "0".to_owned()
}

fn enterprise_project(
    tx: &Tx<'_>,
    known: &mut EnterpriseProjects,
    row: &BackupRow,
) -> Result<String> {
    if let Some(found) = known.get(&row.vault_id) {
        return Ok(found.clone());
    }
    let found = tx
        .vaults()
        .enterprise_project(&row.project_id, &row.vault_id)?
        .unwrap_or_else(no_enterprise_project);
    known.insert(row.vault_id, found.clone());
    Ok(found)
}

/// The backup without its parts.
fn alone(tx: &Tx<'_>, known: &mut EnterpriseProjects, row: BackupRow) -> Result<Backup> {
    let enterprise_project_id = enterprise_project(tx, known, &row)?;
    let progress = progress(tx, &row)?;
    Ok(shown(row, enterprise_project_id, progress))
}

/// What a row says of a backup.
fn shown(row: BackupRow, enterprise_project_id: String, progress: Option<u8>) -> Backup {
    Backup {
        id: row.id,
        project_id: row.project_id,
        vault_id: row.vault_id,
        checkpoint_id: row.checkpoint_id,
        parent_id: row.parent_id,
        children: Vec::new(),
        resource_id: row.resource_id,
        progress,
        resource_name: row.resource_name,
        kind: row.kind,
        resource_size: row.resource_size_bytes,
        name: row.name,
        description: row.description,
        status: row.status,
        incremental: row.incremental,
        auto_trigger: row.auto_trigger,
        enterprise_project_id,
        created_at: row.created_at,
        updated_at: Some(row.updated_at),
        protected_at: row.protected_at,
        expired_at: row.expired_at,
        replica_of: row.replica_of,
        replications: None,
    }
}

/// How far the work on a backup has come, while it is being made.
fn progress(tx: &Tx<'_>, row: &BackupRow) -> Result<Option<u8>> {
    if row.status != BackupStatus::Protecting {
        return Ok(None);
    }
    let filter = catalog::OperationLogFilter {
        backup_id: Some(row.id),
        operation_type: Some(catalog::OperationType::Backup),
        ..catalog::OperationLogFilter::default()
    };
    let page = catalog::Page {
        limit: 1,
        ..catalog::Page::default()
    };
    let logs = tx
        .operation_logs()
        .list(&row.project_id, &filter, &page)?
        .rows;
    logs.first()
        .map(|log| operation_logs::progress(tx, log))
        .transpose()
}

/// Everything that is known about how a backup went.
pub(super) fn report(tx: &Tx<'_>, row: BackupRow) -> Result<BackupReport> {
    let text = |problem: &Value| match problem {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    Ok(BackupReport {
        manifest: row.manifest_id.clone(),
        logical: row.logical_bytes,
        unique: row.unique_bytes,
        stored: row.stored_bytes,
        items: row.items,
        fail_reason: row.fail_reason.clone(),
        verified: verification::of_backup(tx, &row.project_id, &row.id)?,
        problems: row.problems.0.iter().map(text).collect(),
        backup: view(tx, row)?,
    })
}

/// The backup as a project sees it.
pub(super) fn view_for(tx: &Tx<'_>, project: ProjectId, row: BackupRow) -> Result<Backup> {
    let (owner, id) = (row.project_id, row.id);
    let backup = view(tx, row)?;
    in_share(tx, project, (owner, id), backup)
}

/// A shared backup is in the receiver's own vault, if it took the share into one.
fn in_share(
    tx: &Tx<'_>,
    project: ProjectId,
    (owner, id): (ProjectId, BackupId),
    backup: Backup,
) -> Result<Backup> {
    if owner == project {
        return Ok(backup);
    }
    let share = tx.members().received(&project, &id)?;
    Ok(match share.and_then(|share| share.vault_id) {
        Some(vault_id) => Backup { vault_id, ..backup },
        None => backup,
    })
}

/// Which shared backups are asked for; `None` if the project's own alone are.
pub(super) fn shared_filter(filter: &BackupFilter) -> Option<catalog::SharedFilter> {
    let own_too = match (filter.own_type, filter.member_status) {
        (None | Some(OwnType::Private), None) => return None,
        (Some(OwnType::AllGranted), None) => true,
        // Only what is shared has such a status.
        _ => false,
    };
    Some(catalog::SharedFilter {
        own_too,
        statuses: filter.member_status.map(row_status).into_iter().collect(),
    })
}

/// The catalog's filter; `None` if nothing can match.
pub(super) fn row_filter(filter: &BackupFilter) -> Result<Option<catalog::BackupFilter>> {
    let percent = match filter.used_percent {
        None => None,
        Some(percent) => match u32::try_from(percent) {
            Ok(percent @ 1..=100) => Some(percent),
            _ => return Err(Error::invalid("used_percent", "must be from 1 to 100")),
        },
    };
    let elsewhere = filter.resource_az.is_some() || filter.dedicated_cloud == Some(true);
    let kind = match kinds_wanted(filter.kinds.as_deref()) {
        KindsWanted::None => return Ok(None),
        _ if elsewhere => return Ok(None),
        KindsWanted::Only(kind) => Some(kind),
        KindsWanted::Any => None,
    };
    Ok(Some(catalog::BackupFilter {
        ids: Vec::new(),
        vault_id: filter.vault_id,
        checkpoint_id: filter.checkpoint_id,
        resource_id: filter.resource_id,
        resource_name: filter.resource_name.clone(),
        kind,
        name: filter.name.clone(),
        statuses: filter.statuses.clone(),
        parent_id: filter.parent_id,
        incremental: filter.incremental,
        created_from: filter.start_time,
        created_to: filter.end_time,
        expired_to: None,
        replicas: filter
            .image_type
            .map(|asked| asked == ImageType::Replication),
        enterprise_project_id: one_enterprise_project(filter.enterprise_project_id.as_deref()),
        vault_used_percent: percent,
    }))
}

/// The catalog's order.
pub(super) fn row_sort(sort: &BackupSort) -> Vec<(catalog::BackupKey, catalog::Direction)> {
    let key = |key| match key {
        BackupSortKey::CreatedAt => catalog::BackupKey::CreatedAt,
        BackupSortKey::UpdatedAt => catalog::BackupKey::UpdatedAt,
        BackupSortKey::Name => catalog::BackupKey::Name,
        BackupSortKey::Status => catalog::BackupKey::Status,
        BackupSortKey::ProtectedAt => catalog::BackupKey::ProtectedAt,
        BackupSortKey::Id => catalog::BackupKey::Id,
    };
    let way = |direction| match direction {
        Direction::Ascending => catalog::Direction::Ascending,
        Direction::Descending => catalog::Direction::Descending,
    };
    sort.0
        .iter()
        .map(|(sorted, direction)| (key(*sorted), way(*direction)))
        .collect()
}
