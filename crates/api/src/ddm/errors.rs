//! DDM's dialect: `{"error_code": "DBS.280001", "error_msg": "…"}`, and for the versions before
//! the third the same two under the names that their clients know.
//!
//! One table from a refusal's [`Reason`] to the vendor's code. The vendor documents 400 for
//! everything but an instance that is not there (a sister service's 404) and one that is busy (409,
//! on which Terraform tries again).

use serde_json::json;
use strongroom_control::Reason;
use strongroom_wire::error_code::{ErrorCode, ddm};

use crate::{
    codes::Codes,
    dialect::{Dialect, Refusal},
    failure::Failure,
    request::Request,
};

/// How DDM refuses.
pub struct Ddm;

impl Dialect for Ddm {
    fn service(&self) -> &'static str {
        "ddm"
    }

    fn render(&self, failure: &Failure, request: &Request) -> Refusal {
        CODES.refusal(failure, request, |code, text| {
            let mut body = json!({ "error_code": code.code, "error_msg": text });
            // Clients of the older versions know only these names for the two.
            if !request.uri.path().starts_with("/v3") {
                body["errCode"] = json!(code.code);
                body["externalMessage"] = json!(text);
            }
            body
        })
    }
}

const CODES: Codes = Codes {
    malformed: ddm::BAD_PARAMETER,
    not_yet: ErrorCode {
        status: 501,
        ..ddm::INTERNAL
    },
    not_offered: ddm::CANNOT_PROCESS,
    internal: ddm::INTERNAL,
    of: code,
};

/// The vendor's code for each situation that a call of this service can meet.
pub const fn code(reason: Reason) -> ErrorCode {
    match reason {
        Reason::InvalidParameter
        | Reason::AlreadyExists
        | Reason::NoSuchBackup
        | Reason::NoSuchTag
        | Reason::TooManyTags => ddm::BAD_PARAMETER,
        Reason::NoSuchInstance => ddm::INSTANCE_NOT_FOUND,
        Reason::NoSuchDataNode => ddm::DATA_NODE_NOT_FOUND,
        Reason::NoSuchTask => ddm::JOB_NOT_FOUND,
        Reason::NoSuchSchema => ddm::SCHEMA_NOT_FOUND,
        Reason::InstanceBusy => ddm::INSTANCE_BUSY,
        Reason::InstanceUnfit => ddm::BAD_TARGET,
        Reason::DataNodeLinked => ddm::DATA_NODE_STATE,
        Reason::DataNodeCount => ddm::DATA_NODE_COUNT,
        Reason::SchemaExists => ddm::SCHEMA_EXISTS,
        Reason::SchemaNameBad => ddm::SCHEMA_NAME,
        Reason::ShardCountBad => ddm::SHARD_COUNT,
        Reason::TimeNotRestorable => ddm::BAD_TIME,
        Reason::DatabaseUnreachable => ddm::UNREACHABLE,
        Reason::DatabaseDenies => ddm::DATA_NODE_ACCOUNT,
        Reason::DatabaseRefuses
        | Reason::BackupNotReady
        | Reason::BackupStateForbidsRestore
        | Reason::DataDamaged => ddm::CANNOT_PROCESS,
        Reason::Forbidden => ddm::FORBIDDEN,
        Reason::Unavailable => ErrorCode {
            status: 503,
            ..ddm::INTERNAL
        },
        _ => ddm::INTERNAL,
    }
}
