//! The suite that every job store must pass, with the real runner on top of it.
//!
//! A store joins by implementing [`Bench`] in its tests and writing
//! `strongroom_jobs::conformance_suite!(ItsBench)`, which makes one test of each case.
//!
//! - `contract`: what a store promises to a runner
//! - `running`: what a runner makes of it: steps twice, failures, crashes at every call, cancels
//! - [`Fuse`]: the end of a process at a chosen call; for tests of other crates' jobs too
//! - [`history`]: random histories, whose outcome can be compared between two stores

mod contract;
mod fuse;
pub mod history;
mod running;
mod world;

pub use contract::*;
pub use fuse::{Fuse, LastCall};
pub use running::*;
pub use world::World;

use crate::{
    job::NewJob,
    memory::{MemoryStore, MemoryTx},
    store::JobStore,
};

/// A store to be tested: how to make one, fill it, and see what hooks wrote.
pub trait Bench: Send + Sync + Sized + 'static {
    /// The store.
    type Store: JobStore;

    /// A fresh, empty one.
    fn fresh() -> Self;

    /// The store of this bench.
    fn store(&self) -> Self::Store;

    /// Puts a job into the queue.
    fn enqueue(&self, new: &NewJob);

    /// Writes a note in the transaction that ends a job.
    fn note(tx: &<Self::Store as JobStore>::Tx<'_>, text: &str);

    /// The notes that were kept, in order.
    fn notes(&self) -> Vec<String>;
}

/// The bench of the store in memory.
#[derive(Default)]
pub struct MemoryBench(MemoryStore);

impl Bench for MemoryBench {
    type Store = MemoryStore;

    fn fresh() -> Self {
        Self::default()
    }

    fn store(&self) -> MemoryStore {
        self.0.clone()
    }

    fn enqueue(&self, new: &NewJob) {
        self.0.enqueue(new);
    }

    fn note(tx: &MemoryTx, text: &str) {
        tx.note(text);
    }

    fn notes(&self) -> Vec<String> {
        self.0.notes()
    }
}

/// One test of each case of the suite for a [`Bench`](crate::conformance::Bench).
#[macro_export]
macro_rules! conformance_suite {
    ($bench:ty) => {
        $crate::conformance_suite!($bench;
            the_oldest_runnable_job_is_claimed_once,
            a_claim_raises_the_fence_and_voids_the_older_lease,
            a_lease_of_another_runner_is_void_after_its_time_or_when_adopted,
            a_job_the_runner_forgot_is_free_again_for_it,
            an_ended_job_takes_no_further_writes,
            a_hook_that_refuses_leaves_no_trace,
            jobs_with_one_exclusive_key_run_in_the_order_they_came,
            a_job_waits_for_its_time_and_unknown_kinds_wait_for_ever,
            outputs_and_every_other_field_come_back,
            steps_run_in_order_and_see_earlier_outputs,
            a_failure_at_each_step_undoes_it_and_those_before_it,
            a_crash_at_each_store_call_changes_no_outcome,
            a_runner_that_comes_back_late_changes_nothing,
            a_runner_never_claims_a_job_that_it_works_on,
            a_cancel_at_each_point_undoes_what_was_done,
            a_cancelled_job_that_never_began_leaves_the_line,
            a_retry_waits_and_its_number_is_bounded,
            a_step_that_kills_the_process_is_not_started_for_ever,
            an_undo_that_fails_is_reported_and_the_others_still_run,
            an_end_that_cannot_be_recorded_becomes_a_failure,
            a_job_of_another_release_fails_and_says_so,
            progress_is_remembered,
            a_drained_step_goes_on_after_the_next_start,
            a_step_may_drain_its_own_runner,
            threads_run_all_jobs_and_never_two_of_one_key
        );
    };
    ($bench:ty; $($case:ident),*) => {$(
        #[test]
        fn $case() {
            $crate::conformance::$case::<$bench>();
        }
    )*};
}
