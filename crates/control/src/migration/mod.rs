//! Moving resources to another vault.
//!
//! A vault's data live in a repository with a key of their own, so a move takes along the
//! resource's place and nothing else: the backups that there are stay in the vault where they
//! were made, restorable as before, and the next backup goes to the new vault. Nothing is deleted.

use strongroom_catalog::{BackupFilter, Page, Tx, VaultResourceRow, VaultRow};
use strongroom_model::{Bytes, ResourceId, Timestamp, VaultId, state::ProtectStatus};

use crate::{
    Caller, Control, Error, Reason, Result,
    control::project,
    limits,
    vaults::{no_twins, rows},
};

impl Control {
    /// Moves resources from one vault to another of the same kind, all of them or none.
    pub fn migrate_vault_resources(
        &self,
        caller: &Caller,
        from: VaultId,
        to: VaultId,
        resources: Vec<ResourceId>,
    ) -> Result<Vec<ResourceId>> {
        let project = project(caller)?;
        if resources.is_empty() {
            let problem = "must name at least one resource";
            return Err(Error::invalid("resource_ids", problem));
        }
        if from == to {
            let problem = "must be another vault than the one in the path";
            return Err(Error::invalid("destination_vault_id", problem));
        }
        no_twins(resources.iter().copied())?;
        let now = self.now();
        self.write(|tx| {
            let source = rows::get_available(tx, project, from, Reason::VaultStateForbids)?;
            let target = rows::get_available(tx, project, to, Reason::VaultStateForbids)?;
            if source.locked {
                return Err(Error::conflict(Reason::VaultLocked, &source.name));
            }
            let kind = |vault: &VaultRow| (vault.object_type.clone(), vault.protect_type.clone());
            if kind(&source) != kind(&target) {
                let about = format!("{} takes {}", target.name, target.object_type);
                return Err(Error::conflict(Reason::VaultTakesOtherType, about));
            }
            let held = tx.vault_resources().of_vault(&project, &to)?.len();
            if held.saturating_add(resources.len()) > limits::VAULT_RESOURCES_MAX {
                let about = format!("at most {}", limits::VAULT_RESOURCES_MAX);
                return Err(Error::quota(Reason::VaultHasMaximumOfResources, about));
            }
            for resource in &resources {
                move_one(tx, &source, &target, *resource, now)?;
            }
            Ok(resources)
        })
    }
}

fn move_one(
    tx: &Tx<'_>,
    from: &VaultRow,
    to: &VaultRow,
    resource: ResourceId,
    now: Timestamp,
) -> Result<()> {
    let project = from.project_id;
    let place = tx.vault_resources().get(&project, &resource)?;
    let Some(place) = place.filter(|place| place.vault_id == from.id) else {
        return Err(Error::conflict(Reason::ResourceNotInVault, resource));
    };
    match place.protect_status {
        ProtectStatus::Available | ProtectStatus::Error => {}
        ProtectStatus::Removing => {
            return Err(Error::conflict(Reason::ResourceBeingRemoved, resource));
        }
        ProtectStatus::Protecting | ProtectStatus::Restoring => {
            return Err(Error::conflict(Reason::BackupInUse, resource));
        }
    }
    tx.vault_resources().remove(&project, &from.id, &resource)?;
    let (backup_count, backup_size_bytes) = counted(tx, to, resource)?;
    tx.vault_resources().insert(&VaultResourceRow {
        vault_id: to.id,
        backup_count,
        backup_size_bytes,
        added_at: now,
        ..place
    })?;
    Ok(())
}

/// What a resource's backups in a vault count for, one that was there before.
pub(crate) fn counted(tx: &Tx<'_>, vault: &VaultRow, resource: ResourceId) -> Result<(u64, Bytes)> {
    let of = BackupFilter {
        vault_id: Some(vault.id),
        resource_id: Some(resource),
        ..BackupFilter::default()
    };
    let found = tx.backups().list(&vault.project_id, &of, &[], &Page::ALL)?;
    let with_data = found.rows.iter().filter(|row| row.manifest_id.is_some());
    Ok(with_data.fold((0, Bytes(0)), |(count, size), row| {
        (count + 1, size + row.stored_bytes)
    }))
}
