//! Retention against a second implementation, plain and slow, and against histories that somebody
//! made to do harm.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const DAY: i64 = 86_400;
/// 2024-01-01T00:00:00Z, a Monday.
const START: i64 = 1_704_067_200;

fn at(seconds: i64) -> Timestamp {
    Timestamp::default().plus_seconds(START + seconds)
}

fn good(seconds: i64) -> Candidate {
    Candidate {
        at: at(seconds),
        good: true,
        expires_at: None,
        day_by_hand: false,
        max_backups: None,
    }
}

fn counted(max: u32) -> Rule {
    Rule {
        max_backups: Some(max),
        ..Rule::default()
    }
}

/// Which of the backups stay, by place.
fn stay(rule: &Rule, backups: &[Candidate], now: Timestamp) -> Vec<usize> {
    let verdicts = judge(Some(rule), backups, now);
    let stays = |(place, verdict)| matches!(verdict, Verdict::Stays(_)).then_some(place);
    verdicts.into_iter().enumerate().filter_map(stays).collect()
}

/// The civil date, weekday (0 is Monday) and days in the month of a local time, by counting.
fn civil(seconds: i64) -> (i64, i64, i64, i64, i64) {
    let days = seconds.div_euclid(DAY);
    let (mut year, mut left) = (1970, days);
    let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    while left >= 365 + i64::from(leap(year)) {
        left -= 365 + i64::from(leap(year));
        year += 1;
    }
    let lengths = [
        31,
        28 + i64::from(leap(year)),
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
        31,
    ];
    let weekday = (days + 3).rem_euclid(7);
    for (month, length) in (1..).zip(lengths) {
        if left < length {
            return (year, month, left + 1, weekday, length);
        }
        left -= length;
    }
    unreachable!("the months are as long as the year")
}

/// The second implementation: sets of places, built rule by rule over whole lists.
fn slow(rule: &Rule, offset: i64, backups: &[Candidate], now: Timestamp) -> Vec<usize> {
    let places: Vec<usize> = (0..backups.len()).filter(|n| backups[*n].good).collect();
    let local = |n: usize| backups[n].at.as_seconds() + offset;
    let mut kept: Vec<usize> = places.first().copied().into_iter().collect();
    for (rank, &n) in places.iter().enumerate() {
        let in_time = backups[n].expires_at.is_none_or(|day| day > now);
        let few = match (rule.max_backups, backups[n].max_backups) {
            (Some(max), _) => rank < max as usize,
            (None, Some(max)) => {
                let newer = places.iter().take(rank);
                newer.filter(|n| backups[**n].max_backups.is_some()).count() < max as usize
            }
            (None, None) => true,
        };
        if in_time && few {
            kept.push(n);
        }
    }
    let mut newest_of = |limit: u32, period: &dyn Fn(usize) -> (i64, i64)| {
        let mut firsts: Vec<((i64, i64), usize)> = Vec::new();
        for &n in &places {
            if firsts.iter().all(|(known, _)| *known != period(n)) {
                firsts.push((period(n), n));
            }
        }
        kept.extend(firsts.iter().take(limit as usize).map(|(_, n)| n));
    };
    let day = |n: usize| (local(n).div_euclid(DAY), 0);
    newest_of(rule.newest_of.days, &day);
    // Weeks from Monday; day 4 of 1970 was the first Monday.
    newest_of(rule.newest_of.weeks, &|n| {
        ((local(n).div_euclid(DAY) - 4).div_euclid(7), 0)
    });
    newest_of(rule.newest_of.months, &|n| {
        let (year, month, ..) = civil(local(n));
        (year, month)
    });
    newest_of(rule.newest_of.years, &|n| (civil(local(n)).0, 0));
    for long_term in &rule.long_term {
        let mut newest_of_day = BTreeMap::new();
        for &n in places.iter().rev() {
            newest_of_day.insert(day(n), n);
        }
        for n in newest_of_day.into_values() {
            if holds(long_term, local(n), now.as_seconds() + offset) {
                kept.push(n);
            }
        }
    }
    let failed = (0..backups.len())
        .filter(|n| !backups[*n].good)
        .take(FAILED_MAX);
    kept.extend(failed.filter(|n| backups[*n].at.plus_seconds(FAILED_DAYS * DAY) > now));
    kept.sort_unstable();
    kept.dedup();
    kept
}

/// Whether a long-term rule keeps a backup of that local time at that local time.
fn holds(rule: &LongTerm, made: i64, now: i64) -> bool {
    let (year, month, day, weekday, length) = civil(made);
    let on = |days: &MonthDays| match days {
        MonthDays::Days(days) => days
            .iter()
            .any(|d| i64::from(*d) == day || (*d == -1 && day == length)),
        MonthDays::Weeks(weeks, weekdays) => {
            weekdays.0 >> weekday & 1 == 1
                && weeks.iter().any(|week| match week {
                    WeekOfMonth::Nth(n) => (day - 1) / 7 == i64::from(*n),
                    WeekOfMonth::Last => day + 7 > length,
                })
        }
    };
    // So many months after the made one, on the same day or the month's last, at the same time.
    let later = |months: i64| {
        let total = year * 12 + month - 1 + months;
        let (year, month) = (total.div_euclid(12), total.rem_euclid(12) + 1);
        let (now_year, now_month, now_day, _, now_length) = civil(now);
        let due = (
            year,
            month,
            day.min(if (year, month) == (now_year, now_month) {
                now_length
            } else {
                31
            }),
            made.rem_euclid(DAY),
        );
        (now_year, now_month, now_day, now.rem_euclid(DAY)) < due
    };
    match rule {
        LongTerm::Weekly { days, weeks } => {
            days.0 >> weekday & 1 == 1 && now < made + i64::from(*weeks) * 7 * DAY
        }
        LongTerm::Monthly { days, months } => on(days) && later(i64::from(*months)),
        LongTerm::Yearly {
            months,
            days,
            years,
        } => months >> (month - 1) & 1 == 1 && on(days) && later(i64::from(*years) * 12),
    }
}

fn month_days() -> impl Strategy<Value = MonthDays> {
    let days = proptest::collection::vec(prop_oneof![1..=28_i8, Just(-1)], 1..4);
    let week = prop_oneof![
        (0..4_u8).prop_map(WeekOfMonth::Nth),
        Just(WeekOfMonth::Last)
    ];
    prop_oneof![
        days.prop_map(MonthDays::Days),
        (proptest::collection::vec(week, 1..3), 1..128_u8)
            .prop_map(|(weeks, days)| MonthDays::Weeks(weeks, Weekdays(days))),
    ]
}

fn long_term() -> impl Strategy<Value = LongTerm> {
    prop_oneof![
        (1..128_u8, 1..60_u32).prop_map(|(days, weeks)| LongTerm::Weekly {
            days: Weekdays(days),
            weeks
        }),
        (month_days(), 1..20_u32).prop_map(|(days, months)| LongTerm::Monthly { days, months }),
        (1..4096_u16, month_days(), 1..3_u32).prop_map(|(months, days, years)| {
            LongTerm::Yearly {
                months,
                days,
                years,
            }
        }),
    ]
}

fn rule() -> impl Strategy<Value = Rule> {
    let few = || prop_oneof![2 => Just(0), 1 => 1..6_u32];
    let newest_of = (few(), few(), few(), few());
    let long_term = proptest::collection::vec(long_term(), 0..3);
    let max = proptest::option::of(1..8_u32);
    (max, newest_of, long_term).prop_map(
        |(max_backups, (days, weeks, months, years), long_term)| Rule {
            max_backups,
            duration_days: None,
            newest_of: NewestOf {
                days,
                weeks,
                months,
                years,
            },
            long_term,
            zone: Zone::default(),
        },
    )
}

fn history() -> impl Strategy<Value = Vec<Candidate>> {
    // Up to ten weeks between two backups; now and then the clock went back.
    let one = (
        -DAY..40 * DAY,
        prop::bool::weighted(0.8),
        proptest::option::weighted(0.3, 1..500_i64),
        proptest::option::weighted(0.3, 1..6_u32),
    );
    proptest::collection::vec(one, 0..40).prop_map(|steps| {
        let mut seconds = 0;
        let mut made: Vec<Candidate> = steps
            .into_iter()
            .map(|(step, good, days, max_backups)| {
                seconds += step;
                Candidate {
                    at: at(seconds),
                    good,
                    expires_at: days.map(|days| at(seconds + days * DAY)),
                    day_by_hand: false,
                    max_backups,
                }
            })
            .collect();
        made.reverse();
        made
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_plain_and_slow_implementation_agrees(
        rule in rule(), backups in history(), quarters in -48..=56_i64, later in 0..900_i64,
    ) {
        let offset = quarters * 900;
        let sign = if offset < 0 { '-' } else { '+' };
        let (hours, minutes) = (offset.abs() / 3600, offset.abs() % 3600 / 60);
        let zone: Zone = format!("UTC{sign}{hours:02}:{minutes:02}").parse().unwrap();
        let rule = Rule { zone, ..rule };
        let newest = backups.first().map_or(at(0), |newest| newest.at);
        let now = newest.plus_seconds(later * DAY);
        prop_assert_eq!(stay(&rule, &backups, now), slow(&rule, offset, &backups, now));
    }

    #[test]
    fn the_newest_good_backup_never_goes(rule in rule(), backups in history()) {
        let far = at(100_000 * DAY);
        if let Some(newest) = backups.iter().position(|one| one.good) {
            prop_assert!(stay(&rule, &backups, far).contains(&newest));
            let without = judge(None, &backups, far);
            let stays = matches!(&without[newest], Verdict::Stays(_));
            prop_assert!(stays);
        }
    }

    #[test]
    fn failed_backups_push_no_good_one_out(
        rule in rule(), backups in history(), bad in 1..50_usize,
    ) {
        let now = backups.first().map_or(at(0), |newest| newest.at);
        let failed = Candidate { good: false, ..good(0) };
        let mut flooded = vec![failed; bad];
        flooded.extend(backups.iter().copied());
        let before = stay(&rule, &backups, now);
        let after = stay(&rule, &flooded, now);
        for place in before.into_iter().filter(|place| backups[*place].good) {
            prop_assert!(after.contains(&(place + bad)));
        }
    }
}

#[test]
fn the_newest_so_many_stay_and_each_says_why() {
    let backups = [good(3 * DAY), good(2 * DAY), good(DAY)];
    let verdicts = judge(Some(&counted(2)), &backups, at(3 * DAY));
    assert_eq!(
        verdicts,
        [
            Verdict::Stays(vec![Hold::Newest, Hold::Count(2)]),
            Verdict::Stays(vec![Hold::Count(2)]),
            Verdict::Goes(Cause::Count(2)),
        ]
    );
}

#[test]
fn age_ends_a_backup_on_the_day_that_was_set_when_it_was_made() {
    let until = |seconds, days| Candidate {
        expires_at: Some(at(seconds + days * DAY)),
        ..good(seconds)
    };
    let backups = [until(3 * DAY, 5), until(2 * DAY, 5), until(0, 90)];
    // The policy says 5 days now; the oldest was made when it said 90.
    let rule = Rule {
        duration_days: Some(5),
        ..Rule::default()
    };
    assert_eq!(stay(&rule, &backups, at(7 * DAY)), [0, 2]);
    assert_eq!(stay(&rule, &backups, at(89 * DAY)), [0, 2]);
    assert_eq!(stay(&rule, &backups, at(90 * DAY)), [0]);
}

#[test]
fn from_number_to_age_the_old_keep_their_number_among_themselves() {
    let old = |seconds| Candidate {
        max_backups: Some(2),
        ..good(seconds)
    };
    let new = |seconds| Candidate {
        expires_at: Some(at(seconds + 30 * DAY)),
        ..good(seconds)
    };
    let rule = Rule {
        duration_days: Some(30),
        ..Rule::default()
    };
    let backups = [
        new(5 * DAY),
        new(4 * DAY),
        new(3 * DAY),
        old(2 * DAY),
        old(DAY),
        old(0),
    ];
    assert_eq!(stay(&rule, &backups, at(5 * DAY)), [0, 1, 2, 3, 4]);
    assert_eq!(stay(&rule, &backups, at(500 * DAY)), [0, 3, 4]);
}

#[test]
fn from_age_to_number_both_end_the_old() {
    let old = |seconds, days| Candidate {
        expires_at: Some(at(seconds + days * DAY)),
        ..good(seconds)
    };
    let backups = [
        good(5 * DAY),
        good(4 * DAY),
        old(3 * DAY, 90),
        old(2 * DAY, 90),
    ];
    assert_eq!(stay(&counted(3), &backups, at(5 * DAY)), [0, 1, 2]);
    assert_eq!(stay(&counted(3), &backups, at(93 * DAY)), [0, 1]);
}

#[test]
fn a_policy_that_says_nothing_keeps_everything() {
    let backups: Vec<_> = (0..50).rev().map(|day| good(day * DAY)).collect();
    assert_eq!(stay(&Rule::default(), &backups, at(9999 * DAY)).len(), 50);
    let gone = judge(None, &backups, at(9999 * DAY));
    assert!(
        gone.iter()
            .all(|verdict| matches!(verdict, Verdict::Stays(_)))
    );
}

#[test]
fn of_failed_backups_ten_stay_a_month() {
    let failed = |day: i64| Candidate {
        good: false,
        ..good(day * DAY)
    };
    let backups: Vec<_> = (0..12).rev().map(failed).collect();
    assert_eq!(stay(&counted(1), &backups, at(12 * DAY)).len(), 10);
    assert_eq!(stay(&counted(1), &backups, at(35 * DAY)).len(), 6);
    assert_eq!(stay(&counted(1), &backups, at(42 * DAY)).len(), 0);
}

#[test]
fn order_of_making_decides_what_is_newer_whatever_the_clock_said() {
    // The clock was a year ahead for one night, and a year behind for another.
    let backups = [
        good(5 * DAY),
        good(-365 * DAY),
        good(365 * DAY),
        good(2 * DAY),
    ];
    assert_eq!(stay(&counted(2), &backups, at(5 * DAY)), [0, 1]);
}

#[test]
fn days_begin_where_the_zone_says_through_daylight_saving() {
    // 2024-03-31: clocks in Berlin go from 02:00 to 03:00, and midnight is at 23:00Z the day
    // before and at 22:00Z the day after.
    let berlin: Zone = "Europe/Berlin".parse().unwrap();
    let days = |zone: Zone, count| Rule {
        max_backups: Some(1),
        newest_of: NewestOf {
            days: count,
            ..NewestOf::default()
        },
        zone,
        ..Rule::default()
    };
    let march = |day: i64, hour: i64| good((59 + day) * DAY + hour * 3600);
    // Local: 31st 00:30 (22:30Z would still be the 30th), 31st 23:30, 1 April 00:30.
    let backups = [
        Candidate {
            at: at(90 * DAY + 22 * 3600 + 1800),
            ..good(0)
        },
        Candidate {
            at: at(90 * DAY + 21 * 3600 + 1800),
            ..good(0)
        },
        Candidate {
            at: at(89 * DAY + 23 * 3600 + 1800),
            ..good(0)
        },
        Candidate {
            at: at(89 * DAY + 22 * 3600 + 1800),
            ..good(0)
        },
    ];
    assert_eq!(stay(&days(berlin, 9), &backups, at(91 * DAY)), [0, 1, 3]);
    let winter: Zone = "UTC+01:00".parse().unwrap();
    assert_eq!(stay(&days(winter, 9), &backups, at(91 * DAY)), [0, 3]);
    assert_eq!(march(1, 0).at, at(60 * DAY));
}

#[test]
fn the_end_of_a_day_follows_its_zone() {
    for (zone, seconds) in [
        ("UTC+00:00", 366 * DAY),
        ("UTC+08:00", 366 * DAY - 8 * 3600),
        ("UTC-03:30", 366 * DAY + 3 * 3600 + 1800),
        ("Europe/Berlin", 366 * DAY - 3600),
    ] {
        let zone: Zone = zone.parse().unwrap();
        assert_eq!(zone.end_of_day(2024, 12, 31), Some(at(seconds)), "{zone}");
        assert_eq!(zone.end_of_day(2024, 2, 30), None);
    }
}
