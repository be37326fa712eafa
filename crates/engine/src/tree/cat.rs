//! Writes the bytes of one file, or of a range of it, to a stream.
//!
//! Nothing is left out silently: a reader of a stream cannot be told of a gap afterwards, so the
//! first loss ends it.

use std::{io::Write, ops::Range, thread};

use strongroom_model::content::TreePath;

use super::{
    Progress,
    entry::{Body, Content, Extent},
    find::{Extents, find},
    sequence::Item as _,
    top::Top,
};
use crate::{
    error::{Error, Result},
    id::{ManifestId, Stream},
    reader::Reader,
    repository::Repository,
};

/// Bytes that are read ahead while those before are written.
const AHEAD_BYTES: u64 = 4 << 20;

/// Writes the bytes in `range` of the file at `path` to `out`; a range that ends behind the file
/// ends with it. Returns the number of bytes written.
pub fn cat(
    repository: &Repository,
    manifest: &ManifestId,
    path: &TreePath,
    range: Range<u64>,
    out: &mut dyn Write,
    progress: &Progress,
) -> Result<u64> {
    let manifest = repository.manifest(manifest)?;
    let reader = repository.reader();
    let node = find(&reader, Top::read(&reader, &manifest)?.root, path)?;
    let Body::File(content) = &node.body else {
        return Err(Error::NotAFile { path: path.clone() });
    };
    let size = node.meta.size;
    let range = range.start.min(size)..range.end.min(size);
    progress.expect_at_least(range.end.saturating_sub(range.start));
    let mut output = Output {
        out,
        range: range.clone(),
        progress,
    };
    if let Content::Inline(bytes) = content {
        output.write(0, bytes)?;
        return Ok(range.end.saturating_sub(range.start));
    }
    let mut extents = Extents::from_offset(content, size, range.start);
    let mut window = next_window(&mut extents, &reader, &range)?;
    while !window.is_empty() {
        progress.check()?;
        let following = next_window(&mut extents, &reader, &range)?;
        thread::scope(|scope| {
            scope.spawn(|| read_ahead(&reader, &following));
            output.write_window(&reader, &window)
        })?;
        window = following;
    }
    Ok(range.end.saturating_sub(range.start))
}

/// The next extents that lie in the range.
fn next_window(
    extents: &mut Extents,
    reader: &Reader,
    range: &Range<u64>,
) -> Result<Vec<(u64, Extent)>> {
    let (mut window, mut bytes) = (Vec::new(), 0);
    while bytes < AHEAD_BYTES {
        let Some((position, extent)) = extents.next(reader) else {
            break;
        };
        if position >= range.end {
            break;
        }
        let extent = match extent {
            Ok(extent) => extent,
            Err((length, _)) if position + length <= range.start => continue,
            Err((_, error)) => return Err(error),
        };
        if position + extent.length() > range.start {
            bytes += extent.length();
            window.push((position, extent));
        }
    }
    Ok(window)
}

/// Fills the reader's cache; what fails here fails again when it is written.
fn read_ahead(reader: &Reader, window: &[(u64, Extent)]) {
    let ids: Vec<_> = window
        .iter()
        .filter_map(|(_, extent)| match extent {
            Extent::Data { id, .. } => Some(*id),
            Extent::Hole(_) => None,
        })
        .collect();
    reader.prefetch(Stream::Data, &ids);
}

struct Output<'a> {
    out: &'a mut dyn Write,
    range: Range<u64>,
    progress: &'a Progress,
}

impl Output<'_> {
    fn write_window(&mut self, reader: &Reader, window: &[(u64, Extent)]) -> Result<()> {
        for (position, extent) in window {
            match extent {
                Extent::Data { id, .. } => {
                    self.write(*position, &reader.read(Stream::Data, id)?)?;
                }
                Extent::Hole(length) => self.write_zeroes(*position, *length)?,
            }
        }
        Ok(())
    }

    /// Writes what of `bytes`, which lie at `position`, is in the range.
    fn write(&mut self, position: u64, bytes: &[u8]) -> Result<()> {
        let within = |at: u64| {
            usize::try_from(at.saturating_sub(position))
                .map_or(bytes.len(), |at| at.min(bytes.len()))
        };
        let wanted = bytes.get(within(self.range.start)..within(self.range.end));
        let wanted = wanted.unwrap_or_default();
        self.progress.advance(wanted.len() as u64);
        self.out.write_all(wanted).map_err(Error::output)
    }

    fn write_zeroes(&mut self, position: u64, length: u64) -> Result<()> {
        let zeroes = [0; 8192];
        let end = (position + length).min(self.range.end);
        let mut at = position.max(self.range.start);
        while at < end {
            self.progress.check()?;
            let step =
                usize::try_from(end - at).map_or(zeroes.len(), |left| left.min(zeroes.len()));
            self.write(at, zeroes.get(..step).unwrap_or_default())?;
            at += step as u64;
        }
        Ok(())
    }
}
