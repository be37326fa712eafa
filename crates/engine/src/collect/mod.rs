//! Collection: finds what no manifest needs, and removes it without ever stopping a writer.
//!
//! Three acts, each of which may be the last before a crash:
//! 1. **mark**: every chunk that a counting manifest reaches is marked; packs with none are put
//!    into quarantine as they are, packs with few after their needed chunks were written anew.
//! 2. **wait**: writers that were at work when the quarantine became visible must end. One whose
//!    process is surely gone (or, if the caller says so, any) is fenced off.
//! 3. **sweep**: forgotten manifests get their last word; a second look, written independently of
//!    the first, asks for every chunk that is needed whether it lies outside the quarantine; only
//!    if all do, and no other collector decided otherwise, are manifests and packs removed, index
//!    runs merged without them, and the record lifted.
//!
//! A collection first finishes the quarantines that stand, so being killed anywhere costs nothing
//! but time. No clock is asked.
//!
//! Invariant: a pack is removed only if it was in quarantine before every lease that stands
//! began, and the second look, made after the last older lease was gone, did not need it.
//!
//! Format: docs/format.md, "Quarantine and sweep".

mod look;
mod mark;
mod needed;
mod repack;
mod sweep;

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::Arc,
};

use strongroom_model::Entropy;

use self::mark::Marked;
pub use self::needed::needed;
use crate::{
    error::Result,
    id::{ManifestId, PackId},
    inspect::Runs,
    quarantine::Reason,
    repository::Repository,
    tree::Progress,
};

/// Which writers a collection may fence off rather than wait for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Fencing {
    /// Those whose process is surely gone, as seen from this machine.
    #[default]
    SurelyGone,
    /// All that are older than the quarantine: their saves fail and must be run again.
    All,
}

/// How to collect.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CollectOptions {
    /// Whom to fence off.
    pub fencing: Fencing,
    /// Packs with at least this share of unneeded bytes, in percent, are written anew.
    pub repack_percent: u8,
    /// Unneeded bytes that may stay beside needed ones, in percent of the needed ones of the
    /// repository: more packs are written anew, the sparsest first, until no more than that stay.
    pub waste_percent: u8,
}

impl Default for CollectOptions {
    fn default() -> Self {
        Self {
            fencing: Fencing::SurelyGone,
            repack_percent: 20,
            waste_percent: 3,
        }
    }
}

/// What a collection did.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Collected {
    /// Packs that were removed.
    pub packs_removed: u64,
    /// Their bytes.
    pub bytes_removed: u64,
    /// Packs whose needed chunks were written anew.
    pub packs_repacked: u64,
    /// Forgotten manifests that are gone for good.
    pub manifests_removed: u64,
    /// Packs that turned out to be needed at the second look and stay.
    pub packs_kept: u64,
    /// Packs, parity objects and manifests that a lock of the store keeps although nothing needs
    /// them.
    pub retained: u64,
    /// Packs in quarantine that wait for writers.
    pub packs_waiting: u64,
    /// Their bytes, as far as known.
    pub bytes_waiting: u64,
    /// The writers waited for; run the collection again when they have ended.
    pub waiting_for: Vec<ManifestId>,
}

/// How much of a pack is needed.
#[derive(Clone, Copy, Default)]
struct Need {
    needed: u64,
    unneeded: u64,
}

/// Collects: see the module's head.
pub fn collect(
    repository: &Repository,
    options: &CollectOptions,
    progress: &Progress,
    entropy: &Arc<dyn Entropy>,
) -> Result<Collected> {
    let mut collected = Collected::default();
    repository.tidy_quarantines()?;
    for quarantine in repository.quarantines()? {
        sweep::sweep(
            repository,
            &quarantine,
            *options,
            progress,
            &**entropy,
            &mut collected,
        )?;
    }
    let marked = mark_all(repository, progress)?;
    let needs = repository.despite_merges(&mut || needs(repository, &marked, progress))?;
    let (unreachable, sparse) = plan(repository, &needs, *options)?;
    let mut quarantines = Vec::new();
    if !unreachable.is_empty() {
        quarantines.push(repository.quarantine(Reason::Unreachable, unreachable, &**entropy)?);
    }
    if !sparse.is_empty() {
        collected.packs_repacked += sparse.len() as u64;
        let quarantine = repository.quarantine(Reason::Repacked, sparse, &**entropy)?;
        repack::repack(repository, &quarantine.packs, &marked, entropy)?;
        quarantines.push(quarantine);
    }
    drop(marked);
    for quarantine in &quarantines {
        sweep::sweep(
            repository,
            quarantine,
            *options,
            progress,
            &**entropy,
            &mut collected,
        )?;
    }
    // Manifests whose chunks others need leave no pack behind and still go.
    if quarantines.is_empty() && collected.waiting_for.is_empty() {
        collected.manifests_removed += sweep::remove_forgotten(repository, &**entropy)?;
    }
    Ok(collected)
}

/// Marks what every counting manifest reaches.
fn mark_all(repository: &Repository, progress: &Progress) -> Result<Marked> {
    let runs = repository.runs()?.open;
    let mut marked = Marked::for_entries(runs.iter().map(|run| run.entries).sum());
    let reader = repository.reader();
    let mut nodes = HashSet::new();
    for id in repository.manifests()? {
        let manifest = repository.manifest(&id)?;
        look::mark(&reader, &manifest, &mut marked, &mut nodes, progress)?;
    }
    Ok(marked)
}

/// How much of each pack in the store is needed.
fn needs(
    repository: &Repository,
    marked: &Marked,
    progress: &Progress,
) -> Result<BTreeMap<PackId, Need>> {
    let mut needs: BTreeMap<PackId, Need> = BTreeMap::new();
    repository.packs(&mut |id, _| {
        needs.insert(id, Need::default());
    })?;
    let Runs {
        open: runs,
        damaged,
    } = repository.runs()?;
    if let Some((run, damage)) = damaged.into_iter().next() {
        // Its packs would look unneeded.
        return Err(crate::Error::Damaged {
            object: crate::layout::Object::Run(run),
            damage,
        });
    }
    for run in runs {
        progress.check()?;
        repository.run_entries(run.id, &mut |chunk| {
            if let Some(need) = needs.get_mut(&chunk.pack) {
                let bytes = u64::from(chunk.span.len);
                if marked.contains(&chunk.span.id) {
                    need.needed += bytes;
                } else {
                    need.unneeded += bytes;
                }
            }
        })?;
    }
    Ok(needs)
}

/// The packs that go as they are, and those that are written anew.
fn plan(
    repository: &Repository,
    needs: &BTreeMap<PackId, Need>,
    options: CollectOptions,
) -> Result<(Vec<PackId>, Vec<PackId>)> {
    let standing: BTreeSet<PackId> = repository
        .quarantines()?
        .into_iter()
        .flat_map(|each| each.packs)
        .collect();
    let (mut unreachable, mut mixed) = (Vec::new(), Vec::new());
    let (mut needed, mut waste) = (0, 0);
    for (id, need) in needs.iter().filter(|(id, _)| !standing.contains(id)) {
        needed += need.needed;
        if need.needed == 0 {
            unreachable.push(*id);
        } else if need.unneeded > 0 {
            waste += need.unneeded;
            mixed.push((*id, *need));
        }
    }
    // Where most is gained for what is written.
    mixed.sort_by(|(_, a), (_, b)| {
        let gain = |mine: &Need, other: &Need| u128::from(mine.unneeded) * u128::from(other.needed);
        gain(b, a).cmp(&gain(a, b))
    });
    let is_sparse = |need: &Need| {
        let percent = u64::from(options.repack_percent.max(1));
        need.unneeded * 100 >= (need.needed + need.unneeded) * percent
    };
    let may_stay = needed / 100 * u64::from(options.waste_percent);
    let mut sparse = Vec::new();
    for (id, need) in mixed {
        if waste <= may_stay && !is_sparse(&need) {
            break;
        }
        waste -= need.unneeded;
        sparse.push(id);
    }
    Ok((unreachable, sparse))
}
