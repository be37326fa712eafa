//! Where the services are, for one caller.
//!
//! The addresses of a project's services end in the project's id, filled in: one client appends
//! it only where it is missing, another never does. A session without a project sees what needs
//! none.

use strongroom_control::identity::Session;
use strongroom_wire::{
    iam::{
        self as wire, SelfLink,
        catalog::{CatalogEndpoint, CatalogEntry, CatalogReply},
    },
    sign::BodyHash,
};

use crate::{
    call::Call,
    cloud::{Cloud, Endpoints},
    failure::Failure,
};

pub(super) fn show(
    cloud: &Cloud,
    call: &Call<wire::KeystoneShowCatalog>,
) -> Result<CatalogReply, Failure> {
    Ok(CatalogReply {
        catalog: entries(&cloud.endpoints, call.session()?),
        links: SelfLink {
            itself: format!("{}/v3/auth/catalog", cloud.endpoints.identity),
        },
    })
}

/// The catalogue of a session.
pub(super) fn entries(endpoints: &Endpoints, session: &Session) -> Vec<CatalogEntry> {
    let Endpoints {
        region,
        identity,
        cbr,
        ddm,
        dbss,
        eps,
        ..
    } = endpoints;
    let mut entries = vec![
        entry(region, "identity", "keystone", format!("{identity}/v3")),
        entry(region, "iam", "iam", format!("{identity}/v3.0")),
        entry(region, "eps", "eps", format!("{eps}/v1.0")),
    ];
    if let Some(project) = session.project() {
        let id = project.id;
        entries.extend([
            entry(region, "cbr", "cbr", format!("{cbr}/v3/{id}")),
            entry(region, "ddmv1", "ddm", format!("{ddm}/v1/{id}")),
            entry(region, "ddmv2", "ddm", format!("{ddm}/v2/{id}")),
            entry(region, "ddmv3", "ddm", format!("{ddm}/v3/{id}")),
            entry(region, "dbss", "dbss", format!("{dbss}/v1/{id}")),
        ]);
    }
    entries
}

/// An id of something that has a name only: 32 hexadecimal digits, the same in every process.
pub(super) fn stable_id(name: &str) -> String {
    let mut digits = BodyHash::of(name.as_bytes()).hex();
    digits.truncate(32);
    digits
}

fn entry(region: &str, service_type: &str, name: &str, url: String) -> CatalogEntry {
    CatalogEntry {
        endpoints: vec![CatalogEndpoint {
            id: stable_id(&format!("endpoint {service_type}")),
            interface: "public".to_owned(),
            region: region.to_owned(),
            region_id: region.to_owned(),
            url,
        }],
        id: stable_id(&format!("service {service_type}")),
        name: name.to_owned(),
        service_type: service_type.to_owned(),
    }
}
