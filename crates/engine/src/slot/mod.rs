//! Key slots: the root key wrapped for one way to unlock the repository.
//!
//! Any number of slots wrap the same root key. A slot for a raw key-encryption key names it by a
//! key id, so the right one is found without trying and opening costs microseconds; a slot for a
//! passphrase costs an Argon2id run, once per unlock and never per object.
//!
//! Invariant: the wrapping key is derived from a salt that is used once, so the fixed nonce never
//! meets the same key twice; the whole slot is authenticated.
//!
//! Format: docs/format.md, "Key slots".

use std::fmt;

use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use strongroom_model::{Entropy, entropy::random};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::{
    codec::{Decoder, Encoder, Malformed},
    error::{Damage, Error, Result},
    id::RepositoryId,
    keys::KEY_LEN,
    seal::{self, MAGIC, TAG_LEN, VERSION},
};

/// Bytes in a slot.
pub(crate) const SLOT_LEN: usize = 8 + 2 + 1 + 1 + 16 + 32 + 16 + 12 + KEY_LEN + TAG_LEN;
const WRAPPED_LEN: usize = KEY_LEN + TAG_LEN;
const OBJECT_KIND: u8 = 11;
const RAW_KEY: u8 = 1;
const PASSPHRASE: u8 = 2;
/// A slot may not make us reserve more memory than this: 1 GiB.
const MEMORY_KIB_MAX: u32 = 1 << 20;
const PASSES_MAX: u32 = 64;
const LANES_MAX: u32 = 64;

/// How a repository is opened.
#[derive(ZeroizeOnDrop)]
pub enum Unlock {
    /// A random key-encryption key; costs nothing.
    Key([u8; 32]),
    /// A passphrase; costs what the slot's Argon2id parameters say.
    Passphrase(Passphrase),
}

impl Unlock {
    const fn word(&self) -> &'static str {
        match self {
            Self::Key(_) => "key",
            Self::Passphrase(_) => "passphrase",
        }
    }
}

impl fmt::Debug for Unlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unlock::{}(…)", self.word())
    }
}

/// A passphrase; never printed, wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Passphrase(String);

impl Passphrase {
    /// The passphrase as typed; no normalisation, no trimming.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(…)")
    }
}

/// What one guess at a passphrase costs (Argon2id).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PassphraseCost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Independent lanes.
    pub lanes: u32,
}

impl Default for PassphraseCost {
    /// 64 MiB, 3 passes, 4 lanes: the second recommendation of RFC 9106.
    fn default() -> Self {
        Self {
            memory_kib: 64 * 1024,
            passes: 3,
            lanes: 4,
        }
    }
}

impl PassphraseCost {
    fn derive(self, passphrase: &Passphrase, salt: &[u8; 32]) -> Option<Zeroizing<[u8; KEY_LEN]>> {
        let allowed = self.memory_kib <= MEMORY_KIB_MAX
            && (1..=PASSES_MAX).contains(&self.passes)
            && (1..=LANES_MAX).contains(&self.lanes);
        let params = allowed
            .then(|| Params::new(self.memory_kib, self.passes, self.lanes, Some(KEY_LEN)).ok())??;
        let mut key = Zeroizing::new([0; KEY_LEN]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.0.as_bytes(), salt, key.as_mut())
            .ok()?;
        Some(key)
    }
}

/// A slot, parsed.
pub(crate) struct Slot {
    plain: [u8; SLOT_LEN - WRAPPED_LEN],
    repository: RepositoryId,
    way: SlotWay,
    salt: [u8; 32],
    wrapped: [u8; WRAPPED_LEN],
}

/// How a slot is opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SlotWay {
    /// By the raw key of that id.
    Key {
        /// A hash of the key.
        id: [u8; 16],
    },
    /// By a passphrase, at that cost.
    Passphrase(PassphraseCost),
    /// A kind of slot that a later program made; not ours to open.
    Unknown,
}

impl Slot {
    /// A new slot that wraps `root` for `unlock`, as the bytes of its object.
    pub(crate) fn wrap(
        root: &[u8; KEY_LEN],
        repository: RepositoryId,
        unlock: &Unlock,
        cost: PassphraseCost,
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>> {
        let salt: [u8; 32] = random(entropy);
        let mut slot = Encoder::with_capacity(SLOT_LEN);
        slot.raw(MAGIC).u16(VERSION).u8(OBJECT_KIND);
        let kek = match unlock {
            Unlock::Key(kek) => {
                slot.u8(RAW_KEY)
                    .raw(repository.as_bytes())
                    .raw(&salt)
                    .raw(&key_id(kek));
                slot.u32(0).u32(0).u32(0);
                Zeroizing::new(*kek)
            }
            Unlock::Passphrase(passphrase) => {
                slot.u8(PASSPHRASE)
                    .raw(repository.as_bytes())
                    .raw(&salt)
                    .raw(&[0; 16]);
                slot.u32(cost.memory_kib).u32(cost.passes).u32(cost.lanes);
                cost.derive(passphrase, &salt).ok_or(Error::BadOption {
                    what: "the cost of a passphrase",
                    rule: "8 KiB per lane to 1 GiB, 1 to 64 passes, 1 to 64 lanes",
                })?
            }
        };
        let plain = slot.finish();
        let mut object = plain.clone();
        object.extend_from_slice(root);
        let (_, wrapped) = object.split_at_mut(plain.len());
        let tag = wrapping_key(&kek, &salt)
            .seal_in_place_separate_tag(nonce(), Aad::from(&plain), wrapped)
            .expect("32 bytes can be sealed");
        object.extend_from_slice(tag.as_ref());
        Ok(object)
    }

    /// Reads a slot; a kind of slot that is not known is no error, for another may open.
    pub(crate) fn parse(object: &[u8]) -> Result<Self, Damage> {
        let mut decoder = Decoder::new(object);
        if &decoder.array::<8>()? != MAGIC {
            return Err(Malformed::new("does not start with the format's magic").into());
        }
        seal::version(decoder.u16()?)?;
        if decoder.u8()? != OBJECT_KIND {
            return Err(Malformed::new("is not a key slot").into());
        }
        let way = decoder.u8()?;
        let repository = RepositoryId::from_bytes(decoder.array()?);
        let (salt, id) = (decoder.array()?, decoder.array()?);
        let (memory_kib, passes, lanes) = (decoder.u32()?, decoder.u32()?, decoder.u32()?);
        let wrapped = decoder.array()?;
        decoder.finish()?;
        let reserved = match way {
            RAW_KEY => (memory_kib, passes, lanes) == (0, 0, 0),
            PASSPHRASE => id == [0; 16],
            _ => true,
        };
        if !reserved {
            return Err(Malformed::new("reserved fields are not zero").into());
        }
        let way = match way {
            RAW_KEY => SlotWay::Key { id },
            PASSPHRASE => SlotWay::Passphrase(PassphraseCost {
                memory_kib,
                passes,
                lanes,
            }),
            _ => SlotWay::Unknown,
        };
        let plain = *object.first_chunk().ok_or(Malformed::new("is too short"))?;
        Ok(Self {
            plain,
            repository,
            way,
            salt,
            wrapped,
        })
    }

    /// The repository the slot belongs to.
    pub(crate) const fn repository(&self) -> RepositoryId {
        self.repository
    }

    /// How it is opened.
    pub(crate) const fn way(&self) -> SlotWay {
        self.way
    }

    /// The root key, if `unlock` opens this slot.
    pub(crate) fn unwrap(&self, unlock: &Unlock) -> Option<Zeroizing<[u8; KEY_LEN]>> {
        let kek = match (unlock, self.way) {
            (Unlock::Key(kek), SlotWay::Key { id }) if id == key_id(kek) => Zeroizing::new(*kek),
            (Unlock::Passphrase(passphrase), SlotWay::Passphrase(cost)) => {
                cost.derive(passphrase, &self.salt)?
            }
            _ => return None,
        };
        let (ciphertext, tag) = self.wrapped.split_at(KEY_LEN);
        let mut root = Zeroizing::new([0; KEY_LEN]);
        wrapping_key(&kek, &self.salt)
            .open_separate_gather(
                nonce(),
                Aad::from(&self.plain),
                ciphertext,
                tag,
                root.as_mut(),
            )
            .ok()?;
        Some(root)
    }
}

/// The error when none of `slots` slots opens with `unlock`.
pub(crate) const fn wrong_key(slots: usize, unlock: &Unlock) -> Error {
    Error::WrongKey {
        slots,
        given: unlock.word(),
    }
}

fn key_id(kek: &[u8; KEY_LEN]) -> [u8; 16] {
    let id = blake3::derive_key("strongroom v1: name of a key-encryption key", kek);
    *id.first_chunk().expect("32 bytes begin with 16")
}

fn wrapping_key(kek: &[u8; KEY_LEN], salt: &[u8; 32]) -> LessSafeKey {
    let key = Zeroizing::new(
        *blake3::Hasher::new_derive_key("strongroom v1: wrapping key of a key slot")
            .update(kek)
            .update(salt)
            .finalize()
            .as_bytes(),
    );
    let key = UnboundKey::new(&AES_256_GCM, key.as_slice());
    LessSafeKey::new(key.expect("32 bytes are an AES-256 key"))
}

fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; 12])
}

#[cfg(test)]
mod tests;
