//! When a policy runs next at a vault, and after that.

use strongroom_catalog::{PolicyRow, VaultPolicyRow};
use strongroom_model::{Timestamp, VaultId, retention::Run, schedule::Schedule};

use crate::{Result, policies};

/// A run that could not begin is missed so long after its start.
const LATE_SECONDS: i64 = 3600;

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

/// The last instant from the planned one on that may start now; those before it were missed.
pub(super) fn may_start(
    policy: &PolicyRow,
    vault: VaultId,
    calendar: &Schedule,
    planned: Timestamp,
    now: Timestamp,
) -> Timestamp {
    let due = calendar.last_until(now).unwrap_or(planned).max(planned);
    if start_of(policy, vault, due) <= now {
        return due;
    }
    let before = calendar.last_until(due.plus_micros(-1));
    before.unwrap_or(planned).max(planned)
}

/// Whether the time of a run has passed.
pub(super) fn is_late(policy: &PolicyRow, vault: VaultId, due: Timestamp, now: Timestamp) -> bool {
    now > start_of(policy, vault, due).plus_seconds(LATE_SECONDS)
}

/// The runs that the scheduler will make from now on, if it always runs.
pub(crate) fn to_come(
    policy: &PolicyRow,
    place: &VaultPolicyRow,
    now: Timestamp,
) -> Result<impl Iterator<Item = Run>> {
    let vault = place.vault_id;
    let calendar = policies::calendar(policy)?.reaching_back_to(place.due_at.unwrap_or(now));
    let mut planned = place.due_at;
    let mut clock = now;
    let policy = policy.clone();
    Ok(std::iter::from_fn(move || {
        loop {
            let next = planned?;
            clock = clock.max(start_of(&policy, vault, next));
            let due = may_start(&policy, vault, &calendar, next, clock);
            planned = calendar.next_after(due);
            if !is_late(&policy, vault, due, clock) {
                return Some(Run { due, start: clock });
            }
        }
    }))
}
