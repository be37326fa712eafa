//! What manifests tell of copies of data nodes and of their logs, so that points in time outlive
//! the catalog.
//!
//! The pieces of each server's log are strung anew; a copy belongs to the run that holds its
//! place. What is known in the catalog already is left as it is. Layers and data nodes themselves
//! come back with the backups of their metadata, without which there is no point in time.

use std::collections::BTreeMap;

use strongroom_catalog::{DdmLogRow, DdmNodeBackupRow, Tx};
use strongroom_engine::Repository;
use strongroom_model::{Bytes, ProjectId, state::DdmBackupStatus};

use super::{ddm_copy, failure::chain};
use crate::{
    Control, Error, Reason, Result,
    ddm::pieces::{self, Strung, log_row, string},
};

/// The copies and logs that are in a repository.
pub(crate) struct Told {
    project: ProjectId,
    copies: Vec<DdmNodeBackupRow>,
    logs: Vec<(DdmLogRow, Vec<Strung>)>,
}

impl Told {
    /// How many copies there are.
    pub(crate) fn copies(&self) -> usize {
        self.copies.len()
    }

    /// Puts what is not known yet into the catalog.
    pub(crate) fn put(self, tx: &Tx<'_>) -> Result<()> {
        let points = tx.ddm_points();
        for (log, strung) in self.logs {
            // A log that is followed has its own pieces.
            if points.log(&self.project, &log.server_id)?.is_some() {
                continue;
            }
            for run in strung {
                for (said, manifest) in run.pieces {
                    let mut row = said.row(self.project, manifest);
                    row.epoch = run.epoch;
                    points.insert_part(&row)?;
                }
            }
            points.set_log(&log)?;
        }
        for copy in self.copies {
            if points.copy(&self.project, &copy.id)?.is_none() {
                points.insert_copy(&copy)?;
            }
        }
        Ok(())
    }
}

/// Reads what the manifests tell.
pub(crate) fn rows(control: &Control, repository: &Repository, project: ProjectId) -> Result<Told> {
    let broken = |error: strongroom_engine::Error| Error::Conflict {
        reason: Reason::DataDamaged,
        message: chain(&error),
    };
    let now = control.now();
    let mut pieces: BTreeMap<String, Vec<(pieces::Said, String)>> = BTreeMap::new();
    let mut copies = Vec::new();
    for id in repository.manifests().map_err(broken)? {
        let Ok(manifest) = repository.manifest(&id) else {
            continue;
        };
        if let Some(said) = pieces::Said::of(&manifest) {
            let of_server = pieces.entry(said.server.clone()).or_default();
            of_server.push((said, id.to_string()));
        } else if let Some(said) = ddm_copy::Said::of(&manifest) {
            copies.push((said, id.to_string(), manifest.body.logical_bytes));
        }
    }
    let all = pieces.values().flatten();
    let beside: Vec<_> = all.flat_map(|(said, _)| said.beside.clone()).collect();
    let mut strung: BTreeMap<_, _> = pieces
        .into_iter()
        .map(|(server, pieces)| (server, string(pieces)))
        .collect();
    for run in strung.values_mut().flatten() {
        run.vouch(&beside);
    }
    let copies = copies.into_iter().map(|(said, manifest, bytes)| {
        let runs = strung
            .get(&said.node.to_string())
            .map_or(&[][..], Vec::as_slice);
        let mut row = DdmNodeBackupRow {
            project_id: project,
            id: said.id,
            instance_id: said.instance,
            node_id: said.node,
            node_name: said.node_name,
            status: DdmBackupStatus::Normal,
            file_bytes: Bytes(bytes),
            manifest_id: Some(manifest),
            epoch: None,
            log_file: None,
            log_offset: None,
            gtid: None,
            lsn: None,
            from_second: None,
            fail_reason: None,
            created_at: said.created_at,
            updated_at: now,
        };
        let run = match (said.shown.run, &said.shown.place) {
            (Some((epoch, from)), Some((file, offset))) => runs
                .iter()
                .find(|run| run.holds((from, epoch), (file, *offset)))
                .map(|run| run.epoch),
            _ => None,
        };
        said.shown.tell(&mut row);
        row.epoch = run;
        row
    });
    let copies = copies.collect();
    let logs = strung.into_values();
    let logs = logs.filter_map(|strung| Some((log_row(project, &strung, now)?, strung)));
    Ok(Told {
        project,
        copies,
        logs: logs.collect(),
    })
}
