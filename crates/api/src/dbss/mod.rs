//! Database Security Service: one line per operation that works.
//!
//! A handler reads the call into the use case's terms, calls it, and presents what came back.
//! Operations that do not work are routed by [`Service::finish`](crate::service::Service::finish)
//! from the wire's table.

mod backups;
pub mod errors;
mod instances;
mod monitor;
mod operations;
mod risks;
mod statements;
mod tags;
mod words;

use std::sync::Arc;

use axum::Router;

use crate::{cloud::Cloud, service::Service};

pub(crate) use instances::{zone_minutes, zone_text};

/// The service's router.
pub fn router(cloud: Arc<Cloud>) -> Router {
    Service::new(cloud, errors::Dbss)
        .serve(backups::status)
        .serve(backups::list)
        .serve(backups::delete)
        .serve(backups::restore)
        .serve(backups::retry)
        .serve(backups::template)
        .serve(backups::set_switch)
        .serve(backups::buckets)
        .serve(risks::list)
        .serve(risks::show)
        .serve(risks::bucket)
        .serve(risks::set_switch)
        .serve(risks::set_bucket)
        .serve(instances::list_old)
        .serve(instances::list)
        .serve(instances::list_last)
        .serve(instances::jobs_old)
        .serve(instances::jobs)
        .serve(instances::quota_old)
        .serve(instances::quota)
        .serve(instances::settings)
        .serve(instances::update_settings)
        .serve(instances::version)
        .serve(instances::time_zone)
        .serve(instances::reboot)
        .serve(instances::start)
        .serve(instances::stop)
        .serve(instances::update)
        .serve(instances::delete)
        .serve(instances::zones)
        .serve(instances::summary)
        .serve(monitor::show)
        .serve(monitor::upgrades)
        .serve(monitor::statistics)
        .serve(monitor::count)
        .serve(statements::databases_old)
        .serve(statements::databases)
        .serve(statements::list_old)
        .serve(statements::list)
        .serve(statements::show)
        .serve(operations::list_old)
        .serve(operations::list)
        .serve(tags::add)
        .serve(tags::remove)
        .serve(tags::list)
        .serve(tags::of_project)
        .serve(tags::find)
        .serve(tags::count)
        .finish(&[strongroom_wire::dbss::ALL])
}
