//! Reads a raw image file or a block device.
//!
//! The size is that of the moment of opening. A file says by its stat whether it changed since
//! another time; a device says nothing, so it is always read.

use std::{
    ops::Range,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
};

use rustix::{
    fs::{CWD, Mode, OFlags, SeekFrom, openat, seek},
    io::Errno,
};

use crate::{inode, share::next_data, whole::read_full};
use strongroom_model::content::{BlockSource, Error, FileKind, FileTime, Result, Stat};

/// A raw disk that can be read.
pub struct Volume {
    fd: OwnedFd,
    path: PathBuf,
    size: u64,
    kind: FileKind,
}

impl Volume {
    /// Opens the image or device at `path`, following links.
    pub fn open(path: &Path) -> Result<Self> {
        let (fd, size, kind) = open_raw(path, OFlags::RDONLY)?;
        Ok(Self {
            fd,
            path: path.to_owned(),
            size,
            kind,
        })
    }
}

/// Opens an image or device and finds its size.
pub(super) fn open_raw(path: &Path, access: OFlags) -> Result<(OwnedFd, u64, FileKind)> {
    // Not waiting matters if the path leads to a pipe.
    let flags = access | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let fd = match openat(CWD, path, flags, Mode::empty()) {
        Err(Errno::ISDIR) => return Err(wrong_kind(path)),
        opened => opened.map_err(Error::io("open", path))?,
    };
    let stat = inode::stat_fd(&fd).map_err(Error::io("stat", path))?;
    let size = match stat.kind {
        FileKind::File => stat.size,
        FileKind::BlockDevice => {
            seek(&fd, SeekFrom::End(0)).map_err(Error::io("find the size of", path))?
        }
        _ => return Err(wrong_kind(path)),
    };
    Ok((fd, size, stat.kind))
}

fn wrong_kind(path: &Path) -> Error {
    Error::WrongKind {
        path: path.to_owned(),
        expected: "a regular file or a block device",
    }
}

impl BlockSource for Volume {
    fn size(&self) -> u64 {
        self.size
    }

    fn stat(&self) -> Result<Option<Stat>> {
        match self.kind {
            FileKind::File => inode::stat_fd(&self.fd)
                .map(Some)
                .map_err(Error::io("stat", &self.path)),
            _ => Ok(None),
        }
    }

    fn clock(&self) -> FileTime {
        inode::clock()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> Result<()> {
        match read_full(&self.fd, buffer, offset) {
            Ok(count) if count == buffer.len() => Ok(()),
            Ok(_) => Err(Error::Io {
                action: "read",
                path: self.path.clone(),
                source: std::io::ErrorKind::UnexpectedEof.into(),
            }),
            Err(errno) => Err(Error::io("read", &self.path)(errno)),
        }
    }

    fn next_data(&self, from: u64) -> Result<Option<Range<u64>>> {
        next_data(&self.fd, from, self.size).map_err(Error::io("find the holes of", &self.path))
    }
}
