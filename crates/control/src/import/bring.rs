//! Brings the backups of a repository into the catalog: those that it does not know.
//!
//! What is there is decided by the manifests alone: a row in a note without its manifest is a
//! backup that was deleted since. What is said of it is the note's word where it has one, else
//! the manifest's.
//!
//! Invariant: nothing that the catalog knows is changed, but for what a vault and its places
//! count; every step can be repeated.

use std::collections::BTreeMap;

use serde_json::Value;
use strongroom_catalog::{
    BackupRow, CheckpointRow, Json, RepositoryRow, ResourceRow, Tx, VaultRow,
    policies::{Outcome, RunRow, ScheduledBackupRow},
};
use strongroom_engine::{Error as EngineError, ManifestId, Repository};
use strongroom_model::{
    BackupId, Bytes, CheckpointId, ResourceId, Timestamp,
    state::{BackupStatus, CheckpointStatus},
};

use super::rows::{self, Known};
use crate::{Control, Result, backups, checkpoints, jobs::saved::Saved};

/// Manifests whose backups are written down in one transaction.
const BATCH: usize = 200;

/// What was brought in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Brought {
    /// Backups that the catalog did not know.
    pub new: u64,
    /// Backups that it knew.
    pub known: u64,
    /// Manifests that name no backup of this vault, and why.
    pub lost: Vec<String>,
}

/// A backup as its manifest, or the note, tells it.
struct Entry {
    backup: BackupRow,
    checkpoint: CheckpointRow,
    resource: Option<ResourceRow>,
    scheduled: Option<ScheduledBackupRow>,
    saved: Saved,
    finished: Timestamp,
}

/// Why a repository could not be read.
pub(crate) enum Trouble {
    /// The repository, or the store under it.
    Engine(EngineError),
    /// The catalog.
    Control(crate::Error),
}

impl From<EngineError> for Trouble {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}

impl From<crate::Error> for Trouble {
    fn from(error: crate::Error) -> Self {
        Self::Control(error)
    }
}

/// The rows that a note has, by what they are of.
#[derive(Default)]
pub(crate) struct Said {
    backups: BTreeMap<BackupId, BackupRow>,
    checkpoints: BTreeMap<CheckpointId, CheckpointRow>,
    resources: BTreeMap<ResourceId, ResourceRow>,
    scheduled: BTreeMap<BackupId, ScheduledBackupRow>,
}

impl Said {
    /// What a note says.
    pub(crate) fn by(known: Option<Known>) -> Self {
        let Some(known) = known else {
            return Self::default();
        };
        Self {
            backups: by(known.backups, |row| row.id),
            checkpoints: by(known.checkpoints, |row| row.id),
            resources: by(known.resources, |row| row.id),
            scheduled: by(known.scheduled, |row| row.backup_id),
        }
    }
}

fn by<I: Ord, R>(rows: Vec<R>, id: impl Fn(&R) -> I) -> BTreeMap<I, R> {
    rows.into_iter().map(|row| (id(&row), row)).collect()
}

/// Brings in all backups of the vault, or only the one.
pub(crate) fn bring_in(
    control: &Control,
    vault: &VaultRow,
    repository: &Repository,
    said: &Said,
    only: Option<BackupId>,
) -> Result<Brought, Trouble> {
    let mut brought = Brought::default();
    let manifests = repository.manifests()?;
    for batch in manifests.chunks(BATCH) {
        let mut entries = Vec::new();
        for id in batch {
            match entry(repository, *id, vault, said) {
                Ok(entry) if only.is_none_or(|only| only == entry.backup.id) => entries.push(entry),
                Ok(_) => {}
                Err(Unread::Trouble(error @ EngineError::Store { .. })) => return Err(error.into()),
                Err(Unread::Trouble(EngineError::ManifestMissing { .. })) => {}
                Err(Unread::Trouble(error)) => brought.lost.push(format!("{id}: {error}")),
                Err(Unread::Strange(why)) => brought.lost.push(format!("{id}: {why}")),
            }
        }
        control.write(|tx| {
            for entry in &entries {
                if write_down(control, tx, vault, entry)? {
                    brought.new += 1;
                } else {
                    brought.known += 1;
                }
            }
            Ok(())
        })?;
    }
    control.write(|tx| settle(control, tx, vault, repository))?;
    Ok(brought)
}

enum Unread {
    Trouble(EngineError),
    Strange(String),
}

fn entry(
    repository: &Repository,
    id: ManifestId,
    vault: &VaultRow,
    said: &Said,
) -> std::result::Result<Entry, Unread> {
    let manifest = repository.manifest(&id).map_err(Unread::Trouble)?;
    let mut known = rows::of_labels(&manifest.body.labels).map_err(Unread::Strange)?;
    let (Some(backup), Some(checkpoint)) = (known.backups.pop(), known.checkpoints.pop()) else {
        return Err(Unread::Strange("it names no backup".to_owned()));
    };
    if (backup.project_id, backup.vault_id) != (vault.project_id, vault.id) {
        let why = format!("backup {} belongs to vault {}", backup.id, backup.vault_id);
        return Err(Unread::Strange(why));
    }
    let of_note = said.backups.get(&backup.id).filter(|row| {
        let named = row.manifest_id.as_ref();
        named.is_none_or(|named| *named == id.to_string())
    });
    let backup = of_note.cloned().unwrap_or(backup);
    let checkpoint = said
        .checkpoints
        .get(&checkpoint.id)
        .cloned()
        .unwrap_or(checkpoint);
    let resource = said.resources.get(&backup.resource_id).cloned();
    let scheduled = said.scheduled.get(&backup.id).cloned();
    Ok(Entry {
        resource: resource.or_else(|| known.resources.pop()),
        saved: Saved::of(repository, &manifest).map_err(Unread::Trouble)?,
        finished: manifest.body.finished,
        backup,
        checkpoint,
        scheduled,
    })
}

/// Writes a backup down; `false` if the catalog knows it.
fn write_down(control: &Control, tx: &Tx<'_>, vault: &VaultRow, entry: &Entry) -> Result<bool> {
    if tx.backups().any_project_get(&entry.backup.id)?.is_some() {
        return Ok(false);
    }
    let (project, now) = (vault.project_id, control.now());
    if tx
        .checkpoints()
        .get(&project, &entry.checkpoint.id)?
        .is_none()
    {
        tx.checkpoints().insert(&CheckpointRow {
            // Settled when all its backups are there.
            status: CheckpointStatus::Protecting,
            ..entry.checkpoint.clone()
        })?;
    }
    if let Some(resource) = &entry.resource
        && tx.resources().any_project_get(&resource.id)?.is_none()
    {
        tx.resources().insert(resource)?;
    }
    let backup = complete(entry, now);
    tx.backups().insert(&backup)?;
    if let Some(scheduled) = &entry.scheduled {
        remember_run(tx, scheduled, &backup)?;
    }
    backups::count_in_place(tx, &backup, backup.stored_bytes)?;
    tx.vaults().change(&project, &vault.id, |row| {
        row.used_bytes += backup.stored_bytes;
        row.updated_at = now;
    })?;
    Ok(true)
}

/// Says again that a calendar asked for the backup, and that this run has been: the numbers of
/// runs go on from there, for they say which backup is newer.
fn remember_run(tx: &Tx<'_>, scheduled: &ScheduledBackupRow, backup: &BackupRow) -> Result<()> {
    tx.policy_runs().remember(&RunRow {
        seq: scheduled.run,
        project_id: scheduled.project_id,
        vault_id: scheduled.vault_id,
        policy_id: scheduled.policy_id,
        era: 0,
        due_at: scheduled.due_at,
        outcome: Outcome::Ordered,
        checkpoint_id: Some(backup.checkpoint_id),
        decided_at: backup.created_at,
    })?;
    Ok(tx.scheduled_backups().insert(scheduled)?)
}

/// The row of a backup that is there, whatever was being done with it when it was noted.
fn complete(entry: &Entry, now: Timestamp) -> BackupRow {
    let Entry {
        backup,
        checkpoint,
        saved,
        finished,
        ..
    } = entry;
    let failure = saved.incomplete();
    let days = checkpoint
        .retention_days
        .map(|days| i64::from(days) * 86_400);
    let noted = backup.manifest_id.is_some();
    BackupRow {
        status: if failure.is_none() {
            BackupStatus::Available
        } else {
            BackupStatus::Error
        },
        fail_reason: failure.map(|failure| failure.message),
        manifest_id: Some(saved.manifest.clone()),
        incremental: saved.incremental,
        logical_bytes: Bytes(saved.logical),
        resource_size_bytes: Bytes(saved.logical),
        unique_bytes: Bytes(saved.unique),
        stored_bytes: Bytes(saved.stored),
        items: saved.items,
        problems: Json(saved.problems.iter().cloned().map(Value::String).collect()),
        updated_at: now,
        protected_at: backup.protected_at.or(Some(*finished)),
        // A note of a finished backup knows its expiry, none included.
        expired_at: if noted {
            backup.expired_at
        } else {
            days.map(|seconds| finished.plus_seconds(seconds))
        },
        ..backup.clone()
    }
}

/// Ends what was begun: checkpoints get their states, and the repository is remembered.
fn settle(control: &Control, tx: &Tx<'_>, vault: &VaultRow, repository: &Repository) -> Result<()> {
    let (project, now) = (vault.project_id, control.now());
    for checkpoint in tx.checkpoints().of_vault(&project, &vault.id)? {
        if checkpoint.status == CheckpointStatus::Protecting {
            checkpoints::settle(tx, project, checkpoint.id, now)?;
        }
    }
    if tx.repositories().get(&project, &vault.id)?.is_none() {
        tracing::debug!(vault = %vault.id, repository = %repository.id(), "remembered again");
        let used = tx
            .vaults()
            .get(&project, &vault.id)?
            .map(|row| row.used_bytes);
        tx.repositories().insert(&RepositoryRow {
            vault_id: vault.id,
            project_id: project,
            created_at: vault.created_at,
            stored_bytes: used.unwrap_or_default(),
            last_collect_at: None,
            last_check_at: None,
            check_problems: Json(Vec::new()),
        })?;
    }
    Ok(())
}
