//! Labels on audit instances.

use strongroom_control::{
    Tag as OurTag,
    dbss::instances::Instance,
    tags::{TagQuery, TagValues as OurValues},
};
use strongroom_wire::{
    Empty,
    dbss::{
        self as wire,
        tag::{
            Match, ProjectTagsReply, Tag, TagSearch, TagValues, Tagged, TaggedReply, TagsReply,
            TagsRequest,
        },
    },
};

use super::words::{instance, page};
use crate::{call::Call, cloud::Cloud, failure::Failure};

/// The one type of resource that bears labels.
const TYPE: &str = "auditInstance";

fn must_be_instances(resource_type: &str) -> Result<(), Failure> {
    if resource_type == TYPE {
        return Ok(());
    }
    let problem = format!("must be {TYPE}");
    Err(Failure::malformed("resource_type", problem))
}

fn ours(request: &TagsRequest) -> Result<Vec<OurTag>, Failure> {
    if request
        .sys_tags
        .as_ref()
        .is_some_and(|tags| !tags.is_empty())
    {
        let problem = "labels of the vendor's own services cannot be set";
        return Err(Failure::malformed("sys_tags", problem));
    }
    let tags = request.tags.iter().map(|tag| OurTag {
        key: tag.key.clone(),
        value: tag.value.clone(),
    });
    Ok(tags.collect())
}

pub(super) fn add(cloud: &Cloud, call: &Call<wire::BatchAddResourceTag>) -> Result<Empty, Failure> {
    must_be_instances(&call.path.resource_type)?;
    let id = instance(&call.path.resource_id)?;
    cloud
        .control
        .set_log_tags(&call.caller()?, id, ours(&call.body)?)?;
    Ok(Empty)
}

pub(super) fn remove(
    cloud: &Cloud,
    call: &Call<wire::BatchDeleteResourceTag>,
) -> Result<Empty, Failure> {
    must_be_instances(&call.path.resource_type)?;
    let id = instance(&call.path.resource_id)?;
    let tags = ours(&call.body)?;
    cloud.control.remove_log_tags(&call.caller()?, id, &tags)?;
    Ok(Empty)
}

pub(super) fn list(cloud: &Cloud, call: &Call<wire::ListAuditTags>) -> Result<TagsReply, Failure> {
    must_be_instances(&call.path.resource_type)?;
    let id = instance(&call.path.resource_id)?;
    let tags = cloud.control.log_tags(&call.caller()?, id)?;
    let tags = tags
        .into_iter()
        .map(|OurTag { key, value }| Tag { key, value });
    Ok(TagsReply {
        tags: tags.collect(),
        sys_tags: Vec::new(),
    })
}

pub(super) fn of_project(
    cloud: &Cloud,
    call: &Call<wire::ListProjectResourceTags>,
) -> Result<ProjectTagsReply, Failure> {
    must_be_instances(&call.path.resource_type)?;
    let tags = cloud.control.all_log_tags(&call.caller()?)?;
    let tags = tags.into_iter().map(|(key, values)| TagValues {
        key,
        values: values.into_iter().collect(),
    });
    Ok(ProjectTagsReply {
        tags: tags.collect(),
    })
}

pub(super) fn find(
    cloud: &Cloud,
    call: &Call<wire::ListResourceInstanceByTag>,
) -> Result<TaggedReply, Failure> {
    must_be_instances(&call.path.resource_type)?;
    let mut page = page(call.query.limit, call.query.offset);
    if call.query.limit.is_none() {
        page.limit = 1000;
    }
    let query = query_of(&call.body)?;
    let listed = cloud.control.logs_by_tags(&call.caller()?, &query, &page)?;
    Ok(TaggedReply {
        resources: listed.items.into_iter().map(tagged).collect(),
        total_count: listed.total,
    })
}

pub(super) fn count(
    cloud: &Cloud,
    call: &Call<wire::CountResourceInstanceByTag>,
) -> Result<TaggedReply, Failure> {
    must_be_instances(&call.path.resource_type)?;
    let query = query_of(&call.body)?;
    let one = strongroom_control::Page {
        limit: 1,
        ..strongroom_control::Page::default()
    };
    let listed = cloud.control.logs_by_tags(&call.caller()?, &query, &one)?;
    Ok(TaggedReply {
        resources: Vec::new(),
        total_count: listed.total,
    })
}

fn query_of(search: &TagSearch) -> Result<TagQuery, Failure> {
    let values = |asked: &Option<Vec<TagValues>>| {
        let asked = asked.iter().flatten();
        asked
            .map(|asked| OurValues {
                key: asked.key.clone(),
                values: asked.values.clone(),
            })
            .collect::<Vec<_>>()
    };
    if search
        .sys_tags
        .as_ref()
        .is_some_and(|tags| !tags.is_empty())
    {
        return Err(Failure::malformed("sys_tags", "nothing bears such labels"));
    }
    let mut name_contains = None;
    for Match { key, value } in search.matches.iter().flatten() {
        if key != "resource_name" {
            return Err(Failure::malformed(
                "matches",
                "the one key is resource_name",
            ));
        }
        name_contains = Some(value.clone());
    }
    Ok(TagQuery {
        without_any_tag: search.without_any_tag.unwrap_or_default(),
        tags: values(&search.tags),
        tags_any: values(&search.tags_any),
        not_tags: values(&search.not_tags),
        not_tags_any: values(&search.not_tags_any),
        name_contains,
        ..TagQuery::default()
    })
}

fn tagged(instance: Instance) -> Tagged {
    let tags = instance.tags.into_iter();
    Tagged {
        resource_id: instance.id.to_string(),
        resource_name: instance.name,
        resource_detail: None,
        tags: tags.map(|(key, value)| Tag { key, value }).collect(),
        sys_tags: Vec::new(),
    }
}
