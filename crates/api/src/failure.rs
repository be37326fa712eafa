//! Everything that can keep a request from its answer, said without any vendor's words.
//!
//! Each [`Dialect`](crate::dialect::Dialect) renders every variant in its own body shape;
//! nothing leaves as plain text.

use std::{borrow::Cow, fmt::Display};

use strongroom_control::Error;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// No operation has this path and method.
    #[error("the API does not exist or has not been published")]
    NoSuchApi,
    /// The body is over the limit.
    #[error("the request body is larger than 12 MB")]
    BodyTooLarge,
    /// The body did not arrive.
    #[error("the request body could not be read")]
    BodyUnreadable,
    /// No token, no signature, or one that does not hold.
    #[error("authentication failed: {0}")]
    Unauthenticated(Cow<'static, str>),
    /// The path names a project that the caller does not act for.
    #[error("the token or signature is not for the project in the path")]
    OtherProject,
    /// The caller's roles do not allow the action.
    #[error("no permission for {action}")]
    NotPermitted {
        /// The action.
        action: &'static str,
    },
    /// The project makes more requests than it may.
    #[error("too many requests; try again in {seconds} s")]
    Throttled {
        /// When to try again.
        seconds: u64,
    },
    /// The operation is declared but does not work yet.
    #[error("{operation} is not available in this version of Strongroom: {reason}")]
    NotYet {
        /// The vendor's operation id.
        operation: &'static str,
        /// What is missing.
        reason: &'static str,
    },
    /// The operation is declared and refused for good.
    #[error("{operation} is not offered by Strongroom: {reason}")]
    NotOffered {
        /// The vendor's operation id.
        operation: &'static str,
        /// Why, and what to do instead.
        reason: &'static str,
    },
    /// A parameter of path, query or body cannot be understood.
    #[error("{what}: {problem}")]
    Malformed {
        /// The parameter.
        what: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The use case refused or failed.
    #[error(transparent)]
    Refused(#[from] Error),
    /// A panic, or a mistake of ours in front of the use cases.
    #[error("internal error")]
    Broken,
}

impl Failure {
    /// No proof of who calls; says what is wrong with what came.
    pub fn unauthenticated(problem: &'static str) -> Self {
        Self::Unauthenticated(Cow::Borrowed(problem))
    }

    /// A parameter that cannot be understood.
    pub fn malformed(what: impl Into<String>, problem: impl Display) -> Self {
        Self::Malformed {
            what: what.into(),
            problem: problem.to_string(),
        }
    }
}

impl From<strongroom_model::id::MalformedId> for Failure {
    fn from(malformed: strongroom_model::id::MalformedId) -> Self {
        Self::malformed("id", malformed)
    }
}
