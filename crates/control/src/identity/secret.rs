//! Texts that are secrets: tokens and access keys, made and kept.
//!
//! A token is kept as its BLAKE3 hash only: whoever reads the catalog cannot use it. The secret of
//! an access key must be at hand to check a signature, so it is kept sealed under the master
//! key, bound to its access key id.

use aws_lc_rs::aead::{Aad, Nonce};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use strongroom_model::{AccessKeyId, Entropy, entropy::random};
use zeroize::Zeroizing;

use crate::{Error, Result, keys::MasterKey};

const TOKEN_PREFIX: &str = "srt1_";
const CAPITALS: &[u8; 36] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const SEAL_ROLE: &[u8] = b"strongroom access key";
const NONCE: usize = 12;

/// A fresh token: a version and 32 random bytes. To be given out once and never kept.
pub(super) fn token(entropy: &dyn Entropy) -> String {
    format!(
        "{TOKEN_PREFIX}{}",
        URL_SAFE_NO_PAD.encode(random::<32>(entropy))
    )
}

/// What is kept of a token; `None` for a text that never was one.
pub(super) fn token_hash(token: &str) -> Option<[u8; 32]> {
    let rest = token.strip_prefix(TOKEN_PREFIX)?;
    let plausible = rest.len() == 43
        && rest
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    plausible.then(|| *blake3::hash(token.as_bytes()).as_bytes())
}

/// A fresh access key: its id (20 capitals and digits) and its secret (40 letters and digits).
pub(super) fn access_key(entropy: &dyn Entropy) -> (AccessKeyId, Zeroizing<String>) {
    (
        AccessKeyId(draw(entropy, CAPITALS, 20)),
        Zeroizing::new(draw(entropy, LETTERS, 40)),
    )
}

/// A fresh password for the first operator.
pub(super) fn password(entropy: &dyn Entropy) -> Zeroizing<String> {
    Zeroizing::new(draw(entropy, LETTERS, 24))
}

/// Seals the secret of an access key: nonce, then what AES-256-GCM made of it.
pub(super) fn seal(
    master: &MasterKey,
    access: &AccessKeyId,
    secret: &str,
    entropy: &dyn Entropy,
) -> Vec<u8> {
    let nonce: [u8; NONCE] = random(entropy);
    let mut sealed = secret.as_bytes().to_vec();
    master
        .cipher()
        .seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(associated(access)),
            &mut sealed,
        )
        .expect("a secret is shorter than what AES-GCM seals at once");
    [nonce.as_slice(), &sealed].concat()
}

/// Opens the secret of an access key.
pub(super) fn open(
    master: &MasterKey,
    access: &AccessKeyId,
    sealed: &[u8],
) -> Result<Zeroizing<String>> {
    let broken = || {
        let problem = format!(
            "the secret of access key {access} does not open: \
             the master key is not the one it was sealed with"
        );
        Error::unavailable("the access key", problem)
    };
    let (nonce, sealed) = sealed.split_at_checked(NONCE).ok_or_else(broken)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| broken())?;
    let mut opened = Zeroizing::new(sealed.to_vec());
    let length = master
        .cipher()
        .open_in_place(nonce, Aad::from(associated(access)), &mut opened)
        .map_err(|_| broken())?
        .len();
    opened.truncate(length);
    let text = std::str::from_utf8(&opened).map_err(|_| broken())?;
    Ok(Zeroizing::new(text.to_owned()))
}

fn associated(access: &AccessKeyId) -> Vec<u8> {
    [SEAL_ROLE, access.0.as_bytes()].concat()
}

/// `length` symbols, each as likely as any other.
fn draw(entropy: &dyn Entropy, alphabet: &[u8], length: usize) -> String {
    // Bytes at the upper end would favour the first symbols; they are thrown away.
    let fair = 256 - 256 % alphabet.len();
    let mut text = String::with_capacity(length);
    while text.len() < length {
        let [byte] = random::<1>(entropy);
        if usize::from(byte) < fair
            && let Some(symbol) = alphabet.get(usize::from(byte) % alphabet.len())
        {
            text.push(char::from(*symbol));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use strongroom_testkit::entropy::SeededEntropy;

    use super::*;

    #[test]
    fn a_token_is_known_again_by_its_hash_alone() {
        let entropy = SeededEntropy::new(7);
        let (one, other) = (token(&entropy), token(&entropy));
        assert_ne!(token_hash(&one), token_hash(&other));
        assert_eq!(one.len(), 48);
        for never in ["", "srt1_", "srt2_AAAA", &one[..47], &format!("{one}A")] {
            assert_eq!(token_hash(never), None, "{never:?}");
        }
    }

    #[test]
    fn a_sealed_secret_opens_only_for_its_key_and_unbent() {
        let entropy = SeededEntropy::new(8);
        let master = MasterKey::generate(&entropy);
        let (access, secret) = access_key(&entropy);
        let (stranger, _) = access_key(&entropy);
        assert_eq!((access.0.len(), secret.len()), (20, 40));
        let sealed = seal(&master, &access, &secret, &entropy);
        assert_eq!(*open(&master, &access, &sealed).unwrap(), *secret);
        assert!(open(&master, &stranger, &sealed).is_err());
        assert!(open(&MasterKey::generate(&entropy), &access, &sealed).is_err());
        for byte in 0..sealed.len() {
            let mut bent = sealed.clone();
            bent[byte] ^= 1;
            assert!(open(&master, &access, &bent).is_err(), "byte {byte}");
            assert!(
                open(&master, &access, &sealed[..byte]).is_err(),
                "length {byte}"
            );
        }
    }
}
