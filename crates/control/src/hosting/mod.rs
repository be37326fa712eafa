//! Stores that this service keeps for others: for another Strongroom whose region it is.
//!
//! A store is a definition in a file of its own, `NAME.json`, and the objects in the folder `NAME`
//! beside it (or elsewhere, if the definition says so). Nothing of it is in the catalog: who loses
//! that loses nothing that was kept for others. The file is read at every request, so that a new
//! secret counts at once; the other terms count from the next start on.
//!
//! Invariants: a secret is kept as its digest only; a store is reached by its own secret and by no
//! other; whether a name or its secret was wrong is not told.

use std::{
    collections::BTreeMap,
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use strongroom_model::{Clock, Entropy, entropy::random};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

pub use strongroom_store::{
    Error, ErrorKind, Key, Store,
    kept::{Deleted, Kept, Terms},
    remote::protocol,
};

const VERSION: u32 = 1;
const SECRET_PREFIX: &str = "srs1_";
const DAY: i64 = 86_400;

/// What is said of a store: the content of its file.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    version: u32,
    /// Where its objects are, if not in the folder beside the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The most bytes in it, what was deleted and is still there included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota_bytes: Option<u64>,
    /// For how many days what its user deletes stays.
    pub keep_deleted_days: u32,
    secret_digest: String,
}

impl Definition {
    /// A new store, and the secret that opens it, which is kept nowhere.
    pub fn new(keep_deleted_days: u32, entropy: &dyn Entropy) -> (Self, Zeroizing<String>) {
        let mut made = Self {
            version: VERSION,
            url: None,
            quota_bytes: None,
            keep_deleted_days,
            secret_digest: String::new(),
        };
        let secret = made.renew_secret(entropy);
        (made, secret)
    }

    /// Gives it another secret; the one before opens nothing any more.
    pub fn renew_secret(&mut self, entropy: &dyn Entropy) -> Zeroizing<String> {
        let text = URL_SAFE_NO_PAD.encode(random::<32>(entropy));
        let secret = Zeroizing::new(format!("{SECRET_PREFIX}{text}"));
        self.secret_digest = digest_of(&secret);
        secret
    }

    /// What its user may do.
    pub fn terms(&self) -> Terms {
        Terms {
            quota: self.quota_bytes,
            keep_deleted_seconds: i64::from(self.keep_deleted_days) * DAY,
        }
    }

    fn is_opened_by(&self, secret: &str) -> bool {
        let given = digest_of(secret);
        given.as_bytes().ct_eq(self.secret_digest.as_bytes()).into()
    }
}

impl fmt::Debug for Definition {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Definition")
            .field("url", &self.url)
            .field("quota_bytes", &self.quota_bytes)
            .field("keep_deleted_days", &self.keep_deleted_days)
            .finish_non_exhaustive()
    }
}

fn digest_of(secret: &str) -> String {
    blake3::hash(secret.as_bytes()).to_hex().to_string()
}

/// The stores that are kept for others.
pub struct Hosting {
    folder: PathBuf,
    clock: Arc<dyn Clock>,
    opened: Mutex<BTreeMap<String, Arc<Kept>>>,
}

impl Hosting {
    /// Those that are defined in `folder`, which need not be there yet.
    pub fn new(folder: &Path, clock: Arc<dyn Clock>) -> Self {
        Self {
            folder: folder.to_owned(),
            clock,
            opened: Mutex::default(),
        }
    }

    /// The names of all stores.
    pub fn names(&self) -> io::Result<Vec<String>> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut names = Vec::new();
        for entry in entries {
            let name = entry?.file_name();
            let name = name.to_str().and_then(|name| name.strip_suffix(".json"));
            names.extend(
                name.filter(|name| protocol::is_name(name))
                    .map(str::to_owned),
            );
        }
        names.sort();
        Ok(names)
    }

    /// The file that defines a store.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.json"))
    }

    /// What is said of a store; `None` if there is none of that name.
    pub fn definition(&self, name: &str) -> io::Result<Option<Definition>> {
        if !protocol::is_name(name) {
            return Ok(None);
        }
        let text = match fs::read(self.file(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            text => text?,
        };
        let definition: Definition = serde_json::from_slice(&text)?;
        if definition.version != VERSION {
            let why = format!(
                "{} was written by a later release",
                self.file(name).display()
            );
            return Err(io::Error::other(why));
        }
        Ok(Some(definition))
    }

    /// The address of a store's objects and of what belongs to them.
    pub fn url(&self, name: &str, definition: &Definition) -> io::Result<String> {
        if let Some(url) = &definition.url {
            return Ok(url.clone());
        }
        let folder = self.folder.join(name);
        let text = folder.to_str().map(str::to_owned);
        text.ok_or_else(|| io::Error::other("the data directory's name is not UTF-8"))
    }

    /// The store, for whoever keeps it.
    pub fn open(&self, name: &str) -> Result<Option<Arc<Kept>>, Error> {
        let defined = self.definition(name).map_err(unreadable)?;
        defined
            .map(|definition| self.kept(name, &definition))
            .transpose()
    }

    /// The store, for whoever has its secret.
    pub fn enter(&self, name: &str, secret: &str) -> Result<Arc<Kept>, Error> {
        let defined = self.definition(name).map_err(unreadable)?;
        match defined {
            Some(definition) if definition.is_opened_by(secret) => self.kept(name, &definition),
            _ => Err(Error::new(ErrorKind::Denied).because("this secret opens no such store")),
        }
    }

    fn kept(&self, name: &str, definition: &Definition) -> Result<Arc<Kept>, Error> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = opened.get(name) {
            return Ok(Arc::clone(kept));
        }
        let url = self.url(name, definition).map_err(unreadable)?;
        let kept = Kept::open(&url, definition.terms(), Arc::clone(&self.clock))?;
        opened.insert(name.to_owned(), Arc::clone(&kept));
        Ok(kept)
    }

    /// Removes for good what was deleted long enough ago, in every store; how many objects. One
    /// store's failure is logged and is no other's.
    pub fn purge(&self) -> io::Result<u64> {
        let mut purged = 0;
        for name in self.names()? {
            let done = self.open(&name).and_then(|kept| match kept {
                Some(kept) => kept.purge(),
                None => Ok(0),
            });
            match done {
                Ok(count) => purged += count,
                Err(error) => tracing::warn!(name, %error, "cannot purge a store that is kept"),
            }
        }
        Ok(purged)
    }
}

impl fmt::Debug for Hosting {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Hosting({})", self.folder.display())
    }
}

fn unreadable(error: io::Error) -> Error {
    Error::new(ErrorKind::Unavailable).because(error)
}

#[cfg(test)]
mod tests;
