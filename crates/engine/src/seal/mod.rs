//! Seals and opens: AES-256-GCM with a fresh key per object and everything bound to its place.
//!
//! Every sealed object starts with the same plain header: what it is, whose it is, a random salt
//! and a commitment to the key that the salt yields. GCM alone does not commit to its key, so the
//! commitment is compared before the key is used. The associated data of each sealed part repeat
//! the header and say which part it is, at which number and offset, how long it is when decoded
//! and under what name: bytes moved to any other place do not open.
//!
//! Invariant: a key seals at most one plaintext per (part, number), because a salt is random and
//! never used again and numbers only grow. A torn object is never continued.
//!
//! Format: docs/format.md, "Sealed objects".

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use strongroom_model::{Entropy, entropy::random};
use subtle::ConstantTimeEq;

use crate::{
    codec::{Decoder, Encoder, Malformed},
    error::Damage,
    id::{RepositoryId, Stream},
    keys::{KEY_LEN, KeyTree},
};

/// The first bytes of every object.
pub(crate) const MAGIC: &[u8; 8] = b"STRONGRM";
/// The format version that this program writes, and the newest that it reads.
pub(crate) const VERSION: u16 = 1;
/// The cipher of version 1: AES-256-GCM with 12-byte nonces.
pub(crate) const CIPHER_AES_256_GCM: u8 = 1;
/// Bytes of plain header in front of every sealed object.
pub(crate) const HEADER_LEN: usize = 92;
/// Bytes that sealing adds.
pub(crate) const TAG_LEN: usize = 16;
/// Bytes of random salt per object.
pub(crate) const SALT_LEN: usize = 32;
const AAD_LEN: usize = HEADER_LEN + 1 + 8 + 8 + 4 + 1 + 16;

/// What a sealed object is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Kind {
    DataPack = 1,
    TreePack = 2,
    Run = 3,
    Manifest = 4,
    Fence = 5,
    Lease = 6,
    Quarantine = 7,
    Waits = 8,
    Forgotten = 9,
    Verdict = 10,
    // 0, 11 and 12 are the header, key slots and parity, which are not sealed.
    Replacement = 13,
    Removal = 14,
}

impl Kind {
    /// The kind of pack that holds chunks of that stream.
    pub(crate) const fn pack(stream: Stream) -> Self {
        match stream {
            Stream::Data => Self::DataPack,
            Stream::Tree => Self::TreePack,
        }
    }
}

/// Which part of an object a sealed piece is; the first byte of its nonce.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Part {
    /// The whole body of a small record.
    Body = 1,
    /// A segment of a pack.
    Segment = 2,
    /// The directory of a pack or of an index run.
    Directory = 3,
    /// A page of index entries.
    Entries = 4,
    /// A page of an index run's filter.
    Filter = 5,
    /// What makes a pack or an index run as long as its class.
    Padding = 6,
}

/// The place to which a sealed piece is bound.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) part: Part,
    /// Which piece among those of its part.
    pub(crate) number: u64,
    /// First byte in the object.
    pub(crate) offset: u64,
    /// Bytes after decoding.
    pub(crate) plain_len: u32,
    /// How it is encoded inside the seal.
    pub(crate) codec: u8,
    /// The name of a record that is not named by its hash, else zeros.
    pub(crate) name: [u8; 16],
}

impl Place {
    /// A piece without codec or name.
    pub(crate) const fn new(part: Part, number: u64, offset: u64, plain_len: u32) -> Self {
        Self {
            part,
            number,
            offset,
            plain_len,
            codec: 0,
            name: [0; 16],
        }
    }

    fn nonce(&self) -> Nonce {
        let mut nonce = [0; 12];
        nonce[0] = self.part as u8;
        nonce[4..].copy_from_slice(&self.number.to_le_bytes());
        Nonce::assume_unique_for_key(nonce)
    }
}

/// The key of one object, bound to its header.
pub(crate) struct Seal {
    key: LessSafeKey,
    header: [u8; HEADER_LEN],
}

impl Seal {
    /// A seal for a new object with a fresh salt.
    pub(crate) fn fresh(keys: &KeyTree, kind: Kind, entropy: &dyn Entropy) -> Self {
        Self::with_salt(keys, kind, &random(entropy))
    }

    /// The seal of an object whose kind and salt are known from an authentic source.
    pub(crate) fn with_salt(keys: &KeyTree, kind: Kind, salt: &[u8; SALT_LEN]) -> Self {
        let (context, master) = match kind {
            Kind::DataPack | Kind::TreePack => ("strongroom v1: key of a pack", keys.packs()),
            Kind::Run => ("strongroom v1: key of an index run", keys.index()),
            _ => ("strongroom v1: key of a record", keys.records()),
        };
        let mut derived = [0; KEY_LEN + 32];
        blake3::Hasher::new_derive_key(context)
            .update(master)
            .update(&[kind as u8])
            .update(salt)
            .finalize_xof()
            .fill(&mut derived);
        let (key, commitment) = derived.split_at(KEY_LEN);
        let mut header = Encoder::with_capacity(HEADER_LEN);
        header
            .raw(MAGIC)
            .u16(VERSION)
            .u8(kind as u8)
            .u8(CIPHER_AES_256_GCM)
            .raw(keys.repository().as_bytes())
            .raw(salt)
            .raw(commitment);
        let key = UnboundKey::new(&AES_256_GCM, key).expect("32 bytes are an AES-256 key");
        zeroize::Zeroize::zeroize(&mut derived);
        Self {
            key: LessSafeKey::new(key),
            header: header
                .finish()
                .try_into()
                .expect("the fields add up to the header's length"),
        }
    }

    /// The seal of an existing object, from the header at its front.
    pub(crate) fn of(keys: &KeyTree, kind: Kind, object: &[u8]) -> Result<Self, Damage> {
        let Some(header) = object.first_chunk::<HEADER_LEN>() else {
            let found = object.len() as u64;
            return Err(Damage::Truncated {
                expected: HEADER_LEN as u64,
                found,
            });
        };
        let fields = Fields::read(header)?;
        if fields.repository != keys.repository() {
            return Err(Damage::Foreign {
                found: fields.repository,
            });
        }
        if fields.kind != kind as u8 {
            return Err(Damage::WrongKind {
                expected: kind as u8,
                found: fields.kind,
            });
        }
        let seal = Self::with_salt(keys, kind, &fields.salt);
        if bool::from(seal.header.ct_eq(header)) {
            Ok(seal)
        } else {
            Err(Damage::WrongKey)
        }
    }

    /// The plain header of the object.
    pub(crate) const fn header(&self) -> &[u8; HEADER_LEN] {
        &self.header
    }

    /// The object's salt.
    pub(crate) fn salt(&self) -> [u8; SALT_LEN] {
        *self.header[28..]
            .first_chunk()
            .expect("the salt is inside the header")
    }

    /// Seals `buffer[start..]` in place and appends the tag.
    pub(crate) fn seal(&self, place: &Place, buffer: &mut Vec<u8>, start: usize) {
        let tag = self
            .key
            .seal_in_place_separate_tag(place.nonce(), self.aad(place), &mut buffer[start..])
            .expect("pieces are far shorter than AES-GCM's limit");
        buffer.extend_from_slice(tag.as_ref());
    }

    /// Opens `sealed` into `out`, whose old content goes.
    pub(crate) fn open(
        &self,
        place: &Place,
        sealed: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Damage> {
        let altered = Damage::Altered { at: place.offset };
        let Some((ciphertext, tag)) = sealed.split_last_chunk::<TAG_LEN>() else {
            return Err(altered);
        };
        out.resize(ciphertext.len(), 0);
        self.key
            .open_separate_gather(place.nonce(), self.aad(place), ciphertext, tag, out)
            .map_err(|_| {
                out.clear();
                altered
            })
    }

    fn aad(&self, place: &Place) -> Aad<[u8; AAD_LEN]> {
        let mut aad = [0; AAD_LEN];
        let mut rest = aad.as_mut_slice();
        for field in [
            self.header.as_slice(),
            &[place.part as u8],
            &place.number.to_le_bytes(),
            &place.offset.to_le_bytes(),
            &place.plain_len.to_le_bytes(),
            &[place.codec],
            &place.name,
        ] {
            let (head, tail) = rest.split_at_mut(field.len());
            head.copy_from_slice(field);
            rest = tail;
        }
        Aad::from(aad)
    }
}

/// The fields of a plain header that can be checked without a key.
struct Fields {
    kind: u8,
    repository: RepositoryId,
    salt: [u8; SALT_LEN],
}

impl Fields {
    fn read(header: &[u8; HEADER_LEN]) -> Result<Self, Damage> {
        let mut decoder = Decoder::new(header);
        if &decoder.array::<8>()? != MAGIC {
            return Err(Malformed::new("does not start with the format's magic").into());
        }
        version(decoder.u16()?)?;
        let kind = decoder.u8()?;
        let cipher = decoder.u8()?;
        if cipher != CIPHER_AES_256_GCM {
            return Err(Damage::UnknownAlgorithm {
                what: "cipher",
                found: cipher,
            });
        }
        let repository = RepositoryId::from_bytes(decoder.array()?);
        Ok(Self {
            kind,
            repository,
            salt: decoder.array()?,
        })
    }
}

/// Refuses every version but those known.
pub(crate) fn version(found: u16) -> Result<(), Damage> {
    match found {
        VERSION => Ok(()),
        0 => Err(Malformed::new("format version 0 does not exist").into()),
        found => Err(Damage::TooNew {
            found,
            known: VERSION,
        }),
    }
}

#[cfg(test)]
mod tests;
