//! Frees what no backup of a vault needs any more.
//!
//! Ordered by whatever lets data go; several orders that wait together are one. What is freed is
//! taken off the vault's use: until then deleted data count, because they are there.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use strongroom_catalog::{BackupFilter, Tx, VaultRow};
use strongroom_engine::{
    Repository,
    collect::{self as engine_collect, CollectOptions, Fencing},
    tree::Progress,
};
use strongroom_jobs::{
    Ending, Job, JobType, NewJob, Step, StepContext, StepError, error::HookError,
};
use strongroom_model::{
    Bytes, JobId, ProjectId, Timestamp, VaultId,
    state::{BackupStatus, VaultStatus},
};

use super::{
    failure::{self, of_control},
    params::{self, Collect},
    repository::{BACKUP_LABEL, Data},
    retain::{Again, order_retention},
    watch::watch,
};
use crate::{Control, Result};

/// The job.
pub(super) const JOB: JobType<Control> = JobType {
    name: super::COLLECT,
    steps: &[Step::new("collect", collect).attempts(10)],
    finished: Some(finished),
};

/// Seconds until a collection that waits for writers looks again.
const LOOK_AGAIN_SECONDS: i64 = 600;

/// What a collection found out.
#[derive(Serialize, Deserialize)]
struct Outcome {
    /// Bytes that were removed.
    removed: u64,
    /// Packs that were written anew.
    #[serde(default)]
    repacked: u64,
    /// Whether something waits for writers that are still at work.
    waits: bool,
    /// What is left, if nothing else was written meanwhile.
    left: Option<Left>,
}

/// The bytes of data in a repository, measured while the vault's use was that.
#[derive(Serialize, Deserialize)]
struct Left {
    bytes: u64,
    used_then: u64,
}

/// Orders a collection of a vault's repository, unless one waits already.
pub(crate) fn order(
    control: &Control,
    tx: &Tx<'_>,
    project: ProjectId,
    vault: VaultId,
) -> Result<()> {
    let available = tx
        .vaults()
        .get(&project, &vault)?
        .is_some_and(|vault| vault.status == VaultStatus::Available);
    if available {
        enqueue(control, tx, project, vault, None)
    } else {
        Ok(())
    }
}

/// The same for a vault at hand.
pub(crate) fn order_collection(control: &Control, tx: &Tx<'_>, vault: &VaultRow) -> Result<()> {
    order(control, tx, vault.project_id, vault.id)
}

fn enqueue(
    control: &Control,
    tx: &Tx<'_>,
    project: ProjectId,
    vault: VaultId,
    not_before: Option<Timestamp>,
) -> Result<()> {
    tx.jobs().enqueue_once(&NewJob {
        id: JobId::new(control.entropy()),
        kind: super::COLLECT.to_owned(),
        params: json!(Collect { project, vault }),
        exclusive_key: Some(params::collect_key(vault)),
        not_before,
        created_at: control.now(),
    })?;
    Ok(())
}

fn collect(control: &Control, context: &StepContext<'_>) -> Result<Value, StepError> {
    let params: Collect = context.params()?;
    let nothing = Outcome {
        removed: 0,
        repacked: 0,
        waits: false,
        left: None,
    };
    let Some(data) = Data::of(control, context, params.project, params.vault)? else {
        return Ok(json!(nothing));
    };
    let Some(repository) = data.open()? else {
        return Ok(json!(nothing));
    };
    forget_failed(control, context, &params, &data, &repository)?;
    let progress = Progress::default();
    // While no backup is being written, whoever still holds a lease is dead or hopeless.
    let quiet = control
        .read(|tx| quiet_use(tx, &params))
        .map_err(|error| of_control(context, &error))?;
    let fencing = if quiet.is_some() {
        Fencing::All
    } else {
        Fencing::SurelyGone
    };
    let options = CollectOptions {
        fencing,
        ..CollectOptions::default()
    };
    let entropy = control.shared_entropy();
    let collected = watch(
        context,
        &progress,
        || false,
        || engine_collect::collect(&repository, &options, &progress, &entropy),
    );
    let collected = collected.map_err(|error| data.failed(&error))?;
    let left = measure(control, &params, &repository)
        .map_err(|error| of_control(context, &error))?
        .map_err(|error| data.failed(&error))?;
    Ok(json!(Outcome {
        removed: collected.bytes_removed,
        repacked: collected.packs_repacked,
        waits: collected.packs_waiting > 0,
        left,
    }))
}

/// Forgets what failed backups left because their undo failed too.
///
/// Only what the catalog knows for a failure goes: a manifest without a row may be all that is
/// left of a backup after the catalog was lost.
fn forget_failed(
    control: &Control,
    context: &StepContext<'_>,
    params: &Collect,
    data: &Data<'_>,
    repository: &Repository,
) -> Result<(), StepError> {
    for id in repository
        .manifests()
        .map_err(|error| data.failed(&error))?
    {
        let manifest = repository
            .manifest(&id)
            .map_err(|error| data.failed(&error))?;
        let label = manifest
            .body
            .labels
            .get(BACKUP_LABEL)
            .and_then(|label| label.parse().ok());
        let Some(backup) = label else { continue };
        let row = control
            .read(|tx| Ok(tx.backups().get(&params.project, &backup)?))
            .map_err(|error| of_control(context, &error))?;
        match row {
            Some(row) if row.status == BackupStatus::Error && row.manifest_id.is_none() => {
                data.forget(repository, &id.to_string())?;
            }
            Some(_) => {}
            None => {
                tracing::warn!(vault = %params.vault, manifest = %id, backup = %backup,
                    "a manifest belongs to a backup that the catalog does not know; it stays");
            }
        }
    }
    Ok(())
}

/// Measures the data, unless backups are being written, which count only when they are recorded.
fn measure(
    control: &Control,
    params: &Collect,
    repository: &Repository,
) -> Result<strongroom_engine::Result<Option<Left>>> {
    let before = control.read(|tx| quiet_use(tx, params))?;
    let mut bytes = 0;
    for kind in ["packs/", "index/"] {
        match repository.bytes_under(kind) {
            Ok(found) => bytes += found,
            Err(error) => return Ok(Err(error)),
        }
    }
    let after = control.read(|tx| quiet_use(tx, params))?;
    Ok(Ok(match (before, after) {
        (Some(before), Some(after)) if before == after => Some(Left {
            bytes,
            used_then: before.0,
        }),
        _ => None,
    }))
}

/// What is used of a vault; `None` while a backup is being written to it.
fn quiet_use(tx: &Tx<'_>, params: &Collect) -> Result<Option<Bytes>> {
    let writing = BackupFilter {
        vault_id: Some(params.vault),
        statuses: vec![BackupStatus::Protecting],
        ..BackupFilter::default()
    };
    if tx.backups().count(&params.project, &writing)? > 0 {
        return Ok(None);
    }
    Ok(tx
        .vaults()
        .get(&params.project, &params.vault)?
        .map(|vault| vault.used_bytes))
}

fn finished(control: &Control, tx: &Tx<'_>, job: &Job, ending: &Ending) -> Result<(), HookError> {
    end(control, tx, job, ending).map_err(failure::hook)
}

fn end(control: &Control, tx: &Tx<'_>, job: &Job, ending: &Ending) -> Result<()> {
    let params: Collect = super::of_job(&job.params)?;
    let (project, now) = (params.project, control.now());
    // A vault that is gone, or never had data, has nothing to count.
    if *ending != Ending::Succeeded || tx.repositories().get(&project, &params.vault)?.is_none() {
        return Ok(());
    }
    let outcome: Outcome = super::output_of(job, "collect")?;
    let vault = tx.vaults().change(&project, &params.vault, |row| {
        row.used_bytes = Bytes(match &outcome.left {
            // What was recorded since the measurement comes on top of it.
            Some(left) => left.bytes + row.used_bytes.0.saturating_sub(left.used_then),
            None => row.used_bytes.0.saturating_sub(outcome.removed),
        });
        row.updated_at = now;
    })?;
    if outcome.repacked > 0 {
        order_retention(control, tx, &vault, Again::Yes)?;
    }
    tx.repositories().change(&project, &params.vault, |row| {
        row.last_collect_at = Some(now);
        row.stored_bytes = vault.used_bytes;
    })?;
    if outcome.waits {
        let later = now.plus_seconds(LOOK_AGAIN_SECONDS);
        enqueue(control, tx, project, params.vault, Some(later))?;
    }
    Ok(())
}
