//! Layers and their data nodes: registered by operators, seen by the tenants of a project.
//!
//! A registration is refused unless everything answers and every link of the layer leads to one of
//! the data nodes: what cannot be backed up is said now and not at night.

use std::collections::BTreeMap;

use strongroom_catalog::{self as catalog, DataNodeRow, DdmInstanceRow, Sealed, Tx};
use strongroom_model::{
    DataNodeId, DdmInstanceId, JobId, ProjectId, Timestamp, state::DdmInstanceStatus,
};
pub use strongroom_source::ddm::node::Physical;
use strongroom_source::ddm::{
    self as source, Address, DataNode, Looked, Provider, ShardingLayer, Topology,
};

use crate::{
    Caller, Control, Error, Listed, Page, Reason, Result,
    control::{operator, project},
    ddm::{backups::Why, get, idle, reach::of_source, round, tasks},
    jobs,
    sealed::Role,
};

/// Days that backups are kept unless something else is said.
pub const KEEP_DAYS: u32 = 30;
/// Minutes after midnight, UTC, of the daily backup unless something else is said.
pub const BACKUP_MINUTE: u32 = 120;
/// Data nodes of one layer.
const NODES_MAX: usize = 256;

/// A layer as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// Its id.
    pub id: DdmInstanceId,
    /// The project.
    pub project_id: ProjectId,
    /// Its name.
    pub name: String,
    /// What kind of layer it is.
    pub provider: String,
    /// What it does.
    pub status: DdmInstanceStatus,
    /// Its version.
    pub version: String,
    /// Where it is reached.
    pub host: String,
    /// Its port.
    pub port: u32,
    /// Days that its backups are kept.
    pub keep_days: u32,
    /// Minutes after midnight, UTC, of the daily backup.
    pub backup_minute: u32,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
    /// Its data nodes.
    pub nodes: Vec<Node>,
    /// Its labels.
    pub tags: BTreeMap<String, String>,
}

/// A data node as the owner of its layer sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its id.
    pub id: DataNodeId,
    /// Its layer.
    pub instance_id: DdmInstanceId,
    /// Its name.
    pub name: String,
    /// Where it is.
    pub host: String,
    /// Its port.
    pub port: u32,
    /// `MariaDB` or `MySQL`.
    pub engine: String,
    /// Its version.
    pub version: String,
    /// `normal` or `abnormal`.
    pub status: String,
}

/// A layer to register.
#[derive(Clone)]
pub struct NewInstance {
    /// 1 to 64 letters, digits, `_`, `-`; unique in the project.
    pub name: String,
    /// What kind of layer it is.
    pub provider: String,
    /// How it is reached, with its password.
    pub url: String,
    /// The data nodes: name, and how it is reached.
    pub nodes: Vec<(String, String)>,
    /// What is where, in the form of a topology file, for layers that do not say it themselves.
    pub topology: Option<String>,
    /// How the files of data nodes are copied, by the data node's name.
    pub copies: BTreeMap<String, Physical>,
    /// The project it is for; the caller's if absent.
    pub project_id: Option<ProjectId>,
    /// Days that backups are kept.
    pub keep_days: Option<u32>,
    /// Minutes after midnight, UTC, of the daily backup.
    pub backup_minute: Option<u32>,
}

impl std::fmt::Debug for NewInstance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NewInstance({})", self.name)
    }
}

/// Whether a data node can be reached with an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// The data node.
    pub node: DataNodeId,
    /// What is wrong; none if nothing.
    pub problem: Option<String>,
}

impl Control {
    /// Registers a layer and its data nodes; operators only.
    pub fn register_instance(&self, caller: &Caller, new: NewInstance) -> Result<Instance> {
        operator(caller)?;
        let project = new.project_id.map_or_else(|| project(caller), Ok)?;
        crate::limits::name("name", &new.name)?;
        let keep_days = new.keep_days.unwrap_or(KEEP_DAYS);
        if !(1..=3650).contains(&keep_days) {
            return Err(Error::invalid("keep_days", "must be from 1 to 3650"));
        }
        let backup_minute = new.backup_minute.unwrap_or(BACKUP_MINUTE);
        if backup_minute >= 24 * 60 {
            return Err(Error::invalid("backup_at", "must be a time of the day"));
        }
        let now = self.now();
        let address = Address::parse(&new.url).map_err(of_source)?;
        let topology = new.topology.as_deref().map(Topology::parse).transpose();
        let topology = topology.map_err(|error| Error::invalid("topology", error.to_string()))?;
        let (looked, nodes) = look(&new, &address, topology.as_ref())?;
        let id = DdmInstanceId::new(self.entropy());
        let row = DdmInstanceRow {
            project_id: project,
            id,
            name: new.name,
            provider: new.provider,
            host: address.host.clone(),
            port: u32::from(address.port),
            url_sealed: self.seal_layer(id, &address, topology.as_ref()),
            version: looked.version,
            status: DdmInstanceStatus::Running,
            keep_days,
            backup_minute,
            next_backup_at: Some(round::next_after(now, backup_minute)),
            created_at: now,
            updated_at: now,
            removed_at: None,
        };
        let nodes: Vec<_> = nodes
            .into_iter()
            .map(|node| self.node_row(&row, node))
            .collect();
        self.write(|tx| {
            insert(tx, &row, &nodes)?;
            view(tx, row)
        })
    }

    fn node_row(&self, instance: &DdmInstanceRow, node: LookedAt) -> DataNodeRow {
        let (project, address) = (instance.project_id, &node.address);
        // The same server keeps its id, whichever layer is in front of it.
        let place = format!("{project} {}:{}", address.host.to_lowercase(), address.port);
        let hash = blake3::derive_key("strongroom 2026 data node id", place.as_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(hash.split_at(16).0);
        let id = DataNodeId::from_bytes(bytes);
        DataNodeRow {
            project_id: project,
            id,
            instance_id: instance.id,
            name: node.name,
            host: address.host.clone(),
            port: u32::from(address.port),
            url_sealed: Sealed(self.seal(Role::DataNode, &id.to_string(), &address.secret_text())),
            physical_sealed: node.physical.map(|physical| {
                let text = serde_json::json!(physical).to_string();
                Sealed(self.seal(Role::Physical, &id.to_string(), &text))
            }),
            engine: node.looked.engine,
            version: node.looked.version,
            status: "normal".to_owned(),
            created_at: instance.created_at,
            updated_at: instance.created_at,
        }
    }

    /// The project's layers, oldest first.
    pub fn list_instances(&self, caller: &Caller, page: &Page) -> Result<Listed<Instance>> {
        let project = project(caller)?;
        let page = page.rows(crate::page::LIMIT_MAX)?;
        self.read(|tx| {
            let found = tx.ddm_instances().list(&project, &page)?;
            Listed::of_rows(found, |row| view(tx, row))
        })
    }

    /// One layer.
    pub fn show_instance(&self, caller: &Caller, id: DdmInstanceId) -> Result<Instance> {
        let project = project(caller)?;
        self.read(|tx| view(tx, get(tx, project, id)?))
    }

    /// Gives a layer another name.
    pub fn rename_instance(&self, caller: &Caller, id: DdmInstanceId, name: &str) -> Result<()> {
        let project = project(caller)?;
        crate::limits::name("name", name)?;
        let now = self.now();
        self.write(|tx| {
            get(tx, project, id)?;
            let other = tx.ddm_instances().named(&project, name)?;
            if other.is_some_and(|other| other.id != id) {
                return Err(Error::conflict(Reason::AlreadyExists, name));
            }
            tx.ddm_instances().change(&project, &id, |row| {
                name.clone_into(&mut row.name);
                row.updated_at = now;
            })?;
            Ok(())
        })
    }

    /// Takes a layer off the list, after a backup of what it knows; its backups live on, and
    /// nothing on its servers is touched.
    pub fn remove_instance(&self, caller: &Caller, id: DdmInstanceId) -> Result<JobId> {
        let project = project(caller)?;
        self.order(|tx| {
            let row = get(tx, project, id)?;
            idle(tx, id)?;
            let why = Why::Before("deleting the instance".to_owned());
            let (backup, _) = self.order_backup(tx, &row, &why)?;
            let order = tasks::Order {
                kind: jobs::DDM_REMOVE,
                name: "DeleteInstance",
                instance: &row,
                database: None,
            };
            let params = jobs::params::DdmRemove {
                project,
                instance: id,
                safety: backup,
            };
            tasks::order(self, tx, &order, &params)
        })
    }

    /// Looks at every data node of a layer and notes what it is now.
    pub fn sync_nodes(&self, caller: &Caller, id: DdmInstanceId) -> Result<Vec<Node>> {
        let project = project(caller)?;
        let mut reached = self.reach(project, id)?;
        let layer = reached.layer.look();
        let looked: Vec<_> = reached
            .nodes
            .iter()
            .map(|node| source::look(&format!("data node {}", node.name), &node.address))
            .collect();
        let now = self.now();
        self.write(|tx| {
            let mut nodes = Vec::new();
            for (row, looked) in reached.node_rows.iter().zip(looked) {
                let row = tx.ddm_instances().change_node(&project, &row.id, |row| {
                    row.updated_at = now;
                    match looked {
                        Ok(looked) => {
                            row.engine = looked.engine;
                            row.version = looked.version;
                            "normal".clone_into(&mut row.status);
                        }
                        Err(_) => "abnormal".clone_into(&mut row.status),
                    }
                })?;
                nodes.push(node_view(row));
            }
            tx.ddm_instances().change(&project, &id, |row| {
                row.updated_at = now;
                match layer {
                    Ok(looked) => {
                        row.version = looked.version;
                        if row.status == DdmInstanceStatus::Error {
                            row.status = DdmInstanceStatus::Running;
                        }
                    }
                    Err(_) if row.status == DdmInstanceStatus::Running => {
                        row.status = DdmInstanceStatus::Error;
                    }
                    Err(_) => {}
                }
            })?;
            Ok(nodes)
        })
    }

    /// Tries accounts on data nodes of a layer: id, user, password.
    pub fn check_connections(
        &self,
        caller: &Caller,
        id: DdmInstanceId,
        accounts: &[(DataNodeId, String, String)],
    ) -> Result<Vec<Connection>> {
        let project = project(caller)?;
        let reached = self.reach(project, id)?;
        accounts
            .iter()
            .map(|(node, user, password)| {
                let mut known = reached.nodes_of(std::slice::from_ref(node))?;
                let known = known
                    .pop()
                    .ok_or_else(|| Error::not_found(Reason::NoSuchDataNode, node))?;
                // Only servers that an operator named are ever called.
                let address = Address {
                    user: user.clone(),
                    password: zeroize::Zeroizing::new(password.clone()),
                    ..known.address
                };
                let tried = source::look(&format!("data node {}", known.name), &address);
                Ok(Connection {
                    node: *node,
                    problem: tried.err().map(|error| error.to_string()),
                })
            })
            .collect()
    }
}

/// A data node that answered.
struct LookedAt {
    name: String,
    address: Address,
    looked: Looked,
    physical: Option<Physical>,
}

/// Sees that everything answers and fits together.
fn look(
    new: &NewInstance,
    address: &Address,
    topology: Option<&Topology>,
) -> Result<(Looked, Vec<LookedAt>)> {
    if new.nodes.len() > NODES_MAX {
        let problem = format!("a layer has at most {NODES_MAX} data nodes");
        return Err(Error::invalid("data_nodes", problem));
    }
    let provider = Provider::parse(&new.provider)
        .map_err(|error| Error::invalid("provider", error.to_string()))?;
    let mut layer = provider
        .open(&new.name, address, topology)
        .map_err(|error| Error::invalid("topology", error.to_string()))?;
    let looked = layer.look().map_err(of_source)?;
    let mut nodes: Vec<LookedAt> = Vec::new();
    for (name, url) in &new.nodes {
        crate::limits::name("data_nodes", name)?;
        let address = Address::parse(url)
            .map_err(|error| Error::invalid("data_nodes", format!("{name}: {error}")))?;
        let twice = |known: &LookedAt| {
            known.name == *name || known.address.is_at(&address.host, address.port)
        };
        if nodes.iter().any(twice) {
            let problem = format!("{name} is named twice");
            return Err(Error::invalid("data_nodes", problem));
        }
        let looked = source::look(&format!("data node {name}"), &address).map_err(of_source)?;
        let physical = new.copies.get(name).cloned();
        if let Some(physical) = &physical {
            copyable(name, physical, &looked)?;
        }
        nodes.push(LookedAt {
            name: name.clone(),
            address,
            looked,
            physical,
        });
    }
    if let Some(unknown) = new.copies.keys().find(|name| {
        let mut known = nodes.iter();
        !known.any(|node| node.name == **name)
    }) {
        let problem = format!("{unknown} is no data node of the layer");
        return Err(Error::invalid("data_nodes", problem));
    }
    fits(&mut *layer, topology, &nodes)?;
    for (link, host, port) in layer.links().map_err(of_source)? {
        if !nodes.iter().any(|node| node.address.is_at(&host, port)) {
            let problem = format!(
                "link {link} of the layer leads to {host}:{port}, which is none of them; name it"
            );
            return Err(Error::invalid("data_nodes", problem));
        }
    }
    Ok((looked, nodes))
}

/// Refuses a topology that does not fit what is there.
fn fits(
    layer: &mut dyn ShardingLayer,
    topology: Option<&Topology>,
    nodes: &[LookedAt],
) -> Result<()> {
    let wrong = |error: source::Error| match error {
        error @ source::Error::Unfit(_) => Error::invalid("topology", error.to_string()),
        other => of_source(other),
    };
    if let Some(topology) = topology {
        let names = nodes.iter().map(|node| node.name.as_str());
        topology.check_nodes(names).map_err(wrong)?;
    }
    let nodes = nodes.iter().map(|node| DataNode {
        id: DataNodeId::from_bytes([0; 16]),
        name: node.name.clone(),
        address: node.address.clone(),
    });
    let nodes: Vec<_> = nodes.collect();
    layer.fits(&nodes).map_err(wrong)
}

/// Refuses a way of copying that cannot work.
fn copyable(name: &str, physical: &Physical, looked: &Looked) -> Result<()> {
    if looked.engine != "MariaDB" {
        let problem = format!("{name} is no MariaDB server; its files cannot be copied");
        return Err(Error::invalid("data_nodes", problem));
    }
    let checked = physical.check().and_then(|()| source::node::programs());
    checked.map_err(|error| Error::invalid("data_nodes", format!("{name}: {error}")))
}

fn insert(tx: &Tx<'_>, row: &DdmInstanceRow, nodes: &[DataNodeRow]) -> Result<()> {
    let project = row.project_id;
    if tx.projects().get(&project)?.is_none() {
        return Err(Error::not_found(Reason::NoSuchProject, project));
    }
    if tx.ddm_instances().named(&project, &row.name)?.is_some() {
        let about = format!("an instance called {}", row.name);
        return Err(Error::conflict(Reason::AlreadyExists, about));
    }
    tx.ddm_instances().insert(row)?;
    let linked = tx.ddm_instances().all_nodes(&project)?;
    for node in nodes {
        if let Some(other) = linked.iter().find(|other| other.id == node.id) {
            let about = format!("data node {} is behind {}", node.name, other.instance_id);
            return Err(Error::conflict(Reason::DataNodeLinked, about));
        }
        tx.ddm_instances().set_node(node)?;
    }
    Ok(())
}

pub(crate) fn view(tx: &Tx<'_>, row: DdmInstanceRow) -> Result<Instance> {
    let nodes = tx.ddm_instances().nodes(&row.project_id, &row.id)?;
    let tags = tx.ddm_instances().tags(&row.project_id, Some(&row.id))?;
    Ok(Instance {
        id: row.id,
        project_id: row.project_id,
        name: row.name,
        provider: row.provider,
        status: row.status,
        version: row.version,
        host: row.host,
        port: row.port,
        keep_days: row.keep_days,
        backup_minute: row.backup_minute,
        created_at: row.created_at,
        updated_at: row.updated_at,
        nodes: nodes.into_iter().map(node_view).collect(),
        tags: tags.into_iter().map(|tag| (tag.key, tag.value)).collect(),
    })
}

pub(crate) fn node_view(row: DataNodeRow) -> Node {
    Node {
        id: row.id,
        instance_id: row.instance_id,
        name: row.name,
        host: row.host,
        port: row.port,
        engine: row.engine,
        version: row.version,
        status: row.status,
    }
}

/// All of the project's registered layers.
pub(crate) fn all(tx: &Tx<'_>, project: ProjectId) -> Result<Vec<DdmInstanceRow>> {
    Ok(tx.ddm_instances().list(&project, &catalog::Page::ALL)?.rows)
}
