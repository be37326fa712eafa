//! Reads a directory tree.
//!
//! Nothing here follows a link below the root, waits at a pipe or opens a device. File systems
//! of the kernel's own (`/proc`, `/sys`, cgroups …) are shown as empty directories, because
//! their files are not data and some of them never end.

use std::{
    ops::Range,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    sync::Arc,
};

use rustix::{
    fs::{OFlags, SeekFrom, fstatfs, readlinkat, seek},
    io::Errno,
};

use super::exclude::{Exclude, Scope};
use crate::{
    handle::Directory,
    inode::{self, Owner},
    whole::read_full,
};
use strongroom_model::content::{
    Error, FileTime, Name, Result, SourceDirectory, SourceFile, Stat, TreeSource, Xattr,
};

/// What to do with file systems that are mounted inside a share.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Mounts {
    /// They belong to the share.
    #[default]
    Cross,
    /// They are kept as empty directories.
    Stay,
}

/// A directory tree that can be read.
pub struct Share {
    path: PathBuf,
    mounts: Mounts,
    exclude: Option<Arc<Exclude>>,
}

impl Share {
    /// The tree below `path`, with what is mounted in it.
    pub fn open(path: &Path) -> Result<Self> {
        Self::open_with(path, Mounts::Cross)
    }

    /// The tree below `path`.
    pub fn open_with(path: &Path, mounts: Mounts) -> Result<Self> {
        match Directory::open_root(path) {
            Ok(_) => Ok(Self {
                path: path.to_owned(),
                mounts,
                exclude: None,
            }),
            Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotADirectory => {
                Err(Error::WrongKind {
                    path: path.to_owned(),
                    expected: "a directory",
                })
            }
            Err(error) => Err(error),
        }
    }

    /// The same tree without what the rules leave out.
    #[must_use]
    pub fn excluding(self, rules: Arc<Exclude>) -> Self {
        Self {
            exclude: Some(rules),
            ..self
        }
    }
}

impl TreeSource for Share {
    fn root(&self) -> Result<Arc<dyn SourceDirectory>> {
        let directory = Directory::open_root(&self.path)?;
        Ok(Arc::new(OpenDirectory {
            directory,
            mounts: self.mounts,
            fenced: false,
            scope: self.exclude.clone().map(Scope::root),
        }))
    }

    fn clock(&self) -> FileTime {
        inode::clock()
    }
}

struct OpenDirectory {
    directory: Directory,
    mounts: Mounts,
    /// Shown as empty: another file system begins here.
    fenced: bool,
    scope: Option<Scope>,
}

impl SourceDirectory for OpenDirectory {
    fn stat(&self) -> Result<Stat> {
        inode::stat_fd(&*self.directory.fd()?)
            .map_err(|errno| Error::io("stat", &self.directory.path())(errno))
    }

    fn xattrs(&self) -> Result<Vec<Xattr>> {
        let fd = self.directory.fd()?;
        inode::xattrs(Owner::Open(&fd)).map_err(|errno| {
            Error::io("read the extended attributes of", &self.directory.path())(errno)
        })
    }

    fn names(&self) -> Result<Vec<Name>> {
        if self.fenced {
            return Ok(Vec::new());
        }
        let mut names = crate::removal::names(&self.directory)?;
        if let Some(scope) = &self.scope {
            scope.retain(&self.directory, &mut names)?;
        }
        Ok(names)
    }

    fn stat_entry(&self, name: &Name) -> Result<Stat> {
        inode::stat_entry(&*self.directory.fd()?, name)
            .map_err(|errno| self.directory.refused("stat", name, errno))
    }

    fn xattrs_of_entry(&self, name: &Name) -> Result<Vec<Xattr>> {
        inode::xattrs(Owner::Entry(&*self.directory.fd()?, name)).map_err(|errno| {
            self.directory
                .refused("read the extended attributes of", name, errno)
        })
    }

    fn link_target(&self, name: &Name) -> Result<Vec<u8>> {
        match readlinkat(&*self.directory.fd()?, name.as_bytes(), Vec::new()) {
            Ok(target) => Ok(target.into_bytes()),
            // It is no link any more.
            Err(Errno::INVAL) => Err(Error::Replaced {
                path: self.directory.path_of(name),
            }),
            Err(errno) => Err(self.directory.refused("read the link", name, errno)),
        }
    }

    fn open_directory(&self, name: &Name) -> Result<Arc<dyn SourceDirectory>> {
        let directory = self.directory.open_directory(name)?;
        let crossed = directory.identity().device != self.directory.identity().device;
        let fenced = self.fenced
            || crossed && (self.mounts == Mounts::Stay || is_kernels_own(&*directory.fd()?));
        Ok(Arc::new(Self {
            directory,
            mounts: self.mounts,
            fenced,
            scope: self.scope.as_ref().map(|scope| scope.below(name)),
        }))
    }

    fn open_file(&self, name: &Name) -> Result<Box<dyn SourceFile>> {
        // Should the entry have become a pipe or a terminal meanwhile, opening it must neither
        // wait nor take it over.
        let flags =
            OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let fd = inode::open_quietly(&*self.directory.fd()?, name.as_bytes(), flags)
            .map_err(|errno| self.directory.refused("open", name, errno))?;
        Ok(Box::new(OpenFile {
            fd,
            directory: self.directory.clone(),
            name: name.clone(),
        }))
    }
}

/// Whether the file system shows the kernel's state and no data.
fn is_kernels_own(fd: &OwnedFd) -> bool {
    /// Magic numbers of `linux/magic.h`.
    const KERNELS_OWN: [u32; 14] = [
        0x0000_9fa0, // proc
        0x6265_6572, // sysfs
        0x0000_1cd1, // devpts
        0x0027_e0eb, // cgroup
        0x6367_7270, // cgroup2
        0x6462_6720, // debugfs
        0x7472_6163, // tracefs
        0x7363_6673, // securityfs
        0xf97c_ff8c, // selinux
        0xcafe_4a11, // bpf
        0x6165_676c, // pstore
        0xde5e_81e4, // efivarfs
        0x1980_0202, // mqueue
        0x4249_4e4d, // binfmt_misc
    ];
    fstatfs(fd).is_ok_and(|found| {
        u32::try_from(found.f_type).is_ok_and(|magic| KERNELS_OWN.contains(&magic))
    })
}

struct OpenFile {
    fd: OwnedFd,
    directory: Directory,
    name: Name,
}

impl OpenFile {
    fn refused(&self, action: &'static str) -> impl Fn(Errno) -> Error {
        move |errno| self.directory.refused(action, &self.name, errno)
    }
}

impl SourceFile for OpenFile {
    fn stat(&self) -> Result<Stat> {
        inode::stat_fd(&self.fd).map_err(self.refused("stat"))
    }

    fn xattrs(&self) -> Result<Vec<Xattr>> {
        inode::xattrs(Owner::Open(&self.fd))
            .map_err(self.refused("read the extended attributes of"))
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> Result<usize> {
        read_full(&self.fd, buffer, offset).map_err(self.refused("read"))
    }

    fn next_data(&self, from: u64) -> Result<Option<Range<u64>>> {
        next_data(&self.fd, from, u64::MAX).map_err(self.refused("find the holes of"))
    }
}

/// The next range of a file or device that is not a hole, cut at `size`.
pub(crate) fn next_data(
    fd: &OwnedFd,
    from: u64,
    size: u64,
) -> rustix::io::Result<Option<Range<u64>>> {
    if from >= size {
        return Ok(None);
    }
    let start = match seek(fd, SeekFrom::Data(from)) {
        Ok(start) => start,
        Err(Errno::NXIO) => return Ok(None),
        // A file system that knows no holes.
        Err(Errno::INVAL | Errno::OPNOTSUPP | Errno::NOTTY) => {
            let end = seek(fd, SeekFrom::End(0))?.min(size);
            return Ok((from < end).then_some(from..end));
        }
        Err(errno) => return Err(errno),
    };
    let end = match seek(fd, SeekFrom::Hole(start)) {
        Ok(end) => end,
        // Cut off meanwhile.
        Err(Errno::NXIO) => return Ok(None),
        Err(errno) => return Err(errno),
    };
    Ok((start < size).then(|| start..end.min(size)))
}
