//! Looks at what is at a path, without reading it.

use std::{os::unix::fs::FileTypeExt as _, path::Path};

use strongroom_model::{
    Bytes, ResourceKind,
    content::{Error, Result},
};

/// The size of what is at `path`, which must be of that kind; a tree's is not known beforehand.
pub(crate) fn size(kind: ResourceKind, path: &Path) -> Result<Bytes> {
    let wrong = |expected| Error::WrongKind {
        path: path.to_owned(),
        expected,
    };
    let found = path.metadata().map_err(Error::io("open", path))?;
    match kind {
        ResourceKind::Share if found.is_dir() => Ok(Bytes(0)),
        ResourceKind::Share => Err(wrong("a directory")),
        ResourceKind::Volume if found.is_file() => Ok(Bytes(found.len())),
        ResourceKind::Volume if found.file_type().is_block_device() => Ok(Bytes(0)),
        ResourceKind::Volume => Err(wrong("an image file or a block device")),
    }
}
