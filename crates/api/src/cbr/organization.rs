//! Policies of an organization: made, listed, shown, changed, deleted; what became of them.

use strongroom_control::{
    organization::{self, NewOrganizationPolicy, OrganizationPolicyChange, Rollout},
    policies::{NewPolicy, PolicyChange},
};
use strongroom_model::OrganizationPolicyId;
use strongroom_wire::{
    Empty,
    cbr::{
        self as wire,
        organization::{
            ListOrganizationPoliciesReply, OrganizationPolicy, OrganizationPolicyReply,
            OrganizationRollout, OrganizationRolloutsReply,
        },
        policy::{StartWindow, TriggerPropertiesRequest, TriggerRequest},
    },
};

use super::{
    pages::{limit_of, offset_of, page},
    policies::{definition, present_definition, start_window},
    words::{asked, id, shown},
};
use crate::{call::Call, cloud::Cloud, failure::Failure};

pub(super) fn create(
    cloud: &Cloud,
    call: &Call<wire::CreateOrganizationPolicy>,
) -> Result<OrganizationPolicyReply, Failure> {
    let asked_for = call.body.policy.clone();
    let calendar = asked_for.policy_trigger.properties;
    let new = NewOrganizationPolicy {
        name: asked_for.name.into(),
        description: asked_for.description,
        effective_scope: asked_for.effective_scope,
        policy: NewPolicy {
            name: asked_for.policy_name.into(),
            operation_type: asked(asked_for.operation_type)?,
            enabled: Some(asked_for.policy_enabled),
            definition: definition(asked_for.policy_operation_definition),
            pattern: calendar.pattern,
            start_window: start_window(calendar.start_window_minutes),
        },
    };
    let made = cloud
        .control
        .create_organization_policy(&call.caller()?, new)?;
    Ok(OrganizationPolicyReply {
        policy: present(made),
    })
}

pub(super) fn update(
    cloud: &Cloud,
    call: &Call<wire::UpdateOrganizationPolicy>,
) -> Result<OrganizationPolicyReply, Failure> {
    let asked_for = call.body.policy.clone();
    let calendar = asked_for.policy_trigger.map(|trigger| trigger.properties);
    let change = OrganizationPolicyChange {
        name: asked_for.name.map(String::from),
        description: asked_for.description,
        effective_scope: asked_for.effective_scope,
        policy: PolicyChange {
            name: asked_for.policy_name.map(String::from),
            enabled: asked_for.policy_enabled,
            definition: asked_for.policy_operation_definition.map(definition),
            start_window: calendar
                .as_ref()
                .and_then(|calendar| start_window(calendar.start_window_minutes)),
            pattern: calendar.map(|calendar| calendar.pattern),
        },
    };
    let id = policy_id(&call.path)?;
    let changed = cloud
        .control
        .update_organization_policy(&call.caller()?, id, change)?;
    Ok(OrganizationPolicyReply {
        policy: present(changed),
    })
}

pub(super) fn show(
    cloud: &Cloud,
    call: &Call<wire::ShowOrganizationPolicy>,
) -> Result<OrganizationPolicyReply, Failure> {
    let id = policy_id(&call.path)?;
    let found = cloud
        .control
        .show_organization_policy(&call.caller()?, id)?;
    Ok(OrganizationPolicyReply {
        policy: present(found),
    })
}

pub(super) fn list(
    cloud: &Cloud,
    call: &Call<wire::ListOrganizationPolicies>,
) -> Result<ListOrganizationPoliciesReply, Failure> {
    let query = call.query.clone();
    let Some(operation_type) = query.operation_type else {
        return Err(Failure::malformed("operation_type", "must be said"));
    };
    let page = page(query.limit, query.offset, None);
    let listed =
        cloud
            .control
            .list_organization_policies(&call.caller()?, asked(operation_type)?, &page)?;
    Ok(ListOrganizationPoliciesReply {
        count: listed.total,
        limit: limit_of(&page),
        offset: offset_of(&page),
        policies: listed.items.into_iter().map(present).collect(),
    })
}

pub(super) fn delete(
    cloud: &Cloud,
    call: &Call<wire::DeleteOrganizationPolicy>,
) -> Result<Empty, Failure> {
    let id = policy_id(&call.path)?;
    cloud
        .control
        .delete_organization_policy(&call.caller()?, id)?;
    Ok(Empty)
}

pub(super) fn rollouts(
    cloud: &Cloud,
    call: &Call<wire::ListOrganizationPolicyDetail>,
) -> Result<OrganizationRolloutsReply, Failure> {
    let caller = call.caller()?;
    let all = cloud
        .control
        .organization_rollouts(&caller, policy_id(&call.path)?)?;
    let present = |rollout: Rollout| OrganizationRollout {
        domain_id: caller.domain_id.to_string(),
        policy_id: rollout.policy_id,
        project_id: rollout.project_id.to_string(),
        status: rollout.status,
    };
    Ok(OrganizationRolloutsReply {
        count: all.len() as u64,
        limit: 1000,
        offset: 0,
        policies: all.into_iter().map(present).collect(),
    })
}

fn policy_id(path: &wire::OrganizationPolicyPath) -> Result<OrganizationPolicyId, Failure> {
    id("organization_policy_id", &path.organization_policy_id)
}

fn present(policy: organization::OrganizationPolicy) -> OrganizationPolicy {
    let window = policy.calendar.start_window_minutes;
    OrganizationPolicy {
        description: policy.description,
        domain_id: policy.domain_id.to_string(),
        domain_name: Some(policy.domain_name),
        effective_scope: policy.effective_scope,
        id: policy.id.to_string(),
        name: policy.name,
        operation_type: shown(policy.operation_type.as_str()),
        policy_enabled: policy.policy_enabled,
        policy_name: policy.policy_name,
        policy_operation_definition: present_definition(policy.definition),
        policy_trigger: TriggerRequest {
            properties: TriggerPropertiesRequest {
                pattern: policy.calendar.pattern,
                start_window_minutes: window.map_or(StartWindow::Unsaid, |minutes| {
                    StartWindow::Minutes(i64::from(minutes))
                }),
            },
        },
        status: if policy.rolled_out {
            "available"
        } else {
            "syncing"
        }
        .to_owned(),
    }
}
