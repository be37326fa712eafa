//! Writes a directory tree: into a shadow, then, with one switch, into its place.
//!
//! Names come from manifests, so they are taken for what they are worth: everything is made
//! relative to open directories of the shadow, exclusively, and no link is ever followed.

use std::{
    collections::HashMap,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
};

use rustix::{
    fs::{self, AtFlags, FileType, Mode, OFlags, StatxAttributes, StatxFlags},
    io::{Errno, retry_on_intr},
};

use super::mounted::Mounted;
use crate::{
    handle::{Directory, lock},
    inode,
    registry::Place,
    shadow::{Shadow, split},
    whole::write_full,
};
use strongroom_model::content::{
    Attributes, Error, LinkGroup, Name, Refused, Result, SinkDirectory, SinkFile, Special, TreeSink,
};

/// A place that a directory tree, or one entry of one, is restored to.
///
/// Nothing shows there before [`switch`](Self::switch); dropped without it, nothing remains.
pub struct ShareTarget {
    stage: Stage,
    name: Name,
    place: Place,
    links: Arc<Links>,
    switched: bool,
}

enum Stage {
    Beside(Shadow),
    Inside(Mounted),
}

impl ShareTarget {
    /// Prepares a restore to `path`. A new place must not exist, or be an empty directory; its
    /// parent must exist. In place, what is there is replaced.
    pub fn create(path: &Path, place: Place) -> Result<Self> {
        // A share may be registered by a link to it: what is replaced is what it leads to.
        let path = match (place, path.canonicalize()) {
            (Place::InPlace, Ok(resolved)) => resolved,
            _ => path.to_owned(),
        };
        let (parent, name) = split(&path)?;
        let stage = match existing(&parent, &name)? {
            Existing::MountPoint => Stage::Inside(Mounted::create(&path)?),
            Existing::Nothing | Existing::Entry { .. } if place == Place::InPlace => {
                refuse_inner_mounts(&path)?;
                Stage::Beside(Shadow::create(&parent, &name)?)
            }
            Existing::Entry { empty: false } => return Err(Error::TargetNotEmpty { path }),
            _ => Stage::Beside(Shadow::create(&parent, &name)?),
        };
        let target = Self {
            stage,
            name,
            place,
            links: Arc::default(),
            switched: false,
        };
        match &target.stage {
            Stage::Inside(mounted) if place == Place::New && !mounted.is_empty()? => {
                Err(Error::TargetNotEmpty { path })
            }
            _ => Ok(target),
        }
    }

    /// Makes what was written durable and puts it in its place, all at once.
    pub fn switch(mut self) -> Result<Refused> {
        let refused = match (&self.stage, self.place) {
            (Stage::Beside(shadow), Place::New) => {
                shadow.sync()?;
                shadow.move_to_new_place(&self.name)?;
                Refused::new()
            }
            (Stage::Beside(shadow), Place::InPlace) => {
                shadow.sync()?;
                shadow.exchange(&self.name)?;
                Refused::new()
            }
            (Stage::Inside(mounted), _) => {
                mounted.sync()?;
                mounted.switch(&self.name)?
            }
        };
        self.switched = true;
        self.remove_shadow()?;
        Ok(refused)
    }

    fn remove_shadow(&self) -> Result<()> {
        match &self.stage {
            Stage::Beside(shadow) => shadow.remove(),
            Stage::Inside(mounted) => mounted.remove(),
        }
    }
}

impl Drop for ShareTarget {
    fn drop(&mut self) {
        if !self.switched
            && let Err(error) = self.remove_shadow()
        {
            tracing::warn!(%error, "the shadow of a restore stays; the next restore removes it");
        }
    }
}

impl TreeSink for ShareTarget {
    fn top(&self) -> Result<(Arc<dyn SinkDirectory>, Name)> {
        let directory = match &self.stage {
            Stage::Beside(shadow) => shadow.container(),
            Stage::Inside(mounted) => mounted.incoming(),
        };
        let top = NewDirectory {
            directory: directory.clone(),
            links: Arc::clone(&self.links),
        };
        Ok((Arc::new(top), self.name.clone()))
    }
}

enum Existing {
    Nothing,
    Entry { empty: bool },
    MountPoint,
}

/// What is at the target now.
fn existing(parent: &Directory, name: &Name) -> Result<Existing> {
    let fd = parent.fd()?;
    let flags = AtFlags::SYMLINK_NOFOLLOW;
    let found = match fs::statx(&*fd, name.as_bytes(), flags, StatxFlags::BASIC_STATS) {
        Ok(found) => found,
        Err(Errno::NOENT) => return Ok(Existing::Nothing),
        Err(errno) => return Err(parent.refused("stat", name, errno)),
    };
    if FileType::from_raw_mode(u32::from(found.stx_mode)) != FileType::Directory {
        return Ok(Existing::Entry { empty: false });
    }
    let directory = parent.open_directory(name)?;
    if found.stx_attributes.contains(StatxAttributes::MOUNT_ROOT)
        || directory.identity().device != parent.identity().device
    {
        return Ok(Existing::MountPoint);
    }
    Ok(Existing::Entry {
        empty: crate::removal::names(&directory)?.is_empty(),
    })
}

/// Old content is removed after the switch; what is mounted inside it must not go with it.
fn refuse_inner_mounts(path: &Path) -> Result<()> {
    let Ok(mounts) = std::fs::read_to_string("/proc/self/mountinfo") else {
        // Without the list, removal still refuses to enter a mount.
        return Ok(());
    };
    let inner = mounts
        .lines()
        .filter_map(|line| line.split(' ').nth(4))
        .map(unescape);
    for point in inner {
        if point != path && point.starts_with(path) {
            return Err(Error::HoldsMount {
                path: path.to_owned(),
                point,
            });
        }
    }
    Ok(())
}

/// Undoes the octal escapes of `/proc/self/mountinfo`.
fn unescape(text: &str) -> PathBuf {
    let mut path = text.to_owned();
    for (escape, letter) in [
        ("\\040", " "),
        ("\\011", "\t"),
        ("\\012", "\n"),
        ("\\134", "\\"),
    ] {
        path = path.replace(escape, letter);
    }
    path.into()
}

/// The first name of every group of hard links that still lacks some.
#[derive(Default)]
struct Links(Mutex<Members>);

type Members = HashMap<(u64, u64, u64), Member>;

struct Member {
    directory: Directory,
    name: Name,
    missing: u64,
}

impl Links {
    /// Holds the table of links, if the entry is in a group at all: two names of one group must
    /// not be made at the same time.
    fn of(&self, group: Option<&LinkGroup>) -> Option<MutexGuard<'_, Members>> {
        group.map(|_| lock(&self.0))
    }
}

fn key(group: &LinkGroup) -> (u64, u64, u64) {
    (group.device, group.inode, group.content)
}

struct NewDirectory {
    directory: Directory,
    links: Arc<Links>,
}

impl NewDirectory {
    /// Makes `name` a link to a member of the group, if there is one.
    fn join(&self, name: &Name, group: &LinkGroup, members: &mut Members) -> Result<bool> {
        let Some(member) = members.get_mut(&key(group)) else {
            return Ok(false);
        };
        let (from, to) = (member.directory.fd()?, self.directory.fd()?);
        match fs::linkat(
            &*from,
            member.name.as_bytes(),
            &*to,
            name.as_bytes(),
            AtFlags::empty(),
        ) {
            Ok(()) => {}
            // The target's limit of links is lower than the source's: begin another inode.
            Err(Errno::MLINK) => {
                members.remove(&key(group));
                return Ok(false);
            }
            Err(errno) => return Err(self.directory.refused("link", name, errno)),
        }
        member.missing -= 1;
        if member.missing == 0 {
            members.remove(&key(group));
        }
        Ok(true)
    }

    fn begin(&self, name: &Name, group: &LinkGroup, members: &mut Members) {
        if let Some(missing) = group.links.checked_sub(1).filter(|missing| *missing > 0) {
            let directory = self.directory.clone();
            members.insert(
                key(group),
                Member {
                    directory,
                    name: name.clone(),
                    missing,
                },
            );
        }
    }

    fn create_file(&self, name: &Name, size: u64) -> Result<Arc<dyn SinkFile>> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
        let mode = Mode::RUSR | Mode::WUSR;
        let fd = self.directory.fd()?;
        let open = || fs::openat(&*fd, name.as_bytes(), flags | OFlags::CLOEXEC, mode);
        let fd = retry_on_intr(open)
            .map_err(|errno| self.directory.refused("make the file", name, errno))?;
        let directory = self.directory.clone();
        let name = name.clone();
        Ok(Arc::new(NewFile {
            fd,
            directory,
            name,
            size,
            written: AtomicU64::new(0),
        }))
    }

    fn create_special(&self, name: &Name, special: &Special) -> rustix::io::Result<FileType> {
        let fd = self.directory.fd().map_err(|_| Errno::STALE)?;
        let mode = Mode::RUSR | Mode::WUSR;
        let (kind, device) = match special {
            Special::Symlink(target) => {
                fs::symlinkat(&**target, &*fd, name.as_bytes())?;
                return Ok(FileType::Symlink);
            }
            Special::Fifo => (FileType::Fifo, 0),
            Special::CharDevice(number) => (FileType::CharacterDevice, *number),
            Special::BlockDevice(number) => (FileType::BlockDevice, *number),
        };
        fs::mknodat(
            &*fd,
            name.as_bytes(),
            kind,
            mode,
            inode::device_number(device),
        )?;
        Ok(kind)
    }
}

impl SinkDirectory for NewDirectory {
    fn make_directory(&self, name: &Name) -> Result<Arc<dyn SinkDirectory>> {
        fs::mkdirat(&*self.directory.fd()?, name.as_bytes(), Mode::RWXU)
            .map_err(|errno| self.directory.refused("make the directory", name, errno))?;
        let directory = self.directory.open_directory(name)?;
        Ok(Arc::new(Self {
            directory,
            links: Arc::clone(&self.links),
        }))
    }

    fn make_file(
        &self,
        name: &Name,
        size: u64,
        group: Option<&LinkGroup>,
    ) -> Result<Option<Arc<dyn SinkFile>>> {
        let mut members = self.links.of(group);
        if let (Some(group), Some(members)) = (group, &mut members)
            && self.join(name, group, members)?
        {
            return Ok(None);
        }
        let file = self.create_file(name, size)?;
        if let (Some(group), Some(members)) = (group, &mut members) {
            self.begin(name, group, members);
        }
        Ok(Some(file))
    }

    fn make_special(
        &self,
        name: &Name,
        special: &Special,
        attributes: &Attributes,
        group: Option<&LinkGroup>,
    ) -> Result<Refused> {
        let mut members = self.links.of(group);
        if let (Some(group), Some(members)) = (group, &mut members)
            && self.join(name, group, members)?
        {
            return Ok(Refused::new());
        }
        let action = match special {
            Special::Symlink(_) => "make the symlink",
            Special::Fifo => "make the pipe",
            Special::CharDevice(_) | Special::BlockDevice(_) => "make the device",
        };
        let kind = self
            .create_special(name, special)
            .map_err(|errno| self.directory.refused(action, name, errno))?;
        if let (Some(group), Some(members)) = (group, &mut members) {
            self.begin(name, group, members);
        }
        let path = || self.directory.path_of(name);
        inode::set_on_entry(&*self.directory.fd()?, name, kind, &path, attributes)
    }

    fn finish(&self, attributes: &Attributes) -> Result<Refused> {
        let path = || self.directory.path();
        inode::set_on_open(&*self.directory.fd()?, &path, attributes)
    }
}

struct NewFile {
    fd: OwnedFd,
    directory: Directory,
    name: Name,
    size: u64,
    /// The end of the highest write so far.
    written: AtomicU64,
}

impl SinkFile for NewFile {
    fn write_at(&self, data: &[u8], offset: u64) -> Result<()> {
        write_full(&self.fd, data, offset)
            .map_err(|errno| self.directory.refused("write", &self.name, errno))?;
        self.written
            .fetch_max(offset + data.len() as u64, Ordering::Relaxed);
        Ok(())
    }

    fn finish(&self, attributes: &Attributes) -> Result<Refused> {
        // Only a file that ends in a hole needs to be told its size.
        if self.written.load(Ordering::Relaxed) != self.size {
            retry_on_intr(|| fs::ftruncate(&self.fd, self.size))
                .map_err(|errno| self.directory.refused("set the size of", &self.name, errno))?;
        }
        let path = || self.directory.path_of(&self.name);
        inode::set_on_open(&self.fd, &path, attributes)
    }
}
