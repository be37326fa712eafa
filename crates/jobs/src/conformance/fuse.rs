//! Kills a runner at a chosen call of its store, as the end of its process would.
//!
//! For the suite, and for everybody's jobs: `runner.with_fuse(fuse.clone())`, then for each n
//! `fuse.halt_at(n, …)`, run, make a new runner that adopts the orphans, and compare.

use std::sync::{Arc, Mutex, PoisonError};

use crate::error::StoreError;

/// What becomes of the call at which the process ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LastCall {
    /// It is not done: what led to it will be done again.
    Lost,
    /// It is done, but its caller never hears of it.
    Unheard,
}

/// Ends a runner's process, so to speak. A handle; whole when it is new.
#[derive(Clone, Debug, Default)]
pub struct Fuse(Arc<Mutex<Plan>>);

#[derive(Debug, Default)]
struct Plan {
    calls: usize,
    last: Option<(usize, LastCall)>,
}

impl Fuse {
    /// Burns at the call of that number from now, the first being 0. Later calls fail too.
    pub fn halt_at(&self, call: usize, last: LastCall) {
        self.set(Plan {
            calls: 0,
            last: Some((call, last)),
        });
    }

    /// Whole again.
    pub fn revive(&self) {
        self.set(Plan::default());
    }

    fn set(&self, plan: Plan) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = plan;
    }

    /// Does `act` unless the fuse has burnt.
    pub(crate) fn call<T>(
        &self,
        act: impl FnOnce() -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let verdict = {
            let mut plan = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let number = plan.calls;
            plan.calls += 1;
            plan.last
                .filter(|(last, _)| number >= *last)
                .map(|(last, how)| (number == last, how))
        };
        let dead = || Err(StoreError::Unavailable("the process has ended".into()));
        match verdict {
            None => act(),
            Some((true, LastCall::Unheard)) => act().and_then(|_| dead()),
            Some(_) => dead(),
        }
    }
}
