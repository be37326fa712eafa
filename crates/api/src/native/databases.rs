//! Databases: registered by operators, backed up when somebody asks.

use std::collections::BTreeMap;

use strongroom_control::ddm::instances::{NewInstance, Physical};
use strongroom_wire::native::{
    self as wire,
    database::{
        BackUpInstanceReply, Copies, CopiesStarted, CopyStarted, CopyView, DataNodeRegistration,
        LogView, Logs, RegisteredDataNode, RegisteredInstance, TopologyReply,
    },
};

use crate::{
    call::Call,
    cbr::words::{id, id_maybe, time},
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
        topology: body.topology.clone(),
        copies: physical(&body.data_nodes)?,
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

/// How the files of data nodes are copied.
fn physical(nodes: &[DataNodeRegistration]) -> Result<BTreeMap<String, Physical>, Failure> {
    let mut copies = BTreeMap::new();
    for node in nodes {
        let physical = match (&node.data_dir, &node.backup_command) {
            (None, None) => continue,
            (Some(folder), None) => Physical::Folder(folder.into()),
            (None, Some(words)) => Physical::Command(words.clone()),
            (Some(_), Some(_)) => {
                let problem = "a data node has a data directory or a backup command, not both";
                return Err(Failure::malformed("data_nodes", problem));
            }
        };
        copies.insert(node.name.clone(), physical);
    }
    Ok(copies)
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

pub(super) fn copy(
    cloud: &Cloud,
    call: &Call<wire::CopyDataNodes>,
) -> Result<CopiesStarted, Failure> {
    let instance = id("instance_id", &call.path.instance_id)?;
    let ordered = cloud.control.copy_nodes(&call.caller()?, instance)?;
    let copies = ordered.into_iter().map(|(copy, job)| CopyStarted {
        copy_id: copy.to_string(),
        job_id: job.to_string(),
    });
    Ok(CopiesStarted {
        copies: copies.collect(),
    })
}

pub(super) fn copies(cloud: &Cloud, call: &Call<wire::ListCopies>) -> Result<Copies, Failure> {
    let instance = id("instance_id", &call.path.instance_id)?;
    let copies = cloud.control.list_copies(&call.caller()?, instance)?;
    let copies = copies.into_iter().map(|copy| CopyView {
        id: copy.id.to_string(),
        node_id: copy.node_id.to_string(),
        node_name: copy.node_name,
        status: copy.status.as_str().to_owned(),
        bytes: copy.file_bytes.0,
        from: copy.from.map(time),
        gtid: copy.gtid,
        fail_reason: copy.fail_reason,
        created_at: time(copy.created_at),
    });
    Ok(Copies {
        copies: copies.collect(),
    })
}

pub(super) fn archive(cloud: &Cloud, call: &Call<wire::ArchiveLogs>) -> Result<Logs, Failure> {
    let instance = id("instance_id", &call.path.instance_id)?;
    let logs = cloud.control.archive_logs(&call.caller()?, instance)?;
    let logs = logs.into_iter().map(|log| LogView {
        server_id: log.server_id,
        name: log.name,
        from: time(log.from),
        until: time(log.until),
        problem: log.problem,
        gap: log.gap,
        gap_at: log.gap_at.map(time),
    });
    Ok(Logs {
        logs: logs.collect(),
    })
}

pub(super) fn topology(
    cloud: &Cloud,
    call: &Call<wire::ShowTopology>,
) -> Result<TopologyReply, Failure> {
    let instance = id("instance_id", &call.path.instance_id)?;
    let topology = cloud.control.topology(&call.caller()?, instance)?;
    Ok(TopologyReply { topology })
}
