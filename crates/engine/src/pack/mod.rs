//! Packs: sealed segments in a row, followed by padding, a sealed directory and a plain footer.
//!
//! A pack is filled in memory, written once and never changed. Its name is the hash of its bytes,
//! so a retried upload is harmless and rot is seen without any key. Data and tree chunks never
//! share a pack. The directory repeats what the index says of the pack, so that an index can be
//! made anew from the packs alone.
//!
//! Invariant: a chunk becomes visible to readers only through an index run that is stored after
//! its pack. A pack that no run names is garbage, not an error.
//!
//! Format: docs/format.md, "Packs".

mod view;

use strongroom_model::Entropy;

pub use self::view::{Directory, PackView, SegmentView, VisitChunk};
pub(crate) use self::view::{Scratch, directory_at, open_directory, open_header};
use crate::{
    codec::{Decoder, Encoder, Malformed},
    error::Damage,
    id::{ChunkId, PackId, Stream},
    keys::KeyTree,
    padding,
    seal::{HEADER_LEN, Kind, Part, Place, SALT_LEN, Seal, TAG_LEN},
    segment::{ChunkSpan, Codec, Decoding, Draft, Extent, SEGMENT_MAX},
};

/// The last bytes of every pack and index run.
pub(crate) const END: &[u8; 8] = b"MRGNORTS";
/// Bytes of plain footer: the length of the sealed directory, and [`END`].
pub(crate) const FOOTER_LEN: usize = 4 + END.len();

/// What is known of a pack without reading it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct PackInfo {
    pub(crate) id: PackId,
    pub(crate) stream: Stream,
    pub(crate) salt: [u8; SALT_LEN],
    /// Bytes of the whole object.
    pub(crate) size: u32,
}

/// A segment of a pack, as its directory lists it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Listed {
    pub(crate) extent: Extent,
    pub(crate) chunks: Vec<ChunkSpan>,
}

/// A pack with so many chunks is closed however short it is: a million tiny files would otherwise
/// all wait in memory for the one pack they fill.
const CHUNKS_MAX: usize = 32 << 10;

/// A pack that is being filled.
pub(crate) struct PackBuilder {
    stream: Stream,
    seal: Seal,
    bytes: Vec<u8>,
    segments: Vec<Listed>,
    chunks: usize,
}

/// A pack that is ready to be stored.
pub(crate) struct FinishedPack {
    pub(crate) info: PackInfo,
    pub(crate) bytes: Vec<u8>,
    pub(crate) segments: Vec<Listed>,
}

impl PackBuilder {
    /// An empty pack with a fresh key, filled in `buffer` (whose content goes).
    pub(crate) fn new(
        keys: &KeyTree,
        stream: Stream,
        mut buffer: Vec<u8>,
        entropy: &dyn Entropy,
    ) -> Self {
        let seal = Seal::fresh(keys, Kind::pack(stream), entropy);
        buffer.clear();
        buffer.extend_from_slice(seal.header());
        Self {
            stream,
            seal,
            bytes: buffer,
            segments: Vec::new(),
            chunks: 0,
        }
    }

    pub(crate) const fn stream(&self) -> Stream {
        self.stream
    }

    /// Whether the pack is to be closed: it is `target` bytes long, or its list is long enough.
    pub(crate) const fn is_full(&self, target: usize) -> bool {
        self.bytes.len() >= target || self.chunks >= CHUNKS_MAX
    }

    /// Seals a segment at the end of the pack.
    pub(crate) fn append(&mut self, draft: &Draft, codec: Codec, encoded: &[u8]) {
        let start = self.bytes.len();
        let extent = Extent {
            number: narrow(self.segments.len()),
            offset: narrow(start),
            sealed_len: narrow(encoded.len() + TAG_LEN),
            plain_len: draft.plain_len(),
            codec,
        };
        self.bytes.extend_from_slice(encoded);
        self.seal.seal(&extent.place(), &mut self.bytes, start);
        self.chunks += draft.chunks.len();
        self.segments.push(Listed {
            extent,
            chunks: draft.chunks.clone(),
        });
    }

    /// Decodes the last segment again and recomputes the ids of its chunks: what is sealed is what
    /// the ids name, whatever encoder, cipher or memory did in between.
    pub(crate) fn verify_last(
        &self,
        keys: &KeyTree,
        decoding: &mut Decoding,
        scratch: &mut Vec<u8>,
    ) -> Result<(), Damage> {
        let Some(Listed { extent, chunks }) = self.segments.last() else {
            return Ok(());
        };
        let sealed = &self.bytes[extent.offset as usize..];
        decoding.decode(&self.seal, extent, sealed, scratch)?;
        let mut rest = scratch.as_slice();
        for chunk in chunks {
            let (bytes, tail) = rest
                .split_at_checked(chunk.len as usize)
                .ok_or(Damage::Undecodable)?;
            if keys.chunk_id(self.stream, bytes) != chunk.id {
                return Err(Damage::WrongId);
            }
            rest = tail;
        }
        if rest.is_empty() {
            Ok(())
        } else {
            Err(Damage::Undecodable)
        }
    }

    /// Closes the pack: padding, directory, footer, name.
    pub(crate) fn finish(mut self) -> FinishedPack {
        let directory = encode_directory(&self.segments);
        let directory_len = narrow(directory.len() + TAG_LEN);
        let rest = directory_len as usize + FOOTER_LEN;
        let kind = Kind::pack(self.stream);
        padding::append(&self.seal, kind, &mut self.bytes, rest);
        let start = self.bytes.len();
        let place = Place::new(Part::Directory, 0, start as u64, narrow(directory.len()));
        self.bytes.extend_from_slice(&directory);
        self.seal.seal(&place, &mut self.bytes, start);
        self.bytes.extend_from_slice(&directory_len.to_le_bytes());
        self.bytes.extend_from_slice(END);
        let info = PackInfo {
            id: PackId::from_bytes(*blake3::hash(&self.bytes).as_bytes()),
            stream: self.stream,
            salt: self.seal.salt(),
            size: narrow(self.bytes.len()),
        };
        FinishedPack {
            info,
            bytes: self.bytes,
            segments: self.segments,
        }
    }
}

fn narrow(len: usize) -> u32 {
    u32::try_from(len).expect("a pack is far shorter than 4 GiB")
}

pub(crate) fn encode_directory(segments: &[Listed]) -> Vec<u8> {
    let mut directory = Encoder::default();
    directory.count(segments.len());
    for Listed { extent, chunks } in segments {
        directory
            .u32(extent.offset)
            .u32(extent.sealed_len)
            .u32(extent.plain_len);
        directory.u8(extent.codec as u8).count(chunks.len());
        for chunk in chunks {
            directory.raw(chunk.id.as_bytes()).u32(chunk.len);
        }
    }
    directory.finish()
}

/// Reads a directory; its segments must follow the header without gaps, and leave room for the
/// padding before `end`.
pub(crate) fn decode_directory(directory: &[u8], end: u64) -> Result<Vec<Listed>, Damage> {
    let mut decoder = Decoder::new(directory);
    let count = decoder.count(17)?;
    let mut segments = Vec::with_capacity(count);
    let mut next = HEADER_LEN as u64;
    for number in 0..count {
        let (offset, sealed_len, plain_len) = (decoder.u32()?, decoder.u32()?, decoder.u32()?);
        let codec = Codec::parse(decoder.u8()?)?;
        let number = u32::try_from(number).map_err(|_| Malformed::new("too many segments"))?;
        let extent = Extent {
            number,
            offset,
            sealed_len,
            plain_len,
            codec,
        };
        extent.check()?;
        if u64::from(offset) != next {
            return Err(Malformed::new("segments do not touch").into());
        }
        next = extent.end();
        let count = decoder.count(ChunkId::LEN + 4)?;
        let mut chunks = Vec::with_capacity(count);
        let mut total = 0_u64;
        for _ in 0..count {
            let chunk = ChunkSpan {
                id: ChunkId::from_bytes(decoder.array()?),
                len: decoder.u32()?,
            };
            if chunk.len == 0 {
                return Err(Malformed::new("a chunk is empty").into());
            }
            total += u64::from(chunk.len);
            chunks.push(chunk);
        }
        if total != u64::from(plain_len) || total > SEGMENT_MAX as u64 {
            return Err(Malformed::new("chunks do not fill their segment").into());
        }
        segments.push(Listed { extent, chunks });
    }
    decoder.finish()?;
    if next + TAG_LEN as u64 <= end {
        Ok(segments)
    } else {
        Err(Malformed::new("segments overlap the directory").into())
    }
}

#[cfg(test)]
mod example;
#[cfg(test)]
mod tests;
