//! One index run: sealed pages of sorted entries, filter pages, a sealed directory.
//!
//! Every page has a place that follows from its number, so looking up a chunk costs a search in
//! the first ids (in memory), one filter page and one page of entries (both cached).
//!
//! Invariant: ids strictly increase through the run.

use std::{
    collections::HashMap,
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use strongroom_model::Entropy;

use super::{
    drawer,
    entry::{ENTRY_LEN, Entry, Location},
    filter,
};
use crate::{
    cache::Cache,
    codec::{Decoder, Encoder, Malformed},
    error::{Damage, Error, Result},
    id::{ChunkId, PackId, RunId, Stream},
    keys::KeyTree,
    layout::Object,
    objects::Objects,
    pack::{self, END, FOOTER_LEN, PackInfo},
    padding,
    seal::{HEADER_LEN, Kind, Part, Place, Seal, TAG_LEN},
};

/// Entries in a full page.
const PAGE_ENTRIES: usize = 512;
/// Pages of entries under one filter page.
const FILTER_PAGES: usize = 32;
/// Bytes read from the end of a run to get its footer and, mostly, its directory.
const TAIL_LEN: u64 = 32 << 10;

/// Opened pages of all runs of a repository: by run (a number of this process), part, number.
pub(crate) type Pages = Cache<(u64, u8, u32), Vec<u8>>;

/// An open run.
pub(crate) struct Run {
    id: RunId,
    /// Names the run in the page cache; ids of runs are too long for that.
    serial: u64,
    seal: Seal,
    directory: Directory,
}

/// What the sealed directory of a run holds.
struct Directory {
    epoch: u64,
    entries: usize,
    packs: Vec<Arc<PackInfo>>,
    /// First id of each page.
    firsts: Vec<ChunkId>,
    last: ChunkId,
}

impl Run {
    /// Opens a run of `size` bytes by reading its end.
    pub(crate) fn open(objects: &Objects, id: RunId, size: u64) -> Result<Self> {
        let object = Object::Run(id);
        let damaged = |damage| Error::damaged(object)(damage);
        if size < (HEADER_LEN + TAG_LEN + FOOTER_LEN) as u64 {
            let expected = (HEADER_LEN + TAG_LEN + FOOTER_LEN) as u64;
            return Err(damaged(Damage::Truncated {
                expected,
                found: size,
            }));
        }
        let tail_start = size - size.min(TAIL_LEN);
        let tail = objects.get_range(object, tail_start..size)?;
        let sealed = pack::directory_at(&tail, size).map_err(damaged)?;
        let directory = if sealed.start >= tail_start {
            tail.slice(offset(sealed.start - tail_start)..offset(sealed.end - tail_start))
        } else {
            objects.get_range(object, sealed.clone())?
        };
        let header = if tail_start == 0 {
            tail.slice(..HEADER_LEN)
        } else {
            objects.get_range(object, 0..HEADER_LEN as u64)?
        };
        let mut run = Self::from_parts(objects.keys(), id, &header, sealed.start, &directory)
            .map_err(damaged)?;
        objects.packs().share(&mut run.directory.packs);
        Ok(run)
    }

    /// Opens a run of which the header and the sealed directory are at hand.
    fn from_parts(
        keys: &KeyTree,
        id: RunId,
        header: &[u8],
        directory_start: u64,
        sealed: &[u8],
    ) -> Result<Self, Damage> {
        static SERIAL: AtomicU64 = AtomicU64::new(0);
        let seal = Seal::of(keys, Kind::Run, header)?;
        let plain_len = u32::try_from(sealed.len().saturating_sub(TAG_LEN))
            .map_err(|_| Malformed::new("an index run is too long"))?;
        let place = Place::new(Part::Directory, 0, directory_start, plain_len);
        let mut plain = Vec::new();
        seal.open(&place, sealed, &mut plain)?;
        let directory = Directory::decode(&plain)?;
        if directory.layout().end() + TAG_LEN as u64 > directory_start {
            return Err(Malformed::new("pages of the run overlap its directory").into());
        }
        Ok(Self {
            id,
            serial: SERIAL.fetch_add(1, Ordering::Relaxed),
            seal,
            directory,
        })
    }

    pub(crate) const fn id(&self) -> RunId {
        self.id
    }

    /// Higher in newer runs; a hint for the order of searching only.
    pub(crate) const fn epoch(&self) -> u64 {
        self.directory.epoch
    }

    /// The first and the last chunk.
    pub(crate) fn ends(&self) -> (&ChunkId, &ChunkId) {
        let first = self.directory.firsts.first();
        (first.unwrap_or(&self.directory.last), &self.directory.last)
    }

    /// Number of entries.
    pub(crate) const fn len(&self) -> usize {
        self.directory.entries
    }

    /// The packs that entries refer to, by number.
    pub(crate) fn packs(&self) -> &[Arc<PackInfo>] {
        &self.directory.packs
    }

    /// Number of pages of entries.
    pub(crate) fn pages(&self) -> usize {
        self.directory.firsts.len()
    }

    /// The entry of `id`, if the run has one.
    pub(crate) fn find(&self, objects: &Objects, id: &ChunkId) -> Result<Option<Entry>> {
        let Directory { firsts, last, .. } = &self.directory;
        let after = firsts.partition_point(|first| first <= id);
        let Some(page) = after.checked_sub(1).filter(|_| id <= last) else {
            return Ok(None);
        };
        let possible = self.with_page(objects, Part::Filter, page / FILTER_PAGES, |filter| {
            filter::may_contain(filter, id)
        })?;
        if !possible {
            return Ok(None);
        }
        let found = self.with_page(objects, Part::Entries, page, |page| search(page, id))?;
        found.map(|entry| self.decode(&entry)).transpose()
    }

    /// All entries of page `number`; reads past the cache, for walks over whole runs.
    pub(crate) fn entries(&self, objects: &Objects, number: usize) -> Result<Vec<Entry>> {
        let page = self.load(objects, Part::Entries, number)?;
        page.as_chunks::<ENTRY_LEN>()
            .0
            .iter()
            .map(|entry| self.decode(entry))
            .collect()
    }

    /// The place of an entry of this run, with its pack.
    pub(crate) fn locate(&self, entry: &Entry) -> Location {
        Location {
            pack: *self.directory.packs[entry.pack as usize],
            extent: entry.extent,
            start: entry.start,
            len: entry.len,
        }
    }

    fn decode(&self, bytes: &[u8; ENTRY_LEN]) -> Result<Entry> {
        let entry = Entry::decode(bytes).map_err(Error::damaged(Object::Run(self.id)))?;
        let fits = self
            .directory
            .packs
            .get(entry.pack as usize)
            .is_some_and(|pack| entry.extent.end() <= u64::from(pack.size));
        if fits {
            Ok(entry)
        } else {
            let damage = Malformed::new("an entry points outside its pack").into();
            Err(Error::damaged(Object::Run(self.id))(damage))
        }
    }

    /// What `read` makes of a page.
    fn with_page<T>(
        &self,
        objects: &Objects,
        part: Part,
        number: usize,
        read: impl FnOnce(&[u8]) -> T,
    ) -> Result<T> {
        let key = (self.serial, part as u8, narrow(number));
        let load = || {
            objects.pages().get_or_load(key, || {
                let page = self.load(objects, part, number)?;
                let weight = page.len();
                Ok((page, weight))
            })
        };
        drawer::with_page(key, load, read)
    }

    fn load(&self, objects: &Objects, part: Part, number: usize) -> Result<Vec<u8>> {
        let object = Object::Run(self.id);
        let place = self.directory.layout().page(part, number);
        let end = place.offset + u64::from(place.plain_len) + TAG_LEN as u64;
        let sealed = objects.get_range(object, place.offset..end)?;
        let mut page = Vec::new();
        self.seal
            .open(&place, &sealed, &mut page)
            .map_err(Error::damaged(object))?;
        Ok(page)
    }
}

/// The entry of `id` in a page.
fn search(page: &[u8], id: &ChunkId) -> Option<[u8; ENTRY_LEN]> {
    let (entries, _) = page.as_chunks::<ENTRY_LEN>();
    // Numbers compare faster than byte strings, and hardly any two ids begin alike.
    let front = |id: &[u8]| id.first_chunk().map(|front| u64::from_be_bytes(*front));
    let wanted = front(id.as_bytes());
    let at = entries.partition_point(|entry| front(entry) < wanted);
    entries[at..]
        .iter()
        .take_while(|entry| front(*entry) == wanted)
        .find(|entry| entry.starts_with(id.as_bytes()))
        .copied()
}

impl Directory {
    fn layout(&self) -> Layout {
        Layout {
            entries: self.entries,
        }
    }

    fn encode(&self) -> Vec<u8> {
        let mut out = Encoder::default();
        out.u64(self.epoch)
            .u64(self.entries as u64)
            .count(self.packs.len());
        for pack in &self.packs {
            let stream = Kind::pack(pack.stream) as u8;
            out.raw(pack.id.as_bytes())
                .u8(stream)
                .raw(&pack.salt)
                .u32(pack.size);
        }
        for first in &self.firsts {
            out.raw(first.as_bytes());
        }
        out.raw(self.last.as_bytes());
        out.finish()
    }

    fn decode(bytes: &[u8]) -> Result<Self, Damage> {
        let mut decoder = Decoder::new(bytes);
        let epoch = decoder.u64()?;
        let entries = usize::try_from(decoder.u64()?)
            .map_err(|_| Malformed::new("an index run is too long"))?;
        let mut packs = Vec::new();
        for _ in 0..decoder.count(PackId::LEN + 1 + 32 + 4)? {
            let id = PackId::from_bytes(decoder.array()?);
            let stream = match decoder.u8()? {
                found if found == Kind::DataPack as u8 => Stream::Data,
                found if found == Kind::TreePack as u8 => Stream::Tree,
                found => {
                    return Err(Damage::UnknownAlgorithm {
                        what: "kind of pack",
                        found,
                    });
                }
            };
            packs.push(Arc::new(PackInfo {
                id,
                stream,
                salt: decoder.array()?,
                size: decoder.u32()?,
            }));
        }
        let pages = entries.div_ceil(PAGE_ENTRIES);
        if entries == 0 || decoder.remaining() != pages.saturating_add(1).saturating_mul(32) {
            return Err(Malformed::new("an index run does not list its pages").into());
        }
        let mut firsts = Vec::with_capacity(pages);
        for _ in 0..pages {
            firsts.push(ChunkId::from_bytes(decoder.array()?));
        }
        let last = ChunkId::from_bytes(decoder.array()?);
        decoder.finish()?;
        let sorted = firsts.is_sorted_by(|a, b| a < b) && firsts.last() <= Some(&last);
        if !sorted {
            return Err(Malformed::new("pages of an index run are not in order").into());
        }
        Ok(Self {
            epoch,
            entries,
            packs,
            firsts,
            last,
        })
    }
}

/// A directory as it would be encoded anew, and the end of the pages that it speaks of.
#[cfg(any(test, fuzzing))]
pub(crate) fn directory_round_trip(bytes: &[u8]) -> Result<(Vec<u8>, u64), Damage> {
    let directory = Directory::decode(bytes)?;
    Ok((directory.encode(), directory.layout().end()))
}

/// Where the pages of a run with so many entries lie.
#[derive(Clone, Copy)]
struct Layout {
    entries: usize,
}

impl Layout {
    fn page(self, part: Part, number: usize) -> Place {
        let (first, each) = match part {
            Part::Filter => (
                self.filters_start(),
                filter::len(FILTER_PAGES * PAGE_ENTRIES),
            ),
            _ => (HEADER_LEN, PAGE_ENTRIES * ENTRY_LEN),
        };
        let plain_len = match part {
            Part::Filter => filter::len(self.covered(number, FILTER_PAGES * PAGE_ENTRIES).len()),
            _ => self.covered(number, PAGE_ENTRIES).len() * ENTRY_LEN,
        };
        let offset = first + number * (each + TAG_LEN);
        Place::new(part, number as u64, offset as u64, narrow(plain_len))
    }

    /// The entries under page `number` if each page has `each`.
    fn covered(self, number: usize, each: usize) -> Range<usize> {
        (number * each).min(self.entries)..((number + 1) * each).min(self.entries)
    }

    fn filters_start(self) -> usize {
        let pages = self.entries.div_ceil(PAGE_ENTRIES);
        HEADER_LEN + self.entries.saturating_mul(ENTRY_LEN) + pages * TAG_LEN
    }

    fn filters(self) -> usize {
        self.entries.div_ceil(FILTER_PAGES * PAGE_ENTRIES)
    }

    /// Where the pages end and the padding starts.
    fn end(self) -> u64 {
        let last = self.page(Part::Filter, self.filters().saturating_sub(1));
        last.offset + u64::from(last.plain_len) + TAG_LEN as u64
    }
}

/// Collects entries for one run.
#[derive(Default)]
pub(crate) struct RunBuilder {
    packs: Vec<Arc<PackInfo>>,
    numbers: HashMap<PackId, u32>,
    entries: Vec<Entry>,
}

impl RunBuilder {
    /// Adds a chunk and its place.
    pub(crate) fn add(&mut self, id: ChunkId, location: &Location) {
        let Location {
            pack,
            extent,
            start,
            len,
        } = *location;
        let number = *self.numbers.entry(pack.id).or_insert_with(|| {
            self.packs.push(Arc::new(pack));
            narrow(self.packs.len() - 1)
        });
        self.entries.push(Entry {
            id,
            pack: number,
            extent,
            start,
            len,
        });
    }

    pub(crate) const fn len(&self) -> usize {
        self.entries.len()
    }

    /// Sorts and seals the run; of entries for the same chunk the first added stays. `None` if
    /// there are no entries.
    pub(crate) fn finish(
        mut self,
        keys: &KeyTree,
        epoch: u64,
        entropy: &dyn Entropy,
    ) -> Option<FinishedRun> {
        self.entries.sort_by_key(|entry| entry.id);
        self.entries.dedup_by_key(|entry| entry.id);
        let last = self.entries.last()?.id;
        let firsts = self
            .entries
            .iter()
            .step_by(PAGE_ENTRIES)
            .map(|entry| entry.id)
            .collect();
        let (entries, packs) = (self.entries.len(), self.packs);
        let directory = Directory {
            epoch,
            entries,
            packs,
            firsts,
            last,
        };
        let layout = directory.layout();
        let seal = Seal::fresh(keys, Kind::Run, entropy);

        let capacity = offset(layout.end()) + (TAG_LEN + FOOTER_LEN) + 128 * directory.packs.len();
        let mut bytes = Vec::with_capacity(capacity + 32 * directory.firsts.len());
        bytes.extend_from_slice(seal.header());
        let mut page = |part, number, plain: &[u8]| {
            let place = layout.page(part, number);
            let start = bytes.len();
            debug_assert_eq!(place.offset, start as u64);
            debug_assert_eq!(place.plain_len as usize, plain.len());
            bytes.extend_from_slice(plain);
            seal.seal(&place, &mut bytes, start);
        };
        for (number, entries) in self.entries.chunks(PAGE_ENTRIES).enumerate() {
            let mut plain = Encoder::with_capacity(PAGE_ENTRIES * ENTRY_LEN);
            for entry in entries {
                entry.encode(&mut plain);
            }
            page(Part::Entries, number, &plain.finish());
        }
        for (number, entries) in self.entries.chunks(FILTER_PAGES * PAGE_ENTRIES).enumerate() {
            let plain = filter::build(entries.len(), entries.iter().map(|entry| &entry.id));
            page(Part::Filter, number, &plain);
        }
        let plain = directory.encode();
        let rest = plain.len() + TAG_LEN + FOOTER_LEN;
        padding::append(&seal, Kind::Run, &mut bytes, rest);
        let start = bytes.len();
        let place = Place::new(Part::Directory, 0, start as u64, narrow(plain.len()));
        bytes.extend_from_slice(&plain);
        seal.seal(&place, &mut bytes, start);
        bytes.extend_from_slice(&narrow(plain.len() + TAG_LEN).to_le_bytes());
        bytes.extend_from_slice(END);
        let id = RunId::from_bytes(*blake3::hash(&bytes).as_bytes());
        Some(FinishedRun {
            id,
            bytes,
            directory_start: start,
        })
    }
}

/// A run that is ready to be stored.
pub(crate) struct FinishedRun {
    pub(crate) id: RunId,
    pub(crate) bytes: Vec<u8>,
    directory_start: usize,
}

impl FinishedRun {
    /// The run as if it had been opened from the store.
    pub(crate) fn into_run(self, keys: &KeyTree) -> Run {
        let end = self.bytes.len() - FOOTER_LEN;
        let sealed = &self.bytes[self.directory_start..end];
        let start = self.directory_start as u64;
        Run::from_parts(keys, self.id, &self.bytes, start, sealed)
            .expect("a run that was just built opens")
    }
}

fn narrow(len: usize) -> u32 {
    u32::try_from(len).expect("an index run is far shorter than 4 GiB")
}

fn offset(position: u64) -> usize {
    usize::try_from(position).expect("the position is inside bytes in memory")
}
