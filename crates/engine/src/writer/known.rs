//! What the repository had before this writer, as far as this writer may rely on it.
//!
//! A chunk counts as known only if an index run names it, its pack is not in quarantine, and its
//! pack is there with its full size. So a pack that was lost, cut short or condemned is written
//! anew by the next writer that needs its chunks, instead of poisoning everything after it.
//!
//! Invariant: the packs that were relied on are remembered, so that the commit can look again.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, OnceLock, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU8, Ordering},
    },
};

use crate::{
    error::{Damage, Error, Result},
    id::{ChunkId, PackId, Stream},
    index::Run,
    layout::{Object, prefix},
    objects::Objects,
    pack::PackInfo,
    repository::Repository,
};

/// Runs that a writer looks chunks up in.
pub(super) struct Known {
    runs: RwLock<Arc<Vec<Arc<Watched>>>>,
    /// Packs that count as absent.
    shunned: Mutex<BTreeSet<PackId>>,
    /// Name and size of each pack in the store, sorted; listed when first needed.
    present: OnceLock<Vec<(PackId, u64)>>,
    next_epoch: u64,
}

/// A run, with what is known of each of its packs.
struct Watched {
    run: Arc<Run>,
    verdicts: Box<[AtomicU8]>,
    /// Another writer merged it into a run that came after; the verdicts still count.
    merged: AtomicBool,
}

const UNKNOWN: u8 = 0;
/// Was relied on.
const RELIED: u8 = 1;
/// Counts as absent.
const SHUNNED: u8 = 2;
/// Was written by this writer.
const OWN: u8 = 3;

impl Known {
    /// Looks at quarantines first and at the index second; the lease was taken before. In this
    /// order a pack whose quarantine was lifted after its removal is in no run any more.
    pub(super) fn load(repository: &Repository) -> Result<Self> {
        let quarantines = repository.quarantines()?;
        let index = repository.refresh_index()?;
        for (run, damage) in index.damaged() {
            tracing::warn!(%run, %damage, "an index run is damaged; its chunks are stored anew");
        }
        let watched = index
            .runs()
            .iter()
            .map(|run| Arc::new(Watched::new(Arc::clone(run), UNKNOWN)));
        Ok(Self {
            runs: RwLock::new(Arc::new(watched.collect())),
            shunned: Mutex::new(
                quarantines
                    .into_iter()
                    .flat_map(|each| each.packs)
                    .collect(),
            ),
            present: OnceLock::new(),
            next_epoch: index.next_epoch(),
        })
    }

    /// The epoch of the runs that this writer writes.
    pub(super) const fn next_epoch(&self) -> u64 {
        self.next_epoch
    }

    /// Adds a run of this writer's own.
    pub(super) fn add(&self, run: Run) {
        let mut runs = self.runs.write().unwrap_or_else(PoisonError::into_inner);
        Arc::make_mut(&mut runs).push(Arc::new(Watched::new(Arc::new(run), OWN)));
    }

    /// Runs to ask.
    pub(super) fn runs(&self) -> usize {
        let runs = self.runs.read().unwrap_or_else(PoisonError::into_inner);
        runs.len()
    }

    /// The packs that this writer wrote, as far as its runs name them.
    pub(super) fn own_packs(&self) -> BTreeSet<PackId> {
        let runs = Arc::clone(&self.runs.read().unwrap_or_else(PoisonError::into_inner));
        let own = runs.iter().flat_map(|watched| {
            let packs = watched.run.packs().iter().zip(&watched.verdicts);
            packs.filter(|(_, verdict)| verdict.load(Ordering::Acquire) == OWN)
        });
        own.map(|(pack, _)| pack.id).collect()
    }

    /// Whether the chunk may be relied on.
    pub(super) fn contains(
        &self,
        repository: &Repository,
        stream: Stream,
        id: &ChunkId,
    ) -> Result<bool> {
        if let Some(known) = self.ask(repository, stream, id)? {
            return Ok(known);
        }
        // A run was merged meanwhile: what it knew is in another one now.
        self.follow(repository)?;
        Ok(self.ask(repository, stream, id)?.unwrap_or(false))
    }

    /// Asks every run; `None` if one that might know is not there any more.
    fn ask(&self, repository: &Repository, stream: Stream, id: &ChunkId) -> Result<Option<bool>> {
        let runs = Arc::clone(&self.runs.read().unwrap_or_else(PoisonError::into_inner));
        let mut answer = Some(false);
        for watched in runs.iter().filter(|watched| !watched.is_merged()) {
            let entry = match watched.run.find(repository.objects(), id) {
                Ok(Some(entry)) => entry,
                Ok(None) => continue,
                Err(Error::Damaged {
                    damage: Damage::Missing,
                    ..
                }) => {
                    watched.merged.store(true, Ordering::Release);
                    answer = None;
                    continue;
                }
                // A page that does not open hides its chunks: they are stored anew.
                Err(Error::Damaged { .. }) => continue,
                Err(error) => return Err(error),
            };
            let pack = &watched.run.packs()[entry.pack as usize];
            let verdict = &watched.verdicts[entry.pack as usize];
            if pack.stream == stream && self.may_rely_on(repository.objects(), pack, verdict)? {
                return Ok(Some(true));
            }
        }
        Ok(answer)
    }

    /// Takes in the runs that came since the index was loaded.
    fn follow(&self, repository: &Repository) -> Result<()> {
        let index = repository.refresh_index()?;
        let mut runs = self.runs.write().unwrap_or_else(PoisonError::into_inner);
        let new: Vec<_> = index
            .runs()
            .iter()
            .filter(|run| !runs.iter().any(|known| known.run.id() == run.id()))
            .map(|run| Arc::new(Watched::new(Arc::clone(run), UNKNOWN)))
            .collect();
        Arc::make_mut(&mut runs).extend(new);
        Ok(())
    }

    /// Shuns packs that were quarantined since the start; returns those that were relied on.
    pub(super) fn shun(&self, quarantined: BTreeSet<PackId>) -> Vec<PackId> {
        let runs = Arc::clone(&self.runs.read().unwrap_or_else(PoisonError::into_inner));
        let mut affected = BTreeSet::new();
        for watched in runs.iter() {
            for (pack, verdict) in watched.run.packs().iter().zip(&watched.verdicts) {
                if quarantined.contains(&pack.id)
                    && verdict.load(Ordering::Acquire) != OWN
                    && verdict.swap(SHUNNED, Ordering::AcqRel) == RELIED
                {
                    affected.insert(pack.id);
                }
            }
        }
        self.shunned
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(quarantined);
        affected.into_iter().collect()
    }

    fn may_rely_on(&self, objects: &Objects, pack: &PackInfo, verdict: &AtomicU8) -> Result<bool> {
        match verdict.load(Ordering::Acquire) {
            RELIED | OWN => return Ok(true),
            SHUNNED => return Ok(false),
            _ => {}
        }
        let shunned = self
            .shunned
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(&pack.id);
        let usable = !shunned && self.is_present(objects, pack)?;
        if !usable && !shunned {
            tracing::warn!(pack = %pack.id, "a pack is missing or cut short; its chunks are stored anew");
        }
        let found = if usable { RELIED } else { SHUNNED };
        // Another thread may have been first; a pack shunned meanwhile stays so.
        let held = verdict.compare_exchange(UNKNOWN, found, Ordering::AcqRel, Ordering::Acquire);
        Ok(held.map_or_else(|held| held != SHUNNED, |_| usable))
    }

    fn is_present(&self, objects: &Objects, pack: &PackInfo) -> Result<bool> {
        let present = if let Some(present) = self.present.get() {
            present
        } else {
            let listed = list_packs(objects)?;
            self.present.get_or_init(|| listed)
        };
        let at = present.binary_search_by_key(&pack.id, |(id, _)| *id);
        Ok(at.is_ok_and(|at| present[at].1 == u64::from(pack.size)))
    }
}

impl Watched {
    fn is_merged(&self) -> bool {
        self.merged.load(Ordering::Acquire)
    }

    fn new(run: Arc<Run>, verdict: u8) -> Self {
        let verdicts = run.packs().iter().map(|_| AtomicU8::new(verdict)).collect();
        let merged = AtomicBool::new(false);
        Self {
            run,
            verdicts,
            merged,
        }
    }
}

fn list_packs(objects: &Objects) -> Result<Vec<(PackId, u64)>> {
    let mut packs = Vec::new();
    objects.list_unsettled(prefix::PACKS, &mut |object, size| {
        if let Object::Pack(id) = object {
            packs.push((id, size));
        }
    })?;
    packs.sort_unstable();
    Ok(packs)
}
