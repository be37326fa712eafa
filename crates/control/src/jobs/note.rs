//! Writes beside a vault's data what the catalog knows of the vault, if that has changed.
//!
//! The order of writing is: the note, then its digest in the catalog. A crash between the two
//! writes the same note again.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use strongroom_catalog::{NoteRow, Tx, VaultRow};
use strongroom_jobs::{
    Ending, Job, JobType, NewJob, Step, StepContext, StepError, error::HookError,
};
use strongroom_model::state::VaultStatus;

use super::{
    failure::{self, chain, of_control, of_store},
    params::{self, Note},
    repository::Data,
};
use crate::{Control, Result, import};

/// The job.
pub(super) const JOB: JobType<Control> = JobType {
    name: super::NOTE,
    steps: &[Step::new("write", write).attempts(10)],
    finished: Some(finished),
};

/// What was written.
#[derive(Serialize, Deserialize)]
struct Written {
    digest: Option<String>,
}

/// Orders a note beside the vault's data, unless one waits already.
pub(crate) fn order_note(control: &Control, tx: &Tx<'_>, vault: &VaultRow) -> Result<()> {
    let params = Note {
        project: vault.project_id,
        vault: vault.id,
    };
    tx.jobs().enqueue_once(&NewJob {
        id: control.job_id(),
        kind: super::NOTE.to_owned(),
        params: json!(params),
        exclusive_key: Some(params::note_key(vault.id)),
        not_before: None,
        created_at: control.now(),
    })?;
    Ok(())
}

fn write(control: &Control, context: &StepContext<'_>) -> Result<Value, StepError> {
    let params: Note = context.params()?;
    let nothing = json!(Written { digest: None });
    let Some(data) = Data::of(control, context, params.project, params.vault)? else {
        return Ok(nothing);
    };
    // A deletion waits until no note is being written, and none is written after it began.
    if data.vault().status != VaultStatus::Available {
        return Ok(nothing);
    }
    let text = control
        .read(|tx| import::note_of(tx, data.vault()))
        .map_err(|error| of_control(context, &error))?;
    let (store, key) = (data.store()?, data.key()?);
    data.leave_key(&store)?;
    import::note::write(&store, params.vault, &key, &text, control.entropy())
        .map_err(|error| of_store(context, error.kind, chain(&error)))?;
    Ok(json!(Written {
        digest: Some(hex::encode(&text.digest)),
    }))
}

fn finished(control: &Control, tx: &Tx<'_>, job: &Job, ending: &Ending) -> Result<(), HookError> {
    end(control, tx, job, ending).map_err(failure::hook)
}

fn end(control: &Control, tx: &Tx<'_>, job: &Job, ending: &Ending) -> Result<()> {
    let params: Note = super::of_job(&job.params)?;
    if *ending != Ending::Succeeded || tx.vaults().get(&params.project, &params.vault)?.is_none() {
        return Ok(());
    }
    let written: Written = super::output_of(job, "write")?;
    let digest = written.digest.and_then(|digits| hex::decode(digits).ok());
    let Some(digest) = digest else { return Ok(()) };
    tx.notes().set(&NoteRow {
        vault_id: params.vault,
        project_id: params.project,
        digest,
        noted_at: control.now(),
    })?;
    Ok(())
}
