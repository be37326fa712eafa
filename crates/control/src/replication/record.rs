//! What became of the copies of a backup, as its project sees it.
//!
//! A record can be lost with the catalog; a replica that is there says by itself what it is a
//! copy of, so it is shown without a record too.

use strongroom_catalog::{BackupRow, ReplicationStatus, Tx};
use strongroom_model::{
    BackupId, CheckpointId, ProjectId, ReplicationId, Timestamp, VaultId, state::BackupStatus,
};

use super::region_name;
use crate::{Reason, Result, operation_logs};

/// A copy of a backup, made or being made.
#[derive(Debug, Clone, PartialEq)]
pub struct Replication {
    /// The record.
    pub id: ReplicationId,
    /// Where it stands.
    pub status: ReplicationStatus,
    /// Percent of the work done.
    pub progress: u8,
    /// Why it failed, and the same for people.
    pub failure: Option<(Reason, String)>,
    /// Whether a policy asked for it.
    pub auto_trigger: bool,
    /// The original.
    pub source_backup_id: BackupId,
    /// The original's restore point.
    pub source_checkpoint_id: CheckpointId,
    /// The original's project.
    pub source_project_id: ProjectId,
    /// The original's vault.
    pub source_vault_id: VaultId,
    /// The original's region.
    pub source_region: String,
    /// The copy.
    pub destination_backup_id: BackupId,
    /// The copy's restore point.
    pub destination_checkpoint_id: CheckpointId,
    /// The copy's project.
    pub destination_project_id: ProjectId,
    /// The copy's vault.
    pub destination_vault_id: VaultId,
    /// The copy's region.
    pub destination_region: String,
    /// When it was asked for.
    pub created_at: Timestamp,
}

/// The copies of a backup, the oldest first.
pub(crate) fn of_backup(tx: &Tx<'_>, backup: &BackupRow) -> Result<Vec<Replication>> {
    let mut found = Vec::new();
    for row in tx
        .replications()
        .of_backup(&backup.project_id, &backup.id)?
    {
        found.push(Replication {
            progress: progress(tx, &row)?,
            failure: row.error_code.map(|code| {
                let reason = Reason::parse(&code).unwrap_or(Reason::Internal);
                (reason, row.error_message.unwrap_or_default())
            }),
            id: row.id,
            status: row.status,
            auto_trigger: row.policy_id.is_some(),
            source_backup_id: row.backup_id,
            source_checkpoint_id: row.source_checkpoint_id,
            source_project_id: row.project_id,
            source_vault_id: row.vault_id,
            source_region: row.source_region,
            destination_backup_id: row.destination_backup_id,
            destination_checkpoint_id: row.destination_checkpoint_id,
            destination_project_id: row.destination_project_id,
            destination_vault_id: row.destination_vault_id,
            destination_region: row.destination_region,
            created_at: row.created_at,
        });
    }
    for replica in tx.backups().any_project_replicas_of(&backup.id)? {
        let is_told = found
            .iter()
            .any(|known| known.destination_backup_id == replica.id);
        if !is_told && replica.status != BackupStatus::WaitingProtect {
            found.push(untold(tx, backup, &replica)?);
        }
    }
    Ok(found)
}

/// How far a copy is, by its task.
fn progress(tx: &Tx<'_>, row: &strongroom_catalog::ReplicationRow) -> Result<u8> {
    match row.status {
        ReplicationStatus::Success => Ok(100),
        ReplicationStatus::Replicating => {
            let log = tx.operation_logs().get(&row.project_id, &row.log_id)?;
            log.map_or(Ok(0), |log| operation_logs::progress(tx, &log))
        }
        _ => Ok(0),
    }
}

/// The copy of which nothing tells but the replica: its record was lost.
fn untold(tx: &Tx<'_>, backup: &BackupRow, replica: &BackupRow) -> Result<Replication> {
    let region = |project, vault| match tx.vaults().get(&project, &vault)? {
        Some(vault) => region_name(tx, &vault),
        None => Ok(String::new()),
    };
    Ok(Replication {
        id: ReplicationId::from_bytes(*replica.id.as_bytes()),
        status: ReplicationStatus::Success,
        progress: 100,
        failure: None,
        auto_trigger: replica.auto_trigger,
        source_backup_id: backup.id,
        source_checkpoint_id: backup.checkpoint_id,
        source_project_id: backup.project_id,
        source_vault_id: backup.vault_id,
        source_region: region(backup.project_id, backup.vault_id)?,
        destination_backup_id: replica.id,
        destination_checkpoint_id: replica.checkpoint_id,
        destination_project_id: replica.project_id,
        destination_vault_id: replica.vault_id,
        destination_region: region(replica.project_id, replica.vault_id)?,
        created_at: replica.created_at,
    })
}
