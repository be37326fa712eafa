//! Retention at work: which backups of a vault go now.
//!
//! Only backups that a calendar asked for are looked at; what somebody made by hand goes by hand,
//! or on the day that was set with it. While the clock is not believed, nothing goes. The verdict
//! and the order to delete are one transaction, so no policy changes between the two.
//!
//! A vault that is locked or guarded keeps what it promised: a backup there goes when both the rule
//! of now and the rule that it was made under let it go (docs/adr/0021-promises.md).

mod expiry;
mod preview;

pub use expiry::{ExpiryChanged, NewExpiry};
pub use preview::{Foreseen, NewPreview, Preview};

use std::collections::BTreeMap;

use strongroom_catalog::{
    self as catalog, Json, PolicyRow, PolicyType, Tx, VaultRow, policies::ScheduledBackup,
};
use strongroom_model::{
    BackupId, ResourceId, Timestamp,
    retention::{Candidate, Subject, Terms, Verdict},
    state::BackupStatus,
};

use crate::{
    Control, Error, Result, locks, policies, replication,
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
    let found = of_vault(tx, vault, None)?;
    let promises = Promises::of(tx, vault, policy_of(tx, vault)?.as_ref(), &found)?;
    let mut leaving = Vec::new();
    for backups in found.values() {
        let known: Vec<_> = backups
            .iter()
            .filter_map(|backup| Some((backup.row.backup_id, promises.subject(backup)?)))
            .collect();
        let subjects: Vec<_> = known.iter().map(|(_, subject)| *subject).collect();
        let verdicts = promises.terms_of(tx, vault, backups)?.judge(&subjects, now);
        for ((id, _), verdict) in known.iter().zip(verdicts) {
            if matches!(verdict, Verdict::Goes(_)) {
                leaving.push(*id);
            }
        }
    }
    Ok(leaving)
}

/// The vault's backup policy, if it has one.
fn policy_of(tx: &Tx<'_>, vault: &VaultRow) -> Result<Option<PolicyRow>> {
    let place = tx
        .vault_policies()
        .get(&vault.project_id, &vault.id, PolicyType::Backup)?;
    place
        .map(|place| policies::get(tx, vault.project_id, place.policy_id))
        .transpose()
}

/// Scheduled backups of each resource, newest first.
type ByResource = BTreeMap<ResourceId, Vec<ScheduledBackup>>;

fn of_vault(tx: &Tx<'_>, vault: &VaultRow, resource: Option<&ResourceId>) -> Result<ByResource> {
    let mut found = ByResource::new();
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

/// What decides in a vault, and which promise each of its backups was given.
struct Promises {
    terms: Terms,
    /// Of each of the promised rules, how it was written down.
    definitions: Vec<serde_json::Value>,
}

impl Promises {
    fn of(
        tx: &Tx<'_>,
        vault: &VaultRow,
        policy: Option<&PolicyRow>,
        backups: &ByResource,
    ) -> Result<Self> {
        let rule = policy
            .map(|policy| policies::definition_of(policy)?.rule())
            .transpose()?;
        let mut terms = Terms {
            rule,
            promised: None,
        };
        let mut definitions = Vec::new();
        if locks::keeps_promises(locks::safety_of(tx, vault)?) {
            let written = backups.values().flatten();
            let written = written.filter_map(|backup| backup.row.definition.as_ref());
            let now = policy.map(|policy| &policy.definition);
            let mut promised = Vec::new();
            for Json(definition) in written.chain(now) {
                if !definitions.contains(definition) {
                    promised.push(policies::read(definition)?.rule()?);
                    definitions.push(definition.clone());
                }
            }
            terms.promised = Some(promised);
        }
        Ok(Self { terms, definitions })
    }

    /// What decides about the backups of one resource, the newest of them first. In a vault for
    /// copies that is the policy that copies there, and resources may have several.
    fn terms_of(
        &self,
        tx: &Tx<'_>,
        vault: &VaultRow,
        backups: &[ScheduledBackup],
    ) -> Result<Terms> {
        let mut terms = self.terms.clone();
        if stored::<ProtectType>(&vault.protect_type)? == ProtectType::Replication {
            let newest = backups.first().map(|one| &one.row);
            terms.rule = replication::policy::rule_there(tx, vault, newest)?;
        }
        Ok(terms)
    }

    /// Which promise is written down so.
    fn place(&self, definition: &serde_json::Value) -> Option<usize> {
        self.definitions.iter().position(|one| one == definition)
    }

    /// A backup as retention sees it; none while it is being made or is on its way out already.
    fn subject(&self, backup: &ScheduledBackup) -> Option<Subject> {
        let good = match backup.status {
            BackupStatus::Available | BackupStatus::WaitingRestore | BackupStatus::Restoring => {
                true
            }
            BackupStatus::Error => false,
            BackupStatus::WaitingProtect
            | BackupStatus::Protecting
            | BackupStatus::WaitingDelete
            | BackupStatus::Deleting => return None,
        };
        let row = &backup.row;
        Some(Subject {
            candidate: Candidate {
                at: row.due_at,
                good,
                expires_at: backup.expired_at,
                day_by_hand: row.day_by_hand,
                max_backups: row.max_backups,
            },
            made_under: row
                .definition
                .as_ref()
                .and_then(|Json(definition)| self.place(definition)),
        })
    }
}

/// The end of a day of the calendar that somebody named, `YYYY-MM-DD`.
fn end_of_day(
    field: &'static str,
    text: &str,
    zone: &strongroom_model::retention::Zone,
) -> Result<Timestamp> {
    let digits = |part: &str, count: usize| {
        let plain = part.len() == count && part.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| part.parse::<i16>().ok()).flatten()
    };
    let mut parts = text.splitn(3, '-');
    let mut next = |count| parts.next().and_then(|part| digits(part, count));
    let end = (|| {
        let (year, month, day) = (next(4)?, next(2)?, next(2)?);
        let (month, day) = (i8::try_from(month).ok()?, i8::try_from(day).ok()?);
        zone.end_of_day(year, month, day)
    })();
    end.ok_or_else(|| Error::invalid(field, "must be a day such as 2027-01-31"))
}
