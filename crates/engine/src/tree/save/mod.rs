//! Saves a tree: everything new is stored, everything known is named again.
//!
//! Several threads walk the tree. A directory is listed and compared with its previous state by
//! one thread; the files that have to be read are handed out in batches of neighbours, big ones
//! in pieces. A directory's node is written when its last entry is done, so a node never names
//! what does not exist, and the whole tree is never in memory.
//!
//! Invariant: the same tree gives the same nodes, whatever the threads did and whatever was saved
//! before; what could not be kept is in the manifest's list of problems.

mod big;
mod file;
mod folder;
pub(crate) mod input;
mod pieces;
mod reuse;
mod scan;
mod stats;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, OnceLock},
    thread,
};

use strongroom_model::{
    Entropy, Timestamp,
    content::{self, FileTime, Name, SourceDirectory, Stat, TreePath, TreeSource, Xattr},
};

pub(crate) use self::reuse::is_settled;
use self::{
    big::BigFile,
    folder::{Folder, Opened},
    pieces::{Piece, store_xattrs},
    reuse::Links,
    scan::{Found, SmallFile},
    stats::Stats,
};
pub use self::{
    input::{Input, save_input, save_labelled_input},
    stats::SaveStats,
};
use super::{
    Progress,
    crew::{Crew, lock},
    entry::{Body as NodeBody, Extent, Meta, Node},
    previous::Previous,
    problem::{self, Problem, ProblemKind, Problems},
    restore::threads,
    top::{Top, encode_problems},
};
use crate::{
    chunk::Cutter,
    error::{Error, Result},
    id::{ChunkId, ManifestId, Stream},
    manifest::{self, Layer},
    reader::{Chunk, Reader},
    repository::Repository,
    writer::{Counts, StreamWriter, Writer, WriterOptions},
};

/// How a save is run.
#[derive(Clone)]
pub struct SaveOptions<'a> {
    /// The manifest of the same tree or volume to build on.
    pub previous: Option<ManifestId>,
    /// What the manifest is to be found by.
    pub labels: BTreeMap<String, String>,
    /// Told how far it is.
    pub progress: &'a Progress,
    /// Names and keys are drawn from it.
    pub entropy: Arc<dyn Entropy>,
    /// Threads that read, cut and hash; 0 for as many as there are cores.
    pub threads: usize,
    /// Threads that compress, and who holds the lease.
    pub writer: WriterOptions,
}

impl<'a> SaveOptions<'a> {
    /// A save from scratch, without labels, with as many threads as there are cores.
    pub fn new(progress: &'a Progress, entropy: Arc<dyn Entropy>) -> Self {
        Self {
            previous: None,
            labels: BTreeMap::new(),
            progress,
            entropy,
            threads: 0,
            writer: WriterOptions::default(),
        }
    }
}

/// What a save did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Saved {
    /// The manifest that was written.
    pub manifest: ManifestId,
    /// What was found and read.
    pub stats: SaveStats,
    /// What was stored.
    pub counts: Counts,
    /// Whether everything that was there is kept.
    pub complete: bool,
    /// What is not as it was: the first ten thousand, sorted by path.
    pub problems: Vec<Problem>,
    /// How many problems there are, listed or not.
    pub problem_count: u64,
}

/// Saves the tree that `source` shows; a manifest exists when this returns.
pub fn save_tree(
    repository: &Repository,
    source: &dyn TreeSource,
    options: &SaveOptions<'_>,
) -> Result<Saved> {
    let started = source.clock();
    let writer = repository.writer(options.writer.clone(), Arc::clone(&options.entropy))?;
    let reader = repository.reader();
    let before = options
        .previous
        .and_then(|id| previous_top(&writer, &reader, &id));
    let settled = before
        .as_ref()
        .map_or(FileTime::default(), |top| top.started);
    let save = Save::new(repository, &writer, &reader, options.progress, settled);
    let root = source
        .root()
        .and_then(|root| save.read_directory(root))
        .map_err(Error::source)?;
    save.run(threads(options.threads), root, before.map(|top| top.root))?;
    let mut tree = writer.stream(Stream::Tree);
    let root = save.root.get().cloned();
    let root = root.expect("the walk ended without a failure");
    let root = tree.put(&Top { started, root }.encode())?;
    tree.finish()?;
    let finished = Finished {
        layer: Layer::Tree,
        root,
        started,
        ended: source.clock(),
        problems: std::mem::take(&mut *lock(&save.problems)),
        stats: save.stats.snapshot(),
    };
    drop(save);
    commit(repository, writer, finished, options)
}

/// A save that is done but for the commit.
pub(crate) struct Finished {
    pub(crate) layer: Layer,
    pub(crate) root: ChunkId,
    pub(crate) started: FileTime,
    pub(crate) ended: FileTime,
    pub(crate) problems: Problems,
    pub(crate) stats: SaveStats,
}

/// Stores the list of problems and commits.
pub(crate) fn commit(
    repository: &Repository,
    writer: Writer,
    finished: Finished,
    options: &SaveOptions<'_>,
) -> Result<Saved> {
    let Finished {
        layer,
        root,
        started,
        ended,
        problems,
        stats,
    } = finished;
    let (complete, problem_count) = (problems.is_complete(), problems.total());
    let listed = problems.into_sorted();
    let mut tree = writer.stream(Stream::Tree);
    let list = problem::store(&listed, &mut |node| tree.put(node))?;
    let problems = list
        .map(|list| tree.put(&encode_problems(&list)))
        .transpose()?;
    tree.finish()?;
    let mut counts = writer.counts();
    let manifest = writer.commit(manifest::Body {
        layer,
        root,
        logical_bytes: stats.logical_bytes,
        items: stats.items,
        started: timestamp(started),
        finished: timestamp(ended),
        previous: options.previous,
        labels: options.labels.clone(),
        complete,
        problem_count,
        problems,
    })?;
    // What was still under way is stored now. Not to know how much is no reason to fail.
    if let Ok(manifest) = repository.manifest(&manifest) {
        counts.stored_bytes = manifest.stored_bytes;
    }
    Ok(Saved {
        manifest,
        stats,
        counts,
        complete,
        problems: listed,
        problem_count,
    })
}

/// The previous tree, if it can be read: a lost past costs time, not content.
fn previous_top(writer: &Writer, reader: &Reader, id: &ManifestId) -> Option<Top> {
    match writer
        .previous(id)
        .and_then(|manifest| Top::read(reader, &manifest))
    {
        Ok(top) => Some(top),
        Err(error) => {
            tracing::warn!(%id, %error, "the previous manifest cannot be used; reading everything");
            None
        }
    }
}

/// A piece of work.
enum Work {
    /// Open a directory that was found and go through it.
    Enter(Found),
    /// Go on through a directory.
    Scan(Arc<Folder>),
    /// Read small files of one directory.
    Batch(Arc<Folder>, Vec<SmallFile>),
    /// Read the next piece of a big file.
    Piece(Arc<BigFile>),
}

/// What all threads of a save share.
struct Save<'a> {
    repository: &'a Repository,
    writer: &'a Writer,
    reader: &'a Reader,
    cutter: Cutter,
    progress: &'a Progress,
    /// When the previous run began: what changed before it was read as it is.
    settled: FileTime,
    crew: Crew<Work>,
    failed: Mutex<Option<Error>>,
    problems: Mutex<Problems>,
    links: Links,
    root: OnceLock<Node>,
    stats: Stats,
}

/// What one thread has for itself.
struct Hand {
    data: StreamWriter,
    tree: StreamWriter,
    buffer: Vec<u8>,
}

impl Hand {
    /// Stores a node.
    fn put_node(&mut self, node: &[u8]) -> Result<ChunkId> {
        self.tree.put(node)
    }

    /// Stores what a piece holds, whose bytes are in the buffer.
    fn put_piece(&mut self, piece: &Piece) -> Result<Vec<Extent>> {
        let mut extents = Vec::with_capacity(piece.lengths.len() + 1);
        if piece.hole > 0 {
            extents.push(Extent::Hole(piece.hole));
        }
        let mut start = 0;
        for length in &piece.lengths {
            let chunk = self.buffer.get(start..start + length).unwrap_or_default();
            let id = self.data.put(chunk)?;
            let length = u32::try_from(*length).expect("chunks have at most a MiB");
            extents.push(Extent::Data { id, length });
            start += length as usize;
        }
        Ok(extents)
    }
}

/// A directory that was just opened: handle, stat, extended attributes, names in order.
type ReadDirectory = (Arc<dyn SourceDirectory>, Stat, Vec<Xattr>, Vec<Name>);

impl<'a> Save<'a> {
    fn new(
        repository: &'a Repository,
        writer: &'a Writer,
        reader: &'a Reader,
        progress: &'a Progress,
        settled: FileTime,
    ) -> Self {
        Self {
            repository,
            writer,
            reader,
            cutter: repository.cutter(),
            progress,
            settled,
            crew: Crew::new(),
            failed: Mutex::default(),
            problems: Mutex::default(),
            links: Links::default(),
            root: OnceLock::new(),
            stats: Stats::default(),
        }
    }

    fn read_directory(&self, source: Arc<dyn SourceDirectory>) -> content::Result<ReadDirectory> {
        let (stat, xattrs) = (source.stat()?, source.xattrs()?);
        let mut names = source.names()?;
        names.sort_unstable();
        names.dedup();
        self.stats.directory();
        Ok((source, stat, xattrs, names))
    }

    /// Walks the tree from its root on.
    fn run(&self, threads: usize, root: ReadDirectory, previous: Option<Node>) -> Result<()> {
        let (source, stat, xattrs, names) = root;
        let list = previous.and_then(|node| match node.body {
            NodeBody::Directory(list) => list,
            _ => None,
        });
        let mut tree = self.writer.stream(Stream::Tree);
        let xattrs = store_xattrs(xattrs, &mut |node| tree.put(node))?;
        tree.finish()?;
        let previous = Previous::of(list);
        let opened = Opened {
            source,
            meta: Meta::of(&stat),
            xattrs,
            names,
            previous,
        };
        self.crew
            .add_directory(Work::Scan(Folder::new(None, opened)));
        thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| self.work());
            }
        });
        lock(&self.failed).take().map_or(Ok(()), Err)
    }

    fn work(&self) {
        let (data, tree) = (
            self.writer.stream(Stream::Data),
            self.writer.stream(Stream::Tree),
        );
        let mut hand = Hand {
            data,
            tree,
            buffer: Vec::new(),
        };
        while let Some(mut job) = self.crew.next() {
            let done = self.progress.check().and_then(|()| match job.take() {
                Work::Enter(found) => self.enter(&mut hand, found),
                Work::Scan(folder) => self.scan(&mut hand, &folder),
                Work::Batch(folder, files) => self.read_batch(&mut hand, &folder, files),
                Work::Piece(big) => self.read_piece(&mut hand, &big),
            });
            self.fail_if(done);
        }
        let Hand { data, tree, .. } = hand;
        self.fail_if(data.finish().and(tree.finish()));
    }

    fn fail_if(&self, done: Result<()>) {
        if let Err(error) = done {
            lock(&self.failed).get_or_insert(error);
            self.crew.stop();
        }
    }

    fn finish_root(&self, node: Node) {
        assert!(
            self.root.set(node).is_ok(),
            "the root is finished once: its last entry is"
        );
    }

    fn add_problem(&self, path: TreePath, kind: ProblemKind, cause: String) {
        lock(&self.problems).add(path, kind, cause);
    }

    /// Notes that an entry could not be read; returns whether it is simply gone.
    fn note(&self, path: TreePath, error: &content::Error) -> bool {
        let gone = error.is_vanished();
        let kind = if gone {
            ProblemKind::Vanished
        } else {
            ProblemKind::Unreadable
        };
        let cause = match std::error::Error::source(error) {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        };
        self.add_problem(path, kind, cause);
        gone
    }

    fn fetch_previous(&self, id: &ChunkId) -> Result<Chunk> {
        self.reader.read(Stream::Tree, id)
    }

    /// Decides where the lists of directories are cut.
    fn hash_of(&self, name: &Name) -> u64 {
        let id = self
            .repository
            .objects()
            .keys()
            .chunk_id(Stream::Tree, name.as_bytes());
        u64::from_le_bytes(*id.as_bytes().first_chunk().expect("ids are longer"))
    }
}

/// The same time for those who show it; a microsecond is fine enough for them.
fn timestamp(time: FileTime) -> Timestamp {
    let micros = time.seconds.saturating_mul(1_000_000);
    Timestamp::from_micros(micros.saturating_add(i64::from(time.nanos / 1000)))
}
