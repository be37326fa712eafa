//! Saves a volume: reads what is no hole, names every block, keeps the map.
//!
//! Several threads take stretches of the disk in turn. Blocks lie at fixed places, so nothing
//! depends on who reads which, and a change of a few blocks costs those, the nodes above them and
//! reading the disk; nothing at all is read of an image whose file has not changed.
//!
//! Invariant: holes are neither read nor stored; a block of zeroes is a hole.

use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
};

use strongroom_model::content::{self, BlockSource, Stat, TreePath};

use super::{
    map::{Blocks, Builder},
    top::{Top, Version},
};
use crate::{
    chunk::is_zero,
    error::{Error, Result},
    id::{ChunkId, ManifestId, Stream},
    manifest::{Items, Layer},
    reader::Reader,
    repository::Repository,
    tree::{
        ProblemKind, Progress, SaveOptions, SaveStats, Saved,
        crew::lock,
        problem::Problems,
        restore::threads,
        save::{Finished, commit, is_settled},
    },
    writer::{StreamWriter, Writer},
};

/// Bytes of the disk that one thread deals with at a time.
const STRETCH_BYTES: u64 = 8 << 20;
/// Bytes read at once.
const READ_BYTES: u64 = 1 << 20;

/// Saves the disk that `source` shows; a manifest exists when this returns.
pub fn save_volume(
    repository: &Repository,
    source: &dyn BlockSource,
    options: &SaveOptions<'_>,
) -> Result<Saved> {
    let started = source.clock();
    let before = source.stat().map_err(Error::source)?;
    let writer = repository.writer(options.writer.clone(), Arc::clone(&options.entropy))?;
    let reader = repository.reader();
    let mut top = Top {
        started,
        size: source.size(),
        block: repository.sizes().block,
        version: before.as_ref().map(Version::of),
        root: None,
    };
    options.progress.expect(top.size);
    let known = options
        .previous
        .and_then(|id| unchanged(&writer, &reader, &id, &top, before.as_ref()));
    let save = Save::new(source, &writer, options.progress, &top);
    let blocks = if let Some((root, blocks)) = known {
        top.root = root;
        options.progress.advance(top.size);
        blocks
    } else {
        top.root = save.run(threads(options.threads))?;
        save.check_version(before.as_ref())?;
        save.blocks.load(Ordering::Relaxed)
    };
    let stats = SaveStats {
        logical_bytes: top.size,
        read_bytes: save.read.load(Ordering::Relaxed),
        new: u64::from(options.previous.is_none()),
        changed: u64::from(options.previous.is_some() && known.is_none()),
        unchanged: u64::from(known.is_some()),
        items: Items {
            blocks,
            ..Items::default()
        },
    };
    let problems = save.problems.into_inner().unwrap_or_default();
    let mut tree = writer.stream(Stream::Tree);
    let root = tree.put(&top.encode())?;
    tree.finish()?;
    let (layer, ended) = (Layer::Volume, source.clock());
    let finished = Finished {
        layer,
        root,
        started,
        ended,
        problems,
        stats,
    };
    commit(repository, writer, finished, options)
}

/// The map of the previous save and its number of blocks, if the image is surely the same and all
/// of it can be relied on.
fn unchanged(
    writer: &Writer,
    reader: &Reader,
    id: &ManifestId,
    now: &Top,
    stat: Option<&Stat>,
) -> Option<(Option<ChunkId>, u64)> {
    let stat = stat?;
    let manifest = match writer.previous(id) {
        Ok(manifest) => manifest,
        Err(error) => {
            tracing::warn!(%id, %error, "the previous manifest cannot be used; reading everything");
            return None;
        }
    };
    let before = Top::read(reader, &manifest).ok()?;
    let same = before.version == now.version && before.version.is_some();
    let same = same && before.size == now.size && before.block == now.block;
    // What was not read then is not known now.
    if !same || !is_settled(stat, before.started) || !manifest.body.complete {
        return None;
    }
    let rely = |stream, id: &ChunkId| {
        let there = writer.contains(stream, id)?;
        if there {
            Ok(())
        } else {
            Err(Error::ChunkMissing { id: *id, stream })
        }
    };
    let mut map = Blocks::of(before.root, before.blocks());
    let mut blocks = 0;
    while let Some(block) = map.next(reader, &mut |node| rely(Stream::Tree, node)) {
        rely(Stream::Data, &block.ok()?.1).ok()?;
        blocks += 1;
    }
    Some((before.root, blocks))
}

/// What all threads of a save share.
struct Save<'a> {
    source: &'a dyn BlockSource,
    writer: &'a Writer,
    progress: &'a Progress,
    size: u64,
    block: u64,
    reading: Mutex<Reading>,
    gathered: Mutex<Gathered>,
    failed: Mutex<Option<Error>>,
    stopped: AtomicBool,
    problems: Mutex<Problems>,
    read: AtomicU64,
    blocks: AtomicU64,
}

/// How far the disk is handed out.
struct Reading {
    offset: u64,
    stretches: u64,
}

/// A part of the disk, and the data in it, in whole blocks.
struct Stretch {
    number: u64,
    data: Vec<Range<u64>>,
    /// Bytes since the end of the stretch before, holes included.
    covered: u64,
}

/// The blocks of a stretch that are no holes, by number.
type Found = Vec<(u64, ChunkId)>;

struct Gathered {
    in_order: u64,
    early: BTreeMap<u64, Found>,
    map: Builder,
}

impl<'a> Save<'a> {
    fn new(
        source: &'a dyn BlockSource,
        writer: &'a Writer,
        progress: &'a Progress,
        top: &Top,
    ) -> Self {
        let map = Builder::new(top.blocks());
        Self {
            source,
            writer,
            progress,
            size: top.size,
            block: u64::from(top.block),
            reading: Mutex::new(Reading {
                offset: 0,
                stretches: 0,
            }),
            gathered: Mutex::new(Gathered {
                in_order: 0,
                early: BTreeMap::new(),
                map,
            }),
            failed: Mutex::default(),
            stopped: AtomicBool::new(false),
            problems: Mutex::default(),
            read: AtomicU64::default(),
            blocks: AtomicU64::default(),
        }
    }

    /// Reads the disk; returns the root of its map.
    fn run(&self, threads: usize) -> Result<Option<ChunkId>> {
        thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    if let Err(error) = self.work() {
                        self.stopped.store(true, Ordering::Relaxed);
                        lock(&self.failed).get_or_insert(error);
                    }
                });
            }
        });
        if let Some(error) = lock(&self.failed).take() {
            return Err(error);
        }
        let mut tree = self.writer.stream(Stream::Tree);
        let empty = Builder::new(0);
        let map = std::mem::replace(&mut lock(&self.gathered).map, empty);
        let root = map.finish(&mut |node| tree.put(node))?;
        tree.finish()?;
        Ok(root)
    }

    fn work(&self) -> Result<()> {
        let mut data = self.writer.stream(Stream::Data);
        data.expect_long(true);
        let mut tree = self.writer.stream(Stream::Tree);
        let mut buffer = Vec::new();
        while !self.stopped.load(Ordering::Relaxed) {
            self.progress.check()?;
            let Some(stretch) = self.next_stretch().map_err(Error::source)? else {
                break;
            };
            let mut found = Vec::new();
            for range in stretch.data {
                self.read_range(range, &mut buffer, &mut data, &mut found)?;
            }
            self.blocks.fetch_add(found.len() as u64, Ordering::Relaxed);
            self.progress.advance(stretch.covered);
            self.progress.finish_items(found.len() as u64);
            self.gather(stretch.number, found, &mut tree)?;
        }
        data.finish()?;
        tree.finish()
    }

    /// Hands out the next stretch that is not all hole.
    fn next_stretch(&self) -> content::Result<Option<Stretch>> {
        let mut reading = lock(&self.reading);
        let from = reading.offset;
        let Some(first) = self.source.next_data(from)? else {
            reading.offset = self.size;
            self.progress.advance(self.size - from);
            return Ok(None);
        };
        let end = (first.start / STRETCH_BYTES + 1)
            .saturating_mul(STRETCH_BYTES)
            .min(self.size);
        let mut data: Vec<Range<u64>> = Vec::new();
        let mut next = Some(first);
        while let Some(range) = next.filter(|range| range.start < end) {
            let start = range.start / self.block * self.block;
            let stop = range.end.next_multiple_of(self.block).min(end);
            match data.last_mut() {
                // Two ranges that touch the same block.
                Some(last) if last.end >= start => last.end = last.end.max(stop),
                _ => data.push(start..stop),
            }
            next = if range.end < end {
                self.source.next_data(range.end)?
            } else {
                None
            };
        }
        reading.offset = end;
        reading.stretches += 1;
        Ok(Some(Stretch {
            number: reading.stretches - 1,
            data,
            covered: end - from,
        }))
    }

    fn read_range(
        &self,
        range: Range<u64>,
        buffer: &mut Vec<u8>,
        data: &mut StreamWriter,
        found: &mut Found,
    ) -> Result<()> {
        let step = READ_BYTES.max(self.block);
        let mut at = range.start;
        while at < range.end {
            self.progress.check()?;
            let end = (at / step + 1).saturating_mul(step).min(range.end);
            let length = usize::try_from(end - at).expect("at most a few MiB");
            buffer.resize(length, 0);
            if self.source.read_at(buffer, at).is_err() {
                self.read_singly(at, buffer);
            }
            self.read.fetch_add(end - at, Ordering::Relaxed);
            let size = usize::try_from(self.block).expect("at most a MiB");
            for (block, number) in buffer.chunks(size).zip(at / self.block..) {
                if !is_zero(block) {
                    found.push((number, data.put(block)?));
                }
            }
            at = end;
        }
        Ok(())
    }

    /// Reads block by block around what cannot be read; that is recorded and left a hole.
    fn read_singly(&self, offset: u64, buffer: &mut [u8]) {
        let size = usize::try_from(self.block).expect("at most a MiB");
        for (block, at) in buffer.chunks_mut(size).zip((offset..).step_by(size)) {
            if let Err(error) = self.source.read_at(block, at) {
                let end = at + block.len() as u64;
                block.fill(0);
                let source = std::error::Error::source(&error).map(ToString::to_string);
                let cause = format!(
                    "bytes {at} to {end}: {error}: {}",
                    source.unwrap_or_default()
                );
                lock(&self.problems).add(TreePath::root(), ProblemKind::Unreadable, cause);
            }
        }
    }

    /// Adds what was found in a stretch to the map, in order.
    fn gather(&self, number: u64, found: Found, tree: &mut StreamWriter) -> Result<()> {
        let mut gathered = lock(&self.gathered);
        let Gathered {
            in_order,
            early,
            map,
        } = &mut *gathered;
        early.insert(number, found);
        while let Some(found) = early.remove(in_order) {
            *in_order += 1;
            for (block, id) in found {
                map.push(block, id, &mut |node| tree.put(node))?;
            }
        }
        Ok(())
    }

    /// Records that the image was written to while it was read.
    fn check_version(&self, before: Option<&Stat>) -> Result<()> {
        let after = self.source.stat().map_err(Error::source)?;
        if let (Some(before), Some(after)) = (before, &after)
            && !before.same_version(after)
        {
            lock(&self.problems).add(TreePath::root(), ProblemKind::Changed, String::new());
        }
        Ok(())
    }
}
