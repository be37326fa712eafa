//! What the vendor calls jobs: durable jobs as the owner of a layer follows them.

use serde::Serialize;
use serde_json::json;
use strongroom_catalog::{DdmBackupRow, DdmInstanceRow, DdmTaskFilter, DdmTaskRow, Tx};
use strongroom_jobs::{Ending, Job};
use strongroom_model::{DdmInstanceId, JobId, ProjectId, Timestamp, state::DdmTaskStatus};

use crate::{
    Caller, Control, Error, Listed, Page, Reason, Result,
    control::project,
    ddm::{backups::PAGE_MAX, key},
    jobs::{self, params::depot_key},
    operation_logs,
};

/// The longest time that one list of jobs may be about.
const SPAN_SECONDS: i64 = 30 * 86_400;

/// A job as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Its id.
    pub id: JobId,
    /// What it does, in the vendor's words.
    pub name: String,
    /// What is with it.
    pub status: DdmTaskStatus,
    /// Percent, while it runs.
    pub progress: Option<u8>,
    /// The layer that it is about.
    pub instance_id: DdmInstanceId,
    /// The layer's name then.
    pub instance_name: String,
    /// The schema that it is about.
    pub database_name: Option<String>,
    /// Why it failed.
    pub fail_reason: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

impl Control {
    /// The project's jobs that were asked for in that time, the newest first.
    pub fn list_tasks(
        &self,
        caller: &Caller,
        from: Timestamp,
        until: Timestamp,
        page: &Page,
    ) -> Result<Listed<Task>> {
        let project = project(caller)?;
        let page = page.rows(PAGE_MAX)?;
        if until < from {
            return Err(Error::invalid("end_time", "must not be before start_time"));
        }
        if until.micros_since(from) > SPAN_SECONDS * 1_000_000 {
            let problem = "must be at most 30 days after start_time";
            return Err(Error::invalid("end_time", problem));
        }
        let filter = DdmTaskFilter {
            from: Some(from),
            until: Some(until),
        };
        self.read(|tx| {
            let found = tx.ddm_tasks().list(&project, &filter, &page)?;
            Listed::of_rows(found, |row| view(tx, row))
        })
    }

    /// One job.
    pub fn show_task(&self, caller: &Caller, id: JobId) -> Result<Task> {
        let project = project(caller)?;
        self.read(|tx| {
            let row = tx.ddm_tasks().get(&project, &id)?;
            view(
                tx,
                row.ok_or_else(|| Error::not_found(Reason::NoSuchTask, id))?,
            )
        })
    }
}

fn view(tx: &Tx<'_>, row: DdmTaskRow) -> Result<Task> {
    let progress = match row.status {
        DdmTaskStatus::Running => tx.jobs().get(&row.id)?.map(|job| job.progress),
        _ => None,
    };
    Ok(Task {
        id: row.id,
        name: row.name,
        status: row.status,
        progress,
        instance_id: row.instance_id,
        instance_name: row.instance_name,
        database_name: row.database_name,
        fail_reason: row.fail_reason,
        created_at: row.created_at,
        ended_at: row.ended_at,
    })
}

/// A job to be ordered.
pub(crate) struct Order<'a> {
    /// The durable job.
    pub(crate) kind: &'static str,
    /// The vendor's word for it.
    pub(crate) name: &'static str,
    /// The layer that it works on.
    pub(crate) instance: &'a DdmInstanceRow,
    /// The schema.
    pub(crate) database: Option<String>,
}

/// Writes a job that works on a layer, behind the layer's other jobs.
pub(crate) fn order(
    control: &Control,
    tx: &Tx<'_>,
    order: &Order<'_>,
    params: &impl Serialize,
) -> Result<JobId> {
    order_behind(control, tx, order, None, params)
}

/// As [`order()`], behind the jobs of that key if it is another one than the layer's.
pub(crate) fn order_behind(
    control: &Control,
    tx: &Tx<'_>,
    order: &Order<'_>,
    exclusive: Option<String>,
    params: &impl Serialize,
) -> Result<JobId> {
    let row = DdmTaskRow {
        project_id: order.instance.project_id,
        id: JobId::new(control.entropy()),
        name: order.name.to_owned(),
        status: DdmTaskStatus::Running,
        instance_id: order.instance.id,
        instance_name: order.instance.name.clone(),
        database_name: order.database.clone(),
        fail_reason: None,
        created_at: control.now(),
        ended_at: None,
    };
    let exclusive = exclusive.unwrap_or_else(|| key(order.instance.id));
    enqueue(tx, &row, order.kind, exclusive, params)
}

/// Writes the job that deletes a backup; it stands in no layer's way.
pub(crate) fn order_deletion(
    control: &Control,
    tx: &Tx<'_>,
    backup: &DdmBackupRow,
    params: &impl Serialize,
) -> Result<JobId> {
    let row = DdmTaskRow {
        project_id: backup.project_id,
        id: JobId::new(control.entropy()),
        name: "deleteConsistentBackup".to_owned(),
        status: DdmTaskStatus::Running,
        instance_id: backup.instance_id,
        instance_name: backup.instance_name.clone(),
        database_name: None,
        fail_reason: None,
        created_at: control.now(),
        ended_at: None,
    };
    let exclusive = depot_key(backup.project_id);
    enqueue(tx, &row, jobs::DDM_DELETE_BACKUP, exclusive, params)
}

fn enqueue(
    tx: &Tx<'_>,
    row: &DdmTaskRow,
    kind: &str,
    exclusive: String,
    params: &impl Serialize,
) -> Result<JobId> {
    tx.ddm_tasks().insert(row)?;
    let order = (row.id, row.created_at);
    jobs::enqueue(tx, order, kind, exclusive, json!(params))?;
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
    if tx.ddm_tasks().get(&project, &job.id)?.is_some() {
        tx.ddm_tasks().change(&project, &job.id, |row| {
            row.status = if failure.is_none() {
                DdmTaskStatus::Completed
            } else {
                DdmTaskStatus::Failed
            };
            row.fail_reason.clone_from(&failure);
            row.ended_at = Some(now);
        })?;
    }
    Ok(failure)
}
