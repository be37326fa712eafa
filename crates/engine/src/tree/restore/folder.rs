//! A directory that is being restored.
//!
//! Invariant: at most [`OPEN_MAX`] of its entries are in work; the walk stops there and is taken
//! up again when half of them are done.

use std::sync::{Arc, Mutex, atomic::Ordering};

use strongroom_model::content::{Attributes, Name, SinkDirectory, TreePath};

use super::{BigFile, Restore, Work, file::PIECE_BYTES};
use crate::{
    error::Result,
    tree::{
        crew::lock,
        entry::{Body, Entry, Node},
        find::fetch,
        loss::Part,
        sequence::{Items, Root},
    },
};

/// Entries of one directory that are in work.
const OPEN_MAX: usize = 1024;
/// Files handed to one thread together: so many, or …
const BATCH_FILES: usize = 64;
/// … so many bytes.
const BATCH_BYTES: u64 = 1 << 20;

/// A directory that is being restored; the topmost one is the sink's own and gets no attributes.
pub(super) struct Folder {
    parent: Option<(Arc<Folder>, Name)>,
    pub(super) sink: Arc<dyn SinkDirectory>,
    attributes: Option<Attributes>,
    entries: Mutex<Entries>,
    open: Mutex<Open>,
}

/// What is left to walk.
enum Entries {
    /// The one entry of the sink's own directory.
    Top(Option<Box<Entry>>),
    List(Items<Entry>),
}

#[derive(Default)]
struct Open {
    entries: usize,
    walked: bool,
    parked: bool,
}

/// A directory that was found and not made yet.
pub(super) struct Found {
    folder: Arc<Folder>,
    name: Name,
    node: Box<Node>,
    list: Option<Root>,
}

impl Folder {
    /// The sink's own directory with the topmost entry.
    pub(super) fn top(sink: Arc<dyn SinkDirectory>, entry: Entry) -> Arc<Self> {
        Arc::new(Self {
            parent: None,
            sink,
            attributes: None,
            entries: Mutex::new(Entries::Top(Some(Box::new(entry)))),
            open: Mutex::default(),
        })
    }

    /// The path of the entry `name` in this directory of the saved tree.
    pub(super) fn path_of(&self, restore: &Restore<'_>, name: &Name) -> TreePath {
        let mut names = vec![name];
        let mut folder = self;
        while let Some((parent, name)) = &folder.parent {
            names.push(name);
            folder = parent;
        }
        // The topmost name is the target's; in the tree the entry has the path it was asked by.
        names.pop();
        let mut path = restore.path.clone();
        names.into_iter().rev().for_each(|name| path.push(name));
        path
    }

    /// Takes an entry in work; `false` if too many are: the walk is to stop and will be resumed.
    fn begin(&self) -> bool {
        let mut open = lock(&self.open);
        if open.entries >= OPEN_MAX {
            open.parked = true;
            return false;
        }
        open.entries += 1;
        true
    }

    /// Gives back what [`Folder::begin`] took for an entry that turned out not to be there.
    fn end_walk(self: &Arc<Self>, restore: &Restore<'_>) -> Result<()> {
        lock(&self.open).walked = true;
        self.end(restore)
    }

    /// Notes that an entry is done, and finishes the directories that are done with it.
    pub(super) fn end(self: &Arc<Self>, restore: &Restore<'_>) -> Result<()> {
        let mut folder = Arc::clone(self);
        loop {
            {
                let mut open = lock(&folder.open);
                open.entries -= 1;
                if open.parked && open.entries <= OPEN_MAX / 2 {
                    open.parked = false;
                    restore.crew.add_directory(Work::Walk(Arc::clone(&folder)));
                }
                if !open.walked || open.entries > 0 {
                    return Ok(());
                }
            }
            let Some((parent, name)) = &folder.parent else {
                return Ok(());
            };
            if let Some(attributes) = &folder.attributes {
                match folder.sink.finish(attributes) {
                    Ok(refused) => restore.note_refused(&refused),
                    Err(error) => {
                        restore.miss(parent.path_of(restore, name), Part::Attributes, error)?;
                    }
                }
            }
            restore.progress.finish_items(1);
            folder = Arc::clone(parent);
        }
    }
}

impl Drop for Folder {
    /// Drops a chain of parents one after the other: a tree may be deeper than the stack.
    fn drop(&mut self) {
        let mut parent = self.parent.take();
        while let Some(mut folder) = parent.and_then(|(folder, _)| Arc::into_inner(folder)) {
            parent = folder.parent.take();
        }
    }
}

impl Restore<'_> {
    /// Makes a directory and walks it.
    pub(super) fn enter(&self, found: Found) -> Result<()> {
        let Found {
            folder,
            name,
            node,
            list,
        } = found;
        let path = || folder.path_of(self, &name);
        let sink = match folder.sink.make_directory(&name) {
            Ok(sink) => sink,
            Err(error) => {
                self.miss(path(), Part::Entry, error)?;
                return folder.end(self);
            }
        };
        let attributes = Some(self.attributes(&path, &node)?);
        self.directories.fetch_add(1, Ordering::Relaxed);
        let entries = Mutex::new(Entries::List(Items::all(list)));
        let parent = Some((folder, name));
        self.walk(&Arc::new(Folder {
            parent,
            sink,
            attributes,
            entries,
            open: Mutex::default(),
        }))
    }

    /// Goes on through a directory until its end, or until too many entries are in work.
    pub(super) fn walk(&self, folder: &Arc<Folder>) -> Result<()> {
        let mut entries = lock(&folder.entries);
        let mut batch = Vec::new();
        let mut bytes = 0;
        while folder.begin() {
            let next = match &mut *entries {
                Entries::Top(entry) => entry.take().map(|entry| Ok(*entry)),
                Entries::List(items) => items.next(&fetch(self.reader)),
            };
            match next {
                None => {
                    drop(entries);
                    self.add_batch(folder, &mut batch);
                    return folder.end_walk(self);
                }
                Some(Ok(entry)) => {
                    bytes += entry.node.meta.size;
                    self.sort(folder, entry, &mut batch)?;
                    if batch.len() >= BATCH_FILES || bytes >= BATCH_BYTES {
                        self.add_batch(folder, &mut batch);
                        bytes = 0;
                    }
                }
                Some(Err(lost)) => {
                    if let Some((parent, name)) = &folder.parent {
                        let path = parent.path_of(self, name);
                        self.lose(path, Part::Entries, *lost.error)?;
                    }
                    folder.end(self)?;
                }
            }
        }
        self.add_batch(folder, &mut batch);
        Ok(())
    }

    fn add_batch(&self, folder: &Arc<Folder>, batch: &mut Vec<Entry>) {
        if !batch.is_empty() {
            self.crew
                .add_files(Work::Batch(Arc::clone(folder), std::mem::take(batch)));
        }
    }

    /// Deals with one entry, or puts it where it will be dealt with.
    fn sort(&self, folder: &Arc<Folder>, entry: Entry, batch: &mut Vec<Entry>) -> Result<()> {
        match &entry.node.body {
            Body::Directory(list) => {
                let (list, folder) = (*list, Arc::clone(folder));
                let Entry { name, node } = entry;
                let found = Found {
                    folder,
                    name,
                    node: Box::new(node),
                    list,
                };
                self.crew.add_directory(Work::Enter(found));
                Ok(())
            }
            Body::File(_) if entry.node.meta.size > PIECE_BYTES => {
                self.crew
                    .add_files(Work::Piece(BigFile::new(folder, entry)));
                Ok(())
            }
            Body::File(_) => {
                batch.push(entry);
                Ok(())
            }
            _ => {
                self.make_special(folder, &entry)?;
                folder.end(self)
            }
        }
    }

    fn make_special(&self, folder: &Arc<Folder>, entry: &Entry) -> Result<()> {
        let Entry { name, node } = entry;
        let Some(special) = node.special() else {
            return Ok(());
        };
        let path = || folder.path_of(self, name);
        let attributes = self.attributes(&path, node)?;
        let group = node.link_group();
        match folder
            .sink
            .make_special(name, &special, &attributes, group.as_ref())
        {
            Ok(refused) => {
                self.note_refused(&refused);
                self.others.fetch_add(1, Ordering::Relaxed);
                self.progress.finish_items(1);
                Ok(())
            }
            Err(error) => self.miss(path(), Part::Entry, error),
        }
    }
}
