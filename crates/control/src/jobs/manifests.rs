//! Gives a backup whose manifest is lost, or cannot be read, a new one from another copy of it.
//!
//! The other copy (the replica of an original, the original of a replica) is copied here under the
//! keys of this vault, with the labels that the backup's own manifest had; chunks that are here are
//! not stored again. A manifest that is damaged is removed then: nobody can read it, and as long as
//! it lies there nothing of the vault can be collected. At last the row names the new manifest, and
//! a new note beside the data says what there is.
//!
//! Invariants: the row names a manifest that was complete before; a backup that was deleted
//! meanwhile gets none; done again after a crash, it goes on with the manifest that it made.

use strongroom_catalog::{BackupRow, Tx};
use strongroom_engine::{
    Error as EngineError, ManifestId, Repository, WriterOptions,
    check::Finding,
    copy::{CopyOptions, copy},
    layout::Object,
    tree::Progress,
};
use strongroom_jobs::{StepContext, StepError};

use super::{failure::of_control, note::order_note, repository::Data, watch::watch};
use crate::{Control, Reason, Result, import};

/// What became of a manifest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Lost {
    /// It is not there.
    Missing(ManifestId),
    /// It cannot be read.
    Damaged(ManifestId),
}

impl Lost {
    /// The manifest whose record the finding is about.
    pub(super) fn of(finding: &Finding) -> Option<Self> {
        match &finding.error {
            EngineError::ManifestMissing { id } => Some(Self::Missing(*id)),
            EngineError::Damaged {
                object: Object::Manifest(id),
                ..
            } => Some(Self::Damaged(*id)),
            _ => None,
        }
    }

    /// Its name.
    pub(super) const fn id(self) -> ManifestId {
        match self {
            Self::Missing(id) | Self::Damaged(id) => id,
        }
    }
}

/// Makes the backup's manifest anew from the other copy.
pub(super) fn bring_back(
    control: &Control,
    context: &StepContext<'_>,
    (data, repository): (&Data<'_>, &Repository),
    lost: Lost,
    (backup, other): (&BackupRow, &BackupRow),
) -> Result<(), StepError> {
    let made = match data.find(repository, backup.id)? {
        // Of a check that was interrupted.
        Some(manifest) if manifest.id != lost.id() => manifest.id,
        _ => copy_here(control, context, repository, (backup, other))?,
    };
    // Before the row names the new one: whoever comes after a crash finds a manifest that is lost,
    // and goes on; of one that no row names any more nobody would know that it may go.
    if let Lost::Damaged(id) = lost {
        let removed = repository.remove(Object::Manifest(id));
        removed.map_err(|error| data.failed(&error))?;
    }
    let named = control
        .order(|tx| name(control, tx, lost, (backup, made)))
        .map_err(|error| of_control(context, &error))?;
    if !named {
        // It was deleted while its manifest was made.
        return data.forget(repository, &made.to_string());
    }
    tracing::warn!(backup = %backup.id, from = %other.id, manifest = %made, ?lost,
        "a backup's manifest was made anew from its copy");
    Ok(())
}

/// Has the backup's row name the manifest, if it still names the one that is lost.
fn name(
    control: &Control,
    tx: &Tx<'_>,
    lost: Lost,
    (backup, made): (&BackupRow, ManifestId),
) -> Result<bool> {
    let (project, lost) = (backup.project_id, lost.id().to_string());
    let row = tx.backups().get(&project, &backup.id)?;
    if row.is_none_or(|row| row.manifest_id.as_ref() != Some(&lost)) {
        return Ok(false);
    }
    let now = control.now();
    tx.backups().change(&project, &backup.id, |row| {
        row.manifest_id = Some(made.to_string());
        row.updated_at = now;
    })?;
    if let Some(vault) = tx.vaults().get(&project, &backup.vault_id)? {
        order_note(control, tx, &vault)?;
    }
    Ok(true)
}

fn copy_here(
    control: &Control,
    context: &StepContext<'_>,
    repository: &Repository,
    (backup, other): (&BackupRow, &BackupRow),
) -> Result<ManifestId, StepError> {
    let gone = |what: &str| StepError::fail("gone", format!("{what} of the copy are gone"));
    let Some(from) = Data::of(control, context, other.project_id, other.vault_id)? else {
        return Err(gone("the vault and the data"));
    };
    let Some(source) = from.open()? else {
        return Err(gone("the data"));
    };
    let id = other.manifest_id.as_ref().and_then(|id| id.parse().ok());
    let manifests: Vec<ManifestId> = id.into_iter().collect();
    let labels = control
        .read(|tx| import::labels(tx, backup))
        .map_err(|error| of_control(context, &error))?;
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
    if let Some((_, error)) = copied.failed.pop() {
        return Err(from.failed(&error));
    }
    let made = copied.copied.pop().map(|(_, made)| made);
    made.ok_or_else(|| {
        let reason = Reason::Internal;
        StepError::fail(reason.as_str(), "the copy has another name")
    })
}
