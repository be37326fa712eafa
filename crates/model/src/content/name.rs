//! Names and paths of entries, as bytes: file names need not be UTF-8.
//!
//! Invariant: a [`Name`] is exactly one component. Whatever a damaged or forged manifest says,
//! no name can climb out of the directory it is used in.

use std::fmt;

/// The longest name that Linux file systems know, in bytes.
pub const NAME_BYTES_MAX: usize = 255;

/// One component of a path, as bytes: file names need not be UTF-8.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Box<[u8]>);

/// Bytes that cannot be the name of an entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} cannot be the name of an entry", TreePath(.0.clone()))]
pub struct IllegalName(pub Vec<u8>);

impl Name {
    /// The name with these bytes; refuses the empty name, `.`, `..`, slashes, NULs and names
    /// longer than [`NAME_BYTES_MAX`].
    pub fn new(bytes: &[u8]) -> std::result::Result<Self, IllegalName> {
        let legal = !matches!(bytes, b"" | b"." | b"..")
            && bytes.len() <= NAME_BYTES_MAX
            && !bytes.iter().any(|byte| matches!(byte, b'/' | 0));
        if legal {
            Ok(Self(bytes.into()))
        } else {
            Err(IllegalName(bytes.to_vec()))
        }
    }

    /// The bytes of the name.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for Name {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_escaped(f, &self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// A path below the root of a tree: names joined with `/`; empty for the root itself.
///
/// `Display` escapes what is not printable UTF-8 as `\xNN`, so that two paths never look alike.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct TreePath(Vec<u8>);

impl TreePath {
    /// The root of the tree.
    pub const fn root() -> Self {
        Self(Vec::new())
    }

    /// Reads `a/b/c`; slashes at either end and doubled ones are ignored, `.` and `..` refused.
    pub fn parse(bytes: &[u8]) -> std::result::Result<Self, IllegalName> {
        let mut path = Self::root();
        for part in bytes
            .split(|byte| *byte == b'/')
            .filter(|part| !part.is_empty())
        {
            path.push(&Name::new(part)?);
        }
        Ok(path)
    }

    /// Goes down to `name`.
    pub fn push(&mut self, name: &Name) {
        if !self.0.is_empty() {
            self.0.push(b'/');
        }
        self.0.extend_from_slice(name.as_bytes());
    }

    /// The path of `name` in this directory.
    #[must_use]
    pub fn join(&self, name: &Name) -> Self {
        let mut path = self.clone();
        path.push(name);
        path
    }

    /// The names on the way from the root.
    pub fn names(&self) -> impl Iterator<Item = Name> + '_ {
        self.0
            .split(|byte| *byte == b'/')
            .filter(|part| !part.is_empty())
            .map(|part| Name(part.into()))
    }

    /// The bytes of the path.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str(".");
        }
        write_escaped(f, &self.0)
    }
}

impl fmt::Debug for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

fn write_escaped(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    for part in bytes.utf8_chunks() {
        for letter in part.valid().chars() {
            if letter.is_control() || letter == '\\' {
                write!(f, "{}", letter.escape_default())?;
            } else {
                write!(f, "{letter}")?;
            }
        }
        for byte in part.invalid() {
            write!(f, "\\x{byte:02x}")?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_exactly_one_component() {
        for bad in [&b""[..], b".", b"..", b"a/b", b"/", b"a\0", &[b'x'; 256]] {
            assert!(Name::new(bad).is_err(), "{bad:?}");
        }
        for good in [&b"..."[..], b" ", b"\xff\xfe", b"\n", &[b'x'; 255]] {
            assert_eq!(Name::new(good).unwrap().as_bytes(), good);
        }
    }

    #[test]
    fn paths_print_so_that_two_never_look_alike() {
        let path = TreePath::parse(b"/a//caf\xc3\xa9/\xff\\\n/").unwrap();
        assert_eq!(path.to_string(), "a/café/\\xff\\\\\\n");
        assert_eq!(path.names().count(), 3);
        assert_eq!(TreePath::root().to_string(), ".");
        assert!(TreePath::parse(b"a/../b").is_err());
    }
}
