//! What can go wrong between a client and the service.
//!
//! A refusal by the service keeps what the service said, code and request id included, because
//! scripts act on the code and operators look for the id. Everything else says what to do next.

use std::{fmt, path::PathBuf};

use strongroom_wire::{Service, path::MissingSegment, sign::SignError};

/// The result of a call.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The service answered, and refused.
    #[error(transparent)]
    Refused(#[from] Box<Refusal>),
    /// The service did not answer.
    #[error("{origin} does not answer: is the service running there?")]
    Unreachable {
        /// Scheme, host and port.
        origin: String,
        /// What happened.
        source: reqwest::Error,
    },
    /// The endpoints do not name the service.
    #[error("the endpoints name no origin for {0}")]
    NoEndpoint(Service),
    /// An origin is not `http` or `https`, a host and perhaps a port.
    #[error("{0:?} is not an origin such as https://backup.example.org:7700")]
    BadOrigin(String),
    /// The answer is not what the operation declares.
    #[error("the answer to {operation} cannot be read; do client and service fit together?")]
    BadAnswer {
        /// The operation.
        operation: &'static str,
        /// What was expected.
        source: serde_json::Error,
    },
    /// The service made a token and did not hand it over.
    #[error("the answer to {0} has no X-Subject-Token")]
    NoToken(&'static str),
    /// A parameter of the path is missing.
    #[error(transparent)]
    Path(#[from] MissingSegment),
    /// The request could not be signed.
    #[error("the request cannot be signed")]
    Sign(#[from] SignError),
    /// The request could not be written as JSON.
    #[error("the request cannot be written as JSON")]
    Request(#[source] serde_json::Error),
    /// The credentials have no project, and the call needs one.
    #[error("no project is chosen; name one, or sign in for one")]
    NoProject,
    /// A token was asked for, and there is no password to get one with.
    #[error("the credentials have no password to sign in with")]
    NoPassword,
    /// The project that was named is not there, or not the caller's.
    #[error("there is no project {0:?} that the caller may enter")]
    NoSuchProject(String),
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file does not hold what it should.
    #[error("{} is not what it should be", path.display())]
    BadFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// TLS cannot be set up, such as for a file without certificates.
    #[error("TLS cannot be set up; is the CA file in PEM form?")]
    Tls(#[source] reqwest::Error),
}

impl Error {
    /// What the service said, if it refused.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// Whether the service says that the thing is not there.
    pub fn is_not_found(&self) -> bool {
        self.refusal().is_some_and(|refusal| refusal.status == 404)
    }
}

/// What the service said when it refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The operation.
    pub operation: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// The service's error code; empty if it gave none.
    pub code: String,
    /// The service's text; the beginning of the body if it gave none.
    pub message: String,
    /// The request, for whoever looks into the service's logs.
    pub request_id: Option<String>,
}

impl std::error::Error for Refusal {}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            operation,
            status,
            code,
            message,
            request_id,
        } = self;
        write!(f, "{operation}: {message} ({status}")?;
        if !code.is_empty() {
            write!(f, ", {code}")?;
        }
        if let Some(id) = request_id {
            write!(f, ", request {id}")?;
        }
        f.write_str(")")
    }
}
