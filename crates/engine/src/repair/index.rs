//! Which packs the index names in full, and index runs for those that it does not.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use strongroom_model::Entropy;

use super::{Bad, Plan, RepairOptions, Step, survey};
use crate::{
    error::{Damage, Error, Result},
    id::{PackId, RunId},
    index::RunBuilder,
    layout::Object,
    repository::Repository,
    tree::Progress,
};

/// Entries of a run that is made anew; it is built in memory.
const ENTRIES_MAX: usize = 1 << 18;

/// What good runs name, and the runs that are bad.
#[derive(Default)]
pub(super) struct Indexed {
    /// Entries of good runs, by pack.
    entries: BTreeMap<PackId, usize>,
    pub(super) damaged: Vec<(RunId, Damage)>,
}

/// Reads every run. What runs say of packs that are bad or missing is added to `bad`, from the
/// pages that still open of damaged runs, too.
pub(super) fn survey(
    repository: &Repository,
    options: &RepairOptions<'_>,
    bad: &mut Bad,
    progress: &Progress,
) -> Result<Indexed> {
    let mut indexed = Indexed::default();
    let objects = repository.objects();
    let index = repository.refresh_index()?;
    indexed.damaged.extend(index.damaged().iter().cloned());
    let present = present(repository)?;
    for run in index.runs() {
        progress.check()?;
        let mut good = true;
        match repository.check_run(run.id()) {
            Ok(()) => {}
            Err(Error::Damaged { damage, .. }) => {
                good = false;
                indexed.damaged.push((run.id(), damage));
            }
            Err(error) => return Err(error),
        }
        for page in 0..run.pages() {
            let entries = match run.entries(objects, page) {
                Ok(entries) => entries,
                Err(Error::Damaged { .. }) => continue,
                Err(error) => return Err(error),
            };
            for entry in entries {
                let location = run.locate(&entry);
                let id = location.pack.id;
                let size = u64::from(location.pack.size);
                if good {
                    *indexed.entries.entry(id).or_default() += 1;
                }
                if bad.leaving.contains(&id) || !options.share.has(&id) {
                    continue;
                }
                let damage = match present.get(&id) {
                    None => Damage::Missing,
                    Some(found) if *found != size => Damage::Truncated {
                        expected: size,
                        found: *found,
                    },
                    Some(_) if !bad.packs.contains_key(&id) => continue,
                    Some(_) => Damage::WrongName,
                };
                bad.whole.remove(&id);
                let pack = match bad.packs.entry(id) {
                    Entry::Occupied(pack) => pack.into_mut(),
                    Entry::Vacant(slot) => slot.insert(survey::bad_pack(repository, id, damage)?),
                };
                pack.chunks.entry(entry.id).or_insert(location);
            }
        }
    }
    if !options.share.is_whole() {
        // Runs are repaired with the whole repository in view.
        indexed.damaged.clear();
    }
    Ok(indexed)
}

/// Plans new runs for whole packs that no good run names in full.
pub(super) fn plan(
    repository: &Repository,
    counts: &BTreeMap<PackId, usize>,
    indexed: &Indexed,
    plan: &mut Plan,
) -> Result<()> {
    let damaged: BTreeSet<RunId> = indexed.damaged.iter().map(|(run, _)| *run).collect();
    let present = present(repository)?;
    for (pack, chunks) in counts {
        if indexed
            .entries
            .get(pack)
            .is_some_and(|named| named >= chunks)
            || is_covered(repository, *pack, &damaged, &present)?
        {
            continue;
        }
        plan.reindex.push(*pack);
    }
    if !plan.reindex.is_empty() {
        let packs = plan.reindex.len();
        plan.steps.push(Step::Index { packs });
    }
    Ok(())
}

/// Whether good runs know every chunk of the pack, there or elsewhere: merging keeps one place of
/// each.
fn is_covered(
    repository: &Repository,
    pack: PackId,
    damaged: &BTreeSet<RunId>,
    present: &BTreeMap<PackId, u64>,
) -> Result<bool> {
    let directory = match repository.pack_directory(pack) {
        Ok(directory) => directory,
        // Gone or gone bad since it was looked at: the next repair sees that.
        Err(Error::Damaged { .. }) => return Ok(true),
        Err(error) => return Err(error),
    };
    let (index, objects) = (repository.index()?, repository.objects());
    for chunk in directory.chunks() {
        let mut known = false;
        for run in index.runs() {
            if damaged.contains(&run.id()) {
                continue;
            }
            if let Some(entry) = run.find(objects, &chunk.id)? {
                let place = run.locate(&entry).pack;
                known |= present.get(&place.id) == Some(&u64::from(place.size));
            }
        }
        if !known {
            return Ok(false);
        }
    }
    Ok(true)
}

fn present(repository: &Repository) -> Result<BTreeMap<PackId, u64>> {
    let mut present = BTreeMap::new();
    repository.durable_packs(&mut |id, size| {
        present.insert(id, size);
    })?;
    Ok(present)
}

/// Stores index runs that name every chunk of these packs; a few at a time in memory. Packs that
/// are gone by now are passed by.
pub(crate) fn store(
    repository: &Repository,
    packs: &[PackId],
    progress: &Progress,
    entropy: &dyn Entropy,
) -> Result<Vec<RunId>> {
    let objects = repository.objects();
    let epoch = repository.refresh_index()?.next_epoch();
    let mut stored = Vec::new();
    let mut builder = RunBuilder::default();
    let mut flush = |builder: RunBuilder| -> Result<()> {
        if let Some(run) = builder.finish(objects.keys(), epoch, entropy) {
            objects.put_named(Object::Run(run.id), &run.bytes)?;
            stored.push(run.id);
        }
        Ok(())
    };
    for pack in packs {
        progress.check()?;
        let directory = match repository.pack_directory(*pack) {
            Ok(directory) => directory,
            Err(Error::Damaged { .. }) => continue,
            Err(error) => return Err(error),
        };
        for (id, location) in survey::locations(&directory) {
            builder.add(id, &location);
        }
        if builder.len() >= ENTRIES_MAX {
            flush(std::mem::take(&mut builder))?;
        }
    }
    flush(builder)?;
    repository.refresh_index()?;
    Ok(stored)
}
