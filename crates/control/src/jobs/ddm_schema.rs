//! Makes or drops a logical schema; before one is dropped there is a good backup of it.
//!
//! Both can be run again: what is there is not made twice, and what is gone is not missed.

use serde_json::Value;
use strongroom_catalog::Tx;
use strongroom_jobs::{Ending, Job, JobType, Step, StepContext, StepError, error::HookError};

use super::{
    ddm_backup::of_database,
    ddm_remove::is_good,
    failure,
    params::{DdmSchema, SchemaDeed},
};
use crate::{
    Control, Result,
    ddm::{reach::of_source, schemas, tasks},
};

/// The job.
pub(super) const JOB: JobType<Control> = JobType {
    name: super::DDM_SCHEMA,
    steps: &[
        Step::new("safety", safety),
        Step::new("change", change).undo(take_back).attempts(10),
    ],
    finished: Some(finished),
};

fn safety(control: &Control, context: &StepContext<'_>) -> Result<Value, StepError> {
    let params: DdmSchema = context.params()?;
    match &params.deed {
        SchemaDeed::Drop { safety, .. } => {
            is_good(control, context, params.project, *safety)?;
        }
        SchemaDeed::Create { .. } => {
            let unused = control
                .reach(params.project, params.instance)
                .and_then(|mut reached| schemas::must_be_unused(&mut reached, &params.schema));
            unused.map_err(|error| of_database(context, &error))?;
        }
    }
    Ok(Value::Null)
}

fn change(control: &Control, context: &StepContext<'_>) -> Result<Value, StepError> {
    let params: DdmSchema = context.params()?;
    let changed = control
        .reach(params.project, params.instance)
        .and_then(|mut reached| match &params.deed {
            SchemaDeed::Create { shards, nodes } => {
                let nodes = reached.nodes_of(nodes)?;
                let made = reached.layer.create_schema(&params.schema, *shards, &nodes);
                made.map_err(of_source)
            }
            SchemaDeed::Drop { data, .. } => {
                let nodes = data.then_some(&*reached.nodes);
                let dropped = reached.layer.drop_schema(&params.schema, nodes);
                dropped.map_err(of_source)
            }
        });
    changed.map_err(|error| of_database(context, &error))?;
    Ok(Value::Null)
}

/// Takes back what was made. What was dropped is in the backup before.
fn take_back(control: &Control, context: &StepContext<'_>) -> Result<(), StepError> {
    let params: DdmSchema = context.params()?;
    if !matches!(params.deed, SchemaDeed::Create { .. }) {
        return Ok(());
    }
    let dropped = control
        .reach(params.project, params.instance)
        .and_then(|mut reached| {
            let nodes = reached.nodes.clone();
            let dropped = reached.layer.drop_schema(&params.schema, Some(&nodes));
            dropped.map_err(of_source)
        });
    dropped.map_err(|error| of_database(context, &error))
}

fn finished(control: &Control, tx: &Tx<'_>, job: &Job, ending: &Ending) -> Result<(), HookError> {
    end(control, tx, job, ending).map_err(failure::hook)
}

fn end(control: &Control, tx: &Tx<'_>, job: &Job, ending: &Ending) -> Result<()> {
    let params: DdmSchema = super::of_job(&job.params)?;
    tasks::ended(control, tx, params.project, job, ending).map(drop)
}
