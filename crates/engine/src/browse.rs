//! Looks into trees and volumes at random: entries by name, ranges of bytes.
//!
//! For readers who come and go as they like, a mounted repository before all. Nothing is kept but
//! what the chunk reader caches; a [`Node`] knows by itself where its entries and bytes are.
//!
//! Invariant: a range is handed out whole and verified, or an error says why not. A lost chunk is
//! an error of the ranges that need it and of nothing else.

use std::ops::Range;

use strongroom_model::content::{FileKind, FileTime, Name, Xattr};

use crate::{
    error::{Error, Result},
    id::{ChunkId, ManifestId, Stream},
    manifest::Layer,
    reader::Reader,
    repository::Repository,
    tree::{
        entry::{self, Body, Content, Entry, Extent},
        find::{Extents, attributes, fetch},
        sequence::{Item as _, Items},
        top::Top,
    },
    volume::{
        map::{decode, root_level},
        top::Top as VolumeTop,
    },
};

/// A node of a block map has 2 to this power of children.
const FANOUT_BITS: u32 = 10;

/// Looks into the manifests of one repository; shared by threads.
pub struct Browser {
    repository: Repository,
    reader: Reader,
}

/// What a manifest holds.
#[derive(Clone, Debug)]
pub enum Opened {
    /// The root of a tree.
    Tree(Node),
    /// A volume.
    Volume(Disk),
}

/// An entry of a tree, without its name.
#[derive(Clone, Debug)]
pub struct Node(entry::Node);

/// A volume.
#[derive(Clone, Copy, Debug)]
pub struct Disk(VolumeTop);

/// The entries of a directory, in the order of their names.
pub struct Entries {
    items: Items<Entry>,
    after: Option<Name>,
}

impl Node {
    /// What it is.
    pub const fn kind(&self) -> FileKind {
        self.0.kind()
    }

    /// Permission bits with setuid, setgid and sticky.
    pub const fn mode(&self) -> u16 {
        self.0.meta.mode
    }

    /// Owner and group.
    pub const fn owner(&self) -> (u32, u32) {
        (self.0.meta.uid, self.0.meta.gid)
    }

    /// Bytes of a file; of a symlink its target's.
    pub fn size(&self) -> u64 {
        match &self.0.body {
            Body::Symlink(target) => target.len() as u64,
            _ => self.0.meta.size,
        }
    }

    /// Bytes of a file that are no hole; `None` if that takes reading a long list.
    pub fn allocated(&self) -> Option<u64> {
        match &self.0.body {
            Body::File(Content::Extents(extents)) => {
                let data = extents
                    .iter()
                    .filter(|extent| !matches!(extent, Extent::Hole(_)));
                Some(data.map(Extent::length).sum())
            }
            Body::File(Content::List(_)) => None,
            _ => Some(self.0.meta.size),
        }
    }

    /// Time of modification.
    pub const fn modified(&self) -> FileTime {
        self.0.meta.modified
    }

    /// Time of the last change of the inode.
    pub const fn changed(&self) -> FileTime {
        self.0.meta.changed
    }

    /// Names that the inode had.
    pub const fn links(&self) -> u64 {
        self.0.meta.links
    }

    /// Tells one inode of this tree from all others, for entries with several names.
    pub fn link_group(&self) -> Option<strongroom_model::content::LinkGroup> {
        self.0.link_group()
    }

    /// Target of a symlink.
    pub fn target(&self) -> Option<&[u8]> {
        match &self.0.body {
            Body::Symlink(target) => Some(target),
            _ => None,
        }
    }

    /// Number of a device, major in the upper half.
    pub const fn device(&self) -> Option<u64> {
        match &self.0.body {
            Body::CharDevice(number) | Body::BlockDevice(number) => Some(*number),
            _ => None,
        }
    }

    /// The entries of a directory, from the one behind `after` on; none if it is no directory.
    pub fn entries(&self, after: Option<&Name>) -> Entries {
        let root = match &self.0.body {
            Body::Directory(root) => *root,
            _ => None,
        };
        let items = match after {
            Some(name) => Items::from_key(root, name.as_bytes()),
            None => Items::all(root),
        };
        Entries {
            items,
            after: after.cloned(),
        }
    }
}

impl Entries {
    /// The next entry, or what is lost in its place; more may follow a loss.
    pub fn next(&mut self, browser: &Browser) -> Option<Result<(Name, Node)>> {
        loop {
            return Some(match self.items.next(&fetch(&browser.reader))? {
                Ok(entry)
                    if self
                        .after
                        .as_ref()
                        .is_some_and(|after| entry.name <= *after) =>
                {
                    continue;
                }
                Ok(entry) => Ok((entry.name, Node(entry.node))),
                Err(lost) => Err(*lost.error),
            });
        }
    }
}

impl Disk {
    /// Size in bytes.
    pub const fn size(&self) -> u64 {
        self.0.size
    }
}

impl Browser {
    /// Looks into the manifests of `repository`.
    pub fn new(repository: &Repository) -> Self {
        Self {
            repository: repository.clone(),
            reader: repository.reader(),
        }
    }

    /// Opens what a manifest holds.
    pub fn open(&self, id: &ManifestId) -> Result<Opened> {
        let manifest = self.repository.manifest(id)?;
        Ok(match manifest.body.layer {
            Layer::Tree => Opened::Tree(Node(Top::read(&self.reader, &manifest)?.root)),
            Layer::Volume => Opened::Volume(Disk(VolumeTop::read(&self.reader, &manifest)?)),
        })
    }

    /// The entry of that name in a directory.
    pub fn lookup(&self, directory: &Node, name: &Name) -> Result<Option<Node>> {
        let Body::Directory(root) = &directory.0.body else {
            return Ok(None);
        };
        let mut items: Items<Entry> = Items::from_key(*root, name.as_bytes());
        loop {
            match items.next(&fetch(&self.reader)) {
                Some(Ok(entry)) if entry.name == *name => return Ok(Some(Node(entry.node))),
                Some(Ok(entry)) if entry.name < *name => {}
                Some(Ok(_)) | None => return Ok(None),
                // The entry may be behind the lost node, but not to know is not to have.
                Some(Err(lost)) => return Err(*lost.error),
            }
        }
    }

    /// The extended attributes of an entry, sorted by name.
    pub fn xattrs(&self, node: &Node) -> Result<Vec<Xattr>> {
        match attributes(&self.reader, &node.0) {
            (attributes, None) => Ok(attributes.xattrs),
            (_, Some(lost)) => Err(lost),
        }
    }

    /// The bytes of a file from `offset` on, at most `length` of them; fewer only at its end.
    pub fn read(&self, file: &Node, offset: u64, length: usize) -> Result<Vec<u8>> {
        let Body::File(content) = &file.0.body else {
            return Ok(Vec::new());
        };
        let range = within(offset, length, file.0.meta.size);
        let mut out = zeroes(&range);
        if let Content::Inline(bytes) = content {
            copy(&mut out, &range, 0, bytes);
            return Ok(out);
        }
        let mut found: Vec<(u64, ChunkId)> = Vec::new();
        let mut extents = Extents::from_offset(content, file.0.meta.size, range.start);
        while let Some((at, extent)) = extents.next(&self.reader) {
            if at >= range.end {
                break;
            }
            match extent {
                Ok(Extent::Data { id, length }) if at + u64::from(length) > range.start => {
                    found.push((at, id));
                }
                Ok(_) => {}
                Err((length, _)) if at + length <= range.start => {}
                Err((_, error)) => return Err(error),
            }
        }
        self.copy_chunks(&mut out, &range, &found)?;
        Ok(out)
    }

    /// The first byte at or behind `offset` that is no hole; `None` if all is hole from there.
    pub fn next_data(&self, file: &Node, offset: u64) -> Result<Option<u64>> {
        self.next_extent(file, offset, true)
    }

    /// The first byte at or behind `offset` that is in a hole; the end of the file if none is.
    pub fn next_hole(&self, file: &Node, offset: u64) -> Result<u64> {
        let found = self.next_extent(file, offset, false)?;
        Ok(found.unwrap_or(file.0.meta.size))
    }

    fn next_extent(&self, file: &Node, offset: u64, data: bool) -> Result<Option<u64>> {
        let size = file.0.meta.size;
        let content = match &file.0.body {
            Body::File(content) if offset < size => content,
            _ => return Ok(None),
        };
        if let Content::Inline(_) = content {
            return Ok(data.then_some(offset));
        }
        let mut extents = Extents::from_offset(content, size, offset);
        while let Some((at, extent)) = extents.next(&self.reader) {
            let extent = match extent {
                Ok(extent) => extent,
                Err((length, _)) if at + length <= offset => continue,
                Err((_, error)) => return Err(error),
            };
            let is_data = matches!(extent, Extent::Data { .. });
            if at + extent.length() > offset && is_data == data {
                return Ok(Some(at.max(offset)));
            }
        }
        Ok(None)
    }

    /// The bytes of a volume from `offset` on, at most `length` of them; fewer only at its end.
    pub fn read_disk(&self, disk: &Disk, offset: u64, length: usize) -> Result<Vec<u8>> {
        let range = within(offset, length, disk.0.size);
        let mut out = zeroes(&range);
        let block = u64::from(disk.0.block);
        let blocks = range.start / block..range.end.div_ceil(block);
        let mut found = Vec::new();
        if let Some(root) = disk.0.root {
            let level = root_level(disk.0.blocks());
            self.find_blocks(root, level, 0, &blocks, &mut found)?;
        }
        let found: Vec<_> = found
            .into_iter()
            .map(|(number, id)| (number * block, id))
            .collect();
        self.copy_chunks(&mut out, &range, &found)?;
        Ok(out)
    }

    /// Finds the blocks in a range that are no holes, below a node of the map.
    fn find_blocks(
        &self,
        id: ChunkId,
        level: u8,
        node: u64,
        blocks: &Range<u64>,
        found: &mut Vec<(u64, ChunkId)>,
    ) -> Result<()> {
        let bytes = self.reader.read(Stream::Tree, &id)?;
        let children =
            decode(&bytes, level).map_err(|malformed| Error::NodeMalformed { id, malformed })?;
        let bits = FANOUT_BITS * u32::from(level);
        for (index, id) in children {
            let number = (node << FANOUT_BITS) + u64::from(index);
            let below = number << bits..(number + 1) << bits;
            if below.end <= blocks.start || below.start >= blocks.end {
                continue;
            }
            match level.checked_sub(1) {
                None => found.push((number, id)),
                Some(level) => self.find_blocks(id, level, number, blocks, found)?,
            }
        }
        Ok(())
    }

    /// Copies what of the chunks, which lie at these positions, is in the range.
    fn copy_chunks(
        &self,
        out: &mut [u8],
        range: &Range<u64>,
        chunks: &[(u64, ChunkId)],
    ) -> Result<()> {
        let ids: Vec<_> = chunks.iter().map(|(_, id)| *id).collect();
        let read = self.reader.read_all(Stream::Data, &ids);
        for ((at, _), chunk) in chunks.iter().zip(read) {
            copy(out, range, *at, &chunk?);
        }
        Ok(())
    }
}

/// What of a range that was asked for is there.
fn within(offset: u64, length: usize, size: u64) -> Range<u64> {
    let start = offset.min(size);
    start..start.saturating_add(length as u64).min(size)
}

fn zeroes(range: &Range<u64>) -> Vec<u8> {
    let length = usize::try_from(range.end - range.start);
    vec![0; length.expect("no longer than what was asked for")]
}

/// Copies what of `bytes`, which lie at `at`, is in `range`, which `out` holds.
fn copy(out: &mut [u8], range: &Range<u64>, at: u64, bytes: &[u8]) {
    let start = at.max(range.start);
    let end = (at + bytes.len() as u64).min(range.end);
    let part = |base: u64| {
        let index = |position: u64| usize::try_from(position.saturating_sub(base)).ok();
        Some(index(start)?..index(end)?)
    };
    if let (Some(from), Some(to)) = (part(at), part(range.start))
        && let (Some(from), Some(to)) = (bytes.get(from), out.get_mut(to))
    {
        to.copy_from_slice(from);
    }
}
