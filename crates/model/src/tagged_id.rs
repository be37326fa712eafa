//! Ids of the database services: 32 hexadecimal digits and four letters that say what they name.
//!
//! `09902ee7866649b8908ec209bfee2747br09` is a backup, `…in09` a DDM instance, `…in01` a data node
//! (reference: the vendor's page "Querying Backup Details"). Parsing is strict, so a data node's
//! id cannot be passed for an instance's although both are 36 characters long.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Entropy, id::MalformedId};

macro_rules! tagged_ids {
    ($($(#[$doc:meta])* $name:ident, $kind:literal, $tag:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Uuid);

        impl $name {
            /// A fresh random id.
            pub fn new(entropy: &dyn Entropy) -> Self {
                Self(entropy.uuid())
            }

            /// An id with these bytes; for fixtures and for ids derived from other data.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }

            /// The 16 bytes of the id.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!("{}", $tag), self.0.simple())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($kind, ":{}"), self)
            }
        }

        impl FromStr for $name {
            type Err = MalformedId;

            fn from_str(text: &str) -> Result<Self, MalformedId> {
                let digits = text
                    .strip_suffix($tag)
                    .filter(|digits| digits.len() == 32)
                    .and_then(|digits| Uuid::try_parse(digits).ok());
                digits.map(Self).ok_or(MalformedId::of($kind))
            }
        }

        impl TryFrom<String> for $name {
            type Error = MalformedId;

            fn try_from(text: String) -> Result<Self, MalformedId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }
    )*};
}

tagged_ids! {
    /// A backup of a sharding layer's metadata.
    DdmBackupId, "backup", "br09";
    /// A sharding layer.
    DdmInstanceId, "instance", "in09";
    /// A process of a sharding layer.
    DdmNodeId, "node", "no09";
    /// A database server behind a sharding layer.
    DataNodeId, "data node", "in01";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_written_as_in_the_documents_and_tells_what_it_names() {
        let text = "09902ee7866649b8908ec209bfee2747br09";
        let id: DdmBackupId = text.parse().unwrap();
        assert_eq!(id.to_string(), text);
        assert_eq!(serde_json::to_string(&id).unwrap(), format!("\"{text}\""));
        assert!(text.parse::<DdmInstanceId>().is_err());
        for bad in [
            "",
            "br09",
            "09902ee7-8666-49b8-908e-c209bfee2747br09",
            "é902ee7866649b8908ec209bfee2747br09",
        ] {
            assert!(bad.parse::<DdmBackupId>().is_err(), "{bad}");
        }
    }
}
