//! Policies of an organization: what an operator rolls out to every project of the account.
//!
//! Each project gets a policy of its own, which its tenants bind to vaults as any other, and cannot
//! change or delete. The roll-out is one transaction with the order; a project that has as many
//! policies as it may is left out and tried again by upkeep, which also finds projects that came
//! later.
//!
//! Deleting one leaves nobody unprotected: where a vault follows the project's policy it becomes
//! the project's own.

mod view;

pub use view::{
    Calendar, NewOrganizationPolicy, OrganizationPolicy, OrganizationPolicyChange, Rollout,
};

use serde_json::json;
use strongroom_catalog::{self as catalog, Json, OrganizationPolicyRow, RolloutRow, Tx};
use strongroom_model::{OrganizationPolicyId, PolicyId, ProjectId};

use crate::{
    Caller, Control, Error, Listed, Page, Reason, Result,
    control::{operator, project},
    limits,
    page::LIMIT_MAX,
    policies::{self, NewPolicy, StartWindow},
    words::{PolicyType, stored},
};

/// Policies of each type that an organization has at most.
const POLICIES_MAX: u64 = 32;
/// The vendor's words for how a roll-out went.
const DONE: &str = "available";
const FAILED: &str = "failed";

impl Control {
    /// Makes a policy and rolls it out to every project of the account.
    pub fn create_organization_policy(
        &self,
        caller: &Caller,
        new: NewOrganizationPolicy,
    ) -> Result<OrganizationPolicy> {
        project(caller)?;
        operator(caller)?;
        limits::name("name", &new.name)?;
        described(new.description.as_deref())?;
        in_scope(caller, new.effective_scope.as_deref())?;
        let now = self.now();
        // What a project's policy would be refused for is refused here, in whichever project.
        let operation_type = new.policy.operation_type.to_string();
        let sample = policies::new_row(self, ProjectId::new(self.entropy()), new.policy, now)?;
        let row = OrganizationPolicyRow {
            id: OrganizationPolicyId::new(self.entropy()),
            domain_id: caller.domain_id,
            name: new.name,
            description: new.description,
            operation_type,
            policy_name: sample.name,
            policy_enabled: sample.enabled,
            definition: sample.definition,
            policy_trigger: Json(json!(Calendar {
                pattern: sample.pattern.0,
                start_window_minutes: sample.start_window_minutes,
            })),
            effective_scope: new.effective_scope,
            created_at: now,
            updated_at: now,
        };
        self.write(|tx| {
            let first = catalog::Page {
                limit: 1,
                ..catalog::Page::default()
            };
            let known =
                tx.organization_policies()
                    .list(&caller.domain_id, &row.operation_type, &first)?;
            if known.total >= POLICIES_MAX {
                let about = format!("{POLICIES_MAX} {} policies", row.operation_type);
                return Err(Error::quota(Reason::TooManyPolicies, about));
            }
            tx.organization_policies().insert(&row)?;
            self.roll_out(tx, &row)?;
            view::view(tx, row)
        })
    }

    /// Changes a policy, and with it those of all projects.
    pub fn update_organization_policy(
        &self,
        caller: &Caller,
        id: OrganizationPolicyId,
        change: OrganizationPolicyChange,
    ) -> Result<OrganizationPolicy> {
        project(caller)?;
        let now = self.now();
        self.write(|tx| {
            let before = get(tx, caller, id)?;
            operator(caller)?;
            let name = change.name.as_deref();
            name.map_or(Ok(()), |name| limits::name("name", name))?;
            described(change.description.as_deref())?;
            in_scope(caller, change.effective_scope.as_deref())?;
            let mut calendar = view::calendar_of(&before)?;
            for rollout in tx.organization_policies().rollouts(&id)? {
                if let Some(policy) = policy_of(tx, &rollout)? {
                    let change = change.policy.clone();
                    policies::change(tx, (rollout.project_id, policy), change, now)?;
                }
            }
            let policy = change.policy;
            if let Some(pattern) = policy.pattern {
                calendar.pattern = pattern;
            }
            if let Some(window) = policy.start_window {
                calendar.start_window_minutes = policies::start_window(window)?;
            }
            let row = tx
                .organization_policies()
                .change(&caller.domain_id, &id, |row| {
                    row.name = change.name.unwrap_or_else(|| row.name.clone());
                    row.description = change.description.or(row.description.take());
                    row.effective_scope = change.effective_scope.or(row.effective_scope.take());
                    row.policy_name = policy.name.unwrap_or_else(|| row.policy_name.clone());
                    row.policy_enabled = policy.enabled.unwrap_or(row.policy_enabled);
                    if let Some(definition) = policy.definition {
                        row.definition = Json(json!(definition));
                    }
                    row.policy_trigger = Json(json!(calendar));
                    row.updated_at = now;
                })?;
            // No project may have it yet, so that nothing above has looked at it.
            policies::new_row(self, ProjectId::new(self.entropy()), policy_for(&row)?, now)?;
            self.roll_out(tx, &row)?;
            view::view(tx, row)
        })
    }

    /// Deletes a policy, and those of the projects that no vault follows.
    pub fn delete_organization_policy(
        &self,
        caller: &Caller,
        id: OrganizationPolicyId,
    ) -> Result<()> {
        project(caller)?;
        self.write(|tx| {
            get(tx, caller, id)?;
            operator(caller)?;
            for rollout in tx.organization_policies().rollouts(&id)? {
                let Some(policy) = policy_of(tx, &rollout)? else {
                    continue;
                };
                match tx.policies().remove(&rollout.project_id, &policy) {
                    // A vault follows it: it is the project's own from now on.
                    Ok(_) | Err(catalog::Error::Reference) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            tx.organization_policies().remove(&caller.domain_id, &id)?;
            Ok(())
        })
    }

    /// One policy of the account.
    pub fn show_organization_policy(
        &self,
        caller: &Caller,
        id: OrganizationPolicyId,
    ) -> Result<OrganizationPolicy> {
        project(caller)?;
        self.read(|tx| view::view(tx, get(tx, caller, id)?))
    }

    /// The account's policies of a type, the oldest first.
    pub fn list_organization_policies(
        &self,
        caller: &Caller,
        operation_type: PolicyType,
        page: &Page,
    ) -> Result<Listed<OrganizationPolicy>> {
        project(caller)?;
        let page = page.rows(LIMIT_MAX)?;
        self.read(|tx| {
            let found = tx.organization_policies().list(
                &caller.domain_id,
                operation_type.as_str(),
                &page,
            )?;
            Listed::of_rows(found, |row| view::view(tx, row))
        })
    }

    /// What became of a policy in each project; a tenant sees its own project alone.
    pub fn organization_rollouts(
        &self,
        caller: &Caller,
        id: OrganizationPolicyId,
    ) -> Result<Vec<Rollout>> {
        let own = project(caller)?;
        self.read(|tx| {
            get(tx, caller, id)?;
            let all = tx.organization_policies().rollouts(&id)?;
            let seen = all
                .into_iter()
                .filter(|row| caller.is_admin || row.project_id == own);
            Ok(seen
                .map(|row| Rollout {
                    policy_id: row.policy_id.unwrap_or_default(),
                    project_id: row.project_id,
                    status: row.status,
                })
                .collect())
        })
    }

    /// Rolls out again what some project does not have yet; how many policies were made.
    ///
    /// To be called now and then; idempotent.
    pub(crate) fn roll_out_organizations(&self) -> Result<u64> {
        let all = self.read(|tx| {
            let all = tx.organization_policies().any_domain()?;
            let mut behind = Vec::new();
            for row in all {
                if !missing(tx, &row)?.is_empty() {
                    behind.push(row);
                }
            }
            Ok(behind)
        })?;
        let mut made = 0;
        for row in all {
            made += self.write(|tx| self.roll_out(tx, &row))?;
        }
        Ok(made)
    }

    /// Makes the policy in each project that lacks it; how many there were.
    fn roll_out(&self, tx: &Tx<'_>, row: &OrganizationPolicyRow) -> Result<u64> {
        let mut made = 0;
        for project in missing(tx, row)? {
            let new = policies::new_row(self, project, policy_for(row)?, self.now())?;
            let (policy_id, status) = match policies::insert(tx, &new) {
                Ok(()) => (Some(new.id.to_string()), DONE),
                Err(Error::QuotaExceeded { .. }) => (None, FAILED),
                Err(error) => return Err(error),
            };
            made += u64::from(policy_id.is_some());
            tx.organization_policies().set_rollout(&RolloutRow {
                organization_policy_id: row.id,
                project_id: project,
                policy_id,
                status: status.to_owned(),
            })?;
        }
        Ok(made)
    }
}

/// Refuses a change of a project's policy that is an organization's.
pub(crate) fn not_its(tx: &Tx<'_>, project: ProjectId, policy: PolicyId) -> Result<()> {
    let id = policy.to_string();
    if tx.organization_policies().has_rolled_out(&project, &id)? {
        return Err(Error::forbidden(
            "the policy is the organization's: an operator changes it there",
        ));
    }
    Ok(())
}

/// The enabled projects of the account that do not have the policy.
fn missing(tx: &Tx<'_>, row: &OrganizationPolicyRow) -> Result<Vec<ProjectId>> {
    let have = tx.organization_policies().rollouts(&row.id)?;
    let has = |project: &ProjectId| {
        let mut own = have.iter().filter(|row| row.project_id == *project);
        own.any(|row| row.status == DONE)
    };
    let projects = tx.projects().list(&row.domain_id)?;
    Ok(projects
        .into_iter()
        .filter(|project| project.enabled && !has(&project.id))
        .map(|project| project.id)
        .collect())
}

/// The policy that a project gets.
fn policy_for(row: &OrganizationPolicyRow) -> Result<NewPolicy> {
    let calendar = view::calendar_of(row)?;
    let window = calendar.start_window_minutes;
    Ok(NewPolicy {
        name: row.policy_name.clone(),
        operation_type: stored(&row.operation_type)?,
        enabled: Some(row.policy_enabled),
        definition: policies::read(&row.definition.0)?,
        pattern: calendar.pattern,
        start_window: window.map(|minutes| StartWindow::Minutes(i64::from(minutes))),
    })
}

/// The project's policy of a roll-out, if it is there.
fn policy_of(tx: &Tx<'_>, rollout: &RolloutRow) -> Result<Option<PolicyId>> {
    let id = rollout.policy_id.as_ref().and_then(|id| id.parse().ok());
    let Some(id) = id else { return Ok(None) };
    let row = tx.policies().get(&rollout.project_id, &id)?;
    Ok(row.map(|row| row.id))
}

fn get(tx: &Tx<'_>, caller: &Caller, id: OrganizationPolicyId) -> Result<OrganizationPolicyRow> {
    tx.organization_policies()
        .get(&caller.domain_id, &id)?
        .ok_or_else(|| Error::not_found(Reason::NoSuchPolicy, id))
}

fn described(text: Option<&str>) -> Result<()> {
    text.map_or(Ok(()), limits::description)
}

/// One installation has one organization of one account, so a policy applies to it or to nobody.
fn in_scope(caller: &Caller, said: Option<&str>) -> Result<()> {
    let own = caller.domain_id.to_string();
    if said.is_none_or(|scope| scope.is_empty() || scope == own) {
        return Ok(());
    }
    let problem = format!("must be empty or the account's id, {own}");
    Err(Error::invalid("effective_scope", problem))
}
