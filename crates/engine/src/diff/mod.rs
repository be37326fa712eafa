//! What differs between two manifests: entries of trees, ranges of volumes.
//!
//! Both sides are Merkle, so equal parts are recognised by their nodes' names and never read: a
//! comparison costs what differs, not what there is. Differences are told as they are found, in
//! the order of the tree or disk, and a few nodes of each level are all that is in memory.
//!
//! - [`diff_trees`], [`diff_volumes`]: the comparisons
//! - `pairs`: two lists side by side
//!
//! Invariant: what cannot be read is named as lost on its place and never taken for a difference.

mod pairs;
mod tree;
mod volume;

pub use self::{
    tree::{Aspect, Difference, TreeSummary, diff_trees},
    volume::{DiskChange, DiskRange, VolumeSummary, diff_volumes},
};
