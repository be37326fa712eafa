//! The switch inside a directory that is itself a mount point.
//!
//! Such a target cannot be renamed, so its entries are: the old ones into the shadow, which
//! lies inside the target here, then the new ones out of it. The name under which the old
//! content lies in the shadow says how far that got, so a switch that was cut off is rolled
//! back by the next restore.
//!
//! | in the shadow | state of the target                | rolled back by                       |
//! |---------------|------------------------------------|--------------------------------------|
//! | `leaving`     | some old entries                   | moving `leaving` back                |
//! | `old`         | some new entries, no old ones      | discarding them, then as `leaving`   |
//! | `trash`       | all new entries                    | nothing: the switch is done          |
//!
//! Invariant: until everything new is in place, everything old is in the target or in one
//! folder of the shadow that says so.

use std::path::Path;

use rustix::{
    fs::{self, Mode, RenameFlags},
    io::Errno,
};

use crate::{
    handle::Directory,
    inode::{self, Owner},
    removal::{names, remove_all},
    shadow::{Shadow, sync_directory},
};
use strongroom_model::content::{Attributes, Error, Name, Refused, Result};

/// A target that is a mount point, with its shadow inside.
pub(super) struct Mounted {
    target: Directory,
    shadow: Shadow,
    incoming: Directory,
}

fn name(text: &str) -> Name {
    Name::new(text.as_bytes()).expect("the names used here are legal")
}

fn shadow_name() -> Name {
    name(".strongroom-restore")
}

impl Mounted {
    pub(super) fn create(path: &Path) -> Result<Self> {
        let target = Directory::open_root(path)?;
        let shadow =
            Shadow::create_named(&target, shadow_name(), |stale| roll_back(&target, stale))?;
        let incoming = make(shadow.container(), &name("new"))?;
        Ok(Self {
            target,
            shadow,
            incoming,
        })
    }

    /// Where the restored directory goes.
    pub(super) fn incoming(&self) -> &Directory {
        &self.incoming
    }

    /// Whether the target holds nothing but the shadow.
    pub(super) fn is_empty(&self) -> Result<bool> {
        Ok(names(&self.target)?
            .iter()
            .all(|name| *name == shadow_name()))
    }

    pub(super) fn sync(&self) -> Result<()> {
        self.shadow.sync()
    }

    /// Replaces the entries of the target by those of the directory `top` in the shadow.
    pub(super) fn switch(&self, top: &Name) -> Result<Refused> {
        let restored = self.incoming.open_directory(top)?;
        // Moving its entries out changes its times.
        let attributes = attributes_of(&restored)?;
        let done = self.switch_entries(&restored);
        if done.is_err() {
            roll_back(&self.target, self.shadow.container())?;
        }
        done?;
        // The shadow's going changes the target's times: they come last.
        self.shadow.sync()?;
        self.shadow.remove()?;
        let set = inode::set_on_open(&*self.target.fd()?, &|| self.target.path(), &attributes);
        sync_directory(&self.target)?;
        set
    }

    fn switch_entries(&self, restored: &Directory) -> Result<()> {
        let shadow = self.shadow.container();
        let leaving = make(shadow, &name("leaving"))?;
        move_entries(&self.target, &leaving)?;
        advance(shadow, "leaving", "old")?;
        move_entries(restored, &self.target)?;
        advance(shadow, "old", "trash")
    }

    pub(super) fn remove(&self) -> Result<()> {
        self.shadow.remove()
    }
}

/// Undoes a switch that did not get to its end.
fn roll_back(target: &Directory, shadow: &Directory) -> Result<()> {
    if exists(shadow, &name("old"))? {
        remove_all(shadow, &name("discarded"))?;
        let discarded = make(shadow, &name("discarded"))?;
        move_entries(target, &discarded)?;
        advance(shadow, "old", "leaving")?;
    }
    if exists(shadow, &name("leaving"))? {
        move_entries(&shadow.open_directory(&name("leaving"))?, target)?;
        sync_directory(target)?;
    }
    Ok(())
}

fn exists(directory: &Directory, name: &Name) -> Result<bool> {
    match inode::stat_entry(&*directory.fd()?, name) {
        Ok(_) => Ok(true),
        Err(Errno::NOENT) => Ok(false),
        Err(errno) => Err(directory.refused("stat", name, errno)),
    }
}

fn make(directory: &Directory, name: &Name) -> Result<Directory> {
    fs::mkdirat(&*directory.fd()?, name.as_bytes(), Mode::RWXU)
        .map_err(|errno| directory.refused("make the directory", name, errno))?;
    directory.open_directory(name)
}

/// Moves every entry but the shadow itself.
fn move_entries(from: &Directory, to: &Directory) -> Result<()> {
    for entry in names(from)?
        .into_iter()
        .filter(|entry| *entry != shadow_name())
    {
        let bytes = entry.as_bytes();
        fs::renameat_with(
            &*from.fd()?,
            bytes,
            &*to.fd()?,
            bytes,
            RenameFlags::NOREPLACE,
        )
        .map_err(|errno| from.refused("move", &entry, errno))?;
    }
    sync_directory(to)?;
    sync_directory(from)
}

/// Takes the next step of the table above, durably.
fn advance(shadow: &Directory, from: &str, to: &str) -> Result<()> {
    let fd = shadow.fd()?;
    fs::renameat(&*fd, from, &*fd, to)
        .map_err(|errno| shadow.refused("rename", &name(from), errno))?;
    sync_directory(shadow)
}

fn attributes_of(directory: &Directory) -> Result<Attributes> {
    let failed = |errno| Error::io("read the attributes of", &directory.path())(errno);
    let fd = directory.fd()?;
    let stat = inode::stat_fd(&fd).map_err(failed)?;
    Ok(Attributes {
        mode: stat.mode,
        uid: stat.uid,
        gid: stat.gid,
        modified: stat.modified,
        xattrs: inode::xattrs(Owner::Open(&fd)).map_err(failed)?,
    })
}
