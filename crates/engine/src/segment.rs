//! Segments: several chunks in a row, compressed together.
//!
//! A segment is what is compressed, sealed and read as one. zstd level 1 is where the measured
//! curve bends. Neighbours are alike, so how the last segment shrank decides how much is tried on
//! the next: a wider table where matches are hard to find, a few samples where there were none.
//! Contexts and buffers are made once per thread.
//!
//! Invariant: decoding yields exactly the recorded number of bytes or an error.
//!
//! Format: docs/format.md, "Segments".

use std::sync::Arc;

use zstd::{
    bulk::{Compressor, Decompressor},
    zstd_safe::{CParameter, compress_bound},
};

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
/// The encoder's table of matches, as a power of two: what level 1 takes by itself …
const TABLE_LOG: u32 = 14;
/// … and what finds more in bytes that shrink to between a third and all but a sixteenth.
const WIDE_TABLE_LOG: u32 = 15;
/// What a volume's blocks get instead: there is time for it, as they are neither cut nor sorted
/// into files, and an image repeats itself at any distance …
const BLOCKS_TABLE_LOG: u32 = 17;
/// … so that matches are looked for in the whole segment, not in the last 512 KiB of it.
const BLOCKS_WINDOW_LOG: u32 = CHUNK_MAX.ilog2();
/// Where nothing shrank, so many pieces of the next segment are tried first …
const SAMPLES: usize = 4;
/// … of so many bytes each.
const SAMPLE_BYTES: usize = 4 << 10;

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

/// What the chunks of a segment are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Grain {
    /// Files, or what they were cut into.
    Pieces,
    /// A volume's blocks.
    Blocks,
}

/// A segment that is being filled, or that is taken over as it was encoded before.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) stream: Stream,
    /// The chunks one after another, or, if `encoded` says so, their encoding.
    pub(crate) bytes: Vec<u8>,
    pub(crate) chunks: Vec<ChunkSpan>,
    pub(crate) encoded: Option<Codec>,
}

impl Draft {
    pub(crate) const fn new(stream: Stream) -> Self {
        Self {
            stream,
            bytes: Vec::new(),
            chunks: Vec::new(),
            encoded: None,
        }
    }

    /// Bytes of its chunks.
    pub(crate) fn plain_len(&self) -> u32 {
        self.chunks.iter().map(|chunk| chunk.len).sum()
    }

    /// What its chunks are, by their lengths: those of a volume's blocks are all the same.
    pub(crate) fn grain(&self) -> Grain {
        let same = |pair: &[ChunkSpan]| pair[0].len == pair[1].len;
        if self.chunks.len() > 1 && self.chunks.windows(2).all(same) {
            Grain::Blocks
        } else {
            Grain::Pieces
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
        self.encoded = None;
    }
}

/// Compresses segments; one per thread.
pub(crate) struct Encoding {
    zstd: Compressor<'static>,
    out: Vec<u8>,
    last: Shrinking,
}

/// How well a segment shrank.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Shrinking {
    /// To less than a third.
    Well,
    /// Less than that.
    Somewhat,
    /// By less than a sixteenth.
    Hardly,
}

impl Shrinking {
    const fn of(plain: usize, encoded: usize) -> Self {
        if encoded < plain / 3 {
            Self::Well
        } else if encoded < plain - plain / 16 {
            Self::Somewhat
        } else {
            Self::Hardly
        }
    }
}

impl Encoding {
    pub(crate) fn new() -> Result<Self> {
        let zstd = Compressor::new(LEVEL).map_err(|source| Error::Compressor {
            source: Arc::new(source),
        })?;
        Ok(Self {
            zstd,
            out: Vec::new(),
            last: Shrinking::Well,
        })
    }

    /// The encoding of `plain`: compressed, or itself if that is not shorter.
    pub(crate) fn encode<'a>(&'a mut self, plain: &'a [u8], grain: Grain) -> (Codec, &'a [u8]) {
        if self.last == Shrinking::Hardly && !self.samples_shrink(plain) {
            return (Codec::Plain, plain);
        }
        // Zero leaves the window to the level.
        let (table, window) = match (self.last, grain) {
            (Shrinking::Somewhat, Grain::Blocks) => (BLOCKS_TABLE_LOG, BLOCKS_WINDOW_LOG),
            (Shrinking::Somewhat, Grain::Pieces) => (WIDE_TABLE_LOG, 0),
            (Shrinking::Well | Shrinking::Hardly, _) => (TABLE_LOG, 0),
        };
        // An encoder that fails, or keeps its old table, costs space, never data.
        let _ = self.zstd.set_parameter(CParameter::HashLog(table));
        let _ = self.zstd.set_parameter(CParameter::WindowLog(window));
        let len = self.compress(plain).unwrap_or(plain.len());
        self.last = Shrinking::of(plain.len(), len);
        if len < plain.len() {
            (Codec::Zstd, &self.out)
        } else {
            (Codec::Plain, plain)
        }
    }

    /// Whether any sample of a segment shrinks.
    fn samples_shrink(&mut self, plain: &[u8]) -> bool {
        let step = (plain.len() / SAMPLES).max(SAMPLE_BYTES);
        plain.chunks(step).any(|part| {
            let sample = part.get(..SAMPLE_BYTES).unwrap_or(part);
            let len = self.compress(sample).unwrap_or(sample.len());
            Shrinking::of(sample.len(), len) != Shrinking::Hardly
        })
    }

    /// Compresses into the buffer; returns the length.
    fn compress(&mut self, plain: &[u8]) -> std::io::Result<usize> {
        self.out.clear();
        self.out.reserve(compress_bound(plain.len()));
        self.zstd.compress_to_buffer(plain, &mut self.out)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn random(seed: u8, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        blake3::Hasher::new()
            .update(&[seed])
            .finalize_xof()
            .fill(&mut bytes);
        bytes
    }

    fn text(seed: u8, len: usize) -> Vec<u8> {
        let words = random(seed, len);
        let mut text: Vec<u8> = words
            .iter()
            .flat_map(|word| format!("word{} ", word % 50).into_bytes())
            .collect();
        text.truncate(len);
        text
    }

    #[test]
    fn whatever_came_before_a_segment_decodes_to_itself() {
        let mut encoding = Encoding::new().unwrap();
        let mut zstd = Decompressor::new().unwrap();
        let mixed = [random(1, 200_000), text(1, 300_000)].concat();
        let hex: Vec<u8> = random(5, 300_000)
            .iter()
            .map(|byte| b'a' + byte % 16)
            .collect();
        let segments = [
            text(2, 500_000),
            hex.clone(),
            hex,
            mixed.clone(),
            random(2, 500_000),
            mixed,
            random(3, 500_000),
            random(4, 100),
            text(3, 20),
            text(4, 500_000),
            vec![7],
        ];
        let (pieces, blocks) = (Grain::Pieces, Grain::Blocks);
        let there = segments.iter().map(|plain| (plain, pieces));
        let back = segments.iter().rev().map(|plain| (plain, blocks));
        for (plain, grain) in there.chain(back) {
            let (codec, encoded) = encoding.encode(plain, grain);
            assert!(encoded.len() <= plain.len());
            match codec {
                Codec::Plain => assert!(encoded == plain),
                Codec::Zstd => {
                    assert!(zstd.decompress(encoded, plain.len()).unwrap() == *plain);
                }
            }
        }
    }

    #[test]
    fn every_unknown_codec_is_refused_by_its_number() {
        for known in [Codec::Plain, Codec::Zstd] {
            assert_eq!(Codec::parse(known as u8), Ok(known));
        }
        for found in 2..=u8::MAX {
            let what = "codec";
            assert_eq!(
                Codec::parse(found),
                Err(Damage::UnknownAlgorithm { what, found })
            );
        }
    }

    #[test]
    fn text_shrinks_also_after_bytes_that_do_not() {
        let mut encoding = Encoding::new().unwrap();
        for seed in 0..3 {
            assert_eq!(
                encoding.encode(&random(seed, 500_000), Grain::Pieces).0,
                Codec::Plain
            );
        }
        let text = text(1, 500_000);
        let (codec, encoded) = encoding.encode(&text, Grain::Pieces);
        assert_eq!(codec, Codec::Zstd);
        assert!(encoded.len() < text.len() / 2);
    }

    #[test]
    fn bytes_in_which_matches_are_rare_get_the_wide_table() {
        let mut encoding = Encoding::new().unwrap();
        // Lines that come again at distances at which the small table has forgotten them.
        let lines: Vec<Vec<u8>> = (0..6000_u32)
            .map(|n| blake3::hash(&n.to_le_bytes()).to_hex().as_bytes()[..40].to_vec())
            .collect();
        let order = random(9, 10_000);
        let plain: Vec<u8> = order
            .chunks(2)
            .flat_map(|two| lines[usize::from(two[0]) * 23 + usize::from(two[1]) % 23].clone())
            .collect();
        let first = encoding.encode(&plain, Grain::Pieces).1.len();
        assert_eq!(encoding.last, Shrinking::Somewhat);
        let second = encoding.encode(&plain, Grain::Pieces).1.len();
        assert!(second < first, "{second} after {first} bytes");
    }

    #[test]
    fn blocks_of_a_volume_match_what_lies_further_back_than_pieces_of_a_file_do() {
        let hex = |seed: u8| -> Vec<u8> {
            let bytes = random(seed, 350_000);
            bytes.iter().map(|byte| b'a' + byte % 16).collect()
        };
        // What comes again lies 700,000 bytes back, and level 1 looks back half a MiB.
        let plain = [hex(1), hex(2), hex(1)].concat();
        let len = |grain: Grain| {
            let mut encoding = Encoding::new().unwrap();
            encoding.encode(&hex(3), grain);
            assert_eq!(encoding.last, Shrinking::Somewhat);
            encoding.encode(&plain, grain).1.len()
        };
        let (pieces, blocks) = (len(Grain::Pieces), len(Grain::Blocks));
        assert!(blocks < pieces * 3 / 4, "{blocks} and {pieces} bytes");
    }

    #[test]
    fn the_grain_of_a_segment_is_told_by_its_chunks() {
        let grain = |lens: &[usize]| {
            let mut draft = Draft::new(Stream::Data);
            for len in lens {
                draft.push(ChunkId::from_bytes([1; 32]), &vec![0; *len]);
            }
            draft.grain()
        };
        assert_eq!(grain(&[4096, 4096, 4096]), Grain::Blocks);
        assert_eq!(grain(&[4096, 4096, 100]), Grain::Pieces);
        assert_eq!(grain(&[4096]), Grain::Pieces);
        assert_eq!(grain(&[]), Grain::Pieces);
    }
}
