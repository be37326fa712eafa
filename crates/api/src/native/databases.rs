//! Databases: registered by operators, backed up when somebody asks.

use strongroom_control::ddm::instances::NewInstance;
use strongroom_wire::native::{
    self as wire,
    database::{BackUpInstanceReply, RegisteredDataNode, RegisteredInstance},
};

use crate::{
    call::Call,
    cbr::words::{id, id_maybe},
    cloud::Cloud,
    failure::Failure,
};

pub(super) fn register(
    cloud: &Cloud,
    call: &Call<wire::RegisterInstance>,
) -> Result<RegisteredInstance, Failure> {
    let body = &call.body;
    let nodes = body.data_nodes.iter();
    let new = NewInstance {
        name: body.name.clone(),
        provider: body.provider.clone(),
        url: body.url.0.clone(),
        nodes: nodes
            .map(|node| (node.name.clone(), node.url.0.clone()))
            .collect(),
        project_id: id_maybe("project_id", body.project_id.as_ref())?,
        keep_days: body.keep_days,
        backup_minute: body.backup_at.as_deref().map(minute).transpose()?,
    };
    let made = cloud.control.register_instance(&call.caller()?, new)?;
    let nodes = made.nodes.into_iter().map(|node| RegisteredDataNode {
        id: node.id.to_string(),
        name: node.name,
    });
    Ok(RegisteredInstance {
        id: made.id.to_string(),
        project_id: made.project_id.to_string(),
        name: made.name,
        provider: made.provider,
        version: made.version,
        data_nodes: nodes.collect(),
    })
}

/// The minute of a day that `HH:MM` names.
fn minute(text: &str) -> Result<u32, Failure> {
    let parts = text.split_once(':').filter(|_| text.len() == 5);
    let number = |text: &str, below: u32| {
        let number: Option<u32> = text.parse().ok();
        number.filter(|number| *number < below)
    };
    parts
        .and_then(|(hours, minutes)| Some(number(hours, 24)? * 60 + number(minutes, 60)?))
        .ok_or_else(|| Failure::malformed("backup_at", "expected a time such as 02:00"))
}

pub(super) fn back_up(
    cloud: &Cloud,
    call: &Call<wire::BackUpInstance>,
) -> Result<BackUpInstanceReply, Failure> {
    let instance = id("instance_id", &call.path.instance_id)?;
    let (backup, job) = cloud.control.back_up_metadata(&call.caller()?, instance)?;
    Ok(BackUpInstanceReply {
        backup_id: backup.to_string(),
        job_id: job.to_string(),
    })
}
