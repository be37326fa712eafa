//! A small repository in memory, and chunks to put into it.

use std::{collections::BTreeMap, sync::Arc};

use strongroom_engine::{
    Body, ChunkId, CreateOptions, Items, Layer, ManifestId, PassphraseCost, Repository, Result,
    Sizes, Stream, Unlock, Writer, WriterOptions, holder::Holder,
};
use strongroom_model::{Entropy, Timestamp};
use strongroom_store::Store;
use strongroom_testkit::entropy::SeededEntropy;

pub(crate) const KEY: [u8; 32] = [0x5e; 32];

pub(crate) fn entropy(seed: u64) -> Arc<dyn Entropy> {
    Arc::new(SeededEntropy::new(seed))
}

/// Sizes that make many packs of little data.
pub(crate) fn small() -> CreateOptions {
    CreateOptions {
        sizes: Sizes {
            segment: 8 << 10,
            pack: 32 << 10,
            ..Sizes::default()
        },
        passphrase_cost: PassphraseCost {
            memory_kib: 64,
            passes: 1,
            lanes: 1,
        },
        ..CreateOptions::default()
    }
}

pub(crate) fn memory() -> Store {
    Store::open("memory:").unwrap()
}

pub(crate) fn create(store: &Store) -> Repository {
    Repository::create(store.clone(), &Unlock::Key(KEY), small(), &*entropy(1)).unwrap()
}

pub(crate) fn open(store: &Store) -> Repository {
    Repository::open(store.clone(), &Unlock::Key(KEY)).unwrap()
}

pub(crate) fn options() -> WriterOptions {
    let holder = Holder {
        host: "test".to_owned(),
        machine: "m".to_owned(),
        boot: "b".to_owned(),
        namespace: "n".to_owned(),
        process: 1,
        started_ticks: 2,
    };
    WriterOptions {
        workers: Some(2),
        run_entries: 50,
        holder,
    }
}

/// Chunk `n` of a test: a few kilobytes, every other compressible.
pub(crate) fn chunk(n: u64) -> Vec<u8> {
    let len = 500 + usize::try_from(n % 7).unwrap() * 700;
    let mut bytes = vec![0; len];
    blake3::Hasher::new()
        .update(&n.to_le_bytes())
        .finalize_xof()
        .fill(&mut bytes);
    if n.is_multiple_of(2) {
        bytes.iter_mut().skip(40).for_each(|byte| *byte &= 3);
    }
    bytes
}

pub(crate) fn body(root: ChunkId) -> Body {
    Body {
        layer: Layer::Tree,
        root,
        logical_bytes: 12_345,
        items: Items {
            files: 1,
            ..Items::default()
        },
        started: Timestamp::from_micros(1),
        finished: Timestamp::from_micros(2),
        previous: None,
        labels: BTreeMap::from([("name".to_owned(), "test".to_owned())]),
        complete: true,
        problem_count: 0,
        problems: None,
    }
}

/// Puts data chunks and one tree chunk that lists them.
pub(crate) fn put(writer: &Writer, chunks: impl Iterator<Item = u64>) -> Result<ChunkId> {
    let mut data = writer.stream(Stream::Data);
    let mut list = Vec::new();
    for n in chunks {
        list.extend_from_slice(data.put(&chunk(n))?.as_bytes());
    }
    data.finish()?;
    let mut tree = writer.stream(Stream::Tree);
    let root = tree.put(&list)?;
    tree.finish()?;
    Ok(root)
}

/// Saves chunks under a new manifest.
pub(crate) fn save(
    repository: &Repository,
    seed: u64,
    chunks: impl Iterator<Item = u64>,
) -> Result<ManifestId> {
    let writer = repository.writer(options(), entropy(seed))?;
    let root = put(&writer, chunks)?;
    writer.commit(body(root))
}

/// Reads a manifest's chunks back: how many hold, and the errors of the others.
pub(crate) fn load(
    repository: &Repository,
    id: &ManifestId,
    chunks: impl Iterator<Item = u64>,
) -> Result<(usize, Vec<strongroom_engine::Error>)> {
    let manifest = repository.manifest(id)?;
    let reader = repository.reader();
    let list = reader.read(Stream::Tree, &manifest.body.root)?;
    let (ids, _) = list.as_chunks::<32>();
    let ids: Vec<_> = ids.iter().map(|id| ChunkId::from_bytes(*id)).collect();
    let (mut good, mut errors) = (0, Vec::new());
    for (read, n) in reader.read_all(Stream::Data, &ids).into_iter().zip(chunks) {
        match read {
            Ok(bytes) => {
                assert_eq!(*bytes, *chunk(n));
                good += 1;
            }
            Err(error) => errors.push(error),
        }
    }
    Ok((good, errors))
}

/// Asserts that every chunk comes back.
pub(crate) fn assert_restores(
    repository: &Repository,
    id: &ManifestId,
    chunks: std::ops::Range<u64>,
) {
    let wanted = usize::try_from(chunks.end - chunks.start).unwrap();
    let (good, errors) = load(repository, id, chunks).unwrap();
    assert_eq!((good, errors.len()), (wanted, 0), "{errors:?}");
}

/// The keys under a prefix.
pub(crate) fn keys(store: &Store, prefix: &str) -> Vec<strongroom_store::Key> {
    let mut found = Vec::new();
    store
        .list(prefix, &mut |key, _| {
            found.push(key);
            Ok(())
        })
        .unwrap();
    found
}

/// Replaces an object's bytes, as rot or an attacker would.
pub(crate) fn replace(store: &Store, key: &strongroom_store::Key, bytes: &[u8]) {
    store.delete(key).unwrap();
    store.create_new(key, bytes).unwrap();
}

/// Changes an object's bytes.
pub(crate) fn alter(store: &Store, key: &strongroom_store::Key, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = store.get(key).unwrap().to_vec();
    change(&mut bytes);
    replace(store, key, &bytes);
}
