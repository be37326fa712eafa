//! Makes one backup: look at the resource, save it, account for it.
//!
//! The save ends when its manifest exists. If the process dies between that and the record, the
//! next start finds the manifest by its label and saves nothing twice. A backup that fails leaves
//! no manifest; a backup that misses something keeps what it has, in state error, and says what
//! is missing.
//!
//! A backup's size counts against the vault when it is recorded, in one transaction with the
//! check that it fits, so two backups at once cannot both take the last room.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use strongroom_catalog::{BackupRow, Tx};
use strongroom_engine::{
    Error as EngineError, Manifest, Repository,
    tree::{Progress, SaveOptions, save_tree},
    volume::save_volume,
};
use strongroom_jobs::{Ending, Job, JobType, Step, StepContext, StepError, error::HookError};
use strongroom_model::{
    Bytes, ProjectId, Timestamp,
    state::{BackupStatus, ProtectStatus},
};
use strongroom_source::{Source, registry};

use super::{
    books, collect,
    failure::{self, fail, of_content, of_control},
    own_paths::Without,
    params::Protect,
    repository::Data,
    retain::{Again, order_retention},
    saved::Saved,
    watch::watch,
};
use crate::{
    Control, Reason, Result, backups, checkpoints, import,
    operation_logs::{self, OperationFailure},
    resources,
    schedule::Ledger,
    vaults,
};

/// What has to fit into the vault.
const MEASURED: books::Measured = ("backup", Reason::VaultFull);

/// The job.
pub(super) const JOB: JobType<Control> = JobType {
    name: super::PROTECT,
    steps: &[
        Step::new("prepare", prepare),
        Step::new("save", save).undo(forget).attempts(10),
        Step::new("record", record).undo(strike),
    ],
    finished: Some(finished),
};

/// What is known once the resource has been looked at.
#[derive(Serialize, Deserialize)]
struct Prepared {
    /// The manifest to build on.
    previous: Option<String>,
    /// When the backup's content began to be read.
    began: Timestamp,
}

fn prepare(control: &Control, context: &StepContext<'_>) -> Result<Value, StepError> {
    let params: Protect = context.params()?;
    let now = control.now();
    let prepared = control.write(|tx| {
        let backup = backups::rows::get(tx, params.project, params.backup)?;
        operation_logs::started(tx, params.project, params.log, now)?;
        let backup = tx.backups().change(&params.project, &backup.id, |row| {
            row.status = BackupStatus::Protecting;
            row.updated_at = now;
        })?;
        let base = if backup.incremental_asked {
            tx.backups()
                .newest_good(&params.project, &params.vault, &backup.resource_id)?
        } else {
            None
        };
        Ok(Prepared {
            previous: base.and_then(|base| base.manifest_id),
            began: now,
        })
    });
    let prepared = prepared.map_err(|error| of_control(context, &error))?;
    open(control, context, &params)?;
    Ok(json!(prepared))
}

/// Opens the resource of the backup.
fn open(
    control: &Control,
    context: &StepContext<'_>,
    params: &Protect,
) -> Result<Opened, StepError> {
    let found = control.read(|tx| {
        let backup = backups::rows::get(tx, params.project, params.backup)?;
        let resource = resources::get(tx, params.project, backup.resource_id)?;
        Ok((backup, resource))
    });
    let (backup, resource) = found.map_err(|error| of_control(context, &error))?;
    let path = resources::path_of(&resource);
    let source = registry::open(resource.kind, &path).map_err(|error| {
        let message = format!(
            "{} at {}: {}",
            resource.name,
            path.display(),
            failure::chain(&error)
        );
        of_content(&error, &message)
    })?;
    Ok(Opened {
        backup,
        path,
        source,
    })
}

/// A backup to be made and what it is of.
struct Opened {
    backup: BackupRow,
    path: std::path::PathBuf,
    source: Source,
}

fn save(control: &Control, context: &StepContext<'_>) -> Result<Value, StepError> {
    let params: Protect = context.params()?;
    let Some(data) = Data::of(control, context, params.project, params.vault)? else {
        return Err(fail(Reason::NoSuchVault, Reason::NoSuchVault.text()));
    };
    let repository = data.open_or_create()?;
    // A first start can have left nothing behind.
    let left = if context.attempt() > 1 {
        data.find(&repository, params.backup)?
    } else {
        None
    };
    let manifest = match left {
        Some(manifest) => manifest,
        None => save_anew(control, context, &params, &data, &repository)?,
    };
    let saved = Saved::of(&repository, &manifest).map_err(|error| data.failed(&error))?;
    Ok(json!(saved))
}

fn save_anew(
    control: &Control,
    context: &StepContext<'_>,
    params: &Protect,
    data: &Data<'_>,
    repository: &Repository,
) -> Result<Manifest, StepError> {
    let Opened {
        backup,
        path,
        source,
    } = open(control, context, params)?;
    let prepared: Option<Prepared> = context.output("prepare")?;
    let progress = Progress::default();
    let mut options = SaveOptions::new(&progress, control.shared_entropy());
    // A name that does not parse is no reason to fail: everything is read again.
    options.previous = prepared.and_then(|prepared| prepared.previous?.parse().ok());
    options.labels = control
        .read(|tx| import::labels(tx, &backup))
        .map_err(|error| of_control(context, &error))?;
    // Looked at while it grows, so that a backup that cannot fit does not fill the disk first;
    // the record decides.
    let room = vaults::room(data.vault()).filter(|_| !params.safety);
    let outgrown = || room.is_some_and(|room| data.written() > room);
    let saved = watch(context, &progress, outgrown, || match source {
        Source::Tree(tree) => {
            let tree = Without::new(tree, &path, control.own_paths());
            save_tree(repository, &tree, &options)
        }
        Source::Blocks(disk) => save_volume(repository, &disk, &options),
    });
    let saved = saved.map_err(|error| match error {
        EngineError::Cancelled if outgrown() && !context.cancelled() => {
            let error = books::too_big(
                data.vault(),
                room.unwrap_or_default(),
                data.written(),
                MEASURED,
            );
            of_control(context, &error)
        }
        error => data.failed(&error),
    })?;
    repository
        .manifest(&saved.manifest)
        .map_err(|error| data.failed(&error))
}

/// Takes a save back: what it left, if anything, counts no more.
fn forget(control: &Control, context: &StepContext<'_>) -> Result<(), StepError> {
    let params: Protect = context.params()?;
    let Some(data) = Data::of(control, context, params.project, params.vault)? else {
        return Ok(());
    };
    let Some(repository) = data.open()? else {
        return Ok(());
    };
    let known: Option<Saved> = context.output("save")?;
    let manifest = match known {
        Some(saved) => Some(saved.manifest),
        None => data
            .find(&repository, params.backup)?
            .map(|manifest| manifest.id.to_string()),
    };
    manifest.map_or(Ok(()), |manifest| data.forget(&repository, &manifest))
}

fn saved(context: &StepContext<'_>) -> Result<Saved, StepError> {
    context
        .output("save")?
        .ok_or_else(|| fail(Reason::Internal, "the step before left no output"))
}

fn record(control: &Control, context: &StepContext<'_>) -> Result<Value, StepError> {
    let params: Protect = context.params()?;
    let saved = saved(context)?;
    control
        .write(|tx| account(control, tx, &params, &saved))
        .map_err(|error| of_control(context, &error))?;
    Ok(Value::Null)
}

/// Counts a backup against its vault, once.
fn account(control: &Control, tx: &Tx<'_>, params: &Protect, saved: &Saved) -> Result<()> {
    let (project, now) = (params.project, control.now());
    let backup = backups::rows::get(tx, project, params.backup)?;
    if backup.manifest_id.is_some() {
        return Ok(());
    }
    let vault = vaults::rows::get(tx, project, params.vault)?;
    let room = vaults::room(&vault).filter(|_| !params.safety);
    books::check_room(&vault, room, saved, MEASURED)?;
    books::enter(tx, now, &vault, &backup, Bytes(saved.logical), saved)
}

/// Takes the accounting back.
fn strike(control: &Control, context: &StepContext<'_>) -> Result<(), StepError> {
    let params: Protect = context.params()?;
    control
        .write(|tx| {
            let backup = backups::rows::get(tx, params.project, params.backup)?;
            books::strike(tx, control.now(), &backup)
        })
        .map_err(|error| of_control(context, &error))
}

fn finished(control: &Control, tx: &Tx<'_>, job: &Job, ending: &Ending) -> Result<(), HookError> {
    end(control, tx, job, ending).map_err(failure::hook)
}

fn end(control: &Control, tx: &Tx<'_>, job: &Job, ending: &Ending) -> Result<()> {
    let params: Protect = super::of_job(&job.params)?;
    let (project, now) = (params.project, control.now());
    let outcome = match operation_logs::failure_of(ending) {
        Some(failure) => Some(failure),
        None => super::output_of::<Saved>(job, "save")?.incomplete(),
    };
    let began = super::output_of::<Prepared>(job, "prepare")
        .ok()
        .map(|prepared| prepared.began);
    let backup = backups::rows::get(tx, project, params.backup)?;
    settle_backup(tx, &backup, outcome.as_ref(), began, now)?;
    settle_resource(tx, project, &params, outcome.is_none())?;
    checkpoints::settle(tx, project, backup.checkpoint_id, now)?;
    operation_logs::ended(tx, project, params.log, now, outcome)?;
    if *ending != Ending::Succeeded {
        collect::order(control, tx, project, params.vault)?;
    }
    match tx.vaults().get(&project, &params.vault)? {
        Some(vault) => order_retention(control, tx, &vault, Again::No),
        None => Ok(()),
    }
}

fn settle_backup(
    tx: &Tx<'_>,
    backup: &BackupRow,
    failure: Option<&OperationFailure>,
    began: Option<Timestamp>,
    now: Timestamp,
) -> Result<()> {
    let project = backup.project_id;
    let kept = tx
        .checkpoints()
        .get(&project, &backup.checkpoint_id)?
        .and_then(|checkpoint| checkpoint.retention_days);
    let counted_from = Ledger::read(tx, now)?.counted_from(now);
    let changed = tx.backups().change(&project, &backup.id, |row| {
        row.status = if failure.is_none() {
            BackupStatus::Available
        } else {
            BackupStatus::Error
        };
        row.fail_reason = failure.map(|failure| failure.message.clone());
        if row.manifest_id.is_some() {
            row.protected_at = began;
            row.expired_at = kept.map(|days| counted_from.plus_seconds(i64::from(days) * 86_400));
        }
        row.updated_at = now;
    })?;
    if changed.manifest_id.is_some() {
        tx.resources()
            .change(&project, &backup.resource_id, |row| {
                row.size_bytes = changed.logical_bytes;
            })?;
    }
    Ok(())
}

/// The resource is free again, unless the restore that asked for this backup still holds it.
fn settle_resource(tx: &Tx<'_>, project: ProjectId, params: &Protect, good: bool) -> Result<()> {
    let backup = backups::rows::get(tx, project, params.backup)?;
    let place = tx.vault_resources().get(&project, &backup.resource_id)?;
    let Some(place) = place.filter(|place| place.protect_status == ProtectStatus::Protecting)
    else {
        return Ok(());
    };
    tx.vault_resources()
        .change(&project, &place.vault_id, &place.resource_id, |place| {
            place.protect_status = if good {
                ProtectStatus::Available
            } else {
                ProtectStatus::Error
            };
        })?;
    Ok(())
}
