//! How careful the service is with a vault: lock, guard, grace.
//!
//! - A **lock** keeps automatic backups (and, if that was said, backups made by hand) until they
//!   expire; nobody unlocks, an operator neither.
//! - A **guard** has every deletion show its plan first: it needs the plan's token.
//!   Where the store offers it, the lock holds there too (`at_store`).
//! - **Grace** is how long what was deleted can be brought back.
//!
//! A lock or a guard also has retention keep its promises: no change of a policy lets go of what
//! the rule that a backup was made under still holds, and nobody moves a backup's day nearer.
//!
//! Each can be made stricter by whoever may change the vault. Looser, only an operator makes the
//! guard and the grace, and nobody the lock.

pub(crate) mod at_store;

use strongroom_catalog::{BackupRow, Tx, VaultRow, VaultSafetyRow};
use strongroom_model::{Timestamp, VaultId};

use crate::{
    Caller, Control, Error, Reason, Result,
    control::{operator, project},
    jobs, trash,
    vaults::rows,
};

/// Days of grace in a guarded vault, unless an operator said otherwise.
const GUARDED_GRACE_DAYS: u32 = 7;
/// The longest grace.
const GRACE_DAYS_MAX: u32 = 365;

/// How careful the service is with a vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Safety {
    /// Whether automatic backups are kept from deletion until they expire.
    pub locked: bool,
    /// Whether that holds for backups made by hand too.
    pub locks_manual: bool,
    /// Whether what deletes needs the token of its plan.
    pub guarded: bool,
    /// Days that what was deleted can be brought back; 0 if it goes at once.
    pub grace_days: u32,
}

/// What to change of a vault's safety; `None` leaves a field as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SafetyChange {
    /// True locks the vault for ever; false on a locked vault is refused.
    pub locked: Option<bool>,
    /// True extends the lock for ever; false after that is refused.
    pub locks_manual: Option<bool>,
    /// False after true is for operators.
    pub guarded: Option<bool>,
    /// Less than before is for operators.
    pub grace_days: Option<u32>,
}

impl Control {
    /// How careful the service is with a vault.
    pub fn vault_safety(&self, caller: &Caller, id: VaultId) -> Result<Safety> {
        let project = project(caller)?;
        self.read(|tx| safety_of(tx, &rows::get(tx, project, id)?))
    }

    /// Makes the service more careful with a vault, or, as an operator, less.
    pub fn change_vault_safety(
        &self,
        caller: &Caller,
        id: VaultId,
        change: SafetyChange,
    ) -> Result<Safety> {
        let project = project(caller)?;
        let now = self.now();
        self.order(|tx| {
            let vault = rows::get_available(tx, project, id, Reason::VaultNotUpdatable)?;
            let before = safety_of(tx, &vault)?;
            may_change(caller, before, change)?;
            let said = tx.trash().safety(&project, &id)?;
            let grace = said.as_ref().and_then(|row| row.grace_days);
            tx.trash().set_safety(&VaultSafetyRow {
                project_id: project,
                vault_id: id,
                guarded: change.guarded.unwrap_or(before.guarded),
                locks_manual: change.locks_manual.unwrap_or(before.locks_manual),
                grace_days: change.grace_days.or(grace),
            })?;
            let vault = tx.vaults().change(&project, &id, |row| {
                row.locked = change.locked.unwrap_or(row.locked);
                row.updated_at = now;
            })?;
            jobs::order_retention(self, tx, &vault, jobs::Again::No)?;
            safety_of(tx, &vault)
        })
    }

    /// Days that what is deleted can be brought back where no vault says otherwise.
    pub fn grace_days(&self) -> Result<u32> {
        self.read(trash::installation_days)
    }

    /// Sets those days; for operators.
    pub fn set_grace_days(&self, caller: &Caller, days: u32) -> Result<()> {
        operator(caller)?;
        in_bounds(days)?;
        self.write(|tx| Ok(tx.settings().set(trash::GRACE_SETTING, &days.to_string())?))
    }
}

fn in_bounds(days: u32) -> Result<()> {
    if days <= GRACE_DAYS_MAX {
        return Ok(());
    }
    let problem = format!("must be from 0 to {GRACE_DAYS_MAX}");
    Err(Error::invalid("grace_days", problem))
}

fn may_change(caller: &Caller, before: Safety, change: SafetyChange) -> Result<()> {
    let unset = |was: bool, asked: Option<bool>| was && asked == Some(false);
    if unset(before.locked, change.locked) || unset(before.locks_manual, change.locks_manual) {
        let about = "a locked vault stays locked";
        return Err(Error::conflict(Reason::VaultNotUpdatable, about));
    }
    change.grace_days.map_or(Ok(()), in_bounds)?;
    let looser = unset(before.guarded, change.guarded)
        || change
            .grace_days
            .is_some_and(|days| days < before.grace_days);
    if looser {
        operator(caller)?;
    }
    Ok(())
}

/// How careful the service is with a vault.
pub(crate) fn safety_of(tx: &Tx<'_>, vault: &VaultRow) -> Result<Safety> {
    let said = tx.trash().safety(&vault.project_id, &vault.id)?;
    let guarded = said.as_ref().is_some_and(|row| row.guarded);
    let installation = trash::installation_days(tx)?;
    let unsaid = if guarded {
        installation.max(GUARDED_GRACE_DAYS)
    } else {
        installation
    };
    Ok(Safety {
        locked: vault.locked,
        locks_manual: said.as_ref().is_some_and(|row| row.locks_manual),
        guarded,
        grace_days: said.and_then(|row| row.grace_days).unwrap_or(unsaid),
    })
}

/// Whether the vault's lock keeps a backup from deletion by hand now.
///
/// One that never expires is kept for ever. A backup that failed and holds no data protects
/// nobody.
pub(crate) fn keeps(safety: Safety, backup: &BackupRow, now: Timestamp) -> bool {
    let covered = backup.auto_trigger || safety.locks_manual;
    let expired = backup.expired_at.is_some_and(|at| at <= now);
    safety.locked && covered && !expired && backup.manifest_id.is_some()
}

/// Whether retention keeps in the vault what it promised when backups were made, whatever became
/// of the policy since.
pub(crate) const fn keeps_promises(safety: Safety) -> bool {
    safety.locked || safety.guarded
}
