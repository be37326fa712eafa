//! The objects of one repository: the store, the keys and what every part of the engine does with
//! both.
//!
//! Invariant: a missing or short object is damage of that object, never a store error; every other
//! failure of the store is passed on as it is, so that a network fault is never taken for damage.

use std::ops::Range;

use strongroom_model::Entropy;
use strongroom_store::{Bytes, ErrorKind, Key, Store};

use crate::{
    error::{Damage, Error, Result},
    index::{Packs, Pages},
    keys::KeyTree,
    layout::Object,
    record,
    seal::Kind,
};

/// Bytes of opened index pages that are kept.
const PAGES_CAPACITY: usize = 24 << 20;

/// A store seen as a repository.
pub(crate) struct Objects {
    store: Store,
    keys: KeyTree,
    pages: Pages,
    packs: Packs,
}

impl Objects {
    pub(crate) fn new(store: Store, keys: KeyTree) -> Self {
        Self {
            store,
            keys,
            pages: Pages::new(PAGES_CAPACITY),
            packs: Packs::default(),
        }
    }

    pub(crate) const fn store(&self) -> &Store {
        &self.store
    }

    pub(crate) const fn keys(&self) -> &KeyTree {
        &self.keys
    }

    pub(crate) const fn pages(&self) -> &Pages {
        &self.pages
    }

    pub(crate) const fn packs(&self) -> &Packs {
        &self.packs
    }

    /// The whole object.
    pub(crate) fn get(&self, object: Object) -> Result<Bytes> {
        self.store
            .get(&object.key())
            .map_err(|source| match source.kind {
                ErrorKind::NotFound => Error::Damaged {
                    object,
                    damage: Damage::Missing,
                },
                ErrorKind::Corrupt => Error::Damaged {
                    object,
                    damage: Damage::Unreadable,
                },
                _ => Error::store("read an object")(source),
            })
    }

    /// Some bytes of the object.
    pub(crate) fn get_range(&self, object: Object, range: Range<u64>) -> Result<Bytes> {
        let expected = range.end;
        self.store
            .get_range(&object.key(), range)
            .map_err(|source| self.explain(object, expected, source))
    }

    /// Appends some bytes of the object to `out`.
    pub(crate) fn get_into(
        &self,
        object: Object,
        range: Range<u64>,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        let expected = range.end;
        self.store
            .get_into(&object.key(), range, out)
            .map_err(|source| self.explain(object, expected, source))
    }

    /// Tells a missing or short object from a failure of the store.
    fn explain(&self, object: Object, expected: u64, source: strongroom_store::Error) -> Error {
        let damage = match source.kind {
            ErrorKind::NotFound => Some(Damage::Missing),
            ErrorKind::Corrupt => match self.store.size(&object.key()) {
                Ok(found) if found < expected => Some(Damage::Truncated { expected, found }),
                Ok(_) => Some(Damage::Unreadable),
                Err(_) => None,
            },
            _ => None,
        };
        match damage {
            Some(damage) => Error::Damaged { object, damage },
            None => Error::store("read a part of an object")(source),
        }
    }

    /// Visits the objects under `prefix` with their sizes; keys that no object has are passed by.
    pub(crate) fn list(&self, prefix: &str, visit: &mut dyn FnMut(Object, u64)) -> Result<()> {
        self.store
            .list(prefix, &mut of_objects(visit))
            .map_err(Error::store("list objects"))
    }

    /// The same without waiting for the disk: what only this shows may be gone after a power cut.
    ///
    /// That is enough for packs wherever an index run names them, since a run is written when its
    /// packs are durable, and is listed only when it is durable itself.
    pub(crate) fn list_unsettled(
        &self,
        prefix: &str,
        visit: &mut dyn FnMut(Object, u64),
    ) -> Result<()> {
        self.store
            .list_unsettled(prefix, &mut of_objects(visit))
            .map_err(Error::store("list objects"))
    }

    /// Stores an object under the hash of its bytes.
    pub(crate) fn put_named(&self, object: Object, bytes: &[u8]) -> Result<()> {
        let done = self.store.put_idempotent(&object.key(), bytes);
        done.map_err(Error::store("write a pack or index run"))
    }

    /// Creates a record; `false` if its name is taken.
    pub(crate) fn create(
        &self,
        object: Object,
        kind: Kind,
        name: &[u8; 16],
        body: &[u8],
        entropy: &dyn Entropy,
    ) -> Result<bool> {
        let record = record::seal(&self.keys, kind, name, body, entropy);
        match self.store.create_new(&object.key(), &record) {
            Ok(()) => Ok(true),
            Err(error) if error.kind == ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(Error::store("write a record")(error)),
        }
    }

    /// The body of a record.
    pub(crate) fn open(&self, object: Object, kind: Kind, name: &[u8; 16]) -> Result<Vec<u8>> {
        let record = self.get(object)?;
        record::open(&self.keys, kind, name, &record).map_err(Error::damaged(object))
    }

    /// Removes an object; that it is not there is success.
    pub(crate) fn delete(&self, object: Object) -> Result<()> {
        self.store
            .delete(&object.key())
            .map_err(Error::store("remove an object"))
    }
}

/// Hands on what is an object of ours.
fn of_objects(
    visit: &mut dyn FnMut(Object, u64),
) -> impl FnMut(Key, u64) -> strongroom_store::Result<()> {
    move |key, size| {
        if let Some(object) = Object::parse(key.as_str()) {
            visit(object, size);
        }
        Ok(())
    }
}
