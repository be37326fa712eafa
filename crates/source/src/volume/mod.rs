//! Volumes: raw image files and block devices.
//!
//! - `read`: [`Volume`], the source
//! - `write`: [`VolumeTarget`], the target

mod read;
mod write;

pub use read::Volume;
pub use write::VolumeTarget;
