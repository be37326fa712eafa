//! Brings data nodes and metadata to a point in time, on empty servers.
//!
//! Each data node's copy is unpacked on this machine, a server of our own is started on it and does
//! again what the log holds up to the instant; then its databases are carried into the empty server
//! that takes its place, and compared there. When all are there, the metadata are written.
//!
//! The first step proves that the targets are empty. After that, whatever databases they have were
//! made by this job: a second start removes them and begins anew, and the undo removes them.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufReader},
    path::Path,
};

use serde_json::Value;
use strongroom_catalog::{DdmLogPartRow, DdmNodeBackupRow, Tx};
use strongroom_engine::Repository;
use strongroom_jobs::{Ending, Job, JobType, Step, StepContext, StepError, error::HookError};
use strongroom_source::ddm::{
    self as source, DataNode, Document, Places,
    node::{
        self, Private,
        log::{Go, walk},
    },
};

use super::{
    ddm_backup::{of_database, read, read_file},
    ddm_copy::{self, manifest_of},
    ddm_restore::{Opened, release, withdraw_from, write_to},
    failure::{self, of_control},
    params::{DdmRecover, DdmRelation},
};
use crate::{
    Control, Error, Reason, Result,
    ddm::{
        backups::good,
        pieces,
        reach::{Reached, of_source},
        recovery, restores, tasks,
    },
};

/// The job.
pub(super) const JOB: JobType<Control> = JobType {
    name: super::DDM_RECOVER,
    steps: &[
        Step::new("check", check),
        Step::new("data", data).undo(clear).attempts(10),
        Step::new("metadata", metadata).undo(withdraw).attempts(10),
    ],
    finished: Some(finished),
};

fn check(control: &Control, context: &StepContext<'_>) -> Result<Value, StepError> {
    let params: DdmRecover = context.params()?;
    let checked = control
        .reach(params.project, params.target)
        .and_then(|mut reached| {
            restores::must_be_empty(&mut reached)?;
            for node in targets(&reached, &params)? {
                recovery::must_be_empty(&node)?;
            }
            node::programs().map_err(of_source)
        });
    checked.map_err(|error| of_database(context, &error))?;
    Ok(Value::Null)
}

/// The target's data nodes, in the order of the relations.
fn targets(reached: &Reached, params: &DdmRecover) -> Result<Vec<DataNode>> {
    let ids: Vec<_> = params.nodes.iter().map(|node| node.target).collect();
    reached.nodes_of(&ids)
}

fn folder(control: &Control, params: &DdmRecover) -> std::path::PathBuf {
    control.scratch().join(format!("recover-{}", params.target))
}

fn data(control: &Control, context: &StepContext<'_>) -> Result<Value, StepError> {
    let params: DdmRecover = context.params()?;
    let in_way = |error: &Error| of_database(context, error);
    let repository = depot(control, &params).map_err(|error| of_control(context, &error))?;
    let reached = control
        .reach(params.project, params.target)
        .map_err(|error| in_way(&error))?;
    let targets = targets(&reached, &params).map_err(|error| in_way(&error))?;
    let count = params.nodes.len().max(1);
    for (place, (relation, target)) in params.nodes.iter().zip(&targets).enumerate() {
        // Nothing may be left of an earlier start.
        empty(target).map_err(|error| in_way(&error))?;
        if context.cancelled() {
            return Err(StepError::Cancelled);
        }
        rebuild(control, &repository, &params, (relation, target))
            .map_err(|error| in_way(&error))?;
        let percent = (place + 1) * 90 / count;
        context.progress(u8::try_from(percent).unwrap_or(90));
    }
    remove(control, &params).map_err(|error| in_way(&error))?;
    Ok(Value::Null)
}

fn depot(control: &Control, params: &DdmRecover) -> Result<Repository> {
    let opened = control.depot(params.project)?.open()?;
    opened.ok_or_else(|| Error::not_found(Reason::NoSuchBackup, params.metadata))
}

fn empty(target: &DataNode) -> Result<()> {
    let name = format!("data node {}", target.name);
    source::drop_databases(&name, &target.address).map_err(of_source)
}

fn remove(control: &Control, params: &DdmRecover) -> Result<()> {
    match fs::remove_dir_all(folder(control, params)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::unavailable("the service's scratch folder", error))
        }
        _ => Ok(()),
    }
}

/// Brings one data node to the instant, and into its target.
fn rebuild(
    control: &Control,
    repository: &Repository,
    params: &DdmRecover,
    (relation, target): (&DdmRelation, &DataNode),
) -> Result<()> {
    let copy = manifest_of(control, params.project, relation.copy)?;
    let Some(manifest) = &copy.manifest_id else {
        return Err(Error::not_found(Reason::NoSuchBackup, relation.copy));
    };
    let name = format!("data node {}", copy.node_name);
    let work = folder(control, params);
    fs::create_dir_all(&work)
        .map_err(|error| Error::unavailable("the service's scratch folder", error))?;
    let files = work.join(relation.target.to_string());
    read_file(repository, manifest, ddm_copy::FILE, |mut stored| {
        node::extract(&name, &files, &mut stored)
    })?;
    node::prepare(&name, &files).map_err(of_source)?;
    let password = hex::encode(strongroom_model::entropy::random::<16>(control.entropy()));
    let private = Private::start(&name, &files, &password).map_err(of_source)?;
    roll(control, repository, params, &copy, &private, &work)?;
    private
        .carry(&target.name, &target.address)
        .map_err(of_source)?;
    drop(private);
    fs::remove_dir_all(&files)
        .map_err(|error| Error::unavailable("the service's scratch folder", error))
}

/// Does again what the log holds between the copy and the instant.
fn roll(
    control: &Control,
    repository: &Repository,
    params: &DdmRecover,
    copy: &DdmNodeBackupRow,
    private: &Private,
    work: &Path,
) -> Result<()> {
    let gap = || Error::Conflict {
        reason: Reason::TimeNotRestorable,
        message: format!(
            "the log that follows the copy of {} is gone",
            copy.node_name
        ),
    };
    let (Some(epoch), Some(file), Some(offset)) = (copy.epoch, &copy.log_file, copy.log_offset)
    else {
        return Err(gap());
    };
    let server = copy.node_id.to_string();
    let mut parts = control.read(|tx| Ok(tx.ddm_points().parts(&params.project, &server)?))?;
    parts.retain(|part| part.epoch == epoch);
    let first = parts.iter().position(|part| part.file == *file);
    let parts = parts.split_off(first.ok_or_else(gap)?);
    let mut start = offset;
    for pieces in parts.chunk_by(|one, other| one.file == other.file) {
        let log = work.join("log");
        assemble(repository, pieces, &log)?;
        let cut = cut(&log, start, params.second).map_err(of_source)?;
        if cut > start.max(4) {
            private.replay(&log, start).map_err(of_source)?;
        }
        let end = pieces.last().map_or(0, |last| last.to_offset);
        fs::remove_file(&log)
            .map_err(|error| Error::unavailable("the service's scratch folder", error))?;
        if cut < end {
            return Ok(());
        }
        start = 4;
    }
    Ok(())
}

/// Writes the pieces of one file one behind the other, as the server had it.
fn assemble(repository: &Repository, pieces: &[DdmLogPartRow], log: &Path) -> Result<()> {
    let mut out = File::create(log)
        .map_err(|error| Error::unavailable("the service's scratch folder", error))?;
    let mut at = 0;
    for piece in pieces {
        if piece.from_offset != at {
            let why = format!("{} has a gap at {at}", piece.file);
            return Err(Error::Conflict {
                reason: Reason::DataDamaged,
                message: why,
            });
        }
        at = piece.to_offset;
        read_file(
            repository,
            &piece.manifest_id,
            pieces::FILE,
            |mut stored| {
                io::copy(&mut stored, &mut out)?;
                Ok(())
            },
        )?;
    }
    Ok(())
}

/// Cuts a log before its first group from `start` on that was begun after that second; where.
fn cut(log: &Path, start: u64, second: i64) -> source::Result<u64> {
    let mut file = BufReader::new(File::open(log)?);
    let seen = walk(&mut file, 0, &mut |group| {
        if group.offset >= start && group.second > second {
            Go::Stop
        } else {
            Go::On
        }
    })?;
    let file = OpenOptions::new().write(true).open(log)?;
    file.set_len(seen.end)?;
    Ok(seen.end)
}

/// Takes back what was carried into the targets.
fn clear(control: &Control, context: &StepContext<'_>) -> Result<(), StepError> {
    let params: DdmRecover = context.params()?;
    let cleared = control
        .reach(params.project, params.target)
        .and_then(|reached| targets(&reached, &params)?.iter().try_for_each(empty))
        .and_then(|()| remove(control, &params));
    cleared.map_err(|error| of_database(context, &error))
}

fn open(control: &Control, params: &DdmRecover) -> Result<Opened> {
    let row = control.read(|tx| good(tx, params.project, params.metadata))?;
    let Some(manifest) = row.manifest_id else {
        return Err(Error::not_found(Reason::NoSuchBackup, params.metadata));
    };
    let document = read(&depot(control, params)?, &manifest, Document::read)?;
    let reached = control.reach(params.project, params.target)?;
    let targets = targets(&reached, params)?;
    let sources = params.nodes.iter().map(|node| node.source);
    let given = sources.zip(targets).collect();
    let places = Places::given(&document, given).map_err(of_source)?;
    Ok((reached, document, places))
}

fn metadata(control: &Control, context: &StepContext<'_>) -> Result<Value, StepError> {
    let params: DdmRecover = context.params()?;
    write_to(control, context, open(control, &params))
}

fn withdraw(control: &Control, context: &StepContext<'_>) -> Result<(), StepError> {
    let params: DdmRecover = context.params()?;
    withdraw_from(control, context, open(control, &params))
}

fn finished(control: &Control, tx: &Tx<'_>, job: &Job, ending: &Ending) -> Result<(), HookError> {
    end(control, tx, job, ending).map_err(failure::hook)
}

fn end(control: &Control, tx: &Tx<'_>, job: &Job, ending: &Ending) -> Result<()> {
    let params: DdmRecover = super::of_job(&job.params)?;
    tasks::ended(control, tx, params.project, job, ending)?;
    release(control, tx, params.project, params.target)
}
