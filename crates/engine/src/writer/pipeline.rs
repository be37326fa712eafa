//! The threads behind a writer: workers make packs of segments, storers make packs durable.
//!
//! Compression is most of the work and needs nothing shared, so each worker compresses on its own
//! and only then takes one of a few open packs, seals into it, decodes what it sealed and
//! recomputes the ids in it. Storers write finished packs, enter their chunks in the memtable and
//! flush that to an index run when it is full.
//!
//! Invariants: memory is bounded by the queue, the open packs and the packs being stored. After
//! the first failure the queue is still emptied, so nobody waits for ever. A thread that panics
//! fails the writer.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, atomic::Ordering},
    thread::{self, JoinHandle},
};

use crossbeam_channel::{Receiver, Sender, bounded, select};

use super::Shared;
use crate::{
    error::{Error, Result},
    id::Stream,
    index::RunBuilder,
    layout::Object,
    pack::{FinishedPack, PackBuilder},
    segment::{Decoding, Draft, Encoding, SEGMENT_MAX},
};

/// Packs of data chunks that are filled at the same time.
const OPEN_DATA_PACKS: usize = 4;
/// Tree packs are closed at this part of the size of data packs: they are read often, in parts.
const TREE_PACK_PART: usize = 4;
/// Threads that store packs.
const STORERS: usize = 2;

/// The running threads of a writer.
pub(super) struct Pipeline {
    jobs: Sender<Draft>,
    /// Dropped to stop the workers although streams still hold the queue.
    stop: Sender<()>,
    packs: Sender<FinishedPack>,
    open: Arc<OpenPacks>,
    workers: Vec<JoinHandle<()>>,
    storers: Vec<JoinHandle<()>>,
}

impl Pipeline {
    pub(super) fn start(shared: &Arc<Shared>, workers: Option<usize>) -> Result<Self> {
        let processors = || thread::available_parallelism().map_or(1, usize::from);
        let workers = workers.unwrap_or_else(processors);
        let (jobs, queue) = bounded(workers);
        let (stop, stopped) = bounded(0);
        let (packs, finished) = bounded(0);
        let open = Arc::new(OpenPacks::new(Arc::clone(shared), workers));
        let mut pipeline = Self {
            jobs,
            stop,
            packs,
            open,
            workers: Vec::new(),
            storers: Vec::new(),
        };
        for _ in 0..workers {
            let (open, packs) = (Arc::clone(&pipeline.open), pipeline.packs.clone());
            let mut worker = Worker::new(Arc::clone(shared), open, packs)?;
            let (queue, stopped) = (queue.clone(), stopped.clone());
            pipeline
                .workers
                .push(thread::spawn(move || worker.run(&queue, &stopped)));
        }
        for _ in 0..STORERS {
            let (shared, finished) = (Arc::clone(shared), finished.clone());
            let open = Arc::clone(&pipeline.open);
            pipeline
                .storers
                .push(thread::spawn(move || store_all(&shared, &open, &finished)));
        }
        Ok(pipeline)
    }

    /// The queue of full segments.
    pub(super) fn jobs(&self) -> Sender<Draft> {
        self.jobs.clone()
    }

    /// Works off what is queued, stores the packs that are open, ends the threads. All streams
    /// must be gone.
    pub(super) fn finish(self) {
        let Self {
            jobs,
            stop,
            packs,
            open,
            workers,
            storers,
        } = self;
        drop(jobs);
        open.join(workers);
        drop(stop);
        for pack in open.take_all() {
            // Without storers there is no receiver, and the writer has failed.
            let _ = packs.send(pack.finish());
        }
        drop(packs);
        open.join(storers);
    }

    /// Ends the threads without storing what is under way.
    pub(super) fn stop(self) {
        let Self {
            jobs,
            stop,
            packs,
            open,
            workers,
            storers,
        } = self;
        drop((jobs, stop));
        open.wake();
        open.join(workers);
        drop(packs);
        open.join(storers);
    }
}

/// Compresses, seals and verifies segments.
struct Worker {
    shared: Arc<Shared>,
    open: Arc<OpenPacks>,
    packs: Sender<FinishedPack>,
    encoding: Encoding,
    decoding: Decoding,
    scratch: Vec<u8>,
}

impl Worker {
    fn new(shared: Arc<Shared>, open: Arc<OpenPacks>, packs: Sender<FinishedPack>) -> Result<Self> {
        let (encoding, decoding) = (Encoding::new()?, Decoding::new()?);
        Ok(Self {
            shared,
            open,
            packs,
            encoding,
            decoding,
            scratch: Vec::new(),
        })
    }

    fn run(&mut self, queue: &Receiver<Draft>, stopped: &Receiver<()>) {
        loop {
            let draft = select! {
                recv(queue) -> draft => draft,
                recv(stopped) -> _ => return,
            };
            let Ok(draft) = draft else { return };
            let packed = catch_unwind(AssertUnwindSafe(|| self.pack(&draft)));
            if let Err(error) = packed.unwrap_or(Err(Error::WriterDied)) {
                self.shared.failure.set(error);
                self.open.wake();
            }
            self.shared.recycle(draft);
        }
    }

    fn pack(&mut self, draft: &Draft) -> Result<()> {
        self.shared.failure.check()?;
        let (codec, encoded) = match draft.encoded {
            Some(codec) => (codec, draft.bytes.as_slice()),
            None => self.encoding.encode(&draft.bytes, draft.grain()),
        };
        let mut pack = self.open.take(draft.stream)?;
        pack.append(draft, codec, encoded);
        let keys = self.shared.repository.objects().keys();
        let verified = pack.verify_last(keys, &mut self.decoding, &mut self.scratch);
        let full = self.open.give_back(pack);
        verified.map_err(|damage| Error::VerifyMismatch { damage })?;
        if let Some(pack) = full {
            let stream = pack.stream();
            let sent = self.packs.send(pack.finish());
            self.open.closed(stream);
            sent.map_err(|_| Error::WriterDied)?;
        }
        Ok(())
    }
}

/// The packs that are being filled; whoever seals into one has it for himself.
struct OpenPacks {
    shared: Arc<Shared>,
    state: Mutex<Open>,
    changed: Condvar,
    limits: [usize; 2],
}

#[derive(Default)]
struct Open {
    /// The one used last is on top: neighbours stay together.
    idle: [Vec<PackBuilder>; 2],
    /// Open packs of each stream, idle or not.
    count: [usize; 2],
    buffers: Vec<Vec<u8>>,
}

impl OpenPacks {
    fn new(shared: Arc<Shared>, workers: usize) -> Self {
        let limits = [workers.clamp(1, OPEN_DATA_PACKS), 1];
        Self {
            shared,
            state: Mutex::default(),
            changed: Condvar::new(),
            limits,
        }
    }

    /// An open pack for this stream; waits while as many as allowed are taken.
    fn take(&self, stream: Stream) -> Result<PackBuilder> {
        let at = stream as usize;
        let mut state = self.state();
        loop {
            self.shared.failure.check()?;
            if let Some(pack) = state.idle[at].pop() {
                return Ok(pack);
            }
            if state.count[at] < self.limits[at] {
                state.count[at] += 1;
                let room = self.target(stream) + SEGMENT_MAX;
                let buffer = match stream {
                    Stream::Data => state
                        .buffers
                        .pop()
                        .unwrap_or_else(|| Vec::with_capacity(room)),
                    Stream::Tree => Vec::new(),
                };
                drop(state);
                let keys = self.shared.repository.objects().keys();
                return Ok(PackBuilder::new(
                    keys,
                    stream,
                    buffer,
                    &*self.shared.entropy,
                ));
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Puts a pack back, or returns it if it is full; a full one counts as open until
    /// [`Self::closed`], so that packs waiting for a storer are bounded too.
    fn give_back(&self, pack: PackBuilder) -> Option<PackBuilder> {
        let stream = pack.stream();
        if pack.is_full(self.target(stream)) {
            return Some(pack);
        }
        self.state().idle[stream as usize].push(pack);
        self.changed.notify_one();
        None
    }

    fn closed(&self, stream: Stream) {
        self.state().count[stream as usize] -= 1;
        self.changed.notify_one();
    }

    /// Keeps a stored pack's buffer for the next one.
    fn recycle(&self, stream: Stream, buffer: Vec<u8>) {
        let mut state = self.state();
        if stream == Stream::Data && state.buffers.len() < self.limits[stream as usize] {
            state.buffers.push(buffer);
        }
    }

    fn take_all(&self) -> Vec<PackBuilder> {
        self.state()
            .idle
            .iter_mut()
            .flat_map(std::mem::take)
            .collect()
    }

    fn target(&self, stream: Stream) -> usize {
        let pack = self.shared.repository.sizes().pack as usize;
        match stream {
            Stream::Data => pack,
            Stream::Tree => pack / TREE_PACK_PART,
        }
    }

    /// Makes waiting workers look at the failure.
    fn wake(&self) {
        drop(self.state());
        self.changed.notify_all();
    }

    fn join(&self, threads: Vec<JoinHandle<()>>) {
        for thread in threads {
            if thread.join().is_err() {
                self.shared.failure.set(Error::WriterDied);
                self.wake();
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, Open> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Stores packs until there are no more; after a failure it only takes them off the queue.
fn store_all(shared: &Shared, open: &OpenPacks, finished: &Receiver<FinishedPack>) {
    for pack in finished {
        if shared.failure.is_set() {
            continue;
        }
        let stored = catch_unwind(AssertUnwindSafe(|| store(shared, &pack)));
        if let Err(error) = stored.unwrap_or(Err(Error::WriterDied)) {
            shared.failure.set(error);
            open.wake();
        }
        open.recycle(pack.info.stream, pack.bytes);
    }
}

fn store(shared: &Shared, pack: &FinishedPack) -> Result<()> {
    shared
        .repository
        .objects()
        .put_named(Object::Pack(pack.info.id), &pack.bytes)?;
    let parity = shared.repository.protect(pack.info.id, &pack.bytes)?;
    shared
        .counters
        .stored_bytes
        .fetch_add(pack.bytes.len() as u64 + parity, Ordering::Relaxed);
    let waiting = shared.memtable.publish(pack.info, &pack.segments);
    if waiting >= shared.run_entries {
        shared.flush()
    } else {
        Ok(())
    }
}

impl Shared {
    /// Writes what waits in the memtable to an index run.
    pub(super) fn flush(&self) -> Result<()> {
        // One at a time: the others find the table empty.
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        let mut builder = RunBuilder::default();
        let ids = self.memtable.collect(&mut builder);
        let (objects, epoch) = (self.repository.objects(), self.known.next_epoch());
        let Some(run) = builder.finish(objects.keys(), epoch, &*self.entropy) else {
            return Ok(());
        };
        objects.put_named(Object::Run(run.id), &run.bytes)?;
        self.counters
            .stored_bytes
            .fetch_add(run.bytes.len() as u64, Ordering::Relaxed);
        runs.push(run.id);
        self.known.add(run.into_run(objects.keys()));
        self.memtable.forget(&ids);
        Ok(())
    }
}
