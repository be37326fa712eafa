//! Sharding layers: what a middleware in front of database servers knows, read and written back.
//!
//! The data are on the servers ([`DataNode`]); the layer knows which rows are where. That knowledge
//! is read as a [`document`] of lines, so that twenty thousand tables need no more memory than one,
//! and it names the place in every server's log at one instant at which nothing was being written.
//!
//! - [`address`]: where a database is, with its password, which is shown nowhere
//! - [`layer`]: what every provider can do; [`provider`]: which there are
//! - `spider`: MariaDB with its Spider engine; [`topology`]: any server, with a file of ours
//! - [`document`]: what a backup of metadata holds
//! - `capture`: the document of a layer, consistent; [`restore`]: the way back
//! - [`node`]: a data node's own files and log, kept and rolled forward
//! - `session`: one connection; `lock`: an instant without writes
//!
//! Invariant: no password of a data node gets into a document or an error.

pub mod address;
mod capture;
pub mod document;
pub mod error;
pub mod layer;
mod lock;
pub mod node;
pub mod provider;
pub mod restore;
mod session;
mod spider;
pub mod topology;

pub use address::Address;
pub use document::{Document, Line};
pub use error::{Error, Result};
pub use layer::{Capture, DataNode, Ground, Looked, Shard, ShardingLayer, Table};
pub use provider::Provider;
pub use restore::Places;
pub use session::{databases, drop_databases, look};
pub use topology::Topology;
