//! Writes small files, each by one thread, from segments that were read ahead together.

use std::sync::{Arc, atomic::Ordering};

use strongroom_model::content::{SinkFile, TreePath};

use super::{Restore, folder::Folder};
use crate::{
    error::Result,
    id::{ChunkId, Stream},
    tree::{
        entry::{Body, Content, Entry, Extent},
        find::{Extents, Placed},
        loss::Part,
        sequence::Item as _,
    },
};

/// Bytes of a big file that one thread writes at a time; smaller files are written whole.
pub(super) const PIECE_BYTES: u64 = 4 << 20;

impl Restore<'_> {
    /// Writes files of one directory that lie next to each other.
    pub(super) fn write_batch(&self, folder: &Arc<Folder>, files: Vec<Entry>) -> Result<()> {
        self.reader.prefetch(
            Stream::Data,
            &files.iter().flat_map(inline_ids).collect::<Vec<_>>(),
        );
        for entry in files {
            self.progress.check()?;
            self.write_file(folder, &entry)?;
            folder.end(self)?;
        }
        Ok(())
    }

    fn write_file(&self, folder: &Arc<Folder>, entry: &Entry) -> Result<()> {
        let path = || folder.path_of(self, &entry.name);
        let Body::File(content) = &entry.node.body else {
            return Ok(());
        };
        let Some(file) = self.make_file(folder, entry)? else {
            return Ok(());
        };
        if let Content::Inline(bytes) = content
            && !bytes.is_empty()
            && let Err(error) = file.write_at(bytes, 0)
        {
            self.miss(path(), Part::Bytes(0..bytes.len() as u64), error)?;
        }
        let mut extents = Extents::from_offset(content, entry.node.meta.size, 0);
        while let Some(placed) = extents.next(self.reader) {
            self.write_extent(&path, &*file, placed)?;
        }
        self.finish_file(folder, entry, &*file)
    }

    /// Makes a file; `None` if there is nothing to write: it became a link, or cannot be made.
    pub(super) fn make_file(
        &self,
        folder: &Arc<Folder>,
        entry: &Entry,
    ) -> Result<Option<Arc<dyn SinkFile>>> {
        let (size, group) = (entry.node.meta.size, entry.node.link_group());
        match folder.sink.make_file(&entry.name, size, group.as_ref()) {
            Ok(Some(file)) => Ok(Some(file)),
            Ok(None) => {
                self.count_file();
                self.progress.advance(size);
                Ok(None)
            }
            Err(error) => {
                self.progress.advance(size);
                self.miss(folder.path_of(self, &entry.name), Part::Entry, error)?;
                Ok(None)
            }
        }
    }

    /// Writes one extent, or notes that it is lost.
    pub(super) fn write_extent(
        &self,
        path: &dyn Fn() -> TreePath,
        file: &dyn SinkFile,
        (position, extent): Placed,
    ) -> Result<()> {
        let (length, written) = match extent {
            Ok(Extent::Hole(length)) => (length, Ok(())),
            Ok(extent @ Extent::Data { id, .. }) => {
                let length = extent.length();
                (
                    length,
                    self.write_chunk(path, file, position..position + length, &id)?,
                )
            }
            Err((length, error)) => (length, Err(error)),
        };
        self.progress.advance(length);
        match written {
            Ok(()) => Ok(()),
            Err(error) => self.lose(path(), Part::Bytes(position..position + length), error),
        }
    }

    /// Writes a chunk. The outer error ends the restore, the inner one says why it is lost.
    fn write_chunk(
        &self,
        path: &dyn Fn() -> TreePath,
        file: &dyn SinkFile,
        range: std::ops::Range<u64>,
        id: &ChunkId,
    ) -> Result<Result<()>> {
        let chunk = match self.reader.read(Stream::Data, id) {
            Ok(chunk) => chunk,
            Err(error) => return Ok(Err(error)),
        };
        if chunk.len() as u64 != range.end - range.start {
            return Ok(Err(crate::error::Error::NodeMalformed {
                id: *id,
                malformed: crate::codec::Malformed::new(
                    "a chunk has another length than its extent",
                ),
            }));
        }
        match file.write_at(&chunk, range.start) {
            Ok(()) => {
                self.bytes.fetch_add(chunk.len() as u64, Ordering::Relaxed);
            }
            Err(error) => self.miss(path(), Part::Bytes(range), error)?,
        }
        Ok(Ok(()))
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

/// The chunks of a small file.
fn inline_ids(entry: &Entry) -> Vec<ChunkId> {
    match &entry.node.body {
        Body::File(Content::Extents(extents)) => data_ids(extents),
        _ => Vec::new(),
    }
}

/// The chunks among some extents.
pub(super) fn data_ids(extents: &[Extent]) -> Vec<ChunkId> {
    let id = |extent: &Extent| match extent {
        Extent::Data { id, .. } => Some(*id),
        Extent::Hole(_) => None,
    };
    extents.iter().filter_map(id).collect()
}
