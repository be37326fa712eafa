//! Agents: backup clients on hosts, registered and told what to protect.

use strongroom_control::agents::{Agent, AgentFilter, NewAgent, NewPath};
use strongroom_wire::{
    Empty,
    cbr::{
        self as wire,
        agent::{
            AddAgentPathReply, AgentPresence, AgentReply, AgentStatus, CheckAgentReply,
            ListAgentReply, Paths, RemoveAgentPathReply,
        },
    },
};

use super::{
    pages::{limit_of, offset_of, page},
    words::{id, ids, time},
};
use crate::{call::Call, cloud::Cloud, failure::Failure};

pub(super) fn register(
    cloud: &Cloud,
    call: &Call<wire::RegisterAgent>,
) -> Result<AgentReply, Failure> {
    let asked = call.body.agent.clone();
    let new = NewAgent {
        id: id("agent_id", &asked.agent_id)?,
        host_name: asked.host_name,
        host_ip: asked.host_ip,
        host_os: asked.host_os,
        host_nickname: asked.host_nickname,
        version: asked.agent_version.filter(|text| !text.is_empty()),
        kind: asked.agent_type.filter(|text| !text.is_empty()),
    };
    let agent = present(cloud.control.register_agent(&call.caller()?, new)?);
    // As in the documented example.
    let paths = Paths::LeftOut;
    Ok(AgentReply {
        agent: wire::agent::Agent { paths, ..agent },
    })
}

pub(super) fn list(cloud: &Cloud, call: &Call<wire::ListAgent>) -> Result<ListAgentReply, Failure> {
    let query = call.query.clone();
    let page = page(query.limit, query.offset, query.marker);
    let filter = AgentFilter {
        ids: ids("agent_id", &query.agent_id)?,
        status: query.status,
    };
    let listed = cloud.control.list_agents(&call.caller()?, &filter, &page)?;
    Ok(ListAgentReply {
        agents: listed.items.into_iter().map(present).collect(),
        count: listed.total,
        limit: limit_of(&page).unwrap_or_default().into(),
        offset: offset_of(&page).unwrap_or_default().into(),
    })
}

pub(super) fn show(cloud: &Cloud, call: &Call<wire::ShowAgent>) -> Result<AgentReply, Failure> {
    let id = id("agent_id", &call.path.agent_id)?;
    Ok(AgentReply {
        agent: present(cloud.control.show_agent(&call.caller()?, id)?),
    })
}

/// The one change that the vendor's table knows: the agent is on its way out.
pub(super) fn update(cloud: &Cloud, call: &Call<wire::UpdateAgent>) -> Result<AgentReply, Failure> {
    let id = id("agent_id", &call.path.agent_id)?;
    if call.body.agent.status != AgentStatus::Uninstall {
        return Err(Failure::malformed("status", "can be set to uninstall only"));
    }
    Ok(AgentReply {
        agent: present(cloud.control.uninstall_agent(&call.caller()?, id)?),
    })
}

pub(super) fn unregister(
    cloud: &Cloud,
    call: &Call<wire::UnregisterAgent>,
) -> Result<Empty, Failure> {
    let id = id("agent_id", &call.path.agent_id)?;
    cloud.control.remove_agent(&call.caller()?, id)?;
    Ok(Empty)
}

pub(super) fn add_paths(
    cloud: &Cloud,
    call: &Call<wire::AddAgentPath>,
) -> Result<AddAgentPathReply, Failure> {
    let id = id("agent_id", &call.path.agent_id)?;
    let excluded = call.body.exclude_path.clone().unwrap_or_default();
    let new = |dir: &String| {
        let of_it = excluded
            .iter()
            .filter(|rule| rule.path_name.as_ref() == Some(dir));
        NewPath {
            dir: dir.clone(),
            excluded: of_it
                .flat_map(|rule| rule.exclude_path_name.clone().unwrap_or_default())
                .collect(),
        }
    };
    let paths = call.body.add_path.iter().map(new).collect();
    let done = cloud.control.add_agent_paths(&call.caller()?, id, paths)?;
    Ok(AddAgentPathReply {
        added: done.changed,
        existed: done.unchanged,
    })
}

pub(super) fn remove_paths(
    cloud: &Cloud,
    call: &Call<wire::RemoveAgentPath>,
) -> Result<RemoveAgentPathReply, Failure> {
    let id = id("agent_id", &call.path.agent_id)?;
    let paths = &call.body.remove_path;
    let done = cloud
        .control
        .remove_agent_paths(&call.caller()?, id, paths)?;
    Ok(RemoveAgentPathReply {
        removed: done.changed,
        not_existed: done.unchanged,
    })
}

pub(super) fn check(
    cloud: &Cloud,
    call: &Call<wire::CheckAgent>,
) -> Result<CheckAgentReply, Failure> {
    let asked = &call.body.agent_status;
    let questions: Vec<_> = asked
        .iter()
        .map(|question| (question.resource_id.clone(), question.resource_name.clone()))
        .collect();
    let versions = cloud.control.agents_of(&call.caller()?, &questions)?;
    let present = |((resource_id, _), version): ((String, _), Option<String>)| AgentPresence {
        code: None,
        installed: version.is_some(),
        is_old: version.is_some().then_some(false),
        message: None,
        resource_id,
        version: version.filter(|text| !text.is_empty()),
    };
    Ok(CheckAgentReply {
        agent_status: questions.into_iter().zip(versions).map(present).collect(),
    })
}

fn present(agent: Agent) -> wire::agent::Agent {
    let id = agent.id.to_string();
    let paths: Vec<_> = agent
        .paths
        .into_iter()
        .map(|path| wire::agent::AgentPath {
            id: path.id,
            status: "available".to_owned(),
            agent_id: id.clone(),
            dir_path: path.dir,
            exclude_paths: (!path.excluded.is_empty()).then(|| path.excluded.join(",")),
        })
        .collect();
    wire::agent::Agent {
        created_at: time(agent.created_at),
        updated_at: agent.updated_at.map(time),
        agent_id: id,
        agent_version: Some(agent.version),
        agent_type: Some(agent.kind),
        host_name: agent.host_name,
        host_nickname: Some(agent.host_nickname),
        host_ip: agent.host_ip,
        host_os: Some(agent.host_os),
        status: agent.status,
        last_active_time: time(agent.last_active_at),
        paths: if paths.is_empty() {
            Paths::Null
        } else {
            Paths::List(paths)
        },
    }
}
