//! `cargo xtask bench api`: what a client sees of lists of backups as the catalog grows.
//!
//! Builds and starts `bench/api` and hands on its options. It is a program of its own because it
//! holds the whole service, which the task runner is not to be built with.

use anyhow::Result;

use crate::workspace::{cargo, run};

/// What to measure; the default is a thousand, a hundred thousand and a million backups.
#[derive(clap::Args)]
pub(super) struct Options {
    /// Without optimisation, to try the program itself.
    #[arg(long)]
    debug: bool,
    /// Options of the program: `--sizes 1000,10000 --reps 1 --only marker`; after `--`.
    #[arg(last = true)]
    rest: Vec<String>,
}

pub(super) fn task(options: &Options) -> Result<()> {
    let mut command = cargo();
    command.args(["run", "--quiet", "--package", "strongroom-bench-api"]);
    if !options.debug {
        command.arg("--release");
    }
    run(command.arg("--").args(&options.rest))
}
