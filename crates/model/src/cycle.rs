//! When backups of audit logs are due: every so often from some instant on.
//!
//! Months have different lengths: a backup of the 31st is made on the last day of a shorter month.
//! What was missed is caught up once, because the next instant is always looked for after now.

use crate::Timestamp;
use jiff::{ToSpan as _, tz::TimeZone};

/// How often.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cycle {
    /// So many seconds.
    Every(i64),
    /// Once a month.
    Month,
}

/// The vendor's words.
const WORDS: &[(&str, Cycle)] = &[
    ("FIVE_MIN", Cycle::Every(300)),
    ("PER_HOUR", Cycle::Every(3600)),
    ("PER_DAY", Cycle::Every(86_400)),
    ("PER_WEEK", Cycle::Every(7 * 86_400)),
    ("PER_MONTH", Cycle::Month),
];

impl Cycle {
    /// The cycle of the vendor's word.
    pub fn parse(word: &str) -> Option<Self> {
        let known = WORDS.iter().find(|(known, _)| *known == word);
        known.map(|(_, cycle)| *cycle)
    }

    /// The first instant after `now`, counted from `start`, which is one of them.
    #[must_use]
    pub fn next(self, start: Timestamp, now: Timestamp) -> Timestamp {
        if start > now {
            return start;
        }
        match self {
            Self::Every(seconds) => {
                let passed = now.micros_since(start) / (seconds * 1_000_000);
                start.plus_seconds((passed + 1) * seconds)
            }
            Self::Month => next_month(start, now).unwrap_or_else(|| now.plus_seconds(31 * 86_400)),
        }
    }
}

fn next_month(start: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let zoned = |time: Timestamp| Some(time.to_jiff()?.to_zoned(TimeZone::UTC));
    let (first, present) = (zoned(start)?, zoned(now)?);
    let months = |time: &jiff::Zoned| i64::from(time.year()) * 12 + i64::from(time.month());
    let passed = months(&present) - months(&first);
    // Counted from the first each time, so that a short month does not shorten those behind it.
    (passed.max(0)..passed + 3)
        .filter_map(|count| first.checked_add(count.months()).ok())
        .map(|at| Timestamp::from(at.timestamp()))
        .find(|at| *at > now)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::from(text.parse::<jiff::Timestamp>().unwrap())
    }

    #[test]
    fn the_next_instant_lies_on_the_cycle_and_after_now() {
        let start = at("2026-01-31T23:30:00Z");
        for (word, now, next) in [
            ("FIVE_MIN", "2026-01-31T23:29:59Z", "2026-01-31T23:30:00Z"),
            ("FIVE_MIN", "2026-01-31T23:30:00Z", "2026-01-31T23:35:00Z"),
            ("PER_HOUR", "2026-02-03T05:31:00Z", "2026-02-03T06:30:00Z"),
            ("PER_DAY", "2026-06-01T23:29:59Z", "2026-06-01T23:30:00Z"),
            ("PER_WEEK", "2026-02-01T00:00:00Z", "2026-02-07T23:30:00Z"),
            ("PER_MONTH", "2026-01-31T23:30:00Z", "2026-02-28T23:30:00Z"),
            ("PER_MONTH", "2026-02-28T23:30:00Z", "2026-03-31T23:30:00Z"),
            ("PER_MONTH", "2026-03-31T23:29:00Z", "2026-03-31T23:30:00Z"),
            ("PER_MONTH", "2028-02-29T23:30:00Z", "2028-03-31T23:30:00Z"),
        ] {
            let found = Cycle::parse(word).unwrap().next(start, at(now));
            assert_eq!(found, at(next), "{word} after {now}");
        }
        assert!(Cycle::parse("PER_YEAR").is_none());
    }

    #[test]
    fn however_long_the_service_stood_still_there_is_one_next_instant() {
        let start = at("2020-01-01T00:00:00Z");
        let now = at("2026-11-21T12:34:56Z");
        for (word, cycle) in WORDS {
            let next = cycle.next(start, now);
            assert!(next > now, "{word}");
            assert!(next <= now.plus_seconds(31 * 86_400), "{word}");
        }
    }
}
