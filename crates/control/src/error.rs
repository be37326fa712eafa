//! What can go wrong in a use case, said without HTTP.
//!
//! Policy: every refusal carries one [`Reason`], the machine's word for one documented situation;
//! `api` maps reasons to each vendor's status and code in one table, and operation logs store
//! the word. The message is for the caller: lower case, names the thing, says what to do next.
//! What the caller may not see (paths of the host, causes inside) goes to `source()` and the log.
//! An object of another project is [`Error::NotFound`], exactly as one that never was.
//! [`Error::Bug`] means that an invariant of ours broke: somebody must look at it.

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Serialize};
use strongroom_catalog as catalog;
use strongroom_model::{id::MalformedId, state::Illegal};

/// The result of every use case.
pub type Result<T, E = Error> = std::result::Result<T, E>;

type Cause = Box<dyn std::error::Error + Send + Sync + 'static>;

/// Why a use case was refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such thing, or it belongs to another project.
    #[error("{reason}: {id}")]
    NotFound {
        /// One of the `NoSuch…` reasons.
        reason: Reason,
        /// The id or key that was asked for.
        id: String,
    },
    /// The thing is there, but its state or another thing forbids the call.
    #[error("{message}")]
    Conflict {
        /// Which rule forbids it.
        reason: Reason,
        /// What the caller reads.
        message: String,
    },
    /// A value that the caller sent is not acceptable.
    #[error("{field}: {problem}")]
    Invalid {
        /// The field as the vendor's documents spell it.
        field: Cow<'static, str>,
        /// What is wrong with it.
        problem: String,
    },
    /// A limit is reached.
    #[error("{message}")]
    QuotaExceeded {
        /// Which limit.
        reason: Reason,
        /// What the caller reads.
        message: String,
    },
    /// The caller is known, but may not do this.
    #[error("{message}")]
    Forbidden {
        /// What the caller reads.
        message: String,
    },
    /// The caller is not who it claims to be; says deliberately little.
    #[error("{message}")]
    Unauthenticated {
        /// What the caller reads.
        message: String,
    },
    /// Something that the service needs does not answer; trying again may help.
    #[error("{what} is not available")]
    Unavailable {
        /// The part that does not answer.
        what: Cow<'static, str>,
        /// Why, for the operator.
        #[source]
        source: Option<Cause>,
    },
    /// An invariant of the service broke.
    #[error("internal error: {context}")]
    Bug {
        /// Where, for the operator.
        context: Cow<'static, str>,
        /// Why, for the operator.
        #[source]
        source: Option<Cause>,
    },
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $word:literal, $text:literal;)*) => {
        /// One documented situation; `api` has the vendor's code for each, in one table.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub enum Reason {
            $($(#[$doc])* $name,)*
        }

        impl Reason {
            /// Every reason.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The word that operation logs store.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// The reason of that word.
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|reason| reason.as_str() == word)
            }

            /// The situation in a few words.
            pub const fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }

        impl From<Reason> for String {
            fn from(reason: Reason) -> Self {
                reason.as_str().to_owned()
            }
        }

        impl TryFrom<String> for Reason {
            type Error = String;

            fn try_from(word: String) -> std::result::Result<Self, String> {
                Self::parse(&word).ok_or_else(|| format!("unknown reason {word}"))
            }
        }

        impl fmt::Display for Reason {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.text())
            }
        }
    };
}

reasons! {
    /// CBR 6105.
    NoSuchVault = "no_such_vault", "no such vault";
    /// CBR 6200.
    NoSuchBackup = "no_such_backup", "no such backup";
    /// CBR 6217; also after its last backup is gone.
    NoSuchCheckpoint = "no_such_checkpoint", "no such restore point";
    /// CBR 6302.
    NoSuchResource = "no_such_resource", "no such resource";
    /// CBR 6135.
    ResourceNotInVault = "resource_not_in_vault", "the resource is not in the vault";
    /// CBR 6000.
    NoSuchPolicy = "no_such_policy", "no such policy";
    /// CBR 6002.
    PolicyNotBound = "policy_not_bound", "the policy is not bound to the vault";
    /// CBR 6500.
    NoSuchOperationLog = "no_such_operation_log", "no such operation log";
    /// CBR 6601.
    NoSuchTag = "no_such_tag", "no such tag";
    /// CBR 6705.
    NoSuchMember = "no_such_member", "no such share member";
    /// CBR 6302: agents have no code of their own.
    NoSuchAgent = "no_such_agent", "no such agent";
    /// CBR 6704: a project that nothing can be shared with, or that is not there.
    NoSuchReceiver = "no_such_receiver", "nothing can be shared with that project";
    /// IAM.
    NoSuchProject = "no_such_project", "no such project";
    /// IAM.
    NoSuchUser = "no_such_user", "no such user";
    /// IAM.
    NoSuchDomain = "no_such_domain", "no such domain";
    /// IAM.
    NoSuchAccessKey = "no_such_access_key", "no such access key";
    /// IAM.
    NoSuchToken = "no_such_token", "no such token";

    /// EPS 0005.
    NoSuchEnterpriseProject = "no_such_enterprise_project", "no such enterprise project";

    /// CBR 9900.
    InvalidParameter = "invalid_parameter", "a parameter is not acceptable";
    /// CBR 0001.
    NothingToBackUp = "nothing_to_back_up", "nothing is left to back up";

    /// CBR 6100.
    VaultHasMaximumOfResources = "vault_resources_maximum", "the vault holds its maximum of resources";
    /// CBR 6101.
    VaultSizeBad = "vault_size_bad", "the vault cannot have that size";
    /// CBR 6102.
    VaultTakesOtherType = "vault_takes_other_type", "the vault does not take that type of resource";
    /// CBR 6103.
    ResourceInVault = "resource_in_vault", "the resource is in a vault already";
    /// CBR 6104.
    ResourceTwice = "resource_twice", "the resource is listed twice";
    /// CBR 6001.
    TooManyPolicies = "too_many_policies", "the project holds its maximum of policies of that type";
    /// CBR 6003.
    PolicyRegionFixed = "policy_region_fixed", "a vault copies by the policy, so where to stays as it is";
    /// CBR 1002.
    BackupNotCopyable = "backup_not_copyable", "the backup cannot be copied";
    /// CBR 1005.
    RegionTakesNoCopies = "region_takes_no_copies", "the region takes no copies";
    /// CBR 1009.
    CopiedAlready = "copied_already", "the backup is copied there already, or just now";
    /// CBR 1011.
    ProjectTakesNoCopies = "project_takes_no_copies", "the target project takes no such copies";
    /// CBR 6129.
    TargetVaultFull = "target_vault_full", "the target vault is full";
    /// CBR 6130.
    VaultReplicating = "vault_replicating", "backups are being copied from or into the vault";
    /// CBR 6119.
    NoReplicationTarget = "no_replication_target", "the target vault takes no copies";
    /// CBR 6120.
    NoSuchTargetVault = "no_such_target_vault", "there is no such target vault";
    /// CBR 6127.
    PolicyNotApplicable = "policy_not_applicable", "the policy does not go with that vault";
    /// CBR 6128.
    VaultKindForbidsReplication = "vault_kind_forbids_replication", "vaults of that kind are not copied";
    /// CBR 6110.
    VaultNotUpdatable = "vault_not_updatable", "the vault cannot be changed now";
    /// CBR 6111.
    VaultNotDeletable = "vault_not_deletable", "the vault cannot be deleted now";
    /// CBR 6112.
    VaultStateForbids = "vault_state_forbids", "the state of the vault forbids this";
    /// CBR 6113.
    VaultStateForbidsBackup = "vault_state_forbids_backup", "the state of the vault forbids a backup";
    /// CBR 6114.
    VaultFull = "vault_full", "the vault is full";
    /// CBR 6116.
    TypeUnsupported = "type_unsupported", "resources of that type are not supported";
    /// CBR 6124.
    VaultKindForbidsBackup = "vault_kind_forbids_backup", "vaults of that kind take no backups";
    /// CBR 6125.
    BackupRunning = "backup_running", "a backup of the resource waits or runs already";
    /// CBR 6134.
    ResourceBeingRemoved = "resource_being_removed", "the resource is being removed";
    /// CBR 6215.
    ResourceStateForbidsBackup = "resource_state_forbids_backup", "the state of the resource forbids a backup";
    /// CBR 6112 as well: a locked vault keeps its resources.
    VaultLocked = "vault_locked", "the vault is locked";

    /// CBR 6201.
    BackupNotDeletable = "backup_not_deletable", "the backup cannot be deleted now";
    /// CBR 6216.
    BackupInUse = "backup_in_use", "the backup is in use";
    /// CBR 6203.
    BackupNotReady = "backup_not_ready", "the backup is still being made";
    /// CBR 6206.
    MetadataNotReady = "metadata_not_ready", "the state of the backup forbids reading its metadata";
    /// CBR 6220.
    LockedVaultKeepsBackup = "locked_vault_keeps_backup", "the vault is locked: an automatic backup cannot be deleted by hand";

    /// CBR 7300.
    VaultCannotSynchronise = "vault_cannot_synchronise", "the vault cannot be synchronised now";
    /// CBR 7302.
    SynchronisationRuns = "synchronisation_runs", "a synchronisation of the vault waits or runs already";

    /// CBR 2001.
    TargetTooSmall = "target_too_small", "the target is smaller than the backup";
    /// CBR 2002.
    RestoreWhileBackupRuns = "restore_while_backup_runs", "a backup of the target runs; restore later";
    /// CBR 2003.
    RestoreElsewhereRefused = "restore_elsewhere_refused", "the backup cannot be restored to that resource";
    /// CBR 2005.
    BackupStateForbidsRestore = "backup_state_forbids_restore", "the state of the backup forbids a restore";
    /// CBR 2010.
    RestoreRunning = "restore_running", "a restore waits or runs already";
    /// CBR 2011.
    TargetStateForbidsRestore = "target_state_forbids_restore", "the state of the target forbids a restore";
    /// CBR 6202.
    VaultStateForbidsRestore = "vault_state_forbids_restore", "the vault must be available for a restore";

    /// CBR 6600.
    TooManyTags = "too_many_tags", "the vault holds its maximum of tags";
    /// CBR 6133.
    TooManyVaults = "too_many_vaults", "the project holds its maximum of vaults";

    /// EPS 0009.
    TooManyEnterpriseProjects = "too_many_enterprise_projects", "the account holds its maximum of enterprise projects";
    /// EPS 0012.
    DefaultEnterpriseProject = "default_enterprise_project", "the default enterprise project stays as it is";
    /// EPS 0014.
    EnterpriseProjectDisabled = "enterprise_project_disabled", "the enterprise project is switched off";
    /// EPS 0034.
    EnterpriseTargetDisabled = "enterprise_target_disabled", "the enterprise project takes nothing: it is switched off";

    /// CBR 6701.
    TooManyMembers = "too_many_members", "the backup is shared with as many projects as it may";
    /// CBR 6702.
    BackupNotShareable = "backup_not_shareable", "only an available backup can be shared";
    /// CBR 6703.
    SharedAlready = "shared_already", "the backup is shared with that project already";
    /// CBR 6706.
    MemberStatusBad = "member_status_bad", "a share can be accepted or rejected";
    /// CBR 6708.
    ShareTakenElsewhere = "share_taken_elsewhere", "the share is in another vault already; reject it first";
    /// CBR 6712.
    VaultStateForbidsShare = "vault_state_forbids_share", "the state of the vault forbids taking a share";
    /// CBR 6713.
    ShareKindDiffers = "share_kind_differs", "the vault does not take backups of that kind";

    /// The path of a resource is gone, or is no longer of its kind; CBR 6302 in a task.
    PathVanished = "path_vanished", "the path of the resource is gone";
    /// The time of a run passed while no server ran.
    Missed = "missed", "the time of the backup passed while the service did not run";
    /// Not everything of the resource could be read.
    BackupIncomplete = "backup_incomplete", "not everything of the resource could be read";
    /// The place where the data lives is full.
    StoreFull = "store_full", "the storage behind the vault is full";
    /// Stored data is missing or damaged.
    DataDamaged = "data_damaged", "stored data is missing or damaged";
    /// Some of the data could not be taken into the catalog; CBR 1006.
    ImportFailed = "import_failed", "not everything could be imported";
    /// A file or device could not be read or written.
    InputOutput = "input_output", "reading or writing failed";
    /// The task was cancelled.
    Cancelled = "cancelled", "the task was cancelled";
    /// The task cannot be cancelled any more.
    TaskFinished = "task_finished", "the task has ended";
    /// A task of that type cannot be stopped: what it deleted is gone.
    TaskNotCancellable = "task_not_cancellable", "a task of that type cannot be cancelled";
    /// A name or path that must be unique is taken.
    AlreadyExists = "already_exists", "there is one already";
    /// The thing is still used by others.
    StillInUse = "still_in_use", "it is still in use";

    /// DBSS: a statement that is in no log.
    NoSuchStatement = "no_such_statement", "no such statement";
    /// DBSS: the directory or a file in it cannot be read.
    LogsUnreadable = "logs_unreadable", "the audit logs cannot be read";
    /// DBSS: another audit instance reads it.
    DirectoryTaken = "directory_taken", "another audit instance reads the directory";
    /// DBSS 100210016.
    TooManyInstances = "too_many_instances", "the project holds its maximum of audit instances";

    /// DDM and DBSS: no such instance in the project.
    NoSuchInstance = "no_such_instance", "no such instance";
    /// DDM: the data node is not there, or behind another instance.
    NoSuchDataNode = "no_such_data_node", "the instance has no such data node";
    /// DDM.
    NoSuchTask = "no_such_task", "no such job";
    /// DDM.
    NoSuchSchema = "no_such_schema", "no such schema";
    /// DDM: another job of the instance waits or runs.
    InstanceBusy = "instance_busy", "another operation on the instance runs; try again later";
    /// DDM: the target of a restore is not empty, or of another kind.
    InstanceUnfit = "instance_unfit", "the instance does not fit";
    /// DDM: the server is behind another instance.
    DataNodeLinked = "data_node_linked", "the data node is behind another instance";
    /// DDM.
    SchemaExists = "schema_exists", "there is a schema of that name";
    /// DDM.
    SchemaNameBad = "schema_name_bad", "the schema cannot have that name";
    /// DDM.
    ShardCountBad = "shard_count_bad", "the schema cannot have that number of shards";
    /// DDM.
    DataNodeCount = "data_node_count", "the number of data nodes does not fit";
    /// DDM: nothing was kept of that time.
    TimeNotRestorable = "time_not_restorable", "there is no backup of that time";
    /// A database does not answer.
    DatabaseUnreachable = "database_unreachable", "a database does not answer";
    /// A database does not know the user or the password.
    DatabaseDenies = "database_denies", "a database refuses the user or the password";
    /// A database refused what it was told.
    DatabaseRefuses = "database_refuses", "a database refused a statement";

    /// Somebody guesses passwords; APIGW.0308 and its like.
    TooManyAttempts = "too_many_attempts", "too many failed attempts";
    /// APIGW.0302 and its like.
    Forbidden = "forbidden", "the caller may not do this";
    /// APIGW.0301 and its like.
    Unauthenticated = "unauthenticated", "the caller is not authenticated";
    /// CBR 9910 with 503.
    Unavailable = "unavailable", "a part of the service does not answer";
    /// CBR 9910.
    Internal = "internal", "internal error";
}

impl Error {
    /// The machine's word for the situation.
    pub const fn reason(&self) -> Reason {
        match self {
            Self::NotFound { reason, .. }
            | Self::Conflict { reason, .. }
            | Self::QuotaExceeded { reason, .. } => *reason,
            Self::Invalid { .. } => Reason::InvalidParameter,
            Self::Forbidden { .. } => Reason::Forbidden,
            Self::Unauthenticated { .. } => Reason::Unauthenticated,
            Self::Unavailable { .. } => Reason::Unavailable,
            Self::Bug { .. } => Reason::Internal,
        }
    }

    /// There is no such thing (for this caller).
    pub fn not_found(reason: Reason, id: impl fmt::Display) -> Self {
        Self::NotFound {
            reason,
            id: id.to_string(),
        }
    }

    /// A rule forbids the call; the message is the rule's own text and the thing's name.
    pub fn conflict(reason: Reason, about: impl fmt::Display) -> Self {
        Self::Conflict {
            reason,
            message: format!("{reason} ({about})"),
        }
    }

    /// A limit is reached.
    pub fn quota(reason: Reason, about: impl fmt::Display) -> Self {
        Self::QuotaExceeded {
            reason,
            message: format!("{reason} ({about})"),
        }
    }

    /// A value is not acceptable.
    pub fn invalid(field: impl Into<Cow<'static, str>>, problem: impl Into<String>) -> Self {
        Self::Invalid {
            field: field.into(),
            problem: problem.into(),
        }
    }

    /// The caller may not do this.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::Forbidden {
            message: message.into(),
        }
    }

    /// A part of the service does not answer.
    pub fn unavailable(what: impl Into<Cow<'static, str>>, source: impl Into<Cause>) -> Self {
        Self::Unavailable {
            what: what.into(),
            source: Some(source.into()),
        }
    }

    /// An invariant broke, and `source` shows how.
    pub fn bug(context: impl Into<Cow<'static, str>>, source: impl Into<Cause>) -> Self {
        Self::Bug {
            context: context.into(),
            source: Some(source.into()),
        }
    }
}

impl From<Illegal> for Error {
    /// A move that no rule in front of it refused: the rules have a hole.
    fn from(illegal: Illegal) -> Self {
        Self::bug("a state machine was asked for an illegal move", illegal)
    }
}

impl From<catalog::Error> for Error {
    /// What the catalog refuses was not foreseen by the rules in front of it, or it is down.
    fn from(error: catalog::Error) -> Self {
        use catalog::Error as E;
        match error {
            E::NotFound { .. }
            | E::Duplicate(_)
            | E::Reference
            | E::Illegal(_)
            | E::KeyChanged { .. }
            | E::Nested
            | E::ReadOnly => Self::bug("the catalog refused a change", error),
            _ => Self::unavailable("the catalog", error),
        }
    }
}

impl From<MalformedId> for Error {
    fn from(malformed: MalformedId) -> Self {
        Self::invalid("id", malformed.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_own_word_and_is_parsed_back() {
        for (n, reason) in Reason::ALL.iter().enumerate() {
            assert_eq!(Reason::parse(reason.as_str()), Some(*reason));
            assert!(
                Reason::ALL[n + 1..]
                    .iter()
                    .all(|other| other.as_str() != reason.as_str())
            );
        }
    }

    #[test]
    fn the_message_names_the_thing_and_the_rule() {
        let error = Error::not_found(Reason::NoSuchVault, "v1");
        assert_eq!(error.to_string(), "no such vault: v1");
        let error = Error::conflict(Reason::ResourceTwice, "r1");
        assert_eq!(error.to_string(), "the resource is listed twice (r1)");
        assert_eq!(error.reason(), Reason::ResourceTwice);
    }
}
