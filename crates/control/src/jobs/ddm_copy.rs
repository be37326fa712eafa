//! Copies the files of a data node: streamed, stored, read back, tied to the log that follows it.
//!
//! The log is followed before and after: if it is one run, and the place that the copy names is in
//! it, the copy can be rolled forward from the server's second behind it. Otherwise it is a copy
//! all the same, and no point in time.

use std::{collections::BTreeMap, io};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use strongroom_catalog::{DdmLogRow, Tx};
use strongroom_engine::Repository;
use strongroom_jobs::{Ending, Job, JobType, Step, StepContext, StepError, error::HookError};
use strongroom_model::{Bytes, state::DdmBackupStatus};
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
    epoch: Option<u64>,
    place: Option<(String, u64)>,
    gtid: Option<String>,
    lsn: Option<String>,
    from_second: i64,
}

fn save(control: &Control, context: &StepContext<'_>) -> Result<Value, StepError> {
    let params: DdmCopy = context.params()?;
    let in_way = |error: &Error| of_database(context, error);
    // What an earlier attempt left says nothing of the place in the log that it shows.
    if context.attempt() > 1 {
        forget(control, context)?;
    }
    let (node, physical, server) = reach(control, &params).map_err(|error| in_way(&error))?;
    let repository = make_depot(control, context, params.project)?;
    let before = control
        .follow_log(&server)
        .map_err(|error| of_control(context, &error))?;
    let (manifest, taken) = stream(control, context, &repository, (&node, &physical))?;
    read_back(&repository, &manifest).map_err(|error| in_way(&error))?;
    let second = second_behind(control, &server).map_err(|error| in_way(&error))?;
    let after = control
        .follow_log(&server)
        .map_err(|error| of_control(context, &error))?;
    let epoch = run_of(control, &params, &taken, (&before, &after))
        .map_err(|error| of_control(context, &error))?;
    Ok(json!(Kept {
        manifest,
        bytes: taken.bytes,
        epoch,
        place: taken.place,
        gtid: taken.gtid,
        lsn: taken.lsn,
        from_second: second,
    }))
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

/// Copies the files into the repository.
fn stream(
    control: &Control,
    context: &StepContext<'_>,
    repository: &Repository,
    (node, physical): (&DataNode, &Physical),
) -> Result<(String, Taken), StepError> {
    let params: DdmCopy = context.params()?;
    let labels = BTreeMap::from([(LABEL.to_owned(), params.copy.to_string())]);
    let scratch = control.scratch().join(format!("copy-{}", params.copy));
    let bring = |writer: &mut PipeWriter| {
        node::back_up(&node.name, &node.address, physical, &scratch, writer)
    };
    let (taken, manifest) = store_stream((control, context), repository, FILE, labels, bring)?
        .map_err(|error| of_database(context, &of_source(error)))?;
    Ok((manifest.to_string(), taken))
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
) -> Result<Option<u64>> {
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
    Ok(there.then_some(after.epoch))
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
            row.epoch = kept.epoch;
            let (file, offset) = kept.place.unzip();
            (row.log_file, row.log_offset) = (file, offset);
            (row.gtid, row.lsn) = (kept.gtid, kept.lsn);
            row.from_second = Some(kept.from_second);
        })?;
    Ok(())
}

/// The manifest of a good copy.
pub(super) fn manifest_of(
    control: &Control,
    project: strongroom_model::ProjectId,
    copy: strongroom_model::DdmBackupId,
) -> Result<strongroom_catalog::DdmNodeBackupRow> {
    let row = control.read(|tx| Ok(tx.ddm_points().copy(&project, &copy)?))?;
    row.filter(|row| row.status == DdmBackupStatus::Normal)
        .ok_or_else(|| Error::not_found(Reason::NoSuchBackup, copy))
}
