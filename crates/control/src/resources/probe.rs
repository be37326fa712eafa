//! Looks at what is at a path, without reading it.

use std::path::Path;

use strongroom_model::{
    Bytes, ResourceKind,
    content::{BlockSource as _, Result},
};
use strongroom_source::{Source, registry};

/// The size of what is at `path`, which must be of that kind; a tree's is not known beforehand.
pub(crate) fn size(kind: ResourceKind, path: &Path) -> Result<Bytes> {
    Ok(match registry::open(kind, path)? {
        Source::Tree(_) => Bytes(0),
        Source::Blocks(volume) => Bytes(volume.size()),
    })
}
