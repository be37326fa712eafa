//! How our own API refuses: as CBR does, and 409 for what is there already or still in use.

use http::StatusCode;
use strongroom_control::Reason;
use strongroom_wire::error_code::{ErrorCode, cbr};

use crate::{
    cbr::errors::{Cbr, flat, message, refusal},
    dialect::{Dialect as _, Refusal},
    failure::Failure,
    request::Request,
};

/// The failure in our API's words.
pub fn render(failure: &Failure, request: &Request) -> Refusal {
    let own = match failure {
        Failure::Refused(error) => own(error.reason()),
        _ => None,
    };
    match own {
        Some(code) => refusal(code, flat(code, &message(failure))),
        None => Cbr.render(failure, request),
    }
}

fn own(reason: Reason) -> Option<ErrorCode> {
    let (code, status) = match reason {
        Reason::AlreadyExists
        | Reason::StillInUse
        | Reason::TaskFinished
        | Reason::TaskNotCancellable => ("Strongroom.0409", StatusCode::CONFLICT),
        Reason::DataNodeLinked
        | Reason::DirectoryTaken
        | Reason::InstanceBusy
        | Reason::TooManyInstances => ("Strongroom.0409", StatusCode::CONFLICT),
        Reason::DatabaseUnreachable
        | Reason::DatabaseDenies
        | Reason::DatabaseRefuses
        | Reason::LogsUnreadable
        | Reason::InstanceUnfit => ("Strongroom.0400", StatusCode::BAD_REQUEST),
        Reason::NoSuchInstance | Reason::NoSuchTask => ("Strongroom.0404", StatusCode::NOT_FOUND),
        Reason::NoSuchProject | Reason::NoSuchUser => ("Strongroom.0404", StatusCode::NOT_FOUND),
        _ => return None,
    };
    Some(ErrorCode {
        code,
        status: status.as_u16(),
        ..cbr::INTERNAL
    })
}
