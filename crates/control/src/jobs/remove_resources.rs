//! Takes resources out of a vault: their backups are forgotten, then all rows go at once.

use serde_json::Value;
use strongroom_catalog::{BackupFilter, BackupRow, Page, Tx};
use strongroom_jobs::{Ending, Job, JobType, Step, StepContext, StepError, error::HookError};
use strongroom_model::state::{BackupStatus, ProtectStatus};

use super::{
    collect,
    failure::{self, of_control},
    params::RemoveResources,
    repository::Data,
};
use crate::{
    Control, Result, backups,
    operation_logs::{self, OperationDetail},
    resources,
};

/// The job.
pub(super) const JOB: JobType<Control> = JobType {
    name: super::REMOVE_RESOURCES,
    steps: &[Step::new("forget", forget).attempts(10)],
    finished: Some(finished),
};

/// The backups of these resources in this vault.
fn backups_of(tx: &Tx<'_>, params: &RemoveResources) -> Result<Vec<BackupRow>> {
    let mut found = Vec::new();
    for resource in &params.resources {
        let filter = BackupFilter {
            vault_id: Some(params.vault),
            resource_id: Some(*resource),
            ..BackupFilter::default()
        };
        found.extend(
            tx.backups()
                .list(&params.project, &filter, &[], &Page::ALL)?
                .rows,
        );
    }
    Ok(found)
}

fn forget(control: &Control, context: &StepContext<'_>) -> Result<Value, StepError> {
    let params: RemoveResources = context.params()?;
    let (project, now) = (params.project, control.now());
    let all = control.write(|tx| {
        operation_logs::started(tx, project, params.log, now)?;
        let all = backups_of(tx, &params)?;
        for backup in &all {
            tx.backups().change(&project, &backup.id, |row| {
                row.status = BackupStatus::Deleting;
                row.updated_at = now;
            })?;
        }
        Ok(all)
    });
    let all = all.map_err(|error| of_control(context, &error))?;
    let Some(data) = Data::of(control, context, project, params.vault)? else {
        return Ok(Value::Null);
    };
    let Some(repository) = data.open()? else {
        return Ok(Value::Null);
    };
    for manifest in all.into_iter().filter_map(|backup| backup.manifest_id) {
        context.check()?;
        data.forget(&repository, &manifest)?;
    }
    Ok(Value::Null)
}

fn finished(control: &Control, tx: &Tx<'_>, job: &Job, ending: &Ending) -> Result<(), HookError> {
    end(control, tx, job, ending).map_err(failure::hook)
}

fn end(control: &Control, tx: &Tx<'_>, job: &Job, ending: &Ending) -> Result<()> {
    let params: RemoveResources = super::of_job(&job.params)?;
    let (project, now) = (params.project, control.now());
    let failure = operation_logs::failure_of(ending);
    if failure.is_none() {
        for backup in backups_of(tx, &params)? {
            backups::remove(tx, &backup, now)?;
        }
        for resource in &params.resources {
            tx.vault_resources()
                .remove(&project, &params.vault, resource)?;
        }
        collect::order(control, tx, project, params.vault)?;
    } else {
        keep(control, tx, &params)?;
    }
    operation_logs::ended(tx, project, params.log, now, failure)
}

/// The removal failed: everything stays where it is, marked.
fn keep(control: &Control, tx: &Tx<'_>, params: &RemoveResources) -> Result<()> {
    let (project, now) = (params.project, control.now());
    for backup in backups_of(tx, params)? {
        tx.backups().change(&project, &backup.id, |row| {
            if row.status == BackupStatus::Deleting {
                row.status = BackupStatus::Error;
                row.fail_reason = Some("the removal of its resource failed".to_owned());
                row.updated_at = now;
            }
        })?;
    }
    let mut named = Vec::with_capacity(params.resources.len());
    for resource in &params.resources {
        tx.vault_resources()
            .change(&project, &params.vault, resource, |place| {
                place.protect_status = ProtectStatus::Error;
            })?;
        named.push(resources::named(&resources::get(tx, project, *resource)?));
    }
    let all = named.len() as u64;
    let detail = OperationDetail::RemoveResources {
        failed: all,
        total: all,
        resources: named,
    };
    operation_logs::set_detail(tx, project, params.log, detail)
}
