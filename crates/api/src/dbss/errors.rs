//! DBSS's dialect: `{"error_code": "DBSS.10000001", "error_msg": "…"}` with the same once more
//! among `details`, and below the older `/dbss/audit/` paths the pair inside of `error`.
//!
//! One table from a refusal's [`Reason`] to the vendor's code. The vendor has one code for what is
//! not there, whatever it is, and none for what a state forbids: that is a bad request.

use http::StatusCode;
use serde_json::json;
use strongroom_control::Reason;
use strongroom_wire::error_code::{ErrorCode, dbss};

use crate::{
    cbr::errors::{gateway, message},
    dialect::{Dialect, Refusal},
    failure::Failure,
    request::Request,
};

/// How DBSS refuses.
pub struct Dbss;

impl Dialect for Dbss {
    fn service(&self) -> &'static str {
        "dbss"
    }

    fn render(&self, failure: &Failure, request: &Request) -> Refusal {
        if let Some(refusal) = gateway(failure, request) {
            return refusal;
        }
        let (code, status) = match failure {
            Failure::Malformed { .. } => (dbss::BAD_REQUEST, None),
            Failure::NotYet { .. } => (dbss::INTERNAL, Some(StatusCode::NOT_IMPLEMENTED)),
            Failure::Refused(error) => (code(error.reason()), unavailable(error.reason())),
            _ => (dbss::INTERNAL, None),
        };
        let error = json!({ "error_code": code.code, "error_msg": message(failure) });
        let body = if request.uri.path().contains("/dbss/audit/") {
            json!({ "error": error })
        } else {
            let mut body = error.clone();
            body["encoded_authorization_message"] = json!(null);
            body["details"] = json!([error]);
            body
        };
        let documented = StatusCode::from_u16(code.status);
        Refusal {
            status: status.unwrap_or(documented.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)),
            code: code.code.to_owned(),
            body,
        }
    }
}

const fn unavailable(reason: Reason) -> Option<StatusCode> {
    match reason {
        Reason::Unavailable => Some(StatusCode::SERVICE_UNAVAILABLE),
        _ => None,
    }
}

/// The vendor's code for each situation that a call of this service can meet.
pub const fn code(reason: Reason) -> ErrorCode {
    match reason {
        Reason::InvalidParameter
        | Reason::AlreadyExists
        | Reason::BackupNotReady
        | Reason::BackupStateForbidsRestore
        | Reason::DataDamaged
        | Reason::TooManyTags => dbss::BAD_REQUEST,
        Reason::NoSuchInstance
        | Reason::NoSuchBackup
        | Reason::NoSuchStatement
        | Reason::NoSuchTask => dbss::NOT_FOUND,
        Reason::LogsUnreadable | Reason::InputOutput => dbss::LOGS_UNREADABLE,
        Reason::TooManyInstances => dbss::QUOTA,
        _ => dbss::INTERNAL,
    }
}
