//! Decorator that tries again what may succeed later, a bounded number of times.
//!
//! Only kinds that are retryable are retried. All calls are safe to repeat except a conditional
//! create, whose first attempt may have succeeded without our hearing of it: if a later attempt
//! finds the key taken, the object is read, and if it holds exactly our bytes it is ours. That is
//! why competitors for a key must write different bytes. A listing goes on behind the last key it
//! visited, so no object is visited twice.
//!
//! Waiting is injected: tests do not sleep. The waits themselves are exact doublings; only the
//! sleeping one adds jitter, so that a fleet of clients does not come back in step.

use std::{
    hash::{BuildHasher, RandomState},
    ops::Range,
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use strongroom_model::Timestamp;

use crate::{
    error::{Error, ErrorKind, Result},
    key::Key,
    store::{Backend, Listing, Store, Visit},
};

/// How often and how patiently to try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Attempts in all, the first included.
    pub attempts: u32,
    /// Wait before the second attempt; doubled before each further one.
    pub first_wait: Duration,
    /// No wait is longer.
    pub longest_wait: Duration,
}

impl Default for RetryPolicy {
    /// Eight attempts over about 23 seconds: long enough for a server's restart.
    fn default() -> Self {
        Self {
            attempts: 8,
            first_wait: Duration::from_millis(200),
            longest_wait: Duration::from_secs(10),
        }
    }
}

impl RetryPolicy {
    /// The waits between the attempts.
    pub fn waits(&self) -> impl Iterator<Item = Duration> + use<> {
        let (first, longest) = (self.first_wait, self.longest_wait);
        (0..self.attempts.saturating_sub(1))
            .map(move |n| first.saturating_mul(2_u32.saturating_pow(n)).min(longest))
    }
}

/// Lets time pass between two attempts.
pub trait Wait: Send + Sync {
    /// Returns after about `time`.
    fn wait(&self, time: Duration);
}

/// Sleeps the thread for a random time between half of the wanted one and all of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sleep;

impl Wait for Sleep {
    fn wait(&self, time: Duration) {
        std::thread::sleep(jittered(time));
    }
}

/// A random time between half of `time` and all of it.
pub(crate) fn jittered(time: Duration) -> Duration {
    // Not secret and not recorded: the hasher's own seed is random enough.
    let share = u32::from(RandomState::new().hash_one(()).to_le_bytes()[0]);
    time / 2 + time / 2 * share / 255
}

/// Wraps `store` so that failed calls are tried again as `policy` says.
#[must_use]
pub fn retrying(store: &Store, policy: RetryPolicy, wait: Arc<dyn Wait>) -> Store {
    Store::new(Retry {
        inner: store.clone(),
        policy,
        wait,
    })
}

struct Retry {
    inner: Store,
    policy: RetryPolicy,
    wait: Arc<dyn Wait>,
}

impl Retry {
    /// Calls `attempt` until it succeeds, fails for good or is given up.
    fn persist<T>(&self, mut attempt: impl FnMut() -> Result<T>) -> Result<T> {
        let mut waits = self.policy.waits();
        loop {
            match attempt() {
                Err(error) if error.is_retryable() => {
                    let Some(time) = waits.next() else {
                        return Err(error);
                    };
                    let cause = std::error::Error::source(&error).map(ToString::to_string);
                    tracing::warn!(%error, cause, ?time, "a store call failed; trying again");
                    self.wait.wait(time);
                }
                done => return done,
            }
        }
    }

    /// Whether the object under `key` is what an earlier attempt of ours wrote.
    fn is_ours(&self, key: &Key, bytes: &[u8]) -> Result<bool> {
        let inner = self.inner.backend();
        match inner.size(key) {
            Ok(size) if size != bytes.len() as u64 => return Ok(false),
            Ok(_) => {}
            Err(error) if error.kind == ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        }
        match inner.get(key) {
            Ok(found) => Ok(found == bytes),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl Backend for Retry {
    fn create_new(&self, key: &Key, bytes: &[u8]) -> Result<()> {
        let inner = self.inner.backend();
        let mut doubtful = false;
        self.persist(|| match inner.create_new(key, bytes) {
            Err(error) if error.kind == ErrorKind::AlreadyExists && doubtful => {
                if self.is_ours(key, bytes)? {
                    Ok(())
                } else {
                    Err(error)
                }
            }
            done => {
                doubtful |= done.as_ref().is_err_and(Error::is_retryable);
                done
            }
        })
    }

    fn put_idempotent(&self, key: &Key, bytes: &[u8]) -> Result<()> {
        self.persist(|| self.inner.backend().put_idempotent(key, bytes))
    }

    fn get(&self, key: &Key) -> Result<Bytes> {
        self.persist(|| self.inner.backend().get(key))
    }

    fn get_range(&self, key: &Key, range: Range<u64>) -> Result<Bytes> {
        self.persist(|| self.inner.backend().get_range(key, range.clone()))
    }

    fn get_into(&self, key: &Key, range: Range<u64>, out: &mut Vec<u8>) -> Result<()> {
        let before = out.len();
        self.persist(|| {
            out.truncate(before);
            self.inner.backend().get_into(key, range.clone(), out)
        })
    }

    fn size(&self, key: &Key) -> Result<u64> {
        self.persist(|| self.inner.backend().size(key))
    }

    fn list(&self, listing: Listing<'_>, visit: &mut Visit<'_>) -> Result<()> {
        let mut last = listing.after.cloned();
        // The visitor's own error ends the listing whatever its kind: it travels around the loop.
        let mut refused = None;
        let done = self.persist(|| {
            let resume = last.clone();
            let rest = Listing {
                after: resume.as_ref(),
                ..listing
            };
            self.inner.backend().list(rest, &mut |key, size| {
                last = Some(key.clone());
                visit(key, size).map_err(|error| {
                    refused = Some(error);
                    Error::new(ErrorKind::Other)
                })
            })
        });
        refused.map_or(done, Err)
    }

    fn delete(&self, key: &Key) -> Result<()> {
        self.persist(|| self.inner.backend().delete(key))
    }

    fn retains(&self) -> Result<bool> {
        self.persist(|| self.inner.backend().retains())
    }

    fn retain(&self, key: &Key, until: Timestamp) -> Result<()> {
        self.persist(|| self.inner.backend().retain(key, until))
    }

    fn retained_until(&self, key: &Key) -> Result<Option<Timestamp>> {
        self.persist(|| self.inner.backend().retained_until(key))
    }

    fn describe(&self) -> String {
        self.inner.describe()
    }
}
