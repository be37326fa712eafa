//! Lets go of copies and pieces of logs that no point in time needs any more.
//!
//! Points in time reach back as many days as backups are kept. For the first of these days the
//! newest copy before it is needed, and the log from that copy on; what is older goes. Of a layer
//! that was taken off the list all goes together, as many days later. What goes is chosen once,
//! from the catalog and a clock that is believed, and written down with the job: whoever goes on
//! after a crash forgets just that. While a recovery reads, nothing goes.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use strongroom_catalog::{DdmInstanceRow, Tx};
use strongroom_jobs::{Ending, Job, JobType, Step, StepContext, StepError, error::HookError};
use strongroom_model::{DdmBackupId, state::DdmBackupStatus};

use super::{
    ddm_merge::forget_superfluous,
    depot::{self, forget_manifest, open_depot},
    failure::{self, of_control},
    params::DdmLogs,
};
use crate::{
    Control, Result,
    ddm::{recovery, tasks},
    schedule::Ledger,
};

/// The job.
pub(super) const JOB: JobType<Control> = JobType {
    name: super::DDM_TRIM,
    steps: &[
        Step::new("choose", choose),
        Step::new("forget", forget).attempts(10),
        Step::new("free", free).attempts(10),
    ],
    finished: Some(finished),
};

/// What goes.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Gone {
    copies: Vec<(DdmBackupId, Option<String>)>,
    parts: Vec<(String, u64, String)>,
    /// Nothing of the layer's points in time is left.
    all: bool,
}

fn choose(control: &Control, context: &StepContext<'_>) -> Result<Value, StepError> {
    let params: DdmLogs = context.params()?;
    let gone = control
        .read(|tx| unneeded(control, tx, &params))
        .map_err(|error| of_control(context, &error))?;
    Ok(json!(gone))
}

fn forget(control: &Control, context: &StepContext<'_>) -> Result<Value, StepError> {
    let params: DdmLogs = context.params()?;
    let gone: Gone = context.output("choose")?.unwrap_or_default();
    let project = params.project;
    let Some(repository) = open_depot(control, context, project)? else {
        return Ok(Value::Null);
    };
    // The row goes first: a piece whose data are gone must not be counted on. A recovery that was
    // ordered meanwhile counts on what is left; the next trim goes on.
    let let_go = |remove: &dyn Fn(&Tx<'_>) -> Result<()>| {
        let gone = control.write(|tx| {
            let free = !recovery::is_under_way(tx, params.instance)?;
            if free {
                remove(tx)?;
            }
            Ok(free)
        });
        gone.map_err(|error| of_control(context, &error))
    };
    for (id, manifest) in gone.copies {
        if !let_go(&|tx| Ok(tx.ddm_points().remove_copy(&project, &id).map(drop)?))? {
            return Ok(Value::Null);
        }
        if let Some(manifest) = manifest {
            forget_manifest(control, context, &repository, &manifest)?;
        }
    }
    for (server, seq, manifest) in gone.parts {
        let remove = |tx: &Tx<'_>| {
            let removed = tx
                .ddm_points()
                .remove_part(&project, &server, (seq, &manifest));
            Ok(removed.map(drop)?)
        };
        if !let_go(&remove)? {
            return Ok(Value::Null);
        }
        forget_manifest(control, context, &repository, &manifest)?;
    }
    if gone.all {
        let_go(&|tx| {
            let removed = tx.ddm_points().remove_logs(&project, &params.instance);
            Ok(removed.map(drop)?)
        })?;
    }
    forget_superfluous(control, context, &repository, &params)?;
    Ok(Value::Null)
}

/// What no second of the days that are kept needs.
fn unneeded(control: &Control, tx: &Tx<'_>, params: &DdmLogs) -> Result<Gone> {
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
    if let Some(removed) = row.removed_at {
        return if removed.as_seconds() <= horizon {
            everything(tx, &row)
        } else {
            Ok(gone)
        };
    }
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
        let mut parts = tx.ddm_points().parts(&project, &server)?;
        parts.retain(|part| part.instance_id == instance);
        let last = parts.last().map(|part| part.seq);
        // A file goes whole, so that what is left of it can be put together.
        for file in
            parts.chunk_by(|one, other| (one.epoch, &one.file) == (other.epoch, &other.file))
        {
            let old = file
                .iter()
                .all(|part| part.until_second < second.saturating_sub(1));
            for part in file.iter().filter(|part| old && Some(part.seq) != last) {
                gone.parts
                    .push((server.clone(), part.seq, part.manifest_id.clone()));
            }
        }
    }
    Ok(gone)
}

/// All that is left of a layer's points in time.
fn everything(tx: &Tx<'_>, row: &DdmInstanceRow) -> Result<Gone> {
    let points = tx.ddm_points();
    let copies = points.copies(&row.project_id, &row.id)?.into_iter();
    let parts = points.all_parts(&row.project_id, &row.id)?.into_iter();
    Ok(Gone {
        copies: copies.map(|copy| (copy.id, copy.manifest_id)).collect(),
        parts: parts
            .map(|part| (part.server_id, part.seq, part.manifest_id))
            .collect(),
        all: true,
    })
}

fn free(control: &Control, context: &StepContext<'_>) -> Result<Value, StepError> {
    let params: DdmLogs = context.params()?;
    depot::free(control, context, params.project)
}

fn finished(control: &Control, tx: &Tx<'_>, job: &Job, ending: &Ending) -> Result<(), HookError> {
    let params: DdmLogs = super::of_job(&job.params).map_err(failure::hook)?;
    let ended = tasks::ended(control, tx, params.project, job, ending);
    ended.map(drop).map_err(failure::hook)
}
