//! The audit trail: who did what, from where, with what outcome; sealed so that tampering shows.
//!
//! Every record has a seal: BLAKE3 with a key derived from the master key, over the record and the
//! seal before it. The database refuses to change or remove records; whoever goes round it (edits
//! the file) cannot make seals without the master key, so [`Identity::verify_audit`] finds what was
//! changed, put in or taken out. What no chain shows by itself is a trail cut short or replaced by
//! an older copy: for that, [`AuditReport::head`] is written to the log at each start and can be
//! kept elsewhere and given back as an anchor (docs/adr/0017-watch.md).

use strongroom_catalog::{self as catalog, AuditRow, Seal, SealRow, Tx};
use strongroom_model::{ProjectId, Timestamp};

use crate::{Caller, Error, Listed, MasterKey, Page, Result, identity::Identity};

/// Something that was done, or tried, for the audit trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    /// The user's id, or how the caller called itself if that was not proven.
    pub who: String,
    /// The project it concerned.
    pub project_id: Option<ProjectId>,
    /// The network address it came from.
    pub source: String,
    /// The request.
    pub request_id: String,
    /// The operation, such as `cbr:vaults:delete`.
    pub operation: String,
    /// What it was done to: the path.
    pub target: String,
    /// The status and code of the answer.
    pub outcome: String,
}

/// A deed as it stands in the trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Its number, rising.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// What.
    pub deed: Deed,
}

/// The newest seal: what the whole trail up to it hangs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The number of the record.
    pub seq: u64,
    /// Its seal.
    pub seal: Seal,
}

/// What a look at the whole trail found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditReport {
    /// How many records there are.
    pub records: u64,
    /// The newest seal; none if there are no records yet.
    pub head: Option<Head>,
    /// What is wrong, in order; the first [`PROBLEMS_MAX`]. Empty is good news.
    pub problems: Vec<String>,
}

/// Problems beyond this many are not listed.
pub const PROBLEMS_MAX: usize = 100;

/// How many records are looked at at once.
const PAGE: u32 = 1000;

const CONTEXT: &str = "strongroom 2026-11-21 seals of the audit trail";

/// Makes seals.
pub(crate) struct Sealer([u8; 32]);

impl Sealer {
    pub(crate) fn new(master: &MasterKey) -> Self {
        Self(master.derive(CONTEXT))
    }

    /// The seal of a record that comes after the one with the seal `before`.
    fn seal(&self, row: &AuditRow, before: &Seal) -> Seal {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(before);
        hasher.update(&row.seq.to_le_bytes());
        hasher.update(&row.at.as_micros().to_le_bytes());
        let project = row.project_id.map(|id| id.to_string()).unwrap_or_default();
        // Each with its length, so that no two records make one text.
        for text in [
            &project,
            &row.who,
            &row.source,
            &row.request_id,
            &row.operation,
            &row.target,
            &row.outcome,
        ] {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        }
        hasher.finalize().into()
    }
}

impl Identity {
    /// Adds to the audit trail, which nothing ever takes away from.
    pub fn record(&self, deed: Deed) -> Result<()> {
        let row = AuditRow {
            seq: 0,
            at: self.now(),
            project_id: deed.project_id,
            who: deed.who,
            source: deed.source,
            request_id: deed.request_id,
            operation: deed.operation,
            target: deed.target,
            outcome: deed.outcome,
        };
        let sealer = self.sealer();
        self.write(|tx| {
            let seal = |row: &AuditRow, before: &Seal| sealer.seal(row, before);
            Ok(tx.audit().append(&row, seal).map(drop)?)
        })
    }

    /// One page of the deeds in the caller's project, the newest first; for an operator without
    /// a project, of all deeds.
    pub fn audit_trail(&self, caller: &Caller, page: &Page) -> Result<Listed<Recorded>> {
        let of = match caller.project_id {
            Some(project) => Some(project),
            None if caller.is_admin => None,
            None => return Err(Error::forbidden("this needs a token for a project")),
        };
        self.deeds(of, page)
    }

    /// One page of the deeds in a project or, without one, of all; for who owns the data directory.
    pub fn deeds(&self, project: Option<ProjectId>, page: &Page) -> Result<Listed<Recorded>> {
        let page = catalog::Page {
            limit: page.limit,
            offset: page.offset,
            marker: None,
        };
        let listed = self.read(|tx| {
            Ok(match &project {
                Some(project) => tx.audit().list(project, &page)?,
                None => tx.audit().any_project_list(&page)?,
            })
        })?;
        Ok(Listed {
            items: listed.rows.into_iter().map(recorded).collect(),
            total: listed.total,
        })
    }

    /// The newest seal, without looking at anything else.
    pub fn audit_head(&self) -> Result<Option<Head>> {
        let last = self.read(|tx| Ok(tx.audit().last_seal()?))?;
        Ok(last.map(|row| Head {
            seq: row.seq,
            seal: row.seal,
        }))
    }

    /// Computes every seal again. `anchor` is a head that was kept elsewhere: it must still be
    /// part of the trail.
    pub fn verify_audit(&self, anchor: Option<&Head>) -> Result<AuditReport> {
        self.read(|tx| Look::new(self.sealer(), anchor).over(tx))
    }
}

/// A walk over records and seals side by side.
struct Look<'a> {
    sealer: &'a Sealer,
    anchor: Option<&'a Head>,
    anchored: bool,
    before: Seal,
    report: AuditReport,
}

impl<'a> Look<'a> {
    const fn new(sealer: &'a Sealer, anchor: Option<&'a Head>) -> Self {
        Self {
            sealer,
            anchor,
            anchored: false,
            before: [0; 32],
            report: AuditReport {
                records: 0,
                head: None,
                problems: Vec::new(),
            },
        }
    }

    fn over(mut self, tx: &Tx<'_>) -> Result<AuditReport> {
        let any_seal = tx.audit().last_seal()?.is_some();
        let (mut records, mut seals) = (Ahead::default(), Ahead::default());
        loop {
            let record = records.peek(|after| tx.audit().records(after, PAGE), |row| row.seq)?;
            let seal = seals.peek(|after| tx.audit().seals(after, PAGE), |row| row.seq)?;
            match (record, seal) {
                (None, None) => break,
                (Some(at), Some(of)) if at == of => {
                    if let (Some(row), Some(seal)) = (records.take(), seals.take()) {
                        self.sealed(&row, &seal);
                    }
                }
                (Some(at), of) if of.is_none_or(|of| at < of) => {
                    self.report.records += 1;
                    records.take();
                    // Records of a release without seals are sealed with the next deed.
                    if any_seal {
                        self.problem(format!("record {at} has no seal: it was put in"));
                    }
                }
                _ => {
                    if let Some(seal) = seals.take() {
                        self.problem(format!("record {} was taken out", seal.seq));
                        self.passed(&seal);
                    }
                }
            }
        }
        if let Some(anchor) = self.anchor.filter(|_| !self.anchored) {
            let seq = anchor.seq;
            self.problem(format!(
                "the seal of record {seq} is not the one that was kept: the trail was cut short or \
                 replaced"
            ));
        }
        Ok(self.report)
    }

    fn sealed(&mut self, row: &AuditRow, seal: &SealRow) {
        self.report.records += 1;
        if self.sealer.seal(row, &self.before) != seal.seal {
            self.problem(format!(
                "record {} was changed, or what came before it was taken out",
                row.seq
            ));
        }
        self.passed(seal);
    }

    fn passed(&mut self, seal: &SealRow) {
        self.before = seal.seal;
        let head = Head {
            seq: seal.seq,
            seal: seal.seal,
        };
        self.anchored |= self.anchor == Some(&head);
        self.report.head = Some(head);
    }

    fn problem(&mut self, problem: String) {
        if self.report.problems.len() < PROBLEMS_MAX {
            self.report.problems.push(problem);
        }
    }
}

/// Rows in order, a page of them in memory.
struct Ahead<R> {
    rows: std::collections::VecDeque<R>,
    last: u64,
    ended: bool,
}

impl<R> Default for Ahead<R> {
    fn default() -> Self {
        Self {
            rows: std::collections::VecDeque::new(),
            last: 0,
            ended: false,
        }
    }
}

impl<R> Ahead<R> {
    /// The number of the next row.
    fn peek(
        &mut self,
        load: impl FnOnce(u64) -> catalog::Result<Vec<R>>,
        seq: impl Fn(&R) -> u64,
    ) -> Result<Option<u64>> {
        if self.rows.is_empty() && !self.ended {
            self.rows = load(self.last)?.into();
            self.last = self.rows.back().map_or(self.last, &seq);
            self.ended = self.rows.is_empty();
        }
        Ok(self.rows.front().map(seq))
    }

    fn take(&mut self) -> Option<R> {
        self.rows.pop_front()
    }
}

fn recorded(row: AuditRow) -> Recorded {
    Recorded {
        seq: row.seq,
        at: row.at,
        deed: Deed {
            who: row.who,
            project_id: row.project_id,
            source: row.source,
            request_id: row.request_id,
            operation: row.operation,
            target: row.target,
            outcome: row.outcome,
        },
    }
}

#[cfg(test)]
mod tests;
