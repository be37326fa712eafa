//! The header `Authorization` of a signed request, read and written.

use std::fmt;

use super::SignError;

const PLAIN: &str = "SDK-HMAC-SHA256";
const DERIVED: &str = "V11-HMAC-SHA256";
const SCOPE_END: &str = "sdk_request";

/// The header, read; nothing of it is checked yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Authorization<'a> {
    /// How the signature was made.
    pub form: Form<'a>,
    /// The public half of the key.
    pub access_key: &'a str,
    /// The names of the signed headers, as they were sent.
    pub signed_headers: &'a str,
    /// The signature.
    pub signature: [u8; 32],
}

/// How a signature is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form<'a> {
    /// With the secret itself (the vendors' own SDKs, Terraform).
    Plain,
    /// With a key for a day, region and service, which may be empty (gophertelekomcloud).
    Scoped {
        /// All of the scope, `day/region/service/sdk_request`.
        scope: &'a str,
        /// `yyyymmdd`.
        day: &'a str,
        /// The region.
        region: &'a str,
        /// The service.
        service: &'a str,
    },
    /// With a key derived for a scope (the vendors' own SDKs, if they are told to).
    Derived {
        /// All of the scope, `day/region/service`.
        scope: &'a str,
        /// `yyyymmdd`.
        day: &'a str,
    },
}

impl<'a> Form<'a> {
    /// The algorithm's name on the wire.
    pub const fn algorithm(&self) -> &'static str {
        match self {
            Self::Plain | Self::Scoped { .. } => PLAIN,
            Self::Derived { .. } => DERIVED,
        }
    }

    /// The day of the scope, if the form has one.
    pub const fn day(&self) -> Option<&'a str> {
        match self {
            Self::Plain => None,
            Self::Scoped { day, .. } | Self::Derived { day, .. } => Some(*day),
        }
    }

    /// The scope, if the form has one.
    pub const fn scope(&self) -> Option<&'a str> {
        match self {
            Self::Plain => None,
            Self::Scoped { scope, .. } | Self::Derived { scope, .. } => Some(*scope),
        }
    }
}

impl<'a> Authorization<'a> {
    /// Reads the header.
    pub fn parse(header: &'a str) -> Result<Self, SignError> {
        let (algorithm, rest) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
        if algorithm != PLAIN && algorithm != DERIVED {
            return Err(SignError::NoSuchAlgorithm(
                algorithm.chars().take(32).collect(),
            ));
        }
        let (mut access, mut credential, mut signed, mut signature) = (None, None, None, None);
        for part in rest.split(',') {
            let (name, value) = part
                .trim()
                .split_once('=')
                .ok_or(SignError::Malformed("a part has no value"))?;
            let place = match name {
                "Access" => &mut access,
                "Credential" => &mut credential,
                "SignedHeaders" => &mut signed,
                "Signature" => &mut signature,
                _ => continue,
            };
            if place.replace(value).is_some() {
                return Err(SignError::Malformed("a part stands twice"));
            }
        }
        let (access_key, form) = match (algorithm, access, credential) {
            (PLAIN, Some(access_key), None) => (access_key, Form::Plain),
            (PLAIN, None, Some(credential)) => scoped(credential)?,
            (DERIVED, None, Some(credential)) => derived(credential)?,
            _ => return Err(SignError::Malformed("it must have Access or Credential")),
        };
        if access_key.is_empty() {
            return Err(SignError::Malformed("the access key is empty"));
        }
        let signed_headers = signed.ok_or(SignError::Malformed("it must have SignedHeaders"))?;
        let signature = signature.ok_or(SignError::Malformed("it must have Signature"))?;
        let mut bytes = [0; 32];
        hex::decode_to_slice(signature, &mut bytes)
            .map_err(|_| SignError::Malformed("Signature must be 64 hexadecimal digits"))?;
        Ok(Self {
            form,
            access_key,
            signed_headers,
            signature: bytes,
        })
    }

    /// The names of the signed headers, in the order in which they were sent.
    pub fn signed_names(&self) -> impl Iterator<Item = &'a str> {
        self.signed_headers.split(';')
    }

    /// Whether that header is among the signed ones.
    pub fn signs(&self, name: &str) -> bool {
        self.signed_names()
            .any(|signed| signed.eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for Authorization<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.form.algorithm())?;
        match self.form.scope() {
            None => write!(f, "Access={}", self.access_key)?,
            Some(scope) => write!(f, "Credential={}/{scope}", self.access_key)?,
        }
        let signature = hex::encode(self.signature);
        write!(
            f,
            ", SignedHeaders={}, Signature={signature}",
            self.signed_headers
        )
    }
}

fn scoped(credential: &str) -> Result<(&str, Form<'_>), SignError> {
    let malformed = SignError::Malformed("Credential must be key/day/region/service/sdk_request");
    let (access_key, scope) = credential
        .split_once('/')
        .ok_or_else(|| malformed.clone())?;
    let parts: Vec<_> = scope.split('/').collect();
    match parts.as_slice() {
        &[day, region, service, SCOPE_END] if is_day(day) => Ok((
            access_key,
            Form::Scoped {
                scope,
                day,
                region,
                service,
            },
        )),
        _ => Err(malformed),
    }
}

fn derived(credential: &str) -> Result<(&str, Form<'_>), SignError> {
    let malformed = SignError::Malformed("Credential must be key/day/region/service");
    let (access_key, scope) = credential
        .split_once('/')
        .ok_or_else(|| malformed.clone())?;
    let parts: Vec<_> = scope.split('/').collect();
    match parts.as_slice() {
        &[day, _, _] if is_day(day) => Ok((access_key, Form::Derived { scope, day })),
        _ => Err(malformed),
    }
}

fn is_day(text: &str) -> bool {
    text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit())
}
