//! The place beside a target, and the switch.
//!
//! A restore fills a directory of its own, `.NAME.strongroom-restore`, next to its target; the
//! target shows nothing of it until one rename puts everything in place. The name is always the
//! same, and the directory is locked while it is in use, so the next restore finds and removes
//! what a killed one left behind.

use std::{
    os::{fd::OwnedFd, unix::ffi::OsStrExt as _},
    path::Path,
    sync::Arc,
};

use rustix::{
    fs::{self, AtFlags, FlockOperation, Mode, RenameFlags},
    io::{Errno, retry_on_intr},
};

use crate::{handle::Directory, removal::remove_all};
use strongroom_model::content::{Error, Name, Result};

/// A directory beside a target, held by this process until it is removed.
pub(crate) struct Shadow {
    parent: Directory,
    name: Name,
    container: Directory,
    /// The lock: it lasts as long as this very descriptor.
    _held: Arc<OwnedFd>,
}

/// Splits a target's path into the directory that holds it and its name there.
pub(crate) fn split(path: &Path) -> Result<(Directory, Name)> {
    let wrong = || Error::WrongKind {
        path: path.to_owned(),
        expected: "a place for a restore",
    };
    let name = Name::new(path.file_name().ok_or_else(wrong)?.as_bytes()).map_err(|_| wrong())?;
    let parent = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    Ok((Directory::open_root(parent)?, name))
}

impl Shadow {
    /// Makes the shadow of the target `name` in `parent`, in place of one that was left behind.
    pub(crate) fn create(parent: &Directory, name: &Name) -> Result<Self> {
        Self::create_named(parent, shadow_name(name), |_| Ok(()))
    }

    /// Makes a shadow of that very name; `recover` first gets one that was left behind.
    pub(crate) fn create_named(
        parent: &Directory,
        name: Name,
        recover: impl Fn(&Directory) -> Result<()>,
    ) -> Result<Self> {
        let fd = parent.fd()?;
        let failed = |errno| parent.refused("make the directory", &name, errno);
        match fs::mkdirat(&*fd, name.as_bytes(), Mode::RWXU) {
            Err(Errno::EXIST) => {
                let stale = parent.open_directory(&name)?;
                let _held = hold(&stale)?;
                recover(&stale)?;
                remove_all(parent, &name)?;
                fs::mkdirat(&*fd, name.as_bytes(), Mode::RWXU).map_err(failed)?;
            }
            made => made.map_err(failed)?,
        }
        let container = parent.open_directory(&name)?;
        let held = hold(&container)?;
        forget_inherited(&held);
        Ok(Self {
            parent: parent.clone(),
            name,
            container,
            _held: held,
        })
    }

    /// The directory to fill.
    pub(crate) fn container(&self) -> &Directory {
        &self.container
    }

    /// Makes everything in the shadow durable.
    pub(crate) fn sync(&self) -> Result<()> {
        fs::syncfs(&*self.container.fd()?)
            .map_err(|errno| Error::io("write out", &self.container.path())(errno))
    }

    /// Moves `name` out of the shadow to where nothing, or an empty directory, is.
    pub(crate) fn move_to_new_place(&self, name: &Name) -> Result<()> {
        let (from, to) = (self.container.fd()?, self.parent.fd()?);
        let taken = || Error::TargetNotEmpty {
            path: self.parent.path_of(name),
        };
        // An empty directory may stand where the target is to be; rmdir takes no other.
        match fs::unlinkat(&*to, name.as_bytes(), AtFlags::REMOVEDIR) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(Errno::NOTDIR | Errno::NOTEMPTY | Errno::EXIST) => return Err(taken()),
            Err(errno) => return Err(self.parent.refused("replace", name, errno)),
        }
        let moved = match rename(&from, &to, name, RenameFlags::NOREPLACE) {
            // A file system without the flag: look first.
            Err(Errno::INVAL | Errno::NOSYS) => {
                match fs::statat(&*to, name.as_bytes(), AtFlags::SYMLINK_NOFOLLOW) {
                    Err(Errno::NOENT) => rename(&from, &to, name, RenameFlags::empty()),
                    _ => Err(Errno::EXIST),
                }
            }
            moved => moved,
        };
        match moved {
            Ok(()) => sync_directory(&self.parent),
            Err(Errno::EXIST) => Err(taken()),
            Err(errno) => Err(self.parent.refused("move the new content to", name, errno)),
        }
    }

    /// Puts `name` of the shadow in the place of `name` beside it; the old content ends up in
    /// the shadow.
    pub(crate) fn exchange(&self, name: &Name) -> Result<()> {
        let (from, to) = (self.container.fd()?, self.parent.fd()?);
        match rename(&from, &to, name, RenameFlags::EXCHANGE) {
            Ok(()) => sync_directory(&self.parent),
            // The old content is gone already: nothing to exchange.
            Err(Errno::NOENT) => self.move_to_new_place(name),
            Err(Errno::INVAL | Errno::NOSYS) => self.exchange_in_two_steps(name),
            Err(errno) => Err(self
                .parent
                .refused("switch to the new content of", name, errno)),
        }
    }

    /// Where two names cannot be exchanged in one call: old aside, new in; back on failure.
    fn exchange_in_two_steps(&self, name: &Name) -> Result<()> {
        let failed = |errno| {
            self.parent
                .refused("switch to the new content of", name, errno)
        };
        let (shadow, place) = (self.container.fd()?, self.parent.fd()?);
        let old = Name::new(b".old").expect("a legal name");
        fs::mkdirat(&*shadow, old.as_bytes(), Mode::RWXU).map_err(failed)?;
        let aside = self.container.open_directory(&old)?.fd()?;
        rename(&place, &aside, name, RenameFlags::empty()).map_err(failed)?;
        if let Err(errno) = rename(&shadow, &place, name, RenameFlags::empty()) {
            rename(&aside, &place, name, RenameFlags::empty()).map_err(failed)?;
            return Err(failed(errno));
        }
        sync_directory(&self.parent)
    }

    /// Removes the shadow and everything in it.
    pub(crate) fn remove(&self) -> Result<()> {
        remove_all(&self.parent, &self.name)
    }
}

/// The name of the shadow of `name`, cut so that it stays legal.
fn shadow_name(name: &Name) -> Name {
    let mut shadow = b".".to_vec();
    shadow.extend(name.as_bytes().iter().take(200));
    shadow.extend(b".strongroom-restore");
    Name::new(&shadow).expect("at most 220 bytes and no slash among them")
}

fn rename(from: &OwnedFd, to: &OwnedFd, name: &Name, flags: RenameFlags) -> rustix::io::Result<()> {
    fs::renameat_with(from, name.as_bytes(), to, name.as_bytes(), flags)
}

/// Makes the names in a directory durable.
pub(crate) fn sync_directory(directory: &Directory) -> Result<()> {
    let fd = directory.fd()?;
    retry_on_intr(|| fs::fsync(&*fd))
        .map_err(|errno| Error::io("write out", &directory.path())(errno))
}

/// Locks a directory for as long as the descriptor lives.
fn hold(directory: &Directory) -> Result<Arc<OwnedFd>> {
    let fd = directory.fd()?;
    match fs::flock(&*fd, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(fd),
        Err(Errno::WOULDBLOCK) => Err(Error::TargetBusy {
            path: directory.path(),
        }),
        Err(errno) => Err(Error::io("lock", &directory.path())(errno)),
    }
}

/// Drops what a new directory inherits: default ACLs and the set-group-id bit would otherwise
/// show up on restored files that never had them.
fn forget_inherited(fd: &OwnedFd) {
    for acl in ["system.posix_acl_default", "system.posix_acl_access"] {
        // Absent, or unknown to the file system: both are what is wanted.
        let _ = fs::fremovexattr(fd, acl);
    }
    let _ = fs::fchmod(fd, Mode::RWXU);
}
