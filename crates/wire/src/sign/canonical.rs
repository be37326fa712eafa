//! The text that is signed: one spelling of a request, whatever spelling was sent.
//!
//! The quirks of the signers stand here, each where it bites, and nowhere else.

use std::fmt::Write as _;

use jiff::civil::DateTime;
use percent_encoding::percent_decode_str;

use super::{
    BodyHash, Payload, Request, SignError,
    authorization::{Authorization, Form},
    sha256,
};
use crate::{path::encode_into, query};

/// The header that carries the date of the signature.
pub const DATE_HEADER: &str = "x-sdk-date";

const BODY_HEADER: &str = "x-sdk-content-sha256";
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

/// The spellings that the signature may be of, the likely one first. There are two only where a
/// signer's choice cannot be seen from outside, and always for a request without a body.
pub(super) fn candidates(
    authorization: &Authorization<'_>,
    request: &Request<'_>,
) -> Result<Vec<(String, Payload)>, SignError> {
    let nothing = request.body.is_of_nothing();
    let declared = declared_hash(request)?;
    let hash = declared.clone().unwrap_or_else(|| request.body.hex());
    let payload = if hash == UNSIGNED && !nothing {
        Payload::Unsigned
    } else {
        Payload::Signed
    };
    let first = self::request(authorization, request, request.query, &hash)?;
    let mut spellings = vec![(first, payload)];
    if nothing && hash == UNSIGNED {
        // One SDK declares an unsigned body and then hashes the empty one after all.
        let text = self::request(authorization, request, request.query, &request.body.hex())?;
        spellings.push((text, Payload::Signed));
    }
    let scoped = matches!(authorization.form, Form::Scoped { .. });
    if nothing && scoped && request.method == "POST" && declared.is_none() {
        // A POST without a body is signed as if its query were the body.
        let hash = BodyHash::of(form_encoded(request.query).as_bytes()).hex();
        let text = self::request(authorization, request, "", &hash)?;
        spellings.insert(0, (text, Payload::Signed));
    }
    Ok(spellings)
}

/// The canonical request, with a query and body hash of the caller's choosing.
pub(super) fn request(
    authorization: &Authorization<'_>,
    request: &Request<'_>,
    query: &str,
    body_hash: &str,
) -> Result<String, SignError> {
    let mut text = String::with_capacity(512);
    text.push_str(request.method);
    text.push('\n');
    path(&mut text, request.path);
    text.push('\n');
    text.push_str(&match authorization.form {
        Form::Scoped { .. } => query_without_case(query),
        Form::Plain | Form::Derived { .. } => query_sorted(query),
    });
    text.push('\n');
    for name in authorization.signed_names() {
        let name = name.to_ascii_lowercase();
        let value = (request.headers)(&name)
            .ok_or_else(|| SignError::MissingSignedHeader(name.chars().take(64).collect()))?;
        let value = match authorization.form {
            Form::Scoped { .. } => collapse_blanks(&value),
            Form::Plain | Form::Derived { .. } => value.trim().to_owned(),
        };
        writeln!(text, "{name}:{value}").expect("writing to a String cannot fail");
    }
    text.push('\n');
    text.push_str(authorization.signed_headers);
    text.push('\n');
    text.push_str(body_hash);
    Ok(text)
}

/// The text that the last HMAC is of.
pub(super) fn string_to_sign(form: &Form<'_>, date: &str, canonical: &str) -> String {
    let mut text = format!("{}\n{date}\n", form.algorithm());
    if let Some(scope) = form.scope() {
        text.push_str(scope);
        text.push('\n');
    }
    text.push_str(&hex::encode(sha256(canonical.as_bytes())));
    text
}

/// The body hash that the client declares, if it does; it must be that of the body, or none.
pub(super) fn declared_hash(request: &Request<'_>) -> Result<Option<String>, SignError> {
    let Some(declared) = (request.headers)(BODY_HEADER) else {
        return Ok(None);
    };
    let declared = declared.trim();
    if declared == UNSIGNED || declared.eq_ignore_ascii_case(&request.body.hex()) {
        Ok(Some(declared.to_owned()))
    } else {
        Err(SignError::BodyMismatch)
    }
}

/// `yyyymmddThhmmssZ` as seconds since 1970; no other spelling.
pub fn parse_date(text: &str) -> Option<i64> {
    let bytes: &[u8; 16] = text.as_bytes().try_into().ok()?;
    let shape = bytes.iter().enumerate().all(|(place, byte)| match place {
        8 => *byte == b'T',
        15 => *byte == b'Z',
        _ => byte.is_ascii_digit(),
    });
    let time = shape.then(|| DateTime::strptime("%Y%m%dT%H%M%SZ", text).ok())??;
    let time = time.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(time.timestamp().as_second())
}

/// Seconds since 1970 as `yyyymmddThhmmssZ`.
pub fn format_date(seconds: i64) -> String {
    let time = jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    time.strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// Decodes the whole path, encodes each segment again, and closes it with a slash.
fn path(text: &mut String, raw: &str) {
    let decoded: Vec<u8> = percent_decode_str(raw).collect();
    for (place, segment) in decoded.split(|byte| *byte == b'/').enumerate() {
        if place > 0 {
            text.push('/');
        }
        encode_into(text, segment);
    }
    if !text.ends_with('/') {
        text.push('/');
    }
}

/// Sorted by name, then by value; repeated names stay repeated.
fn query_sorted(raw: &str) -> String {
    let mut pairs = query::decode(raw);
    pairs.sort_unstable();
    query::encode(&pairs)
}

/// Sorted by encoded name without regard to case; of a repeated name only the first value.
fn query_without_case(raw: &str) -> String {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for (name, value) in query::decode(raw) {
        if pairs.iter().all(|(known, _)| *known != name) {
            pairs.push((name, value));
        }
    }
    pairs.sort_by_cached_key(|(name, _)| {
        let mut encoded = String::new();
        encode_into(&mut encoded, name.as_bytes());
        encoded.to_ascii_lowercase()
    });
    query::encode(&pairs)
}

/// Sorted by name, values of a repeated name in their order, blanks as `+`: how Go writes a form.
fn form_encoded(raw: &str) -> String {
    let mut pairs = query::decode(raw);
    pairs.sort_by(|(one, _), (other, _)| one.cmp(other));
    query::encode(&pairs).replace("%20", "+")
}

/// Every run of white space as one blank; blanks at the ends stay.
fn collapse_blanks(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for letter in value.chars() {
        match letter {
            ' ' | '\t' | '\n' | '\r' | '\x0C' if text.ends_with(' ') => {}
            ' ' | '\t' | '\n' | '\r' | '\x0C' => text.push(' '),
            _ => text.push(letter),
        }
    }
    text
}
