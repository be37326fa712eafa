//! Slows down whoever guesses passwords, without locking anybody else out.
//!
//! Failures are counted by user name *and* network address: a stranger who guesses delays itself
//! only, never the user from elsewhere. From the fifth failure on each further one doubles the
//! time in which attempts are refused unseen, up to a minute. A user name that does not exist is
//! counted like any other. The table is bounded; when it is full the oldest entry goes.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use strongroom_model::Timestamp;

const FREE_FAILURES: u32 = 4;
const WAIT_SECONDS_MAX: i64 = 60;
const FORGET_SECONDS: i64 = 15 * 60;
const ENTRIES_MAX: usize = 10_000;

/// Counts failed attempts.
#[derive(Default)]
pub(super) struct Throttle(Mutex<HashMap<[u8; 32], Failures>>);

#[derive(Clone, Copy)]
struct Failures {
    count: u32,
    last: Timestamp,
}

impl Throttle {
    /// The key under which attempts at `who` from `source` are counted.
    pub(super) fn key(who: &str, source: &str) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        hasher
            .update(who.to_lowercase().as_bytes())
            .update(b"\0")
            .update(source.as_bytes());
        *hasher.finalize().as_bytes()
    }

    /// How many seconds attempts are refused for yet; `None` if one may be made.
    pub(super) fn wait(&self, key: &[u8; 32], now: Timestamp) -> Option<u32> {
        let table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let failures = table.get(key)?;
        let doublings = failures.count.checked_sub(FREE_FAILURES + 1)?;
        let wait = (1_i64 << doublings.min(16)).min(WAIT_SECONDS_MAX);
        let left = failures.last.plus_seconds(wait).micros_since(now);
        // A clock that was set back must not refuse for longer than the rule says.
        let left = left.clamp(0, wait * 1_000_000);
        (left > 0).then(|| u32::try_from(left.unsigned_abs().div_ceil(1_000_000)).unwrap_or(1))
    }

    /// Counts a failure.
    pub(super) fn failed(&self, key: [u8; 32], now: Timestamp) {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if table.len() >= ENTRIES_MAX && !table.contains_key(&key) {
            table.retain(|_, seen| seen.last.plus_seconds(FORGET_SECONDS) > now);
            if table.len() >= ENTRIES_MAX
                && let Some(oldest) = table.iter().min_by_key(|(_, seen)| seen.last)
            {
                let oldest = *oldest.0;
                table.remove(&oldest);
            }
        }
        let seen = table.entry(key).or_insert(Failures {
            count: 0,
            last: now,
        });
        if seen.last.plus_seconds(FORGET_SECONDS) <= now {
            seen.count = 0;
        }
        seen.count = seen.count.saturating_add(1);
        seen.last = now;
    }

    /// Forgets the failures before a success.
    pub(super) fn succeeded(&self, key: &[u8; 32]) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_micros(1_767_323_045_000_000);

    #[test]
    fn guessing_gets_slower_and_only_for_the_one_who_guesses() {
        let throttle = Throttle::default();
        let (guesser, owner) = (
            Throttle::key("Admin", "192.0.2.1"),
            Throttle::key("admin", "192.0.2.2"),
        );
        assert_eq!(guesser, Throttle::key("admin", "192.0.2.1"));
        let mut now = START;
        let mut waits = Vec::new();
        for _ in 0..14 {
            throttle.failed(guesser, now);
            let wait = throttle.wait(&guesser, now);
            waits.push(wait.unwrap_or(0));
            now = now.plus_seconds(i64::from(wait.unwrap_or(0)));
            assert_eq!(throttle.wait(&guesser, now), None);
        }
        assert_eq!(waits, [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60]);
        assert_eq!(throttle.wait(&owner, now), None);
        throttle.failed(guesser, now);
        assert_eq!(throttle.wait(&guesser, now.plus_seconds(-3600)), Some(60));
        throttle.succeeded(&guesser);
        assert_eq!(throttle.wait(&guesser, now), None);
    }

    #[test]
    fn the_table_never_grows_beyond_its_bound() {
        let throttle = Throttle::default();
        for n in 0..ENTRIES_MAX + 10 {
            let now = START.plus_seconds(i64::try_from(n / 100).unwrap());
            throttle.failed(Throttle::key(&n.to_string(), ""), now);
        }
        assert_eq!(throttle.0.lock().unwrap().len(), ENTRIES_MAX);
    }
}
