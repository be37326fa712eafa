//! Lets go of copies and pieces of logs that no point in time needs any more.
//!
//! Points in time reach back as many days as backups are kept. For the first of these days the
//! newest copy before it is needed, and the log from that copy on; what is older goes. Pieces that
//! a crash left without a row go too. What is needed is worked out anew in the job, from the
//! catalog and a clock that is believed.

use std::collections::BTreeSet;

use serde_json::Value;
use strongroom_catalog::Tx;
use strongroom_engine::Repository;
use strongroom_jobs::{Ending, Job, JobType, Step, StepContext, StepError, error::HookError};
use strongroom_model::state::DdmBackupStatus;

use super::{
    depot::{self, forget_manifest, open_depot},
    failure::{self, of_control, of_engine},
    params::DdmTrim,
};
use crate::{
    Control, Result,
    ddm::{archive, tasks},
    schedule::Ledger,
};

/// The job.
pub(super) const JOB: JobType<Control> = JobType {
    name: super::DDM_TRIM,
    steps: &[
        Step::new("forget", forget).attempts(10),
        Step::new("free", free).attempts(10),
    ],
    finished: Some(finished),
};

/// What goes.
#[derive(Default)]
struct Gone {
    copies: Vec<(strongroom_model::DdmBackupId, Option<String>)>,
    parts: Vec<(String, u64, String)>,
}

fn forget(control: &Control, context: &StepContext<'_>) -> Result<Value, StepError> {
    let params: DdmTrim = context.params()?;
    let refused = |error: &crate::Error| of_control(context, error);
    let Some(repository) = open_depot(control, context, params.project)? else {
        return Ok(Value::Null);
    };
    let gone = control
        .read(|tx| unneeded(control, tx, &params))
        .map_err(|error| refused(&error))?;
    // The row goes first: a piece whose data are gone must not be counted on.
    for (id, manifest) in gone.copies {
        control
            .write(|tx| Ok(tx.ddm_points().remove_copy(&params.project, &id)?))
            .map_err(|error| refused(&error))?;
        if let Some(manifest) = manifest {
            forget_manifest(control, context, &repository, &manifest)?;
        }
    }
    for (server, seq, manifest) in gone.parts {
        control
            .write(|tx| Ok(tx.ddm_points().remove_part(&params.project, &server, seq)?))
            .map_err(|error| refused(&error))?;
        forget_manifest(control, context, &repository, &manifest)?;
    }
    forget_orphans(control, context, &repository, &params)?;
    Ok(Value::Null)
}

/// What no second of the days that are kept needs.
fn unneeded(control: &Control, tx: &Tx<'_>, params: &DdmTrim) -> Result<Gone> {
    let mut gone = Gone::default();
    let now = control.now();
    let Some(believed) = Ledger::read(tx, now)?.believed(now) else {
        return Ok(gone);
    };
    let (project, instance) = (params.project, params.instance);
    let Some(row) = tx.ddm_instances().get(&project, &instance)? else {
        return Ok(gone);
    };
    let horizon = believed.as_seconds() - i64::from(row.keep_days) * 86_400;
    let copies = tx.ddm_points().copies(&project, &instance)?;
    let nodes: BTreeSet<_> = copies.iter().map(|copy| copy.node_id).collect();
    // The layer's log tells of changes since the oldest backup of metadata.
    let mut needed = vec![(instance.to_string(), horizon - 86_400)];
    for node in nodes {
        let of_node = copies.iter().filter(|copy| copy.node_id == node);
        let good = of_node
            .clone()
            .filter(|copy| copy.status == DdmBackupStatus::Normal);
        let before = |second: &i64| *second <= horizon;
        let oldest = good
            .filter_map(|copy| copy.from_second)
            .filter(before)
            .max();
        // Without a copy before the first day everything is needed.
        let oldest = oldest.unwrap_or(i64::MIN);
        needed.push((node.to_string(), oldest));
        for copy in of_node {
            let second = copy.from_second.unwrap_or(copy.created_at.as_seconds());
            let old = match copy.status {
                DdmBackupStatus::Normal => second < oldest,
                DdmBackupStatus::Creating => false,
                _ => second < horizon,
            };
            if old {
                gone.copies.push((copy.id, copy.manifest_id.clone()));
            }
        }
    }
    for (server, second) in needed {
        let parts = tx.ddm_points().parts(&project, &server)?;
        let last = parts.last().map(|part| part.seq);
        // A file goes whole, so that what is left of it can be put together.
        for file in
            parts.chunk_by(|one, other| (one.epoch, &one.file) == (other.epoch, &other.file))
        {
            let old = file.iter().all(|part| part.until_second < second - 1);
            for part in file.iter().filter(|part| old && Some(part.seq) != last) {
                gone.parts
                    .push((server.clone(), part.seq, part.manifest_id.clone()));
            }
        }
    }
    Ok(gone)
}

/// Forgets pieces that a crash left before their row was written. One that is being written now has
/// the number behind the last.
fn forget_orphans(
    control: &Control,
    context: &StepContext<'_>,
    repository: &Repository,
    params: &DdmTrim,
) -> Result<(), StepError> {
    let known = control.read(|tx| {
        let parts = tx
            .ddm_points()
            .all_parts(&params.project, &params.instance)?;
        Ok(parts)
    });
    let known = known.map_err(|error| of_control(context, &error))?;
    let named: BTreeSet<_> = known.iter().map(|part| part.manifest_id.as_str()).collect();
    let all = repository
        .manifests()
        .map_err(|error| of_engine(context, &error))?;
    for id in all {
        let text = id.to_string();
        if named.contains(text.as_str()) {
            continue;
        }
        let Ok(manifest) = repository.manifest(&id) else {
            continue;
        };
        let said = manifest.body.labels.get(archive::LABEL);
        let Some(said) = said.and_then(|said| serde_json::from_str::<Value>(said).ok()) else {
            continue;
        };
        let server = said["server"].as_str().unwrap_or_default();
        let last = known.iter().filter(|part| part.server_id == server);
        let last = last.map(|part| part.seq).max().unwrap_or_default();
        let ours = said["instance"] == params.instance.to_string();
        if ours && said["seq"].as_u64().is_some_and(|seq| seq <= last) {
            forget_manifest(control, context, repository, &text)?;
        }
    }
    Ok(())
}

fn free(control: &Control, context: &StepContext<'_>) -> Result<Value, StepError> {
    let params: DdmTrim = context.params()?;
    depot::free(control, context, params.project)
}

fn finished(control: &Control, tx: &Tx<'_>, job: &Job, ending: &Ending) -> Result<(), HookError> {
    let params: DdmTrim = super::of_job(&job.params).map_err(failure::hook)?;
    let ended = tasks::ended(control, tx, params.project, job, ending);
    ended.map(drop).map_err(failure::hook)
}
