//! Imports: a vault's data read into the catalog again.

use strongroom_control::import::NewImport;
use strongroom_wire::cbr::{
    self as wire,
    import::{BackupSyncTask, ImportBackupReply, ImportCheckpointReply, VaultSyncTask},
};

use super::words::id;
use crate::{call::Call, cloud::Cloud, failure::Failure};

pub(super) fn backups(
    cloud: &Cloud,
    call: &Call<wire::ImportBackup>,
) -> Result<ImportBackupReply, Failure> {
    let imports = call
        .body
        .sync
        .iter()
        .map(|item| {
            Ok(NewImport {
                backup_id: id("backup_id", &item.backup_id)?,
                place: item.bucket_name.clone(),
            })
        })
        .collect::<Result<Vec<_>, Failure>>()?;
    let begun = cloud.control.import_backups(&call.caller()?, &imports)?;
    Ok(ImportBackupReply {
        sync: begun
            .into_iter()
            .map(|(backup, log)| BackupSyncTask {
                backup_id: backup.to_string(),
                operation_log_id: log.to_string(),
            })
            .collect(),
    })
}

pub(super) fn vault(
    cloud: &Cloud,
    call: &Call<wire::ImportCheckpoint>,
) -> Result<ImportCheckpointReply, Failure> {
    let vault = id("vault_id", &call.body.sync.vault_id)?;
    let log = cloud.control.import_vault(&call.caller()?, vault)?;
    Ok(ImportCheckpointReply {
        sync: VaultSyncTask {
            operation_log_id: log.to_string(),
            vault_id: vault.to_string(),
        },
    })
}
