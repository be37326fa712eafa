//! Has the store of a locked vault keep the objects that its locked backups need from deletion.
//!
//! A backup's manifest is retained last, so its retention says that everything the backup needs is
//! retained at least as long: the store itself remembers what was done, and a catalog that is made
//! anew knows no less. Runs in turn with collections of the vault, which write packs anew.
//!
//! Invariant: nothing is shortened; a store that retains nothing is left alone.

use serde_json::{Value, json};
use strongroom_catalog::{BackupRow, Tx, VaultRow};
use strongroom_engine::{ManifestId, Repository, collect::needed, layout::Object, tree::Progress};
use strongroom_jobs::{JobType, NewJob, Step, StepContext, StepError};
use strongroom_model::Timestamp;
use strongroom_store::{Error as StoreError, ErrorKind, Key, Store};

use super::{
    failure::{chain, of_control, of_store},
    params::{self, Retain},
    repository::{Data, key_record},
    watch::watch,
};
use crate::{Control, Result, locks};

/// The job.
pub(super) const JOB: JobType<Control> = JobType {
    name: super::RETAIN,
    steps: &[Step::new("retain", retain).attempts(10)],
    finished: None,
};

/// Which backups are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    /// Those that are not retained as long as they should be.
    No,
    /// All: packs were written anew.
    Yes,
}

/// Orders it for a vault that is locked.
pub(crate) fn order_retention(
    control: &Control,
    tx: &Tx<'_>,
    vault: &VaultRow,
    again: Again,
) -> Result<()> {
    if !vault.locked {
        return Ok(());
    }
    let new = NewJob {
        id: control.job_id(),
        kind: super::RETAIN.to_owned(),
        params: json!(Retain {
            project: vault.project_id,
            vault: vault.id,
            again: again == Again::Yes,
        }),
        exclusive_key: Some(params::collect_key(vault.id)),
        not_before: None,
        created_at: control.now(),
    };
    match again {
        Again::No => tx.jobs().enqueue_once(&new).map(drop)?,
        // One that waits already may be the other kind.
        Again::Yes => tx.jobs().enqueue(&new)?,
    }
    Ok(())
}

fn retain(control: &Control, context: &StepContext<'_>) -> Result<Value, StepError> {
    let params: Retain = context.params()?;
    let Some(data) = Data::of(control, context, params.project, params.vault)? else {
        return Ok(Value::Null);
    };
    let store = data.store()?;
    let failed = |error: StoreError| of_store(context, error.kind, chain(&error));
    if !store.retains().map_err(failed)? {
        return Ok(Value::Null);
    }
    let due = control
        .read(|tx| locks::at_store::kept(tx, data.vault(), control.now()))
        .map_err(|error| of_control(context, &error))?;
    let Some(repository) = data.open()? else {
        return Ok(Value::Null);
    };
    let mut done = 0;
    for (backup, until) in due {
        context.check()?;
        if !params.again && is_retained(&store, &backup, until).map_err(failed)? {
            locks::at_store::note(control, &backup, until);
            continue;
        }
        let progress = Progress::default();
        let objects = watch(
            context,
            &progress,
            || false,
            || objects(&repository, &backup, &progress),
        );
        // One that is lost is told of by the checks, and must not keep others from their lock.
        let Ok(objects) = objects else {
            tracing::warn!(backup = %backup.id, "what it needs cannot be found");
            continue;
        };
        retain_all(&store, &objects, until.goal).map_err(failed)?;
        locks::at_store::note(control, &backup, until);
        done += 1;
    }
    Ok(json!({ "backups": done }))
}

fn manifest_of(backup: &BackupRow) -> Option<ManifestId> {
    backup.manifest_id.as_ref()?.parse().ok()
}

/// Whether the store keeps it as long as is needed for now.
fn is_retained(
    store: &Store,
    backup: &BackupRow,
    until: locks::at_store::Until,
) -> strongroom_store::Result<bool> {
    let Some(manifest) = manifest_of(backup) else {
        return Ok(true);
    };
    let found = store.retained_until(&Object::Manifest(manifest).key())?;
    Ok(found.is_some_and(|found| found >= until.least))
}

fn objects(
    repository: &Repository,
    backup: &BackupRow,
    progress: &Progress,
) -> strongroom_engine::Result<Vec<Key>> {
    let Some(manifest) = manifest_of(backup) else {
        return Ok(Vec::new());
    };
    let objects = needed(repository, manifest, progress)?;
    let beside = std::iter::once(key_record());
    Ok(beside.chain(objects.iter().map(Object::key)).collect())
}

/// Retains them in their order; the last one stands for all.
fn retain_all(store: &Store, objects: &[Key], until: Timestamp) -> strongroom_store::Result<()> {
    for key in objects {
        match store.retain(key, until) {
            // A pack that went meanwhile was needed by nothing, or the checks tell of it.
            Err(error) if error.kind == ErrorKind::NotFound => {
                tracing::warn!(%key, "an object that a locked backup needs is not there");
            }
            done => done?,
        }
    }
    Ok(())
}
