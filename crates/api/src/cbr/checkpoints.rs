//! Checkpoints (restore points): ordered and watched.

use strongroom_control::{
    Page, VaultResource,
    checkpoints::{Checkpoint, NewCheckpoint, SkippedResource},
};
use strongroom_model::ResourceId;
use strongroom_wire::cbr::{
    self as wire,
    checkpoint::{
        CheckpointExtraInfo, CheckpointReply, CheckpointResource, CheckpointVault, NumberText,
    },
};

use super::{
    errors,
    words::{id, ids, resource_type, shown, time, vault_provider_id},
};
use crate::{call::Call, cloud::Cloud, failure::Failure};

pub(super) fn create(
    cloud: &Cloud,
    call: &Call<wire::CreateCheckpoint>,
) -> Result<CheckpointReply, Failure> {
    let caller = call.caller()?;
    let asked_for = call.body.checkpoint.clone();
    let parameters = asked_for.parameters.unwrap_or_default();
    let new = NewCheckpoint {
        vault_id: id("vault_id", &asked_for.vault_id)?,
        resources: chosen(parameters.resources, parameters.resource_details)?,
        name: parameters.name.map(String::from),
        description: parameters.description.map(String::from),
        incremental: parameters.incremental,
        auto_trigger: parameters.auto_trigger.unwrap_or(false),
        retention_days: parameters.retention_duration_days.map(i64::from),
    };
    let checkpoint = cloud.control.create_checkpoint(&caller, new)?;
    let skipped = checkpoint.skipped.iter().map(present_skipped).collect();
    let mut checkpoint = present(checkpoint);
    checkpoint.vault.skipped_resources = Some(skipped);
    Ok(CheckpointReply { checkpoint })
}

pub(super) fn show(
    cloud: &Cloud,
    call: &Call<wire::ShowCheckpoint>,
) -> Result<CheckpointReply, Failure> {
    let id = id("checkpoint_id", &call.path.checkpoint_id)?;
    let checkpoint = cloud.control.show_checkpoint(&call.caller()?, id)?;
    Ok(CheckpointReply {
        checkpoint: present(checkpoint),
    })
}

/// The resources that an order names in either of its two lists; clients send an empty list for
/// "all".
fn chosen(
    plain: Option<Vec<String>>,
    detailed: Option<Vec<wire::resource::ResourceRef>>,
) -> Result<Option<Vec<ResourceId>>, Failure> {
    let plain = plain.unwrap_or_default();
    let detailed: Vec<_> = detailed
        .unwrap_or_default()
        .into_iter()
        .map(|of| of.id)
        .collect();
    let mut chosen: Vec<ResourceId> = ids("resources", &plain)?;
    chosen.extend(ids::<ResourceId>("resource_details.id", &detailed)?);
    let most = Page::default().limit as usize;
    if chosen.len() > most {
        return Err(Failure::malformed("resources", format!("at most {most}")));
    }
    Ok((!chosen.is_empty()).then_some(chosen))
}

fn present(checkpoint: Checkpoint) -> wire::checkpoint::Checkpoint {
    wire::checkpoint::Checkpoint {
        created_at: time(checkpoint.created_at),
        id: checkpoint.id.to_string(),
        project_id: checkpoint.project_id.to_string(),
        status: shown(checkpoint.status.as_str()),
        vault: CheckpointVault {
            id: checkpoint.vault_id.to_string(),
            name: checkpoint.vault_name,
            resources: checkpoint
                .resources
                .into_iter()
                .map(present_resource)
                .collect(),
            skipped_resources: None,
            provider_id: Some(vault_provider_id(checkpoint.object_type).to_owned()),
        },
        extra_info: Some(CheckpointExtraInfo {
            name: Some(checkpoint.name),
            description: checkpoint.description,
            retention_duration: i32::try_from(checkpoint.retention_days).ok(),
        }),
    }
}

fn present_resource(resource: VaultResource) -> CheckpointResource {
    CheckpointResource {
        extra_info: None,
        id: resource.id.to_string(),
        name: resource.name,
        protect_status: shown(resource.protect_status.as_str()),
        resource_size: NumberText(resource.size.gib_ceil().0),
        resource_type: resource_type(resource.kind),
        backup_size: Some(NumberText(resource.backup_size.mib_ceil())),
        backup_count: Some(NumberText(resource.backup_count)),
    }
}

fn present_skipped(skipped: &SkippedResource) -> wire::checkpoint::SkippedResource {
    wire::checkpoint::SkippedResource {
        id: skipped.id.to_string(),
        resource_type: resource_type(skipped.kind),
        name: skipped.name.clone(),
        code: errors::code(skipped.reason).code.to_owned(),
        reason: skipped.message.clone(),
    }
}
