//! Policies: when the backups of a vault are made, and how long they stay.
//!
//! A vault has one policy of each type; binding another one puts it in the place of the first.
//! Deleting a policy takes it from its vaults and leaves their backups, each under the rule that
//! it was made under (docs/adr/0014-clockwork.md).

mod binding;
mod definition;
mod view;

pub use binding::AutoProtect;
pub use definition::{Advanced, AdvancedRule, Definition};
pub use view::{
    BoundVault, NewPolicy, Policy, PolicyChange, PolicyFilter, StartWindow, VaultPolicy,
};

pub(crate) use binding::bind;

use serde_json::json;
use strongroom_catalog::{self as catalog, Json, PolicyRow, Tx};
use strongroom_model::{PolicyId, ProjectId, Timestamp, schedule::Schedule};

use crate::{
    Caller, Control, Error, Listed, Page, Reason, Result, control::project, limits, organization,
    page::LIMIT_MAX, schedule, words::PolicyType,
};

/// Policies of each type that a project has at most.
const POLICIES_MAX: u64 = 32;

impl Control {
    /// Makes a policy.
    pub fn create_policy(&self, caller: &Caller, new: NewPolicy) -> Result<Policy> {
        let project = project(caller)?;
        let row = new_row(self, project, new, self.now())?;
        self.write(|tx| {
            insert(tx, &row)?;
            view_of(tx, row)
        })
    }

    /// One policy.
    pub fn show_policy(&self, caller: &Caller, id: PolicyId) -> Result<Policy> {
        let project = project(caller)?;
        self.read(|tx| view_of(tx, get(tx, project, id)?))
    }

    /// The policies that match, oldest first.
    pub fn list_policies(
        &self,
        caller: &Caller,
        filter: &PolicyFilter,
        page: &Page,
    ) -> Result<Listed<Policy>> {
        let project = project(caller)?;
        let page = page.rows(LIMIT_MAX)?;
        let filter = catalog::PolicyFilter {
            operation_type: filter.operation_type.map(PolicyType::to_row),
            vault_id: filter.vault_id,
        };
        self.read(|tx| {
            let found = tx.policies().list(&project, &filter, &page)?;
            Listed::of_rows(found, |row| view_of(tx, row))
        })
    }

    /// Changes what `change` names; from now on runs follow the new calendar.
    pub fn update_policy(
        &self,
        caller: &Caller,
        id: PolicyId,
        change: PolicyChange,
    ) -> Result<Policy> {
        let project = project(caller)?;
        let now = self.now();
        self.write(|tx| {
            organization::not_its(tx, project, id)?;
            let row = self::change(tx, (project, id), change, now)?;
            view_of(tx, row)
        })
    }

    /// Deletes a policy; the vaults it was bound to make no more backups by it.
    pub fn delete_policy(&self, caller: &Caller, id: PolicyId) -> Result<()> {
        let project = project(caller)?;
        self.write(|tx| {
            get(tx, project, id)?;
            organization::not_its(tx, project, id)?;
            tx.vault_policies().remove_policy(&project, &id)?;
            tx.policies().remove(&project, &id)?;
            Ok(())
        })
    }
}

/// A policy to be, checked.
pub(crate) fn new_row(
    control: &Control,
    project: ProjectId,
    new: NewPolicy,
    now: Timestamp,
) -> Result<PolicyRow> {
    limits::name("name", &new.name)?;
    new.definition.check(new.operation_type)?;
    let row = PolicyRow {
        id: PolicyId::new(control.entropy()),
        project_id: project,
        name: new.name,
        operation_type: new.operation_type.to_row(),
        enabled: new.enabled.unwrap_or(true),
        definition: Json(json!(new.definition)),
        trigger_id: PolicyId::new(control.entropy()).to_string(),
        pattern: Json(new.pattern),
        start_window_minutes: start_window(new.start_window.unwrap_or(StartWindow::Off))?,
        started_at: now,
        created_at: now,
        updated_at: now,
    };
    calendar(&row)?;
    Ok(row)
}

/// Adds a policy, if the project has room for it.
pub(crate) fn insert(tx: &Tx<'_>, row: &PolicyRow) -> Result<()> {
    if tx.policies().count(&row.project_id, row.operation_type)? >= POLICIES_MAX {
        let about = format!("{POLICIES_MAX} {} policies", row.operation_type.as_str());
        return Err(Error::quota(Reason::TooManyPolicies, about));
    }
    Ok(tx.policies().insert(row)?)
}

/// Changes a policy; from now on runs follow the new calendar.
pub(crate) fn change(
    tx: &Tx<'_>,
    (project, id): (ProjectId, PolicyId),
    change: PolicyChange,
    now: Timestamp,
) -> Result<PolicyRow> {
    if let Some(name) = &change.name {
        limits::name("name", name)?;
    }
    let window = change.start_window.map(start_window).transpose()?;
    let before = get(tx, project, id)?;
    if let Some(definition) = &change.definition {
        definition.check(PolicyType::of_row(before.operation_type))?;
        keeps_its_region(tx, &before, definition)?;
    }
    let row = tx.policies().change(&project, &id, |row| {
        row.name = change.name.unwrap_or_else(|| row.name.clone());
        row.enabled = change.enabled.unwrap_or(row.enabled);
        if let Some(definition) = change.definition {
            row.definition = Json(json!(definition));
        }
        if let Some(pattern) = change.pattern {
            row.pattern = Json(pattern);
        }
        row.start_window_minutes = window.unwrap_or(row.start_window_minutes);
        row.updated_at = now;
    })?;
    calendar(&row)?;
    for mut place in tx.vault_policies().of_policy(&project, &id)? {
        schedule::plan(&row, &mut place, now)?;
        tx.vault_policies().set(&place)?;
    }
    Ok(row)
}

/// The project's policy of that id, or the refusal.
pub(crate) fn get(tx: &Tx<'_>, project: ProjectId, id: PolicyId) -> Result<PolicyRow> {
    tx.policies()
        .get(&project, &id)?
        .ok_or_else(|| Error::not_found(Reason::NoSuchPolicy, id))
}

/// The calendar of a policy, or what is wrong with it.
pub(crate) fn calendar(row: &PolicyRow) -> Result<Schedule> {
    Schedule::new(&row.pattern.0, row.started_at)
        .map_err(|error| Error::invalid("pattern", error.to_string()))
}

/// How long a policy's backups stay.
pub(crate) fn definition_of(row: &PolicyRow) -> Result<Definition> {
    read(&row.definition.0)
}

/// How long backups stay, as the catalog keeps it.
pub(crate) fn read(definition: &serde_json::Value) -> Result<Definition> {
    serde_json::from_value(definition.clone())
        .map_err(|error| Error::bug("the catalog holds an unreadable policy", error))
}

pub(crate) fn view_of(tx: &Tx<'_>, row: PolicyRow) -> Result<Policy> {
    let places = tx.vault_policies().of_policy(&row.project_id, &row.id)?;
    Ok(Policy {
        definition: definition_of(&row)?,
        id: row.id,
        project_id: row.project_id,
        name: row.name,
        operation_type: PolicyType::of_row(row.operation_type),
        enabled: row.enabled,
        trigger_id: row.trigger_id,
        pattern: row.pattern.0,
        start_window_minutes: row.start_window_minutes,
        started_at: row.started_at,
        vaults: places
            .iter()
            .map(|place| BoundVault {
                vault_id: place.vault_id,
                destination_vault_id: place.destination_vault_id,
                next_run: place.start_at,
            })
            .collect(),
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}

/// Minutes to spread starts over: 60 to 480.
pub(crate) fn start_window(window: StartWindow) -> Result<Option<u32>> {
    match window {
        StartWindow::Off => Ok(None),
        StartWindow::Minutes(minutes @ 60..=480) => Ok(u32::try_from(minutes).ok()),
        StartWindow::Minutes(_) => {
            let problem = "must be from 60 to 480, or null";
            Err(Error::invalid("start_window_minutes", problem))
        }
    }
}

/// A replication policy that a vault uses copies to where it did.
fn keeps_its_region(tx: &Tx<'_>, before: &PolicyRow, after: &Definition) -> Result<()> {
    let was = definition_of(before)?;
    let moved = was.destination_region != after.destination_region
        || was.destination_project_id != after.destination_project_id;
    let replication = before.operation_type == catalog::PolicyType::Replication;
    if !replication || !moved {
        return Ok(());
    }
    let used = tx
        .vault_policies()
        .of_policy(&before.project_id, &before.id)?;
    if used.is_empty() {
        return Ok(());
    }
    Err(Error::conflict(Reason::PolicyRegionFixed, &before.name))
}

impl PolicyType {
    pub(crate) const fn to_row(self) -> catalog::PolicyType {
        match self {
            Self::Backup => catalog::PolicyType::Backup,
            Self::Replication => catalog::PolicyType::Replication,
        }
    }

    pub(crate) const fn of_row(row: catalog::PolicyType) -> Self {
        match row {
            catalog::PolicyType::Backup => Self::Backup,
            catalog::PolicyType::Replication => Self::Replication,
        }
    }
}
