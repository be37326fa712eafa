//! The way there: one worker per thread takes a piece through every stage while it is in the cache.
//!
//! Pieces are whole small files and stripes of large ones. A worker owns its compressor, its
//! buffers and an open pack; all that is shared is the set of known chunks, in shards.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::Write as _,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    thread,
};

use anyhow::{Context as _, Result};
use aws_lc_rs::aead::{Aad, LessSafeKey};
use crossbeam_channel::Receiver;
use rustix::fs::{SeekFrom, seek};
use zstd::bulk::Compressor;

use crate::{
    PACK, cut, key, nonce, pack_name,
    recipe::{Id, Piece, Place, Recipe},
};

/// Large files are worked on in stripes of this many bytes; an edge is a cut.
const STRIPE: u64 = 8 << 20;
const SHARDS: usize = 256;

pub(crate) struct Options {
    pub(crate) threads: usize,
    /// The average length of a chunk, a power of two.
    pub(crate) average: usize,
}

/// Bytes in and out.
#[derive(Clone, Copy, Default)]
pub(crate) struct Done {
    pub(crate) read: u64,
    pub(crate) stored: u64,
}

/// A stripe of a file, by the file's number.
struct Stripe {
    file: usize,
    offset: u64,
    len: u64,
}

/// What the workers share; a chunk that is being stored has no place yet.
struct Shared {
    files: Vec<(PathBuf, u64)>,
    known: Vec<Mutex<HashMap<Id, Option<Place>>>>,
    recipes: Mutex<Vec<(Stripe, Vec<Id>)>>,
    next_pack: AtomicU32,
}

pub(crate) fn run(source: &Path, out: &Path, options: &Options) -> Result<Done> {
    fs::create_dir_all(out).with_context(|| format!("cannot make {}", out.display()))?;
    let mut files = Vec::new();
    walk(source, &mut files)?;
    let (send, stripes) = crossbeam_channel::unbounded();
    for (file, (_, size)) in files.iter().enumerate() {
        let count = size.div_ceil(STRIPE).max(1);
        for offset in (0..count).map(|number| number * STRIPE) {
            let len = STRIPE.min(size - offset);
            send.send(Stripe { file, offset, len })?;
        }
    }
    drop(send);
    let shared = Shared {
        files,
        known: (0..SHARDS).map(|_| Mutex::default()).collect(),
        recipes: Mutex::default(),
        next_pack: AtomicU32::new(0),
    };
    let done = thread::scope(|scope| {
        let workers: Vec<_> = (0..options.threads)
            .map(|_| scope.spawn(|| Worker::new(&shared, out, options.average)?.work(&stripes)))
            .collect();
        let mut sum = Done::default();
        for worker in workers {
            let done = worker.join().expect("a worker does not panic")?;
            sum.read += done.read;
            sum.stored += done.stored;
        }
        anyhow::Ok(sum)
    })?;
    recipe(shared, source)?.store(out)?;
    Ok(done)
}

fn walk(dir: &Path, files: &mut Vec<(PathBuf, u64)>) -> Result<()> {
    let listed = fs::read_dir(dir).with_context(|| format!("cannot list {}", dir.display()))?;
    let mut entries = listed.collect::<std::io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let kind = entry.file_type()?;
        if kind.is_dir() {
            walk(&entry.path(), files)?;
        } else if kind.is_file() {
            files.push((entry.path(), entry.metadata()?.len()));
        }
    }
    Ok(())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Worker<'a> {
    shared: &'a Shared,
    out: &'a Path,
    average: usize,
    key: LessSafeKey,
    compressor: Compressor<'static>,
    buffer: Vec<u8>,
    pack: Vec<u8>,
    number: u32,
    done: Done,
}

impl<'a> Worker<'a> {
    fn new(shared: &'a Shared, out: &'a Path, average: usize) -> Result<Self> {
        Ok(Self {
            shared,
            out,
            average,
            key: key()?,
            compressor: Compressor::new(1)?,
            buffer: vec![0; usize::try_from(STRIPE)?],
            pack: Vec::with_capacity(PACK + (2 << 20)),
            number: shared.next_pack.fetch_add(1, Ordering::Relaxed),
            done: Done::default(),
        })
    }

    fn work(mut self, stripes: &Receiver<Stripe>) -> Result<Done> {
        while let Ok(stripe) = stripes.recv() {
            let ids = self.stripe(&stripe)?;
            lock(&self.shared.recipes).push((stripe, ids));
        }
        self.flush()?;
        Ok(self.done)
    }

    fn stripe(&mut self, stripe: &Stripe) -> Result<Vec<Id>> {
        let path = &self.shared.files[stripe.file].0;
        let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
        self.done.read += stripe.len;
        if is_hole(&file, stripe) {
            return Ok(Vec::new());
        }
        let mut buffer = std::mem::take(&mut self.buffer);
        let bytes = &mut buffer[..usize::try_from(stripe.len)?];
        file.read_exact_at(bytes, stripe.offset)
            .with_context(|| format!("cannot read {}", path.display()))?;
        let mut rest = &*bytes;
        let mut ids = Vec::new();
        while !rest.is_empty() {
            let (chunk, behind) = rest.split_at(cut::first(rest, self.average));
            ids.push(self.chunk(chunk)?);
            rest = behind;
        }
        self.buffer = buffer;
        Ok(ids)
    }

    fn chunk(&mut self, chunk: &[u8]) -> Result<Id> {
        let id = *blake3::hash(chunk).as_bytes();
        let shard = &self.shared.known[usize::from(id[0])];
        {
            let mut known = lock(shard);
            if known.contains_key(&id) {
                return Ok(id);
            }
            known.insert(id, None);
        }
        let start = self.pack.len();
        self.pack
            .resize(start + zstd::zstd_safe::compress_bound(chunk.len()), 0);
        let len = self
            .compressor
            .compress_to_buffer(chunk, &mut self.pack[start..])?;
        let compressed = len < chunk.len();
        self.pack.truncate(start + len);
        if !compressed {
            self.pack.truncate(start);
            self.pack.extend_from_slice(chunk);
        }
        let offset = start as u64;
        let tag = self.key.seal_in_place_separate_tag(
            nonce(self.number, offset),
            Aad::from(id),
            &mut self.pack[start..],
        )?;
        self.pack.extend_from_slice(tag.as_ref());
        let place = Place {
            pack: self.number,
            offset,
            sealed: u32::try_from(self.pack.len() - start)?,
            len: u32::try_from(chunk.len())?,
            compressed,
        };
        lock(shard).insert(id, Some(place));
        if self.pack.len() >= PACK {
            self.flush()?;
            self.number = self.shared.next_pack.fetch_add(1, Ordering::Relaxed);
        }
        Ok(id)
    }

    fn flush(&mut self) -> Result<()> {
        if self.pack.is_empty() {
            return Ok(());
        }
        let mut file = File::create(self.out.join(pack_name(self.number)))?;
        file.write_all(&self.pack)?;
        file.sync_data()?;
        self.done.stored += self.pack.len() as u64;
        self.pack.clear();
        Ok(())
    }
}

/// Whether a long stripe holds no data at all.
fn is_hole(file: &File, stripe: &Stripe) -> bool {
    stripe.len >= 1 << 20
        && match seek(file, SeekFrom::Data(stripe.offset)) {
            Ok(data) => data >= stripe.offset + stripe.len,
            Err(error) => error == rustix::io::Errno::NXIO,
        }
}

/// What the way back needs, once every chunk has its place.
fn recipe(shared: Shared, source: &Path) -> Result<Recipe> {
    let mut numbers = HashMap::new();
    let mut chunks = Vec::new();
    for shard in shared.known {
        for (id, place) in shard.into_inner().unwrap_or_else(PoisonError::into_inner) {
            numbers.insert(id, u32::try_from(chunks.len())?);
            chunks.push((id, place.context("a chunk has no place")?));
        }
    }
    let recipes = shared.recipes.into_inner();
    let mut pieces = Vec::new();
    for (stripe, ids) in recipes.unwrap_or_else(PoisonError::into_inner) {
        let (path, size) = &shared.files[stripe.file];
        pieces.push(Piece {
            path: path.strip_prefix(source)?.to_owned(),
            size: *size,
            offset: stripe.offset,
            chunks: ids.iter().map(|id| numbers[id]).collect(),
        });
    }
    Ok(Recipe { chunks, pieces })
}
