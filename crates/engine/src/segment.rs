//! Segments: several chunks in a row, compressed together.
//!
//! A segment is what is compressed, sealed and read as one. zstd level 1 is where the measured
//! curve bends; bytes that do not shrink are kept as they are, and zstd finds that out by itself
//! at gigabytes per second. Contexts and buffers are made once per thread.
//!
//! Invariant: decoding yields exactly the recorded number of bytes or an error.
//!
//! Format: docs/format.md, "Segments".

use std::sync::Arc;

use zstd::bulk::{Compressor, Decompressor};

use crate::{
    codec::Malformed,
    error::{Damage, Error, Result},
    id::{ChunkId, Stream},
    seal::{Part, Place, Seal},
};

/// The longest chunk of any kind, in bytes.
pub const CHUNK_MAX: usize = 1 << 20;
/// The longest segment before compression: closed at 1 MiB at the latest, by one last chunk.
pub(crate) const SEGMENT_MAX: usize = 2 * CHUNK_MAX;
const LEVEL: i32 = 1;

/// How the bytes of a segment are encoded.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub(crate) enum Codec {
    /// As they are.
    Plain = 0,
    /// One zstd frame.
    Zstd = 1,
}

impl Codec {
    pub(crate) fn parse(found: u8) -> Result<Self, Damage> {
        match found {
            0 => Ok(Self::Plain),
            1 => Ok(Self::Zstd),
            found => Err(Damage::UnknownAlgorithm {
                what: "codec",
                found,
            }),
        }
    }
}

/// A chunk's name and length in the segment or pack that holds it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ChunkSpan {
    /// The chunk.
    pub id: ChunkId,
    /// Its bytes.
    pub len: u32,
}

/// A segment that is being filled.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) stream: Stream,
    pub(crate) bytes: Vec<u8>,
    pub(crate) chunks: Vec<ChunkSpan>,
}

impl Draft {
    pub(crate) const fn new(stream: Stream) -> Self {
        Self {
            stream,
            bytes: Vec::new(),
            chunks: Vec::new(),
        }
    }

    pub(crate) fn push(&mut self, id: ChunkId, chunk: &[u8]) {
        let len = u32::try_from(chunk.len()).expect("chunks are checked to be short");
        self.bytes.extend_from_slice(chunk);
        self.chunks.push(ChunkSpan { id, len });
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.chunks.clear();
    }
}

/// Compresses segments; one per thread.
pub(crate) struct Encoding {
    zstd: Compressor<'static>,
    out: Vec<u8>,
}

impl Encoding {
    pub(crate) fn new() -> Result<Self> {
        let zstd = Compressor::new(LEVEL).map_err(|source| Error::Compressor {
            source: Arc::new(source),
        })?;
        Ok(Self {
            zstd,
            out: Vec::new(),
        })
    }

    /// The encoding of `plain`: compressed, or itself if that is not shorter.
    pub(crate) fn encode<'a>(&'a mut self, plain: &'a [u8]) -> (Codec, &'a [u8]) {
        self.out.clear();
        self.out
            .reserve(zstd::zstd_safe::compress_bound(plain.len()));
        match self.zstd.compress_to_buffer(plain, &mut self.out) {
            Ok(len) if len < plain.len() => (Codec::Zstd, &self.out),
            // An encoder that fails costs space, never data.
            _ => (Codec::Plain, plain),
        }
    }
}

/// Where a sealed segment lies in its pack and how it decodes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Extent {
    /// Number in the pack.
    pub(crate) number: u32,
    /// First byte in the pack.
    pub(crate) offset: u32,
    /// Bytes in the pack.
    pub(crate) sealed_len: u32,
    /// Bytes when decoded.
    pub(crate) plain_len: u32,
    pub(crate) codec: Codec,
}

impl Extent {
    pub(crate) fn place(&self) -> Place {
        Place {
            codec: self.codec as u8,
            ..Place::new(
                Part::Segment,
                u64::from(self.number),
                u64::from(self.offset),
                self.plain_len,
            )
        }
    }

    pub(crate) const fn end(&self) -> u64 {
        self.offset as u64 + self.sealed_len as u64
    }

    pub(crate) const fn bytes(&self) -> std::ops::Range<u64> {
        self.offset as u64..self.end()
    }

    /// Refuses lengths that no writer makes.
    pub(crate) fn check(&self) -> Result<(), Malformed> {
        if (1..=SEGMENT_MAX).contains(&(self.plain_len as usize)) {
            Ok(())
        } else {
            Err(Malformed::new("a segment's length is out of bounds"))
        }
    }
}

/// Opens and decompresses segments; one per thread.
pub(crate) struct Decoding {
    zstd: Decompressor<'static>,
    opened: Vec<u8>,
}

impl Decoding {
    pub(crate) fn new() -> Result<Self> {
        let zstd = Decompressor::new().map_err(|source| Error::Compressor {
            source: Arc::new(source),
        })?;
        Ok(Self {
            zstd,
            opened: Vec::new(),
        })
    }

    /// Decodes a sealed segment into `out`, whose old content goes.
    pub(crate) fn decode(
        &mut self,
        seal: &Seal,
        extent: &Extent,
        sealed: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Damage> {
        let plain_len = extent.plain_len as usize;
        match extent.codec {
            Codec::Plain => seal.open(&extent.place(), sealed, out)?,
            Codec::Zstd => {
                seal.open(&extent.place(), sealed, &mut self.opened)?;
                out.clear();
                out.reserve(plain_len);
                self.zstd
                    .decompress_to_buffer(&self.opened, out)
                    .map_err(|_| Damage::Undecodable)?;
            }
        }
        if out.len() == plain_len {
            Ok(())
        } else {
            Err(Damage::Undecodable)
        }
    }
}
