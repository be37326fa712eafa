//! Reads chunks: finds them in the index, opens their segments, recomputes their ids.
//!
//! Neighbouring chunks share a segment, so decoded segments are kept in a bounded cache and
//! threads that want the same one wait for one decoding. A chunk that was stored twice (because
//! its first pack was damaged) is read from whichever copy holds.
//!
//! Invariant: bytes that are handed out hash to the id that was asked for, in the role that was
//! asked for.

mod batch;

use std::{
    ops::{Deref, Range},
    sync::{Arc, Mutex, PoisonError, RwLock},
};

pub use self::batch::Found;
use crate::{
    cache::Cache,
    codec::Malformed,
    error::{Damage, Error, Result},
    id::{ChunkId, PackId, Stream},
    index::{Index, Location},
    layout::Object,
    manifest::{Layer, Manifest},
    pack::PackInfo,
    repository::Repository,
    seal::{Kind, Seal},
    segment::{Decoding, Extent},
};

/// Bytes of decoded segments that a reader keeps.
const SEGMENTS_CAPACITY: usize = 48 << 20;
/// Reads chunks of one repository; shared by threads.
pub struct Reader {
    repository: Repository,
    index: RwLock<Option<Arc<Index>>>,
    segments: Cache<(PackId, u32), Vec<u8>>,
    spare: Mutex<Vec<Scratch>>,
}

/// Verified bytes of a chunk, or of several in a row.
#[derive(Clone)]
pub struct Chunk {
    segment: Arc<Vec<u8>>,
    bytes: Range<usize>,
}

impl Chunk {
    /// Takes `next` in if its bytes follow on these in memory.
    pub(crate) fn join(&mut self, next: &Self) -> bool {
        let joins = Arc::ptr_eq(&self.segment, &next.segment) && self.bytes.end == next.bytes.start;
        if joins {
            self.bytes.end = next.bytes.end;
        }
        joins
    }
}

impl Deref for Chunk {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.segment[self.bytes.clone()]
    }
}

#[cfg(test)]
impl From<Vec<u8>> for Chunk {
    fn from(bytes: Vec<u8>) -> Self {
        let range = 0..bytes.len();
        Self {
            segment: Arc::new(bytes),
            bytes: range,
        }
    }
}

/// What decoding needs; kept from one segment to the next.
struct Scratch {
    decoding: Decoding,
    sealed: Vec<u8>,
    plain: Vec<u8>,
}

impl Reader {
    pub(crate) fn new(repository: Repository) -> Self {
        Self {
            repository,
            index: RwLock::default(),
            segments: Cache::new(SEGMENTS_CAPACITY),
            spare: Mutex::default(),
        }
    }

    /// The bytes of a chunk.
    pub fn read(&self, stream: Stream, id: &ChunkId) -> Result<Chunk> {
        let index = self.index()?;
        let error = match self.read_from(&index, stream, id) {
            Ok(chunk) => return Ok(chunk),
            Err(error @ Error::Store { .. }) => return Err(error),
            Err(error) => error,
        };
        // A collection may have moved the chunk since the index was loaded.
        let fresh = self.repository.refresh_index()?;
        if fresh.same_runs(&index) {
            return Err(error);
        }
        *self.index.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&fresh));
        self.read_from(&fresh, stream, id)
    }

    /// The node that a manifest of `layer` points to.
    pub(crate) fn top<T>(
        &self,
        manifest: &Manifest,
        layer: Layer,
        decode: impl FnOnce(&[u8]) -> Result<T, Malformed>,
    ) -> Result<T> {
        if manifest.body.layer != layer {
            return Err(Error::WrongLayer {
                id: manifest.id,
                found: manifest.body.layer,
            });
        }
        let id = manifest.body.root;
        decode(&self.read(Stream::Tree, &id)?)
            .map_err(|malformed| Error::NodeMalformed { id, malformed })
    }

    fn index(&self) -> Result<Arc<Index>> {
        if let Some(index) = &*self.index.read().unwrap_or_else(PoisonError::into_inner) {
            return Ok(Arc::clone(index));
        }
        let index = self.repository.index()?;
        *self.index.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&index));
        Ok(index)
    }

    fn read_from(&self, index: &Index, stream: Stream, id: &ChunkId) -> Result<Chunk> {
        let mut first_error = None;
        for location in index.locations(self.repository.objects(), id) {
            match location.and_then(|location| self.read_at(&location, stream, id)) {
                Ok(chunk) => return Ok(chunk),
                Err(error @ Error::Store { .. }) => return Err(error),
                Err(error) => {
                    first_error.get_or_insert(error);
                }
            }
        }
        // A run that does not open may have been the one that knew.
        let hidden = index.damaged().first().map(|(run, damage)| Error::Damaged {
            object: Object::Run(*run),
            damage: damage.clone(),
        });
        Err(first_error
            .or(hidden)
            .unwrap_or(Error::ChunkMissing { id: *id, stream }))
    }

    /// The bytes of a chunk from one place, whatever the index says of others.
    pub(crate) fn read_at(
        &self,
        location: &Location,
        stream: Stream,
        id: &ChunkId,
    ) -> Result<Chunk> {
        let Location {
            pack,
            extent,
            start,
            len,
        } = location;
        if pack.stream != stream {
            return Err(Error::ChunkRole {
                id: *id,
                wanted: stream,
            });
        }
        let lost = |damage| Error::ChunkLost {
            id: *id,
            stream,
            pack: pack.id,
            bytes: extent.bytes(),
            damage,
        };
        let segment = self.segment(pack, extent).map_err(|error| match error {
            Error::Damaged { damage, .. } => lost(damage),
            error => error,
        })?;
        let bytes = *start as usize..(*start + *len) as usize;
        if bytes.end > segment.len() {
            return Err(lost(Damage::WrongId));
        }
        let chunk = Chunk { segment, bytes };
        if self.repository.objects().keys().chunk_id(stream, &chunk) == *id {
            Ok(chunk)
        } else {
            Err(lost(Damage::WrongId))
        }
    }

    fn segment(&self, pack: &PackInfo, extent: &Extent) -> Result<Arc<Vec<u8>>> {
        self.segments.get_or_load((pack.id, extent.number), || {
            let mut scratch = self.scratch()?;
            scratch.sealed.clear();
            let object = Object::Pack(pack.id);
            let objects = self.repository.objects();
            objects.get_into(object, extent.bytes(), &mut scratch.sealed)?;
            let Scratch {
                decoding, sealed, ..
            } = &mut scratch;
            let segment = decode(decoding, &self.seal(pack), pack, extent, sealed)?;
            self.give_back(scratch);
            Ok(segment)
        })
    }

    fn seal(&self, pack: &PackInfo) -> Seal {
        let keys = self.repository.objects().keys();
        Seal::with_salt(keys, Kind::pack(pack.stream), &pack.salt)
    }

    fn scratch(&self) -> Result<Scratch> {
        let spare = self
            .spare
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        match spare {
            Some(scratch) => Ok(scratch),
            None => Ok(Scratch {
                decoding: Decoding::new()?,
                sealed: Vec::new(),
                plain: Vec::new(),
            }),
        }
    }

    fn give_back(&self, scratch: Scratch) {
        self.spare
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(scratch);
    }
}

/// A segment's bytes and their weight.
fn decode(
    decoding: &mut Decoding,
    seal: &Seal,
    pack: &PackInfo,
    extent: &Extent,
    sealed: &[u8],
) -> Result<(Vec<u8>, usize)> {
    let mut plain = Vec::with_capacity(extent.plain_len as usize);
    decoding
        .decode(seal, extent, sealed, &mut plain)
        .map_err(Error::damaged(Object::Pack(pack.id)))?;
    let weight = plain.len();
    Ok((plain, weight))
}
