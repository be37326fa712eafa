//! The catalog's suite: every backend, every table, and the file on disk.
#![expect(clippy::unwrap_used, reason = "tests, their helpers too, panic")]

mod backends;
mod damage;
mod file;
mod golden;
mod isolation;
mod jobs;
mod lists;
mod policies;
mod processes;
mod rows;
mod safety;
mod sample;
mod transactions;
mod usage;
mod version;
