//! Which ranges differ between two volumes.

use std::ops::Range;

use strongroom_model::content::TreePath;

use crate::{
    error::{Error, Result},
    id::{ChunkId, ManifestId, Stream},
    reader::Reader,
    repository::Repository,
    tree::{Cause, Loss, Part, loss::Losses},
    volume::{
        map::{decode, root_level},
        top::Top,
    },
};

/// A node of a map has 2 to this power of children.
const FANOUT_BITS: u32 = 10;

/// What happened to a range of a disk.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum DiskChange {
    /// Other bytes are there.
    Changed,
    /// It was a hole and holds data.
    Filled,
    /// It held data and is a hole.
    Freed,
}

/// A range that differs, in whole blocks; ranges that touch and changed alike are one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DiskRange {
    /// Which bytes.
    pub bytes: Range<u64>,
    /// What happened to them.
    pub change: DiskChange,
}

/// How much of two volumes differs.
#[derive(Clone, Debug, Default)]
pub struct VolumeSummary {
    /// Size of the volume before.
    pub size_before: u64,
    /// Size of the volume after.
    pub size_after: u64,
    /// Bytes of the blocks that hold other bytes.
    pub changed_bytes: u64,
    /// Bytes of the blocks that were holes and are none.
    pub filled_bytes: u64,
    /// Bytes of the blocks that are holes and were none.
    pub freed_bytes: u64,
    /// What is lost of either map, so that nobody can say whether it differs.
    pub losses: Vec<Loss>,
}

/// Shows the ranges that differ between the volumes of two manifests to `visit`, in order.
pub fn diff_volumes(
    repository: &Repository,
    before: &ManifestId,
    after: &ManifestId,
    visit: &mut dyn FnMut(DiskRange) -> Result<()>,
) -> Result<VolumeSummary> {
    let reader = repository.reader();
    let top = |id| Top::read(&reader, &repository.manifest(id)?);
    let (before, after) = (top(before)?, top(after)?);
    let mut diff = Diff {
        reader: &reader,
        visit,
        block: u64::from(after.block),
        size: before.size.max(after.size),
        pending: None,
        losses: Losses::default(),
        summary: VolumeSummary {
            size_before: before.size,
            size_after: after.size,
            ..VolumeSummary::default()
        },
    };
    let subtree = |top: &Top| {
        let level = root_level(top.blocks());
        top.root.map(|id| Subtree { id, level })
    };
    let (left, right) = (subtree(&before), subtree(&after));
    let highest = left.iter().chain(&right).map(|node| node.level).max();
    if before.block != after.block {
        // Blocks of two sizes have no names in common: all of both is shown.
        let whole = 0..diff.size;
        diff.push(whole, DiskChange::Changed)?;
    } else if let Some(level) = highest {
        diff.nodes(left, right, level, 0)?;
    }
    diff.flush()?;
    diff.summary.losses = diff.losses.finish().0;
    Ok(diff.summary)
}

/// A node of a map.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Subtree {
    id: ChunkId,
    level: u8,
}

struct Diff<'a> {
    reader: &'a Reader,
    visit: &'a mut dyn FnMut(DiskRange) -> Result<()>,
    block: u64,
    size: u64,
    pending: Option<DiskRange>,
    losses: Losses,
    summary: VolumeSummary,
}

impl Diff<'_> {
    /// Compares what two nodes map; both stand at `level`, which a root may not reach.
    fn nodes(
        &mut self,
        left: Option<Subtree>,
        right: Option<Subtree>,
        level: u8,
        number: u64,
    ) -> Result<()> {
        if left == right {
            return Ok(());
        }
        let children = |node| self.children(node, level);
        let (left, right) = match (children(left), children(right)) {
            (Ok(left), Ok(right)) => (left, right),
            (Err(error), _) | (_, Err(error)) => return self.lose(level, number, error),
        };
        let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
        loop {
            let index = match (left.peek(), right.peek()) {
                (None, None) => return Ok(()),
                (Some((index, _)), None) | (None, Some((index, _))) => *index,
                (Some((a, _)), Some((b, _))) => *a.min(b),
            };
            let before = left.next_if(|(at, _)| *at == index).map(|(_, node)| node);
            let after = right.next_if(|(at, _)| *at == index).map(|(_, node)| node);
            let number = (number << FANOUT_BITS) + u64::from(index);
            match level.checked_sub(1) {
                Some(below) => self.nodes(before, after, below, number)?,
                None => self.block(before, after, number)?,
            }
        }
    }

    /// The children of a node at `level`; a root that is lower is the first of them.
    fn children(&self, node: Option<Subtree>, level: u8) -> Result<Vec<(u16, Subtree)>> {
        let Some(Subtree { id, level: own }) = node else {
            return Ok(Vec::new());
        };
        if own < level {
            return Ok(vec![(0, Subtree { id, level: own })]);
        }
        let bytes = self.reader.read(Stream::Tree, &id)?;
        let children =
            decode(&bytes, level).map_err(|malformed| Error::NodeMalformed { id, malformed })?;
        let below = level.saturating_sub(1);
        let child = |(index, id)| (index, Subtree { id, level: below });
        Ok(children.into_iter().map(child).collect())
    }

    fn block(
        &mut self,
        before: Option<Subtree>,
        after: Option<Subtree>,
        number: u64,
    ) -> Result<()> {
        let change = match (before, after) {
            (Some(before), Some(after)) if before.id == after.id => return Ok(()),
            (Some(_), Some(_)) => DiskChange::Changed,
            (None, Some(_)) => DiskChange::Filled,
            (Some(_), None) => DiskChange::Freed,
            (None, None) => return Ok(()),
        };
        self.push(self.bytes(number..number + 1), change)
    }

    /// The bytes of a range of blocks; nothing behind the end of the larger disk.
    fn bytes(&self, blocks: Range<u64>) -> Range<u64> {
        let at = |block: u64| block.saturating_mul(self.block).min(self.size);
        at(blocks.start)..at(blocks.end)
    }

    fn push(&mut self, bytes: Range<u64>, change: DiskChange) -> Result<()> {
        let length = bytes.end - bytes.start;
        *match change {
            DiskChange::Changed => &mut self.summary.changed_bytes,
            DiskChange::Filled => &mut self.summary.filled_bytes,
            DiskChange::Freed => &mut self.summary.freed_bytes,
        } += length;
        match &mut self.pending {
            Some(last) if last.change == change && last.bytes.end == bytes.start => {
                last.bytes.end = bytes.end;
                Ok(())
            }
            _ => {
                let done = self.flush();
                self.pending = Some(DiskRange { bytes, change });
                done
            }
        }
    }

    fn flush(&mut self) -> Result<()> {
        self.pending
            .take()
            .map_or(Ok(()), |range| (self.visit)(range))
    }

    fn lose(&mut self, level: u8, number: u64, error: Error) -> Result<()> {
        if matches!(error, Error::Store { .. }) {
            return Err(error);
        }
        let bits = FANOUT_BITS * (u32::from(level) + 1);
        let blocks = number << bits..(number + 1) << bits;
        let part = Part::Bytes(self.bytes(blocks));
        self.losses
            .add(TreePath::root(), part, Cause::Repository(error));
        Ok(())
    }
}
