//! Services whose origins and dialects stand, and of which nothing works yet: DBSS.
//!
//! Clients find them in the catalogue, sign in, and are told in the words that they understand.
//! When a service gets its operations it gets a folder of its own, and this file loses a line.

use std::sync::Arc;

use axum::Router;
use http::StatusCode;
use serde_json::{Value, json};

use crate::{
    cbr::errors::{gateway, message},
    cloud::Cloud,
    dialect::{Dialect, Refusal},
    failure::Failure,
    request::Request,
    service::Service,
};

/// The router of the database audit service's API.
pub fn dbss(cloud: Arc<Cloud>) -> Router {
    Service::new(cloud, Dbss).planned("the DBSS API", "backup of audit logs")
}

struct Dbss;

impl Dialect for Dbss {
    fn service(&self) -> &'static str {
        "dbss"
    }

    fn render(&self, failure: &Failure, request: &Request) -> Refusal {
        rendered(
            failure,
            request,
            "DBSS.10000001",
            "DBSS.11000000",
            |code, message| {
                let error = json!({ "error_code": code, "error_msg": message });
                if request.uri.path().contains("/dbss/audit/") {
                    return json!({ "error": error });
                }
                json!({ "error_code": code, "error_msg": message, "details": [error] })
            },
        )
    }
}

/// A failure with the service's code for a bad request or for a fault of its own.
fn rendered(
    failure: &Failure,
    request: &Request,
    bad_request: &str,
    fault: &str,
    body: impl FnOnce(&str, &str) -> Value,
) -> Refusal {
    if let Some(refusal) = gateway(failure, request) {
        return refusal;
    }
    let (status, code) = match failure {
        Failure::Malformed { .. } => (StatusCode::BAD_REQUEST, bad_request),
        Failure::NotYet { .. } => (StatusCode::NOT_IMPLEMENTED, fault),
        _ => (StatusCode::INTERNAL_SERVER_ERROR, fault),
    };
    Refusal {
        status,
        code: code.to_owned(),
        body: body(code, &message(failure)),
    }
}
