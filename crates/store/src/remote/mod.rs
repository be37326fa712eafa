//! Keeps objects in a store of another Strongroom, which `strongroom serve --host-stores` offers.
//!
//! The other side is trusted with keeping and with nothing else: what lies there is sealed under
//! keys that it never sees. What answers but is no such store is an error and never an empty
//! store.
//!
//! Invariant: one call makes one attempt; the retrying decorator repeats it.

mod address;
pub mod protocol;

use std::{
    collections::HashMap,
    error::Error as StdError,
    fs,
    ops::Range,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use reqwest::{
    Certificate, Client, Method, RequestBuilder, Response,
    header::{CONTENT_LENGTH, RANGE},
};
use strongroom_model::Timestamp;
use tokio::runtime::Runtime;

use self::{
    address::{Address, refused},
    protocol::{END, KIND, LENGTH, MARK, MORE, RETAINS, UNTIL, VERSION},
};
use crate::{
    config::Environment,
    error::{Error, ErrorKind, Result},
    key::Key,
    retry::{RetryPolicy, Sleep, retrying},
    runtime::runtime,
    store::{Backend, Listing, Store, Visit},
};

/// Opens such a store with another patience than the usual one.
pub fn open_patient(url: &str, policy: RetryPolicy) -> Result<Store> {
    let store = Store::new(Remote::new(url, &Environment::of_process())?);
    Ok(retrying(&store, policy, Arc::new(Sleep)))
}

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest silence of the server.
const SILENCE_MAX: Duration = Duration::from_secs(90);
/// Longest time for one request.
const REQUEST_TIMEOUT: Duration = Duration::from_mins(10);
/// How much of a failure's text is shown.
const TEXT_MAX: usize = 400;

/// A prefix in a store of another Strongroom.
pub(crate) struct Remote {
    client: Client,
    address: Address,
    secret: String,
    runtime: &'static Runtime,
}

impl Remote {
    /// The store that `url` names; makes no request.
    pub(crate) fn new(url: &str, environment: &Environment) -> Result<Self> {
        let address = Address::parse(url)?;
        Ok(Self {
            client: client(address.authorities.as_deref())?,
            secret: address.secret(environment)?,
            address,
            runtime: runtime()?,
        })
    }

    fn request(&self, method: Method, rest: &str) -> RequestBuilder {
        let Address { origin, name, .. } = &self.address;
        let url = format!("{origin}/v1/stores/{name}{rest}");
        self.client.request(method, url).bearer_auth(&self.secret)
    }

    /// A request about an object; keys need no escaping in a URL.
    fn about(&self, method: Method, kind: &str, key: &Key, query: &str) -> RequestBuilder {
        let prefix = &self.address.prefix;
        self.request(method, &format!("/{kind}/{prefix}{key}{query}"))
    }

    /// The answer, which is a success.
    fn send(&self, request: RequestBuilder) -> Result<Response> {
        self.runtime.block_on(async {
            let response = request.send().await.map_err(unreachable)?;
            let status = response.status().as_u16();
            let ours = text_of(&response, MARK) == Some(VERSION);
            if ours && response.status().is_success() {
                return Ok(response);
            }
            let kind = match (ours, status) {
                (true, _) => {
                    text_of(&response, KIND).map_or(ErrorKind::Other, protocol::understood)
                }
                // Something in front of the server, which may be back soon.
                (false, 502..=504) => ErrorKind::Unavailable,
                (false, 429) => ErrorKind::Throttled,
                (false, _) => ErrorKind::Unsupported,
            };
            let text = response.text().await.unwrap_or_default();
            let text: String = text.chars().take(TEXT_MAX).collect();
            let cause = if ours {
                format!("the other Strongroom answers {status}: {text}")
            } else {
                format!("what answers with {status} keeps no store of ours; check host and port")
            };
            Err(Error::new(kind).because(cause))
        })
    }

    fn body(&self, request: RequestBuilder) -> Result<Bytes> {
        let response = self.send(request)?;
        self.runtime.block_on(response.bytes()).map_err(unreachable)
    }

    fn put(&self, key: &Key, how: &str, bytes: &[u8]) -> Result<()> {
        let request = self
            .about(Method::PUT, "objects", key, how)
            .header(CONTENT_LENGTH, bytes.len())
            .body(Bytes::copy_from_slice(bytes));
        match self.send(request) {
            Ok(_) => Ok(()),
            // A write cannot fail for want of the object: then it is the store that is missing.
            Err(mut error) if error.kind == ErrorKind::NotFound => {
                error.kind = ErrorKind::Other;
                Err(error.at(key))
            }
            Err(error) => Err(error.at(key)),
        }
    }

    /// Visits a page of keys; says whether there are more behind it.
    fn visit_page(
        &self,
        text: &str,
        last: &mut Option<Key>,
        visit: &mut Visit<'_>,
    ) -> Result<bool> {
        let broken = |cause: String| Error::new(ErrorKind::Unavailable).because(cause);
        let mut ending = None;
        for line in text.lines() {
            if ending.is_some() {
                return Err(broken("a page of keys goes on behind its end".to_owned()));
            }
            if line == MORE || line == END {
                ending = Some(line == MORE);
                continue;
            }
            let read = line.split_once(' ').and_then(|(key, size)| {
                let key = key.strip_prefix(&self.address.prefix)?;
                Some((Key::new(key).ok()?, size.parse::<u64>().ok()?))
            });
            let (key, size) = read.ok_or_else(|| broken(format!("{line:?} lists no object")))?;
            if last.as_ref().is_some_and(|last| *last >= key) {
                let cause = "the server lists objects out of order, or twice";
                return Err(Error::new(ErrorKind::Unsupported).at(&key).because(cause));
            }
            *last = Some(key.clone());
            visit(key, size)?;
        }
        ending.ok_or_else(|| broken("a page of keys was cut short".to_owned()))
    }
}

impl Backend for Remote {
    fn create_new(&self, key: &Key, bytes: &[u8]) -> Result<()> {
        self.put(key, "?put=create", bytes)
    }

    fn put_idempotent(&self, key: &Key, bytes: &[u8]) -> Result<()> {
        self.put(key, "?put=content", bytes)
    }

    fn get(&self, key: &Key) -> Result<Bytes> {
        let request = self.about(Method::GET, "objects", key, "");
        self.body(request).map_err(|error| error.at(key))
    }

    fn get_range(&self, key: &Key, range: Range<u64>) -> Result<Bytes> {
        let bytes = format!("bytes={}-{}", range.start, range.end - 1);
        let request = self.about(Method::GET, "objects", key, "");
        self.body(request.header(RANGE, bytes))
            .map_err(|error| error.at(key))
    }

    fn size(&self, key: &Key) -> Result<u64> {
        let response = self
            .send(self.about(Method::HEAD, "objects", key, ""))
            .map_err(|error| error.at(key))?;
        let length = text_of(&response, LENGTH).and_then(|text| text.parse().ok());
        length.ok_or_else(|| {
            let cause = "the answer does not tell the object's length";
            Error::new(ErrorKind::Unavailable).at(key).because(cause)
        })
    }

    fn list(&self, listing: Listing<'_>, visit: &mut Visit<'_>) -> Result<()> {
        let (base, prefix) = (&self.address.prefix, listing.prefix);
        let mut last = listing.after.cloned();
        loop {
            let mut query = format!("/objects?prefix={base}{prefix}");
            if let Some(last) = &last {
                query = format!("{query}&after={base}{last}");
            }
            if !listing.settled {
                query.push_str("&unsettled=yes");
            }
            let page = self.body(self.request(Method::GET, &query))?;
            let text = std::str::from_utf8(&page).map_err(unreadable)?;
            if !self.visit_page(text, &mut last, visit)? {
                return Ok(());
            }
        }
    }

    fn delete(&self, key: &Key) -> Result<()> {
        let request = self.about(Method::DELETE, "objects", key, "");
        let done = self.send(request).map_err(|error| error.at(key));
        done.map(drop)
    }

    fn retains(&self) -> Result<bool> {
        let response = self.send(self.request(Method::GET, ""))?;
        Ok(text_of(&response, RETAINS) == Some("yes"))
    }

    fn retain(&self, key: &Key, until: Timestamp) -> Result<()> {
        let query = format!("?until={}", until.as_seconds());
        let request = self.about(Method::PUT, "retention", key, &query);
        let done = self.send(request).map_err(|error| error.at(key));
        done.map(drop)
    }

    fn retained_until(&self, key: &Key) -> Result<Option<Timestamp>> {
        let request = self.about(Method::GET, "retention", key, "");
        let response = self.send(request).map_err(|error| error.at(key))?;
        let until = text_of(&response, UNTIL).map(str::parse::<i64>);
        let until = until.transpose().map_err(unreadable)?;
        Ok(until.map(|until| Timestamp::from_micros(until.saturating_mul(1_000_000))))
    }

    fn describe(&self) -> String {
        self.address.describe()
    }
}

fn text_of<'a>(response: &'a Response, header: &str) -> Option<&'a str> {
    response.headers().get(header)?.to_str().ok()
}

fn unreadable(cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Error {
    Error::new(ErrorKind::Unavailable).because(cause)
}

/// The library's own sentence names the URL, which its causes do not need.
fn unreachable(error: reqwest::Error) -> Error {
    Error::new(ErrorKind::Unavailable).because(error.without_url())
}

/// The client for those authorities; one for all stores that share them, so that connections are
/// used again.
fn client(authorities: Option<&Path>) -> Result<Client> {
    static CLIENTS: Mutex<Option<HashMap<Option<PathBuf>, Client>>> = Mutex::new(None);
    let mut clients = CLIENTS.lock().unwrap_or_else(PoisonError::into_inner);
    let clients = clients.get_or_insert_default();
    let named = authorities.map(Path::to_owned);
    if let Some(known) = clients.get(&named) {
        return Ok(known.clone());
    }
    let mut builder = Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(SILENCE_MAX)
        .timeout(REQUEST_TIMEOUT);
    if let Some(file) = authorities {
        // These and no others: who names an authority does not mean the whole world's.
        builder = builder.tls_certs_only(read_authorities(file)?);
    }
    let made = builder.build().map_err(refused)?;
    clients.insert(named, made.clone());
    Ok(made)
}

fn read_authorities(file: &Path) -> Result<Vec<Certificate>> {
    let broken = |why: &str| refused(format!("{} {why}", file.display()));
    let text = fs::read(file).map_err(|error| broken(&format!("cannot be read: {error}")))?;
    let found = Certificate::from_pem_bundle(&text).unwrap_or_default();
    if found.is_empty() {
        return Err(broken("holds no certificates in PEM form"));
    }
    Ok(found)
}
