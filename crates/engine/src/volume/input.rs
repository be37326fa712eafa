//! Saves a stream of bytes as a volume: blocks in order, zeroes as holes.
//!
//! The size is known at the end only, so the map grows as high as it needs to be. An error of the
//! stream ends the save without a manifest.

use std::{io::Read, sync::Arc};

use strongroom_model::Clock;

use super::{map::Builder, top::Top};
use crate::{
    chunk::{Rest, is_zero},
    error::Result,
    id::Stream,
    manifest::{Items, Layer},
    repository::Repository,
    tree::{
        SaveOptions, SaveStats, Saved,
        problem::Problems,
        save::{
            Finished, commit,
            input::{fill, now},
        },
    },
};

/// Bytes read at a time, in whole blocks.
const READ_BYTES: usize = 1 << 20;

/// Saves all bytes of a stream as a volume.
pub fn save_volume_input(
    repository: &Repository,
    bytes: &mut dyn Read,
    clock: &dyn Clock,
    options: &SaveOptions<'_>,
) -> Result<Saved> {
    let started = now(clock);
    let writer = repository.writer(options.writer.clone(), Arc::clone(&options.entropy))?;
    let (mut data, mut tree) = (writer.stream(Stream::Data), writer.stream(Stream::Tree));
    data.expect_long(true);
    let block = repository.sizes().block;
    let step = block as usize;
    let mut buffer = vec![0; READ_BYTES.next_multiple_of(step)];
    let mut map = Builder::growing();
    let (mut size, mut stored) = (0_u64, 0);
    loop {
        options.progress.check()?;
        let (read, rest) = fill(bytes, &mut buffer)?;
        options.progress.expect(read as u64);
        let window = buffer.get(..read).unwrap_or_default();
        for (content, number) in window.chunks(step).zip(size / u64::from(block)..) {
            if !is_zero(content) {
                let id = data.put(content)?;
                map.push(number, id, &mut |node| tree.put(node))?;
                stored += 1;
            }
        }
        size += read as u64;
        options.progress.advance(read as u64);
        if rest == Rest::Ended {
            break;
        }
    }
    let mut top = Top {
        started,
        size,
        block,
        version: None,
        root: None,
    };
    top.root = map.finish_at(top.blocks(), &mut |node| tree.put(node))?;
    let root = tree.put(&top.encode())?;
    data.finish()?;
    tree.finish()?;
    let stats = SaveStats {
        logical_bytes: size,
        read_bytes: size,
        new: u64::from(options.previous.is_none()),
        changed: u64::from(options.previous.is_some()),
        items: Items {
            blocks: stored,
            ..Items::default()
        },
        ..SaveStats::default()
    };
    let finished = Finished {
        layer: Layer::Volume,
        root,
        started,
        ended: now(clock),
        problems: Problems::default(),
        stats,
    };
    commit(repository, writer, finished, options)
}
