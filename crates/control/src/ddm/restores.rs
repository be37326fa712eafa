//! Going back: which backup shows a time, what it can be written to, and writing it.
//!
//! A list of targets names those that do not fit too, with the reason; an order that comes all the
//! same is refused for the same reason.

use strongroom_catalog::{DdmBackupRow, DdmInstanceRow};
use strongroom_model::{
    DataNodeId, DdmBackupId, DdmInstanceId, JobId, ProjectId, Timestamp, state::DdmInstanceStatus,
};
use strongroom_source::ddm;

use crate::{
    Caller, Control, Error, Listed, Page, Reason, Result,
    control::project,
    ddm::{
        backups, get, idle,
        instances::{self, Node},
        points::{self, Points},
        reach::{Reached, of_source},
        tasks,
    },
    jobs::{
        self,
        params::{DdmRestore, DdmSource},
    },
};

/// A possible target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate<T> {
    /// What it is.
    pub target: T,
    /// Why it does not fit; none if it does.
    pub problem: Option<String>,
}

/// A layer as a possible target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetInstance {
    /// Its id.
    pub id: DdmInstanceId,
    /// Its name.
    pub name: String,
    /// What it does.
    pub status: DdmInstanceStatus,
}

/// Which backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// This one.
    Backup(DdmBackupId),
    /// The newest that shows the layer at that time or before.
    At(Timestamp),
}

/// A restore of metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMetadataRestore {
    /// The layer that was backed up; it may be gone.
    pub source: DdmInstanceId,
    /// Which backup of it.
    pub wanted: Wanted,
    /// The empty layer that it is written to.
    pub target: DdmInstanceId,
    /// The target's data nodes that take the places of those then.
    pub nodes: Vec<DataNodeId>,
}

impl Control {
    /// The data nodes of a layer as of a time, and the newest time that is kept.
    pub fn related_nodes(
        &self,
        caller: &Caller,
        id: DdmInstanceId,
        at: Timestamp,
    ) -> Result<(Vec<Node>, Option<Timestamp>)> {
        let project = project(caller)?;
        let now = self.now();
        self.read(|tx| {
            let row = known(tx, project, id)?;
            let shown = tx
                .ddm_backups()
                .newest_good(&project, &id, at)?
                .ok_or_else(|| Error::conflict(Reason::TimeNotRestorable, id))?;
            let newest = tx.ddm_backups().newest_good(&project, &id, now)?;
            let rows = tx.ddm_instances().nodes(&project, &row.id)?;
            let nodes = shown.data_nodes.0.into_iter().map(|then| {
                let row = rows.iter().find(|row| row.id == then.id).cloned();
                row.map(instances::node_view).unwrap_or_else(|| Node {
                    id: then.id,
                    instance_id: id,
                    name: then.name,
                    host: String::new(),
                    port: 0,
                    engine: String::new(),
                    version: String::new(),
                    status: "abnormal".to_owned(),
                })
            });
            Ok((nodes.collect(), newest.and_then(|row| row.taken_at)))
        })
    }

    /// The project's other layers, and whether a backup of this one can be written to each.
    pub fn restorable_instances(
        &self,
        caller: &Caller,
        source: DdmInstanceId,
        page: &Page,
    ) -> Result<Listed<Candidate<TargetInstance>>> {
        let project = project(caller)?;
        let (row, rows) =
            self.read(|tx| Ok((known(tx, project, source)?, instances::all(tx, project)?)))?;
        let others = rows
            .into_iter()
            .filter(|other| other.id != source)
            .collect();
        let found = page.window(others, |other: &DdmInstanceRow| other.id.to_string())?;
        let items = found.items.into_iter().map(|target| {
            let problem = self.unfit(&row, &target).err();
            Candidate {
                target: TargetInstance {
                    id: target.id,
                    name: target.name,
                    status: target.status,
                },
                problem: problem.map(|error| error.to_string()),
            }
        });
        Ok(Listed {
            items: items.collect(),
            total: found.total,
        })
    }

    /// The data nodes of a target, and whether each can take the place of that of the source.
    pub fn restorable_nodes(
        &self,
        caller: &Caller,
        source: DdmInstanceId,
        node: DataNodeId,
        target: DdmInstanceId,
        page: &Page,
    ) -> Result<Listed<Candidate<Node>>> {
        let project = project(caller)?;
        let then = self.read(|tx| {
            known(tx, project, source)?;
            get(tx, project, target)?;
            let nodes = tx.ddm_instances().nodes(&project, &source)?;
            let found = nodes.into_iter().find(|row| row.id == node);
            found.ok_or_else(|| Error::not_found(Reason::NoSuchDataNode, node))
        })?;
        let reached = self.reach(project, target)?;
        let all = reached.node_rows.iter().zip(&reached.nodes).collect();
        let found = page.window(all, |(row, _)| row.id.to_string())?;
        let items = found.items.into_iter().map(|(row, node)| Candidate {
            target: instances::node_view(row.clone()),
            problem: node_problem(&then.engine, &then.version, node),
        });
        Ok(Listed {
            items: items.collect(),
            total: found.total,
        })
    }

    /// Orders a restore of metadata to an empty layer.
    pub fn restore_metadata(&self, caller: &Caller, new: &NewMetadataRestore) -> Result<JobId> {
        let project = project(caller)?;
        let (source, target, backup) = self.read(|tx| {
            let source = known(tx, project, new.source)?;
            let target = get(tx, project, new.target)?;
            idle(tx, new.target)?;
            let backup = wanted(tx, project, new)?;
            Ok((source, target, backup))
        })?;
        self.unfit(&source, &target)?;
        let reached = self.reach(project, new.target)?;
        let given = reached.nodes_of(&new.nodes)?;
        if given.len() != backup.data_nodes.0.len() {
            let problem = format!(
                "the backup is of {} data nodes, {} are named",
                backup.data_nodes.0.len(),
                given.len()
            );
            return Err(Error::invalid("data_nodes", problem));
        }
        let (engine, version) = self.read(|tx| {
            let nodes = tx.ddm_instances().nodes(&project, &new.source)?;
            let first = nodes.into_iter().next();
            Ok(first
                .map(|row| (row.engine, row.version))
                .unwrap_or_default())
        })?;
        for node in &given {
            if let Some(problem) = node_problem(&engine, &version, node) {
                let about = format!("data node {}: {problem}", node.name);
                return Err(Error::conflict(Reason::InstanceUnfit, about));
            }
        }
        let now = self.now();
        self.order(|tx| {
            let target = get(tx, project, new.target)?;
            idle(tx, new.target)?;
            backups::good(tx, project, backup.id)?;
            let order = tasks::Order {
                kind: jobs::DDM_RESTORE,
                name: "RestoreInstance",
                instance: &target,
                database: None,
            };
            let params = DdmRestore {
                project,
                target: target.id,
                nodes: new.nodes.clone(),
                source: DdmSource::Backup(backup.id),
            };
            tx.ddm_instances().change(&project, &target.id, |row| {
                row.status = DdmInstanceStatus::Restoring;
                row.updated_at = now;
            })?;
            tasks::order(self, tx, &order, &params)
        })
    }

    /// Refuses a layer that a backup of that one cannot be written to.
    pub(crate) fn unfit(&self, source: &DdmInstanceRow, target: &DdmInstanceRow) -> Result<()> {
        let unfit = |why: String| Err(Error::conflict(Reason::InstanceUnfit, why));
        self.read(|tx| idle(tx, target.id))?;
        if target.provider != source.provider {
            return unfit(format!("{} is of another engine", target.name));
        }
        let mut reached = self.reach(target.project_id, target.id)?;
        let looked = reached.layer.look().map_err(of_source)?;
        if looked.read_only {
            return unfit(format!("{} is read-only", target.name));
        }
        if older(&looked.version, &source.version) {
            return unfit(format!(
                "{} is of version {}, older than {}",
                target.name, looked.version, source.version
            ));
        }
        must_be_empty(&mut reached)
    }
}

/// The layer of that id, also one that was removed, as long as something of it is kept.
pub(crate) fn known(
    tx: &strongroom_catalog::Tx<'_>,
    project: ProjectId,
    id: DdmInstanceId,
) -> Result<DdmInstanceRow> {
    tx.ddm_instances()
        .get(&project, &id)?
        .ok_or_else(|| Error::not_found(Reason::NoSuchInstance, id))
}

fn wanted(
    tx: &strongroom_catalog::Tx<'_>,
    project: ProjectId,
    new: &NewMetadataRestore,
) -> Result<DdmBackupRow> {
    let row = match new.wanted {
        Wanted::Backup(id) => backups::good(tx, project, id)?,
        Wanted::At(time) => tx
            .ddm_backups()
            .newest_good(&project, &new.source, time)?
            .ok_or_else(|| Error::conflict(Reason::TimeNotRestorable, new.source))?,
    };
    if row.instance_id != new.source {
        return Err(Error::not_found(Reason::NoSuchBackup, row.id));
    }
    if let Wanted::At(time) = new.wanted {
        let second = time.as_seconds();
        if Points::read(tx, project, new.source)?.is_outdated(&row, second) {
            let why = format!(
                "the metadata were changed between the newest backup and {}; restore an earlier \
                 time, or name the backup",
                points::time(second)
            );
            return Err(Error::conflict(Reason::TimeNotRestorable, why));
        }
    }
    Ok(row)
}

/// Refuses a layer that knows something already.
pub(crate) fn must_be_empty(reached: &mut Reached) -> Result<()> {
    let name = reached.row.name.clone();
    let unfit = |why: String| Err(Error::conflict(Reason::InstanceUnfit, why));
    if let Some((user, host)) = reached.layer.accounts().map_err(of_source)?.first() {
        return unfit(format!("{name} has common accounts already: {user}@{host}"));
    }
    if let Some((schema, _)) = reached.layer.schemas().map_err(of_source)?.first() {
        return unfit(format!("{name} has schemas already: {schema}"));
    }
    if let Some((link, ..)) = reached.layer.links().map_err(of_source)?.first() {
        return unfit(format!("{name} is linked to a data node already: {link}"));
    }
    Ok(())
}

/// Why a server cannot take the place of one of that engine and version.
pub(crate) fn node_problem(engine: &str, version: &str, node: &ddm::DataNode) -> Option<String> {
    match ddm::look(&format!("data node {}", node.name), &node.address) {
        Err(error) => Some(format!("it is abnormal: {error}")),
        Ok(looked) if looked.engine != engine && !engine.is_empty() => {
            Some(format!("it is of another engine, {}", looked.engine))
        }
        Ok(looked) if older(&looked.version, version) => {
            Some(format!("its version {} is older", looked.version))
        }
        Ok(looked) if looked.read_only => Some("it is read-only".to_owned()),
        Ok(_) => None,
    }
}

/// Whether a version comes before another, number by number.
fn older(version: &str, than: &str) -> bool {
    let numbers = |text: &str| -> Vec<u64> {
        text.split('.')
            .map(|part| part.parse().unwrap_or_default())
            .collect()
    };
    numbers(version) < numbers(than)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(older("10.6.9", "10.11.2") && older("10.11", "10.11.1"));
        assert!(!older("10.11.2", "10.11.2") && !older("11.0", "10.11.19"));
    }
}
