//! Labels on vaults, and vaults found by their labels.

use strongroom_control::{
    Page,
    page::LIMIT_MAX,
    tags::{TagQuery, TagValues},
};
use strongroom_wire::{
    Empty,
    cbr::{
        self as wire,
        tag::{
            ProjectTagsReply, SearchAction, SearchVaultsReply, SearchVaultsRequest, TagAction,
            TaggedVault, TaggedVaultDetail, VaultTagsReply,
        },
    },
};

use super::{
    vaults::{self, present_tag, tag, vault_id},
    words::{asked_maybe, id},
};
use crate::{call::Call, cloud::Cloud, failure::Failure};

pub(super) fn list(
    cloud: &Cloud,
    call: &Call<wire::ShowVaultTag>,
) -> Result<VaultTagsReply, Failure> {
    let tags = cloud
        .control
        .vault_tags(&call.caller()?, vault_id(&call.path)?)?;
    Ok(VaultTagsReply {
        tags: tags.into_iter().map(present_tag).collect(),
        sys_tags: None,
    })
}

pub(super) fn create(cloud: &Cloud, call: &Call<wire::CreateVaultTags>) -> Result<Empty, Failure> {
    let (caller, id) = (call.caller()?, vault_id(&call.path)?);
    cloud
        .control
        .set_vault_tags(&caller, id, vec![tag(call.body.tag.clone())])?;
    Ok(Empty)
}

pub(super) fn batch(
    cloud: &Cloud,
    call: &Call<wire::BatchCreateAndDeleteVaultTags>,
) -> Result<Empty, Failure> {
    let (caller, id) = (call.caller()?, vault_id(&call.path)?);
    no_system_tags(call.body.sys_tags.as_deref())?;
    let tags = call.body.tags.clone().unwrap_or_default();
    match call.body.action {
        TagAction::Create => {
            let tags = tags.into_iter().map(tag).collect();
            cloud.control.set_vault_tags(&caller, id, tags)?;
        }
        TagAction::Delete => {
            let pair = |tag: wire::tag::TagRequest| (tag.key.into(), tag.value.map(String::from));
            let tags = tags.into_iter().map(pair).collect();
            cloud.control.remove_vault_tags(&caller, id, tags)?;
        }
    }
    Ok(Empty)
}

pub(super) fn delete(cloud: &Cloud, call: &Call<wire::DeleteVaultTag>) -> Result<Empty, Failure> {
    let id = id("vault_id", &call.path.vault_id)?;
    cloud
        .control
        .delete_vault_tag(&call.caller()?, id, &call.path.key)?;
    Ok(Empty)
}

pub(super) fn project(
    cloud: &Cloud,
    call: &Call<wire::ShowVaultProjectTag>,
) -> Result<ProjectTagsReply, Failure> {
    let tags = cloud.control.project_tags(&call.caller()?)?;
    let shown = |of: TagValues| wire::tag::TagValues {
        key: of.key,
        values: of.values,
    };
    Ok(ProjectTagsReply {
        tags: tags.into_iter().map(shown).collect(),
    })
}

pub(super) fn search(
    cloud: &Cloud,
    call: &Call<wire::ShowVaultResourceInstances>,
) -> Result<SearchVaultsReply, Failure> {
    let caller = call.caller()?;
    let (action, page) = (call.body.action, page(&call.body)?);
    let listed = cloud
        .control
        .find_vaults_by_tags(&caller, &query(call.body.clone())?, &page)?;
    let resources = match action {
        SearchAction::Count => None,
        SearchAction::Filter => Some(listed.items.into_iter().map(found).collect()),
    };
    Ok(SearchVaultsReply {
        resources,
        total_count: listed.total,
    })
}

fn found(vault: strongroom_control::Vault) -> TaggedVault {
    TaggedVault {
        resource_id: vault.id.to_string(),
        resource_name: vault.name.clone(),
        tags: vault.tags.iter().cloned().map(present_tag).collect(),
        sys_tags: Vec::new(),
        resource_detail: TaggedVaultDetail {
            vault: vaults::present(vault),
        },
    }
}

fn page(body: &SearchVaultsRequest) -> Result<Page, Failure> {
    let asked = body.limit.map_or(u64::from(LIMIT_MAX), |limit| limit.0);
    let limit = u32::try_from(asked)
        .ok()
        .filter(|rows| (1..=LIMIT_MAX).contains(rows));
    let Some(limit) = limit else {
        return Err(Failure::malformed(
            "limit",
            format!("must be from 1 to {LIMIT_MAX}"),
        ));
    };
    Ok(Page {
        limit,
        offset: body.offset.unwrap_or_default().0,
        marker: None,
    })
}

fn query(body: SearchVaultsRequest) -> Result<TagQuery, Failure> {
    no_system_tags(body.sys_tags.as_deref())?;
    let tags = |of: Option<Vec<wire::tag::TagValues>>| {
        let ours = |of: wire::tag::TagValues| TagValues {
            key: of.key,
            values: of.values,
        };
        of.unwrap_or_default().into_iter().map(ours).collect()
    };
    Ok(TagQuery {
        without_any_tag: body.without_any_tag.unwrap_or(false),
        tags: tags(body.tags),
        tags_any: tags(body.tags_any),
        not_tags: tags(body.not_tags),
        not_tags_any: tags(body.not_tags_any),
        name_contains: body.matches.unwrap_or_default().pop().map(|of| of.value),
        cloud_type: asked_maybe(body.cloud_type)?,
        object_type: asked_maybe(body.object_type)?,
    })
}

/// System tags are set by the vendor's own services only; silence would look like success.
fn no_system_tags<T>(sys_tags: Option<&[T]>) -> Result<(), Failure> {
    if sys_tags.is_some_and(|tags| !tags.is_empty()) {
        return Err(Failure::malformed(
            "sys_tags",
            "there are no system tags here",
        ));
    }
    Ok(())
}
