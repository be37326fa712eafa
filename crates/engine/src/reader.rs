//! Reads chunks: finds them in the index, opens their segments, recomputes their ids.
//!
//! Neighbouring chunks share a segment, so decoded segments are kept in a bounded cache and
//! threads that want the same one wait for one decoding. A chunk that was stored twice (because
//! its first pack was damaged) is read from whichever copy holds.
//!
//! Invariant: bytes that are handed out hash to the id that was asked for, in the role that was
//! asked for.

use std::{
    collections::BTreeMap,
    ops::{Deref, Range},
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use crate::{
    cache::Cache,
    error::{Damage, Error, Result},
    id::{ChunkId, PackId, Stream},
    index::{Index, Location},
    layout::Object,
    pack::PackInfo,
    repository::Repository,
    seal::{Kind, Seal},
    segment::{Decoding, Extent},
};

/// Bytes of decoded segments that a reader keeps.
const SEGMENTS_CAPACITY: usize = 48 << 20;
/// Reading several chunks reads over gaps up to this length rather than asking twice.
const GAP_MAX: u64 = 128 << 10;
/// … and no more than this at once.
const SPAN_MAX: u64 = 4 << 20;

/// Chunks that are together less than this part of their segment are copied out of it.
const SPARSE: usize = 2;

/// Reads chunks of one repository; shared by threads.
pub struct Reader {
    repository: Repository,
    index: RwLock<Option<Arc<Index>>>,
    segments: Cache<(PackId, u32), Vec<u8>>,
    spare: Mutex<Vec<Scratch>>,
}

/// A segment, and the chunks wanted of it: their numbers among those asked for, and their bytes.
struct Wanted {
    pack: PackInfo,
    extent: Extent,
    chunks: Vec<(usize, Range<usize>)>,
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

    /// The bytes of these chunks, in their order. Segments that lie close together are read with
    /// one call to the store. All chunks are in memory at the end: ask for a few MiB at a time.
    pub fn read_all(&self, stream: Stream, ids: &[ChunkId]) -> Vec<Result<Chunk>> {
        let index = match self.index() {
            Ok(index) => index,
            Err(error) => return ids.iter().map(|_| Err(error.clone())).collect(),
        };
        let objects = self.repository.objects();
        let mut wanted: BTreeMap<(PackId, u32), Wanted> = BTreeMap::new();
        for (at, id) in ids.iter().enumerate() {
            let found = index.locations(objects, id).flatten().next();
            let Some(location) = found.filter(|location| location.pack.stream == stream) else {
                continue;
            };
            let Location {
                pack,
                extent,
                start,
                len,
            } = location;
            let segment = wanted.entry((pack.id, extent.number));
            let segment = segment.or_insert_with(|| Wanted {
                pack,
                extent,
                chunks: Vec::new(),
            });
            let bytes = start as usize..(start + len) as usize;
            segment.chunks.push((at, bytes));
        }
        let mut found: Vec<Option<Chunk>> = ids.iter().map(|_| None).collect();
        let mut span: Vec<Wanted> = Vec::new();
        for (key, next) in wanted {
            if let Some(segment) = self.segments.get(key) {
                self.take(&next, &segment, stream, ids, &mut found);
                continue;
            }
            if !span.is_empty() && !joins(&span, &next) {
                self.load_span(&span, stream, ids, &mut found);
                span.clear();
            }
            span.push(next);
        }
        self.load_span(&span, stream, ids, &mut found);
        // Whatever is not as it should be is looked for elsewhere, or fails there with its reason.
        let whole = ids.iter().zip(found);
        whole
            .map(|(id, chunk)| chunk.map_or_else(|| self.read(stream, id), Ok))
            .collect()
    }

    /// Takes those of the wanted chunks out of their segment that are what their ids say.
    fn take(
        &self,
        wanted: &Wanted,
        segment: &Arc<Vec<u8>>,
        stream: Stream,
        ids: &[ChunkId],
        found: &mut [Option<Chunk>],
    ) {
        let keys = self.repository.objects().keys();
        let used: usize = wanted.chunks.iter().map(|(_, bytes)| bytes.len()).sum();
        for (at, bytes) in &wanted.chunks {
            let Some(content) = segment.get(bytes.clone()) else {
                continue;
            };
            if keys.chunk_id(stream, content) != ids[*at] {
                continue;
            }
            // A chunk keeps its segment in memory: not a large one for a small chunk.
            found[*at] = Some(if used * SPARSE < segment.len() {
                Chunk {
                    bytes: 0..content.len(),
                    segment: Arc::new(content.to_vec()),
                }
            } else {
                Chunk {
                    bytes: bytes.clone(),
                    segment: Arc::clone(segment),
                }
            });
        }
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
            let Scratch { decoding, sealed } = &mut scratch;
            let segment = decode(decoding, &self.seal(pack), pack, extent, sealed)?;
            self.give_back(scratch);
            Ok(segment)
        })
    }

    /// Reads segments of one pack that lie close together with one call.
    fn load_span(
        &self,
        span: &[Wanted],
        stream: Stream,
        ids: &[ChunkId],
        found: &mut [Option<Chunk>],
    ) {
        let [Wanted { pack, extent, .. }, ..] = span else {
            return;
        };
        let end = span.last().map_or(0, |last| last.extent.end());
        let Ok(mut scratch) = self.scratch() else {
            return;
        };
        scratch.sealed.clear();
        let bytes = extent.bytes().start..end;
        let Scratch { decoding, sealed } = &mut scratch;
        let objects = self.repository.objects();
        let read = objects.get_into(Object::Pack(pack.id), bytes.clone(), sealed);
        if read.is_ok() {
            let seal = self.seal(pack);
            for wanted in span {
                let Wanted { pack, extent, .. } = wanted;
                let at = |position| usize::try_from(position - bytes.start).unwrap_or(usize::MAX);
                let sealed = sealed.get(at(extent.bytes().start)..at(extent.end()));
                let segment = self.segments.get_or_load((pack.id, extent.number), || {
                    decode(decoding, &seal, pack, extent, sealed.unwrap_or_default())
                });
                // What fails here fails again, with its reason, when the chunk is read alone.
                if let Ok(segment) = segment {
                    self.take(wanted, &segment, stream, ids, found);
                }
            }
        }
        self.give_back(scratch);
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

/// Whether `next` is read together with the segments in front of it.
fn joins(span: &[Wanted], next: &Wanted) -> bool {
    span.first().zip(span.last()).is_some_and(|(first, last)| {
        let bytes = next.extent.bytes();
        first.pack.id == next.pack.id
            && bytes.start.saturating_sub(last.extent.end()) <= GAP_MAX
            && bytes.end.saturating_sub(first.extent.bytes().start) <= SPAN_MAX
    })
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
