//! How the jobs reach a project's database backups: opened, stored into, forgotten, freed.
//!
//! What one thread reads from a database another stores, as the only file of a manifest; a label
//! says which row the manifest belongs to. If a process dies between the manifest and its row, the
//! next start finds the manifest by that label.

use std::{collections::BTreeMap, thread};

use serde_json::Value;
use strongroom_engine::{
    Error as EngineError, Manifest, ManifestId, Repository,
    collect::{CollectOptions, collect},
    tree::{Progress, SaveOptions, save_labelled_input},
};
use strongroom_jobs::{StepContext, StepError};
use strongroom_model::ProjectId;
use strongroom_source::ddm;

use super::{
    failure::{fail, of_control, of_engine},
    watch::watch,
};
use crate::{
    Control, Reason,
    depot::only_file,
    pipe::{PipeWriter, pipe},
};

/// The repository of the project's database backups; `None` if nothing was ever kept.
pub(super) fn open_depot(
    control: &Control,
    context: &StepContext<'_>,
    project: ProjectId,
) -> Result<Option<Repository>, StepError> {
    let opened = control.depot(project).and_then(|depot| depot.open());
    opened.map_err(|error| of_control(context, &error))
}

/// The same; made now if nothing was ever kept.
pub(super) fn make_depot(
    control: &Control,
    context: &StepContext<'_>,
    project: ProjectId,
) -> Result<Repository, StepError> {
    let made = control
        .depot(project)
        .and_then(|depot| depot.open_or_create());
    made.map_err(|error| of_control(context, &error))
}

/// Frees what nothing in the project's database backups needs any more.
pub(super) fn free(
    control: &Control,
    context: &StepContext<'_>,
    project: ProjectId,
) -> Result<Value, StepError> {
    let Some(repository) = open_depot(control, context, project)? else {
        return Ok(Value::Null);
    };
    let (options, progress) = (CollectOptions::default(), Progress::default());
    let entropy = control.shared_entropy();
    let collected = watch(
        context,
        &progress,
        || false,
        || collect(&repository, &options, &progress, &entropy),
    );
    collected.map_err(|error| of_engine(context, &error))?;
    Ok(Value::Null)
}

/// Forgets a manifest, if it is still there.
pub(super) fn forget_manifest(
    control: &Control,
    context: &StepContext<'_>,
    repository: &Repository,
    name: &str,
) -> Result<(), StepError> {
    use EngineError as E;
    let id = name
        .parse()
        .map_err(|_| fail(Reason::Internal, format!("{name} is no manifest's name")))?;
    match repository.forget(&id, control.entropy()) {
        Ok(()) | Err(E::ManifestMissing { .. } | E::ManifestForgotten { .. }) => Ok(()),
        Err(error) => Err(of_engine(context, &error)),
    }
}

/// The manifests with that label, looked for among all: after a crash nobody wrote them down.
pub(super) fn labelled(
    context: &StepContext<'_>,
    repository: &Repository,
    (label, text): (&str, &str),
) -> Result<Vec<Manifest>, StepError> {
    use EngineError as E;
    let failed = |error: &EngineError| of_engine(context, error);
    let mut found = Vec::new();
    for id in repository.manifests().map_err(|error| failed(&error))? {
        match repository.manifest(&id) {
            Ok(manifest) => {
                if manifest.body.labels.get(label).map(String::as_str) == Some(text) {
                    found.push(manifest);
                }
            }
            // Another backup's; its own jobs will say so.
            Err(E::ManifestMissing { .. } | E::Damaged { .. }) => {}
            Err(error) => return Err(failed(&error)),
        }
    }
    Ok(found)
}

/// Reads from a database in one thread and stores what comes in another, as a file of that name.
///
/// The labels are asked for when all has come. What goes wrong with the database is the inner
/// failure.
pub(super) fn store_stream<T: Send>(
    (control, context): (&Control, &StepContext<'_>),
    repository: &Repository,
    file: &str,
    labels: impl FnOnce() -> BTreeMap<String, String> + Send,
    bring: impl FnOnce(&mut PipeWriter) -> ddm::Result<T> + Send,
) -> Result<ddm::Result<(T, ManifestId)>, StepError> {
    let progress = Progress::default();
    let options = SaveOptions::new(&progress, control.shared_entropy());
    let store = || {
        let (mut writer, mut reader) = pipe();
        thread::scope(|scope| {
            let bringing = scope.spawn(move || {
                let brought = bring(&mut writer)?;
                writer.finish().map_err(ddm::Error::from)?;
                Ok(brought)
            });
            let input = only_file(file, &mut reader);
            let saved = save_labelled_input(repository, input, control.time(), &options, labels);
            // A save that failed reads no more; the other must see that, not wait for ever.
            drop(reader);
            let panicked = |_| Err(ddm::Error::Unfit("the reading panicked".to_owned()));
            (bringing.join().unwrap_or_else(panicked), saved)
        })
    };
    match watch(context, &progress, || false, store) {
        // What went wrong with the database is why the save ended, unless it was the other way
        // round.
        (Err(error), _) if !matches!(error, ddm::Error::Stream(_)) => Ok(Err(error)),
        (_, Err(error)) => Err(of_engine(context, &error)),
        (Err(error), Ok(_)) => Ok(Err(error)),
        (Ok(brought), Ok(saved)) => Ok(Ok((brought, saved.manifest))),
    }
}
