//! When a policy runs next at a vault.

use strongroom_catalog::{PolicyRow, VaultPolicyRow};
use strongroom_model::{Timestamp, VaultId};

use crate::{Result, policies};

/// Sets the next run after that time; none if the policy does not run.
pub(crate) fn plan(policy: &PolicyRow, place: &mut VaultPolicyRow, after: Timestamp) -> Result<()> {
    place.due_at = if policy.enabled {
        policies::calendar(policy)?
            .reaching_back_to(after)
            .next_after(after)
    } else {
        None
    };
    place.start_at = place
        .due_at
        .map(|due| start_of(policy, place.vault_id, due));
    Ok(())
}

/// When a run really starts: somewhere in the policy's window, for each vault elsewhere, and the
/// same whoever computes it.
pub(crate) fn start_of(policy: &PolicyRow, vault: VaultId, due: Timestamp) -> Timestamp {
    let Some(window) = policy.start_window_minutes.filter(|minutes| *minutes > 0) else {
        return due;
    };
    // Ids are random, so their bytes spread by themselves; the instant moves the vaults' order.
    let id = vault.as_bytes().iter().fold(0_u64, |sum, byte| {
        sum.wrapping_mul(0x0100_0000_01b3)
            .wrapping_add(u64::from(*byte))
    });
    let mixed = id.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ due.as_micros().unsigned_abs();
    let seconds = (mixed >> 7) % (u64::from(window) * 60);
    due.plus_seconds(i64::try_from(seconds).unwrap_or_default())
}
