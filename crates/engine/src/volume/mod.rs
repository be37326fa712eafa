//! Volumes: saving and restoring disks as fixed blocks.
//!
//! - [`save_volume`]: from a [`BlockSource`](strongroom_model::content::BlockSource) to a manifest
//! - [`restore_volume`]: from a manifest to a
//!   [`BlockSink`](strongroom_model::content::BlockSink), around whatever is damaged
//! - `map`, `top`: the nodes and their encoding (docs/format.md, "Block maps")

pub(crate) mod map;
mod restore;
mod save;
pub(crate) mod top;

pub use self::{
    restore::{restore_volume, volume_size},
    save::save_volume,
};
