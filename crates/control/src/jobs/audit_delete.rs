//! Deletes the lines of a backup of audit logs: its place in the chain stays, the data go.
//!
//! The chain first keeps a link that says what was there and then forgets the data, so that a
//! verification always finds the one or the other. What the data took is freed afterwards, unless
//! somebody is writing to the repository; then the next deletion frees it.

use serde_json::Value;
use strongroom_catalog::Tx;
use strongroom_engine::tree::Progress;
use strongroom_jobs::{Ending, Job, JobType, Step, StepContext, StepError, error::HookError};
use strongroom_model::state::DbssProgress;

use super::{
    audit_backup::append_with,
    depot,
    failure::{self, of_control},
    params::AuditWork,
};
use crate::{Control, Result, audit_logs::Chain, dbss::tasks};

/// The job.
pub(super) const JOB: JobType<Control> = JobType {
    name: super::AUDIT_DELETE,
    steps: &[
        Step::new("forget", forget).attempts(10),
        Step::new("free", free).attempts(10),
    ],
    finished: Some(finished),
};

fn forget(control: &Control, context: &StepContext<'_>) -> Result<Value, StepError> {
    let params: AuditWork = context.params()?;
    forget_lines(control, &params).map_err(|error| of_control(context, &error))?;
    Ok(Value::Null)
}

fn forget_lines(control: &Control, params: &AuditWork) -> Result<()> {
    let row = control.read(|tx| Ok(tx.dbss_backups().get(&params.project, &params.backup)?))?;
    let Some(number) = row.and_then(|row| row.sequence) else {
        return Ok(());
    };
    let Some(repository) = control.depot(params.project)?.open()? else {
        return Ok(());
    };
    let mut chain = Chain::open(&repository, &params.instance.to_string(), control.heads())?;
    let mut there = chain.segments().iter();
    let there = there.find(|segment| segment.head.number == number);
    if there.is_none_or(|segment| segment.deleted.is_some()) {
        return Ok(());
    }
    let progress = Progress::default();
    // The link keeps what tells whose it was, so that a rebuilt catalog lists it too.
    let labels = chain.labels(number)?;
    chain.delete(number, &append_with(control, &progress, labels))
}

fn free(control: &Control, context: &StepContext<'_>) -> Result<Value, StepError> {
    let params: AuditWork = context.params()?;
    depot::free(control, context, params.project)
}

fn finished(control: &Control, tx: &Tx<'_>, job: &Job, ending: &Ending) -> Result<(), HookError> {
    end(control, tx, job, ending).map_err(failure::hook)
}

fn end(control: &Control, tx: &Tx<'_>, job: &Job, ending: &Ending) -> Result<()> {
    let params: AuditWork = super::of_job(&job.params)?;
    let failure = tasks::ended(control, tx, params.project, job, ending)?;
    // What was forgotten cannot be brought back, even if freeing its room failed.
    let forgotten = job.outputs.iter().any(|output| output.step == "forget");
    let now = control.now();
    tx.dbss_backups()
        .change(&params.project, &params.backup, |row| {
            row.updated_at = now;
            if forgotten || failure.is_none() {
                row.progress = DbssProgress::Deleted;
                row.restored_set = None;
                row.expires_at = None;
            } else {
                row.progress = DbssProgress::DeleteFailed;
                row.restore_fail_reason = failure.map(|why| format!("not deleted: {why}"));
            }
        })?;
    Ok(())
}
