//! A repository as a file system: what is where, what it is like, and what is in it.
//!
//! Read-only, and asked by several threads; `kernel` translates.
//!
//! Invariant: what cannot be read is an error of the entry that needs it (`EIO`) and is told once
//! with its manifest and path; everything else goes on.

use std::{
    collections::{HashMap, HashSet},
    ffi::OsStr,
    os::unix::ffi::OsStrExt as _,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use fuser::{Errno, FileAttr, FileType, INodeNo, ReplyDirectory};
use strongroom_engine::{
    ManifestId, Repository,
    browse::{Browser, Entries, Node, Opened},
};
use strongroom_model::content::{FileKind, FileTime, Name, TreePath, Xattr};

use super::{
    inodes::{Inodes, Key, ROOT, What},
    shelf::{FRESH, Item, Shelf},
};

/// How long the kernel may remember what never changes.
pub(super) const FOREVER: Duration = Duration::from_hours(24);
/// Bytes that a reader does well to ask for at a time.
pub(super) const BLOCK_BYTES: u32 = 128 << 10;
/// Troubles beyond these are not told.
const TOLD_MAX: usize = 10_000;

/// The file system.
pub(super) struct View {
    browser: Browser,
    shelf: Shelf,
    pub(super) inodes: Inodes,
    pub(super) listings: Mutex<HashMap<u64, Arc<Mutex<Listing>>>>,
    handles: AtomicU64,
    told: Mutex<HashSet<(ManifestId, TreePath)>>,
    owner: (u32, u32),
    mounted: SystemTime,
}

/// An open directory.
pub(super) struct Listing {
    what: Arc<What>,
    /// Of a folder of the shelf.
    items: Vec<(String, Item)>,
    /// Of a directory of a tree; made when it is first read, and when it is rewound.
    entries: Option<Entries>,
    /// Entries handed out, with the two that every directory has.
    position: u64,
    /// An entry that did not fit into the last answer.
    ahead: Option<(Vec<u8>, u64, FileType)>,
    /// Whether some entries are lost.
    lost: bool,
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl View {
    pub(super) fn new(repository: &Repository, mounted: SystemTime) -> Self {
        let (user, group) = (rustix::process::geteuid(), rustix::process::getegid());
        Self {
            browser: Browser::new(repository),
            shelf: Shelf::new(repository),
            inodes: Inodes::new(),
            listings: Mutex::default(),
            handles: AtomicU64::new(1),
            told: Mutex::default(),
            owner: (user.as_raw(), group.as_raw()),
            mounted,
        }
    }

    /// Tells what is wrong, once for each entry, and makes it the error that readers see.
    fn trouble(
        &self,
        manifest: &ManifestId,
        path: &TreePath,
        error: strongroom_engine::Error,
    ) -> Errno {
        let mut told = lock(&self.told);
        if told.len() < TOLD_MAX && told.insert((*manifest, path.clone())) {
            let error =
                anyhow::Error::new(error).context(format!("cannot read {path} of {manifest}"));
            eprintln!("{}", crate::output::chain(&error));
        }
        Errno::EIO
    }

    pub(super) fn what(&self, number: INodeNo) -> Result<Arc<What>, Errno> {
        self.inodes.get(number.0).ok_or(Errno::ENOENT)
    }

    fn folder(&self, path: &str) -> Result<super::shelf::Folder, Errno> {
        self.shelf.folder(path).map_err(|error| {
            let error = anyhow::Error::new(error).context("cannot list the manifests");
            eprintln!("{}", crate::output::chain(&error));
            Errno::EIO
        })
    }

    pub(super) fn find(
        &self,
        parent: INodeNo,
        name: &OsStr,
    ) -> Result<(Duration, FileAttr), Errno> {
        match &*self.what(parent)? {
            What::Folder(folder) => {
                let name = name.to_str().ok_or(Errno::ENOENT)?;
                let items = self.folder(folder)?;
                let item = items.get(name).ok_or(Errno::ENOENT)?;
                let what = self.open_item(item)?;
                let attributes = self.attributes(&what);
                let number = self.inodes.tell(Key::on_shelf(folder, name), what);
                Ok((FRESH, with_number(attributes, number)))
            }
            What::Entry {
                manifest,
                path,
                node,
            } => {
                let name = Name::new(name.as_bytes()).map_err(|_| Errno::ENOENT)?;
                let path = path.join(&name);
                let found = self.browser.lookup(node, &name);
                let found = found.map_err(|error| self.trouble(manifest, &path, error))?;
                let node = found.ok_or(Errno::ENOENT)?;
                let key = Key::in_tree(manifest, &path, &node);
                let what = What::Entry {
                    manifest: *manifest,
                    path,
                    node,
                };
                let attributes = self.attributes(&what);
                let number = self.inodes.tell(key, what);
                Ok((FOREVER, with_number(attributes, number)))
            }
            What::Link(_) | What::Disk { .. } => Err(Errno::ENOTDIR),
        }
    }

    fn open_item(&self, item: &Item) -> Result<What, Errno> {
        Ok(match item {
            Item::Folder(path) => What::Folder(path.clone()),
            Item::Link(target) => What::Link(target.clone()),
            Item::Manifest(id) => {
                let path = TreePath::root();
                let opened = self.browser.open(id);
                match opened.map_err(|error| self.trouble(id, &path, error))? {
                    Opened::Tree(node) => What::Entry {
                        manifest: *id,
                        path,
                        node,
                    },
                    Opened::Volume(disk) => What::Disk {
                        manifest: *id,
                        disk,
                    },
                }
            }
        })
    }

    /// The attributes of an entry; its number is still to be set.
    pub(super) fn attributes(&self, what: &What) -> FileAttr {
        let plain = FileAttr {
            ino: INodeNo::ROOT,
            size: 0,
            blocks: 0,
            atime: self.mounted,
            mtime: self.mounted,
            ctime: self.mounted,
            crtime: self.mounted,
            kind: FileType::Directory,
            perm: 0o555,
            nlink: 2,
            uid: self.owner.0,
            gid: self.owner.1,
            rdev: 0,
            blksize: BLOCK_BYTES,
            flags: 0,
        };
        match what {
            What::Folder(_) => plain,
            What::Link(target) => FileAttr {
                size: target.len() as u64,
                kind: FileType::Symlink,
                perm: 0o777,
                nlink: 1,
                ..plain
            },
            What::Disk { manifest, disk } => {
                let finished = self
                    .shelf
                    .manifest(manifest)
                    .map(|found| found.body.finished);
                let finished = finished.map_or(self.mounted, |finished| {
                    system_time(FileTime::new(finished.as_seconds(), 0))
                });
                FileAttr {
                    size: disk.size(),
                    blocks: disk.size().div_ceil(512),
                    mtime: finished,
                    ctime: finished,
                    kind: FileType::RegularFile,
                    perm: 0o400,
                    nlink: 1,
                    ..plain
                }
            }
            What::Entry { node, .. } => of_node(node, plain),
        }
    }

    pub(super) fn xattrs(&self, number: INodeNo) -> Result<Vec<Xattr>, Errno> {
        match &*self.what(number)? {
            What::Entry {
                manifest,
                path,
                node,
            } => {
                let found = self.browser.xattrs(node);
                found.map_err(|error| self.trouble(manifest, path, error))
            }
            _ => Ok(Vec::new()),
        }
    }

    pub(super) fn read_range(
        &self,
        number: INodeNo,
        offset: u64,
        size: u32,
    ) -> Result<Vec<u8>, Errno> {
        let length = size as usize;
        match &*self.what(number)? {
            What::Entry {
                manifest,
                path,
                node,
            } => {
                let read = self.browser.read(node, offset, length);
                read.map_err(|error| self.trouble(manifest, path, error))
            }
            What::Disk { manifest, disk } => {
                let read = self.browser.read_disk(disk, offset, length);
                read.map_err(|error| self.trouble(manifest, &TreePath::root(), error))
            }
            What::Folder(_) | What::Link(_) => Err(Errno::EISDIR),
        }
    }

    pub(super) fn seek(&self, number: INodeNo, offset: i64, whence: i32) -> Result<i64, Errno> {
        /// `SEEK_DATA` and `SEEK_HOLE` of `unistd.h`; the kernel asks for nothing else.
        const DATA: i32 = 3;
        const HOLE: i32 = 4;
        let offset = u64::try_from(offset).map_err(|_| Errno::ENXIO)?;
        let what = self.what(number)?;
        let (size, found) = match &*what {
            What::Entry {
                manifest,
                path,
                node,
            } => {
                let found = match whence {
                    DATA => self.browser.next_data(node, offset),
                    HOLE => self.browser.next_hole(node, offset).map(Some),
                    _ => return Err(Errno::EINVAL),
                };
                let found = found.map_err(|error| self.trouble(manifest, path, error))?;
                (node.size(), found)
            }
            What::Disk { disk, .. } => {
                let found = if whence == DATA { offset } else { disk.size() };
                (disk.size(), Some(found))
            }
            What::Folder(_) | What::Link(_) => return Err(Errno::EINVAL),
        };
        if offset >= size {
            return Err(Errno::ENXIO);
        }
        let found = found.ok_or(Errno::ENXIO)?;
        i64::try_from(found).map_err(|_| Errno::ENXIO)
    }

    pub(super) fn open_listing(&self, number: INodeNo) -> Result<u64, Errno> {
        let what = self.what(number)?;
        let items = match &*what {
            What::Folder(path) => self.folder(path)?.into_iter().collect(),
            What::Entry { .. } => Vec::new(),
            What::Link(_) | What::Disk { .. } => return Err(Errno::ENOTDIR),
        };
        let listing = Listing {
            what,
            items,
            entries: None,
            position: 0,
            ahead: None,
            lost: false,
        };
        let handle = self.handles.fetch_add(1, Ordering::Relaxed);
        lock(&self.listings).insert(handle, Arc::new(Mutex::new(listing)));
        Ok(handle)
    }

    /// Adds entries from `offset` on until the answer is full. An error comes last, when all that
    /// can be listed was.
    pub(super) fn list(
        &self,
        number: INodeNo,
        listing: &mut Listing,
        offset: u64,
        reply: &mut ReplyDirectory,
    ) -> Result<(), Errno> {
        if offset != listing.position {
            listing.rewind();
            while listing.position < offset && self.next_entry(number, listing).is_some() {
                listing.position += 1;
            }
        }
        let mut any = false;
        while let Some((name, entry, kind)) = self.next_entry(number, listing) {
            let next = listing.position + 1;
            if reply.add(INodeNo(entry), next, kind, OsStr::from_bytes(&name)) {
                listing.ahead = Some((name, entry, kind));
                return Ok(());
            }
            listing.position = next;
            any = true;
        }
        if listing.lost && !any {
            return Err(Errno::EIO);
        }
        Ok(())
    }

    fn next_entry(&self, own: INodeNo, listing: &mut Listing) -> Option<(Vec<u8>, u64, FileType)> {
        if let Some(ahead) = listing.ahead.take() {
            return Some(ahead);
        }
        match listing.position {
            0 => return Some((b".".to_vec(), own.0, FileType::Directory)),
            // The kernel knows better where this leads.
            1 => return Some((b"..".to_vec(), ROOT, FileType::Directory)),
            _ => {}
        }
        let (manifest, path, node) = match &*listing.what {
            What::Folder(folder) => {
                let index = usize::try_from(listing.position - 2).ok()?;
                let (name, item) = listing.items.get(index)?;
                let kind = match item {
                    Item::Folder(_) => FileType::Directory,
                    Item::Link(_) => FileType::Symlink,
                    Item::Manifest(id) => self.kind_of(id),
                };
                let number = Key::on_shelf(folder, name).number();
                return Some((name.clone().into_bytes(), number, kind));
            }
            What::Entry {
                manifest,
                path,
                node,
            } => (manifest, path, node),
            What::Link(_) | What::Disk { .. } => return None,
        };
        let entries = listing.entries.get_or_insert_with(|| node.entries(None));
        loop {
            match entries.next(&self.browser)? {
                Ok((name, node)) => {
                    let number = Key::in_tree(manifest, &path.join(&name), &node).number();
                    return Some((name.as_bytes().to_vec(), number, file_type(node.kind())));
                }
                Err(error) => {
                    self.trouble(manifest, path, error);
                    listing.lost = true;
                }
            }
        }
    }

    fn kind_of(&self, id: &ManifestId) -> FileType {
        let layer = self.shelf.manifest(id).map(|found| found.body.layer);
        match layer {
            Some(strongroom_engine::Layer::Volume) => FileType::RegularFile,
            _ => FileType::Directory,
        }
    }
}

impl Listing {
    fn rewind(&mut self) {
        self.entries = None;
        self.ahead = None;
        self.position = 0;
    }
}

pub(super) fn with_number(attributes: FileAttr, number: u64) -> FileAttr {
    FileAttr {
        ino: INodeNo(number),
        ..attributes
    }
}

fn of_node(node: &Node, plain: FileAttr) -> FileAttr {
    let size = node.size();
    let blocks = match node.allocated() {
        Some(bytes) => bytes.div_ceil(512),
        // Whether a long file has holes takes long to find out. A block too few makes programs that
        // copy files ask for them.
        None => (size / 512).saturating_sub(1),
    };
    let changed = system_time(node.changed());
    FileAttr {
        size,
        blocks,
        atime: system_time(node.modified()),
        mtime: system_time(node.modified()),
        ctime: changed,
        crtime: changed,
        kind: file_type(node.kind()),
        perm: node.mode(),
        nlink: u32::try_from(node.links()).unwrap_or(u32::MAX),
        uid: node.owner().0,
        gid: node.owner().1,
        rdev: node.device().map_or(0, device_number),
        ..plain
    }
}

/// The kernel's form of a device number on this interface.
fn device_number(packed: u64) -> u32 {
    let (major, minor) = (packed >> 32, packed & 0xffff_ffff);
    let number = (minor & 0xff) | ((major & 0xfff) << 8) | ((minor & 0xfff00) << 12);
    u32::try_from(number).unwrap_or_default()
}

fn file_type(kind: FileKind) -> FileType {
    match kind {
        FileKind::File => FileType::RegularFile,
        FileKind::Directory => FileType::Directory,
        FileKind::Symlink => FileType::Symlink,
        FileKind::Fifo => FileType::NamedPipe,
        FileKind::Socket => FileType::Socket,
        FileKind::CharDevice => FileType::CharDevice,
        FileKind::BlockDevice => FileType::BlockDevice,
    }
}

fn system_time(time: FileTime) -> SystemTime {
    let whole = Duration::from_secs(time.seconds.unsigned_abs());
    let second = if time.seconds < 0 {
        UNIX_EPOCH.checked_sub(whole)
    } else {
        UNIX_EPOCH.checked_add(whole)
    };
    let nanos = Duration::from_nanos(time.nanos.into());
    second
        .and_then(|second| second.checked_add(nanos))
        .unwrap_or(UNIX_EPOCH)
}
