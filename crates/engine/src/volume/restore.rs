//! Restores a volume: writes the blocks that are there, makes the rest read as zeroes.
//!
//! Invariant: damage never ends a restore. What is lost is named in bytes and reads as zeroes.

use std::{
    ops::Range,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
};

use strongroom_model::content::{self, BlockSink, TreePath};

use super::{map::Blocks, top::Top};
use crate::{
    error::{Error, Result},
    id::ManifestId,
    pieces::{Held, Wanted, What, stream},
    reader::Reader,
    repository::Repository,
    tree::{
        Cause, Part, Progress, RestoreOptions, Restored, crew::lock, loss::Losses, restore::threads,
    },
};

/// Blocks that one thread writes at a time.
const PIECE_BLOCKS: usize = 64;

/// The size of the volume of a manifest, in bytes.
pub fn volume_size(repository: &Repository, manifest: &ManifestId) -> Result<u64> {
    let manifest = repository.manifest(manifest)?;
    Ok(Top::read(&repository.reader(), &manifest)?.size)
}

/// Restores the volume of a manifest into `sink`.
pub fn restore_volume(
    repository: &Repository,
    manifest: &ManifestId,
    sink: &dyn BlockSink,
    options: RestoreOptions<'_>,
) -> Result<Restored> {
    let manifest = repository.manifest(manifest)?;
    let reader = repository.reader();
    let top = Top::read(&reader, &manifest)?;
    options.progress.expect_at_least(top.size);
    sink.prepare(top.size).map_err(Error::source)?;
    let restore = Restore {
        reader: &reader,
        sink,
        progress: options.progress,
        top,
        walk: Mutex::new(Walk {
            map: Blocks::of(top.root, top.blocks()),
            done: 0,
        }),
        failed: Mutex::default(),
        stopped: AtomicBool::new(false),
        losses: Mutex::default(),
        bytes: AtomicU64::default(),
    };
    restore.run(threads(options.threads))?;
    let (losses, losses_total) = restore.losses.into_inner().unwrap_or_default().finish();
    let bytes = restore.bytes.into_inner();
    Ok(Restored {
        bytes,
        losses,
        losses_total,
        ..Restored::default()
    })
}

/// What all threads of a restore share.
struct Restore<'a> {
    reader: &'a Reader,
    sink: &'a dyn BlockSink,
    progress: &'a Progress,
    top: Top,
    walk: Mutex<Walk>,
    failed: Mutex<Option<Error>>,
    stopped: AtomicBool,
    losses: Mutex<Losses>,
    bytes: AtomicU64,
}

/// How far the map is handed out.
struct Walk {
    map: Blocks,
    /// Bytes in front of the next piece.
    done: u64,
}

/// A part of the disk: the blocks to write, and what is to be zero.
#[derive(Default)]
struct Stretch {
    blocks: Vec<Wanted>,
    zeroes: Vec<Range<u64>>,
    covered: u64,
}

impl Restore<'_> {
    fn run(&self, threads: usize) -> Result<()> {
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
        lock(&self.failed).take().map_or(Ok(()), Err)
    }

    fn work(&self) -> Result<()> {
        while !self.stopped.load(Ordering::Relaxed) {
            self.progress.check()?;
            let Some(piece) = self.next_stretch()? else {
                break;
            };
            for range in piece.zeroes {
                self.target(range.clone(), self.sink.zero(range))?;
            }
            let blocks = piece.blocks.len() as u64;
            stream(self.reader, &piece.blocks, &mut |range, held| {
                self.progress.check()?;
                self.write(range, held)
            })?;
            self.progress.advance(piece.covered);
            self.progress.finish_items(blocks);
        }
        Ok(())
    }

    /// Takes the next blocks, with the holes in front of them; `None` at the end.
    fn next_stretch(&self) -> Result<Option<Stretch>> {
        let mut walk = lock(&self.walk);
        let Walk { map, done } = &mut *walk;
        let (mut piece, start) = (Stretch::default(), *done);
        while *done < self.top.size && piece.blocks.len() < PIECE_BLOCKS {
            let (next, block) = match map.next(self.reader, &mut |_| Ok(())) {
                None => (self.top.size..self.top.size, None),
                Some(Ok((block, id))) => (self.range(block), Some((block, id))),
                Some(Err(lost)) => {
                    let (first, last) =
                        (self.range(lost.blocks.start), self.range(lost.blocks.end));
                    let range = first.start..last.start;
                    self.lose(range.clone(), lost.error)?;
                    // Not known to be a hole, but zeroes are better than what was there before.
                    piece.zeroes.push(range.clone());
                    (range, None)
                }
            };
            if next.start > *done {
                piece.zeroes.push(*done..next.start);
            }
            *done = next.end.max(next.start);
            piece.blocks.extend(block.map(|(block, id)| {
                let Range { start, end } = self.range(block);
                Wanted {
                    position: start,
                    length: end - start,
                    what: What::Chunk(id),
                }
            }));
        }
        piece.covered = *done - start;
        Ok((piece.covered > 0).then_some(piece))
    }

    fn range(&self, block: u64) -> Range<u64> {
        self.top.range(block)
    }

    fn write(&self, range: Range<u64>, held: Held<&[u8]>) -> Result<()> {
        match held {
            Held::Data(bytes) => {
                self.target(range.clone(), self.sink.write_at(bytes, range.start))?;
                self.bytes
                    .fetch_add(range.end - range.start, Ordering::Relaxed);
                Ok(())
            }
            Held::Lost(error) => self.lose_block(range, error),
            Held::Hole => self.target(range.clone(), self.sink.zero(range)),
        }
    }

    fn lose_block(&self, range: Range<u64>, error: Error) -> Result<()> {
        self.lose(range.clone(), error)?;
        self.target(range.clone(), self.sink.zero(range))
    }

    fn lose(&self, range: Range<u64>, error: Error) -> Result<()> {
        match error {
            // Not a word about what is there: nothing can be said to be lost.
            Error::Store { .. } | Error::Cancelled => Err(error),
            error => {
                let cause = Cause::Repository(error);
                lock(&self.losses).add(TreePath::root(), Part::Bytes(range), cause);
                Ok(())
            }
        }
    }

    fn target(&self, range: Range<u64>, written: content::Result<()>) -> Result<()> {
        match written {
            Err(error) if error.is_no_space() => Err(Error::source(error)),
            Err(error) => {
                let cause = Cause::Target(Arc::new(error));
                lock(&self.losses).add(TreePath::root(), Part::Bytes(range), cause);
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }
}
