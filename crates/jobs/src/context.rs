//! What a running step sees of its job: parameters, earlier outputs, progress, the wish to stop.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use serde::de::DeserializeOwned;
use strongroom_model::JobId;

use crate::{
    error::StepError,
    job::{Job, JobFailure},
};

/// What a step, or an undo, gets to see.
pub struct StepContext<'a> {
    job: &'a Job,
    stop: Arc<AtomicBool>,
    report: &'a dyn Fn(u8),
}

impl<'a> StepContext<'a> {
    /// The context of a step of `job`; `stop` is raised when the step shall stop, `report` is
    /// called with each new percentage. The runner calls this, and tests of single steps do.
    pub fn new(job: &'a Job, stop: Arc<AtomicBool>, report: &'a dyn Fn(u8)) -> Self {
        Self { job, stop, report }
    }

    /// The job's id.
    pub fn job_id(&self) -> JobId {
        self.job.id
    }

    /// Which start of this step this is, from 1; more than 1 after a crash or a retry.
    pub fn attempt(&self) -> u32 {
        self.job.attempts
    }

    /// The fencing token: larger in every later claim of the job.
    pub fn fence(&self) -> u64 {
        self.job.fence
    }

    /// The job's parameters.
    pub fn params<T: DeserializeOwned>(&self) -> Result<T, StepError> {
        T::deserialize(&self.job.params).map_err(|error| {
            let message = format!(
                "the parameters of this {} job are not readable: {error}",
                self.job.kind
            );
            StepError::fail(JobFailure::UNREADABLE, message)
        })
    }

    /// What an earlier step left; in an undo also what the step itself left, if it finished.
    ///
    /// `Ok(None)` if that step has not finished.
    pub fn output<T: DeserializeOwned>(&self, step: &str) -> Result<Option<T>, StepError> {
        let Some(found) = self.job.outputs.iter().find(|output| output.step == step) else {
            return Ok(None);
        };
        T::deserialize(&found.output).map(Some).map_err(|error| {
            let message = format!("the output of step {step} is not readable: {error}");
            StepError::fail(JobFailure::UNREADABLE, message)
        })
    }

    /// Says how far the job has come, in percent of the whole; more than 100 counts as 100.
    ///
    /// Durable, but only whole percents that differ from the last are written.
    pub fn progress(&self, percent: u8) {
        (self.report)(percent.min(100));
    }

    /// Whether the step shall stop soon and return [`StepError::Cancelled`].
    ///
    /// Somebody cancelled the job, the process shuts down, or the lease was lost; the runner
    /// knows which and what follows from it.
    pub fn cancelled(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// `Err(Cancelled)` if the step shall stop; for `context.check()?` in loops.
    pub fn check(&self) -> Result<(), StepError> {
        if self.cancelled() {
            Err(StepError::Cancelled)
        } else {
            Ok(())
        }
    }

    /// The flag behind [`cancelled`](Self::cancelled), to hand to threads of the step.
    pub fn stop_flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.stop)
    }
}
