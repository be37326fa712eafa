//! Writes the bytes of one file, or of a range of it, to a stream.

use std::{io::Write, ops::Range};

use strongroom_model::content::TreePath;

use super::{
    Progress,
    entry::{Body, Content},
    find::{Extents, find},
    restore::threads,
    top::Top,
};
use crate::{
    ahead::{Output, write_all},
    error::{Error, Result},
    id::ManifestId,
    pieces::{Wanted, What},
    repository::Repository,
};

/// Writes the bytes in `range` of the file at `path` to `out`; a range that ends behind the file
/// ends with it. Returns the number of bytes written. The first loss ends it.
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
    let length = range.end.saturating_sub(range.start);
    progress.expect_at_least(length);
    let mut output = Output {
        out,
        range: range.clone(),
        progress,
    };
    if let Content::Inline(bytes) = content {
        output.write_bytes(0, bytes)?;
        return Ok(length);
    }
    let mut extents = Extents::from_offset(content, size, range.start);
    let mut next = || {
        loop {
            let Some(wanted) = extents.next(&reader).map(Wanted::from) else {
                return Ok(None);
            };
            if wanted.position >= range.end {
                return Ok(None);
            }
            if wanted.position + wanted.length <= range.start {
                continue;
            }
            return match wanted.what {
                What::Lost(error) => Err(error),
                _ => Ok(Some(wanted)),
            };
        }
    };
    write_all(&reader, threads(0), &mut next, &mut output)?;
    Ok(length)
}
