//! Copies into a mirror: another store with the same repository, keys and all, byte for byte.
//!
//! A pack is taken only if it hashes to its name, read back from the mirror, and indexed there by
//! a run of the mirror's own after that: an indexed pack was read back. A manifest comes last.
//! Objects that were there stay as they are; a damaged one is for a repair of the mirror.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::{Copied, CopyOptions, fail, read_back};
use crate::{
    error::{Damage, Error, Result},
    id::{ChunkId, PackId},
    layout::{Object, prefix},
    manifest::Manifest,
    repair::{Held, index_packs},
    repository::Repository,
    slot::Slot,
    tree::{Progress, Reached, Visit, Visitor, reach},
};
use strongroom_store::{ErrorKind, Store};

/// Makes `store` a mirror of the repository: the same key slots, then the same header. Whatever
/// opens the one opens the other.
pub fn create_mirror(source: &Repository, store: &Store) -> Result<()> {
    let create = |object: Object, bytes: &[u8]| match store.create_new(&object.key(), bytes) {
        Ok(()) => Ok(true),
        Err(error) if error.kind == ErrorKind::AlreadyExists => {
            let same = store.get(&object.key()).is_ok_and(|found| found == bytes);
            Ok(same && object != Object::Format)
        }
        Err(error) => Err(Error::store("write to the mirror")(error)),
    };
    let taken = || Error::RepositoryExists {
        place: store.describe(),
    };
    match store.size(&Object::Format.key()) {
        Ok(_) => return Err(taken()),
        Err(error) if error.kind == ErrorKind::NotFound => {}
        Err(error) => return Err(Error::store("look for a repository")(error)),
    }
    let mut slots = Vec::new();
    source.objects_under(prefix::SLOTS, &mut |object, _| slots.push(object))?;
    for slot in slots {
        let bytes = source.objects().get(slot)?;
        let ours = Slot::parse(&bytes).is_ok_and(|slot| slot.repository() == source.id());
        if ours && !create(slot, &bytes)? {
            return Err(taken());
        }
    }
    let header = source.objects().get(Object::Format)?;
    crate::header::Header::verify(&header, source.objects().keys())
        .map_err(Error::damaged(Object::Format))?;
    if create(Object::Format, &header)? {
        Ok(())
    } else {
        Err(taken())
    }
}

/// Copies manifests and the packs they need.
pub(super) fn copy(
    source: &Repository,
    dest: &Repository,
    manifests: &[Manifest],
    options: &CopyOptions<'_>,
    copied: &mut Copied,
) -> Result<()> {
    let held = Held::take(dest, &*options.entropy)?;
    let done = under_lease(source, dest, manifests, options, &held, copied);
    held.release().and(done)
}

fn under_lease(
    source: &Repository,
    dest: &Repository,
    manifests: &[Manifest],
    options: &CopyOptions<'_>,
    held: &Held<'_>,
    copied: &mut Copied,
) -> Result<()> {
    let mut there = There::look(dest)?;
    let known: BTreeSet<_> = dest.manifest_names()?.into_iter().collect();
    for manifest in manifests {
        if known.contains(&manifest.id) && dest.manifest(&manifest.id).is_ok() {
            copied.present.push(manifest.id);
            continue;
        }
        match packs(source, dest, manifest, options, &mut there, copied) {
            Ok(()) => {}
            Err(error) => {
                fail(copied, manifest, error)?;
                continue;
            }
        }
        if held.is_lost()? {
            return Err(held.fenced());
        }
        record(source, dest, manifest)?;
        copied.copied.push((manifest.id, manifest.id));
    }
    Ok(())
}

/// What the mirror has: packs with their sizes, and which of them its index names.
struct There {
    present: BTreeMap<PackId, u64>,
    verified: BTreeSet<PackId>,
    shunned: BTreeSet<PackId>,
}

impl There {
    fn look(dest: &Repository) -> Result<Self> {
        let shunned = dest.quarantines()?;
        let mut present = BTreeMap::new();
        dest.durable_packs(&mut |id, size| {
            present.insert(id, size);
        })?;
        let mut verified = BTreeSet::new();
        for run in dest.runs()?.open {
            let whole = |pack: &crate::inspect::PackSummary| {
                present.get(&pack.id) == Some(&u64::from(pack.size))
            };
            verified.extend(run.packs().filter(whole).map(|pack| pack.id));
        }
        Ok(Self {
            present,
            verified,
            shunned: shunned.into_iter().flat_map(|each| each.packs).collect(),
        })
    }
}

/// Brings every pack that the manifest needs into the mirror, and into its index.
fn packs(
    source: &Repository,
    dest: &Repository,
    manifest: &Manifest,
    options: &CopyOptions<'_>,
    there: &mut There,
    copied: &mut Copied,
) -> Result<()> {
    let mut new = Vec::new();
    for pack in needed(source, manifest, options.progress)? {
        options.progress.check()?;
        if there.shunned.contains(&pack) {
            // It is about to go there; with a new lease the next copy finds it gone, and stores it.
            return Err(Error::Quarantined { id: manifest.id });
        }
        if there.verified.contains(&pack) {
            continue;
        }
        let bytes = source.pack_bytes(pack)?;
        if blake3::hash(&bytes).as_bytes() != pack.as_bytes() {
            return Err(Error::damaged(Object::Pack(pack))(Damage::WrongName));
        }
        dest.objects().put_named(Object::Pack(pack), &bytes)?;
        if !there.present.contains_key(&pack) {
            copied.stored_bytes += bytes.len() as u64;
        }
        options.progress.advance(bytes.len() as u64);
        dest.protect(pack, &bytes)?;
        read_back(dest, [pack], &*options.entropy)?;
        new.push(pack);
    }
    index_packs(dest, &new, options.progress, &*options.entropy)?;
    there.verified.extend(new);
    Ok(())
}

/// The packs from which the manifest can be read.
fn needed(
    source: &Repository,
    manifest: &Manifest,
    progress: &Progress,
) -> Result<BTreeSet<PackId>> {
    let mut needed = Needed {
        source,
        progress,
        seen: HashSet::new(),
        packs: BTreeSet::new(),
    };
    reach(&source.reader(), manifest, &mut needed)?;
    Ok(needed.packs)
}

struct Needed<'a> {
    source: &'a Repository,
    progress: &'a Progress,
    seen: HashSet<ChunkId>,
    packs: BTreeSet<PackId>,
}

impl Visitor for Needed<'_> {
    fn reach(&mut self, Reached { id, stream }: Reached) -> Result<Visit> {
        self.progress.check()?;
        if !self.seen.insert(id) {
            return Ok(Visit::Skip);
        }
        let packs = self.source.packs_of(&id)?;
        if !packs.iter().any(|pack| self.packs.contains(pack)) {
            let pack = packs.first().ok_or(Error::ChunkMissing { id, stream })?;
            self.packs.insert(*pack);
        }
        Ok(Visit::Descend)
    }

    fn lose(&mut self, _: ChunkId, error: Error) -> Result<()> {
        Err(error)
    }
}

/// Creates the manifest in the mirror and reads it back.
fn record(source: &Repository, dest: &Repository, manifest: &Manifest) -> Result<()> {
    let object = Object::Manifest(manifest.id);
    let bytes = source.objects().get(object)?;
    match dest.store().create_new(&object.key(), &bytes) {
        Ok(()) => {}
        Err(error) if error.kind == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(Error::store("write a manifest")(error)),
    }
    if dest.manifest(&manifest.id)? == *manifest {
        Ok(())
    } else {
        Err(Error::Committed { id: manifest.id })
    }
}
