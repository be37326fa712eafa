//! Values as databases know them, and how the types of the model become them.
//!
//! The subset that SQLite and PostgreSQL share: integers of 64 bits, text, bytes. Times are
//! microseconds, ids and states are text, truth is 0 or 1, documents are JSON as text.
//!
//! Invariant: reading back what was written gives the same value; anything else that stands in
//! a column is an error that names it, never a default.

use std::fmt;

use serde::{Serialize, de::DeserializeOwned};
use strongroom_jobs::JobState;
use strongroom_model::{
    AccessKeyId, AgentId, BackupId, Bytes, CheckpointId, DataNodeId, DbssBackupId, DbssInstanceId,
    DdmBackupId, DdmInstanceId, DomainId, EnterpriseProjectId, GiB, JobId, MemberId,
    OperationLogId, OrganizationPolicyId, PolicyId, ProjectId, ReplicationId, ResourceId,
    ResourceKind, Timestamp, UserId, VaultId,
    state::{
        BackupStatus, CheckpointStatus, DbssInstanceStatus, DbssProgress, DbssTaskStatus,
        DdmBackupStatus, DdmInstanceStatus, DdmTaskStatus, ProtectStatus, TaskStatus, VaultStatus,
    },
};

/// One value of one column.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Value {
    Null,
    Integer(i64),
    Text(String),
    Blob(Vec<u8>),
}

/// A type that fits into a column.
pub(crate) trait Field: Sized {
    /// As the database holds it.
    fn to_value(&self) -> Value;

    /// From what the database holds; `Err` says what stands there instead.
    fn from_value(value: Value) -> Result<Self, String>;
}

/// Bytes that must not show up in logs: sealed keys, password hashes.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(pub Vec<u8>);

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({} bytes)", self.0.len())
    }
}

/// A document kept as JSON.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Json<T>(pub T);

fn unexpected<T>(wanted: &str, found: &Value) -> Result<T, String> {
    let found = match found {
        Value::Null => "null",
        Value::Integer(_) => "a number",
        Value::Text(_) => "text",
        Value::Blob(_) => "bytes",
    };
    Err(format!("{found} instead of {wanted}"))
}

impl Field for i64 {
    fn to_value(&self) -> Value {
        Value::Integer(*self)
    }

    fn from_value(value: Value) -> Result<Self, String> {
        match value {
            Value::Integer(number) => Ok(number),
            other => unexpected("a number", &other),
        }
    }
}

/// Unsigned numbers: the databases know signed ones, so what is larger is stored as the largest.
macro_rules! unsigned {
    ($($name:ty),*) => {$(
        impl Field for $name {
            fn to_value(&self) -> Value {
                Value::Integer(i64::try_from(*self).unwrap_or(i64::MAX))
            }

            fn from_value(value: Value) -> Result<Self, String> {
                let number = i64::from_value(value)?;
                Self::try_from(number).map_err(|_| format!("{number}, which is out of range"))
            }
        }
    )*};
}

unsigned!(u8, u32, u64, usize);

impl Field for bool {
    fn to_value(&self) -> Value {
        Value::Integer(i64::from(*self))
    }

    fn from_value(value: Value) -> Result<Self, String> {
        match i64::from_value(value)? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(format!("{other} instead of 0 or 1")),
        }
    }
}

impl Field for String {
    fn to_value(&self) -> Value {
        Value::Text(self.clone())
    }

    fn from_value(value: Value) -> Result<Self, String> {
        match value {
            Value::Text(text) => Ok(text),
            other => unexpected("text", &other),
        }
    }
}

impl Field for Vec<u8> {
    fn to_value(&self) -> Value {
        Value::Blob(self.clone())
    }

    fn from_value(value: Value) -> Result<Self, String> {
        match value {
            Value::Blob(bytes) => Ok(bytes),
            other => unexpected("bytes", &other),
        }
    }
}

impl Field for Sealed {
    fn to_value(&self) -> Value {
        Value::Blob(self.0.clone())
    }

    fn from_value(value: Value) -> Result<Self, String> {
        Vec::from_value(value).map(Self)
    }
}

impl<const N: usize> Field for [u8; N] {
    fn to_value(&self) -> Value {
        Value::Blob(self.to_vec())
    }

    fn from_value(value: Value) -> Result<Self, String> {
        let bytes = Vec::from_value(value)?;
        let found = bytes.len();
        Self::try_from(bytes).map_err(|_| format!("{found} bytes instead of {N}"))
    }
}

impl<T: Field> Field for Option<T> {
    fn to_value(&self) -> Value {
        self.as_ref().map_or(Value::Null, Field::to_value)
    }

    fn from_value(value: Value) -> Result<Self, String> {
        match value {
            Value::Null => Ok(None),
            other => T::from_value(other).map(Some),
        }
    }
}

impl<T: Serialize + DeserializeOwned> Field for Json<T> {
    fn to_value(&self) -> Value {
        Value::Text(serde_json::to_string(&self.0).expect("rows hold plain data with text keys"))
    }

    fn from_value(value: Value) -> Result<Self, String> {
        let text = String::from_value(value)?;
        serde_json::from_str(&text)
            .map(Self)
            .map_err(|error| format!("unreadable JSON: {error}"))
    }
}

impl Field for Timestamp {
    fn to_value(&self) -> Value {
        Value::Integer(self.as_micros())
    }

    fn from_value(value: Value) -> Result<Self, String> {
        i64::from_value(value).map(Self::from_micros)
    }
}

macro_rules! amounts {
    ($($name:ident),*) => {$(
        impl Field for $name {
            fn to_value(&self) -> Value {
                self.0.to_value()
            }

            fn from_value(value: Value) -> Result<Self, String> {
                u64::from_value(value).map(Self)
            }
        }
    )*};
}

amounts!(Bytes, GiB);

macro_rules! texts {
    ($($name:ident),*) => {$(
        impl Field for $name {
            fn to_value(&self) -> Value {
                Value::Text(self.to_string())
            }

            fn from_value(value: Value) -> Result<Self, String> {
                String::from_value(value)?.parse().map_err(|error| format!("a {error}"))
            }
        }
    )*};
}

texts!(
    AgentId,
    DataNodeId,
    DbssBackupId,
    DbssInstanceId,
    DdmBackupId,
    DdmInstanceId,
    EnterpriseProjectId,
    MemberId,
    OrganizationPolicyId,
    ReplicationId,
    DomainId,
    ProjectId,
    UserId,
    VaultId,
    ResourceId,
    CheckpointId,
    BackupId,
    OperationLogId,
    PolicyId,
    JobId,
    ResourceKind
);

impl Field for AccessKeyId {
    fn to_value(&self) -> Value {
        self.0.to_value()
    }

    fn from_value(value: Value) -> Result<Self, String> {
        String::from_value(value).map(Self)
    }
}

/// Words: enums with `as_str` and `parse`.
macro_rules! words {
    ($($name:ty),* $(,)?) => {$(
        impl $crate::value::Field for $name {
            fn to_value(&self) -> $crate::value::Value {
                $crate::value::Value::Text(self.as_str().to_owned())
            }

            fn from_value(value: $crate::value::Value) -> Result<Self, String> {
                let word = String::from_value(value)?;
                Self::parse(&word).ok_or_else(|| format!("the unknown word {word:?}"))
            }
        }
    )*};
}
pub(crate) use words;

words!(
    BackupStatus,
    CheckpointStatus,
    DbssInstanceStatus,
    DbssProgress,
    DbssTaskStatus,
    DdmBackupStatus,
    DdmInstanceStatus,
    DdmTaskStatus,
    VaultStatus,
    ProtectStatus,
    TaskStatus,
    JobState
);
