//! The master key, and the data keys of vaults wrapped by it.
//!
//! Every vault has 32 random bytes that unlock its repository. They are kept only wrapped:
//! AES-256-GCM under the master key with the vault's id as associated data, so that the wrapped
//! key of one vault cannot be slipped to another. Destroying the wrapped form (the last step of
//! deleting a vault) makes what may be left of its data unreadable.
//!
//! Form of a wrapped key: one byte version (1), 12 bytes nonce, 32 bytes sealed, 16 bytes tag.
//!
//! Beside each repository lies a copy of its wrapped key, the key record: with it and the master
//! key the data can be read although the catalog is lost.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use serde::{Deserialize, Serialize};
use strongroom_model::{Entropy, ProjectId, VaultId, entropy::random};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{Error, Result};

const VERSION: u8 = 1;
const NONCE: usize = 12;
const KEY: usize = 32;
const TAG: usize = 16;
const ROLE: &[u8] = b"strongroom vault data key";

/// Wraps the data keys of all vaults; never stored beside what it wraps.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct MasterKey([u8; KEY]);

/// What lies beside a vault's repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    version: u32,
    vault: VaultId,
    project: ProjectId,
    data_key: String,
}

/// A key record, opened: whose data it is, and what unlocks them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenRecord {
    /// The vault.
    pub vault: VaultId,
    /// The vault's project.
    pub project: ProjectId,
    key: DataKey,
    wrapped: Vec<u8>,
}

impl OpenRecord {
    pub(crate) fn data_key(&self) -> &DataKey {
        &self.key
    }

    /// The key as the catalog keeps it.
    pub(crate) fn wrapped(&self) -> &[u8] {
        &self.wrapped
    }

    /// The key-encryption key of the vault's repository.
    pub fn key(&self) -> [u8; 32] {
        self.key.bytes()
    }
}

/// The key record of a vault, as it is stored at [`RECORD_PATH`].
pub(crate) fn record(vault: VaultId, project: ProjectId, wrapped: &[u8]) -> Vec<u8> {
    let record = Record {
        version: 1,
        vault,
        project,
        data_key: hex::encode(wrapped),
    };
    serde_json::to_vec(&record).expect("a record is plain data")
}

/// Where the key record lies in the store of its vault.
pub const RECORD_PATH: &str = "vault.json";

/// Unlocks the repository of one vault.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct DataKey([u8; KEY]);

impl MasterKey {
    /// A fresh random key.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        Self(random(entropy))
    }

    /// The key of 64 hexadecimal digits; blanks and line ends around them do not matter.
    pub fn from_hex(text: &str) -> Result<Self> {
        let mut key = [0; KEY];
        hex::decode_to_slice(text.trim(), &mut key)
            .map_err(|_| Error::invalid("master key", "must be 64 hexadecimal digits"))?;
        Ok(Self(key))
    }

    /// The key as 64 hexadecimal digits, to be written to its file.
    pub fn to_hex(&self) -> String {
        hex::encode(self.0)
    }

    /// A key for another purpose, from which the master key cannot be found.
    pub(crate) fn derive(&self, context: &'static str) -> [u8; KEY] {
        blake3::derive_key(context, &self.0)
    }

    /// Wraps `key` for `vault`.
    pub(crate) fn wrap(&self, vault: VaultId, key: &DataKey, entropy: &dyn Entropy) -> Vec<u8> {
        let nonce: [u8; NONCE] = random(entropy);
        let mut sealed = key.0.to_vec();
        self.cipher()
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(associated(vault)),
                &mut sealed,
            )
            .expect("48 bytes are within what AES-GCM seals at once");
        let mut wrapped = Vec::with_capacity(1 + NONCE + sealed.len());
        wrapped.push(VERSION);
        wrapped.extend_from_slice(&nonce);
        wrapped.extend_from_slice(&sealed);
        wrapped
    }

    /// Unwraps the key of `vault`.
    pub(crate) fn unwrap(&self, vault: VaultId, wrapped: &[u8]) -> Result<DataKey> {
        let wrong = |problem: &str| {
            let problem = format!("the data key of vault {vault} {problem}");
            Error::unavailable("the vault's data", problem)
        };
        let (version, rest) = wrapped.split_first().ok_or_else(|| wrong("is empty"))?;
        if *version != VERSION {
            return Err(wrong("is of a version that this release does not know"));
        }
        if rest.len() != NONCE + KEY + TAG {
            return Err(wrong("has the wrong length"));
        }
        let (nonce, sealed) = rest.split_at(NONCE);
        let nonce = Nonce::try_assume_unique_for_key(nonce)
            .map_err(|_| wrong("has a nonce of the wrong length"))?;
        let mut sealed = sealed.to_vec();
        let opened = self
            .cipher()
            .open_in_place(nonce, Aad::from(associated(vault)), &mut sealed)
            .map_err(|_| wrong("does not open: the master key is not the one it was made with"))?;
        let mut key = DataKey([0; KEY]);
        key.0.copy_from_slice(opened);
        sealed.zeroize();
        Ok(key)
    }

    /// Opens a key record, found at [`RECORD_PATH`] in the store of a vault; for rescue.
    pub fn open_record(&self, record: &[u8]) -> Result<OpenRecord> {
        let unreadable = |problem: String| Error::invalid("key record", problem);
        let record: Record =
            serde_json::from_slice(record).map_err(|error| unreadable(error.to_string()))?;
        if record.version != 1 {
            return Err(unreadable(format!(
                "version {} is not known",
                record.version
            )));
        }
        let wrapped =
            hex::decode(&record.data_key).map_err(|error| unreadable(error.to_string()))?;
        let key = self.unwrap(record.vault, &wrapped)?;
        Ok(OpenRecord {
            vault: record.vault,
            project: record.project,
            key,
            wrapped,
        })
    }

    pub(crate) fn cipher(&self) -> LessSafeKey {
        let key = UnboundKey::new(&AES_256_GCM, &self.0).expect("the key has 32 bytes");
        LessSafeKey::new(key)
    }
}

impl DataKey {
    /// A fresh random key.
    pub(crate) fn generate(entropy: &dyn Entropy) -> Self {
        Self(random(entropy))
    }

    /// The key's bytes, for the engine.
    pub(crate) fn bytes(&self) -> [u8; KEY] {
        self.0
    }
}

fn associated(vault: VaultId) -> Vec<u8> {
    [ROLE, vault.as_bytes().as_slice()].concat()
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

impl std::fmt::Debug for DataKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DataKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use strongroom_testkit::entropy::SeededEntropy;

    use super::*;

    #[test]
    fn a_wrapped_key_opens_only_for_its_vault_and_with_its_master_key() {
        let entropy = SeededEntropy::new(1);
        let (master, other) = (MasterKey::generate(&entropy), MasterKey::generate(&entropy));
        let (vault, stranger) = (VaultId::new(&entropy), VaultId::new(&entropy));
        let key = DataKey::generate(&entropy);
        let wrapped = master.wrap(vault, &key, &entropy);
        assert_eq!(wrapped.len(), 61);
        assert_eq!(master.unwrap(vault, &wrapped).unwrap(), key);
        assert!(master.unwrap(stranger, &wrapped).is_err());
        assert!(other.unwrap(vault, &wrapped).is_err());
        for byte in 0..wrapped.len() {
            let mut bent = wrapped.clone();
            bent[byte] ^= 1;
            assert!(master.unwrap(vault, &bent).is_err(), "byte {byte}");
        }
        for length in 0..wrapped.len() {
            assert!(master.unwrap(vault, &wrapped[..length]).is_err());
        }
    }

    #[test]
    fn a_key_record_opens_with_the_master_key_alone() {
        let entropy = SeededEntropy::new(3);
        let master = MasterKey::generate(&entropy);
        let (vault, project) = (VaultId::new(&entropy), ProjectId::new(&entropy));
        let key = DataKey::generate(&entropy);
        let written = record(vault, project, &master.wrap(vault, &key, &entropy));
        let open = master.open_record(&written).unwrap();
        assert_eq!(
            (open.vault, open.project, open.key()),
            (vault, project, key.bytes())
        );
        let newer = String::from_utf8(written)
            .unwrap()
            .replace("\"version\":1", "\"version\":2");
        assert!(master.open_record(newer.as_bytes()).is_err());
        assert!(master.open_record(b"{}").is_err());
    }

    #[test]
    fn the_master_key_is_read_back_from_its_file_and_shown_nowhere_else() {
        let master = MasterKey::generate(&SeededEntropy::new(2));
        let read = MasterKey::from_hex(&format!("{}\n", master.to_hex())).unwrap();
        assert_eq!(read.0, master.0);
        assert!(MasterKey::from_hex("00").is_err());
        assert_eq!(format!("{master:?}"), "MasterKey(…)");
    }
}
