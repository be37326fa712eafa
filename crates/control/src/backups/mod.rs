//! Backups: listed, shown, renamed, deleted.

pub(crate) mod rows;
mod view;

pub use view::{Backup, BackupFilter, BackupReport, BackupSort, BackupSortKey, Direction};

use serde_json::json;
use strongroom_catalog::{BackupRow, Tx, VaultResourceRow, VaultRow};
use strongroom_model::{
    BackupId, Bytes, OperationLogId, ProjectId, Timestamp,
    state::{BackupStatus, VaultStatus},
};

use crate::{
    Caller, Control, Error, Listed, Page, Reason, Result, checkpoints,
    control::project,
    jobs::{self, params},
    limits, locks, members,
    operation_logs::{self, NewTask, OperationDetail, OperationResource},
    page::LIMIT_MAX,
    plans::{self, Consent, Deed},
    replication,
    schedule::Ledger,
    trash, vaults,
};

impl Control {
    /// The backups that match.
    pub fn list_backups(
        &self,
        caller: &Caller,
        filter: &BackupFilter,
        sort: &BackupSort,
        page: &Page,
    ) -> Result<Listed<Backup>> {
        let project = project(caller)?;
        let page = page.rows(LIMIT_MAX)?;
        let with_replications = filter.with_replications;
        let shared = rows::shared_filter(filter);
        let Some(filter) = rows::row_filter(filter)? else {
            return Ok(Listed::nothing());
        };
        let sort = rows::row_sort(sort);
        self.read(|tx| {
            let found = match &shared {
                None => tx.backups().list(&project, &filter, &sort, &page)?,
                Some(shared) => tx
                    .backups()
                    .list_shared(&project, shared, &filter, &sort, &page)?,
            };
            let rows = with_replications.then(|| found.rows.clone());
            let mut items = rows::views_for(tx, project, found.rows)?;
            for (backup, row) in items.iter_mut().zip(rows.iter().flatten()) {
                backup.replications = Some(replication::of_backup(tx, row)?);
            }
            Ok(Listed {
                total: found.total,
                items,
            })
        })
    }

    /// One backup, the project's own or one that is shared with it.
    pub fn show_backup(&self, caller: &Caller, id: BackupId) -> Result<Backup> {
        let project = project(caller)?;
        // The project's own is asked for most, and has nothing around it most of the time.
        let looked = self.glance(|tx| Ok(tx.backups().look(&project, &id)?))?;
        if let Some(alone) = looked.and_then(rows::view_alone) {
            return Ok(alone);
        }
        self.read(|tx| {
            if let Some(looked) = tx.backups().look(&project, &id)? {
                return rows::view_looked(tx, looked);
            }
            let backup = members::visible(tx, project, id)?.backup;
            rows::view_for(tx, project, backup)
        })
    }

    /// One backup, with everything that is known about how it went.
    pub fn backup_report(&self, caller: &Caller, id: BackupId) -> Result<BackupReport> {
        let project = project(caller)?;
        self.read(|tx| rows::report(tx, rows::get(tx, project, id)?))
    }

    /// Renames a backup; no name leaves it as it is.
    pub fn rename_backup(
        &self,
        caller: &Caller,
        id: BackupId,
        name: Option<&str>,
    ) -> Result<Backup> {
        let project = project(caller)?;
        name.map_or(Ok(()), |name| limits::name("name", name))?;
        let now = self.now();
        self.write(|tx| {
            let row = rows::get(tx, project, id)?;
            let Some(name) = name else {
                return rows::view(tx, row);
            };
            let row = tx.backups().change(&project, &id, |row| {
                name.clone_into(&mut row.name);
                row.updated_at = now;
            })?;
            rows::view(tx, row)
        })
    }

    /// Begins to delete a backup; one that is on its way out already stays so.
    ///
    /// In a guarded vault this needs a [plan](crate::plans).
    pub fn delete_backup(&self, caller: &Caller, id: BackupId) -> Result<()> {
        self.delete_backup_with(caller, id, Consent::Vendor)
    }

    /// Begins to delete a backup, or puts it into the trash.
    pub(crate) fn delete_backup_with(
        &self,
        caller: &Caller,
        id: BackupId,
        consent: Consent<'_>,
    ) -> Result<()> {
        let project = project(caller)?;
        let now = self.now();
        self.order(|tx| {
            let backup = rows::get(tx, project, id)?;
            let vault = vaults::rows::get(tx, project, backup.vault_id)?;
            if vault.status == VaultStatus::Deleting {
                return Ok(());
            }
            match backup.status {
                BackupStatus::WaitingDelete | BackupStatus::Deleting => return Ok(()),
                BackupStatus::WaitingProtect | BackupStatus::Protecting => {
                    return Err(Error::conflict(Reason::BackupNotDeletable, backup.status));
                }
                BackupStatus::WaitingRestore | BackupStatus::Restoring => {
                    return Err(Error::conflict(Reason::BackupInUse, backup.status));
                }
                BackupStatus::Available | BackupStatus::Error => {}
            }
            if tx.jobs().unfinished_with_key(&params::backup_key(id))? > 0 {
                return Err(Error::conflict(Reason::BackupInUse, "a restore of it runs"));
            }
            if tx.replications().unfinished_of_backup(&project, &id)? {
                return Err(Error::conflict(Reason::BackupInUse, "it is being copied"));
            }
            if locks::keeps(locks::safety_of(tx, &vault)?, &backup, now) {
                return Err(Error::conflict(Reason::LockedVaultKeepsBackup, id));
            }
            plans::consented(tx, &vault, &Deed::DeleteBackup(id), consent, now)?;
            match trash::grace(tx, &vault)? {
                Some(days) => {
                    trash::put_backup(self, tx, &caller.request_id, (&vault, &backup, days))
                }
                None => self.begin_deletion(tx, &caller.request_id, &vault, &backup),
            }
        })
    }

    /// The backup whose metadata may be read now; refused while it is being made or deleted.
    pub fn backup_metadata(&self, caller: &Caller, id: BackupId) -> Result<Backup> {
        let project = project(caller)?;
        let backup = self.read(|tx| rows::view(tx, rows::get(tx, project, id)?))?;
        match backup.status {
            BackupStatus::Available
            | BackupStatus::WaitingRestore
            | BackupStatus::Restoring
            | BackupStatus::Error => Ok(backup),
            other => Err(Error::conflict(Reason::MetadataNotReady, other)),
        }
    }

    /// Begins to delete the backups of all projects whose own day has come; how many there were.
    /// What a schedule made is retention's (see [`crate::retention`]).
    ///
    /// To be called now and then; idempotent. While the clock is not believed, nothing goes.
    pub fn delete_expired_backups(&self) -> Result<u64> {
        let now = self.now();
        let Some(now) = self.read(|tx| Ok(Ledger::read(tx, now)?.believed(now)))? else {
            return Ok(0);
        };
        let deletable = [BackupStatus::Available, BackupStatus::Error];
        let filter = strongroom_catalog::BackupFilter {
            statuses: deletable.to_vec(),
            expired_to: Some(now),
            ..strongroom_catalog::BackupFilter::default()
        };
        let by_id = [(
            strongroom_catalog::BackupKey::Id,
            strongroom_catalog::Direction::Ascending,
        )];
        let mut page = strongroom_catalog::Page::default();
        let mut begun = 0;
        loop {
            let found =
                self.read(|tx| Ok(tx.backups().any_project_list(&filter, &by_id, &page)?.rows))?;
            let Some(last) = found.last() else {
                return Ok(begun);
            };
            page.marker = Some(last.id.to_string());
            for row in found {
                begun += u64::from(self.order(|tx| {
                    let (project, id) = (&row.project_id, &row.id);
                    if tx.scheduled_backups().get(project, id)?.is_some() {
                        return Ok(false);
                    }
                    self.delete_if_idle(tx, row.project_id, row.id)
                })?);
            }
        }
    }

    /// Begins to delete a backup if nothing goes on with it; whether it did.
    pub(crate) fn delete_if_idle(
        &self,
        tx: &Tx<'_>,
        project: ProjectId,
        id: BackupId,
    ) -> Result<bool> {
        let Some(backup) = tx.backups().get(&project, &id)? else {
            return Ok(false);
        };
        let vault = vaults::rows::get(tx, project, backup.vault_id)?;
        let idle = matches!(backup.status, BackupStatus::Available | BackupStatus::Error)
            && vault.status == VaultStatus::Available
            && tx.jobs().unfinished_with_key(&params::backup_key(id))? == 0
            && !tx.replications().unfinished_of_backup(&project, &id)?;
        if idle {
            self.begin_deletion(tx, "expiry", &vault, &backup)?;
        }
        Ok(idle)
    }

    fn begin_deletion(
        &self,
        tx: &Tx<'_>,
        request_id: &str,
        vault: &VaultRow,
        backup: &BackupRow,
    ) -> Result<()> {
        let now = self.now();
        tx.backups().change(&backup.project_id, &backup.id, |row| {
            row.status = BackupStatus::WaitingDelete;
            row.updated_at = now;
        })?;
        let log = OperationLogId::new(self.entropy());
        let params = params::DeleteBackup {
            project: vault.project_id,
            vault: vault.id,
            backup: backup.id,
            log,
            purge: false,
        };
        let task = NewTask {
            id: log,
            vault,
            checkpoint_id: Some(backup.checkpoint_id),
            backup: Some(backup),
            resource: Some(resource_of(backup)),
            detail: OperationDetail::Delete {
                backup_id: backup.id,
                backup_name: backup.name.clone(),
            },
            job: jobs::DELETE_BACKUP,
            params: json!(params),
            exclusive_key: params::backup_key(backup.id),
        };
        operation_logs::begin(self, tx, request_id, task)
    }
}

/// The resource of a backup as a task names it.
pub(crate) fn resource_of(backup: &BackupRow) -> OperationResource {
    OperationResource {
        id: backup.resource_id,
        kind: backup.kind,
        name: backup.resource_name.clone(),
    }
}

/// Adds a backup to what its resource's place in the vault counts.
pub(crate) fn count_in_place(tx: &Tx<'_>, backup: &BackupRow, stored: Bytes) -> Result<()> {
    change_place(tx, backup, |place| {
        place.backup_count += 1;
        place.backup_size_bytes += stored;
    })
}

/// Takes a backup out of what its resource's place in the vault counts.
pub(crate) fn count_out_of_place(tx: &Tx<'_>, backup: &BackupRow) -> Result<()> {
    change_place(tx, backup, |place| {
        place.backup_count = place.backup_count.saturating_sub(1);
        let left = place
            .backup_size_bytes
            .0
            .saturating_sub(backup.stored_bytes.0);
        place.backup_size_bytes = Bytes(left);
    })
}

/// Changes the place of a backup's resource, if it is in the backup's vault.
fn change_place(
    tx: &Tx<'_>,
    backup: &BackupRow,
    edit: impl FnOnce(&mut VaultResourceRow),
) -> Result<()> {
    let (project, vault, resource) = (backup.project_id, backup.vault_id, backup.resource_id);
    let place = tx.vault_resources().get(&project, &resource)?;
    if place.is_some_and(|place| place.vault_id == vault) {
        tx.vault_resources()
            .change(&project, &vault, &resource, edit)?;
    }
    Ok(())
}

/// Removes a backup whose data are forgotten, with what it counts for and, if it was the last
/// one, its checkpoint.
pub(crate) fn remove(tx: &Tx<'_>, backup: &BackupRow, now: Timestamp) -> Result<()> {
    if backup.manifest_id.is_some() {
        count_out_of_place(tx, backup)?;
    }
    tx.backups().remove(&backup.project_id, &backup.id)?;
    checkpoints::settle(tx, backup.project_id, backup.checkpoint_id, now)
}
