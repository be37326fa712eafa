//! A clock that stands still until a test moves it.

use std::sync::atomic::{AtomicI64, Ordering};

use strongroom_model::{Clock, Timestamp};

/// A clock that a test sets and moves; starts at 2026-01-02T03:04:05.000006Z.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl Default for ManualClock {
    fn default() -> Self {
        Self(AtomicI64::new(1_767_323_045_000_006))
    }
}

impl ManualClock {
    /// Moves the clock; a negative number moves it back, as real clocks do.
    pub fn advance_seconds(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}
