//! Opens and creates repositories, and hands out their readers, writers and manifests.
//!
//! Opening reads the header and the key slots and nothing else: the index is loaded when the first
//! chunk is asked for, so listing manifests costs two listings.
//!
//! Invariant: a repository exists from the moment its header does, and the header is created
//! after the key slot that opens it; of two creators at once one succeeds and the other learns so.
//!
//! Format: docs/format.md, "Creating and opening".

use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use strongroom_model::{Entropy, entropy::random};
use strongroom_store::{ErrorKind, Store};
use zeroize::Zeroizing;

use crate::{
    chunk::Cutter,
    error::{Damage, Error, Result},
    header::{Header, Sizes},
    id::{ManifestId, RepositoryId},
    index::Index,
    keys::{KEY_LEN, KeyTree},
    layout::{Object, prefix},
    manifest::{FENCE_LEN, Manifest},
    objects::Objects,
    parity::PERCENT_MAX,
    reader::Reader,
    seal::Kind,
    slot::{self, PassphraseCost, Slot, Unlock},
    slots::SlotName,
    writer::{Writer, WriterOptions},
};

/// How a repository is created.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CreateOptions {
    /// Sizes of chunks, segments and packs.
    pub sizes: Sizes,
    /// What a guess at the passphrase costs, if it is opened by one.
    pub passphrase_cost: PassphraseCost,
    /// Hundredths of each pack that are stored again as parity, 0 to 100; 0 is none.
    pub parity_percent: u8,
}

/// An open repository; cheap to clone and shared by threads.
#[derive(Clone)]
pub struct Repository(Arc<Inner>);

struct Inner {
    header: Header,
    opened_by: SlotName,
    objects: Objects,
    index: Mutex<Option<Arc<Index>>>,
}

impl Repository {
    /// Creates a repository in a store that has none.
    pub fn create(
        store: Store,
        unlock: &Unlock,
        options: CreateOptions,
        entropy: &dyn Entropy,
    ) -> Result<Self> {
        if !options.sizes.are_sane() {
            return Err(Error::BadOption {
                what: "the sizes of a repository",
                rule: "64 B ≤ chunk_min ≤ chunk_target ≤ chunk_max ≤ 1 MiB, block a power of two \
                       up to 1 MiB, 4 KiB ≤ segment ≤ 1 MiB and segment ≤ pack ≤ 64 MiB",
            });
        }
        if options.parity_percent > PERCENT_MAX {
            return Err(Error::BadOption {
                what: "the parity of a repository",
                rule: "0 to 100 percent of its packs",
            });
        }
        let exists = || Error::RepositoryExists {
            place: store.describe(),
        };
        match store.size(&Object::Format.key()) {
            Ok(_) => return Err(exists()),
            Err(error) if error.kind == ErrorKind::NotFound => {}
            Err(error) => return Err(Error::store("look for a repository")(error)),
        }
        let repository = RepositoryId::random(entropy);
        let root = Zeroizing::new(random::<KEY_LEN>(entropy));
        let slot = Slot::wrap(&root, repository, unlock, options.passphrase_cost, entropy)?;
        let slot_name = random(entropy);
        let slot_key = Object::Slot(slot_name).key();
        store
            .create_new(&slot_key, &slot)
            .map_err(Error::store("write a key slot"))?;
        let keys = KeyTree::new(&root, repository);
        let header = Header {
            repository,
            sizes: options.sizes,
            parity_percent: options.parity_percent,
        };
        match store.create_new(&Object::Format.key(), &header.encode(&keys)) {
            Ok(()) => Ok(Self::new(header, slot_name, store, keys)),
            Err(error) if error.kind == ErrorKind::AlreadyExists => {
                // Another creator won. A slot left behind is harmless: it names a repository that
                // does not exist.
                if let Err(error) = store.delete(&slot_key) {
                    tracing::warn!(%error, key = %slot_key, "an unused key slot is left behind");
                }
                Err(exists())
            }
            Err(error) => Err(Error::store("write the repository's header")(error)),
        }
    }

    /// Opens the repository in a store.
    pub fn open(store: Store, unlock: &Unlock) -> Result<Self> {
        let object = store
            .get(&Object::Format.key())
            .map_err(|error| match error.kind {
                ErrorKind::NotFound => Error::NotARepository {
                    place: store.describe(),
                },
                _ => Error::store("read the repository's header")(error),
            })?;
        let damaged = Error::damaged;
        let header = Header::parse(&object).map_err(damaged(Object::Format))?;
        let (root, slot) = unlock_root(&store, header.repository, unlock)?;
        let keys = KeyTree::new(&root, header.repository);
        Header::verify(&object, &keys).map_err(damaged(Object::Format))?;
        Ok(Self::new(header, slot, store, keys))
    }

    fn new(header: Header, opened_by: SlotName, store: Store, keys: KeyTree) -> Self {
        let objects = Objects::new(store, keys);
        Self(Arc::new(Inner {
            header,
            opened_by,
            objects,
            index: Mutex::default(),
        }))
    }

    /// The repository's name.
    pub fn id(&self) -> RepositoryId {
        self.0.header.repository
    }

    /// The sizes it was created with.
    pub fn sizes(&self) -> &Sizes {
        &self.0.header.sizes
    }

    /// The store it lies in.
    pub fn store(&self) -> &Store {
        self.objects().store()
    }

    /// Finds chunk boundaries in byte streams; the same for all streams of this repository.
    pub fn cutter(&self) -> Cutter {
        Cutter::new(self.objects().keys().chunker(), self.sizes())
    }

    /// A reader with a cache of its own; one is enough for all threads of a restore.
    pub fn reader(&self) -> Reader {
        Reader::new(self.clone())
    }

    /// Takes a lease and starts a writer.
    pub fn writer(&self, options: WriterOptions, entropy: Arc<dyn Entropy>) -> Result<Writer> {
        Writer::start(self, options, entropy)
    }

    /// The manifests that are neither fences nor forgotten, in no meaningful order.
    pub fn manifests(&self) -> Result<Vec<ManifestId>> {
        let forgotten: BTreeSet<_> = self
            .forgotten()?
            .into_iter()
            .map(|(manifest, _)| manifest)
            .collect();
        let mut manifests = self.manifest_names()?;
        manifests.retain(|id| !forgotten.contains(id));
        Ok(manifests)
    }

    /// The manifests, forgotten ones too.
    pub fn manifest_names(&self) -> Result<Vec<ManifestId>> {
        let mut found = Vec::new();
        self.objects()
            .list(prefix::MANIFESTS, &mut |object, size| {
                if let Object::Manifest(id) = object {
                    found.push((id, size));
                }
            })?;
        let mut manifests = Vec::new();
        for (id, size) in found {
            // Only what really opens as a fence is one: a manifest cut to that length is damage.
            if size != FENCE_LEN || !self.is_fence(&id)? {
                manifests.push(id);
            }
        }
        Ok(manifests)
    }

    /// Reads a manifest, forgotten or not.
    pub fn manifest(&self, id: &ManifestId) -> Result<Manifest> {
        let object = Object::Manifest(*id);
        let opened = self.objects().open(object, Kind::Manifest, id.as_bytes());
        let body = opened.map_err(|error| match error {
            Error::Damaged {
                damage: Damage::Missing,
                ..
            } => Error::ManifestMissing { id: *id },
            Error::Damaged {
                damage: Damage::WrongKind { found, .. },
                ..
            } if found == Kind::Fence as u8 => Error::ManifestMissing { id: *id },
            error => error,
        })?;
        Manifest::decode(*id, &body).map_err(Error::damaged(object))
    }

    /// The slot that opened it.
    pub(crate) fn opened_by(&self) -> SlotName {
        self.0.opened_by
    }

    pub(crate) fn header(&self) -> &Header {
        &self.0.header
    }

    pub(crate) fn objects(&self) -> &Objects {
        &self.0.objects
    }

    /// The index as last loaded, or as it is now if it was not loaded yet.
    pub(crate) fn index(&self) -> Result<Arc<Index>> {
        let mut index = self.index_slot();
        match &*index {
            Some(index) => Ok(Arc::clone(index)),
            None => self.load_index(&mut index),
        }
    }

    /// The index as it is now.
    pub(crate) fn refresh_index(&self) -> Result<Arc<Index>> {
        self.load_index(&mut self.index_slot())
    }

    fn load_index(&self, slot: &mut Option<Arc<Index>>) -> Result<Arc<Index>> {
        let before = slot.clone().unwrap_or_default();
        let index = Arc::new(Index::load(self.objects(), &before)?);
        *slot = Some(Arc::clone(&index));
        Ok(index)
    }

    fn index_slot(&self) -> MutexGuard<'_, Option<Arc<Index>>> {
        self.0.index.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Repository({} in {})",
            self.id(),
            self.store().describe()
        )
    }
}

/// The root key, from the first slot that `unlock` opens.
fn unlock_root(
    store: &Store,
    repository: RepositoryId,
    unlock: &Unlock,
) -> Result<(Zeroizing<[u8; KEY_LEN]>, SlotName)> {
    let mut names = Vec::new();
    let listed = store.list(prefix::SLOTS, &mut |key, _| {
        if let Some(Object::Slot(name)) = Object::parse(key.as_str()) {
            names.push(name);
        }
        Ok(())
    });
    listed.map_err(Error::store("list key slots"))?;
    let (mut slots, mut first_damage) = (0, None);
    for name in names {
        let object = Object::Slot(name);
        let bytes = match store.get(&object.key()) {
            Ok(bytes) => bytes,
            Err(error) if error.kind == ErrorKind::NotFound => continue,
            Err(error) => return Err(Error::store("read a key slot")(error)),
        };
        match Slot::parse(&bytes) {
            // Left behind by a creation that did not come to its end.
            Ok(slot) if slot.repository() != repository => {}
            Ok(slot) => {
                slots += 1;
                if let Some(root) = slot.unwrap(unlock) {
                    return Ok((root, name));
                }
            }
            Err(damage) => {
                first_damage.get_or_insert_with(|| Error::damaged(object)(damage));
            }
        }
    }
    Err(first_damage.unwrap_or_else(|| slot::wrong_key(slots, unlock)))
}
