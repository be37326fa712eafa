//! The repository: chunk, compress, seal, pack, index, manifest, lazy read.
//!
//! A repository is write-once objects in a store (docs/format.md). Chunks are cut from streams,
//! named by keyed hashes, grouped into compressed and sealed segments, and segments into packs;
//! index runs say which pack holds which chunk; a manifest, written last, names the root of what
//! was saved. Everything is authenticated in its role and place, nothing is ever overwritten, and
//! no decision hangs on a clock or a lock. Synchronous: plain threads, no async.
//!
//! In reading order:
//! - [`id`], [`codec`], [`layout`], [`error`]: names, bytes, places, failures
//! - `keys`, `slot`, `seal`, `padding`, `record`, `header`: the key tree, unlocking, sealed objects
//! - [`chunk`], `segment`, [`pack`], `index`, [`manifest`]: the formats, free of I/O but for the
//!   index
//! - [`repository`], [`writer`], [`reader`]: creating, writing and reading
//! - [`slots`]: the ways to open a repository
//! - [`lease`], [`quarantine`], [`forget`]: what writers and collectors agree by
//! - [`tree`], [`volume`]: what is saved and restored, on top of all that
//! - [`browse`]: looking in at random
//! - [`diff`], [`export`]: what differs between two manifests; tar and qcow2
//! - [`inspect`]: packs and runs as they lie; [`parity`]: what heals packs
//! - [`check`], [`repair`], [`copy`], [`collect`], [`stats`]: looking after a repository

mod ahead;
pub mod browse;
mod cache;
pub mod check;
pub mod chunk;
pub mod codec;
pub mod collect;
pub mod copy;
pub mod diff;
pub mod error;
pub mod export;
pub mod forget;
mod header;
pub mod holder;
pub mod id;
mod index;
pub mod inspect;
mod keys;
pub mod layout;
pub mod lease;
pub mod manifest;
mod objects;
pub mod pack;
mod padding;
pub mod parity;
mod pieces;
pub mod quarantine;
pub mod reader;
mod record;
pub mod repair;
pub mod repository;
mod seal;
mod segment;
mod slot;
pub mod slots;
pub mod stats;
pub mod tree;
#[cfg(any(test, fuzzing))]
pub mod untrusted;
#[cfg(test)]
mod vectors;
pub mod volume;
pub mod writer;

pub use chunk::{Cutter, Rest, is_zero};
pub use error::{Damage, Error, Result};
pub use header::Sizes;
pub use id::{ChunkId, ManifestId, PackId, QuarantineId, RepositoryId, RunId, Stream};
pub use manifest::{Body, Items, Layer, Manifest};
pub use reader::{Chunk, Found, Reader};
pub use repository::{CreateOptions, Repository};
pub use segment::{CHUNK_MAX, ChunkSpan};
pub use slot::{Passphrase, PassphraseCost, SlotWay, Unlock};
pub use writer::{Counts, StreamWriter, Writer, WriterOptions};
