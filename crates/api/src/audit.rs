//! What is kept of each call: a line in the log, and a deed in the audit trail if it tried to
//! change something.

use http::Method;
use strongroom_control::audit::Deed;
use strongroom_model::chain;

use crate::{cloud::Cloud, failure::Failure, service::Outcome};

/// Notes what became of a call.
pub(crate) fn finished(cloud: &Cloud, outcome: &Outcome<'_>) {
    log(outcome);
    // Looking changes nothing; and what was not proven is kept only where it cost a password
    // check, or a stranger could fill the disk.
    let looks = matches!(outcome.request.method, Method::GET | Method::HEAD);
    let Some(operation) = outcome.operation.filter(|_| !looks) else {
        return;
    };
    if outcome.session.is_none() && !operation.public {
        return;
    }
    let who = outcome.session.map_or_else(
        || "unproven".to_owned(),
        |session| session.user.id.to_string(),
    );
    let status = outcome.status.as_u16();
    let deed = Deed {
        who,
        project_id: outcome
            .session
            .and_then(|session| Some(session.project()?.id)),
        source: outcome.request.source(),
        request_id: outcome.request.id.clone(),
        operation: operation.action.to_owned(),
        target: outcome.request.uri.path().to_owned(),
        outcome: match outcome.refused {
            Some((code, _)) => format!("{status} {code}"),
            None => status.to_string(),
        },
    };
    if let Err(error) = cloud.identity.record(deed) {
        tracing::error!(request = %outcome.request.id, error = %chain(&error), "no audit record");
    }
}

fn log(outcome: &Outcome<'_>) {
    let (service, request) = (outcome.service, &outcome.request.id);
    let operation = outcome.operation.map_or("none", |operation| operation.name);
    let status = outcome.status.as_u16();
    match outcome.refused {
        Some((code, failure)) if outcome.status.is_server_error() && !is_promise(failure) => {
            let cause = chain(failure);
            tracing::error!(service, operation, %request, status, code, %cause, "failed");
        }
        Some((code, failure)) => {
            let cause = chain(failure);
            tracing::info!(service, operation, %request, status, code, %cause, "refused");
        }
        None => tracing::debug!(service, operation, %request, status, "done"),
    }
}

/// What does not work yet is no fault that somebody must look at.
const fn is_promise(failure: &Failure) -> bool {
    matches!(failure, Failure::NotYet { .. })
}
