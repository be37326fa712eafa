//! Reads `strongroom://host:port/store?secret=FILE&ca=FILE`.
//!
//! The secret is in a file that only its owner reads (or in the environment), never in the URL.
//! Everything that is not understood is refused.

use std::{fs, io, os::unix::fs::PermissionsExt, path::PathBuf};

use url::Url;

use super::protocol;
use crate::{
    config::Environment,
    error::{Error, ErrorKind, Result},
    key::Key,
};

const FORM: &str = "write strongroom://host:port/store?secret=FILE&ca=FILE";

/// Where a store of another Strongroom is.
#[derive(Debug, PartialEq)]
pub(super) struct Address {
    /// Scheme, host and port, without a slash at the end.
    pub(super) origin: String,
    /// The store's name there.
    pub(super) name: String,
    /// What stands before every key; empty, or with a slash at its end.
    pub(super) prefix: String,
    /// The certificates that are trusted, if not the system's.
    pub(super) authorities: Option<PathBuf>,
    /// The file with the secret, if it is in one.
    secret: Option<PathBuf>,
}

impl Address {
    pub(super) fn parse(url: &str) -> Result<Self> {
        let parsed = Url::parse(url).map_err(refused)?;
        let bare = parsed.username().is_empty()
            && parsed.password().is_none()
            && parsed.fragment().is_none();
        let (Some(host), Some(port), true) = (parsed.host_str(), parsed.port(), bare) else {
            return Err(refused(format!("{FORM}; a host and a port are needed")));
        };
        let path = parsed.path().trim_matches('/');
        let (name, prefix) = path.split_once('/').unwrap_or((path, ""));
        if !protocol::is_name(name) {
            return Err(refused(format!("{FORM}; {name:?} is no store's name")));
        }
        let prefix = match prefix {
            "" => String::new(),
            prefix => format!("{}/", Key::new(prefix)?),
        };
        let (mut secret, mut authorities, mut tls) = (None, None, None);
        for (parameter, value) in parsed.query_pairs() {
            let place = match &*parameter {
                "secret" => &mut secret,
                "ca" => &mut authorities,
                "tls" => &mut tls,
                _ => {
                    let cause = format!("a strongroom:// URL has no parameter {parameter:?}");
                    return Err(refused(cause));
                }
            };
            if value.is_empty() || place.replace(value.into_owned()).is_some() {
                let cause = format!("{parameter} must be given once, with a value");
                return Err(refused(cause));
            }
        }
        let scheme = match (tls.as_deref(), &authorities) {
            (None, _) => "https",
            (Some("off"), None) => "http",
            _ => return Err(refused("tls can only be off, and then there is no ca")),
        };
        Ok(Self {
            origin: format!("{scheme}://{host}:{port}"),
            name: name.to_owned(),
            prefix,
            authorities: authorities.map(PathBuf::from),
            secret: secret.map(PathBuf::from),
        })
    }

    /// The secret, which nobody else may be able to read.
    pub(super) fn secret(&self, environment: &Environment) -> Result<String> {
        let denied = |cause: String| Error::new(ErrorKind::Denied).because(cause);
        let Some(file) = &self.secret else {
            let secret = environment.store_secret.clone();
            let hint = "name the file with the store's secret (secret=FILE), or set \
                        STRONGROOM_STORE_SECRET";
            return secret.ok_or_else(|| denied(hint.to_owned()));
        };
        let read = || -> io::Result<(u32, String)> {
            let mode = fs::metadata(file)?.permissions().mode();
            Ok((mode, fs::read_to_string(file)?))
        };
        let shown = file.display();
        let (mode, text) =
            read().map_err(|error| denied(format!("cannot read {shown}: {error}")))?;
        if mode & 0o077 != 0 {
            let cause = format!("others than its owner can read {shown}; say chmod 600 {shown}");
            return Err(denied(cause));
        }
        let secret = text.trim();
        let visible = !secret.is_empty() && secret.bytes().all(|byte| byte.is_ascii_graphic());
        if !visible {
            return Err(denied(format!("{shown} holds no secret of a store")));
        }
        Ok(secret.to_owned())
    }

    pub(super) fn describe(&self) -> String {
        let Self {
            origin,
            name,
            prefix,
            ..
        } = self;
        let place = format!("{name}/{prefix}");
        format!(
            "store {} of the Strongroom at {origin}",
            place.trim_end_matches('/')
        )
    }
}

pub(super) fn refused(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::new(ErrorKind::Unsupported).because(cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Result<(String, String, String)> {
        Address::parse(url).map(|found| (found.origin, found.name, found.prefix))
    }

    #[test]
    fn an_address_is_a_host_a_port_a_store_and_files() {
        let found = read("strongroom://far.example:7710/mine/a/b?secret=/s&ca=/c").unwrap();
        let expected = ("https://far.example:7710", "mine", "a/b/");
        assert_eq!((&*found.0, &*found.1, &*found.2), expected);
        let found = read("strongroom://[::1]:1/mine?tls=off").unwrap();
        assert_eq!((&*found.0, &*found.2), ("http://[::1]:1", ""));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for bad in [
            "strongroom://far/mine",
            "strongroom://far:1",
            "strongroom://far:1/",
            "strongroom://far:1/Mine",
            "strongroom://far:1/mine/..",
            "strongroom://far:1/mine/A",
            "strongroom://user:pass@far:1/mine",
            "strongroom://far:1/mine?secret=",
            "strongroom://far:1/mine?secret=a&secret=b",
            "strongroom://far:1/mine?password=x",
            "strongroom://far:1/mine?tls=on",
            "strongroom://far:1/mine?tls=off&ca=/c",
            "strongroom://far:1/mine#x",
        ] {
            // The URL itself folds a prefix with dots away; it must not reach another store.
            let found = read(bad);
            let kind = found.map_err(|error| error.kind).err();
            assert_eq!(kind, Some(ErrorKind::Unsupported), "{bad}");
        }
    }

    #[test]
    fn a_secret_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        fs::write(&file, "hidden\n").unwrap();
        let url = format!("strongroom://far:1/mine?secret={}", file.display());
        let address = Address::parse(&url).unwrap();
        let allow = |mode| fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        allow(0o640);
        let refused = address.secret(&Environment::default()).unwrap_err();
        assert_eq!(refused.kind, ErrorKind::Denied);
        allow(0o600);
        assert_eq!(address.secret(&Environment::default()).unwrap(), "hidden");
        fs::write(&file, "\n").unwrap();
        assert!(address.secret(&Environment::default()).is_err());
        fs::remove_file(&file).unwrap();
        assert!(address.secret(&Environment::default()).is_err());
    }
}
