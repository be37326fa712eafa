//! The test vectors of format version 1: `fixtures/vectors` holds what other implementations must
//! get too, and these tests hold this one to it.
//!
//! Invariant: a file of vectors is made where there is none, and never rewritten. What version 1
//! yields for given keys, salts and bytes is fixed for ever; what changes is a new version.

mod keys;
mod sealing;

use std::{fs, path::Path};

use serde_json::Value;
use strongroom_model::Entropy;

/// Bytes of BLAKE3's output stream for a seed.
pub(crate) fn xof(seed: u64, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    blake3::Hasher::new()
        .update(&seed.to_le_bytes())
        .finalize_xof()
        .fill(&mut bytes);
    bytes
}

/// Asserts that `made` is what `fixtures/vectors/<name>.json` holds.
pub(crate) fn frozen(name: &str, made: &Value) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/vectors");
    let path = folder.join(format!("{name}.json"));
    if !path.exists() && std::env::var_os("STRONGROOM_BLESS").is_some() {
        let text = serde_json::to_string_pretty(made).unwrap();
        fs::write(&path, format!("{text}\n")).unwrap();
    }
    let text = fs::read_to_string(&path).unwrap();
    let held: Value = serde_json::from_str(&text).unwrap();
    assert!(
        held == *made,
        "the vectors of version 1 are frozen, and {name} yields others:\n{made:#}"
    );
}

/// Randomness that is the same byte for ever.
struct Same(u8);

impl Entropy for Same {
    fn fill(&self, out: &mut [u8]) {
        out.fill(self.0);
    }
}
