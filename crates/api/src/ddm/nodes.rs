//! Nodes of an instance, and the data nodes behind it.

use strongroom_control::ddm::instances::Instance;
use strongroom_wire::{
    Empty,
    ddm::{
        self as wire, NodePath,
        node::{
            AvailableDataNode, AvailableDataNodesReply, CheckConnectionsReply, CheckedConnection,
            ListNodesReply, NodeReply, OldNodeReply, User, UsersReply,
        },
    },
    error_code::ddm as codes,
};

use super::{
    instances,
    words::{group_id, instance, node_id, offset_of, page, window},
};
use crate::{call::Call, cbr::words::id, cloud::Cloud, failure::Failure};

pub(super) fn list(cloud: &Cloud, call: &Call<wire::ListNodes>) -> Result<ListNodesReply, Failure> {
    let page = page(call.query.limit, call.query.offset);
    let id = instance(&call.path.instance_id)?;
    let found = cloud.control.show_instance(&call.caller()?, id)?;
    Ok(ListNodesReply {
        nodes: window(vec![instances::node(&found)], &page),
        offset: offset_of(&page),
        limit: page.limit,
        total: 1,
    })
}

/// The instance of a node, which must be the instance's.
fn of_node<O>(cloud: &Cloud, call: &Call<O>) -> Result<Instance, Failure>
where
    O: strongroom_wire::Operation<Path = NodePath>,
{
    let owner = instance(&call.path.instance_id)?;
    let found = cloud.control.show_instance(&call.caller()?, owner)?;
    if call.path.node_id != node_id(owner).to_string() {
        return Err(Failure::malformed(
            "node_id",
            "the instance has no such node",
        ));
    }
    Ok(found)
}

pub(super) fn show_old(
    cloud: &Cloud,
    call: &Call<wire::ShowNode>,
) -> Result<OldNodeReply, Failure> {
    let found = of_node(cloud, call)?;
    Ok(OldNodeReply {
        status: "normal".to_owned(),
        name: found.name,
        node_id: call.path.node_id.clone(),
        private_ip: found.host,
        floating_ip: String::new(),
        server_id: String::new(),
        subnet_name: String::new(),
        datavolume_id: String::new(),
        res_subnet_ip: String::new(),
        systemvolume_id: String::new(),
        group_id: group_id(found.id),
        subnet_id: String::new(),
    })
}

pub(super) fn show(
    cloud: &Cloud,
    call: &Call<wire::ShowDdmNodeDetail>,
) -> Result<NodeReply, Failure> {
    let found = of_node(cloud, call)?;
    Ok(NodeReply {
        id: call.path.node_id.clone(),
        private_ip: found.host,
        status: "normal".to_owned(),
        name: found.name,
        subnet_id: String::new(),
        az_code: cloud.endpoints.region.clone(),
        group_id: group_id(found.id),
    })
}

pub(super) fn available(
    cloud: &Cloud,
    call: &Call<wire::ListAvailableRds>,
) -> Result<AvailableDataNodesReply, Failure> {
    let page = page(call.query.limit, call.query.offset);
    let id = instance(&call.path.instance_id)?;
    let found = cloud.control.show_instance(&call.caller()?, id)?;
    let total = found.nodes.len() as u64;
    let nodes = window(found.nodes, &page).into_iter();
    Ok(AvailableDataNodesReply {
        data_nodes: nodes
            .map(|node| AvailableDataNode {
                id: node.id.to_string(),
                status: node.status,
                name: node.name,
                engine_name: node.engine,
                engine_version: node.version,
                private_ip: node.host,
                port: node.port,
                time_zone: String::new(),
            })
            .collect(),
        offset: offset_of(&page),
        limit: page.limit,
        total,
    })
}

pub(super) fn synchronise(
    cloud: &Cloud,
    call: &Call<wire::SyncDnInformation>,
) -> Result<Empty, Failure> {
    let id = instance(&call.path.instance_id)?;
    cloud.control.sync_nodes(&call.caller()?, id)?;
    Ok(Empty)
}

pub(super) fn check(
    cloud: &Cloud,
    call: &Call<wire::CheckDataNodeConnection>,
) -> Result<CheckConnectionsReply, Failure> {
    let owner = instance(&call.path.instance_id)?;
    let accounts: Result<Vec<_>, Failure> = call
        .body
        .infos
        .iter()
        .map(|info| {
            Ok((
                id("rds_instance_id", &info.rds_instance_id)?,
                info.username.clone(),
                info.password.0.clone(),
            ))
        })
        .collect();
    let tried = cloud
        .control
        .check_connections(&call.caller()?, owner, &accounts?)?;
    let tried = tried.into_iter().map(|connection| {
        let code = connection.problem.as_ref().map(|_| codes::UNREACHABLE.code);
        CheckedConnection {
            rds_instance_id: connection.node.to_string(),
            success: connection.problem.is_none().to_string(),
            error_code: code.unwrap_or_default().to_owned(),
            error_message: connection.problem.unwrap_or_default(),
        }
    });
    Ok(CheckConnectionsReply {
        rds_check_infos: tried.collect(),
    })
}

pub(super) fn users(cloud: &Cloud, call: &Call<wire::ListDdmUsers>) -> Result<UsersReply, Failure> {
    let page = page(call.query.limit, call.query.offset);
    let id = instance(&call.path.instance_id)?;
    let all = cloud.control.list_accounts(&call.caller()?, id)?;
    let total = all.len() as u64;
    let users = window(all, &page).into_iter();
    Ok(UsersReply {
        users: users
            .map(|(name, host)| User {
                name,
                status: "RUNNING".to_owned(),
                base_authority: Vec::new(),
                password_lifetime: None,
                description: format!("from {host}"),
                created: String::new(),
                databases: Vec::new(),
            })
            .collect(),
        offset: offset_of(&page),
        limit: page.limit,
        total,
    })
}
