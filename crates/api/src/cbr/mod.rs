//! Cloud Backup and Recovery: one line per operation that works.
//!
//! A handler reads the call into the use case's terms, calls it, and presents what came back; the
//! vendor's odd spellings stop here. Operations that do not work yet are routed by
//! [`Service::finish`](crate::service::Service::finish) from the wire's table.

mod account;
mod agents;
mod backups;
mod checkpoints;
pub mod errors;
mod expiry;
mod import;
mod members;
mod operation_logs;
mod orders;
mod organization;
mod pages;
mod policies;
mod protectables;
mod replication;
mod tags;
mod usage;
mod vaults;
mod versions;
pub(crate) mod words;

use std::sync::Arc;

use axum::Router;

use crate::{cloud::Cloud, service::Service};

/// The service's router.
pub fn router(cloud: Arc<Cloud>) -> Router {
    more(replication::serve(Service::new(cloud, errors::Cbr)))
        .serve(versions::list)
        .serve(versions::show)
        .serve(vaults::create)
        .serve(vaults::show)
        .serve(vaults::list)
        .serve(vaults::update)
        .serve(vaults::delete)
        .serve(vaults::add_resources)
        .serve(vaults::remove_resources)
        .serve(protectables::list)
        .serve(protectables::show)
        .serve(checkpoints::create)
        .serve(checkpoints::show)
        .serve(backups::list)
        .look(backups::show)
        .serve(backups::update)
        .serve(backups::delete)
        .serve(backups::restore)
        .serve(backups::metadata)
        .serve(import::backups)
        .serve(import::vault)
        .serve(operation_logs::list)
        .look(operation_logs::show)
        .serve(policies::create)
        .serve(policies::list)
        .serve(policies::show)
        .serve(policies::update)
        .serve(policies::delete)
        .serve(policies::associate)
        .serve(policies::dissociate)
        .serve(policies::set_resources)
        .serve(usage::storage)
        .serve(usage::summary)
        .serve(tags::list)
        .serve(tags::create)
        .serve(tags::batch)
        .serve(tags::delete)
        .serve(tags::project)
        .serve(tags::search)
        .serve(expiry::update)
        .serve(vaults::update_all)
        .serve(vaults::migrate_resources)
        .finish(&[strongroom_wire::cbr::ALL])
}

/// What concerns other projects, hosts, orders and the account.
fn more(service: Service<Cloud>) -> Service<Cloud> {
    service
        .serve(members::add)
        .serve(members::list)
        .serve(members::show)
        .serve(members::answer)
        .serve(members::remove)
        .serve(agents::register)
        .serve(agents::list)
        .serve(agents::show)
        .serve(agents::update)
        .serve(agents::unregister)
        .serve(agents::add_paths)
        .serve(agents::remove_paths)
        .serve(agents::check)
        .serve(account::projects_of_domain)
        .serve(account::domain_of_project)
        .serve(account::projects)
        .serve(account::features)
        .serve(account::feature)
        .serve(account::migrate)
        .serve(account::migration)
        .serve(organization::create)
        .serve(organization::list)
        .serve(organization::show)
        .serve(organization::update)
        .serve(organization::delete)
        .serve(organization::rollouts)
        .serve(orders::change)
        .serve(orders::update)
        .serve(orders::charging_mode)
        .serve(orders::vault)
}
