//! Volumes: saving and restoring disks as fixed blocks.
//!
//! - [`save_volume`]: from a [`BlockSource`](strongroom_model::content::BlockSource) to a manifest
//! - [`save_volume_input`]: from a stream to a manifest
//! - [`restore_volume`]: from a manifest to a
//!   [`BlockSink`](strongroom_model::content::BlockSink), around whatever is damaged
//! - [`cat_volume`]: the disk, or a range of it, as a stream
//! - `map`, `top`: the nodes and their encoding (docs/format.md, "Block maps")

mod cat;
mod input;
pub(crate) mod map;
mod restore;
mod save;
pub(crate) mod top;

pub use self::{
    cat::cat_volume,
    input::save_volume_input,
    restore::{restore_volume, volume_size},
    save::save_volume,
};
