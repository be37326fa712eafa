//! Removes trees: shadows that are done with, and the old content after a switch.
//!
//! Invariant: nothing behind a mount point is ever removed, not even behind a bind mount of the
//! same file system.

use rustix::{
    fs::{self, AtFlags, Mode, OFlags, RawDir, ResolveFlags, SeekFrom},
    io::Errno,
};

use crate::handle::Directory;
use strongroom_model::content::{Error, Name, Result};

/// A directory that is being emptied, and the names still in it.
struct Level {
    directory: Directory,
    name: Name,
    names: Vec<Name>,
}

/// Removes an entry and everything below it; an entry that is not there is fine.
pub(crate) fn remove_all(parent: &Directory, name: &Name) -> Result<()> {
    let mut levels: Vec<Level> = Vec::new();
    levels.extend(remove_or_enter(parent, name)?);
    while let Some(level) = levels.last_mut() {
        if let Some(name) = level.names.pop() {
            let inner = remove_or_enter(&level.directory, &name)?;
            levels.extend(inner);
        } else if let Some(emptied) = levels.pop() {
            let above = levels.last().map_or(parent, |level| &level.directory);
            unlink(above, &emptied.name, AtFlags::REMOVEDIR)
                .map_err(|errno| above.refused("remove", &emptied.name, errno))?;
        }
    }
    Ok(())
}

/// Removes what is no directory; opens what is one.
fn remove_or_enter(parent: &Directory, name: &Name) -> Result<Option<Level>> {
    match unlink(parent, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => Ok(None),
        Err(Errno::ISDIR) => {
            let directory = enter(parent, name)?;
            let names = names(&directory)?;
            Ok(Some(Level {
                directory,
                name: name.clone(),
                names,
            }))
        }
        Err(errno) => Err(parent.refused("remove", name, errno)),
    }
}

/// Unlinks; a directory that its owner may not write to is made writable for it.
fn unlink(parent: &Directory, name: &Name, flags: AtFlags) -> rustix::io::Result<()> {
    let fd = parent.fd().map_err(|_| Errno::STALE)?;
    match fs::unlinkat(&*fd, name.as_bytes(), flags) {
        Err(Errno::ACCESS) => {
            fs::fchmod(&*fd, Mode::RWXU)?;
            fs::unlinkat(&*fd, name.as_bytes(), flags)
        }
        done => done,
    }
}

fn enter(parent: &Directory, name: &Name) -> Result<Directory> {
    let fd = parent.fd()?;
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match fs::openat2(
        &*fd,
        name.as_bytes(),
        flags,
        Mode::empty(),
        ResolveFlags::NO_XDEV,
    ) {
        // Without openat2 the device numbers are all there is to go by.
        Ok(_) | Err(Errno::NOSYS | Errno::PERM) => {}
        Err(errno) => return Err(parent.refused("remove what is mounted at", name, errno)),
    }
    let opened = match parent.open_directory(name) {
        Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::PermissionDenied => {
            fs::chmodat(&*fd, name.as_bytes(), Mode::RWXU, AtFlags::empty())
                .map_err(|errno| parent.refused("remove", name, errno))?;
            parent.open_directory(name)
        }
        opened => opened,
    }?;
    if opened.identity().device == parent.identity().device {
        Ok(opened)
    } else {
        Err(parent.refused("remove what is mounted at", name, Errno::XDEV))
    }
}

/// The names in a directory.
pub(crate) fn names(directory: &Directory) -> Result<Vec<Name>> {
    let failed = |errno| Error::io("list", &directory.path())(errno);
    let fd = directory.fd()?;
    fs::seek(&*fd, SeekFrom::Start(0)).map_err(failed)?;
    let mut buffer = [const { std::mem::MaybeUninit::uninit() }; 16_384];
    let mut entries = RawDir::new(&*fd, &mut buffer);
    let mut names = Vec::new();
    while let Some(entry) = entries.next() {
        match entry {
            // What is no name of an entry is `.` or `..`: the kernel gives no others.
            Ok(entry) => names.extend(Name::new(entry.file_name().to_bytes())),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(failed(errno)),
        }
    }
    Ok(names)
}
