//! One newtype per kind of object, so that a vault's id cannot be passed for a backup's.
//!
//! CBR's ids are dashed UUIDs, IAM's and DBSS's are 32 hexadecimal digits without dashes, DDM's are
//! 32 digits and four letters that say what they name: `09902ee7866649b8908ec209bfee2747br09` is a
//! backup, `…in09` an instance, `…in01` a data node (reference: the vendors' pages "Querying a
//! Specified Backup", "Obtaining a Project ID", "Querying Backup Details"). Parsing is strict: any
//! other spelling is an error that the API answers with "malformed id".

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

/// How the ids of a kind are written.
enum Spelling {
    Dashed,
    Plain,
    /// With these letters behind the digits.
    Tagged(&'static str),
}

use Spelling::{Dashed, Plain, Tagged};

impl Spelling {
    fn write(&self, id: Uuid, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Dashed => fmt::Display::fmt(&id.hyphenated(), f),
            Plain => fmt::Display::fmt(&id.simple(), f),
            Tagged(tag) => write!(f, "{}{tag}", id.simple()),
        }
    }

    fn read(&self, text: &str) -> Option<Uuid> {
        // Uuid's parser takes braces, URNs and both spellings; the wire knows one.
        let (digits, len) = match self {
            Dashed => (text, 36),
            Plain => (text, 32),
            Tagged(tag) => (text.strip_suffix(tag)?, 32),
        };
        (digits.len() == len).then(|| Uuid::try_parse(digits).ok())?
    }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident, $kind:literal, $spelling:expr;)*) => {$(
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
                $spelling.write(self.0, f)
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
                $spelling.read(text).map(Self).ok_or(MalformedId { kind: $kind })
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
    DomainId, "domain", Plain;
    /// A project: the tenant boundary of every backup service.
    ProjectId, "project", Plain;
    /// A user of a domain.
    UserId, "user", Plain;
    /// A vault: a quota, a set of resources and one repository.
    VaultId, "vault", Dashed;
    /// A protected or protectable thing: a share, a volume.
    ResourceId, "resource", Dashed;
    /// A restore point: the backups made of one vault at one time.
    CheckpointId, "checkpoint", Dashed;
    /// One backup of one resource.
    BackupId, "backup", Dashed;
    /// A policy: when backups are made and how long they stay.
    PolicyId, "policy", Dashed;
    /// An operation log: the vendor's view of a task.
    OperationLogId, "operation log", Dashed;
    /// A durable job of ours.
    JobId, "job", Dashed;
    /// A backup client on a host; chosen by the client.
    AgentId, "agent", Dashed;
    /// A share of one backup with one project.
    MemberId, "share member", Dashed;
    /// A copy of one backup that was asked for.
    ReplicationId, "replication record", Dashed;
    /// A policy that an account rolls out to its projects.
    OrganizationPolicyId, "organization policy", Dashed;
    /// A label over vaults that an account gives out; "0", the default one, is no id.
    EnterpriseProjectId, "enterprise project", Dashed;
    /// A backup of a sharding layer's metadata.
    DdmBackupId, "backup", Tagged("br09");
    /// A sharding layer.
    DdmInstanceId, "instance", Tagged("in09");
    /// A process of a sharding layer.
    DdmNodeId, "node", Tagged("no09");
    /// A database server behind a sharding layer.
    DataNodeId, "data node", Tagged("in01");
    /// A directory of audit logs of databases (DBSS says audit instance).
    DbssInstanceId, "audit instance", Plain;
    /// One backup of audit logs.
    DbssBackupId, "audit backup", Plain;
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
        let urn = "urn:uuid:6df2b54c-dd62-4059-a07c-1b8f24f2725d";
        for bad in [urn, "{4229d7a45436489f8c3dc2b1d35d49}"] {
            assert!(bad.parse::<BackupId>().is_err(), "{bad:?}");
            assert!(bad.parse::<ProjectId>().is_err(), "{bad:?}");
        }
        let capital = dashed.to_uppercase().parse::<BackupId>();
        assert_eq!(capital.unwrap().to_string(), dashed);
    }

    #[test]
    fn an_id_of_the_database_services_tells_what_it_names() {
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
