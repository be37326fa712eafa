//! A job that this runner works on, as the runner's other threads see it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use crate::{
    job::{Job, JobState},
    store::{Lease, Signal},
};

/// The lease on a job and the reasons why its step shall stop.
pub(super) struct Held {
    pub(super) lease: Lease,
    /// Raised when the step shall stop, for whatever reason.
    pub(super) stop: Arc<AtomicBool>,
    cancelled: AtomicBool,
    draining: AtomicBool,
    lost: AtomicBool,
    undoing: AtomicBool,
}

impl Held {
    pub(super) fn new(job: &Job) -> Self {
        Self {
            lease: Lease {
                job: job.id,
                fence: job.fence,
            },
            stop: Arc::default(),
            cancelled: AtomicBool::new(job.cancel_requested),
            draining: AtomicBool::default(),
            lost: AtomicBool::default(),
            undoing: AtomicBool::new(job.state == JobState::Undoing),
        }
    }

    /// Takes note of what a write told.
    pub(super) fn heed(&self, signal: Signal) {
        if signal.cancel_requested {
            self.cancelled.store(true, Ordering::SeqCst);
            // The undos are what was asked for: they are not stopped by it.
            if !self.undoing.load(Ordering::SeqCst) {
                self.stop.store(true, Ordering::SeqCst);
            }
        }
    }

    /// From now on the job goes back.
    pub(super) fn turn_back(&self) {
        self.undoing.store(true, Ordering::SeqCst);
        self.stop
            .store(self.draining() || self.lost(), Ordering::SeqCst);
    }

    /// The process shuts down.
    pub(super) fn drain(&self) {
        self.draining.store(true, Ordering::SeqCst);
        self.stop.store(true, Ordering::SeqCst);
    }

    /// Another runner has the job.
    pub(super) fn lose(&self) {
        self.lost.store(true, Ordering::SeqCst);
        self.stop.store(true, Ordering::SeqCst);
    }

    pub(super) fn cancelled(&self) -> bool {
        self.cancelled.load(Ordering::SeqCst)
    }

    pub(super) fn draining(&self) -> bool {
        self.draining.load(Ordering::SeqCst)
    }

    pub(super) fn lost(&self) -> bool {
        self.lost.load(Ordering::SeqCst)
    }
}
