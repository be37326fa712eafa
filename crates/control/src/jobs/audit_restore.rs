//! Lays the lines of a backup of audit logs out to be searched, after reading them to their end.
//!
//! Nothing is written where the logs are: the set is a view through the repository, read-only by
//! being nothing else.

use serde_json::{Value, json};
use strongroom_catalog::{Json, Tx};
use strongroom_engine::tree::Progress;
use strongroom_jobs::{Ending, Job, JobType, Step, StepContext, StepError, error::HookError};
use strongroom_model::state::DbssProgress;

use super::{
    failure::{self, of_control},
    params::AuditWork,
    watch::watch,
};
use crate::{
    Control, Error, Reason, Result,
    audit_logs::{Chain, RestoredSet},
    dbss::tasks,
};

/// The job.
pub(super) const JOB: JobType<Control> = JobType {
    name: super::AUDIT_RESTORE,
    steps: &[Step::new("lay out", lay_out).attempts(10)],
    finished: Some(finished),
};

fn lay_out(control: &Control, context: &StepContext<'_>) -> Result<Value, StepError> {
    let params: AuditWork = context.params()?;
    let set = restore(control, context, &params).map_err(|error| of_control(context, &error))?;
    Ok(json!(set))
}

fn restore(
    control: &Control,
    context: &StepContext<'_>,
    params: &AuditWork,
) -> Result<Option<RestoredSet>> {
    let row = control.write(|tx| {
        let row = tx
            .dbss_backups()
            .change(&params.project, &params.backup, |row| {
                row.progress = DbssProgress::Restoring;
            })?;
        Ok(row)
    })?;
    // A run that found nothing new has nothing to lay out.
    let Some(number) = row.sequence else {
        return Ok(None);
    };
    let gone = || Error::not_found(Reason::NoSuchBackup, params.backup);
    let repository = control.depot(params.project)?.open()?.ok_or_else(gone)?;
    let chain = Chain::open(&repository, &params.instance.to_string(), control.heads())?;
    let progress = Progress::default();
    watch(
        context,
        &progress,
        || false,
        || chain.restore(number, &progress),
    )
    .map(Some)
}

fn finished(control: &Control, tx: &Tx<'_>, job: &Job, ending: &Ending) -> Result<(), HookError> {
    end(control, tx, job, ending).map_err(failure::hook)
}

fn end(control: &Control, tx: &Tx<'_>, job: &Job, ending: &Ending) -> Result<()> {
    let params: AuditWork = super::of_job(&job.params)?;
    let failure = tasks::ended(control, tx, params.project, job, ending)?;
    let set: Option<Value> = match failure {
        None => super::output_of(job, "lay out")?,
        Some(_) => None,
    };
    let now = control.now();
    tx.dbss_backups()
        .change(&params.project, &params.backup, |row| {
            row.updated_at = now;
            match failure {
                None => {
                    row.progress = DbssProgress::Restored;
                    row.restored_set = set.map(Json);
                }
                Some(why) => {
                    row.progress = DbssProgress::RestoreFailed;
                    row.restore_fail_reason = Some(why);
                }
            }
        })?;
    Ok(())
}
