//! The handle on a store, and the contract all backends keep.
//!
//! Callers see one concrete type; backends and decorators hide behind a private trait, so that
//! retrying, recording and fault injection have one place each and nobody is generic over them.
//!
//! Invariants, proved for every backend by the conformance suite:
//! - an object is there whole or not at all, whatever fails in the middle;
//! - when a write returns `Ok`, or says that the object exists already, the object survives a power
//!   cut; any other error leaves open whether it exists;
//! - an object never changes; of several concurrent creators of a key exactly one succeeds.

use std::{fmt, ops::Range, sync::Arc};

use bytes::Bytes;
use strongroom_model::Timestamp;

use crate::{
    config::Environment,
    error::{Error, ErrorKind, Result},
    key::{Key, Prefix},
    registry,
};

/// What a listing calls for each object: its key and its size in bytes.
pub type Visit<'a> = dyn FnMut(Key, u64) -> Result<()> + 'a;

/// A handle on an object store; cheap to clone and shared by threads.
#[derive(Clone)]
pub struct Store(Arc<dyn Backend>);

impl Store {
    /// Opens the store that `url` names, without touching it: a store comes into being with its
    /// first object. A store reached over a network retries on its own. See [`registry::SCHEMES`]
    /// for the forms of `url`.
    pub fn open(url: &str) -> Result<Self> {
        Self::open_with(url, &Environment::of_process())
    }

    /// Like [`open`](Self::open), with the process's environment handed in.
    pub fn open_with(url: &str, environment: &Environment) -> Result<Self> {
        registry::open(url, environment)
    }

    /// Stores `bytes` under a key that must be free, else kind `AlreadyExists`.
    ///
    /// This is how things are committed. Who uses it to win a race must write bytes that no
    /// competitor writes: after a lost reply, an object that holds exactly `bytes` counts as ours.
    pub fn create_new(&self, key: &Key, bytes: &[u8]) -> Result<()> {
        self.0.create_new(key, bytes)
    }

    /// Stores `bytes` under a key made from their content: an object of the same length that is
    /// there already is success, one of another length is kind `Corrupt` and stays as it is.
    pub fn put_idempotent(&self, key: &Key, bytes: &[u8]) -> Result<()> {
        self.0.put_idempotent(key, bytes)
    }

    /// The whole object.
    pub fn get(&self, key: &Key) -> Result<Bytes> {
        self.0.get(key)
    }

    /// The bytes of `range`; kind `Corrupt` if the object ends before the range does.
    pub fn get_range(&self, key: &Key, range: Range<u64>) -> Result<Bytes> {
        let Some(length) = self.check_range(key, &range)? else {
            return Ok(Bytes::new());
        };
        let bytes = self.0.get_range(key, range.clone())?;
        if bytes.len() == length {
            Ok(bytes)
        } else {
            Err(short(key, &range))
        }
    }

    /// Appends the bytes of `range` to `out`, which saves a copy on local stores; `out` is as
    /// before on failure.
    pub fn get_into(&self, key: &Key, range: Range<u64>, out: &mut Vec<u8>) -> Result<()> {
        let Some(length) = self.check_range(key, &range)? else {
            return Ok(());
        };
        let before = out.len();
        let done = self.0.get_into(key, range.clone(), out).and_then(|()| {
            if out.len() - before == length {
                Ok(())
            } else {
                Err(short(key, &range))
            }
        });
        if done.is_err() {
            out.truncate(before);
        }
        done
    }

    /// The object's length in bytes.
    pub fn size(&self, key: &Key) -> Result<u64> {
        self.0.size(key)
    }

    /// Visits every object whose key begins with `prefix`, in ascending order of keys.
    ///
    /// What was written before the call is visited; what is written or deleted during the call may
    /// or may not be. An error of `visit` ends the listing and is handed back. The visitor may use
    /// the store.
    pub fn list(&self, prefix: &str, visit: &mut Visit<'_>) -> Result<()> {
        self.visit(prefix, None, true, visit)
    }

    /// Like [`list`](Self::list), leaving out every key up to and including `after`.
    pub fn list_after(
        &self,
        prefix: &str,
        after: Option<&Key>,
        visit: &mut Visit<'_>,
    ) -> Result<()> {
        self.visit(prefix, after, true, visit)
    }

    /// Like [`list`](Self::list), for callers that build nothing on what is shown.
    ///
    /// After a power cut an object that only this showed may be gone. In exchange a local
    /// directory need not sync one directory after another, each of which costs about a
    /// millisecond.
    pub fn list_unsettled(&self, prefix: &str, visit: &mut Visit<'_>) -> Result<()> {
        self.visit(prefix, None, false, visit)
    }

    /// Like [`list_unsettled`](Self::list_unsettled), leaving out every key up to and including
    /// `after`.
    pub fn list_unsettled_after(
        &self,
        prefix: &str,
        after: Option<&Key>,
        visit: &mut Visit<'_>,
    ) -> Result<()> {
        self.visit(prefix, after, false, visit)
    }

    fn visit(
        &self,
        prefix: &str,
        after: Option<&Key>,
        settled: bool,
        visit: &mut Visit<'_>,
    ) -> Result<()> {
        Prefix::new(prefix)?;
        let listing = Listing {
            prefix,
            after,
            settled,
        };
        self.0.list(listing, visit)
    }

    /// Removes the object, durably; that it does not exist is success. One that is retained is
    /// kind `Retained` and stays, or is hidden by stores that keep versions.
    pub fn delete(&self, key: &Key) -> Result<()> {
        self.0.delete(key)
    }

    /// Whether [`retain`](Self::retain) holds here. Asks the store, which may take a request.
    pub fn retains(&self) -> Result<bool> {
        self.0.retains()
    }

    /// Keeps the object from deletion until then, whoever asks and with whatever credentials of
    /// ours. Extends and never shortens; a time that is over is no error. Kind `Unsupported` where
    /// the store has no such thing.
    pub fn retain(&self, key: &Key, until: Timestamp) -> Result<()> {
        self.0.retain(key, until)
    }

    /// Until when the object is retained; `None` if it is not.
    pub fn retained_until(&self, key: &Key) -> Result<Option<Timestamp>> {
        self.0.retained_until(key)
    }

    /// Where the store is, in words for messages; holds no secrets.
    pub fn describe(&self) -> String {
        self.0.describe()
    }

    pub(crate) fn new(backend: impl Backend + 'static) -> Self {
        Self(Arc::new(backend))
    }

    /// What decorators call: past the handle's checks, which were made already.
    pub(crate) fn backend(&self) -> &dyn Backend {
        &*self.0
    }

    /// The range's length; `None` for an empty range, which no protocol can ask for and which is
    /// answered from the object's size.
    fn check_range(&self, key: &Key, range: &Range<u64>) -> Result<Option<usize>> {
        if range.start > range.end {
            let cause = format!("the range {range:?} runs backwards");
            return Err(Error::new(ErrorKind::Unsupported).at(key).because(cause));
        }
        if range.is_empty() {
            let size = self.0.size(key)?;
            return if size < range.end {
                Err(short(key, range))
            } else {
                Ok(None)
            };
        }
        usize::try_from(range.end - range.start)
            .map(Some)
            .map_err(|error| Error::new(ErrorKind::Unsupported).at(key).because(error))
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Store({})", self.describe())
    }
}

/// What a listing is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Listing<'a> {
    /// How keys begin.
    pub(crate) prefix: &'a str,
    /// Every key up to and including this one is left out.
    pub(crate) after: Option<&'a Key>,
    /// Whether what is shown is durable, so that the caller may build on it.
    pub(crate) settled: bool,
}

/// What a backend or decorator does; the words of [`Store`] are its contract.
///
/// Ranges arrive not empty, prefixes valid.
pub(crate) trait Backend: Send + Sync {
    fn create_new(&self, key: &Key, bytes: &[u8]) -> Result<()>;
    fn put_idempotent(&self, key: &Key, bytes: &[u8]) -> Result<()>;
    fn get(&self, key: &Key) -> Result<Bytes>;
    fn get_range(&self, key: &Key, range: Range<u64>) -> Result<Bytes>;
    fn get_into(&self, key: &Key, range: Range<u64>, out: &mut Vec<u8>) -> Result<()> {
        out.extend_from_slice(&self.get_range(key, range)?);
        Ok(())
    }
    fn size(&self, key: &Key) -> Result<u64>;
    fn list(&self, listing: Listing<'_>, visit: &mut Visit<'_>) -> Result<()>;
    fn delete(&self, key: &Key) -> Result<()>;
    fn retains(&self) -> Result<bool> {
        Ok(false)
    }
    fn retain(&self, key: &Key, _until: Timestamp) -> Result<()> {
        let cause = "this kind of store keeps no object from deletion";
        Err(Error::new(ErrorKind::Unsupported).at(key).because(cause))
    }
    fn retained_until(&self, _key: &Key) -> Result<Option<Timestamp>> {
        Ok(None)
    }
    fn describe(&self) -> String;
}

/// The error of an object that ends before `range` does.
pub(crate) fn short(key: &Key, range: &Range<u64>) -> Error {
    let cause = format!("the object ends before byte {}", range.end);
    Error::new(ErrorKind::Corrupt).at(key).because(cause)
}

/// Judges what stands under a content name already: the same length is the same content.
pub(crate) fn same_length(key: &Key, found: u64, bytes: &[u8]) -> Result<()> {
    if found == bytes.len() as u64 {
        return Ok(());
    }
    let cause = format!("it has {found} bytes where {} belong", bytes.len());
    Err(Error::new(ErrorKind::Corrupt).at(key).because(cause))
}
