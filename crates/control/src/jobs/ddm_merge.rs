//! Puts pieces of archived logs together, so that months of archiving stay cheap to look through.
//!
//! The bytes of a run of pieces are stored once more as one (most of them are found to be there
//! already), then the rows are exchanged in one transaction, then the old manifests are forgotten.
//! Killed in between, either the old pieces or the new one is what the catalog names, and the other
//! is superfluous: [`forget_superfluous`] finds it.

use std::{
    collections::BTreeMap,
    io::{self, Read},
};

use serde_json::Value;
use strongroom_catalog::{DdmLogPartRow, Tx};
use strongroom_engine::{
    Error as EngineError, Repository,
    tree::{Progress, SaveOptions, cat, save_input},
};
use strongroom_jobs::{Ending, Job, JobType, Step, StepContext, StepError, error::HookError};
use strongroom_model::{ProjectId, content::TreePath};

use super::{
    depot::{forget_manifest, open_depot},
    failure::{fail, of_control, of_engine},
    params::DdmLogs,
    watch::watch,
};
use crate::{
    Control, Reason, Result,
    ddm::{
        pieces::{self, Said, is_superfluous, ripe, together},
        recovery,
    },
    depot::only_file,
};

/// The job.
pub(super) const JOB: JobType<Control> = JobType {
    name: super::DDM_MERGE,
    steps: &[Step::new("merge", merge).attempts(5)],
    finished: Some(finished),
};

fn merge(control: &Control, context: &StepContext<'_>) -> Result<Value, StepError> {
    let params: DdmLogs = context.params()?;
    let Some(repository) = open_depot(control, context, params.project)? else {
        return Ok(Value::Null);
    };
    let all = control
        .read(|tx| {
            let points = tx.ddm_points();
            Ok(points.all_parts(&params.project, &params.instance)?)
        })
        .map_err(|error| of_control(context, &error))?;
    for parts in all.chunk_by(|one, next| one.server_id == next.server_id) {
        for run in ripe(parts, control.now()) {
            if context.cancelled() {
                return Err(StepError::Cancelled);
            }
            put_together(control, context, &repository, run)?;
        }
    }
    Ok(Value::Null)
}

fn put_together(
    control: &Control,
    context: &StepContext<'_>,
    repository: &Repository,
    run: &[DdmLogPartRow],
) -> Result<(), StepError> {
    let (Some(first), Some(last)) = (run.first(), run.last()) else {
        return Ok(());
    };
    let said = |part: &DdmLogPartRow| said_of(context, repository, part);
    let said = together(run, &said(first)?, &said(last)?);
    let progress = Progress::default();
    let mut options = SaveOptions::new(&progress, control.shared_entropy());
    options.labels = said.labels();
    let mut bytes = Pieces::new(repository, run);
    let saved = watch(
        context,
        &progress,
        || false,
        || {
            let input = only_file(pieces::FILE, &mut bytes);
            save_input(repository, input, control.time(), &options)
        },
    );
    // What could not be read is why the save ended.
    match bytes.failed {
        Some(Unread::Engine(error)) => return Err(of_engine(context, &error)),
        Some(Unread::Other(why)) => return Err(fail(Reason::DataDamaged, why)),
        None => {}
    }
    let manifest = saved.map_err(|error| of_engine(context, &error))?.manifest;
    let manifest = manifest.to_string();
    let exchanged = control
        .write(|tx| exchange(tx, run, &said, &manifest))
        .map_err(|error| of_control(context, &error))?;
    if !exchanged {
        return forget_manifest(control, context, repository, &manifest);
    }
    for part in run {
        forget_manifest(control, context, repository, &part.manifest_id)?;
    }
    Ok(())
}

fn said_of(
    context: &StepContext<'_>,
    repository: &Repository,
    part: &DdmLogPartRow,
) -> Result<Said, StepError> {
    let id = part.manifest_id.parse();
    let id = id.map_err(|_| fail(Reason::Internal, "a piece of a log names no manifest"))?;
    let manifest = repository
        .manifest(&id)
        .map_err(|error| of_engine(context, &error))?;
    Said::of(&manifest).ok_or_else(|| {
        let why = format!("manifest {id} does not say which piece of a log it holds");
        fail(Reason::DataDamaged, why)
    })
}

/// The bytes of pieces, one behind the other; each is small.
struct Pieces<'a> {
    repository: &'a Repository,
    left: std::slice::Iter<'a, DdmLogPartRow>,
    piece: io::Cursor<Vec<u8>>,
    failed: Option<Unread>,
}

/// Why a piece could not be read.
enum Unread {
    Engine(EngineError),
    Other(String),
}

impl<'a> Pieces<'a> {
    fn new(repository: &'a Repository, run: &'a [DdmLogPartRow]) -> Self {
        Self {
            repository,
            left: run.iter(),
            piece: io::Cursor::default(),
            failed: None,
        }
    }

    fn load(&self, part: &DdmLogPartRow) -> Result<Vec<u8>, Unread> {
        let name = &part.manifest_id;
        let id = name.parse();
        let id = id.map_err(|_| Unread::Other(format!("{name} is no manifest's name")))?;
        let path = TreePath::parse(pieces::FILE.as_bytes()).expect("a legal path");
        let (mut bytes, progress) = (Vec::new(), Progress::default());
        let read = cat(
            self.repository,
            &id,
            &path,
            0..u64::MAX,
            &mut bytes,
            &progress,
        );
        let length = read.map_err(Unread::Engine)?;
        if length != part.to_offset - part.from_offset {
            let why = format!("manifest {name} holds {length} bytes of {}", part.file);
            return Err(Unread::Other(why));
        }
        Ok(bytes)
    }
}

impl Read for Pieces<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.piece.read(out)?;
            if count > 0 || out.is_empty() {
                return Ok(count);
            }
            let Some(part) = self.left.next() else {
                return Ok(0);
            };
            match self.load(part) {
                Ok(bytes) => self.piece = io::Cursor::new(bytes),
                Err(unread) => {
                    self.failed = Some(unread);
                    return Err(io::Error::other("a piece of a log cannot be read"));
                }
            }
        }
    }
}

/// Names the new piece instead of the old ones; `false` if they are not what they were, or if a
/// recovery reads them.
fn exchange(tx: &Tx<'_>, run: &[DdmLogPartRow], said: &Said, manifest: &str) -> Result<bool> {
    let points = tx.ddm_points();
    let Some(first) = run.first() else {
        return Ok(false);
    };
    if recovery::is_under_way(tx, first.instance_id)? {
        return Ok(false);
    }
    let project = first.project_id;
    let now: BTreeMap<_, _> = points
        .parts(&project, &said.server)?
        .into_iter()
        .map(|part| (part.seq, part))
        .collect();
    let mut row = said.row(project, manifest.to_owned());
    for part in run {
        match now.get(&part.seq) {
            Some(there) if there.manifest_id == part.manifest_id => {
                row.until_second = row.until_second.max(there.until_second);
            }
            _ => return Ok(false),
        }
    }
    for part in run {
        points.remove_part(&project, &said.server, (part.seq, &part.manifest_id))?;
    }
    points.insert_part(&row)?;
    Ok(true)
}

/// Forgets what a crash left and the pieces that the catalog names hold too.
pub(super) fn forget_superfluous(
    control: &Control,
    context: &StepContext<'_>,
    repository: &Repository,
    params: &DdmLogs,
) -> Result<(), StepError> {
    let mut of_server: BTreeMap<String, Vec<DdmLogPartRow>> = BTreeMap::new();
    let all = repository
        .manifests()
        .map_err(|error| of_engine(context, &error))?;
    for id in all {
        let Ok(manifest) = repository.manifest(&id) else {
            continue;
        };
        let Some(said) = Said::of(&manifest) else {
            continue;
        };
        if said.instance != params.instance {
            continue;
        }
        if !of_server.contains_key(&said.server) {
            let parts = parts_of(control, params.project, &said.server)
                .map_err(|error| of_control(context, &error))?;
            of_server.insert(said.server.clone(), parts);
        }
        let parts = of_server.get(&said.server).map_or(&[][..], Vec::as_slice);
        let text = id.to_string();
        let named = parts.iter().any(|part| part.manifest_id == text);
        if !named && is_superfluous(&said, parts) {
            forget_manifest(control, context, repository, &text)?;
        }
    }
    Ok(())
}

fn parts_of(control: &Control, project: ProjectId, server: &str) -> Result<Vec<DdmLogPartRow>> {
    control.read(|tx| Ok(tx.ddm_points().parts(&project, server)?))
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of all hooks")]
fn finished(_: &Control, _: &Tx<'_>, job: &Job, ending: &Ending) -> Result<(), HookError> {
    if let Ending::Failed(failure) = ending {
        let why = &failure.message;
        tracing::error!(job = %job.id, why, "pieces of a log could not be put together");
    }
    Ok(())
}
