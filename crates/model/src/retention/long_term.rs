//! Long-term rules: the backup of a certain day stays for a number of weeks, months or years.
//!
//! Of several backups of one day the newest counts. The weeks of a month are its days 1 to 7, 8 to
//! 14 and so on; the last one is its last seven days, so every month has five that may overlap.

use jiff::{Span, Zoned};

use super::zone::{Zone, weekday};
use crate::Timestamp;

/// A set of weekdays; bit 0 is Monday.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Weekdays(pub u8);

/// A week of a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WeekOfMonth {
    /// Days 1 to 7 for 0, 8 to 14 for 1, up to 22 to 28 for 3.
    Nth(u8),
    /// The last seven days.
    Last,
}

/// Some days of a month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MonthDays {
    /// Certain weekdays of certain weeks.
    Weeks(Vec<WeekOfMonth>, Weekdays),
    /// Days by number; −1 is the last.
    Days(Vec<i8>),
}

/// A long-term rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LongTerm {
    /// Backups of certain weekdays, for so many weeks.
    Weekly {
        /// Which days.
        days: Weekdays,
        /// For how long.
        weeks: u32,
    },
    /// Backups of certain days of each month, for so many months.
    Monthly {
        /// Which days.
        days: MonthDays,
        /// For how long.
        months: u32,
    },
    /// Backups of certain days of certain months, for so many years.
    Yearly {
        /// Which months; bit 0 is January.
        months: u16,
        /// Which days.
        days: MonthDays,
        /// For how long.
        years: u32,
    },
}

impl LongTerm {
    /// Until when the rule keeps a backup made at that time; `None` if it does not concern it.
    pub(super) fn until(&self, zone: &Zone, at: Timestamp) -> Option<Timestamp> {
        let local = zone.local(at);
        let (concerned, span) = match self {
            Self::Weekly { days, weeks } => (
                days.has(&local),
                Span::new().try_weeks(i64::from(*weeks)).ok()?,
            ),
            Self::Monthly { days, months } => (
                days.has(&local),
                Span::new().try_months(i64::from(*months)).ok()?,
            ),
            Self::Yearly {
                months,
                days,
                years,
            } => (
                months & (1 << (local.month() - 1)) != 0 && days.has(&local),
                Span::new().try_years(i64::from(*years)).ok()?,
            ),
        };
        if !concerned {
            return None;
        }
        // What ends after the calendar does never ends.
        let end = local.checked_add(span).map(|end| end.timestamp().into());
        Some(end.unwrap_or(Timestamp::from_micros(i64::MAX)))
    }
}

impl Weekdays {
    fn has(self, day: &Zoned) -> bool {
        self.0 & (1 << weekday(day.weekday())) != 0
    }
}

impl MonthDays {
    fn has(&self, day: &Zoned) -> bool {
        let last = day.days_in_month();
        match self {
            Self::Weeks(weeks, weekdays) => {
                weekdays.has(day) && weeks.iter().any(|week| week.has(day.day(), last))
            }
            Self::Days(days) => days
                .iter()
                .any(|number| *number == day.day() || (*number == -1 && day.day() == last)),
        }
    }
}

impl WeekOfMonth {
    fn has(self, day: i8, last: i8) -> bool {
        match self {
            Self::Nth(n) => u8::try_from((day - 1) / 7) == Ok(n),
            Self::Last => day > last - 7,
        }
    }
}
