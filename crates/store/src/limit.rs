//! Decorator that keeps the bytes per second below what was allowed, in each direction.
//!
//! One bucket per direction fills with time and holds no more than a second's worth, so an idle
//! spell is not made up for by a burst. A call pays for its bytes before it moves them, and waits
//! until the bucket has them; several threads wait their turn in the same queue. What cannot be
//! known beforehand, the length of a whole object that is read, is paid for afterwards. Objects are
//! moved whole: it is the average that is kept, not the speed within one request.
//!
//! Time is injected: tests do not sleep. Bytes sent again by a retry below are not counted.

use std::{
    fmt,
    num::NonZeroU64,
    ops::Range,
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;
use strongroom_model::Timestamp;

use crate::{
    error::Result,
    key::Key,
    store::{Backend, Listing, Store, Visit},
};

/// What a bucket saves up while nothing is moved.
const SAVED_UP: Duration = Duration::from_secs(1);

/// Bytes per second; never none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate(NonZeroU64);

/// A text that is no rate.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0:?} is no rate; write bytes per second such as 500K, 20M, 1.5GiB or 10MB")]
pub struct NoRate(String);

/// What a unit stands for; single letters count as computers do.
const UNITS: &[(&str, u64)] = &[
    ("", 1),
    ("b", 1),
    ("k", 1 << 10),
    ("kib", 1 << 10),
    ("kb", 1_000),
    ("m", 1 << 20),
    ("mib", 1 << 20),
    ("mb", 1_000_000),
    ("g", 1 << 30),
    ("gib", 1 << 30),
    ("gb", 1_000_000_000),
];

impl Rate {
    /// That many bytes per second; `None` for none at all, which would wait forever.
    pub const fn new(bytes_per_second: u64) -> Option<Self> {
        match NonZeroU64::new(bytes_per_second) {
            Some(rate) => Some(Self(rate)),
            None => None,
        }
    }

    /// Bytes per second.
    pub const fn bytes_per_second(self) -> u64 {
        self.0.get()
    }

    /// How long so many bytes take.
    fn time(self, bytes: u64) -> Duration {
        let nanos = u128::from(bytes) * 1_000_000_000 / u128::from(self.0.get());
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

impl FromStr for Rate {
    type Err = NoRate;

    fn from_str(text: &str) -> std::result::Result<Self, NoRate> {
        let refused = || NoRate(text.to_owned());
        let word = text.trim().trim_end_matches("/s");
        let digits = word.find(|letter: char| !letter.is_ascii_digit() && letter != '.');
        let (number, unit) = word.split_at(digits.unwrap_or(word.len()));
        // A small b would be bits to some and bytes to others: only the forms above are taken.
        let bits = unit.len() > 1 && unit.ends_with('b');
        let unit = unit.trim_start().to_ascii_lowercase();
        let (_, factor) = UNITS
            .iter()
            .find(|(name, _)| *name == unit)
            .filter(|_| !bits)
            .ok_or_else(refused)?;
        rational(number, *factor)
            .and_then(Self::new)
            .ok_or_else(refused)
    }
}

/// `number` times `factor`, exactly, rounded down; `None` if it is no number or too large.
fn rational(number: &str, factor: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || fraction.len() > 9 || number.ends_with('.') {
        return None;
    }
    let whole: u64 = whole.parse().ok()?;
    let tenths = 10_u128.pow(u32::try_from(fraction.len()).ok()?);
    let fraction: u128 = format!("0{fraction}").parse().ok()?;
    let part = u64::try_from(fraction * u128::from(factor) / tenths).ok()?;
    whole.checked_mul(factor)?.checked_add(part)
}

impl fmt::Display for Rate {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} bytes per second", self.0)
    }
}

/// What is allowed; `None` is everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Bytes that are stored.
    pub upload: Option<Rate>,
    /// Bytes that are read.
    pub download: Option<Rate>,
}

/// Tells how much time has passed and lets more pass.
pub trait Pace: Send + Sync {
    /// The time since some fixed moment; never runs backwards.
    fn passed(&self) -> Duration;
    /// Returns after that much time.
    fn wait(&self, time: Duration);
}

/// The machine's own time.
#[derive(Clone, Copy, Debug)]
pub struct RealTime(Instant);

impl Default for RealTime {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Pace for RealTime {
    fn passed(&self) -> Duration {
        self.0.elapsed()
    }

    fn wait(&self, time: Duration) {
        std::thread::sleep(time);
    }
}

/// Wraps `store` so that no more is moved than `limits` allow; without limits it is the same store.
#[must_use]
pub fn limited(store: &Store, limits: Limits, pace: &Arc<dyn Pace>) -> Store {
    if limits == Limits::default() {
        return store.clone();
    }
    let bucket = |rate: Option<Rate>| {
        rate.map(|rate| Bucket {
            rate,
            pace: Arc::clone(pace),
            paid_until: Mutex::new(pace.passed()),
        })
    };
    Store::new(Limited {
        inner: store.clone(),
        upload: bucket(limits.upload),
        download: bucket(limits.download),
    })
}

struct Bucket {
    rate: Rate,
    pace: Arc<dyn Pace>,
    /// Until when everything that was moved is paid for.
    paid_until: Mutex<Duration>,
}

impl Bucket {
    fn pay(&self, bytes: u64) {
        let now = self.pace.passed();
        let due = {
            let paid = self.paid_until.lock();
            let mut paid = paid.unwrap_or_else(PoisonError::into_inner);
            *paid = (*paid).max(now.saturating_sub(SAVED_UP)) + self.rate.time(bytes);
            *paid
        };
        let wait = due.saturating_sub(now);
        if !wait.is_zero() {
            self.pace.wait(wait);
        }
    }
}

struct Limited {
    inner: Store,
    upload: Option<Bucket>,
    download: Option<Bucket>,
}

impl Limited {
    fn send(&self, bytes: &[u8]) {
        if let Some(bucket) = &self.upload {
            bucket.pay(bytes.len() as u64);
        }
    }

    fn receive(&self, bytes: u64) {
        if let Some(bucket) = &self.download {
            bucket.pay(bytes);
        }
    }
}

impl Backend for Limited {
    fn create_new(&self, key: &Key, bytes: &[u8]) -> Result<()> {
        self.send(bytes);
        self.inner.backend().create_new(key, bytes)
    }

    fn put_idempotent(&self, key: &Key, bytes: &[u8]) -> Result<()> {
        self.send(bytes);
        self.inner.backend().put_idempotent(key, bytes)
    }

    fn get(&self, key: &Key) -> Result<Bytes> {
        let bytes = self.inner.backend().get(key)?;
        self.receive(bytes.len() as u64);
        Ok(bytes)
    }

    fn get_range(&self, key: &Key, range: Range<u64>) -> Result<Bytes> {
        self.receive(range.end - range.start);
        self.inner.backend().get_range(key, range)
    }

    fn get_into(&self, key: &Key, range: Range<u64>, out: &mut Vec<u8>) -> Result<()> {
        self.receive(range.end - range.start);
        self.inner.backend().get_into(key, range, out)
    }

    fn size(&self, key: &Key) -> Result<u64> {
        self.inner.backend().size(key)
    }

    fn list(&self, listing: Listing<'_>, visit: &mut Visit<'_>) -> Result<()> {
        self.inner.backend().list(listing, visit)
    }

    fn delete(&self, key: &Key) -> Result<()> {
        self.inner.backend().delete(key)
    }

    fn retains(&self) -> Result<bool> {
        self.inner.backend().retains()
    }

    fn retain(&self, key: &Key, until: Timestamp) -> Result<()> {
        self.inner.backend().retain(key, until)
    }

    fn retained_until(&self, key: &Key) -> Result<Option<Timestamp>> {
        self.inner.backend().retained_until(key)
    }

    fn describe(&self) -> String {
        self.inner.describe()
    }
}
