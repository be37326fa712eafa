//! Takes a sharding layer off the list, after a good backup of what it knew.
//!
//! Nothing on the layer or its servers is touched; only our knowledge of them, and of their
//! passwords, goes.

use serde_json::Value;
use strongroom_catalog::{Sealed, Tx};
use strongroom_jobs::{Ending, Job, JobType, Step, StepContext, StepError, error::HookError};
use strongroom_model::{DdmBackupId, ProjectId, state::DdmBackupStatus};

use super::{
    failure::{self, fail, of_control},
    params::DdmRemove,
};
use crate::{Control, Reason, Result, ddm::tasks};

/// The job.
pub(super) const JOB: JobType<Control> = JobType {
    name: super::DDM_REMOVE,
    steps: &[Step::new("safety", safety)],
    finished: Some(finished),
};

fn safety(control: &Control, context: &StepContext<'_>) -> Result<Value, StepError> {
    let params: DdmRemove = context.params()?;
    is_good(control, context, params.project, params.safety)?;
    Ok(Value::Null)
}

/// Refuses to go on without a good backup.
pub(super) fn is_good(
    control: &Control,
    context: &StepContext<'_>,
    project: ProjectId,
    backup: DdmBackupId,
) -> Result<(), StepError> {
    let row = control
        .read(|tx| Ok(tx.ddm_backups().get(&project, &backup)?))
        .map_err(|error| of_control(context, &error))?;
    match row {
        Some(row) if row.status == DdmBackupStatus::Normal => Ok(()),
        Some(row) => {
            let why = row.fail_reason.unwrap_or_default();
            let message = format!("nothing was done: the backup before it failed: {why}");
            Err(fail(Reason::BackupIncomplete, message))
        }
        None => Err(fail(
            Reason::NoSuchBackup,
            "nothing was done: the backup before it is gone",
        )),
    }
}

fn finished(control: &Control, tx: &Tx<'_>, job: &Job, ending: &Ending) -> Result<(), HookError> {
    end(control, tx, job, ending).map_err(failure::hook)
}

fn end(control: &Control, tx: &Tx<'_>, job: &Job, ending: &Ending) -> Result<()> {
    let params: DdmRemove = super::of_job(&job.params)?;
    if tasks::ended(control, tx, params.project, job, ending)?.is_some() {
        return Ok(());
    }
    let now = control.now();
    let (project, id) = (params.project, params.instance);
    for node in tx.ddm_instances().nodes(&project, &id)? {
        tx.ddm_instances().change_node(&project, &node.id, |row| {
            row.url_sealed = Sealed(Vec::new());
            row.physical_sealed = None;
            row.updated_at = now;
        })?;
    }
    for tag in tx.ddm_instances().tags(&project, Some(&id))? {
        tx.ddm_instances().remove_tag(&project, &id, &tag.key)?;
    }
    tx.ddm_instances().change(&project, &id, |row| {
        row.removed_at = Some(now);
        row.next_backup_at = None;
        row.url_sealed = Sealed(Vec::new());
        row.updated_at = now;
    })?;
    Ok(())
}
