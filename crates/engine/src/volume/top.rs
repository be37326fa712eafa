//! The chunk that a volume's manifest points to: size, what the image was, and the block map.
//!
//! ```text
//! top       role u8 8, started i64 + u32, size u64, block u32,
//!           u8 0, or 1 and modified i64 + u32, changed i64 + u32, inode u64, device u64,
//!           u8 0 all hole, or 1 and the root of the block map [32]
//! ```
//!
//! Format: docs/format.md, "Block maps".

use std::ops::Range;

use strongroom_model::content::{FileTime, Stat};

use super::map::{LEVELS_MAX, root_level};
use crate::{
    codec::{Decoder, Encoder, Malformed},
    error::Result,
    id::ChunkId,
    manifest::{Layer, Manifest},
    reader::Reader,
};

const ROLE: u8 = 8;

/// What a volume's manifest points to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Top {
    pub(crate) started: FileTime,
    pub(crate) size: u64,
    pub(crate) block: u32,
    pub(crate) version: Option<Version>,
    pub(crate) root: Option<ChunkId>,
}

/// What a write to an image file changes, but for its size.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Version {
    pub(crate) modified: FileTime,
    pub(crate) changed: FileTime,
    pub(crate) inode: u64,
    pub(crate) device: u64,
}

impl Version {
    pub(crate) fn of(stat: &Stat) -> Self {
        let Stat {
            modified,
            changed,
            inode,
            device,
            ..
        } = *stat;
        Self {
            modified,
            changed,
            inode,
            device,
        }
    }
}

impl Top {
    /// Blocks of the volume; the last may be shorter.
    pub(crate) fn blocks(&self) -> u64 {
        self.size.div_ceil(u64::from(self.block))
    }

    /// The bytes of a block; nothing behind the end of the disk.
    pub(crate) fn range(&self, block: u64) -> Range<u64> {
        let at = |block: u64| block.saturating_mul(u64::from(self.block)).min(self.size);
        at(block)..at(block.saturating_add(1))
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut to = Encoder::default();
        let time = |to: &mut Encoder, time: FileTime| {
            to.i64(time.seconds).u32(time.nanos);
        };
        to.u8(ROLE);
        time(&mut to, self.started);
        to.u64(self.size).u32(self.block);
        match &self.version {
            None => {
                to.u8(0);
            }
            Some(version) => {
                to.u8(1);
                time(&mut to, version.modified);
                time(&mut to, version.changed);
                to.u64(version.inode).u64(version.device);
            }
        }
        to.optional(self.root.as_ref().map(|id| id.as_bytes().as_slice()));
        to.finish()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut from = Decoder::new(bytes);
        if from.u8()? != ROLE {
            return Err(Malformed::new("is not the top of a volume"));
        }
        let time = |from: &mut Decoder<'_>| -> Result<FileTime, Malformed> {
            Ok(FileTime::new(from.i64()?, from.u32()?))
        };
        let started = time(&mut from)?;
        let (size, block) = (from.u64()?, from.u32()?);
        let version = if from.flag()? {
            let (modified, changed) = (time(&mut from)?, time(&mut from)?);
            Some(Version {
                modified,
                changed,
                inode: from.u64()?,
                device: from.u64()?,
            })
        } else {
            None
        };
        let root = from.optional()?.map(ChunkId::from_bytes);
        from.finish()?;
        let top = Self {
            started,
            size,
            block,
            version,
            root,
        };
        if !(512..=1 << 20).contains(&block) || root_level(top.blocks()) == LEVELS_MAX {
            return Err(Malformed::new(
                "a volume's size or block size is out of range",
            ));
        }
        Ok(top)
    }

    /// The top of a volume's manifest.
    pub(crate) fn read(reader: &Reader, manifest: &Manifest) -> Result<Self> {
        reader.top(manifest, Layer::Volume, Self::decode)
    }
}
