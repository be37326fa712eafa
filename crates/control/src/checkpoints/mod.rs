//! Checkpoints (restore points): all backups that one order makes of a vault's resources.
//!
//! An order writes the checkpoint, its backups, their operation logs and their jobs in one
//! transaction. A checkpoint ends with its last backup: after that it is not found.

pub(crate) mod order;
mod view;

pub use view::{Checkpoint, NewCheckpoint, SkippedResource};

use strongroom_catalog::{self as catalog, BackupFilter, CheckpointRow, Tx};
use strongroom_model::{
    CheckpointId, ProjectId, Timestamp,
    state::{BackupStatus, CheckpointStatus, ProtectStatus},
};

use crate::{
    Caller, Control, Error, Reason, Result, VaultResource,
    control::project,
    limits, vaults,
    words::{ProtectType, stored},
};

impl Control {
    /// Orders backups; the answer says which resources are taken and which are not.
    pub fn create_checkpoint(&self, caller: &Caller, new: NewCheckpoint) -> Result<Checkpoint> {
        let project = project(caller)?;
        check(&new)?;
        self.order(|tx| {
            let otherwise = Reason::VaultStateForbidsBackup;
            let vault = vaults::rows::get_available(tx, project, new.vault_id, otherwise)?;
            if stored::<ProtectType>(&vault.protect_type)? == ProtectType::Replication {
                return Err(Error::conflict(Reason::VaultKindForbidsBackup, &vault.name));
            }
            let vault = self.grown_with_room(tx, &vault)?;
            let held = order::held(tx, &vault, new.resources.as_deref())?;
            let choice = order::choose(&vault, held)?;
            let made_up = if new.auto_trigger {
                self.automatic_name(&vault)
            } else {
                format!("manualbk_{}", self.four_digits())
            };
            let order = order::Order {
                vault: &vault,
                name: new.name.unwrap_or(made_up),
                description: new.description,
                incremental: new.incremental.unwrap_or(true),
                auto_trigger: new.auto_trigger,
                retention_days: new.retention_days,
                skipped: choice.skipped,
                safety: false,
            };
            let placed = order.place(self, tx, &caller.request_id, choice.taken)?;
            view_of(tx, placed.checkpoint)
        })
    }

    /// One checkpoint.
    pub fn show_checkpoint(&self, caller: &Caller, id: CheckpointId) -> Result<Checkpoint> {
        let project = project(caller)?;
        self.read(|tx| {
            let row = tx
                .checkpoints()
                .get(&project, &id)?
                .filter(|row| row.status != CheckpointStatus::Deleted)
                .ok_or_else(|| Error::not_found(Reason::NoSuchCheckpoint, id))?;
            view_of(tx, row)
        })
    }

    /// The vault, if it has room for more; one that may grow does so now.
    pub(crate) fn grown_with_room(
        &self,
        tx: &Tx<'_>,
        vault: &catalog::VaultRow,
    ) -> Result<catalog::VaultRow> {
        let mut grown = vault.clone();
        vaults::grow(&mut grown, vault.used_bytes);
        if vaults::room(&grown).is_some_and(|room| room.0 == 0) {
            let about = format!("{}: {} GiB", vault.name, vault.size_gib.0);
            return Err(Error::quota(Reason::VaultFull, about));
        }
        if grown.size_gib == vault.size_gib {
            return Ok(grown);
        }
        let now = self.now();
        Ok(tx.vaults().change(&vault.project_id, &vault.id, |row| {
            row.size_gib = grown.size_gib;
            row.updated_at = now;
        })?)
    }

    /// A name for backups of a schedule.
    pub(crate) fn automatic_name(&self, vault: &catalog::VaultRow) -> String {
        let prefix = vault.backup_name_prefix.as_deref();
        let prefix = prefix.filter(|prefix| !prefix.is_empty());
        format!("{}_{}", prefix.unwrap_or("autobk"), self.four_digits())
    }
}

fn check(new: &NewCheckpoint) -> Result<()> {
    new.name
        .as_deref()
        .map_or(Ok(()), |name| limits::name("name", name))?;
    new.description
        .as_deref()
        .map_or(Ok(()), limits::description)?;
    let Some(days) = new.retention_days else {
        return Ok(());
    };
    limits::retention_days(days)?;
    if new.auto_trigger {
        let problem = "is for backups by hand; those of a schedule are kept as their policy says";
        return Err(Error::invalid("retention_duration_days", problem));
    }
    Ok(())
}

/// The checkpoint as it stands, with its resources as they are in the vault now.
fn view_of(tx: &Tx<'_>, row: CheckpointRow) -> Result<Checkpoint> {
    let backups = backups_of(tx, &row)?;
    if backups.is_empty() {
        return Err(Error::not_found(Reason::NoSuchCheckpoint, row.id));
    }
    let vault = vaults::rows::get(tx, row.project_id, row.vault_id)?;
    let mut resources = Vec::new();
    for backup in backups {
        let place = tx
            .vault_resources()
            .get(&row.project_id, &backup.resource_id)?;
        let resource = tx.resources().get(&row.project_id, &backup.resource_id)?;
        resources.push(match (place, resource) {
            (Some(place), Some(resource)) if place.vault_id == row.vault_id => {
                vaults::rows::placed(place, resource)
            }
            _ => without_place(backup),
        });
    }
    let skipped = serde_json::from_value(row.skipped.0)
        .map_err(|error| Error::bug("the catalog holds an unreadable checkpoint", error))?;
    Ok(Checkpoint {
        id: row.id,
        project_id: row.project_id,
        status: row.status,
        created_at: row.created_at,
        vault_id: row.vault_id,
        vault_name: vault.name,
        object_type: stored(&vault.object_type)?,
        resources,
        skipped,
        name: row.name,
        description: row.description,
        retention_days: row.retention_days.map_or(-1, i64::from),
        incremental: row.incremental_asked,
    })
}

/// A resource that is backed up without being in the vault: the target of a restore.
fn without_place(backup: catalog::BackupRow) -> VaultResource {
    let protect_status = match backup.status {
        BackupStatus::WaitingProtect | BackupStatus::Protecting => ProtectStatus::Protecting,
        BackupStatus::Error => ProtectStatus::Error,
        _ => ProtectStatus::Available,
    };
    VaultResource {
        id: backup.resource_id,
        kind: backup.kind,
        name: backup.resource_name,
        size: backup.resource_size_bytes,
        protect_status,
        extra_info: None,
        backup_size: backup.stored_bytes,
        backup_count: 1,
        auto_protect: false,
    }
}

fn backups_of(tx: &Tx<'_>, row: &CheckpointRow) -> Result<Vec<catalog::BackupRow>> {
    let filter = BackupFilter {
        checkpoint_id: Some(row.id),
        ..BackupFilter::default()
    };
    let sort = [(catalog::BackupKey::CreatedAt, catalog::Direction::Ascending)];
    Ok(tx
        .backups()
        .list(&row.project_id, &filter, &sort, &catalog::Page::ALL)?
        .rows)
}

/// Brings a checkpoint to the state that follows from its backups: it ends with the last one.
pub(crate) fn settle(
    tx: &Tx<'_>,
    project: ProjectId,
    id: CheckpointId,
    now: Timestamp,
) -> Result<()> {
    let Some(row) = tx.checkpoints().get(&project, &id)? else {
        return Ok(());
    };
    let backups = backups_of(tx, &row)?;
    if backups.is_empty() {
        // Whoever asks is told that it is gone; in the row waits what may be brought back.
        if tx.trash().count_of_checkpoint(&project, &id)? == 0 {
            tx.checkpoints().remove(&project, &id)?;
        }
        return Ok(());
    }
    let unfinished = |status| {
        matches!(
            status,
            BackupStatus::WaitingProtect | BackupStatus::Protecting
        )
    };
    if row.status != CheckpointStatus::Protecting
        || backups.iter().any(|backup| unfinished(backup.status))
    {
        return Ok(());
    }
    let failed = backups
        .iter()
        .any(|backup| backup.status == BackupStatus::Error);
    let status = if failed {
        CheckpointStatus::Error
    } else {
        CheckpointStatus::Available
    };
    tx.checkpoints().change(&project, &id, |row| {
        row.status = status;
        row.updated_at = now;
    })?;
    Ok(())
}
