//! Database Security Service: audit logs of databases and their backups, and of the rest what
//! its clients need.
//!
//! Field order is the SDK's models' (the vendor has no page for most of these operations). Times
//! are `yyyy-MM-dd HH:mm:ss` without a zone, which is UTC here; numbers of pages come as numbers in
//! some bodies and as text in others, and both are taken everywhere.
//!
//! - `table`: the operations
//! - [`backup`], [`risk`]: backups of audit logs and their switches
//! - [`statement`]: what is in the logs; [`log`]: who used the service
//! - [`instance`], [`monitor`], [`setting`], [`tag`]: the rest

pub mod backup;
pub mod instance;
pub mod log;
pub mod monitor;
pub mod risk;
pub mod setting;
pub mod statement;
mod table;
pub mod tag;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use table::*;

paths! {
    /// `/v1/{project_id}/…`
    ProjectPath {
        /// The project, 32 hexadecimal digits.
        project_id,
    }

    /// `/v1/{project_id}/audit/{instance_id}…`
    InstancePath {
        /// The project, 32 hexadecimal digits.
        project_id,
        /// The audit instance.
        instance_id,
    }

    /// `/v1/{domain_id}/audit/{instance_id}…`: the account stands in the project's place.
    DomainInstancePath {
        /// The account, 32 hexadecimal digits.
        domain_id,
        /// The audit instance.
        instance_id,
    }

    /// `/v1/{project_id}/audit/{instance_id}/backups/{id}` and what is below.
    BackupPath {
        /// The project, 32 hexadecimal digits.
        project_id,
        /// The audit instance.
        instance_id,
        /// The backup, or the statement.
        id,
    }

    /// `/v1/{project_id}/audit/{instance_id}/backup/risk/template/{db_id}`
    DatabasePath {
        /// The project, 32 hexadecimal digits.
        project_id,
        /// The audit instance.
        instance_id,
        /// The database.
        db_id,
    }

    /// `/v1/{project_id}/audit/{resource_id}/jobs`
    ResourcePath {
        /// The project, 32 hexadecimal digits.
        project_id,
        /// The audit instance.
        resource_id,
    }

    /// `/v1/{project_id}/{resource_type}/tags` and what is below.
    TypePath {
        /// The project, 32 hexadecimal digits.
        project_id,
        /// `auditInstance`.
        resource_type,
    }

    /// `/v1/{project_id}/{resource_type}/{resource_id}/tags` and what is below.
    TaggedPath {
        /// The project, 32 hexadecimal digits.
        project_id,
        /// `auditInstance`.
        resource_type,
        /// The audit instance.
        resource_id,
    }
}

/// A page of up to 1000 rows.
pub type Limit = crate::query::Limit<1000>;
/// A page of up to 10000 rows: some lists know that limit.
pub type LongLimit = crate::query::Limit<10_000>;

/// Rows of a page when the caller names none.
pub const DEFAULT_LIMIT: u32 = 100;
/// Rows of a page that a body asks for.
pub const SIZE_MAX: u32 = 1000;

queries! {
    /// A window on a list.
    PageQuery {
        /// Rows to skip.
        offset: Option<crate::query::Offset>,
        /// Rows in the page; 100 if nothing is said.
        limit: Option<Limit>,
    }

    /// A window on a list of up to 10000 rows.
    LongPageQuery {
        /// Rows to skip.
        offset: Option<crate::query::Offset>,
        /// Rows in the page.
        limit: Option<LongLimit>,
    }
}

/// A whole number that some bodies carry as text and others as a number; written as a number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize)]
#[serde(transparent)]
pub struct Number(pub u32);

/// The same, written as text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct NumberText(pub u32);

impl Serialize for NumberText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Number(u32),
            Text(String),
        }
        let problem = || serde::de::Error::custom("expected a whole number from 0");
        match Either::deserialize(from).map_err(|_| problem())? {
            Either::Number(number) => Ok(Self(number)),
            Either::Text(text) => text.parse().map(Self).map_err(|_| problem()),
        }
    }
}

impl<'de> Deserialize<'de> for NumberText {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Number::deserialize(from).map(|number| Self(number.0))
    }
}

words! {
    /// What came of an order: it was taken.
    Accepted, "result" {
        /// Taken.
        Success = "SUCCESS",
        /// Not taken; a refusal says so by its status instead.
        Failed = "FAIL",
    }

    /// The same word as some operations spell it.
    Done, "result" {
        /// Done.
        Success = "success",
        /// Not done.
        Failed = "failed",
    }
}

/// An order was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceptedReply {
    /// Always the same.
    pub result: Accepted,
}

/// It was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoneReply {
    /// Always the same.
    pub result: Done,
}

/// It was done; some operations call the field otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusReply {
    /// Always the same.
    pub status: Done,
}
