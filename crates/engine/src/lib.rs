//! The repository: chunk, compress, seal, pack, index, manifest, lazy read.

pub mod chunk;
pub mod codec;
pub mod error;
mod header;
pub mod id;
mod keys;
pub mod layout;
pub mod pack;
mod record;
mod seal;
mod segment;
mod slot;
