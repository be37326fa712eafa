//! Reads many chunks at once: neighbouring segments with one call to the store, each decoded once.
//!
//! A restore wants most segments whole and once. Those are decoded into a buffer that its thread
//! uses again and again, and handed out while they are still in the processor's cache: putting
//! them into memory that was not touched before costs as much as decoding them. What is wanted in
//! part will be wanted again by a neighbour and goes through the cache of segments.
//!
//! Invariant: whatever is not as it should be is read once more by itself, from every copy there
//! is, and only then given up, with the reason.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use super::{Chunk, Reader, Scratch, decode};
use crate::{
    error::{Error, Result},
    id::{ChunkId, PackId, Stream},
    index::{Index, Location},
    layout::Object,
    pack::PackInfo,
    segment::Extent,
};

/// Gaps up to this length are read over rather than asking twice.
const GAP_MAX: u64 = 128 << 10;
/// No more than this is read at once.
const SPAN_MAX: u64 = 4 << 20;
/// Chunks that are together less than this part of their segment are copied out of it.
const SPARSE: usize = 2;

/// A segment, and the chunks wanted of it: their numbers among those asked for, and their bytes.
struct Wanted {
    pack: PackInfo,
    extent: Extent,
    chunks: Vec<(usize, Range<usize>)>,
}

impl Wanted {
    fn bytes(&self) -> usize {
        self.chunks.iter().map(|(_, bytes)| bytes.len()).sum()
    }

    /// Whether nothing of the segment is left for anybody else.
    fn is_whole(&self) -> bool {
        self.bytes() >= self.extent.plain_len as usize
    }
}

/// A decoded segment.
#[derive(Clone, Copy)]
enum Segment<'a> {
    /// It stays in the cache.
    Kept(&'a Arc<Vec<u8>>),
    /// Its buffer is used again.
    Lent(&'a [u8]),
}

/// What becomes of segments that are wanted whole.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whole {
    Keep,
    Lend,
}

/// What was found of the chunks asked for.
pub enum Found<'a> {
    /// Verified chunks of one segment.
    Chunks {
        /// The bytes of the segment.
        bytes: &'a [u8],
        /// Which of those asked for each chunk is, and where in the bytes.
        chunks: &'a [(usize, Range<usize>)],
    },
    /// The chunk of that number cannot be had.
    Lost(usize, Error),
}

/// What is done with a segment.
type Use<'u> = dyn FnMut(&Wanted, Segment<'_>) -> Result<()> + 'u;

impl Reader {
    /// The bytes of these chunks, in their order. Segments that lie close together are read with
    /// one call to the store. All chunks are in memory at the end: ask for a few MiB at a time.
    pub fn read_all(&self, stream: Stream, ids: &[ChunkId]) -> Vec<Result<Chunk>> {
        let mut found: Vec<Option<Chunk>> = ids.iter().map(|_| None).collect();
        let taken = self.each_segment(stream, ids, Whole::Keep, &mut |wanted, segment| {
            if let Segment::Kept(segment) = segment {
                self.take(wanted, segment, stream, ids, &mut found);
            }
            Ok(())
        });
        if let Err(error) = taken {
            return ids.iter().map(|_| Err(error.clone())).collect();
        }
        let whole = ids.iter().zip(found);
        whole
            .map(|(id, chunk)| chunk.map_or_else(|| self.read(stream, id), Ok))
            .collect()
    }

    /// Hands out each of these chunks once, in the order in which they are stored; ends with the
    /// first error of `give`. What is done with at once is best read like this.
    pub fn visit(
        &self,
        stream: Stream,
        ids: &[ChunkId],
        give: &mut dyn FnMut(Found<'_>) -> Result<()>,
    ) -> Result<()> {
        let mut given = vec![false; ids.len()];
        self.each_segment(stream, ids, Whole::Lend, &mut |wanted, segment| {
            let bytes = match segment {
                Segment::Kept(segment) => segment.as_slice(),
                Segment::Lent(segment) => segment,
            };
            let mut chunks = Vec::with_capacity(wanted.chunks.len());
            for (at, range) in &wanted.chunks {
                if self.is_chunk(stream, bytes.get(range.clone()), &ids[*at]) {
                    given[*at] = true;
                    chunks.push((*at, range.clone()));
                }
            }
            give(Found::Chunks {
                bytes,
                chunks: &chunks,
            })
        })?;
        for (at, id) in ids.iter().enumerate().filter(|(at, _)| !given[*at]) {
            match self.read(stream, id) {
                Ok(chunk) => give(Found::Chunks {
                    bytes: &chunk,
                    chunks: &[(at, 0..chunk.len())],
                })?,
                Err(error) => give(Found::Lost(at, error))?,
            }
        }
        Ok(())
    }

    /// Decodes every segment that holds some of the chunks, in the order of packs. One that cannot
    /// be read is left out.
    fn each_segment(
        &self,
        stream: Stream,
        ids: &[ChunkId],
        whole: Whole,
        used: &mut Use<'_>,
    ) -> Result<()> {
        let index = self.index()?;
        let mut span: Vec<Wanted> = Vec::new();
        for (key, next) in self.plan(&index, stream, ids) {
            if let Some(segment) = self.segments.get(key) {
                used(&next, Segment::Kept(&segment))?;
                continue;
            }
            if !span.is_empty() && !joins(&span, &next) {
                self.load_span(&span, whole, used)?;
                span.clear();
            }
            span.push(next);
        }
        self.load_span(&span, whole, used)
    }

    /// Where the chunks lie; those that no run names are left out.
    fn plan(
        &self,
        index: &Index,
        stream: Stream,
        ids: &[ChunkId],
    ) -> BTreeMap<(PackId, u32), Wanted> {
        let objects = self.repository.objects();
        let mut plan: BTreeMap<(PackId, u32), Wanted> = BTreeMap::new();
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
            let segment = plan.entry((pack.id, extent.number));
            let segment = segment.or_insert_with(|| Wanted {
                pack,
                extent,
                chunks: Vec::new(),
            });
            let bytes = start as usize..(start + len) as usize;
            segment.chunks.push((at, bytes));
        }
        plan
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
        let used = wanted.bytes();
        for (at, bytes) in &wanted.chunks {
            let Some(content) = segment.get(bytes.clone()) else {
                continue;
            };
            if !self.is_chunk(stream, Some(content), &ids[*at]) {
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

    fn is_chunk(&self, stream: Stream, content: Option<&[u8]>, id: &ChunkId) -> bool {
        let keys = self.repository.objects().keys();
        content.is_some_and(|content| keys.chunk_id(stream, content) == *id)
    }

    /// Reads segments of one pack that lie close together with one call, and decodes them.
    fn load_span(&self, span: &[Wanted], whole: Whole, used: &mut Use<'_>) -> Result<()> {
        let [Wanted { pack, extent, .. }, ..] = span else {
            return Ok(());
        };
        let end = span.last().map_or(0, |last| last.extent.end());
        let Ok(mut scratch) = self.scratch() else {
            return Ok(());
        };
        scratch.sealed.clear();
        let bytes = extent.bytes().start..end;
        let Scratch {
            decoding,
            sealed,
            plain,
        } = &mut scratch;
        let objects = self.repository.objects();
        let read = objects.get_into(Object::Pack(pack.id), bytes.clone(), sealed);
        let mut done = Ok(());
        if read.is_ok() {
            let seal = self.seal(pack);
            for wanted in span {
                let Wanted { pack, extent, .. } = wanted;
                let at = |position| usize::try_from(position - bytes.start).unwrap_or(usize::MAX);
                let sealed = sealed.get(at(extent.bytes().start)..at(extent.end()));
                let sealed = sealed.unwrap_or_default();
                done = if whole == Whole::Lend && wanted.is_whole() {
                    match decoding.decode(&seal, extent, sealed, plain) {
                        Ok(()) => used(wanted, Segment::Lent(plain)),
                        // It fails again, with its reason, when its chunks are read alone.
                        Err(_) => Ok(()),
                    }
                } else {
                    let segment = self.segments.get_or_load((pack.id, extent.number), || {
                        decode(decoding, &seal, pack, extent, sealed)
                    });
                    match segment {
                        Ok(segment) => used(wanted, Segment::Kept(&segment)),
                        Err(_) => Ok(()),
                    }
                };
                if done.is_err() {
                    break;
                }
            }
        }
        self.give_back(scratch);
        done
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
