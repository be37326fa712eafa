//! Operation logs: the tasks of a project as their owner follows them.
//!
//! A log is written in the transaction that orders its job and ends in the one that ends the job,
//! so that neither is ever there without the other. While the job runs, its progress is read from
//! the job's own record.

mod view;

pub use view::{
    OperationCopy, OperationDetail, OperationFailure, OperationLog, OperationLogFilter,
    OperationResource,
};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use strongroom_catalog::{self as catalog, BackupRow, Json, OperationLogRow, Tx, VaultRow};
use strongroom_jobs::Ending;
use strongroom_model::{
    CheckpointId, JobId, OperationLogId, ProjectId, ResourceKind, Timestamp, state::TaskStatus,
};

use crate::{
    Caller, Control, Error, Listed, Page, Reason, Result,
    control::project,
    jobs,
    page::LIMIT_MAX,
    vaults::one_enterprise_project,
    words::{ObjectType, OperationType, stored},
};

impl Control {
    /// The tasks that match, newest first.
    pub fn list_operation_logs(
        &self,
        caller: &Caller,
        filter: &OperationLogFilter,
        page: &Page,
    ) -> Result<Listed<OperationLog>> {
        let project = project(caller)?;
        let page = page.rows(LIMIT_MAX)?;
        let Some(filter) = row_filter(filter) else {
            return Ok(Listed::nothing());
        };
        self.read(|tx| {
            let found = tx.operation_logs().list(&project, &filter, &page)?;
            Listed::of_rows(found, |row| view_of(tx, row))
        })
    }

    /// One task.
    pub fn show_operation_log(&self, caller: &Caller, id: OperationLogId) -> Result<OperationLog> {
        let project = project(caller)?;
        self.read(|tx| view_of(tx, get(tx, project, id)?))
    }

    /// Asks a task to stop; what it did is undone. Refused when it has ended, and for tasks that
    /// delete, since what they deleted cannot come back.
    pub fn cancel_operation(&self, caller: &Caller, id: OperationLogId) -> Result<OperationLog> {
        let project = project(caller)?;
        let now = self.now();
        self.order(|tx| {
            let row = get(tx, project, id)?;
            if row.status.is_final() {
                return Err(Error::conflict(Reason::TaskFinished, row.status));
            }
            let kind = OperationType::of_row(row.operation_type)?;
            if !matches!(
                kind,
                OperationType::Backup | OperationType::Replication | OperationType::Restore
            ) {
                return Err(Error::conflict(Reason::TaskNotCancellable, kind));
            }
            if let Some(job) = &row.job_id {
                tx.jobs().request_cancel(job, now)?;
            }
            view_of(tx, row)
        })
    }
}

/// A task to be written down and its job to be ordered.
pub(crate) struct NewTask<'a> {
    /// Its id; given, because the job's parameters name it.
    pub(crate) id: OperationLogId,
    /// The vault concerned.
    pub(crate) vault: &'a VaultRow,
    /// The checkpoint that it works for.
    pub(crate) checkpoint_id: Option<CheckpointId>,
    /// The backup concerned.
    pub(crate) backup: Option<&'a BackupRow>,
    /// The resource concerned.
    pub(crate) resource: Option<OperationResource>,
    /// What it does, and what is said only of that.
    pub(crate) detail: OperationDetail,
    /// The name of the job's type.
    pub(crate) job: &'static str,
    /// What the job's steps get to read.
    pub(crate) params: Value,
    /// See [`strongroom_jobs::NewJob::exclusive_key`].
    pub(crate) exclusive_key: String,
}

/// What the catalog keeps beside the columns.
#[derive(Serialize, Deserialize)]
struct Extra {
    object_type: ObjectType,
    detail: OperationDetail,
}

/// Writes a task down and orders its job; to be called inside [`Control::order`].
pub(crate) fn begin(
    control: &Control,
    tx: &Tx<'_>,
    request_id: &str,
    task: NewTask<'_>,
) -> Result<()> {
    let now = control.now();
    let job = JobId::new(control.entropy());
    insert(tx, request_id, &task, Some(job), now)?;
    jobs::enqueue(tx, (job, now), task.job, task.exclusive_key, task.params)
}

/// Writes down a task that was done in this very transaction: no job is ordered.
pub(crate) fn noted(
    control: &Control,
    tx: &Tx<'_>,
    request_id: &str,
    task: &NewTask<'_>,
) -> Result<()> {
    let now = control.now();
    insert(tx, request_id, task, None, now)?;
    started(tx, task.vault.project_id, task.id, now)?;
    ended(tx, task.vault.project_id, task.id, now, None)
}

fn insert(
    tx: &Tx<'_>,
    request_id: &str,
    task: &NewTask<'_>,
    job: Option<JobId>,
    now: Timestamp,
) -> Result<()> {
    let extra = Extra {
        object_type: stored(&task.vault.object_type)?,
        detail: task.detail.clone(),
    };
    let resource = task.resource.as_ref();
    tx.operation_logs().insert(&OperationLogRow {
        id: task.id,
        project_id: task.vault.project_id,
        vault_id: Some(task.vault.id),
        vault_name: Some(task.vault.name.clone()),
        checkpoint_id: task.checkpoint_id,
        backup_id: task.backup.map(|backup| backup.id),
        resource_id: resource.map(|resource| resource.id),
        resource_name: resource.map(|resource| resource.name.clone()),
        resource_kind: resource
            .map(|resource| resource.kind)
            .or(extra.object_type.kind()),
        operation_type: extra.detail.operation_type().to_row(),
        status: TaskStatus::Waiting,
        progress: 0,
        error_code: None,
        error_message: None,
        job_id: job,
        request_id: request_id.to_owned(),
        extra: Json(json!(extra)),
        created_at: now,
        started_at: None,
        ended_at: None,
        updated_at: now,
    })?;
    Ok(())
}

/// A task that ended before it began: a run of a policy that was missed, refused or skipped.
pub(crate) struct Note<'a> {
    /// The vault concerned.
    pub(crate) vault: &'a VaultRow,
    /// The resource concerned, if it is only one.
    pub(crate) resource: Option<OperationResource>,
    /// What was to be done.
    pub(crate) detail: OperationDetail,
    /// How it ended.
    pub(crate) status: TaskStatus,
    /// Why.
    pub(crate) failure: OperationFailure,
}

/// Writes down a task that has no job, because it ended before it began.
pub(crate) fn note(
    control: &Control,
    tx: &Tx<'_>,
    request_id: &str,
    note: Note<'_>,
) -> Result<OperationLogId> {
    let now = control.now();
    let id = OperationLogId::new(control.entropy());
    let extra = Extra {
        object_type: stored(&note.vault.object_type)?,
        detail: note.detail,
    };
    let resource = note.resource;
    tx.operation_logs().insert(&OperationLogRow {
        id,
        project_id: note.vault.project_id,
        vault_id: Some(note.vault.id),
        vault_name: Some(note.vault.name.clone()),
        checkpoint_id: None,
        backup_id: None,
        resource_id: resource.as_ref().map(|resource| resource.id),
        resource_kind: resource
            .as_ref()
            .map(|resource| resource.kind)
            .or(extra.object_type.kind()),
        resource_name: resource.map(|resource| resource.name),
        operation_type: extra.detail.operation_type().to_row(),
        status: note.status,
        progress: 0,
        error_code: Some(note.failure.reason.as_str().to_owned()),
        error_message: Some(note.failure.message),
        job_id: None,
        request_id: request_id.to_owned(),
        extra: Json(json!(extra)),
        created_at: now,
        started_at: Some(now),
        ended_at: Some(now),
        updated_at: now,
    })?;
    Ok(id)
}

/// A worker has taken the task.
pub(crate) fn started(
    tx: &Tx<'_>,
    project: ProjectId,
    id: OperationLogId,
    now: Timestamp,
) -> Result<()> {
    tx.operation_logs().change(&project, &id, |row| {
        if row.status == TaskStatus::Waiting {
            row.status = TaskStatus::Running;
            row.started_at = Some(now);
            row.updated_at = now;
        }
    })?;
    Ok(())
}

/// The task has ended, well if there is no failure.
pub(crate) fn ended(
    tx: &Tx<'_>,
    project: ProjectId,
    id: OperationLogId,
    now: Timestamp,
    failure: Option<OperationFailure>,
) -> Result<()> {
    tx.operation_logs().change(&project, &id, |row| {
        row.started_at = row.started_at.or(Some(now));
        row.ended_at = Some(now);
        row.updated_at = now;
        match failure {
            None => {
                row.status = TaskStatus::Success;
                row.progress = 100;
            }
            Some(failure) => {
                row.status = TaskStatus::Failed;
                row.error_code = Some(failure.reason.as_str().to_owned());
                row.error_message = Some(failure.message);
            }
        }
    })?;
    Ok(())
}

/// Changes what is said only of the task's type.
pub(crate) fn set_detail(
    tx: &Tx<'_>,
    project: ProjectId,
    id: OperationLogId,
    detail: OperationDetail,
) -> Result<()> {
    let row = get(tx, project, id)?;
    let extra = Extra {
        detail,
        ..extra_of(&row)?
    };
    tx.operation_logs()
        .change(&project, &id, |row| row.extra = Json(json!(extra)))?;
    Ok(())
}

/// Why a job that ended so failed, for its owner; `None` if it did not.
pub(crate) fn failure_of(ending: &Ending) -> Option<OperationFailure> {
    match ending {
        Ending::Succeeded => None,
        Ending::Cancelled => Some(OperationFailure {
            reason: Reason::Cancelled,
            message: Reason::Cancelled.text().to_owned(),
        }),
        Ending::Failed(failure) => Some(OperationFailure {
            reason: Reason::parse(&failure.code).unwrap_or(Reason::Internal),
            message: failure.message.clone(),
        }),
    }
}

fn get(tx: &Tx<'_>, project: ProjectId, id: OperationLogId) -> Result<OperationLogRow> {
    tx.operation_logs()
        .get(&project, &id)?
        .ok_or_else(|| Error::not_found(Reason::NoSuchOperationLog, id))
}

fn extra_of(row: &OperationLogRow) -> Result<Extra> {
    Extra::deserialize(&row.extra.0)
        .map_err(|error| Error::bug("the catalog holds an unreadable operation log", error))
}

fn view_of(tx: &Tx<'_>, row: OperationLogRow) -> Result<OperationLog> {
    let Extra {
        object_type,
        detail,
    } = extra_of(&row)?;
    let progress = progress(tx, &row)?;
    let resource = match (row.resource_id, row.resource_kind) {
        (Some(id), Some(kind)) => {
            let name = row.resource_name.unwrap_or_default();
            Some(OperationResource { id, kind, name })
        }
        _ => None,
    };
    let error = row.error_code.map(|code| OperationFailure {
        reason: Reason::parse(&code).unwrap_or(Reason::Internal),
        message: row.error_message.unwrap_or_default(),
    });
    Ok(OperationLog {
        id: row.id,
        project_id: row.project_id,
        operation_type: OperationType::of_row(row.operation_type)?,
        status: row.status,
        progress,
        vault_id: row.vault_id,
        vault_name: row.vault_name,
        object_type: Some(object_type),
        checkpoint_id: row.checkpoint_id,
        resource,
        detail,
        error,
        request_id: Some(row.request_id),
        job_id: row.job_id,
        created_at: row.created_at,
        started_at: row.started_at,
        ended_at: row.ended_at,
        updated_at: row.updated_at,
    })
}

/// Percent of the work done: the job's own figure while it runs.
pub(crate) fn progress(tx: &Tx<'_>, row: &OperationLogRow) -> Result<u8> {
    match &row.job_id {
        Some(job) if row.status == TaskStatus::Running => {
            Ok(tx.jobs().get(job)?.map_or(row.progress, |job| job.progress))
        }
        _ => Ok(row.progress),
    }
}

/// The catalog's filter; `None` if nothing can match.
fn row_filter(filter: &OperationLogFilter) -> Option<catalog::OperationLogFilter> {
    let kinds = filter.object_types.as_ref().map(|types| {
        types
            .iter()
            .filter_map(|object| object.kind())
            .collect::<Vec<_>>()
    });
    let resource_kind = match kinds_wanted(kinds.as_deref()) {
        KindsWanted::None => return None,
        KindsWanted::Only(kind) => Some(kind),
        KindsWanted::Any => None,
    };
    Some(catalog::OperationLogFilter {
        operation_type: filter.operation_type.map(OperationType::to_row),
        statuses: filter.status.into_iter().collect(),
        vault_id: filter.vault_id,
        vault_name: filter.vault_name.clone(),
        resource_id: filter.resource_id,
        resource_name: filter.resource_name.clone(),
        resource_kind,
        checkpoint_id: None,
        backup_id: None,
        created_from: filter.start_time,
        created_to: filter.end_time,
        enterprise_project_id: one_enterprise_project(filter.enterprise_project_id.as_deref()),
    })
}

/// Which kinds a filter wants.
pub(crate) enum KindsWanted {
    /// None of ours.
    None,
    /// One.
    Only(ResourceKind),
    /// All.
    Any,
}

/// What a list of wanted kinds comes to, given that there are two.
pub(crate) fn kinds_wanted(kinds: Option<&[ResourceKind]>) -> KindsWanted {
    match kinds {
        Some([]) => KindsWanted::None,
        Some([first, rest @ ..]) if rest.iter().all(|kind| kind == first) => {
            KindsWanted::Only(*first)
        }
        None | Some(_) => KindsWanted::Any,
    }
}

impl OperationDetail {
    /// The type of task that this is said of.
    pub const fn operation_type(&self) -> OperationType {
        match self {
            Self::Backup { .. } | Self::PolicyRun { .. } => OperationType::Backup,
            Self::Replication(_) | Self::ReplicationRun { .. } => OperationType::Replication,
            Self::Restore { .. } => OperationType::Restore,
            // The vendor's list has no word of its own for a change of expiry.
            Self::Delete { .. } | Self::Expiry { .. } => OperationType::Delete,
            Self::Sync { .. } => OperationType::Sync,
            Self::VaultDelete { .. } => OperationType::VaultDelete,
            Self::RemoveResources { .. } => OperationType::RemoveResource,
        }
    }
}

impl OperationType {
    fn to_row(self) -> catalog::OperationType {
        catalog::OperationType::parse(self.as_str())
            .expect("the catalog's types of task are the vendor's, as ours are")
    }

    fn of_row(row: catalog::OperationType) -> Result<Self> {
        stored(row.as_str())
    }
}
