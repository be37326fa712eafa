//! Writes chunks and commits them under one manifest.
//!
//! Front threads hand chunks to their [`StreamWriter`]s; what the repository does not have yet is
//! grouped into segments, and the threads of the `pipeline` compress, seal, verify, pack and
//! store them. A chunk counts as known to this writer as soon as it is under way, but enters the
//! index only when its pack is durable, and the commit waits for all of them.
//!
//! Invariants: nothing is committed unless every put, segment and pack before it succeeded; the
//! first error is what every later call returns. A writer that is dropped leaves unreferenced
//! objects, which a collection removes, and no lease.
//!
//! Format: docs/format.md, "Leases, fences and the commit".

mod commit;
mod known;
mod memtable;
mod pipeline;
mod stream;

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
};

use strongroom_model::Entropy;

pub use self::stream::StreamWriter;
use self::{known::Known, memtable::Memtable, pipeline::Pipeline};
use crate::{
    error::{Error, Result},
    holder::Holder,
    id::{ChunkId, ManifestId, RunId, Stream},
    manifest::Manifest,
    repository::Repository,
    segment::Draft,
};

/// How a writer works.
#[derive(Clone, Debug)]
pub struct WriterOptions {
    /// Threads that compress and seal; by default one per processor.
    pub workers: Option<usize>,
    /// Entries of the index that are kept in memory before a run is written.
    pub run_entries: usize,
    /// Who holds the lease.
    pub holder: Holder,
}

impl Default for WriterOptions {
    fn default() -> Self {
        Self {
            workers: None,
            run_entries: 100_000,
            holder: Holder::this_process(),
        }
    }
}

/// What a writer did so far.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Counts {
    /// Chunks that were stored.
    pub new_chunks: u64,
    /// Chunks that were there already.
    pub known_chunks: u64,
    /// Bytes of the new chunks.
    pub unique_bytes: u64,
    /// Bytes of packs and index runs that are stored.
    pub stored_bytes: u64,
}

/// Writes to a repository under one lease; shared by the threads that read what is to be saved.
pub struct Writer {
    shared: Arc<Shared>,
    workers: Option<usize>,
    /// Taken by the commit.
    pipeline: Option<Pipeline>,
    holds_lease: bool,
}

/// What all threads of a writer share.
struct Shared {
    repository: Repository,
    entropy: Arc<dyn Entropy>,
    id: ManifestId,
    known: Known,
    memtable: Memtable,
    run_entries: usize,
    runs: Mutex<Vec<RunId>>,
    failure: Failure,
    counters: Counters,
    open_streams: AtomicUsize,
    spare_drafts: Mutex<Vec<Draft>>,
}

#[derive(Default)]
struct Counters {
    new_chunks: AtomicU64,
    known_chunks: AtomicU64,
    unique_bytes: AtomicU64,
    stored_bytes: AtomicU64,
}

/// The first error, if there was one.
#[derive(Default)]
struct Failure {
    failed: AtomicBool,
    first: Mutex<Option<Error>>,
}

impl Failure {
    fn set(&self, error: Error) {
        self.first
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert(error);
        self.failed.store(true, Ordering::Release);
    }

    fn is_set(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }

    fn check(&self) -> Result<()> {
        if !self.is_set() {
            return Ok(());
        }
        let first = self
            .first
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        Err(first.unwrap_or(Error::WriterDied))
    }
}

impl Writer {
    /// Takes a lease, then looks at quarantines and index, in this order: see docs/format.md.
    pub(crate) fn start(
        repository: &Repository,
        options: WriterOptions,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self> {
        let WriterOptions {
            workers,
            run_entries,
            holder,
        } = options;
        if workers == Some(0) || run_entries == 0 {
            return Err(Error::BadOption {
                what: "the number of workers or of entries per run",
                rule: "at least 1",
            });
        }
        let id = ManifestId::random(&*entropy);
        repository.take_lease(id, &holder, &*entropy)?;
        let started = Known::load(repository).and_then(|known| {
            let shared = Arc::new(Shared {
                repository: repository.clone(),
                entropy,
                id,
                known,
                memtable: Memtable::default(),
                run_entries,
                runs: Mutex::default(),
                failure: Failure::default(),
                counters: Counters::default(),
                open_streams: AtomicUsize::new(0),
                spare_drafts: Mutex::default(),
            });
            let pipeline = Pipeline::start(&shared, workers)?;
            Ok(Self {
                shared,
                workers,
                pipeline: Some(pipeline),
                holds_lease: true,
            })
        });
        if started.is_err() {
            release(repository, &id);
        }
        started
    }

    /// The name of the lease, and of the manifest if it comes to that.
    pub fn id(&self) -> ManifestId {
        self.shared.id
    }

    /// The manifest to build on. It is read under the lease, so what it reaches stays until this
    /// writer ends; a forgotten one is refused.
    pub fn previous(&self, id: &ManifestId) -> Result<Manifest> {
        let repository = &self.shared.repository;
        let manifest = repository.manifest(id)?;
        if repository
            .forgotten()?
            .iter()
            .any(|(forgotten, _)| forgotten == id)
        {
            return Err(Error::ManifestForgotten { id: *id });
        }
        Ok(manifest)
    }

    /// A new front end for one thread; chunks put in a row lie in a row.
    pub fn stream(&self, stream: Stream) -> StreamWriter {
        let jobs = self
            .pipeline
            .as_ref()
            .expect("only a commit takes the pipeline")
            .jobs();
        StreamWriter::new(Arc::clone(&self.shared), jobs, stream)
    }

    /// Whether the chunk may be named by this writer's manifest without being put: it is stored,
    /// or under way, and the commit will look again.
    pub fn contains(&self, stream: Stream, id: &ChunkId) -> Result<bool> {
        self.shared.has(stream, id)
    }

    /// What was done so far.
    pub fn counts(&self) -> Counts {
        self.shared.counts()
    }

    /// Ends without a manifest and releases the lease; what was stored is garbage.
    pub fn abandon(self) {
        drop(self);
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if let Some(pipeline) = self.pipeline.take() {
            self.shared.failure.set(Error::WriterDied);
            pipeline.stop();
        }
        if self.holds_lease {
            release(&self.shared.repository, &self.shared.id);
        }
    }
}

/// Removes a lease; one that stays costs a collection some patience and nobody any data.
fn release(repository: &Repository, id: &ManifestId) {
    if let Err(error) = repository.release(id) {
        tracing::warn!(%id, %error, "a lease that is not needed any more could not be removed");
    }
}

impl Shared {
    fn counts(&self) -> Counts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            new_chunks: read(&self.counters.new_chunks),
            known_chunks: read(&self.counters.known_chunks),
            unique_bytes: read(&self.counters.unique_bytes),
            stored_bytes: read(&self.counters.stored_bytes),
        }
    }

    /// Whether the repository or this writer has the chunk.
    fn has(&self, stream: Stream, id: &ChunkId) -> Result<bool> {
        Ok(self.memtable.contains(id) || self.known.contains(&self.repository, stream, id)?)
    }

    /// Whether the repository or this writer has the chunk; if not, the caller has to store it.
    fn claim(&self, stream: Stream, id: &ChunkId, len: usize) -> Result<Claim> {
        if self.has(stream, id)? {
            self.counters.known_chunks.fetch_add(1, Ordering::Relaxed);
            return Ok(Claim::Known);
        }
        Ok(self.claim_unknown(id, len))
    }

    /// As [`Self::claim`], for a chunk that the repository was just found not to have.
    fn claim_unknown(&self, id: &ChunkId, len: usize) -> Claim {
        if !self.memtable.claim(*id) {
            self.counters.known_chunks.fetch_add(1, Ordering::Relaxed);
            return Claim::Known;
        }
        self.counters.new_chunks.fetch_add(1, Ordering::Relaxed);
        self.counters
            .unique_bytes
            .fetch_add(len as u64, Ordering::Relaxed);
        Claim::New
    }

    fn spare_draft(&self, stream: Stream) -> Draft {
        let spare = self
            .spare_drafts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let mut draft = spare.unwrap_or_else(|| Draft::new(stream));
        draft.stream = stream;
        draft
    }

    fn recycle(&self, mut draft: Draft) {
        draft.clear();
        self.spare_drafts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(draft);
    }
}

/// Who stores a chunk.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Claim {
    Known,
    New,
}
