//! Backups in the forms that every other program reads: tar for trees, qcow2 for volumes.
//!
//! Everything is written to a stream from its front to its end, so an export can go through a
//! pipe. What is lost reads as zeroes and is named in the result: a stream cannot be told of a gap
//! afterwards, its caller can.
//!
//! - [`export_tar`]: POSIX pax archives with holes, links, owners, nanoseconds, attributes
//! - [`export_qcow2`]: disk images with only the clusters that hold something
//! - `content`: the bytes of a file in order, read ahead
//! - `pax`: headers of archive members
//!
//! Invariant: an export has the length that its headers say, whatever is lost.

mod content;
mod pax;
mod qcow2;
mod tar;

pub use self::{qcow2::export_qcow2, tar::export_tar};
use crate::tree::Loss;

/// What was exported.
#[derive(Clone, Debug, Default)]
pub struct Exported {
    /// Entries of a tree, or clusters of a volume.
    pub items: u64,
    /// Bytes written.
    pub bytes: u64,
    /// What is lost and left out, or reads as zeroes.
    pub losses: Vec<Loss>,
    /// How many losses there are, listed or not.
    pub losses_total: u64,
}
