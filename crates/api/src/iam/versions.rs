//! Version documents. Public, always: a client that is asked to sign in here waits for itself.

use strongroom_wire::iam::{
    self as wire,
    version::{MediaType, Version, VersionLink, VersionReply, Versions, VersionsReply},
};

use crate::{call::Call, cloud::Cloud, failure::Failure};

#[expect(clippy::unnecessary_wraps, reason = "the shape of a handler")]
pub(super) fn list(
    cloud: &Cloud,
    _: &Call<wire::KeystoneListVersions>,
) -> Result<VersionsReply, Failure> {
    Ok(VersionsReply {
        versions: Versions {
            values: vec![v3(cloud)],
        },
    })
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of a handler")]
pub(super) fn show(
    cloud: &Cloud,
    _: &Call<wire::KeystoneShowVersion>,
) -> Result<VersionReply, Failure> {
    Ok(VersionReply { version: v3(cloud) })
}

fn v3(cloud: &Cloud) -> Version {
    Version {
        status: "stable".to_owned(),
        updated: "2016-10-06T00:00:00Z".to_owned(),
        links: vec![VersionLink {
            rel: "self".to_owned(),
            href: format!("{}/v3/", cloud.endpoints.identity),
        }],
        id: "v3.6".to_owned(),
        media_types: vec![MediaType {
            media_type: "application/vnd.openstack.identity-v3+json".to_owned(),
            base: "application/json".to_owned(),
        }],
    }
}
