//! Lists what a tree holds, one directory node at a time.

use strongroom_model::content::{FileKind, FileTime, TreePath};

use super::{
    entry::{Body, Entry, Node},
    find::{fetch, find},
    loss::{Cause, Loss, Losses, Part},
    sequence::Items,
    top::Top,
};
use crate::{error::Result, id::ManifestId, repository::Repository};

/// How far down a listing goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Depth {
    /// The entry itself or, of a directory, the entries in it.
    One,
    /// Everything below, a directory before what is in it.
    All,
}

/// One entry of a listing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listed {
    /// Path from the root of the tree.
    pub path: TreePath,
    /// What it is.
    pub kind: FileKind,
    /// Permission bits with setuid, setgid and sticky.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Bytes of a file; 0 for all others.
    pub size: u64,
    /// Time of modification.
    pub modified: FileTime,
    /// Number of its inode; names with the same inode and device were one file.
    pub inode: u64,
    /// Names that the inode had.
    pub links: u64,
    /// Target of a symlink.
    pub target: Option<Vec<u8>>,
}

impl Listed {
    pub(crate) fn new(path: TreePath, node: &Node) -> Self {
        let target = match &node.body {
            Body::Symlink(target) => Some(target.clone()),
            _ => None,
        };
        Self {
            path,
            kind: node.kind(),
            mode: u32::from(node.meta.mode),
            uid: node.meta.uid,
            gid: node.meta.gid,
            size: node.meta.size,
            modified: node.meta.modified,
            inode: node.meta.inode,
            links: node.meta.links,
            target,
        }
    }
}

/// Shows the entries at `path` to `visit`, sorted by name within each directory. Returns what of
/// the tree is lost and could not be listed.
pub fn list(
    repository: &Repository,
    manifest: &ManifestId,
    path: &TreePath,
    depth: Depth,
    visit: &mut dyn FnMut(Listed) -> Result<()>,
) -> Result<Vec<Loss>> {
    let manifest = repository.manifest(manifest)?;
    let reader = repository.reader();
    let node = find(&reader, Top::read(&reader, &manifest)?.root, path)?;
    let mut losses = Losses::default();
    let Body::Directory(root) = &node.body else {
        visit(Listed::new(path.clone(), &node))?;
        return Ok(Vec::new());
    };
    let mut open: Vec<(TreePath, Items<Entry>)> = vec![(path.clone(), Items::all(*root))];
    while let Some((directory, items)) = open.last_mut() {
        match items.next(&fetch(&reader)) {
            None => {
                open.pop();
            }
            Some(Ok(Entry { name, node })) => {
                let path = directory.join(&name);
                visit(Listed::new(path.clone(), &node))?;
                if let (Depth::All, Body::Directory(root)) = (depth, &node.body) {
                    open.push((path, Items::all(*root)));
                }
            }
            Some(Err(lost)) => {
                losses.add(
                    directory.clone(),
                    Part::Entries,
                    Cause::Repository(*lost.error),
                );
            }
        }
    }
    Ok(losses.finish().0)
}
