//! One newtype per kind of object, so that a vault's id cannot be passed for a backup's.
//!
//! CBR's ids are dashed UUIDs, IAM's are 32 hexadecimal digits without dashes (reference:
//! the vendors' pages "Querying a Specified Backup" and "Obtaining a Project ID"). Parsing is
//! strict: any other spelling is an error that the API answers with "malformed id".

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Entropy;

/// Text that is not an id of the expected form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("malformed {kind} id")]
pub struct MalformedId {
    kind: &'static str,
}

impl MalformedId {
    /// What is no id of that kind.
    pub(crate) const fn of(kind: &'static str) -> Self {
        Self { kind }
    }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident, $kind:literal, $style:ident;)*) => {$(
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
                self.0.$style().fmt(f)
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
                let malformed = MalformedId { kind: $kind };
                let id = Self(Uuid::try_parse(text).map_err(|_| malformed.clone())?);
                // Uuid's parser takes braces, URNs and both spellings; the wire knows one.
                if id.to_string().eq_ignore_ascii_case(text) { Ok(id) } else { Err(malformed) }
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

ids! {
    /// An account (the vendors say domain).
    DomainId, "domain", simple;
    /// A project: the tenant boundary of every backup service.
    ProjectId, "project", simple;
    /// A user of a domain.
    UserId, "user", simple;
    /// A vault: a quota, a set of resources and one repository.
    VaultId, "vault", hyphenated;
    /// A protected or protectable thing: a share, a volume.
    ResourceId, "resource", hyphenated;
    /// A restore point: the backups made of one vault at one time.
    CheckpointId, "checkpoint", hyphenated;
    /// One backup of one resource.
    BackupId, "backup", hyphenated;
    /// A policy: when backups are made and how long they stay.
    PolicyId, "policy", hyphenated;
    /// An operation log: the vendor's view of a task.
    OperationLogId, "operation log", hyphenated;
    /// A durable job of ours.
    JobId, "job", hyphenated;
    /// A backup client on a host; chosen by the client.
    AgentId, "agent", hyphenated;
    /// A share of one backup with one project.
    MemberId, "share member", hyphenated;
    /// A copy of one backup that was asked for.
    ReplicationId, "replication record", hyphenated;
    /// A policy that an account rolls out to its projects.
    OrganizationPolicyId, "organization policy", hyphenated;
    /// A label over vaults that an account gives out; "0", the default one, is no id.
    EnterpriseProjectId, "enterprise project", hyphenated;
    /// A directory of audit logs of databases (DBSS says audit instance).
    DbssInstanceId, "audit instance", simple;
    /// One backup of audit logs.
    DbssBackupId, "audit backup", simple;
}

/// The public half of an access key: 20 capital letters and digits.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct AccessKeyId(pub String);

impl fmt::Display for AccessKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wire_knows_one_spelling_of_each_id() {
        let dashed = "6df2b54c-dd62-4059-a07c-1b8f24f2725d";
        let plain = "4229d7a45436489f8c3dc2b1d35d4987";
        assert_eq!(dashed.parse::<BackupId>().unwrap().to_string(), dashed);
        assert_eq!(plain.parse::<ProjectId>().unwrap().to_string(), plain);
        for bad in [plain, "", "vault", "{6df2b54c-dd62-4059-a07c-1b8f24f2725d}"] {
            assert!(bad.parse::<BackupId>().is_err(), "{bad:?}");
        }
        assert!(dashed.parse::<ProjectId>().is_err());
    }
}
