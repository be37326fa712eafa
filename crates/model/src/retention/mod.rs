//! Which backups of one resource stay, and why each of the others goes.
//!
//! [`judge`] looks at the scheduled backups of one resource in the order in which they were made.
//! That order, not their times, says which is newer: a clock that somebody sets changes times, and
//! must not make an old backup new (docs/adr/0014-clockwork.md). Only good backups have a place in
//! the order, so a hundred failed ones push nothing out.
//!
//! A backup goes when its own rule says so and nothing else holds it. What holds a backup:
//! - it is the newest good one: retention never takes the last
//! - its age: the day that was set when it was made, whatever the policy says now; a day that
//!   somebody set by hand since is above the number, too
//! - its place among the newest, by the policy's number now, or, once the policy has none, by the
//!   number under which it was made
//! - it is the newest of one of the last days, weeks, months or years
//! - a long-term rule of weekdays or days of months
//! - in a vault that keeps what it promised, the rule under which it was made ([`Terms`])
//!
//! [`preview`] runs the same verdicts along a clock that is to come.
//!
//! Pure; the tests compare it with a second, slow and plain implementation.

mod long_term;
mod preview;
mod zone;

pub use preview::{Fate, Known, Life, Outlook, Run, TooMuch, preview};

pub use long_term::{LongTerm, MonthDays, WeekOfMonth, Weekdays};
pub use zone::{BadZone, Zone};

use std::collections::HashSet;

use crate::Timestamp;

/// Failed backups that are kept of one resource.
pub const FAILED_MAX: usize = 10;
/// Days that a failed backup is kept.
pub const FAILED_DAYS: i64 = 30;

/// How long the scheduled backups of a policy stay.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rule {
    /// The newest so many; whatever their number if absent.
    pub max_backups: Option<u32>,
    /// So many days; for ever if absent.
    pub duration_days: Option<u32>,
    /// The newest of so many days, weeks, months and years, beside the others.
    pub newest_of: NewestOf,
    /// By weekdays and days of months, beside the others.
    pub long_term: Vec<LongTerm>,
    /// Where days begin.
    pub zone: Zone,
}

/// Of how many periods the newest backup stays; none if 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NewestOf {
    /// Days.
    pub days: u32,
    /// Weeks, from Monday.
    pub weeks: u32,
    /// Months.
    pub months: u32,
    /// Years.
    pub years: u32,
}

/// A scheduled backup as retention sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// The instant it was made for: its day, week, month and year.
    pub at: Timestamp,
    /// Whether it can be restored as a whole.
    pub good: bool,
    /// The day that was set when it was made, or by hand since.
    pub expires_at: Option<Timestamp>,
    /// Whether somebody set that day by hand: it holds the backup, and ends it, whatever its
    /// place among the newest.
    pub day_by_hand: bool,
    /// The policy's number when it was made.
    pub max_backups: Option<u32>,
}

/// A backup and the rule that held when it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject {
    /// The backup.
    pub candidate: Candidate,
    /// Which of [`Terms::promised`]; none if nobody wrote that down: its own day and number count.
    pub made_under: Option<usize>,
}

/// What decides about the scheduled backups of a vault.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Terms {
    /// The rule of the vault's policy now, if it has one.
    pub rule: Option<Rule>,
    /// In a vault that keeps what it promised, the rules under which its backups were made:
    /// whoever lowers a rule there lets go of nothing that the rule of then still holds.
    pub promised: Option<Vec<Rule>>,
}

impl Terms {
    /// The verdict on each of the scheduled backups of one resource, of which the newest comes
    /// first.
    pub fn judge(&self, newest_first: &[Subject], now: Timestamp) -> Vec<Verdict> {
        let candidates: Vec<_> = newest_first.iter().map(|one| one.candidate).collect();
        let mut verdicts = judge(self.rule.as_ref(), &candidates, now);
        let Some(promised) = &self.promised else {
            return verdicts;
        };
        let unwritten = judge(None, &candidates, now);
        let written: Vec<_> = promised
            .iter()
            .map(|rule| judge(Some(rule), &candidates, now))
            .collect();
        for (place, verdict) in verdicts.iter_mut().enumerate() {
            let then = newest_first[place]
                .made_under
                .and_then(|rule| written.get(rule))
                .unwrap_or(&unwritten);
            if matches!(verdict, Verdict::Goes(_)) && matches!(then[place], Verdict::Stays(_)) {
                *verdict = Verdict::Stays(vec![Hold::Promised]);
            }
        }
        verdicts
    }
}

/// What becomes of a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It stays, for each of these reasons.
    Stays(Vec<Hold>),
    /// It goes.
    Goes(Cause),
}

/// What holds a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hold {
    /// It is the newest good one.
    Newest,
    /// It is among so many newest.
    Count(u32),
    /// It is among so many newest of those made while the policy had that number.
    FormerCount(u32),
    /// Its day has not come.
    Until(Timestamp),
    /// Nothing limits it.
    Forever,
    /// It is the newest of its day.
    NewestOfDay,
    /// It is the newest of its week.
    NewestOfWeek,
    /// It is the newest of its month.
    NewestOfMonth,
    /// It is the newest of its year.
    NewestOfYear,
    /// A long-term rule keeps it until then.
    LongTerm(Timestamp),
    /// The rule that it was made under, in a vault that keeps what it promised.
    Promised,
    /// It failed, and is kept for a look at it.
    Failed,
}

/// Why a backup goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// Its day has come.
    Expired(Timestamp),
    /// There are so many newer ones.
    Count(u32),
    /// There were so many newer ones of those made while the policy had that number.
    FormerCount(u32),
    /// It failed long ago.
    FailedLongAgo,
    /// So many newer ones failed, too.
    FailedTooOften,
}

/// The verdict on each of the scheduled backups of one resource, of which the newest comes first.
///
/// `rule` is that of the vault's policy now, if it has one.
pub fn judge(rule: Option<&Rule>, newest_first: &[Candidate], now: Timestamp) -> Vec<Verdict> {
    let mut judge = Judge::new(rule, now);
    newest_first.iter().map(|one| judge.look(one)).collect()
}

/// What is known from the newer backups when an older one is looked at.
struct Judge<'a> {
    rule: Option<&'a Rule>,
    now: Timestamp,
    good: u32,
    counted: u32,
    failed: usize,
    periods: [Periods; 4],
    long_term_days: HashSet<(usize, i32)>,
}

/// The periods of one kind whose newest backup is known.
#[derive(Default)]
struct Periods(HashSet<i32>);

impl<'a> Judge<'a> {
    fn new(rule: Option<&'a Rule>, now: Timestamp) -> Self {
        Self {
            rule,
            now,
            good: 0,
            counted: 0,
            failed: 0,
            periods: Default::default(),
            long_term_days: HashSet::new(),
        }
    }

    fn look(&mut self, one: &Candidate) -> Verdict {
        if !one.good {
            return self.failed(one);
        }
        let mut holds = Vec::new();
        if self.good == 0 {
            holds.push(Hold::Newest);
        }
        let own = self.by_own_rule(one);
        holds.extend(own.iter().flatten());
        self.good = self.good.saturating_add(1);
        self.counted = self
            .counted
            .saturating_add(u32::from(one.max_backups.is_some()));
        if let Some(rule) = self.rule {
            self.by_periods(rule, one, &mut holds);
            self.by_long_term(rule, one, &mut holds);
        }
        match own {
            Err(cause) if holds.is_empty() => Verdict::Goes(cause),
            _ => Verdict::Stays(holds),
        }
    }

    fn failed(&mut self, one: &Candidate) -> Verdict {
        self.failed += 1;
        if self.failed > FAILED_MAX {
            return Verdict::Goes(Cause::FailedTooOften);
        }
        if one.at.plus_seconds(FAILED_DAYS * 86_400) <= self.now {
            return Verdict::Goes(Cause::FailedLongAgo);
        }
        Verdict::Stays(vec![Hold::Failed])
    }

    /// Age and number. Where both apply, either can end a backup.
    fn by_own_rule(&self, one: &Candidate) -> Result<Vec<Hold>, Cause> {
        let mut holds = Vec::new();
        if let Some(day) = one.expires_at {
            if day <= self.now {
                return Err(Cause::Expired(day));
            }
            holds.push(Hold::Until(day));
            if one.day_by_hand {
                return Ok(holds);
            }
        }
        match (self.rule.and_then(|rule| rule.max_backups), one.max_backups) {
            (Some(max), _) if self.good >= max => return Err(Cause::Count(max)),
            (Some(max), _) => holds.push(Hold::Count(max)),
            (None, Some(max)) if self.counted >= max => return Err(Cause::FormerCount(max)),
            (None, Some(max)) => holds.push(Hold::FormerCount(max)),
            (None, None) if one.expires_at.is_none() => holds.push(Hold::Forever),
            (None, None) => {}
        }
        Ok(holds)
    }

    fn by_periods(&mut self, rule: &Rule, one: &Candidate, holds: &mut Vec<Hold>) {
        let of = rule.newest_of;
        let limits = [of.days, of.weeks, of.months, of.years];
        if limits == [0; 4] {
            return;
        }
        let names = rule.zone.periods(one.at);
        let kinds = [
            Hold::NewestOfDay,
            Hold::NewestOfWeek,
            Hold::NewestOfMonth,
            Hold::NewestOfYear,
        ];
        for (place, periods) in self.periods.iter_mut().enumerate() {
            let room = periods.0.len() < limits[place] as usize;
            if room && periods.0.insert(names[place]) {
                holds.push(kinds[place]);
            }
        }
    }

    fn by_long_term(&mut self, rule: &Rule, one: &Candidate, holds: &mut Vec<Hold>) {
        for (place, long_term) in rule.long_term.iter().enumerate() {
            let Some(until) = long_term.until(&rule.zone, one.at) else {
                continue;
            };
            let [day, ..] = rule.zone.periods(one.at);
            let first = self.long_term_days.insert((place, day));
            if first && self.now < until {
                holds.push(Hold::LongTerm(until));
            }
        }
    }
}

#[cfg(test)]
mod tests;
