//! Keeps objects as files under a directory, and survives crashes and power cuts.
//!
//! An object is written to a file in the private directory `tmp~`, synced, moved to its name in one
//! step that fails if the name is taken, and only then is the directory synced and the call
//! returns. `~` is not in the alphabet of keys, so no object can lie there. The writer holds a lock
//! on its temporary file; a file there whose lock is free belongs to a dead process and is removed
//! when the next process begins to write. Age plays no part.
//!
//! Invariants:
//! - a name under the root (outside `tmp~`) always leads to a whole, synced file;
//! - an acknowledged object's name is synced, and so is every directory above it: that a directory
//!   exists proves nothing, for the process that made it may not have come to sync it;
//! - "it exists already" is said, and an object listed, only after syncing its name: its creator
//!   may
//!   still be busy or dead, and what others build on it must not outlive it.
//!
//! Directories are never removed: a concurrent writer may be about to use them.

mod disk;
mod listing;
pub(crate) mod noted;
mod root;

use std::{
    collections::HashSet,
    fs::File,
    io::Read as _,
    ops::Range,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use rustix::{
    buffer::spare_capacity,
    fs::{self, AtFlags, FileType, Mode, OFlags},
    io::{self, Errno},
};

use self::{
    disk::{Disk, Kernel},
    root::Root,
};
use crate::{
    error::{Error, ErrorKind, Result},
    key::Key,
    store::{Backend, Listing, Visit, same_length, short},
};

/// The private directory for files that are being written.
const TEMPORARY: &str = "tmp~";

/// How often a write starts anew when somebody removed its temporary file or directory.
const ATTEMPTS: usize = 5;

/// A directory of objects.
pub(crate) struct Local {
    root: Root,
    disk: Box<dyn Disk>,
    /// Directories whose names, and those above them, this process knows to be durable.
    settled: Mutex<HashSet<String>>,
}

/// What publishing an object came to.
enum Published {
    Created,
    Existed,
}

impl Local {
    /// The store in `directory`, which need not exist until something is written.
    pub(crate) fn new(directory: &Path) -> Result<Self> {
        Self::on(directory, Box::new(Kernel))
    }

    /// The store in `directory`, changed through `disk`.
    fn on(directory: &Path, disk: Box<dyn Disk>) -> Result<Self> {
        let path: PathBuf = std::path::absolute(directory)
            .map_err(|error| Error::new(ErrorKind::Unsupported).because(error))?;
        Ok(Self {
            root: Root::new(path),
            disk,
            settled: Mutex::default(),
        })
    }

    /// The root for reading: `NotFound` as long as nothing was ever written.
    fn reading(&self) -> Result<BorrowedFd<'_>> {
        self.root
            .open()?
            .ok_or_else(|| Error::new(ErrorKind::NotFound))
    }

    fn open_object(&self, key: &Key) -> Result<File> {
        let root = self.reading().map_err(|error| error.at(key))?;
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        io::retry_on_intr(|| fs::openat(root, key.as_str(), flags, Mode::empty()))
            .map(File::from)
            .map_err(|errno| reading(key, "open the file", errno))
    }

    /// The size of what stands under `key`.
    fn find(root: BorrowedFd<'_>, key: &Key) -> Result<Option<u64>> {
        match fs::statat(root, key.as_str(), AtFlags::empty()) {
            Ok(stat) if is_file(&stat) => Ok(Some(length(&stat))),
            Ok(_) => Err(Error::system("use a directory as an object", Errno::ISDIR).at(key)),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(Error::system("look up the file", errno).at(key)),
        }
    }

    fn publish(&self, key: &Key, bytes: &[u8]) -> Result<Published> {
        let root = self.root.make(&*self.disk)?;
        if Self::find(root, key)?.is_some() {
            return self.confirm(root, key).map(|()| Published::Existed);
        }
        let mut attempt = 1;
        loop {
            match self.try_publish(root, key, bytes) {
                Ok(published) => return self.confirm(root, key).map(|()| published),
                Err(error) if error.kind == ErrorKind::NotFound && attempt < ATTEMPTS => {
                    self.settled().clear();
                    attempt += 1;
                }
                Err(mut error) => {
                    if error.kind == ErrorKind::NotFound {
                        error.kind = ErrorKind::Unavailable;
                    }
                    return Err(error.at(key));
                }
            }
        }
    }

    /// Stages and moves; `NotFound` if the temporary file or a directory was taken away meanwhile.
    fn try_publish(&self, root: BorrowedFd<'_>, key: &Key, bytes: &[u8]) -> Result<Published> {
        self.make_directories(root, key.directory())?;
        let staged = self.stage(root, bytes)?;
        match self
            .disk
            .publish(root, &staged.path, Path::new(key.as_str()))
        {
            Ok(()) => {
                staged.published();
                Ok(Published::Created)
            }
            Err(Errno::EXIST) => Ok(Published::Existed),
            Err(errno) => Err(Error::system("move the object to its name", errno)),
        }
    }

    /// Writes and syncs a temporary file.
    fn stage<'a>(&'a self, root: BorrowedFd<'a>, bytes: &[u8]) -> Result<Staged<'a>> {
        self.make_directories(root, TEMPORARY)?;
        let path = self.root.fresh_temporary();
        let file = self
            .disk
            .create(root, &path)
            .map_err(|errno| Error::system("create a temporary file", errno))?;
        let staged = Staged {
            root,
            disk: &*self.disk,
            path,
            file: Some(file),
        };
        self.disk
            .write(staged.file(), bytes)
            .map_err(|errno| Error::system("write the temporary file", errno))?;
        self.disk
            .sync_file(staged.file())
            .map_err(|errno| Error::system("sync the temporary file", errno))?;
        Ok(staged)
    }

    /// Makes the name of an object that is seen durable, and those of the directories above it.
    fn confirm(&self, root: BorrowedFd<'_>, key: &Key) -> Result<()> {
        let directory = key.directory();
        self.settle(root, directory, |_| Ok(()))
            .and_then(|()| self.sync_directory(root, directory))
            .map_err(|error| error.at(key))
    }

    /// Makes `directory` and every directory above it exist durably.
    fn make_directories(&self, root: BorrowedFd<'_>, directory: &str) -> Result<()> {
        self.settle(root, directory, |path| {
            match self.disk.make_directory(root, Path::new(path)) {
                Ok(()) | Err(Errno::EXIST) => Ok(()),
                Err(errno) => Err(Error::system("make a directory", errno)),
            }
        })
    }

    /// Makes the names of `directory` and of those above it durable, each once in this process;
    /// `make` is called for each before its name is synced.
    fn settle(
        &self,
        root: BorrowedFd<'_>,
        directory: &str,
        make: impl Fn(&str) -> Result<()>,
    ) -> Result<()> {
        if directory.is_empty() || self.settled().contains(directory) {
            return Ok(());
        }
        let mut above = "";
        let ends = directory
            .match_indices('/')
            .map(|(at, _)| at)
            .chain([directory.len()]);
        for path in ends.filter_map(|end| directory.get(..end)) {
            if !self.settled().contains(path) {
                make(path)?;
                self.sync_directory(root, above)?;
                self.settled().insert(path.to_owned());
            }
            above = path;
        }
        Ok(())
    }

    fn sync_directory(&self, root: BorrowedFd<'_>, directory: &str) -> Result<()> {
        self.disk
            .sync_directory(root, Path::new(directory))
            .map_err(|errno| Error::system("sync the directory", errno))
    }

    fn settled(&self) -> MutexGuard<'_, HashSet<String>> {
        self.settled.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Backend for Local {
    fn create_new(&self, key: &Key, bytes: &[u8]) -> Result<()> {
        match self.publish(key, bytes)? {
            Published::Created => Ok(()),
            Published::Existed => Err(Error::new(ErrorKind::AlreadyExists).at(key)),
        }
    }

    fn put_idempotent(&self, key: &Key, bytes: &[u8]) -> Result<()> {
        match self.publish(key, bytes)? {
            Published::Created => Ok(()),
            Published::Existed => same_length(key, self.size(key)?, bytes),
        }
    }

    fn get(&self, key: &Key) -> Result<Bytes> {
        let file = self.open_object(key)?;
        let stat = fs::fstat(&file).map_err(|errno| reading(key, "read the size", errno))?;
        if !is_file(&stat) {
            return Err(Error::new(ErrorKind::NotFound).at(key));
        }
        let mut bytes = Vec::new();
        read(key, &file, 0..length(&stat), &mut bytes)?;
        Ok(bytes.into())
    }

    fn get_range(&self, key: &Key, range: Range<u64>) -> Result<Bytes> {
        let mut bytes = Vec::new();
        self.get_into(key, range, &mut bytes)?;
        Ok(bytes.into())
    }

    fn get_into(&self, key: &Key, range: Range<u64>, out: &mut Vec<u8>) -> Result<()> {
        let file = self.open_object(key)?;
        read(key, &file, range, out)
    }

    fn size(&self, key: &Key) -> Result<u64> {
        let root = self.reading().map_err(|error| error.at(key))?;
        match fs::statat(root, key.as_str(), AtFlags::empty()) {
            Ok(stat) if is_file(&stat) => Ok(length(&stat)),
            Ok(_) => Err(Error::new(ErrorKind::NotFound).at(key)),
            Err(errno) => Err(reading(key, "read the size", errno)),
        }
    }

    fn list(&self, listing: Listing<'_>, visit: &mut Visit<'_>) -> Result<()> {
        match self.root.open()? {
            Some(root) => listing::list(self, root, listing, visit),
            None => Ok(()),
        }
    }

    fn delete(&self, key: &Key) -> Result<()> {
        let Some(root) = self.root.open()? else {
            return Ok(());
        };
        match self.disk.remove(root, Path::new(key.as_str())) {
            Ok(()) => self
                .sync_directory(root, key.directory())
                .map_err(|error| error.at(key)),
            Err(Errno::NOENT | Errno::NOTDIR | Errno::ISDIR) => Ok(()),
            Err(errno) => Err(Error::system("remove the file", errno).at(key)),
        }
    }

    fn describe(&self) -> String {
        format!("directory {}", self.root.path().display())
    }
}

/// A temporary file, locked while it is open; its name is removed unless it was published.
struct Staged<'a> {
    root: BorrowedFd<'a>,
    disk: &'a dyn Disk,
    path: PathBuf,
    /// Present until the file is published or dropped.
    file: Option<OwnedFd>,
}

impl Staged<'_> {
    fn file(&self) -> BorrowedFd<'_> {
        self.file
            .as_ref()
            .expect("it is taken only by the calls that end the value")
            .as_fd()
    }

    fn published(mut self) {
        self.file = None;
    }
}

impl Drop for Staged<'_> {
    fn drop(&mut self) {
        if self.file.is_some()
            && let Err(errno) = self.disk.remove(self.root, &self.path)
        {
            tracing::warn!(path = ?self.path, %errno, "a temporary file stays behind for now");
        }
    }
}

fn read(key: &Key, file: &File, range: Range<u64>, out: &mut Vec<u8>) -> Result<()> {
    let length = usize::try_from(range.end - range.start)
        .map_err(|error| Error::new(ErrorKind::Unsupported).at(key).because(error))?;
    let end = out.len() + length;
    // An exact reservation is also the limit of what is read: spare capacity beyond it would let
    // one call return more than was asked for.
    out.reserve_exact(length);
    while out.len() < end {
        let missing = end - out.len();
        let position = range.end - missing as u64;
        let read = if out.spare_capacity_mut().len() == missing {
            io::pread(file, spare_capacity(out), position)
        } else {
            read_bounded(file, out, missing, position)
        };
        match read {
            Ok(0) => return Err(short(key, &range)),
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(reading(key, "read the file", errno)),
        }
    }
    Ok(())
}

/// Reads at most `limit` bytes where the buffer has more room than that. They go straight into that
/// room: writing zeroes there first cost a tenth of a restore.
fn read_bounded(mut file: &File, out: &mut Vec<u8>, limit: usize, at: u64) -> io::Result<usize> {
    let start = out.len();
    fs::seek(file, fs::SeekFrom::Start(at))?;
    file.by_ref()
        .take(limit as u64)
        .read_to_end(out)
        .map_err(|error| {
            out.truncate(start);
            Errno::from_io_error(&error).unwrap_or(Errno::IO)
        })
}

/// A failed read: what lies below or beside a file is simply not there, and a bad sector is damage.
fn reading(key: &Key, action: &'static str, errno: Errno) -> Error {
    let mut error = Error::system(action, errno).at(key);
    match errno {
        Errno::NOTDIR | Errno::ISDIR => error.kind = ErrorKind::NotFound,
        Errno::IO => error.kind = ErrorKind::Corrupt,
        _ => {}
    }
    error
}

fn is_file(stat: &fs::Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode).is_file()
}

fn length(stat: &fs::Stat) -> u64 {
    u64::try_from(stat.st_size).unwrap_or(0)
}

#[cfg(test)]
mod tests;
