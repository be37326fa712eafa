//! How a service says no: one dialect per vendor service.

use http::StatusCode;
use serde_json::Value;

use crate::{failure::Failure, request::Request};

/// A failure in a service's own words.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: StatusCode,
    /// The vendor's code, for metrics and the audit trail.
    pub code: String,
    /// The body.
    pub body: Value,
}

/// Renders every failure of one service, unknown paths and panics included.
pub trait Dialect: Send + Sync + 'static {
    /// The service's short name, for the log.
    fn service(&self) -> &'static str;

    /// The failure in the service's words. Must not fail and must say nothing of the inside.
    fn render(&self, failure: &Failure, request: &Request) -> Refusal;
}
