//! The contract of the place that remembers jobs.
//!
//! All decisions are taken in [`job`](crate::job) and [`runner`](crate::runner); a store only
//! keeps records and guards them: [`JobStore::claim`] hands a job to one runner at a time and
//! raises its fencing token, and every other write is conditional on that token. The suite in
//! `conformance` says the same as tests.
//!
//! Invariant: what a function reported as written is durable.

use strongroom_model::{JobId, Timestamp};

use crate::{
    error::{HookError, StoreError},
    job::{Ending, Job, JobState, StepOutput},
};

/// What a runner asks for when it looks for work.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// The runner's name; unique among running ones.
    pub runner: &'a str,
    /// The job types that it knows; others are left alone.
    pub kinds: &'a [&'a str],
    /// Jobs that this runner is busy with. Any other job leased to this name is free again.
    pub held: &'a [JobId],
    /// The time.
    pub now: Timestamp,
    /// Until when others shall keep away; leases of *other* runners are void after their time.
    pub lease_until: Timestamp,
}

/// The right to write to one job.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lease {
    /// The job.
    pub job: JobId,
    /// The token of the claim.
    pub fence: u64,
}

/// What becomes of the lease after a change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Then {
    /// It is kept until that time.
    Hold {
        /// The new end of the lease.
        until: Timestamp,
    },
    /// It is given back; nobody takes up the job before that time unless it is cancelled.
    Release {
        /// The earliest time of the next claim.
        not_before: Timestamp,
    },
}

/// The parts of a job that its runner changes.
#[derive(Clone, Copy, Debug)]
pub struct Change<'a> {
    /// The job as it shall be remembered. `id`, `kind`, `params`, `exclusive_key`, `fence`,
    /// `cancel_requested` and `created_at` are not taken from it.
    pub job: &'a Job,
    /// The output of a step that has just been done: the last of `job.outputs`.
    pub output: Option<&'a StepOutput>,
    /// What becomes of the lease.
    pub then: Then,
    /// The time.
    pub now: Timestamp,
}

/// What a runner learns from each write.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Signal {
    /// Somebody wants the job stopped.
    pub cancel_requested: bool,
}

/// Remembers jobs. Cheap to clone: a handle.
pub trait JobStore: Clone + Send + Sync + 'static {
    /// The transaction in which a job ends, for the hook that wants to write along with it.
    type Tx<'t>;

    /// Hands out the oldest job that may run now, with a new fencing token, or `None`.
    ///
    /// A job may run when it is not final, is of a known kind, is leased to nobody (see
    /// [`Claim`]), its `not_before` has come, and no older unfinished job has its exclusive key.
    /// A job that is to be cancelled waits for no time before it goes back, and if it never
    /// began, for no other job.
    fn claim(&self, claim: &Claim<'_>) -> Result<Option<Job>, StoreError>;

    /// Writes a change of the job; [`StoreError::Fenced`] if the lease is not the newest.
    fn save(&self, lease: &Lease, change: &Change<'_>) -> Result<Signal, StoreError>;

    /// Prolongs a lease; [`StoreError::Fenced`] if it is not the newest.
    fn renew(&self, lease: &Lease, until: Timestamp) -> Result<Signal, StoreError>;

    /// Ends the job and runs `hook` in the same transaction: both are durable or neither.
    fn finish(
        &self,
        lease: &Lease,
        end: &End<'_>,
        hook: &mut dyn FnMut(&Self::Tx<'_>) -> Result<(), HookError>,
    ) -> Result<(), StoreError>;

    /// Voids the leases of all runners but this one; returns how many there were.
    ///
    /// Only for one who knows that the others are dead, because it holds the lock they held.
    fn adopt(&self, runner: &str) -> Result<u64, StoreError>;

    /// Asks for a job to be stopped; `false` if it is unknown or has ended.
    fn request_cancel(&self, job: &JobId, now: Timestamp) -> Result<bool, StoreError>;

    /// The job of that id.
    fn job(&self, job: &JobId) -> Result<Option<Job>, StoreError>;
}

/// The end of a job, as it is recorded.
#[derive(Clone, Copy, Debug)]
pub struct End<'a> {
    /// How it ended.
    pub ending: &'a Ending,
    /// What could not be undone.
    pub trouble: Option<&'a str>,
    /// The time.
    pub now: Timestamp,
}

impl End<'_> {
    /// The final state.
    pub const fn state(&self) -> JobState {
        self.ending.state()
    }
}
