//! Why a directory of logs could not be read at all.
//!
//! A single file that cannot be read is no error but a [`Pending`](super::Pending) one.

use std::{io, path::PathBuf};

/// The result of anything with a directory of logs.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why not.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The directory cannot be opened or listed.
    #[error("the log directory {} cannot be read: {cause}", path.display())]
    Directory {
        /// Which.
        path: PathBuf,
        /// What happened.
        cause: io::Error,
    },
    /// Something else is where the directory was.
    #[error("{} is no directory", path.display())]
    NoDirectory {
        /// Where.
        path: PathBuf,
    },
    /// A release that knows more wrote the position.
    #[error("the position in the logs has version {0}, which this release does not know")]
    BadPosition(u32),
    /// The pattern of names is not usable.
    #[error("{0:?} is no pattern of file names; it may hold * and no /")]
    BadPattern(String),
    /// Whoever takes the lines gave up.
    #[error("the lines could not be passed on: {0}")]
    Sink(#[source] io::Error),
    /// A file changed or failed while it was searched.
    #[error("the log {file} cannot be read: {cause}")]
    File {
        /// Which.
        file: String,
        /// What happened.
        cause: io::Error,
    },
}

impl Error {
    /// Whether the same call may do better later.
    pub const fn may_pass(&self) -> bool {
        matches!(
            self,
            Self::Directory { .. } | Self::NoDirectory { .. } | Self::File { .. }
        )
    }
}
