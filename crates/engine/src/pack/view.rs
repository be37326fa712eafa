//! Reads packs without the index: their directories, and every segment with every id recomputed.
//!
//! This is what verification, repair and collection stand on, so it trusts nothing: the name, the
//! header, the directory and each chunk are checked separately, and damage in one segment leaves
//! the others readable.

use std::ops::Range;

use super::{END, FOOTER_LEN, Listed, PackInfo, decode_directory};
use crate::{
    codec::Malformed,
    error::{Damage, Result},
    id::{ChunkId, PackId, Stream},
    keys::KeyTree,
    padding,
    seal::{HEADER_LEN, Kind, Part, Place, Seal, TAG_LEN},
    segment::{ChunkSpan, Codec, Decoding},
};

/// What [`PackView::decode`] calls for each chunk: its id, and its bytes or how they are bad.
pub type VisitChunk<'a> = dyn FnMut(ChunkId, Result<&[u8], Damage>) + 'a;

/// What a pack's directory lists.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Directory {
    pub(crate) info: PackInfo,
    pub(crate) segments: Vec<Listed>,
}

impl Directory {
    /// The pack.
    pub const fn pack(&self) -> PackId {
        self.info.id
    }

    /// What the pack's chunks are for.
    pub const fn stream(&self) -> Stream {
        self.info.stream
    }

    /// Bytes of the pack.
    pub const fn size(&self) -> u32 {
        self.info.size
    }

    /// The segments in the order of the pack.
    pub fn segments(&self) -> impl ExactSizeIterator<Item = SegmentView<'_>> {
        self.segments.iter().map(|listed| SegmentView { listed })
    }

    /// Where the segments end.
    fn padding_start(&self) -> u64 {
        let last = self.segments.last();
        last.map_or(HEADER_LEN as u64, |listed| listed.extent.end())
    }

    /// The chunks in the order of the pack.
    pub fn chunks(&self) -> impl Iterator<Item = &ChunkSpan> {
        self.segments.iter().flat_map(|listed| &listed.chunks)
    }
}

/// One segment, as the directory lists it.
#[derive(Clone, Copy, Debug)]
pub struct SegmentView<'a> {
    listed: &'a Listed,
}

impl<'a> SegmentView<'a> {
    /// Its number in the pack.
    pub const fn number(&self) -> u32 {
        self.listed.extent.number
    }

    /// Its bytes in the pack.
    pub const fn bytes(&self) -> Range<u64> {
        self.listed.extent.bytes()
    }

    /// Bytes of its chunks.
    pub(crate) const fn plain_len(self) -> u32 {
        self.listed.extent.plain_len
    }

    /// Its chunks.
    pub fn chunks(&self) -> &'a [ChunkSpan] {
        &self.listed.chunks
    }
}

/// What decoding needs, used for one segment after another.
pub(crate) struct Scratch {
    decoding: Decoding,
    plain: Vec<u8>,
}

impl Scratch {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            decoding: Decoding::new()?,
            plain: Vec::new(),
        })
    }
}

/// A whole pack in memory.
pub struct PackView<'a> {
    keys: &'a KeyTree,
    seal: Seal,
    directory: Directory,
    bytes: &'a [u8],
}

impl<'a> PackView<'a> {
    /// Opens a pack of which all bytes are at hand; `id` is its name in the store, which the
    /// bytes must hash to.
    pub(crate) fn open(keys: &'a KeyTree, id: PackId, bytes: &'a [u8]) -> Result<Self, Damage> {
        if blake3::hash(bytes).as_bytes() != id.as_bytes() {
            return Err(Damage::WrongName);
        }
        let view = Self::open_unnamed(keys, id, bytes)?;
        let start = view.directory.padding_start();
        let sealed = &bytes[index(start)..index(directory_at(bytes, bytes.len() as u64)?.start)];
        padding::check(&view.seal, start, sealed)?;
        Ok(view)
    }

    /// Opens a pack whose name is known not to match, for what can still be saved of it.
    pub(crate) fn open_unnamed(
        keys: &'a KeyTree,
        id: PackId,
        bytes: &'a [u8],
    ) -> Result<Self, Damage> {
        let (stream, seal) = open_header(keys, bytes)?;
        let sealed = directory_at(bytes, bytes.len() as u64)?;
        let sealed = &bytes[index(sealed.start)..index(sealed.end)];
        let directory = open_directory(&seal, stream, id, bytes.len() as u64, sealed)?;
        Ok(Self {
            keys,
            seal,
            directory,
            bytes,
        })
    }

    /// The directory.
    pub const fn directory(&self) -> &Directory {
        &self.directory
    }

    /// Opens segment `number` into `out`, without decoding what was sealed.
    pub(crate) fn open_encoded(&self, number: u32, out: &mut Vec<u8>) -> Result<Codec, Damage> {
        let (Listed { extent, .. }, sealed) = self.sealed(number).ok_or(Damage::Undecodable)?;
        self.seal.open(&extent.place(), sealed, out)?;
        Ok(extent.codec)
    }

    /// A segment as it is listed, and its sealed bytes.
    fn sealed(&self, number: u32) -> Option<(&Listed, &'a [u8])> {
        let listed = self.directory.segments.get(number as usize)?;
        let bytes = listed.extent.bytes();
        Some((listed, &self.bytes[index(bytes.start)..index(bytes.end)]))
    }

    /// Decodes segment `number`, recomputes the id of each of its chunks and hands out those that
    /// hold; `visit` gets the others as damage.
    pub fn decode(&self, number: u32, visit: &mut VisitChunk<'_>) -> Result<()> {
        self.decode_with(&mut Scratch::new()?, number, visit);
        Ok(())
    }

    /// Like [`decode`](Self::decode), in memory that is used again.
    pub(crate) fn decode_with(
        &self,
        scratch: &mut Scratch,
        number: u32,
        visit: &mut VisitChunk<'_>,
    ) {
        let Some((Listed { extent, chunks }, sealed)) = self.sealed(number) else {
            return;
        };
        let Scratch { decoding, plain } = scratch;
        let decoded = decoding.decode(&self.seal, extent, sealed, plain);
        let mut rest = plain.as_slice();
        for chunk in chunks {
            let damage = if let Err(damage) = &decoded {
                Err(damage.clone())
            } else {
                let (bytes, tail) = rest.split_at(chunk.len as usize);
                rest = tail;
                let id = self.keys.chunk_id(self.directory.stream(), bytes);
                if id == chunk.id {
                    Ok(bytes)
                } else {
                    Err(Damage::WrongId)
                }
            };
            visit(chunk.id, damage);
        }
    }
}

/// The kind of a pack and its seal, from the header at the front of `bytes`.
pub(crate) fn open_header(keys: &KeyTree, bytes: &[u8]) -> Result<(Stream, Seal), Damage> {
    match Seal::of(keys, Kind::DataPack, bytes) {
        Err(Damage::WrongKind { found, .. }) if found == Kind::TreePack as u8 => {
            Ok((Stream::Tree, Seal::of(keys, Kind::TreePack, bytes)?))
        }
        sealed => Ok((Stream::Data, sealed?)),
    }
}

/// Where the sealed directory of an object of `size` bytes lies, from the footer at the end of
/// `tail`; index runs end the same way.
pub(crate) fn directory_at(tail: &[u8], size: u64) -> Result<Range<u64>, Damage> {
    let least = (HEADER_LEN + TAG_LEN + FOOTER_LEN) as u64;
    let footer = tail.last_chunk::<FOOTER_LEN>().filter(|_| size >= least);
    let Some((len, end)) = footer.and_then(|footer| footer.split_first_chunk::<4>()) else {
        return Err(Damage::Truncated {
            expected: least,
            found: size,
        });
    };
    if end != END {
        return Err(Malformed::new("does not end with the footer").into());
    }
    let end = size - FOOTER_LEN as u64;
    end.checked_sub(u64::from(u32::from_le_bytes(*len)))
        .filter(|start| *start >= HEADER_LEN as u64)
        .map(|start| start..end)
        .ok_or_else(|| Malformed::new("the directory is longer than the object").into())
}

/// Opens the sealed directory of a pack of `size` bytes.
pub(crate) fn open_directory(
    seal: &Seal,
    stream: Stream,
    id: PackId,
    size: u64,
    sealed: &[u8],
) -> Result<Directory, Damage> {
    let too_long = || Malformed::new("a pack is longer than 4 GiB");
    let size = u32::try_from(size).map_err(|_| too_long())?;
    let start = u64::from(size) - (FOOTER_LEN + sealed.len()) as u64;
    let plain_len = sealed.len().saturating_sub(TAG_LEN);
    let plain_len = u32::try_from(plain_len).map_err(|_| too_long())?;
    let mut plain = Vec::new();
    seal.open(
        &Place::new(Part::Directory, 0, start, plain_len),
        sealed,
        &mut plain,
    )?;
    let segments = decode_directory(&plain, start)?;
    Ok(Directory {
        info: PackInfo {
            id,
            stream,
            salt: seal.salt(),
            size,
        },
        segments,
    })
}

fn index(position: u64) -> usize {
    usize::try_from(position).expect("the position is inside bytes in memory")
}
