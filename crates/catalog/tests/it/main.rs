//! The catalog's suite: every backend, every table, and the file on disk.

mod backends;
mod rows;
mod transactions;
