//! What can go wrong in a step, in the hook that ends a job, and in the store.
//!
//! A step decides itself whether trying again can help ([`StepError::Retry`]) or not
//! ([`StepError::Fail`]); the runner never guesses from a message. A failing store is never a
//! failure of the job: the runner lets go and the job is taken up again.

use std::error::Error;

/// Why a step did not finish.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StepError {
    /// It may work later; run the step again after that many seconds.
    #[error("{cause}; to be tried again in {after_seconds} s")]
    Retry {
        /// Seconds to wait at least.
        after_seconds: u32,
        /// What failed this time.
        cause: String,
    },
    /// It will never work: undo what was done and end the job as failed.
    #[error("{message} ({code})")]
    Fail {
        /// The code recorded with the job; its meaning is the caller's.
        code: String,
        /// What failed, for people.
        message: String,
    },
    /// The step stopped because [`StepContext::cancelled`](crate::StepContext::cancelled) said so.
    #[error("stopped on request")]
    Cancelled,
}

impl StepError {
    /// A permanent failure.
    pub fn fail(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Fail {
            code: code.into(),
            message: message.into(),
        }
    }

    /// A failure that may pass.
    pub fn retry(after_seconds: u32, cause: impl Into<String>) -> Self {
        Self::Retry {
            after_seconds,
            cause: cause.into(),
        }
    }
}

/// Why a store did not do what a runner asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The claim is no longer the newest one of the job, or the job has ended.
    #[error("the lease on the job was lost")]
    Fenced,
    /// The hook that runs with the end of the job refused; nothing was written.
    #[error("the job's end could not be recorded")]
    Hook(#[source] HookError),
    /// The store itself failed.
    #[error("the job store failed")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
}

/// Why the hook that runs with the end of a job refused.
pub type HookError = Box<dyn Error + Send + Sync>;
