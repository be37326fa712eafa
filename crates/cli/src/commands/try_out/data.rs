//! The data of the trial: a copy of the user's folder and a disk image, changed and compared.
//!
//! The user's own folder is only read. Folders that say they are caches (`CACHEDIR.TAG`, as cargo's
//! `target` does) are left out of the copy.

use std::{
    fs::{self, File, FileTimes},
    io::{Read, Write},
    os::unix::fs::{FileExt, MetadataExt, symlink},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

/// The size of the disk image; a quarter of it is used.
pub(super) const IMAGE_BYTES: u64 = 256 << 20;

const MIB: u64 = 1 << 20;
/// What begins the file that marks a folder as a cache.
const CACHE_TAG: &[u8] = b"Signature: 8a477f597d28d172789f06886806bc55";

/// How much there is of something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Amount {
    pub(super) files: u64,
    pub(super) bytes: u64,
}

/// Copies files, folders and symlinks with their modes and times; the rest is left out.
pub(super) fn copy(from: &Path, to: &Path) -> Result<Amount> {
    let mut amount = Amount::default();
    copy_folder(from, to, &mut amount)?;
    Ok(amount)
}

fn copy_folder(from: &Path, to: &Path, amount: &mut Amount) -> Result<()> {
    fs::create_dir(to).with_context(|| format!("cannot make {}", to.display()))?;
    let entries = fs::read_dir(from).with_context(|| format!("cannot list {}", from.display()))?;
    for entry in entries {
        let name = entry?.file_name();
        let (from, to) = (from.join(&name), to.join(&name));
        let facts = fs::symlink_metadata(&from)?;
        let kind = facts.file_type();
        if kind.is_dir() && !is_cache(&from) {
            copy_folder(&from, &to, amount)?;
        } else if kind.is_symlink() {
            symlink(fs::read_link(&from)?, &to)?;
        } else if kind.is_file() {
            amount.bytes +=
                fs::copy(&from, &to).with_context(|| format!("cannot copy {}", from.display()))?;
            amount.files += 1;
            keep_time(&facts, &to)?;
        }
    }
    let facts = fs::metadata(from)?;
    fs::set_permissions(to, facts.permissions())?;
    keep_time(&facts, to)
}

fn keep_time(facts: &fs::Metadata, to: &Path) -> Result<()> {
    let times = FileTimes::new().set_modified(facts.modified()?);
    Ok(File::open(to)?.set_times(times)?)
}

fn is_cache(folder: &Path) -> bool {
    let mut start = [0; CACHE_TAG.len()];
    File::open(folder.join("CACHEDIR.TAG"))
        .and_then(|mut tag| tag.read_exact(&mut start))
        .is_ok_and(|()| start == CACHE_TAG)
}

/// Makes the disk image: a quarter data, half of it compressible, the rest a hole.
pub(super) fn make_image(path: &Path) -> Result<()> {
    let image = File::create(path)?;
    image.set_len(IMAGE_BYTES)?;
    for part in 0..IMAGE_BYTES / MIB / 4 {
        image.write_all_at(&block(part), part * 4 * MIB)?;
    }
    Ok(())
}

/// A MiB of data: noise for odd numbers, repeated noise for even ones.
fn block(number: u64) -> Vec<u8> {
    // Splitmix64: every number has its own stream.
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut next = move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    };
    let repeat = if number.is_multiple_of(2) { 4 } else { 1 };
    let mut bytes = Vec::with_capacity(1 << 20);
    while bytes.len() < 1 << 20 {
        let word = next().to_le_bytes();
        (0..repeat).for_each(|_| bytes.extend_from_slice(&word));
    }
    bytes
}

/// Rewrites a little of the image, as a running system would; the bytes that changed.
pub(super) fn change_image(path: &Path) -> Result<u64> {
    let image = File::options().write(true).open(path)?;
    for part in 0..16 {
        let bytes = block(1_000_001 + 2 * part);
        image.write_all_at(&bytes[..64 << 10], part * 16 * MIB + 256 * 1024)?;
    }
    Ok(16 * (64 << 10))
}

/// Appends to some files, removes one, adds one; how many names that concerns.
pub(super) fn change_files(root: &Path) -> Result<usize> {
    let mut files = Vec::new();
    list_files(root, &mut files)?;
    files.sort();
    let edited: Vec<&PathBuf> = files.iter().step_by(files.len() / 10 + 1).collect();
    for path in &edited {
        let Ok(mut file) = File::options().append(true).open(path) else {
            continue; // not ours to write; the copy keeps the modes of the original
        };
        file.write_all(b"\nchanged by strongroom try\n")?;
    }
    let mut changed = edited.len() + 1;
    if let [.., _, last] = &files[..] {
        fs::remove_file(last)?;
        changed += 1;
    }
    fs::write(root.join("added by strongroom try"), block(7))?;
    Ok(changed)
}

fn list_files(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            list_files(&entry.path(), found)?;
        } else if kind.is_file() {
            found.push(entry.path());
        }
    }
    Ok(())
}

/// Fails unless the two images have the same bytes; a disk is nothing but its bytes.
pub(super) fn compare_disks(one: &Path, other: &Path) -> Result<Amount> {
    if !same_bytes(one, other)? {
        bail!("{} differs from {}", other.display(), one.display());
    }
    let bytes = fs::metadata(other)?.len();
    Ok(Amount { files: 1, bytes })
}

/// Fails at the first difference between two trees: names, modes, times of modification, link
/// targets and every byte.
pub(super) fn compare(one: &Path, other: &Path) -> Result<Amount> {
    let mut amount = Amount::default();
    compare_entry(one, other, &mut amount)?;
    Ok(amount)
}

fn compare_entry(one: &Path, other: &Path, amount: &mut Amount) -> Result<()> {
    let differs = |what: &str| {
        format!(
            "{} differs from {} in its {what}",
            other.display(),
            one.display()
        )
    };
    let look = |path: &Path| {
        fs::symlink_metadata(path).with_context(|| format!("{} is missing", path.display()))
    };
    let (facts, others) = (look(one)?, look(other)?);
    let kind = facts.file_type();
    if kind != others.file_type() || facts.mode() != others.mode() {
        bail!(differs("kind or mode"));
    }
    if kind.is_symlink() {
        if fs::read_link(one)? != fs::read_link(other)? {
            bail!(differs("target"));
        }
        return Ok(());
    }
    if (facts.mtime(), facts.mtime_nsec()) != (others.mtime(), others.mtime_nsec()) {
        bail!(differs("time of modification"));
    }
    if kind.is_dir() {
        let (names, other_names) = (names(one)?, names(other)?);
        if names != other_names {
            bail!(differs("names"));
        }
        for name in names {
            compare_entry(&one.join(&name), &other.join(&name), amount)?;
        }
        return Ok(());
    }
    if !same_bytes(one, other)? {
        bail!(differs("content"));
    }
    amount.files += 1;
    amount.bytes += facts.len();
    Ok(())
}

fn names(folder: &Path) -> Result<Vec<std::ffi::OsString>> {
    let mut names = fs::read_dir(folder)?
        .map(|entry| Ok(entry?.file_name()))
        .collect::<Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

fn same_bytes(one: &Path, other: &Path) -> Result<bool> {
    let (one, other) = (File::open(one)?, File::open(other)?);
    let length = one.metadata()?.len();
    if length != other.metadata()?.len() {
        return Ok(false);
    }
    let (mut left, mut right) = (vec![0; 1 << 20], vec![0; 1 << 20]);
    let mut offset = 0;
    while offset < length {
        let count = usize::try_from(MIB.min(length - offset)).unwrap_or(1 << 20);
        one.read_exact_at(&mut left[..count], offset)?;
        other.read_exact_at(&mut right[..count], offset)?;
        if left[..count] != right[..count] {
            return Ok(false);
        }
        offset += count as u64;
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_compares_equal_until_either_changes_and_caches_stay_behind() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        fs::create_dir_all(from.join("a/cache")).unwrap();
        for number in 0..30 {
            fs::write(from.join(format!("a/{number}")), vec![number; 5000]).unwrap();
        }
        symlink("a/1", from.join("link")).unwrap();
        fs::write(from.join("a/cache/CACHEDIR.TAG"), CACHE_TAG).unwrap();
        let copied = copy(&from, &to).unwrap();
        assert_eq!((copied.files, copied.bytes), (30, 30 * 5000));
        assert!(!to.join("a/cache").exists());

        let twin = folder.path().join("twin");
        copy(&to, &twin).unwrap();
        assert_eq!(compare(&to, &twin).unwrap(), copied);
        assert!(change_files(&to).unwrap() >= 10);
        compare(&to, &twin).unwrap_err();
    }

    #[test]
    fn the_image_is_sparse_the_same_every_time_and_changes_in_place() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (folder.path().join("one"), folder.path().join("other"));
        make_image(&one).unwrap();
        make_image(&other).unwrap();
        assert!(same_bytes(&one, &other).unwrap());
        let facts = fs::metadata(&one).unwrap();
        assert_eq!(facts.len(), IMAGE_BYTES);
        assert!(facts.blocks() * 512 < IMAGE_BYTES / 2);
        change_image(&one).unwrap();
        assert!(!same_bytes(&one, &other).unwrap());
    }
}
