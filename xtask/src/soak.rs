//! The soak of the real binary, for longer than a run of all tests gives it.
//!
//! The test itself is in `e2e/tests/it/soak.rs`; this builds the binary and hands over time and
//! seed.

use anyhow::Result;

use crate::workspace::{cargo, run, target};

/// How long, and which one.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// How long it goes on.
    #[arg(long, value_name = "MINUTES", default_value_t = 10)]
    minutes: u64,
    /// What decides what is done; printed, so that a failure can be met again.
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    seed: u64,
}

pub(crate) fn task(options: &Options) -> Result<()> {
    run(cargo().args(["build", "--package", "strongroom"]))?;
    run(cargo()
        .args(["test", "--package", "strongroom-e2e", "--test", "it"])
        .args(["soak::", "--", "--nocapture"])
        .env("STRONGROOM_BIN", target().join("debug/strongroom"))
        .env(
            "STRONGROOM_SOAK_SECONDS",
            (options.minutes * 60).to_string(),
        )
        .env("STRONGROOM_SOAK_SEED", options.seed.to_string()))
}
