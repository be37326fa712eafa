//! Policies at vaults: bound, unbound; resources that a policy leaves out.

use std::collections::BTreeSet;

use strongroom_catalog::{PolicyRow, PolicyType as RowType, Tx, VaultPolicyRow, VaultRow};
use strongroom_model::{PolicyId, ResourceId, Timestamp, VaultId};

use super::{VaultPolicy, get};
use crate::{
    Caller, Control, Error, Reason, Result,
    control::project,
    replication, schedule, vaults,
    words::{ProtectType, stored},
};

impl Control {
    /// Binds policies to a vault, each in the place of the one of its type; binding one again is
    /// no error. Returns what is bound now, in the order asked for.
    pub fn associate_vault_policies(
        &self,
        caller: &Caller,
        asked: &[VaultPolicy],
    ) -> Result<Vec<VaultPolicy>> {
        let project = project(caller)?;
        let now = self.now();
        self.write(|tx| {
            for one in asked {
                let vault = vaults::rows::get_available(
                    tx,
                    project,
                    one.vault_id,
                    Reason::VaultStateForbids,
                )?;
                let policy = get(tx, project, one.policy_id)?;
                if let Some(to) = one.destination_vault_id
                    && policy.operation_type == RowType::Replication
                {
                    replication::policy::check_binding(self, tx, caller, &vault, (&policy, to))?;
                }
                bind(tx, &vault, &policy, one.destination_vault_id, now)?;
            }
            Ok(asked.to_vec())
        })
    }

    /// Takes a policy from a vault; what it was bound to.
    pub fn dissociate_vault_policy(
        &self,
        caller: &Caller,
        vault: VaultId,
        policy: PolicyId,
    ) -> Result<VaultPolicy> {
        let project = project(caller)?;
        self.write(|tx| {
            vaults::rows::get(tx, project, vault)?;
            let row = get(tx, project, policy)?;
            let place = tx
                .vault_policies()
                .get(&project, &vault, row.operation_type)?
                .filter(|place| place.policy_id == policy)
                .ok_or_else(|| Error::not_found(Reason::PolicyNotBound, policy))?;
            tx.vault_policies().remove(&project, &vault, &policy)?;
            Ok(VaultPolicy {
                vault_id: vault,
                policy_id: policy,
                destination_vault_id: place.destination_vault_id,
            })
        })
    }

    /// Says whether the vault's policy covers these of its resources; returns their ids.
    pub fn set_auto_protect(
        &self,
        caller: &Caller,
        vault: VaultId,
        resources: &[ResourceId],
        covered: AutoProtect,
    ) -> Result<Vec<ResourceId>> {
        let project = project(caller)?;
        if resources.is_empty() {
            let problem = "must name at least one resource";
            return Err(Error::invalid("resource_ids", problem));
        }
        self.write(|tx| {
            let vault = vaults::rows::get_available(tx, project, vault, Reason::VaultStateForbids)?;
            let asked: BTreeSet<_> = resources.iter().copied().collect();
            for resource in &asked {
                let place = tx.vault_resources().get(&project, resource)?;
                if place.is_none_or(|place| place.vault_id != vault.id) {
                    return Err(Error::conflict(Reason::ResourceNotInVault, resource));
                }
                tx.vault_resources()
                    .change(&project, &vault.id, resource, |place| {
                        place.auto_protect = covered == AutoProtect::Covered;
                    })?;
            }
            Ok(resources.to_vec())
        })
    }
}

/// Whether the policy of a vault covers a resource in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AutoProtect {
    /// It does.
    Covered,
    /// It leaves the resource out.
    LeftOut,
}

/// Binds a policy to a vault of the same project.
pub(crate) fn bind(
    tx: &Tx<'_>,
    vault: &VaultRow,
    policy: &PolicyRow,
    destination: Option<VaultId>,
    now: Timestamp,
) -> Result<()> {
    fits(vault, policy, destination)?;
    let project = vault.project_id;
    let known = tx
        .vault_policies()
        .get(&project, &vault.id, policy.operation_type)?
        .filter(|place| place.policy_id == policy.id);
    let mut place = match known {
        Some(place) if place.destination_vault_id == destination => return Ok(()),
        Some(place) => place,
        None => VaultPolicyRow {
            project_id: project,
            vault_id: vault.id,
            policy_id: policy.id,
            operation_type: policy.operation_type,
            destination_vault_id: None,
            runs: 0,
            due_at: None,
            start_at: None,
            added_at: now,
        },
    };
    place.destination_vault_id = destination;
    schedule::plan(policy, &mut place, now)?;
    Ok(tx.vault_policies().set(&place)?)
}

/// Refuses a policy that makes no sense at that vault.
fn fits(vault: &VaultRow, policy: &PolicyRow, destination: Option<VaultId>) -> Result<()> {
    let kind = stored::<ProtectType>(&vault.protect_type)?;
    if policy.operation_type == RowType::Backup {
        return if kind == ProtectType::Backup {
            Ok(())
        } else {
            let about = format!("{} is a vault for {kind}", vault.name);
            Err(Error::conflict(Reason::PolicyNotApplicable, about))
        };
    }
    if kind != ProtectType::Backup {
        let about = format!("{} is a vault for {kind}", vault.name);
        return Err(Error::conflict(Reason::VaultKindForbidsReplication, about));
    }
    let Some(destination) = destination else {
        let problem = "a replication policy needs the vault that takes the copies";
        return Err(Error::invalid("destination_vault_id", problem));
    };
    if destination == vault.id {
        let about = "a vault does not take its own copies";
        return Err(Error::conflict(Reason::NoReplicationTarget, about));
    }
    Ok(())
}
