//! Whether a proven caller may do what it asks for.
//!
//! The operation's declaration has the action; what it is done to is the first object that its
//! path names. What stands in a body is not looked at: policies about single resources treat that
//! as doubt (see `control::permissions`).

use strongroom_control::identity::Session;
use strongroom_wire::OperationInfo;

use crate::failure::Failure;

/// Variables of paths and the type of resource that policies call them by.
const KINDS: &[(&str, &str)] = &[
    ("agent_id", "agent"),
    ("backup_id", "backup"),
    ("checkpoint_id", "checkpoint"),
    ("instance_id", "instance"),
    ("operation_log_id", "task"),
    ("organization_policy_id", "organizationPolicy"),
    ("policy_id", "policy"),
    ("resource_id", "resource"),
    ("vault_id", "vault"),
];

/// Refuses what neither role nor policy permits, and what a policy denies.
pub(crate) fn authorize(
    session: &Session,
    info: &OperationInfo,
    segments: &[(&str, String)],
) -> Result<(), Failure> {
    let target = segments.iter().find_map(|(name, id)| {
        let (_, kind) = KINDS.iter().find(|(variable, _)| variable == name)?;
        Some((*kind, id.as_str()))
    });
    if session.permits(info.action, target) {
        return Ok(());
    }
    Err(Failure::NotPermitted {
        action: info.action,
    })
}
