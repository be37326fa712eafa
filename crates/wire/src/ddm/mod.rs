//! Distributed Database Middleware: the backup API, and of the rest what its clients need.
//!
//! Field order is the vendor tables'. A field that the vendor's own clients cannot do without is
//! always there; one that this service has nothing to say about is empty text, as on instances
//! that lack it.
//!
//! - `table`: the operations
//! - [`backup`], [`restore`]: backups of metadata and the way back
//! - [`instance`], [`node`], [`database`], [`job`], [`tag`], [`engine`]: the rest

pub mod backup;
pub mod database;
pub mod engine;
pub mod instance;
pub mod job;
pub mod node;
pub mod restore;
mod table;
pub mod tag;

pub use table::*;

paths! {
    /// `/v3/{project_id}/…`
    ProjectPath {
        /// The project, 32 hexadecimal digits.
        project_id,
    }

    /// `/v3/{project_id}/backups/{backup_id}`
    BackupPath {
        /// The project, 32 hexadecimal digits.
        project_id,
        /// The backup.
        backup_id,
    }

    /// `/v3/{project_id}/instances/{instance_id}/backups/{backup_id}`
    InstanceBackupPath {
        /// The project, 32 hexadecimal digits.
        project_id,
        /// The instance.
        instance_id,
        /// The backup.
        backup_id,
    }

    /// `/v3/{project_id}/instances/{instance_id}…`
    InstancePath {
        /// The project, 32 hexadecimal digits.
        project_id,
        /// The instance.
        instance_id,
    }

    /// `/v3/{project_id}/instances/{instance_id}/nodes/{node_id}`
    NodePath {
        /// The project, 32 hexadecimal digits.
        project_id,
        /// The instance.
        instance_id,
        /// The node.
        node_id,
    }

    /// `/v1/{project_id}/instances/{instance_id}/databases/{ddm_dbname}`
    OldDatabasePath {
        /// The project, 32 hexadecimal digits.
        project_id,
        /// The instance.
        instance_id,
        /// The schema.
        ddm_dbname,
    }

    /// `/v3/{project_id}/instances/{instance_id}/databases/{database_name}`
    DatabasePath {
        /// The project, 32 hexadecimal digits.
        project_id,
        /// The instance.
        instance_id,
        /// The schema.
        database_name,
    }

    /// `/v3/{project_id}/jobs/{job_id}`
    JobPath {
        /// The project, 32 hexadecimal digits.
        project_id,
        /// The job.
        job_id,
    }

    /// `/v3/{project_id}/instances/{instance_id}/tags/{key}`
    TagPath {
        /// The project, 32 hexadecimal digits.
        project_id,
        /// The instance.
        instance_id,
        /// The tag's key, percent-decoded.
        key,
    }
}

/// A page of up to 128 rows.
pub type Limit = crate::query::Limit<128>;
/// A page of up to 1024 rows: a few lists know that limit.
pub type LongLimit = crate::query::Limit<1024>;

/// Rows of a page when the caller names none.
pub const DEFAULT_LIMIT: u32 = 10;

queries! {
    /// A window on a list.
    PageQuery {
        /// Rows to skip.
        offset: Option<crate::query::Offset>,
        /// Rows in the page; 10 if nothing is said.
        limit: Option<Limit>,
    }

    /// A window on a list of up to 1024 rows.
    LongPageQuery {
        /// Rows to skip.
        offset: Option<crate::query::Offset>,
        /// Rows in the page; 10 if nothing is said.
        limit: Option<LongLimit>,
    }
}

/// A time in milliseconds since 1970, as text or number.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Debug,
    Default,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(transparent)]
pub struct Millis(pub i64);

impl crate::query::QueryValue for Millis {
    fn parse(text: &str) -> Result<Self, String> {
        // Clients in languages with one kind of number write `1.0` and `1e12` too; only the first
        // has one meaning here.
        text.strip_suffix(".0")
            .unwrap_or(text)
            .parse()
            .ok()
            .filter(|millis| (0..=253_402_300_799_999).contains(millis))
            .map(Self)
            .ok_or_else(|| "expected milliseconds since 1970".to_owned())
    }

    fn text(&self) -> String {
        self.0.to_string()
    }
}

/// A job that was started.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct JobReply {
    /// The job to ask for.
    pub job_id: String,
}
