//! Vaults: made, listed, shown, changed, deleted; resources bound and released.

use serde_json::Value;
use strongroom_control::{
    Tag, Vault, VaultResource,
    vaults::{AddedResource, NewVault, VaultChange, VaultFilter},
};
use strongroom_model::{GiB, VaultId};
use strongroom_wire::{
    Empty,
    cbr::{
        self as wire,
        resource::{ObjectType, ResourceCreate, ResourceExtraInfo},
        tag::TagRequest,
        vault::{
            AddVaultResourceReply, BatchUpdateVaultReply, Billing, BindRules, ListVaultReply,
            MigrateVaultResourceReply, RemoveVaultResourceReply, VaultReply,
        },
    },
};

use super::{
    pages::{limit_of, offset_of, page},
    words::{
        asked, asked_maybe, enterprise_project, id, id_maybe, ids, kind, resource_type, shown,
        time, vault_provider_id,
    },
};
use crate::{call::Call, cloud::Cloud, failure::Failure};

pub(super) fn create(cloud: &Cloud, call: &Call<wire::CreateVault>) -> Result<VaultReply, Failure> {
    let caller = call.caller()?;
    let new = asked_for(call.body.vault.clone())?;
    Ok(VaultReply {
        vault: present(cloud.control.create_vault(&caller, new)?),
    })
}

/// A vault as a client wants it.
pub(super) fn asked_for(asked_for: wire::vault::VaultCreate) -> Result<NewVault, Failure> {
    let billing = asked_for.billing;
    Ok(NewVault {
        name: asked_for.name.into(),
        description: asked_for.description.map(String::from),
        size: GiB(billing.size),
        object_type: asked(billing.object_type)?,
        protect_type: asked(billing.protect_type)?,
        consistent_level: asked(billing.consistent_level)?,
        cloud_type: asked_maybe(billing.cloud_type)?,
        charging_mode: asked_maybe(billing.charging_mode)?,
        is_multi_az: billing.is_multi_az,
        resources: resources(asked_for.resources)?,
        tags: asked_for
            .tags
            .unwrap_or_default()
            .into_iter()
            .map(tag)
            .collect(),
        enterprise_project_id: asked_for.enterprise_project_id,
        auto_bind: asked_for.auto_bind,
        bind_rules: rules(asked_for.bind_rules.unwrap_or_default()),
        auto_expand: asked_for.auto_expand,
        threshold: asked_for.threshold.map(i64::from),
        smn_notify: asked_for.smn_notify,
        backup_name_prefix: asked_for.backup_name_prefix.map(String::from),
        demand_billing: asked_for.demand_billing,
        locked: asked_for.locked,
        availability_zone: asked_for.availability_zone,
        backup_policy_id: id_maybe(
            "backup_policy_id",
            asked_for
                .backup_policy_id
                .as_ref()
                .filter(|id| !id.is_empty()),
        )?,
    })
}

pub(super) fn show(cloud: &Cloud, call: &Call<wire::ShowVault>) -> Result<VaultReply, Failure> {
    let vault = cloud
        .control
        .show_vault(&call.caller()?, vault_id(&call.path)?)?;
    Ok(VaultReply {
        vault: present(vault),
    })
}

pub(super) fn list(cloud: &Cloud, call: &Call<wire::ListVault>) -> Result<ListVaultReply, Failure> {
    let caller = call.caller()?;
    let query = call.query.clone();
    let page = page(query.limit, query.offset, query.marker);
    let filter = VaultFilter {
        name: query.name,
        cloud_type: asked_maybe(query.cloud_type)?,
        protect_type: asked_maybe(query.protect_type)?,
        object_type: asked_maybe(query.object_type)?,
        ids: ids("id", &query.id)?,
        status: query.status.map(|status| status.to_string()),
        resource_ids: ids("resource_ids", &query.resource_ids)?,
        enterprise_project_id: enterprise_project(query.enterprise_project_id),
        policy_id: id_maybe("policy_id", query.policy_id.as_ref())?,
    };
    let listed = cloud.control.list_vaults(&caller, &filter, &page)?;
    Ok(ListVaultReply {
        vaults: listed.items.into_iter().map(present).collect(),
        count: listed.total,
        limit: limit_of(&page),
        offset: offset_of(&page),
    })
}

pub(super) fn update(cloud: &Cloud, call: &Call<wire::UpdateVault>) -> Result<VaultReply, Failure> {
    let (caller, id) = (call.caller()?, vault_id(&call.path)?);
    let asked_for = call.body.vault.clone();
    let billing = asked_for.billing.unwrap_or_default();
    let change = VaultChange {
        name: asked_for.name.map(String::from),
        size: billing.size.map(GiB),
        consistent_level: asked_maybe(billing.consistent_level)?,
        auto_bind: asked_for.auto_bind,
        bind_rules: asked_for.bind_rules.map(rules),
        auto_expand: asked_for.auto_expand,
        threshold: asked_for.threshold.map(i64::from),
        smn_notify: asked_for.smn_notify,
        locked: asked_for.locked,
    };
    Ok(VaultReply {
        vault: present(cloud.control.update_vault(&caller, id, change)?),
    })
}

pub(super) fn delete(cloud: &Cloud, call: &Call<wire::DeleteVault>) -> Result<Empty, Failure> {
    cloud
        .control
        .delete_vault(&call.caller()?, vault_id(&call.path)?)?;
    Ok(Empty)
}

pub(super) fn add_resources(
    cloud: &Cloud,
    call: &Call<wire::AddVaultResource>,
) -> Result<AddVaultResourceReply, Failure> {
    let (caller, id) = (call.caller()?, vault_id(&call.path)?);
    let added =
        cloud
            .control
            .add_vault_resources(&caller, id, resources(call.body.resources.clone())?)?;
    Ok(AddVaultResourceReply {
        add_resource_ids: added.iter().map(ToString::to_string).collect(),
    })
}

pub(super) fn remove_resources(
    cloud: &Cloud,
    call: &Call<wire::RemoveVaultResource>,
) -> Result<RemoveVaultResourceReply, Failure> {
    let (caller, id) = (call.caller()?, vault_id(&call.path)?);
    let resources = ids("resource_ids", &call.body.resource_ids)?;
    let removed = cloud
        .control
        .remove_vault_resources(&caller, id, resources)?;
    let remove_resource_ids = removed.iter().map(ToString::to_string).collect();
    Ok(RemoveVaultResourceReply {
        remove_resource_ids,
    })
}

pub(super) fn update_all(
    cloud: &Cloud,
    call: &Call<wire::BatchUpdateVault>,
) -> Result<BatchUpdateVaultReply, Failure> {
    let change = &call.body.vault;
    let threshold = change.threshold.map(i64::from);
    let updated = cloud
        .control
        .update_all_vaults(&call.caller()?, change.smn_notify, threshold)?;
    Ok(BatchUpdateVaultReply {
        updated_vaults_id: updated.iter().map(ToString::to_string).collect(),
    })
}

pub(super) fn migrate_resources(
    cloud: &Cloud,
    call: &Call<wire::MigrateVaultResource>,
) -> Result<MigrateVaultResourceReply, Failure> {
    let (caller, from) = (call.caller()?, vault_id(&call.path)?);
    let to = id("destination_vault_id", &call.body.destination_vault_id)?;
    let resources = ids("resource_ids", &call.body.resource_ids)?;
    let moved = cloud
        .control
        .migrate_vault_resources(&caller, from, to, resources)?;
    Ok(MigrateVaultResourceReply {
        migrated_resources: moved.iter().map(ToString::to_string).collect(),
    })
}

/// The vault that a path names.
pub(super) fn vault_id(path: &wire::VaultPath) -> Result<VaultId, Failure> {
    id("vault_id", &path.vault_id)
}

/// A vault on the wire.
pub(super) fn present(vault: Vault) -> wire::vault::Vault {
    let billing = billing(&vault);
    wire::vault::Vault {
        billing,
        description: vault.description,
        id: vault.id.to_string(),
        name: vault.name,
        project_id: vault.project_id.to_string(),
        provider_id: vault_provider_id(vault.object_type).to_owned(),
        resources: vault.resources.into_iter().map(present_resource).collect(),
        tags: vault.tags.into_iter().map(present_tag).collect(),
        enterprise_project_id: vault.enterprise_project_id,
        auto_bind: vault.auto_bind,
        bind_rules: BindRules {
            tags: Some(vault.bind_rules.into_iter().map(present_tag).collect()),
        },
        user_id: Some(vault.user_id.to_string()),
        created_at: time(vault.created_at),
        updated_at: Some(time(vault.updated_at)),
        auto_expand: Some(vault.auto_expand),
        smn_notify: Some(vault.smn_notify),
        threshold: Some(u32::from(vault.threshold)),
        backup_name_prefix: vault.backup_name_prefix,
        demand_billing: Some(vault.demand_billing),
        sys_lock_source_service: None,
        locked: Some(vault.locked),
        availability_zone: vault.availability_zone,
    }
}

fn billing(vault: &Vault) -> Billing {
    let object_type = shown::<ObjectType>(vault.object_type.as_str());
    Billing {
        allocated: vault.allocated.0,
        charging_mode: shown(vault.charging_mode.as_str()),
        cloud_type: shown(vault.cloud_type.as_str()),
        consistent_level: shown(vault.consistent_level.as_str()),
        object_type,
        order_id: None,
        product_id: None,
        protect_type: shown(vault.protect_type.as_str()),
        size: vault.size.0,
        spec_code: object_type.spec_code().unwrap_or_default().to_owned(),
        status: shown(vault.status.as_str()),
        storage_unit: None,
        used: vault.used.mib_ceil(),
        frozen_scene: None,
        is_multi_az: Some(vault.is_multi_az),
    }
}

fn present_resource(resource: VaultResource) -> wire::resource::VaultResource {
    wire::resource::VaultResource {
        // It came in as this type; a row changed by hand is shown without.
        extra_info: resource
            .extra_info
            .and_then(|info| serde_json::from_value(info).ok()),
        id: resource.id.to_string(),
        name: resource.name,
        protect_status: shown(resource.protect_status.as_str()),
        size: resource.size.gib_ceil().0,
        resource_type: resource_type(resource.kind),
        backup_size: Some(resource.backup_size.mib_ceil()),
        backup_count: Some(resource.backup_count),
        auto_protect: Some(resource.auto_protect),
    }
}

/// A label on the wire.
pub(super) fn present_tag(tag: Tag) -> wire::tag::Tag {
    wire::tag::Tag {
        key: tag.key,
        value: Some(tag.value),
    }
}

/// A label to be set.
pub(super) fn tag(asked_for: TagRequest) -> Tag {
    let value = asked_for.value.map(String::from).unwrap_or_default();
    Tag {
        key: asked_for.key.into(),
        value,
    }
}

fn rules(rules: BindRules) -> Vec<Tag> {
    let tag = |tag: wire::tag::Tag| Tag {
        key: tag.key,
        value: tag.value.unwrap_or_default(),
    };
    rules
        .tags
        .unwrap_or_default()
        .into_iter()
        .map(tag)
        .collect()
}

fn resources(asked_for: Vec<ResourceCreate>) -> Result<Vec<AddedResource>, Failure> {
    asked_for
        .into_iter()
        .map(|resource| {
            let extra_info = resource
                .extra_info
                .filter(|info| *info != ResourceExtraInfo::default());
            Ok(AddedResource {
                id: id("resources.id", &resource.id)?,
                kind: kind(resource.resource_type),
                extra_info: extra_info
                    .map(|info| serde_json::to_value(info).unwrap_or(Value::Null)),
            })
        })
        .collect()
}
