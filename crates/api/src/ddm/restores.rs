//! The way back: what can be restored to, and the order to do it.

use strongroom_control::ddm::{
    recovery::NewRecovery,
    restores::{NewMetadataRestore, Wanted},
};
use strongroom_wire::ddm::{
    self as wire, JobReply,
    restore::{
        RelatedDataNodeView, RelatedDataNodesReply, RestorableTimesReply, TargetDataNode,
        TargetDataNodesReply, TargetInstance, TargetInstancesReply, TimeInterval,
    },
};

use super::words::{instance, millis, offset_of, page, required, time_of, window};
use crate::{
    call::Call,
    cbr::words::{id, ids},
    cloud::Cloud,
    failure::Failure,
};

/// The name of the one network that all servers are in: they can be reached.
const NETWORK: &str = "default";

pub(super) fn data_nodes(
    cloud: &Cloud,
    call: &Call<wire::ShowRelatedDns>,
) -> Result<RelatedDataNodesReply, Failure> {
    let at = time_of(required("restore_time", call.query.restore_time)?);
    let page = page(call.query.limit, call.query.offset);
    let owner = instance(&call.path.instance_id)?;
    let (nodes, newest) = cloud.control.related_nodes(&call.caller()?, owner, at)?;
    let total = nodes.len() as u64;
    let nodes = window(nodes, &page).into_iter();
    Ok(RelatedDataNodesReply {
        related_data_nodes: nodes
            .map(|node| RelatedDataNodeView {
                instance_id: node.id.to_string(),
                instance_name: node.name,
                instance_status: node.status,
                data_volume_size: 0,
                version: node.version,
                engine_name: node.engine,
            })
            .collect(),
        latest_restorable_time: newest
            .map(|time| millis(time).0.to_string())
            .unwrap_or_default(),
        offset: offset_of(&page),
        limit: page.limit,
        total,
    })
}

pub(super) fn target_data_nodes(
    cloud: &Cloud,
    call: &Call<wire::ShowAvalibleRds>,
) -> Result<TargetDataNodesReply, Failure> {
    let query = &call.query;
    let page = page(query.limit, query.offset);
    let owner = instance(&call.path.instance_id)?;
    required("restore_time", query.restore_time)?;
    let target = required("target_instance_id", query.target_instance_id.as_deref())?;
    let source = required(
        "source_dn_instance_id",
        query.source_dn_instance_id.as_deref(),
    )?;
    let listed = cloud.control.restorable_nodes(
        &call.caller()?,
        owner,
        id("source_dn_instance_id", source)?,
        instance(target)?,
        &page,
    )?;
    let items = listed.items.into_iter();
    Ok(TargetDataNodesReply {
        target_data_nodes: items
            .map(|candidate| TargetDataNode {
                instance_name: candidate.target.name,
                instance_id: candidate.target.id.to_string(),
                engine_name: candidate.target.engine,
                status: candidate.target.status,
                available: candidate.problem.is_none(),
                unavailable_reason: candidate.problem.unwrap_or_default(),
                vpc_name: NETWORK.to_owned(),
                private_ip: candidate.target.host,
            })
            .collect(),
        offset: offset_of(&page),
        limit: page.limit,
        total: listed.total,
    })
}

pub(super) fn target_instances(
    cloud: &Cloud,
    call: &Call<wire::ShowAvalibleDdms>,
) -> Result<TargetInstancesReply, Failure> {
    let page = page(call.query.limit, call.query.offset);
    let owner = instance(&call.path.instance_id)?;
    let caller = call.caller()?;
    let listed = cloud.control.restorable_instances(&caller, owner, &page)?;
    let items = listed.items.into_iter();
    Ok(TargetInstancesReply {
        instances: items
            .map(|candidate| TargetInstance {
                instance_name: candidate.target.name,
                instance_id: candidate.target.id.to_string(),
                status: candidate.target.status.as_str().to_owned(),
                available: candidate.problem.is_none(),
                unavailable_reason: candidate.problem.unwrap_or_default(),
                vpc_name: NETWORK.to_owned(),
            })
            .collect(),
        offset: offset_of(&page),
        limit: page.limit,
        total: listed.total,
    })
}

pub(super) fn metadata(
    cloud: &Cloud,
    call: &Call<wire::RestoreMetadata>,
) -> Result<JobReply, Failure> {
    let body = &call.body;
    let wanted = match (&body.source.backup_id, body.source.restore_time) {
        (Some(backup), _) => Wanted::Backup(id("backup_id", backup)?),
        (None, Some(time)) => Wanted::At(time_of(time)),
        (None, None) => {
            return Err(Failure::malformed(
                "source",
                "must have backup_id or restore_time",
            ));
        }
    };
    let new = NewMetadataRestore {
        source: instance(&call.path.instance_id)?,
        wanted,
        target: instance(&body.target.instance_id)?,
        nodes: ids("data_nodes", &body.target.data_nodes)?,
    };
    let job = cloud.control.restore_metadata(&call.caller()?, &new)?;
    Ok(JobReply {
        job_id: job.to_string(),
    })
}

pub(super) fn times(
    cloud: &Cloud,
    call: &Call<wire::ShowAvalibleTime>,
) -> Result<RestorableTimesReply, Failure> {
    let page = page(call.query.limit, call.query.offset);
    let owner = instance(&call.path.instance_id)?;
    let listed = cloud
        .control
        .restorable_times(&call.caller()?, owner, &page)?;
    let items = listed.items.into_iter();
    Ok(RestorableTimesReply {
        restorable_time_intervals: items
            .map(|interval| TimeInterval {
                start_time: millis(interval.from).0.to_string(),
                end_time: millis(interval.until).0.to_string(),
            })
            .collect(),
        offset: offset_of(&page),
        limit: page.limit,
        total: listed.total,
    })
}

pub(super) fn recover(
    cloud: &Cloud,
    call: &Call<wire::Restore2Exist>,
) -> Result<JobReply, Failure> {
    let body = &call.body;
    let source = instance(&call.path.instance_id)?;
    if let Some(also) = &body.source.instance_id
        && instance(also)? != source
    {
        let problem = "must be the instance of the path";
        return Err(Failure::malformed("source.instance_id", problem));
    }
    let nodes: Result<Vec<_>, Failure> = body
        .data_node_relations
        .iter()
        .map(|relation| {
            Ok((
                id("source_instance_id", &relation.source_instance_id)?,
                id("target_instance_id", &relation.target_instance_id)?,
            ))
        })
        .collect();
    let new = NewRecovery {
        source,
        at: time_of(body.source.restore_time),
        target: instance(&body.target.instance_id)?,
        nodes: nodes?,
    };
    let job = cloud.control.recover(&call.caller()?, &new)?;
    Ok(JobReply {
        job_id: job.to_string(),
    })
}
