//! Distributed Database Middleware: one line per operation that works.
//!
//! A handler reads the call into the use case's terms, calls it, and presents what came back.
//! Operations that do not work are routed by [`Service::finish`](crate::service::Service::finish)
//! from the wire's table.

mod backups;
mod databases;
mod engines;
pub mod errors;
mod instances;
mod jobs;
mod nodes;
mod restores;
mod tags;
mod words;

use std::sync::Arc;

use axum::Router;

use crate::{cloud::Cloud, service::Service};

/// The service's router.
pub fn router(cloud: Arc<Cloud>) -> Router {
    Service::new(cloud, errors::Ddm)
        .serve(backups::list)
        .serve(backups::delete)
        .serve(backups::show)
        .serve(restores::data_nodes)
        .serve(restores::target_data_nodes)
        .serve(restores::target_instances)
        .serve(restores::metadata)
        .serve(restores::recover)
        .serve(restores::times)
        .serve(jobs::list)
        .serve(jobs::show)
        .serve(instances::list_old)
        .serve(instances::list)
        .serve(instances::show_old)
        .serve(instances::show)
        .serve(instances::delete_old)
        .serve(instances::delete)
        .serve(instances::rename)
        .serve(nodes::list)
        .serve(nodes::show_old)
        .serve(nodes::show)
        .serve(nodes::available)
        .serve(nodes::synchronise)
        .serve(nodes::check)
        .serve(nodes::users)
        .serve(databases::list)
        .serve(databases::show_old)
        .serve(databases::show)
        .serve(databases::create)
        .serve(databases::delete)
        .serve(databases::export)
        .serve(databases::import)
        .serve(engines::flavors)
        .serve(engines::flavors_old)
        .serve(engines::list)
        .serve(engines::list_old)
        .serve(engines::versions)
        .serve(tags::list)
        .serve(tags::of_project)
        .serve(tags::add)
        .serve(tags::remove)
        .serve(tags::update)
        .finish(&[strongroom_wire::ddm::ALL])
}
