//! A share without the service's own directories.
//!
//! A share may lie around the data directory (protecting `/` is legitimate). Backing the
//! repositories up into themselves would never end well, so the directories in question are not
//! shown: such a backup is complete without them.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use strongroom_model::content::{
    FileTime, Name, Result, SourceDirectory, SourceFile, Stat, TreeSource, Xattr,
};

/// A tree that hides some directories.
pub(super) struct Without<S> {
    tree: S,
    hidden: Vec<Vec<Name>>,
}

impl<S: TreeSource> Without<S> {
    /// The tree at `root` without those of `paths` that are inside it.
    pub(super) fn new(tree: S, root: &Path, paths: &[PathBuf]) -> Self {
        let inside = paths.iter().filter_map(|path| path.strip_prefix(root).ok());
        let hidden = inside
            .filter_map(names)
            .filter(|names| !names.is_empty())
            .collect();
        Self { tree, hidden }
    }
}

/// The names on the way; `None` for one that no tree can hold.
fn names(path: &Path) -> Option<Vec<Name>> {
    use std::os::unix::ffi::OsStrExt as _;
    path.iter()
        .map(|part| Name::new(part.as_bytes()).ok())
        .collect()
}

impl<S: TreeSource> TreeSource for Without<S> {
    fn root(&self) -> Result<Arc<dyn SourceDirectory>> {
        Ok(wrap(self.tree.root()?, self.hidden.clone()))
    }

    fn clock(&self) -> FileTime {
        self.tree.clock()
    }
}

/// A directory in which, or below which, something is hidden.
struct Directory {
    inner: Arc<dyn SourceDirectory>,
    hidden: Vec<Vec<Name>>,
}

/// Directories with nothing to hide are passed on as they are.
fn wrap(inner: Arc<dyn SourceDirectory>, hidden: Vec<Vec<Name>>) -> Arc<dyn SourceDirectory> {
    if hidden.is_empty() {
        inner
    } else {
        Arc::new(Directory { inner, hidden })
    }
}

impl SourceDirectory for Directory {
    fn stat(&self) -> Result<Stat> {
        self.inner.stat()
    }

    fn xattrs(&self) -> Result<Vec<Xattr>> {
        self.inner.xattrs()
    }

    fn names(&self) -> Result<Vec<Name>> {
        let mut names = self.inner.names()?;
        names.retain(|name| {
            !self
                .hidden
                .iter()
                .any(|path| matches!(&**path, [only] if only == name))
        });
        Ok(names)
    }

    fn stat_entry(&self, name: &Name) -> Result<Stat> {
        self.inner.stat_entry(name)
    }

    fn xattrs_of_entry(&self, name: &Name) -> Result<Vec<Xattr>> {
        self.inner.xattrs_of_entry(name)
    }

    fn link_target(&self, name: &Name) -> Result<Vec<u8>> {
        self.inner.link_target(name)
    }

    fn open_directory(&self, name: &Name) -> Result<Arc<dyn SourceDirectory>> {
        let below = |path: &Vec<Name>| match &**path {
            [first, rest @ ..] if first == name => Some(rest.to_vec()),
            _ => None,
        };
        let hidden = self
            .hidden
            .iter()
            .filter_map(below)
            .filter(|path| !path.is_empty());
        Ok(wrap(self.inner.open_directory(name)?, hidden.collect()))
    }

    fn open_file(&self, name: &Name) -> Result<Box<dyn SourceFile>> {
        self.inner.open_file(name)
    }
}
