//! Looks at packs, one per thread in memory: which are whole, and what the others still say.

use std::{
    num::NonZero,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use super::{BadPack, RepairOptions};
use crate::{
    check::Depth,
    error::{Damage, Error, Result},
    id::PackId,
    index::Location,
    pack::{Directory, PackView},
    parity,
    repository::Repository,
    tree::Progress,
};

/// One pack that is in the store.
pub(super) struct Surveyed {
    pub(super) id: PackId,
    pub(super) size: u64,
    /// Chunks in it, if it is whole.
    pub(super) chunks: usize,
    pub(super) bad: Option<BadPack>,
    /// How the parity of a whole pack is bad.
    pub(super) parity: Option<Damage>,
}

/// Looks at the share of the packs that the options name, in the order of their names.
pub(super) fn packs(
    repository: &Repository,
    options: &RepairOptions<'_>,
    progress: &Progress,
) -> Result<Vec<Surveyed>> {
    let mut packs = Vec::new();
    repository.durable_packs(&mut |id, size| {
        if options.share.has(&id) {
            packs.push((id, size));
        }
    })?;
    packs.sort_unstable();
    progress.expect(packs.iter().map(|(_, size)| size).sum());
    let (next, found) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || -> Result<()> {
        while let Some((id, size)) = packs.get(next.fetch_add(1, Ordering::Relaxed)) {
            progress.check()?;
            let looked = look(repository, *id, *size, options.depth)?;
            progress.advance(*size);
            let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
            found.extend(looked);
        }
        Ok(())
    };
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let mut ends = workers.into_iter().map(thread::ScopedJoinHandle::join);
        ends.try_for_each(|end| end.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })?;
    let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    found.sort_unstable_by_key(|surveyed| surveyed.id);
    Ok(found)
}

/// What a pack in a quarantine for damage still says, although it reads well today.
pub(super) fn condemned(repository: &Repository, id: PackId) -> Result<BadPack> {
    let damage = Damage::WrongName;
    match repository.pack_directory(id) {
        Ok(directory) => Ok(BadPack::new(damage, Some(&directory))),
        Err(Error::Damaged { damage, .. }) => Ok(BadPack::new(damage, None)),
        Err(error) => Err(error),
    }
}

fn look(repository: &Repository, id: PackId, size: u64, depth: Depth) -> Result<Option<Surveyed>> {
    let surveyed = |chunks, bad| {
        Some(Surveyed {
            id,
            size,
            chunks,
            bad,
            parity: None,
        })
    };
    let lost = |damage, directory: Option<&Directory>| -> Result<_> {
        let bad = match directory {
            Some(directory) => BadPack::new(damage, Some(directory)),
            None => bad_pack(repository, id, damage)?,
        };
        Ok(surveyed(0, Some(bad)))
    };
    if depth == Depth::Structure {
        return match repository.pack_directory(id) {
            Ok(directory) => Ok(surveyed(directory.chunks().count(), None)),
            Err(Error::Damaged {
                damage: Damage::Missing,
                ..
            }) => Ok(None),
            Err(Error::Damaged { damage, .. }) => Ok(surveyed(0, Some(BadPack::new(damage, None)))),
            Err(error) => Err(error),
        };
    }
    let bytes = match repository.pack_bytes(id) {
        Ok(bytes) => bytes,
        // Removed since the listing; if something still names it, the index says so.
        Err(Error::Damaged {
            damage: Damage::Missing,
            ..
        }) => return Ok(None),
        Err(Error::Damaged { damage, .. }) => return lost(damage, None),
        Err(error) => return Err(error),
    };
    match repository.open_pack(id, &bytes) {
        Ok(view) => Ok(Some(Surveyed {
            id,
            size,
            chunks: view.directory().chunks().count(),
            bad: None,
            parity: parity_damage(repository, id)?,
        })),
        Err(damage) => {
            let salvaged = repository.salvage_pack(id, &bytes).ok();
            lost(damage, salvaged.as_ref().map(PackView::directory))
        }
    }
}

/// How the parity of a pack is bad, in a repository that keeps parity.
pub(crate) fn parity_damage(repository: &Repository, id: PackId) -> Result<Option<Damage>> {
    if repository.parity_percent() == 0 {
        return Ok(None);
    }
    match repository.parity(id) {
        Ok(Some(parity)) => Ok(parity::check(id, &parity).err()),
        Ok(None) => Ok(Some(Damage::Missing)),
        Err(Error::Damaged { damage, .. }) => Ok(Some(damage)),
        Err(error) => Err(error),
    }
}

/// A pack whose own directory says nothing; its parity may.
pub(super) fn bad_pack(repository: &Repository, id: PackId, damage: Damage) -> Result<BadPack> {
    let healed = healed(repository, id)?;
    let view = healed
        .as_ref()
        .and_then(|bytes| repository.open_pack(id, bytes).ok());
    Ok(BadPack::new(damage, view.as_ref().map(PackView::directory)))
}

/// The pack's bytes, if its parity yields them.
pub(super) fn healed(repository: &Repository, id: PackId) -> Result<Option<Vec<u8>>> {
    if repository.parity_percent() == 0 {
        return Ok(None);
    }
    let left = match repository.pack_bytes(id) {
        Ok(bytes) => bytes.to_vec(),
        Err(Error::Damaged { .. }) => Vec::new(),
        Err(error) => return Err(error),
    };
    match repository.heal_pack(id, &left) {
        Ok(healed) => Ok(Some(healed.bytes)),
        Err(Error::Damaged { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

impl BadPack {
    pub(super) fn new(damage: Damage, directory: Option<&Directory>) -> Self {
        let chunks = directory.into_iter().flat_map(locations).collect();
        Self { damage, chunks }
    }
}

/// Where the directory says that each chunk lies.
pub(crate) fn locations(
    directory: &Directory,
) -> impl Iterator<Item = (crate::ChunkId, Location)> + '_ {
    directory.segments.iter().flat_map(move |listed| {
        let mut start = 0;
        listed.chunks.iter().map(move |chunk| {
            let location = Location {
                pack: directory.info,
                extent: listed.extent,
                start,
                len: chunk.len,
            };
            start += chunk.len;
            (chunk.id, location)
        })
    })
}
