//! The preview against a clock that really goes on, hour by hour.

use proptest::prelude::*;

use super::*;
use crate::retention::{LongTerm, NewestOf, Rule, Weekdays};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

fn at(hours: i64) -> Timestamp {
    Timestamp::default().plus_seconds(1_704_067_200 + hours * HOUR)
}

fn good(hours: i64) -> Candidate {
    Candidate {
        at: at(hours),
        good: true,
        expires_at: None,
        day_by_hand: false,
        max_backups: None,
    }
}

fn known(backups: &[Candidate]) -> Vec<Known<usize>> {
    backups
        .iter()
        .enumerate()
        .map(|(key, candidate)| Known {
            key,
            subject: Subject {
                candidate: *candidate,
                made_under: None,
            },
        })
        .collect()
}

/// A run every so many hours.
fn runs(every: i64, until: i64) -> Vec<Run> {
    (1..=until / every)
        .map(|n| Run {
            due: at(n * every),
            start: at(n * every),
        })
        .collect()
}

fn outlook(terms: &Terms, days: i64) -> Outlook<'_> {
    Outlook {
        terms,
        made_under: None,
        now: at(0),
        until: at(days * 24),
        deletes_from: at(0),
    }
}

/// What exists at the end and what went when, by letting the clock go on hour by hour.
fn walked(
    outlook: &Outlook<'_>,
    known: &[Known<usize>],
    runs: &[Run],
    hours: i64,
) -> Vec<(Timestamp, Option<(Timestamp, Cause)>)> {
    let mut there: Vec<Subject> = known.iter().map(|one| one.subject).collect();
    let mut lives = Vec::new();
    for hour in 0..=hours {
        let now = at(hour);
        for run in runs.iter().filter(|run| run.start == now) {
            let rule = outlook.terms.rule.as_ref();
            let days = rule.and_then(|rule| rule.duration_days);
            let candidate = Candidate {
                at: run.due,
                expires_at: days.map(|days| now.plus_seconds(i64::from(days) * DAY)),
                max_backups: rule.and_then(|rule| rule.max_backups),
                ..good(0)
            };
            let made_under = outlook.made_under;
            there.insert(
                0,
                Subject {
                    candidate,
                    made_under,
                },
            );
        }
        if now < outlook.deletes_from {
            continue;
        }
        let verdicts = outlook.terms.judge(&there, now);
        let mut left = Vec::new();
        for (one, verdict) in there.into_iter().zip(verdicts) {
            match verdict {
                Verdict::Goes(cause) => lives.push((one.candidate.at, Some((now, cause)))),
                Verdict::Stays(_) => left.push(one),
            }
        }
        there = left;
    }
    lives.extend(there.iter().map(|one| (one.candidate.at, None)));
    lives.sort_by_key(|(due, _)| std::cmp::Reverse(*due));
    lives
}

fn summed(lives: &[Life<usize>]) -> Vec<(Timestamp, Option<(Timestamp, Cause)>)> {
    let fate = |life: &Life<usize>| match &life.fate {
        Fate::Stays(_) => None,
        Fate::Goes { at, cause } => Some((*at, *cause)),
    };
    lives.iter().map(|life| (life.due, fate(life))).collect()
}

fn rules() -> impl Strategy<Value = Rule> {
    let few = || prop_oneof![2 => Just(0), 1 => 1..4_u32];
    (
        prop_oneof![
            Just((None, None)),
            (1..6_u32).prop_map(|max| (Some(max), None)),
            (1..12_u32).prop_map(|days| (None, Some(days))),
        ],
        (few(), few(), few()),
        proptest::option::of((1..128_u8, 1..4_u32)),
    )
        .prop_map(
            |((max_backups, duration_days), (days, weeks, months), weekly)| Rule {
                max_backups,
                duration_days,
                newest_of: NewestOf {
                    days,
                    weeks,
                    months,
                    years: 0,
                },
                long_term: weekly
                    .map(|(days, weeks)| LongTerm::Weekly {
                        days: Weekdays(days),
                        weeks,
                    })
                    .into_iter()
                    .collect(),
                zone: "Europe/Berlin".parse().unwrap(),
            },
        )
}

fn histories() -> impl Strategy<Value = Vec<Candidate>> {
    let one = (
        1..60_i64,
        prop::bool::weighted(0.85),
        proptest::option::weighted(0.4, 1..40_i64),
        prop::bool::weighted(0.2),
        proptest::option::weighted(0.4, 1..6_u32),
    );
    proptest::collection::vec(one, 0..12).prop_map(|steps| {
        let mut hours = 0;
        steps
            .into_iter()
            .map(|(step, good_one, days, by_hand, max_backups)| {
                hours -= step;
                Candidate {
                    good: good_one,
                    expires_at: days.map(|days| at(hours + days * 24)),
                    day_by_hand: by_hand && days.is_some(),
                    max_backups,
                    ..good(hours)
                }
            })
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn the_preview_is_what_the_clock_does(
        rule in proptest::option::of(rules()),
        then in proptest::option::of(rules()),
        history in histories(),
        every in 5..40_i64,
        days in 0..30_i64,
        believed in prop_oneof![2 => Just(0), 1 => 1..30_i64],
    ) {
        let promised = then.map(|then| rule.iter().cloned().chain([then]).collect::<Vec<_>>());
        let made_under = promised.as_ref().and(rule.as_ref()).map(|_| 0);
        let places = promised.as_ref().map_or(0, Vec::len);
        let terms = Terms { rule, promised };
        let mut known = known(&history);
        for one in &mut known {
            // Some of them nobody wrote down.
            one.subject.made_under = Some(one.key).filter(|_| places > 0 && one.key % 3 > 0)
                .map(|key| key % places);
        }
        let runs = runs(every, days * 24);
        let outlook = Outlook {
            made_under,
            deletes_from: at(believed),
            ..outlook(&terms, days)
        };
        let lives = preview(&outlook, &known, runs.clone(), &mut 1_000_000).unwrap();
        prop_assert_eq!(summed(&lives), walked(&outlook, &known, &runs, days * 24));
    }

    #[test]
    fn lowering_a_rule_lets_go_of_nothing_that_was_promised(
        then in rules(), now in proptest::option::of(rules()), every in 5..40_i64,
    ) {
        let runs = runs(every, 20 * 24);
        let all: Vec<_> = runs.iter().rev().map(|run| Subject {
            candidate: Candidate {
                at: run.due,
                expires_at: then.duration_days.map(|d| run.start.plus_seconds(i64::from(d) * DAY)),
                max_backups: then.max_backups,
                ..good(0)
            },
            made_under: Some(0),
        }).collect();
        let before = Terms { rule: Some(then.clone()), promised: None };
        let after = Terms { rule: now, promised: Some(vec![then]) };
        for hour in [20 * 24, 25 * 24, 60 * 24] {
            let (kept, keeps) = (before.judge(&all, at(hour)), after.judge(&all, at(hour)));
            for (then, now) in kept.iter().zip(&keeps) {
                let lost = matches!((then, now), (Verdict::Stays(_), Verdict::Goes(_)));
                prop_assert!(!lost, "{:?} became {:?}", then, now);
            }
        }
    }
}

#[test]
fn it_says_why_each_backup_goes_and_what_holds_the_others() {
    let terms = Terms {
        rule: Some(Rule {
            max_backups: Some(2),
            ..Rule::default()
        }),
        promised: None,
    };
    let lives = preview(
        &outlook(&terms, 2),
        &known(&[good(-12)]),
        runs(24, 48),
        &mut 100,
    )
    .unwrap();
    let gone = Fate::Goes {
        at: at(48),
        cause: Cause::Count(2),
    };
    assert_eq!(lives.len(), 3);
    assert_eq!(
        lives[0].fate,
        Fate::Stays(vec![Hold::Newest, Hold::Count(2)])
    );
    assert_eq!((lives[0].key, lives[0].begins), (None, Some(at(48))));
    assert_eq!(lives[1].fate, Fate::Stays(vec![Hold::Count(2)]));
    assert_eq!((lives[2].key, &lives[2].fate), (Some(0), &gone));
}

#[test]
fn a_preview_that_would_take_too_long_is_refused() {
    let terms = Terms::default();
    let mut steps = 1000;
    let refused = preview(
        &outlook(&terms, 60),
        &known(&[]),
        runs(1, 60 * 24),
        &mut steps,
    );
    assert_eq!(refused, Err(TooMuch));
}
