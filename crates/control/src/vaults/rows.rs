//! Between the catalog's rows and what callers see of a vault.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use strongroom_catalog::{Json, ResourceRow, TagRow, Tx, VaultResourceRow, VaultRow};
use strongroom_model::{Bytes, ProjectId, VaultId, state::VaultStatus};

use super::{Tag, Vault, VaultResource};
use crate::{Error, Reason, Result, words::stored};

/// The project's vault of that id, or the refusal.
pub(crate) fn get(tx: &Tx<'_>, project: ProjectId, id: VaultId) -> Result<VaultRow> {
    tx.vaults()
        .get(&project, &id)?
        .ok_or_else(|| Error::not_found(Reason::NoSuchVault, id))
}

/// The project's vault of that id if it is available; `otherwise` is the reason if it is not.
pub(crate) fn get_available(
    tx: &Tx<'_>,
    project: ProjectId,
    id: VaultId,
    otherwise: Reason,
) -> Result<VaultRow> {
    let vault = get(tx, project, id)?;
    if vault.status == VaultStatus::Available {
        return Ok(vault);
    }
    let about = format!("{}: {}", vault.name, vault.status);
    Err(Error::conflict(otherwise, about))
}

/// The vault with everything in it.
pub(crate) fn view(tx: &Tx<'_>, row: VaultRow) -> Result<Vault> {
    let places = tx.vault_resources().of_vault(&row.project_id, &row.id)?;
    let tags = tx.vault_tags().of_vault(&row.project_id, &row.id)?;
    let allocated = places
        .iter()
        .fold(Bytes(0), |sum, (_, resource)| sum + resource.size_bytes);
    Ok(Vault {
        id: row.id,
        project_id: row.project_id,
        user_id: row.user_id,
        name: row.name,
        description: row.description,
        size: row.size_gib,
        used: row.used_bytes,
        allocated: whole_gib(allocated),
        object_type: stored(&row.object_type)?,
        protect_type: stored(&row.protect_type)?,
        consistent_level: stored(&row.consistent_level)?,
        cloud_type: stored(&row.cloud_type)?,
        charging_mode: stored(&row.charging_mode)?,
        is_multi_az: row.is_multi_az,
        auto_bind: row.auto_bind,
        bind_rules: rules_of(row.bind_rules.0),
        auto_expand: row.auto_expand,
        threshold: u8::try_from(row.threshold).unwrap_or(100),
        smn_notify: row.smn_notify,
        locked: row.locked,
        backup_name_prefix: row.backup_name_prefix,
        demand_billing: row.demand_billing,
        enterprise_project_id: row.enterprise_project_id,
        availability_zone: row.availability_zone,
        status: row.status,
        resources: places
            .into_iter()
            .map(|(place, resource)| placed(place, resource))
            .collect(),
        tags: tags.into_iter().map(Tag::from).collect(),
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}

/// A resource with its place.
pub(crate) fn placed(place: VaultResourceRow, resource: ResourceRow) -> VaultResource {
    VaultResource {
        id: resource.id,
        kind: resource.kind,
        name: resource.name,
        size: resource.size_bytes,
        protect_status: place.protect_status,
        extra_info: Some(place.extra_info.0).filter(|info| !info.is_null()),
        backup_size: place.backup_size_bytes,
        backup_count: place.backup_count,
        auto_protect: place.auto_protect,
    }
}

impl From<TagRow> for Tag {
    fn from(row: TagRow) -> Self {
        Self {
            key: row.key,
            value: row.value,
        }
    }
}

/// The rules as they are stored.
pub(crate) fn rules_to(rules: &[Tag]) -> Json<Option<Value>> {
    let rules: Vec<_> = rules
        .iter()
        .map(|tag| json!({"key": tag.key, "value": tag.value}))
        .collect();
    Json(Some(Value::Array(rules)))
}

/// The rules as callers know them.
pub(crate) fn rules_of(stored: Option<Value>) -> Vec<Tag> {
    let rules: Vec<BTreeMap<String, String>> = stored
        .and_then(|rules| serde_json::from_value(rules).ok())
        .unwrap_or_default();
    let of =
        |rule: &BTreeMap<String, String>, key: &str| rule.get(key).cloned().unwrap_or_default();
    rules
        .iter()
        .map(|rule| Tag {
            key: of(rule, "key"),
            value: of(rule, "value"),
        })
        .collect()
}

/// Whole GiB, rounded up; nothing is 0 here.
fn whole_gib(bytes: Bytes) -> strongroom_model::GiB {
    if bytes == Bytes(0) {
        strongroom_model::GiB(0)
    } else {
        bytes.gib_ceil()
    }
}
