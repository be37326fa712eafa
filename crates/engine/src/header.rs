//! The repository's header: which repository, which algorithms, which sizes.
//!
//! It is readable without a key, so that a stranger can be told what he has in front of him, and
//! authenticated with one, so that nobody can weaken an algorithm or change a size.
//!
//! Invariant: a version, algorithm or size that this program does not know is refused here, before
//! any other object is touched.
//!
//! Format: docs/format.md, "Header".

use subtle::ConstantTimeEq;

use crate::{
    codec::{Decoder, Encoder, Malformed},
    error::Damage,
    id::RepositoryId,
    keys::KeyTree,
    parity::PERCENT_MAX,
    seal::{self, CIPHER_AES_256_GCM, MAGIC, VERSION},
};

const OBJECT_KIND: u8 = 0;
const HASH_BLAKE3: u8 = 1;
const CODEC_ZSTD: u8 = 1;
const CHUNKER_KEYED_FILTERED: u8 = 1;
/// Object sizes are padded as docs/format.md says under "Padding".
const PADDING_CLASSES: u8 = 1;
const MAC_LEN: usize = 32;

/// Sizes that are fixed when a repository is created, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sizes {
    /// A file's chunk is no shorter, but for its last.
    pub chunk_min: u32,
    /// Up to here a boundary is rare, from here on it is common.
    pub chunk_target: u32,
    /// A file's chunk is no longer.
    pub chunk_max: u32,
    /// The fixed block of volumes.
    pub block: u32,
    /// A segment is closed when it holds this much before compression.
    pub segment: u32,
    /// A pack is closed when it is this long.
    pub pack: u32,
}

impl Default for Sizes {
    fn default() -> Self {
        Self {
            chunk_min: 8 << 10,
            chunk_target: 32 << 10,
            chunk_max: 128 << 10,
            block: 64 << 10,
            segment: 512 << 10,
            pack: 16 << 20,
        }
    }
}

impl Sizes {
    /// Whether a repository may have these sizes; the bounds keep memory bounded when reading.
    pub(crate) fn are_sane(&self) -> bool {
        (64..=self.chunk_target).contains(&self.chunk_min)
            && (self.chunk_target..=1 << 20).contains(&self.chunk_max)
            && (512..=1 << 20).contains(&self.block)
            && self.block.is_power_of_two()
            && (4 << 10..=1 << 20).contains(&self.segment)
            && (self.segment..=64 << 20).contains(&self.pack)
    }
}

/// The header, parsed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Header {
    pub(crate) repository: RepositoryId,
    pub(crate) sizes: Sizes,
    /// Hundredths of each pack that are stored as parity.
    pub(crate) parity_percent: u8,
}

impl Header {
    /// The bytes of the header object.
    pub(crate) fn encode(&self, keys: &KeyTree) -> Vec<u8> {
        let mut header = Encoder::default();
        header
            .raw(MAGIC)
            .u16(VERSION)
            .u8(OBJECT_KIND)
            .raw(self.repository.as_bytes());
        header
            .u8(HASH_BLAKE3)
            .u8(CIPHER_AES_256_GCM)
            .u8(CODEC_ZSTD)
            .u8(CHUNKER_KEYED_FILTERED)
            .u8(PADDING_CLASSES)
            .u8(self.parity_percent);
        let Sizes {
            chunk_min,
            chunk_target,
            chunk_max,
            block,
            segment,
            pack,
        } = self.sizes;
        for size in [chunk_min, chunk_target, chunk_max, block, segment, pack] {
            header.u32(size);
        }
        let mut header = header.finish();
        header.extend_from_slice(keys.header_mac(&header).as_bytes());
        header
    }

    /// Reads a header; it is not authentic before [`Header::verify`] said so.
    pub(crate) fn parse(object: &[u8]) -> Result<Self, Damage> {
        let mut decoder = Decoder::new(object);
        if &decoder.array::<8>()? != MAGIC {
            return Err(Malformed::new("does not start with the format's magic").into());
        }
        seal::version(decoder.u16()?)?;
        if decoder.u8()? != OBJECT_KIND {
            return Err(Malformed::new("is not a repository header").into());
        }
        let repository = RepositoryId::from_bytes(decoder.array()?);
        for (what, known) in [
            ("hash", HASH_BLAKE3),
            ("cipher", CIPHER_AES_256_GCM),
            ("codec", CODEC_ZSTD),
            ("chunker", CHUNKER_KEYED_FILTERED),
            ("padding", PADDING_CLASSES),
        ] {
            let found = decoder.u8()?;
            if found != known {
                return Err(Damage::UnknownAlgorithm { what, found });
            }
        }
        let parity_percent = decoder.u8()?;
        let sizes = Sizes {
            chunk_min: decoder.u32()?,
            chunk_target: decoder.u32()?,
            chunk_max: decoder.u32()?,
            block: decoder.u32()?,
            segment: decoder.u32()?,
            pack: decoder.u32()?,
        };
        decoder.array::<MAC_LEN>()?;
        decoder.finish()?;
        if !sizes.are_sane() {
            return Err(Malformed::new("sizes are out of bounds").into());
        }
        if parity_percent > PERCENT_MAX {
            return Err(Malformed::new("parity is out of bounds").into());
        }
        Ok(Self {
            repository,
            sizes,
            parity_percent,
        })
    }

    /// Whether the header object was made with these keys.
    pub(crate) fn verify(object: &[u8], keys: &KeyTree) -> Result<(), Damage> {
        let Some((fields, mac)) = object.split_last_chunk::<MAC_LEN>() else {
            return Err(Malformed::new("is too short").into());
        };
        if bool::from(keys.header_mac(fields).as_bytes().ct_eq(mac)) {
            Ok(())
        } else {
            Err(Damage::WrongKey)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(root: u8) -> KeyTree {
        KeyTree::new(&[root; 32], RepositoryId::from_bytes([1; 16]))
    }

    #[test]
    fn a_header_comes_back_and_no_altered_one_is_taken() {
        let header = Header {
            repository: RepositoryId::from_bytes([1; 16]),
            sizes: Sizes {
                pack: 32 << 20,
                ..Sizes::default()
            },
            parity_percent: 10,
        };
        let object = header.encode(&keys(1));
        let accept = |object: &[u8]| {
            Header::parse(object).and_then(|header| {
                Header::verify(object, &keys(1))?;
                Ok(header)
            })
        };
        assert_eq!(accept(&object), Ok(header));
        assert_eq!(Header::verify(&object, &keys(2)), Err(Damage::WrongKey));
        for bit in 0..object.len() * 8 {
            let mut bad = object.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(accept(&bad).is_err(), "bit {bit}");
        }
        for len in 0..object.len() {
            assert!(accept(&object[..len]).is_err());
        }
        assert!(accept(&[object.as_slice(), &[0]].concat()).is_err());
    }

    #[test]
    fn a_newer_version_and_every_unknown_algorithm_are_refused_by_name() {
        let header = Header {
            repository: RepositoryId::from_bytes([1; 16]),
            sizes: Sizes::default(),
            parity_percent: 0,
        };
        let object = header.encode(&keys(1));
        let with = |at: usize, value: u8| {
            let mut bad = object.clone();
            bad[at] = value;
            Header::parse(&bad)
        };
        assert_eq!(with(8, 7), Err(Damage::TooNew { found: 7, known: 1 }));
        let algorithms = ["hash", "cipher", "codec", "chunker", "padding"];
        for (at, what) in (27..).zip(algorithms) {
            for found in (0..=u8::MAX).filter(|found| *found != object[at]) {
                assert_eq!(
                    with(at, found),
                    Err(Damage::UnknownAlgorithm { what, found })
                );
            }
        }
    }

    #[test]
    fn sizes_that_would_cost_unbounded_memory_are_refused() {
        let sane = Sizes::default();
        assert!(sane.are_sane());
        for sizes in [
            Sizes {
                chunk_min: 0,
                ..sane
            },
            Sizes {
                chunk_max: 2 << 20,
                ..sane
            },
            Sizes {
                chunk_target: 4 << 10,
                ..sane
            },
            Sizes {
                block: 65_000,
                ..sane
            },
            Sizes { segment: 0, ..sane },
            Sizes {
                segment: 8 << 20,
                ..sane
            },
            Sizes {
                pack: u32::MAX,
                ..sane
            },
            Sizes { pack: 0, ..sane },
        ] {
            assert!(!sizes.are_sane(), "{sizes:?}");
        }
    }
}
