//! Restores: onto a registered resource, or, for operators, to a path.
//!
//! A restore onto a resource first takes a safety backup of it, then builds the old content
//! beside it and switches; until the switch the resource is untouched.

use std::path::PathBuf;

use strongroom_model::{BackupId, OperationLogId, ResourceId};

use crate::{Caller, Control, Result};

/// Where a restore goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RestoreTarget {
    /// Onto this resource, in place.
    Resource(ResourceId),
    /// Onto the resource that the backup is of, in place.
    Original,
    /// To this path, which must not exist yet; operators only.
    NewPath(PathBuf),
}

/// An order to restore a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRestore {
    /// The backup.
    pub backup_id: BackupId,
    /// Where to.
    pub target: RestoreTarget,
    /// Only this file or directory of a share, relative to its root; bytes, since names are.
    /// Only together with [`RestoreTarget::NewPath`].
    pub inside: Option<Vec<u8>>,
}

impl Control {
    /// Begins a restore; the answer is the task to follow.
    pub fn restore_backup(&self, caller: &Caller, new: NewRestore) -> Result<OperationLogId> {
        self.pending(caller, new)
    }
}
