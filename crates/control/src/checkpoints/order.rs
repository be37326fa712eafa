//! An order to back up: which resources it takes, and all the rows it leaves in one transaction.

use serde_json::json;
use strongroom_catalog::{
    BackupRow, CheckpointRow, Json, ResourceRow, Tx, VaultResourceRow, VaultRow,
};
use strongroom_model::{
    BackupId, Bytes, CheckpointId, OperationLogId, ResourceId, Timestamp,
    state::{BackupStatus, CheckpointStatus, ProtectStatus},
};

use super::SkippedResource;
use crate::{
    Control, Error, Reason, Result,
    jobs::{self, params},
    operation_logs::{self, NewTask, OperationDetail},
    resources, vaults,
};

/// The resources of an order, sorted by whether it can be done.
pub(crate) struct Choice {
    /// Those to back up.
    pub(crate) taken: Vec<ResourceRow>,
    /// Those that cannot be now, and why.
    pub(crate) skipped: Vec<SkippedResource>,
}

/// What a vault holds, or those of it that are asked for.
pub(super) fn held(
    tx: &Tx<'_>,
    vault: &VaultRow,
    asked: Option<&[ResourceId]>,
) -> Result<Vec<(VaultResourceRow, ResourceRow)>> {
    let mut held = tx
        .vault_resources()
        .of_vault(&vault.project_id, &vault.id)?;
    if let Some(asked) = asked {
        vaults::no_twins(asked.iter().copied())?;
        let missing = |id: &&ResourceId| held.iter().all(|(place, _)| place.resource_id != **id);
        if let Some(id) = asked.iter().find(missing) {
            return Err(Error::conflict(Reason::ResourceNotInVault, id));
        }
        held.retain(|(place, _)| asked.contains(&place.resource_id));
    }
    Ok(held)
}

/// Sorts resources of a vault; refuses if nothing is left to do.
pub(crate) fn choose(
    vault: &VaultRow,
    held: Vec<(VaultResourceRow, ResourceRow)>,
) -> Result<Choice> {
    let mut choice = Choice {
        taken: Vec::new(),
        skipped: Vec::new(),
    };
    for (place, resource) in held {
        match hindrance(&place) {
            None => choice.taken.push(resource),
            Some(reason) => choice.skipped.push(SkippedResource {
                id: resource.id,
                kind: resource.kind,
                message: format!("{reason} ({})", resource.name),
                name: resource.name,
                reason,
            }),
        }
    }
    if choice.taken.is_empty() {
        let why: Vec<_> = choice
            .skipped
            .iter()
            .map(|skipped| skipped.message.clone())
            .collect();
        let about = if why.is_empty() {
            vault.name.clone()
        } else {
            why.join("; ")
        };
        return Err(Error::conflict(Reason::NothingToBackUp, about));
    }
    Ok(choice)
}

/// Why a resource cannot be backed up now.
fn hindrance(place: &VaultResourceRow) -> Option<Reason> {
    match place.protect_status {
        ProtectStatus::Available | ProtectStatus::Error => None,
        ProtectStatus::Protecting => Some(Reason::BackupRunning),
        ProtectStatus::Restoring => Some(Reason::ResourceStateForbidsBackup),
        ProtectStatus::Removing => Some(Reason::ResourceBeingRemoved),
    }
}

/// What all backups of one order have in common.
pub(crate) struct Order<'a> {
    /// Where they go.
    pub(crate) vault: &'a VaultRow,
    /// Their name.
    pub(crate) name: String,
    /// Free text.
    pub(crate) description: Option<String>,
    /// Whether they may build on earlier ones.
    pub(crate) incremental: bool,
    /// Whether a schedule orders them.
    pub(crate) auto_trigger: bool,
    /// Days to keep them; −1 and absent for ever.
    pub(crate) retention_days: Option<i64>,
    /// Resources left out.
    pub(crate) skipped: Vec<SkippedResource>,
    /// Whether they save what a restore is about to replace.
    pub(crate) safety: bool,
}

/// The rows that an order left.
pub(crate) struct Placed {
    /// The checkpoint.
    pub(crate) checkpoint: CheckpointRow,
    /// Its backups, in the order of the resources.
    pub(crate) backups: Vec<BackupId>,
}

impl Order<'_> {
    /// Writes checkpoint, backups, operation logs and jobs.
    pub(crate) fn place(
        self,
        control: &Control,
        tx: &Tx<'_>,
        request_id: &str,
        taken: Vec<ResourceRow>,
    ) -> Result<Placed> {
        let now = control.now();
        let checkpoint = self.checkpoint(CheckpointId::new(control.entropy()), now);
        tx.checkpoints().insert(&checkpoint)?;
        let mut backups = Vec::with_capacity(taken.len());
        for resource in taken {
            let id = BackupId::new(control.entropy());
            let backup = self.backup(id, checkpoint.id, &resource, now);
            tx.backups().insert(&backup)?;
            self.begin(control, tx, request_id, &backup, &resource)?;
            backups.push(id);
        }
        Ok(Placed {
            checkpoint,
            backups,
        })
    }

    /// Marks the resource and orders the job of one backup.
    fn begin(
        &self,
        control: &Control,
        tx: &Tx<'_>,
        request_id: &str,
        backup: &BackupRow,
        resource: &ResourceRow,
    ) -> Result<()> {
        let vault = self.vault;
        if !self.safety {
            tx.vault_resources()
                .change(&vault.project_id, &vault.id, &resource.id, |place| {
                    place.protect_status = ProtectStatus::Protecting;
                })?;
        }
        let log = OperationLogId::new(control.entropy());
        let params = params::Protect {
            project: vault.project_id,
            vault: vault.id,
            backup: backup.id,
            log,
            safety: self.safety,
        };
        let task = NewTask {
            id: log,
            vault,
            checkpoint_id: Some(backup.checkpoint_id),
            backup: Some(backup),
            resource: Some(resources::named(resource)),
            detail: OperationDetail::Backup {
                backup_id: backup.id,
                backup_name: backup.name.clone(),
            },
            job: jobs::PROTECT,
            params: json!(params),
            exclusive_key: params::resource_key(resource.id),
        };
        operation_logs::begin(control, tx, request_id, task)
    }

    fn checkpoint(&self, id: CheckpointId, now: Timestamp) -> CheckpointRow {
        CheckpointRow {
            id,
            project_id: self.vault.project_id,
            vault_id: self.vault.id,
            status: CheckpointStatus::Protecting,
            name: self.name.clone(),
            description: self.description.clone(),
            retention_days: self
                .retention_days
                .and_then(|days| u32::try_from(days).ok()),
            skipped: Json(json!(self.skipped)),
            incremental_asked: self.incremental,
            auto_trigger: self.auto_trigger,
            created_at: now,
            updated_at: now,
        }
    }

    fn backup(
        &self,
        id: BackupId,
        checkpoint_id: CheckpointId,
        resource: &ResourceRow,
        now: Timestamp,
    ) -> BackupRow {
        BackupRow {
            id,
            project_id: self.vault.project_id,
            vault_id: self.vault.id,
            checkpoint_id,
            resource_id: resource.id,
            resource_name: resource.name.clone(),
            kind: resource.kind,
            resource_size_bytes: resource.size_bytes,
            name: self.name.clone(),
            description: self.description.clone(),
            status: BackupStatus::WaitingProtect,
            incremental_asked: self.incremental,
            incremental: false,
            parent_id: None,
            manifest_id: None,
            stored_bytes: Bytes(0),
            unique_bytes: Bytes(0),
            logical_bytes: Bytes(0),
            items: 0,
            problems: Json(Vec::new()),
            fail_reason: None,
            auto_trigger: self.auto_trigger,
            created_at: now,
            updated_at: now,
            protected_at: None,
            expired_at: None,
            replica_of: None,
        }
    }
}
