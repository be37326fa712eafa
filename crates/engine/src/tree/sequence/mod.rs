//! Long lists as Merkle trees: the entries of a directory, the extents of a file.
//!
//! A list is cut into nodes where the keyed hash of an item says so, so that a change rewrites
//! the node it lies in and the nodes above, and two lists share the nodes that are equal. A short
//! list is one node. The same rule, with more bits of the same hash, cuts the levels above.
//!
//! ```text
//! node      role u8, level u8, count u32, then
//!           level 0: count items; above: count children
//! child     id [32], items u64, length u64, key of its first item as blob
//! ```
//!
//! Invariant: a list has exactly one form, whatever its history, and nodes of one role are never
//! taken for those of another.
//!
//! Format: docs/format.md, "Lists".

use std::{marker::PhantomData, vec};

use crate::{
    codec::{Decoder, Encoder, Malformed},
    error::{Error, Result},
    id::ChunkId,
};

/// Bits of the hash that must be zero for a cut, for each level: 128 items per node on average.
const CUT_BITS: u32 = 7;
/// A node is not cut before it has so many items …
const ITEMS_MIN: usize = 32;
/// … and never has more than these …
const ITEMS_MAX: usize = 1024;
/// … nor, once it has two, more bytes than these.
const BYTES_MAX: usize = 96 << 10;
/// No list is higher: 32 to the tenth power are more items than any disk holds.
const LEVELS_MAX: u8 = 10;

/// What lists are made of.
pub(crate) trait Item: Sized {
    /// Written into every node; distinct for every kind of item.
    const ROLE: u8;
    /// No item is encoded in fewer bytes.
    const LEN_MIN: usize;

    /// Appends the item.
    fn encode(&self, to: &mut Encoder);

    /// Takes an item.
    fn decode(from: &mut Decoder<'_>) -> Result<Self, Malformed>;

    /// What the item is found by; empty if items are found by position.
    fn key(&self) -> &[u8];

    /// How much of the whole the item stands for, in bytes.
    fn length(&self) -> u64;
}

/// Where a list begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Root {
    /// The topmost node.
    pub(crate) id: ChunkId,
    /// Its level; 0 if it holds the items themselves.
    pub(crate) level: u8,
}

impl Root {
    pub(crate) fn encode(&self, to: &mut Encoder) {
        to.u8(self.level).raw(self.id.as_bytes());
    }

    pub(crate) fn decode(from: &mut Decoder<'_>) -> Result<Self, Malformed> {
        let level = from.u8()?;
        if level > LEVELS_MAX {
            return Err(Malformed::new("a list is higher than any list can be"));
        }
        Ok(Self {
            level,
            id: ChunkId::from_bytes(from.array()?),
        })
    }
}

/// A part of a list: a node and what is below it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Child {
    /// The node.
    pub(crate) id: ChunkId,
    /// Items below it.
    pub(crate) items: u64,
    /// Sum of their lengths.
    pub(crate) length: u64,
    /// Key of the first one.
    pub(crate) first: Vec<u8>,
}

impl Child {
    const LEN_MIN: usize = ChunkId::LEN + 8 + 8 + 4;

    pub(crate) fn encode(&self, to: &mut Encoder) {
        to.raw(self.id.as_bytes())
            .u64(self.items)
            .u64(self.length)
            .blob(&self.first);
    }

    fn decode(from: &mut Decoder<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            id: ChunkId::from_bytes(from.array()?),
            items: from.u64()?,
            length: from.u64()?,
            first: from.blob()?.to_vec(),
        })
    }
}

/// A node that is being filled.
#[derive(Default)]
struct Filling {
    /// Encoded items, or children.
    body: Vec<u8>,
    count: usize,
    items: u64,
    length: u64,
    first: Vec<u8>,
    /// Hash of the first item.
    hash: u64,
}

impl Filling {
    fn ends_before(&self, cut: bool, more: usize) -> bool {
        self.count >= ITEMS_MAX
            || cut && self.count >= ITEMS_MIN
            || self.count >= 2 && self.body.len() + more > BYTES_MAX
    }
}

/// What is appended to a level: an item or a finished node.
struct Unit {
    encoded: Vec<u8>,
    items: u64,
    length: u64,
    first: Vec<u8>,
    hash: u64,
}

/// Where finished nodes go.
pub(crate) type Put<'p> = dyn FnMut(&[u8]) -> Result<ChunkId> + 'p;

/// Builds a list from its items in order.
pub(crate) struct Builder<T> {
    levels: Vec<Filling>,
    item: PhantomData<fn(T)>,
}

impl<T> Default for Builder<T> {
    fn default() -> Self {
        Self {
            levels: Vec::new(),
            item: PhantomData,
        }
    }
}

impl<T: Item> Builder<T> {
    /// Appends an item; `hash` is a keyed hash of what identifies it.
    pub(crate) fn push(&mut self, item: &T, hash: u64, put: &mut Put<'_>) -> Result<()> {
        let mut encoded = Encoder::default();
        item.encode(&mut encoded);
        let unit = Unit {
            encoded: encoded.finish(),
            items: 1,
            length: item.length(),
            first: item.key().to_vec(),
            hash,
        };
        self.append(0, unit, put)
    }

    fn append(&mut self, level: u8, unit: Unit, put: &mut Put<'_>) -> Result<()> {
        // Above level 0 a unit is a node, and its hash that of the first item below it.
        let cut = unit.hash.trailing_zeros() >= CUT_BITS * (u32::from(level) + 1);
        let index = usize::from(level);
        if self
            .levels
            .get(index)
            .is_some_and(|node| node.ends_before(cut, unit.encoded.len()))
        {
            let (child, hash) = self.close(level, put)?;
            self.append(level + 1, above(&child, hash), put)?;
        }
        if self.levels.len() == index {
            self.levels.push(Filling::default());
        }
        let node = self
            .levels
            .get_mut(index)
            .expect("levels are filled from below");
        if node.count == 0 {
            node.first = unit.first;
            node.hash = unit.hash;
        }
        node.body.extend_from_slice(&unit.encoded);
        node.count += 1;
        node.items += unit.items;
        node.length += unit.length;
        Ok(())
    }

    /// Stores the node that is being filled on `level` and begins another.
    fn close(&mut self, level: u8, put: &mut Put<'_>) -> Result<(Child, u64)> {
        let node = self.levels.get_mut(usize::from(level)).map(std::mem::take);
        let node = node.expect("only a level that exists is closed");
        let mut encoded = Encoder::with_capacity(node.body.len() + 6);
        encoded
            .u8(T::ROLE)
            .u8(level)
            .count(node.count)
            .raw(&node.body);
        let id = put(&encoded.finish())?;
        let Filling {
            items,
            length,
            first,
            hash,
            ..
        } = node;
        Ok((
            Child {
                id,
                items,
                length,
                first,
            },
            hash,
        ))
    }

    /// Stores what is left; `None` for the empty list.
    pub(crate) fn finish(mut self, put: &mut Put<'_>) -> Result<Option<Root>> {
        let mut level = 0;
        while usize::from(level) < self.levels.len() {
            let (child, hash) = self.close(level, put)?;
            if usize::from(level) + 1 == self.levels.len() {
                return Ok(Some(Root {
                    id: child.id,
                    level,
                }));
            }
            self.append(level + 1, above(&child, hash), put)?;
            level += 1;
        }
        Ok(None)
    }
}

fn above(child: &Child, hash: u64) -> Unit {
    let mut encoded = Encoder::default();
    child.encode(&mut encoded);
    let (items, length, first) = (child.items, child.length, child.first.clone());
    Unit {
        encoded: encoded.finish(),
        items,
        length,
        first,
        hash,
    }
}

/// A node, decoded.
#[derive(Debug)]
pub(crate) enum Node<T> {
    /// Of level 0.
    Items(Vec<T>),
    /// Of a level above.
    Children(Vec<Child>),
}

/// Decodes a node of that level.
pub(crate) fn decode<T: Item>(bytes: &[u8], level: u8) -> Result<Node<T>, Malformed> {
    let mut from = Decoder::new(bytes);
    if from.u8()? != T::ROLE {
        return Err(Malformed::new("is a node of another kind of list"));
    }
    if from.u8()? != level {
        return Err(Malformed::new("is a node of another level"));
    }
    let node = if level == 0 {
        let count = from.count(T::LEN_MIN)?;
        let items = (0..count)
            .map(|_| T::decode(&mut from))
            .collect::<Result<Vec<_>, _>>()?;
        in_order(items.iter().map(T::key))?;
        Node::Items(items)
    } else {
        let count = from.count(Child::LEN_MIN)?;
        let children = (0..count)
            .map(|_| Child::decode(&mut from))
            .collect::<Result<Vec<_>, _>>()?;
        in_order(children.iter().map(|child| &*child.first))?;
        Node::Children(children)
    };
    from.finish()?;
    Ok(node)
}

/// Refuses an empty node and keys that do not ascend.
fn in_order<'k>(mut keys: impl Iterator<Item = &'k [u8]>) -> Result<(), Malformed> {
    let mut last = keys
        .next()
        .ok_or(Malformed::new("is a node without items"))?;
    for key in keys {
        // Lists without keys have none anywhere.
        if last.is_empty() != key.is_empty() {
            return Err(Malformed::new(
                "some items of a list have keys and some have none",
            ));
        }
        if last >= key && !key.is_empty() {
            return Err(Malformed::new("the items of a list are not in order"));
        }
        last = key;
    }
    Ok(())
}

/// Where nodes come from.
pub(crate) type Fetch<'f> = dyn Fn(&ChunkId) -> Result<crate::Chunk> + 'f;

/// A node that could not be read, with what was below it.
#[derive(Debug)]
pub(crate) struct LostNode {
    /// The node.
    pub(crate) id: ChunkId,
    /// Sum of the lengths of the items below it; `None` if it is the root.
    pub(crate) length: Option<u64>,
    /// Why it cannot be read.
    pub(crate) error: Box<Error>,
}

/// Reads the items of a list in order, one node of each level in memory.
///
/// After a node that is lost, reading goes on behind it.
pub(crate) struct Items<T> {
    /// What is left of the nodes on the way down, topmost first; each with the level of its
    /// children, or the items.
    path: Vec<Pending<T>>,
    start: Start,
    position: u64,
}

enum Pending<T> {
    Root(Option<Root>),
    Children(u8, vec::IntoIter<Child>),
    Items(vec::IntoIter<T>),
}

/// What to skip at the beginning, as far as whole nodes allow.
enum Start {
    Here,
    Key(Vec<u8>),
    Offset(u64),
}

impl<T: Item> Items<T> {
    /// All items of the list.
    pub(crate) fn all(root: Option<Root>) -> Self {
        Self::from(root, Start::Here)
    }

    /// The items from the node on that would hold `key`; some before it may come first.
    pub(crate) fn from_key(root: Option<Root>, key: &[u8]) -> Self {
        Self::from(root, Start::Key(key.to_vec()))
    }

    /// The items from the node on that holds the byte at `offset`; see [`Items::position`].
    pub(crate) fn from_offset(root: Option<Root>, offset: u64) -> Self {
        Self::from(root, Start::Offset(offset))
    }

    fn from(root: Option<Root>, start: Start) -> Self {
        Self {
            path: vec![Pending::Root(root)],
            start,
            position: 0,
        }
    }

    /// Sum of the lengths in front of the next item.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// The next item, or the node that was in its place.
    pub(crate) fn next(&mut self, fetch: &Fetch<'_>) -> Option<Result<T, LostNode>> {
        loop {
            let next = match self.path.last_mut()? {
                Pending::Items(items) => {
                    if let Some(item) = items.next() {
                        self.position += item.length();
                        return Some(Ok(item));
                    }
                    None
                }
                Pending::Children(level, children) => children
                    .next()
                    .map(|child| (child.id, *level, Some(child.length))),
                Pending::Root(root) => root.take().map(|root| (root.id, root.level, None)),
            };
            let Some((id, level, length)) = next else {
                self.path.pop();
                continue;
            };
            if let Err(error) = self.open(&id, level, fetch) {
                self.position += length.unwrap_or(0);
                return Some(Err(LostNode {
                    id,
                    length,
                    error: Box::new(error),
                }));
            }
        }
    }

    fn open(&mut self, id: &ChunkId, level: u8, fetch: &Fetch<'_>) -> Result<()> {
        let bytes = fetch(id)?;
        let node = decode(&bytes, level)
            .map_err(|malformed| Error::NodeMalformed { id: *id, malformed })?;
        let pending = match node {
            Node::Items(items) => Pending::Items(items.into_iter()),
            Node::Children(children) => {
                let mut children = children.into_iter();
                self.skip(&mut children);
                Pending::Children(level - 1, children)
            }
        };
        self.path.push(pending);
        Ok(())
    }

    /// Drops the children in front of the one that the reading starts in.
    fn skip(&mut self, children: &mut vec::IntoIter<Child>) {
        loop {
            let [child, following @ ..] = children.as_slice() else {
                return;
            };
            let before = match &self.start {
                Start::Here => false,
                Start::Key(key) => following.first().is_some_and(|next| next.first <= *key),
                Start::Offset(offset) => self.position + child.length <= *offset,
            };
            if !before {
                return;
            }
            self.position += child.length;
            children.next();
        }
    }
}

#[cfg(test)]
mod tests;
