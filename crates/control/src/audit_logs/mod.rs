//! Audit logs in the vault: a chain of segments for each instance, proven, restored, searched.
//!
//! Each segment is a manifest that holds whole lines as they stood in the logs, and whose [`head`]
//! says which lines they are, where the next reading begins, what is missing, and the hash of the
//! head before it. So the vault alone tells where to go on, and a segment that is missing, changed
//! or out of place shows.
//!
//! - [`head`]: what a segment says of itself; [`chain`]: all segments of an instance
//! - [`append`]: the next segment; [`verify`]: a proof; [`report`]: the proof, signed
//! - [`restored`]: a segment as a read-only set of lines; [`mod@search`]: lines of logs and of such
//!   sets; `streams`: where they are; `agree`: which of them
//!
//! Nothing here knows the catalog: it is all in the repository.
//!
//! Invariants: no line is stored twice and none is left out without a gap in a head, whatever is
//! killed at whatever moment; nothing in the chain is ever changed, and what is deleted leaves its
//! head behind.

mod agree;
pub mod append;
pub mod chain;
pub mod head;
pub mod report;
pub mod restored;
pub mod search;
mod streams;
pub mod verify;

use strongroom_engine::Error as EngineError;
use strongroom_source::audit;
use strongroom_store::ErrorKind;

use crate::{Error, Reason, jobs::chain as causes};

pub use append::{Append, Appended, SEGMENT_BYTES};
pub use chain::{Chain, Heads, instances};
pub use head::{Head, Segment};
pub use report::{Signed, public_key, sign};
pub use restored::RestoredSet;
pub use search::{Found, Hit, HitId, Logs, Order, Outcome, Query, search, show};
pub use verify::{Anchor, Report, VerifyOrder};

/// The engine's failure.
fn of_engine(error: EngineError) -> Error {
    use EngineError as E;
    let reason = match &error {
        E::Cancelled => Reason::Cancelled,
        E::Store { source, .. } if source.kind == ErrorKind::NoSpace => Reason::StoreFull,
        E::Damaged { .. }
        | E::ChunkMissing { .. }
        | E::ChunkLost { .. }
        | E::ManifestMissing { .. }
        | E::ManifestForgotten { .. }
        | E::NodeMalformed { .. } => Reason::DataDamaged,
        _ => return Error::unavailable("the audit logs in the vault", error),
    };
    Error::Conflict {
        reason,
        message: causes(&error),
    }
}

/// The failure of a directory of logs.
fn of_source(error: &audit::Error) -> Error {
    Error::Conflict {
        reason: Reason::InputOutput,
        message: causes(error),
    }
}
