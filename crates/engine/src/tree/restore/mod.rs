//! Restores a tree, or an entry of one with everything below it.
//!
//! Directories are walked by several threads as they were when they were saved, so that what was
//! stored together is read together. A directory gets its attributes when everything in it is
//! done, since every entry made in it changes its times.
//!
//! Invariant: damage never ends a restore. What is lost is in [`Restored::losses`]; only a
//! cancelled run, a full target and an unreachable store do.

mod big;
mod file;
mod folder;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use strongroom_model::content::{self, Attributes, LinkGroup, Refused, TreePath, TreeSink};

use self::{
    big::BigFile,
    folder::{Folder, Found},
};
use super::{
    Progress,
    crew::{Crew, lock},
    entry::{Body, Entry, Node},
    find::{attributes, find},
    loss::{Cause, Loss, Losses, Part},
    top::Top,
};
use crate::{
    error::{Error, Result},
    id::ManifestId,
    reader::Reader,
    repository::Repository,
};

/// Refused attributes beyond these are counted, not listed.
const REFUSED_MAX: usize = 1000;

/// How a restore is run.
#[derive(Clone, Copy)]
pub struct RestoreOptions<'a> {
    /// Threads that decode and write; 0 for as many as there are cores.
    pub threads: usize,
    /// Told how far it is.
    pub progress: &'a Progress,
}

/// What came back, and what did not.
#[derive(Debug, Default)]
pub struct Restored {
    /// Regular files, each name counted.
    pub files: u64,
    /// Directories.
    pub directories: u64,
    /// Symlinks, pipes and devices.
    pub others: u64,
    /// Bytes of content written; holes are not.
    pub bytes: u64,
    /// What is lost: the first ten thousand, sorted by path.
    pub losses: Vec<Loss>,
    /// How much is lost, listed or not.
    pub losses_total: u64,
    /// Attributes that the target refused (an owner that only root may set): the first thousand.
    pub refused: Vec<String>,
    /// How many attributes were refused, listed or not.
    pub refused_total: u64,
}

impl Restored {
    /// Whether every entry and every byte came back.
    pub fn is_complete(&self) -> bool {
        self.losses_total == 0
    }
}

/// Restores the whole tree of a manifest into `sink`.
pub fn restore_tree(
    repository: &Repository,
    manifest: &ManifestId,
    sink: &dyn TreeSink,
    options: RestoreOptions<'_>,
) -> Result<Restored> {
    restore_path(repository, manifest, &TreePath::root(), sink, options)
}

/// Restores the entry at `path`, with everything below it, as the topmost entry of `sink`.
pub fn restore_path(
    repository: &Repository,
    manifest: &ManifestId,
    path: &TreePath,
    sink: &dyn TreeSink,
    options: RestoreOptions<'_>,
) -> Result<Restored> {
    let manifest = repository.manifest(manifest)?;
    let reader = repository.reader();
    let node = find(&reader, Top::read(&reader, &manifest)?.root, path)?;
    if *path == TreePath::root() {
        options
            .progress
            .expect_at_least(manifest.body.logical_bytes);
    } else if !matches!(node.body, Body::Directory(_)) {
        options.progress.expect_at_least(node.meta.size);
    }
    let (directory, name) = sink.top().map_err(Error::source)?;
    let threads = threads(options.threads);
    let restore = Restore::new(&reader, path.clone(), options.progress, threads);
    let top = Folder::top(directory, Entry { name, node });
    restore.crew.add_directory(Work::Walk(top));
    restore.run()?;
    Ok(restore.finish())
}

/// The number of threads to use if `wanted` is asked for.
pub(crate) fn threads(wanted: usize) -> usize {
    match wanted {
        0 => thread::available_parallelism()
            .map_or(2, std::num::NonZero::get)
            .max(2),
        wanted => wanted,
    }
}

/// A piece of work.
enum Work {
    /// Make a directory that was found and walk it.
    Enter(Found),
    /// Go on through the entries of a directory.
    Walk(Arc<Folder>),
    /// Write small files of one directory.
    Batch(Arc<Folder>, Vec<Entry>),
    /// Write the next piece of a big file.
    Piece(Arc<BigFile>),
}

/// What all threads of a restore share.
struct Restore<'a> {
    reader: &'a Reader,
    /// Path of the topmost entry, for messages.
    path: TreePath,
    progress: &'a Progress,
    /// How many work on it; at least one.
    threads: usize,
    crew: Crew<Work>,
    failed: Mutex<Option<Error>>,
    losses: Mutex<Losses>,
    /// The names of big files that have several; the content went to the first.
    linked: Mutex<HashMap<LinkGroup, Vec<TreePath>>>,
    refused: Mutex<(Vec<String>, u64)>,
    files: AtomicU64,
    directories: AtomicU64,
    others: AtomicU64,
    bytes: AtomicU64,
}

impl<'a> Restore<'a> {
    fn new(reader: &'a Reader, path: TreePath, progress: &'a Progress, threads: usize) -> Self {
        Self {
            reader,
            path,
            progress,
            threads,
            crew: Crew::new(),
            failed: Mutex::default(),
            losses: Mutex::default(),
            linked: Mutex::default(),
            refused: Mutex::default(),
            files: AtomicU64::default(),
            directories: AtomicU64::default(),
            others: AtomicU64::default(),
            bytes: AtomicU64::default(),
        }
    }

    fn run(&self) -> Result<()> {
        thread::scope(|scope| {
            for _ in 0..self.threads {
                scope.spawn(|| self.work());
            }
        });
        lock(&self.failed).take().map_or(Ok(()), Err)
    }

    fn work(&self) {
        while let Some(mut job) = self.crew.next() {
            let done = self.progress.check().and_then(|()| match job.take() {
                Work::Enter(found) => self.enter(found),
                Work::Walk(folder) => self.walk(&folder),
                Work::Batch(folder, files) => self.write_batch(&folder, files),
                Work::Piece(big) => self.write_next(&big),
            });
            if let Err(error) = done {
                lock(&self.failed).get_or_insert(error);
                self.crew.stop();
            }
        }
    }

    fn finish(self) -> Restored {
        let mut losses = self.losses.into_inner().unwrap_or_default();
        for names in self.linked.into_inner().unwrap_or_default().into_values() {
            losses.repeat(&names);
        }
        let (losses, losses_total) = losses.finish();
        let (refused, refused_total) = self.refused.into_inner().unwrap_or_default();
        let count = |counter: AtomicU64| counter.load(Ordering::Relaxed);
        Restored {
            files: count(self.files),
            directories: count(self.directories),
            others: count(self.others),
            bytes: count(self.bytes),
            losses,
            losses_total,
            refused,
            refused_total,
        }
    }

    /// Notes that something is lost; fails if there is no sense in going on.
    fn lose(&self, path: TreePath, part: Part, error: Error) -> Result<()> {
        match error {
            // Not a word about what is there: nothing can be said to be lost.
            Error::Store { .. } | Error::Cancelled => Err(error),
            error => {
                lock(&self.losses).add(path, part, Cause::Repository(error));
                Ok(())
            }
        }
    }

    /// Notes that the target did not take something; fails if it will take nothing more.
    fn miss(&self, path: TreePath, part: Part, error: content::Error) -> Result<()> {
        if error.is_no_space() {
            return Err(Error::source(error));
        }
        lock(&self.losses).add(path, part, Cause::Target(Arc::new(error)));
        Ok(())
    }

    fn note_refused(&self, refused: &Refused) {
        if refused.is_empty() {
            return;
        }
        let mut noted = lock(&self.refused);
        for error in refused {
            noted.1 += 1;
            if noted.0.len() < REFUSED_MAX {
                let cause = std::error::Error::source(error);
                noted
                    .0
                    .push(cause.map_or(error.to_string(), |cause| format!("{error}: {cause}")));
            }
        }
    }

    /// The attributes of an entry; what is lost of them is noted.
    fn attributes(&self, path: &dyn Fn() -> TreePath, node: &Node) -> Result<Attributes> {
        let (attributes, lost) = attributes(self.reader, node);
        if let Some(error) = lost {
            self.lose(path(), Part::Attributes, error)?;
        }
        Ok(attributes)
    }
}
