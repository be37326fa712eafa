//! What the vendor calls jobs: durable jobs as the owner of audit logs follows them.

use serde::Serialize;
use serde_json::{Value, json};
use strongroom_catalog::{self as catalog, DbssBackupRow, DbssTaskRow, Tx};
use strongroom_jobs::{Ending, Job};
use strongroom_model::{
    DbssBackupId, DbssInstanceId, JobId, ProjectId, Timestamp, state::DbssTaskStatus,
};

use crate::{
    Caller, Control, Error, Reason, Result,
    control::project,
    dbss::{any, key},
    jobs, operation_logs,
};

/// Lines are read and kept.
pub(crate) const BACKUP: &str = "backup";
/// Lines are laid out to be searched.
pub(crate) const RESTORE: &str = "restore";
/// Lines are deleted.
pub(crate) const DELETE: &str = "delete";
/// Nothing is missing.
pub(crate) const VERIFY: &str = "verify";
/// Jobs that a list shows.
const LISTED: u32 = 1000;

/// A job as its owner sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct LogTask {
    /// Its id.
    pub id: JobId,
    /// What it does.
    pub name: String,
    /// What is with it.
    pub status: DbssTaskStatus,
    /// Percent, while it runs.
    pub progress: u8,
    /// The directory that it is about.
    pub instance_id: DbssInstanceId,
    /// The directory's name then.
    pub instance_name: String,
    /// Why it failed.
    pub fail_reason: Option<String>,
    /// What a verification found, signed.
    pub report: Option<Value>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

impl Control {
    /// The newest jobs about a directory, which may be gone.
    pub fn list_log_tasks(&self, caller: &Caller, id: DbssInstanceId) -> Result<Vec<LogTask>> {
        let project = project(caller)?;
        let page = catalog::Page {
            limit: LISTED,
            ..catalog::Page::default()
        };
        self.read(|tx| {
            any(tx, project, id)?.ok_or_else(|| Error::not_found(Reason::NoSuchInstance, id))?;
            let found = tx.dbss_tasks().list(&project, &id, &page)?.rows;
            found.into_iter().map(|row| view(tx, row)).collect()
        })
    }

    /// One job.
    pub fn show_log_task(&self, caller: &Caller, id: JobId) -> Result<LogTask> {
        let project = project(caller)?;
        self.read(|tx| {
            let row = tx.dbss_tasks().get(&project, &id)?;
            view(
                tx,
                row.ok_or_else(|| Error::not_found(Reason::NoSuchTask, id))?,
            )
        })
    }
}

fn view(tx: &Tx<'_>, row: DbssTaskRow) -> Result<LogTask> {
    let progress = match row.status {
        DbssTaskStatus::Running => tx.jobs().get(&row.id)?.map_or(0, |job| job.progress),
        DbssTaskStatus::Succeeded | DbssTaskStatus::Failed => 100,
    };
    let unreadable = |error| Error::bug("a report is unreadable", error);
    let report = row.report.as_deref().map(serde_json::from_str).transpose();
    Ok(LogTask {
        id: row.id,
        name: row.name,
        status: row.status,
        progress,
        instance_id: row.instance_id,
        instance_name: row.instance_name,
        fail_reason: row.fail_reason,
        report: report.map_err(unreadable)?,
        created_at: row.created_at,
        ended_at: row.ended_at,
    })
}

/// Percent of what is being done with a backup.
pub(crate) fn progress_of(tx: &Tx<'_>, row: &DbssBackupRow) -> Result<u8> {
    let newest = catalog::Page {
        limit: 100,
        ..catalog::Page::default()
    };
    let tasks = tx
        .dbss_tasks()
        .list(&row.project_id, &row.instance_id, &newest)?;
    let running = |task: &&DbssTaskRow| {
        task.status == DbssTaskStatus::Running && task.backup_id == Some(row.id)
    };
    let Some(task) = tasks.rows.iter().find(running) else {
        return Ok(0);
    };
    Ok(tx.jobs().get(&task.id)?.map_or(0, |job| job.progress))
}

/// A job to be ordered.
pub(crate) struct Order<'a> {
    /// The durable job.
    pub(crate) kind: &'static str,
    /// What it does.
    pub(crate) name: &'static str,
    /// The directory that it works on.
    pub(crate) instance: DbssInstanceId,
    /// The directory's name.
    pub(crate) instance_name: &'a str,
    /// The backup that it is about.
    pub(crate) backup: Option<DbssBackupId>,
}

/// Writes a job that works on a directory, behind the directory's other jobs.
pub(crate) fn order(
    control: &Control,
    tx: &Tx<'_>,
    project: ProjectId,
    order: &Order<'_>,
    params: &impl Serialize,
) -> Result<JobId> {
    let row = DbssTaskRow {
        project_id: project,
        id: JobId::new(control.entropy()),
        name: order.name.to_owned(),
        status: DbssTaskStatus::Running,
        instance_id: order.instance,
        instance_name: order.instance_name.to_owned(),
        backup_id: order.backup,
        fail_reason: None,
        report: None,
        created_at: control.now(),
        ended_at: None,
    };
    tx.dbss_tasks().insert(&row)?;
    let ordered = (row.id, row.created_at);
    let exclusive = key(order.instance);
    jobs::enqueue(tx, ordered, order.kind, exclusive, json!(params))?;
    Ok(row.id)
}

/// Notes how a job ended; why it failed, if it did.
pub(crate) fn ended(
    control: &Control,
    tx: &Tx<'_>,
    project: ProjectId,
    job: &Job,
    ending: &Ending,
) -> Result<Option<String>> {
    let failure = operation_logs::failure_of(ending).map(|failure| failure.message);
    let now = control.now();
    // The task may have been forgotten; the job is done all the same.
    if tx.dbss_tasks().get(&project, &job.id)?.is_some() {
        tx.dbss_tasks().change(&project, &job.id, |row| {
            row.status = if failure.is_none() {
                DbssTaskStatus::Succeeded
            } else {
                DbssTaskStatus::Failed
            };
            row.fail_reason.clone_from(&failure);
            row.ended_at = Some(now);
        })?;
    }
    Ok(failure)
}
