//! Reads a part of a vault's packs again, heals what is damaged, and says what is lost.
//!
//! Healing asks the pack itself and its parity first (the engine's repair), then the other copies
//! of the backups that are hit: the replica of an original, the original of a replica. Such a copy
//! is copied back under a label of its own and forgotten at once: what stays are the chunks that
//! were missing. A manifest that is lost is made anew from such a copy (`manifests`). What nothing
//! can heal becomes a problem of the vault, which the watchdog tells
//! people of, and of the backups that need it.
//!
//! Invariant: the verdict "whole" is given only to a backup that was complete before the round
//! began and of which nothing was found at its end.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use strongroom_catalog::{BackupCheckRow, BackupRow, Json, Tx, VaultCheckRow, VaultRow};
use strongroom_engine::{
    Error as EngineError, ManifestId, Repository, WriterOptions,
    check::{CheckOptions, Depth, Finding, check},
    copy::{CopyOptions, copy},
    repair::{self, RepairOptions, Share},
    tree::Progress,
};
use strongroom_jobs::{Ending, Job, JobType, Step, StepContext, StepError, error::HookError};
use strongroom_model::{
    Timestamp,
    state::{BackupStatus, VaultStatus},
};
use strongroom_store::limit::{Limits, Pace, Rate, RealTime};

use super::{
    failure::{self, of_control},
    manifests::{Lost, bring_back},
    params::{self, Verify},
    repository::Data,
    retain::{Again, order_retention},
    watch::watch,
};
use crate::{Control, Result, backups};

/// The job.
pub(super) const JOB: JobType<Control> = JobType {
    name: super::VERIFY,
    steps: &[Step::new("look", look).attempts(10)],
    finished: Some(finished),
};

/// Problems that are remembered of a vault.
const PROBLEMS_MAX: usize = 100;
/// The label of copies that only bring back chunks.
const HEALS: &str = "heals";

/// What was found.
#[derive(Default, Serialize, Deserialize)]
struct Looked {
    packs: u64,
    bytes: u64,
    healed: u64,
    /// Whether everything that the catalog knows was looked for.
    complete: bool,
    /// What stays wrong.
    problems: Vec<String>,
    /// The manifests that are hit, and by what.
    hit: BTreeMap<String, String>,
}

/// Orders the check of a part of the vault's packs.
pub(crate) fn order_verification(
    control: &Control,
    tx: &Tx<'_>,
    vault: &VaultRow,
    (part, parts): (u32, u32),
    rate: Option<Rate>,
) -> Result<()> {
    let params = Verify {
        project: vault.project_id,
        vault: vault.id,
        part,
        parts,
        rate: rate.map(Rate::bytes_per_second),
        began: control.now(),
    };
    let order = (control.job_id(), control.now());
    let key = params::VERIFY_KEY.to_owned();
    super::enqueue(tx, order, super::VERIFY, key, json!(params))
}

fn look(control: &Control, context: &StepContext<'_>) -> Result<Value, StepError> {
    let params: Verify = context.params()?;
    let Some(data) = Data::of(control, context, params.project, params.vault)? else {
        return Ok(json!(Looked::default()));
    };
    // A deletion waits until no check runs, and none begins after it.
    if data.vault().status != VaultStatus::Available {
        return Ok(json!(Looked::default()));
    }
    let limits = Limits {
        download: params.rate.and_then(Rate::new),
        upload: None,
    };
    let pace: Arc<dyn Pace> = Arc::new(RealTime::default());
    let Some(repository) = data.open_limited(limits, &pace)? else {
        return Ok(json!(Looked::default()));
    };
    let progress = Progress::default();
    let looked = watch(
        context,
        &progress,
        || false,
        || read_part(control, &params, &repository, &progress),
    );
    let (mut looked, unhealed) = looked.map_err(|error| data.failed(&error))?;
    let known = || {
        control
            .read(|tx| known(tx, &params))
            .map_err(|error| of_control(context, &error))
    };
    let rows = known()?;
    let last = params.part + 1 >= params.parts;
    let missing = missing(&repository, &rows).map_err(|error| data.failed(&error))?;
    if !(last || unhealed || missing) {
        return Ok(json!(looked));
    }
    let find = |rows: &BTreeMap<ManifestId, BackupRow>| -> Result<Vec<Finding>, StepError> {
        // Opened anew, so that nothing of before the healing is remembered.
        let Some(repository) = data.open_limited(limits, &pace)? else {
            return Ok(Vec::new());
        };
        find(context, &repository, rows, &progress).map_err(|error| data.failed(&error))
    };
    let mut findings = find(&rows)?;
    if !findings.is_empty() {
        let before = findings.len();
        if heal(control, context, &data, (&findings, &rows))? {
            // Backups may have other manifests now.
            findings = find(&known()?)?;
            looked.healed += before.saturating_sub(findings.len()) as u64;
        }
    }
    looked.tell(&findings);
    Ok(json!(looked))
}

/// Reads the part and does what a repair can; whether something stays damaged.
fn read_part(
    control: &Control,
    params: &Verify,
    repository: &Repository,
    progress: &Progress,
) -> strongroom_engine::Result<(Looked, bool)> {
    let options = RepairOptions {
        mirrors: &[],
        depth: Depth::AllBytes,
        share: Share {
            part: params.part,
            of: params.parts,
        },
    };
    let plan = repair::plan(repository, &options, progress)?;
    let mut looked = Looked {
        packs: plan.packs,
        bytes: plan.pack_bytes,
        ..Looked::default()
    };
    if !plan.is_empty() {
        plan.execute(repository, &options, progress, &control.shared_entropy())?;
        looked.healed = (plan.steps.len().saturating_sub(plan.unhealed.len())) as u64;
        for step in &plan.steps {
            tracing::warn!(vault = %params.vault, %step, "a check repaired something");
        }
    }
    Ok((looked, !plan.unhealed.is_empty()))
}

/// The backups whose data must be there, by manifest.
fn known(tx: &Tx<'_>, params: &Verify) -> Result<BTreeMap<ManifestId, BackupRow>> {
    let rows = backups::rows::finished(tx, &params.project, params.vault)?;
    let of = |row: BackupRow| Some((row.manifest_id.as_ref()?.parse().ok()?, row));
    Ok(rows.into_iter().filter_map(of).collect())
}

/// Whether a manifest that the catalog knows is not there: cheap, so it is asked each time.
fn missing(
    repository: &Repository,
    known: &BTreeMap<ManifestId, BackupRow>,
) -> strongroom_engine::Result<bool> {
    let there: BTreeSet<_> = repository.manifest_names()?.into_iter().collect();
    Ok(known.keys().any(|id| !there.contains(id)))
}

/// Walks everything: what is wrong now.
fn find(
    context: &StepContext<'_>,
    repository: &Repository,
    known: &BTreeMap<ManifestId, BackupRow>,
    progress: &Progress,
) -> strongroom_engine::Result<Vec<Finding>> {
    let options = CheckOptions {
        depth: Depth::Structure,
        expected: known.keys().copied().collect(),
    };
    let checked = watch(
        context,
        progress,
        || false,
        || check(repository, &options, progress),
    )?;
    let mut findings = checked.findings;
    // A backup that was deleted meanwhile is not missing; the next round knows it no more.
    findings.retain(|finding| !matches!(finding.error, EngineError::ManifestForgotten { .. }));
    Ok(findings)
}

/// Copies back what other copies of the backups that are hit still have; whether any did.
fn heal(
    control: &Control,
    context: &StepContext<'_>,
    data: &Data<'_>,
    (findings, known): (&[Finding], &BTreeMap<ManifestId, BackupRow>),
) -> Result<bool, StepError> {
    let lost: BTreeSet<_> = findings.iter().filter_map(Lost::of).collect();
    let chunks = findings
        .iter()
        .filter(|finding| Lost::of(finding).is_none());
    let hit: BTreeSet<_> = chunks
        .flat_map(|finding| finding.manifests.iter().copied())
        .filter(|id| !lost.iter().any(|lost| lost.id() == *id))
        .collect();
    let lost = lost.into_iter().map(|lost| (lost.id(), Some(lost)));
    let mut healed = false;
    let Some(repository) = data.open()? else {
        return Ok(false);
    };
    for (manifest, lost) in lost.chain(hit.into_iter().map(|id| (id, None))) {
        let Some(backup) = known.get(&manifest) else {
            continue;
        };
        let others = control
            .read(|tx| other_copies(tx, backup))
            .map_err(|error| of_control(context, &error))?;
        for other in others {
            let (here, pair) = ((data, &repository), (backup, &other));
            // Another copy that is damaged too, or cannot be reached, heals nothing: the next.
            let done = match lost {
                Some(lost) => bring_back(control, context, here, lost, pair),
                // What a manifest said comes back with none of its chunks.
                None => copy_back(control, context, &repository, pair),
            };
            match done {
                Ok(()) => {
                    healed = true;
                    break;
                }
                Err(StepError::Cancelled) => return Err(StepError::Cancelled),
                Err(error) => {
                    tracing::warn!(backup = %backup.id, other = %other.id, ?error,
                        "a copy could not heal a backup");
                }
            }
        }
    }
    Ok(healed)
}

/// The other copies of a backup that are good: its replicas, or its original.
fn other_copies(tx: &Tx<'_>, backup: &BackupRow) -> Result<Vec<BackupRow>> {
    let mut others = tx.backups().any_project_replicas_of(&backup.id)?;
    if let Some(original) = &backup.replica_of {
        others.extend(tx.backups().any_project_get(original)?);
    }
    others.retain(|other| other.status == BackupStatus::Available && other.manifest_id.is_some());
    Ok(others)
}

fn copy_back(
    control: &Control,
    context: &StepContext<'_>,
    repository: &Repository,
    (backup, other): (&BackupRow, &BackupRow),
) -> Result<(), StepError> {
    let Some(from) = Data::of(control, context, other.project_id, other.vault_id)? else {
        return Err(StepError::fail("gone", "the vault of the copy is gone"));
    };
    let Some(source) = from.open()? else {
        return Err(StepError::fail("gone", "the data of the copy are gone"));
    };
    let id = other.manifest_id.as_ref().and_then(|id| id.parse().ok());
    let manifests: Vec<ManifestId> = id.into_iter().collect();
    let labels = BTreeMap::from([(HEALS.to_owned(), backup.id.to_string())]);
    let progress = Progress::default();
    let options = CopyOptions {
        manifests: &manifests,
        writer: WriterOptions::default(),
        progress: &progress,
        entropy: control.shared_entropy(),
        labels: Some(&labels),
    };
    let copied = watch(
        context,
        &progress,
        || false,
        || copy(&source, repository, &options),
    );
    let mut copied = copied.map_err(|error| from.failed(&error))?;
    // One that an interrupted check left is there already, and goes with this one.
    for id in copied.copied.iter().map(|(_, id)| *id) {
        match repository.forget(&id, control.entropy()) {
            Ok(())
            | Err(EngineError::ManifestForgotten { .. } | EngineError::ManifestMissing { .. }) => {}
            Err(error) => return Err(from.failed(&error)),
        }
    }
    match copied.failed.pop() {
        None => Ok(()),
        Some((_, error)) => Err(from.failed(&error)),
    }
}

impl Looked {
    fn tell(&mut self, findings: &[Finding]) {
        self.complete = true;
        for finding in findings {
            let problem = failure::chain(&finding.error);
            for manifest in &finding.manifests {
                self.hit
                    .entry(manifest.to_string())
                    .or_insert_with(|| problem.clone());
            }
            if self.problems.len() < PROBLEMS_MAX {
                self.problems.push(problem);
            }
        }
    }
}

fn finished(control: &Control, tx: &Tx<'_>, job: &Job, ending: &Ending) -> Result<(), HookError> {
    end(control, tx, job, ending).map_err(failure::hook)
}

fn end(control: &Control, tx: &Tx<'_>, job: &Job, ending: &Ending) -> Result<()> {
    let params: Verify = super::of_job(&job.params)?;
    let (project, now) = (params.project, control.now());
    let there = tx.vaults().get(&project, &params.vault)?.is_some()
        && tx.repositories().get(&project, &params.vault)?.is_some();
    if *ending != Ending::Succeeded || !there {
        return Ok(());
    }
    let looked: Looked = super::output_of(job, "look")?;
    let before = tx.checks().vault(&project, &params.vault)?;
    let began = match &before {
        Some(row) if params.part > 0 => row.round_at.unwrap_or(params.began),
        _ => params.began,
    };
    let sum = |of: fn(&VaultCheckRow) -> u64| before.as_ref().map_or(0, of);
    let last = params.part + 1 >= params.parts;
    tx.checks().set_vault(&VaultCheckRow {
        vault_id: params.vault,
        project_id: project,
        parts: params.parts,
        next_part: if last { 0 } else { params.part + 1 },
        looked_at: now,
        round_at: Some(began),
        packs: sum(|row| row.packs) + looked.packs,
        bytes: sum(|row| row.bytes) + looked.bytes,
        healed: sum(|row| row.healed) + looked.healed,
    })?;
    if looked.healed > 0
        && let Some(vault) = tx.vaults().get(&project, &params.vault)?
    {
        order_retention(control, tx, &vault, Again::Yes)?;
    }
    if !looked.complete {
        return Ok(());
    }
    let verdict_of = last.then_some(began);
    for (_, backup) in known(tx, &params)? {
        settle_backup(tx, &backup, (&looked, verdict_of), now)?;
    }
    tx.repositories().change(&project, &params.vault, |row| {
        row.check_problems = Json(looked.problems.clone());
        if last {
            row.last_check_at = Some(now);
        }
    })?;
    Ok(())
}

/// Says of a backup what was found: that it is damaged at once, that it is whole only at the end
/// of a round that began after it was complete.
fn settle_backup(
    tx: &Tx<'_>,
    backup: &BackupRow,
    (looked, round): (&Looked, Option<Timestamp>),
    now: Timestamp,
) -> Result<()> {
    let manifest = backup.manifest_id.as_deref().unwrap_or_default();
    let problem = looked.hit.get(manifest).cloned();
    let proven = round.is_some_and(|began| backup.updated_at < began);
    if problem.is_none() && !proven {
        return Ok(());
    }
    Ok(tx.checks().set_backup(&BackupCheckRow {
        backup_id: backup.id,
        project_id: backup.project_id,
        vault_id: backup.vault_id,
        checked_at: now,
        problem,
    })?)
}
