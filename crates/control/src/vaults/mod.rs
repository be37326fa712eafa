//! Vaults: quota, resources, labels, and the key of their data.

mod contents;
mod removal;
pub(crate) mod rows;
mod terms;
mod view;

pub(crate) use contents::no_twins;
pub use view::{AddedResource, NewVault, Tag, Vault, VaultChange, VaultFilter, VaultResource};

use strongroom_catalog::{self as catalog, Sealed, TagRow, VaultRow};
use strongroom_model::{Bytes, GiB, ResourceId, Timestamp, VaultId, state::VaultStatus};

use crate::{
    Caller, Control, Error, Listed, Page, Reason, Result,
    control::project,
    enterprise,
    keys::DataKey,
    limits,
    page::LIMIT_MAX,
    policies,
    words::{ChargingMode, CloudType},
};

impl Control {
    /// Makes a vault, with its resources and tags, all or nothing.
    pub fn create_vault(&self, caller: &Caller, new: NewVault) -> Result<Vault> {
        let project = project(caller)?;
        check_new(&new)?;
        let tags = limits::tags("tags", new.tags.clone())?;
        limits::tag_count(tags.len())?;
        let id = VaultId::new(self.entropy());
        let key = DataKey::generate(self.entropy());
        let sealed = self.master_key().wrap(id, &key, self.entropy());
        let now = self.now();
        self.write(|tx| {
            if let Some(id) = &new.enterprise_project_id {
                enterprise::takes_vaults(tx, caller.domain_id, id)?;
            }
            let region = self.region_for(tx, &new)?;
            let row = VaultRow {
                region,
                ..new_row(caller, &new, id, now, Sealed(sealed))?
            };
            tx.vaults().insert(&row)?;
            contents::put_in(tx, &row, new.resources, now)?;
            if let Some(policy) = new.backup_policy_id {
                let policy = policies::get(tx, project, policy)?;
                policies::bind(tx, &row, &policy, None, now)?;
            }
            for Tag { key, value } in tags {
                let (project_id, vault_id) = (project, id);
                tx.vault_tags().set(&TagRow {
                    project_id,
                    vault_id,
                    key,
                    value,
                })?;
            }
            rows::view(tx, row)
        })
    }

    /// One vault.
    pub fn show_vault(&self, caller: &Caller, id: VaultId) -> Result<Vault> {
        let project = project(caller)?;
        self.read(|tx| rows::view(tx, rows::get(tx, project, id)?))
    }

    /// The vaults that match, oldest first.
    pub fn list_vaults(
        &self,
        caller: &Caller,
        filter: &VaultFilter,
        page: &Page,
    ) -> Result<Listed<Vault>> {
        let project = project(caller)?;
        let page = page.rows(LIMIT_MAX)?;
        let Some(filter) = row_filter(filter) else {
            return Ok(Listed::nothing());
        };
        self.read(|tx| {
            let found = tx.vaults().list(&project, &filter, &page)?;
            Listed::of_rows(found, |row| rows::view(tx, row))
        })
    }

    /// Changes what `change` names.
    pub fn update_vault(&self, caller: &Caller, id: VaultId, change: VaultChange) -> Result<Vault> {
        let project = project(caller)?;
        let threshold = check_change(&change)?;
        let rules = change.bind_rules.map(limits::bind_rules).transpose()?;
        let change = VaultChange {
            bind_rules: rules,
            ..change
        };
        let now = self.now();
        self.write(|tx| {
            let before = rows::get_available(tx, project, id, Reason::VaultNotUpdatable)?;
            if before.locked && change.locked == Some(false) {
                let about = "a locked vault stays locked";
                return Err(Error::conflict(Reason::VaultNotUpdatable, about));
            }
            if let Some(size) = change.size.filter(|size| size.bytes() < before.used_bytes) {
                let about = format!(
                    "{} are used, {} GiB were asked for",
                    before.used_bytes, size.0
                );
                return Err(Error::conflict(Reason::VaultSizeBad, about));
            }
            let row = tx.vaults().change(&project, &id, |row| {
                apply(row, change);
                row.threshold = threshold.map_or(row.threshold, u32::from);
                row.updated_at = now;
            })?;
            rows::view(tx, row)
        })
    }

    /// Adds resources to a vault; returns their ids in the order given.
    pub fn add_vault_resources(
        &self,
        caller: &Caller,
        id: VaultId,
        resources: Vec<AddedResource>,
    ) -> Result<Vec<ResourceId>> {
        let project = project(caller)?;
        if resources.is_empty() {
            return Err(Error::invalid(
                "resources",
                "must name at least one resource",
            ));
        }
        let now = self.now();
        self.write(|tx| {
            let vault = rows::get_available(tx, project, id, Reason::VaultStateForbids)?;
            let ids = contents::put_in(tx, &vault, resources, now)?;
            Ok(ids)
        })
    }
}

fn check_new(new: &NewVault) -> Result<()> {
    limits::name("name", &new.name)?;
    new.description
        .as_deref()
        .map_or(Ok(()), limits::description)?;
    limits::vault_size(new.size, limits::VAULT_SIZE_CREATED_MIN)?;
    new.enterprise_project_id
        .as_deref()
        .map_or(Ok(()), limits::enterprise_project)?;
    new.backup_name_prefix
        .as_deref()
        .map_or(Ok(()), limits::backup_name_prefix)
}

fn new_row(
    caller: &Caller,
    new: &NewVault,
    id: VaultId,
    now: Timestamp,
    data_key_sealed: Sealed,
) -> Result<VaultRow> {
    let rules = limits::bind_rules(new.bind_rules.clone())?;
    Ok(VaultRow {
        id,
        project_id: project(caller)?,
        user_id: caller.user_id,
        name: new.name.clone(),
        description: new.description.clone(),
        status: VaultStatus::Available,
        size_gib: new.size,
        used_bytes: Bytes(0),
        object_type: new.object_type.into(),
        protect_type: new.protect_type.into(),
        consistent_level: new.consistent_level.into(),
        cloud_type: new.cloud_type.unwrap_or(CloudType::Public).into(),
        charging_mode: new.charging_mode.unwrap_or(ChargingMode::PostPaid).into(),
        is_multi_az: new.is_multi_az.unwrap_or(false),
        auto_bind: new.auto_bind.unwrap_or(false),
        bind_rules: rows::rules_to(&rules),
        auto_expand: new.auto_expand.unwrap_or(false),
        threshold: limits::threshold(new.threshold.unwrap_or(80))?.into(),
        smn_notify: new.smn_notify.unwrap_or(true),
        locked: new.locked.unwrap_or(false),
        backup_name_prefix: new.backup_name_prefix.clone(),
        demand_billing: new.demand_billing.unwrap_or(false),
        enterprise_project_id: new
            .enterprise_project_id
            .clone()
            .unwrap_or_else(|| "0".to_owned()),
        availability_zone: new.availability_zone.clone(),
        data_key_sealed,
        created_at: now,
        updated_at: now,
        region: None,
    })
}

/// Checks what a change asks for; the threshold in its narrow type.
fn check_change(change: &VaultChange) -> Result<Option<u8>> {
    change
        .name
        .as_deref()
        .map_or(Ok(()), |name| limits::name("name", name))?;
    change
        .size
        .map_or(Ok(()), |size| limits::vault_size(size, GiB(1)))?;
    change.threshold.map(limits::threshold).transpose()
}

fn apply(row: &mut VaultRow, change: VaultChange) {
    if let Some(name) = change.name {
        row.name = name;
    }
    if let Some(level) = change.consistent_level {
        row.consistent_level = level.into();
    }
    if let Some(rules) = change.bind_rules {
        row.bind_rules = rows::rules_to(&rules);
    }
    row.size_gib = change.size.unwrap_or(row.size_gib);
    row.auto_bind = change.auto_bind.unwrap_or(row.auto_bind);
    row.auto_expand = change.auto_expand.unwrap_or(row.auto_expand);
    row.smn_notify = change.smn_notify.unwrap_or(row.smn_notify);
    row.locked = change.locked.unwrap_or(row.locked);
}

/// The catalog's filter; `None` if nothing can match.
fn row_filter(filter: &VaultFilter) -> Option<catalog::VaultFilter> {
    let status = match filter.status.as_deref() {
        None => None,
        Some(word) => Some(VaultStatus::parse(word)?),
    };
    Some(catalog::VaultFilter {
        ids: filter.ids.clone(),
        name: filter.name.clone(),
        status,
        cloud_type: filter.cloud_type.map(String::from),
        protect_type: filter.protect_type.map(String::from),
        object_type: filter.object_type.map(String::from),
        enterprise_project_id: one_enterprise_project(filter.enterprise_project_id.as_deref()),
        resource_ids: filter.resource_ids.clone(),
        policy_id: filter.policy_id,
        auto_bind: None,
        region: None,
    })
}

/// The enterprise project of a filter; the vendor has a word for "all of them".
pub(crate) fn one_enterprise_project(asked: Option<&str>) -> Option<String> {
    asked
        .filter(|asked| *asked != "all_granted_eps")
        .map(str::to_owned)
}

/// What may still be put into a vault; `None` without bound.
pub(crate) fn room(vault: &VaultRow) -> Option<Bytes> {
    if vault.demand_billing || (vault.auto_expand && vault.size_gib < limits::VAULT_SIZE_MAX) {
        return None;
    }
    Some(Bytes(
        vault.size_gib.bytes().0.saturating_sub(vault.used_bytes.0),
    ))
}

/// Grows a vault that may grow, a quarter at a time, until `used` fits below its size.
pub(crate) fn grow(vault: &mut VaultRow, used: Bytes) {
    while vault.auto_expand && used >= vault.size_gib.bytes() {
        let grown = vault
            .size_gib
            .0
            .saturating_add(vault.size_gib.0.div_ceil(4));
        let size = GiB(grown).min(limits::VAULT_SIZE_MAX);
        if size == vault.size_gib {
            return;
        }
        vault.size_gib = size;
    }
}
