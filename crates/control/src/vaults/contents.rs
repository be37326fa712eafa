//! Which resources sit in a vault: the rules for putting them in.
//!
//! The order of the checks is the order of the vendor's codes that clients look at: first what is
//! wrong with the list itself, then with each resource in turn.

use std::collections::BTreeSet;

use serde_json::Value;
use strongroom_catalog::{Json, Tx, VaultResourceRow, VaultRow};
use strongroom_model::{ResourceId, ResourceKind, Timestamp, state::ProtectStatus};

use super::AddedResource;
use crate::{
    Error, Reason, Result, limits, migration,
    words::{ObjectType, stored},
};

/// Puts resources into a vault, all or none.
pub(super) fn put_in(
    tx: &Tx<'_>,
    vault: &VaultRow,
    added: Vec<AddedResource>,
    now: Timestamp,
) -> Result<Vec<ResourceId>> {
    let held = tx
        .vault_resources()
        .of_vault(&vault.project_id, &vault.id)?
        .len();
    if held.saturating_add(added.len()) > limits::VAULT_RESOURCES_MAX {
        let about = format!("at most {}", limits::VAULT_RESOURCES_MAX);
        return Err(Error::quota(Reason::VaultHasMaximumOfResources, about));
    }
    no_twins(added.iter().map(|resource| resource.id))?;
    let takes = stored::<ObjectType>(&vault.object_type)?.kind();
    let mut ids = Vec::with_capacity(added.len());
    for resource in added {
        acceptable(tx, vault, takes, &resource)?;
        // It may have been here before: moved away, or taken out and its backups brought back.
        let (backup_count, backup_size_bytes) = migration::counted(tx, vault, resource.id)?;
        tx.vault_resources().insert(&VaultResourceRow {
            project_id: vault.project_id,
            vault_id: vault.id,
            resource_id: resource.id,
            protect_status: ProtectStatus::Available,
            extra_info: Json(resource.extra_info.unwrap_or(Value::Null)),
            backup_size_bytes,
            backup_count,
            added_at: now,
            auto_protect: true,
        })?;
        ids.push(resource.id);
    }
    Ok(ids)
}

/// Refuses a list that names a resource twice.
pub(crate) fn no_twins(ids: impl IntoIterator<Item = ResourceId>) -> Result<()> {
    let mut seen = BTreeSet::new();
    for id in ids {
        if !seen.insert(id) {
            return Err(Error::conflict(Reason::ResourceTwice, id));
        }
    }
    Ok(())
}

fn acceptable(
    tx: &Tx<'_>,
    vault: &VaultRow,
    takes: Option<ResourceKind>,
    resource: &AddedResource,
) -> Result<()> {
    let Some(kind) = resource.kind else {
        return Err(Error::conflict(Reason::TypeUnsupported, resource.id));
    };
    if takes != Some(kind) {
        let about = format!("{} takes {}, not a {kind}", vault.name, vault.object_type);
        return Err(Error::conflict(Reason::VaultTakesOtherType, about));
    }
    let known = tx
        .resources()
        .get(&vault.project_id, &resource.id)?
        .is_some_and(|row| row.removed_at.is_none() && row.kind == kind);
    if !known {
        return Err(Error::not_found(Reason::NoSuchResource, resource.id));
    }
    if tx
        .vault_resources()
        .get(&vault.project_id, &resource.id)?
        .is_some()
    {
        return Err(Error::conflict(Reason::ResourceInVault, resource.id));
    }
    Ok(())
}
