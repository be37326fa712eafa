//! Everything about a tree or an image that a restore must bring back, in a form that compares.
//!
//! Taken before the data changes and compared after a restore, when the original is long gone;
//! a difference is told entry by entry, not as two unequal numbers.

use std::{
    collections::{BTreeMap, HashMap},
    fs::{self, File},
    io::Read,
    os::unix::{ffi::OsStrExt, fs::MetadataExt},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

/// What is at one path.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    mode: u32,
    owner: (u32, u32),
    modified: (i64, i64),
    size: u64,
    content: String,
    xattrs: BTreeMap<Vec<u8>, Vec<u8>>,
    /// The first path of the same inode, if it has more than one.
    linked_to: Option<PathBuf>,
}

/// A whole tree, one file, or the bytes of a disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint {
    entries: BTreeMap<PathBuf, Entry>,
    /// Of a disk only the bytes count: the image file around them is not part of it.
    disk: bool,
}

impl Fingerprint {
    /// Looks at everything below `root`, the root included; sockets are left out.
    pub fn of(root: &Path) -> Result<Self> {
        let mut entries = BTreeMap::new();
        let mut inodes = HashMap::new();
        visit(root, Path::new(""), &mut entries, &mut inodes)?;
        // A name whose twins lie outside the tree is alone.
        let whole = Self {
            entries,
            disk: false,
        };
        Ok(whole.below(""))
    }

    /// Looks at the bytes of a disk.
    pub fn of_disk(path: &Path) -> Result<Self> {
        let mut print = Self::of(path)?;
        for entry in print.entries.values_mut() {
            (entry.mode, entry.owner, entry.modified) = (0, (0, 0), (0, 0));
        }
        print.disk = true;
        Ok(print)
    }

    /// The part below `inside`, seen from there: links to names outside it do not count.
    #[must_use]
    pub fn below(&self, inside: &str) -> Self {
        let mut part: BTreeMap<PathBuf, Entry> = BTreeMap::new();
        let mut groups: HashMap<PathBuf, Vec<PathBuf>> = HashMap::new();
        for (path, entry) in &self.entries {
            let Ok(rest) = path.strip_prefix(inside) else {
                continue;
            };
            if let Some(first) = &entry.linked_to {
                let group = groups.entry(first.clone()).or_default();
                group.push(rest.to_owned());
            }
            part.insert(rest.to_owned(), entry.clone());
        }
        for group in groups.values() {
            let first = (group.len() > 1).then(|| group[0].clone());
            for path in group {
                part.entry(path.clone())
                    .and_modify(|entry| entry.linked_to.clone_from(&first));
            }
        }
        Self {
            entries: part,
            disk: self.disk,
        }
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Fails with every difference to what is at `place` now.
    pub fn compare(&self, place: &Path) -> Result<()> {
        let found = if self.disk {
            Self::of_disk(place)?
        } else {
            Self::of(place)?
        };
        let mut differences = Vec::new();
        for (path, entry) in &self.entries {
            match found.entries.get(path) {
                None => differences.push(format!("{} is missing", path.display())),
                Some(other) if other != entry => differences.push(format!(
                    "{} differs:\n  was {entry:?}\n  is  {other:?}",
                    path.display()
                )),
                Some(_) => {}
            }
        }
        for path in found
            .entries
            .keys()
            .filter(|path| !self.entries.contains_key(*path))
        {
            differences.push(format!("{} was not there", path.display()));
        }
        if !differences.is_empty() {
            bail!("{}: {}", place.display(), differences.join("\n"));
        }
        Ok(())
    }
}

/// A digest of the bytes of one file.
pub fn content(path: &Path) -> Result<String> {
    let mut file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            return Ok(hasher.finalize().to_hex().to_string());
        }
        hasher.update(&buffer[..count]);
    }
}

fn visit(
    root: &Path,
    inside: &Path,
    entries: &mut BTreeMap<PathBuf, Entry>,
    inodes: &mut HashMap<(u64, u64), PathBuf>,
) -> Result<()> {
    let path = if inside.as_os_str().is_empty() {
        root.to_owned()
    } else {
        root.join(inside)
    };
    let facts = fs::symlink_metadata(&path)
        .with_context(|| format!("cannot look at {}", path.display()))?;
    let kind = facts.file_type();
    let mut entry = Entry {
        mode: facts.mode(),
        owner: (facts.uid(), facts.gid()),
        modified: (facts.mtime(), facts.mtime_nsec()),
        size: facts.len(),
        content: String::new(),
        xattrs: BTreeMap::new(),
        linked_to: None,
    };
    if facts.nlink() > 1 && !kind.is_dir() {
        let first = inodes
            .entry((facts.dev(), facts.ino()))
            .or_insert_with(|| inside.to_owned());
        entry.linked_to = Some(first.clone());
    }
    if kind.is_file() {
        entry.content = content(&path)?;
    } else if kind.is_symlink() {
        let target = fs::read_link(&path)?;
        entry.content = String::from_utf8_lossy(target.as_os_str().as_bytes()).into_owned();
    } else if kind.is_dir() {
        // The size of a directory is the file system's business.
        entry.size = 0;
    }
    if kind.is_file() || kind.is_dir() {
        entry.xattrs = xattrs(&path)?;
    }
    entries.insert(inside.to_owned(), entry);
    if kind.is_dir() {
        let mut names = fs::read_dir(&path)?
            .map(|child| Ok(child?.file_name()))
            .collect::<Result<Vec<_>>>()?;
        names.sort();
        for name in names {
            visit(root, &inside.join(name), entries, inodes)?;
        }
    }
    Ok(())
}

fn xattrs(path: &Path) -> Result<BTreeMap<Vec<u8>, Vec<u8>>> {
    let mut names = vec![0; 64 << 10];
    let length = rustix::fs::llistxattr(path, &mut names[..])?;
    let mut found = BTreeMap::new();
    for name in names[..length].split(|byte| *byte == 0) {
        if name.is_empty() {
            continue;
        }
        let mut value = vec![0; 64 << 10];
        let length = rustix::fs::lgetxattr(path, name, &mut value[..])?;
        value.truncate(length);
        found.insert(name.to_owned(), value);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::data;

    #[test]
    fn a_faithful_copy_has_the_same_fingerprint_and_any_change_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let (original, copy) = (folder.path().join("a"), folder.path().join("b"));
        fs::create_dir(&original).unwrap();
        data::make_share(&original, 1).unwrap();
        let before = Fingerprint::of(&original).unwrap();
        assert!(before.len() > 130);
        let copied = Command::new("cp")
            .arg("-a")
            .args([&original, &copy])
            .status();
        assert!(copied.unwrap().success());
        before.compare(&copy).unwrap();
        before
            .below("deep/er")
            .compare(&copy.join("deep/er"))
            .unwrap();

        data::change_share(&original, 2).unwrap();
        let told = before.compare(&original).unwrap_err().to_string();
        for word in [
            "text differs",
            "small-008 is missing",
            "moved was not there",
        ] {
            assert!(told.contains(word), "{word} is not in {told}");
        }
    }
}
