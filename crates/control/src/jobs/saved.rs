//! What a manifest says of a backup, as the catalog keeps it.
//!
//! The one place where sizes and problems of a manifest become columns, for backups that were
//! just made, copied, or found again.

use serde::{Deserialize, Serialize};
use strongroom_engine::{Manifest, Repository, Result, tree::problems};

use crate::{Reason, operation_logs::OperationFailure};

/// Problems that a backup's row lists.
const LISTED_MAX: usize = 100;
/// Problems that an operation log names.
const NAMED_MAX: usize = 3;

/// What was saved.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Saved {
    pub(crate) manifest: String,
    pub(crate) logical: u64,
    pub(crate) unique: u64,
    pub(crate) stored: u64,
    pub(crate) items: u64,
    pub(crate) incremental: bool,
    pub(crate) complete: bool,
    pub(crate) problem_count: u64,
    pub(crate) problems: Vec<String>,
}

impl Saved {
    /// What the manifest says.
    pub(crate) fn of(repository: &Repository, manifest: &Manifest) -> Result<Self> {
        let body = &manifest.body;
        let listed = problems(&repository.reader(), manifest)?;
        // What is lost comes before what is merely noted.
        let (losses, notes): (Vec<_>, Vec<_>) =
            listed.iter().partition(|problem| problem.kind.is_loss());
        let first = losses.into_iter().chain(notes).take(LISTED_MAX);
        let items = &body.items;
        Ok(Self {
            manifest: manifest.id.to_string(),
            logical: body.logical_bytes,
            unique: manifest.unique_bytes,
            stored: manifest.stored_bytes,
            items: items.files + items.directories + items.links + items.others + items.blocks,
            incremental: body.previous.is_some(),
            complete: body.complete,
            problem_count: body.problem_count,
            problems: first.map(ToString::to_string).collect(),
        })
    }

    /// Why a save that came to its end is no good backup; `None` if it is one.
    pub(crate) fn incomplete(&self) -> Option<OperationFailure> {
        if self.complete {
            return None;
        }
        let named: Vec<_> = self
            .problems
            .iter()
            .take(NAMED_MAX)
            .map(String::as_str)
            .collect();
        let message = format!(
            "not everything is in the backup: {} problems with {} entries; {}{}",
            self.problem_count,
            self.items,
            named.join("; "),
            if self.problems.len() > NAMED_MAX {
                "; …"
            } else {
                ""
            },
        );
        Some(OperationFailure {
            reason: Reason::BackupIncomplete,
            message,
        })
    }
}
