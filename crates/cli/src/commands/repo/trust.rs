//! Whether a store really does what a repository rests on, found out by trying.
//!
//! Servers that speak S3 differ: some ignore the condition of a conditional create, some honour it
//! only as long as nobody else writes. There a collector and a writer could both believe that they
//! won, and data would be lost later and silently. So `init` tries the essential promises, in a
//! race of several threads too, and makes no repository where one is broken; `check --store` tries
//! all of them. There is no weaker mode: nothing that could be done without conditional creation is
//! as safe.

use anyhow::{Context as _, Result};
use serde::Serialize;
use strongroom_store::{Store, conformance};

use super::At;
use crate::arguments::Context;

/// What was found, for programs.
#[derive(Serialize)]
struct Tried {
    place: String,
    promises_kept: Vec<&'static str>,
}

/// Fails unless the store keeps what a repository cannot do without.
pub(super) fn probe(store: &Store) -> Result<()> {
    store.probe().with_context(|| {
        format!(
            "{} cannot hold a repository; nothing was made",
            store.describe()
        )
    })?;
    Ok(())
}

/// `strongroom repo check --store`.
pub(super) fn check(context: &Context, at: &At) -> Result<()> {
    let store = at.store()?;
    let report = conformance(&store)
        .with_context(|| format!("{} is not safe to keep backups in", store.describe()))?;
    let tried = Tried {
        place: report.store.clone(),
        promises_kept: report.checks.iter().map(|check| check.promise).collect(),
    };
    context.output.done(&tried, |_| {
        let count = report.checks.len();
        format!("{report}all {count} promises of a store are kept")
    })
}
