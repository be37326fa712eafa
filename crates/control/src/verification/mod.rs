//! Proof that data are good: every byte of every vault is read again within so many days, off the
//! requests' way, and what is found is healed where anything can heal it.
//!
//! A vault's packs are read in as many parts as there are days, one part a day; which part a pack
//! belongs to is in its name, so packs that come meanwhile are read with the others. With the last
//! part everything that the catalog knows is looked for in the repository: then the round is
//! complete, and every backup that is older than it is proven good, or said to be damaged.

use strongroom_catalog::{CheckSums, Tx, VaultFilter, VaultRow};
use strongroom_model::{BackupId, Timestamp, state::VaultStatus};
use strongroom_store::limit::Rate;

use crate::{
    Control, Result,
    jobs::{self, params::VERIFY_KEY},
};

/// The longest round.
const DAYS_MAX: u32 = 3650;

/// How often data are read again, and how fast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// Within so many days every byte is read; 0 is never.
    pub days: u32,
    /// No faster than this.
    pub rate: Option<Rate>,
}

/// What the last check said of a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// When everything that it needs had been read.
    pub at: Timestamp,
    /// What is lost of it; none if it is whole.
    pub problem: Option<String>,
}

impl Control {
    /// Orders the next part of the checks of every vault whose time has come; how many there
    /// were. To be called now and then; idempotent.
    pub fn verification_round(&self, terms: Terms) -> Result<u64> {
        if terms.days == 0 {
            return Ok(0);
        }
        let now = self.now();
        // One batch after the other: what is ordered twice would only be read twice.
        if self.read(|tx| Ok(tx.jobs().unfinished_with_key(VERIFY_KEY)?))? > 0 {
            return Ok(0);
        }
        let available = VaultFilter {
            status: Some(VaultStatus::Available),
            ..VaultFilter::default()
        };
        let everything = strongroom_catalog::Page::ALL;
        let vaults =
            self.read(|tx| Ok(tx.vaults().any_project_list(&available, &everything)?))?;
        let parts = terms.days.min(DAYS_MAX);
        let mut ordered = 0;
        for vault in vaults.rows {
            let part = self.read(|tx| part_due(tx, &vault, parts, now))?;
            let Some(part) = part else { continue };
            self.order(|tx| jobs::order_verification(self, tx, &vault, (part, parts), terms.rate))?;
            ordered += 1;
        }
        Ok(ordered)
    }

    /// Sums of all checks, for metrics.
    pub fn check_sums(&self) -> Result<CheckSums> {
        self.read(|tx| Ok(tx.checks().any_project_sums()?))
    }
}

/// The part of the vault's packs that is to be read now; none if it is not time yet.
fn part_due(tx: &Tx<'_>, vault: &VaultRow, parts: u32, now: Timestamp) -> Result<Option<u32>> {
    let project = &vault.project_id;
    if tx.repositories().get(project, &vault.id)?.is_none() {
        return Ok(None);
    }
    let Some(row) = tx.checks().vault(project, &vault.id)? else {
        return Ok(Some(0));
    };
    // A clock that was set back must not stop the checks.
    let waited = now.micros_since(row.looked_at);
    if (0..86_400 * 1_000_000).contains(&waited) {
        return Ok(None);
    }
    Ok(Some(if row.parts == parts { row.next_part } else { 0 }))
}

/// What the last check said of a backup.
pub(crate) fn of_backup(
    tx: &Tx<'_>,
    project: &strongroom_model::ProjectId,
    backup: &BackupId,
) -> Result<Option<Verified>> {
    let row = tx.checks().backup(project, backup)?;
    Ok(row.map(|row| Verified {
        at: row.checked_at,
        problem: row.problem,
    }))
}
