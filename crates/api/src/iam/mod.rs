//! Identity and, on the same origin, our own API for operators.
//!
//! The two share a listener because they never collide: identity has `/v3…` and `/v5…`, ours has
//! `/native/v1…` and the probes.

mod catalog;
mod credentials;
pub mod errors;
mod projects;
mod tokens;
mod versions;

use std::sync::Arc;

use axum::Router;

use crate::{cloud::Cloud, native, service::Service};

/// The router of the identity origin.
pub fn router(cloud: Arc<Cloud>) -> Router {
    let service = Service::new(cloud, errors::Iam)
        .serve(versions::list)
        .serve(versions::show)
        .serve(tokens::create)
        .serve(tokens::validate)
        .serve(tokens::check)
        .serve(tokens::revoke)
        .serve(projects::list)
        .serve(projects::show)
        .serve(projects::of_user)
        .serve(projects::enterable)
        .serve(projects::domains)
        .serve(projects::caller)
        .serve(catalog::show)
        .serve(credentials::create)
        .serve(credentials::list)
        .serve(credentials::show)
        .serve(credentials::update)
        .serve(credentials::delete);
    native::add(service).finish(&[strongroom_wire::iam::ALL, strongroom_wire::native::ALL])
}
