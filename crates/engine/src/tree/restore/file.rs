//! Writes small files, each by one thread, from segments that were read ahead together.

use std::{
    ops::Range,
    sync::{Arc, atomic::Ordering},
};

use strongroom_model::content::{SinkFile, TreePath};

use super::{Restore, folder::Folder};
use crate::{
    error::Result,
    pieces::{Held, Piece, Wanted, load},
    tree::{
        entry::{Body, Content, Entry},
        find::Extents,
        loss::Part,
    },
};

/// Bytes of a big file that one thread writes at a time; smaller files are written whole.
pub(super) const PIECE_BYTES: u64 = 4 << 20;

/// What became of a file that was to be made.
pub(super) enum Made {
    /// It is there, and empty.
    File(Arc<dyn SinkFile>),
    /// It is another name of one that was made before.
    Link,
    /// It cannot be made, which is noted.
    Nothing,
}

impl Restore<'_> {
    /// Writes files of one directory that lie next to each other.
    pub(super) fn write_batch(&self, folder: &Arc<Folder>, files: Vec<Entry>) -> Result<()> {
        let wanted = files.iter().map(|entry| self.wanted(entry)).collect();
        for (entry, pieces) in files.into_iter().zip(load(self.reader, wanted)) {
            self.progress.check()?;
            self.write_file(folder, &entry, pieces)?;
            folder.end(self)?;
        }
        Ok(())
    }

    /// What a small file consists of, but for what its node holds itself.
    fn wanted(&self, entry: &Entry) -> Vec<Wanted> {
        let Body::File(content) = &entry.node.body else {
            return Vec::new();
        };
        let mut extents = Extents::from_offset(content, entry.node.meta.size, 0);
        std::iter::from_fn(|| extents.next(self.reader).map(Wanted::from)).collect()
    }

    fn write_file(&self, folder: &Arc<Folder>, entry: &Entry, pieces: Vec<Piece>) -> Result<()> {
        let path = || folder.path_of(self, &entry.name);
        let Body::File(content) = &entry.node.body else {
            return Ok(());
        };
        let file = match self.make_file(folder, entry)? {
            Made::File(file) => file,
            Made::Link => return self.lose_again(&path, pieces),
            Made::Nothing => return Ok(()),
        };
        if let Content::Inline(bytes) = content
            && !bytes.is_empty()
            && let Err(error) = file.write_at(bytes, 0)
        {
            self.miss(path(), Part::Bytes(0..bytes.len() as u64), error)?;
        }
        for piece in pieces {
            let range = piece.position..piece.position + piece.length;
            let held = match &piece.held {
                Held::Hole => Held::Hole,
                Held::Data(chunk) => Held::Data(&**chunk),
                Held::Lost(error) => Held::Lost(error.clone()),
            };
            self.write_piece(&path, &*file, range, held)?;
        }
        self.finish_file(folder, entry, &*file)
    }

    /// A file that another name was linked to lacks under this one what it lacks under that.
    fn lose_again(&self, path: &dyn Fn() -> TreePath, pieces: Vec<Piece>) -> Result<()> {
        for piece in pieces {
            if let Held::Lost(error) = piece.held {
                let range = piece.position..piece.position + piece.length;
                self.lose(path(), Part::Bytes(range), error)?;
            }
        }
        Ok(())
    }

    /// Makes a file, or links it to one that is there.
    pub(super) fn make_file(&self, folder: &Arc<Folder>, entry: &Entry) -> Result<Made> {
        let (size, group) = (entry.node.meta.size, entry.node.link_group());
        match folder.sink.make_file(&entry.name, size, group.as_ref()) {
            Ok(Some(file)) => Ok(Made::File(file)),
            Ok(None) => {
                self.count_file();
                self.progress.advance(size);
                Ok(Made::Link)
            }
            Err(error) => {
                self.progress.advance(size);
                self.miss(folder.path_of(self, &entry.name), Part::Entry, error)?;
                Ok(Made::Nothing)
            }
        }
    }

    /// Writes one piece, or notes that it is lost.
    pub(super) fn write_piece(
        &self,
        path: &dyn Fn() -> TreePath,
        file: &dyn SinkFile,
        range: Range<u64>,
        held: Held<&[u8]>,
    ) -> Result<()> {
        let length = range.end - range.start;
        self.progress.advance(length);
        match held {
            Held::Hole => Ok(()),
            Held::Lost(error) => self.lose(path(), Part::Bytes(range), error),
            Held::Data(bytes) => match file.write_at(bytes, range.start) {
                Ok(()) => {
                    self.bytes.fetch_add(length, Ordering::Relaxed);
                    Ok(())
                }
                Err(error) => self.miss(path(), Part::Bytes(range), error),
            },
        }
    }

    /// Sets the attributes of a file whose content stands.
    pub(super) fn finish_file(
        &self,
        folder: &Arc<Folder>,
        entry: &Entry,
        file: &dyn SinkFile,
    ) -> Result<()> {
        let path = || folder.path_of(self, &entry.name);
        let attributes = self.attributes(&path, &entry.node)?;
        match file.finish(&attributes) {
            Ok(refused) => self.note_refused(&refused),
            Err(error) => self.miss(path(), Part::Attributes, error)?,
        }
        self.count_file();
        Ok(())
    }

    fn count_file(&self) {
        self.files.fetch_add(1, Ordering::Relaxed);
        self.progress.finish_items(1);
    }
}
