//! Deletes a vault: the objects of its repository, then every row and with it the data key.
//!
//! The key record goes first: without it and without the catalog's row, what might be left of the
//! objects can be read by nobody.

use serde_json::Value;
use strongroom_catalog::{BackupFilter, Page, Tx, jobs::WithEnded};
use strongroom_jobs::{Ending, Job, JobType, Step, StepContext, StepError, error::HookError};
use strongroom_model::state::{BackupStatus, VaultStatus};
use strongroom_store::{ErrorKind, Key, Store};

use super::{
    failure::{self, again, chain, of_control, of_store},
    params::{self, DeleteVault, Verify},
    repository::{self, Data},
};
use crate::{
    Control, Result,
    operation_logs::{self, OperationDetail},
    trash,
};

/// The job.
pub(super) const JOB: JobType<Control> = JobType {
    name: super::DELETE_VAULT,
    steps: &[Step::new("erase", erase).attempts(10)],
    finished: Some(finished),
};

/// Objects that are listed before they are deleted.
const BATCH: usize = 1000;

fn erase(control: &Control, context: &StepContext<'_>) -> Result<Value, StepError> {
    let params: DeleteVault = context.params()?;
    let now = control.now();
    control
        .write(|tx| operation_logs::started(tx, params.project, params.log, now))
        .map_err(|error| of_control(context, &error))?;
    let Some(data) = Data::of(control, context, params.project, params.vault)? else {
        return Ok(Value::Null);
    };
    stop_upkeep(control, context, &params)?;
    let store = data.store()?;
    let failed = |error: strongroom_store::Error| of_store(context, error.kind, chain(&error));
    store.delete(&repository::key_record()).map_err(failed)?;
    loop {
        context.check()?;
        let batch = some_objects(&store).map_err(failed)?;
        if batch.is_empty() {
            return Ok(Value::Null);
        }
        for key in batch {
            store.delete(&key).map_err(failed)?;
        }
    }
}

/// Sees to it that nothing that was not asked for writes to the store while it is erased: a
/// collection, a check that heals, a note (which would bring the vault's key back).
fn stop_upkeep(
    control: &Control,
    context: &StepContext<'_>,
    params: &DeleteVault,
) -> Result<(), StepError> {
    let keys = [
        params::collect_key(params.vault),
        params::note_key(params.vault),
    ];
    let now = control.now();
    let running = control.order(|tx| {
        let unfinished = tx.jobs().list(WithEnded::No, &Page::ALL)?.rows;
        let verifies = |job: &Job| {
            job.kind == super::VERIFY
                && super::of_job::<Verify>(&job.params).is_ok_and(|of| of.vault == params.vault)
        };
        let of_vault = unfinished.iter().filter(|job| {
            let key = job.exclusive_key.as_ref();
            key.is_some_and(|key| keys.contains(key)) || verifies(job)
        });
        let mut running = false;
        for job in of_vault {
            running |= tx.jobs().request_cancel(&job.id, now)?;
        }
        Ok(running)
    });
    if running.map_err(|error| of_control(context, &error))? {
        let cause = "a collection, a note or a check of the repository is being stopped";
        return Err(again(context, cause));
    }
    Ok(())
}

/// The first objects of a store.
fn some_objects(store: &Store) -> strongroom_store::Result<Vec<Key>> {
    let mut found = Vec::new();
    let listed = store.list("", &mut |key, _| {
        if found.len() == BATCH {
            return Err(strongroom_store::Error::new(ErrorKind::Other).because("enough"));
        }
        found.push(key);
        Ok(())
    });
    if found.len() == BATCH {
        Ok(found)
    } else {
        listed.map(|()| found)
    }
}

fn finished(control: &Control, tx: &Tx<'_>, job: &Job, ending: &Ending) -> Result<(), HookError> {
    end(control, tx, job, ending).map_err(failure::hook)
}

fn end(control: &Control, tx: &Tx<'_>, job: &Job, ending: &Ending) -> Result<()> {
    let params: DeleteVault = super::of_job(&job.params)?;
    let (project, now) = (params.project, control.now());
    let failure = operation_logs::failure_of(ending);
    if failure.is_none() {
        remove_rows(tx, &params)?;
    } else if params.purge {
        trash::vault_not_purged(tx, &params)?;
    } else if let Some(vault) = tx.vaults().get(&project, &params.vault)? {
        let everything = BackupFilter {
            vault_id: Some(vault.id),
            ..BackupFilter::default()
        };
        let total = tx.backups().count(&project, &everything)?;
        tx.vaults().change(&project, &vault.id, |row| {
            row.status = VaultStatus::Error;
            row.updated_at = now;
        })?;
        // Some of their data are gone, nobody knows which: none may look restorable.
        for backup in tx
            .backups()
            .list(&project, &everything, &[], &Page::ALL)?
            .rows
        {
            tx.backups().change(&project, &backup.id, |row| {
                row.status = BackupStatus::Deleting;
            })?;
            tx.backups().change(&project, &backup.id, |row| {
                row.status = BackupStatus::Error;
                row.fail_reason = Some("the deletion of its vault failed halfway".to_owned());
                row.updated_at = now;
            })?;
        }
        let detail = OperationDetail::VaultDelete {
            failed: total,
            total,
        };
        operation_logs::set_detail(tx, project, params.log, detail)?;
    }
    operation_logs::ended(tx, project, params.log, now, failure)
}

fn remove_rows(tx: &Tx<'_>, params: &DeleteVault) -> Result<()> {
    let (project, vault) = (params.project, params.vault);
    for backup in tx.trash().every_backup_of(&project, &vault)? {
        tx.backups().remove(&project, &backup.id)?;
    }
    for checkpoint in tx.checkpoints().of_vault(&project, &vault)? {
        tx.checkpoints().remove(&project, &checkpoint.id)?;
    }
    for (place, _) in tx.vault_resources().of_vault(&project, &vault)? {
        tx.vault_resources()
            .remove(&project, &vault, &place.resource_id)?;
    }
    tx.vaults().remove(&project, &vault)?;
    Ok(())
}
