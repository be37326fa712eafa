//! Backups: listed, shown, renamed, deleted, restored.

use strongroom_control::{
    backups::{Backup, BackupFilter, BackupSort, BackupSortKey, Direction},
    restores::{NewRestore, RestoreTarget},
    words::ImageType,
};
use strongroom_model::BackupId;
use strongroom_wire::{
    Empty,
    cbr::{
        self as wire,
        backup::{
            BackupExtendInfo, BackupReply, BackupSortField, ListBackupsQuery, ListBackupsReply,
            Restore, RestoreBackupReply, RestoreMode, Sort, SortDirection,
        },
        metadata::MetadataReply,
    },
};

use super::{
    pages::{limit_of, offset_of, page},
    replication,
    words::{
        asked_maybe, enterprise_project, id, id_maybe, kind, provider_id, resource_type, shown,
        time, time_asked,
    },
};
use crate::{call::Call, cloud::Cloud, failure::Failure};

pub(super) fn show(cloud: &Cloud, call: &Call<wire::ShowBackup>) -> Result<BackupReply, Failure> {
    let backup = cloud
        .control
        .show_backup(&call.caller()?, backup_id(&call.path)?)?;
    Ok(BackupReply {
        backup: present(backup),
    })
}

pub(super) fn list(
    cloud: &Cloud,
    call: &Call<wire::ListBackups>,
) -> Result<ListBackupsReply, Failure> {
    let caller = call.caller()?;
    let mut query = call.query.clone();
    let page = page(query.limit, query.offset, query.marker.take());
    let sort = BackupSort(query.sort.take().map(sort_keys).unwrap_or_default());
    let filter = filter(query)?;
    let listed = cloud.control.list_backups(&caller, &filter, &sort, &page)?;
    Ok(ListBackupsReply {
        backups: listed.items.into_iter().map(present).collect(),
        count: listed.total,
        offset: offset_of(&page),
        limit: limit_of(&page),
    })
}

pub(super) fn update(
    cloud: &Cloud,
    call: &Call<wire::UpdateBackup>,
) -> Result<BackupReply, Failure> {
    let (caller, id) = (call.caller()?, backup_id(&call.path)?);
    let name = call
        .body
        .backup
        .name
        .as_ref()
        .map(strongroom_wire::text::Name::as_str);
    Ok(BackupReply {
        backup: present(cloud.control.rename_backup(&caller, id, name)?),
    })
}

pub(super) fn delete(cloud: &Cloud, call: &Call<wire::DeleteBackup>) -> Result<Empty, Failure> {
    cloud
        .control
        .delete_backup(&call.caller()?, backup_id(&call.path)?)?;
    Ok(Empty)
}

pub(super) fn restore(
    cloud: &Cloud,
    call: &Call<wire::RestoreBackup>,
) -> Result<RestoreBackupReply, Failure> {
    let caller = call.caller()?;
    let backup_id = backup_id(&call.path)?;
    let target = target(&call.body.restore)?;
    let new = NewRestore {
        backup_id,
        target,
        inside: None,
    };
    let job_id = cloud.control.restore_backup(&caller, new)?.to_string();
    Ok(RestoreBackupReply { job_id })
}

/// What is kept of the resource besides its data. Ours are no servers, so most of it is empty.
pub(super) fn metadata(
    cloud: &Cloud,
    call: &Call<wire::ShowMetadata>,
) -> Result<MetadataReply, Failure> {
    let backup = cloud
        .control
        .backup_metadata(&call.caller()?, backup_id(&call.path)?)?;
    let volumes = if backup.kind == strongroom_model::ResourceKind::Volume {
        let size = backup.resource_size.gib_ceil().0;
        let (id, name) = (backup.resource_id.to_string(), &backup.resource_name);
        vec![serde_json::json!({ "id": id, "name": name, "size": size }).to_string()]
    } else {
        Vec::new()
    };
    let backup_id = backup.id.to_string();
    let backups = serde_json::to_string(&present(backup)).map_err(|error| {
        tracing::error!(%error, "cannot render a backup");
        Failure::Broken
    })?;
    Ok(MetadataReply {
        backup_id,
        backups,
        flavor: "{}".to_owned(),
        floatingips: Vec::new(),
        interface: "[]".to_owned(),
        ports: Vec::new(),
        server: "{}".to_owned(),
        volumes,
        workspace: None,
    })
}

fn backup_id(path: &wire::BackupPath) -> Result<BackupId, Failure> {
    id("backup_id", &path.backup_id)
}

/// Where a restore goes. Clients fill in every field of the vendor's table, so those that do not
/// concern shares and disks are not looked at.
fn target(restore: &Restore) -> Result<RestoreTarget, Failure> {
    if restore.details.is_some() {
        let problem = "a place of one's choice is for operators: strongroom restore --to";
        return Err(Failure::malformed("details.destination_path", problem));
    }
    let given = |text: &&String| !text.is_empty();
    let resource = restore.resource_id.as_ref().filter(given);
    let Some(text) = resource.or(restore.volume_id.as_ref().filter(given)) else {
        return Err(Failure::malformed(
            "restore",
            "names no resource_id and no volume_id",
        ));
    };
    Ok(RestoreTarget::Resource(id("resource_id", text)?))
}

fn filter(query: ListBackupsQuery) -> Result<BackupFilter, Failure> {
    Ok(BackupFilter {
        checkpoint_id: id_maybe("checkpoint_id", query.checkpoint_id.as_ref())?,
        vault_id: id_maybe("vault_id", query.vault_id.as_ref())?,
        resource_id: id_maybe("resource_id", query.resource_id.as_ref())?,
        resource_name: query.resource_name,
        kinds: query.resource_type.map(|of| kind(of).into_iter().collect()),
        name: query.name,
        statuses: query
            .status
            .iter()
            .filter_map(|status| strongroom_model::state::BackupStatus::parse(status.as_str()))
            .collect(),
        start_time: time_asked(query.start_time),
        end_time: time_asked(query.end_time),
        own_type: asked_maybe(query.own_type)?,
        member_status: asked_maybe(query.member_status)?,
        parent_id: id_maybe("parent_id", query.parent_id.as_ref())?,
        used_percent: query.used_percent.map(|percent| i64::from(percent.0)),
        incremental: query.incremental,
        image_type: asked_maybe::<ImageType>(query.image_type)?,
        resource_az: query.resource_az,
        enterprise_project_id: enterprise_project(query.enterprise_project_id),
        dedicated_cloud: query.dec,
        with_replications: query.show_replication == Some(true),
    })
}

fn sort_keys(sort: Sort) -> Vec<(BackupSortKey, Direction)> {
    let key = |(field, direction)| {
        let field = match field {
            BackupSortField::CreatedAt => BackupSortKey::CreatedAt,
            BackupSortField::UpdatedAt => BackupSortKey::UpdatedAt,
            BackupSortField::Name => BackupSortKey::Name,
            BackupSortField::Status => BackupSortKey::Status,
            BackupSortField::ProtectedAt => BackupSortKey::ProtectedAt,
            BackupSortField::Id => BackupSortKey::Id,
        };
        let direction = match direction {
            SortDirection::Ascending => Direction::Ascending,
            SortDirection::Descending => Direction::Descending,
        };
        (field, direction)
    };
    sort.0.into_iter().map(key).collect()
}

/// A backup on the wire.
pub(super) fn present(backup: Backup) -> wire::backup::Backup {
    let is_part = backup.parent_id.is_some();
    wire::backup::Backup {
        checkpoint_id: backup.checkpoint_id.to_string(),
        created_at: time(backup.created_at),
        description: backup.description,
        expired_at: backup.expired_at.map(time),
        extend_info: BackupExtendInfo {
            auto_trigger: backup.auto_trigger,
            bootable: (backup.kind == strongroom_model::ResourceKind::Volume).then_some(false),
            incremental: Some(backup.incremental),
            support_lld: None,
            supported_restore_mode: Some(RestoreMode::Backup),
            progress: backup.progress.map(u32::from),
            ..BackupExtendInfo::default()
        },
        id: backup.id.to_string(),
        image_type: match backup.replica_of {
            Some(_) => wire::backup::ImageType::Replication,
            None => wire::backup::ImageType::Backup,
        },
        name: backup.name,
        parent_id: backup.parent_id.map(|id| id.to_string()),
        project_id: backup.project_id.to_string(),
        protected_at: backup.protected_at.map(time),
        resource_az: None,
        resource_id: backup.resource_id.to_string(),
        resource_name: backup.resource_name,
        resource_size: backup.resource_size.gib_ceil().0,
        resource_type: resource_type(backup.kind),
        status: shown(backup.status.as_str()),
        // Shown once something has changed, as in the documented example.
        updated_at: backup
            .updated_at
            .filter(|changed| *changed != backup.created_at)
            .map(time),
        vault_id: backup.vault_id.to_string(),
        scheduled_operation_id: None,
        children: backup.children.into_iter().map(present).collect(),
        replication_records: backup
            .replications
            .map(|copies| copies.into_iter().map(replication::present).collect()),
        // The documented example has it on the backup that was asked for, not on its parts.
        enterprise_project_id: (!is_part).then_some(backup.enterprise_project_id),
        provider_id: provider_id(backup.kind).to_owned(),
        incremental: Some(backup.incremental),
        version: None,
    }
}
