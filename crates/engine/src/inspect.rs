//! Packs and index runs as they lie in the store: what checks, repairs and collections are made
//! of.
//!
//! Nothing here is cached and nothing trusts anything else: packs are read without the index, the
//! index without the packs, and damage is a result, not the end of the walk.

use std::{fmt, sync::Arc};

use strongroom_model::Entropy;
use strongroom_store::Bytes;

use crate::{
    error::{Damage, Error, Result},
    id::{ChunkId, PackId, RunId, Stream},
    index,
    layout::{Object, prefix},
    pack::{self, Directory, PackView},
    record,
    repository::Repository,
    seal::{HEADER_LEN, Kind},
    segment::ChunkSpan,
    slot::Slot,
};

/// Bytes read from the end of a pack to get its footer and, mostly, its directory.
const TAIL_LEN: u64 = 64 << 10;
/// Bytes read at a time of what is only hashed.
const PIECE_LEN: usize = 4 << 20;

/// How often an index that others merge meanwhile is loaded anew before giving up.
const MERGES_MET: usize = 8;

/// Whether a run is not there any more, so that the index must be loaded anew.
fn is_gone(error: &Error) -> bool {
    matches!(
        error,
        Error::Damaged {
            object: Object::Run(_),
            damage: Damage::Missing,
        }
    )
}

/// The index runs of a repository.
#[derive(Clone, Debug)]
pub struct Runs {
    /// Those that open, newest first.
    pub open: Vec<RunSummary>,
    /// Those that do not, and why.
    pub damaged: Vec<(RunId, Damage)>,
}

/// An index run that opens. It costs no memory beside the index: every run of a large repository
/// refers to nearly every pack.
#[derive(Clone)]
pub struct RunSummary {
    /// Its name.
    pub id: RunId,
    /// Higher in newer runs.
    pub epoch: u64,
    /// Chunks it names.
    pub entries: usize,
    run: Arc<index::Run>,
}

impl RunSummary {
    /// Packs it refers to, with what they hold and their sizes in bytes.
    pub fn packs(&self) -> impl ExactSizeIterator<Item = PackSummary> {
        self.run.packs().iter().map(|pack| PackSummary {
            id: pack.id,
            stream: pack.stream,
            size: pack.size,
        })
    }
}

impl fmt::Debug for RunSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunSummary")
            .field("id", &self.id)
            .field("epoch", &self.epoch)
            .field("entries", &self.entries)
            .field("packs", &self.packs().len())
            .finish_non_exhaustive()
    }
}

/// A pack, as an index run knows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PackSummary {
    /// Its name.
    pub id: PackId,
    /// What its chunks are for.
    pub stream: Stream,
    /// Bytes it must have.
    pub size: u32,
}

/// A chunk, as an index run knows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IndexedChunk {
    /// The chunk and its length.
    pub span: ChunkSpan,
    /// The pack that holds it.
    pub pack: PackId,
    /// What it is for.
    pub stream: Stream,
    /// Number of its segment in the pack.
    pub segment: u32,
    /// Bytes of the pack that hold its segment.
    pub sealed: (u64, u64),
}

impl Repository {
    /// Visits every object that the repository's listing shows under `prefix` (see
    /// [`Object`]); keys that are no object's are passed by.
    pub fn objects_under(&self, prefix: &str, visit: &mut dyn FnMut(Object, u64)) -> Result<()> {
        self.objects().list(prefix, visit)
    }

    /// Bytes that lie under `prefix` now, whatever becomes of them after a power cut.
    pub fn bytes_under(&self, prefix: &str) -> Result<u64> {
        let mut bytes = 0;
        self.objects()
            .list_unsettled(prefix, &mut |_, size| bytes += size)?;
        Ok(bytes)
    }

    /// Visits every pack in the store, with its size in bytes.
    ///
    /// A pack that no index run names yet may be gone after a power cut; who is about to name it
    /// asks for [`durable_packs`](Self::durable_packs).
    pub fn packs(&self, visit: &mut dyn FnMut(PackId, u64)) -> Result<()> {
        self.objects()
            .list_unsettled(prefix::PACKS, &mut of_packs(visit))
    }

    /// The same, and what is visited stays there after a power cut.
    pub fn durable_packs(&self, visit: &mut dyn FnMut(PackId, u64)) -> Result<()> {
        self.objects().list(prefix::PACKS, &mut of_packs(visit))
    }

    /// Reads a pack's directory, without the index and without the segments.
    pub fn pack_directory(&self, id: PackId) -> Result<Directory> {
        let object = Object::Pack(id);
        let missing = |error: strongroom_store::Error| match error.kind {
            strongroom_store::ErrorKind::NotFound => Error::Damaged {
                object,
                damage: Damage::Missing,
            },
            _ => Error::store("look for a pack")(error),
        };
        let size = self.store().size(&object.key()).map_err(missing)?;
        let tail_start = size - size.min(TAIL_LEN);
        let tail = self.objects().get_range(object, tail_start..size)?;
        let damaged = |damage| Error::damaged(object)(damage);
        let sealed = pack::directory_at(&tail, size).map_err(damaged)?;
        let header = self.objects().get_range(object, 0..HEADER_LEN as u64)?;
        let directory = self.objects().get_range(object, sealed)?;
        let (stream, seal) = pack::open_header(self.objects().keys(), &header).map_err(damaged)?;
        pack::open_directory(&seal, stream, id, size, &directory).map_err(damaged)
    }

    /// Reads a whole pack.
    pub fn pack_bytes(&self, id: PackId) -> Result<Bytes> {
        self.objects().get(Object::Pack(id))
    }

    /// Opens a pack from its bytes; they must hash to its name.
    pub fn open_pack<'a>(&'a self, id: PackId, bytes: &'a [u8]) -> Result<PackView<'a>, Damage> {
        PackView::open(self.objects().keys(), id, bytes)
    }

    /// Opens a pack whose bytes do not hash to its name, for the segments that still hold.
    pub fn salvage_pack<'a>(&'a self, id: PackId, bytes: &'a [u8]) -> Result<PackView<'a>, Damage> {
        PackView::open_unnamed(self.objects().keys(), id, bytes)
    }

    /// The index runs as they are now.
    pub fn runs(&self) -> Result<Runs> {
        let index = self.refresh_index()?;
        let summary = |run: &Arc<index::Run>| RunSummary {
            id: run.id(),
            epoch: run.epoch(),
            entries: run.len(),
            run: Arc::clone(run),
        };
        Ok(Runs {
            open: index.runs().iter().map(summary).collect(),
            damaged: index.damaged().to_vec(),
        })
    }

    /// Visits every entry of one run in the order of chunk ids, page by page; a page that does not
    /// open ends the walk.
    pub fn run_entries(&self, id: RunId, visit: &mut dyn FnMut(IndexedChunk)) -> Result<()> {
        let mut index = self.index()?;
        if !index.runs().iter().any(|run| run.id() == id) {
            index = self.refresh_index()?;
        }
        let Some(run) = index.runs().iter().find(|run| run.id() == id) else {
            return Err(Error::Damaged {
                object: Object::Run(id),
                damage: Damage::Missing,
            });
        };
        for page in 0..run.pages() {
            for entry in run.entries(self.objects(), page)? {
                let location = run.locate(&entry);
                visit(IndexedChunk {
                    span: ChunkSpan {
                        id: entry.id,
                        len: entry.len,
                    },
                    pack: location.pack.id,
                    stream: location.pack.stream,
                    segment: entry.extent.number,
                    sealed: (entry.extent.bytes().start, entry.extent.end()),
                });
            }
        }
        Ok(())
    }

    /// The packs that the index knows to hold the chunk, best first; a page of the index that does
    /// not open hides what it knows.
    pub fn packs_of(&self, id: &ChunkId) -> Result<Vec<PackId>> {
        self.despite_merges(&mut || {
            let mut packs = Vec::new();
            for location in self.index()?.locations(self.objects(), id) {
                match location {
                    Ok(location) => packs.push(location.pack.id),
                    Err(error) if is_gone(&error) => return Err(error),
                    Err(Error::Damaged { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(packs)
        })
    }

    /// Does `read`, and does it anew if a run was merged into another since the index was loaded.
    pub(crate) fn despite_merges<T>(&self, read: &mut dyn FnMut() -> Result<T>) -> Result<T> {
        for _ in 0..MERGES_MET {
            match read() {
                Err(error) if is_gone(&error) => {
                    self.refresh_index()?;
                }
                done => return done,
            }
        }
        Err(Error::IndexMoving)
    }

    /// Whether all bytes of a run hash to its name.
    pub fn check_run(&self, id: RunId) -> Result<()> {
        let object = Object::Run(id);
        let missing = |error: strongroom_store::Error| match error.kind {
            strongroom_store::ErrorKind::NotFound => Error::Damaged {
                object,
                damage: Damage::Missing,
            },
            _ => Error::store("look for an index run")(error),
        };
        let size = self.store().size(&object.key()).map_err(missing)?;
        let (mut hasher, mut piece) = (blake3::Hasher::new(), Vec::new());
        for start in (0..size).step_by(PIECE_LEN) {
            piece.clear();
            let end = size.min(start + PIECE_LEN as u64);
            self.objects().get_into(object, start..end, &mut piece)?;
            hasher.update(&piece);
        }
        if hasher.finalize().as_bytes() == id.as_bytes() {
            Ok(())
        } else {
            Err(Error::Damaged {
                object,
                damage: Damage::WrongName,
            })
        }
    }

    /// Stores runs that hold, of all entries whose pack `keep` wants, one per chunk: the newest.
    /// Returns the new runs and those they replace, which the caller removes.
    pub fn merge_runs(
        &self,
        keep: &dyn Fn(&PackId) -> bool,
        entropy: &dyn Entropy,
    ) -> Result<(Vec<RunId>, Vec<RunId>)> {
        self.despite_merges(&mut || {
            let index = self.refresh_index()?;
            let epoch = index.next_epoch();
            let merged = index::merge(self.objects(), index.runs(), epoch, keep, entropy)?;
            let replaced = index.runs().iter().map(|run| run.id()).collect();
            Ok((merged, replaced))
        })
    }

    /// Merges index runs if there are too many; returns how many there were. Only for who holds a
    /// lease from before he saw that no pack is in quarantine: the sweep of a later quarantine
    /// waits for him, so no merged run names a pack that is gone.
    pub(crate) fn thin_out_runs(&self, entropy: &dyn Entropy) -> Result<usize> {
        let index = self.refresh_index()?;
        let crowd = index::crowded(index.runs());
        if crowd.is_empty() || !self.quarantines()?.is_empty() {
            return Ok(0);
        }
        index::merge(
            self.objects(),
            &crowd,
            index.next_epoch(),
            &|_| true,
            entropy,
        )?;
        for run in &crowd {
            self.remove(Object::Run(run.id()))?;
        }
        Ok(crowd.len())
    }

    /// Whether a record or key slot opens; a manifest's place may hold a fence.
    pub fn open_record(&self, object: Object) -> Result<()> {
        let Some((kinds, name)) = record_kinds(&object) else {
            return match object {
                Object::Slot(_) => Slot::parse(&self.objects().get(object)?)
                    .map(drop)
                    .map_err(Error::damaged(object)),
                _ => Ok(()),
            };
        };
        let bytes = self.objects().get(object)?;
        let mut first = None;
        for kind in kinds {
            match record::open(self.objects().keys(), *kind, name, &bytes) {
                Ok(_) => return Ok(()),
                Err(damage @ Damage::WrongKind { .. }) if kinds.len() > 1 => {
                    first.get_or_insert(damage);
                }
                Err(damage) => first = Some(damage),
            }
        }
        first.map_or(Ok(()), |damage| Err(Error::damaged(object)(damage)))
    }

    /// The key slots that cannot be read; those of other creations are none of ours.
    pub fn damaged_slots(&self) -> Result<Vec<Error>> {
        let mut slots = Vec::new();
        self.objects().list(prefix::SLOTS, &mut |object, _| {
            slots.extend(matches!(object, Object::Slot(_)).then_some(object));
        })?;
        let mut damaged = Vec::new();
        for object in slots {
            if let Err(damage) = Slot::parse(&self.objects().get(object)?) {
                damaged.push(Error::damaged(object)(damage));
            }
        }
        Ok(damaged)
    }

    /// Removes an object for good. What may be removed, and when, is in docs/format.md.
    pub fn remove(&self, object: Object) -> Result<()> {
        self.objects().delete(object)
    }
}

/// The kinds of record that may lie there, and the name in them; `None` for other objects.
pub(crate) fn record_kinds(object: &Object) -> Option<(&'static [Kind], &[u8; 16])> {
    Some(match object {
        Object::Manifest(id) => (&[Kind::Manifest, Kind::Fence], id.as_bytes()),
        Object::Lease(id) => (&[Kind::Lease], id.as_bytes()),
        Object::Quarantine(id) => (&[Kind::Quarantine], id.as_bytes()),
        Object::Waits(id) => (&[Kind::Waits], id.as_bytes()),
        Object::Outcome(id) => (&[Kind::Verdict], id.as_bytes()),
        Object::Forgotten(_, act) => (&[Kind::Forgotten], act.as_bytes()),
        Object::Verdict(_, act) => (&[Kind::Verdict], act.as_bytes()),
        Object::Replacement(name) => (&[Kind::Replacement], name),
        Object::Removal(_, act) => (&[Kind::Removal], act),
        Object::Format | Object::Slot(_) | Object::Pack(_) | Object::Parity(_) | Object::Run(_) => {
            return None;
        }
    })
}

fn of_packs(visit: &mut dyn FnMut(PackId, u64)) -> impl FnMut(Object, u64) {
    move |object, size| {
        if let Object::Pack(id) = object {
            visit(id, size);
        }
    }
}
