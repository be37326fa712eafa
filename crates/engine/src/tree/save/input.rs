//! Saves a stream of bytes as a tree with one file.
//!
//! A stream cannot be asked for its length, its holes or a second time: it is cut as it comes,
//! with one buffer in memory, and an error of it ends the save without a manifest.

use std::{
    collections::BTreeMap,
    io::{ErrorKind, Read},
};

use strongroom_model::{
    Clock,
    content::{Attributes, FileTime, Name},
};

use super::{
    Finished, SaveOptions, SaveStats, Saved, commit,
    pieces::{ContentBuilder, PIECE_BYTES},
};
use crate::{
    chunk::{Cutter, Rest},
    error::{Error, Result},
    id::Stream,
    manifest::{Items, Layer},
    repository::Repository,
    tree::{
        entry::{Body, Content, Entry, Extent, INLINE_BYTES_MAX, Meta, Node, Xattrs},
        problem::Problems,
        sequence::Builder,
        top::Top,
    },
    writer::{StreamWriter, Writer},
};

/// A stream that becomes a file.
pub struct Input<'a> {
    /// Where the bytes come from.
    pub bytes: &'a mut dyn Read,
    /// The name of the file in the root of the tree.
    pub name: Name,
    /// Mode and owner of the file. Its time is that of the end of the stream.
    pub attributes: Attributes,
}

/// Saves all bytes of a stream as the only file of a tree.
pub fn save_input(
    repository: &Repository,
    input: Input<'_>,
    clock: &dyn Clock,
    options: &SaveOptions<'_>,
) -> Result<Saved> {
    save_labelled_input(repository, input, clock, options, || options.labels.clone())
}

/// As [`save_input`], with labels that are known only when the stream has ended.
pub fn save_labelled_input(
    repository: &Repository,
    input: Input<'_>,
    clock: &dyn Clock,
    options: &SaveOptions<'_>,
    labels: impl FnOnce() -> BTreeMap<String, String>,
) -> Result<Saved> {
    let started = now(clock);
    let writer = repository.writer(
        options.writer.clone(),
        std::sync::Arc::clone(&options.entropy),
    )?;
    let Input {
        bytes,
        name,
        attributes,
    } = input;
    let mut data = writer.stream(Stream::Data);
    data.expect_long(true);
    let mut stored = Stored {
        data,
        tree: writer.stream(Stream::Tree),
        cutter: repository.cutter(),
        options,
    };
    let (content, size) = stored.content(bytes)?;
    let Stored { data, tree, .. } = stored;
    data.finish()?;
    tree.finish()?;
    let ended = now(clock);
    let root = store_tree(
        repository,
        &writer,
        started,
        ended,
        name,
        &attributes,
        content,
        size,
    )?;
    let stats = SaveStats {
        logical_bytes: size,
        read_bytes: size,
        new: 1,
        items: Items {
            files: 1,
            directories: 1,
            ..Items::default()
        },
        ..SaveStats::default()
    };
    let finished = Finished {
        layer: Layer::Tree,
        root,
        started,
        ended,
        problems: Problems::default(),
        stats,
    };
    let options = SaveOptions {
        labels: labels(),
        ..options.clone()
    };
    commit(repository, writer, finished, &options)
}

struct Stored<'a> {
    data: StreamWriter,
    tree: StreamWriter,
    cutter: Cutter,
    options: &'a SaveOptions<'a>,
}

impl Stored<'_> {
    /// Reads the stream to its end and stores its chunks.
    fn content(&mut self, bytes: &mut dyn Read) -> Result<(Content, u64)> {
        let mut buffer = vec![0; PIECE_BYTES];
        let (mut filled, mut builder) = (0, ContentBuilder::default());
        let mut length = 0;
        loop {
            self.options.progress.check()?;
            let (read, rest) = fill(bytes, buffer.get_mut(filled..).unwrap_or_default())?;
            self.options.progress.expect(read as u64);
            filled += read;
            length += read as u64;
            if rest == Rest::Ended && length <= INLINE_BYTES_MAX as u64 {
                buffer.truncate(filled);
                self.options.progress.advance(length);
                return Ok((Content::Inline(buffer), length));
            }
            let mut start = 0;
            let window = buffer.get(..filled).unwrap_or_default();
            while let Some(chunk) = window.get(start..)
                && let Some(cut) = self.cutter.next(chunk, rest)
            {
                let id = self.data.put(chunk.get(..cut).unwrap_or_default())?;
                let extent = Extent::Data {
                    id,
                    length: u32::try_from(cut).expect("chunks have at most a MiB"),
                };
                builder.push(extent, &mut |node| self.tree.put(node))?;
                self.options.progress.advance(cut as u64);
                start += cut;
            }
            buffer.copy_within(start..filled, 0);
            filled -= start;
            if rest == Rest::Ended {
                return builder.finish(&mut |node| self.tree.put(node));
            }
        }
    }
}

/// Reads until the buffer is full or the stream ends.
pub(crate) fn fill(bytes: &mut dyn Read, buffer: &mut [u8]) -> Result<(usize, Rest)> {
    let mut filled = 0;
    while let Some(free) = buffer.get_mut(filled..).filter(|free| !free.is_empty()) {
        match bytes.read(free) {
            Ok(0) => return Ok((filled, Rest::Ended)),
            Ok(count) => filled += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::input(error)),
        }
    }
    Ok((filled, Rest::Follows))
}

/// Stores the directory and the top; returns the top's name.
#[expect(
    clippy::too_many_arguments,
    reason = "everything that a tree of one file consists of"
)]
fn store_tree(
    repository: &Repository,
    writer: &Writer,
    started: FileTime,
    ended: FileTime,
    name: Name,
    attributes: &Attributes,
    content: Content,
    size: u64,
) -> Result<crate::id::ChunkId> {
    let meta = |mode: u32, size: u64, inode: u64, links: u64| Meta {
        mode: u16::try_from(mode & 0o7777).expect("twelve bits"),
        uid: attributes.uid,
        gid: attributes.gid,
        size,
        modified: ended,
        changed: ended,
        inode,
        device: 0,
        links,
    };
    let none = || Xattrs::Inline(Vec::new());
    let file = Node {
        meta: meta(attributes.mode, size, 2, 1),
        xattrs: none(),
        body: Body::File(content),
    };
    let mut tree = writer.stream(Stream::Tree);
    let id = repository
        .objects()
        .keys()
        .chunk_id(Stream::Tree, name.as_bytes());
    let hash = u64::from_le_bytes(*id.as_bytes().first_chunk().expect("ids are longer"));
    let mut list = Builder::default();
    list.push(&Entry { name, node: file }, hash, &mut |node| {
        tree.put(node)
    })?;
    let list = list.finish(&mut |node| tree.put(node))?;
    let root = Node {
        meta: meta(0o700, 0, 1, 2),
        xattrs: none(),
        body: Body::Directory(list),
    };
    let root = tree.put(&Top { started, root }.encode())?;
    tree.finish()?;
    Ok(root)
}

/// The time of the clock as files have it.
pub(crate) fn now(clock: &dyn Clock) -> FileTime {
    let now = clock.now();
    let micros = now.as_micros().rem_euclid(1_000_000);
    let nanos = u32::try_from(micros * 1000).expect("less than a second");
    FileTime::new(now.as_seconds(), nanos)
}
