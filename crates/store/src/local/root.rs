//! The directory a local store lives in: opened when it is there, made when something is written.
//!
//! Opening a store must not create it (a mistyped path would become an empty store), so the root
//! appears with the first object. From then on it is held open: a rename of the directory, or
//! something mounted over it, does not send half of a writer's objects elsewhere.

use std::{
    hash::{BuildHasher, RandomState},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::{Path, PathBuf},
    process,
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use rustix::{
    fs::{self, CWD, Dir, Mode, OFlags},
    io::Errno,
};

use super::{
    TEMPORARY,
    disk::{self, Disk, Lock},
};
use crate::error::{Error, Result};

/// The root directory of a store, open or not yet there.
pub(super) struct Root {
    path: PathBuf,
    open: OnceLock<OwnedFd>,
    /// Whether this process has made the root durable and cleaned up.
    prepared: Mutex<bool>,
    /// Sets the temporary names of this handle apart from all others', also where two containers
    /// share the directory and count their processes alike.
    handle: u64,
    written: AtomicU64,
}

impl Root {
    pub(super) fn new(path: PathBuf) -> Self {
        let handle = RandomState::new().hash_one(process::id());
        let (open, prepared) = (OnceLock::new(), Mutex::new(false));
        Self {
            path,
            open,
            prepared,
            handle,
            written: AtomicU64::new(0),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// A path that no other temporary file has.
    pub(super) fn fresh_temporary(&self) -> PathBuf {
        let count = self.written.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}-{:016x}-{count}", process::id(), self.handle);
        Path::new(TEMPORARY).join(name)
    }

    /// The root, or `None` if it does not exist.
    pub(super) fn open(&self) -> Result<Option<BorrowedFd<'_>>> {
        if let Some(root) = self.open.get() {
            return Ok(Some(root.as_fd()));
        }
        match disk::open_directory(CWD, self.path.as_path()) {
            // Of two threads that come here at once, one keeps its descriptor for both.
            Ok(root) => Ok(Some(self.open.get_or_init(|| root).as_fd())),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(Error::system("open the store's directory", errno)),
        }
    }

    /// The root for writing; made, with every directory above it, if need be.
    pub(super) fn make(&self, disk: &dyn Disk) -> Result<BorrowedFd<'_>> {
        let mut prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        if !*prepared {
            make_durably(&self.path, disk)?;
        }
        let root = self.open()?.ok_or_else(|| {
            Error::system(
                "open the store's directory, which was just made",
                Errno::NOENT,
            )
        })?;
        if !*prepared {
            clean(root, disk);
            *prepared = true;
        }
        Ok(root)
    }
}

/// Makes `path` with what is missing above it, and the names of all of it durable. Those of
/// existing
/// directories too: their maker may have died before that. Where we may not, we are not their
/// maker.
fn make_durably(path: &Path, disk: &dyn Disk) -> Result<()> {
    let mut directories: Vec<&Path> = path.ancestors().collect();
    directories.reverse();
    for (parent, directory) in directories.iter().zip(directories.iter().skip(1)) {
        let existed = directory.is_dir();
        if !existed {
            match disk.make_directory(CWD, directory) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(errno) => return Err(Error::system("make the store's directory", errno)),
            }
        }
        match sync(parent, disk) {
            Ok(()) => {}
            Err(Errno::ACCESS | Errno::PERM) if existed => {}
            Err(errno) => return Err(Error::system("sync a directory above the store", errno)),
        }
    }
    Ok(())
}

fn sync(directory: &Path, disk: &dyn Disk) -> Result<(), Errno> {
    let directory = disk::open_directory(CWD, directory)?;
    disk.sync_directory(directory.as_fd(), Path::new(""))
}

/// Removes the temporary files of dead processes. Failing to is no reason not to write.
fn clean(root: BorrowedFd<'_>, disk: &dyn Disk) {
    let Ok(directory) = disk::open_directory(root, TEMPORARY) else {
        return;
    };
    let Ok(entries) = Dir::new(directory) else {
        return;
    };
    for entry in entries.flatten() {
        let Ok(name) = entry.file_name().to_str() else {
            continue;
        };
        if name == "." || name == ".." {
            continue;
        }
        let path = Path::new(TEMPORARY).join(name);
        if is_abandoned(root, &path) {
            match disk.remove(root, &path) {
                Ok(()) => tracing::info!(name, "removed the temporary file of a dead process"),
                Err(errno) => tracing::warn!(name, %errno, "cannot remove a temporary file"),
            }
        }
    }
}

/// Whether nobody holds the lock of a temporary file. Its name is never used again, so removing it
/// by name after this test cannot hit another file.
fn is_abandoned(root: BorrowedFd<'_>, path: &Path) -> bool {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = fs::openat(root, path, flags, Mode::empty());
    file.is_ok_and(|file| disk::lock(&file) == Ok(Lock::Held))
}
