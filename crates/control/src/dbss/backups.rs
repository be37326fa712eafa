//! Backups of audit logs: ordered, listed, deleted, restored, and how the newest stands.

use strongroom_catalog::{self as catalog, DbssBackupRow, DbssInstanceRow, Json, LogGap, Tx};
use strongroom_model::{
    Bytes, DbssBackupId, DbssInstanceId, JobId, ProjectId, Timestamp, state::DbssProgress,
};

use crate::{
    Caller, Control, Error, Listed, Page, Reason, Result,
    control::project,
    dbss::{any, get, tasks, watch},
    jobs,
};

/// The most rows of one page.
pub const PAGE_MAX: u32 = 1000;

/// A backup as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogBackup {
    /// Its id.
    pub id: DbssBackupId,
    /// Its name.
    pub name: String,
    /// The directory, which may be gone.
    pub instance_id: DbssInstanceId,
    /// Whether nobody asked for it.
    pub automatic: bool,
    /// How far it is.
    pub progress: DbssProgress,
    /// Percent of what is being done.
    pub percent: u8,
    /// When its first line was written.
    pub start_at: Option<Timestamp>,
    /// When its last line was written.
    pub end_at: Option<Timestamp>,
    /// How long its lines are together.
    pub file_bytes: Bytes,
    /// How many lines it has.
    pub lines: u64,
    /// SHA-256 of its lines; empty before they are stored.
    pub sha256: String,
    /// Its place in the chain.
    pub sequence: Option<u64>,
    /// What was lost before it.
    pub gaps: Vec<LogGap>,
    /// Why there is none, or why not all that was new is in it.
    pub backup_fail_reason: Option<String>,
    /// Why its lines were not laid out or not deleted.
    pub restore_fail_reason: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
}

/// Which backups to list; `None` matches all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogBackupFilter {
    /// Asked for at that time or later.
    pub from: Option<Timestamp>,
    /// Asked for at that time or earlier.
    pub until: Option<Timestamp>,
}

/// How the backups of a directory stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// None was made yet, and none need have been.
    None,
    /// The latest run that was due succeeded.
    Good,
    /// The latest run failed, or left something out.
    Failed,
    /// A run that was due did not happen.
    Overdue,
}

impl Standing {
    /// The number on the wire: 1 is the vendor's, the others are ours.
    pub const fn number(self) -> u32 {
        match self {
            Self::None => 0,
            Self::Good => 1,
            Self::Failed => 2,
            Self::Overdue => 3,
        }
    }
}

/// Why a backup is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// The calendar says so, for that instant.
    Due(Timestamp),
    /// The disk fills up.
    Pressed,
    /// Somebody asked for it.
    Asked,
    /// The directory is taken off the list.
    Last,
}

impl Why {
    const fn is_automatic(self) -> bool {
        matches!(self, Self::Due(_) | Self::Pressed)
    }
}

impl Control {
    /// How the backups of a directory stand.
    pub fn log_backup_standing(&self, caller: &Caller, id: DbssInstanceId) -> Result<Standing> {
        let project = project(caller)?;
        let now = self.now();
        self.read(|tx| {
            let row = get(tx, project, id)?;
            Ok(watch::judge(tx, &row, now)?.standing)
        })
    }

    /// The backups of a directory, the newest first; those whose lines are deleted too, and those
    /// of a directory that is gone.
    pub fn list_log_backups(
        &self,
        caller: &Caller,
        id: DbssInstanceId,
        filter: &LogBackupFilter,
        page: &Page,
    ) -> Result<Listed<LogBackup>> {
        let project = project(caller)?;
        let page = page.rows(PAGE_MAX)?;
        let filter = catalog::DbssBackupFilter {
            from: filter.from,
            until: filter.until,
        };
        self.read(|tx| {
            any(tx, project, id)?.ok_or_else(|| Error::not_found(Reason::NoSuchInstance, id))?;
            let found = tx.dbss_backups().list(&project, &id, &filter, &page)?;
            Listed::of_rows(found, |row| view(tx, row))
        })
    }

    /// One backup of a directory.
    pub fn show_log_backup(
        &self,
        caller: &Caller,
        instance: DbssInstanceId,
        id: DbssBackupId,
    ) -> Result<LogBackup> {
        let project = project(caller)?;
        self.read(|tx| {
            let row = backup(tx, project, instance, id)?;
            view(tx, row)
        })
    }

    /// Orders a backup of what is new in a directory.
    pub fn back_up_logs(
        &self,
        caller: &Caller,
        id: DbssInstanceId,
    ) -> Result<(DbssBackupId, JobId)> {
        let project = project(caller)?;
        self.order(|tx| {
            let row = get(tx, project, id)?;
            self.order_log_backup(tx, &row, &Why::Asked)
        })
    }

    /// Orders the deletion of a backup's lines; its place in the chain stays known.
    pub fn delete_log_backup(
        &self,
        caller: &Caller,
        instance: DbssInstanceId,
        id: DbssBackupId,
    ) -> Result<JobId> {
        self.order_about(caller, instance, id, Self::order_log_deletion)
    }

    /// Orders a restore: the lines of a backup are laid out to be searched, beside the logs and
    /// read-only.
    pub fn restore_log_backup(
        &self,
        caller: &Caller,
        instance: DbssInstanceId,
        id: DbssBackupId,
    ) -> Result<JobId> {
        self.order_about(caller, instance, id, Self::order_log_restore)
    }

    /// Orders once more what failed last: the backup, its restore, or its deletion.
    pub fn retry_log_backup(
        &self,
        caller: &Caller,
        instance: DbssInstanceId,
        id: DbssBackupId,
    ) -> Result<JobId> {
        self.order_about(caller, instance, id, Self::order_again)
    }

    /// Orders something about one backup of a directory.
    fn order_about(
        &self,
        caller: &Caller,
        instance: DbssInstanceId,
        id: DbssBackupId,
        order: impl Fn(&Self, &Tx<'_>, &DbssBackupRow) -> Result<JobId>,
    ) -> Result<JobId> {
        let project = project(caller)?;
        self.order(|tx| order(self, tx, &backup(tx, project, instance, id)?))
    }

    fn order_again(&self, tx: &Tx<'_>, row: &DbssBackupRow) -> Result<JobId> {
        match row.progress {
            DbssProgress::AutoFailed | DbssProgress::ManualFailed => {
                let directory = get(tx, row.project_id, row.instance_id)?;
                let now = self.now();
                let row = tx.dbss_backups().change(&row.project_id, &row.id, |row| {
                    row.progress = DbssProgress::Waiting;
                    row.backup_fail_reason = None;
                    row.ended_at = None;
                    row.updated_at = now;
                })?;
                self.order_save(tx, &directory, &row)
            }
            DbssProgress::RestoreFailed => self.order_log_restore(tx, row),
            DbssProgress::DeleteFailed => self.order_log_deletion(tx, row),
            _ => {
                let id = row.id;
                let message = format!("backup {id} did not fail: nothing is to be repeated");
                Err(refused(Reason::BackupStateForbidsRestore, message))
            }
        }
    }

    /// Writes a backup of a directory and its job.
    pub(crate) fn order_log_backup(
        &self,
        tx: &Tx<'_>,
        instance: &DbssInstanceRow,
        why: &Why,
    ) -> Result<(DbssBackupId, JobId)> {
        let id = DbssBackupId::new(self.entropy());
        let mut row = fresh(instance, id, why.is_automatic(), self.now());
        if let Why::Due(at) = why {
            row.due_at = Some(*at);
        }
        tx.dbss_backups().insert(&row)?;
        let job = self.order_save(tx, instance, &row)?;
        Ok((row.id, job))
    }

    fn order_save(
        &self,
        tx: &Tx<'_>,
        instance: &DbssInstanceRow,
        row: &DbssBackupRow,
    ) -> Result<JobId> {
        // A directory may have another name than when the backup was asked for.
        self.order_work(tx, row, &instance.name, jobs::AUDIT_BACKUP, tasks::BACKUP)
    }

    fn order_log_restore(&self, tx: &Tx<'_>, row: &DbssBackupRow) -> Result<JobId> {
        if row.made.is_none() {
            return Err(refused(
                Reason::BackupNotReady,
                format!("backup {} was not made: it holds nothing", row.id),
            ));
        }
        self.order_move(tx, row, DbssProgress::RestoreWaiting)?;
        let name = &row.instance_name;
        self.order_work(tx, row, name, jobs::AUDIT_RESTORE, tasks::RESTORE)
    }

    /// Marks a backup as being deleted and writes the job that does it.
    pub(crate) fn order_log_deletion(&self, tx: &Tx<'_>, row: &DbssBackupRow) -> Result<JobId> {
        self.order_move(tx, row, DbssProgress::Deleting)?;
        let name = &row.instance_name;
        self.order_work(tx, row, name, jobs::AUDIT_DELETE, tasks::DELETE)
    }

    /// Writes a job about a backup.
    fn order_work(
        &self,
        tx: &Tx<'_>,
        row: &DbssBackupRow,
        instance_name: &str,
        kind: &'static str,
        name: &'static str,
    ) -> Result<JobId> {
        let order = tasks::Order {
            kind,
            name,
            instance: row.instance_id,
            instance_name,
            backup: Some(row.id),
        };
        let params = jobs::params::AuditWork {
            project: row.project_id,
            instance: row.instance_id,
            backup: row.id,
        };
        tasks::order(self, tx, row.project_id, &order, &params)
    }

    fn order_move(&self, tx: &Tx<'_>, row: &DbssBackupRow, to: DbssProgress) -> Result<()> {
        if row.progress == to || row.progress.next(to).is_err() {
            let message = format!(
                "backup {} is {}: that is not possible now",
                row.id, row.progress
            );
            return Err(refused(Reason::BackupStateForbidsRestore, message));
        }
        let now = self.now();
        tx.dbss_backups().change(&row.project_id, &row.id, |row| {
            row.progress = to;
            row.restore_fail_reason = None;
            row.updated_at = now;
        })?;
        Ok(())
    }
}

const fn refused(reason: Reason, message: String) -> Error {
    Error::Conflict { reason, message }
}

/// A backup that waits to be made.
pub(crate) fn fresh(
    instance: &DbssInstanceRow,
    id: DbssBackupId,
    automatic: bool,
    now: Timestamp,
) -> DbssBackupRow {
    DbssBackupRow {
        project_id: instance.project_id,
        id,
        instance_id: instance.id,
        instance_name: instance.name.clone(),
        name: name(&instance.name, now),
        automatic,
        progress: DbssProgress::Waiting,
        made: None,
        start_at: None,
        end_at: None,
        file_bytes: Bytes(0),
        lines: 0,
        sha256: String::new(),
        sequence: None,
        manifest_id: None,
        gaps: Json(Vec::new()),
        lossy: false,
        restored_set: None,
        backup_fail_reason: None,
        restore_fail_reason: None,
        due_at: None,
        created_at: now,
        updated_at: now,
        ended_at: None,
        expires_at: None,
    }
}

/// `NAME-20250520054003`
fn name(instance: &str, now: Timestamp) -> String {
    let time = now
        .to_jiff()
        .map(|time| time.strftime("%Y%m%d%H%M%S").to_string());
    format!("{instance}-{}", time.unwrap_or_default())
}

/// The backup of that id and directory, or the refusal; also one whose lines are deleted.
pub(crate) fn backup(
    tx: &Tx<'_>,
    project: ProjectId,
    instance: DbssInstanceId,
    id: DbssBackupId,
) -> Result<DbssBackupRow> {
    tx.dbss_backups()
        .get(&project, &id)?
        .filter(|row| row.instance_id == instance)
        .ok_or_else(|| Error::not_found(Reason::NoSuchBackup, id))
}

fn view(tx: &Tx<'_>, row: DbssBackupRow) -> Result<LogBackup> {
    use DbssProgress as P;
    let percent = match row.progress {
        P::AutoDone | P::ManualDone | P::Restored | P::Deleted => 100,
        P::Waiting | P::RestoreWaiting => 0,
        _ => tasks::progress_of(tx, &row)?,
    };
    Ok(LogBackup {
        id: row.id,
        name: row.name,
        instance_id: row.instance_id,
        automatic: row.automatic,
        progress: row.progress,
        percent,
        start_at: row.start_at,
        end_at: row.end_at,
        file_bytes: row.file_bytes,
        lines: row.lines,
        sha256: row.sha256,
        sequence: row.sequence,
        gaps: row.gaps.0,
        backup_fail_reason: row.backup_fail_reason,
        restore_fail_reason: row.restore_fail_reason,
        created_at: row.created_at,
    })
}
