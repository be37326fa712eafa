//! `strongroom status`: whether the project is backed up as promised, for people and monitoring.
//!
//! The exit status follows the convention of monitoring programs: 0 all is well, 1 a warning,
//! 2 critical, 3 unknown. Unknown is also when the watchdog has not looked: silence is no news.

use std::fmt;

use anyhow::Result;
use strongroom_wire::{
    Empty,
    native::ShowStatus,
    path::NoPath,
    query::NoQuery,
    watch::{Alarm, Status},
};

use crate::{arguments::Context, connection::Connection, output};

/// Nothing is asked of it.
#[derive(clap::Args)]
pub(crate) struct Options {}

/// An exit status other than 0 after everything has been said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Verdict(pub(crate) u8);

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exit status {}", self.0)
    }
}

impl std::error::Error for Verdict {}

const WARNING: Verdict = Verdict(1);
const CRITICAL: Verdict = Verdict(2);
const UNKNOWN: Verdict = Verdict(3);

impl Options {
    #[expect(clippy::unused_self, reason = "the shape of a command")]
    pub(crate) fn run(self, context: &Context) -> Result<()> {
        let asked = ask(context);
        let status = asked.map_err(|error| {
            eprintln_chain(&error);
            UNKNOWN
        })?;
        context.output.show(&status, text)?;
        match verdict(&status) {
            None => Ok(()),
            Some(verdict) => Err(verdict.into()),
        }
    }
}

fn ask(context: &Context) -> Result<Status> {
    let connection = Connection::find(context)?;
    connection.call::<ShowStatus>(NoPath, NoQuery, Empty)
}

#[expect(
    clippy::print_stderr,
    reason = "why nothing is known belongs to people"
)]
fn eprintln_chain(error: &anyhow::Error) {
    eprintln!("{}", output::chain(error));
}

fn verdict(status: &Status) -> Option<Verdict> {
    if status.watched_at.is_none() {
        return Some(UNKNOWN);
    }
    let warns = |alarm: &Alarm| alarm.kind == "nearly_full";
    if status.alarms.iter().all(warns) {
        return (status.alarm_count > 0).then_some(WARNING);
    }
    Some(CRITICAL)
}

fn text(status: &Status) -> String {
    let mut lines: Vec<String> = status
        .alarms
        .iter()
        .map(|alarm| format!("{}: {}", alarm.kind, alarm.message))
        .collect();
    let counts: Vec<_> = status
        .resources
        .iter()
        .filter(|(_, count)| **count > 0)
        .map(|(state, count)| format!("{count} {}", state.replace('_', " ")))
        .collect();
    lines.push(if counts.is_empty() {
        "no resource is in a vault".to_owned()
    } else {
        format!("resources: {}", counts.join(", "))
    });
    let watched = match &status.watched_at {
        Some(at) => format!("the watchdog looked at {at}"),
        None => "the watchdog has not looked since the service started".to_owned(),
    };
    lines.push(watched);
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use strongroom_wire::time::IamTime;

    use super::*;

    fn status(kinds: &[&str]) -> Status {
        let alarm = |kind: &&str| Alarm {
            seq: 1,
            kind: (*kind).to_owned(),
            vault_id: String::new(),
            vault_name: "v".to_owned(),
            resource_id: None,
            resource_name: None,
            message: "something".to_owned(),
            raised_at: IamTime::from_micros(0),
            cleared_at: None,
        };
        Status {
            resources: BTreeMap::from([("fresh".to_owned(), 2), ("overdue".to_owned(), 0)]),
            alarms: kinds.iter().map(alarm).collect(),
            alarm_count: kinds.len() as u64,
            watched_at: Some(IamTime::from_micros(0)),
        }
    }

    #[test]
    fn monitoring_is_told_by_the_exit_status() {
        assert_eq!(verdict(&status(&[])), None);
        assert_eq!(verdict(&status(&["nearly_full"])), Some(WARNING));
        assert_eq!(
            verdict(&status(&["nearly_full", "overdue"])),
            Some(CRITICAL)
        );
        let blind = Status {
            watched_at: None,
            ..status(&[])
        };
        assert_eq!(verdict(&blind), Some(UNKNOWN));
    }

    #[test]
    fn people_read_what_is_wrong_first() {
        let shown = text(&status(&["overdue"]));
        let lines: Vec<_> = shown.lines().collect();
        assert_eq!(lines[0], "overdue: something");
        assert_eq!(lines[1], "resources: 2 fresh");
    }
}
