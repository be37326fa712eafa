//! Which versions of the API there are; public.

use strongroom_wire::cbr::{
    self as wire,
    version::{Link, Version, VersionStatus, VersionsReply},
};

use crate::{call::Call, cloud::Cloud, failure::Failure};

#[expect(clippy::unnecessary_wraps, reason = "the shape of a handler")]
pub(super) fn list(
    cloud: &Cloud,
    _: &Call<wire::ListApiVersions>,
) -> Result<VersionsReply, Failure> {
    Ok(VersionsReply {
        versions: vec![v3(cloud)],
    })
}

pub(super) fn show(
    cloud: &Cloud,
    call: &Call<wire::ShowApiVersion>,
) -> Result<VersionsReply, Failure> {
    if call.path.api_version != "v3" {
        return Err(Failure::NoSuchApi);
    }
    Ok(VersionsReply {
        versions: vec![v3(cloud)],
    })
}

fn v3(cloud: &Cloud) -> Version {
    Version {
        id: "v3".to_owned(),
        links: vec![Link {
            href: format!("{}/v3", cloud.endpoints.cbr),
            rel: "self".to_owned(),
        }],
        min_version: String::new(),
        status: VersionStatus::Current,
        updated: "2018-05-07T00:00:00Z".to_owned(),
        version: String::new(),
    }
}
