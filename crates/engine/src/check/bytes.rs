//! Reads every pack: its name, its directory, every chunk's id. One pack per thread in memory.

use std::{
    collections::BTreeMap,
    num::NonZero,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use crate::{
    error::{Error, Result},
    id::PackId,
    layout::Object,
    pack::Scratch,
    repair::parity_damage,
    repository::Repository,
    tree::Progress,
};

/// The damages of all packs, read on all processors.
pub(super) fn all(
    repository: &Repository,
    present: &BTreeMap<PackId, u64>,
    progress: &Progress,
) -> Result<Vec<Error>> {
    progress.expect(present.values().sum());
    let packs: Vec<(PackId, u64)> = present.iter().map(|(id, size)| (*id, *size)).collect();
    let next = AtomicUsize::new(0);
    let work = || -> Result<Vec<(PackId, Vec<Error>)>> {
        let (mut bytes, mut scratch) = (Vec::new(), Scratch::new()?);
        let mut found = Vec::new();
        while let Some((id, size)) = packs.get(next.fetch_add(1, Ordering::Relaxed)) {
            progress.check()?;
            let damages = pack(repository, *id, *size, &mut bytes, &mut scratch)?;
            progress.advance(*size);
            if !damages.is_empty() {
                found.push((*id, damages));
            }
        }
        Ok(found)
    };
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let mut found = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let mut found = Vec::new();
        for worker in workers {
            let damages = worker
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            found.extend(damages?);
        }
        Ok(found)
    })?;
    found.sort_by_key(|(id, _)| *id);
    Ok(found.into_iter().flat_map(|(_, damages)| damages).collect())
}

/// The damages of one pack.
fn pack(
    repository: &Repository,
    id: PackId,
    size: u64,
    bytes: &mut Vec<u8>,
    scratch: &mut Scratch,
) -> Result<Vec<Error>> {
    let object = Object::Pack(id);
    bytes.clear();
    match repository.objects().get_into(object, 0..size, bytes) {
        Ok(()) => {}
        // Missing packs are found by the index; one that left since then is no damage.
        Err(Error::Damaged { .. }) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    }
    let mut damages = Vec::new();
    let view = match repository.open_pack(id, bytes) {
        Ok(view) => view,
        Err(damage) => {
            damages.push(Error::Damaged { object, damage });
            // Which chunks are hit, if the directory still tells.
            match repository.salvage_pack(id, bytes) {
                Ok(view) => view,
                Err(_) => return Ok(damages),
            }
        }
    };
    if damages.is_empty()
        && let Some(damage) = parity_damage(repository, id)?
    {
        let object = Object::Parity(id);
        damages.push(Error::Damaged { object, damage });
    }
    let stream = view.directory().stream();
    for segment in view.directory().segments() {
        let bytes = segment.bytes();
        view.decode_with(scratch, segment.number(), &mut |chunk, plain| {
            if let Err(damage) = plain {
                damages.push(Error::ChunkLost {
                    id: chunk,
                    stream,
                    pack: id,
                    bytes: bytes.clone(),
                    damage,
                });
            }
        });
    }
    Ok(damages)
}
