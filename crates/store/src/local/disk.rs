//! The system calls that decide what survives a power cut, behind one seam.
//!
//! Everything the directory backend changes on disk goes through [`Disk`]; a test stands a
//! recorder in between and proves the order of the calls, or makes one of them fail.
//! Paths are relative to the store's root, which is held open: what happens to the names above it
//! cannot redirect a write.

use std::{
    os::fd::{BorrowedFd, OwnedFd},
    path::Path,
};

use rustix::{
    fs::{self, AtFlags, FlockOperation, Mode, OFlags, RenameFlags},
    io::{self, Errno},
    path::Arg,
};

/// The changes of a directory tree that durability depends on.
pub(super) trait Disk: Send + Sync {
    /// Makes a directory for the owner alone.
    fn make_directory(&self, root: BorrowedFd<'_>, path: &Path) -> io::Result<()> {
        fs::mkdirat(root, path, Mode::RWXU)
    }

    /// Creates a file that must not exist, and locks it for as long as it stays open. `NOENT` if
    /// the name cannot be had after all; another one can.
    fn create(&self, root: BorrowedFd<'_>, path: &Path) -> io::Result<OwnedFd> {
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
        let file = match fs::openat(root, path, flags, Mode::RUSR) {
            Err(Errno::EXIST) => return Err(Errno::NOENT),
            opened => opened?,
        };
        match lock(&file)? {
            Lock::Held if fs::fstat(&file)?.st_nlink > 0 => Ok(file),
            // Whoever cleans up came between creation and lock: the name is lost.
            Lock::Held | Lock::Taken => Err(Errno::NOENT),
            Lock::Unknown => Ok(file),
        }
    }

    /// Writes all of `bytes`.
    fn write(&self, file: BorrowedFd<'_>, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match io::write(file, bytes) {
                Ok(0) => return Err(Errno::IO),
                Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Makes a file's bytes durable.
    fn sync_file(&self, file: BorrowedFd<'_>) -> io::Result<()> {
        io::retry_on_intr(|| fs::fsync(file))
    }

    /// Moves a file to a name that must be free, in one step; `EXIST` if it is not.
    fn publish(&self, root: BorrowedFd<'_>, from: &Path, to: &Path) -> io::Result<()> {
        match fs::renameat_with(root, from, root, to, RenameFlags::NOREPLACE) {
            // Some network file systems cannot rename so; all of those can link.
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                fs::linkat(root, from, root, to, AtFlags::empty())?;
                // The object stands. A name that stays behind in the private directory is
                // garbage, not a failure.
                let _left_over = fs::unlinkat(root, from, AtFlags::empty());
                Ok(())
            }
            done => done,
        }
    }

    /// Makes the names in a directory durable; the empty path is the root.
    fn sync_directory(&self, root: BorrowedFd<'_>, path: &Path) -> io::Result<()> {
        let path = if path.as_os_str().is_empty() {
            Path::new(".")
        } else {
            path
        };
        let directory = open_directory(root, path)?;
        match io::retry_on_intr(|| fs::fsync(&directory)) {
            // Some file systems write directories through, or cannot be written at all, and
            // refuse to sync them.
            Err(Errno::INVAL | Errno::ROFS) => Ok(()),
            done => done,
        }
    }

    /// Removes a file's name.
    fn remove(&self, root: BorrowedFd<'_>, path: &Path) -> io::Result<()> {
        fs::unlinkat(root, path, AtFlags::empty())
    }
}

/// The real thing.
pub(super) struct Kernel;

impl Disk for Kernel {}

/// Opens a directory below `root` for reading and syncing.
pub(super) fn open_directory<P: Arg + Copy>(root: BorrowedFd<'_>, path: P) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    io::retry_on_intr(|| fs::openat(root, path, flags, Mode::empty()))
}

/// What trying to lock a file showed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Lock {
    /// It is ours now.
    Held,
    /// A living process holds it.
    Taken,
    /// This file system cannot tell.
    Unknown,
}

/// Tries to lock a file without waiting.
pub(super) fn lock(file: &OwnedFd) -> io::Result<Lock> {
    match io::retry_on_intr(|| fs::flock(file, FlockOperation::NonBlockingLockExclusive)) {
        Ok(()) => Ok(Lock::Held),
        Err(Errno::WOULDBLOCK) => Ok(Lock::Taken),
        Err(Errno::NOLCK | Errno::OPNOTSUPP | Errno::NOSYS | Errno::BADF | Errno::INVAL) => {
            Ok(Lock::Unknown)
        }
        Err(error) => Err(error),
    }
}
