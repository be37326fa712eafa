//! What can go wrong with the catalog.
//!
//! One enum, transport-free. A caller tells apart: what it may answer to its own caller
//! ([`Error::NotFound`], [`Error::Duplicate`], [`Error::Illegal`]), what may pass
//! ([`Error::is_retryable`]), and what a person must act on (all the rest).
//! A row that is simply absent is `None`, not an error, unless the function says so.

use std::path::PathBuf;

use strongroom_model::state::Illegal;

/// The result of every catalog function.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong with the catalog.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file is something else, or nothing that SQLite knows.
    #[error("{} is not a strongroom catalog ({reason}); check the path", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// How it was recognised.
        reason: String,
    },
    /// The database is damaged.
    #[error(
        "the catalog is damaged ({0}); stop the service, then restore a copy of it or rebuild it"
    )]
    Corrupt(String),
    /// A newer release wrote it.
    #[error(
        "the catalog has schema {found}, this release knows up to {known}; run the newer release"
    )]
    TooNew {
        /// The schema's version.
        found: i64,
        /// The newest that this release knows.
        known: i64,
    },
    /// A migration that was applied differs from the one of that number in this release.
    #[error(
        "migration {version} ({name}) of the catalog is not this release's; run the right build"
    )]
    MigrationAltered {
        /// Its number.
        version: i64,
        /// Its name.
        name: String,
    },
    /// A row written beside the data does not read back.
    #[error("the document of a {what} is unreadable: {reason}")]
    Document {
        /// The domain's word for a row.
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The disk, or the size allowed, is used up. What was being written is rolled back.
    #[error("no space left for the catalog; free some and try again, nothing was changed")]
    NoSpace,
    /// Another process kept the catalog locked for too long.
    #[error("the catalog stayed locked by another process; try again")]
    Busy,
    /// A transaction inside another one on the same thread: a bug of the caller.
    #[error("a catalog transaction was begun inside another one")]
    Nested,
    /// A write inside [`read`](crate::Catalog::read): a bug of the caller.
    #[error("a write was tried in a read transaction")]
    ReadOnly,
    /// A row with the same key, name or resource exists.
    #[error("the catalog has such a row already ({0})")]
    Duplicate(String),
    /// A row that this one needs does not exist, or one that needs it still does.
    #[error("the row is tied to another one that is missing, or that still needs it")]
    Reference,
    /// The row to change does not exist (any more) in that project.
    #[error("there is no {what} {id}")]
    NotFound {
        /// The kind of row.
        what: &'static str,
        /// Its key.
        id: String,
    },
    /// The state machine does not know that move; nothing was changed.
    #[error(transparent)]
    Illegal(#[from] Illegal),
    /// An edit tried to change what identifies the row: a bug of the caller.
    #[error("an edit tried to change the key of a {what}")]
    KeyChanged {
        /// The kind of row.
        what: &'static str,
    },
    /// A stored value is not what this release writes.
    #[error(
        "{table}.{column} holds {reason}; the catalog was changed by hand or by another release"
    )]
    Unreadable {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// What is wrong with the value.
        reason: String,
    },
    /// The file could not be opened or prepared.
    #[error("{what} {} failed", path.display())]
    File {
        /// What was done.
        what: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: std::io::Error,
    },
    /// Anything else that the database reports.
    #[error("the catalog database failed")]
    Database(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// Whether the same call may succeed later.
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Busy | Self::NoSpace)
    }
}
