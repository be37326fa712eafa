//! What a tree remembers of a file, directory or other entry, and its encoding.
//!
//! ```text
//! entry     name blob, then the node
//! node      kind u8, mode u16, uid u32, gid u32, size u64,
//!           modified i64 + u32, changed i64 + u32, inode u64, device u64, links u64,
//!           xattrs: u8 0 none, 1 list of (name blob, value blob), 2 root of such a list;
//!           then by kind
//!   1 file        content: u8 0 bytes as blob, 1 list of extents, 2 root of such a list
//!   2 directory   u8 0 empty, 1 root of a list of entries
//!   3 symlink     target blob
//!   4 fifo
//!   5 / 6 device  number u64 (character, block)
//! extent    u8 0 data: id [32], length u32; u8 1 hole: length u64
//! root      level u8, id [32]
//! ```
//!
//! Access times are not kept: they change without anybody's doing, and with them would change
//! every node of the tree.
//!
//! Invariant: the extents of a file add up to its size; a decoded name is a single component.
//!
//! Format: docs/format.md, "Trees".

use strongroom_model::content::{
    Attributes, FileKind, FileTime, LinkGroup, Name, Special, Stat, Xattr,
};

use super::sequence::{Item, Root};
use crate::{
    codec::{Decoder, Encoder, Malformed},
    error::Result,
    id::ChunkId,
};

/// Files up to this size lie in their directory's node.
pub(crate) const INLINE_BYTES_MAX: usize = 64;
/// Files of so few extents have their list in the directory's node.
pub(crate) const INLINE_EXTENTS_MAX: usize = 8;
/// Extended attributes lie in the directory's node if they have no more bytes than this.
pub(crate) const INLINE_XATTRS_MAX: usize = 512;

/// A piece of a file's content.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Extent {
    /// The bytes of a chunk.
    Data {
        /// The chunk.
        id: ChunkId,
        /// Its length in bytes.
        length: u32,
    },
    /// Bytes that were never written.
    Hole(u64),
}

impl Extent {
    /// Decides where lists of extents are cut: ids are keyed hashes already.
    pub(crate) fn hash(&self) -> u64 {
        match self {
            Self::Data { id, .. } => {
                u64::from_le_bytes(*id.as_bytes().first_chunk().expect("ids are longer"))
            }
            // Odd: never a cut.
            Self::Hole(_) => 1,
        }
    }
}

impl Item for Extent {
    const ROLE: u8 = 2;
    const LEN_MIN: usize = 9;

    fn encode(&self, to: &mut Encoder) {
        match self {
            Self::Data { id, length } => to.u8(0).raw(id.as_bytes()).u32(*length),
            Self::Hole(length) => to.u8(1).u64(*length),
        };
    }

    fn decode(from: &mut Decoder<'_>) -> Result<Self, Malformed> {
        let extent = match from.u8()? {
            0 => Self::Data {
                id: ChunkId::from_bytes(from.array()?),
                length: from.u32()?,
            },
            1 => Self::Hole(from.u64()?),
            _ => return Err(Malformed::new("unknown kind of extent")),
        };
        if extent.length() == 0 {
            return Err(Malformed::new("an extent is empty"));
        }
        Ok(extent)
    }

    fn key(&self) -> &[u8] {
        &[]
    }

    fn length(&self) -> u64 {
        match self {
            Self::Data { length, .. } => u64::from(*length),
            Self::Hole(length) => *length,
        }
    }
}

/// The content of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Content {
    /// The bytes themselves.
    Inline(Vec<u8>),
    /// A few extents.
    Extents(Vec<Extent>),
    /// A list of extents.
    List(Root),
}

impl Content {
    fn encode(&self, to: &mut Encoder) {
        match self {
            Self::Inline(bytes) => {
                to.u8(0).blob(bytes);
            }
            Self::Extents(extents) => {
                to.u8(1).count(extents.len());
                for extent in extents {
                    extent.encode(to);
                }
            }
            Self::List(root) => {
                to.u8(2);
                root.encode(to);
            }
        }
    }

    fn decode(from: &mut Decoder<'_>, size: u64) -> Result<Self, Malformed> {
        let content = match from.u8()? {
            0 => Self::Inline(from.blob()?.to_vec()),
            1 => {
                let count = from.count(Extent::LEN_MIN)?;
                Self::Extents(
                    (0..count)
                        .map(|_| Extent::decode(from))
                        .collect::<Result<_, _>>()?,
                )
            }
            2 => return Root::decode(from).map(Self::List),
            _ => return Err(Malformed::new("unknown form of content")),
        };
        let length = match &content {
            Self::Inline(bytes) => Some(bytes.len() as u64),
            Self::Extents(extents) => extents
                .iter()
                .try_fold(0_u64, |sum, extent| sum.checked_add(extent.length())),
            Self::List(_) => Some(size),
        };
        if length == Some(size) {
            Ok(content)
        } else {
            Err(Malformed::new(
                "the content of a file is not as long as the file",
            ))
        }
    }
}

impl Item for Xattr {
    const ROLE: u8 = 3;
    const LEN_MIN: usize = 8;

    fn encode(&self, to: &mut Encoder) {
        to.blob(&self.name).blob(&self.value);
    }

    fn decode(from: &mut Decoder<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            name: from.blob()?.to_vec(),
            value: from.blob()?.to_vec(),
        })
    }

    fn key(&self) -> &[u8] {
        &self.name
    }

    fn length(&self) -> u64 {
        self.value.len() as u64
    }
}

/// The extended attributes of an entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Xattrs {
    /// The attributes themselves, sorted by name; mostly none.
    Inline(Vec<Xattr>),
    /// A list of them.
    List(Root),
}

impl Xattrs {
    fn encode(&self, to: &mut Encoder) {
        match self {
            Self::Inline(xattrs) if xattrs.is_empty() => {
                to.u8(0);
            }
            Self::Inline(xattrs) => {
                to.u8(1).count(xattrs.len());
                for xattr in xattrs {
                    xattr.encode(to);
                }
            }
            Self::List(root) => {
                to.u8(2);
                root.encode(to);
            }
        }
    }

    fn decode(from: &mut Decoder<'_>) -> Result<Self, Malformed> {
        match from.u8()? {
            0 => Ok(Self::Inline(Vec::new())),
            1 => {
                let count = from.count(Xattr::LEN_MIN)?;
                if count == 0 {
                    return Err(Malformed::new("no attributes have two forms"));
                }
                Ok(Self::Inline(
                    (0..count)
                        .map(|_| Xattr::decode(from))
                        .collect::<Result<_, _>>()?,
                ))
            }
            2 => Root::decode(from).map(Self::List),
            _ => Err(Malformed::new("unknown form of extended attributes")),
        }
    }
}

/// What a file system says about an entry, as far as it is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Meta {
    pub(crate) mode: u16,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    /// Of a file; 0 for all others.
    pub(crate) size: u64,
    pub(crate) modified: FileTime,
    pub(crate) changed: FileTime,
    pub(crate) inode: u64,
    pub(crate) device: u64,
    pub(crate) links: u64,
}

impl Meta {
    const LEN: usize = 2 + 4 + 4 + 8 + 12 + 12 + 8 + 8 + 8;

    pub(crate) fn of(stat: &Stat) -> Self {
        Self {
            mode: u16::try_from(stat.mode & 0o7777).expect("twelve bits"),
            uid: stat.uid,
            gid: stat.gid,
            size: if stat.kind == FileKind::File {
                stat.size
            } else {
                0
            },
            modified: stat.modified,
            changed: stat.changed,
            inode: stat.inode,
            device: stat.device,
            links: stat.links,
        }
    }

    fn encode(&self, to: &mut Encoder) {
        to.u16(self.mode).u32(self.uid).u32(self.gid).u64(self.size);
        for time in [self.modified, self.changed] {
            to.i64(time.seconds).u32(time.nanos);
        }
        to.u64(self.inode).u64(self.device).u64(self.links);
    }

    fn decode(from: &mut Decoder<'_>) -> Result<Self, Malformed> {
        let meta = Self {
            mode: from.u16()?,
            uid: from.u32()?,
            gid: from.u32()?,
            size: from.u64()?,
            modified: FileTime::new(from.i64()?, from.u32()?),
            changed: FileTime::new(from.i64()?, from.u32()?),
            inode: from.u64()?,
            device: from.u64()?,
            links: from.u64()?,
        };
        let sane = |time: FileTime| time.nanos < 1_000_000_000;
        if meta.mode > 0o7777 || !sane(meta.modified) || !sane(meta.changed) {
            return Err(Malformed::new("a mode or time is out of range"));
        }
        Ok(meta)
    }
}

/// What kind of entry it is, with what only that kind has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Body {
    File(Content),
    /// `None` if the directory is empty.
    Directory(Option<Root>),
    Symlink(Vec<u8>),
    Fifo,
    CharDevice(u64),
    BlockDevice(u64),
}

/// An entry without its name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Node {
    pub(crate) meta: Meta,
    pub(crate) xattrs: Xattrs,
    pub(crate) body: Body,
}

impl Node {
    const LEN_MIN: usize = 1 + Meta::LEN + 1;

    pub(crate) const fn kind(&self) -> FileKind {
        match &self.body {
            Body::File(_) => FileKind::File,
            Body::Directory(_) => FileKind::Directory,
            Body::Symlink(_) => FileKind::Symlink,
            Body::Fifo => FileKind::Fifo,
            Body::CharDevice(_) => FileKind::CharDevice,
            Body::BlockDevice(_) => FileKind::BlockDevice,
        }
    }

    /// Whether `stat` tells of the same state of the same inode.
    pub(crate) fn is_version(&self, stat: &Stat) -> bool {
        let (ours, theirs) = (&self.meta, Meta::of(stat));
        self.kind() == stat.kind
            && ours.size == theirs.size
            && ours.modified == theirs.modified
            && ours.changed == theirs.changed
            && ours.inode == theirs.inode
            && ours.device == theirs.device
    }

    /// The attributes to restore, but for the extended ones.
    pub(crate) fn attributes(&self) -> Attributes {
        let Meta {
            mode,
            uid,
            gid,
            modified,
            ..
        } = self.meta;
        Attributes {
            mode: u32::from(mode),
            uid,
            gid,
            modified,
            xattrs: Vec::new(),
        }
    }

    /// What a sink makes in one step of an entry that has no content; `None` for those that have.
    pub(crate) fn special(&self) -> Option<Special> {
        match &self.body {
            Body::File(_) | Body::Directory(_) => None,
            Body::Symlink(target) => Some(Special::Symlink(target.clone())),
            Body::Fifo => Some(Special::Fifo),
            Body::CharDevice(number) => Some(Special::CharDevice(*number)),
            Body::BlockDevice(number) => Some(Special::BlockDevice(*number)),
        }
    }

    /// The group of hard links that the entry belongs to.
    pub(crate) fn link_group(&self) -> Option<LinkGroup> {
        if self.meta.links < 2 || self.kind() == FileKind::Directory {
            return None;
        }
        let mut content = Encoder::default();
        self.encode_body(&mut content);
        let content = blake3::hash(&content.finish());
        Some(LinkGroup {
            device: self.meta.device,
            inode: self.meta.inode,
            links: self.meta.links,
            content: u64::from_le_bytes(*content.as_bytes().first_chunk().expect("32 bytes")),
        })
    }

    pub(crate) fn encode(&self, to: &mut Encoder) {
        to.u8(match self.kind() {
            FileKind::File => 1,
            FileKind::Directory => 2,
            FileKind::Symlink => 3,
            FileKind::Fifo => 4,
            FileKind::CharDevice => 5,
            FileKind::BlockDevice | FileKind::Socket => 6,
        });
        self.meta.encode(to);
        self.xattrs.encode(to);
        self.encode_body(to);
    }

    fn encode_body(&self, to: &mut Encoder) {
        match &self.body {
            Body::File(content) => content.encode(to),
            Body::Directory(None) => {
                to.u8(0);
            }
            Body::Directory(Some(root)) => {
                to.u8(1);
                root.encode(to);
            }
            Body::Symlink(target) => {
                to.blob(target);
            }
            Body::Fifo => {}
            Body::CharDevice(number) | Body::BlockDevice(number) => {
                to.u64(*number);
            }
        }
    }

    pub(crate) fn decode(from: &mut Decoder<'_>) -> Result<Self, Malformed> {
        let kind = from.u8()?;
        let meta = Meta::decode(from)?;
        let xattrs = Xattrs::decode(from)?;
        let body = match kind {
            1 => Body::File(Content::decode(from, meta.size)?),
            2 if from.flag()? => Body::Directory(Some(Root::decode(from)?)),
            2 => Body::Directory(None),
            3 => Body::Symlink(from.blob()?.to_vec()),
            4 => Body::Fifo,
            5 => Body::CharDevice(from.u64()?),
            6 => Body::BlockDevice(from.u64()?),
            _ => return Err(Malformed::new("unknown kind of entry")),
        };
        if kind != 1 && meta.size != 0 {
            return Err(Malformed::new("only files have a size"));
        }
        Ok(Self { meta, xattrs, body })
    }
}

/// An entry of a directory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Entry {
    pub(crate) name: Name,
    pub(crate) node: Node,
}

impl Item for Entry {
    const ROLE: u8 = 1;
    const LEN_MIN: usize = 4 + 1 + Node::LEN_MIN;

    fn encode(&self, to: &mut Encoder) {
        to.blob(self.name.as_bytes());
        self.node.encode(to);
    }

    fn decode(from: &mut Decoder<'_>) -> Result<Self, Malformed> {
        let name = Name::new(from.blob()?)
            .map_err(|_| Malformed::new("a name is not the name of an entry"))?;
        Ok(Self {
            name,
            node: Node::decode(from)?,
        })
    }

    fn key(&self) -> &[u8] {
        self.name.as_bytes()
    }

    fn length(&self) -> u64 {
        self.node.meta.size
    }
}

#[cfg(test)]
mod tests;
