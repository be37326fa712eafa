//! Whether the clock is believed: what time it was at the last round, and what became of it since.
//!
//! Backups are made by whatever the clock says, for one too many does no harm. They are deleted
//! only by a time that is believed. A clock that jumps forward may have been set to make every
//! backup old, or the service may have stood still; nobody can tell, so after a jump nothing is
//! deleted until a day has gone by at the new time, in which somebody may notice. A clock that
//! was set back repeats instants that were done already, so it begins a new era of them.
//!
//! Invariants: the era never falls; the highest time ever believed never falls, and the days of
//! new backups are counted from it.

use serde::{Deserialize, Serialize};
use strongroom_catalog::Tx;
use strongroom_model::Timestamp;

use crate::{Error, Result};

/// Where the catalog keeps it.
const NAME: &str = "clock";
/// A clock that moves further than this between two rounds is not believed at once.
const STEP_MAX_SECONDS: i64 = 3600;
/// For so long a clock that jumped must go on evenly.
const HOLD_SECONDS: i64 = 86_400;

/// What is known of the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ledger {
    /// What it said at the last round.
    pub(crate) last: Timestamp,
    /// The highest time that was ever believed.
    pub(crate) highest: Timestamp,
    /// How often it was set back.
    pub(crate) era: u64,
    /// Since when it goes on evenly after a jump; none if it is believed.
    pub(crate) held_since: Option<Timestamp>,
}

/// What the clock did since the last round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// It went on.
    Even,
    /// It jumped forward.
    Forward,
    /// It was set back.
    Back,
}

impl Ledger {
    /// What is known before the first round: the clock as it is.
    const fn new(now: Timestamp) -> Self {
        Self {
            last: now,
            highest: now,
            era: 0,
            held_since: None,
        }
    }

    /// What the catalog says; the clock as it is if there never was a round.
    pub(crate) fn read(tx: &Tx<'_>, now: Timestamp) -> Result<Self> {
        match tx.settings().get(NAME)? {
            None => Ok(Self::new(now)),
            Some(text) => serde_json::from_str(&text)
                .map_err(|error| Error::bug("the catalog holds an unreadable clock", error)),
        }
    }

    /// Notes what the clock says now.
    pub(crate) fn tick(tx: &Tx<'_>, now: Timestamp) -> Result<(Self, Step)> {
        let (ledger, step) = Self::read(tx, now)?.moved(now);
        let text = serde_json::to_string(&ledger)
            .map_err(|error| Error::bug("the clock cannot be written down", error))?;
        tx.settings().set(NAME, &text)?;
        Ok((ledger, step))
    }

    fn moved(self, now: Timestamp) -> (Self, Step) {
        let step = match now.micros_since(self.last) / 1_000_000 {
            seconds if seconds > STEP_MAX_SECONDS => Step::Forward,
            seconds if seconds < -STEP_MAX_SECONDS => Step::Back,
            _ => Step::Even,
        };
        let mut next = Self { last: now, ..self };
        match step {
            Step::Even => {
                let over = |since: Timestamp| now >= since.plus_seconds(HOLD_SECONDS);
                next.held_since = self.held_since.filter(|since| !over(*since));
            }
            Step::Forward => next.held_since = Some(now),
            Step::Back => {
                next.held_since = Some(now);
                next.era += 1;
            }
        }
        if next.held_since.is_none() {
            next.highest = next.highest.max(now);
        }
        (next, step)
    }

    /// The time by which backups may be deleted; none while the clock is not believed.
    pub(crate) fn believed(&self, now: Timestamp) -> Option<Timestamp> {
        let moved = now.micros_since(self.last).abs() > STEP_MAX_SECONDS * 1_000_000;
        if self.held_since.is_some() || moved {
            None
        } else {
            Some(now)
        }
    }

    /// The first time from which backups may be deleted, if the clock goes on evenly.
    pub(crate) fn deletes_from(&self, now: Timestamp) -> Timestamp {
        let moved = now.micros_since(self.last).abs() > STEP_MAX_SECONDS * 1_000_000;
        let since = if moved { Some(now) } else { self.held_since };
        since.map_or(now, |since| since.plus_seconds(HOLD_SECONDS).max(now))
    }

    /// The time from which the days of a backup that is made now are counted.
    pub(crate) fn counted_from(&self, now: Timestamp) -> Timestamp {
        self.highest.max(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3600;

    fn at(hours: i64) -> Timestamp {
        Timestamp::default().plus_seconds(hours * HOUR)
    }

    /// The ledger after a round at each of these hours.
    fn after(hours: impl IntoIterator<Item = i64>) -> (Ledger, Step) {
        let start = (Ledger::new(at(1000)), Step::Even);
        let rounds = hours.into_iter();
        rounds.fold(start, |(ledger, _), hour| ledger.moved(at(hour)))
    }

    #[test]
    fn an_even_clock_is_believed() {
        let (ledger, step) = after(1000..1100);
        assert_eq!(step, Step::Even);
        assert_eq!(ledger.believed(at(1099)), Some(at(1099)));
        assert_eq!(ledger.counted_from(at(1099)), at(1099));
    }

    #[test]
    fn after_a_jump_nothing_is_believed_for_a_day() {
        let (ledger, step) = after([1000, 9000]);
        assert_eq!((step, ledger.era), (Step::Forward, 0));
        assert_eq!(ledger.believed(at(9000)), None);
        assert_eq!(
            after([1000].into_iter().chain(9000..9024))
                .0
                .believed(at(9023)),
            None
        );
        let (ledger, _) = after([1000].into_iter().chain(9000..9025));
        assert_eq!(ledger.believed(at(9024)), Some(at(9024)));
        // What jumps again waits again.
        let (ledger, _) = after([1000].into_iter().chain(9000..9020).chain([9900]));
        assert_eq!(ledger.believed(at(9900)), None);
    }

    #[test]
    fn a_jump_that_is_taken_back_was_never_believed() {
        let (ledger, step) = after([1000, 9000, 1001]);
        assert_eq!((step, ledger.era), (Step::Back, 1));
        assert_eq!(ledger.highest, at(1000));
        assert_eq!(ledger.counted_from(at(1001)), at(1001));
    }

    #[test]
    fn days_of_backups_made_while_the_clock_is_behind_count_from_the_highest_time() {
        let (ledger, _) = after([1000, 100]);
        assert_eq!(ledger.counted_from(at(100)), at(1000));
    }

    #[test]
    fn between_two_rounds_a_clock_that_jumped_is_not_believed_either() {
        let (ledger, _) = after([1000]);
        assert_eq!(ledger.believed(at(1000 + 2)), None);
    }
}
