//! Identity's dialect, which is two: Keystone's nested body under `/v3`, the vendor's flat one
//! under `/v3.0` and `/v5`.
//!
//! Everything that is wrong with a sign-in is 401, an unknown user or project too: clients take
//! any other status for a broken service, and a stranger learns nothing.

use serde_json::json;
use strongroom_control::{Error, Reason};
use strongroom_wire::error_code::{ErrorCode, gateway, iam};

use crate::{
    cbr::errors::{message, refusal},
    dialect::{Dialect, Refusal},
    failure::Failure,
    native,
    request::Request,
};

/// How identity refuses.
pub struct Iam;

impl Dialect for Iam {
    fn service(&self) -> &'static str {
        "iam"
    }

    fn render(&self, failure: &Failure, request: &Request) -> Refusal {
        let path = request.uri.path();
        if path.starts_with("/native/") {
            return native::errors::render(failure, request);
        }
        let (code, text) = (code(failure), message(failure));
        let body = if path == "/v3" || path.starts_with("/v3/") {
            json!(code.keystone_body(Some(&text)))
        } else {
            json!(code.gateway_body(Some(&text), &request.id))
        };
        refusal(code, body)
    }
}

fn code(failure: &Failure) -> ErrorCode {
    match failure {
        Failure::NoSuchApi => gateway::NO_SUCH_OPERATION,
        Failure::BodyTooLarge => gateway::TOO_LARGE,
        Failure::BodyUnreadable => gateway::BAD_REQUEST,
        Failure::Unauthenticated(_) => iam::UNAUTHENTICATED,
        Failure::OtherProject => iam::FORBIDDEN,
        Failure::NotPermitted { .. } => iam::POLICY_FORBIDS,
        Failure::Throttled { .. } => iam::THROTTLED,
        Failure::NotYet { .. } | Failure::NotOffered { .. } => ErrorCode {
            status: 501,
            ..iam::INTERNAL
        },
        Failure::Malformed { what, .. } if what == "body" => iam::BAD_BODY,
        Failure::Malformed { .. } => iam::BAD_PARAMETER,
        Failure::Refused(error) => refused(error),
        Failure::Broken => iam::INTERNAL,
    }
}

fn refused(error: &Error) -> ErrorCode {
    match error {
        Error::NotFound { .. } => iam::NOT_FOUND,
        Error::Invalid { .. } => iam::BAD_PARAMETER,
        Error::QuotaExceeded {
            reason: Reason::TooManyAttempts,
            ..
        } => iam::THROTTLED,
        Error::Conflict { .. } | Error::QuotaExceeded { .. } => iam::CONFLICT,
        Error::Forbidden { .. } => iam::FORBIDDEN,
        Error::Unauthenticated { .. } => iam::UNAUTHENTICATED,
        Error::Unavailable { .. } => ErrorCode {
            status: 503,
            ..iam::INTERNAL
        },
        Error::Bug { .. } => iam::INTERNAL,
    }
}
