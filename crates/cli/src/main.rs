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

use crate::arguments::Arguments;

fn main() -> ExitCode {
    match Arguments::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", output::chain(&error));
            ExitCode::FAILURE
        }
    }
}
