//! Writes metadata back to a sharding layer: everything to an empty one, or exported schemas.
//!
//! The first step proves that what is written is not there yet, and which server takes whose
//! place. After that, whatever the metadata name was made by this job: a second start removes it
//! and begins anew, and the undo removes it.

use serde_json::Value;
use strongroom_catalog::Tx;
use strongroom_jobs::{Ending, Job, JobType, Step, StepContext, StepError, error::HookError};
use strongroom_model::{DdmInstanceId, ProjectId, state::DdmInstanceStatus};
use strongroom_source::ddm::{Document, Places, Topology};

use super::{
    ddm_backup::{of_database, read},
    failure,
    params::{DdmRestore, DdmSource},
};
use crate::{
    Control, Error, Reason, Result,
    ddm::{
        backups::good,
        reach::{Reached, of_source},
        restores, schemas, tasks,
    },
};

/// The job.
pub(super) const JOB: JobType<Control> = JobType {
    name: super::DDM_RESTORE,
    steps: &[
        Step::new("check", check),
        Step::new("write", write).undo(withdraw).attempts(10),
    ],
    finished: Some(finished),
};

/// A layer, what is written to it, and where its shards are.
pub(super) type Opened = (Reached, Document, Places);

fn open(control: &Control, params: &DdmRestore) -> Result<Opened> {
    let document = match &params.source {
        DdmSource::Export(text) => control.unpack(text)?,
        DdmSource::Backup(id) => {
            let row = control.read(|tx| good(tx, params.project, *id))?;
            let repository = control.depot(params.project)?.open()?;
            let (Some(repository), Some(manifest)) = (repository, row.manifest_id) else {
                return Err(Error::not_found(Reason::NoSuchBackup, id));
            };
            read(&repository, &manifest, Document::read)?
        }
    };
    let reached = control.reach(params.project, params.target)?;
    let nodes = reached.nodes_of(&params.nodes)?;
    let places = Places::find(&document, &nodes).map_err(of_source)?;
    Ok((reached, document, places))
}

fn check(control: &Control, context: &StepContext<'_>) -> Result<Value, StepError> {
    let params: DdmRestore = context.params()?;
    let checked =
        open(control, &params).and_then(|(mut reached, document, _)| match &params.source {
            DdmSource::Backup(_) => restores::must_be_empty(&mut reached),
            DdmSource::Export(_) => schemas::must_be_new(&mut reached, &document),
        });
    checked.map_err(|error| of_database(context, &error))?;
    Ok(Value::Null)
}

fn write(control: &Control, context: &StepContext<'_>) -> Result<Value, StepError> {
    let params: DdmRestore = context.params()?;
    write_to(control, context, open(control, &params))
}

/// Writes the metadata to the layer.
pub(super) fn write_to(
    control: &Control,
    context: &StepContext<'_>,
    opened: Result<Opened>,
) -> Result<Value, StepError> {
    let written = opened.and_then(|(mut reached, document, places)| {
        let restored = reached.layer.restore(&document, &places);
        restored.map_err(of_source)?;
        let topology = Topology::of(&document, &places).map_err(of_source)?;
        control.keep_topology(&reached, &topology)
    });
    written.map_err(|error| of_database(context, &error))?;
    Ok(Value::Null)
}

fn withdraw(control: &Control, context: &StepContext<'_>) -> Result<(), StepError> {
    let params: DdmRestore = context.params()?;
    withdraw_from(control, context, open(control, &params))
}

/// Removes what the metadata name from the layer.
pub(super) fn withdraw_from(
    control: &Control,
    context: &StepContext<'_>,
    opened: Result<Opened>,
) -> Result<(), StepError> {
    let withdrawn = opened.and_then(|(mut reached, document, _)| {
        reached.layer.withdraw(&document).map_err(of_source)?;
        match reached.topology.take() {
            Some(topology) => {
                let bare = topology.bare();
                reached.topology = Some(bare.clone());
                control.keep_topology(&reached, &bare)
            }
            None => Ok(()),
        }
    });
    withdrawn.map_err(|error| of_database(context, &error))
}

fn finished(control: &Control, tx: &Tx<'_>, job: &Job, ending: &Ending) -> Result<(), HookError> {
    end(control, tx, job, ending).map_err(failure::hook)
}

fn end(control: &Control, tx: &Tx<'_>, job: &Job, ending: &Ending) -> Result<()> {
    let params: DdmRestore = super::of_job(&job.params)?;
    tasks::ended(control, tx, params.project, job, ending)?;
    release(control, tx, params.project, params.target)
}

/// Ends the time in which a layer is being restored.
pub(super) fn release(
    control: &Control,
    tx: &Tx<'_>,
    project: ProjectId,
    target: DdmInstanceId,
) -> Result<()> {
    let now = control.now();
    tx.ddm_instances().change(&project, &target, |row| {
        if row.status == DdmInstanceStatus::Restoring {
            row.status = DdmInstanceStatus::Running;
        }
        row.updated_at = now;
    })?;
    Ok(())
}
