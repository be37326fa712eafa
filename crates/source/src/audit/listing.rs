//! The files of a directory of logs, as they are at one moment.
//!
//! Only regular files directly in it, links not followed, every file once however many names it
//! has. Files are opened below the open directory, and what is opened must be the file that was
//! listed.

use std::{
    collections::BTreeMap,
    ffi::CString,
    fs::File,
    io,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags};

use super::{
    error::{Error, Result},
    position::Stat,
};

/// A file that is there.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// Its name.
    pub(super) name: String,
    raw: CString,
    pub(super) stat: Stat,
}

/// The directory, open.
pub(super) struct Listing {
    pub(super) directory: OwnedFd,
    pub(super) files: Vec<Found>,
}

/// Which names count.
#[derive(Clone, Debug)]
pub(super) struct Names(Vec<String>);

impl Names {
    /// Names that agree with a pattern in which `*` stands for anything.
    pub(super) fn like(pattern: &str) -> Result<Self> {
        if pattern.is_empty() || pattern.contains('/') {
            return Err(Error::BadPattern(pattern.to_owned()));
        }
        Ok(Self(pattern.split('*').map(str::to_owned).collect()))
    }

    fn take(&self, name: &str) -> bool {
        let Some((first, rest)) = self.0.split_first() else {
            return false;
        };
        let Some(mut name) = name.strip_prefix(first.as_str()) else {
            return false;
        };
        let Some((last, middle)) = rest.split_last() else {
            return name.is_empty();
        };
        for part in middle {
            let Some(at) = name.find(part.as_str()) else {
                return false;
            };
            name = name.get(at + part.len()..).unwrap_or_default();
        }
        name.ends_with(last.as_str())
    }
}

/// Opens a directory.
pub(super) fn open(path: &Path) -> Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty()).map_err(|cause| match cause {
        rustix::io::Errno::NOTDIR => Error::NoDirectory {
            path: path.to_owned(),
        },
        cause => unreadable(path)(cause),
    })
}

fn unreadable(path: &Path) -> impl Fn(rustix::io::Errno) -> Error {
    let path: PathBuf = path.to_owned();
    move |cause| Error::Directory {
        path: path.clone(),
        cause: cause.into(),
    }
}

impl Listing {
    /// Lists a directory.
    pub(super) fn of(path: &Path, names: &Names) -> Result<Self> {
        let directory = open(path)?;
        let mut found: BTreeMap<(u64, u64), Found> = BTreeMap::new();
        let entries = Dir::read_from(&directory).map_err(unreadable(path))?;
        for entry in entries {
            let entry = entry.map_err(unreadable(path))?;
            let raw = entry.file_name().to_owned();
            let name = raw.to_string_lossy().into_owned();
            if !names.take(&name) || matches!(name.as_str(), "." | "..") {
                continue;
            }
            // A file that went away since is none.
            let Ok(stat) = rustix::fs::statat(&directory, &raw, AtFlags::SYMLINK_NOFOLLOW) else {
                continue;
            };
            if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
                continue;
            }
            let stat = of_stat(&stat);
            let file = Found { name, raw, stat };
            // Of several names of one file the first in order counts, so that it is the same one
            // every time.
            let known = found.entry(stat.identity()).or_insert_with(|| file.clone());
            if file.name < known.name {
                *known = file;
            }
        }
        let mut files: Vec<Found> = found.into_values().collect();
        files.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Self { directory, files })
    }

    /// Opens a listed file.
    pub(super) fn file(&self, found: &Found) -> io::Result<File> {
        // A pipe that took the name must not hold us.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let file = rustix::fs::openat(&self.directory, &found.raw, flags, Mode::empty())?;
        let stat = of_stat(&rustix::fs::fstat(&file)?);
        if stat.identity() != found.stat.identity() {
            return Err(io::Error::new(
                io::ErrorKind::NotFound,
                "the file was replaced while the directory was read",
            ));
        }
        Ok(File::from(file))
    }
}

pub(super) fn of_stat(stat: &rustix::fs::Stat) -> Stat {
    let nanos =
        |seconds: i64, nanos: i64| seconds.saturating_mul(1_000_000_000).saturating_add(nanos);
    let part = |nanos: u64| i64::try_from(nanos).unwrap_or_default();
    Stat {
        device: stat.st_dev,
        inode: stat.st_ino,
        size: u64::try_from(stat.st_size).unwrap_or_default(),
        modified: nanos(stat.st_mtime, part(stat.st_mtime_nsec)),
        changed: nanos(stat.st_ctime, part(stat.st_ctime_nsec)),
    }
}

/// What all files of one log share: the name without what rotation and compression put into it.
pub(super) fn family(name: &str) -> String {
    const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let mut name = name;
    for end in [".gz", ".zst"] {
        name = name.strip_suffix(end).unwrap_or(name);
    }
    let mut family = String::with_capacity(name.len());
    for part in name.split_inclusive(['.', '-', '_']) {
        let word = part.trim_end_matches(['.', '-', '_']);
        let is_number = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
        // Of a time, 2026-11-21T060000, only the form tells.
        let is_time = word.contains('T') && word.bytes().all(|b| b.is_ascii_digit() || b == b'T');
        if is_number || is_time || DAYS.contains(&word) {
            continue;
        }
        family.push_str(part);
    }
    family.trim_end_matches(['.', '-', '_']).to_owned()
}

/// The number that rotation gave a file; 0 for the one that is written.
pub(super) fn generation(name: &str) -> u64 {
    let name = name.strip_suffix(".gz").unwrap_or(name);
    let name = name.strip_suffix(".zst").unwrap_or(name);
    name.rsplit('.')
        .next()
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_one_log_are_one_family() {
        let log = "server_audit.log";
        for name in [
            "server_audit.log",
            "server_audit.log.1",
            "server_audit.log.12.gz",
            "server_audit.log-20261121",
            "server_audit.log-20261121.zst",
        ] {
            assert_eq!(family(name), log, "{name}");
        }
        let server = family("postgresql-2026-11-21_000000.csv");
        assert_eq!(server, family("postgresql-2026-11-22_000000.csv.gz"));
        assert_eq!(server, family("postgresql-Mon.csv"));
        assert_ne!(server, family("postgresql-2026-11-21_000000.json"));
        assert_ne!(family("a.log"), family("b.log"));
    }

    #[test]
    fn rotation_numbers_are_found_behind_compression() {
        assert_eq!(generation("server_audit.log"), 0);
        assert_eq!(generation("server_audit.log.3"), 3);
        assert_eq!(generation("server_audit.log.12.gz"), 12);
    }

    #[test]
    fn a_pattern_takes_what_it_describes() {
        let takes = |pattern: &str, name: &str| Names::like(pattern).unwrap().take(name);
        assert!(takes("*", "anything"));
        assert!(takes("server_audit.log*", "server_audit.log.1.gz"));
        assert!(!takes("server_audit.log*", "ibdata1"));
        assert!(takes("postgresql-*.csv", "postgresql-2026.csv"));
        assert!(!takes("postgresql-*.csv", "postgresql-2026.csv.old"));
        assert!(takes("a*b*c", "aXbYbZc") && !takes("a*b*c", "aXc"));
        assert!(takes("exact", "exact") && !takes("exact", "exactly"));
        assert!(Names::like("a/b").is_err() && Names::like("").is_err());
    }
}
