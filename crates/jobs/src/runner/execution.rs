//! The work on one claimed job, from where it stands until it ends or must wait.
//!
//! Each turn of the loop in [`Execution::run`] makes one durable move. Whatever move the process
//! dies after, the next claim finds a record from which the same loop goes on.

use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use strongroom_model::chain;

use super::{Inner, held::Held};
use crate::{
    context::StepContext,
    error::{HookError, StepError, StoreError},
    job::{Ending, Job, JobFailure, JobState, StepOutput},
    kind::{Context, JobType, Step, TxOf},
    store::{Change, End, JobStore, Then},
};

/// How often the hook at the end of a job is tried.
const END_ATTEMPTS: u32 = 5;

/// Seconds between two tries of that hook.
const END_PAUSE: u32 = 5;

/// The work on one claimed job. Dropping it gives up the place among the held ones.
pub(super) struct Execution<'r, C: Context> {
    inner: &'r Inner<C>,
    kind: &'static JobType<C>,
    job: Job,
    held: Arc<Held>,
}

/// Whether the work goes on.
enum Flow {
    Go,
    /// The job has ended, or is left for a later claim.
    Done,
}

impl<'r, C: Context> Execution<'r, C> {
    pub(super) fn new(
        inner: &'r Inner<C>,
        kind: &'static JobType<C>,
        job: Job,
        held: Arc<Held>,
    ) -> Self {
        Self {
            inner,
            kind,
            job,
            held,
        }
    }

    /// Works until the job has ended or must wait.
    pub(super) fn run(mut self) -> Result<(), StoreError> {
        self.compare_steps();
        loop {
            let steps = self.kind.steps.len();
            let flow = match self.job.state {
                JobState::Waiting | JobState::Running if self.job.position == steps => {
                    self.end(&Ending::Succeeded)?
                }
                JobState::Waiting | JobState::Running if self.held.cancelled() => {
                    self.turn_back(Ending::Cancelled)?
                }
                _ if self.held.draining() => self.leave(0)?,
                JobState::Waiting | JobState::Running => self.forward()?,
                JobState::Undoing if self.job.position == 0 => {
                    let ending = self.job.ending.clone().unwrap_or(Ending::Cancelled);
                    self.end(&ending)?
                }
                JobState::Undoing => self.back()?,
                JobState::Succeeded | JobState::Failed | JobState::Cancelled => {
                    unreachable!("a store hands out no job that has ended")
                }
            };
            if matches!(flow, Flow::Done) {
                return Ok(());
            }
        }
    }

    /// A job begun by another release whose steps were others can be neither continued nor
    /// undone by rule: it fails and says so.
    fn compare_steps(&mut self) {
        let ours = self.kind.steps.iter().map(|step| step.name);
        let theirs = self.job.outputs.iter().map(|output| output.step.as_str());
        let known = theirs.clone().count() <= self.kind.steps.len()
            && self.job.position <= self.kind.steps.len()
            && theirs
                .clone()
                .zip(ours)
                .all(|(theirs, ours)| theirs == ours);
        if !known {
            let done: Vec<_> = theirs.collect();
            let message = format!(
                "the job was begun by a release with other steps ({}); nothing was undone",
                done.join(", ")
            );
            tracing::error!(job = %self.job.id, kind = self.kind.name, message);
            self.job.turn_back(
                Ending::Failed(JobFailure::new(JobFailure::STEPS_CHANGED, message)),
                0,
            );
            self.held.turn_back();
        }
    }

    /// Runs the step at `position`.
    fn forward(&mut self) -> Result<Flow, StoreError> {
        let step = &self.kind.steps[self.job.position];
        if self.job.attempts >= step.attempts {
            return self.exhausted(step);
        }
        self.job.start();
        self.save(None)?;
        if self.held.cancelled() {
            return self.turn_back(Ending::Cancelled);
        }
        match self.run_step(step) {
            Ok(output) => {
                let done = StepOutput {
                    step: step.name.to_owned(),
                    output,
                };
                self.job.advance(done.clone());
                self.save(Some(&done))?;
                Ok(Flow::Go)
            }
            Err(StepError::Retry {
                after_seconds,
                cause,
            }) => {
                tracing::warn!(job = %self.job.id, step = step.name, attempt = self.job.attempts,
                    cause, "a step is to be tried again");
                self.job.trouble = Some(cause);
                if self.job.attempts >= step.attempts {
                    return self.exhausted(step);
                }
                self.leave(after_seconds)
            }
            Err(StepError::Fail { code, message }) => {
                self.turn_back(Ending::Failed(JobFailure { code, message }))
            }
            Err(StepError::Cancelled) => self.stopped(),
        }
    }

    fn exhausted(&mut self, step: &Step<C>) -> Result<Flow, StoreError> {
        let why = self
            .job
            .trouble
            .as_deref()
            .unwrap_or("the process ended each time");
        let message = format!(
            "step {} did not succeed in {} attempts: {why}",
            step.name, self.job.attempts
        );
        self.turn_back(Ending::Failed(JobFailure::new(
            JobFailure::EXHAUSTED,
            message,
        )))
    }

    /// The step said that it stopped because it was asked to.
    fn stopped(&mut self) -> Result<Flow, StoreError> {
        if self.held.lost() {
            return Err(StoreError::Fenced);
        }
        if self.held.draining() && !self.held.cancelled() {
            self.job.uncount();
            return self.leave(0);
        }
        self.turn_back(Ending::Cancelled)
    }

    /// Undoes the step before `position`.
    fn back(&mut self) -> Result<Flow, StoreError> {
        let step = &self.kind.steps[self.job.position - 1];
        let Some(undo) = step.undo else {
            self.job.retreat(None);
            return Ok(Flow::Go);
        };
        if self.job.attempts >= step.attempts {
            return self.not_undone(step, "it was tried too often");
        }
        self.job.start();
        self.save(None)?;
        let stop = Arc::clone(&self.held.stop);
        let context = StepContext::new(&self.job, stop, &|_| {});
        let undone = guarded(|| undo(&self.inner.context, &context));
        match undone {
            Ok(()) => {
                self.job.retreat(None);
                self.save(None)?;
                Ok(Flow::Go)
            }
            Err(StepError::Retry {
                after_seconds,
                cause,
            }) => {
                tracing::warn!(job = %self.job.id, step = step.name, attempt = self.job.attempts,
                    cause, "an undo is to be tried again");
                if self.job.attempts >= step.attempts {
                    return self.not_undone(step, &cause);
                }
                self.leave(after_seconds)
            }
            Err(StepError::Cancelled) if self.held.lost() => Err(StoreError::Fenced),
            Err(StepError::Cancelled) if self.held.draining() => {
                self.job.uncount();
                self.leave(0)
            }
            Err(failed) => self.not_undone(step, &failed.to_string()),
        }
    }

    /// Gives up one undo; the others still run.
    fn not_undone(&mut self, step: &Step<C>, why: &str) -> Result<Flow, StoreError> {
        tracing::error!(job = %self.job.id, kind = self.kind.name, step = step.name, why,
            "a step could not be undone; look after what it left");
        self.job
            .retreat(Some(format!("step {} was not undone: {why}", step.name)));
        self.save(None)?;
        Ok(Flow::Go)
    }

    /// The job goes back from now on.
    fn turn_back(&mut self, ending: Ending) -> Result<Flow, StoreError> {
        if let Ending::Failed(failure) = &ending {
            tracing::warn!(job = %self.job.id, kind = self.kind.name, code = failure.code,
                message = failure.message, "a job fails; what it did is undone");
        }
        self.job.turn_back(ending, self.kind.steps.len());
        self.held.turn_back();
        self.save(None)?;
        Ok(Flow::Go)
    }

    /// Ends the job, together with what its hook writes.
    fn end(&mut self, ending: &Ending) -> Result<Flow, StoreError> {
        match self.finish(ending, self.kind.finished) {
            Ok(()) => Ok(Flow::Done),
            Err(StoreError::Hook(refused)) => self.end_refused(ending, &refused),
            Err(other) => Err(other),
        }
    }

    fn finish(
        &mut self,
        ending: &Ending,
        hook: Option<crate::kind::Finished<C>>,
    ) -> Result<(), StoreError> {
        let now = self.inner.now();
        let mut job = self.job.clone();
        job.ending = Some(ending.clone());
        let end = End {
            ending,
            trouble: job.trouble.as_deref(),
            now,
        };
        let context = &*self.inner.context;
        let mut along = |tx: &TxOf<'_, C>| match hook {
            None => Ok(()),
            Some(hook) => catch_unwind(AssertUnwindSafe(|| hook(context, tx, &job, ending)))
                .unwrap_or_else(|panic| Err(panicked(&*panic).into())),
        };
        self.inner
            .call(|store| store.finish(&self.held.lease, &end, &mut along))?;
        tracing::info!(job = %self.job.id, kind = self.kind.name, ending = ending.state().as_str(),
            "a job ended");
        Ok(())
    }

    /// Tries the end again later; a success that cannot be recorded becomes a failure, and a
    /// failure that cannot be recorded ends without its hook, loudly: nothing waits for ever.
    fn end_refused(&mut self, ending: &Ending, refused: &HookError) -> Result<Flow, StoreError> {
        let why = chain(&**refused);
        self.job.attempts += 1;
        if self.job.attempts < END_ATTEMPTS {
            tracing::warn!(job = %self.job.id, kind = self.kind.name, why,
                "the end of a job waits");
            return self.leave(END_PAUSE);
        }
        if *ending == Ending::Succeeded {
            let failure = JobFailure::new(JobFailure::END_REFUSED, why);
            return self.turn_back(Ending::Failed(failure));
        }
        tracing::error!(job = %self.job.id, kind = self.kind.name, why,
            "a job ends, but what should be written with its end is not");
        self.job
            .add_trouble(&format!("the end was not recorded: {why}"));
        self.finish(ending, None)?;
        Ok(Flow::Done)
    }

    /// Leaves the job to a later claim.
    fn leave(&mut self, after_seconds: u32) -> Result<Flow, StoreError> {
        let now = self.inner.now();
        let not_before = now.plus_seconds(i64::from(after_seconds));
        self.job.not_before = not_before;
        self.write(&self.job, None, Then::Release { not_before })?;
        Ok(Flow::Done)
    }

    /// Records where the job stands and keeps the lease.
    fn save(&self, output: Option<&StepOutput>) -> Result<(), StoreError> {
        let until = self.inner.lease_until(self.inner.now());
        self.write(&self.job, output, Then::Hold { until })
    }

    fn write(&self, job: &Job, output: Option<&StepOutput>, then: Then) -> Result<(), StoreError> {
        let change = Change {
            job,
            output,
            then,
            now: self.inner.now(),
        };
        let signal = self
            .inner
            .call(|store| store.save(&self.held.lease, &change))?;
        self.held.heed(signal);
        Ok(())
    }

    /// Runs a step, recording its progress.
    fn run_step(&mut self, step: &Step<C>) -> Result<serde_json::Value, StepError> {
        let progress = Cell::new(self.job.progress);
        let report = |percent| {
            if progress.replace(percent) == percent {
                return;
            }
            let mut job = self.job.clone();
            job.progress = percent;
            let until = self.inner.lease_until(self.inner.now());
            match self.write(&job, None, Then::Hold { until }) {
                Ok(()) => {}
                Err(StoreError::Fenced) => self.held.lose(),
                Err(error) => {
                    tracing::warn!(job = %job.id, error = chain(&error),
                        "progress is not recorded");
                }
            }
        };
        let context = StepContext::new(&self.job, Arc::clone(&self.held.stop), &report);
        let result = guarded(|| (step.run)(&self.inner.context, &context));
        self.job.progress = progress.get();
        result
    }
}

impl<C: Context> Drop for Execution<'_, C> {
    fn drop(&mut self) {
        self.inner.let_go(&self.job.id);
    }
}

/// Runs a step so that its panic is its failure, and no more.
fn guarded<T>(step: impl FnOnce() -> Result<T, StepError>) -> Result<T, StepError> {
    catch_unwind(AssertUnwindSafe(step))
        .unwrap_or_else(|panic| Err(StepError::fail(JobFailure::PANICKED, panicked(&*panic))))
}

/// What a panic said.
fn panicked(panic: &(dyn std::any::Any + Send)) -> String {
    let said = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("the step panicked: {}", said.unwrap_or("without a word"))
}
