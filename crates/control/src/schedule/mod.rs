//! The scheduler: a reconciler that brings what was ordered up to what calendars ask for.
//!
//! It remembers nothing: the next run of every binding, what came of each instant, and what the
//! clock said last are in the catalog (docs/adr/0014-clockwork.md). A restart, a second server, a
//! round too many or a clock that jumps therefore changes nothing but when things happen.

mod binding;
mod ledger;
mod plan;
mod round;

pub(crate) use ledger::Ledger;
pub(crate) use plan::{plan, to_come};
pub use round::Round;
