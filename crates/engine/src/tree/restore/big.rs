//! Writes a big file with as many threads as have nothing better to do.

use std::sync::{Arc, Mutex};

use strongroom_model::content::SinkFile;

use super::{
    Restore, Work,
    file::{Made, PIECE_BYTES},
    folder::Folder,
};
use crate::{
    error::Result,
    pieces::{Wanted, What, stream},
    tree::{
        crew::lock,
        entry::{Body, Entry},
        find::Extents,
    },
};

/// Extents that one thread takes at most.
const PIECE_EXTENTS: usize = 4096;

/// A big file that is being written.
pub(super) struct BigFile {
    folder: Arc<Folder>,
    entry: Entry,
    writing: Mutex<Writing>,
}

#[derive(Default)]
struct Writing {
    file: Option<Arc<dyn SinkFile>>,
    extents: Option<Extents>,
    /// Pieces taken and not written yet.
    open: usize,
    ended: bool,
}

impl BigFile {
    pub(super) fn new(folder: &Arc<Folder>, entry: Entry) -> Arc<Self> {
        Arc::new(Self {
            folder: Arc::clone(folder),
            entry,
            writing: Mutex::default(),
        })
    }
}

impl Restore<'_> {
    /// Writes one piece and leaves the rest to whoever comes next.
    pub(super) fn write_next(&self, big: &Arc<BigFile>) -> Result<()> {
        let mut writing = lock(&big.writing);
        if writing.ended {
            return Ok(());
        }
        if writing.file.is_none() {
            let path = || big.folder.path_of(self, &big.entry.name);
            match (
                self.make_file(&big.folder, &big.entry)?,
                big.entry.node.link_group(),
            ) {
                (Made::File(file), group) => {
                    writing.file = Some(file);
                    if let Some(group) = group {
                        lock(&self.linked)
                            .entry(group)
                            .or_default()
                            .insert(0, path());
                    }
                }
                (Made::Link, Some(group)) => {
                    lock(&self.linked).entry(group).or_default().push(path());
                }
                (Made::Link, None) | (Made::Nothing, _) => {}
            }
        }
        let Some(file) = writing.file.clone() else {
            writing.ended = true;
            return big.folder.end(self);
        };
        let wanted = self.take_piece(big, &mut writing);
        if !writing.ended {
            // A file takes one write at a time, so each thread gets one of its own.
            let others = self.threads - 1;
            self.crew.add_soon(Work::Piece(Arc::clone(big)), others);
        }
        writing.open += 1;
        drop(writing);
        let path = || big.folder.path_of(self, &big.entry.name);
        stream(self.reader, &wanted, &mut |range, held| {
            self.progress.check()?;
            self.write_piece(&path, &*file, range, held)
        })?;
        let mut writing = lock(&big.writing);
        writing.open -= 1;
        if !writing.ended || writing.open > 0 {
            return Ok(());
        }
        drop(writing);
        self.finish_file(&big.folder, &big.entry, &*file)?;
        big.folder.end(self)
    }

    /// What the next piece consists of.
    fn take_piece(&self, big: &BigFile, writing: &mut Writing) -> Vec<Wanted> {
        let Body::File(content) = &big.entry.node.body else {
            writing.ended = true;
            return Vec::new();
        };
        let size = big.entry.node.meta.size;
        let extents = writing
            .extents
            .get_or_insert_with(|| Extents::from_offset(content, size, 0));
        let (mut piece, mut bytes) = (Vec::new(), 0);
        // A file of many holes must not fill the memory with them.
        while bytes < PIECE_BYTES && piece.len() < PIECE_EXTENTS {
            let Some(wanted) = extents.next(self.reader).map(Wanted::from) else {
                writing.ended = true;
                break;
            };
            if let What::Chunk(_) = wanted.what {
                bytes += wanted.length;
            }
            piece.push(wanted);
        }
        piece
    }
}
