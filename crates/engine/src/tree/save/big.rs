//! Reads a big file with as many threads as have nothing better to do.
//!
//! The thread that holds the file reads and cuts a piece, lets go, and hashes and compresses it
//! while the next thread reads. What comes back is put in order here.
//!
//! Invariant: the content is the same as if one thread had read it (see [`Pieces`]).

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use strongroom_model::content::{self, SourceFile, Stat};

use super::{
    Hand, Save, Work,
    folder::Place,
    pieces::{ContentBuilder, Piece, Pieces},
};
use crate::{
    error::Result,
    tree::{
        crew::lock,
        entry::{Entry, Extent},
        problem::ProblemKind,
    },
};

/// How often a big file is read until it holds still: the second time is costly enough.
const READS_MAX: u32 = 2;

/// A big file that is being read.
pub(super) struct BigFile {
    place: Place,
    reading: Mutex<Reading>,
    gathered: Mutex<Gathered>,
}

struct Reading {
    before: Stat,
    file: Option<Arc<dyn SourceFile>>,
    pieces: Pieces,
    /// Pieces taken so far.
    taken: u64,
    ended: bool,
    attempt: u32,
}

#[derive(Default)]
struct Gathered {
    /// Pieces that are in the content already.
    in_order: u64,
    early: BTreeMap<u64, Vec<Extent>>,
    content: ContentBuilder,
    /// How many pieces there are, once that is known.
    total: Option<u64>,
}

impl BigFile {
    pub(super) fn new(place: Place, stat: Stat) -> Arc<Self> {
        let reading = Reading {
            before: stat,
            file: None,
            pieces: Pieces::of(&stat),
            taken: 0,
            ended: false,
            attempt: 1,
        };
        Arc::new(Self {
            place,
            reading: Mutex::new(reading),
            gathered: Mutex::default(),
        })
    }

    /// The next piece, in the hand's buffer, with its number; `None` at the end.
    fn take(
        &self,
        reading: &mut Reading,
        save: &Save<'_>,
        hand: &mut Hand,
    ) -> content::Result<Option<(u64, Piece)>> {
        let file = if let Some(file) = &reading.file {
            Arc::clone(file)
        } else {
            let Place { folder, name, .. } = &self.place;
            let file: Arc<dyn SourceFile> = folder.source.open_file(name)?.into();
            reading.file = Some(Arc::clone(&file));
            file
        };
        let piece = reading
            .pieces
            .next(&*file, &save.cutter, &mut hand.buffer)?;
        Ok(piece.map(|piece| {
            reading.taken += 1;
            (reading.taken - 1, piece)
        }))
    }
}

impl Save<'_> {
    /// Reads one piece and leaves the rest to whoever comes next.
    pub(super) fn read_piece(&self, hand: &mut Hand, big: &Arc<BigFile>) -> Result<()> {
        self.progress.check()?;
        let mut reading = lock(&big.reading);
        if reading.ended {
            return Ok(());
        }
        if reading.file.is_none()
            && let Some(node) = self.links.read_before(&reading.before)
        {
            reading.ended = true;
            self.progress.advance(node.meta.size);
            let Place { folder, slot, name } = &big.place;
            let name = name.clone();
            return folder.fill(self, hand, *slot, Some(Entry { name, node }));
        }
        match big.take(&mut reading, self, hand) {
            Ok(Some((number, piece))) => {
                self.crew.add_next(Work::Piece(Arc::clone(big)));
                drop(reading);
                hand.data.expect_long(true);
                let extents = hand.put_piece(&piece)?;
                hand.data.expect_long(false);
                self.gather(hand, big, |gathered| {
                    gathered.early.insert(number, extents);
                })
            }
            Ok(None) => {
                reading.ended = true;
                let taken = reading.taken;
                drop(reading);
                self.gather(hand, big, |gathered| gathered.total = Some(taken))
            }
            Err(error) => {
                // Pieces still in work find no total and end there.
                reading.ended = true;
                drop(reading);
                let Place { folder, slot, name } = &big.place;
                self.note(folder.path().join(name), &error);
                folder.fill(self, hand, *slot, None)
            }
        }
    }

    /// Changes what is gathered, and finishes the file if that was the last of it.
    fn gather(
        &self,
        hand: &mut Hand,
        big: &Arc<BigFile>,
        change: impl FnOnce(&mut Gathered),
    ) -> Result<()> {
        let mut gathered = lock(&big.gathered);
        change(&mut gathered);
        while let Some(extents) = {
            let next = gathered.in_order;
            gathered.early.remove(&next)
        } {
            gathered.in_order += 1;
            for extent in extents {
                self.progress
                    .advance(crate::tree::sequence::Item::length(&extent));
                gathered
                    .content
                    .push(extent, &mut |node| hand.put_node(node))?;
            }
        }
        if gathered.total != Some(gathered.in_order) {
            return Ok(());
        }
        let content = std::mem::take(&mut *gathered).content;
        drop(gathered);
        self.finish_big(hand, big, content)
    }

    /// Makes the entry of a file that was read to its end, or has it read again.
    fn finish_big(
        &self,
        hand: &mut Hand,
        big: &Arc<BigFile>,
        content: ContentBuilder,
    ) -> Result<()> {
        let Place { folder, slot, name } = &big.place;
        let (content, length) = content.finish(&mut |node| hand.put_node(node))?;
        let mut reading = lock(&big.reading);
        let file = reading.file.clone().expect("a file that was read is open");
        let (xattrs, after) = match file.xattrs().and_then(|xattrs| Ok((xattrs, file.stat()?))) {
            Ok(rest) => rest,
            Err(error) => {
                self.note(folder.path().join(name), &error);
                return folder.fill(self, hand, *slot, None);
            }
        };
        let before = reading.before;
        let torn = !before.same_version(&after) || length != before.size;
        if torn && reading.attempt < READS_MAX {
            reading.before = after;
            reading.pieces = Pieces::of(&after);
            reading.taken = 0;
            reading.ended = false;
            reading.attempt += 1;
            drop(reading);
            self.crew.add_next(Work::Piece(Arc::clone(big)));
            return Ok(());
        }
        drop(reading);
        let node = self.file_node(hand, &before, content, length, xattrs)?;
        if torn {
            let cause = format!("read {READS_MAX} times");
            self.add_problem(folder.path().join(name), ProblemKind::Changed, cause);
        } else {
            self.links.remember(&before, &node);
        }
        folder.fill(
            self,
            hand,
            *slot,
            Some(Entry {
                name: name.clone(),
                node,
            }),
        )
    }
}
