//! Repair: brings back what redundancy allows, and never makes anything worse.
//!
//! Damaged packs are not mended in place. What their segments still yield, what parity or another
//! store yields, is written anew like any save's chunks; the pack itself goes into quarantine, so
//! that the next save stores what stays lost, and a collection removes it once nothing hangs on
//! it. Index runs are made anew from the packs. A record is replaced only by the same record from
//! another store, or dropped where its absence means what its damage meant already.
//!
//! First a [`Plan`] that says every step, then its execution under a lease, so that collections
//! wait. Every step may be the last before a crash; a second repair does the rest, and a third
//! finds nothing to do.
//!
//! Invariant: what could be read before can be read after, at every moment in between. Bytes are
//! taken over only if they hash to the name they are wanted for.
//!
//! Format: docs/format.md, "Damage and repair".

mod execute;
mod index;
pub(crate) mod records;
mod rescue;
mod step;
mod survey;

use std::collections::{BTreeMap, BTreeSet};

pub use self::step::{Origin, Step, Unhealed};
pub(crate) use self::{execute::Held, index::store as index_packs, survey::parity_damage};
use self::{index::Indexed, records::RecordStep, rescue::Wanted, survey::Surveyed};
use crate::{
    check::Depth,
    error::{Damage, Result},
    id::{PackId, RunId},
    quarantine::Reason,
    repository::Repository,
    tree::Progress,
};

/// How to repair.
#[derive(Clone, Copy, Debug, Default)]
pub struct RepairOptions<'a> {
    /// Other stores of the same repository that may have what this one lost.
    pub mirrors: &'a [Repository],
    /// Whether every byte of every pack is read, or only its directory.
    pub depth: Depth,
    /// Which packs are looked at.
    pub share: Share,
}

/// A share of all packs: those of one part of several, behind the one named last.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Share {
    /// Which part, from 0.
    pub part: u32,
    /// Of how many.
    pub of: u32,
}

impl Default for Share {
    fn default() -> Self {
        Self { part: 0, of: 1 }
    }
}

impl Share {
    /// Whether it is all of them.
    pub const fn is_whole(self) -> bool {
        self.of <= 1
    }

    /// Whether the pack belongs to it; names are hashes, so parts are about equal.
    pub fn has(self, pack: &PackId) -> bool {
        let first = pack.as_bytes().first_chunk().expect("names are longer");
        u32::from_le_bytes(*first) % self.of.max(1) == self.part
    }
}

/// What a repair would do.
#[derive(Debug, Default)]
pub struct Plan {
    /// What would be done, in order.
    pub steps: Vec<Step>,
    /// What would stay damaged, for no redundancy covers it.
    pub unhealed: Vec<Unhealed>,
    /// Packs that were looked at.
    pub packs: u64,
    /// Their bytes.
    pub pack_bytes: u64,
    records: Vec<RecordStep>,
    reindex: Vec<PackId>,
    renew: Vec<PackId>,
    /// Packs to be put into quarantine: everything of the first is somewhere else then, something
    /// of the second stays lost and keeps them from being removed.
    condemn: [Vec<PackId>; 2],
    rescue: Vec<Wanted>,
    bad_runs: Vec<RunId>,
}

impl Plan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Does what the plan says.
    pub fn execute(
        &self,
        repository: &Repository,
        options: &RepairOptions<'_>,
        progress: &Progress,
        entropy: &std::sync::Arc<dyn strongroom_model::Entropy>,
    ) -> Result<()> {
        execute::execute(repository, self, options, progress, entropy)
    }
}

/// Packs that count as lost for those who plan, with what is known of them.
#[derive(Default)]
struct Bad {
    packs: BTreeMap<PackId, BadPack>,
    /// Packs that a collection removes; nothing is relied on there.
    leaving: BTreeSet<PackId>,
    condemned: BTreeSet<PackId>,
    /// Packs that are there and whole.
    whole: BTreeSet<PackId>,
}

struct BadPack {
    damage: Damage,
    chunks: BTreeMap<crate::ChunkId, crate::index::Location>,
}

/// Looks at the whole repository, or a share of its packs, and says what can be done.
pub fn plan(
    repository: &Repository,
    options: &RepairOptions<'_>,
    progress: &Progress,
) -> Result<Plan> {
    let mut plan = Plan::default();
    if options.share.is_whole() {
        records::plan(repository, options, &mut plan)?;
    }
    let mut bad = Bad::default();
    let mut quarantines = repository.readable_quarantines()?;
    quarantines.extend(records::replaced_quarantines(repository, &plan.records));
    for quarantine in quarantines {
        match quarantine.reason {
            Reason::Damaged => bad.condemned.extend(quarantine.packs),
            Reason::Unreachable | Reason::Repacked => bad.leaving.extend(quarantine.packs),
        }
    }
    let surveyed = survey::packs(repository, options, progress)?;
    let mut counts = BTreeMap::new();
    for Surveyed {
        id,
        size,
        chunks,
        bad: found,
        parity,
    } in surveyed
    {
        plan.packs += 1;
        plan.pack_bytes += size;
        match found {
            // What goes anyway is not mended; but a manifest that came back may need it, and then
            // it has to be found.
            found if bad.leaving.contains(&id) => {
                if found.is_none() {
                    counts.insert(id, chunks);
                }
            }
            None if bad.condemned.contains(&id) => {
                bad.packs.insert(id, survey::condemned(repository, id)?);
            }
            None => {
                if let Some(damage) = parity {
                    plan.steps.push(Step::Renew { pack: id, damage });
                    plan.renew.push(id);
                }
                bad.whole.insert(id);
                counts.insert(id, chunks);
            }
            Some(found) => {
                bad.packs.insert(id, found);
            }
        }
    }
    let indexed: Indexed = index::survey(repository, options, &mut bad, progress)?;
    index::plan(repository, &counts, &indexed, &mut plan)?;
    rescue::plan(repository, options, &bad, progress, &mut plan)?;
    for (run, damage) in indexed.damaged {
        plan.steps.push(Step::RemoveRun { run, damage });
        plan.bad_runs.push(run);
    }
    Ok(plan)
}
