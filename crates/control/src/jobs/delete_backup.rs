//! Deletes one backup: its data are forgotten, then its row goes.
//!
//! In this order, so that no row is ever lost while its data still count; what the data took is
//! freed by a collection, which is ordered with the end of this job.

use serde_json::Value;
use strongroom_catalog::Tx;
use strongroom_jobs::{Ending, Job, JobType, Step, StepContext, StepError, error::HookError};
use strongroom_model::state::BackupStatus;

use super::{
    collect,
    failure::{self, of_control},
    params::DeleteBackup,
    repository::Data,
};
use crate::{Control, Result, backups, operation_logs, trash};

/// The job.
pub(super) const JOB: JobType<Control> = JobType {
    name: super::DELETE_BACKUP,
    steps: &[Step::new("forget", forget).attempts(10)],
    finished: Some(finished),
};

fn forget(control: &Control, context: &StepContext<'_>) -> Result<Value, StepError> {
    let params: DeleteBackup = context.params()?;
    let (project, now) = (params.project, control.now());
    let backup = control.write(|tx| {
        operation_logs::started(tx, project, params.log, now)?;
        if params.purge {
            let trashed = tx.trash().backup(&project, &params.backup)?;
            return Ok(trashed.map(|trashed| trashed.row));
        }
        // Gone with its vault or its resource meanwhile: that is what was asked for.
        if tx.backups().get(&project, &params.backup)?.is_none() {
            return Ok(None);
        }
        let changed = tx.backups().change(&project, &params.backup, |row| {
            row.status = BackupStatus::Deleting;
            row.updated_at = now;
        })?;
        Ok(Some(changed))
    });
    let backup = backup.map_err(|error| of_control(context, &error))?;
    let Some(manifest) = backup.and_then(|backup| backup.manifest_id) else {
        return Ok(Value::Null);
    };
    let Some(data) = Data::of(control, context, project, params.vault)? else {
        return Ok(Value::Null);
    };
    if let Some(repository) = data.open()? {
        data.forget(&repository, &manifest)?;
    }
    Ok(Value::Null)
}

fn finished(control: &Control, tx: &Tx<'_>, job: &Job, ending: &Ending) -> Result<(), HookError> {
    end(control, tx, job, ending).map_err(failure::hook)
}

fn end(control: &Control, tx: &Tx<'_>, job: &Job, ending: &Ending) -> Result<()> {
    let params: DeleteBackup = super::of_job(&job.params)?;
    let (project, now) = (params.project, control.now());
    let failure = operation_logs::failure_of(ending);
    if params.purge {
        trash::purged_backup(control, tx, &params, failure.is_none())?;
    } else if let Some(backup) = tx.backups().get(&project, &params.backup)? {
        match &failure {
            None => {
                backups::remove(tx, &backup, now)?;
                collect::order(control, tx, project, params.vault)?;
            }
            Some(failure) => {
                tx.backups().change(&project, &backup.id, |row| {
                    row.status = BackupStatus::Error;
                    row.fail_reason = Some(format!("not deleted: {}", failure.message));
                    row.updated_at = now;
                })?;
            }
        }
    }
    operation_logs::ended(tx, project, params.log, now, failure)
}
