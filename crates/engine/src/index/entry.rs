//! One entry of a run: a chunk and its place, 61 bytes.

use crate::{
    codec::{Decoder, Encoder, Malformed},
    error::Damage,
    id::ChunkId,
    pack::PackInfo,
    segment::{CHUNK_MAX, Codec, Extent},
};

/// Bytes of an encoded entry.
pub(crate) const ENTRY_LEN: usize = 32 + 4 + 4 + 4 + 4 + 4 + 1 + 4 + 4;

/// A chunk and where it lies; packs are numbered by whoever holds the entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Entry {
    pub(crate) id: ChunkId,
    pub(crate) pack: u32,
    pub(crate) extent: Extent,
    /// First byte in the decoded segment.
    pub(crate) start: u32,
    /// Bytes of the chunk.
    pub(crate) len: u32,
}

/// A chunk's place, with its pack.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Location {
    pub(crate) pack: PackInfo,
    pub(crate) extent: Extent,
    pub(crate) start: u32,
    pub(crate) len: u32,
}

impl Entry {
    pub(crate) fn encode(&self, out: &mut Encoder) {
        let Extent {
            number,
            offset,
            sealed_len,
            plain_len,
            codec,
        } = self.extent;
        out.raw(self.id.as_bytes())
            .u32(self.pack)
            .u32(number)
            .u32(offset)
            .u32(sealed_len);
        out.u32(plain_len)
            .u8(codec as u8)
            .u32(self.start)
            .u32(self.len);
    }

    pub(crate) fn decode(bytes: &[u8; ENTRY_LEN]) -> Result<Self, Damage> {
        let mut decoder = Decoder::new(bytes);
        let id = ChunkId::from_bytes(decoder.array()?);
        let pack = decoder.u32()?;
        let (number, offset) = (decoder.u32()?, decoder.u32()?);
        let (sealed_len, plain_len) = (decoder.u32()?, decoder.u32()?);
        let codec = Codec::parse(decoder.u8()?)?;
        let (start, len) = (decoder.u32()?, decoder.u32()?);
        decoder.finish()?;
        let extent = Extent {
            number,
            offset,
            sealed_len,
            plain_len,
            codec,
        };
        extent.check()?;
        let inside = start.checked_add(len).is_some_and(|end| end <= plain_len);
        if inside && (1..=CHUNK_MAX).contains(&(len as usize)) {
            Ok(Self {
                id,
                pack,
                extent,
                start,
                len,
            })
        } else {
            Err(Malformed::new("a chunk lies outside its segment").into())
        }
    }
}
