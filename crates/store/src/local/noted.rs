//! Notes every change that the directory backend makes on its disk, and replays the notes.
//!
//! [`Replay`] is the file system: files with bytes that are synced or not, names in directories
//! that are synced or not. A rename is two changes, in two directories, and they reach the disk
//! apart: no real file system is as bad, and nobody may rely on a better one.
//!
//! Invariant: what the replay calls durable, the kernel has promised to be.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rustix::{fs::CWD, io};

use super::{
    Local, TEMPORARY,
    disk::{Disk, Kernel},
};
use crate::error::Result;

/// One change, by paths below the store's root.
#[derive(Clone, Debug)]
enum Change {
    Directory(PathBuf),
    Create(PathBuf, usize),
    Write(usize, Vec<u8>),
    SyncFile(usize),
    Move(PathBuf, PathBuf),
    Remove(PathBuf),
    SyncDirectory(PathBuf),
}

/// The notes; clones share them.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Notes>>);

#[derive(Default)]
struct Notes {
    changes: Vec<Change>,
    /// The files that are open, by descriptor.
    files: HashMap<RawFd, usize>,
    created: usize,
}

impl Log {
    pub(crate) fn len(&self) -> usize {
        self.notes().changes.len()
    }

    /// The disk after the first `moment` changes.
    pub(crate) fn replay(&self, moment: usize) -> Replay {
        let mut replay = Replay::default();
        for change in self.notes().changes.iter().take(moment) {
            replay.apply(change);
        }
        replay
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn file(&self, file: BorrowedFd<'_>) -> usize {
        let number = self.notes().files.get(&file.as_raw_fd()).copied();
        number.expect("the backend writes only files that it created")
    }
}

/// The disk that notes. Changes are noted under one lock with the change itself, so the notes have
/// the order that the kernel saw.
struct Recording {
    log: Log,
}

impl Local {
    /// The store in `directory`, with every change noted in `log`.
    pub(crate) fn noted(directory: &Path, log: Log) -> Result<Self> {
        Self::on(directory, Box::new(Recording { log }))
    }
}

impl Recording {
    fn noted<T>(
        &self,
        change: Option<Change>,
        act: impl FnOnce() -> io::Result<T>,
    ) -> io::Result<T> {
        let mut notes = self.log.notes();
        let done = act()?;
        notes.changes.extend(change);
        Ok(done)
    }
}

/// The path below the store's root; `None` for what lies above it, which is taken for durable.
fn below(root: BorrowedFd<'_>, path: &Path) -> Option<PathBuf> {
    (root.as_raw_fd() != CWD.as_raw_fd()).then(|| path.to_owned())
}

impl Disk for Recording {
    fn make_directory(&self, root: BorrowedFd<'_>, path: &Path) -> io::Result<()> {
        let change = below(root, path).map(Change::Directory);
        self.noted(change, || Kernel.make_directory(root, path))
    }

    fn create(&self, root: BorrowedFd<'_>, path: &Path) -> io::Result<OwnedFd> {
        let mut notes = self.log.notes();
        let file = Kernel.create(root, path)?;
        let number = notes.created;
        notes.created += 1;
        notes.files.insert(file.as_raw_fd(), number);
        notes.changes.push(Change::Create(path.to_owned(), number));
        Ok(file)
    }

    fn write(&self, file: BorrowedFd<'_>, bytes: &[u8]) -> io::Result<()> {
        let change = Change::Write(self.log.file(file), bytes.to_vec());
        self.noted(Some(change), || Kernel.write(file, bytes))
    }

    fn sync_file(&self, file: BorrowedFd<'_>) -> io::Result<()> {
        let change = Change::SyncFile(self.log.file(file));
        self.noted(Some(change), || Kernel.sync_file(file))
    }

    fn publish(&self, root: BorrowedFd<'_>, from: &Path, to: &Path) -> io::Result<()> {
        let change = Change::Move(from.to_owned(), to.to_owned());
        self.noted(Some(change), || Kernel.publish(root, from, to))
    }

    fn sync_directory(&self, root: BorrowedFd<'_>, path: &Path) -> io::Result<()> {
        // Above the root the empty path names the directory that is open, below it the root; the
        // one too many does no harm, for it is synced before anything is made in the root.
        let change = below(root, path).map(Change::SyncDirectory);
        self.noted(change, || Kernel.sync_directory(root, path))
    }

    fn remove(&self, root: BorrowedFd<'_>, path: &Path) -> io::Result<()> {
        let change = Change::Remove(path.to_owned());
        self.noted(Some(change), || Kernel.remove(root, path))
    }
}

/// What a name leads to.
#[derive(Clone, Copy)]
enum Node {
    Directory,
    File(usize),
}

/// A change of one name that is not synced: what the name leads to from then on.
struct Naming {
    path: PathBuf,
    node: Option<Node>,
}

#[derive(Default)]
struct File {
    bytes: Vec<u8>,
    /// How many of them are synced.
    synced: usize,
}

/// The disk at one moment.
#[derive(Default)]
pub(crate) struct Replay {
    files: HashMap<usize, File>,
    /// Names as programs see them now.
    now: BTreeMap<PathBuf, Node>,
    /// Names that are synced.
    durable: BTreeMap<PathBuf, Node>,
    /// Changes of names since, in their order.
    pending: Vec<Naming>,
}

impl Replay {
    fn apply(&mut self, change: &Change) {
        match change {
            Change::Directory(path) => self.name(path, Some(Node::Directory)),
            Change::Create(path, number) => {
                self.files.insert(*number, File::default());
                self.name(path, Some(Node::File(*number)));
            }
            Change::Write(number, bytes) => {
                if let Some(file) = self.files.get_mut(number) {
                    file.bytes.extend_from_slice(bytes);
                }
            }
            Change::SyncFile(number) => {
                if let Some(file) = self.files.get_mut(number) {
                    file.synced = file.bytes.len();
                }
            }
            Change::Move(from, to) => {
                let node = self.now.get(from).copied();
                self.name(to, node);
                self.name(from, None);
            }
            Change::Remove(path) => self.name(path, None),
            Change::SyncDirectory(directory) => self.sync(directory),
        }
    }

    fn name(&mut self, path: &Path, node: Option<Node>) {
        set(&mut self.now, path, node);
        self.pending.push(Naming {
            path: path.to_owned(),
            node,
        });
    }

    fn sync(&mut self, directory: &Path) {
        let durable = &mut self.durable;
        self.pending.retain(|naming| {
            let here = naming.path.parent() == Some(directory);
            if here {
                set(durable, &naming.path, naming.node);
            }
            !here
        });
    }

    /// Changes that need not have reached the disk: of names, and of the bytes of files.
    pub(crate) fn unsynced(&self) -> usize {
        self.pending.len() + self.torn().count()
    }

    fn torn(&self) -> impl Iterator<Item = (&usize, &File)> {
        let mut torn: Vec<_> = self
            .files
            .iter()
            .filter(|(_, file)| file.synced < file.bytes.len())
            .collect();
        torn.sort_by_key(|(number, _)| **number);
        torn.into_iter()
    }

    /// The objects whose names lead from the root to a file, with what is there of its bytes.
    pub(crate) fn objects(
        mut self,
        reached: &mut dyn FnMut(usize) -> bool,
    ) -> BTreeMap<String, Vec<u8>> {
        for (number, naming) in self.pending.iter().enumerate() {
            if reached(number) {
                set(&mut self.durable, &naming.path, naming.node);
            }
        }
        let lost: BTreeSet<usize> = self
            .torn()
            .enumerate()
            .filter(|(at, _)| !reached(self.pending.len() + at))
            .map(|(_, (number, _))| *number)
            .collect();
        let mut objects = BTreeMap::new();
        for (path, node) in &self.durable {
            let directories = path.ancestors().skip(1);
            let leads_here = directories
                .filter(|above| !above.as_os_str().is_empty())
                .all(|above| matches!(self.durable.get(above), Some(Node::Directory)));
            let Some((Node::File(number), key)) = Some(*node).zip(path.to_str()) else {
                continue;
            };
            let Some(file) = self.files.get(&number) else {
                continue;
            };
            if leads_here && !path.starts_with(TEMPORARY) {
                let mut bytes = file.bytes.clone();
                if lost.contains(&number) {
                    bytes.truncate(file.synced + (bytes.len() - file.synced) / 2);
                }
                objects.insert(key.to_owned(), bytes);
            }
        }
        objects
    }
}

fn set(names: &mut BTreeMap<PathBuf, Node>, path: &Path, node: Option<Node>) {
    match node {
        Some(node) => names.insert(path.to_owned(), node),
        None => names.remove(path),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(changes: &[Change]) -> Log {
        let log = Log::default();
        log.notes().changes.extend_from_slice(changes);
        log
    }

    fn path(text: &str) -> PathBuf {
        PathBuf::from(text)
    }

    /// Every state that a cut may leave, by the objects in it.
    fn states(log: &Log) -> BTreeSet<Vec<(String, Vec<u8>)>> {
        let unsynced = log.replay(log.len()).unsynced();
        (0..1_u32 << unsynced)
            .map(|bits| {
                let replay = log.replay(log.len());
                let objects = replay.objects(&mut |at| bits >> at & 1 == 1);
                objects.into_iter().collect()
            })
            .collect()
    }

    #[test]
    fn a_name_without_its_directorys_sync_may_be_there_or_not_and_torn_bytes_with_it() {
        let careless = log(&[
            Change::Create(path("object"), 0),
            Change::Write(0, b"abcd".to_vec()),
        ]);
        let object = |bytes: &[u8]| vec![("object".to_owned(), bytes.to_vec())];
        let expected = BTreeSet::from([vec![], object(b"ab"), object(b"abcd")]);
        assert_eq!(states(&careless), expected);
    }

    #[test]
    fn what_was_synced_in_order_is_there_whatever_else_is_lost() {
        let careful = log(&[
            Change::Directory(path(TEMPORARY)),
            Change::Directory(path("a")),
            Change::SyncDirectory(path("")),
            Change::Create(path(TEMPORARY).join("1"), 0),
            Change::Write(0, b"abcd".to_vec()),
            Change::SyncFile(0),
            Change::Move(path(TEMPORARY).join("1"), path("a/object")),
            Change::SyncDirectory(path("a")),
        ]);
        let object = vec![("a/object".to_owned(), b"abcd".to_vec())];
        assert_eq!(states(&careful), BTreeSet::from([object]));
    }

    #[test]
    fn a_name_below_a_directory_that_is_lost_leads_nowhere() {
        let hasty = log(&[
            Change::Directory(path("a")),
            Change::Create(path("a/object"), 0),
            Change::SyncDirectory(path("a")),
        ]);
        assert!(states(&hasty).contains(&vec![]));
    }
}
