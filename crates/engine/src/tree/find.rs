//! Finds an entry by its path, reading one node per level of each directory on the way.

use strongroom_model::content::{Attributes, TreePath, Xattr};

use super::{
    entry::{Body, Content, Entry, Extent, Node, Xattrs},
    sequence::{Items, LostNode, Root},
};
use crate::{
    error::{Error, Result},
    id::{ChunkId, Stream},
    pieces::{Wanted, What},
    reader::{Chunk, Reader},
};

/// Reads nodes.
pub(crate) fn fetch(reader: &Reader) -> impl Fn(&ChunkId) -> Result<Chunk> + '_ {
    |id| reader.read(Stream::Tree, id)
}

/// The node at `path` below `root`.
pub(crate) fn find(reader: &Reader, root: Node, path: &TreePath) -> Result<Node> {
    let missing = || Error::PathMissing { path: path.clone() };
    let mut node = root;
    for name in path.names() {
        let Body::Directory(list) = &node.body else {
            return Err(missing());
        };
        let mut items: Items<Entry> = Items::from_key(*list, name.as_bytes());
        node = loop {
            match items.next(&fetch(reader)) {
                Some(Ok(entry)) if entry.name == name => break entry.node,
                Some(Ok(entry)) if entry.name < name => {}
                Some(Ok(_)) | None => return Err(missing()),
                // The entry may be behind the lost node, but not to know is not to have.
                Some(Err(lost)) => return Err(*lost.error),
            }
        };
    }
    Ok(node)
}

/// The attributes of an entry with its extended ones; what is lost of those is left out.
pub(crate) fn attributes(reader: &Reader, node: &Node) -> (Attributes, Option<Error>) {
    let mut attributes = node.attributes();
    match &node.xattrs {
        Xattrs::Inline(xattrs) => {
            attributes.xattrs.clone_from(xattrs);
            (attributes, None)
        }
        Xattrs::List(root) => {
            let mut lost = None;
            let mut items: Items<Xattr> = Items::all(Some(*root));
            while let Some(item) = items.next(&fetch(reader)) {
                match item {
                    Ok(xattr) => attributes.xattrs.push(xattr),
                    Err(LostNode { error, .. }) => lost = lost.or(Some(*error)),
                }
            }
            (attributes, lost)
        }
    }
}

/// The extents of a file in order, wherever they are listed.
pub(crate) struct Extents {
    few: std::vec::IntoIter<Extent>,
    few_position: u64,
    many: Items<Extent>,
    size: u64,
}

/// A piece of a file: its position and what is there.
pub(crate) type Placed = (u64, Result<Extent, (u64, Error)>);

impl From<Placed> for Wanted {
    fn from((position, extent): Placed) -> Self {
        let (length, what) = match extent {
            Ok(Extent::Hole(length)) => (length, What::Hole),
            Ok(Extent::Data { id, length }) => (u64::from(length), What::Chunk(id)),
            Err((length, error)) => (length, What::Lost(error)),
        };
        Self {
            position,
            length,
            what,
        }
    }
}

impl Extents {
    /// The extents from the one on that holds the byte at `offset`, or somewhat before it.
    pub(crate) fn from_offset(content: &Content, size: u64, offset: u64) -> Self {
        let (few, root): (Vec<Extent>, Option<Root>) = match content {
            Content::Inline(_) => (Vec::new(), None),
            Content::Extents(extents) => (extents.clone(), None),
            Content::List(root) => (Vec::new(), Some(*root)),
        };
        let many = Items::from_offset(root, offset);
        Self {
            few: few.into_iter(),
            few_position: 0,
            many,
            size,
        }
    }

    /// The next extent with its position; of extents whose list is lost, their length.
    pub(crate) fn next(&mut self, reader: &Reader) -> Option<Placed> {
        use super::sequence::Item as _;
        if let Some(extent) = self.few.next() {
            let position = self.few_position;
            self.few_position += extent.length();
            return Some((position, Ok(extent)));
        }
        let item = self.many.next(&fetch(reader))?;
        let end = self.many.position();
        Some(match item {
            Ok(extent) => (end - extent.length(), Ok(extent)),
            Err(LostNode {
                length: Some(length),
                error,
                ..
            }) => (end - length, Err((length, *error))),
            // The topmost list: nothing of the file can be found.
            Err(LostNode {
                length: None,
                error,
                ..
            }) => (end, Err((self.size - end, *error))),
        })
    }
}
