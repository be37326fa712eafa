//! Our own API for operators: resources, reports, restores to a place of one's choice, health.
//!
//! A path of the host is never a tenant's word: whoever names one must be an operator, which the
//! use cases check. Errors are CBR's, with codes of our own for what CBR has no word for.

mod audit_logs;
mod databases;
pub mod errors;
mod health;
mod resources;
mod retention;
mod safety;
mod watch;

use strongroom_control::restores::{NewRestore, RestoreTarget};
use strongroom_wire::{
    Empty,
    native::{self as wire, BackupReport, Problem, TaskStarted},
};

use crate::{
    call::Call,
    cbr::words::{id, time},
    cloud::Cloud,
    failure::Failure,
    metrics,
    service::Service,
};

/// Adds our operations to the identity origin.
pub fn add(service: Service<Cloud>) -> Service<Cloud> {
    service
        .serve(health::show)
        .serve(health::endpoints)
        .serve(watch::audit)
        .serve(watch::status)
        .serve(watch::freshness)
        .serve(watch::alarms)
        .serve(resources::register)
        .serve(resources::list)
        .serve(resources::show)
        .serve(resources::remove)
        .serve(databases::register)
        .serve(databases::back_up)
        .serve(audit_logs::register)
        .serve(audit_logs::change)
        .serve(audit_logs::back_up)
        .serve(audit_logs::verify)
        .serve(audit_logs::job)
        .serve(databases::copy)
        .serve(databases::copies)
        .serve(databases::topology)
        .serve(databases::archive)
        .serve(cancel_task)
        .serve(report)
        .serve(restore)
        .serve(safety::plan)
        .serve(safety::carry_out)
        .serve(safety::trash)
        .serve(safety::undelete_backup)
        .serve(safety::undelete_vault)
        .serve(safety::safety)
        .serve(safety::change_safety)
        .serve(safety::set_grace)
        .serve(retention::preview)
        .probe("/healthz", health::alive)
        .probe("/readyz", health::ready)
        .page("/metrics", metrics::show)
}

fn cancel_task(cloud: &Cloud, call: &Call<wire::CancelTask>) -> Result<Empty, Failure> {
    let id = id("operation_log_id", &call.path.operation_log_id)?;
    cloud.control.cancel_operation(&call.caller()?, id)?;
    Ok(Empty)
}

fn report(cloud: &Cloud, call: &Call<wire::ShowBackupReport>) -> Result<BackupReport, Failure> {
    let id = id("backup_id", &call.path.backup_id)?;
    let report = cloud.control.backup_report(&call.caller()?, id)?;
    let problems: Vec<_> = report.problems.iter().map(|line| problem(line)).collect();
    Ok(BackupReport {
        backup_id: report.backup.id.to_string(),
        logical_bytes: report.logical.0,
        unique_bytes: report.unique.0,
        stored_bytes: report.stored.0,
        items: report.items,
        problem_count: problems.len() as u64,
        problems,
        verified_at: report.verified.as_ref().map(|verified| time(verified.at)),
        damage: report.verified.and_then(|verified| verified.problem),
    })
}

/// A line of the report is the path, a colon and what happened there.
fn problem(line: &str) -> Problem {
    let (path, problem) = line.split_once(": ").unwrap_or(("", line));
    Problem {
        path: path.to_owned(),
        problem: problem.to_owned(),
    }
}

fn restore(cloud: &Cloud, call: &Call<wire::RestoreBackupTo>) -> Result<TaskStarted, Failure> {
    let new = NewRestore {
        backup_id: id("backup_id", &call.path.backup_id)?,
        target: match &call.body.to {
            Some(path) => RestoreTarget::NewPath(path.into()),
            None => RestoreTarget::Original,
        },
        inside: call
            .body
            .inside
            .as_ref()
            .map(|path| path.as_bytes().to_vec()),
    };
    let task = cloud.control.restore_backup(&call.caller()?, new)?;
    Ok(TaskStarted {
        job_id: task.to_string(),
    })
}
