//! How a step fails: what may pass is tried again, everything else names its [`Reason`].
//!
//! The message goes into the operation log, so it is for the owner of the data: it names what is
//! lost or refused, with every cause.

use strongroom_engine as engine;
use strongroom_jobs::{StepContext, StepError, error::HookError};
pub(crate) use strongroom_model::chain;
use strongroom_model::content;
use strongroom_store::ErrorKind;

use crate::{Error, Reason};

/// Seconds before the first further attempt; doubled for each one after it.
const PAUSE_SECONDS: u32 = 5;

/// A failure for good.
pub(super) fn fail(reason: Reason, message: impl Into<String>) -> StepError {
    StepError::fail(reason.as_str(), message)
}

/// A failure that may pass.
pub(super) fn again(context: &StepContext<'_>, cause: impl Into<String>) -> StepError {
    let doublings = context.attempt().saturating_sub(1).min(6);
    StepError::retry(PAUSE_SECONDS << doublings, cause)
}

/// A use case's refusal, or the catalog's.
pub(super) fn of_control(context: &StepContext<'_>, error: &Error) -> StepError {
    match error {
        Error::Unavailable { .. } => again(context, chain(error)),
        other => fail(other.reason(), chain(other)),
    }
}

/// The engine's failure.
pub(super) fn of_engine(context: &StepContext<'_>, error: &engine::Error) -> StepError {
    use engine::Error as E;
    let message = chain(error);
    match error {
        E::Cancelled => StepError::Cancelled,
        E::Source(source) => of_content(source, &message),
        E::Fenced { .. } | E::Quarantined { .. } => again(context, message),
        E::Store { source, .. } => of_store(context, source.kind, message),
        E::NotARepository { .. }
        | E::Damaged { .. }
        | E::ChunkMissing { .. }
        | E::ChunkLost { .. }
        | E::ManifestMissing { .. }
        | E::ManifestForgotten { .. }
        | E::NodeMalformed { .. } => fail(Reason::DataDamaged, message),
        E::WrongKey { .. } | E::FormatTooNew { .. } => fail(Reason::Unavailable, message),
        E::PathMissing { .. } => fail(Reason::InvalidParameter, message),
        _ => fail(Reason::Internal, message),
    }
}

/// The store's failure.
pub(super) fn of_store(context: &StepContext<'_>, kind: ErrorKind, message: String) -> StepError {
    match kind {
        kind if kind.is_retryable() => again(context, message),
        ErrorKind::NoSpace => fail(Reason::StoreFull, message),
        ErrorKind::Corrupt | ErrorKind::NotFound => fail(Reason::DataDamaged, message),
        ErrorKind::Denied | ErrorKind::Unsupported => fail(Reason::Unavailable, message),
        ErrorKind::AlreadyExists => fail(Reason::Internal, message),
        _ => fail(Reason::InputOutput, message),
    }
}

/// The failure of the thing that is read or written.
pub(super) fn of_content(error: &content::Error, message: &str) -> StepError {
    let reason = match error {
        content::Error::TargetTooSmall { .. } => Reason::TargetTooSmall,
        content::Error::TargetNotEmpty { .. } => Reason::AlreadyExists,
        content::Error::TargetBusy { .. } => Reason::TargetStateForbidsRestore,
        content::Error::WrongKind { .. } => Reason::PathVanished,
        error if error.is_vanished() => Reason::PathVanished,
        _ => Reason::InputOutput,
    };
    fail(reason, message)
}

/// A refusal inside the transaction that ends a job.
pub(super) fn hook(error: Error) -> HookError {
    Box::new(error)
}
