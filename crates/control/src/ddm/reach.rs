//! Layers and servers as jobs and use cases reach them: rows become addresses with passwords.

use strongroom_catalog::{DataNodeRow, DdmInstanceRow};
use strongroom_model::{DataNodeId, DdmInstanceId, ProjectId};
use strongroom_source::ddm::{self, Address, DataNode, Provider, ShardingLayer, node::Physical};

use crate::{Control, Error, Reason, Result, ddm::get, sealed::Role};

/// A layer with its servers, ready to be asked.
pub(crate) struct Reached {
    pub(crate) row: DdmInstanceRow,
    pub(crate) layer: Box<dyn ShardingLayer>,
    /// Where the layer is.
    pub(crate) address: Address,
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
        let address = self.unseal(Role::Layer, &id.to_string(), &row.url_sealed.0)?;
        let address = Address::parse(&address).map_err(of_source)?;
        let layer = Provider::parse(&row.provider)
            .map_err(of_source)?
            .open(&row.name, &address);
        let nodes: Result<Vec<_>> = node_rows.iter().map(|row| self.node(row)).collect();
        Ok(Reached {
            row,
            layer,
            address,
            nodes: nodes?,
            node_rows,
        })
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
