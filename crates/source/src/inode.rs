//! Stat, extended attributes and the setting of attributes, by descriptor or by entry.
//!
//! Entries that cannot be opened without a side effect (links, pipes, devices) are reached
//! through `/proc/self/fd/N/name`: the calls for their extended attributes take paths only.

use std::{
    os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd},
    path::{Path, PathBuf},
};

use rustix::{
    fs::{
        self, AtFlags, FileType, Gid, Mode, OFlags, StatxFlags, StatxTimestamp, Timespec,
        Timestamps, UTIME_OMIT, Uid, XattrFlags,
    },
    io::{Errno, retry_on_intr},
};

use strongroom_model::content::{
    Attributes, Error, FileKind, FileTime, Name, Refused, Result, Stat, Xattr,
};

/// Which inode of which device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Identity {
    pub(crate) device: u64,
    inode: u64,
}

impl Identity {
    pub(crate) fn of(stat: &Stat) -> Self {
        Self {
            device: stat.device,
            inode: stat.inode,
        }
    }
}

/// Opens an entry without touching its access time, where the system lets us.
pub(crate) fn open_quietly<P: AsFd>(
    parent: P,
    name: &[u8],
    flags: OFlags,
) -> rustix::io::Result<OwnedFd> {
    let open = |flags| retry_on_intr(|| fs::openat(&parent, name, flags, Mode::empty()));
    match open(flags | OFlags::NOATIME) {
        // Only the owner and root may leave the access time alone.
        Err(Errno::PERM) => open(flags),
        opened => opened,
    }
}

/// About an open file.
pub(crate) fn stat_fd(fd: &OwnedFd) -> rustix::io::Result<Stat> {
    stat(fd.as_fd(), b"", AtFlags::EMPTY_PATH)
}

/// About an entry; links are not followed, nothing is mounted.
pub(crate) fn stat_entry(parent: &OwnedFd, name: &Name) -> rustix::io::Result<Stat> {
    stat(
        parent.as_fd(),
        name.as_bytes(),
        AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT,
    )
}

fn stat(parent: BorrowedFd<'_>, name: &[u8], flags: AtFlags) -> rustix::io::Result<Stat> {
    let found = retry_on_intr(|| fs::statx(parent, name, flags, StatxFlags::BASIC_STATS))?;
    let mode = u32::from(found.stx_mode);
    let kind = match FileType::from_raw_mode(mode) {
        FileType::Directory => FileKind::Directory,
        FileType::Symlink => FileKind::Symlink,
        FileType::Fifo => FileKind::Fifo,
        FileType::Socket => FileKind::Socket,
        FileType::CharacterDevice => FileKind::CharDevice,
        FileType::BlockDevice => FileKind::BlockDevice,
        FileType::RegularFile | FileType::Unknown => FileKind::File,
    };
    Ok(Stat {
        kind,
        mode: mode & 0o7777,
        uid: found.stx_uid,
        gid: found.stx_gid,
        size: found.stx_size,
        allocated: found.stx_blocks * 512,
        modified: time(&found.stx_mtime),
        changed: time(&found.stx_ctime),
        inode: found.stx_ino,
        device: pack_device(found.stx_dev_major, found.stx_dev_minor),
        links: u64::from(found.stx_nlink),
        special: pack_device(found.stx_rdev_major, found.stx_rdev_minor),
    })
}

fn time(stamp: &StatxTimestamp) -> FileTime {
    FileTime::new(stamp.tv_sec, stamp.tv_nsec)
}

/// A device number as one integer: major in the upper half.
fn pack_device(major: u32, minor: u32) -> u64 {
    u64::from(major) << 32 | u64::from(minor)
}

/// The system's form of a packed device number.
pub(crate) fn device_number(packed: u64) -> fs::Dev {
    let minor = packed & u64::from(u32::MAX);
    let half = |part: u64| u32::try_from(part).expect("half of 64 bits");
    fs::makedev(half(packed >> 32), half(minor))
}

/// What extended attributes belong to.
#[derive(Clone, Copy)]
pub(crate) enum Owner<'a> {
    /// An open file or directory.
    Open(&'a OwnedFd),
    /// An entry that must not be opened.
    Entry(&'a OwnedFd, &'a Name),
}

impl Owner<'_> {
    fn path(parent: &OwnedFd, name: &Name) -> PathBuf {
        use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _};
        Path::new("/proc/self/fd")
            .join(parent.as_raw_fd().to_string())
            .join(OsStr::from_bytes(name.as_bytes()))
    }

    fn list(self, buffer: &mut [u8]) -> rustix::io::Result<usize> {
        match self {
            Self::Open(fd) => fs::flistxattr(fd, buffer),
            Self::Entry(parent, name) => fs::llistxattr(Self::path(parent, name), buffer),
        }
    }

    fn get(self, key: &[u8], buffer: &mut [u8]) -> rustix::io::Result<usize> {
        match self {
            Self::Open(fd) => fs::fgetxattr(fd, key, buffer),
            Self::Entry(parent, name) => fs::lgetxattr(Self::path(parent, name), key, buffer),
        }
    }

    fn set(self, xattr: &Xattr) -> rustix::io::Result<()> {
        let (key, value, flags) = (&*xattr.name, &*xattr.value, XattrFlags::empty());
        match self {
            Self::Open(fd) => fs::fsetxattr(fd, key, value, flags),
            Self::Entry(parent, name) => fs::lsetxattr(Self::path(parent, name), key, value, flags),
        }
    }
}

/// All extended attributes, sorted by name.
pub(crate) fn xattrs(owner: Owner<'_>) -> rustix::io::Result<Vec<Xattr>> {
    let keys = match sized(|buffer| owner.list(buffer)) {
        // The file system knows no extended attributes.
        Err(Errno::NOTSUP) => return Ok(Vec::new()),
        keys => keys?,
    };
    let mut found = Vec::new();
    for key in keys.split(|byte| *byte == 0).filter(|key| !key.is_empty()) {
        match sized(|buffer| owner.get(key, buffer)) {
            // Removed between the list and now.
            Err(Errno::NODATA) => {}
            value => found.push(Xattr {
                name: key.to_vec(),
                value: value?,
            }),
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// Calls `fill` with a buffer that is large enough, whatever changes in between.
fn sized(
    mut fill: impl FnMut(&mut [u8]) -> rustix::io::Result<usize>,
) -> rustix::io::Result<Vec<u8>> {
    let mut small = [0; 256];
    match retry_on_intr(|| fill(&mut small)) {
        Err(Errno::RANGE) => {}
        length => return Ok(small.get(..length?).unwrap_or_default().to_vec()),
    }
    // The kernel's limit for a value and for a list is 64 KiB each.
    let mut large = vec![0; 65_536];
    let length = retry_on_intr(|| fill(&mut large))?;
    large.truncate(length);
    Ok(large)
}

/// Sets everything on an open file or directory. The order matters: a change of owner clears
/// setuid bits and file capabilities, an ACL changes the group's bits, times come last.
pub(crate) fn set_on_open(
    fd: &OwnedFd,
    path: &dyn Fn() -> PathBuf,
    wanted: &Attributes,
) -> Result<Refused> {
    let mut setting = Setting::new(path);
    let (uid, gid) = (Uid::from_raw(wanted.uid), Gid::from_raw(wanted.gid));
    let owned = setting.attempt("set the owner of", || fs::fchown(fd, Some(uid), Some(gid)));
    let mode = mode_after_chown(wanted.mode, owned);
    setting.xattrs(Owner::Open(fd), &wanted.xattrs);
    setting.attempt("set the mode of", || fs::fchmod(fd, mode));
    setting.attempt("set the times of", || fs::futimens(fd, &times(wanted)));
    setting.end()
}

/// Sets everything on an entry that must not be opened, in the same order.
pub(crate) fn set_on_entry(
    parent: &OwnedFd,
    name: &Name,
    kind: FileType,
    path: &dyn Fn() -> PathBuf,
    wanted: &Attributes,
) -> Result<Refused> {
    let mut setting = Setting::new(path);
    let flags = AtFlags::SYMLINK_NOFOLLOW;
    let (uid, gid) = (Uid::from_raw(wanted.uid), Gid::from_raw(wanted.gid));
    let owned = setting.attempt("set the owner of", || {
        fs::chownat(parent, name.as_bytes(), Some(uid), Some(gid), flags)
    });
    let mode = mode_after_chown(wanted.mode, owned);
    setting.xattrs(Owner::Entry(parent, name), &wanted.xattrs);
    // A symlink has no mode of its own.
    if kind != FileType::Symlink {
        setting.attempt("set the mode of", || {
            fs::chmodat(parent, name.as_bytes(), mode, AtFlags::empty())
        });
    }
    setting.attempt("set the times of", || {
        fs::utimensat(parent, name.as_bytes(), &times(wanted), flags)
    });
    setting.end()
}

/// Attributes on their way to an entry. What the caller may not do or the file system does not know
/// is refused, which is noted; anything else, a full or broken disk say, is a failure. Either way
/// the other attributes are set.
struct Setting<'p> {
    path: &'p dyn Fn() -> PathBuf,
    refused: Refused,
    failed: Option<Error>,
}

impl<'p> Setting<'p> {
    const fn new(path: &'p dyn Fn() -> PathBuf) -> Self {
        Self {
            path,
            refused: Refused::new(),
            failed: None,
        }
    }

    /// Sets an attribute; whether that is done.
    fn attempt(
        &mut self,
        action: &'static str,
        set: impl FnMut() -> rustix::io::Result<()>,
    ) -> bool {
        let Err(errno) = retry_on_intr(set) else {
            return true;
        };
        let error = Error::io(action, &(self.path)())(errno);
        match errno {
            Errno::PERM
            | Errno::ACCESS
            | Errno::OPNOTSUPP
            | Errno::NOSYS
            | Errno::INVAL
            | Errno::RANGE
            | Errno::TOOBIG => self.refused.push(error),
            _ => {
                self.failed.get_or_insert(error);
            }
        }
        false
    }

    fn xattrs(&mut self, owner: Owner<'_>, xattrs: &[Xattr]) {
        for xattr in xattrs {
            self.attempt("set an extended attribute of", || owner.set(xattr));
        }
    }

    fn end(self) -> Result<Refused> {
        self.failed.map_or(Ok(self.refused), Err)
    }
}

/// Without its owner a setuid program would run as somebody else: the bits go.
fn mode_after_chown(mode: u32, owned: bool) -> Mode {
    Mode::from_raw_mode(if owned { mode } else { mode & 0o1777 })
}

fn times(wanted: &Attributes) -> Timestamps {
    Timestamps {
        last_access: Timespec {
            tv_sec: 0,
            tv_nsec: UTIME_OMIT,
        },
        last_modification: Timespec {
            tv_sec: wanted.modified.seconds,
            tv_nsec: wanted.modified.nanos.into(),
        },
    }
}

/// The time by the clock that the kernel stamps files with.
pub(crate) fn clock() -> FileTime {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::RealtimeCoarse);
    FileTime::new(now.tv_sec, u32::try_from(now.tv_nsec).unwrap_or_default())
}
