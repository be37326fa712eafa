//! What programs are told while a long command runs (docs/cli-events.md).
//!
//! Invariant: every line is one JSON object with the word `event`; the last one is `done` or
//! `failed`. A `done` with problems is followed by `failed`, as the exit status says too.

use anyhow::Result;
use serde::Serialize;

use crate::output::{Output, chain};

/// Something that was not saved, not brought back, or not set.
#[derive(Serialize)]
struct Problem<'a> {
    what: &'a str,
}

/// Why the command did not do what it was asked for.
#[derive(Serialize)]
struct Failure {
    error: String,
}

/// Tells each of them.
pub(super) fn problems<'a>(
    output: Output,
    problems: impl IntoIterator<Item = &'a String>,
) -> Result<()> {
    for what in problems {
        output.event("problem", &Problem { what })?;
    }
    Ok(())
}

/// Tells that the command fails; the chain of errors goes to standard error as well.
pub(super) fn failed(output: Output, error: &anyhow::Error) {
    let error = chain(error);
    let error = error.trim_start_matches("error: ").to_owned();
    // Who has gone away cannot be told; the exit status says it anyway.
    let _unheard = output.event("failed", &Failure { error });
}
