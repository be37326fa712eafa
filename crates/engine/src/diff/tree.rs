//! What differs between two trees.
//!
//! Contents are compared by the names of their chunks, not by their bytes. What a restore cannot
//! bring back (inode numbers, the time of the last change of an inode) is no difference.

use strongroom_model::content::TreePath;

use super::pairs::{Pair, Pairs};
use crate::{
    error::{Error, Result},
    id::ManifestId,
    reader::Reader,
    repository::Repository,
    tree::{
        Cause, Listed, Loss, Part,
        entry::{Body, Entry, Node},
        find::fetch,
        loss::Losses,
        sequence::Items,
        top::Top,
    },
};

/// In which respect an entry differs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Aspect {
    /// It was a file and is a directory, or the like.
    Kind,
    /// The bytes of a file, the target of a link, the number of a device.
    Content,
    /// Permission bits.
    Mode,
    /// Owner or group.
    Owner,
    /// Time of modification.
    Modified,
    /// Extended attributes, ACLs among them.
    Attributes,
}

/// An entry that differs: before, after, or both.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// What it was; `None` if it was not there.
    pub before: Option<Listed>,
    /// What it is; `None` if it is gone.
    pub after: Option<Listed>,
    /// If it was and is there, what of it differs.
    pub aspects: Vec<Aspect>,
}

/// How much differs.
#[derive(Clone, Debug, Default)]
pub struct TreeSummary {
    /// Entries that were not there before.
    pub added: u64,
    /// Bytes of the files among them.
    pub added_bytes: u64,
    /// Entries that are gone.
    pub removed: u64,
    /// Bytes of the files among them.
    pub removed_bytes: u64,
    /// Entries that were and are there and differ.
    pub changed: u64,
    /// What is lost of either tree, so that nobody can say whether it differs.
    pub losses: Vec<Loss>,
}

/// Shows what differs between the trees of two manifests to `visit`, sorted by name within each
/// directory, a directory before what is in it.
pub fn diff_trees(
    repository: &Repository,
    before: &ManifestId,
    after: &ManifestId,
    visit: &mut dyn FnMut(Difference) -> Result<()>,
) -> Result<TreeSummary> {
    let reader = repository.reader();
    let top = |id| Top::read(&reader, &repository.manifest(id)?);
    let (before, after) = (top(before)?.root, top(after)?.root);
    let mut diff = Diff {
        visit,
        open: Vec::new(),
        summary: TreeSummary::default(),
        losses: Losses::default(),
    };
    diff.both(TreePath::root(), &before, &after)?;
    diff.run(&reader)?;
    let (losses, _) = diff.losses.finish();
    Ok(TreeSummary {
        losses,
        ..diff.summary
    })
}

struct Diff<'a> {
    visit: &'a mut dyn FnMut(Difference) -> Result<()>,
    /// Directories on the way down.
    open: Vec<(TreePath, Open)>,
    summary: TreeSummary,
    losses: Losses,
}

/// A directory that is gone through.
enum Open {
    Both(Pairs<Entry>),
    Before(Items<Entry>),
    After(Items<Entry>),
}

impl Open {
    /// The next entry, or what is lost in its place; `None` at the end.
    fn next(&mut self, reader: &Reader) -> Option<Result<Pair<Entry>>> {
        let single = |items: &mut Items<Entry>, pair: fn(Entry) -> Pair<Entry>| {
            let next = items.next(&fetch(reader))?;
            Some(next.map(pair).map_err(|lost| *lost.error))
        };
        match self {
            Self::Both(pairs) => pairs.next(reader),
            Self::Before(items) => single(items, Pair::Left),
            Self::After(items) => single(items, Pair::Right),
        }
    }
}

impl Diff<'_> {
    fn run(&mut self, reader: &Reader) -> Result<()> {
        while let Some((path, open)) = self.open.last_mut() {
            match open.next(reader) {
                None => {
                    self.open.pop();
                }
                Some(Ok(pair)) => {
                    let (Pair::Left(entry) | Pair::Right(entry) | Pair::Both(entry, _)) = &pair;
                    let path = path.join(&entry.name);
                    match &pair {
                        Pair::Left(entry) => self.removed(path, &entry.node)?,
                        Pair::Right(entry) => self.added(path, &entry.node)?,
                        Pair::Both(left, right) => self.both(path, &left.node, &right.node)?,
                    }
                }
                Some(Err(error @ Error::Store { .. })) => return Err(error),
                Some(Err(error)) => {
                    let path = path.clone();
                    // Two lists of which one has a gap cannot be laid side by side any more.
                    if matches!(open, Open::Both(_)) {
                        self.open.pop();
                    }
                    self.losses
                        .add(path, Part::Entries, Cause::Repository(error));
                }
            }
        }
        Ok(())
    }

    fn both(&mut self, path: TreePath, before: &Node, after: &Node) -> Result<()> {
        let aspects = aspects(before, after);
        if !aspects.is_empty() {
            self.summary.changed += 1;
            (self.visit)(Difference {
                before: Some(Listed::new(path.clone(), before)),
                after: Some(Listed::new(path.clone(), after)),
                aspects,
            })?;
        }
        match (&before.body, &after.body) {
            (Body::Directory(before), Body::Directory(after)) if before != after => {
                let pairs = Pairs::of(*before, *after);
                self.open.push((path, Open::Both(pairs)));
            }
            (Body::Directory(_), Body::Directory(_)) => {}
            (Body::Directory(root), _) => {
                self.open.push((path, Open::Before(Items::all(*root))));
            }
            (_, Body::Directory(root)) => {
                self.open.push((path, Open::After(Items::all(*root))));
            }
            _ => {}
        }
        Ok(())
    }

    fn removed(&mut self, path: TreePath, node: &Node) -> Result<()> {
        self.summary.removed += 1;
        self.summary.removed_bytes += node.meta.size;
        (self.visit)(Difference {
            before: Some(Listed::new(path.clone(), node)),
            after: None,
            aspects: Vec::new(),
        })?;
        if let Body::Directory(root) = node.body {
            self.open.push((path, Open::Before(Items::all(root))));
        }
        Ok(())
    }

    fn added(&mut self, path: TreePath, node: &Node) -> Result<()> {
        self.summary.added += 1;
        self.summary.added_bytes += node.meta.size;
        (self.visit)(Difference {
            before: None,
            after: Some(Listed::new(path.clone(), node)),
            aspects: Vec::new(),
        })?;
        if let Body::Directory(root) = node.body {
            self.open.push((path, Open::After(Items::all(root))));
        }
        Ok(())
    }
}

/// In what two nodes differ; the entries of directories apart.
fn aspects(before: &Node, after: &Node) -> Vec<Aspect> {
    let same_content = match (&before.body, &after.body) {
        (Body::Directory(_), Body::Directory(_)) => true,
        (before, after) => before == after,
    };
    let same_kind = before.kind() == after.kind();
    let (was, is) = (&before.meta, &after.meta);
    let found = [
        (Aspect::Kind, same_kind),
        (Aspect::Content, !same_kind || same_content),
        (Aspect::Mode, was.mode == is.mode),
        (Aspect::Owner, (was.uid, was.gid) == (is.uid, is.gid)),
        (Aspect::Modified, was.modified == is.modified),
        (Aspect::Attributes, before.xattrs == after.xattrs),
    ];
    let differs = found.into_iter().filter(|(_, same)| !same);
    differs.map(|(aspect, _)| aspect).collect()
}
