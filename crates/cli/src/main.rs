//! The one binary: `serve`, `admin`, `repo`, `try` and the user's commands.
//!
//! Parses, hands over to one file per command, prints the chain of errors. Invariant: the exit
//! status is 0 only if what was asked for is done.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line program talks to the terminal"
)]

mod arguments;
mod commands;
mod connection;
mod installation;
mod output;
mod progress;
mod rows;
mod system;

use std::process::ExitCode;

use clap::Parser;

use crate::{arguments::Arguments, commands::status::Verdict};

fn main() -> ExitCode {
    match Arguments::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<Verdict>() => {
            let verdict = error.downcast_ref::<Verdict>();
            ExitCode::from(verdict.map_or(1, |verdict| verdict.0))
        }
        Err(error) => {
            eprintln!("{}", output::chain(&error));
            ExitCode::FAILURE
        }
    }
}
