//! Results on standard output, for people or for programs; errors as a chain.
//!
//! With `--json` a command prints one JSON value and nothing else; the long commands of `repo`
//! print events instead, one JSON object per line (docs/cli-events.md). Without, a command prints
//! text whose last line is the id where a script may want it. Progress and hints go to standard
//! error.

use std::{
    fmt::Write as _,
    io::{self, Write as _},
};

use anyhow::{Context, Result};
use comfy_table::{Table, presets};
use serde::Serialize;

/// Where results go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    json: bool,
}

impl Output {
    /// JSON if `json`, else text.
    pub(crate) const fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether a program reads.
    pub(crate) const fn is_json(self) -> bool {
        self.json
    }

    /// Prints the value as JSON, or what `text` makes of it.
    pub(crate) fn show<T: Serialize>(
        self,
        value: &T,
        text: impl FnOnce(&T) -> String,
    ) -> Result<()> {
        let shown = if self.json {
            serde_json::to_string_pretty(value).context("the result cannot be written as JSON")?
        } else {
            text(value)
        };
        print(&shown)
    }

    /// Tells a program what happened, on a line of its own; people do not get it.
    pub(crate) fn event<T: Serialize>(self, event: &'static str, value: &T) -> Result<()> {
        if !self.json {
            return Ok(());
        }
        let line = serde_json::to_string(&Event { event, value });
        print(&line.context("the event cannot be written as JSON")?)
    }

    /// Ends a command that tells events: with the event `done`, or with what `text` makes of it.
    pub(crate) fn done<T: Serialize>(
        self,
        value: &T,
        text: impl FnOnce(&T) -> String,
    ) -> Result<()> {
        if self.json {
            self.event("done", value)
        } else {
            print(&text(value))
        }
    }

    /// Prints a line for people; a program does not get it.
    pub(crate) fn say(self, line: &str) -> Result<()> {
        if self.json { Ok(()) } else { print(line) }
    }
}

/// A line of a program's log.
#[derive(Serialize)]
struct Event<'a, T> {
    event: &'static str,
    #[serde(flatten)]
    value: &'a T,
}

fn print(text: &str) -> Result<()> {
    // Unlike println!, a reader who has gone away is an error and not a panic.
    writeln!(io::stdout(), "{}", text.trim_end()).context("cannot write to standard output")
}

/// A table for people.
pub(crate) fn table<const N: usize>(
    heads: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(heads);
    for row in rows {
        table.add_row(row);
    }
    // Blanks at the end of a line are in the way of scripts.
    table.lines().fold(String::new(), |mut text, line| {
        let _ = writeln!(text, "{}", line.trim());
        text
    })
}

/// The error and its causes, one below the other.
pub(crate) fn chain(error: &anyhow::Error) -> String {
    let mut text = format!("error: {error}");
    let mut last = error.to_string();
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        // Some libraries print their cause as a part of themselves.
        if !last.contains(&cause) {
            let _ = write!(text, "\n  because: {cause}");
        }
        last = cause;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_of_errors_is_told_from_the_top_without_repetition() {
        let error = anyhow::anyhow!("disk full")
            .context("cannot write: disk full")
            .context("cannot back up");
        assert_eq!(
            chain(&error),
            "error: cannot back up\n  because: cannot write: disk full"
        );
    }

    #[test]
    fn a_table_has_no_blanks_at_the_end_of_its_lines() {
        let text = table(["ID", "NAME"], [["1".into(), "a".into()]]);
        assert_eq!(text.lines().count(), 2);
        assert!(text.lines().all(|line| line == line.trim_end()), "{text:?}");
    }
}
