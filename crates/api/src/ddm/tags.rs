//! Labels on instances.

use strongroom_wire::{
    Empty,
    ddm::{
        self as wire,
        tag::{ProjectTag, ProjectTagsReply, Tag, Tags},
    },
};

use super::words::{instance, offset_of, page, window};
use crate::{call::Call, cloud::Cloud, failure::Failure};

pub(super) fn list(cloud: &Cloud, call: &Call<wire::ListInstanceTags>) -> Result<Tags, Failure> {
    let id = instance(&call.path.instance_id)?;
    let tags = cloud.control.instance_tags(&call.caller()?, id)?;
    let tags = tags.into_iter().map(|(key, value)| Tag { key, value });
    Ok(Tags {
        tags: tags.collect(),
    })
}

pub(super) fn of_project(
    cloud: &Cloud,
    call: &Call<wire::ListProjectTags>,
) -> Result<ProjectTagsReply, Failure> {
    let page = page(call.query.limit, call.query.offset);
    let tags = cloud.control.all_instance_tags(&call.caller()?)?;
    let total_count = tags.len() as u64;
    let tags = tags.into_iter().map(|(key, values)| ProjectTag {
        key,
        values: values.into_iter().collect(),
    });
    Ok(ProjectTagsReply {
        tags: window(tags.collect(), &page),
        offset: offset_of(&page),
        limit: page.limit,
        total_count,
    })
}

pub(super) fn add(cloud: &Cloud, call: &Call<wire::BatchCreateTags>) -> Result<Empty, Failure> {
    let id = instance(&call.path.instance_id)?;
    let tags = call.body.tags.iter();
    let tags = tags.map(|tag| (tag.key.clone(), tag.value.clone()));
    cloud
        .control
        .set_instance_tags(&call.caller()?, id, tags.collect())?;
    Ok(Empty)
}

pub(super) fn remove(cloud: &Cloud, call: &Call<wire::BatchDeleteTags>) -> Result<Empty, Failure> {
    let id = instance(&call.path.instance_id)?;
    let keys: Vec<_> = call.body.tags.iter().map(|tag| tag.key.clone()).collect();
    cloud
        .control
        .remove_instance_tags(&call.caller()?, id, &keys)?;
    Ok(Empty)
}

pub(super) fn update(cloud: &Cloud, call: &Call<wire::UpdateTag>) -> Result<Empty, Failure> {
    let id = instance(&call.path.instance_id)?;
    let (key, value) = (&call.path.key, &call.body.value);
    cloud
        .control
        .change_instance_tag(&call.caller()?, id, key, value)?;
    Ok(Empty)
}
