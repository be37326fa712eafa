//! Decides what need not be read again: what is surely unchanged, and other names of one file.
//!
//! A file is unchanged only if its size, both times to the nanosecond, inode and device are what
//! they were, and both times are older than the start of the previous run: within one tick of the
//! clock a file can change after it was read and look the same. Programs that trusted size and
//! modification time alone have restored the wrong bytes.
//!
//! Invariant: content is only named again if all of its chunks can be relied on; if one is lost,
//! the file is read again and the loss healed.

use std::{collections::HashMap, sync::Mutex};

use strongroom_model::content::{FileKind, FileTime, Stat, Xattr};

use super::Save;
use crate::{
    error::{Error, Result},
    id::{ChunkId, Stream},
    reader::Chunk,
    tree::{
        crew::lock,
        entry::{Body, Content, Extent, Meta, Node, Xattrs},
        sequence::{Item, Items, Root},
    },
};

/// No file system's clock ticks more slowly than this if it keeps fractions of a second …
const TICK_NANOS: u64 = 20_000_000;
/// … or than this if it does not.
const COARSE_TICK_NANOS: u64 = 2_000_000_000;

/// Whether the times of a file are so much older than `start` that no change after `start` can
/// hide behind them.
pub(crate) fn is_settled(stat: &Stat, start: FileTime) -> bool {
    let tick = if stat.changed.nanos == 0 {
        COARSE_TICK_NANOS
    } else {
        TICK_NANOS
    };
    stat.changed < start.minus_nanos(tick) && stat.modified < start
}

/// The inodes seen under more than one name; with what was read of them, once it was.
#[derive(Default)]
pub(super) struct Links(Mutex<HashMap<Inode, Option<(Stat, Node)>>>);

/// Device and number.
type Inode = (u64, u64);

impl Links {
    /// Notes a name of an inode; returns whether it is the first.
    pub(super) fn see(&self, stat: &Stat) -> bool {
        if stat.links < 2 {
            return true;
        }
        let mut links = lock(&self.0);
        let known = links.contains_key(&(stat.device, stat.inode));
        if !known {
            links.insert((stat.device, stat.inode), None);
        }
        !known
    }

    /// The node of a file that was read under another name, if it did not change since.
    pub(super) fn read_before(&self, stat: &Stat) -> Option<Node> {
        if stat.links < 2 || stat.kind != FileKind::File {
            return None;
        }
        let links = lock(&self.0);
        let (read, node) = links.get(&(stat.device, stat.inode))?.as_ref()?;
        let same = read.same_version(stat) && Meta::of(read) == Meta::of(stat);
        same.then(|| node.clone())
    }

    /// Notes what was read under one of the names.
    pub(super) fn remember(&self, stat: &Stat, node: &Node) {
        if stat.links > 1 {
            lock(&self.0).insert((stat.device, stat.inode), Some((*stat, node.clone())));
        }
    }
}

impl Save<'_> {
    /// Whether the entry is what it was, and everything of it can be had.
    pub(super) fn is_unchanged(&self, previous: &Node, stat: &Stat) -> bool {
        previous.is_version(stat)
            // Owner and mode are no part of a version, but a change of them changes the inode.
            && previous.meta == Meta::of(stat)
            && is_settled(stat, self.settled)
            && self.is_all_there(previous)
    }

    /// Whether every chunk that the node needs can be relied on.
    fn is_all_there(&self, node: &Node) -> bool {
        let xattrs = match &node.xattrs {
            Xattrs::Inline(_) => true,
            Xattrs::List(root) => self.is_list_there::<Xattr>(*root, |_| true),
        };
        let is_there = |extent: &Extent| match extent {
            Extent::Data { id, .. } => self.may_rely_on(Stream::Data, id),
            Extent::Hole(_) => true,
        };
        xattrs
            && match &node.body {
                Body::File(Content::Extents(extents)) => extents.iter().all(is_there),
                Body::File(Content::List(root)) => self.is_list_there(*root, |item| is_there(item)),
                _ => true,
            }
    }

    fn is_list_there<T: Item>(&self, root: Root, is_there: impl Fn(&T) -> bool) -> bool {
        let fetch = |id: &ChunkId| -> Result<Chunk> {
            if self.may_rely_on(Stream::Tree, id) {
                self.fetch_previous(id)
            } else {
                Err(Error::ChunkMissing {
                    id: *id,
                    stream: Stream::Tree,
                })
            }
        };
        let mut items = Items::<T>::all(Some(root));
        while let Some(item) = items.next(&fetch) {
            if !item.is_ok_and(|item| is_there(&item)) {
                return false;
            }
        }
        true
    }

    fn may_rely_on(&self, stream: Stream, id: &ChunkId) -> bool {
        // If the index cannot be asked, storing the chunk will say why.
        self.writer.contains(stream, id).unwrap_or(false)
    }
}
