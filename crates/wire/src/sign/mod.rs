//! Signatures with access keys: checked in all three forms that clients send, made in one.
//!
//! | form | `Authorization` | key of the last HMAC |
//! | --- | --- | --- |
//! | plain | `SDK-HMAC-SHA256 Access=AK, …` | the secret itself |
//! | scoped | `SDK-HMAC-SHA256 Credential=AK/day/region/service/sdk_request, …` | chained HMACs |
//! | derived | `V11-HMAC-SHA256 Credential=AK/day/region/service, …` | HKDF of the secret |
//!
//! The first two share the algorithm's name. Which headers are signed differs from client to
//! client and is taken as it comes, but the date is always among them: without it a signature
//! would be good for ever.
//!
//! A checked signature says that the holder of the key sent this method, path, query and body
//! within fifteen minutes of now. What it does not say: a path is signed with `%2F` and `/` alike
//! (the signers decode before they split), and a body is not covered if the client declares it
//! [`Payload::Unsigned`].
//!
//! - [`authorization`]: the header, read and written
//! - [`canonical`]: the text that is signed
//! - `key`: the keys of the three forms

pub mod authorization;
pub mod canonical;
mod key;

use std::{borrow::Cow, fmt};

use aws_lc_rs::{digest, hmac};

pub use authorization::{Authorization, Form};
use canonical::DATE_HEADER;

/// How far a request's clock may be off, either way.
pub const WINDOW_SECONDS: i64 = 15 * 60;

/// Why a signature was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// An algorithm of another kind, such as the national ones.
    #[error("signature algorithm {0:?} is not supported; use SDK-HMAC-SHA256 or V11-HMAC-SHA256")]
    NoSuchAlgorithm(String),
    /// The header cannot be read.
    #[error("malformed signature: {0}")]
    Malformed(&'static str),
    /// The list of signed headers names one that was not sent.
    #[error("signed header {0:?} was not sent")]
    MissingSignedHeader(String),
    /// The date was not sent or is not signed.
    #[error("X-Sdk-Date must be sent and be among the signed headers")]
    UnsignedDate,
    /// The request's clock and ours are too far apart.
    #[error("X-Sdk-Date is {0} seconds off; at most 900 are allowed: set the client's clock")]
    Skewed(i64),
    /// The body is not the one whose hash was sent.
    #[error("the body does not have the hash that X-Sdk-Content-Sha256 says")]
    BodyMismatch,
    /// Another secret, or another request.
    #[error("the signature does not match the request")]
    Mismatch,
}

/// Whether a signature covers the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payload {
    /// It does.
    Signed,
    /// The client declared that it does not; only an empty body is beyond doubt.
    Unsigned,
}

/// What of a request is signed.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The method in capitals.
    pub method: &'a str,
    /// The path as it was sent, still encoded.
    pub path: &'a str,
    /// The query as it was sent, without `?`; empty if there was none.
    pub query: &'a str,
    /// The first value of a header by its lower-case name, `host` included.
    pub headers: &'a dyn Fn(&str) -> Option<Cow<'a, str>>,
    /// The body's hash.
    pub body: BodyHash,
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}?{}", self.method, self.path, self.query)
    }
}

/// The SHA-256 of a body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BodyHash([u8; 32]);

impl BodyHash {
    /// The hash of these bytes.
    pub fn of(body: &[u8]) -> Self {
        Self(sha256(body))
    }

    /// Whether the body is empty.
    pub fn is_of_nothing(&self) -> bool {
        *self == Self::of(b"")
    }

    /// In lower-case hexadecimal digits.
    pub fn hex(&self) -> String {
        hex::encode(self.0)
    }
}

/// Checks a signature against the secret of its access key; `now` is in seconds since 1970.
///
/// Takes the same time for every wrong signature of a given length.
pub fn verify(
    authorization: &Authorization<'_>,
    request: &Request<'_>,
    secret: &str,
    now: i64,
) -> Result<Payload, SignError> {
    let date = signed_date(authorization, request)?;
    let skew = now - canonical::parse_date(&date).ok_or(MALFORMED_DATE)?;
    if skew.abs() > WINDOW_SECONDS {
        return Err(SignError::Skewed(skew));
    }
    if authorization
        .form
        .day()
        .is_some_and(|day| !date.starts_with(day))
    {
        return Err(SignError::Malformed(
            "the scope's day is not the day of X-Sdk-Date",
        ));
    }
    let key = key::signing_key(&authorization.form, authorization.access_key, secret);
    for (canonical, payload) in canonical::candidates(authorization, request)? {
        let text = canonical::string_to_sign(&authorization.form, &date, &canonical);
        // Compares in constant time.
        if hmac::verify(&key, text.as_bytes(), &authorization.signature).is_ok() {
            return Ok(payload);
        }
    }
    Err(SignError::Mismatch)
}

/// Signs a request in the plain form; the value for the header `Authorization`.
///
/// `signed` are the lower-case names of the headers to sign; each must be there, `x-sdk-date`
/// (see [`canonical::format_date`]) among them.
pub fn sign(
    request: &Request<'_>,
    signed: &[&str],
    access_key: &str,
    secret: &str,
) -> Result<String, SignError> {
    let mut names = signed.to_vec();
    names.sort_unstable();
    let list = names.join(";");
    let mut authorization = Authorization {
        form: Form::Plain,
        access_key,
        signed_headers: &list,
        signature: [0; 32],
    };
    let date = signed_date(&authorization, request)?;
    canonical::parse_date(&date).ok_or(MALFORMED_DATE)?;
    let canonical = canonical::request(&authorization, request, request.query, &{
        canonical::declared_hash(request)?.unwrap_or_else(|| request.body.hex())
    })?;
    let text = canonical::string_to_sign(&Form::Plain, &date, &canonical);
    let key = key::signing_key(&Form::Plain, access_key, secret);
    authorization
        .signature
        .copy_from_slice(hmac::sign(&key, text.as_bytes()).as_ref());
    Ok(authorization.to_string())
}

const MALFORMED_DATE: SignError = SignError::Malformed("X-Sdk-Date is not yyyymmddThhmmssZ");

fn signed_date<'a>(
    authorization: &Authorization<'_>,
    request: &Request<'a>,
) -> Result<Cow<'a, str>, SignError> {
    if !authorization.signs(DATE_HEADER) {
        return Err(SignError::UnsignedDate);
    }
    (request.headers)(DATE_HEADER).ok_or(SignError::UnsignedDate)
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let hash = digest::digest(&digest::SHA256, bytes);
    hash.as_ref().try_into().expect("SHA-256 has 32 bytes")
}

#[cfg(test)]
mod tests;
