//! Block maps: which chunk holds which block of a disk, as a Merkle tree by position.
//!
//! ```text
//! node      role u8 7, level u8, present [128] (bit i of byte i/8: child i is there),
//!           then the id [32] of each child that is
//! ```
//!
//! A node of level 0 maps 1,024 blocks to data chunks, one above 1,024 nodes. What is absent is a
//! hole and reads as zeroes; a block of zeroes is a hole too. The root's level follows from the
//! number of blocks.
//!
//! Invariant: equal stretches of two disks have equal nodes; a node that is all hole is absent.
//!
//! Format: docs/format.md, "Block maps".

use std::{ops::Range, vec};

use crate::{
    codec::{Decoder, Encoder, Malformed},
    error::{Error, Result},
    id::{ChunkId, Stream},
    reader::Reader,
};

const ROLE: u8 = 7;
/// Children of a node.
const FANOUT: u64 = 1024;
const FANOUT_BITS: u32 = 10;
const PRESENT_LEN: usize = 128;
/// With blocks of 512 bytes so many levels map every byte that 64 bits can count.
pub(crate) const LEVELS_MAX: u8 = 5;

/// The level of the root of a map of so many blocks.
pub(crate) fn root_level(blocks: u64) -> u8 {
    (0..LEVELS_MAX)
        .find(|level| blocks <= blocks_below(*level) * FANOUT)
        .unwrap_or(LEVELS_MAX)
}

/// Blocks that one child of a node of that level stands for.
fn blocks_below(level: u8) -> u64 {
    1 << (FANOUT_BITS * u32::from(level))
}

/// Builds a map from the blocks that are there, in order.
pub(crate) struct Builder {
    levels: Vec<Level>,
}

/// The node that is being filled on one level.
#[derive(Default)]
struct Level {
    node: u64,
    children: Vec<(u16, ChunkId)>,
}

impl Builder {
    /// A builder of a map of so many blocks.
    pub(crate) fn new(blocks: u64) -> Self {
        Self {
            levels: (0..=root_level(blocks)).map(|_| Level::default()).collect(),
        }
    }

    /// A builder of a map whose number of blocks is not known yet.
    pub(crate) fn growing() -> Self {
        Self {
            levels: (0..LEVELS_MAX).map(|_| Level::default()).collect(),
        }
    }

    /// Says that the block of that number, higher than all before, is in this chunk.
    pub(crate) fn push(
        &mut self,
        block: u64,
        id: ChunkId,
        put: &mut dyn FnMut(&[u8]) -> Result<ChunkId>,
    ) -> Result<()> {
        self.append(0, block, id, put)
    }

    fn append(
        &mut self,
        level: usize,
        child: u64,
        id: ChunkId,
        put: &mut dyn FnMut(&[u8]) -> Result<ChunkId>,
    ) -> Result<()> {
        let node = child / FANOUT;
        if self.levels.get(level).is_some_and(|open| open.node != node) {
            self.close(level, put)?;
        }
        let open = self
            .levels
            .get_mut(level)
            .expect("the root's level takes every child");
        open.node = node;
        let index = u16::try_from(child % FANOUT).expect("less than the fanout");
        open.children.push((index, id));
        Ok(())
    }

    /// Stores the node that is being filled, if there is anything in it.
    fn close(
        &mut self,
        level: usize,
        put: &mut dyn FnMut(&[u8]) -> Result<ChunkId>,
    ) -> Result<Option<ChunkId>> {
        let Some(Level { node, children }) = self.levels.get_mut(level).map(std::mem::take) else {
            return Ok(None);
        };
        if children.is_empty() {
            return Ok(None);
        }
        let id = put(&encode(
            u8::try_from(level).expect("a few levels"),
            &children,
        ))?;
        if level + 1 < self.levels.len() {
            self.append(level + 1, node, id, put)?;
        }
        Ok(Some(id))
    }

    /// Stores what is left; `None` if all is hole.
    pub(crate) fn finish(
        mut self,
        put: &mut dyn FnMut(&[u8]) -> Result<ChunkId>,
    ) -> Result<Option<ChunkId>> {
        let mut root = None;
        for level in 0..self.levels.len() {
            root = self.close(level, put)?;
        }
        Ok(root)
    }

    /// The same for a map that turned out to have so many blocks.
    pub(crate) fn finish_at(
        mut self,
        blocks: u64,
        put: &mut dyn FnMut(&[u8]) -> Result<ChunkId>,
    ) -> Result<Option<ChunkId>> {
        // Nothing of the levels above is stored: none of their nodes was ever full.
        self.levels.truncate(usize::from(root_level(blocks)) + 1);
        self.finish(put)
    }
}

pub(crate) fn encode(level: u8, children: &[(u16, ChunkId)]) -> Vec<u8> {
    let mut present = [0_u8; PRESENT_LEN];
    for (index, _) in children {
        if let Some(byte) = present.get_mut(usize::from(index / 8)) {
            *byte |= 1 << (index % 8);
        }
    }
    let mut to = Encoder::with_capacity(2 + PRESENT_LEN + children.len() * ChunkId::LEN);
    to.u8(ROLE).u8(level).raw(&present);
    for (_, id) in children {
        to.raw(id.as_bytes());
    }
    to.finish()
}

/// The children of a node, with their numbers in it.
pub(crate) fn decode(bytes: &[u8], level: u8) -> Result<Vec<(u16, ChunkId)>, Malformed> {
    let mut from = Decoder::new(bytes);
    if from.u8()? != ROLE || from.u8()? != level {
        return Err(Malformed::new("is not a node of this level of a block map"));
    }
    let present: [u8; PRESENT_LEN] = from.array()?;
    let mut children = Vec::new();
    for (byte, first) in present.iter().zip((0_u16..).step_by(8)) {
        for bit in (0..8).filter(|bit| byte >> bit & 1 == 1) {
            children.push((first + bit, ChunkId::from_bytes(from.array()?)));
        }
    }
    from.finish()?;
    if children.is_empty() {
        return Err(Malformed::new("a node of a block map maps nothing"));
    }
    Ok(children)
}

/// A node that could not be read.
#[derive(Debug)]
pub(crate) struct LostBlocks {
    /// The blocks that it mapped; some of them may have been holes.
    pub(crate) blocks: Range<u64>,
    /// Why it cannot be read.
    pub(crate) error: Error,
}

/// Reads a map in order, one node of each level in memory.
pub(crate) struct Blocks {
    path: Vec<Pending>,
    /// Blocks in front of this one are passed by.
    start: u64,
}

struct Pending {
    /// Level of the node whose children these are.
    level: u8,
    /// Number of its first child.
    first: u64,
    children: vec::IntoIter<(u16, ChunkId)>,
}

impl Blocks {
    /// The blocks of a map with that root.
    pub(crate) fn of(root: Option<ChunkId>, blocks: u64) -> Self {
        Self::from_block(root, blocks, 0)
    }

    /// The blocks from `start` on, reading only the nodes on the way to it.
    pub(crate) fn from_block(root: Option<ChunkId>, blocks: u64, start: u64) -> Self {
        // The root is the only child of a node that does not exist.
        let children: Vec<_> = root.map(|id| (0, id)).into_iter().collect();
        let level = root_level(blocks) + 1;
        Self {
            path: vec![Pending {
                level,
                first: 0,
                children: children.into_iter(),
            }],
            start,
        }
    }

    /// The next block that is no hole and its chunk. `visit` is told of every node on the way,
    /// before it is read, and may refuse it.
    pub(crate) fn next(
        &mut self,
        reader: &Reader,
        visit: &mut dyn FnMut(&ChunkId) -> Result<()>,
    ) -> Option<Result<(u64, ChunkId), LostBlocks>> {
        loop {
            let pending = self.path.last_mut()?;
            let Some((index, id)) = pending.children.next() else {
                self.path.pop();
                continue;
            };
            let number = pending.first + u64::from(index);
            let below = blocks_below(pending.level);
            if number.saturating_add(1).saturating_mul(below) <= self.start {
                continue;
            }
            let Some(level) = pending.level.checked_sub(1) else {
                return Some(Ok((number, id)));
            };
            let node = visit(&id).and_then(|()| {
                let bytes = reader.read(Stream::Tree, &id)?;
                decode(&bytes, level).map_err(|malformed| Error::NodeMalformed { id, malformed })
            });
            match node {
                Ok(children) => self.path.push(Pending {
                    level,
                    first: number * FANOUT,
                    children: children.into_iter(),
                }),
                Err(error) => {
                    let size = blocks_below(level) * FANOUT;
                    let blocks = number * size..(number + 1) * size;
                    return Some(Err(LostBlocks { blocks, error }));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
