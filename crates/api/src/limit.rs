//! How many requests a project may make: a bucket of tokens each, by the injected clock.
//!
//! Counted after a caller is proven, so nobody can use up another's share; a session without a
//! project counts by its user. Guessing passwords has its own, slower brake in `control`.
//!
//! Invariant: a clock that is set back neither gives tokens nor takes them.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use strongroom_control::identity::Session;
use strongroom_model::{Clock, Timestamp};

use crate::failure::Failure;

/// So many seconds' worth of requests may come at once.
const BURST_SECONDS: i64 = 5;
/// What one request costs: microseconds keep fractions.
const COST: i64 = 1_000_000;
/// Buckets are looked through for full ones when there are that many.
const BUCKETS_MAX: usize = 4096;

/// The brake of one installation.
#[derive(Debug)]
pub struct Limit {
    per_second: i64,
    buckets: Mutex<HashMap<[u8; 16], Bucket>>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: i64,
    filled_at: Timestamp,
}

impl Limit {
    /// Lets each project make that many requests a second; 0 is any number.
    pub fn new(per_second: u32) -> Self {
        Self {
            per_second: i64::from(per_second),
            buckets: Mutex::default(),
        }
    }

    /// Lets a request through, or says when to come again.
    pub(crate) fn admit(&self, session: &Session, clock: &dyn Clock) -> Result<(), Failure> {
        let key = match session.project() {
            Some(project) => *project.id.as_bytes(),
            None => *session.user.id.as_bytes(),
        };
        match self.wait_seconds(key, clock.now()) {
            0 => Ok(()),
            seconds => Err(Failure::Throttled { seconds }),
        }
    }

    fn wait_seconds(&self, key: [u8; 16], now: Timestamp) -> u64 {
        if self.per_second == 0 {
            return 0;
        }
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= BUCKETS_MAX && !buckets.contains_key(&key) {
            buckets.retain(|_, bucket| self.filled(*bucket, now).tokens < self.full());
        }
        let fresh = Bucket {
            tokens: self.full(),
            filled_at: now,
        };
        let bucket = buckets.entry(key).or_insert(fresh);
        *bucket = self.filled(*bucket, now);
        if bucket.tokens >= COST {
            bucket.tokens -= COST;
            return 0;
        }
        let lacks = COST - bucket.tokens;
        let gained_in_a_second = self.per_second * COST;
        // Rounded up: who comes when it is told to is let through.
        u64::try_from((lacks + gained_in_a_second - 1) / gained_in_a_second).unwrap_or(1)
    }

    const fn full(&self) -> i64 {
        self.per_second * BURST_SECONDS * COST
    }

    fn filled(&self, bucket: Bucket, now: Timestamp) -> Bucket {
        let micros = now.as_micros().saturating_sub(bucket.filled_at.as_micros());
        let gained = micros.max(0).saturating_mul(self.per_second);
        Bucket {
            tokens: bucket.tokens.saturating_add(gained).min(self.full()),
            filled_at: now,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: [u8; 16] = [1; 16];
    const BOB: [u8; 16] = [2; 16];

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(1_000_000_000 + micros)
    }

    #[test]
    fn a_burst_is_let_through_then_the_rate_and_others_are_not_concerned() {
        let limit = Limit::new(2);
        let burst = (0..10).map(|_| limit.wait_seconds(ANN, at(0))).sum::<u64>();
        assert_eq!(burst, 0);
        assert_eq!(limit.wait_seconds(ANN, at(0)), 1);
        assert_eq!(limit.wait_seconds(BOB, at(0)), 0);
        assert_eq!(limit.wait_seconds(ANN, at(499_999)), 1);
        assert_eq!(limit.wait_seconds(ANN, at(500_000)), 0);
        assert_eq!(limit.wait_seconds(ANN, at(500_001)), 1);
        let day = (0..10).map(|_| limit.wait_seconds(ANN, at(86_400_000_000)));
        assert_eq!(day.sum::<u64>(), 0);
        assert_eq!(limit.wait_seconds(ANN, at(86_400_000_000)), 1);
    }

    #[test]
    fn a_clock_set_back_gives_nothing_and_takes_nothing() {
        let limit = Limit::new(1);
        (0..4).for_each(|_| assert_eq!(limit.wait_seconds(ANN, at(0)), 0));
        assert_eq!(limit.wait_seconds(ANN, at(-900_000_000)), 0);
        assert_eq!(limit.wait_seconds(ANN, at(-900_000_000)), 1);
        assert_eq!(limit.wait_seconds(ANN, at(-899_000_000)), 0);
    }

    #[test]
    fn projects_that_went_quiet_are_forgotten() {
        let limit = Limit::new(1);
        for number in 0..BUCKETS_MAX as u64 {
            let mut key = [0; 16];
            key[..8].copy_from_slice(&number.to_le_bytes());
            limit.wait_seconds(key, at(0));
        }
        limit.wait_seconds([9; 16], at(10_000_000));
        assert_eq!(limit.buckets.lock().unwrap().len(), 1);
    }

    #[test]
    fn no_limit_lets_everything_through() {
        let limit = Limit::new(0);
        assert!((0..1000).all(|_| limit.wait_seconds(ANN, at(0)) == 0));
    }
}
