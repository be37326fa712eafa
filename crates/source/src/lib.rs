//! What can be protected: shares and volumes, how to read them and write them back.
//!
//! Sources implement the reading traits of `strongroom_model::content`, targets the writing ones.
//! Every target writes to a shadow beside its place and shows nothing until
//! [`Target::switch`] is called; only a volume that is restored in place is written directly,
//! block by differing block.
//!
//! - [`registry`]: which kinds there are, and how each is opened
//! - [`share`]: directory trees
//! - [`volume`]: raw image files and block devices
//! - [`audit`]: directories of databases' audit logs
//! - [`ddm`]: what sharding layers in front of databases know
//! - `handle`: open directories, however deep, with a bounded number of descriptors
//! - `inode`: stat, extended attributes and the setting of attributes
//! - `shadow`: the place beside a target, and the switch
//! - `whole`: reads and writes of all that was asked for
//! - `removal`: what is no longer needed

pub mod audit;
pub mod ddm;
mod handle;
mod inode;
pub mod registry;
mod removal;
mod shadow;
pub mod share;
pub mod volume;
mod whole;

pub use registry::{Place, Source, Target};
pub use share::{BadPattern, Caches, Exclude, Mounts, Share, ShareTarget};
pub use volume::{Volume, VolumeTarget};
