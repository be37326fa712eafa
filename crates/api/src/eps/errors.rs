//! EPS's dialect: `{"error": {"error_code": "EPS.0005", "error_msg": "…"}}`.
//!
//! Its documents have a code for each field that can be wrong, so what is wrong is told by the
//! field's name.

use http::StatusCode;
use serde_json::json;
use strongroom_control::{Error, Reason};

use crate::{
    cbr::errors::{gateway, message},
    dialect::{Dialect, Refusal},
    failure::Failure,
    request::Request,
};

/// How EPS refuses.
pub struct Eps;

impl Dialect for Eps {
    fn service(&self) -> &'static str {
        "eps"
    }

    fn render(&self, failure: &Failure, request: &Request) -> Refusal {
        if let Some(refusal) = gateway(failure, request) {
            return refusal;
        }
        let (status, code) = match failure {
            Failure::Malformed { what, .. } => (400, field(what)),
            Failure::Refused(Error::Invalid { field: name, .. }) => (400, field(name)),
            Failure::Refused(error) => refused(error.reason()),
            Failure::NotYet { .. } => (501, "EPS.0001"),
            _ => (500, "EPS.0001"),
        };
        let error = json!({ "error_code": code, "error_msg": message(failure) });
        Refusal {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            code: code.to_owned(),
            body: json!({ "error": error }),
        }
    }
}

/// The code for a field that is not acceptable.
fn field(name: &str) -> &'static str {
    match name {
        "name" => "EPS.0007",
        "description" => "EPS.0008",
        "action" => "EPS.0013",
        "limit" => "EPS.0017",
        "offset" => "EPS.0018",
        "project_id" | "projects" => "EPS.0022",
        "resource_types" => "EPS.0023",
        "type" => "EPS.0025",
        "matches" => "EPS.0029",
        "resource_type" => "EPS.0031",
        "resource_id" => "EPS.0032",
        "region_id" => "EPS.0035",
        "enterprise_project_id" => "EPS.0044",
        "body" => "EPS.0049",
        _ => "EPS.0002",
    }
}

const fn refused(reason: Reason) -> (u16, &'static str) {
    match reason {
        Reason::NoSuchEnterpriseProject | Reason::NoSuchVault => (404, "EPS.0005"),
        Reason::AlreadyExists => (409, "EPS.0010"),
        Reason::StillInUse => (409, "EPS.0041"),
        Reason::TooManyEnterpriseProjects => (400, "EPS.0009"),
        Reason::DefaultEnterpriseProject => (400, "EPS.0012"),
        Reason::EnterpriseProjectDisabled => (400, "EPS.0014"),
        Reason::EnterpriseTargetDisabled => (400, "EPS.0034"),
        Reason::Unavailable => (500, "EPS.0048"),
        _ => (500, "EPS.0001"),
    }
}
