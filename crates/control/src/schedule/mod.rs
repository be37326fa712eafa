//! The scheduler: a reconciler that brings what was ordered up to what calendars ask for.

mod plan;

pub(crate) use plan::plan;
