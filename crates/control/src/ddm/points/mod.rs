//! Which points in time can be restored: where copies, logs and metadata meet.
//!
//! A data node can be brought to every second from the end of a copy to the end of the run of its
//! log that the copy belongs to. Metadata show what was from their instant to the second before the
//! next change of definitions in the layer's log. A layer can be brought to the seconds that all of
//! these have in common; that its metadata are of another time than its data nodes cannot happen.
//!
//! Seconds are the servers' own, as their logs count them: a second holds all that was begun in it.

use std::collections::BTreeMap;

use strongroom_catalog::{
    DataNodeName, DataNodeRow, DdmBackupRow, DdmLogPartRow, DdmLogRow, DdmNodeBackupRow, Tx,
};
use strongroom_model::{DataNodeId, DdmInstanceId, ProjectId, Timestamp, state::DdmBackupStatus};

use super::{archive::at, restores::known};
use crate::{
    Caller, Control, Error, Listed, Page, Reason, Result, control::project, ddm::backups::PAGE_MAX,
};

/// Seconds from the first to the last, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Span {
    pub(crate) from: i64,
    pub(crate) until: i64,
}

/// A time that can be restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    /// The first second.
    pub from: Timestamp,
    /// The last.
    pub until: Timestamp,
}

/// Everything that is known of a layer's points in time.
pub(crate) struct Points {
    instance: DdmInstanceId,
    nodes: Vec<DataNodeRow>,
    pub(crate) copies: Vec<DdmNodeBackupRow>,
    metadata: Vec<DdmBackupRow>,
    parts: BTreeMap<String, Vec<DdmLogPartRow>>,
    logs: BTreeMap<String, DdmLogRow>,
}

/// What a point in time is restored from.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) metadata: DdmBackupRow,
    pub(crate) copies: BTreeMap<DataNodeId, DdmNodeBackupRow>,
}

impl Control {
    /// The times to which a layer and its data nodes can be brought, the oldest first.
    pub fn restorable_times(
        &self,
        caller: &Caller,
        id: DdmInstanceId,
        page: &Page,
    ) -> Result<Listed<Interval>> {
        let project = project(caller)?;
        page.rows(PAGE_MAX)?;
        let spans = self.read(|tx| {
            known(tx, project, id)?;
            Ok(Points::read(tx, project, id)?.spans())
        })?;
        let found = page.window(spans, |span: &Span| span.from.to_string())?;
        let items = found.items.into_iter().map(|span| Interval {
            from: at(span.from),
            until: at(span.until),
        });
        Ok(Listed {
            items: items.collect(),
            total: found.total,
        })
    }
}

impl Points {
    /// Reads what is known of a layer.
    pub(crate) fn read(tx: &Tx<'_>, project: ProjectId, instance: DdmInstanceId) -> Result<Self> {
        let mut parts: BTreeMap<String, Vec<DdmLogPartRow>> = BTreeMap::new();
        for part in tx.ddm_points().all_parts(&project, &instance)? {
            parts.entry(part.server_id.clone()).or_default().push(part);
        }
        let logs = tx.ddm_points().logs(&project, &instance)?.into_iter();
        Ok(Self {
            instance,
            nodes: tx.ddm_instances().nodes(&project, &instance)?,
            copies: tx.ddm_points().copies(&project, &instance)?,
            metadata: tx.ddm_backups().good(&project, &instance)?,
            parts,
            logs: logs.map(|log| (log.server_id.clone(), log)).collect(),
        })
    }

    /// The pieces of each server's log, in order.
    pub(crate) fn parts(&self) -> impl Iterator<Item = &[DdmLogPartRow]> {
        self.parts.values().map(Vec::as_slice)
    }

    fn parts_of(&self, server: &str) -> &[DdmLogPartRow] {
        self.parts.get(server).map_or(&[], Vec::as_slice)
    }

    /// The last second that a run of a server's log holds whole.
    fn end_of(&self, server: &str, epoch: u64) -> Option<i64> {
        let parts = self.parts_of(server).iter();
        let stored = parts
            .filter(|part| part.epoch == epoch)
            .map(|part| part.until_second)
            .max()?;
        let log = self.logs.get(server).filter(|log| log.epoch == epoch);
        Some(log.map_or(stored, |log| log.until_second.max(stored)))
    }

    /// The seconds to which a copy can be rolled forward.
    fn span_of_copy(&self, copy: &DdmNodeBackupRow) -> Option<Span> {
        if copy.status != DdmBackupStatus::Normal {
            return None;
        }
        let server = copy.node_id.to_string();
        let (epoch, file, offset) = (copy.epoch?, copy.log_file.as_ref()?, copy.log_offset?);
        let place = part_at(self.parts_of(&server), epoch, file, offset)?;
        debug_assert_eq!(place.epoch, epoch);
        span(copy.from_second?, self.end_of(&server, epoch)?)
    }

    /// The seconds that a backup of metadata shows.
    fn span_of_metadata(&self, backup: &DdmBackupRow) -> Option<Span> {
        let server = self.instance.to_string();
        let taken = second_after(backup.taken_at?);
        let (file, offset) = (backup.log_file.as_ref()?, backup.log_offset?);
        let parts = self.parts_of(&server);
        // Names of files begin anew when a log is reset; then the newest run before the backup.
        let mut epochs: Vec<u64> = parts
            .iter()
            .filter(|part| part.from_second <= taken)
            .map(|part| part.epoch)
            .collect();
        epochs.dedup();
        let found = epochs
            .iter()
            .rev()
            .find_map(|epoch| part_at(parts, *epoch, file, offset))?;
        let end = self.end_of(&server, found.epoch)?;
        let changed = parts
            .iter()
            .filter(|part| part.epoch == found.epoch && part.seq >= found.seq)
            .flat_map(|part| {
                let here = part.seq == found.seq;
                let changes = part.changes.0.iter();
                changes.filter(move |(place, _)| !here || *place >= offset)
            })
            .map(|(_, second)| second - 1)
            .next();
        span(taken, changed.map_or(end, |before| before.min(end)))
    }

    fn spans_of_node(&self, node: DataNodeId) -> Vec<Span> {
        let copies = self.copies.iter().filter(|copy| copy.node_id == node);
        merged(copies.filter_map(|copy| self.span_of_copy(copy)).collect())
    }

    fn spans_of_metadata(&self) -> Vec<Span> {
        let backups = self.metadata.iter();
        merged(
            backups
                .filter_map(|backup| self.span_of_metadata(backup))
                .collect(),
        )
    }

    /// The data nodes that metadata name: they may stand behind another layer by now.
    fn named(&self, backup: Option<&DdmBackupRow>) -> Vec<DataNodeName> {
        let rows = self.nodes.iter().map(|row| DataNodeName {
            id: row.id,
            name: row.name.clone(),
        });
        backup.map_or_else(|| rows.collect(), |backup| backup.data_nodes.0.clone())
    }

    /// The seconds to which everything can be brought.
    pub(crate) fn spans(&self) -> Vec<Span> {
        let named = self.named(self.metadata.last());
        let nodes = named.iter().map(|node| self.spans_of_node(node.id));
        nodes.fold(self.spans_of_metadata(), |common, spans| {
            both(&common, &spans)
        })
    }

    /// Whether no copy of the node belongs to the run of its log that is being archived.
    pub(crate) fn lacks_copy(&self, node: DataNodeId) -> bool {
        let Some(log) = self.logs.get(&node.to_string()) else {
            return false;
        };
        let current = |copy: &DdmNodeBackupRow| {
            copy.node_id == node
                && copy.status == DdmBackupStatus::Normal
                && copy.epoch == Some(log.epoch)
        };
        log.file.is_some() && log.problem.is_none() && !self.copies.iter().any(current)
    }

    /// Whether no backup shows the metadata as they are.
    pub(crate) fn lacks_metadata(&self) -> bool {
        let Some(log) = self.logs.get(&self.instance.to_string()) else {
            return false;
        };
        let newest = self
            .metadata
            .last()
            .and_then(|backup| self.span_of_metadata(backup));
        log.file.is_some()
            && log.problem.is_none()
            && newest.is_none_or(|span| span.until < log.until_second)
    }

    /// Whether the layer's log says that the metadata were others at that second.
    pub(crate) fn is_outdated(&self, backup: &DdmBackupRow, second: i64) -> bool {
        let span = self.span_of_metadata(backup);
        span.is_some_and(|span| second > span.until && span.until < self.layer_until())
    }

    fn layer_until(&self) -> i64 {
        let log = self.logs.get(&self.instance.to_string());
        log.map_or(i64::MIN, |log| log.until_second)
    }

    /// What that second is restored from; a refusal that says what is missing.
    pub(crate) fn plan(&self, second: i64) -> Result<Plan> {
        let shown = self.metadata.iter().rev().find(|backup| {
            let span = self.span_of_metadata(backup);
            span.is_some_and(|span| span.holds(second))
        });
        let mut copies = BTreeMap::new();
        for node in self.named(shown.or(self.metadata.last())) {
            let fitting = self.copies.iter().filter(|copy| {
                let span = self.span_of_copy(copy);
                copy.node_id == node.id && span.is_some_and(|span| span.holds(second))
            });
            let Some(copy) = fitting.max_by_key(|copy| copy.from_second) else {
                return Err(self.why_not(&node, second));
            };
            copies.insert(node.id, copy.clone());
        }
        let Some(metadata) = shown else {
            return Err(refused(format!(
                "no backup shows the metadata of {}; restorable are {}",
                time(second),
                listed(&self.spans_of_metadata())
            )));
        };
        Ok(Plan {
            metadata: metadata.clone(),
            copies,
        })
    }

    fn why_not(&self, node: &DataNodeName, second: i64) -> Error {
        let name = &node.name;
        let log = self.logs.get(&node.id.to_string());
        let spans = self.spans_of_node(node.id);
        let row = self.nodes.iter().find(|row| row.id == node.id);
        let copied = row.is_some_and(|row| row.physical_sealed.is_some());
        if !copied && spans.is_empty() {
            return refused(format!(
                "the files of data node {name} are not copied: it was registered without its data \
                 directory"
            ));
        }
        let problem = log.and_then(|log| log.problem.clone());
        if let (true, Some(problem)) = (spans.is_empty(), problem) {
            return refused(problem);
        }
        if spans.is_empty() {
            let why =
                format!("there is no copy of data node {name} with a log that follows it yet");
            return refused(why);
        }
        refused(format!(
            "data node {name} cannot be brought to {}; restorable are {}",
            time(second),
            listed(&spans)
        ))
    }
}

impl Span {
    fn holds(self, second: i64) -> bool {
        (self.from..=self.until).contains(&second)
    }
}

fn refused(why: String) -> Error {
    Error::Conflict {
        reason: Reason::TimeNotRestorable,
        message: why,
    }
}

/// That second, for people.
pub(crate) fn time(second: i64) -> String {
    at(second)
        .to_jiff()
        .map_or_else(|| second.to_string(), |time| time.to_string())
}

fn listed(spans: &[Span]) -> String {
    if spans.is_empty() {
        return "no times yet".to_owned();
    }
    let spans = spans.iter();
    let words: Vec<_> = spans
        .map(|span| format!("{} to {}", time(span.from), time(span.until)))
        .collect();
    words.join(", ")
}

/// The first whole second from that time on.
fn second_after(time: Timestamp) -> i64 {
    let micros = time.as_micros();
    micros.div_euclid(1_000_000) + i64::from(micros.rem_euclid(1_000_000) > 0)
}

/// The piece of that run in which the place is, or at whose end it is.
fn part_at<'a>(
    parts: &'a [DdmLogPartRow],
    epoch: u64,
    file: &str,
    offset: u64,
) -> Option<&'a DdmLogPartRow> {
    parts.iter().find(|part| {
        part.epoch == epoch
            && part.file == file
            && (part.from_offset..=part.to_offset).contains(&offset)
    })
}

fn span(from: i64, until: i64) -> Option<Span> {
    (from <= until).then_some(Span { from, until })
}

/// The same seconds, in order, with none twice.
fn merged(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort();
    let mut out: Vec<Span> = Vec::new();
    for span in spans {
        match out.last_mut() {
            Some(last) if span.from <= last.until.saturating_add(1) => {
                last.until = last.until.max(span.until);
            }
            _ => out.push(span),
        }
    }
    out
}

/// The seconds that are in both.
fn both(one: &[Span], other: &[Span]) -> Vec<Span> {
    let pairs = one
        .iter()
        .flat_map(|left| other.iter().map(move |right| (left, right)));
    pairs
        .filter_map(|(left, right)| span(left.from.max(right.from), left.until.min(right.until)))
        .collect()
}

#[cfg(test)]
mod tests;
