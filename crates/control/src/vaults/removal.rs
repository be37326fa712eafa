//! Taking resources out of a vault, and deleting a vault: both delete backups, so both are jobs.

use serde_json::json;
use strongroom_catalog::{BackupFilter, Tx, VaultRow};
use strongroom_model::{
    OperationLogId, ResourceId, VaultId,
    state::{BackupStatus, ProtectStatus, VaultStatus},
};

use super::{no_twins, rows};
use crate::{
    Caller, Control, Error, Reason, Result,
    control::project,
    jobs::{self, params},
    operation_logs::{self, NewTask, OperationDetail},
    plans::{self, Consent, Deed},
    resources, trash,
};

impl Control {
    /// Begins to take resources out of a vault and to delete their backups.
    ///
    /// In a guarded vault this needs a [plan](crate::plans).
    pub fn remove_vault_resources(
        &self,
        caller: &Caller,
        id: VaultId,
        resources: Vec<ResourceId>,
    ) -> Result<Vec<ResourceId>> {
        self.remove_vault_resources_with(caller, id, resources, Consent::Vendor)
    }

    /// Takes resources out of a vault; their backups are deleted, or go into the trash.
    pub(crate) fn remove_vault_resources_with(
        &self,
        caller: &Caller,
        id: VaultId,
        resources: Vec<ResourceId>,
        consent: Consent<'_>,
    ) -> Result<Vec<ResourceId>> {
        let project = project(caller)?;
        if resources.is_empty() {
            return Err(Error::invalid(
                "resource_ids",
                "must name at least one resource",
            ));
        }
        no_twins(resources.iter().copied())?;
        let now = self.now();
        self.order(|tx| {
            let vault = rows::get_available(tx, project, id, Reason::VaultStateForbids)?;
            if vault.locked {
                return Err(Error::conflict(Reason::VaultLocked, &vault.name));
            }
            if tx.replications().any_project_unfinished_of_vault(&id)? {
                return Err(Error::conflict(Reason::VaultReplicating, &vault.name));
            }
            let mut named = Vec::with_capacity(resources.len());
            for resource in &resources {
                Self::mark_removing(tx, &vault, *resource)?;
                named.push(resources::named(&resources::get(tx, project, *resource)?));
            }
            let deed = Deed::RemoveResources {
                vault: id,
                resources: resources.clone(),
            };
            plans::consented(tx, &vault, &deed, consent, now)?;
            let grace = trash::grace(tx, &vault)?;
            let log = OperationLogId::new(self.entropy());
            let params = params::RemoveResources {
                project,
                vault: id,
                resources: resources.clone(),
                log,
            };
            let task = NewTask {
                id: log,
                vault: &vault,
                checkpoint_id: None,
                backup: None,
                resource: if let [only] = &*named {
                    Some(only.clone())
                } else {
                    None
                },
                detail: OperationDetail::RemoveResources {
                    failed: 0,
                    total: named.len() as u64,
                    resources: named,
                },
                job: jobs::REMOVE_RESOURCES,
                params: json!(params),
                exclusive_key: params::vault_key(id),
            };
            let Some(days) = grace else {
                operation_logs::begin(self, tx, &caller.request_id, task)?;
                return Ok(resources);
            };
            for resource in &resources {
                trash::put_resource(self, tx, (&vault, *resource, days))?;
            }
            operation_logs::noted(self, tx, &caller.request_id, &task)?;
            Ok(resources)
        })
    }

    /// Marks a resource, if nothing goes on with it or with one of its backups.
    fn mark_removing(tx: &Tx<'_>, vault: &VaultRow, resource: ResourceId) -> Result<()> {
        let project = vault.project_id;
        let place = tx.vault_resources().get(&project, &resource)?;
        let Some(place) = place.filter(|place| place.vault_id == vault.id) else {
            return Err(Error::conflict(Reason::ResourceNotInVault, resource));
        };
        if place.protect_status == ProtectStatus::Removing {
            return Err(Error::conflict(Reason::ResourceBeingRemoved, resource));
        }
        let of_resource = BackupFilter {
            resource_id: Some(resource),
            ..BackupFilter::default()
        };
        let idle = matches!(
            place.protect_status,
            ProtectStatus::Available | ProtectStatus::Error
        );
        if !idle || busy(tx, vault, of_resource)? {
            return Err(Error::conflict(Reason::BackupInUse, resource));
        }
        tx.vault_resources()
            .change(&project, &vault.id, &resource, |place| {
                place.protect_status = ProtectStatus::Removing;
            })?;
        Ok(())
    }

    /// Begins to delete a vault with all its backups and its key; one that is on its way out
    /// already stays so.
    ///
    /// In a guarded vault this needs a [plan](crate::plans).
    pub fn delete_vault(&self, caller: &Caller, id: VaultId) -> Result<()> {
        self.delete_vault_with(caller, id, Consent::Vendor)
    }

    /// Begins to delete a vault, or puts it into the trash.
    pub(crate) fn delete_vault_with(
        &self,
        caller: &Caller,
        id: VaultId,
        consent: Consent<'_>,
    ) -> Result<()> {
        let project = project(caller)?;
        let now = self.now();
        self.order(|tx| {
            let vault = rows::get(tx, project, id)?;
            if vault.status == VaultStatus::Deleting {
                return Ok(());
            }
            let everything = BackupFilter {
                vault_id: Some(id),
                ..BackupFilter::default()
            };
            let total = tx.backups().count(&project, &everything)?;
            if vault.locked && total > 0 {
                let about = format!("{} is locked and holds backups", vault.name);
                return Err(Error::conflict(Reason::VaultNotDeletable, about));
            }
            if busy(tx, &vault, BackupFilter::default())? || resources_busy(tx, &vault)? {
                let about = format!("{}: a backup or restore waits or runs", vault.name);
                return Err(Error::conflict(Reason::VaultNotDeletable, about));
            }
            if tx.replications().any_project_unfinished_of_vault(&id)? {
                return Err(Error::conflict(Reason::VaultReplicating, &vault.name));
            }
            plans::consented(tx, &vault, &Deed::DeleteVault(id), consent, now)?;
            // One whose deletion failed halfway has nothing left to bring back.
            if let (Some(days), VaultStatus::Available) = (trash::grace(tx, &vault)?, vault.status)
            {
                return trash::put_vault(self, tx, &caller.request_id, (&vault, days));
            }
            tx.vaults().change(&project, &id, |row| {
                row.status = VaultStatus::Deleting;
                row.updated_at = now;
            })?;
            let log = OperationLogId::new(self.entropy());
            let params = params::DeleteVault {
                project,
                vault: id,
                log,
                purge: false,
            };
            let task = NewTask {
                id: log,
                vault: &vault,
                checkpoint_id: None,
                backup: None,
                resource: None,
                detail: OperationDetail::VaultDelete { failed: 0, total },
                job: jobs::DELETE_VAULT,
                params: json!(params),
                exclusive_key: params::vault_key(id),
            };
            operation_logs::begin(self, tx, &caller.request_id, task)?;
            Ok(())
        })
    }
}

/// Whether one of those backups of the vault is being made or restored.
fn busy(tx: &Tx<'_>, vault: &VaultRow, of: BackupFilter) -> Result<bool> {
    let statuses = vec![
        BackupStatus::WaitingProtect,
        BackupStatus::Protecting,
        BackupStatus::WaitingRestore,
        BackupStatus::Restoring,
    ];
    let filter = BackupFilter {
        vault_id: Some(vault.id),
        statuses,
        ..of
    };
    Ok(tx.backups().count(&vault.project_id, &filter)? > 0)
}

fn resources_busy(tx: &Tx<'_>, vault: &VaultRow) -> Result<bool> {
    let held = tx
        .vault_resources()
        .of_vault(&vault.project_id, &vault.id)?;
    Ok(held.iter().any(|(place, _)| {
        matches!(
            place.protect_status,
            ProtectStatus::Protecting | ProtectStatus::Restoring
        )
    }))
}
