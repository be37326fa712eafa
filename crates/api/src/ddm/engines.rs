//! What instances there are to be, and versions of the API.

use strongroom_wire::ddm::{
    self as wire,
    engine::{
        Engine, EnginesReply, FlavorsReply, Link, OldEngine, OldEnginesReply, OldFlavorsReply,
        Version, VersionsReply, Zone,
    },
};

use super::words::{offset_of, page, window};
use crate::{call::Call, cloud::Cloud, failure::Failure};

/// The kinds of sharding layer, by the words that register them.
const ENGINES: &[&str] = &["spider"];

pub(super) fn list(
    cloud: &Cloud,
    call: &Call<wire::ListDdmEngines>,
) -> Result<EnginesReply, Failure> {
    let page = page(call.query.limit, call.query.offset);
    let all = engines(cloud, call)?;
    Ok(EnginesReply {
        total: all.len() as u64,
        engine_groups: window(all, &page),
        offset: offset_of(&page),
        limit: page.limit,
    })
}

pub(super) fn list_old(
    cloud: &Cloud,
    call: &Call<wire::ListEngines>,
) -> Result<OldEnginesReply, Failure> {
    let page = page(call.query.limit, call.query.offset);
    let all = engines(cloud, call)?;
    let region = &cloud.endpoints.region;
    Ok(OldEnginesReply {
        total: all.len() as u64,
        engine_groups: window(all, &page)
            .into_iter()
            .map(|engine| OldEngine {
                id: engine.id,
                name: engine.name,
                version: engine.version,
                support_azs: vec![Zone {
                    code: region.clone(),
                    name: region.clone(),
                    favored: true,
                }],
            })
            .collect(),
        offset: offset_of(&page),
        limit: page.limit,
    })
}

/// There are none: an instance is as large as the server that somebody registers.
pub(super) fn flavors(
    _cloud: &Cloud,
    call: &Call<wire::ListDdmFlavors>,
) -> Result<FlavorsReply, Failure> {
    call.caller()?;
    Ok(FlavorsReply {
        flavor_groups: Vec::new(),
    })
}

pub(super) fn flavors_old(
    _cloud: &Cloud,
    call: &Call<wire::ListFlavors>,
) -> Result<OldFlavorsReply, Failure> {
    call.caller()?;
    Ok(OldFlavorsReply { groups: Vec::new() })
}

/// The engines with the versions that the project's instances have; one without a version where
/// there is no instance yet.
fn engines<O: strongroom_wire::Operation>(
    cloud: &Cloud,
    call: &Call<O>,
) -> Result<Vec<Engine>, Failure> {
    let page = strongroom_control::Page::default();
    let instances = cloud.control.list_instances(&call.caller()?, &page)?.items;
    let mut all = Vec::new();
    for name in ENGINES {
        let of_kind = instances.iter().filter(|one| one.provider == *name);
        let mut versions: Vec<_> = of_kind.map(|one| one.version.clone()).collect();
        versions.sort();
        versions.dedup();
        if versions.is_empty() {
            versions.push(String::new());
        }
        all.extend(versions.into_iter().map(|version| Engine {
            id: format!("{name}-{version}").trim_end_matches('-').to_owned(),
            name: (*name).to_owned(),
            version,
        }));
    }
    Ok(all)
}

#[expect(clippy::unnecessary_wraps, reason = "what a handler returns")]
pub(super) fn versions(
    cloud: &Cloud,
    _: &Call<wire::ListApiVersion>,
) -> Result<VersionsReply, Failure> {
    let version = |id: &str, status: &str| Version {
        id: id.to_owned(),
        links: vec![Link {
            href: format!("{}/{id}", cloud.endpoints.ddm),
            rel: "self".to_owned(),
        }],
        status: status.to_owned(),
        version: String::new(),
        updated: "2025-01-01T00:00:00Z".to_owned(),
    };
    Ok(VersionsReply {
        versions: vec![
            version("v1", "SUPPORTED"),
            version("v2", "SUPPORTED"),
            version("v3", "CURRENT"),
        ],
    })
}
