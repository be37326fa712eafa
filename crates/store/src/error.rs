//! One error for every backend: a kind to decide by, the key it is about, the cause below it.
//!
//! Policy: callers and decorators look at [`ErrorKind`] and never at a provider's own error.
//! `Display` says which object and what to do; the cause (a system call, a server's reply) is
//! `source()`. Unless it is `AlreadyExists`, the error of a write leaves open whether the
//! object is there now. `Corrupt` always means that bytes are wrong, never
//! that a connection broke.

use std::{error::Error as StdError, fmt, io};

use rustix::io::Errno;

use crate::key::Key;

/// Shorthand for results of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What sort of failure it was; callers decide by this alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErrorKind {
    /// The object does not exist.
    NotFound,
    /// A conditional create found the key taken.
    AlreadyExists,
    /// Permissions or credentials do not suffice.
    Denied,
    /// A lock keeps the object from deletion until its time is over.
    Retained,
    /// The stored bytes are not what they must be: too short, too long, unreadable.
    Corrupt,
    /// The server asks to slow down.
    Throttled,
    /// The store cannot be reached or broke off; whether a write happened is unknown.
    Unavailable,
    /// The disk or the quota is full.
    NoSpace,
    /// The request makes no sense to this store; trying again will not help.
    Unsupported,
    /// Anything else.
    Other,
}

impl ErrorKind {
    /// Whether the same call may succeed later without anybody doing anything.
    pub const fn is_retryable(self) -> bool {
        matches!(self, Self::Throttled | Self::Unavailable)
    }

    const fn sentence(self) -> &'static str {
        match self {
            Self::NotFound => "the object does not exist",
            Self::AlreadyExists => "the object exists already",
            Self::Denied => "the store refuses access; check permissions and credentials",
            Self::Retained => "a lock keeps the object; it can be deleted when the lock has ended",
            Self::Corrupt => "the object is damaged",
            Self::Throttled => "the store asks to slow down; try again later",
            Self::Unavailable => "the store cannot be reached; try again later",
            Self::NoSpace => "the store is full; free space or raise its quota",
            Self::Unsupported => "the store cannot do this",
            Self::Other => "the store failed",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.sentence())
    }
}

/// A failed store call.
#[derive(Debug)]
pub struct Error {
    /// What sort of failure; the only thing to decide by.
    pub kind: ErrorKind,
    /// The object it is about, if it is about one.
    pub key: Option<Key>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of that kind with nothing more to say.
    pub fn new(kind: ErrorKind) -> Self {
        Self {
            kind,
            key: None,
            source: None,
        }
    }

    /// The same error, about `key`.
    #[must_use]
    pub fn at(mut self, key: &Key) -> Self {
        self.key = Some(key.clone());
        self
    }

    /// The same error with its cause: an error, or a sentence.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// A failed system call; `action` completes "cannot …".
    pub(crate) fn system(action: &'static str, errno: Errno) -> Self {
        let kind = match errno {
            Errno::NOENT => ErrorKind::NotFound,
            Errno::EXIST => ErrorKind::AlreadyExists,
            Errno::ACCESS | Errno::PERM | Errno::ROFS => ErrorKind::Denied,
            Errno::NOSPC | Errno::DQUOT => ErrorKind::NoSpace,
            Errno::NOTDIR | Errno::ISDIR | Errno::NAMETOOLONG | Errno::FBIG => {
                ErrorKind::Unsupported
            }
            Errno::STALE | Errno::TIMEDOUT | Errno::MFILE | Errno::NFILE | Errno::NOMEM => {
                ErrorKind::Unavailable
            }
            _ => ErrorKind::Other,
        };
        Self::new(kind).because(SystemCall {
            action,
            cause: errno.into(),
        })
    }

    /// Whether the same call may succeed later without anybody doing anything.
    pub fn is_retryable(&self) -> bool {
        self.kind.is_retryable()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.key {
            Some(key) => write!(out, "{key}: {}", self.kind),
            None => write!(out, "{}", self.kind),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn StdError + 'static))
    }
}

/// The step of a local operation that failed.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action}")]
struct SystemCall {
    action: &'static str,
    #[source]
    cause: io::Error,
}
