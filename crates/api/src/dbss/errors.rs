//! DBSS's dialect: `{"error_code": "DBSS.10000001", "error_msg": "…"}` with the same once more
//! among `details`, and below the older `/dbss/audit/` paths the pair inside of `error`.
//!
//! One table from a refusal's [`Reason`] to the vendor's code. The vendor has one code for what is
//! not there, whatever it is, and none for what a state forbids: that is a bad request.

use serde_json::json;
use strongroom_control::Reason;
use strongroom_wire::error_code::{ErrorCode, dbss};

use crate::{
    codes::Codes,
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
        CODES.refusal(failure, request, |code, text| {
            let error = json!({ "error_code": code.code, "error_msg": text });
            if request.uri.path().contains("/dbss/audit/") {
                return json!({ "error": error });
            }
            let mut body = error.clone();
            body["encoded_authorization_message"] = json!(null);
            body["details"] = json!([error]);
            body
        })
    }
}

const CODES: Codes = Codes {
    malformed: dbss::BAD_REQUEST,
    not_yet: ErrorCode {
        status: 501,
        ..dbss::INTERNAL
    },
    not_offered: dbss::BAD_REQUEST,
    internal: dbss::INTERNAL,
    of: code,
};

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
        Reason::Unavailable => ErrorCode {
            status: 503,
            ..dbss::INTERNAL
        },
        _ => dbss::INTERNAL,
    }
}
