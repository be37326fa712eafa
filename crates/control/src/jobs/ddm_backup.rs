//! Keeps what a sharding layer knows: read, stored, read back, recorded.
//!
//! The document goes from the layer into the repository as it is read, so its length does not
//! matter. What was stored is read back to its end before it counts: the state *normal* means that
//! somebody has seen the whole document in the repository. If the process dies between the
//! manifest and the record, the next start finds the manifest by its label.

use std::{io::BufReader, thread};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use strongroom_catalog::{DataNodeName, Json, Tx};
use strongroom_engine::{Manifest, Repository, tree::Progress};
use strongroom_jobs::{Ending, Job, JobType, Step, StepContext, StepError, error::HookError};
use strongroom_model::{Bytes, ProjectId, Timestamp, state::DdmBackupStatus};
use strongroom_source::ddm::{
    self, Capture,
    document::{self, Place, Summary},
};

use super::{
    ddm_told::labels,
    depot::{forget_manifest, labelled, make_depot, open_depot, store_stream},
    failure::{self, again, chain, of_control, of_engine},
    params::DdmBackup,
};
use crate::{
    Control, Error, Reason, Result,
    ddm::{
        instances,
        reach::{Reached, of_source},
        tasks,
    },
    pipe::{PipeWriter, pipe},
    schedule::Ledger,
};

/// The label of a manifest by which its backup finds it again.
pub(super) const LABEL: &str = "ddm-backup";
/// The name of the document in its manifest.
pub(super) const FILE: &str = "metadata.jsonl";
/// How often a step is tried before what is in the way counts.
const TRIES: u32 = 3;
/// How often schemas may change while they are read before writes are held back all the time.
const FREE_READS: u32 = 2;

/// The job.
pub(super) const JOB: JobType<Control> = JobType {
    name: super::DDM_BACKUP,
    steps: &[Step::new("save", save).undo(forget).attempts(10)],
    finished: Some(finished),
};

/// What was kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) manifest: String,
    pub(super) bytes: u64,
    pub(super) taken_at: Timestamp,
    pub(super) nodes: Vec<DataNodeName>,
    #[serde(default)]
    pub(super) layer: Option<Place>,
}

impl Kept {
    pub(super) fn of(manifest: &Manifest, summary: Summary) -> Self {
        let nodes = summary.nodes.into_iter().map(|node| DataNodeName {
            id: node.id,
            name: node.name,
        });
        Self {
            manifest: manifest.id.to_string(),
            bytes: manifest.body.logical_bytes,
            taken_at: Timestamp::from_micros(summary.end.taken_at),
            layer: summary.end.layer,
            nodes: nodes.collect(),
        }
    }
}

fn save(control: &Control, context: &StepContext<'_>) -> Result<Value, StepError> {
    let params: DdmBackup = context.params()?;
    let in_way = |error: &Error| of_database(context, error);
    let repository = make_depot(control, context, params.project)?;
    // A first start can have left it behind.
    let left = if context.attempt() > 1 {
        find(context, &repository, &params)?
    } else {
        None
    };
    let manifest = if let Some(manifest) = left {
        manifest
    } else {
        let reached = control
            .reach(params.project, params.instance)
            .map_err(|error| in_way(&error))?;
        save_anew(control, context, &params, &repository, reached)?
    };
    let kept = read_back(&repository, &manifest).map_err(|error| in_way(&error))?;
    Ok(json!(kept))
}

/// A database that does not answer may do so in a moment; after that it is what is told.
pub(super) fn of_database(context: &StepContext<'_>, error: &Error) -> StepError {
    match error.reason() {
        Reason::DatabaseUnreachable if context.attempt() < TRIES => again(context, chain(error)),
        _ => of_control(context, error),
    }
}

fn save_anew(
    control: &Control,
    context: &StepContext<'_>,
    params: &DdmBackup,
    repository: &Repository,
    mut reached: Reached,
) -> Result<Manifest, StepError> {
    let mut tried = 0;
    loop {
        let still = tried >= FREE_READS;
        match stream(control, context, params, repository, &mut reached, still)? {
            Ok(manifest) => return Ok(manifest),
            Err(ddm::Error::Changed(_)) if !still => tried += 1,
            Err(error) => return Err(of_database(context, &of_source(error))),
        }
    }
}

/// Reads the layer in one thread and stores what comes in another.
fn stream(
    control: &Control,
    context: &StepContext<'_>,
    params: &DdmBackup,
    repository: &Repository,
    reached: &mut Reached,
    still: bool,
) -> Result<Result<Manifest, ddm::Error>, StepError> {
    let labels = labels(control, context, params)?;
    let order = Capture {
        instance: (reached.row.id.to_string(), reached.row.name.clone()),
        nodes: &reached.nodes,
        provider: &reached.row.provider,
        clock: control.time(),
        still,
    };
    let layer = &mut reached.layer;
    let bring =
        |writer: &mut PipeWriter| layer.capture(&order, &mut |line| document::write(writer, line));
    match store_stream((control, context), repository, FILE, || labels, bring)? {
        Ok(((), manifest)) => {
            let manifest = repository.manifest(&manifest);
            manifest.map(Ok).map_err(|error| of_engine(context, &error))
        }
        Err(error) => Ok(Err(error)),
    }
}

/// The manifest of the backup, if there is one.
fn find(
    context: &StepContext<'_>,
    repository: &Repository,
    params: &DdmBackup,
) -> Result<Option<Manifest>, StepError> {
    let found = labelled(context, repository, (LABEL, &params.backup.to_string()))?;
    Ok(found.into_iter().next())
}

/// Reads the document as it is stored, to its end.
fn read_back(repository: &Repository, manifest: &Manifest) -> Result<Kept> {
    let summary = read(repository, &manifest.id.to_string(), document::summarise)?;
    Ok(Kept::of(manifest, summary))
}

/// Reads a stored document.
pub(super) fn read<T>(
    repository: &Repository,
    manifest: &str,
    take: impl FnOnce(&mut dyn std::io::BufRead) -> ddm::Result<T>,
) -> Result<T> {
    read_file(repository, manifest, FILE, take)
}

/// Reads the stored file of that name, the only one of its manifest.
pub(super) fn read_file<T>(
    repository: &Repository,
    manifest: &str,
    file: &str,
    take: impl FnOnce(&mut dyn std::io::BufRead) -> ddm::Result<T>,
) -> Result<T> {
    use strongroom_engine::tree::cat;
    let broken = |error: strongroom_engine::Error| Error::Conflict {
        reason: Reason::DataDamaged,
        message: format!("the stored {file} cannot be read: {}", chain(&error)),
    };
    let id = manifest
        .parse()
        .map_err(|_| Error::bug("a row names no manifest", manifest.to_owned()))?;
    let path = strongroom_model::content::TreePath::parse(file.as_bytes()).expect("a legal path");
    let (mut writer, reader) = pipe();
    let progress = Progress::default();
    thread::scope(|scope| {
        let writing = scope.spawn(|| {
            let copied = cat(repository, &id, &path, 0..u64::MAX, &mut writer, &progress);
            if copied.is_ok() {
                // A reader that has gone has its own failure.
                let _ = writer.finish();
            } else {
                drop(writer);
            }
            copied
        });
        let mut reader = BufReader::new(reader);
        let taken = take(&mut reader);
        drop(reader);
        let copied = writing.join().expect("the engine does not panic");
        match (taken, copied) {
            (Ok(taken), Ok(_)) => Ok(taken),
            (Err(error), Ok(_)) => Err(of_source(error)),
            (_, Err(error)) => Err(broken(error)),
        }
    })
}

/// Takes a save back: what it left, if anything, counts no more.
fn forget(control: &Control, context: &StepContext<'_>) -> Result<(), StepError> {
    let params: DdmBackup = context.params()?;
    let Some(repository) = open_depot(control, context, params.project)? else {
        return Ok(());
    };
    match find(context, &repository, &params)? {
        Some(manifest) => forget_manifest(control, context, &repository, &manifest.id.to_string()),
        None => Ok(()),
    }
}

fn finished(control: &Control, tx: &Tx<'_>, job: &Job, ending: &Ending) -> Result<(), HookError> {
    end(control, tx, job, ending).map_err(failure::hook)
}

fn end(control: &Control, tx: &Tx<'_>, job: &Job, ending: &Ending) -> Result<()> {
    let params: DdmBackup = super::of_job(&job.params)?;
    let failure = tasks::ended(control, tx, params.project, job, ending)?;
    let kept = match failure {
        None => Some(super::output_of::<Kept>(job, "save")?),
        Some(_) => None,
    };
    settle(control, tx, params.project, &params, kept, failure)
}

fn settle(
    control: &Control,
    tx: &Tx<'_>,
    project: ProjectId,
    params: &DdmBackup,
    kept: Option<Kept>,
    failure: Option<String>,
) -> Result<()> {
    let now = control.now();
    let days = tx
        .ddm_instances()
        .get(&project, &params.instance)?
        .map_or(instances::KEEP_DAYS, |row| row.keep_days);
    let from = Ledger::read(tx, now)?.counted_from(now);
    tx.ddm_backups().change(&project, &params.backup, |row| {
        row.updated_at = now;
        row.expires_at = Some(from.plus_seconds(i64::from(days) * 86_400));
        row.fail_reason = failure;
        match kept {
            Some(kept) => {
                row.status = DdmBackupStatus::Normal;
                row.manifest_id = Some(kept.manifest);
                row.file_bytes = Bytes(kept.bytes);
                row.taken_at = Some(kept.taken_at);
                row.data_nodes = Json(kept.nodes);
                row.log_file = kept.layer.as_ref().map(|place| place.file.clone());
                row.log_offset = kept.layer.map(|place| place.offset);
            }
            None => row.status = DdmBackupStatus::Failed,
        }
    })?;
    Ok(())
}
