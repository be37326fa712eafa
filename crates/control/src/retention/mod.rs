//! Retention at work: which backups of a vault go now.
//!
//! Only backups that a calendar asked for are looked at; what somebody made by hand goes by hand,
//! or on the day that was set with it. While the clock is not believed, nothing goes. The verdict
//! and the order to delete are one transaction, so no policy changes between the two.

use std::collections::BTreeMap;

use strongroom_catalog::{self as catalog, PolicyType, Tx, VaultRow, policies::ScheduledBackup};
use strongroom_model::{
    BackupId, ResourceId, Timestamp,
    retention::{Candidate, Rule, Verdict, judge},
    state::BackupStatus,
};

use crate::{
    Control, Result, policies, replication,
    schedule::Ledger,
    words::{ProtectType, stored},
};

/// Vaults that are looked at together.
const PAGE: u32 = 100;

impl Control {
    /// One round of retention over all projects: orders the deletion of what goes; how many
    /// backups there were. To be called now and then; idempotent.
    pub fn retention_round(&self) -> Result<u64> {
        let now = self.now();
        let Some(now) = self.read(|tx| Ok(Ledger::read(tx, now)?.believed(now)))? else {
            return Ok(0);
        };
        let filter = catalog::VaultFilter {
            status: Some(strongroom_model::state::VaultStatus::Available),
            ..catalog::VaultFilter::default()
        };
        let mut page = catalog::Page {
            limit: PAGE,
            ..catalog::Page::default()
        };
        let mut gone = 0;
        loop {
            let vaults = self.read(|tx| Ok(tx.vaults().any_project_list(&filter, &page)?.rows))?;
            let Some(last) = vaults.last() else {
                return Ok(gone);
            };
            page.marker = Some(last.id.to_string());
            for vault in &vaults {
                // Most vaults have nothing to delete, and looking needs no lock.
                if !self.read(|tx| leaving(tx, vault, now))?.is_empty() {
                    gone += self.order(|tx| self.let_go(tx, vault, now))?;
                }
            }
        }
    }

    fn let_go(&self, tx: &Tx<'_>, vault: &VaultRow, now: Timestamp) -> Result<u64> {
        let mut gone = 0;
        for backup in leaving(tx, vault, now)? {
            gone += u64::from(self.delete_if_idle(tx, vault.project_id, backup)?);
        }
        Ok(gone)
    }
}

/// The backups of a vault that retention lets go.
fn leaving(tx: &Tx<'_>, vault: &VaultRow, now: Timestamp) -> Result<Vec<BackupId>> {
    let rule = rule_of(tx, vault)?;
    let for_copies = stored::<ProtectType>(&vault.protect_type)? == ProtectType::Replication;
    let mut leaving = Vec::new();
    for (_, backups) in by_resource(tx, vault, None)? {
        let rule = if for_copies {
            replication::policy::rule_there(tx, vault, backups.first().map(|one| &one.row))?
        } else {
            rule.clone()
        };
        let candidates: Vec<_> = backups.iter().filter_map(candidate).collect();
        let seen: Vec<Candidate> = candidates.iter().map(|(_, one)| *one).collect();
        let verdicts = judge(rule.as_ref(), &seen, now);
        for ((id, _), verdict) in candidates.iter().zip(verdicts) {
            if matches!(verdict, Verdict::Goes(_)) {
                leaving.push(*id);
            }
        }
    }
    Ok(leaving)
}

/// The rule of the vault's backup policy, if it has one.
pub(crate) fn rule_of(tx: &Tx<'_>, vault: &VaultRow) -> Result<Option<Rule>> {
    let place = tx
        .vault_policies()
        .get(&vault.project_id, &vault.id, PolicyType::Backup)?;
    let Some(place) = place else {
        return Ok(None);
    };
    let policy = policies::get(tx, vault.project_id, place.policy_id)?;
    Ok(Some(policies::definition_of(&policy)?.rule()?))
}

/// The scheduled backups of each resource, newest first.
fn by_resource(
    tx: &Tx<'_>,
    vault: &VaultRow,
    resource: Option<&ResourceId>,
) -> Result<BTreeMap<ResourceId, Vec<ScheduledBackup>>> {
    let mut found = BTreeMap::<_, Vec<_>>::new();
    let all = tx
        .scheduled_backups()
        .of_vault(&vault.project_id, &vault.id, resource)?;
    for backup in all {
        found
            .entry(backup.row.resource_id)
            .or_default()
            .push(backup);
    }
    Ok(found)
}

/// A backup as retention sees it; none while it is being made or is on its way out already.
fn candidate(backup: &ScheduledBackup) -> Option<(BackupId, Candidate)> {
    let good = match backup.status {
        BackupStatus::Available | BackupStatus::WaitingRestore | BackupStatus::Restoring => true,
        BackupStatus::Error => false,
        BackupStatus::WaitingProtect
        | BackupStatus::Protecting
        | BackupStatus::WaitingDelete
        | BackupStatus::Deleting => return None,
    };
    let one = Candidate {
        at: backup.row.due_at,
        good,
        expires_at: backup.expired_at,
        max_backups: backup.row.max_backups,
    };
    Some((backup.row.backup_id, one))
}
