//! Enterprise Project Service, on its own origin: labels over vaults, for a whole account.

pub mod errors;
mod projects;
mod resources;

use std::sync::Arc;

use axum::Router;

use crate::{cloud::Cloud, failure::Failure, service::Service};

/// The service's router.
pub fn router(cloud: Arc<Cloud>) -> Router {
    Service::new(cloud, errors::Eps)
        .serve(projects::versions)
        .serve(projects::version)
        .serve(projects::create)
        .serve(projects::list)
        .serve(projects::show)
        .serve(projects::update)
        .serve(projects::delete)
        .serve(projects::act)
        .serve(projects::quotas)
        .serve(projects::configs)
        .serve(resources::migrate)
        .serve(resources::migrations)
        .serve(resources::providers)
        .serve(resources::mapping)
        .serve(resources::associated)
        .serve(resources::filter)
        .finish(&[strongroom_wire::eps::ALL])
}

/// A window from the numbers of a query, whose bounds have codes of their own.
fn window(
    limit: Option<&String>,
    offset: Option<&String>,
) -> Result<strongroom_control::Page, Failure> {
    let number = |name, text: Option<&String>, default| {
        let wrong = |_| Failure::malformed(name, "must be a number");
        text.map_or(Ok(default), |text| text.parse::<u64>().map_err(wrong))
    };
    let limit = number("limit", limit, 1000)?;
    let limit = u32::try_from(limit).unwrap_or(u32::MAX);
    Ok(strongroom_control::Page {
        limit,
        offset: number("offset", offset, 0)?,
        marker: None,
    })
}

/// A time of ours as EPS shows it.
fn time(at: strongroom_model::Timestamp) -> String {
    let shown = strongroom_wire::time::CbrTime::from_micros(at.as_micros()).to_string();
    format!("{}Z", shown.split('.').next().unwrap_or_default())
}
