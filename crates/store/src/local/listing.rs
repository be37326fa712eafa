//! Lists a directory tree in the order of keys, one directory in memory at a time per level.
//!
//! Keys are ordered by their bytes, and `-` and `.` sort before `/`: the object `a-b` comes before
//! `a/x`. A directory's entries are therefore sorted as if names of directories ended in `/`.
//! Before an object is shown, its directory is synced, for the caller may build on it; only a
//! listing that is not asked to be settled spares that.
//! Names that cannot be part of a key (`tmp~`, `lost+found`) are somebody else's and passed over.

use std::os::fd::BorrowedFd;

use rustix::{
    fs::{self, AtFlags, Dir, FileType},
    io::Errno,
};

use super::{Local, disk::open_directory, is_file, length};
use crate::{
    error::{Error, Result},
    key::{Key, Prefix},
    store::{Listing, Visit},
};

/// Visits the objects whose keys begin with `prefix` and lie behind `after`.
pub(super) fn list(
    store: &Local,
    root: BorrowedFd<'_>,
    listing: Listing<'_>,
    visit: &mut Visit<'_>,
) -> Result<()> {
    let prefix = Prefix::new(listing.prefix)?;
    let after = listing.after.map_or("", Key::as_str);
    let mut walk = Walk {
        store,
        root,
        after,
        settled: listing.settled,
        visit,
    };
    let names = walk.entries(prefix.directory, prefix.rest)?;
    if listing.settled && !names.is_empty() {
        store.settle(root, prefix.directory, |_| Ok(()))?;
    }
    walk.visit_all(prefix.directory, names)
}

struct Walk<'a, 'v> {
    store: &'a Local,
    root: BorrowedFd<'a>,
    after: &'a str,
    settled: bool,
    visit: &'a mut Visit<'v>,
}

impl Walk<'_, '_> {
    fn visit_all(&mut self, directory: &str, names: Vec<String>) -> Result<()> {
        if names.is_empty() {
            return Ok(());
        }
        if self.settled {
            self.store.sync_directory(self.root, directory)?;
        }
        let base = if directory.is_empty() {
            String::new()
        } else {
            format!("{directory}/")
        };
        for name in names {
            let full = format!("{base}{name}");
            match full.strip_suffix('/') {
                // Everything in a directory begins with its name: if that sorts before `after`
                // and `after` is not inside, all of it was visited.
                Some(_) if self.after > full.as_str() && !self.after.starts_with(&full) => {}
                Some(inner) => {
                    let names = self.entries(inner, "")?;
                    self.visit_all(inner, names)?;
                }
                None if full.as_str() <= self.after => {}
                None => self.object(&full)?,
            }
        }
        Ok(())
    }

    /// The names in a directory in order, those of directories ending in `/`.
    fn entries(&self, path: &str, beginning: &str) -> Result<Vec<String>> {
        let failed = |errno| Error::system("list the directory", errno);
        let opened = match open_directory(self.root, if path.is_empty() { "." } else { path }) {
            Ok(directory) => directory,
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(Vec::new()),
            Err(errno) => return Err(failed(errno)),
        };
        let mut names = Vec::new();
        for entry in Dir::new(opened).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let Ok(name) = entry.file_name().to_str() else {
                continue;
            };
            if !name.starts_with(beginning) || Key::new(name).is_err() {
                continue;
            }
            match self
                .file_type(path, name, entry.file_type())
                .map_err(failed)?
            {
                Some(FileType::Directory) => names.push(format!("{name}/")),
                Some(FileType::RegularFile) => names.push(name.to_owned()),
                _ => {}
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// The type of an entry, asking again where the directory does not tell or names a link.
    fn file_type(&self, path: &str, name: &str, told: FileType) -> Result<Option<FileType>, Errno> {
        if matches!(told, FileType::Directory | FileType::RegularFile) {
            return Ok(Some(told));
        }
        let full = if path.is_empty() {
            name.to_owned()
        } else {
            format!("{path}/{name}")
        };
        match fs::statat(self.root, &full, AtFlags::empty()) {
            Ok(stat) => Ok(Some(FileType::from_raw_mode(stat.st_mode))),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(errno),
        }
    }

    fn object(&mut self, path: &str) -> Result<()> {
        // A tree of valid names can still be too deep to be a key; it is not ours then.
        let Ok(key) = Key::new(path) else {
            return Ok(());
        };
        match fs::statat(self.root, path, AtFlags::empty()) {
            Ok(stat) if is_file(&stat) => (self.visit)(key, length(&stat)),
            // Deleted since the directory was read.
            Ok(_) | Err(Errno::NOENT) => Ok(()),
            Err(errno) => Err(Error::system("read the size", errno).at(&key)),
        }
    }
}
