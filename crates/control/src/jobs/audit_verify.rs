//! Proves from the repository alone that no line of a directory's backups is missing or changed,
//! and signs what was found.
//!
//! The job succeeds when it looked; whether all is well is what the report says.

use serde_json::{Value, json};
use strongroom_catalog::Tx;
use strongroom_engine::tree::Progress;
use strongroom_jobs::{Ending, Job, JobType, Step, StepContext, StepError, error::HookError};
use strongroom_model::Timestamp;

use super::{
    failure::{self, of_control},
    params::AuditVerify,
    watch::watch,
};
use crate::{
    Control, Error, Reason, Result,
    audit_logs::{Chain, Head, Signed, VerifyOrder, sign},
    dbss::tasks,
};

/// The job.
pub(super) const JOB: JobType<Control> = JobType {
    name: super::AUDIT_VERIFY,
    steps: &[Step::new("verify", verify).attempts(10)],
    finished: Some(finished),
};

fn verify(control: &Control, context: &StepContext<'_>) -> Result<Value, StepError> {
    let params: AuditVerify = context.params()?;
    let report = look(control, context, &params).map_err(|error| of_control(context, &error))?;
    Ok(json!(report))
}

fn look(control: &Control, context: &StepContext<'_>, params: &AuditVerify) -> Result<Signed> {
    let nothing = || Error::Conflict {
        reason: Reason::BackupNotReady,
        message: "nothing was backed up yet: there is nothing to prove".to_owned(),
    };
    let repository = control.depot(params.project)?.open()?.ok_or_else(nothing)?;
    let chain = Chain::open(&repository, &params.instance.to_string(), control.heads())?;
    let (Some(first), Some(last)) = (chain.segments().first(), chain.last()) else {
        return Err(nothing());
    };
    let progress = Progress::default();
    let order = VerifyOrder {
        from: params.from.unwrap_or_else(|| beginning(&first.head)),
        to: params.to.unwrap_or(last.head.looked_at),
        anchor: None,
        progress: &progress,
        clock: control.time(),
    };
    let report = watch(context, &progress, || false, || chain.verify(&order))?;
    Ok(sign(&report, control.master_key()))
}

/// From when on a chain can tell anything: its first line, or the first look if it had none.
fn beginning(first: &Head) -> Timestamp {
    let looked = first.looked_from;
    first.first_event.map_or(looked, |line| line.min(looked))
}

fn finished(control: &Control, tx: &Tx<'_>, job: &Job, ending: &Ending) -> Result<(), HookError> {
    end(control, tx, job, ending).map_err(failure::hook)
}

fn end(control: &Control, tx: &Tx<'_>, job: &Job, ending: &Ending) -> Result<()> {
    let params: AuditVerify = super::of_job(&job.params)?;
    if tasks::ended(control, tx, params.project, job, ending)?.is_some() {
        return Ok(());
    }
    let report: Value = super::output_of(job, "verify")?;
    tx.dbss_tasks().change(&params.project, &job.id, |row| {
        row.report = Some(report.to_string());
    })?;
    Ok(())
}
