//! Shares: directory trees with everything POSIX keeps about them.
//!
//! - `exclude`: [`Exclude`], what is left out
//! - `read`: [`Share`], the source
//! - `write`: [`ShareTarget`], the target
//! - `mounted`: the switch inside a directory that cannot be renamed, since it is a mount point

mod exclude;
mod mounted;
mod read;
mod write;

pub use exclude::{BadPattern, Caches, Exclude};
pub(crate) use read::next_data;
pub use read::{Mounts, Share};
pub use write::ShareTarget;
