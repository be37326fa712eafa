//! `strongroom admin audit`: who did what, and whether the trail is whole.

use anyhow::{Context as _, Result, bail};
use clap::Subcommand;
use serde::Serialize;
use strongroom_control::{
    Page,
    audit::{Head, Recorded},
};
use strongroom_wire::time::IamTime;

use super::Desk;
use crate::output::table;

/// What is done with the audit trail.
#[derive(Subcommand)]
pub(crate) enum AuditVerb {
    /// List what was done, the newest first
    List {
        /// Only in this project, by name or id
        #[arg(long)]
        project: Option<String>,
        /// At most so many
        #[arg(long, default_value_t = 50)]
        limit: u32,
        /// Leave out so many first
        #[arg(long, default_value_t = 0)]
        offset: u64,
    },
    /// Compute every seal again; fails if a record was changed, put in or taken out
    Verify {
        /// A head printed earlier and kept elsewhere, NUMBER:SEAL: must still be in the trail
        #[arg(long, value_name = "HEAD")]
        anchor: Option<String>,
    },
}

#[derive(Serialize)]
struct Line {
    seq: u64,
    at: String,
    who: String,
    project_id: Option<String>,
    source: String,
    request_id: String,
    operation: String,
    target: String,
    outcome: String,
}

#[derive(Serialize)]
struct Report {
    records: u64,
    head: Option<String>,
    problems: Vec<String>,
}

impl AuditVerb {
    pub(super) fn run(self, desk: &Desk<'_>) -> Result<()> {
        match self {
            Self::List {
                project,
                limit,
                offset,
            } => {
                let project = project.map(|word| desk.project(Some(&word))).transpose()?;
                let page = Page {
                    limit,
                    offset,
                    marker: None,
                };
                let identity = &desk.installation.identity;
                let listed = identity.deeds(project.map(|one| one.id), &page)?;
                let lines: Vec<_> = listed.items.into_iter().map(line).collect();
                desk.context.output.show(&lines, |lines| {
                    let rows = lines.iter().map(|line| {
                        [
                            line.seq.to_string(),
                            line.at.clone(),
                            line.who.clone(),
                            line.source.clone(),
                            line.operation.clone(),
                            line.target.clone(),
                            line.outcome.clone(),
                        ]
                    });
                    let heads = ["", "AT", "WHO", "FROM", "OPERATION", "TARGET", "OUTCOME"];
                    table(heads, rows)
                })
            }
            Self::Verify { anchor } => verify(desk, anchor.as_deref()),
        }
    }
}

fn verify(desk: &Desk<'_>, anchor: Option<&str>) -> Result<()> {
    let anchor = anchor.map(head).transpose()?;
    let found = desk.installation.identity.verify_audit(anchor.as_ref())?;
    let report = Report {
        records: found.records,
        head: found
            .head
            .map(|head| format!("{}:{}", head.seq, hex::encode(head.seal))),
        problems: found.problems,
    };
    desk.context.output.show(&report, |report| {
        let mut lines = report.problems.clone();
        lines.push(format!("{} records", report.records));
        lines.extend(report.head.as_ref().map(|head| format!("head {head}")));
        lines.join("\n")
    })?;
    if report.problems.is_empty() {
        return Ok(());
    }
    bail!(
        "the audit trail is not whole: somebody changed the catalog beside the service; keep a \
         copy of it and compare with your backups of the catalog"
    )
}

fn head(text: &str) -> Result<Head> {
    let parse = || {
        let (seq, seal) = text.split_once(':')?;
        let mut bytes = [0; 32];
        hex::decode_to_slice(seal, &mut bytes).ok()?;
        Some(Head {
            seq: seq.parse().ok()?,
            seal: bytes,
        })
    };
    parse().with_context(|| format!("{text:?} is no head: it must be NUMBER:SEAL as printed"))
}

fn line(recorded: Recorded) -> Line {
    let deed = recorded.deed;
    Line {
        seq: recorded.seq,
        at: IamTime::from_micros(recorded.at.as_micros()).to_string(),
        who: deed.who,
        project_id: deed.project_id.map(|id| id.to_string()),
        source: deed.source,
        request_id: deed.request_id,
        operation: deed.operation,
        target: deed.target,
        outcome: deed.outcome,
    }
}
