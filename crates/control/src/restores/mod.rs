//! Restores: onto a registered resource, or, for operators, to a path.
//!
//! A restore onto a resource first takes a safety backup of it: a checkpoint of its own in the
//! vault that holds the resource, or else in the backup's. Its job has the same exclusive key as
//! the restore's, so it runs first, and the restore refuses to write unless it came out good.
//! A safety backup is never refused for lack of room: a full vault must not block the way back.
//! If there is nothing at the resource's path, there is nothing to save.

mod target;

use std::{os::unix::ffi::OsStrExt as _, path::PathBuf};

use serde_json::json;
use strongroom_catalog::{BackupRow, MemberRow, ResourceRow, ShareStatus, Tx, VaultRow};
use strongroom_model::{
    BackupId, OperationLogId, ProjectId, ResourceId, ResourceKind,
    state::{BackupStatus, ProtectStatus},
};

use crate::{
    Caller, Control, Error, Reason, Result,
    backups::{self, resource_of},
    checkpoints::order::Order,
    control::{operator, project},
    jobs::{self, params},
    members,
    operation_logs::{self, NewTask, OperationDetail},
    resources, vaults,
};

/// Where a restore goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RestoreTarget {
    /// Onto this resource, in place.
    Resource(ResourceId),
    /// Onto the resource that the backup is of, in place.
    Original,
    /// To this path, which must not exist yet; operators only.
    NewPath(PathBuf),
}

/// An order to restore a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRestore {
    /// The backup.
    pub backup_id: BackupId,
    /// Where to.
    pub target: RestoreTarget,
    /// Only this file or directory of a share, relative to its root; bytes, since names are.
    /// Only together with [`RestoreTarget::NewPath`].
    pub inside: Option<Vec<u8>>,
}

impl Control {
    /// Begins a restore; the answer is the task to follow.
    pub fn restore_backup(&self, caller: &Caller, new: NewRestore) -> Result<OperationLogId> {
        let project = project(caller)?;
        match new.target {
            RestoreTarget::NewPath(path) => {
                operator(caller)?;
                self.restore_to_path(caller, project, new.backup_id, &path, new.inside)
            }
            _ if new.inside.is_some() => {
                let problem = "can be restored to a new path only, not over a resource";
                Err(Error::invalid("inside", problem))
            }
            RestoreTarget::Original => self.restore_in_place(caller, project, new.backup_id, None),
            RestoreTarget::Resource(resource) => {
                self.restore_in_place(caller, project, new.backup_id, Some(resource))
            }
        }
    }

    fn restore_to_path(
        &self,
        caller: &Caller,
        project: ProjectId,
        id: BackupId,
        path: &std::path::Path,
        inside: Option<Vec<u8>>,
    ) -> Result<OperationLogId> {
        let path = target::new_place(path, self.own_paths())?;
        self.order(|tx| {
            let backup = backups::rows::get(tx, project, id)?;
            let vault = restorable(tx, &backup, Incomplete::Welcome)?;
            if inside.is_some() && backup.kind != ResourceKind::Share {
                return Err(Error::invalid("inside", "only a share has files inside"));
            }
            if tx.jobs().unfinished_with_key(&params::backup_key(id))? > 0 {
                return Err(Error::conflict(Reason::RestoreRunning, id));
            }
            let to = params::Target::Path {
                path: path.as_os_str().as_bytes().to_vec(),
                inside,
            };
            let log =
                self.begin_restore(tx, caller, &vault, &backup, to, params::backup_key(id))?;
            Ok(log)
        })
    }

    fn restore_in_place(
        &self,
        caller: &Caller,
        project: ProjectId,
        id: BackupId,
        target: Option<ResourceId>,
    ) -> Result<OperationLogId> {
        self.order(|tx| {
            let visible = members::visible(tx, project, id)?;
            let backup = visible.backup;
            let mut vault = restorable(tx, &backup, Incomplete::Refused)?;
            if let Some(share) = visible.share {
                vault = receiving(tx, project, &share)?;
            }
            let target = target.unwrap_or(backup.resource_id);
            let resource = resources::get(tx, project, target)?;
            if resource.kind != backup.kind {
                let about = format!("{} is a {}", resource.name, resource.kind);
                return Err(Error::conflict(Reason::RestoreElsewhereRefused, about));
            }
            if self.is_around_own(&resources::path_of(&resource)) {
                let about = format!("{} holds the service's own data", resource.name);
                return Err(Error::conflict(Reason::TargetStateForbidsRestore, about));
            }
            let there = target::look(&resource, &backup)?;
            let home = Self::claim_target(tx, &resource)?.unwrap_or_else(|| vault.clone());
            let safety = match there {
                target::There::Something => {
                    Some(self.order_safety(tx, &caller.request_id, &home, resource)?)
                }
                target::There::Nothing => None,
            };
            let to = params::Target::Resource {
                resource: target,
                safety,
            };
            let key = params::resource_key(target);
            let log = self.begin_restore(tx, caller, &vault, &backup, to, key)?;
            Ok(log)
        })
    }

    /// Marks the target, if nothing goes on with it; the vault that holds it, if one does.
    fn claim_target(tx: &Tx<'_>, resource: &ResourceRow) -> Result<Option<VaultRow>> {
        let project = resource.project_id;
        let place = tx.vault_resources().get(&project, &resource.id)?;
        let refused = |reason| Err(Error::conflict(reason, &resource.name));
        match place.as_ref().map(|place| place.protect_status) {
            Some(ProtectStatus::Protecting) => return refused(Reason::RestoreWhileBackupRuns),
            Some(ProtectStatus::Restoring) => return refused(Reason::RestoreRunning),
            Some(ProtectStatus::Removing) => return refused(Reason::TargetStateForbidsRestore),
            Some(ProtectStatus::Available | ProtectStatus::Error) | None => {}
        }
        if tx
            .jobs()
            .unfinished_with_key(&params::resource_key(resource.id))?
            > 0
        {
            return refused(Reason::RestoreRunning);
        }
        let Some(place) = place else { return Ok(None) };
        let otherwise = Reason::VaultStateForbidsRestore;
        let vault = vaults::rows::get_available(tx, project, place.vault_id, otherwise)?;
        tx.vault_resources()
            .change(&project, &vault.id, &resource.id, |place| {
                place.protect_status = ProtectStatus::Restoring;
            })?;
        Ok(Some(vault))
    }

    fn order_safety(
        &self,
        tx: &Tx<'_>,
        request_id: &str,
        vault: &VaultRow,
        resource: ResourceRow,
    ) -> Result<BackupId> {
        let order = Order {
            vault,
            name: format!("safety_{}", self.four_digits()),
            description: Some("taken before a restore in place".to_owned()),
            incremental: true,
            auto_trigger: false,
            retention_days: None,
            skipped: Vec::new(),
            safety: true,
        };
        let placed = order.place(self, tx, request_id, vec![resource])?;
        Ok(placed.backups[0])
    }

    fn begin_restore(
        &self,
        tx: &Tx<'_>,
        caller: &Caller,
        vault: &VaultRow,
        backup: &BackupRow,
        target: params::Target,
        exclusive_key: String,
    ) -> Result<OperationLogId> {
        let (project, now) = (vault.project_id, self.now());
        if backup.status == BackupStatus::Available {
            tx.backups().change(&backup.project_id, &backup.id, |row| {
                row.status = BackupStatus::WaitingRestore;
                row.updated_at = now;
            })?;
        }
        let onto = match &target {
            params::Target::Resource { resource, .. } => {
                Some(resources::named(&resources::get(tx, project, *resource)?))
            }
            params::Target::Path { .. } => None,
        };
        let log = OperationLogId::new(self.entropy());
        let params = params::Restore {
            project,
            vault: vault.id,
            backup: backup.id,
            log,
            target,
            owner: (backup.project_id != project).then_some(backup.project_id),
        };
        let task = NewTask {
            id: log,
            vault,
            checkpoint_id: Some(backup.checkpoint_id),
            backup: Some(backup),
            resource: Some(resource_of(backup)),
            detail: OperationDetail::Restore {
                backup_id: backup.id,
                backup_name: backup.name.clone(),
                target: onto,
            },
            job: jobs::RESTORE,
            params: json!(params),
            exclusive_key,
        };
        operation_logs::begin(self, tx, &caller.request_id, task)?;
        Ok(log)
    }
}

/// Whether a backup that misses something may be restored.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Incomplete {
    Welcome,
    Refused,
}

/// The receiver's vault of a share that it has accepted.
fn receiving(tx: &Tx<'_>, receiver: ProjectId, share: &MemberRow) -> Result<VaultRow> {
    let (ShareStatus::Accepted, Some(vault)) = (share.status, share.vault_id) else {
        let about = "accept the share first";
        return Err(Error::conflict(Reason::BackupStateForbidsRestore, about));
    };
    vaults::rows::get_available(tx, receiver, vault, Reason::VaultStateForbidsRestore)
}

/// The vault of a backup, if the states of both allow a restore.
fn restorable(tx: &Tx<'_>, backup: &BackupRow, incomplete: Incomplete) -> Result<VaultRow> {
    match backup.status {
        BackupStatus::Available => {}
        BackupStatus::WaitingRestore | BackupStatus::Restoring => {
            return Err(Error::conflict(Reason::RestoreRunning, backup.id));
        }
        BackupStatus::Error
            if incomplete == Incomplete::Welcome && backup.manifest_id.is_some() => {}
        other => return Err(Error::conflict(Reason::BackupStateForbidsRestore, other)),
    }
    let otherwise = Reason::VaultStateForbidsRestore;
    vaults::rows::get_available(tx, backup.project_id, backup.vault_id, otherwise)
}
