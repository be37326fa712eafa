//! What retention will do: which backups of one resource exist on a day to come, and why and when
//! each of the others goes.
//!
//! The preview runs the verdicts of today's code along the times at which one of them can change:
//! a run makes a backup, a day ends, a long-term rule ends. It supposes that every run succeeds,
//! that nobody changes a policy, and that retention looks often.
//!
//! Pure. The tests compare it with a clock that goes on hour by hour.

use std::collections::VecDeque;

use super::{Candidate, Cause, FAILED_DAYS, Hold, Subject, Terms, Verdict};
use crate::Timestamp;

/// A backup there is, or one that a run will make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known<K> {
    /// What the caller calls it.
    pub key: K,
    /// What retention sees of it.
    pub subject: Subject,
}

/// A run to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// The instant of the calendar.
    pub due: Timestamp,
    /// When it starts: the backup is there from then on.
    pub start: Timestamp,
}

/// Between which times and under what the preview runs.
#[derive(Debug, Clone, Copy)]
pub struct Outlook<'a> {
    /// What decides.
    pub terms: &'a Terms,
    /// Which of the promised rules new backups are made under.
    pub made_under: Option<usize>,
    /// From here.
    pub now: Timestamp,
    /// To here.
    pub until: Timestamp,
    /// Before this time nothing goes, because the clock is not believed yet.
    pub deletes_from: Timestamp,
}

/// A backup's life as far as the preview looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Life<K> {
    /// What the caller calls it; none for one that is not made yet.
    pub key: Option<K>,
    /// The instant it is made for.
    pub due: Timestamp,
    /// From when on it is there; none for one that is there already.
    pub begins: Option<Timestamp>,
    /// What becomes of it.
    pub fate: Fate,
}

/// What becomes of a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It is there at the end, for each of these reasons.
    Stays(Vec<Hold>),
    /// It goes.
    Goes {
        /// When.
        at: Timestamp,
        /// Why.
        cause: Cause,
    },
}

/// The preview would take too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("so much happens until then that the preview would take too long: name a nearer day")]
pub struct TooMuch;

/// A backup that is there while the clock goes on.
struct Alive<K> {
    life: Life<K>,
    subject: Subject,
    /// When a verdict on it can change without a run, the last one first.
    turns: Vec<Timestamp>,
}

/// The lives of one resource's scheduled backups until the outlook's end, the newest first.
///
/// `steps` is how many verdicts may be worked out; what was used is taken off it, so that several
/// resources can share one limit.
pub fn preview<K: Copy>(
    outlook: &Outlook<'_>,
    newest_first: &[Known<K>],
    runs: impl IntoIterator<Item = Run>,
    steps: &mut u64,
) -> Result<Vec<Life<K>>, TooMuch> {
    let mut runs = runs.into_iter().peekable();
    let mut alive: VecDeque<_> = newest_first
        .iter()
        .map(|known| Alive::known(outlook, known))
        .collect();
    let mut ended = Vec::new();
    let mut now = outlook.now;
    loop {
        while let Some(run) = runs.next_if(|run| run.start <= now) {
            alive.push_front(Alive::made_by(outlook, run));
        }
        let subjects: Vec<_> = alive.iter().map(|one| one.subject).collect();
        *steps = steps.checked_sub(subjects.len() as u64).ok_or(TooMuch)?;
        let verdicts = outlook.terms.judge(&subjects, now);
        let mut stay = VecDeque::with_capacity(alive.len());
        for (mut one, verdict) in alive.drain(..).zip(verdicts) {
            match verdict {
                Verdict::Goes(cause) if now >= outlook.deletes_from => {
                    one.life.fate = Fate::Goes { at: now, cause };
                    ended.push(one.life);
                }
                // It would go, but for the clock.
                Verdict::Goes(_) => stay.push_back(one),
                Verdict::Stays(holds) => {
                    one.life.fate = Fate::Stays(holds);
                    stay.push_back(one);
                }
            }
        }
        alive = stay;
        let turns = alive.iter_mut().filter_map(|one| one.next_turn(now));
        let next = turns
            .chain(runs.peek().map(|run| run.start))
            .chain((outlook.deletes_from > now).then_some(outlook.deletes_from))
            .min();
        match next.filter(|next| *next <= outlook.until) {
            Some(next) => now = next,
            None => break,
        }
    }
    let mut lives: Vec<_> = alive.into_iter().map(|one| one.life).chain(ended).collect();
    lives.sort_by_key(|life| std::cmp::Reverse(life.due));
    Ok(lives)
}

impl<K: Copy> Alive<K> {
    fn known(outlook: &Outlook<'_>, known: &Known<K>) -> Self {
        let life = Life {
            key: Some(known.key),
            due: known.subject.candidate.at,
            begins: None,
            fate: Fate::Stays(Vec::new()),
        };
        Self::new(outlook, life, known.subject)
    }

    fn made_by(outlook: &Outlook<'_>, run: Run) -> Self {
        let rule = outlook.terms.rule.as_ref();
        let days = rule.and_then(|rule| rule.duration_days);
        let expires = |days| run.start.plus_seconds(i64::from(days) * 86_400);
        let candidate = Candidate {
            at: run.due,
            good: true,
            expires_at: days.map(expires),
            day_by_hand: false,
            max_backups: rule.and_then(|rule| rule.max_backups),
        };
        let life = Life {
            key: None,
            due: run.due,
            begins: Some(run.start),
            fate: Fate::Stays(Vec::new()),
        };
        let subject = Subject {
            candidate,
            made_under: outlook.made_under,
        };
        Self::new(outlook, life, subject)
    }

    fn new(outlook: &Outlook<'_>, life: Life<K>, subject: Subject) -> Self {
        let one = subject.candidate;
        let terms = outlook.terms;
        let mut turns: Vec<_> = terms
            .rule
            .iter()
            .chain(terms.promised.iter().flatten())
            .flat_map(|rule| {
                let long_term = rule.long_term.iter();
                long_term.filter_map(|long_term| long_term.until(&rule.zone, one.at))
            })
            .chain(one.expires_at)
            .chain((!one.good).then(|| one.at.plus_seconds(FAILED_DAYS * 86_400)))
            .collect();
        turns.sort_unstable_by(|a, b| b.cmp(a));
        Self {
            life,
            subject,
            turns,
        }
    }

    fn next_turn(&mut self, now: Timestamp) -> Option<Timestamp> {
        while self.turns.last().is_some_and(|turn| *turn <= now) {
            self.turns.pop();
        }
        self.turns.last().copied()
    }
}

#[cfg(test)]
mod tests;
