//! Reports that an outsider can check: signed with a key of the installation.
//!
//! The key is Ed25519, derived from the master key, so that it is kept nowhere and comes back with
//! it; a new master key means a new one. Whoever is to check reports is given the public key once,
//! over another way. What is signed is the report as JSON with its names sorted and without blanks,
//! so a few lines in any language and any Ed25519 library check it (docs/dbss.md, "Reports").

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::verify::Report;
use crate::{Error, MasterKey, Result};

const CONTEXT: &str = "strongroom 2026-11-21 signatures of audit log reports";
const ALGORITHM: &str = "Ed25519";

/// A report with its signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    /// What was found.
    pub report: Report,
    /// `Ed25519`.
    pub algorithm: String,
    /// The key that made the signature, in hexadecimal digits.
    pub public_key: String,
    /// Over the report as JSON with sorted names and without blanks, in hexadecimal digits.
    pub signature: String,
}

fn pair(master: &MasterKey) -> Ed25519KeyPair {
    let seed = master.derive(CONTEXT);
    Ed25519KeyPair::from_seed_unchecked(&seed).expect("a seed has 32 bytes")
}

/// The key that outsiders check reports with, in hexadecimal digits.
pub fn public_key(master: &MasterKey) -> String {
    hex::encode(pair(master).public_key())
}

/// Signs a report.
pub fn sign(report: &Report, master: &MasterKey) -> Signed {
    let pair = pair(master);
    Signed {
        signature: hex::encode(pair.sign(&signed_bytes(report))),
        public_key: hex::encode(pair.public_key()),
        algorithm: ALGORITHM.to_owned(),
        report: report.clone(),
    }
}

impl Signed {
    /// The report, if the key made the signature for it.
    pub fn check(&self, public_key: &str) -> Result<&Report> {
        let wrong = |problem: &'static str| Error::invalid("report", problem);
        if self.algorithm != ALGORITHM || self.public_key != public_key {
            return Err(wrong("it is signed with another key"));
        }
        let key = hex::decode(public_key).map_err(|_| wrong("the key is malformed"))?;
        let signature =
            hex::decode(&self.signature).map_err(|_| wrong("the signature is malformed"))?;
        UnparsedPublicKey::new(&ED25519, key)
            .verify(&signed_bytes(&self.report), &signature)
            .map_err(|_| wrong("it was changed after it was signed"))?;
        Ok(&self.report)
    }
}

/// What is signed.
fn signed_bytes(report: &Report) -> Vec<u8> {
    let value = serde_json::to_value(report).expect("a report is plain data");
    let mut text = String::new();
    canonical(&value, &mut text);
    text.into_bytes()
}

/// JSON with sorted names and without blanks, whatever order a map keeps.
fn canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(name, _)| name.as_str());
            out.push('{');
            for (place, (name, value)) in fields.into_iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                out.push_str(&Value::from(name.as_str()).to_string());
                out.push(':');
                canonical(value, out);
            }
            out.push('}');
        }
        Value::Array(values) => {
            out.push('[');
            for (place, value) in values.iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                canonical(value, out);
            }
            out.push(']');
        }
        plain => out.push_str(&plain.to_string()),
    }
}
