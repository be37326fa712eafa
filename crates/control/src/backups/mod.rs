//! Backups: listed, shown, renamed, deleted.

mod view;

pub use view::{Backup, BackupFilter, BackupReport, BackupSort, BackupSortKey, Direction};

use strongroom_model::BackupId;

use crate::{Caller, Control, Listed, Page, Result};

impl Control {
    /// The backups that match.
    pub fn list_backups(
        &self,
        caller: &Caller,
        filter: &BackupFilter,
        sort: &BackupSort,
        page: &Page,
    ) -> Result<Listed<Backup>> {
        self.pending(caller, (filter, sort, page))
    }

    /// One backup.
    pub fn show_backup(&self, caller: &Caller, id: BackupId) -> Result<Backup> {
        self.pending(caller, id)
    }

    /// One backup, with everything that is known about how it went.
    pub fn backup_report(&self, caller: &Caller, id: BackupId) -> Result<BackupReport> {
        self.pending(caller, id)
    }

    /// Renames a backup; no name leaves it as it is.
    pub fn rename_backup(
        &self,
        caller: &Caller,
        id: BackupId,
        name: Option<&str>,
    ) -> Result<Backup> {
        self.pending(caller, (id, name))
    }

    /// Begins to delete a backup.
    pub fn delete_backup(&self, caller: &Caller, id: BackupId) -> Result<()> {
        self.pending(caller, id)
    }

    /// The backup whose metadata may be read now; refused while it is being made.
    pub fn backup_metadata(&self, caller: &Caller, id: BackupId) -> Result<Backup> {
        self.pending(caller, id)
    }
}
