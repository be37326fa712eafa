//! Resources: registered by operators, listed, shown, forgotten.

use std::path::PathBuf;

use strongroom_control::{
    Caller, Page, Resource, Tag,
    resources::{NewResource, ResourceFilter},
};
use strongroom_wire::{
    Empty,
    native::{self as wire, Resources},
    query::Limit,
};

use crate::{
    call::Call,
    cbr::words::{id, id_maybe},
    cloud::Cloud,
    failure::Failure,
};

pub(super) fn register(
    cloud: &Cloud,
    call: &Call<wire::RegisterResource>,
) -> Result<wire::Resource, Failure> {
    let asked_for = &call.body;
    let new = NewResource {
        kind: kind(asked_for.kind),
        name: asked_for.name.clone(),
        path: PathBuf::from(&asked_for.path),
        project_id: id_maybe("project_id", asked_for.project_id.as_ref())?,
        tags: asked_for
            .tags
            .iter()
            .map(|(key, value)| Tag {
                key: key.clone(),
                value: value.clone(),
            })
            .collect(),
    };
    Ok(present(
        cloud.control.register_resource(&call.caller()?, new)?,
    ))
}

pub(super) fn list(cloud: &Cloud, call: &Call<wire::ListResources>) -> Result<Resources, Failure> {
    let caller = caller_in(cloud, call)?;
    let filter = ResourceFilter {
        kind: call.query.kind.map(kind),
        name: call.query.name.clone(),
    };
    let page = Page {
        limit: call.query.limit.map_or(Page::default().limit, Limit::rows),
        offset: 0,
        marker: call.query.marker.clone(),
    };
    let listed = cloud.control.list_resources(&caller, &filter, &page)?;
    Ok(Resources {
        resources: listed.items.into_iter().map(present).collect(),
    })
}

pub(super) fn show(
    cloud: &Cloud,
    call: &Call<wire::ShowResource>,
) -> Result<wire::Resource, Failure> {
    let id = id("resource_id", &call.path.resource_id)?;
    Ok(present(cloud.control.show_resource(&call.caller()?, id)?))
}

pub(super) fn remove(cloud: &Cloud, call: &Call<wire::RemoveResource>) -> Result<Empty, Failure> {
    let id = id("resource_id", &call.path.resource_id)?;
    cloud.control.remove_resource(&call.caller()?, id)?;
    Ok(Empty)
}

/// The caller, in the project that the query names: one that the caller may enter.
fn caller_in(cloud: &Cloud, call: &Call<wire::ListResources>) -> Result<Caller, Failure> {
    let caller = call.caller()?;
    let Some(project) = id_maybe("project_id", call.query.project_id.as_ref())? else {
        return Ok(caller);
    };
    cloud.identity.show_project(call.session()?, project)?;
    Ok(Caller {
        project_id: Some(project),
        ..caller
    })
}

const fn kind(kind: wire::ResourceKind) -> strongroom_model::ResourceKind {
    match kind {
        wire::ResourceKind::Share => strongroom_model::ResourceKind::Share,
        wire::ResourceKind::Volume => strongroom_model::ResourceKind::Volume,
    }
}

fn present(resource: Resource) -> wire::Resource {
    wire::Resource {
        id: resource.id.to_string(),
        project_id: resource.project_id.to_string(),
        kind: match resource.kind {
            strongroom_model::ResourceKind::Share => wire::ResourceKind::Share,
            strongroom_model::ResourceKind::Volume => wire::ResourceKind::Volume,
        },
        name: resource.name,
        // Tenants do not see where their resources are; a path that is no UTF-8 is shown as far
        // as it is.
        path: resource
            .path
            .map(|path| path.to_string_lossy().into_owned())
            .unwrap_or_default(),
        size: resource.size.0,
    }
}
