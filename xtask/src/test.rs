//! Runs all tests: unit and integration tests, documentation examples, then the real binary.
//!
//! The order is the order of cost. The real binary is built once, here, and handed to the
//! end-to-end tests by `STRONGROOM_BIN`; the vendors' clients and the S3 server are handed over by
//! `STRONGROOM_VENV`, so that no test searches the machine.

use std::{path::PathBuf, process::Command};

use anyhow::Result;

use crate::{
    needs,
    workspace::{cargo, run, target},
};

/// What to leave out or pick.
#[derive(clap::Args, Default)]
pub(crate) struct Options {
    /// Leaves out the end-to-end tests.
    #[arg(long)]
    fast: bool,
    /// Only tests whose name contains this text.
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
}

/// The package whose tests run the real binary.
const END_TO_END: &str = "strongroom-e2e";

/// The task.
pub(crate) fn task(options: &Options) -> Result<()> {
    needs::tools(needs::FOR_TESTS)?;
    let runner = Runner {
        venv: needs::python()?,
        nextest: needs::has_nextest(),
        filter: options.filter.as_deref(),
    };
    if !runner.nextest {
        println!("cargo-nextest is not installed: cargo test does its work, without time limits");
    }
    run(&mut runner.tests(&["--workspace", "--exclude", END_TO_END]))?;
    if options.filter.is_none() {
        run(cargo().args(["test", "--quiet", "--workspace", "--doc"]))?;
    }
    if !options.fast {
        run(cargo().args(["build", "--package", "strongroom"]))?;
        run(&mut runner.tests(&["--package", END_TO_END]))?;
    }
    println!("test: all passed");
    Ok(())
}

struct Runner<'a> {
    venv: PathBuf,
    nextest: bool,
    filter: Option<&'a str>,
}

impl Runner<'_> {
    /// The command that runs the tests of those packages.
    fn tests(&self, packages: &[&str]) -> Command {
        let mut command = cargo();
        if self.nextest {
            // A filter may well match nothing in one of the two halves.
            command.args(["nextest", "run", "--no-tests=warn"]);
        } else {
            command.args(["test", "--all-targets"]);
        }
        command
            .args(packages)
            .env("STRONGROOM_BIN", target().join("debug/strongroom"))
            .env("STRONGROOM_VENV", &self.venv)
            .env("STRONGROOM_TEST_WEED", self.venv.join("bin/weed"));
        if let Some(filter) = self.filter {
            command.arg(filter);
        }
        command
    }
}
