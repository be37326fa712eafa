//! The trash: what was deleted by a call can be brought back for a while.
//!
//! Whoever speaks a vendor's language is told that it is deleted, and finds it nowhere. Its data
//! stay, and count, until its time is over; then it is purged by a job like any other deletion.
//! How long that is, the vault says, else the installation; in a guarded vault never less than a
//! week unless an operator said so. Backups that end because their time has come do not pass
//! through the trash: that is what was promised of them.
//!
//! Invariant: once a purge has begun (`purge_at` is the beginning of time), nothing comes back.

mod view;

pub use view::{Trash, TrashedBackup, TrashedVault};

use serde_json::json;
use strongroom_catalog::{
    BackupFilter, BackupRow, Held, Json, Page, Trashed, Tx, VaultResourceRow, VaultRow,
};
use strongroom_model::{
    BackupId, OperationLogId, ProjectId, ResourceId, Timestamp, VaultId, state::ProtectStatus,
};

use crate::{
    Caller, Control, Error, Reason, Result,
    backups::{self, resource_of},
    checkpoints,
    control::project,
    jobs::{self, collect, params},
    limits, locks, migration,
    operation_logs::{self, NewTask, OperationDetail},
};

/// The setting of the installation: days that what was deleted can be brought back.
pub(crate) const GRACE_SETTING: &str = "grace_days";
/// A purge that began.
const BEGUN: Timestamp = Timestamp::from_micros(0);
/// Who asks for what the service does by itself.
const UPKEEP: &str = "purge";

impl Control {
    /// What of the project can be brought back.
    pub fn list_trash(&self, caller: &Caller) -> Result<Trash> {
        let project = project(caller)?;
        self.read(|tx| {
            let vaults = tx.trash().vaults(&project)?;
            let of_vault = |id| vaults.iter().any(|vault| vault.row.id == id);
            let backups = tx.trash().backups(&project)?;
            Ok(Trash {
                backups: backups
                    .into_iter()
                    .filter(|backup| !of_vault(backup.row.vault_id))
                    .map(TrashedBackup::from)
                    .collect(),
                vaults: vaults
                    .iter()
                    .map(|vault| view::vault(tx, vault))
                    .collect::<Result<_>>()?,
            })
        })
    }

    /// Brings a backup back, as it was.
    pub fn undelete_backup(&self, caller: &Caller, id: BackupId) -> Result<()> {
        let project = project(caller)?;
        let now = self.now();
        self.write(|tx| {
            let absent = || Error::not_found(Reason::NoSuchBackup, id);
            let trashed = tx.trash().backup(&project, &id)?.ok_or_else(absent)?;
            not_begun(&trashed)?;
            if tx.trash().vault(&project, &trashed.row.vault_id)?.is_some() {
                let about = "its vault is deleted too: bring the vault back first";
                return Err(Error::conflict(Reason::VaultStateForbids, about));
            }
            tx.trash().take_backup(&project, &id)?;
            came_back(tx, &trashed.row, now)
        })
    }

    /// Brings a vault back with the backups that went with it, and with those of its resources
    /// that are in no other vault by now.
    pub fn undelete_vault(&self, caller: &Caller, id: VaultId) -> Result<()> {
        let project = project(caller)?;
        let now = self.now();
        self.write(|tx| {
            let absent = || Error::not_found(Reason::NoSuchVault, id);
            let trashed = tx.trash().vault(&project, &id)?.ok_or_else(absent)?;
            not_begun(&trashed)?;
            let held = tx.trash().take_vault(&project, &id)?.unwrap_or_default();
            for backup in tx.trash().backups_of_vault(&project, &id)? {
                if backup.trashed_at == trashed.trashed_at {
                    tx.trash().take_backup(&project, &backup.row.id)?;
                }
            }
            for one in held {
                put_back(tx, &trashed.row, one, now)?;
            }
            Ok(())
        })
    }

    /// Begins to purge what has been in the trash long enough, in all projects; how much it was.
    ///
    /// To be called now and then; idempotent.
    pub fn purge_trash(&self) -> Result<u64> {
        let now = self.now();
        let (vaults, backups) = self.read(|tx| {
            let trash = tx.trash();
            Ok((
                trash.any_project_vaults_due(now)?,
                trash.any_project_backups_due(now)?,
            ))
        })?;
        let mut begun = 0;
        for vault in vaults {
            begun += u64::from(self.order(|tx| self.purge_vault(tx, &vault.row))?);
        }
        for backup in backups {
            begun += u64::from(self.order(|tx| self.purge_backup(tx, &backup.row))?);
        }
        Ok(begun)
    }

    fn purge_backup(&self, tx: &Tx<'_>, backup: &BackupRow) -> Result<bool> {
        let key = params::backup_key(backup.id);
        let vault = tx.vaults().get(&backup.project_id, &backup.vault_id)?;
        let still = tx.trash().backup(&backup.project_id, &backup.id)?;
        let (Some(vault), Some(_), 0) = (vault, still, tx.jobs().unfinished_with_key(&key)?) else {
            return Ok(false);
        };
        tx.trash()
            .set_purge_of_backup(&backup.project_id, &backup.id, BEGUN)?;
        let log = OperationLogId::new(self.entropy());
        let params = params::DeleteBackup {
            project: vault.project_id,
            vault: vault.id,
            backup: backup.id,
            log,
            purge: true,
        };
        let task = NewTask {
            id: log,
            vault: &vault,
            checkpoint_id: Some(backup.checkpoint_id),
            backup: Some(backup),
            resource: Some(resource_of(backup)),
            detail: deletion_of(backup),
            job: jobs::DELETE_BACKUP,
            params: json!(params),
            exclusive_key: key,
        };
        operation_logs::begin(self, tx, UPKEEP, task)?;
        Ok(true)
    }

    fn purge_vault(&self, tx: &Tx<'_>, vault: &VaultRow) -> Result<bool> {
        let key = params::vault_key(vault.id);
        let still = tx.trash().vault(&vault.project_id, &vault.id)?;
        if still.is_none() || tx.jobs().unfinished_with_key(&key)? > 0 {
            return Ok(false);
        }
        tx.trash()
            .set_purge_of_vault(&vault.project_id, &vault.id, BEGUN)?;
        let total = tx
            .trash()
            .every_backup_of(&vault.project_id, &vault.id)?
            .len() as u64;
        let log = OperationLogId::new(self.entropy());
        let params = params::DeleteVault {
            project: vault.project_id,
            vault: vault.id,
            log,
            purge: true,
        };
        let task = NewTask {
            id: log,
            vault,
            checkpoint_id: None,
            backup: None,
            resource: None,
            detail: OperationDetail::VaultDelete { failed: 0, total },
            job: jobs::DELETE_VAULT,
            params: json!(params),
            exclusive_key: key,
        };
        operation_logs::begin(self, tx, UPKEEP, task)?;
        Ok(true)
    }
}

/// How long what is deleted from a vault can be brought back; `None` if it goes at once.
pub(crate) fn grace(tx: &Tx<'_>, vault: &VaultRow) -> Result<Option<u32>> {
    let safety = locks::safety_of(tx, vault)?;
    Ok(Some(safety.grace_days).filter(|days| *days > 0))
}

/// Puts a backup into the trash; its task is done at once.
pub(crate) fn put_backup(
    control: &Control,
    tx: &Tx<'_>,
    request_id: &str,
    (vault, backup, days): (&VaultRow, &BackupRow, u32),
) -> Result<()> {
    let now = control.now();
    tx.trash()
        .put_backup(&backup.project_id, &backup.id, (now, until(now, days)))?;
    went(tx, backup, now)?;
    let task = NewTask {
        id: OperationLogId::new(control.entropy()),
        vault,
        checkpoint_id: Some(backup.checkpoint_id),
        backup: Some(backup),
        resource: Some(resource_of(backup)),
        detail: deletion_of(backup),
        job: jobs::DELETE_BACKUP,
        params: json!(null),
        exclusive_key: String::new(),
    };
    operation_logs::noted(control, tx, request_id, &task)
}

/// Puts a vault with all its backups into the trash; its resources are free at once.
pub(crate) fn put_vault(
    control: &Control,
    tx: &Tx<'_>,
    request_id: &str,
    (vault, days): (&VaultRow, u32),
) -> Result<()> {
    let now = control.now();
    let (project, times) = (vault.project_id, (now, until(now, days)));
    let of_vault = BackupFilter {
        vault_id: Some(vault.id),
        ..BackupFilter::default()
    };
    let all = tx.backups().list(&project, &of_vault, &[], &Page::ALL)?;
    for backup in &all.rows {
        tx.trash().put_backup(&project, &backup.id, times)?;
    }
    let held: Vec<_> = tx
        .vault_resources()
        .of_vault(&project, &vault.id)?
        .into_iter()
        .map(|(place, _)| Held {
            resource_id: place.resource_id,
            auto_protect: place.auto_protect,
            extra_info: place.extra_info.0,
        })
        .collect();
    for one in &held {
        tx.vault_resources()
            .remove(&project, &vault.id, &one.resource_id)?;
    }
    tx.trash().put_vault(&project, &vault.id, times, &held)?;
    let detail = OperationDetail::VaultDelete {
        failed: 0,
        total: all.total,
    };
    let task = NewTask {
        id: OperationLogId::new(control.entropy()),
        vault,
        checkpoint_id: None,
        backup: None,
        resource: None,
        detail,
        job: jobs::DELETE_VAULT,
        params: json!(null),
        exclusive_key: String::new(),
    };
    operation_logs::noted(control, tx, request_id, &task)
}

/// Takes a resource out of a vault and puts its backups there into the trash.
pub(crate) fn put_resource(
    control: &Control,
    tx: &Tx<'_>,
    (vault, resource, days): (&VaultRow, ResourceId, u32),
) -> Result<()> {
    let now = control.now();
    let of = BackupFilter {
        vault_id: Some(vault.id),
        resource_id: Some(resource),
        ..BackupFilter::default()
    };
    let project = vault.project_id;
    for backup in tx.backups().list(&project, &of, &[], &Page::ALL)?.rows {
        tx.trash()
            .put_backup(&project, &backup.id, (now, until(now, days)))?;
        went(tx, &backup, now)?;
    }
    tx.vault_resources()
        .remove(&project, &vault.id, &resource)?;
    Ok(())
}

/// A purged backup is gone for good, or is tried again later.
pub(crate) fn purged_backup(
    control: &Control,
    tx: &Tx<'_>,
    params: &params::DeleteBackup,
    good: bool,
) -> Result<()> {
    let (project, now) = (params.project, control.now());
    let Some(trashed) = tx.trash().backup(&project, &params.backup)? else {
        return Ok(());
    };
    if good {
        tx.backups().remove(&project, &params.backup)?;
        checkpoints::settle(tx, project, trashed.row.checkpoint_id, now)?;
        collect::order(control, tx, project, params.vault)?;
    }
    // Otherwise its time is over as before, and the next round tries again.
    Ok(())
}

/// A vault whose purge failed stays in the trash, out of reach, for the next round.
pub(crate) fn vault_not_purged(tx: &Tx<'_>, params: &params::DeleteVault) -> Result<()> {
    Ok(tx
        .trash()
        .set_purge_of_vault(&params.project, &params.vault, BEGUN)?)
}

/// Days that what is deleted in the installation can be brought back, unless a vault says.
pub(crate) fn installation_days(tx: &Tx<'_>) -> Result<u32> {
    let said = tx.settings().get(GRACE_SETTING)?;
    Ok(said.and_then(|text| text.parse().ok()).unwrap_or(0))
}

fn until(now: Timestamp, days: u32) -> Timestamp {
    now.plus_seconds(i64::from(days) * 86_400)
}

fn not_begun<R>(trashed: &Trashed<R>) -> Result<()> {
    if trashed.purge_at == BEGUN {
        let about = "its time in the trash is over and it is being purged";
        return Err(Error::conflict(Reason::BackupNotDeletable, about));
    }
    Ok(())
}

fn deletion_of(backup: &BackupRow) -> OperationDetail {
    OperationDetail::Delete {
        backup_id: backup.id,
        backup_name: backup.name.clone(),
    }
}

/// What counted a backup counts it no more.
fn went(tx: &Tx<'_>, backup: &BackupRow, now: Timestamp) -> Result<()> {
    if backup.manifest_id.is_some() {
        backups::count_out_of_place(tx, backup)?;
    }
    checkpoints::settle(tx, backup.project_id, backup.checkpoint_id, now)
}

/// What counted a backup counts it again.
fn came_back(tx: &Tx<'_>, backup: &BackupRow, now: Timestamp) -> Result<()> {
    if backup.manifest_id.is_some() {
        backups::count_in_place(tx, backup, backup.stored_bytes)?;
    }
    tx.backups().change(&backup.project_id, &backup.id, |row| {
        row.updated_at = now;
    })?;
    Ok(())
}

/// Puts a resource back into its vault, unless it is elsewhere by now or gone.
fn put_back(tx: &Tx<'_>, vault: &VaultRow, was: Held, now: Timestamp) -> Result<()> {
    let resource = was.resource_id;
    let project: ProjectId = vault.project_id;
    let known = tx.resources().get(&project, &resource)?;
    let is_there = known.is_some_and(|row| row.removed_at.is_none());
    let held = tx.vault_resources().of_vault(&project, &vault.id)?.len();
    if !is_there
        || held >= limits::VAULT_RESOURCES_MAX
        || tx.vault_resources().get(&project, &resource)?.is_some()
    {
        return Ok(());
    }
    let (backup_count, backup_size_bytes) = migration::counted(tx, vault, resource)?;
    tx.vault_resources().insert(&VaultResourceRow {
        project_id: project,
        vault_id: vault.id,
        resource_id: resource,
        protect_status: ProtectStatus::Available,
        auto_protect: was.auto_protect,
        extra_info: Json(was.extra_info),
        backup_size_bytes,
        backup_count,
        added_at: now,
    })?;
    Ok(())
}
