//! Where bytes live: the object-store contract, its backends and decorators.
//!
//! A store holds write-once objects under keys: an object appears whole or not at all, is durable
//! when the call that made it returns, and is never overwritten. Everything the engine promises
//! rests on that (docs/adr/0003-object-store-contract.md). Synchronous throughout; never call it
//! from an
//! async task.
//!
//! - [`store`]: [`Store`], the handle and the contract in words
//! - [`key`]: [`Key`], the validated name of an object
//! - [`error`]: [`Error`] and the kinds callers decide by
//! - [`registry`]: URL scheme → constructor; what [`Store::open`] knows
//! - [`config`]: what comes from the environment, credentials above all
//! - `memory`, `local`, `s3`, [`remote`]: the backends
//! - [`kept`]: what a store promises that is kept for others: room, deletions that wait, locks
//! - [`retry`], [`limit`], [`record`], [`fault`]: decorators; [`call`]: what they count and script
//! - [`power`]: the directory store's notes, and what a power cut leaves of it
//! - [`conformance`](mod@conformance): the suite that proves a store keeps the contract

pub mod call;
pub mod config;
pub mod conformance;
pub mod error;
pub mod fault;
pub mod kept;
pub mod key;
pub mod limit;
mod local;
mod memory;
pub mod power;
pub mod record;
pub mod registry;
pub mod remote;
pub mod retry;
mod runtime;
mod s3;
pub mod store;

pub use bytes::Bytes;

pub use call::{Call, Operation};
pub use conformance::conformance;
pub use error::{Error, ErrorKind, Result};
pub use key::Key;
pub use store::Store;
