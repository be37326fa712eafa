//! Plans of deletions, the trash, and how careful the service is with a vault.

use strongroom_control::{identity::Session, locks, plans, trash};
use strongroom_wire::{
    Empty,
    native::{
        self as wire,
        safety::{
            Deed, Going, Grace, LastCopy, Plan, Trash, TrashedBackup, TrashedVault, VaultSafety,
        },
    },
};

use crate::{
    call::Call,
    cbr::words::{id, ids, time},
    cloud::Cloud,
    failure::Failure,
};

pub(super) fn plan(cloud: &Cloud, call: &Call<wire::PlanDeletion>) -> Result<Plan, Failure> {
    let deed = deed(&call.body)?;
    Ok(present(cloud.control.plan(&call.caller()?, &deed)?))
}

pub(super) fn carry_out(cloud: &Cloud, call: &Call<wire::CarryOutPlan>) -> Result<Empty, Failure> {
    permitted(call.session()?, &call.body)?;
    let deed = deed(&call.body)?;
    cloud
        .control
        .carry_out(&call.caller()?, &deed, &call.path.token)?;
    Ok(Empty)
}

pub(super) fn trash(cloud: &Cloud, call: &Call<wire::ListTrash>) -> Result<Trash, Failure> {
    let found = cloud.control.list_trash(&call.caller()?)?;
    Ok(Trash {
        backups: found.backups.into_iter().map(trashed_backup).collect(),
        vaults: found.vaults.into_iter().map(trashed_vault).collect(),
    })
}

pub(super) fn undelete_backup(
    cloud: &Cloud,
    call: &Call<wire::UndeleteBackup>,
) -> Result<Empty, Failure> {
    let id = id("backup_id", &call.path.backup_id)?;
    cloud.control.undelete_backup(&call.caller()?, id)?;
    Ok(Empty)
}

pub(super) fn undelete_vault(
    cloud: &Cloud,
    call: &Call<wire::UndeleteVault>,
) -> Result<Empty, Failure> {
    let id = id("vault_id", &call.path.vault_id)?;
    cloud.control.undelete_vault(&call.caller()?, id)?;
    Ok(Empty)
}

pub(super) fn safety(
    cloud: &Cloud,
    call: &Call<wire::ShowVaultSafety>,
) -> Result<VaultSafety, Failure> {
    let id = id("vault_id", &call.path.vault_id)?;
    Ok(shown(cloud.control.vault_safety(&call.caller()?, id)?))
}

pub(super) fn change_safety(
    cloud: &Cloud,
    call: &Call<wire::ChangeVaultSafety>,
) -> Result<VaultSafety, Failure> {
    let (action, target) = ("cbr:vaults:update", ("vault", call.path.vault_id.as_str()));
    if !call.session()?.permits(action, Some(target)) {
        return Err(Failure::NotPermitted { action });
    }
    let id = id("vault_id", &call.path.vault_id)?;
    let change = locks::SafetyChange {
        locked: call.body.locked,
        locks_manual: call.body.locks_manual,
        guarded: call.body.guarded,
        grace_days: call.body.grace_days,
    };
    let changed = cloud
        .control
        .change_vault_safety(&call.caller()?, id, change)?;
    Ok(shown(changed))
}

pub(super) fn set_grace(cloud: &Cloud, call: &Call<wire::SetGrace>) -> Result<Grace, Failure> {
    let days = call.body.grace_days;
    cloud.control.set_grace_days(&call.caller()?, days)?;
    Ok(Grace { grace_days: days })
}

/// Refuses whoever may not do by the vendor's own call what the plan does: this is no way around
/// a policy.
fn permitted(session: &Session, deed: &Deed) -> Result<(), Failure> {
    let (action, target) = match deed {
        Deed::DeleteBackup { backup_id } => ("cbr:backups:delete", ("backup", backup_id.as_str())),
        Deed::DeleteVault { vault_id } => ("cbr:vaults:delete", ("vault", vault_id.as_str())),
        Deed::RemoveResources { vault_id, .. } => {
            ("cbr:vaults:removeResources", ("vault", vault_id.as_str()))
        }
    };
    if session.permits(action, Some(target)) {
        return Ok(());
    }
    Err(Failure::NotPermitted { action })
}

fn deed(deed: &Deed) -> Result<plans::Deed, Failure> {
    Ok(match deed {
        Deed::DeleteBackup { backup_id } => plans::Deed::DeleteBackup(id("backup_id", backup_id)?),
        Deed::DeleteVault { vault_id } => plans::Deed::DeleteVault(id("vault_id", vault_id)?),
        Deed::RemoveResources {
            vault_id,
            resource_ids,
        } => plans::Deed::RemoveResources {
            vault: id("vault_id", vault_id)?,
            resources: ids("resource_ids", resource_ids)?,
        },
    })
}

fn present(plan: plans::Plan) -> Plan {
    let going = |going: plans::Going| Going {
        backup_id: going.id.to_string(),
        name: going.name,
        resource_id: going.resource_id.to_string(),
        resource_name: going.resource_name,
        protected_at: going.protected_at.map(time),
        logical_bytes: going.logical.0,
        restorable: going.restorable,
        shared_with: going.shared_with,
    };
    let last = |last: plans::LastCopy| LastCopy {
        resource_id: last.resource_id.to_string(),
        resource_name: last.resource_name,
    };
    Plan {
        vault_id: plan.vault_id.to_string(),
        vault_name: plan.vault_name,
        goes: plan.goes.into_iter().map(going).collect(),
        last_copies: plan.last_copies.into_iter().map(last).collect(),
        key_goes: plan.key_goes,
        recoverable_until: plan.recoverable_until.map(time),
        guarded: plan.guarded,
        refused: plan.refused,
        token: plan.token,
    }
}

const fn shown(safety: locks::Safety) -> VaultSafety {
    VaultSafety {
        locked: safety.locked,
        locks_manual: safety.locks_manual,
        guarded: safety.guarded,
        grace_days: safety.grace_days,
    }
}

fn trashed_backup(backup: trash::TrashedBackup) -> TrashedBackup {
    TrashedBackup {
        id: backup.id.to_string(),
        name: backup.name,
        vault_id: backup.vault_id.to_string(),
        resource_id: backup.resource_id.to_string(),
        resource_name: backup.resource_name,
        protected_at: backup.protected_at.map(time),
        deleted_at: time(backup.deleted_at),
        purge_at: time(backup.purge_at),
    }
}

fn trashed_vault(vault: trash::TrashedVault) -> TrashedVault {
    TrashedVault {
        id: vault.id.to_string(),
        name: vault.name,
        backups: vault.backups,
        deleted_at: time(vault.deleted_at),
        purge_at: time(vault.purge_at),
    }
}
