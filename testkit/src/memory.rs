//! Sources and sinks in memory: trees and disks that count what is done to them and fail on
//! demand.

use std::{
    collections::{BTreeMap, HashMap},
    io,
    ops::Range,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
};

use strongroom_model::content::{
    Attributes, BlockSink, BlockSource, Error, FileKind, FileTime, LinkGroup, Name, Refused,
    Result, SinkDirectory, SinkFile, SourceDirectory, SourceFile, Special, Stat, TreePath,
    TreeSink, TreeSource, Xattr,
};

use crate::tree::{Body, Content, Entry, Tree};

/// What goes wrong with an entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// It cannot be opened.
    Forbidden,
    /// It opens, and reading fails.
    BadDisk,
    /// It is listed and gone when it is looked at.
    GoneBeforeStat,
    /// It is looked at and gone when it is opened.
    GoneBeforeOpen,
    /// Somebody writes to it while it is read, so many times.
    Busy(u64),
    /// Somebody cuts it to this size after it was looked at.
    Cut(u64),
}

/// What was done to a source.
#[derive(Default, Debug)]
pub struct Counts {
    /// Files opened.
    pub files_opened: AtomicU64,
    /// Directories opened.
    pub directories_opened: AtomicU64,
    /// Bytes read.
    pub bytes_read: AtomicU64,
}

impl Counts {
    /// Files opened so far.
    pub fn files_opened(&self) -> u64 {
        self.files_opened.load(Ordering::SeqCst)
    }

    /// Bytes read so far.
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read.load(Ordering::SeqCst)
    }
}

/// A tree that can be read.
pub struct MemorySource(Arc<Shared>);

struct Shared {
    tree: Tree,
    names: HashMap<TreePath, Vec<Name>>,
    links: HashMap<u64, u64>,
    now: FileTime,
    faults: Mutex<HashMap<TreePath, Fault>>,
    counts: Counts,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no test panics while it holds a lock")
}

impl MemorySource {
    /// The tree, at the time `now` of its own clock.
    pub fn new(tree: Tree, now: FileTime) -> Self {
        let mut names: HashMap<TreePath, Vec<Name>> = HashMap::new();
        let mut links: HashMap<u64, u64> = HashMap::new();
        for (path, entry) in &tree.0 {
            let mut above: Vec<Name> = path.names().collect();
            if let Some(name) = above.pop() {
                let mut parent = TreePath::root();
                for name in &above {
                    parent.push(name);
                }
                names.entry(parent).or_default().push(name);
            }
            *links.entry(entry.inode).or_default() += 1;
        }
        let (faults, counts) = (Mutex::default(), Counts::default());
        Self(Arc::new(Shared {
            tree,
            names,
            links,
            now,
            faults,
            counts,
        }))
    }

    /// Makes something go wrong at `path`.
    #[must_use]
    pub fn with_fault(self, path: &str, fault: Fault) -> Self {
        let path = TreePath::parse(path.as_bytes()).expect("a legal path");
        lock(&self.0.faults).insert(path, fault);
        self
    }

    /// What was done so far.
    pub fn counts(&self) -> &Counts {
        &self.0.counts
    }
}

impl Shared {
    fn entry(&self, path: &TreePath) -> Result<&Entry> {
        self.tree
            .0
            .get(path)
            .ok_or_else(|| failed(path, io::ErrorKind::NotFound))
    }

    fn fault(&self, path: &TreePath) -> Option<Fault> {
        lock(&self.faults).get(path).copied()
    }

    fn stat(&self, path: &TreePath) -> Result<Stat> {
        let entry = self.entry(path)?;
        let (size, allocated, special) = match &entry.body {
            Body::File(content) => (content.size, content.allocated(), 0),
            Body::Special(Special::Symlink(target)) => (target.len() as u64, 0, 0),
            Body::Special(Special::CharDevice(number) | Special::BlockDevice(number)) => {
                (0, 0, *number)
            }
            _ => (0, 0, 0),
        };
        Ok(Stat {
            kind: kind(&entry.body),
            mode: entry.attributes.mode,
            uid: entry.attributes.uid,
            gid: entry.attributes.gid,
            size,
            allocated,
            modified: entry.attributes.modified,
            changed: entry.changed,
            inode: entry.inode,
            device: 5,
            links: self.links.get(&entry.inode).copied().unwrap_or(1),
            special,
        })
    }
}

fn kind(body: &Body) -> FileKind {
    match body {
        Body::File(_) => FileKind::File,
        Body::Directory => FileKind::Directory,
        Body::Socket => FileKind::Socket,
        Body::Special(Special::Symlink(_)) => FileKind::Symlink,
        Body::Special(Special::Fifo) => FileKind::Fifo,
        Body::Special(Special::CharDevice(_)) => FileKind::CharDevice,
        Body::Special(Special::BlockDevice(_)) => FileKind::BlockDevice,
    }
}

fn failed(path: &TreePath, kind: io::ErrorKind) -> Error {
    Error::Io {
        action: "read",
        path: PathBuf::from(path.to_string()),
        source: kind.into(),
    }
}

impl TreeSource for MemorySource {
    fn root(&self) -> Result<Arc<dyn SourceDirectory>> {
        Ok(Arc::new(OpenDirectory {
            shared: Arc::clone(&self.0),
            path: TreePath::root(),
        }))
    }

    fn clock(&self) -> FileTime {
        self.0.now
    }
}

struct OpenDirectory {
    shared: Arc<Shared>,
    path: TreePath,
}

impl SourceDirectory for OpenDirectory {
    fn stat(&self) -> Result<Stat> {
        self.shared.stat(&self.path)
    }

    fn xattrs(&self) -> Result<Vec<Xattr>> {
        Ok(self.shared.entry(&self.path)?.attributes.xattrs.clone())
    }

    fn names(&self) -> Result<Vec<Name>> {
        if self.shared.fault(&self.path) == Some(Fault::BadDisk) {
            return Err(failed(&self.path, io::ErrorKind::Other));
        }
        let mut names = self
            .shared
            .names
            .get(&self.path)
            .cloned()
            .unwrap_or_default();
        names.reverse();
        Ok(names)
    }

    fn stat_entry(&self, name: &Name) -> Result<Stat> {
        let path = self.path.join(name);
        if self.shared.fault(&path) == Some(Fault::GoneBeforeStat) {
            return Err(failed(&path, io::ErrorKind::NotFound));
        }
        self.shared.stat(&path)
    }

    fn xattrs_of_entry(&self, name: &Name) -> Result<Vec<Xattr>> {
        Ok(self
            .shared
            .entry(&self.path.join(name))?
            .attributes
            .xattrs
            .clone())
    }

    fn link_target(&self, name: &Name) -> Result<Vec<u8>> {
        let path = self.path.join(name);
        match &self.shared.entry(&path)?.body {
            Body::Special(Special::Symlink(target)) => Ok(target.clone()),
            _ => Err(failed(&path, io::ErrorKind::InvalidInput)),
        }
    }

    fn open_directory(&self, name: &Name) -> Result<Arc<dyn SourceDirectory>> {
        let path = self.path.join(name);
        self.shared
            .counts
            .directories_opened
            .fetch_add(1, Ordering::SeqCst);
        match self.shared.fault(&path) {
            Some(Fault::Forbidden) => Err(failed(&path, io::ErrorKind::PermissionDenied)),
            Some(Fault::GoneBeforeOpen) => Err(failed(&path, io::ErrorKind::NotFound)),
            _ => Ok(Arc::new(Self {
                shared: Arc::clone(&self.shared),
                path,
            })),
        }
    }

    fn open_file(&self, name: &Name) -> Result<Box<dyn SourceFile>> {
        let path = self.path.join(name);
        self.shared
            .counts
            .files_opened
            .fetch_add(1, Ordering::SeqCst);
        match self.shared.fault(&path) {
            Some(Fault::Forbidden) => Err(failed(&path, io::ErrorKind::PermissionDenied)),
            Some(Fault::GoneBeforeOpen) => Err(failed(&path, io::ErrorKind::NotFound)),
            _ => {
                let shared = Arc::clone(&self.shared);
                Ok(Box::new(OpenFile {
                    shared,
                    path,
                    stats: AtomicU64::new(0),
                }))
            }
        }
    }
}

struct OpenFile {
    shared: Arc<Shared>,
    path: TreePath,
    stats: AtomicU64,
}

impl OpenFile {
    fn content(&self) -> Result<&Content> {
        match &self.shared.entry(&self.path)?.body {
            Body::File(content) => Ok(content),
            _ => Err(failed(&self.path, io::ErrorKind::InvalidInput)),
        }
    }

    fn size(&self) -> Result<u64> {
        match self.shared.fault(&self.path) {
            Some(Fault::Cut(size)) => Ok(size),
            _ => Ok(self.content()?.size),
        }
    }
}

impl SourceFile for OpenFile {
    fn stat(&self) -> Result<Stat> {
        let mut stat = self.shared.stat(&self.path)?;
        let asked = self.stats.fetch_add(1, Ordering::SeqCst);
        stat.size = self.size()?;
        if let Some(Fault::Busy(times)) = self.shared.fault(&self.path) {
            // Every look finds it changed once more, until it is left alone.
            stat.changed.seconds += (asked + 1).min(times).cast_signed();
        }
        Ok(stat)
    }

    fn xattrs(&self) -> Result<Vec<Xattr>> {
        Ok(self.shared.entry(&self.path)?.attributes.xattrs.clone())
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> Result<usize> {
        if self.shared.fault(&self.path) == Some(Fault::BadDisk) {
            return Err(failed(&self.path, io::ErrorKind::Other));
        }
        let left = self.size()?.saturating_sub(offset);
        let count = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
        self.content()?.read(offset, &mut buffer[..count]);
        self.shared
            .counts
            .bytes_read
            .fetch_add(count as u64, Ordering::SeqCst);
        Ok(count)
    }

    fn next_data(&self, from: u64) -> Result<Option<Range<u64>>> {
        Ok(next_data(self.content()?, from))
    }
}

fn next_data(content: &Content, from: u64) -> Option<Range<u64>> {
    content
        .data
        .iter()
        .map(|(at, run)| *at..at + run.len() as u64)
        .find(|run| run.end > from)
        .map(|run| run.start.max(from)..run.end)
}

/// Takes a tree.
#[derive(Clone, Default)]
pub struct MemorySink(Arc<Mutex<Taken>>);

#[derive(Default)]
struct Taken {
    entries: BTreeMap<TreePath, Entry>,
    groups: HashMap<LinkGroup, TreePath>,
    next_inode: u64,
    /// Paths whose attributes were set; everything else may still be written to.
    finished: Vec<TreePath>,
}

impl MemorySink {
    /// A sink that has taken nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// What was taken, without the topmost name; every entry must have been finished once.
    pub fn into_tree(self) -> Tree {
        let taken = lock(&self.0);
        let mut finished = taken.finished.clone();
        finished.sort();
        let mut inodes: BTreeMap<u64, &TreePath> = BTreeMap::new();
        for (path, entry) in &taken.entries {
            inodes.entry(entry.inode).or_insert(path);
        }
        assert_eq!(
            finished.len(),
            inodes.len(),
            "every inode is finished exactly once"
        );
        let top = TreePath::parse(b"top").expect("a legal path");
        Tree(taken.entries.clone()).below(&top)
    }
}

impl Taken {
    fn add(&mut self, path: &TreePath, body: Body) -> Result<()> {
        self.next_inode += 1;
        let (inode, changed) = (self.next_inode, FileTime::default());
        let entry = Entry {
            inode,
            changed,
            attributes: Attributes::default(),
            body,
        };
        match self.entries.insert(path.clone(), entry) {
            None => Ok(()),
            Some(_) => Err(failed(path, io::ErrorKind::AlreadyExists)),
        }
    }

    /// Whether `path` became a link to a member of the group.
    fn join(&mut self, path: &TreePath, group: Option<&LinkGroup>) -> bool {
        let Some(group) = group else { return false };
        if let Some(first) = self.groups.get(group) {
            let entry = self.entries[first].clone();
            return self.entries.insert(path.clone(), entry).is_none();
        }
        self.groups.insert(*group, path.clone());
        false
    }

    fn finish(&mut self, path: &TreePath, attributes: &Attributes) {
        let inode = self.entries[path].inode;
        for entry in self
            .entries
            .values_mut()
            .filter(|entry| entry.inode == inode)
        {
            entry.attributes = attributes.clone();
        }
        self.finished.push(path.clone());
    }
}

impl TreeSink for MemorySink {
    fn top(&self) -> Result<(Arc<dyn SinkDirectory>, Name)> {
        let top = NewDirectory {
            taken: Arc::clone(&self.0),
            path: TreePath::root(),
        };
        Ok((Arc::new(top), Name::new(b"top").expect("a legal name")))
    }
}

struct NewDirectory {
    taken: Arc<Mutex<Taken>>,
    path: TreePath,
}

impl SinkDirectory for NewDirectory {
    fn make_directory(&self, name: &Name) -> Result<Arc<dyn SinkDirectory>> {
        let path = self.path.join(name);
        lock(&self.taken).add(&path, Body::Directory)?;
        Ok(Arc::new(Self {
            taken: Arc::clone(&self.taken),
            path,
        }))
    }

    fn make_file(
        &self,
        name: &Name,
        size: u64,
        group: Option<&LinkGroup>,
    ) -> Result<Option<Arc<dyn SinkFile>>> {
        let path = self.path.join(name);
        let mut taken = lock(&self.taken);
        if taken.join(&path, group) {
            return Ok(None);
        }
        taken.add(
            &path,
            Body::File(Content {
                size,
                data: BTreeMap::new(),
            }),
        )?;
        Ok(Some(Arc::new(NewFile {
            taken: Arc::clone(&self.taken),
            path,
        })))
    }

    fn make_special(
        &self,
        name: &Name,
        special: &Special,
        attributes: &Attributes,
        group: Option<&LinkGroup>,
    ) -> Result<Refused> {
        let path = self.path.join(name);
        let mut taken = lock(&self.taken);
        if !taken.join(&path, group) {
            taken.add(&path, Body::Special(special.clone()))?;
            taken.finish(&path, attributes);
        }
        Ok(Refused::new())
    }

    fn finish(&self, attributes: &Attributes) -> Result<Refused> {
        lock(&self.taken).finish(&self.path, attributes);
        Ok(Refused::new())
    }
}

struct NewFile {
    taken: Arc<Mutex<Taken>>,
    path: TreePath,
}

impl SinkFile for NewFile {
    fn write_at(&self, data: &[u8], offset: u64) -> Result<()> {
        let mut taken = lock(&self.taken);
        let inode = taken.entries[&self.path].inode;
        for entry in taken
            .entries
            .values_mut()
            .filter(|entry| entry.inode == inode)
        {
            if let Body::File(content) = &mut entry.body {
                let size = content.size;
                content.write(offset, data);
                assert_eq!(content.size, size, "nothing is written behind the end");
            }
        }
        Ok(())
    }

    fn finish(&self, attributes: &Attributes) -> Result<Refused> {
        lock(&self.taken).finish(&self.path, attributes);
        Ok(Refused::new())
    }
}

/// A disk that can be read and written.
pub struct MemoryDisk {
    content: Mutex<Content>,
    /// What its file would say; `None` for a device.
    pub stat: Option<Stat>,
    /// The time by its clock.
    pub now: FileTime,
    /// Ranges that cannot be read.
    pub bad: Vec<Range<u64>>,
    /// What was done to it.
    pub counts: Counts,
    /// Bytes written to it.
    pub bytes_written: AtomicU64,
}

impl MemoryDisk {
    /// A disk with that content, without a stat.
    pub fn new(content: Content) -> Self {
        Self {
            content: Mutex::new(content),
            stat: None,
            now: FileTime::new(1_800_000_000, 0),
            bad: Vec::new(),
            counts: Counts::default(),
            bytes_written: AtomicU64::new(0),
        }
    }

    /// The same disk with the stat of an image file last written at `changed`.
    #[must_use]
    pub fn with_stat(mut self, changed: FileTime) -> Self {
        let size = lock(&self.content).size;
        self.stat = Some(Stat {
            kind: FileKind::File,
            mode: 0o644,
            uid: 0,
            gid: 0,
            size,
            allocated: 0,
            modified: changed,
            changed,
            inode: 77,
            device: 5,
            links: 1,
            special: 0,
        });
        self
    }

    /// What is on it.
    pub fn content(&self) -> Content {
        lock(&self.content).clone()
    }
}

impl BlockSource for MemoryDisk {
    fn size(&self) -> u64 {
        lock(&self.content).size
    }

    fn stat(&self) -> Result<Option<Stat>> {
        Ok(self.stat)
    }

    fn clock(&self) -> FileTime {
        self.now
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> Result<()> {
        let end = offset + buffer.len() as u64;
        assert!(end <= self.size(), "nothing is read behind the end");
        if self
            .bad
            .iter()
            .any(|bad| bad.start < end && offset < bad.end)
        {
            return Err(failed(&TreePath::root(), io::ErrorKind::Other));
        }
        self.counts
            .bytes_read
            .fetch_add(buffer.len() as u64, Ordering::SeqCst);
        lock(&self.content).read(offset, buffer);
        Ok(())
    }

    fn next_data(&self, from: u64) -> Result<Option<Range<u64>>> {
        Ok(next_data(&lock(&self.content), from))
    }
}

impl BlockSink for MemoryDisk {
    fn prepare(&self, needed: u64) -> Result<()> {
        let size = self.size();
        if size < needed {
            return Err(Error::TargetTooSmall {
                path: PathBuf::from("memory"),
                size,
                needed,
            });
        }
        Ok(())
    }

    fn write_at(&self, data: &[u8], offset: u64) -> Result<()> {
        self.bytes_written
            .fetch_add(data.len() as u64, Ordering::SeqCst);
        lock(&self.content).write(offset, data);
        Ok(())
    }

    fn zero(&self, range: Range<u64>) -> Result<()> {
        lock(&self.content).punch(range);
        Ok(())
    }
}
