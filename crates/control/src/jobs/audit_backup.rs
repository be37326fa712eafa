//! Backs up what is new in a directory of audit logs: read, chained, stored, recorded.
//!
//! What was read before is told by the chain itself, so a second start reads on where the first one
//! left a segment. A segment is durable before the catalog knows of it: if the process dies between
//! the two, the next start finds it in the chain, with the row that it is for in its label. One run
//! that finds more than fits into a segment makes several, and each is a backup of its own.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use strongroom_catalog::{
    Columns, DbssBackupRow, DbssInstanceRow, Document as _, Json, LogGap, Tx,
};
use strongroom_engine::tree::Progress;
use strongroom_jobs::{Ending, Job, JobType, Step, StepContext, StepError, error::HookError};
use strongroom_model::{Bytes, DbssBackupId, Timestamp, state::DbssProgress};

use super::{
    failure::{self, again, chain as causes, of_control},
    params::AuditWork,
    watch::watch,
};
use crate::{
    Control, Error, Reason, Result,
    audit_logs::{Append, Chain, SEGMENT_BYTES, Segment},
    dbss::{any, backups::fresh, instances::note_readable, open, tasks},
    schedule::Ledger,
};

/// The label of a segment that says whose backup it is.
pub(super) const LABEL: &str = "dbss-backup";
/// How often a step is tried before what is in the way counts.
const TRIES: u32 = 2;
/// The SHA-256 of nothing.
const OF_NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// The job.
pub(super) const JOB: JobType<Control> = JobType {
    name: super::AUDIT_BACKUP,
    steps: &[Step::new("read", read).attempts(10)],
    finished: Some(finished),
};

/// What the label of a segment says: enough to make the rows of a lost catalog.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Said {
    pub(super) backup: DbssBackupId,
    pub(super) automatic: bool,
    pub(super) created_at: Timestamp,
    pub(super) instance: Columns,
    pub(super) domain: Columns,
    pub(super) project: Columns,
}

/// A segment as its row tells of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) backup: DbssBackupId,
    pub(super) automatic: bool,
    pub(super) number: u64,
    pub(super) manifest: String,
    pub(super) start: Option<Timestamp>,
    pub(super) end: Option<Timestamp>,
    pub(super) bytes: u64,
    pub(super) lines: u64,
    pub(super) sha256: String,
    pub(super) gaps: Vec<LogGap>,
    pub(super) lossy: bool,
    pub(super) made_at: Timestamp,
}

/// What one run did.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Run {
    kept: Vec<Kept>,
    /// What could not be read now.
    pending: Option<String>,
}

impl Kept {
    pub(super) fn of(segment: &Segment, backup: DbssBackupId, automatic: bool) -> Self {
        let head = &segment.head;
        let gaps = head.gaps.iter().map(|gap| LogGap {
            file: gap.file.clone(),
            what: gap.to_string(),
        });
        Self {
            backup,
            automatic,
            number: head.number,
            manifest: segment.manifest.to_string(),
            start: head.first_event,
            end: head.last_event,
            bytes: head.bytes,
            lines: head.lines,
            sha256: head.sha256.clone(),
            gaps: gaps.collect(),
            lossy: head.gaps.iter().any(strongroom_source::audit::Gap::loses),
            made_at: head.looked_at,
        }
    }

    /// Puts what was kept into its row.
    pub(super) fn settle(self, row: &mut DbssBackupRow) {
        row.progress = if row.automatic {
            DbssProgress::AutoDone
        } else {
            DbssProgress::ManualDone
        };
        row.made = Some(row.progress.as_str().to_owned());
        row.start_at = self.start;
        row.end_at = self.end;
        row.file_bytes = Bytes(self.bytes);
        row.lines = self.lines;
        row.sha256 = self.sha256;
        row.sequence = Some(self.number);
        row.manifest_id = Some(self.manifest);
        row.gaps = Json(self.gaps);
        row.lossy = self.lossy;
        row.ended_at = Some(self.made_at);
    }
}

fn read(control: &Control, context: &StepContext<'_>) -> Result<Value, StepError> {
    let params: AuditWork = context.params()?;
    let run = run(control, context, &params).map_err(|error| match error.reason() {
        Reason::LogsUnreadable | Reason::InputOutput if context.attempt() < TRIES => {
            again(context, causes(&error))
        }
        _ => of_control(context, &error),
    })?;
    Ok(json!(run))
}

fn run(control: &Control, context: &StepContext<'_>, params: &AuditWork) -> Result<Run> {
    let (directory, row, recorded) = control.write(|tx| begin(tx, params))?;
    let repository = control.depot(params.project)?.open_or_create()?;
    let mut chain = Chain::open(&repository, &params.instance.to_string(), control.heads())?;
    let mut run = Run::default();
    // What an earlier start of this or of another run left in the chain.
    for segment in chain.segments() {
        let number = segment.head.number;
        if recorded.is_none_or(|recorded| number > recorded) && segment.deleted.is_none() {
            let said = said_of(&chain.labels(number)?);
            let (backup, automatic) = said.map_or((row.id, row.automatic), |said| {
                (said.backup, said.automatic)
            });
            run.kept.push(Kept::of(segment, backup, automatic));
        }
    }
    let logs = open(&directory);
    note_readable(control, params.project, params.instance, logs.is_ok())?;
    let mut logs = logs?;
    let mut id = row.id;
    if run.kept.iter().any(|kept| kept.backup == id) {
        id = DbssBackupId::new(control.entropy());
    }
    loop {
        let progress = Progress::default();
        let labels = labels(control, &directory, &row, id)?;
        let order = append_with(control, &progress, labels);
        let appended = watch(
            context,
            &progress,
            || false,
            || chain.append(&mut logs, &order),
        )?;
        if let Some(segment) = &appended.segment {
            run.kept.push(Kept::of(segment, id, row.automatic));
            id = DbssBackupId::new(control.entropy());
        }
        if !appended.more {
            let pending = appended.pending.iter();
            let pending: Vec<_> = pending
                .map(|pending| format!("{}: {}", pending.file, pending.why))
                .collect();
            run.pending = (!pending.is_empty()).then(|| pending.join("; "));
            return Ok(run);
        }
    }
}

/// How a segment or the link of a deleted one is written.
pub(super) fn append_with<'a>(
    control: &'a Control,
    progress: &'a Progress,
    labels: BTreeMap<String, String>,
) -> Append<'a> {
    Append {
        clock: control.time(),
        entropy: control.shared_entropy(),
        progress,
        segment_bytes: SEGMENT_BYTES,
        labels,
    }
}

/// Says that the backup is being made; the directory, the row, and the last number that has one.
fn begin(tx: &Tx<'_>, params: &AuditWork) -> Result<(DbssInstanceRow, DbssBackupRow, Option<u64>)> {
    let (project, instance) = (params.project, params.instance);
    let directory = any(tx, project, instance)?
        .ok_or_else(|| Error::not_found(Reason::NoSuchInstance, instance))?;
    let row = tx.dbss_backups().change(&project, &params.backup, |row| {
        if row.progress == DbssProgress::Waiting {
            row.progress = if row.automatic {
                DbssProgress::AutoRunning
            } else {
                DbssProgress::ManualRunning
            };
        }
    })?;
    let recorded = tx.dbss_backups().last_sequence(&project, &instance)?;
    Ok((directory, row, recorded))
}

/// What a segment is found by, and what its row is made of should the catalog be lost.
fn labels(
    control: &Control,
    directory: &DbssInstanceRow,
    row: &DbssBackupRow,
    id: DbssBackupId,
) -> Result<BTreeMap<String, String>> {
    let said = control.read(|tx| {
        let gone = || Error::not_found(Reason::NoSuchProject, row.project_id);
        let project = tx.projects().get(&row.project_id)?.ok_or_else(gone)?;
        let domain = tx.domains().get(&project.domain_id)?.ok_or_else(gone)?;
        Ok(Said {
            backup: id,
            automatic: row.automatic,
            created_at: row.created_at,
            instance: directory.to_document(),
            domain: domain.to_document(),
            project: project.to_document(),
        })
    })?;
    Ok(BTreeMap::from([(
        LABEL.to_owned(),
        json!(said).to_string(),
    )]))
}

/// What the labels of a segment say; none if it is not one of this service's.
pub(super) fn said_of(labels: &BTreeMap<String, String>) -> Option<Said> {
    serde_json::from_str(labels.get(LABEL)?).ok()
}

fn finished(control: &Control, tx: &Tx<'_>, job: &Job, ending: &Ending) -> Result<(), HookError> {
    end(control, tx, job, ending).map_err(failure::hook)
}

fn end(control: &Control, tx: &Tx<'_>, job: &Job, ending: &Ending) -> Result<()> {
    let params: AuditWork = super::of_job(&job.params)?;
    let failure = tasks::ended(control, tx, params.project, job, ending)?;
    let now = control.now();
    let directory = any(tx, params.project, params.instance)?
        .ok_or_else(|| Error::not_found(Reason::NoSuchInstance, params.instance))?;
    let from = Ledger::read(tx, now)?.counted_from(now);
    let expires_at = from.plus_seconds(i64::from(directory.retention_days) * 86_400);
    let run = match failure {
        None => super::output_of::<Run>(job, "read")?,
        Some(_) => Run::default(),
    };
    for kept in run.kept {
        let own = kept.backup;
        let known = tx.dbss_backups().get(&params.project, &own)?;
        let waits = known.as_ref().is_some_and(|row| row.made.is_none());
        if waits && known.is_some_and(|row| !is_failed(row.progress)) {
            tx.dbss_backups().change(&params.project, &own, |row| {
                kept.settle(row);
                row.updated_at = now;
                row.expires_at = Some(expires_at);
            })?;
            continue;
        }
        // A further segment of a run, or what a run that failed had kept before.
        let id = match tx.dbss_backups().get(&params.project, &own)? {
            None => own,
            Some(_) => DbssBackupId::new(control.entropy()),
        };
        let mut row = fresh(&directory, id, kept.automatic, now);
        kept.settle(&mut row);
        row.expires_at = Some(expires_at);
        tx.dbss_backups().insert(&row)?;
    }
    tx.dbss_backups()
        .change(&params.project, &params.backup, |row| {
            row.updated_at = now;
            row.expires_at = Some(expires_at);
            row.ended_at = Some(now);
            row.backup_fail_reason = failure.clone().or(run.pending);
            if failure.is_some() {
                row.progress = failed(row.automatic);
            } else if row.made.is_none() {
                // Nothing was new: that is what was found, and it counts.
                nothing_new(row);
            }
        })?;
    Ok(())
}

const fn failed(automatic: bool) -> DbssProgress {
    if automatic {
        DbssProgress::AutoFailed
    } else {
        DbssProgress::ManualFailed
    }
}

const fn is_failed(progress: DbssProgress) -> bool {
    matches!(
        progress,
        DbssProgress::AutoFailed | DbssProgress::ManualFailed
    )
}

fn nothing_new(row: &mut DbssBackupRow) {
    row.progress = if row.automatic {
        DbssProgress::AutoDone
    } else {
        DbssProgress::ManualDone
    };
    row.made = Some(row.progress.as_str().to_owned());
    OF_NOTHING.clone_into(&mut row.sha256);
}
