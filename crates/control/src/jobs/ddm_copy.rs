//! Copies the files of a data node: streamed, stored, read back, tied to the log that follows it.
//!
//! The log is followed before and after: if it is one run, and the place that the copy names is in
//! it, the copy can be rolled forward from the server's second behind it. Otherwise it is a copy
//! all the same, and no point in time.

use std::{
    io,
    sync::{Mutex, PoisonError},
};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use strongroom_catalog::{DdmLogRow, DdmNodeBackupRow, Tx};
use strongroom_engine::{Manifest, Repository};
use strongroom_jobs::{Ending, Job, JobType, Step, StepContext, StepError, error::HookError};
use strongroom_model::{
    Bytes, DataNodeId, DdmBackupId, DdmInstanceId, ProjectId, Timestamp, state::DdmBackupStatus,
};
use strongroom_source::ddm::{
    DataNode,
    node::{self, Physical, Taken, stream::Watcher},
};

use super::{
    ddm_backup::{of_database, read_file},
    depot::{forget_manifest, labelled, make_depot, open_depot, store_stream},
    failure::{self, of_control},
    params::DdmCopy,
};
use crate::{
    Control, Error, Reason, Result,
    ddm::{archive::Server, reach::of_source, tasks},
    pipe::PipeWriter,
};

/// The label of a manifest by which its copy finds it again.
pub(super) const LABEL: &str = "ddm-copy";
/// The label that says what the copy's row says.
const ROW_LABEL: &str = "ddm-copy-row";
/// The name of the stream in its manifest.
pub(super) const FILE: &str = "files.mbstream";

/// The job.
pub(super) const JOB: JobType<Control> = JobType {
    name: super::DDM_COPY,
    steps: &[Step::new("save", save).undo(forget).attempts(5)],
    finished: Some(finished),
};

/// What was kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Kept {
    manifest: String,
    bytes: u64,
    shown: Shown,
}

/// Which place in the server's log a copy shows.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Shown {
    /// The run of the log that follows it, and when that began.
    pub(super) run: Option<(u64, i64)>,
    pub(super) place: Option<(String, u64)>,
    pub(super) gtid: Option<String>,
    pub(super) lsn: Option<String>,
    pub(super) from_second: i64,
}

impl Shown {
    /// Says it in the copy's row.
    pub(super) fn tell(self, row: &mut DdmNodeBackupRow) {
        row.epoch = self.run.map(|(epoch, _)| epoch);
        (row.log_file, row.log_offset) = self.place.unzip();
        (row.gtid, row.lsn) = (self.gtid, self.lsn);
        row.from_second = Some(self.from_second);
    }
}

/// What a manifest says of its copy's row.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Said {
    pub(super) id: DdmBackupId,
    pub(super) instance: DdmInstanceId,
    pub(super) node: DataNodeId,
    pub(super) node_name: String,
    pub(super) created_at: Timestamp,
    pub(super) shown: Shown,
}

impl Said {
    /// What a manifest says; `None` if it is no copy's.
    pub(super) fn of(manifest: &Manifest) -> Option<Self> {
        let text = manifest.body.labels.get(ROW_LABEL)?;
        serde_json::from_str(text).ok()
    }
}

fn save(control: &Control, context: &StepContext<'_>) -> Result<Value, StepError> {
    let params: DdmCopy = context.params()?;
    let in_way = |error: &Error| of_database(context, error);
    let repository = make_depot(control, context, params.project)?;
    // A first start can have left it behind; one that does not say what it shows is of no use.
    if context.attempt() > 1 {
        let label = params.copy.to_string();
        for manifest in labelled(context, &repository, (LABEL, &label))? {
            if let Some(said) = Said::of(&manifest) {
                let name = manifest.id.to_string();
                let read = read_back(&repository, &name).map_err(|error| in_way(&error));
                let bytes = manifest.body.logical_bytes;
                return read.map(|()| kept(name, bytes, said.shown));
            }
        }
        forget(control, context)?;
    }
    let (node, physical, server) = reach(control, &params).map_err(|error| in_way(&error))?;
    let before = control
        .follow_log(&server)
        .map_err(|error| of_control(context, &error))?;
    let shown = Mutex::new(None);
    let scratch = control.scratch().join(format!("copy-{}", params.copy));
    let bring = |writer: &mut PipeWriter| {
        let taken = node::back_up(&node.name, &node.address, &physical, &scratch, writer)?;
        let bytes = taken.bytes;
        // Before the end of the stream, so that the manifest can say it.
        let seen = show(control, &params, &server, &before, taken);
        let seen = seen.map(|shown| (said(control, &params, &node, &shown), shown));
        *shown.lock().unwrap_or_else(PoisonError::into_inner) = Some(seen);
        Ok(bytes)
    };
    let labels = || {
        let id = (LABEL.to_owned(), params.copy.to_string());
        let shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
        let row = match &*shown {
            Some(Ok((Ok(said), _))) => Some((ROW_LABEL.to_owned(), json!(said).to_string())),
            _ => None,
        };
        std::iter::once(id).chain(row).collect()
    };
    let (bytes, manifest) = store_stream((control, context), &repository, FILE, labels, bring)?
        .map_err(|error| in_way(&of_source(error)))?;
    let manifest = manifest.to_string();
    let shown = shown.into_inner().unwrap_or_else(PoisonError::into_inner);
    let (said, shown) = shown
        .unwrap_or_else(|| Err(Error::bug("a copy shows nothing", manifest.clone())))
        .map_err(|error| in_way(&error))?;
    said.map_err(|error| of_control(context, &error))?;
    read_back(&repository, &manifest).map_err(|error| in_way(&error))?;
    Ok(kept(manifest, bytes, shown))
}

fn kept(manifest: String, bytes: u64, shown: Shown) -> Value {
    json!(Kept {
        manifest,
        bytes,
        shown,
    })
}

fn said(control: &Control, params: &DdmCopy, node: &DataNode, shown: &Shown) -> Result<Said> {
    let row = control.read(|tx| Ok(tx.ddm_points().copy(&params.project, &params.copy)?))?;
    let row = row.ok_or_else(|| Error::not_found(Reason::NoSuchBackup, params.copy))?;
    Ok(Said {
        id: params.copy,
        instance: params.instance,
        node: params.node,
        node_name: node.name.clone(),
        created_at: row.created_at,
        shown: shown.clone(),
    })
}

/// Ties a copy to the log that follows it.
fn show(
    control: &Control,
    params: &DdmCopy,
    server: &Server,
    before: &DdmLogRow,
    taken: Taken,
) -> Result<Shown> {
    let from_second = second_behind(control, server)?;
    let after = control.follow_log(server)?;
    Ok(Shown {
        run: run_of(control, params, &taken, (before, &after))?,
        place: taken.place,
        gtid: taken.gtid,
        lsn: taken.lsn,
        from_second,
    })
}

fn reach(control: &Control, params: &DdmCopy) -> Result<(DataNode, Physical, Server)> {
    let reached = control.reach(params.project, params.instance)?;
    let rows = reached.node_rows.iter();
    let row = rows.into_iter().find(|row| row.id == params.node);
    let row = row.ok_or_else(|| Error::not_found(Reason::NoSuchDataNode, params.node))?;
    let Some(physical) = control.physical(row)? else {
        let why = format!("the files of data node {} are not copied", row.name);
        return Err(Error::conflict(Reason::InstanceUnfit, why));
    };
    let node = control.node(row)?;
    let server = Server {
        project: params.project,
        instance: params.instance,
        id: node.id.to_string(),
        name: format!("data node {}", node.name),
        address: node.address.clone(),
    };
    Ok((node, physical, server))
}

/// Reads the stream as it is stored, to its end.
fn read_back(repository: &Repository, manifest: &str) -> Result<()> {
    read_file(repository, manifest, FILE, |stored| {
        let mut nowhere = io::sink();
        let mut watcher = Watcher::new(&mut nowhere);
        io::copy(stored, &mut watcher)?;
        watcher.finish().map(drop)
    })
}

/// The server's clock now; ours if it keeps no log, for then nothing hangs on it.
fn second_behind(control: &Control, server: &Server) -> Result<i64> {
    let asked = node::survey(&server.name, &server.address).map_err(of_source)?;
    Ok(asked.map_or(control.now().as_seconds(), |survey| survey.second))
}

/// The run of the log that follows the copy.
fn run_of(
    control: &Control,
    params: &DdmCopy,
    taken: &Taken,
    (before, after): (&DdmLogRow, &DdmLogRow),
) -> Result<Option<(u64, i64)>> {
    let Some((file, offset)) = &taken.place else {
        return Ok(None);
    };
    if before.epoch != after.epoch || after.problem.is_some() || before.problem.is_some() {
        return Ok(None);
    }
    let server = params.node.to_string();
    let parts = control.read(|tx| Ok(tx.ddm_points().parts(&params.project, &server)?))?;
    let there = parts.iter().any(|part| {
        part.epoch == after.epoch
            && part.file == *file
            && (part.from_offset..=part.to_offset).contains(offset)
    });
    Ok(there.then_some((after.epoch, after.from_second)))
}

/// Takes a save back: what it left, if anything, counts no more.
fn forget(control: &Control, context: &StepContext<'_>) -> Result<(), StepError> {
    let params: DdmCopy = context.params()?;
    let _left = std::fs::remove_dir_all(control.scratch().join(format!("copy-{}", params.copy)));
    let Some(repository) = open_depot(control, context, params.project)? else {
        return Ok(());
    };
    let label = params.copy.to_string();
    for manifest in labelled(context, &repository, (LABEL, &label))? {
        forget_manifest(control, context, &repository, &manifest.id.to_string())?;
    }
    Ok(())
}

fn finished(control: &Control, tx: &Tx<'_>, job: &Job, ending: &Ending) -> Result<(), HookError> {
    end(control, tx, job, ending).map_err(failure::hook)
}

fn end(control: &Control, tx: &Tx<'_>, job: &Job, ending: &Ending) -> Result<()> {
    let params: DdmCopy = super::of_job(&job.params)?;
    let failure = tasks::ended(control, tx, params.project, job, ending)?;
    let kept = match failure {
        None => Some(super::output_of::<Kept>(job, "save")?),
        Some(_) => None,
    };
    let now = control.now();
    tx.ddm_points()
        .change_copy(&params.project, &params.copy, |row| {
            row.updated_at = now;
            row.fail_reason = failure;
            let Some(kept) = kept else {
                row.status = DdmBackupStatus::Failed;
                return;
            };
            row.status = DdmBackupStatus::Normal;
            row.manifest_id = Some(kept.manifest);
            row.file_bytes = Bytes(kept.bytes);
            kept.shown.tell(row);
        })?;
    Ok(())
}

/// The manifest of a good copy.
pub(super) fn manifest_of(
    control: &Control,
    project: ProjectId,
    copy: DdmBackupId,
) -> Result<DdmNodeBackupRow> {
    let row = control.read(|tx| Ok(tx.ddm_points().copy(&project, &copy)?))?;
    row.filter(|row| row.status == DdmBackupStatus::Normal)
        .ok_or_else(|| Error::not_found(Reason::NoSuchBackup, copy))
}
