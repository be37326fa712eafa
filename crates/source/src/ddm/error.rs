//! Why a sharding layer or a data node could not be read or written.
//!
//! What the server said is kept, but never the statement, which may hold a password.

use std::fmt;

use mysql::Error as Cause;

/// The result of anything with a sharding layer.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why not.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The text is no address of a database.
    #[error("{0}; expected mysql://USER:PASSWORD@HOST:PORT")]
    BadAddress(&'static str),
    /// Nobody listens there, or not in time.
    #[error("{server} does not answer: {cause}")]
    Unreachable {
        /// Which server.
        server: String,
        /// What happened.
        cause: String,
    },
    /// The server does not know the user or the password.
    #[error("{server} refuses the user or the password: {cause}")]
    Denied {
        /// Which server.
        server: String,
        /// What the server said.
        cause: String,
    },
    /// The server refused a statement.
    #[error("{server} cannot {action}: {cause}")]
    Refused {
        /// Which server.
        server: String,
        /// What was tried, as a verb.
        action: &'static str,
        /// What the server said.
        cause: String,
    },
    /// The layer is not what the provider is for, or does not fit what is known of it.
    #[error("{0}")]
    Unfit(String),
    /// The schemas changed while they were read.
    #[error("schemas of {0} were changed while they were read")]
    Changed(String),
    /// The document is not what this release writes, or is cut short.
    #[error("the metadata document is not readable: {0}")]
    Unreadable(String),
    /// A copy of a server's files, or its log, is not what it should be.
    #[error("{0}")]
    Damaged(String),
    /// The reader of the document, or its writer, gave up.
    #[error("the document could not be passed on: {0}")]
    Stream(#[from] std::io::Error),
}

impl Error {
    /// Whether the same call may do better later.
    pub const fn may_pass(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Changed(_))
    }

    /// What the driver said of a statement.
    pub(super) fn of(server: &impl fmt::Display, action: &'static str, cause: Cause) -> Self {
        let server = server.to_string();
        match cause {
            // Access denied, in its three numbers; 1044 names a database, 1045 and 1698 a user.
            Cause::MySqlError(refusal) if matches!(refusal.code, 1044 | 1045 | 1698) => {
                Self::Denied {
                    server,
                    cause: refusal.message,
                }
            }
            // A syntax error quotes the statement, and a statement may hold a password.
            Cause::MySqlError(refusal) if refusal.code == 1064 => Self::Refused {
                server,
                action,
                cause: "it does not understand the statement (error 1064)".to_owned(),
            },
            Cause::MySqlError(refusal) => Self::Refused {
                server,
                action,
                cause: format!("{} (error {})", refusal.message, refusal.code),
            },
            Cause::IoError(error) => Self::Unreachable {
                server,
                cause: error.to_string(),
            },
            Cause::DriverError(error) => Self::Unreachable {
                server,
                cause: error.to_string(),
            },
            Cause::TlsError(error) => Self::Unreachable {
                server,
                cause: format!("its certificate is not accepted: {error}"),
            },
            // What a connection carries breaks off: a certificate, or the line itself.
            Cause::CodecError(error) => Self::Unreachable {
                server,
                cause: error.to_string(),
            },
            // The others quote values.
            _ => Self::Refused {
                server,
                action,
                cause: "its answer is not understood".to_owned(),
            },
        }
    }
}
