//! Enterprise projects: made, listed, shown, changed, switched on and off, deleted.

use strongroom_control::enterprise::{
    self, EnterpriseProject, EnterpriseProjectFilter, NewEnterpriseProject,
};
use strongroom_wire::{
    Empty,
    eps::{
        self as wire,
        project::{
            Action, ConfigsReply, EnterpriseProjectReply, EnterpriseProjectRequest,
            ListEnterpriseProjectReply, Quota, Quotas, QuotasReply, SortDir, SupportItem,
        },
        version::{Link, Version, VersionReply, VersionsReply},
    },
};

use super::{time, window};
use crate::{call::Call, cloud::Cloud, failure::Failure};

#[expect(clippy::unnecessary_wraps, reason = "the shape of a handler")]
pub(super) fn versions(
    cloud: &Cloud,
    _: &Call<wire::ListApiVersions>,
) -> Result<VersionsReply, Failure> {
    Ok(VersionsReply {
        versions: vec![v1(cloud)],
    })
}

pub(super) fn version(
    cloud: &Cloud,
    call: &Call<wire::ShowApiVersion>,
) -> Result<VersionReply, Failure> {
    if call.path.api_version != "v1.0" {
        return Err(Failure::NoSuchApi);
    }
    Ok(VersionReply { version: v1(cloud) })
}

fn v1(cloud: &Cloud) -> Version {
    Version {
        id: "v1.0".to_owned(),
        links: vec![Link {
            href: format!("{}/v1.0", cloud.endpoints.eps),
            rel: "self".to_owned(),
        }],
        version: String::new(),
        status: "CURRENT".to_owned(),
        updated: "2018-04-03T00:00:00Z".to_owned(),
        min_version: String::new(),
    }
}

pub(super) fn create(
    cloud: &Cloud,
    call: &Call<wire::CreateEnterpriseProject>,
) -> Result<EnterpriseProjectReply, Failure> {
    let new = asked_for(&call.body);
    reply(
        cloud
            .control
            .create_enterprise_project(&call.caller()?, &new)?,
    )
}

pub(super) fn show(
    cloud: &Cloud,
    call: &Call<wire::ShowEnterpriseProject>,
) -> Result<EnterpriseProjectReply, Failure> {
    let id = &call.path.enterprise_project_id;
    reply(cloud.control.show_enterprise_project(&call.caller()?, id)?)
}

pub(super) fn update(
    cloud: &Cloud,
    call: &Call<wire::UpdateEnterpriseProject>,
) -> Result<EnterpriseProjectReply, Failure> {
    let (id, new) = (&call.path.enterprise_project_id, asked_for(&call.body));
    reply(
        cloud
            .control
            .update_enterprise_project(&call.caller()?, id, &new)?,
    )
}

pub(super) fn delete(
    cloud: &Cloud,
    call: &Call<wire::DeleteEnterpriseProject>,
) -> Result<Empty, Failure> {
    let id = &call.path.enterprise_project_id;
    cloud
        .control
        .delete_enterprise_project(&call.caller()?, id)?;
    Ok(Empty)
}

/// Both actions: they differ by their bodies only.
pub(super) fn act(
    cloud: &Cloud,
    call: &Call<wire::EnableEnterpriseProject>,
) -> Result<Empty, Failure> {
    let id = &call.path.enterprise_project_id;
    let enabled = call.body.action == Action::Enable;
    cloud
        .control
        .enable_enterprise_project(&call.caller()?, id, enabled)?;
    Ok(Empty)
}

pub(super) fn list(
    cloud: &Cloud,
    call: &Call<wire::ListEnterpriseProject>,
) -> Result<ListEnterpriseProjectReply, Failure> {
    let query = call.query.clone();
    let enabled = match query.status.as_deref() {
        None => None,
        Some("1") => Some(true),
        Some("2") => Some(false),
        Some(_) => return Err(Failure::malformed("status", "must be 1 or 2")),
    };
    let filter = EnterpriseProjectFilter {
        id: query.id,
        name: query.name,
        enabled,
        kind: query.kind.map(|kind| kind.to_string()),
        sort_key: query.sort_key.map(|key| key.to_string()),
        ascending: query.sort_dir == Some(SortDir::Asc),
    };
    let page = window(query.limit.as_ref(), query.offset.as_ref())?;
    let listed = cloud
        .control
        .list_enterprise_projects(&call.caller()?, &filter, &page)?;
    Ok(ListEnterpriseProjectReply {
        enterprise_projects: listed.items.into_iter().map(present).collect(),
        total_count: listed.total,
    })
}

pub(super) fn quotas(
    cloud: &Cloud,
    call: &Call<wire::ShowEnterpriseProjectQuota>,
) -> Result<QuotasReply, Failure> {
    let quota = Quota {
        quota: enterprise::QUOTA,
        kind: "enterprise_project".to_owned(),
        used: cloud.control.count_enterprise_projects(&call.caller()?)?,
    };
    Ok(QuotasReply {
        quotas: Quotas {
            resources: vec![quota],
        },
    })
}

pub(super) fn configs(
    _: &Cloud,
    call: &Call<wire::ShowEpConfigs>,
) -> Result<ConfigsReply, Failure> {
    call.session()?;
    Ok(ConfigsReply {
        support_item: SupportItem {
            delete_ep_support: "true".to_owned(),
        },
    })
}

fn asked_for(body: &EnterpriseProjectRequest) -> NewEnterpriseProject {
    NewEnterpriseProject {
        name: body.name.clone(),
        description: body.description.clone(),
        kind: body.kind.clone(),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the tail of handlers")]
fn reply(found: EnterpriseProject) -> Result<EnterpriseProjectReply, Failure> {
    Ok(EnterpriseProjectReply {
        enterprise_project: present(found),
    })
}

fn present(found: EnterpriseProject) -> wire::project::EnterpriseProject {
    wire::project::EnterpriseProject {
        delete_flag: found.id != "0",
        id: found.id,
        name: found.name,
        description: found.description,
        status: if found.enabled { 1 } else { 2 },
        created_at: time(found.created_at),
        updated_at: time(found.updated_at),
        kind: found.kind,
    }
}
