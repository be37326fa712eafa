//! The store as its callers see it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod child;
mod conformance;
mod decorators;
mod limit;
mod local;
mod registry;
mod s3;
mod weed;
