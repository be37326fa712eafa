//! Reads every pack: its name, its directory, every chunk's id. One pack per thread in memory.

use std::{
    collections::BTreeMap,
    num::NonZero,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use super::Checked;
use crate::{
    error::{Damage, Error, Result},
    id::PackId,
    layout::Object,
    repository::Repository,
    tree::Progress,
};

/// Checks all packs on all processors.
pub(super) fn all(
    repository: &Repository,
    present: &BTreeMap<PackId, u64>,
    progress: &Progress,
    checked: &mut Checked,
) -> Result<()> {
    progress.expect(present.values().sum());
    let packs: Vec<(PackId, u64)> = present.iter().map(|(id, size)| (*id, *size)).collect();
    let (next, findings) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || -> Result<()> {
        while let Some((id, size)) = packs.get(next.fetch_add(1, Ordering::Relaxed)) {
            progress.check()?;
            let mut damages = pack(repository, *id)?;
            progress.advance(*size);
            findings
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .append(&mut damages);
        }
        Ok(())
    };
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let mut ends = workers.into_iter().map(thread::ScopedJoinHandle::join);
        ends.try_for_each(|end| end.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })?;
    for error in findings
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner)
    {
        checked.find(error, None);
    }
    Ok(())
}

/// The damages of one pack.
fn pack(repository: &Repository, id: PackId) -> Result<Vec<Error>> {
    let object = Object::Pack(id);
    let bytes = match repository.pack_bytes(id) {
        Ok(bytes) => bytes,
        // Missing packs are found by the index; one that left since then is no damage.
        Err(Error::Damaged { .. }) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut damages = Vec::new();
    let view = match repository.open_pack(id, &bytes) {
        Ok(view) => view,
        Err(damage) => {
            damages.push(Error::Damaged { object, damage });
            // Which chunks are hit, if the directory still tells.
            match repository.salvage_pack(id, &bytes) {
                Ok(view) => view,
                Err(_) => return Ok(damages),
            }
        }
    };
    let stream = view.directory().stream();
    for segment in view.directory().segments() {
        let bytes = segment.bytes();
        view.decode(segment.number(), &mut |chunk, plain| {
            if let Err(damage) = plain {
                let (pack, bytes): (_, std::ops::Range<u64>) = (id, bytes.clone());
                let damage: Damage = damage;
                damages.push(Error::ChunkLost {
                    id: chunk,
                    stream,
                    pack,
                    bytes,
                    damage,
                });
            }
        })?;
    }
    Ok(damages)
}
