//! Agents: backup clients on hosts, as they registered themselves.

use serde::{Deserialize, Serialize};
use strongroom_model::{AgentId, ProjectId, Timestamp};

use crate::{
    error::Result,
    query::{Direction::Ascending, Filter, Key, Listed, Page},
    table::table,
    tx::Tx,
    value::Json,
};

/// A directory that an agent is to protect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentPath {
    /// Its id.
    pub id: String,
    /// The directory.
    pub dir: String,
    /// What to leave out of it.
    #[serde(default)]
    pub excluded: Vec<String>,
}

table! {
    /// An agent.
    pub struct AgentRow, "agents", "agent", key ["project_id", "id"] {
        /// The project that it works for.
        project_id: ProjectId,
        /// Its id, its own choice.
        id: AgentId,
        /// The host's name.
        host_name: String,
        /// The label of the host.
        host_nickname: String,
        /// The host's address, as the agent says.
        host_ip: String,
        /// The host's system.
        host_os: String,
        /// The agent's version.
        version: String,
        /// `cloud` or `native`.
        kind: String,
        /// `normal` or `uninstall`.
        status: String,
        /// What it is to protect.
        paths: Json<Vec<AgentPath>>,
        /// When it registered first.
        created_at: Timestamp,
        /// When something of it was changed last.
        updated_at: Option<Timestamp>,
        /// When it was heard of last.
        last_active_at: Timestamp,
    }
}

/// Which agents are wanted; a field left empty means "whatever".
#[derive(Clone, Debug, Default)]
pub struct AgentFilter {
    /// With one of these ids.
    pub ids: Vec<AgentId>,
    /// In this state.
    pub status: Option<String>,
}

const BY_AGE: &[Key] = &[("created_at", Ascending), ("id", Ascending)];

/// The table of agents.
pub struct Agents<'t>(&'t Tx<'t>);

impl Tx<'_> {
    /// The agents.
    pub fn agents(&self) -> Agents<'_> {
        Agents(self)
    }
}

impl Agents<'_> {
    /// Adds an agent, or writes the one of that id anew.
    pub fn set(&self, row: &AgentRow) -> Result<()> {
        self.0.upsert(row)
    }

    /// The project's agent of that id.
    pub fn get(&self, project: &ProjectId, id: &AgentId) -> Result<Option<AgentRow>> {
        self.0.one(&own(project).is("id", id))
    }

    /// One page of the project's agents, the oldest first.
    pub fn list(
        &self,
        project: &ProjectId,
        filter: &AgentFilter,
        page: &Page,
    ) -> Result<Listed<AgentRow>> {
        let wanted = own(project)
            .any("id", &filter.ids)
            .maybe("status", filter.status.as_ref());
        self.0.list(&own(project), wanted, BY_AGE, page)
    }

    /// Removes an agent; `false` if there was none.
    pub fn remove(&self, project: &ProjectId, id: &AgentId) -> Result<bool> {
        Ok(self.0.remove::<AgentRow>(&own(project).is("id", id))? > 0)
    }
}

fn own(project: &ProjectId) -> Filter {
    Filter::new().is("project_id", project)
}
