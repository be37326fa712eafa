//! The name of an object: a short path that every backend can hold and nobody can misread.
//!
//! Lower case only, because some file systems fold case; no segment begins with a dot, because
//! servers and file systems put things of their own there (`.nfs…`, `.snapshot`) and because `.`
//! and `..` are then excluded by the same rule. Backends that need names of their own use
//! characters outside this alphabet, so a key can never meet them.
//!
//! Invariant: a [`Key`] that exists is valid; nothing below it checks again.

use std::{borrow::Borrow, fmt};

use crate::error::{Error, ErrorKind, Result};

/// Longest key in bytes.
pub const KEY_LENGTH_MAX: usize = 512;
/// Longest segment of a key in bytes: what common file systems allow for a name.
pub const SEGMENT_LENGTH_MAX: usize = 255;

/// A validated object name: segments of `[a-z0-9._-]` joined by `/`.
///
/// Two rules bind keys to each other. The store in memory enforces them, so that tests find a
/// breach; elsewhere it ends in an error, never in lost or hidden objects:
/// - a key must not be the directory of another one (`a` beside `a/b`): a directory backend cannot
///   hold both;
/// - a directory must not have a sibling that goes on with `-` or `.` (`a/b` beside `a-c` or
///   `a.c/d`):
///   these sort before `/`, and servers that sort level by level list them in another order.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(Box<str>);

impl Key {
    /// Checks `text`; kind `Unsupported` if it is not a key.
    pub fn new(text: &str) -> Result<Self> {
        let valid = text.len() <= KEY_LENGTH_MAX && text.split('/').all(is_segment);
        if valid {
            Ok(Self(text.into()))
        } else {
            Err(not_a_name("key", text))
        }
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the last `/`, empty for a key of one segment.
    pub fn directory(&self) -> &str {
        self.0
            .rsplit_once('/')
            .map_or("", |(directory, _)| directory)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Key({})", self.0)
    }
}

/// Lets a map of keys be searched with plain text.
impl Borrow<str> for Key {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Key {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// The beginning of some keys, cut at its last `/`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Prefix<'a> {
    /// Everything up to and without the last `/`; empty for the root.
    pub(crate) directory: &'a str,
    /// How names in that directory begin.
    pub(crate) rest: &'a str,
}

impl<'a> Prefix<'a> {
    /// Checks that `text` can begin a key; a prefix that cannot is a mistake, not an empty list.
    pub(crate) fn new(text: &'a str) -> Result<Self> {
        let (directory, rest) = text.rsplit_once('/').unwrap_or(("", text));
        let rooted = text.starts_with('/');
        let valid = !rooted
            && text.len() <= KEY_LENGTH_MAX
            && (directory.is_empty() || directory.split('/').all(is_segment))
            && (rest.is_empty() || is_segment(rest));
        if valid {
            Ok(Self { directory, rest })
        } else {
            Err(not_a_name("prefix of keys", text))
        }
    }
}

fn is_segment(segment: &str) -> bool {
    let letter = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-');
    !segment.is_empty()
        && segment.len() <= SEGMENT_LENGTH_MAX
        && !segment.starts_with('.')
        && segment.bytes().all(letter)
}

fn not_a_name(what: &str, text: &str) -> Error {
    let shown: String = text.chars().take(80).collect();
    Error::new(ErrorKind::Unsupported).because(format!("{shown:?} is not a {what}"))
}

#[cfg(test)]
mod tests;
