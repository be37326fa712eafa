//! What callers get to see of the trash.

use strongroom_catalog::{BackupRow, Trashed, Tx, VaultRow};
use strongroom_model::{BackupId, ResourceId, Timestamp, VaultId};

use crate::Result;

/// What can be brought back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trash {
    /// Backups, without those that went with their vault.
    pub backups: Vec<TrashedBackup>,
    /// Vaults.
    pub vaults: Vec<TrashedVault>,
}

/// A backup that can be brought back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrashedBackup {
    /// Its id.
    pub id: BackupId,
    /// Its name.
    pub name: String,
    /// Its vault.
    pub vault_id: VaultId,
    /// What it is a backup of.
    pub resource_id: ResourceId,
    /// The resource's name at the time.
    pub resource_name: String,
    /// The instant that it shows.
    pub protected_at: Option<Timestamp>,
    /// When it was deleted.
    pub deleted_at: Timestamp,
    /// When it goes for good.
    pub purge_at: Timestamp,
}

impl From<Trashed<BackupRow>> for TrashedBackup {
    fn from(trashed: Trashed<BackupRow>) -> Self {
        let row = trashed.row;
        Self {
            id: row.id,
            name: row.name,
            vault_id: row.vault_id,
            resource_id: row.resource_id,
            resource_name: row.resource_name,
            protected_at: row.protected_at,
            deleted_at: trashed.trashed_at,
            purge_at: trashed.purge_at,
        }
    }
}

/// A vault that can be brought back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrashedVault {
    /// Its id.
    pub id: VaultId,
    /// Its name.
    pub name: String,
    /// How many backups come back with it.
    pub backups: u64,
    /// When it was deleted.
    pub deleted_at: Timestamp,
    /// When it goes for good.
    pub purge_at: Timestamp,
}

/// A vault with what comes back with it.
pub(super) fn vault(tx: &Tx<'_>, trashed: &Trashed<VaultRow>) -> Result<TrashedVault> {
    let row = &trashed.row;
    let backups = tx.trash().backups_of_vault(&row.project_id, &row.id)?;
    let with_it = backups
        .iter()
        .filter(|backup| backup.trashed_at == trashed.trashed_at);
    Ok(TrashedVault {
        id: row.id,
        name: row.name.clone(),
        backups: with_it.count() as u64,
        deleted_at: trashed.trashed_at,
        purge_at: trashed.purge_at,
    })
}
