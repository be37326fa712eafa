//! The catalog as a [`JobStore`]: claims, and writes that are conditional on the claim's token.

use strongroom_jobs::{
    Change, Claim, End, Job, JobStore, Lease, Signal, StoreError, Then, error::HookError,
};
use strongroom_model::{JobId, Timestamp};

use super::{JobRow, StepRow};
use crate::{
    catalog::Catalog,
    error::{Error, Result},
    query::Filter,
    tx::Tx,
    value::{Field, Json},
};

impl JobStore for Catalog {
    type Tx<'t> = Tx<'t>;

    fn claim(&self, claim: &Claim<'_>) -> Result<Option<Job>, StoreError> {
        // Looked up first without the writers' lock: an idle service does not write.
        if self
            .read(|tx| tx.jobs().runnable(claim))
            .map_err(failed)?
            .is_none()
        {
            return Ok(None);
        }
        self.write(|tx| {
            let Some(row) = tx.jobs().runnable(claim)? else {
                return Ok(None);
            };
            let filter = Filter::new().is("id", &row.id);
            let row = tx.change::<JobRow>(&filter, &row.id, |row| {
                row.fence += 1;
                row.leased_by = Some(claim.runner.to_owned());
                row.leased_until = Some(claim.lease_until);
            })?;
            tx.jobs().with_outputs(row).map(Some)
        })
        .map_err(failed)
    }

    fn save(&self, lease: &Lease, change: &Change<'_>) -> Result<Signal, StoreError> {
        self.write(|tx| {
            let row = leased(tx, lease, |row| {
                let job = change.job;
                row.state = job.state;
                row.position = job.position;
                row.attempts = job.attempts;
                row.progress = job.progress;
                row.ending = job.ending.clone().map(Json);
                row.trouble.clone_from(&job.trouble);
                row.updated_at = change.now;
                match change.then {
                    Then::Hold { until } => row.leased_until = Some(until),
                    Then::Release { not_before } => {
                        row.leased_by = None;
                        row.leased_until = None;
                        row.not_before = not_before;
                    }
                }
            })?;
            if let Some(done) = change.output {
                tx.insert(&StepRow {
                    job_id: lease.job,
                    position: change.job.outputs.len() - 1,
                    step: done.step.clone(),
                    output: Json(done.output.clone()),
                })?;
            }
            Ok(Signal {
                cancel_requested: row.cancel_requested,
            })
        })
        .map_err(Failure::into)
    }

    fn renew(&self, lease: &Lease, until: Timestamp) -> Result<Signal, StoreError> {
        self.write(|tx| {
            let row = leased(tx, lease, |row| row.leased_until = Some(until))?;
            Ok(Signal {
                cancel_requested: row.cancel_requested,
            })
        })
        .map_err(Failure::into)
    }

    fn finish(
        &self,
        lease: &Lease,
        end: &End<'_>,
        hook: &mut dyn FnMut(&Tx<'_>) -> Result<(), HookError>,
    ) -> Result<(), StoreError> {
        self.write(|tx| {
            leased(tx, lease, |row| {
                row.state = end.state();
                row.ending = Some(Json(end.ending.clone()));
                row.trouble = end.trouble.map(str::to_owned);
                row.leased_by = None;
                row.leased_until = None;
                row.updated_at = end.now;
                row.ended_at = Some(end.now);
            })?;
            hook(tx).map_err(|error| Failure(StoreError::Hook(error)))
        })
        .map_err(Failure::into)
    }

    fn adopt(&self, runner: &str) -> Result<u64, StoreError> {
        let sql = "UPDATE jobs SET leased_by = NULL, leased_until = NULL \
                   WHERE ended_at IS NULL AND leased_by <> ?1";
        self.write(|tx| tx.execute(sql, &[runner.to_owned().to_value()]))
            .map_err(failed)
    }

    fn request_cancel(&self, job: &JobId, now: Timestamp) -> Result<bool, StoreError> {
        self.write(|tx| tx.jobs().request_cancel(job, now))
            .map_err(failed)
    }

    fn job(&self, job: &JobId) -> Result<Option<Job>, StoreError> {
        self.read(|tx| tx.jobs().get(job)).map_err(failed)
    }
}

/// Changes the job of the lease, if that is still the newest and the job has not ended.
fn leased(tx: &Tx<'_>, lease: &Lease, edit: impl FnOnce(&mut JobRow)) -> Result<JobRow, Failure> {
    let newest = Filter::new()
        .is("id", &lease.job)
        .is("fence", &lease.fence)
        .that("ended_at IS NULL")
        .that("leased_by IS NOT NULL");
    match tx.change(&newest, &lease.job, edit) {
        Ok(row) => Ok(row),
        Err(Error::NotFound { .. }) => Err(Failure(StoreError::Fenced)),
        Err(error) => Err(Failure(failed(error))),
    }
}

/// Carries a store error through a transaction.
struct Failure(StoreError);

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(failed(error))
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        failure.0
    }
}

fn failed(error: Error) -> StoreError {
    StoreError::Unavailable(Box::new(error))
}
