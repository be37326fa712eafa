//! Whether the service can work, and where its services are; public.

use std::collections::BTreeMap;

use http::StatusCode;
use serde_json::{Value, json};
use strongroom_wire::native::{self as wire, Endpoints, Health};

use crate::{call::Call, cloud::Cloud, failure::Failure};

#[expect(clippy::unnecessary_wraps, reason = "the shape of a handler")]
pub(super) fn show(cloud: &Cloud, _: &Call<wire::ShowHealth>) -> Result<Health, Failure> {
    Ok(look(cloud))
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of a handler")]
pub(super) fn endpoints(
    cloud: &Cloud,
    _: &Call<wire::ShowEndpoints>,
) -> Result<Endpoints, Failure> {
    let at = &cloud.endpoints;
    let origins = [
        ("identity", &at.identity),
        ("cbr", &at.cbr),
        ("ddm", &at.ddm),
        ("dbss", &at.dbss),
        ("eps", &at.eps),
        ("console", &at.console),
    ];
    Ok(Endpoints {
        region: at.region.clone(),
        origins: origins
            .map(|(name, origin)| (name.to_owned(), origin.clone()))
            .into(),
    })
}

/// The process answers.
pub(super) fn alive(_: &Cloud) -> (StatusCode, Value) {
    (StatusCode::OK, json!({ "healthy": true }))
}

/// The parts below can work, so requests may be sent here.
pub(super) fn ready(cloud: &Cloud) -> (StatusCode, Value) {
    let health = look(cloud);
    let ready = if health.healthy {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (ready, json!(health))
}

fn look(cloud: &Cloud) -> Health {
    let problems: BTreeMap<String, String> = (cloud.health)();
    Health {
        healthy: problems.is_empty(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        problems,
    }
}
