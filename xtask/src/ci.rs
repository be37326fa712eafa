//! Every check that guards main, cheapest first, in one command.
//!
//! `.ci/run` is one line that calls this; nothing is checked only in CI. The first failure ends
//! the run: what comes later costs more and says less.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::{
    docs, test, tidy,
    workspace::{cargo, run},
};

/// A named check.
type Check = (&'static str, fn() -> Result<()>);

const CHECKS: &[Check] = &[
    ("fmt", || run(cargo().args(["fmt", "--all", "--check"]))),
    ("tidy", tidy::task),
    ("clippy", clippy),
    ("test", || test::task(&test::Options::default())),
    ("doc", doc),
    ("generated", docs::check),
];

/// The task.
pub(crate) fn task() -> Result<()> {
    let mut times = Vec::new();
    for (name, check) in CHECKS {
        println!("== {name}");
        let started = Instant::now();
        check().with_context(|| format!("{name} failed"))?;
        times.push(format!("{name} {}", minutes(started.elapsed())));
    }
    println!("ci: {}", times.join(", "));
    println!("{} passed, 0 failed", CHECKS.len());
    Ok(())
}

fn clippy() -> Result<()> {
    run(cargo().args([
        "clippy",
        "--quiet",
        "--workspace",
        "--all-targets",
        "--",
        "-Dwarnings",
    ]))
}

fn doc() -> Result<()> {
    run(cargo()
        .args(["doc", "--quiet", "--workspace", "--no-deps"])
        // The readers are developers: what is private may be linked to.
        .env(
            "RUSTDOCFLAGS",
            "-Dwarnings -Arustdoc::private-intra-doc-links",
        ))
}

fn minutes(time: Duration) -> String {
    let seconds = time.as_secs();
    format!("{}:{:02}", seconds / 60, seconds % 60)
}
