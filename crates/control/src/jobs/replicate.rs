//! Copies one backup into a vault of another region.
//!
//! The engine copies what is missing there, reads it back, and creates the replica's manifest
//! last: with it the copy is done, whatever happens after. If the process dies before, the next
//! start copies what is still missing; if it dies after, the manifest is found by its label. A
//! copy that fails for good leaves no replica, only a record that says why.
//!
//! Invariant: a replica is available only after its manifest was recorded, in one transaction
//! with the check that it fits into its vault.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use strongroom_catalog::{BackupRow, ReplicationRow, ReplicationStatus, Tx};
use strongroom_engine::{
    Error as EngineError, ManifestId, Repository, WriterOptions,
    copy::{CopyOptions, copy},
    tree::Progress,
};
use strongroom_jobs::{Ending, Job, JobType, Step, StepContext, StepError, error::HookError};
use strongroom_model::state::BackupStatus;

use super::{
    books, collect,
    failure::{self, fail, of_control},
    params::Replicate,
    repository::Data,
    retain::{Again, order_retention},
    saved::Saved,
    watch::watch,
};
use crate::{
    Control, Error, Reason, Result, backups, checkpoints, import,
    operation_logs::{self, OperationFailure},
    schedule::Ledger,
    vaults,
};

/// What has to fit into the vault.
const MEASURED: books::Measured = ("copy", Reason::TargetVaultFull);

/// The job.
pub(super) const JOB: JobType<Control> = JobType {
    name: super::REPLICATE,
    steps: &[
        Step::new("prepare", prepare),
        Step::new("copy", copy_over).undo(forget).attempts(10),
        Step::new("record", record).undo(strike),
    ],
    finished: Some(finished),
};

/// What is known before the first byte is copied. The labels are kept, so that every attempt
/// writes the same ones.
#[derive(Serialize, Deserialize)]
struct Prepared {
    manifest: String,
    labels: BTreeMap<String, String>,
}

fn prepare(control: &Control, context: &StepContext<'_>) -> Result<Value, StepError> {
    let params: Replicate = context.params()?;
    let now = control.now();
    let prepared = control.write(|tx| {
        operation_logs::started(tx, params.project, params.log, now)?;
        let original = backups::rows::get(tx, params.project, params.backup)?;
        tx.replications()
            .change(&params.project, &params.record, |row| {
                row.status = ReplicationStatus::Replicating;
                row.updated_at = now;
            })?;
        let project = params.destination_project;
        let replica = tx.backups().change(&project, &params.replica, |row| {
            row.status = BackupStatus::Protecting;
            row.updated_at = now;
        })?;
        let manifest = original
            .manifest_id
            .ok_or_else(|| Error::conflict(Reason::BackupNotCopyable, "it has no data any more"))?;
        Ok(Prepared {
            manifest,
            labels: import::labels(tx, &replica)?,
        })
    });
    Ok(json!(
        prepared.map_err(|error| of_control(context, &error))?
    ))
}

fn copy_over(control: &Control, context: &StepContext<'_>) -> Result<Value, StepError> {
    let params: Replicate = context.params()?;
    let prepared: Prepared = context
        .output("prepare")?
        .ok_or_else(|| fail(Reason::Internal, "the step before left no output"))?;
    let Some(from) = Data::of(control, context, params.project, params.vault)? else {
        return Err(fail(Reason::NoSuchVault, Reason::NoSuchVault.text()));
    };
    let (project, vault) = (params.destination_project, params.destination_vault);
    let Some(to) = Data::of(control, context, project, vault)? else {
        let reason = Reason::NoSuchTargetVault;
        return Err(fail(reason, reason.text()));
    };
    let Some(source) = from.open()? else {
        let message = "the vault of the backup has no repository";
        return Err(fail(Reason::DataDamaged, message));
    };
    let dest = to.open_or_create()?;
    let left = if context.attempt() > 1 {
        to.find(&dest, params.replica)?
    } else {
        None
    };
    let manifest = if let Some(manifest) = left {
        manifest
    } else {
        let id = transfer(control, context, &prepared, (&from, &source), (&to, &dest))?;
        dest.manifest(&id).map_err(|error| to.failed(&error))?
    };
    let saved = Saved::of(&dest, &manifest).map_err(|error| to.failed(&error))?;
    Ok(json!(saved))
}

/// Copies what is missing; the replica's manifest.
fn transfer(
    control: &Control,
    context: &StepContext<'_>,
    prepared: &Prepared,
    (from, source): (&Data<'_>, &Repository),
    (to, dest): (&Data<'_>, &Repository),
) -> Result<ManifestId, StepError> {
    let unreadable = |_| fail(Reason::Internal, "the backup names no manifest");
    let manifests = [prepared.manifest.parse().map_err(unreadable)?];
    let progress = Progress::default();
    let options = CopyOptions {
        manifests: &manifests,
        writer: WriterOptions::default(),
        progress: &progress,
        entropy: control.shared_entropy(),
        labels: Some(&prepared.labels),
    };
    // Looked at while it grows, so that a copy that cannot fit does not fill the disk first; the
    // record decides.
    let room = vaults::room(to.vault());
    let outgrown = || room.is_some_and(|room| to.written() > room);
    let copied = watch(context, &progress, outgrown, || {
        copy(source, dest, &options)
    });
    let mut copied = copied.map_err(|error| match error {
        EngineError::Cancelled if outgrown() && !context.cancelled() => {
            let error =
                books::too_big(to.vault(), room.unwrap_or_default(), to.written(), MEASURED);
            of_control(context, &error)
        }
        error => to.failed(&error),
    })?;
    if let Some((_, error)) = copied.failed.pop() {
        return Err(from.failed(&error));
    }
    match copied.copied.pop() {
        Some((_, copy)) => Ok(copy),
        None => Err(fail(Reason::Internal, "the copy has another name")),
    }
}

/// Takes a copy back: what it left, if anything, counts no more.
fn forget(control: &Control, context: &StepContext<'_>) -> Result<(), StepError> {
    let params: Replicate = context.params()?;
    let (project, vault) = (params.destination_project, params.destination_vault);
    let Some(to) = Data::of(control, context, project, vault)? else {
        return Ok(());
    };
    let Some(repository) = to.open()? else {
        return Ok(());
    };
    let known: Option<Saved> = context.output("copy")?;
    let manifest = match known {
        Some(saved) => Some(saved.manifest),
        None => to
            .find(&repository, params.replica)?
            .map(|manifest| manifest.id.to_string()),
    };
    manifest.map_or(Ok(()), |manifest| to.forget(&repository, &manifest))
}

fn record(control: &Control, context: &StepContext<'_>) -> Result<Value, StepError> {
    let params: Replicate = context.params()?;
    let saved: Saved = context
        .output("copy")?
        .ok_or_else(|| fail(Reason::Internal, "the step before left no output"))?;
    control
        .write(|tx| account(control, tx, &params, &saved))
        .map_err(|error| of_control(context, &error))?;
    Ok(Value::Null)
}

/// Counts a replica against its vault, once.
fn account(control: &Control, tx: &Tx<'_>, params: &Replicate, saved: &Saved) -> Result<()> {
    let (project, now) = (params.destination_project, control.now());
    let replica = backups::rows::get(tx, project, params.replica)?;
    if replica.manifest_id.is_some() {
        return Ok(());
    }
    let vault = vaults::rows::get(tx, project, params.destination_vault)?;
    let room = vaults::room(&vault);
    books::check_room(&vault, room, saved, MEASURED)?;
    books::enter(
        tx,
        now,
        &vault,
        &replica,
        replica.resource_size_bytes,
        saved,
    )
}

/// Takes the accounting back.
fn strike(control: &Control, context: &StepContext<'_>) -> Result<(), StepError> {
    let params: Replicate = context.params()?;
    control
        .write(|tx| {
            let replica = tx
                .backups()
                .get(&params.destination_project, &params.replica)?;
            replica.map_or(Ok(()), |replica| books::strike(tx, control.now(), &replica))
        })
        .map_err(|error| of_control(context, &error))
}

fn finished(control: &Control, tx: &Tx<'_>, job: &Job, ending: &Ending) -> Result<(), HookError> {
    end(control, tx, job, ending).map_err(failure::hook)
}

fn end(control: &Control, tx: &Tx<'_>, job: &Job, ending: &Ending) -> Result<()> {
    let params: Replicate = super::of_job(&job.params)?;
    let now = control.now();
    let failure = operation_logs::failure_of(ending);
    let project = params.destination_project;
    if let Some(replica) = tx.backups().get(&project, &params.replica)? {
        if failure.is_none() {
            settle_replica(control, tx, &replica)?;
            let vault = vaults::rows::get(tx, project, params.destination_vault)?;
            order_retention(control, tx, &vault, Again::No)?;
        } else {
            backups::remove(tx, &replica, now)?;
            collect::order(control, tx, project, params.destination_vault)?;
        }
    }
    if tx
        .replications()
        .get(&params.project, &params.record)?
        .is_some()
    {
        let settle = |row: &mut ReplicationRow| {
            row.updated_at = now;
            settle_record(row, failure.as_ref());
        };
        tx.replications()
            .change(&params.project, &params.record, settle)?;
    }
    operation_logs::ended(tx, params.project, params.log, now, failure)
}

fn settle_record(row: &mut ReplicationRow, failure: Option<&OperationFailure>) {
    row.status = match failure {
        None => ReplicationStatus::Success,
        Some(_) => ReplicationStatus::Fail,
    };
    row.error_code = failure.map(|failure| failure.reason.as_str().to_owned());
    row.error_message = failure.map(|failure| failure.message.clone());
}

fn settle_replica(control: &Control, tx: &Tx<'_>, replica: &BackupRow) -> Result<()> {
    let (project, now) = (replica.project_id, control.now());
    let checkpoint = tx.checkpoints().get(&project, &replica.checkpoint_id)?;
    let kept = checkpoint.and_then(|checkpoint| checkpoint.retention_days);
    let counted_from = Ledger::read(tx, now)?.counted_from(now);
    tx.backups().change(&project, &replica.id, |row| {
        row.status = BackupStatus::Available;
        row.expired_at = kept.map(|days| counted_from.plus_seconds(i64::from(days) * 86_400));
        row.updated_at = now;
    })?;
    checkpoints::settle(tx, project, replica.checkpoint_id, now)
}
