//! Does what a plan says, in an order in which every step may be the last.
//!
//! Records first, for a damaged quarantine keeps every writer out. Then, under a lease (so that no
//! collection that starts now removes what is looked at): index runs, so that nothing hangs on
//! the bad ones; quarantine, so that the rescue does not take the damaged packs for good; the
//! rescue; and last the bad runs.

use std::{collections::BTreeSet, sync::Arc};

use strongroom_model::Entropy;

use super::{Plan, RepairOptions, index, rescue};
use crate::{
    error::{Error, Result},
    holder::Holder,
    id::{ManifestId, PackId},
    layout::Object,
    quarantine::Reason,
    repository::Repository,
    tree::Progress,
};

pub(super) fn execute(
    repository: &Repository,
    plan: &Plan,
    options: &RepairOptions<'_>,
    progress: &Progress,
    entropy: &Arc<dyn Entropy>,
) -> Result<()> {
    for record in &plan.records {
        progress.check()?;
        record.execute(repository, entropy)?;
    }
    let condemn = plan.condemn.iter().any(|packs| !packs.is_empty());
    if !condemn && plan.reindex.is_empty() && plan.rescue.is_empty() && plan.bad_runs.is_empty() {
        return Ok(());
    }
    let held = Held::take(repository, &**entropy)?;
    let done = under_lease(repository, plan, options, progress, entropy);
    held.release().and(done)
}

fn under_lease(
    repository: &Repository,
    plan: &Plan,
    options: &RepairOptions<'_>,
    progress: &Progress,
    entropy: &Arc<dyn Entropy>,
) -> Result<()> {
    let standing: BTreeSet<PackId> = repository
        .quarantines()?
        .into_iter()
        .flat_map(|each| each.packs)
        .collect();
    let not_standing = |packs: &[PackId]| -> Vec<PackId> {
        let packs = packs.iter().copied();
        packs.filter(|pack| !standing.contains(pack)).collect()
    };
    // A pack that a collection removes at this moment leaves a useless entry behind, no more.
    index::store(repository, &plan.reindex, progress, &**entropy)?;
    for packs in &plan.condemn {
        let packs = not_standing(packs);
        if !packs.is_empty() {
            repository.quarantine(Reason::Damaged, packs, &**entropy)?;
        }
    }
    rescue::execute(repository, &plan.rescue, options, progress, entropy)?;
    for pack in &plan.renew {
        progress.check()?;
        match repository.pack_bytes(*pack) {
            Ok(bytes) => drop(repository.renew_parity(*pack, &bytes)?),
            // It left, and needs none any more.
            Err(Error::Damaged { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    for run in &plan.bad_runs {
        match repository.check_run(*run) {
            // Misread before.
            Ok(()) => {}
            Err(Error::Damaged { .. }) => repository.remove(Object::Run(*run))?,
            Err(error) => return Err(error),
        }
    }
    repository.refresh_index().map(drop)
}

/// A lease without a writer: it makes collections wait and never becomes a manifest.
pub(crate) struct Held<'a> {
    repository: &'a Repository,
    id: ManifestId,
}

impl<'a> Held<'a> {
    pub(crate) fn take(repository: &'a Repository, entropy: &dyn Entropy) -> Result<Self> {
        let id = ManifestId::random(entropy);
        repository.take_lease(id, &Holder::this_process(), entropy)?;
        Ok(Self { repository, id })
    }

    /// Whether a collection fenced this lease off, taking its holder for gone.
    pub(crate) fn is_lost(&self) -> Result<bool> {
        self.repository.is_fence(&self.id)
    }

    /// The error of who goes on regardless.
    pub(crate) const fn fenced(&self) -> Error {
        Error::Fenced { id: self.id }
    }

    pub(crate) fn release(self) -> Result<()> {
        self.repository.release(&self.id)
    }
}
