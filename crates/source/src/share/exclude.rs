//! Rules for what of a share is left out, and a count of it.
//!
//! Patterns are those of gitignore: the last one that matches wins, `!` takes back in, a slash at
//! the end means folders only, and nothing below a folder that is left out is looked at. Folders
//! that are tagged as caches (`CACHEDIR.TAG`) may be left out too, but for the tag.
//!
//! Invariant: what is left out is not listed at all, so the rest of the program sees a tree
//! without it, whatever an earlier save held. The root itself is never left out.

use std::{
    ffi::OsStr,
    os::unix::ffi::OsStrExt as _,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use ignore::gitignore::{Gitignore, GitignoreBuilder};
use rustix::fs::OFlags;

use crate::{handle::Directory, inode, whole::read_full};
use strongroom_model::content::{FileKind, Name, Result, TreePath};

/// The name of the file that tags a folder as a cache.
const CACHE_TAG: &[u8] = b"CACHEDIR.TAG";
/// What that file begins with.
const CACHE_SIGNATURE: &[u8; 43] = b"Signature: 8a477f597d28d172789f06886806bc55";

/// A pattern that cannot be understood.
#[derive(Debug, thiserror::Error)]
#[error("the pattern {pattern:?} cannot be understood")]
pub struct BadPattern {
    /// The pattern.
    pub pattern: String,
    /// Why.
    source: ignore::Error,
}

/// What to do with folders that are tagged as caches.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Caches {
    /// They are kept like everything else.
    #[default]
    Keep,
    /// Only the folder and its tag are kept.
    LeaveOut,
}

/// Decides what of a share is left out, and counts it.
pub struct Exclude {
    patterns: Gitignore,
    caches: Caches,
    left_out: AtomicU64,
}

impl Exclude {
    /// Rules with these patterns, in the order in which they count.
    pub fn new(patterns: &[String], caches: Caches) -> std::result::Result<Self, BadPattern> {
        let mut builder = GitignoreBuilder::new(".");
        for pattern in patterns {
            builder
                .add_line(None, pattern)
                .map_err(|source| BadPattern {
                    pattern: pattern.clone(),
                    source,
                })?;
        }
        let patterns = builder.build().map_err(|source| BadPattern {
            pattern: patterns.join(" "),
            source,
        })?;
        Ok(Self {
            patterns,
            caches,
            left_out: AtomicU64::new(0),
        })
    }

    /// Entries left out so far; a folder counts once, whatever is in it.
    pub fn left_out(&self) -> u64 {
        self.left_out.load(Ordering::Relaxed)
    }

    /// Whether the pattern for that path, as a folder or as anything else, says to leave it out.
    fn matches(&self, path: &TreePath, is_folder: bool) -> bool {
        let path = Path::new(OsStr::from_bytes(path.as_bytes()));
        self.patterns.matched(path, is_folder).is_ignore()
    }
}

/// The rules as they apply to the entries of one directory.
#[derive(Clone)]
pub(super) struct Scope {
    rules: Arc<Exclude>,
    path: TreePath,
}

impl Scope {
    pub(super) fn root(rules: Arc<Exclude>) -> Self {
        Self {
            rules,
            path: TreePath::root(),
        }
    }

    /// The rules for the directory of that name in this one.
    pub(super) fn below(&self, name: &Name) -> Self {
        Self {
            rules: Arc::clone(&self.rules),
            path: self.path.join(name),
        }
    }

    /// Takes out of the names of `directory` what is to be left out.
    pub(super) fn retain(&self, directory: &Directory, names: &mut Vec<Name>) -> Result<()> {
        let before = names.len();
        if self.is_cache(directory, names)? {
            names.retain(|name| name.as_bytes() == CACHE_TAG);
        }
        if !self.rules.patterns.is_empty() {
            let fd = directory.fd()?;
            names.retain(|name| {
                let path = self.path.join(name);
                let (as_folder, as_other) = (
                    self.rules.matches(&path, true),
                    self.rules.matches(&path, false),
                );
                if as_folder == as_other {
                    return !as_folder;
                }
                // Only now it matters. What cannot be looked at is kept, so that its loss is told.
                match inode::stat_entry(&fd, name) {
                    Ok(stat) if stat.kind == FileKind::Directory => !as_folder,
                    Ok(_) => !as_other,
                    Err(_) => true,
                }
            });
        }
        let left_out = before - names.len();
        self.rules
            .left_out
            .fetch_add(left_out as u64, Ordering::Relaxed);
        Ok(())
    }

    fn is_cache(&self, directory: &Directory, names: &[Name]) -> Result<bool> {
        if self.rules.caches == Caches::Keep
            || self.path == TreePath::root()
            || !names.iter().any(|name| name.as_bytes() == CACHE_TAG)
        {
            return Ok(false);
        }
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let mut found = [0; CACHE_SIGNATURE.len()];
        // A tag that cannot be read is none: in doubt the folder is kept.
        let read = inode::open_quietly(&*directory.fd()?, CACHE_TAG, flags)
            .and_then(|fd| read_full(&fd, &mut found, 0));
        Ok(read.is_ok() && found == *CACHE_SIGNATURE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left_out(patterns: &[&str], path: &str, is_folder: bool) -> bool {
        let patterns: Vec<String> = patterns.iter().map(ToString::to_string).collect();
        let rules = Exclude::new(&patterns, Caches::Keep).unwrap();
        rules.matches(&TreePath::parse(path.as_bytes()).unwrap(), is_folder)
    }

    #[test]
    fn patterns_mean_what_they_mean_to_git() {
        for (patterns, path, is_folder, expected) in [
            (&["*.log"][..], "a/b.log", false, true),
            (&["*.log"], "a/b.txt", false, false),
            (&["/b"], "a/b", false, false),
            (&["/b"], "b", false, true),
            (&["tmp/"], "a/tmp", true, true),
            (&["tmp/"], "a/tmp", false, false),
            (&["a/**/z"], "a/b/c/z", false, true),
            (&["*.log", "!keep.log"], "keep.log", false, false),
            (&["!keep.log", "*.log"], "keep.log", false, true),
            (&["# a remark", ""], "# a remark", false, false),
            // One byte, and that letter has two.
            (&["caf?"], "café", false, false),
            (&["caf??"], "café", false, true),
        ] {
            assert_eq!(
                left_out(patterns, path, is_folder),
                expected,
                "{patterns:?} {path}"
            );
        }
    }

    #[test]
    fn names_that_are_no_text_are_matched_too() {
        let rules = Exclude::new(&["*.bin".to_owned()], Caches::Keep).unwrap();
        assert!(rules.matches(&TreePath::parse(b"a/\xff.bin").unwrap(), false));
    }

    #[test]
    fn a_pattern_that_cannot_be_understood_is_named() {
        let error = Exclude::new(&["a{b".to_owned()], Caches::Keep)
            .err()
            .unwrap();
        assert!(error.to_string().contains("a{b"), "{error}");
    }
}
