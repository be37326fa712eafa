//! The sweep of one quarantine: wait, look again, remove.
//!
//! Every step can be repeated: removing what is gone succeeds, and the record is lifted last.

use std::collections::BTreeSet;

use strongroom_model::Entropy;
use strongroom_store::ErrorKind;

use super::{CollectOptions, Collected, Fencing, look};
use crate::{
    error::{Error, Result},
    forget::Verdict,
    holder::Holder,
    id::{ManifestId, PackId, QuarantineId},
    layout::Object,
    quarantine::{Outcome, Quarantine, Reason},
    repository::Repository,
    tree::Progress,
};

/// Removes the packs of a quarantine if nothing stands against it.
pub(super) fn sweep(
    repository: &Repository,
    quarantine: &Quarantine,
    options: CollectOptions,
    progress: &Progress,
    entropy: &dyn Entropy,
    collected: &mut Collected,
) -> Result<()> {
    let sizes = sizes(repository, &quarantine.packs)?;
    let waiting = wait(repository, quarantine.id, options.fencing, entropy)?;
    if !waiting.is_empty() {
        collected.packs_waiting += quarantine.packs.len() as u64;
        collected.bytes_waiting += sizes;
        for id in waiting {
            if !collected.waiting_for.contains(&id) {
                collected.waiting_for.push(id);
            }
        }
        return Ok(());
    }
    let last_words = last_words(repository, entropy)?;
    let condemned: BTreeSet<PackId> = quarantine.packs.iter().copied().collect();
    let gone = last_words.iter().map(|(id, _)| *id).collect();
    let needed = look::needs_any(repository, &condemned, &gone, progress)?;
    if needed && quarantine.reason == Reason::Damaged {
        // Something of them is lost or was not yet written anew. What still reads stays, and
        // no writer may rely on it.
        collected.packs_kept += quarantine.packs.len() as u64;
        return Ok(());
    }
    let wanted = if needed {
        Outcome::Lifted
    } else {
        Outcome::Swept
    };
    match repository.settle(quarantine.id, wanted, entropy)? {
        Some(Outcome::Swept) if needed => {
            // What they hold lies in packs of another quarantine too. That one will see that
            // these are going, and be lifted; a later collection ends this one.
            collected.packs_waiting += quarantine.packs.len() as u64;
            collected.bytes_waiting += sizes;
            return Ok(());
        }
        Some(Outcome::Swept) => {}
        // A manifest came back, or a writer that began before the record relied on one of them.
        // They all stay; the next collection marks afresh.
        Some(Outcome::Lifted) => {
            collected.packs_kept += quarantine.packs.len() as u64;
            return repository.lift(quarantine.id);
        }
        None => return Ok(()),
    }
    let (removed, retained) = remove_manifests(repository, last_words)?;
    collected.manifests_removed += removed;
    collected.retained += retained;
    let (mut packs_retained, mut bytes_retained) = (0, 0);
    for pack in &quarantine.packs {
        progress.check()?;
        // One that a lock keeps is asked for again by a later collection: nothing names it then.
        if unless_retained(repository.remove_pack(*pack))?.is_none() {
            packs_retained += 1;
            bytes_retained += self::sizes(repository, &[*pack])?;
        }
    }
    drop_from_index(repository, &condemned, entropy)?;
    collected.retained += packs_retained;
    collected.packs_removed += quarantine.packs.len() as u64 - packs_retained;
    collected.bytes_removed += sizes.saturating_sub(bytes_retained);
    repository.lift(quarantine.id)
}

/// Says the last word on every forgotten manifest and removes it, where no pack hangs on it.
pub(super) fn remove_forgotten(repository: &Repository, entropy: &dyn Entropy) -> Result<u64> {
    let last_words = last_words(repository, entropy)?;
    let (removed, _) = remove_manifests(repository, last_words)?;
    Ok(removed)
}

/// The leases that still stand in the way, after fencing off those that may be.
fn wait(
    repository: &Repository,
    id: QuarantineId,
    fencing: Fencing,
    entropy: &dyn Entropy,
) -> Result<Vec<ManifestId>> {
    let noted: BTreeSet<ManifestId> = repository.note_waits(id, entropy)?.into_iter().collect();
    let mut waiting = Vec::new();
    for lease in repository.leases()? {
        if !noted.contains(&lease.id) {
            continue;
        }
        let gone = lease.holder.as_ref().is_some_and(Holder::is_surely_gone);
        if !gone && fencing != Fencing::All {
            waiting.push(lease.id);
            continue;
        }
        match repository.fence(&lease.id, id, entropy) {
            Ok(()) => {}
            // It committed and died before it took its lease away: its manifest counts.
            Err(Error::Committed { .. }) => repository.release(&lease.id)?,
            Err(error) => return Err(error),
        }
    }
    Ok(waiting)
}

type Act = (ManifestId, crate::id::ForgetId);

/// Decides every act of forgetting; returns those that are final.
fn last_words(repository: &Repository, entropy: &dyn Entropy) -> Result<Vec<Act>> {
    let mut last = Vec::new();
    for (id, act) in repository.forgotten()? {
        if repository.decide(&id, act, Verdict::Final, entropy)? == Verdict::Final {
            last.push((id, act));
        }
    }
    Ok(last)
}

/// How many were removed, and how many a lock keeps: those stay forgotten until it ends.
fn remove_manifests(repository: &Repository, acts: Vec<Act>) -> Result<(u64, u64)> {
    let (mut removed, mut retained) = (0, 0);
    for (id, act) in acts {
        if unless_retained(repository.remove(Object::Manifest(id)))?.is_none() {
            retained += 1;
            continue;
        }
        repository.clear_forgotten(&id, act)?;
        removed += 1;
    }
    Ok((removed, retained))
}

/// `None` where a lock of the store keeps what was to be removed.
fn unless_retained(removed: Result<()>) -> Result<Option<()>> {
    match removed {
        Err(error) if error.store_kind() == Some(ErrorKind::Retained) => Ok(None),
        removed => removed.map(Some),
    }
}

/// Writes the index anew without the packs that are gone.
fn drop_from_index(
    repository: &Repository,
    gone: &BTreeSet<PackId>,
    entropy: &dyn Entropy,
) -> Result<()> {
    let runs = repository.runs()?.open;
    let named = runs
        .iter()
        .any(|run| run.packs().any(|pack| gone.contains(&pack.id)));
    if !named {
        return Ok(());
    }
    let (merged, replaced) = repository.merge_runs(&|pack| !gone.contains(pack), entropy)?;
    for run in replaced.into_iter().filter(|run| !merged.contains(run)) {
        repository.remove(Object::Run(run))?;
    }
    repository.refresh_index().map(drop)
}

/// Bytes of those packs that are still in the store.
fn sizes(repository: &Repository, packs: &[PackId]) -> Result<u64> {
    let mut bytes = 0;
    for pack in packs {
        match repository.store().size(&Object::Pack(*pack).key()) {
            Ok(size) => bytes += size,
            Err(error) if error.kind == ErrorKind::NotFound => {}
            Err(error) => return Err(Error::store("look for a pack")(error)),
        }
    }
    Ok(bytes)
}
