//! A backup in the books: its size against its vault, what was saved in its row.
//!
//! Invariant: a backup with a manifest is counted, one without is not; both change in one
//! transaction, so counting twice or striking twice does nothing.

use serde_json::Value;
use strongroom_catalog::{BackupRow, Json, Tx, VaultRow};
use strongroom_model::{Bytes, Timestamp};

use super::saved::Saved;
use crate::{Error, Reason, Result, backups, vaults};

/// What has to fit: its word, and the reason if it does not.
pub(super) type Measured = (&'static str, Reason);

/// The refusal of what does not fit.
pub(super) fn too_big(
    vault: &VaultRow,
    room: Bytes,
    needed: Bytes,
    (what, reason): Measured,
) -> Error {
    let (name, size) = (&vault.name, vault.size_gib.0);
    let about = format!("{name} has {room} left of {size} GiB, the {what} needs {needed} or more");
    Error::quota(reason, about)
}

/// Refuses what was saved if it is more than the room there is; no room named is room enough.
pub(super) fn check_room(
    vault: &VaultRow,
    room: Option<Bytes>,
    saved: &Saved,
    measured: Measured,
) -> Result<()> {
    match room.filter(|room| room.0 < saved.stored) {
        Some(room) => Err(too_big(vault, room, Bytes(saved.stored), measured)),
        None => Ok(()),
    }
}

/// Counts a backup against its vault and notes what was saved.
pub(super) fn enter(
    tx: &Tx<'_>,
    now: Timestamp,
    vault: &VaultRow,
    backup: &BackupRow,
    resource_size: Bytes,
    saved: &Saved,
) -> Result<()> {
    let project = vault.project_id;
    tx.vaults().change(&project, &vault.id, |row| {
        row.used_bytes += Bytes(saved.stored);
        vaults::grow(row, row.used_bytes);
        row.updated_at = now;
    })?;
    tx.backups().change(&project, &backup.id, |row| {
        row.manifest_id = Some(saved.manifest.clone());
        row.incremental = saved.incremental;
        row.logical_bytes = Bytes(saved.logical);
        row.resource_size_bytes = resource_size;
        row.unique_bytes = Bytes(saved.unique);
        row.stored_bytes = Bytes(saved.stored);
        row.items = saved.items;
        row.problems = Json(saved.problems.iter().cloned().map(Value::String).collect());
        row.updated_at = now;
    })?;
    backups::count_in_place(tx, backup, Bytes(saved.stored))
}

/// Takes that back.
pub(super) fn strike(tx: &Tx<'_>, now: Timestamp, backup: &BackupRow) -> Result<()> {
    if backup.manifest_id.is_none() {
        return Ok(());
    }
    let project = backup.project_id;
    tx.vaults().change(&project, &backup.vault_id, |row| {
        row.used_bytes = Bytes(row.used_bytes.0.saturating_sub(backup.stored_bytes.0));
    })?;
    backups::count_out_of_place(tx, backup)?;
    tx.backups().change(&project, &backup.id, |row| {
        row.manifest_id = None;
        row.stored_bytes = Bytes(0);
        row.updated_at = now;
    })?;
    Ok(())
}
