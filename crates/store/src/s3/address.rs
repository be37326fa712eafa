//! Reads `s3://bucket/prefix?endpoint=…&region=…&lock=…`.
//!
//! Everything that is not understood is refused: a misspelt parameter that is passed over would
//! send a backup to the wrong place.

use object_store::path::Path;
use url::Url;

use crate::{
    config::Environment,
    error::{Error, ErrorKind, Result},
};

/// Where objects go.
#[derive(Debug, PartialEq)]
pub(super) struct Address {
    pub(super) bucket: String,
    /// Without slashes at either end; may be empty.
    pub(super) prefix: String,
    /// The server's URL; `None` for Amazon's own.
    pub(super) endpoint: Option<Url>,
    pub(super) region: String,
    /// How objects are kept from deletion, if they are to be.
    pub(super) lock: Option<Mode>,
}

/// Who may end a lock before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Whoever has a special permission.
    Governance,
    /// Nobody.
    Compliance,
}

impl Mode {
    fn read(word: &str) -> Result<Self> {
        match word {
            "governance" => Ok(Self::Governance),
            "compliance" => Ok(Self::Compliance),
            _ => Err(refused("lock is governance or compliance")),
        }
    }

    /// S3's own word.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Governance => "GOVERNANCE",
            Self::Compliance => "COMPLIANCE",
        }
    }
}

impl Address {
    pub(super) fn parse(url: &str, environment: &Environment) -> Result<Self> {
        let parsed = Url::parse(url).map_err(refused)?;
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err(refused(
                "an s3:// URL must not hold credentials; set AWS_ACCESS_KEY_ID and \
                 AWS_SECRET_ACCESS_KEY",
            ));
        }
        let bucket = parsed.host_str().unwrap_or_default();
        if bucket.is_empty() || parsed.port().is_some() || parsed.fragment().is_some() {
            return Err(refused(
                "write s3://bucket/prefix?endpoint=https://host:port&region=name",
            ));
        }
        let (mut endpoint, mut region, mut lock) = (None, None, None);
        for (name, value) in parsed.query_pairs() {
            let place = match &*name {
                "endpoint" => &mut endpoint,
                "region" => &mut region,
                "lock" => &mut lock,
                _ => return Err(refused(format!("an s3:// URL has no parameter {name:?}"))),
            };
            if value.is_empty() || place.replace(value.into_owned()).is_some() {
                return Err(refused(format!("{name} must be given once, with a value")));
            }
        }
        let endpoint = endpoint.as_ref().or(environment.endpoint.as_ref());
        let region = region.as_ref().or(environment.region.as_ref());
        let prefix = Path::from_url_path(parsed.path()).map_err(refused)?;
        Ok(Self {
            bucket: bucket.to_owned(),
            prefix: prefix.to_string(),
            endpoint: endpoint.map(|text| parse_endpoint(text)).transpose()?,
            region: region.map_or_else(|| "us-east-1".to_owned(), Clone::clone),
            lock: lock.as_deref().map(Mode::read).transpose()?,
        })
    }

    /// Whether the server is spoken to without TLS, which only an explicit `http://` asks for.
    pub(super) fn is_plain(&self) -> bool {
        self.endpoint
            .as_ref()
            .is_some_and(|endpoint| endpoint.scheme() == "http")
    }

    pub(super) fn describe(&self) -> String {
        let Self {
            bucket,
            prefix,
            region,
            endpoint,
            lock: _,
        } = self;
        let place = if prefix.is_empty() {
            bucket.clone()
        } else {
            format!("{bucket}/{prefix}")
        };
        match endpoint {
            Some(endpoint) => format!("S3 bucket {place} at {endpoint}"),
            None => format!("S3 bucket {place} in {region}"),
        }
    }
}

fn parse_endpoint(text: &str) -> Result<Url> {
    let endpoint = Url::parse(text).map_err(refused)?;
    let bare = endpoint.username().is_empty()
        && endpoint.password().is_none()
        && endpoint.query().is_none()
        && endpoint.fragment().is_none();
    if !bare || !matches!(endpoint.scheme(), "http" | "https") || endpoint.host().is_none() {
        return Err(refused(
            "an endpoint is https://host:port, or http:// to do without TLS",
        ));
    }
    Ok(endpoint)
}

pub(super) fn refused(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::new(ErrorKind::Unsupported).because(cause)
}
