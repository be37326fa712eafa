//! The calendar against a walk over every minute, and against python-dateutil's answers.

use proptest::prelude::*;
use serde_json::Value;

use super::*;

const OCCURRENCES: &str = include_str!("../../../../fixtures/schedule/occurrences.json");

fn minute(minutes: i64) -> Timestamp {
    Timestamp::from_micros(minutes * MINUTE_MICROS)
}

fn schedule(rules: &[&str]) -> Result<Schedule, BadSchedule> {
    Schedule::new(rules, minute(0))
}

fn said(rules: &[&str]) -> String {
    schedule(rules).unwrap_err().to_string()
}

#[test]
fn dateutil_knows_the_same_instants() {
    let cases: Vec<Value> = serde_json::from_str(OCCURRENCES).unwrap();
    assert!(cases.len() >= 150);
    for case in cases {
        let rules: Vec<&str> = case["rules"]
            .as_array()
            .unwrap()
            .iter()
            .map(|rule| rule.as_str().unwrap())
            .collect();
        let seconds = |value: &Value| Timestamp::default().plus_seconds(value.as_i64().unwrap());
        let made_at = seconds(&case["made_at"]);
        let ours = Schedule::new(&rules, made_at).unwrap_or_else(|bad| panic!("{rules:?}: {bad}"));
        let mut after = made_at.plus_micros(-1);
        for expected in case["occurrences"].as_array().unwrap() {
            let next = ours.next_after(after).unwrap();
            assert_eq!(next, seconds(expected), "{case}");
            assert_eq!(ours.last_until(next), Some(next));
            assert_eq!(
                ours.last_until(next.plus_micros(-1)),
                (after >= made_at).then_some(after),
                "{case}"
            );
            after = next;
        }
    }
}

/// Whether a minute is one of the rule's, told from the text alone.
fn is_due(text: &str, made_day: i64, at: i64) -> bool {
    let value = |key: &str| {
        text.split(';')
            .find_map(|part| part.strip_prefix(key)?.strip_prefix('='))
    };
    let day = at.div_euclid(24 * 60);
    let of_day = at.rem_euclid(24 * 60);
    // 2024-01-01, day 19723, was a Monday.
    let name = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
        [usize::try_from((day - 19_723).rem_euclid(7)).unwrap()];
    let every: i64 = value("INTERVAL").map_or(1, |n| n.parse().unwrap());
    let listed = |key: &str, number: i64| {
        let mut numbers = value(key).unwrap().split(',');
        numbers.any(|n| n.parse::<i64>().unwrap() == number)
    };
    value("BYDAY").is_none_or(|days| days.split(',').any(|known| known == name))
        && (day - made_day) % every == 0
        && listed("BYHOUR", of_day / 60)
        && listed("BYMINUTE", of_day % 60)
}

fn rules() -> impl Strategy<Value = Vec<String>> {
    let days = proptest::sample::subsequence(vec!["MO", "TU", "WE", "TH", "FR", "SA", "SU"], 1..=7);
    let one = (0..3, 1..=30_u32, days, 0..24_u32, 0..60_u32).prop_map(
        |(kind, every, days, hour, minute)| {
            let days = days.join(",");
            let time = format!("BYHOUR={hour};BYMINUTE={minute}");
            match kind {
                0 => format!("FREQ=WEEKLY;BYDAY={days};{time}"),
                1 => format!("FREQ=DAILY;INTERVAL={every};{time}"),
                _ => format!("FREQ=DAILY;INTERVAL={every};BYDAY={days};{time}"),
            }
        },
    );
    proptest::collection::vec(one, 1..=3)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_walk_over_every_minute_finds_the_same_instants(
        texts in rules(),
        made in 28_000_000..29_000_000_i64,
        later in 0..30_000_i64,
    ) {
        let made_day = made.div_euclid(24 * 60);
        let due = |at: i64| at >= made && texts.iter().any(|text| is_due(text, made_day, at));
        let Ok(schedule) = Schedule::new(&texts, minute(made)) else {
            // Refused: two instants are too close, or a rule never comes. Both can be seen.
            let turn = 31 * 29 * 24 * 60 * 7;
            let days: Vec<i64> = (made..made + turn).step_by(24 * 60).collect();
            let comes = |text: &String| days.iter().any(|day| {
                let first = day.div_euclid(24 * 60) * 24 * 60;
                (first..first + 24 * 60).any(|at| is_due(text, made_day, at))
            });
            if texts.iter().all(comes) {
                prop_assert!(texts.len() > 1, "{texts:?} was refused");
            }
            return Ok(());
        };
        let from = made + later - 1000;
        let horizon = from + 60 * 24 * 211;
        let slow = (from + 1..=horizon).find(|at| due(*at));
        prop_assert_eq!(schedule.next_after(minute(from)), slow.map(minute));
        let at = slow.unwrap();
        let before = (made..at).rev().find(|at| due(*at));
        prop_assert_eq!(schedule.last_until(minute(at - 1)), before.map(minute));
        prop_assert_eq!(schedule.last_until(minute(at).plus_micros(1)), Some(minute(at)));
        if let Some(before) = before {
            prop_assert!(at - before >= i64::from(APART_MIN));
        }
    }
}

#[test]
fn every_second_of_a_minute_belongs_to_it() {
    let nightly = schedule(&["FREQ=DAILY;BYHOUR=1;BYMINUTE=30"]).unwrap();
    let due = minute(90);
    assert_eq!(nightly.next_after(due.plus_micros(-1)), Some(due));
    assert_eq!(nightly.next_after(due), Some(minute(90 + 24 * 60)));
    assert_eq!(nightly.last_until(due.plus_seconds(59)), Some(due));
    assert_eq!(nightly.last_until(due.plus_micros(-1)), None);
    assert_eq!(nightly.count(minute(0), minute(10 * 24 * 60), 100), 10);
    assert_eq!(nightly.count(minute(0), minute(10 * 24 * 60), 3), 3);
}

#[test]
fn a_schedule_goes_on_when_the_clock_is_set_back_behind_its_making() {
    let made_at = minute(29_000_000);
    let rule = ["FREQ=DAILY;INTERVAL=3;BYHOUR=1;BYMINUTE=30"];
    let schedule = Schedule::new(&rule, made_at).unwrap();
    let year_ago = made_at.plus_seconds(-365 * 86_400);
    assert!(schedule.next_after(year_ago).unwrap() >= made_at);
    let first = schedule.next_after(year_ago).unwrap();
    let back = schedule.reaching_back_to(year_ago);
    let next = back.next_after(year_ago).unwrap();
    assert!(next.micros_since(year_ago) <= 3 * DAY_MICROS);
    assert_eq!(first.micros_since(next) % (3 * DAY_MICROS), 0);
    assert_eq!(back.last_until(next), Some(next));
    assert_eq!(back.last_until(next.plus_micros(-1)), None);
}

#[test]
fn the_ends_of_time_are_no_trouble() {
    let nightly = schedule(&["FREQ=DAILY;INTERVAL=30;BYHOUR=1;BYMINUTE=30"]).unwrap();
    assert_eq!(nightly.next_after(Timestamp::from_micros(i64::MAX)), None);
    assert!(
        nightly
            .last_until(Timestamp::from_micros(i64::MAX))
            .is_some()
    );
    assert_eq!(nightly.last_until(Timestamp::from_micros(i64::MIN)), None);
    assert_eq!(
        nightly.next_after(Timestamp::from_micros(i64::MIN)),
        Some(minute(90))
    );
}

#[test]
fn spelling_is_forgiven_and_nothing_else() {
    let plain = schedule(&["FREQ=WEEKLY;BYDAY=MO,TU;BYHOUR=01;BYMINUTE=05"]).unwrap();
    for same in [
        "freq=weekly;byday=tu,mo;byhour=1;byminute=5",
        " BYMINUTE=5 ; BYHOUR=1 ; BYDAY=MO,TU,MO ; FREQ=WEEKLY ;",
        "FREQ=WEEKLY;INTERVAL=1;BYDAY=MO,TU;BYHOUR=1;BYMINUTE=5",
    ] {
        assert_eq!(schedule(&[same]).unwrap(), plain, "{same}");
    }
    for (bad, expected) in [
        ("", "KEY=value"),
        ("FREQ=DAILY;;BYHOUR=1;BYMINUTE=0", "KEY=value"),
        (
            "FREQ=DAILY;FREQ=DAILY;BYHOUR=1;BYMINUTE=0",
            "FREQ stands twice",
        ),
        ("FREQ=DAILY;BYHOUR=+1;BYMINUTE=0", "BYHOUR must be"),
        ("FREQ=DAILY;BYHOUR=001;BYMINUTE=0", "BYHOUR must be"),
        ("FREQ=DAILY;BYHOUR=1;BYMINUTE=", "BYMINUTE must be"),
        (
            "FREQ=DAILY;INTERVAL=0;BYHOUR=1;BYMINUTE=0",
            "INTERVAL must be",
        ),
        ("FREQ=WEEKLY;BYDAY=1MO;BYHOUR=1;BYMINUTE=0", "BYDAY must be"),
        (
            "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO;BYHOUR=1;BYMINUTE=0",
            "FREQ=DAILY only",
        ),
        ("FREQ=DAILY;BYHOUR=1;BYMINUTE=0;UNTIL=20300101", "UNTIL"),
    ] {
        let message = said(&[bad]);
        assert!(message.contains(expected), "{bad}: {message}");
    }
}

#[test]
fn a_rule_that_never_comes_is_refused() {
    // Day 0 was a Thursday, and so is every seventh day after it.
    let every_seventh = |day: &str| {
        let rule = format!("FREQ=DAILY;INTERVAL=14;BYDAY={day};BYHOUR=1;BYMINUTE=0");
        schedule(&[&rule])
    };
    assert!(every_seventh("TH").is_ok());
    let never = BadSchedule::Never {
        number: 1,
        every: 14,
    };
    assert_eq!(every_seventh("FR"), Err(never));
}

#[test]
fn instants_are_an_hour_apart_over_midnight_and_where_intervals_meet() {
    let daily = |hour: u32, minute: u32| format!("FREQ=DAILY;BYHOUR={hour};BYMINUTE={minute}");
    assert!(schedule(&[&daily(23, 30), &daily(0, 30)]).is_ok());
    assert!(said(&[&daily(23, 30), &daily(0, 29)]).contains("23:30 and 00:29"));
    let on = |day: &str, time: &str| format!("FREQ=WEEKLY;BYDAY={day};{time}");
    let (early, late) = ("BYHOUR=1;BYMINUTE=0", "BYHOUR=1;BYMINUTE=30");
    assert!(schedule(&[&on("MO", early), &on("TU", late)]).is_ok());
    assert!(schedule(&[&on("MO,TU", early), &on("TU", late)]).is_err());
    // Every second and every third day meet on every sixth.
    let every = |days: u32, time: &str| format!("FREQ=DAILY;INTERVAL={days};{time}");
    assert!(schedule(&[&every(2, early), &every(3, late)]).is_err());
    // Two rules may name the same instant.
    assert!(schedule(&[&every(2, early), &every(3, early)]).is_ok());
}
