//! How long backups stay and where copies go: what callers say, checked into a rule.
//!
//! The vendor's clients send −1 and 0 for "not given", some of them always; both are kept as they
//! came, to be given back, and count as not given here. What contradicts itself is refused when it
//! is said, not found out on the night when backups go.

use serde::{Deserialize, Serialize};
use strongroom_model::retention::{
    LongTerm, MonthDays, NewestOf, Rule, WeekOfMonth, Weekdays, Zone,
};

use crate::{Error, Result, words::PolicyType};

/// Backups and days that a policy counts at most.
const COUNT_MAX: i64 = 99_999;
/// Days, weeks, months and years of which the newest backup is kept, at most.
const NEWEST_OF_MAX: i64 = 100;
const FULL_INTERVAL_MAX: i64 = 100;

/// What a policy does with backups; `None` where nothing was said.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Definition {
    /// The newest so many of each resource stay.
    pub max_backups: Option<i64>,
    /// They stay so many days.
    pub retention_duration_days: Option<i64>,
    /// The newest of so many days stays beside.
    pub day_backups: Option<i64>,
    /// The newest of so many weeks stays beside.
    pub week_backups: Option<i64>,
    /// The newest of so many months stays beside.
    pub month_backups: Option<i64>,
    /// The newest of so many years stays beside.
    pub year_backups: Option<i64>,
    /// Where those days begin.
    pub timezone: Option<String>,
    /// Every so many runs everything is read anew.
    pub full_backup_interval: Option<i64>,
    /// Where copies go.
    pub destination_region: Option<String>,
    /// Whose they are there.
    pub destination_project_id: Option<String>,
    /// As it was set.
    pub enable_acceleration: Option<bool>,
    /// As it was set.
    pub cross_account_urn: Option<String>,
    /// What stays by weekday or day of the month.
    pub advanced: Option<Advanced>,
}

/// Long-term rules.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Advanced {
    /// By weekday.
    pub weekly: Option<AdvancedRule>,
    /// By day of the month.
    pub monthly: Option<AdvancedRule>,
    /// By day and month.
    pub yearly: Option<AdvancedRule>,
}

/// One long-term rule in the vendor's words; each kind of rule uses some of the fields.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AdvancedRule {
    /// `WEEKLY` or `MONTHLY`.
    pub retention_type: Option<String>,
    /// Such as `JANUARY`.
    pub months: Option<Vec<String>>,
    /// Such as `FIRST`.
    pub weeks: Option<Vec<String>>,
    /// Such as `MO`.
    pub days_of_week: Option<Vec<String>>,
    /// 1 to 28, or −1 for the last.
    pub days_of_month: Option<Vec<i64>>,
    /// Weeks, months or years; −1 switches the rule off.
    pub periods: Option<i64>,
}

const WEEKDAYS: [&str; 7] = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];
const WEEKS: [&str; 5] = ["FIRST", "SECOND", "THIRD", "FOURTH", "LAST"];
const MONTHS: [&str; 12] = [
    "JANUARY",
    "FEBRUARY",
    "MARCH",
    "APRIL",
    "MAY",
    "JUNE",
    "JULY",
    "AUGUST",
    "SEPTEMBER",
    "OCTOBER",
    "NOVEMBER",
    "DECEMBER",
];

impl Definition {
    /// Refuses what a policy of that type cannot do.
    pub(crate) fn check(&self, operation_type: PolicyType) -> Result<()> {
        self.rule()?;
        if let Some(every) = self.full_backup_interval {
            within("full_backup_interval", every, FULL_INTERVAL_MAX)?;
        }
        if operation_type == PolicyType::Backup {
            return Ok(());
        }
        let given = |text: &Option<String>| text.as_deref().is_some_and(|text| !text.is_empty());
        if !given(&self.destination_region) {
            let problem = "a replication policy needs it";
            return Err(Error::invalid("destination_region", problem));
        }
        let region = self.destination_region.as_deref().unwrap_or_default();
        let plain = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
        if region.len() > 255 || !region.chars().all(plain) {
            let problem = "may have letters, digits, ., _ and - only, at most 255";
            return Err(Error::invalid("destination_region", problem));
        }
        let project = self.destination_project_id.as_deref().unwrap_or_default();
        if project.parse::<strongroom_model::ProjectId>().is_err() {
            let problem = "a replication policy needs a project id of 32 hexadecimal digits";
            return Err(Error::invalid("destination_project_id", problem));
        }
        Ok(())
    }

    /// The rule by which backups stay.
    pub(crate) fn rule(&self) -> Result<Rule> {
        let max_backups = counted("max_backups", self.max_backups, COUNT_MAX)?;
        let duration_days = counted(
            "retention_duration_days",
            self.retention_duration_days,
            COUNT_MAX,
        )?;
        if max_backups.is_some() && duration_days.is_some() {
            let problem = "contradicts retention_duration_days: keep backups by number or by age";
            return Err(Error::invalid("max_backups", problem));
        }
        let of = |field, value| counted(field, value, NEWEST_OF_MAX).map(Option::unwrap_or_default);
        let newest_of = NewestOf {
            days: of("day_backups", self.day_backups)?,
            weeks: of("week_backups", self.week_backups)?,
            months: of("month_backups", self.month_backups)?,
            years: of("year_backups", self.year_backups)?,
        };
        let zone = match self.timezone.as_deref().filter(|text| !text.is_empty()) {
            Some(text) => text
                .parse()
                .map_err(|error| Error::invalid("timezone", format!("{error}")))?,
            None if newest_of != NewestOf::default() => {
                let problem = "is needed with day_backups, week_backups, month_backups and \
                               year_backups";
                return Err(Error::invalid("timezone", problem));
            }
            None => Zone::default(),
        };
        Ok(Rule {
            max_backups,
            duration_days,
            newest_of,
            long_term: self.long_term()?,
            zone,
        })
    }

    /// Whether the run after `runs` others reads everything anew.
    pub(crate) fn is_full(&self, runs: u64) -> bool {
        let every = self
            .full_backup_interval
            .and_then(|n| u64::try_from(n).ok());
        every.is_some_and(|every| every > 0 && runs.is_multiple_of(every))
    }

    fn long_term(&self) -> Result<Vec<LongTerm>> {
        let mut rules = Vec::new();
        let Some(advanced) = &self.advanced else {
            return Ok(rules);
        };
        if let Some(rule) = &advanced.weekly {
            const FIELD: &str = "weekly_retention_rules";
            if let Some(weeks) = periods(FIELD, rule, 5200)? {
                let days = weekdays(FIELD, rule)?;
                rules.push(LongTerm::Weekly { days, weeks });
            }
        }
        if let Some(rule) = &advanced.monthly {
            const FIELD: &str = "monthly_retention_rules";
            if let Some(months) = periods(FIELD, rule, 1200)? {
                let days = month_days(FIELD, rule)?;
                rules.push(LongTerm::Monthly { days, months });
            }
        }
        if let Some(rule) = &advanced.yearly {
            const FIELD: &str = "yearly_retention_rules";
            if let Some(years) = periods(FIELD, rule, 100)? {
                let places = places(FIELD, rule.months.as_deref(), &MONTHS, "retention_months")?;
                rules.push(LongTerm::Yearly {
                    months: places.iter().fold(0, |set, place| set | 1 << place),
                    days: month_days(FIELD, rule)?,
                    years,
                });
            }
        }
        Ok(rules)
    }
}

/// A number from −1 to `most`; −1 and 0 are none.
fn counted(field: &'static str, value: Option<i64>, most: i64) -> Result<Option<u32>> {
    let Some(value) = value else {
        return Ok(None);
    };
    within(field, value, most)?;
    Ok(u32::try_from(value).ok().filter(|count| *count > 0))
}

fn within(field: &'static str, value: i64, most: i64) -> Result<()> {
    if (-1..=most).contains(&value) {
        return Ok(());
    }
    let problem = format!("must be from 1 to {most}, or -1 or 0 for none");
    Err(Error::invalid(field, problem))
}

/// How many weeks, months or years a rule holds; `None` if it is off.
fn periods(field: &'static str, rule: &AdvancedRule, most: i64) -> Result<Option<u32>> {
    match rule.periods {
        None | Some(-1) => Ok(None),
        Some(periods) if (1..=most).contains(&periods) => Ok(u32::try_from(periods).ok()),
        Some(_) => {
            let problem = format!("retention_duration_periods must be from 1 to {most}, or -1");
            Err(Error::invalid(field, problem))
        }
    }
}

fn weekdays(field: &'static str, rule: &AdvancedRule) -> Result<Weekdays> {
    let places = places(
        field,
        rule.days_of_week.as_deref(),
        &WEEKDAYS,
        "days_of_week",
    )?;
    Ok(Weekdays(
        places.iter().fold(0, |set, place| set | 1 << place),
    ))
}

fn month_days(field: &'static str, rule: &AdvancedRule) -> Result<MonthDays> {
    let kind = rule.retention_type.as_deref().unwrap_or_default();
    match kind.to_ascii_uppercase().as_str() {
        "WEEKLY" => {
            let weeks = places(field, rule.weeks.as_deref(), &WEEKS, "retention_weeks")?;
            let week = |place: &u8| match place {
                4 => WeekOfMonth::Last,
                nth => WeekOfMonth::Nth(*nth),
            };
            let weeks = weeks.iter().map(week).collect();
            Ok(MonthDays::Weeks(weeks, weekdays(field, rule)?))
        }
        "MONTHLY" => {
            let days = rule.days_of_month.as_deref().unwrap_or_default();
            let day = |day: &i64| {
                i8::try_from(*day)
                    .ok()
                    .filter(|day| matches!(day, -1 | 1..=28))
            };
            let known: Option<Vec<i8>> = days.iter().map(day).collect();
            match known.filter(|days| !days.is_empty()) {
                Some(days) => Ok(MonthDays::Days(days)),
                None => Err(Error::invalid(
                    field,
                    "days_of_month must name days from 1 to 28, or -1 for the last",
                )),
            }
        }
        _ => Err(Error::invalid(
            field,
            "retention_type must be WEEKLY or MONTHLY",
        )),
    }
}

/// The places of words in a list of known ones; at least one, whatever their case.
fn places(
    field: &'static str,
    words: Option<&[String]>,
    known: &[&str],
    name: &str,
) -> Result<Vec<u8>> {
    let place = |word: &String| {
        let place = known
            .iter()
            .position(|known| word.eq_ignore_ascii_case(known));
        place.and_then(|place| u8::try_from(place).ok())
    };
    let found: Option<Vec<u8>> = words.unwrap_or_default().iter().map(place).collect();
    found.filter(|found| !found.is_empty()).ok_or_else(|| {
        let problem = format!("{name} must name at least one of {}", known.join(", "));
        Error::invalid(field, problem)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(definition: &Definition) -> String {
        definition.rule().unwrap_err().to_string()
    }

    #[test]
    fn minus_one_and_zero_are_not_given() {
        let sent = Definition {
            max_backups: Some(0),
            retention_duration_days: Some(-1),
            day_backups: Some(0),
            full_backup_interval: Some(-1),
            ..Definition::default()
        };
        assert_eq!(sent.rule().unwrap(), Rule::default());
        assert!((0..9).all(|runs| !sent.is_full(runs)));
    }

    #[test]
    fn number_and_age_contradict_each_other() {
        let both = Definition {
            max_backups: Some(3),
            retention_duration_days: Some(7),
            ..Definition::default()
        };
        assert!(problem(&both).starts_with("max_backups: contradicts"));
    }

    #[test]
    fn days_need_a_place_where_they_begin() {
        let mut days = Definition {
            max_backups: Some(3),
            day_backups: Some(7),
            ..Definition::default()
        };
        assert!(problem(&days).starts_with("timezone: is needed"));
        for (zone, good) in [
            ("UTC+08:00", true),
            ("UTC-03:30", true),
            ("Europe/Berlin", true),
            ("UTC+8", false),
            ("UTC+15:00", false),
            ("UTC+08:60", false),
            ("Berlin", false),
        ] {
            days.timezone = Some(zone.into());
            assert_eq!(days.rule().is_ok(), good, "{zone}");
        }
    }

    #[test]
    fn numbers_stay_within_what_is_documented() {
        for (count, good) in [(-2, false), (1, true), (99_999, true), (100_000, false)] {
            let of = Definition {
                max_backups: Some(count),
                ..Definition::default()
            };
            assert_eq!(of.rule().is_ok(), good, "{count}");
        }
    }

    #[test]
    fn long_term_rules_need_their_days() {
        let words = |words: &[&str]| Some(words.iter().map(ToString::to_string).collect());
        let full = AdvancedRule {
            retention_type: Some("Weekly".into()),
            months: words(&["january", "JULY"]),
            weeks: words(&["FIRST", "LAST"]),
            days_of_week: words(&["SU"]),
            days_of_month: None,
            periods: Some(7),
        };
        let yearly = |rule: AdvancedRule| Definition {
            advanced: Some(Advanced {
                yearly: Some(rule),
                ..Advanced::default()
            }),
            ..Definition::default()
        };
        let rule = yearly(full.clone()).rule().unwrap();
        let weeks = vec![WeekOfMonth::Nth(0), WeekOfMonth::Last];
        let days = MonthDays::Weeks(weeks, Weekdays(0b100_0000));
        let months = 0b100_0001;
        let years = 7;
        let expected = LongTerm::Yearly {
            months,
            days,
            years,
        };
        assert_eq!(rule.long_term, [expected]);
        for broken in [
            AdvancedRule {
                months: None,
                ..full.clone()
            },
            AdvancedRule {
                weeks: words(&["FIFTH"]),
                ..full.clone()
            },
            AdvancedRule {
                days_of_week: words(&[]),
                ..full.clone()
            },
            AdvancedRule {
                retention_type: Some("MONTHLY".into()),
                days_of_month: Some(vec![29]),
                ..full.clone()
            },
            AdvancedRule {
                periods: Some(101),
                ..full.clone()
            },
        ] {
            assert!(yearly(broken.clone()).rule().is_err(), "{broken:?}");
        }
        let off = AdvancedRule {
            periods: Some(-1),
            ..AdvancedRule::default()
        };
        assert_eq!(yearly(off).rule().unwrap(), Rule::default());
    }

    #[test]
    fn a_copy_must_know_where_to_go() {
        let nowhere = Definition::default();
        assert!(nowhere.check(PolicyType::Backup).is_ok());
        assert!(nowhere.check(PolicyType::Replication).is_err());
        let somewhere = Definition {
            destination_region: Some("eu-nl".into()),
            destination_project_id: Some("0".repeat(32)),
            ..Definition::default()
        };
        assert!(somewhere.check(PolicyType::Replication).is_ok());
    }

    #[test]
    fn every_nth_run_reads_everything() {
        let third = Definition {
            full_backup_interval: Some(3),
            ..Definition::default()
        };
        let full: Vec<_> = (0..8).filter(|runs| third.is_full(*runs)).collect();
        assert_eq!(full, [0, 3, 6]);
    }
}
