//! When a policy is due: the union of its calendar rules, in UTC.
//!
//! A calendar of days and minutes needs no library, so it is written out here and compared in the
//! tests with two others: a walk over every minute, and another implementation of RFC 5545.
//! Days are counted from 1970-01-01; rules with an interval count theirs from the day on which the
//! schedule was made, so a schedule is the same on every server and after every restart.
//!
//! Invariants: a schedule always comes round again, its instants are whole minutes and at least
//! an hour apart, and `next_after` and `last_until` know the same instants.

mod rule;

pub use rule::{BadRule, Rule};

use crate::Timestamp;

/// Rules that one schedule may have.
pub const RULES_MAX: usize = 24;
/// The least time between two instants, in minutes.
pub const APART_MIN: u16 = 60;

const DAY_MINUTES: u16 = 24 * 60;
const MINUTE_MICROS: i64 = 60_000_000;
const DAY_MICROS: i64 = 24 * 60 * MINUTE_MICROS;

/// When something is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    rules: Vec<Rule>,
    made_at: Timestamp,
    /// Nothing is due before.
    from: Timestamp,
}

/// Texts that make no schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadSchedule {
    /// There is none, or there are too many.
    #[error("must have 1 to {RULES_MAX} rules, not {0}")]
    Count(usize),
    /// One of them cannot be read.
    #[error("rule {number} ({text}): {problem}")]
    Rule {
        /// Which, from 1.
        number: usize,
        /// Its first characters.
        text: String,
        /// What is wrong.
        problem: BadRule,
    },
    /// One of them has no day, ever.
    #[error(
        "rule {number} never comes: every {every} days from the day the policy was made is always \
         the same weekday, and BYDAY does not name it"
    )]
    Never {
        /// Which, from 1.
        number: usize,
        /// Its interval.
        every: u32,
    },
    /// Two instants are too close.
    #[error("{first} and {second} are less than {APART_MIN} minutes apart")]
    TooClose {
        /// The earlier time of day.
        first: String,
        /// The later one.
        second: String,
    },
}

impl Schedule {
    /// The schedule of these rules, made at that time: before it nothing is due, and from its day
    /// intervals are counted.
    pub fn new<T: AsRef<str>>(texts: &[T], made_at: Timestamp) -> Result<Self, BadSchedule> {
        if texts.is_empty() || texts.len() > RULES_MAX {
            return Err(BadSchedule::Count(texts.len()));
        }
        let mut rules = Vec::with_capacity(texts.len());
        for (place, text) in texts.iter().enumerate() {
            let text = text.as_ref();
            let rule: Rule = text.parse().map_err(|problem| BadSchedule::Rule {
                number: place + 1,
                text: text.chars().take(80).collect(),
                problem,
            })?;
            rules.push(rule);
        }
        let schedule = Self {
            rules,
            made_at,
            from: made_at,
        };
        schedule.comes_round()?;
        schedule.is_spaced()?;
        Ok(schedule)
    }

    /// The same schedule, whose instants from `time` on are due even if it was made later: a clock
    /// that was set back must not stop it.
    #[must_use]
    pub fn reaching_back_to(self, time: Timestamp) -> Self {
        Self {
            from: self.from.min(time),
            ..self
        }
    }

    /// The first instant after `time`; `None` only at the end of what a clock can tell.
    pub fn next_after(&self, time: Timestamp) -> Option<Timestamp> {
        // Not before the schedule was made; an instant at that very time counts.
        let time = time.max(self.from.plus_micros(-1));
        let first = day_of(time);
        (first..=first.saturating_add(self.longest_pause())).find_map(|day| {
            self.times(day)
                .filter_map(|minute| instant(day, minute))
                .filter(|at| *at > time)
                .min()
        })
    }

    /// The last instant that is not after `time`; `None` if there was none yet.
    pub fn last_until(&self, time: Timestamp) -> Option<Timestamp> {
        let last = day_of(time);
        let first = last
            .saturating_sub(self.longest_pause())
            .max(day_of(self.from));
        (first..=last).rev().find_map(|day| {
            self.times(day)
                .filter_map(|minute| instant(day, minute))
                .filter(|at| *at <= time && *at >= self.from)
                .max()
        })
    }

    /// How many instants lie after `after` and not after `until`; at most `limit` are counted.
    pub fn count(&self, after: Timestamp, until: Timestamp, limit: usize) -> usize {
        std::iter::successors(self.next_after(after), |at| self.next_after(*at))
            .take_while(|at| *at <= until)
            .take(limit)
            .count()
    }

    /// The minutes of the rules that know that day.
    fn times(&self, day: i64) -> impl Iterator<Item = u16> {
        let since = day.saturating_sub(day_of(self.made_at));
        self.rules
            .iter()
            .filter(move |rule| rule.knows(since, weekday(day)))
            .flat_map(|rule| rule.times().iter().copied())
    }

    /// No two instants are further apart than so many days.
    fn longest_pause(&self) -> i64 {
        // A rule repeats itself after seven of its intervals at the latest; one day more because
        // the days that are asked for are cut off at both ends.
        let every = self.rules.iter().map(Rule::every).max().unwrap_or(1);
        7 * i64::from(every) + 1
    }

    fn comes_round(&self) -> Result<(), BadSchedule> {
        let first = day_of(self.made_at);
        for (place, rule) in self.rules.iter().enumerate() {
            let every = rule.every();
            let comes = (0..7 * i64::from(every)).any(|n| rule.knows(n, weekday(first + n)));
            if !comes {
                return Err(BadSchedule::Never {
                    number: place + 1,
                    every,
                });
            }
        }
        Ok(())
    }

    fn is_spaced(&self) -> Result<(), BadSchedule> {
        for one in &self.rules {
            for other in &self.rules {
                let (mut same, mut next) = (None, None);
                for &a in one.times() {
                    for &b in other.times() {
                        let clash = if a < b && b - a < APART_MIN {
                            *same.get_or_insert_with(|| self.meet(one, other, 0))
                        } else if DAY_MINUTES - a + b < APART_MIN {
                            *next.get_or_insert_with(|| self.meet(one, other, 1))
                        } else {
                            false
                        };
                        if clash {
                            return Err(BadSchedule::TooClose {
                                first: time_of_day(a),
                                second: time_of_day(b),
                            });
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether there is a day of `one` so many days before a day of `other`.
    fn meet(&self, one: &Rule, other: &Rule, later: i64) -> bool {
        let first = day_of(self.made_at);
        let turn = 7 * i64::from(one.every()) * i64::from(other.every());
        (0..turn).any(|n| {
            one.knows(n, weekday(first + n)) && other.knows(n + later, weekday(first + n + later))
        })
    }
}

/// Days from 1970-01-01.
const fn day_of(time: Timestamp) -> i64 {
    time.as_micros().div_euclid(DAY_MICROS)
}

/// 0 is Monday; the first day of 1970 was a Thursday.
fn weekday(day: i64) -> u8 {
    u8::try_from((day + 3).rem_euclid(7)).expect("a remainder of seven fits")
}

fn instant(day: i64, minute: u16) -> Option<Timestamp> {
    let start = day.checked_mul(DAY_MICROS)?;
    start
        .checked_add(i64::from(minute) * MINUTE_MICROS)
        .map(Timestamp::from_micros)
}

fn time_of_day(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

#[cfg(test)]
mod tests;
