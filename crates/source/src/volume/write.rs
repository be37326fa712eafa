//! Writes a disk: a new image through a shadow, an existing one block by differing block.
//!
//! An existing device or image cannot be switched by a rename, so it is written directly, after
//! the check that everything fits. Blocks that hold the wanted bytes already are left alone:
//! going back a day costs as much writing as a day changed, and an image keeps its holes.

use std::{
    ops::Range,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    sync::Mutex,
};

use rustix::{
    fs::{self, FallocateFlags, Mode, OFlags},
    io::{Errno, retry_on_intr},
};

use super::read::open_raw;
use crate::{
    handle::lock,
    registry::Place,
    shadow::{Shadow, split},
    share::next_data,
    whole::{read_full, write_full},
};
use strongroom_model::content::{BlockSink, Error, FileKind, Name, Result};

/// How much is compared at a time.
const STEP_BYTES: usize = 65_536;

/// A place that a disk is restored to.
///
/// A new image shows only after [`switch`](Self::switch); dropped without it, nothing remains.
pub struct VolumeTarget {
    fd: OwnedFd,
    path: PathBuf,
    way: Way,
    wanted: Mutex<u64>,
    switched: bool,
}

enum Way {
    Shadowed { shadow: Shadow, name: Name },
    Direct { size: u64, kind: FileKind },
}

impl VolumeTarget {
    /// Prepares a restore to `path`. A new place must not exist; in place, an image or a device
    /// that nothing else uses must be there.
    pub fn create(path: &Path, place: Place) -> Result<Self> {
        let (fd, way) = match place {
            Place::New => Self::create_new(path)?,
            Place::InPlace => {
                // Exclusive: the kernel refuses a device that is mounted or otherwise in use.
                let (fd, size, kind) = open_raw(path, OFlags::RDWR | OFlags::EXCL)?;
                (fd, Way::Direct { size, kind })
            }
        };
        Ok(Self {
            fd,
            path: path.to_owned(),
            way,
            wanted: Mutex::new(0),
            switched: false,
        })
    }

    fn create_new(path: &Path) -> Result<(OwnedFd, Way)> {
        let (parent, name) = split(path)?;
        match crate::inode::stat_entry(&*parent.fd()?, &name) {
            Err(Errno::NOENT) => {}
            Ok(_) => {
                return Err(Error::TargetNotEmpty {
                    path: path.to_owned(),
                });
            }
            Err(errno) => return Err(parent.refused("stat", &name, errno)),
        }
        let shadow = Shadow::create(&parent, &name)?;
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR;
        let fd = fs::openat(&*shadow.container().fd()?, name.as_bytes(), flags, mode)
            .map_err(|errno| parent.refused("make the file", &name, errno))?;
        Ok((fd, Way::Shadowed { shadow, name }))
    }

    /// Makes what was written durable; a new image appears in its place.
    pub fn switch(mut self) -> Result<()> {
        let wanted = *lock(&self.wanted);
        match &self.way {
            Way::Direct {
                size,
                kind: FileKind::File,
            } if *size > wanted => {
                retry_on_intr(|| fs::ftruncate(&self.fd, wanted))
                    .map_err(self.refused("set the size of"))?;
            }
            _ => {}
        }
        retry_on_intr(|| fs::fsync(&self.fd)).map_err(self.refused("write out"))?;
        self.switched = true;
        if let Way::Shadowed { shadow, name } = &self.way {
            shadow
                .move_to_new_place(name)
                .inspect_err(|_| self.switched = false)?;
            shadow.remove()?;
        }
        Ok(())
    }

    fn refused(&self, action: &'static str) -> impl Fn(Errno) -> Error {
        move |errno| Error::io(action, &self.path)(errno)
    }

    /// Writes the steps of `data` that differ from what is there.
    fn write_differing(&self, data: &[u8], offset: u64) -> Result<()> {
        let mut present = vec![0; STEP_BYTES];
        for (wanted, offset) in data.chunks(STEP_BYTES).zip((offset..).step_by(STEP_BYTES)) {
            let present = present
                .get_mut(..wanted.len())
                .expect("a step is no longer");
            read_full(&self.fd, present, offset).map_err(self.refused("read"))?;
            if present != wanted {
                write_full(&self.fd, wanted, offset).map_err(self.refused("write"))?;
            }
        }
        Ok(())
    }

    /// Makes the data in `range` a hole, or writes zeroes over it.
    fn clear(&self, range: Range<u64>) -> Result<()> {
        let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        let length = range.end - range.start;
        match fs::fallocate(&self.fd, flags, range.start, length) {
            Ok(()) => Ok(()),
            Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL | Errno::NODEV) => {
                let zeroes = vec![0; STEP_BYTES];
                for start in range.clone().step_by(STEP_BYTES) {
                    let length = (range.end - start).min(STEP_BYTES as u64);
                    let length = usize::try_from(length).expect("at most a step");
                    self.write_differing(zeroes.get(..length).unwrap_or_default(), start)?;
                }
                Ok(())
            }
            Err(errno) => Err(self.refused("make a hole in")(errno)),
        }
    }
}

impl Drop for VolumeTarget {
    fn drop(&mut self) {
        if let Way::Shadowed { shadow, .. } = &self.way
            && !self.switched
            && let Err(error) = shadow.remove()
        {
            tracing::warn!(%error, "the shadow of a restore stays; the next restore removes it");
        }
    }
}

impl BlockSink for VolumeTarget {
    fn prepare(&self, needed: u64) -> Result<()> {
        match self.way {
            Way::Direct { size, .. } if size < needed => {
                return Err(Error::TargetTooSmall {
                    path: self.path.clone(),
                    size,
                    needed,
                });
            }
            Way::Direct { .. } => {}
            Way::Shadowed { .. } => {
                retry_on_intr(|| fs::ftruncate(&self.fd, needed))
                    .map_err(self.refused("set the size of"))?;
            }
        }
        *lock(&self.wanted) = needed;
        Ok(())
    }

    fn write_at(&self, data: &[u8], offset: u64) -> Result<()> {
        match self.way {
            Way::Shadowed { .. } => {
                write_full(&self.fd, data, offset).map_err(self.refused("write"))
            }
            Way::Direct { .. } => self.write_differing(data, offset),
        }
    }

    fn zero(&self, range: Range<u64>) -> Result<()> {
        let Way::Direct { size, .. } = self.way else {
            return Ok(());
        };
        let mut from = range.start;
        while let Some(data) = next_data(&self.fd, from, size.min(range.end))
            .map_err(self.refused("find the holes of"))?
        {
            self.clear(data.clone())?;
            from = data.end;
        }
        Ok(())
    }
}
