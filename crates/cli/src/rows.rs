//! Rows that are printed while they are found: a list may be longer than memory.
//!
//! For people a row is one line; for programs all rows are one JSON list, as everywhere with
//! `--json`. A reader who has gone away is an error, which ends the search for more.

use std::io::{self, BufWriter, StdoutLock, Write as _};

use anyhow::{Context as _, Result};
use serde::Serialize;

use crate::output::Output;

/// A list on its way to standard output.
pub(crate) struct Rows {
    out: BufWriter<StdoutLock<'static>>,
    json: bool,
    count: u64,
}

impl Rows {
    /// Begins a list.
    pub(crate) fn new(output: Output) -> Self {
        Self {
            out: BufWriter::with_capacity(64 << 10, io::stdout().lock()),
            json: output.is_json(),
            count: 0,
        }
    }

    /// Prints a row as JSON, or what `text` makes of it.
    pub(crate) fn row<T: Serialize>(
        &mut self,
        row: &T,
        text: impl FnOnce(&T) -> String,
    ) -> io::Result<()> {
        if self.json {
            let before = if self.count == 0 { "[\n" } else { ",\n" };
            self.out.write_all(before.as_bytes())?;
            serde_json::to_writer(&mut self.out, row)?;
        } else {
            writeln!(self.out, "{}", text(row))?;
        }
        self.count += 1;
        Ok(())
    }

    /// Ends the list.
    pub(crate) fn finish(mut self) -> Result<()> {
        let end = match (self.json, self.count) {
            (false, _) => "",
            (true, 0) => "[]\n",
            (true, _) => "\n]\n",
        };
        let ended = self.out.write_all(end.as_bytes());
        ended
            .and_then(|()| self.out.flush())
            .context("cannot write to standard output")
    }
}
