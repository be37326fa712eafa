//! CBR's dialect: `{"error_code": "BackupService.6105", "error_msg": "…"}`.
//!
//! One table from a refusal's [`Reason`] to the vendor's code. What the vendor's gateway refuses
//! before the service sees it has gateway codes and the request's id in the body, as there.
//!
//! An operation that does not work yet answers 501, after full authentication: every SDK raises
//! its exception for failures of the service with the code and the text, none tries again by
//! itself, and no status below 500 would be true, for nothing is wrong with the request.

use http::StatusCode;
use serde_json::{Value, json};
use strongroom_control::{Error, Reason};
use strongroom_wire::error_code::{ErrorCode, cbr, gateway as gate};

use crate::{
    codes::Codes,
    dialect::{Dialect, Refusal},
    failure::Failure,
    request::Request,
};

/// How CBR refuses.
pub struct Cbr;

impl Dialect for Cbr {
    fn service(&self) -> &'static str {
        "cbr"
    }

    fn render(&self, failure: &Failure, request: &Request) -> Refusal {
        CODES.refusal(failure, request, flat)
    }
}

const CODES: Codes = Codes {
    malformed: cbr::BAD_PARAMETER,
    not_yet: cbr::NOT_AVAILABLE,
    not_offered: cbr::BAD_PARAMETER,
    internal: cbr::INTERNAL,
    of: code,
};

/// The vendor's code for each situation.
pub const fn code(reason: Reason) -> ErrorCode {
    match reason {
        Reason::NothingToBackUp => cbr::NOTHING_TO_BACK_UP,
        Reason::InvalidParameter | Reason::AlreadyExists => cbr::BAD_PARAMETER,
        Reason::NoSuchVault => cbr::VAULT_NOT_FOUND,
        Reason::NoSuchBackup => cbr::BACKUP_NOT_FOUND,
        Reason::NoSuchCheckpoint => cbr::CHECKPOINT_NOT_FOUND,
        Reason::NoSuchResource | Reason::PathVanished => cbr::RESOURCE_NOT_FOUND,
        Reason::NoSuchPolicy => cbr::POLICY_NOT_FOUND,
        Reason::PolicyNotBound => cbr::POLICY_NOT_BOUND,
        Reason::TooManyPolicies => cbr::POLICY_QUOTA,
        Reason::PolicyRegionFixed => cbr::POLICY_REGION_FIXED,
        Reason::PolicyNotApplicable => cbr::POLICY_NOT_APPLICABLE,
        Reason::BackupNotCopyable => cbr::NOT_REPLICABLE,
        Reason::RegionTakesNoCopies => cbr::REGION_TAKES_NO_COPIES,
        Reason::CopiedAlready => cbr::REPLICATED_ALREADY,
        Reason::ProjectTakesNoCopies => cbr::PROJECT_TAKES_NO_COPIES,
        Reason::TargetVaultFull => cbr::TARGET_VAULT_FULL,
        Reason::VaultReplicating => cbr::VAULT_REPLICATING,
        Reason::NoReplicationTarget => cbr::NO_REPLICATION_TARGET,
        Reason::NoSuchTargetVault => cbr::TARGET_VAULT_NOT_FOUND,
        Reason::VaultKindForbidsReplication => cbr::VAULT_NOT_REPLICABLE,
        Reason::NoSuchOperationLog => cbr::OPERATION_LOG_NOT_FOUND,
        Reason::NoSuchTag => cbr::TAG_NOT_FOUND,
        Reason::ResourceNotInVault => cbr::RESOURCE_NOT_IN_VAULT,
        Reason::VaultHasMaximumOfResources => cbr::TOO_MANY_RESOURCES,
        Reason::VaultSizeBad => cbr::BAD_VAULT_SIZE,
        Reason::VaultTakesOtherType => cbr::WRONG_RESOURCE_TYPE,
        Reason::ResourceInVault => cbr::RESOURCE_IN_A_VAULT,
        Reason::ResourceTwice => cbr::RESOURCE_TWICE,
        Reason::VaultStateForbids | Reason::VaultLocked => cbr::VAULT_STATE,
        Reason::VaultStateForbidsBackup => cbr::VAULT_STATE_FORBIDS_BACKUP,
        Reason::VaultFull => cbr::VAULT_FULL,
        Reason::TypeUnsupported => cbr::RESOURCE_TYPE_UNSUPPORTED,
        Reason::BackupRunning => cbr::BACKUP_OF_RESOURCE_RUNS,
        Reason::TooManyVaults => cbr::VAULT_QUOTA,
        Reason::ResourceBeingRemoved => cbr::REMOVAL_RUNS,
        Reason::ResourceStateForbidsBackup => cbr::RESOURCE_STATE,
        _ => code_of_backups(reason),
    }
}

const fn code_of_backups(reason: Reason) -> ErrorCode {
    match reason {
        Reason::BackupNotDeletable => cbr::BACKUP_NOT_DELETABLE,
        Reason::BackupInUse => cbr::BACKUP_IN_USE,
        Reason::BackupNotReady => cbr::BACKUP_BUSY,
        Reason::MetadataNotReady => cbr::METADATA_STATE,
        Reason::LockedVaultKeepsBackup => cbr::VAULT_LOCKED,
        Reason::TooManyTags => cbr::TAG_QUOTA,
        Reason::TargetTooSmall => cbr::TARGET_TOO_SMALL,
        Reason::RestoreWhileBackupRuns => cbr::BACKUP_RUNNING,
        Reason::RestoreElsewhereRefused => cbr::RESTORE_ELSEWHERE,
        Reason::BackupStateForbidsRestore => cbr::BACKUP_NOT_RESTORABLE,
        Reason::RestoreRunning => cbr::RESTORE_RUNNING,
        Reason::TargetStateForbidsRestore => cbr::TARGET_BUSY,
        Reason::Forbidden => gate::FORBIDDEN,
        Reason::Unauthenticated => gate::UNAUTHENTICATED,
        Reason::TooManyAttempts => gate::THROTTLED,
        Reason::VaultNotUpdatable => ErrorCode {
            code: "BackupService.6110",
            ..cbr::VAULT_STATE
        },
        Reason::VaultNotDeletable => ErrorCode {
            code: "BackupService.6111",
            ..cbr::VAULT_STATE
        },
        Reason::VaultKindForbidsBackup => ErrorCode {
            code: "BackupService.6124",
            ..cbr::VAULT_STATE_FORBIDS_BACKUP
        },
        Reason::VaultStateForbidsRestore => ErrorCode {
            code: "BackupService.6202",
            ..cbr::VAULT_STATE
        },
        Reason::NoSuchAgent => cbr::RESOURCE_NOT_FOUND,
        Reason::NoSuchMember
        | Reason::NoSuchReceiver
        | Reason::TooManyMembers
        | Reason::BackupNotShareable
        | Reason::SharedAlready
        | Reason::MemberStatusBad
        | Reason::ShareTakenElsewhere
        | Reason::VaultStateForbidsShare
        | Reason::ShareKindDiffers => code_of_shares(reason),
        Reason::VaultCannotSynchronise => ErrorCode {
            code: "BackupService.7300",
            ..cbr::VAULT_STATE
        },
        Reason::SynchronisationRuns => ErrorCode {
            code: "BackupService.7302",
            ..cbr::VAULT_STATE
        },
        Reason::ImportFailed => ErrorCode {
            code: "BackupService.1006",
            ..cbr::INTERNAL
        },
        Reason::Unavailable => ErrorCode {
            status: 503,
            ..cbr::INTERNAL
        },
        // In tasks only: the disk is full, data is damaged, reading failed, somebody cancelled.
        _ => cbr::INTERNAL,
    }
}

const fn code_of_shares(reason: Reason) -> ErrorCode {
    match reason {
        Reason::NoSuchReceiver => cbr::BAD_RECEIVER,
        Reason::TooManyMembers => cbr::SHARE_QUOTA,
        Reason::BackupNotShareable => cbr::NOT_SHAREABLE,
        Reason::SharedAlready => cbr::SHARED_ALREADY,
        Reason::MemberStatusBad => cbr::MEMBER_STATUS,
        Reason::ShareTakenElsewhere => cbr::MEMBER_UPDATE_FAILED,
        Reason::VaultStateForbidsShare => cbr::VAULT_STATE_FORBIDS_SHARE,
        Reason::ShareKindDiffers => cbr::SHARE_KIND,
        _ => cbr::MEMBER_NOT_FOUND,
    }
}

/// What the gateway in front of every vendor service refuses; the same for CBR, DDM, DBSS and
/// EPS. `None` for what is left to the service.
pub fn gateway(failure: &Failure, request: &Request) -> Option<Refusal> {
    let code = match failure {
        Failure::NoSuchApi => gate::NO_SUCH_OPERATION,
        Failure::BodyTooLarge => gate::TOO_LARGE,
        Failure::BodyUnreadable => gate::BAD_REQUEST,
        Failure::Unauthenticated(_) | Failure::Refused(Error::Unauthenticated { .. }) => {
            gate::UNAUTHENTICATED
        }
        Failure::OtherProject
        | Failure::NotPermitted { .. }
        | Failure::Refused(Error::Forbidden { .. }) => gate::FORBIDDEN,
        Failure::Throttled { .. } => gate::THROTTLED,
        _ => return None,
    };
    let body = json!(code.gateway_body(Some(&message(failure)), &request.id));
    Some(refusal(code, body))
}

/// A refusal with that code and body.
pub fn refusal(code: ErrorCode, body: Value) -> Refusal {
    let status = StatusCode::from_u16(code.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Refusal {
        status,
        code: code.code.to_owned(),
        body,
    }
}

/// `{"error_code": …, "error_msg": …}`
pub fn flat(code: ErrorCode, message: &str) -> Value {
    json!(code.body(Some(message)))
}

/// What the caller reads: nothing of the inside.
pub fn message(failure: &Failure) -> String {
    match failure {
        Failure::Refused(Error::Bug { .. }) | Failure::Broken => cbr::INTERNAL.message.to_owned(),
        shown => shown.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_situation_that_a_request_can_meet_has_a_documented_code() {
        let in_tasks_only = [
            Reason::Missed,
            Reason::BackupIncomplete,
            Reason::StoreFull,
            Reason::DataDamaged,
            Reason::InputOutput,
            Reason::Cancelled,
        ];
        let of_others = [
            Reason::NoSuchProject,
            Reason::NoSuchUser,
            Reason::NoSuchDomain,
            Reason::NoSuchEnterpriseProject,
            Reason::TooManyEnterpriseProjects,
            Reason::DefaultEnterpriseProject,
            Reason::EnterpriseProjectDisabled,
            Reason::EnterpriseTargetDisabled,
            Reason::NoSuchAccessKey,
            Reason::NoSuchToken,
            Reason::TaskFinished,
            Reason::TaskNotCancellable,
            Reason::StillInUse,
            Reason::Internal,
            Reason::NoSuchStatement,
            Reason::LogsUnreadable,
            Reason::DirectoryTaken,
            Reason::TooManyInstances,
            Reason::NoSuchInstance,
            Reason::NoSuchDataNode,
            Reason::NoSuchTask,
            Reason::NoSuchSchema,
            Reason::InstanceBusy,
            Reason::InstanceUnfit,
            Reason::DataNodeLinked,
            Reason::DataNodeCount,
            Reason::SchemaExists,
            Reason::SchemaNameBad,
            Reason::ShardCountBad,
            Reason::TimeNotRestorable,
            Reason::DatabaseUnreachable,
            Reason::DatabaseDenies,
            Reason::DatabaseRefuses,
        ];
        for reason in Reason::ALL {
            let known = code(*reason) != cbr::INTERNAL;
            let expected = !in_tasks_only.contains(reason) && !of_others.contains(reason);
            assert_eq!(known, expected, "{reason:?}");
        }
    }
}
