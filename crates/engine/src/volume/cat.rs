//! Writes the bytes of a disk, or of a range of it, to a stream; holes are zeroes.

use std::{io::Write, ops::Range};

use super::{map::Blocks, top::Top};
use crate::{
    ahead::{Output, write_all},
    error::Result,
    id::ManifestId,
    pieces::{Wanted, What},
    repository::Repository,
    tree::{Progress, restore::threads},
};

/// Writes the bytes in `range` of the volume of a manifest to `out`; a range that ends behind the
/// volume ends with it. Returns the number of bytes written. The first loss ends it.
pub fn cat_volume(
    repository: &Repository,
    manifest: &ManifestId,
    range: Range<u64>,
    out: &mut dyn Write,
    progress: &Progress,
) -> Result<u64> {
    let manifest = repository.manifest(manifest)?;
    let reader = repository.reader();
    let top = Top::read(&reader, &manifest)?;
    let range = range.start.min(top.size)..range.end.min(top.size);
    let length = range.end.saturating_sub(range.start);
    progress.expect_at_least(length);
    let first = range.start / u64::from(top.block);
    let mut map = Blocks::from_block(top.root, top.blocks(), first);
    let hole = |from: u64, to: u64| Wanted {
        position: from,
        length: to - from,
        what: What::Hole,
    };
    // Up to where everything is told, and the block that follows on a hole.
    let (mut at, mut waiting) = (range.start, None);
    let mut next = || {
        if let Some(block) = waiting.take() {
            return Ok(Some(block));
        }
        let (place, id) = match map.next(&reader, &mut |_| Ok(())) {
            Some(Ok((block, id))) => (top.range(block), Some(id)),
            Some(Err(lost)) if top.range(lost.blocks.start).start < range.end => {
                return Err(lost.error);
            }
            _ => (range.end..range.end, None),
        };
        let (before, place) = match id {
            Some(id) if place.start < range.end => {
                let (position, length) = (place.start, place.end - place.start);
                let what = What::Chunk(id);
                let block = Wanted {
                    position,
                    length,
                    what,
                };
                (at..place.start, Some((block, place.end)))
            }
            _ => (at..range.end, None),
        };
        at = place.as_ref().map_or(range.end, |(_, end)| *end);
        let block = place.map(|(block, _)| block);
        if before.start < before.end {
            waiting = block;
            return Ok(Some(hole(before.start, before.end)));
        }
        Ok(block)
    };
    let mut output = Output {
        out,
        range: range.clone(),
        progress,
    };
    write_all(&reader, threads(0), &mut next, &mut output)?;
    Ok(length)
}
