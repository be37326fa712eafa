//! Durable steps with undo, leases with fencing, progress and cancel. Knows nothing of backups.
//!
//! A job is a row: a type, parameters, and how far it has come. A [`JobType`] names its steps in
//! order. The [`Runner`] claims a job, runs its next step, records the output durably, and goes
//! on; what was interrupted is run again, so every step must bear being run twice. When a step
//! fails for good, or somebody cancels, the undos of the interrupted and of the finished steps
//! run backwards.
//!
//! - [`job`]: the record of a job and its legal moves, pure
//! - [`kind`]: job types, steps and the registry of them
//! - [`context`]: what a running step sees: parameters, earlier outputs, progress, cancel
//! - [`store`]: the contract of the place that remembers jobs (the catalog implements it)
//! - [`runner`]: the threads that claim and run
//! - `memory`, `conformance` (feature `conformance`): the reference store and the suite for all
//!
//! Invariant: every write of a runner is conditional on the fencing token of its claim, so a
//! runner that stalled and comes back changes nothing.

#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
pub mod context;
pub mod error;
pub mod job;
pub mod kind;
#[cfg(any(test, feature = "conformance"))]
pub mod memory;
pub mod runner;
pub mod store;

pub use context::StepContext;
pub use error::{HookError, StepError, StoreError};
pub use job::{Ending, Job, JobFailure, JobState, NewJob, StepOutput};
pub use kind::{Context, JobType, Registry, Step, TxOf};
pub use runner::{Options, Runner};
pub use store::{Change, Claim, End, JobStore, Lease, Signal, Then};
