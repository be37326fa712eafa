//! Whether what came back is what was saved.
//!
//! Names, kinds, links and every byte are compared; a file too many is a difference as much as one
//! that is missing. Permissions and times are other tests' business: peers differ in what they
//! restore as anybody.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs::{self, File},
    io::Read as _,
    os::unix::fs::{FileExt as _, MetadataExt as _},
    path::Path,
};

use anyhow::{Context as _, Result, bail, ensure};

/// Whether symbolic links are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Links {
    Compared,
    LeftOut,
}

/// Fails unless both folders hold the same.
pub(super) fn trees(expected: &Path, found: &Path, links: Links) -> Result<()> {
    let (ours, theirs) = (names(expected, links)?, names(found, links)?);
    if let Some(name) = ours.symmetric_difference(&theirs).next() {
        let which = if ours.contains(name) {
            "missing"
        } else {
            "too much"
        };
        bail!("{} is {which}", expected.join(name).display());
    }
    for name in ours {
        let (a, b) = (expected.join(&name), found.join(&name));
        let (kind, other) = (fs::symlink_metadata(&a)?, fs::symlink_metadata(&b)?);
        ensure!(
            kind.file_type() == other.file_type(),
            "{} is of another kind",
            b.display()
        );
        if kind.is_dir() {
            trees(&a, &b, links)?;
        } else if kind.is_symlink() {
            ensure!(
                fs::read_link(&a)? == fs::read_link(&b)?,
                "{} leads elsewhere",
                b.display()
            );
        } else {
            ensure!(
                kind.len() == other.len(),
                "{} has another length",
                b.display()
            );
            part(&a, 0, kind.len(), &b)?;
        }
    }
    Ok(())
}

fn names(dir: &Path, links: Links) -> Result<BTreeSet<OsString>> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(dir).with_context(|| format!("cannot list {}", dir.display()))? {
        let entry = entry?;
        if links == Links::Compared || !entry.file_type()?.is_symlink() {
            names.insert(entry.file_name());
        }
    }
    Ok(names)
}

/// Fails unless `found` is that part of `expected`.
pub(super) fn part(expected: &Path, offset: u64, length: u64, found: &Path) -> Result<()> {
    let (whole, mut copy) = (File::open(expected)?, File::open(found)?);
    let (mut ours, mut theirs) = (vec![0; 1 << 20], vec![0; 1 << 20]);
    let (mut at, end) = (offset, offset + length);
    while at < end {
        let len = usize::try_from((end - at).min(1 << 20))?;
        whole.read_exact_at(&mut ours[..len], at)?;
        let enough = copy.read_exact(&mut theirs[..len]);
        ensure!(
            enough.is_ok() && ours[..len] == theirs[..len],
            "{} differs from {} somewhere in the MiB from byte {at}",
            found.display(),
            expected.display()
        );
        at += len as u64;
    }
    ensure!(
        copy.read(&mut theirs)? == 0,
        "{} is too long",
        found.display()
    );
    Ok(())
}

/// Bytes of all files below `dir`: their lengths, and what they take on the disk.
pub(super) fn sizes(dir: &Path) -> Result<(u64, u64)> {
    let (mut bytes, mut allocated) = (0, 0);
    for entry in fs::read_dir(dir).with_context(|| format!("cannot list {}", dir.display()))? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            let (more, taken) = sizes(&entry.path())?;
            bytes += more;
            allocated += taken;
        } else {
            let metadata = entry.metadata()?;
            bytes += metadata.len();
            allocated += metadata.blocks() * 512;
        }
    }
    Ok((bytes, allocated))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn tree(dir: &Path, content: &[u8]) {
        fs::create_dir_all(dir.join("inside")).unwrap();
        fs::write(dir.join("inside/file"), content).unwrap();
        symlink("nowhere", dir.join("link")).unwrap();
    }

    #[test]
    fn equal_trees_are_equal_and_every_difference_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let (a, b) = (dir.path().join("a"), dir.path().join("b"));
        tree(&a, b"content");
        tree(&b, b"content");
        trees(&a, &b, Links::Compared).unwrap();

        fs::write(b.join("inside/file"), b"c0ntent").unwrap();
        let error = trees(&a, &b, Links::Compared).unwrap_err().to_string();
        assert!(error.contains("differs"), "{error}");

        fs::write(b.join("inside/file"), b"content").unwrap();
        fs::write(b.join("more"), b"").unwrap();
        let error = trees(&a, &b, Links::Compared).unwrap_err().to_string();
        assert!(error.contains("too much"), "{error}");

        fs::remove_file(b.join("more")).unwrap();
        fs::remove_file(b.join("link")).unwrap();
        let error = trees(&a, &b, Links::Compared).unwrap_err().to_string();
        assert!(error.contains("missing"), "{error}");
        trees(&a, &b, Links::LeftOut).unwrap();
    }

    #[test]
    fn a_part_must_have_its_bytes_and_its_length() {
        let dir = tempfile::tempdir().unwrap();
        let (whole, copy) = (dir.path().join("whole"), dir.path().join("copy"));
        fs::write(&whole, b"0123456789").unwrap();
        for (content, equal) in [
            (&b"345"[..], true),
            (b"34", false),
            (b"3456", false),
            (b"346", false),
        ] {
            fs::write(&copy, content).unwrap();
            assert_eq!(part(&whole, 3, 3, &copy).is_ok(), equal, "{content:?}");
        }
    }
}
