//! Vaults that bind resources by themselves.
//!
//! A vault with `auto_bind` takes the free resources of its kind that bear one of the tags of its
//! rules, or every free one if it has no rules, oldest first, until it is full. It does so before
//! each run, so what is registered today is in tonight's backup.

use strongroom_catalog::{Json, Tx, VaultResourceRow, VaultRow};
use strongroom_model::{Bytes, Timestamp, state::ProtectStatus};

use crate::{
    Result, limits, vaults,
    words::{ObjectType, stored},
};

/// Binds what fits; how many there were.
pub(super) fn bind_resources(tx: &Tx<'_>, vault: &VaultRow, now: Timestamp) -> Result<usize> {
    let kind = stored::<ObjectType>(&vault.object_type)?.kind();
    let Some(kind) = kind.filter(|_| vault.auto_bind) else {
        return Ok(0);
    };
    let project = vault.project_id;
    let held = tx.vault_resources().of_vault(&project, &vault.id)?.len();
    let room = u32::try_from(limits::VAULT_RESOURCES_MAX.saturating_sub(held)).unwrap_or(0);
    let rules: Vec<_> = vaults::rows::rules_of(vault.bind_rules.0.clone())
        .into_iter()
        .map(|tag| (tag.key, tag.value))
        .collect();
    let free = tx.resources().free(&project, kind, &rules, room)?;
    for resource in &free {
        tx.vault_resources().insert(&VaultResourceRow {
            project_id: project,
            vault_id: vault.id,
            resource_id: resource.id,
            protect_status: ProtectStatus::Available,
            extra_info: Json(serde_json::Value::Null),
            backup_size_bytes: Bytes(0),
            backup_count: 0,
            added_at: now,
            auto_protect: true,
        })?;
    }
    Ok(free.len())
}
