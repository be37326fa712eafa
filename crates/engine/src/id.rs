//! The names of things in a repository: fixed-size byte strings shown as lower-case hex.
//!
//! One newtype per kind, so that a pack's name cannot be passed for a chunk's. Chunk ids are
//! keyed hashes and packs and index runs are named by the hash of their bytes; repositories,
//! manifests (with their leases) and quarantine records have random 16-byte names.
//!
//! Format: docs/format.md, "Names".

use std::{fmt, str::FromStr};

use strongroom_model::{Entropy, entropy::random};

/// Text that is not the lower-case hex name of that kind of thing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("malformed {kind} id")]
pub struct MalformedId {
    kind: &'static str,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident, $kind:literal, $len:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name([u8; $len]);

        impl $name {
            /// Bytes in an id of this kind.
            pub const LEN: usize = $len;

            /// The id with these bytes.
            pub const fn from_bytes(bytes: [u8; $len]) -> Self {
                Self(bytes)
            }

            /// The bytes of the id.
            pub const fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!($kind, ":"))?;
                self.0[..4].iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl FromStr for $name {
            type Err = MalformedId;

            fn from_str(text: &str) -> Result<Self, MalformedId> {
                let malformed = MalformedId { kind: $kind };
                if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
                    return Err(malformed);
                }
                let mut bytes = [0; $len];
                hex::decode_to_slice(text, &mut bytes).map_err(|_| malformed)?;
                Ok(Self(bytes))
            }
        }
    )*};
}

ids! {
    /// The name of a repository, in every object it holds.
    RepositoryId, "repository", 16;
    /// The name of a chunk: the keyed hash of its bytes.
    ChunkId, "chunk", 32;
    /// The name of a pack: the hash of the whole object.
    PackId, "pack", 32;
    /// The name of an index run: the hash of the whole object.
    RunId, "run", 32;
    /// The name of a manifest and of the lease under which it is written.
    ManifestId, "manifest", 16;
    /// The name of a quarantine record.
    QuarantineId, "quarantine", 16;
    /// The name of one act of forgetting a manifest.
    ForgetId, "forget", 16;
}

macro_rules! random_ids {
    ($($name:ident),*) => {$(
        impl $name {
            /// A fresh random id.
            pub fn random(entropy: &dyn Entropy) -> Self {
                Self(random(entropy))
            }
        }
    )*};
}

random_ids!(RepositoryId, ManifestId, QuarantineId, ForgetId);

/// What a chunk is for. The two kinds have different ids, keys and packs, so that one can
/// never be served for the other.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Stream {
    /// Bytes of files and volumes.
    Data,
    /// Nodes of directory trees, block maps and lists of problems.
    Tree,
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Data => "data",
            Self::Tree => "tree",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_spelling() {
        let id = ManifestId::from_bytes([0xab; 16]);
        assert_eq!(id.to_string(), "ab".repeat(16));
        assert_eq!(id.to_string().parse(), Ok(id));
        for bad in [
            "",
            "ab",
            &"AB".repeat(16),
            &"ab".repeat(17),
            &"ag".repeat(16),
        ] {
            assert!(bad.parse::<ManifestId>().is_err(), "{bad:?}");
        }
        assert_eq!(format!("{id:?}"), "manifest:abababab");
    }
}
