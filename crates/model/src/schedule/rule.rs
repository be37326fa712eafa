//! One calendar rule, in the part of RFC 5545 that the vendor documents.
//!
//! `FREQ` is WEEKLY or DAILY; `BYDAY` names weekdays and is needed with WEEKLY; `INTERVAL` counts
//! days and goes with DAILY; `BYHOUR` and `BYMINUTE` are needed, for without them the RFC takes
//! the time at which the schedule was made, which nobody means. Whatever else the RFC knows is
//! refused by name rather than left out.

use std::str::FromStr;

/// Days between two runs at most.
const INTERVAL_MAX: u32 = 30;
const WEEKDAYS: [&str; 7] = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];
const EVERY_DAY: u8 = 0b0111_1111;

/// A rule: some times of some days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    every_days: u32,
    weekdays: u8,
    times: Vec<u16>,
}

/// What is wrong with a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRule {
    /// Not `KEY=value`.
    #[error("{0:?} is not of the form KEY=value")]
    NoPair(String),
    /// A key that is not known here.
    #[error("{0:?} is not supported; use FREQ, INTERVAL, BYDAY, BYHOUR and BYMINUTE")]
    UnknownKey(String),
    /// A key stands twice.
    #[error("{0} stands twice")]
    Twice(&'static str),
    /// A key that is needed.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A value that the key does not take.
    #[error("{key} must be {expected}")]
    Value {
        /// The key.
        key: &'static str,
        /// What it takes.
        expected: &'static str,
    },
    /// Weekly rules count no days.
    #[error("INTERVAL goes with FREQ=DAILY only")]
    WeeklyInterval,
}

const FREQ: &str = "FREQ";
const INTERVAL: &str = "INTERVAL";
const BYDAY: &str = "BYDAY";
const BYHOUR: &str = "BYHOUR";
const BYMINUTE: &str = "BYMINUTE";
const KEYS: [&str; 5] = [FREQ, INTERVAL, BYDAY, BYHOUR, BYMINUTE];

impl FromStr for Rule {
    type Err = BadRule;

    fn from_str(text: &str) -> Result<Self, BadRule> {
        let mut values: [Option<&str>; 5] = [None; 5];
        for part in text.trim().trim_end_matches(';').split(';') {
            let (key, value) = part
                .split_once('=')
                .ok_or_else(|| BadRule::NoPair(short(part)))?;
            let place = KEYS
                .iter()
                .position(|known| key.trim().eq_ignore_ascii_case(known))
                .ok_or_else(|| BadRule::UnknownKey(short(key)))?;
            if values[place].replace(value.trim()).is_some() {
                return Err(BadRule::Twice(KEYS[place]));
            }
        }
        let [freq, interval, days, hours, minutes] = values;
        let weekly = is_weekly(freq.ok_or(BadRule::Missing(FREQ))?)?;
        let every_days = interval.map_or(Ok(1), every)?;
        if weekly && every_days != 1 {
            return Err(BadRule::WeeklyInterval);
        }
        let weekdays = match days {
            Some(days) => weekdays(days)?,
            None if weekly => return Err(BadRule::Missing(BYDAY)),
            None => EVERY_DAY,
        };
        let hours = numbers(
            BYHOUR,
            hours,
            23,
            "one or several whole numbers from 0 to 23",
        )?;
        let minutes = numbers(
            BYMINUTE,
            minutes,
            59,
            "one or several whole numbers from 0 to 59",
        )?;
        let mut times: Vec<u16> = hours
            .iter()
            .flat_map(|hour| minutes.iter().map(move |minute| hour * 60 + minute))
            .collect();
        times.sort_unstable();
        Ok(Self {
            every_days,
            weekdays,
            times,
        })
    }
}

impl Rule {
    /// Whether a day is one of the rule's: so many days since the schedule was made, that weekday
    /// (0 is Monday).
    pub(super) fn knows(&self, since: i64, weekday: u8) -> bool {
        self.weekdays & (1 << weekday) != 0 && since.rem_euclid(i64::from(self.every_days)) == 0
    }

    /// Minutes of the day, ascending.
    pub(super) fn times(&self) -> &[u16] {
        &self.times
    }

    /// Every how many days.
    pub(super) const fn every(&self) -> u32 {
        self.every_days
    }
}

fn is_weekly(word: &str) -> Result<bool, BadRule> {
    match word.to_ascii_uppercase().as_str() {
        "WEEKLY" => Ok(true),
        "DAILY" => Ok(false),
        _ => Err(BadRule::Value {
            key: FREQ,
            expected: "WEEKLY or DAILY",
        }),
    }
}

fn every(number: &str) -> Result<u32, BadRule> {
    let wrong = BadRule::Value {
        key: INTERVAL,
        expected: "a number of days from 1 to 30",
    };
    match whole(number) {
        Some(days) if (1..=INTERVAL_MAX).contains(&days) => Ok(days),
        _ => Err(wrong),
    }
}

fn weekdays(list: &str) -> Result<u8, BadRule> {
    list.split(',').try_fold(0, |days, word| {
        let place = WEEKDAYS
            .iter()
            .position(|known| word.trim().eq_ignore_ascii_case(known));
        let place = place.ok_or(BadRule::Value {
            key: BYDAY,
            expected: "a list of MO, TU, WE, TH, FR, SA, SU",
        })?;
        Ok(days | 1 << place)
    })
}

/// A list of numbers up to `most`, sorted, each once.
fn numbers(
    key: &'static str,
    list: Option<&str>,
    most: u16,
    expected: &'static str,
) -> Result<Vec<u16>, BadRule> {
    let list = list.ok_or(BadRule::Missing(key))?;
    let mut found = Vec::new();
    for number in list.split(',') {
        let number = whole(number)
            .and_then(|n| u16::try_from(n).ok())
            .filter(|n| *n <= most);
        found.push(number.ok_or(BadRule::Value { key, expected })?);
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// A number in plain digits: no sign, and no more of them than a time needs.
fn whole(text: &str) -> Option<u32> {
    let text = text.trim();
    let plain = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

fn short(text: &str) -> String {
    text.chars().take(40).collect()
}
