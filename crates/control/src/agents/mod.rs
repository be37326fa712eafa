//! Agents: backup clients on hosts register themselves and are told which directories to protect.
//!
//! This is the registration alone: who is there, on which host, and what it is to protect. An
//! agent makes no backups yet, so removing one removes no data.

use strongroom_catalog::{self as catalog, AgentPath, AgentRow, Json, Tx};
use strongroom_model::{AgentId, ProjectId, Timestamp};

use crate::{
    Caller, Control, Error, Listed, Page, Reason, Result, control::project, page::LIMIT_MAX,
};

/// Directories that one agent protects at most.
const PATHS_MAX: usize = 1000;
/// The state of an agent that works.
const NORMAL: &str = "normal";
/// The state of an agent that is on its way out.
const UNINSTALL: &str = "uninstall";

/// An agent as it registers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAgent {
    /// Its id, its own choice.
    pub id: AgentId,
    /// The host's name.
    pub host_name: String,
    /// The host's address.
    pub host_ip: String,
    /// The host's system.
    pub host_os: String,
    /// The host's label.
    pub host_nickname: Option<String>,
    /// Its version, such as `1.0.0`.
    pub version: Option<String>,
    /// `cloud` or `native`.
    pub kind: Option<String>,
}

/// An agent as its project sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    /// Its id.
    pub id: AgentId,
    /// The host's name.
    pub host_name: String,
    /// The host's label; may be empty.
    pub host_nickname: String,
    /// The host's address.
    pub host_ip: String,
    /// The host's system.
    pub host_os: String,
    /// Its version; may be empty.
    pub version: String,
    /// `cloud` or `native`.
    pub kind: String,
    /// `normal` or `uninstall`.
    pub status: String,
    /// What it is to protect.
    pub paths: Vec<AgentPath>,
    /// When it registered first.
    pub created_at: Timestamp,
    /// When something of it was changed.
    pub updated_at: Option<Timestamp>,
    /// When it was heard of last.
    pub last_active_at: Timestamp,
}

/// Which agents to list; empty matches all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AgentFilter {
    /// One of these.
    pub ids: Vec<AgentId>,
    /// In this state.
    pub status: Option<String>,
}

/// A directory to be protected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPath {
    /// The directory on the agent's host.
    pub dir: String,
    /// What to leave out of it.
    pub excluded: Vec<String>,
}

/// What became of a list of directories.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PathsChanged {
    /// Those that were changed.
    pub changed: Vec<String>,
    /// Those that were so already.
    pub unchanged: Vec<String>,
}

/// A resource whose agent is asked for, by id and name.
pub type AgentQuestion = (String, Option<String>);

impl Control {
    /// Registers an agent; one that registers again is known by its id and keeps its paths.
    pub fn register_agent(&self, caller: &Caller, new: NewAgent) -> Result<Agent> {
        let project = project(caller)?;
        check(&new)?;
        let now = self.now();
        self.write(|tx| {
            let known = tx.agents().get(&project, &new.id)?;
            let row = AgentRow {
                project_id: project,
                id: new.id,
                host_name: new.host_name,
                host_nickname: new.host_nickname.unwrap_or_default(),
                host_ip: new.host_ip,
                host_os: new.host_os,
                version: new.version.unwrap_or_default(),
                kind: new.kind.unwrap_or_else(|| "native".to_owned()),
                status: NORMAL.to_owned(),
                paths: known
                    .as_ref()
                    .map(|row| row.paths.clone())
                    .unwrap_or_default(),
                created_at: known.as_ref().map_or(now, |row| row.created_at),
                updated_at: known.map(|_| now),
                last_active_at: now,
            };
            tx.agents().set(&row)?;
            Ok(Agent::from(row))
        })
    }

    /// One agent.
    pub fn show_agent(&self, caller: &Caller, id: AgentId) -> Result<Agent> {
        let project = project(caller)?;
        self.read(|tx| Ok(Agent::from(get(tx, project, id)?)))
    }

    /// The agents that match, the oldest first.
    pub fn list_agents(
        &self,
        caller: &Caller,
        filter: &AgentFilter,
        page: &Page,
    ) -> Result<Listed<Agent>> {
        let project = project(caller)?;
        let page = page.rows(LIMIT_MAX)?;
        let filter = catalog::AgentFilter {
            ids: filter.ids.clone(),
            status: filter.status.clone(),
        };
        self.read(|tx| {
            let found = tx.agents().list(&project, &filter, &page)?;
            Listed::of_rows(found, |row| Ok(Agent::from(row)))
        })
    }

    /// Marks an agent as being on its way out.
    pub fn uninstall_agent(&self, caller: &Caller, id: AgentId) -> Result<Agent> {
        let project = project(caller)?;
        let now = self.now();
        self.write(|tx| {
            let mut row = get(tx, project, id)?;
            UNINSTALL.clone_into(&mut row.status);
            row.updated_at = Some(now);
            tx.agents().set(&row)?;
            Ok(Agent::from(row))
        })
    }

    /// Forgets an agent with its paths.
    pub fn remove_agent(&self, caller: &Caller, id: AgentId) -> Result<()> {
        let project = project(caller)?;
        self.write(|tx| {
            get(tx, project, id)?;
            tx.agents().remove(&project, &id)?;
            Ok(())
        })
    }

    /// Has an agent protect directories; whether they are there is not looked at.
    pub fn add_agent_paths(
        &self,
        caller: &Caller,
        id: AgentId,
        paths: Vec<NewPath>,
    ) -> Result<PathsChanged> {
        let project = project(caller)?;
        some("add_path", paths.is_empty())?;
        let now = self.now();
        self.write(|tx| {
            let mut row = get(tx, project, id)?;
            let mut done = PathsChanged::default();
            for new in paths {
                let dir = directory("add_path", &new.dir)?;
                if row.paths.0.iter().any(|path| path.dir == dir) {
                    done.unchanged.push(dir);
                    continue;
                }
                let excluded = new
                    .excluded
                    .iter()
                    .map(|path| directory("exclude_path", path))
                    .collect::<Result<_>>()?;
                row.paths.0.push(AgentPath {
                    id: self.entropy().uuid().to_string(),
                    dir: dir.clone(),
                    excluded,
                });
                done.changed.push(dir);
            }
            if row.paths.0.len() > PATHS_MAX {
                let problem = format!("an agent protects at most {PATHS_MAX} directories");
                return Err(Error::invalid("add_path", problem));
            }
            row.updated_at = Some(now);
            tx.agents().set(&row)?;
            Ok(done)
        })
    }

    /// Has an agent protect directories no more.
    pub fn remove_agent_paths(
        &self,
        caller: &Caller,
        id: AgentId,
        paths: &[String],
    ) -> Result<PathsChanged> {
        let project = project(caller)?;
        some("remove_path", paths.is_empty())?;
        let now = self.now();
        self.write(|tx| {
            let mut row = get(tx, project, id)?;
            let mut done = PathsChanged::default();
            for path in paths {
                let dir = directory("remove_path", path)?;
                let before = row.paths.0.len();
                row.paths.0.retain(|path| path.dir != dir);
                if row.paths.0.len() < before {
                    done.changed.push(dir);
                } else {
                    done.unchanged.push(dir);
                }
            }
            row.updated_at = Some(now);
            tx.agents().set(&row)?;
            Ok(done)
        })
    }

    /// For each resource the version of its agent, if one of that id or host name is registered.
    pub fn agents_of(
        &self,
        caller: &Caller,
        questions: &[AgentQuestion],
    ) -> Result<Vec<Option<String>>> {
        let project = project(caller)?;
        let filter = catalog::AgentFilter {
            status: Some(NORMAL.to_owned()),
            ..catalog::AgentFilter::default()
        };
        let all =
            self.read(|tx| Ok(tx.agents().list(&project, &filter, &catalog::Page::ALL)?))?;
        let version = |(id, name): &AgentQuestion| {
            let found = all
                .rows
                .iter()
                .find(|row| row.id.to_string() == *id || name.as_ref() == Some(&row.host_name));
            found.map(|row| row.version.clone())
        };
        Ok(questions.iter().map(version).collect())
    }
}

impl From<AgentRow> for Agent {
    fn from(row: AgentRow) -> Self {
        let Json(paths) = row.paths;
        Self {
            id: row.id,
            host_name: row.host_name,
            host_nickname: row.host_nickname,
            host_ip: row.host_ip,
            host_os: row.host_os,
            version: row.version,
            kind: row.kind,
            status: row.status,
            paths,
            created_at: row.created_at,
            updated_at: row.updated_at,
            last_active_at: row.last_active_at,
        }
    }
}

fn get(tx: &Tx<'_>, project: ProjectId, id: AgentId) -> Result<AgentRow> {
    tx.agents()
        .get(&project, &id)?
        .ok_or_else(|| Error::not_found(Reason::NoSuchAgent, id))
}

fn some(field: &'static str, is_empty: bool) -> Result<()> {
    if is_empty {
        return Err(Error::invalid(field, "must name at least one directory"));
    }
    Ok(())
}

/// An absolute directory without a closing slash.
fn directory(field: &'static str, path: &str) -> Result<String> {
    let is_drive = path.as_bytes().get(1) == Some(&b':');
    let printable = !path.chars().any(char::is_control) && path.chars().count() <= 4096;
    if !printable || !(path.starts_with('/') || is_drive) {
        let problem = "must be absolute, printable and of at most 4096 characters";
        return Err(Error::invalid(field, problem));
    }
    let trimmed = path.trim_end_matches('/');
    Ok(if trimmed.is_empty() { "/" } else { trimmed }.to_owned())
}

fn check(new: &NewAgent) -> Result<()> {
    let nickname = new.host_nickname.as_deref().unwrap_or_default();
    let texts = [
        ("host_name", new.host_name.as_str(), 1),
        ("host_ip", &new.host_ip, 1),
        ("host_os", &new.host_os, 1),
        ("host_nickname", nickname, 0),
    ];
    for (field, text, min) in texts {
        let count = text.chars().count();
        if !(min..=255).contains(&count) || text.chars().any(char::is_control) {
            let problem = format!("must have {min} to 255 printable characters");
            return Err(Error::invalid(field, problem));
        }
    }
    if new.version.as_deref().is_some_and(|text| !is_version(text)) {
        return Err(Error::invalid("agent_version", "must be like 1.0.0"));
    }
    match new.kind.as_deref() {
        None | Some("cloud" | "native") => Ok(()),
        Some(_) => Err(Error::invalid("agent_type", "must be cloud or native")),
    }
}

/// Three numbers of one to three digits.
fn is_version(text: &str) -> bool {
    let parts: Vec<_> = text.split('.').collect();
    let is_number =
        |part: &&str| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    parts.len() == 3 && parts.iter().all(is_number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_directories_are_checked() {
        assert!(is_version("1.0.0") && is_version("123.45.6"));
        for bad in ["", "1", "1.0", "1.0.0.0", "1.0.x", "1234.0.0", "1..0"] {
            assert!(!is_version(bad), "{bad}");
        }
        assert_eq!(directory("d", "/srv/").unwrap(), "/srv");
        assert_eq!(directory("d", "/").unwrap(), "/");
        assert!(directory("d", "C:\\data").is_ok());
        assert!(directory("d", "srv").is_err() && directory("d", "/a\nb").is_err());
    }
}
