//! Writes a big file with as many threads as have nothing better to do.

use std::sync::{Arc, Mutex};

use strongroom_model::content::SinkFile;

use super::{
    Restore, Work,
    file::{PIECE_BYTES, data_ids},
    folder::Folder,
};
use crate::{
    error::Result,
    id::Stream,
    tree::{
        crew::lock,
        entry::{Body, Entry},
        find::{Extents, Placed},
        sequence::Item as _,
    },
};

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
    pub(super) fn write_piece(&self, big: &Arc<BigFile>) -> Result<()> {
        let mut writing = lock(&big.writing);
        if writing.ended {
            return Ok(());
        }
        if writing.file.is_none() {
            writing.file = self.make_file(&big.folder, &big.entry)?;
        }
        let Some(file) = writing.file.clone() else {
            writing.ended = true;
            return big.folder.end(self);
        };
        let piece = self.take_piece(big, &mut writing);
        if !writing.ended {
            self.crew.add_next(Work::Piece(Arc::clone(big)));
        }
        writing.open += 1;
        drop(writing);
        let known: Vec<_> = piece
            .iter()
            .filter_map(|(_, extent)| extent.as_ref().ok())
            .copied()
            .collect();
        self.reader.prefetch(Stream::Data, &data_ids(&known));
        let path = || big.folder.path_of(self, &big.entry.name);
        for placed in piece {
            self.progress.check()?;
            self.write_extent(&path, &*file, placed)?;
        }
        let mut writing = lock(&big.writing);
        writing.open -= 1;
        if !writing.ended || writing.open > 0 {
            return Ok(());
        }
        drop(writing);
        self.finish_file(&big.folder, &big.entry, &*file)?;
        big.folder.end(self)
    }

    /// The extents of the next piece.
    fn take_piece(&self, big: &BigFile, writing: &mut Writing) -> Vec<Placed> {
        let Body::File(content) = &big.entry.node.body else {
            writing.ended = true;
            return Vec::new();
        };
        let size = big.entry.node.meta.size;
        let extents = writing
            .extents
            .get_or_insert_with(|| Extents::from_offset(content, size, 0));
        let (mut piece, mut bytes) = (Vec::new(), 0);
        while bytes < PIECE_BYTES {
            let Some(placed) = extents.next(self.reader) else {
                writing.ended = true;
                break;
            };
            if let Ok(extent @ crate::tree::entry::Extent::Data { .. }) = &placed.1 {
                bytes += extent.length();
            }
            piece.push(placed);
            // A file of many holes must not fill the memory with them.
            if piece.len() >= 4096 {
                break;
            }
        }
        piece
    }
}
