//! The real clock and the operating system's randomness: the only place that asks for either.

use std::time::{SystemTime, UNIX_EPOCH};

use rustix::{
    io,
    rand::{GetRandomFlags, getrandom},
};

use strongroom_model::{Clock, Entropy, Timestamp};

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that others are given"
    )]
    fn now(&self) -> Timestamp {
        // Before 1970 and after the year 290,000 the clock is wrong, and so is the time.
        let micros = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| {
                i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
            });
        Timestamp::from_micros(micros)
    }
}

/// The operating system's randomness.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, out: &mut [u8]) {
        // The system's own generator: one in this process would first gather entropy of its own,
        // which costs every command tens of milliseconds.
        let mut rest = out;
        while !rest.is_empty() {
            let filled = io::retry_on_intr(|| getrandom(&mut *rest, GetRandomFlags::empty()))
                .expect("the operating system gives randomness or nothing works");
            rest = rest.get_mut(filled..).unwrap_or_default();
        }
    }
}
