//! Deletes a backup of what a sharding layer knew: its data are forgotten, then its row goes.
//!
//! In this order, so that no row is lost while its data still count. What it took is freed at
//! once, unless somebody is writing to the repository; then the next deletion frees it.

use serde_json::Value;
use strongroom_catalog::Tx;
use strongroom_jobs::{Ending, Job, JobType, Step, StepContext, StepError, error::HookError};

use super::{
    depot::{self, forget_manifest, open_depot},
    failure::{self, of_control},
    params::DdmDeleteBackup,
};
use crate::{Control, Result, ddm::tasks};

/// The job.
pub(super) const JOB: JobType<Control> = JobType {
    name: super::DDM_DELETE_BACKUP,
    steps: &[
        Step::new("forget", forget).attempts(10),
        Step::new("free", free).attempts(10),
    ],
    finished: Some(finished),
};

fn forget(control: &Control, context: &StepContext<'_>) -> Result<Value, StepError> {
    let params: DdmDeleteBackup = context.params()?;
    let row = control
        .read(|tx| Ok(tx.ddm_backups().get(&params.project, &params.backup)?))
        .map_err(|error| of_control(context, &error))?;
    let Some(manifest) = row.and_then(|row| row.manifest_id) else {
        return Ok(Value::Null);
    };
    if let Some(repository) = open_depot(control, context, params.project)? {
        forget_manifest(control, context, &repository, &manifest)?;
    }
    Ok(Value::Null)
}

fn free(control: &Control, context: &StepContext<'_>) -> Result<Value, StepError> {
    let params: DdmDeleteBackup = context.params()?;
    depot::free(control, context, params.project)
}

fn finished(control: &Control, tx: &Tx<'_>, job: &Job, ending: &Ending) -> Result<(), HookError> {
    end(control, tx, job, ending).map_err(failure::hook)
}

fn end(control: &Control, tx: &Tx<'_>, job: &Job, ending: &Ending) -> Result<()> {
    let params: DdmDeleteBackup = super::of_job(&job.params)?;
    let failure = tasks::ended(control, tx, params.project, job, ending)?;
    // What was forgotten cannot be brought back, even if freeing its room failed.
    let forgotten = job.outputs.iter().any(|output| output.step == "forget");
    if forgotten || failure.is_none() {
        tx.ddm_backups().remove(&params.project, &params.backup)?;
        return Ok(());
    }
    let now = control.now();
    if tx
        .ddm_backups()
        .get(&params.project, &params.backup)?
        .is_some()
    {
        tx.ddm_backups()
            .change(&params.project, &params.backup, |row| {
                row.status = params.before;
                row.fail_reason = failure.map(|why| format!("not deleted: {why}"));
                row.updated_at = now;
            })?;
    }
    Ok(())
}
