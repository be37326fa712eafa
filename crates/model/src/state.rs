//! The states that the vendor documents, and the moves between them that are legal.
//!
//! The words stored in the catalog are the vendor's own (they are the field's), but the wire has
//! its own copy: a change of spelling there must not change what is stored here.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A move that the state machine does not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a {what} cannot go from {from} to {to}")]
pub struct Illegal {
    /// The kind of object.
    pub what: &'static str,
    /// Its present state.
    pub from: &'static str,
    /// The state asked for.
    pub to: &'static str,
}

macro_rules! states {
    ($(#[$doc:meta])* $name:ident, $what:literal {
        $($(#[$vdoc:meta])* $variant:ident = $word:literal -> [$($next:ident),*];)*
    }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $word)] $variant,)*
        }

        impl $name {
            /// Every state.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The vendor's word for the state.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// The state of that name.
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|state| state.as_str() == word)
            }

            /// Moves to `to` if that is legal; staying is.
            pub fn next(self, to: Self) -> Result<Self, Illegal> {
                let legal: &[Self] = match self { $(Self::$variant => &[$(Self::$next),*],)* };
                if self == to || legal.contains(&to) {
                    Ok(to)
                } else {
                    Err(Illegal { what: $what, from: self.as_str(), to: to.as_str() })
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

states! {
    /// The state of a backup (CBR, "Querying a Specified Backup", BackupDetail).
    BackupStatus, "backup" {
        /// Waits for a worker.
        WaitingProtect = "waiting_protect" -> [Protecting, Error, WaitingDelete];
        /// Data is being read.
        Protecting = "protecting" -> [Available, Error];
        /// Can be restored.
        Available = "available" -> [WaitingRestore, Restoring, WaitingDelete, Deleting];
        /// A restore from it waits for a worker.
        WaitingRestore = "waiting_restore" -> [Restoring, Available];
        /// A restore from it runs.
        Restoring = "restoring" -> [Available];
        /// Its deletion waits for a worker.
        WaitingDelete = "waiting_delete" -> [Deleting, Available, Error];
        /// Is being deleted.
        Deleting = "deleting" -> [Error];
        /// Failed, or incomplete: not everything of the resource is in it.
        Error = "error" -> [WaitingDelete, Deleting];
    }
}

states! {
    /// The state of a checkpoint (restore point).
    CheckpointStatus, "checkpoint" {
        /// Its backups are being made.
        Protecting = "protecting" -> [Available, Error];
        /// All its backups can be restored.
        Available = "available" -> [Deleting, Deleted];
        /// At least one backup failed.
        Error = "error" -> [Deleting, Deleted];
        /// Is being deleted.
        Deleting = "deleting" -> [Deleted, ErrorDeleting];
        /// The last backup is gone; the API answers 404.
        Deleted = "deleted" -> [];
        /// The deletion failed.
        ErrorDeleting = "error-deleting" -> [Deleting, Deleted];
    }
}

states! {
    /// The state of a vault (`billing.status`).
    VaultStatus, "vault" {
        /// In use.
        Available = "available" -> [Deleting, Error];
        /// Is being deleted with all its backups.
        Deleting = "deleting" -> [Error];
        /// The deletion failed; it can be tried again.
        Error = "error" -> [Deleting, Available];
    }
}

states! {
    /// The state of a resource in its vault (`protect_status`).
    ProtectStatus, "resource" {
        /// Nothing is going on.
        Available = "available" -> [Protecting, Restoring, Removing];
        /// A backup of it waits or runs.
        Protecting = "protecting" -> [Available, Error];
        /// A restore to it waits or runs.
        Restoring = "restoring" -> [Available, Error];
        /// Is being removed from the vault with its backups.
        Removing = "removing" -> [Error];
        /// The last job failed.
        Error = "error" -> [Available, Protecting, Restoring, Removing];
    }
}

states! {
    /// The state of an operation log (task).
    TaskStatus, "task" {
        /// Waits for a worker.
        Waiting = "waiting" -> [Running, Failed, Skipped];
        /// Runs.
        Running = "running" -> [Success, Failed, Timeout, Waiting];
        /// Done.
        Success = "success" -> [];
        /// Failed; `error_info` says why.
        Failed = "failed" -> [];
        /// Given up after its time.
        Timeout = "timeout" -> [];
        /// Not done, on purpose.
        Skipped = "skipped" -> [];
    }
}

states! {
    /// The state of a backup of a sharding layer's metadata (DDM, "Querying Backups").
    DdmBackupStatus, "backup" {
        /// Is being made.
        Creating = "creating" -> [Normal, Failed];
        /// Can be restored.
        Normal = "normal" -> [Deleting];
        /// Could not be made.
        Failed = "createfail" -> [Deleting];
        /// Is being deleted; lists do not show it any more.
        Deleting = "deleted" -> [Normal, Failed];
    }
}

states! {
    /// What a sharding layer does (DDM, instance statuses).
    DdmInstanceStatus, "instance" {
        /// In use.
        Running = "RUNNING" -> [Error, Restoring];
        /// Did not answer when it was last looked at.
        Error = "ERROR" -> [Running, Restoring];
        /// Metadata or data are being restored to it.
        Restoring = "RESTORE" -> [Running, Error];
    }
}

states! {
    /// The state of a job of a sharding layer (DDM, "Querying Jobs").
    DdmTaskStatus, "job" {
        /// Waits or runs.
        Running = "Running" -> [Completed, Failed];
        /// Done.
        Completed = "Completed" -> [];
        /// Failed.
        Failed = "Failed" -> [];
    }
}

states! {
    /// How far a backup of audit logs is (DBSS, "Querying Backup Records"): of the vendor's words
    /// those that happen here, where reading and storing are one.
    DbssProgress, "backup" {
        /// Waits for a worker.
        Waiting = "BACKUP_WAITING" -> [AutoRunning, ManualRunning, AutoFailed, ManualFailed];
        /// Ordered by a calendar or by a disk that fills up; is being made.
        AutoRunning = "AUTO_BACKUPING" -> [AutoDone, AutoFailed];
        /// Asked for; is being made.
        ManualRunning = "MANUAL_BACKUPING" -> [ManualDone, ManualFailed];
        /// Was made.
        AutoDone = "AUTO_BACKUPED" -> [RestoreWaiting, Deleting];
        /// Was made.
        ManualDone = "MANUAL_BACKUPED" -> [RestoreWaiting, Deleting];
        /// Could not be made.
        AutoFailed = "AUTO_BACKUP_FAIL" -> [Waiting, Deleting];
        /// Could not be made.
        ManualFailed = "MANUAL_BACKUP_FAIL" -> [Waiting, Deleting];
        /// A restore of it waits for a worker.
        RestoreWaiting = "RESTORING_WAITING" -> [Restoring, RestoreFailed];
        /// Its lines are being laid out to be searched.
        Restoring = "RESTORING" -> [Restored, RestoreFailed];
        /// Its lines can be searched.
        Restored = "RESTORED" -> [RestoreWaiting, Deleting];
        /// Its lines could not be laid out.
        RestoreFailed = "RESTORE_FAIL" -> [RestoreWaiting, Deleting];
        /// Its lines are being deleted.
        Deleting = "DELETING" -> [Deleted, DeleteFailed];
        /// Its lines are gone; that it was there stays known.
        Deleted = "DELETED" -> [];
        /// Its lines could not be deleted.
        DeleteFailed = "DELETE_FAIL" -> [Deleting, RestoreWaiting];
    }
}

states! {
    /// What an audit instance does (DBSS, instance statuses).
    DbssInstanceStatus, "instance" {
        /// Its backups are made.
        Active = "ACTIVE" -> [Stopped, Error];
        /// Somebody suspended its backups.
        Stopped = "SHUTOFF" -> [Active];
        /// Its directory could not be read when it was last looked at.
        Error = "ERROR" -> [Active, Stopped];
    }
}

states! {
    /// The state of a job about audit logs (DBSS, "Querying the Jobs of an Instance").
    DbssTaskStatus, "job" {
        /// Waits or runs.
        Running = "RUNNING" -> [Succeeded, Failed];
        /// Done.
        Succeeded = "SUCCESS" -> [];
        /// Failed.
        Failed = "FAIL" -> [];
    }
}

impl TaskStatus {
    /// Whether nothing will happen to the task any more.
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Waiting | Self::Running)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_parsed_back_and_staying_is_legal() {
        for state in BackupStatus::ALL {
            assert_eq!(BackupStatus::parse(state.as_str()), Some(*state));
            assert_eq!(state.next(*state), Ok(*state));
        }
        assert_eq!(BackupStatus::parse("gone"), None);
    }

    #[test]
    fn a_failed_backup_never_becomes_available() {
        let illegal = BackupStatus::Error
            .next(BackupStatus::Available)
            .unwrap_err();
        assert_eq!(
            illegal.to_string(),
            "a backup cannot go from error to available"
        );
    }
}
