//! The kinds of resource that can be protected (DESIGN: "What can be protected").
//!
//! The vendor's spelling of a kind (`OS::Sfs::Turbo`) lives in `wire`, not here.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// What a resource is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResourceKind {
    /// A directory tree.
    Share,
    /// A raw image file or block device.
    Volume,
}

impl ResourceKind {
    /// Every kind, in the order of the documents.
    pub const ALL: &[Self] = &[Self::Share, Self::Volume];

    /// The word used on the command line and in the catalog.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Share => "share",
            Self::Volume => "volume",
        }
    }
}

impl fmt::Display for ResourceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that names no kind of resource.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown kind of resource {0:?}; known are share and volume")]
pub struct UnknownKind(pub String);

impl FromStr for ResourceKind {
    type Err = UnknownKind;

    fn from_str(word: &str) -> Result<Self, UnknownKind> {
        Self::ALL
            .iter()
            .copied()
            .find(|kind| kind.as_str() == word)
            .ok_or_else(|| UnknownKind(word.to_owned()))
    }
}
