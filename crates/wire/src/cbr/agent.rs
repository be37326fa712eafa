//! Agents: backup clients on hosts register and are told what to protect.
//!
//! Documents: "Registering an Agent", "Querying Agents", "Adding a Path", "Removing a Path",
//! "Querying the Agent Status".

use serde::{Deserialize, Serialize};

use super::resource::ResourceType;
use crate::{query::Offset, time::CbrTime};

queries! {
    /// Filters of `ListAgent`; all of them must hold.
    ListAgentQuery {
        /// Rows in the page, as text; 1000 if nothing is said.
        limit: Option<super::Limit>,
        /// Rows to skip.
        offset: Option<Offset>,
        /// The id of the last row of the page before: undocumented, sent by openstacksdk.
        marker: Option<String>,
        /// In this state.
        status: Option<String>,
        /// Any of these agents.
        agent_id: Vec<String>,
    }
}

/// The body of `RegisterAgent`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisterAgentRequest {
    /// The agent.
    pub agent: AgentRegister,
}

/// An agent as it registers (table `AgentRegister`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentRegister {
    /// Its id, its own choice.
    pub agent_id: String,
    /// The host's name.
    pub host_name: String,
    /// The host's address.
    pub host_ip: String,
    /// The host's system.
    pub host_os: String,
    /// A label of the host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_nickname: Option<String>,
    /// The agent's version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_version: Option<String>,
    /// `cloud` or `native`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_type: Option<String>,
}

/// An agent (table Agent).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    /// When it registered first.
    pub created_at: CbrTime,
    /// When something of it was changed.
    pub updated_at: Option<CbrTime>,
    /// Its id.
    pub agent_id: String,
    /// Its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_version: Option<String>,
    /// `cloud` or `native`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_type: Option<String>,
    /// The host's name.
    pub host_name: String,
    /// The host's label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_nickname: Option<String>,
    /// The host's address.
    pub host_ip: String,
    /// The host's system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_os: Option<String>,
    /// `normal` or `uninstall`.
    pub status: String,
    /// When it was heard of last.
    pub last_active_time: CbrTime,
    /// What it is to protect; left out by a registration, null in a list if there is nothing.
    #[serde(default, skip_serializing_if = "Paths::is_left_out")]
    pub paths: Paths,
}

/// The paths of an agent: left out, null, or a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Paths {
    /// Not shown.
    #[default]
    LeftOut,
    /// None.
    Null,
    /// These.
    List(Vec<AgentPath>),
}

impl Paths {
    const fn is_left_out(&self) -> bool {
        matches!(self, Self::LeftOut)
    }
}

impl Serialize for Paths {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::LeftOut | Self::Null => serializer.serialize_none(),
            Self::List(paths) => paths.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Paths {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let paths = Option::<Vec<AgentPath>>::deserialize(from)?;
        Ok(paths.map_or(Self::Null, Self::List))
    }
}

/// A directory that an agent protects (table Path).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentPath {
    /// Its id.
    pub id: String,
    /// Its state.
    pub status: String,
    /// The agent.
    pub agent_id: String,
    /// The directory.
    pub dir_path: String,
    /// What is left out of it, joined by commas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exclude_paths: Option<String>,
}

/// One agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentReply {
    /// The agent.
    pub agent: Agent,
}

/// The answer of `ListAgent`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListAgentReply {
    /// The page.
    pub agents: Vec<Agent>,
    /// Rows over all pages.
    pub count: u64,
    /// The limit as it was understood.
    pub limit: u64,
    /// The offset as it was understood.
    pub offset: u64,
}

words! {
    /// The state of an agent; only the second can be set.
    AgentStatus, "agent status" {
        /// It works.
        Normal = "normal",
        /// It is on its way out.
        Uninstall = "uninstall",
    }
}

/// The body of `UpdateAgent`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateAgentRequest {
    /// What to change.
    pub agent: AgentUpdate,
}

/// What can be changed of an agent (table `AgentUpdate`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentUpdate {
    /// Its new state.
    pub status: AgentStatus,
}

/// The body of `AddAgentPath`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddAgentPathRequest {
    /// The directories.
    pub add_path: Vec<String>,
    /// What to leave out of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exclude_path: Option<Vec<ExcludePath>>,
}

/// What to leave out of a directory (table `ExcludePath`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExcludePath {
    /// The directory.
    #[serde(default)]
    pub path_name: Option<String>,
    /// What to leave out of it.
    #[serde(default)]
    pub exclude_path_name: Option<Vec<String>>,
}

/// The answer of `AddAgentPath`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddAgentPathReply {
    /// What is new.
    pub added: Vec<String>,
    /// What was there already.
    pub existed: Vec<String>,
}

/// The body of `RemoveAgentPath`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoveAgentPathRequest {
    /// The directories.
    pub remove_path: Vec<String>,
}

/// The answer of `RemoveAgentPath`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoveAgentPathReply {
    /// What is gone.
    pub removed: Vec<String>,
    /// What never was there.
    pub not_existed: Vec<String>,
}

/// The body of `CheckAgent`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckAgentRequest {
    /// The resources asked for.
    pub agent_status: Vec<AgentQuestion>,
}

/// A resource whose agent is asked for (table `ProtectableAgentStatusResource`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentQuestion {
    /// The resource.
    pub resource_id: String,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_name: Option<String>,
    /// What it is.
    pub resource_type: ResourceType,
}

/// The answer of `CheckAgent`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckAgentReply {
    /// One row per resource, in the order asked.
    pub agent_status: Vec<AgentPresence>,
}

/// Whether a resource has an agent (table `ProtectableAgentStatus`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentPresence {
    /// The code of a failure to find out.
    pub code: Option<i64>,
    /// Whether there is one.
    pub installed: bool,
    /// Whether it is too old.
    pub is_old: Option<bool>,
    /// What went wrong when it was asked.
    pub message: Option<String>,
    /// The resource.
    pub resource_id: String,
    /// The agent's version.
    pub version: Option<String>,
}
