//! The catalog's suite: every backend, every table, and the file on disk.
#![expect(clippy::unwrap_used, reason = "tests, their helpers too, panic")]

mod backends;
mod jobs;
mod rows;
mod transactions;
