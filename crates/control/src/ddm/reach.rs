//! Layers and servers as jobs and use cases reach them: rows become addresses with passwords.

use strongroom_catalog::{DataNodeRow, DdmInstanceRow, Sealed};
use strongroom_model::{DataNodeId, DdmInstanceId, ProjectId};
use strongroom_source::ddm::{
    self, Address, DataNode, Provider, ShardingLayer, Topology, node::Physical,
};

use crate::{Caller, Control, Error, Reason, Result, control::project, ddm::get, sealed::Role};

/// A layer with its servers, ready to be asked.
pub(crate) struct Reached {
    pub(crate) row: DdmInstanceRow,
    pub(crate) layer: Box<dyn ShardingLayer>,
    /// Where the layer is.
    pub(crate) address: Address,
    /// What is where, if somebody told us.
    pub(crate) topology: Option<Topology>,
    pub(crate) node_rows: Vec<DataNodeRow>,
    pub(crate) nodes: Vec<DataNode>,
}

impl Control {
    /// The project's layer of that id.
    pub(crate) fn reach(&self, project: ProjectId, id: DdmInstanceId) -> Result<Reached> {
        let (row, node_rows) = self.read(|tx| {
            let row = get(tx, project, id)?;
            let nodes = tx.ddm_instances().nodes(&project, &id)?;
            Ok((row, nodes))
        })?;
        let text = self.unseal(Role::Layer, &id.to_string(), &row.url_sealed.0)?;
        let (address, topology) = split(&text)?;
        let layer = Provider::parse(&row.provider)
            .and_then(|provider| provider.open(&row.name, &address, topology.as_ref()))
            .map_err(of_source)?;
        let nodes: Result<Vec<_>> = node_rows.iter().map(|row| self.node(row)).collect();
        Ok(Reached {
            row,
            layer,
            address,
            topology,
            nodes: nodes?,
            node_rows,
        })
    }

    /// How a layer is reached, with what we were told of it, as its row keeps it.
    pub(crate) fn seal_layer(
        &self,
        id: DdmInstanceId,
        address: &Address,
        topology: Option<&Topology>,
    ) -> Sealed {
        let mut text = address.secret_text();
        if let Some(topology) = topology {
            text.push('\n');
            text.push_str(&topology.text());
        }
        Sealed(self.seal(Role::Layer, &id.to_string(), &text))
    }

    /// Keeps another topology of a layer, if it is one that needs to be told.
    pub(crate) fn keep_topology(&self, reached: &Reached, topology: &Topology) -> Result<()> {
        if reached.topology.is_none() {
            return Ok(());
        }
        let row = &reached.row;
        let sealed = self.seal_layer(row.id, &reached.address, Some(topology));
        self.write(|tx| {
            tx.ddm_instances()
                .change(&row.project_id, &row.id, |row| row.url_sealed = sealed)?;
            Ok(())
        })
    }

    /// The topology file of a layer, as it was registered or restored.
    pub fn topology(&self, caller: &Caller, id: DdmInstanceId) -> Result<String> {
        let reached = self.reach(project(caller)?, id)?;
        let topology = reached.topology.ok_or_else(|| {
            let why = format!("{} says itself what is where", reached.row.name);
            Error::conflict(Reason::InstanceUnfit, why)
        })?;
        Ok(topology.text())
    }

    /// The accounts of a layer: user and host.
    pub fn list_accounts(
        &self,
        caller: &Caller,
        id: DdmInstanceId,
    ) -> Result<Vec<(String, String)>> {
        let project = project(caller)?;
        self.reach(project, id)?.layer.accounts().map_err(of_source)
    }

    /// How the files of a data node are copied; none if they are not.
    pub(crate) fn physical(&self, row: &DataNodeRow) -> Result<Option<Physical>> {
        let Some(sealed) = &row.physical_sealed else {
            return Ok(None);
        };
        let text = self.unseal(Role::Physical, &row.id.to_string(), &sealed.0)?;
        let broken = |error| Error::bug("a data node's row is unreadable", error);
        serde_json::from_str(&text).map(Some).map_err(broken)
    }

    /// A data node with its password.
    pub(crate) fn node(&self, row: &DataNodeRow) -> Result<DataNode> {
        let address = self.unseal(Role::DataNode, &row.id.to_string(), &row.url_sealed.0)?;
        Ok(DataNode {
            id: row.id,
            name: row.name.clone(),
            address: Address::parse(&address).map_err(of_source)?,
        })
    }
}

impl Reached {
    /// The data nodes of these ids, in their order; a refusal for one that is not the layer's.
    pub(crate) fn nodes_of(&self, ids: &[DataNodeId]) -> Result<Vec<DataNode>> {
        ids.iter()
            .map(|id| {
                let found = self.nodes.iter().find(|node| node.id == *id);
                found
                    .cloned()
                    .ok_or_else(|| Error::not_found(Reason::NoSuchDataNode, id))
            })
            .collect()
    }
}

/// Address and topology, as [`Control::seal_layer`] puts them together.
fn split(text: &str) -> Result<(Address, Option<Topology>)> {
    let (address, topology) = match text.split_once('\n') {
        Some((address, topology)) => (address, Some(topology)),
        None => (text, None),
    };
    let topology = topology.map(Topology::parse).transpose();
    Ok((
        Address::parse(address).map_err(of_source)?,
        topology.map_err(of_source)?,
    ))
}

/// A database's failure as a use case tells it.
#[expect(
    clippy::needless_pass_by_value,
    reason = "what `map_err` calls takes a value"
)]
pub(crate) fn of_source(error: ddm::Error) -> Error {
    use ddm::Error as E;
    match error {
        E::BadAddress(problem) => Error::invalid("url", problem),
        E::Unreachable { .. } => Error::Conflict {
            reason: Reason::DatabaseUnreachable,
            message: error.to_string(),
        },
        E::Denied { .. } => Error::Conflict {
            reason: Reason::DatabaseDenies,
            message: error.to_string(),
        },
        E::Unfit(_) => Error::Conflict {
            reason: Reason::InstanceUnfit,
            message: error.to_string(),
        },
        E::Unreadable(_) | E::Damaged(_) => Error::Conflict {
            reason: Reason::DataDamaged,
            message: error.to_string(),
        },
        E::Changed(_) | E::Refused { .. } | E::Stream(_) => Error::Conflict {
            reason: Reason::DatabaseRefuses,
            message: error.to_string(),
        },
    }
}
