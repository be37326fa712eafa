//! Backups: listed, shown, deleted.

use strongroom_control::ddm::backups::{MetadataBackup, MetadataBackupFilter};
use strongroom_wire::ddm::{
    self as wire, JobReply,
    backup::{BackupInfo, BackupReply, ListBackupsReply, RelatedDataNode},
};

use super::words::{instance, offset_of, page, time};
use crate::{
    call::Call,
    cbr::words::{id, shown},
    cloud::Cloud,
    failure::Failure,
};

pub(super) fn list(
    cloud: &Cloud,
    call: &Call<wire::ListBackups>,
) -> Result<ListBackupsReply, Failure> {
    let query = call.query.clone();
    let page = page(query.limit, query.offset);
    let filter = MetadataBackupFilter {
        // A backup outlives its instance, so an id that is no instance's is an empty list.
        instance_id: query.instance_id.as_deref().map(instance).transpose()?,
        instance_name: query.instance_name,
        name: query.backup_name,
    };
    let listed = cloud
        .control
        .list_metadata_backups(&call.caller()?, &filter, &page)?;
    Ok(ListBackupsReply {
        backups: listed.items.into_iter().map(present).collect(),
        total: listed.total,
        offset: offset_of(&page),
        limit: page.limit,
    })
}

pub(super) fn show(cloud: &Cloud, call: &Call<wire::ShowBackup>) -> Result<BackupReply, Failure> {
    let owner = instance(&call.path.instance_id)?;
    let backup = id("backup_id", &call.path.backup_id)?;
    let backup = cloud
        .control
        .show_metadata_backup(&call.caller()?, Some(owner), backup)?;
    Ok(BackupReply {
        id: backup.id.to_string(),
        name: backup.name,
        instance_id: backup.instance_id.to_string(),
        instance_name: backup.instance_name,
        related_data_nodes: backup
            .data_nodes
            .into_iter()
            .map(|node| RelatedDataNode {
                instance_id: node.id.to_string(),
                instance_name: node.name,
            })
            .collect(),
    })
}

pub(super) fn delete(cloud: &Cloud, call: &Call<wire::DeleteBackup>) -> Result<JobReply, Failure> {
    let backup = id("backup_id", &call.path.backup_id)?;
    let job = cloud
        .control
        .delete_metadata_backup(&call.caller()?, backup)?;
    Ok(JobReply {
        job_id: job.to_string(),
    })
}

fn present(backup: MetadataBackup) -> BackupInfo {
    // What failed says so where people look.
    let description = match backup.fail_reason {
        Some(why) => format!("{}: {why}", backup.description),
        None => backup.description,
    };
    BackupInfo {
        id: backup.id.to_string(),
        name: backup.name,
        description,
        status: shown(backup.status.as_str()),
        instance_id: backup.instance_id.to_string(),
        instance_name: backup.instance_name,
        instance_status: backup.instance_status,
        file_size: kilobytes(backup.file_bytes.0),
        created: time(backup.created_at),
        updated: time(backup.updated_at),
        backup_type: shown(&backup.kind),
    }
}

/// KB with six digits behind the point, as the documents show.
fn kilobytes(bytes: u64) -> f64 {
    let whole = u32::try_from(bytes / 1024).unwrap_or(u32::MAX);
    let rest = u32::try_from(bytes % 1024).unwrap_or_default();
    let exact = f64::from(whole) + f64::from(rest) / 1024.0;
    (exact * 1e6).round() / 1e6
}

#[cfg(test)]
mod tests {
    use super::kilobytes;

    #[test]
    fn sizes_are_in_kilobytes_as_the_documents_show_them() {
        let close = |bytes, expected: f64| (kilobytes(bytes) - expected).abs() < 1e-6;
        assert!(close(5550, 5.419_922) && close(0, 0.0) && close(1024, 1.0));
    }
}
