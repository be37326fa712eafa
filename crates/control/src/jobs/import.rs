//! Takes backups that a vault's data hold and the catalog does not know into the catalog.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use strongroom_catalog::Tx;
use strongroom_jobs::{Ending, Job, JobType, Step, StepContext, StepError, error::HookError};

use super::{
    collect,
    failure::{self, fail, of_control},
    params::Import,
    repository::Data,
};
use crate::{
    Control, Reason, Result,
    import::bring::{Said, Trouble, bring_in},
    operation_logs::{self, OperationDetail, OperationFailure},
};

/// The job.
pub(super) const JOB: JobType<Control> = JobType {
    name: super::IMPORT,
    steps: &[Step::new("read", read).attempts(10)],
    finished: Some(finished),
};

/// What was read.
#[derive(Serialize, Deserialize)]
struct Imported {
    new: u64,
    known: u64,
    lost: Vec<String>,
}

fn read(control: &Control, context: &StepContext<'_>) -> Result<Value, StepError> {
    let params: Import = context.params()?;
    let now = control.now();
    control
        .write(|tx| operation_logs::started(tx, params.project, params.log, now))
        .map_err(|error| of_control(context, &error))?;
    let gone = || fail(Reason::NoSuchVault, Reason::NoSuchVault.text());
    let data = Data::of(control, context, params.project, params.vault)?.ok_or_else(gone)?;
    let mut imported = Imported {
        new: 0,
        known: 0,
        lost: Vec::new(),
    };
    if let Some(repository) = data.open()? {
        let said = Said::default();
        let brought = bring_in(control, data.vault(), &repository, &said, params.only);
        let brought = brought.map_err(|trouble| match trouble {
            Trouble::Engine(error) => data.failed(&error),
            Trouble::Control(error) => of_control(context, &error),
        })?;
        imported = Imported {
            new: brought.new,
            known: brought.known,
            lost: brought.lost,
        };
    }
    if let Some(only) = params.only
        && imported.new + imported.known == 0
    {
        let message = format!("{}: {only}", Reason::NoSuchBackup.text());
        return Err(fail(Reason::NoSuchBackup, message));
    }
    Ok(json!(imported))
}

fn finished(control: &Control, tx: &Tx<'_>, job: &Job, ending: &Ending) -> Result<(), HookError> {
    end(control, tx, job, ending).map_err(failure::hook)
}

fn end(control: &Control, tx: &Tx<'_>, job: &Job, ending: &Ending) -> Result<()> {
    let params: Import = super::of_job(&job.params)?;
    let mut failure = operation_logs::failure_of(ending);
    if failure.is_none() {
        let imported: Imported = super::output_of(job, "read")?;
        let detail = OperationDetail::Sync {
            imported: imported.new,
            failed: imported.lost.len() as u64,
        };
        operation_logs::set_detail(tx, params.project, params.log, detail)?;
        if let Some(first) = imported.lost.first().filter(|_| params.only.is_none()) {
            let count = imported.lost.len();
            failure = Some(OperationFailure {
                reason: Reason::ImportFailed,
                message: format!("{count} of the backups cannot be imported; manifest {first}"),
            });
        }
        // What came in is measured with the rest.
        collect::order(control, tx, params.project, params.vault)?;
    }
    operation_logs::ended(tx, params.project, params.log, control.now(), failure)
}
