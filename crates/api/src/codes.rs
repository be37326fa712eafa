//! Refusals of services that have one code for each situation: what CBR, DDM and DBSS do alike,
//! whatever their bodies look like.
//!
//! Invariant: what the gateway in front of a service refuses looks the same whichever it is.

use serde_json::Value;
use strongroom_control::Reason;
use strongroom_wire::error_code::ErrorCode;

use crate::{
    cbr::errors::{gateway, message, refusal},
    dialect::Refusal,
    failure::Failure,
    request::Request,
};

/// The codes of one service.
pub(crate) struct Codes {
    /// For what cannot be understood.
    pub(crate) malformed: ErrorCode,
    /// For an operation that does not work.
    pub(crate) not_yet: ErrorCode,
    /// For an operation that will not work here, and says why.
    pub(crate) not_offered: ErrorCode,
    /// For a mistake of ours.
    pub(crate) internal: ErrorCode,
    /// For what the use cases refuse.
    pub(crate) of: fn(Reason) -> ErrorCode,
}

impl Codes {
    /// The failure with its code, in a body made of the code and what the caller reads.
    pub(crate) fn refusal(
        &self,
        failure: &Failure,
        request: &Request,
        body: impl FnOnce(ErrorCode, &str) -> Value,
    ) -> Refusal {
        if let Some(refusal) = gateway(failure, request) {
            return refusal;
        }
        let code = match failure {
            Failure::Malformed { .. } => self.malformed,
            Failure::NotYet { .. } => self.not_yet,
            Failure::NotOffered { .. } => self.not_offered,
            Failure::Refused(error) => (self.of)(error.reason()),
            _ => self.internal,
        };
        refusal(code, body(code, &message(failure)))
    }
}
