//! What the way back needs to know: where each chunk lies, and which chunks make up each piece.
//!
//! One plain file beside the packs, written and read whole in little-endian numbers; it is no part
//! of what is measured but for its size.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

/// The name of a chunk.
pub(crate) type Id = [u8; 32];

/// Where a chunk lies.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) pack: u32,
    pub(crate) offset: u64,
    /// Sealed bytes, the tag included.
    pub(crate) sealed: u32,
    pub(crate) len: u32,
    pub(crate) compressed: bool,
}

/// A small file, or a stripe of a large one.
pub(crate) struct Piece {
    /// Below the source.
    pub(crate) path: PathBuf,
    /// Of the whole file.
    pub(crate) size: u64,
    pub(crate) offset: u64,
    /// Numbers of chunks.
    pub(crate) chunks: Vec<u32>,
}

/// Everything the way back needs.
pub(crate) struct Recipe {
    pub(crate) chunks: Vec<(Id, Place)>,
    pub(crate) pieces: Vec<Piece>,
}

const NAME: &str = "recipe";

impl Recipe {
    pub(crate) fn store(&self, dir: &Path) -> Result<()> {
        let mut out = Vec::new();
        put32(&mut out, self.chunks.len())?;
        for (id, place) in &self.chunks {
            out.extend_from_slice(id);
            out.extend_from_slice(&place.pack.to_le_bytes());
            out.extend_from_slice(&place.offset.to_le_bytes());
            out.extend_from_slice(&place.sealed.to_le_bytes());
            out.extend_from_slice(&place.len.to_le_bytes());
            out.push(u8::from(place.compressed));
        }
        put32(&mut out, self.pieces.len())?;
        for piece in &self.pieces {
            let path = piece.path.to_str().context("a path that is no text")?;
            put32(&mut out, path.len())?;
            out.extend_from_slice(path.as_bytes());
            out.extend_from_slice(&piece.size.to_le_bytes());
            out.extend_from_slice(&piece.offset.to_le_bytes());
            put32(&mut out, piece.chunks.len())?;
            for chunk in &piece.chunks {
                out.extend_from_slice(&chunk.to_le_bytes());
            }
        }
        fs::write(dir.join(NAME), out).context("cannot write the recipe")
    }

    pub(crate) fn load(dir: &Path) -> Result<Self> {
        let bytes = fs::read(dir.join(NAME)).context("cannot read the recipe")?;
        let mut rest = Rest(&bytes);
        let count = rest.u32()?;
        let chunks = (0..count)
            .map(|_| {
                let id = rest.take()?;
                let place = Place {
                    pack: rest.u32()?,
                    offset: rest.u64()?,
                    sealed: rest.u32()?,
                    len: rest.u32()?,
                    compressed: rest.take::<1>()? == [1],
                };
                Ok((id, place))
            })
            .collect::<Result<_>>()?;
        let count = rest.u32()?;
        let pieces = (0..count).map(|_| rest.piece()).collect::<Result<_>>()?;
        Ok(Self { chunks, pieces })
    }
}

fn put32(out: &mut Vec<u8>, number: usize) -> Result<()> {
    out.extend_from_slice(&u32::try_from(number)?.to_le_bytes());
    Ok(())
}

struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (bytes, rest) = self
            .0
            .split_first_chunk()
            .context("the recipe ends too early")?;
        self.0 = rest;
        Ok(*bytes)
    }

    fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.take()?))
    }

    fn u64(&mut self) -> Result<u64> {
        Ok(u64::from_le_bytes(self.take()?))
    }

    fn piece(&mut self) -> Result<Piece> {
        let len = usize::try_from(self.u32()?)?;
        let (path, rest) = self
            .0
            .split_at_checked(len)
            .context("the recipe ends too early")?;
        self.0 = rest;
        Ok(Piece {
            path: PathBuf::from(String::from_utf8(path.to_vec())?),
            size: self.u64()?,
            offset: self.u64()?,
            chunks: (0..self.u32()?)
                .map(|_| self.u32())
                .collect::<Result<_>>()?,
        })
    }
}
