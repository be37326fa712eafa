//! Going back to a point in time: data nodes and metadata at the same instant, on empty servers.

use strongroom_catalog::Tx;
use strongroom_model::{DataNodeId, DdmInstanceId, JobId, Timestamp, state::DdmInstanceStatus};
use strongroom_source::ddm::{self as source, DataNode};

use crate::{
    Caller, Control, Error, Reason, Result,
    control::project,
    ddm::{
        get, idle,
        points::Points,
        reach::of_source,
        restores::{known, node_problem},
        tasks,
    },
    jobs::{
        self,
        params::{DdmRecover, DdmRelation},
    },
};

/// A recovery to a point in time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRecovery {
    /// The layer that it was; it may be gone.
    pub source: DdmInstanceId,
    /// The time; what was begun in its second is in.
    pub at: Timestamp,
    /// The empty layer that it is brought to.
    pub target: DdmInstanceId,
    /// Which of the target's data nodes takes the place of which of the source's.
    pub nodes: Vec<(DataNodeId, DataNodeId)>,
}

impl Control {
    /// Orders a recovery of data nodes and metadata to a point in time.
    pub fn recover(&self, caller: &Caller, new: &NewRecovery) -> Result<JobId> {
        let project = project(caller)?;
        let second = new.at.as_seconds();
        let (origin, target, plan, then) = self.read(|tx| {
            let origin = known(tx, project, new.source)?;
            let target = get(tx, project, new.target)?;
            idle(tx, new.target)?;
            let plan = Points::read(tx, project, new.source)?.plan(second)?;
            let then = tx.ddm_instances().nodes(&project, &new.source)?;
            Ok((origin, target, plan, then))
        })?;
        let mut relations = Vec::new();
        for (node, copy) in &plan.copies {
            let mut given = new.nodes.iter().filter(|(source, _)| source == node);
            let (Some((_, target)), None) = (given.next(), given.next()) else {
                let problem = format!("data node {} must be named once", copy.node_name);
                return Err(Error::invalid("data_node_relations", problem));
            };
            relations.push(DdmRelation {
                source: *node,
                target: *target,
                copy: copy.id,
            });
        }
        if relations.len() != new.nodes.len() {
            let problem = format!("there are {} data nodes", relations.len());
            return Err(Error::invalid("data_node_relations", problem));
        }
        self.unfit(&origin, &target)?;
        let ids: Vec<_> = relations.iter().map(|relation| relation.target).collect();
        let given = self.reach(project, new.target)?.nodes_of(&ids)?;
        for (place, (node, relation)) in given.iter().zip(&relations).enumerate() {
            if ids.iter().take(place).any(|earlier| *earlier == node.id) {
                let problem = format!("data node {} is named twice", node.name);
                return Err(Error::invalid("data_node_relations", problem));
            }
            let row = then.iter().find(|row| row.id == relation.source);
            let (engine, version) = row.map_or(("", ""), |row| (&row.engine, &row.version));
            if let Some(problem) = node_problem(engine, version, node) {
                let about = format!("data node {}: {problem}", node.name);
                return Err(Error::conflict(Reason::InstanceUnfit, about));
            }
            must_be_empty(node)?;
        }
        source::node::programs().map_err(of_source)?;
        let params = DdmRecover {
            project,
            source: new.source,
            target: new.target,
            second,
            metadata: plan.metadata.id,
            nodes: relations,
        };
        self.order_recovery(&params)
    }

    fn order_recovery(&self, params: &DdmRecover) -> Result<JobId> {
        let now = self.now();
        self.order(|tx| {
            let target = get(tx, params.project, params.target)?;
            idle(tx, params.target)?;
            // Something may have been let go of meanwhile.
            Points::read(tx, params.project, params.source)?.plan(params.second)?;
            let order = tasks::Order {
                kind: jobs::DDM_RECOVER,
                name: "RestoreInstance",
                instance: &target,
                database: None,
            };
            tx.ddm_instances()
                .change(&params.project, &target.id, |row| {
                    row.status = DdmInstanceStatus::Restoring;
                    row.updated_at = now;
                })?;
            tasks::order(self, tx, &order, params)
        })
    }
}

/// Whether a recovery reads copies and logs of that layer: what it reads must stay as it is.
pub(crate) fn is_under_way(tx: &Tx<'_>, source: DdmInstanceId) -> Result<bool> {
    for job in tx.jobs().unfinished_of_kind(jobs::DDM_RECOVER)? {
        if jobs::of_job::<DdmRecover>(&job.params)?.source == source {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Refuses a server that holds databases already.
pub(crate) fn must_be_empty(node: &DataNode) -> Result<()> {
    let there = source::databases(&format!("data node {}", node.name), &node.address);
    if let Some(database) = there.map_err(of_source)?.first() {
        let why = format!("data node {} has databases already: {database}", node.name);
        return Err(Error::conflict(Reason::InstanceUnfit, why));
    }
    Ok(())
}
