//! The note of a vault: all its rows, sealed, beside its data.
//!
//! A manifest knows its backup as it was when it was made. What changed since (names, expiry,
//! tags, the lock, which resources belong to the vault) is in the note, which is written anew
//! when it would say something else. Notes are numbered; the newest one that opens counts, and
//! the one before it stays, so that there is always a whole one.
//!
//! Form: one byte version (1), 12 bytes nonce, then AES-256-GCM over zstd over JSON, under a key
//! derived from the vault's data key, with the vault's id and the note's number as associated
//! data: a note of another vault, or an old one under a new name, does not open.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use strongroom_model::{Entropy, VaultId, entropy::random};
use strongroom_store::{ErrorKind, Key, Store};
use zeroize::Zeroizing;

use super::rows::Rows;
use crate::keys::DataKey;

const VERSION: u8 = 1;
const NONCE: usize = 12;
const FOLDER: &str = "notes/";
const KEY_CONTEXT: &str = "strongroom 2026 note beside the data of a vault";
const ROLE: &[u8] = b"strongroom vault note";
const LEVEL: i32 = 3;
/// Notes that are kept.
const KEPT: usize = 2;

/// What a note says, as bytes, and their hash.
pub(crate) struct Text {
    bytes: Vec<u8>,
    /// Names what it says.
    pub(crate) digest: Vec<u8>,
}

impl Text {
    /// The note that these rows make.
    pub(crate) fn of(rows: &Rows) -> Self {
        let bytes = serde_json::to_vec(rows).expect("rows are plain data");
        let digest = blake3::hash(&bytes).as_bytes().to_vec();
        Self { bytes, digest }
    }
}

/// Writes a note under the next number and removes those that it makes needless.
pub(crate) fn write(
    store: &Store,
    vault: VaultId,
    key: &DataKey,
    text: &Text,
    entropy: &dyn Entropy,
) -> strongroom_store::Result<()> {
    let numbers = numbers(store)?;
    let next = numbers.last().map_or(1, |last| last.saturating_add(1));
    let sealed = seal(vault, next, key, &text.bytes, entropy);
    store.create_new(&name(next), &sealed)?;
    let needless = (numbers.len() + 1).saturating_sub(KEPT);
    for number in numbers.into_iter().take(needless) {
        store.delete(&name(number))?;
    }
    Ok(())
}

/// The newest note that opens; `None` if there is none.
pub(super) fn newest(
    store: &Store,
    vault: VaultId,
    key: &DataKey,
) -> strongroom_store::Result<Option<Rows>> {
    for number in numbers(store)?.into_iter().rev() {
        let bytes = match store.get(&name(number)) {
            Ok(bytes) => bytes,
            Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Corrupt) => {
                continue;
            }
            Err(error) => return Err(error),
        };
        if let Some(rows) = open(vault, number, key, &bytes) {
            return Ok(Some(rows));
        }
        tracing::warn!(%vault, number, "a note beside the data does not open");
    }
    Ok(None)
}

/// The numbers of the notes there are, ascending.
fn numbers(store: &Store) -> strongroom_store::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    store.list(FOLDER, &mut |key, _| {
        let digits = key.as_str().strip_prefix(FOLDER).unwrap_or_default();
        if digits.len() == 16 {
            numbers.extend(u64::from_str_radix(digits, 16));
        }
        Ok(())
    })?;
    numbers.sort_unstable();
    Ok(numbers)
}

fn name(number: u64) -> Key {
    Key::new(&format!("{FOLDER}{number:016x}")).expect("digits make a legal key")
}

fn seal(vault: VaultId, number: u64, key: &DataKey, text: &[u8], entropy: &dyn Entropy) -> Vec<u8> {
    let nonce: [u8; NONCE] = random(entropy);
    let mut sealed = zstd::bulk::compress(text, LEVEL).expect("memory is enough");
    cipher(key)
        .seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(associated(vault, number)),
            &mut sealed,
        )
        .expect("a note is within what AES-GCM seals at once");
    let mut note = Vec::with_capacity(1 + NONCE + sealed.len());
    note.push(VERSION);
    note.extend_from_slice(&nonce);
    note.append(&mut sealed);
    note
}

fn open(vault: VaultId, number: u64, key: &DataKey, note: &[u8]) -> Option<Rows> {
    let (version, rest) = note.split_first()?;
    let (nonce, sealed) = rest.split_at_checked(NONCE)?;
    if *version != VERSION {
        return None;
    }
    let mut sealed = sealed.to_vec();
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let opened = cipher(key)
        .open_in_place(nonce, Aad::from(associated(vault, number)), &mut sealed)
        .ok()?;
    let text = zstd::stream::decode_all(&*opened).ok()?;
    serde_json::from_slice(&text).ok()
}

fn cipher(key: &DataKey) -> LessSafeKey {
    let derived = Zeroizing::new(blake3::derive_key(KEY_CONTEXT, &key.bytes()));
    let key = UnboundKey::new(&AES_256_GCM, &*derived).expect("the key has 32 bytes");
    LessSafeKey::new(key)
}

fn associated(vault: VaultId, number: u64) -> Vec<u8> {
    [ROLE, vault.as_bytes(), &number.to_be_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use strongroom_testkit::entropy::SeededEntropy;

    use super::*;

    #[test]
    fn the_newest_note_that_opens_counts_and_two_are_kept() {
        let entropy = SeededEntropy::new(4);
        let (vault, other) = (VaultId::new(&entropy), VaultId::new(&entropy));
        let key = DataKey::generate(&entropy);
        let store = Store::open("memory:").unwrap();
        assert_eq!(newest(&store, vault, &key).unwrap(), None);
        let rows = |name: &str| {
            let text =
                format!(r#"{{"region":"{name}","domain":{{}},"project":{{}},"vault":{{}}}}"#);
            serde_json::from_str::<Rows>(&text).unwrap()
        };
        for name in ["one", "two", "three"] {
            write(&store, vault, &key, &Text::of(&rows(name)), &entropy).unwrap();
            assert_eq!(newest(&store, vault, &key).unwrap(), Some(rows(name)));
        }
        assert_eq!(numbers(&store).unwrap(), [2, 3]);
        assert_eq!(newest(&store, other, &key).unwrap(), None);
        assert_eq!(
            newest(&store, vault, &DataKey::generate(&entropy)).unwrap(),
            None
        );

        // An old one under a newer name, and a spoiled one, do not count.
        let old = store.get(&name(2)).unwrap();
        store.create_new(&name(9), &old).unwrap();
        store.create_new(&name(10), b"\x01").unwrap();
        assert_eq!(newest(&store, vault, &key).unwrap(), Some(rows("three")));
        store.delete(&name(3)).unwrap();
        assert_eq!(newest(&store, vault, &key).unwrap(), Some(rows("two")));
    }

    #[test]
    fn no_bit_of_a_note_can_be_changed() {
        let entropy = SeededEntropy::new(5);
        let vault = VaultId::new(&entropy);
        let key = DataKey::generate(&entropy);
        let note = seal(
            vault,
            1,
            &key,
            b"{\"domain\":{},\"project\":{},\"vault\":{}}",
            &entropy,
        );
        assert!(open(vault, 1, &key, &note).is_some());
        for byte in 0..note.len() {
            let mut bent = note.clone();
            bent[byte] ^= 1;
            assert!(open(vault, 1, &key, &bent).is_none(), "byte {byte}");
        }
        for length in 0..note.len() {
            assert!(open(vault, 1, &key, &note[..length]).is_none());
        }
    }
}
