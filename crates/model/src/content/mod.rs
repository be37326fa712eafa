//! What a source shows and what a sink takes: plain types of files, and the traits between them.
//!
//! `source` implements these traits over directories, image files and devices, the engine reads
//! and writes through them, and neither sees the other. The traits are object-safe and speak of
//! one entry of one open directory at a time, never of whole paths: a tree of any depth can be
//! walked, and a directory that is swapped for a link in between cannot lead the walk astray.
//!
//! Invariant: a [`Name`] is exactly one component, so no name climbs out of its directory.

mod name;

use std::{
    fmt, io,
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

pub use name::{IllegalName, NAME_BYTES_MAX, Name, TreePath};

/// What an entry of a directory is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink,
    /// A named pipe.
    Fifo,
    /// A socket: belongs to a running program, so it is never kept.
    Socket,
    /// A character device.
    CharDevice,
    /// A block device.
    BlockDevice,
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::File => "file",
            Self::Directory => "directory",
            Self::Symlink => "symlink",
            Self::Fifo => "fifo",
            Self::Socket => "socket",
            Self::CharDevice => "character device",
            Self::BlockDevice => "block device",
        })
    }
}

/// A time that a file system keeps: seconds since 1970 and nanoseconds within the second.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct FileTime {
    /// Seconds since 1970-01-01T00:00:00Z; negative before.
    pub seconds: i64,
    /// 0 to 999,999,999, counted forward from `seconds`.
    pub nanos: u32,
}

impl FileTime {
    /// A time of those seconds and nanoseconds.
    pub const fn new(seconds: i64, nanos: u32) -> Self {
        Self { seconds, nanos }
    }

    /// The time `nanos` earlier; saturates.
    #[must_use]
    pub const fn minus_nanos(self, nanos: u64) -> Self {
        let whole = (nanos / 1_000_000_000).cast_signed();
        let part = (nanos % 1_000_000_000) as u32;
        let borrow = part > self.nanos;
        Self {
            seconds: self.seconds.saturating_sub(whole + borrow as i64),
            nanos: if borrow {
                self.nanos + 1_000_000_000 - part
            } else {
                self.nanos - part
            },
        }
    }
}

/// What a file system says about an entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stat {
    /// What it is.
    pub kind: FileKind,
    /// Permission bits with setuid, setgid and sticky (`0o7777`).
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Length in bytes; of a symlink its target's.
    pub size: u64,
    /// Bytes allocated on the disk; less than `size` hints at holes.
    pub allocated: u64,
    /// When the content was last modified.
    pub modified: FileTime,
    /// When the inode was last changed.
    pub changed: FileTime,
    /// Inode number.
    pub inode: u64,
    /// Number of the device that holds the inode.
    pub device: u64,
    /// Number of names that the inode has.
    pub links: u64,
    /// Of a device node: which device it stands for.
    pub special: u64,
}

impl Stat {
    /// Whether nothing that a write would touch differs: same inode, same kind and size, same
    /// times to the nanosecond.
    pub fn same_version(&self, other: &Self) -> bool {
        self.kind == other.kind
            && self.size == other.size
            && self.modified == other.modified
            && self.changed == other.changed
            && self.inode == other.inode
            && self.device == other.device
    }
}

/// An extended attribute. POSIX ACLs are `system.posix_acl_access` and `…_default`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Xattr {
    /// Name with its namespace (`user.…`), not NUL-terminated.
    pub name: Vec<u8>,
    /// Value.
    pub value: Vec<u8>,
}

/// What a sink sets on an entry once its content stands.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Attributes {
    /// Permission bits with setuid, setgid and sticky.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Time of modification.
    pub modified: FileTime,
    /// Extended attributes, ACLs among them.
    pub xattrs: Vec<Xattr>,
}

/// The group of names that were one inode where they were saved.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct LinkGroup {
    /// Device of the inode.
    pub device: u64,
    /// Number of the inode.
    pub inode: u64,
    /// How many names the inode had; with the last one the sink may forget the group.
    pub links: u64,
    /// Tells contents apart: an inode number that was freed and given anew is another group.
    pub content: u64,
}

/// An entry without content that a sink makes in one step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Special {
    /// A symbolic link to that target.
    Symlink(Vec<u8>),
    /// A named pipe.
    Fifo,
    /// A character device of that number.
    CharDevice(u64),
    /// A block device of that number.
    BlockDevice(u64),
}

/// Why a source or a sink could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system refused.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried, as a verb: "open", "read".
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The target of a volume cannot hold the content.
    #[error("target smaller than the content: {} holds {size} bytes, {needed} are needed", path.display())]
    TargetTooSmall {
        /// The target.
        path: PathBuf,
        /// Its size in bytes.
        size: u64,
        /// The content's size in bytes.
        needed: u64,
    },
    /// Something is already where a new place was asked for.
    #[error("target {} exists and is not an empty directory; name a place that does not exist yet", path.display())]
    TargetNotEmpty {
        /// The target.
        path: PathBuf,
    },
    /// Another process restores to the same target.
    #[error("target {} is being restored to by another process", path.display())]
    TargetBusy {
        /// The target.
        path: PathBuf,
    },
    /// What would be replaced holds the mount point of another file system.
    #[error("{} holds the mount point {}; unmount it or restore to a new place", path.display(), point.display())]
    HoldsMount {
        /// The target.
        path: PathBuf,
        /// The mount point in it.
        point: PathBuf,
    },
    /// The path is not the kind of thing that was expected there.
    #[error("{} is not {expected}", path.display())]
    WrongKind {
        /// The path.
        path: PathBuf,
        /// What it should be, with its article: "a directory".
        expected: &'static str,
    },
    /// The entry was replaced by another while it was looked at.
    #[error("{} was replaced while it was read", path.display())]
    Replaced {
        /// The path.
        path: PathBuf,
    },
}

/// The result of a source or sink.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error of the operating system, in the shape `map_err` likes.
    pub fn io<E: Into<io::Error>>(action: &'static str, path: &Path) -> impl FnOnce(E) -> Self {
        let path = path.to_owned();
        move |source| Self::Io {
            action,
            path,
            source: source.into(),
        }
    }

    /// Whether the entry was simply no longer there (or no longer what it was).
    pub fn is_vanished(&self) -> bool {
        match self {
            Self::Io { source, .. } => matches!(
                source.kind(),
                io::ErrorKind::NotFound
                    | io::ErrorKind::NotADirectory
                    | io::ErrorKind::StaleNetworkFileHandle
            ),
            Self::Replaced { .. } => true,
            _ => false,
        }
    }

    /// Whether the target has run out of space (or quota).
    pub fn is_no_space(&self) -> bool {
        matches!(self, Self::Io { source, .. } if matches!(
            source.kind(),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
        ))
    }
}

/// Attributes that a target refused to take; the content is there nevertheless.
pub type Refused = Vec<Error>;

/// A tree that can be read.
pub trait TreeSource: Send + Sync {
    /// Opens the root directory.
    fn root(&self) -> Result<Arc<dyn SourceDirectory>>;

    /// The time by the clock that stamps the tree's files. A file whose times are not older than
    /// this, taken before it is read, may change once more without changing its times.
    fn clock(&self) -> FileTime;
}

/// An open directory of a [`TreeSource`].
pub trait SourceDirectory: Send + Sync {
    /// About the directory itself.
    fn stat(&self) -> Result<Stat>;

    /// Extended attributes of the directory itself.
    fn xattrs(&self) -> Result<Vec<Xattr>>;

    /// The names in it, in no particular order.
    fn names(&self) -> Result<Vec<Name>>;

    /// About the entry of that name; links are not followed.
    fn stat_entry(&self, name: &Name) -> Result<Stat>;

    /// Extended attributes of an entry that is neither file nor directory.
    fn xattrs_of_entry(&self, name: &Name) -> Result<Vec<Xattr>>;

    /// The target of the symlink of that name.
    fn link_target(&self, name: &Name) -> Result<Vec<u8>>;

    /// Opens the directory of that name; never follows a link.
    fn open_directory(&self, name: &Name) -> Result<Arc<dyn SourceDirectory>>;

    /// Opens the regular file of that name; never follows a link, never waits at a pipe.
    fn open_file(&self, name: &Name) -> Result<Box<dyn SourceFile>>;
}

/// An open regular file of a [`TreeSource`].
pub trait SourceFile: Send + Sync {
    /// About the open file, as of now.
    fn stat(&self) -> Result<Stat>;

    /// Its extended attributes.
    fn xattrs(&self) -> Result<Vec<Xattr>>;

    /// Fills `buffer` from `offset` on; returns fewer bytes only at the end of the file.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> Result<usize>;

    /// The next range at or after `from` that is not a hole; `None` if there is no more.
    fn next_data(&self, from: u64) -> Result<Option<Range<u64>>>;
}

/// A disk that can be read.
pub trait BlockSource: Send + Sync {
    /// Size in bytes.
    fn size(&self) -> u64;

    /// What tells a changed image from an unchanged one; `None` if nothing does (a device).
    fn stat(&self) -> Result<Option<Stat>>;

    /// As [`TreeSource::clock`].
    fn clock(&self) -> FileTime;

    /// Fills `buffer` from `offset` on; the range lies within the size.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> Result<()>;

    /// The next range at or after `from` that is not a hole; `None` if there is no more.
    fn next_data(&self, from: u64) -> Result<Option<Range<u64>>>;
}

/// A place that a tree can be written to.
pub trait TreeSink: Send + Sync {
    /// The directory that takes the topmost entry, and the name the entry gets there.
    fn top(&self) -> Result<(Arc<dyn SinkDirectory>, Name)>;
}

/// A directory being written.
pub trait SinkDirectory: Send + Sync {
    /// Makes a directory in it.
    fn make_directory(&self, name: &Name) -> Result<Arc<dyn SinkDirectory>>;

    /// Makes a file of `size` bytes, all hole. `None` if `name` became one more link to a file
    /// of `group` that was made before.
    fn make_file(
        &self,
        name: &Name,
        size: u64,
        group: Option<&LinkGroup>,
    ) -> Result<Option<Arc<dyn SinkFile>>>;

    /// Makes an entry without content, or one more link to that of `group` made before.
    fn make_special(
        &self,
        name: &Name,
        special: &Special,
        attributes: &Attributes,
        group: Option<&LinkGroup>,
    ) -> Result<Refused>;

    /// Sets the attributes of the directory itself, after everything in it.
    fn finish(&self, attributes: &Attributes) -> Result<Refused>;
}

/// A file being written, by several threads at once.
pub trait SinkFile: Send + Sync {
    /// Writes all of `data` at `offset`.
    fn write_at(&self, data: &[u8], offset: u64) -> Result<()>;

    /// Sets the attributes, after the last write.
    fn finish(&self, attributes: &Attributes) -> Result<Refused>;
}

/// A place that a disk can be written to.
pub trait BlockSink: Send + Sync {
    /// Makes ready for `size` bytes, or says why they do not fit. Comes before all writes.
    fn prepare(&self, size: u64) -> Result<()>;

    /// Writes all of `data` at `offset`.
    fn write_at(&self, data: &[u8], offset: u64) -> Result<()>;

    /// Makes the range read as zeroes, as a hole where that is possible.
    fn zero(&self, range: Range<u64>) -> Result<()>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_go_back_across_the_second() {
        let time = FileTime::new(10, 5);
        assert_eq!(time.minus_nanos(5), FileTime::new(10, 0));
        assert_eq!(time.minus_nanos(6), FileTime::new(9, 999_999_999));
        assert_eq!(
            time.minus_nanos(2_000_000_006),
            FileTime::new(7, 999_999_999)
        );
    }
}
