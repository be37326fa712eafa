//! The one task runner: `cargo xtask test | ci | tidy | docs | bench | nightly`.
//!
//! Everything a developer or CI does with this repository has a verb here, so that nothing works
//! only in CI. Each task is one module; each prints what it does and ends with one closing line.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a task runner talks to the terminal"
)]

mod bench;
mod ci;
mod docs;
mod needs;
mod nightly;
mod soak;
mod test;
mod tidy;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Tasks of the Strongroom repository")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Runs all tests; installs what they need where it may.
    Test(test::Options),
    /// Runs every check that guards main, cheapest first.
    Ci,
    /// Checks the house rules that no compiler checks.
    Tidy,
    /// Writes the generated documents anew.
    Docs,
    /// Measures strongroom beside its peers and the bare pipeline.
    Bench(bench::Options),
    /// Runs the tests that take too long for every change, and the fuzz targets.
    Nightly(nightly::Options),
    /// Saves, kills, forgets, collects and restores at random, for as long as you like.
    Soak(soak::Options),
    /// Runs one measured command; for `bench` itself.
    #[command(hide = true)]
    BenchProbe {
        /// A line of shell.
        shell: String,
    },
}

fn main() -> ExitCode {
    let done = match Cli::parse().task {
        Task::Test(options) => test::task(&options),
        Task::Ci => ci::task(),
        Task::Tidy => tidy::task(),
        Task::Docs => docs::task(),
        Task::Bench(options) => bench::task(&options),
        Task::Soak(options) => soak::task(&options),
        Task::Nightly(options) => nightly::task(&options),
        Task::BenchProbe { shell } => bench::probe(&shell),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
