//! The system's clock and randomness, which everything else is given.

use std::time::{SystemTime, UNIX_EPOCH};

use rustix::{
    io,
    rand::{GetRandomFlags, getrandom},
};
use strongroom_model::{Clock, Entropy, Timestamp};

/// The system's clock.
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that others are given"
    )]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let micros = since.map_or(0, |since| since.as_micros());
        Timestamp::from_micros(i64::try_from(micros).unwrap_or(i64::MAX))
    }
}

/// The system's randomness.
pub(crate) struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, out: &mut [u8]) {
        let mut rest = out;
        while !rest.is_empty() {
            let filled = io::retry_on_intr(|| getrandom(&mut *rest, GetRandomFlags::empty()))
                .expect("the operating system gives randomness or nothing works");
            rest = rest.get_mut(filled..).unwrap_or_default();
        }
    }
}
