//! Logs of data nodes and layers, followed without a gap.
//!
//! A round asks each server for what it has logged since, stores that as a piece, and says up to
//! which second of the server's clock the log is whole. A piece counts when its row is written, in
//! the transaction that moves the place forward; a crash before leaves data that nothing names.
//! Where something is missing a new *epoch* begins, and the gap is remembered and told.
//!
//! The log of the layer is followed too: it says when definitions were changed, and so for how long
//! a backup of the metadata shows what was.

use std::sync::PoisonError;

use strongroom_catalog::{DdmInstanceRow, DdmLogRow};
use strongroom_engine::tree::{Progress, SaveOptions, save_input};
use strongroom_model::{DdmInstanceId, ProjectId, Timestamp};
use strongroom_source::ddm::{
    Address,
    node::{self, Followed, Part, Standing, Survey},
};

use crate::{
    Caller, Control, Error, Result,
    control::project,
    ddm::{
        get,
        pieces::{self, Beside, Said},
        reach::of_source,
    },
    depot::only_file,
};

/// A server whose log is followed.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(crate) project: ProjectId,
    pub(crate) instance: DdmInstanceId,
    /// The id of the data node, or of the layer.
    pub(crate) id: String,
    /// What messages call it.
    pub(crate) name: String,
    pub(crate) address: Address,
}

/// How far a server's log is archived, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogView {
    /// The id of the data node, or of the layer.
    pub server_id: String,
    /// What messages call it.
    pub name: String,
    /// Since when it is whole.
    pub from: Timestamp,
    /// Up to when.
    pub until: Timestamp,
    /// Why it could not be read on last time.
    pub problem: Option<String>,
    /// The last gap: what is missing.
    pub gap: Option<String>,
    /// When that was seen.
    pub gap_at: Option<Timestamp>,
}

/// What one round did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LogRound {
    /// Servers whose logs were followed.
    pub followed: u64,
    /// Servers whose log could not be read on.
    pub failed: u64,
    /// Copies and backups that were ordered because of what was found.
    pub ordered: u64,
}

impl Control {
    /// One round over the logs of all layers whose data nodes are copied; about every minute.
    pub fn log_round(&self) -> Result<LogRound> {
        let mut round = LogRound::default();
        let layers = self.read(|tx| Ok(tx.ddm_instances().any_project_with_points()?))?;
        for row in layers {
            // One layer's trouble is not another's.
            match self.follow_logs(&row) {
                Ok(logs) => {
                    round.followed += logs.len() as u64;
                    round.failed += logs.iter().filter(|log| log.problem.is_some()).count() as u64;
                }
                Err(error) => {
                    tracing::warn!(instance = %row.name, %error, "logs could not be followed");
                    round.failed += 1;
                    continue;
                }
            }
            round.ordered += self.order_what_is_missing(&row)?;
        }
        Ok(round)
    }

    /// Follows the logs of a layer and its data nodes now; how far each is archived.
    pub fn archive_logs(&self, caller: &Caller, id: DdmInstanceId) -> Result<Vec<LogView>> {
        let project = project(caller)?;
        let row = self.read(|tx| get(tx, project, id))?;
        let logs = self.follow_logs(&row)?;
        Ok(logs.into_iter().map(view).collect())
    }

    fn follow_logs(&self, row: &DdmInstanceRow) -> Result<Vec<DdmLogRow>> {
        let servers = self.servers(row)?;
        servers
            .iter()
            .map(|server| self.follow_log(server))
            .collect()
    }

    /// The servers whose logs a layer's points in time need; none if no data node is copied.
    pub(crate) fn servers(&self, row: &DdmInstanceRow) -> Result<Vec<Server>> {
        let reached = self.reach(row.project_id, row.id)?;
        if reached
            .node_rows
            .iter()
            .all(|node| node.physical_sealed.is_none())
        {
            return Ok(Vec::new());
        }
        let mut servers = vec![Server {
            project: row.project_id,
            instance: row.id,
            id: row.id.to_string(),
            name: format!("layer {}", row.name),
            address: reached.address,
        }];
        servers.extend(reached.nodes.into_iter().map(|node| Server {
            project: row.project_id,
            instance: row.id,
            id: node.id.to_string(),
            name: format!("data node {}", node.name),
            address: node.address,
        }));
        Ok(servers)
    }

    /// Follows one server's log now. That a server does not answer is no error of this call: it is
    /// what the row says.
    pub(crate) fn follow_log(&self, server: &Server) -> Result<DdmLogRow> {
        let lock = self.log_lock(&server.id);
        let _alone = lock.lock().unwrap_or_else(PoisonError::into_inner);
        let known = self.read(|tx| Ok(tx.ddm_points().log(&server.project, &server.id)?))?;
        let mut row = known.unwrap_or_else(|| self.new_log(server));
        row.looked_at = self.now();
        row.name.clone_from(&server.name);
        if row.instance_id != server.instance {
            // It stands behind another layer now, whose points in time begin with that.
            self.end_epoch(server, &mut row, "the server was moved to another layer")?;
            row.instance_id = server.instance;
        }
        match self.follow_on(server, &mut row) {
            Ok(()) => row.problem = None,
            Err(error @ Error::Conflict { .. }) => row.problem = Some(error.to_string()),
            Err(error) => return Err(error),
        }
        self.write(|tx| Ok(tx.ddm_points().set_log(&row)?))?;
        Ok(row)
    }

    fn new_log(&self, server: &Server) -> DdmLogRow {
        DdmLogRow {
            project_id: server.project,
            server_id: server.id.clone(),
            instance_id: server.instance,
            name: server.name.clone(),
            epoch: 0,
            from_second: 0,
            until_second: 0,
            file: None,
            log_offset: 0,
            head: None,
            gtid: None,
            problem: None,
            gap: None,
            gap_at: None,
            looked_at: self.now(),
        }
    }

    fn follow_on(&self, server: &Server, row: &mut DdmLogRow) -> Result<()> {
        let asked = node::survey(&server.name, &server.address).map_err(of_source)?;
        let Some(survey) = asked else {
            let why = format!("{} keeps no binary log", server.name);
            if row.file.is_some() {
                self.end_epoch(server, row, &why)?;
            }
            return Err(Error::conflict(crate::Reason::TimeNotRestorable, why));
        };
        let scratch = self.scratch().join(format!("log-{}", server.id));
        let mut standing = node::follow(&survey, followed(row).as_ref());
        // A gap makes a new beginning, and that has none before it.
        for _ in 0..2 {
            let (file, offset) = match standing {
                Standing::Still => break,
                Standing::Gap(why) => {
                    self.end_epoch(server, row, &why)?;
                    standing = node::follow(&survey, None);
                    continue;
                }
                Standing::From(file, offset) => (file, offset),
            };
            let head = row.head.clone().filter(|_| offset > 0);
            let fetched = node::fetch(
                &server.name,
                &server.address,
                (&file, offset),
                head.as_deref(),
                &scratch,
            );
            standing = match fetched.map_err(of_source)? {
                Ok(parts) => {
                    self.keep(server, row, &survey, parts)?;
                    Standing::Still
                }
                Err(why) => Standing::Gap(why),
            };
        }
        let _left = std::fs::remove_dir_all(&scratch);
        if row.file.is_none() {
            let why = format!("the log of {} is reset again and again", server.name);
            return Err(Error::conflict(crate::Reason::DatabaseRefuses, why));
        }
        // What is committed in this very second may still come.
        row.until_second = row.until_second.max(survey.second - 1);
        let newest = survey.files.last();
        let all = newest.is_some_and(|newest| {
            Some(&newest.name) == row.file.as_ref() && newest.size == row.log_offset
        });
        row.gtid = all.then_some(survey.gtid);
        Ok(())
    }

    /// What was archived stays of use up to here; nothing that comes joins it.
    fn end_epoch(&self, server: &Server, row: &mut DdmLogRow, why: &str) -> Result<()> {
        tracing::error!(server = %server.name, why, "a log has a gap");
        let until = row.until_second;
        row.gap = Some(format!("{}: {why}", server.name));
        row.gap_at = Some(self.now());
        (row.file, row.log_offset, row.head, row.gtid) = (None, 0, None, None);
        self.write(|tx| {
            if let Some(mut last) = tx.ddm_points().last_part(&server.project, &server.id)? {
                last.until_second = last.until_second.max(until);
                tx.ddm_points().set_part(&last)?;
            }
            Ok(tx.ddm_points().set_log(row)?)
        })
    }

    /// Stores pieces, each with the place that it moves forward.
    fn keep(
        &self,
        server: &Server,
        row: &mut DdmLogRow,
        survey: &Survey,
        parts: Vec<Part>,
    ) -> Result<()> {
        if row.file.is_none() {
            row.epoch += 1;
            (row.from_second, row.until_second) = (survey.second, survey.second - 1);
        }
        let newest = parts.iter().rposition(|part| part.from < part.to);
        for (place, part) in parts.into_iter().enumerate() {
            if part.from == part.to {
                continue;
            }
            let (last, logs) = self.read(|tx| {
                let points = tx.ddm_points();
                let last = points.last_part(&server.project, &server.id)?;
                let logs = points.logs(&server.project, &server.instance)?;
                Ok((last.map_or(0, |last| last.seq), logs))
            })?;
            let beside = logs.iter().filter(|log| log.server_id != server.id);
            let whole = newest == Some(place);
            let said = Said {
                instance: server.instance,
                server: server.id.clone(),
                name: server.name.clone(),
                first: last + 1,
                seq: last + 1,
                epoch: row.epoch,
                file: part.file.clone(),
                from: part.from,
                to: part.to,
                from_second: row.from_second,
                // The last of them holds all that was committed before the server was asked.
                until: if whole {
                    row.until_second.max(survey.second - 1)
                } else {
                    row.until_second
                },
                changes: part.changes.clone(),
                head: part.head.clone(),
                archived_at: self.now(),
                beside: beside.filter_map(Beside::of).collect(),
            };
            let manifest = self.store_part(server.project, &said, &part)?;
            let piece = said.row(server.project, manifest);
            row.file = Some(part.file);
            row.log_offset = part.to;
            row.head = Some(part.head);
            row.gtid = None;
            self.write(|tx| {
                tx.ddm_points().insert_part(&piece)?;
                Ok(tx.ddm_points().set_log(row)?)
            })?;
        }
        Ok(())
    }

    fn store_part(&self, project: ProjectId, said: &Said, part: &Part) -> Result<String> {
        let repository = self.depot(project)?.open_or_create()?;
        let progress = Progress::default();
        let mut options = SaveOptions::new(&progress, self.shared_entropy());
        options.labels = said.labels();
        let mut bytes = part.open().map_err(of_source)?;
        let input = only_file(pieces::FILE, &mut bytes);
        let saved = save_input(&repository, input, self.time(), &options)
            .map_err(|error| Error::unavailable("the project's database backups", error))?;
        Ok(saved.manifest.to_string())
    }
}

fn followed(row: &DdmLogRow) -> Option<Followed> {
    Some(Followed {
        file: row.file.clone()?,
        offset: row.log_offset,
        head: row.head.clone().unwrap_or_default(),
        gtid: row.gtid.clone(),
    })
}

pub(crate) fn view(row: DdmLogRow) -> LogView {
    LogView {
        server_id: row.server_id,
        name: row.name,
        from: at(row.from_second),
        until: at(row.until_second),
        problem: row.problem,
        gap: row.gap,
        gap_at: row.gap_at,
    }
}

/// That second.
pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_micros(second.saturating_mul(1_000_000))
}
