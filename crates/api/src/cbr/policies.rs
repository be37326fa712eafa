//! Policies: made, listed, shown, changed, deleted; bound to vaults.

use strongroom_control::policies::{
    Advanced, AdvancedRule, AutoProtect, Definition, NewPolicy, Policy, PolicyChange, PolicyFilter,
    StartWindow, VaultPolicy,
};
use strongroom_model::{PolicyId, ResourceId, Timestamp, VaultId};
use strongroom_wire::{
    Empty,
    cbr::{
        self as wire,
        policy::{
            AdvancedRetentionRules, AssociatePolicyReply, AssociatedVault, DissociatePolicyReply,
            ListPoliciesReply, OperationDefinition, PolicyReply, RetentionRule, SetResourceAction,
            SetVaultResourceReply, Trigger, TriggerProperties,
        },
    },
};

use super::{
    pages::page,
    vaults::vault_id,
    words::{asked, asked_maybe, id, id_maybe, ids, shown},
};
use crate::{call::Call, cloud::Cloud, failure::Failure};

pub(super) fn create(
    cloud: &Cloud,
    call: &Call<wire::CreatePolicy>,
) -> Result<PolicyReply, Failure> {
    let asked_for = call.body.policy.clone();
    let calendar = asked_for.trigger.properties;
    let new = NewPolicy {
        name: asked_for.name.into(),
        operation_type: asked(asked_for.operation_type)?,
        enabled: asked_for.enabled,
        definition: definition(asked_for.operation_definition),
        pattern: calendar.pattern,
        start_window: start_window(calendar.start_window_minutes),
    };
    let policy = cloud.control.create_policy(&call.caller()?, new)?;
    Ok(PolicyReply {
        policy: present(policy),
    })
}

pub(super) fn list(
    cloud: &Cloud,
    call: &Call<wire::ListPolicies>,
) -> Result<ListPoliciesReply, Failure> {
    let query = call.query.clone();
    let page = page(query.limit, query.offset, query.marker);
    let filter = PolicyFilter {
        operation_type: asked_maybe(query.operation_type)?,
        vault_id: id_maybe("vault_id", query.vault_id.as_ref())?,
    };
    let listed = cloud
        .control
        .list_policies(&call.caller()?, &filter, &page)?;
    Ok(ListPoliciesReply {
        count: listed.total,
        policies: listed.items.into_iter().map(present).collect(),
    })
}

pub(super) fn show(cloud: &Cloud, call: &Call<wire::ShowPolicy>) -> Result<PolicyReply, Failure> {
    let policy = cloud
        .control
        .show_policy(&call.caller()?, policy_id(&call.path)?)?;
    Ok(PolicyReply {
        policy: present(policy),
    })
}

pub(super) fn update(
    cloud: &Cloud,
    call: &Call<wire::UpdatePolicy>,
) -> Result<PolicyReply, Failure> {
    let asked_for = call.body.policy.clone();
    let calendar = asked_for.trigger.map(|trigger| trigger.properties);
    let change = PolicyChange {
        name: asked_for.name.map(String::from),
        enabled: asked_for.enabled,
        definition: asked_for.operation_definition.map(definition),
        start_window: calendar
            .as_ref()
            .and_then(|calendar| start_window(calendar.start_window_minutes)),
        pattern: calendar.map(|calendar| calendar.pattern),
    };
    let policy = cloud
        .control
        .update_policy(&call.caller()?, policy_id(&call.path)?, change)?;
    Ok(PolicyReply {
        policy: present(policy),
    })
}

pub(super) fn delete(cloud: &Cloud, call: &Call<wire::DeletePolicy>) -> Result<Empty, Failure> {
    cloud
        .control
        .delete_policy(&call.caller()?, policy_id(&call.path)?)?;
    Ok(Empty)
}

pub(super) fn associate(
    cloud: &Cloud,
    call: &Call<wire::AssociateVaultPolicy>,
) -> Result<AssociatePolicyReply, Failure> {
    let (caller, vault_id) = (call.caller()?, vault_id(&call.path)?);
    let body = &call.body;
    let several = body.add_policy_ids.clone().unwrap_or_default();
    let policies: Vec<PolicyId> = match &body.policy_id {
        Some(one) if several.is_empty() => vec![id("policy_id", one)?],
        None if !several.is_empty() => ids("add_policy_ids", &several)?,
        _ => {
            let problem = "name either one policy here or several in add_policy_ids";
            return Err(Failure::malformed("policy_id", problem));
        }
    };
    let destination: Option<VaultId> = id_maybe(
        "destination_vault_id",
        body.destination_vault_id
            .as_ref()
            .filter(|id| !id.is_empty()),
    )?;
    let bound: Vec<_> = policies
        .into_iter()
        .map(|policy_id| VaultPolicy {
            vault_id,
            policy_id,
            destination_vault_id: destination,
        })
        .collect();
    let bound = cloud.control.associate_vault_policies(&caller, &bound)?;
    let last = bound.last().ok_or(Failure::Broken)?;
    Ok(AssociatePolicyReply {
        associate_policy: present_bound(last),
    })
}

pub(super) fn dissociate(
    cloud: &Cloud,
    call: &Call<wire::DisassociateVaultPolicy>,
) -> Result<DissociatePolicyReply, Failure> {
    let policy = id("policy_id", &call.body.policy_id)?;
    let was =
        cloud
            .control
            .dissociate_vault_policy(&call.caller()?, vault_id(&call.path)?, policy)?;
    Ok(DissociatePolicyReply {
        dissociate_policy: present_bound(&was),
    })
}

pub(super) fn set_resources(
    cloud: &Cloud,
    call: &Call<wire::SetVaultResource>,
) -> Result<SetVaultResourceReply, Failure> {
    let resources: Vec<ResourceId> = ids("resource_ids", &call.body.resource_ids)?;
    // The words are the documents', whatever they seem to mean.
    let covered = match call.body.action {
        SetResourceAction::Suspend => AutoProtect::Covered,
        SetResourceAction::Unsuspend => AutoProtect::LeftOut,
    };
    let (caller, vault) = (call.caller()?, vault_id(&call.path)?);
    let set = cloud
        .control
        .set_auto_protect(&caller, vault, &resources, covered)?;
    Ok(SetVaultResourceReply {
        set_resource_ids: set.iter().map(ToString::to_string).collect(),
    })
}

fn policy_id(path: &wire::PolicyPath) -> Result<PolicyId, Failure> {
    id("policy_id", &path.policy_id)
}

pub(super) fn start_window(said: wire::policy::StartWindow) -> Option<StartWindow> {
    match said {
        wire::policy::StartWindow::Unsaid => None,
        wire::policy::StartWindow::Off => Some(StartWindow::Off),
        wire::policy::StartWindow::Minutes(minutes) => Some(StartWindow::Minutes(minutes)),
    }
}

fn present(policy: Policy) -> wire::policy::Policy {
    let vaults = policy.vaults.iter().map(|bound| AssociatedVault {
        destination_vault_id: bound.destination_vault_id.map(|id| id.to_string()),
        vault_id: bound.vault_id.to_string(),
    });
    wire::policy::Policy {
        enabled: policy.enabled,
        id: policy.id.to_string(),
        name: policy.name,
        associated_vaults: Some(vaults.collect()),
        operation_definition: present_definition(policy.definition),
        operation_type: shown(policy.operation_type.as_str()),
        trigger: Trigger {
            id: policy.trigger_id,
            name: Some("default".to_owned()),
            properties: TriggerProperties {
                pattern: policy.pattern,
                start_time: Some(start_time(policy.started_at)),
                start_window_minutes: policy.start_window_minutes,
            },
            trigger_type: Some("time".to_owned()),
        },
        policy_type: Some("custom_policy".to_owned()),
    }
}

/// The one time that the vendor writes with a blank.
fn start_time(time: Timestamp) -> String {
    let text = super::words::time(time).to_string();
    text.split('.').next().unwrap_or_default().replace('T', " ")
}

fn present_bound(bound: &VaultPolicy) -> wire::policy::VaultPolicy {
    wire::policy::VaultPolicy {
        destination_vault_id: bound.destination_vault_id.map(|id| id.to_string()),
        policy_id: bound.policy_id.to_string(),
        vault_id: bound.vault_id.to_string(),
    }
}

pub(super) fn definition(asked_for: OperationDefinition) -> Definition {
    Definition {
        max_backups: asked_for.max_backups,
        retention_duration_days: asked_for.retention_duration_days,
        day_backups: asked_for.day_backups,
        week_backups: asked_for.week_backups,
        month_backups: asked_for.month_backups,
        year_backups: asked_for.year_backups,
        timezone: asked_for.timezone,
        full_backup_interval: asked_for.full_backup_interval,
        destination_region: asked_for.destination_region,
        destination_project_id: asked_for.destination_project_id,
        enable_acceleration: asked_for.enable_acceleration,
        cross_account_urn: asked_for.cross_account_urn,
        advanced: asked_for.advanced_retention_rules.map(|rules| Advanced {
            weekly: rules.weekly_retention_rules.map(rule),
            monthly: rules.monthly_retention_rules.map(rule),
            yearly: rules.yearly_retention_rules.map(rule),
        }),
    }
}

fn rule(rule: RetentionRule) -> AdvancedRule {
    AdvancedRule {
        retention_type: rule.retention_type,
        months: rule.retention_months,
        weeks: rule.retention_weeks,
        days_of_week: rule.days_of_week,
        days_of_month: rule.days_of_month,
        periods: rule.retention_duration_periods,
    }
}

pub(super) fn present_definition(definition: Definition) -> OperationDefinition {
    OperationDefinition {
        day_backups: definition.day_backups,
        destination_project_id: definition.destination_project_id,
        destination_region: definition.destination_region,
        enable_acceleration: definition.enable_acceleration,
        max_backups: definition.max_backups,
        month_backups: definition.month_backups,
        retention_duration_days: definition.retention_duration_days,
        timezone: definition.timezone,
        week_backups: definition.week_backups,
        year_backups: definition.year_backups,
        full_backup_interval: definition.full_backup_interval,
        cross_account_urn: definition.cross_account_urn,
        advanced_retention_rules: definition.advanced.map(|rules| AdvancedRetentionRules {
            weekly_retention_rules: rules.weekly.map(present_rule),
            monthly_retention_rules: rules.monthly.map(present_rule),
            yearly_retention_rules: rules.yearly.map(present_rule),
        }),
    }
}

/// A rule in capitals, which is how the definitions of replies spell its words.
fn present_rule(rule: AdvancedRule) -> RetentionRule {
    let capitals = |words: Option<Vec<String>>| {
        words.map(|words| words.iter().map(|word| word.to_uppercase()).collect())
    };
    RetentionRule {
        retention_type: rule.retention_type.map(|word| word.to_uppercase()),
        retention_months: capitals(rule.months),
        retention_weeks: capitals(rule.weeks),
        days_of_week: capitals(rule.days_of_week),
        days_of_month: rule.days_of_month,
        retention_duration_periods: rule.periods,
    }
}
