//! What a policy promises, read by the watchdog's own eyes: how long a resource may be without a
//! new backup.
//!
//! Written apart from the scheduler on purpose, and by another way: the scheduler computes when a
//! rule is next due, this looks for the longest pause between two runs. A mistake in one is not a
//! mistake in the other, so a scheduler that never runs is noticed.
//!
//! Rules with days of the week (and daily ones) are laid on a week of minutes together; a rule
//! that runs every n days pauses n days. Of several promises the shortest counts, for every rule
//! promises by itself.

const MINUTE: i64 = 60;
const DAY: i64 = 24 * 60 * MINUTE;
const WEEK_MINUTES: usize = 7 * 24 * 60;
const DAYS: [&str; 7] = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];

/// The longest time between two runs, in seconds; `None` if nothing is promised, or if the rules
/// cannot be read.
pub(crate) fn longest_pause(pattern: &[String]) -> Option<i64> {
    let mut week = vec![false; WEEK_MINUTES];
    let mut shortest: Option<i64> = None;
    for rule in pattern {
        let rule = Rule::read(rule)?;
        if rule.days_between > 1 {
            let pause = i64::from(rule.days_between) * DAY;
            shortest = Some(shortest.map_or(pause, |known| known.min(pause)));
            continue;
        }
        for day in &rule.days {
            for hour in &rule.hours {
                for minute in &rule.minutes {
                    week[(day * 24 + hour) * 60 + minute] = true;
                }
            }
        }
    }
    let runs: Vec<usize> = (0..WEEK_MINUTES).filter(|minute| week[*minute]).collect();
    let pauses = runs.iter().enumerate().map(|(place, minute)| {
        let next = runs
            .get(place + 1)
            .copied()
            .unwrap_or(runs[0] + WEEK_MINUTES);
        next - minute
    });
    let weekly = pauses
        .max()
        .map(|minutes| i64::try_from(minutes).unwrap_or(i64::MAX) * MINUTE);
    match (shortest, weekly) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// How late a backup may be after a pause of that length: its start window, and an eighth of the
/// pause (an hour at least) to be made in.
pub(crate) fn grace(pause: i64, start_window_minutes: Option<u32>) -> i64 {
    let window = start_window_minutes.map_or(0, |minutes| i64::from(minutes) * MINUTE);
    window + (pause / 8).max(60 * MINUTE)
}

/// One rule of the vendor's calendar.
struct Rule {
    days_between: u32,
    days: Vec<usize>,
    hours: Vec<usize>,
    minutes: Vec<usize>,
}

impl Rule {
    fn read(text: &str) -> Option<Self> {
        let mut rule = Self {
            days_between: 1,
            days: (0..7).collect(),
            hours: vec![0],
            minutes: vec![0],
        };
        let mut weekly = None;
        for part in text.split(';').filter(|part| !part.is_empty()) {
            let (key, value) = part.split_once('=')?;
            match key {
                "FREQ" => weekly = Some(value == "WEEKLY"),
                "INTERVAL" => rule.days_between = value.parse().ok()?,
                "BYDAY" => {
                    let days = value
                        .split(',')
                        .map(|day| DAYS.iter().position(|name| *name == day));
                    rule.days = days.collect::<Option<_>>()?;
                }
                "BYHOUR" => rule.hours = numbers(value, 24)?,
                "BYMINUTE" => rule.minutes = numbers(value, 60)?,
                _ => return None,
            }
        }
        weekly?;
        Some(rule)
    }
}

fn numbers(text: &str, end: usize) -> Option<Vec<usize>> {
    let numbers = text.split(',').map(|number| number.trim().parse().ok());
    numbers
        .map(|number: Option<usize>| number.filter(|number| *number < end))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 60 * MINUTE;

    fn pause(rules: &[&str]) -> Option<i64> {
        let rules: Vec<String> = rules.iter().map(|rule| (*rule).to_owned()).collect();
        longest_pause(&rules)
    }

    #[test]
    fn the_longest_pause_of_the_vendors_rules_is_found() {
        for (rules, seconds) in [
            (&["FREQ=DAILY;INTERVAL=1;BYHOUR=14;BYMINUTE=00"][..], DAY),
            (&["FREQ=DAILY;INTERVAL=3;BYHOUR=01;BYMINUTE=30"], 3 * DAY),
            (&["FREQ=WEEKLY;BYDAY=MO,TH;BYHOUR=22;BYMINUTE=00"], 4 * DAY),
            (&["FREQ=WEEKLY;BYDAY=SU;BYHOUR=22;BYMINUTE=00"], 7 * DAY),
            (
                &["FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYHOUR=2,14;BYMINUTE=00"],
                12 * HOUR,
            ),
            (
                &[
                    "FREQ=WEEKLY;BYDAY=MO;BYHOUR=0;BYMINUTE=0",
                    "FREQ=WEEKLY;BYDAY=WE;BYHOUR=0;BYMINUTE=0",
                ],
                5 * DAY,
            ),
            (
                &[
                    "FREQ=DAILY;INTERVAL=5;BYHOUR=1;BYMINUTE=0",
                    "FREQ=WEEKLY;BYDAY=SU;BYHOUR=1;BYMINUTE=0",
                ],
                5 * DAY,
            ),
        ] {
            assert_eq!(pause(rules), Some(seconds), "{rules:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_promises_nothing() {
        for rules in [
            &[][..],
            &["BYHOUR=1"],
            &["FREQ=DAILY;BYHOUR=24"],
            &["FREQ=WEEKLY;BYDAY=XX;BYHOUR=1"],
            &["FREQ=DAILY;COUNT=1"],
            &["nonsense"],
        ] {
            assert_eq!(pause(rules), None, "{rules:?}");
        }
    }

    #[test]
    fn patience_grows_with_the_pause_and_the_start_window() {
        assert_eq!(grace(HOUR, None), HOUR);
        assert_eq!(grace(DAY, None), 3 * HOUR);
        assert_eq!(grace(DAY, Some(120)), 5 * HOUR);
    }
}
