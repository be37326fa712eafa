//! What can go wrong in a repository, said in terms of what is lost and what to do.
//!
//! A variant names the chunk, pack, manifest or slot it is about; how the bytes are bad is a
//! [`Damage`], and only [`Error::Store`] comes from below. Corruption is never an I/O error.
//! Errors are cheap to clone, because the first error of a writer is returned by every later call
//! on it.

use std::{ops::Range, sync::Arc};

use strongroom_model::content;
use strongroom_store::ErrorKind;

use crate::{
    codec::Malformed,
    id::{ChunkId, ManifestId, PackId, Stream},
    layout::Object,
    manifest::Layer,
};

/// The engine's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why the engine could not do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The store failed.
    #[error("the store could not {doing}")]
    Store {
        /// What was asked of it, as an infinitive.
        doing: &'static str,
        /// The store's own words.
        source: Arc<strongroom_store::Error>,
    },
    /// There is no repository.
    #[error("no repository in {place}: it has no object named \"format\"")]
    NotARepository {
        /// The store.
        place: String,
    },
    /// There is a repository already.
    #[error("{place} holds a repository already")]
    RepositoryExists {
        /// The store.
        place: String,
    },
    /// The repository is of a newer format.
    #[error(
        "the repository has format version {found} and this program knows {known}: use a newer one"
    )]
    FormatTooNew {
        /// Its version.
        found: u16,
        /// The newest version known.
        known: u16,
    },
    /// No key slot opens with the given key or passphrase.
    #[error("none of the {slots} key slots of the repository opens with the given {given}")]
    WrongKey {
        /// Key slots tried.
        slots: usize,
        /// "key" or "passphrase".
        given: &'static str,
    },
    /// There is no such key slot.
    #[error("there is no {slot}")]
    SlotMissing {
        /// The slot.
        slot: Object,
    },
    /// The slot is the one that opened the repository.
    #[error("{slot} is what opens the repository now; open it in another way, or force it")]
    SlotInUse {
        /// The slot.
        slot: Object,
    },
    /// Without the slot nothing would open the repository.
    #[error("{slot} is the last one; without it nobody could open the repository")]
    LastSlot {
        /// The slot.
        slot: Object,
    },
    /// A setting that no repository or writer can have.
    #[error("{what} must be {rule}")]
    BadOption {
        /// The setting.
        what: &'static str,
        /// What it may be.
        rule: &'static str,
    },
    /// An object other than a chunk's segment cannot be used.
    #[error("{object} is damaged")]
    Damaged {
        /// The object.
        object: Object,
        /// How it is bad.
        #[source]
        damage: Damage,
    },
    /// No index run knows the chunk.
    #[error("{stream} chunk {id} is lost: no index run knows it")]
    ChunkMissing {
        /// The chunk.
        id: ChunkId,
        /// What it is for.
        stream: Stream,
    },
    /// The index knows the chunk, but its bytes cannot be had.
    #[error("{stream} chunk {id} is lost: bytes {}..{} of pack {pack} cannot be used", bytes.start, bytes.end)]
    ChunkLost {
        /// The chunk.
        id: ChunkId,
        /// What it is for.
        stream: Stream,
        /// The pack that holds it.
        pack: PackId,
        /// The segment that holds it, in bytes of the pack.
        bytes: Range<u64>,
        /// How the bytes are bad.
        #[source]
        damage: Damage,
    },
    /// A chunk of one kind was asked for as the other.
    #[error("chunk {id} does not hold {wanted} bytes")]
    ChunkRole {
        /// The chunk.
        id: ChunkId,
        /// What it was asked for as.
        wanted: Stream,
    },
    /// A chunk may not have this size.
    #[error("a chunk of {len} bytes cannot be stored: chunks have 1 to {max} bytes")]
    ChunkSize {
        /// Bytes given.
        len: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// There is no such manifest.
    #[error("there is no manifest {id}")]
    ManifestMissing {
        /// The manifest.
        id: ManifestId,
    },
    /// The manifest is forgotten; its chunks may go at any time.
    #[error("manifest {id} is forgotten")]
    ManifestForgotten {
        /// The manifest.
        id: ManifestId,
    },
    /// A collector gave the writer up and fenced it off.
    #[error(
        "writer {id} was given up and fenced off by a collection; nothing was committed, run it again"
    )]
    Fenced {
        /// The manifest that will never be.
        id: ManifestId,
    },
    /// The writer committed before the fence.
    #[error("writer {id} has committed already and cannot be fenced off")]
    Committed {
        /// The manifest.
        id: ManifestId,
    },
    /// Packs that the writer relied on are about to go and could not be written anew.
    #[error(
        "packs that manifest {id} needs are being collected; nothing was committed, run it again"
    )]
    Quarantined {
        /// The manifest that was to be.
        id: ManifestId,
    },
    /// A commit came before the streams of the writer were finished.
    #[error("{open} streams of the writer are not finished")]
    StreamsOpen {
        /// Streams that still exist.
        open: usize,
    },
    /// What was sealed does not decode to what the ids name: bad memory or a broken encoder.
    #[error(
        "a segment did not decode to the chunks it was made of; nothing was committed. \
         Suspect the memory of this machine"
    )]
    VerifyMismatch {
        /// How it differs.
        #[source]
        damage: Damage,
    },
    /// The writer's threads ended before their time; a bug.
    #[error("a thread of the writer died; nothing was committed")]
    WriterDied,
    /// What a manifest needs cannot be told, so nothing may be removed.
    #[error("manifest {manifest} cannot be walked, so nothing is collected; repair or forget it")]
    CannotCollect {
        /// The manifest.
        manifest: ManifestId,
        /// Why.
        source: Box<Error>,
    },
    /// Others merged index runs each time this program came to read them.
    #[error("the index was merged again and again while it was read; try again")]
    IndexMoving,
    /// zstd cannot be set up: memory is short.
    #[error("the compressor cannot be set up; is memory short?")]
    Compressor {
        /// zstd's own words.
        source: Arc<std::io::Error>,
    },
    /// A source or a target failed in a way that ends the operation.
    #[error("the source or target failed")]
    Source(#[source] Arc<content::Error>),
    /// The caller's output took no more bytes.
    #[error("the output took no more bytes")]
    Output(#[source] Arc<std::io::Error>),
    /// The caller's stream could not be read to its end.
    #[error("the input could not be read to its end; nothing was committed")]
    Input(#[source] Arc<std::io::Error>),
    /// The operation was asked to end.
    #[error("the operation was cancelled")]
    Cancelled,
    /// A tree chunk is authentic and still not the node that was expected: a bug, or a newer
    /// program.
    #[error("tree chunk {id} is not the node it should be")]
    NodeMalformed {
        /// The chunk.
        id: ChunkId,
        /// Which rule it breaks.
        #[source]
        malformed: Malformed,
    },
    /// A manifest holds a volume where a tree was asked for, or the other way round.
    #[error("manifest {id} holds a {}", match found { Layer::Tree => "tree", Layer::Volume => "volume" })]
    WrongLayer {
        /// The manifest.
        id: ManifestId,
        /// What it holds.
        found: Layer,
    },
    /// The tree has no such path.
    #[error("the tree has no {path}")]
    PathMissing {
        /// The path.
        path: content::TreePath,
    },
    /// Only files have bytes.
    #[error("{path} is not a file")]
    NotAFile {
        /// The path.
        path: content::TreePath,
    },
}

impl Error {
    /// The kind of the store's error, if the store is to blame.
    pub fn store_kind(&self) -> Option<ErrorKind> {
        match self {
            Self::Store { source, .. } => Some(source.kind),
            _ => None,
        }
    }

    pub(crate) fn source(error: content::Error) -> Self {
        Self::Source(Arc::new(error))
    }

    pub(crate) fn input(error: std::io::Error) -> Self {
        Self::Input(Arc::new(error))
    }

    /// An error of the caller's output: ends whatever calls it back.
    pub fn output(error: std::io::Error) -> Self {
        Self::Output(Arc::new(error))
    }

    pub(crate) fn store(doing: &'static str) -> impl FnOnce(strongroom_store::Error) -> Self {
        move |source| Self::Store {
            doing,
            source: Arc::new(source),
        }
    }

    pub(crate) fn damaged(object: Object) -> impl FnOnce(Damage) -> Self {
        move |damage| match damage {
            // The header speaks for the whole repository; a newer object in an older repository is
            // damage like any other.
            Damage::TooNew { found, known } if object == Object::Format => {
                Self::FormatTooNew { found, known }
            }
            damage => Self::Damaged { object, damage },
        }
    }
}

/// How bytes are bad.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Damage {
    /// The object is not there.
    #[error("the object is missing")]
    Missing,
    /// The store has the object and cannot read it, as with a bad sector.
    #[error("the store cannot read the object")]
    Unreadable,
    /// The object is shorter than it was when it was written.
    #[error("the object is truncated: it has {found} of {expected} bytes")]
    Truncated {
        /// Bytes it should have.
        expected: u64,
        /// Bytes it has.
        found: u64,
    },
    /// The bytes fail authentication at that position.
    #[error("the bytes at {at} were altered, or moved here from another place")]
    Altered {
        /// Position in the object.
        at: u64,
    },
    /// The header does not fit the repository's keys.
    #[error("the header was altered, or sealed with another key")]
    WrongKey,
    /// The object belongs to another repository.
    #[error("the object belongs to repository {found}")]
    Foreign {
        /// The other repository.
        found: crate::id::RepositoryId,
    },
    /// The object is of another kind.
    #[error("the object is of kind {found}, not {expected}")]
    WrongKind {
        /// Kind expected.
        expected: u8,
        /// Kind found.
        found: u8,
    },
    /// The object's bytes do not hash to its name.
    #[error("the object's bytes do not match its name")]
    WrongName,
    /// The format version is newer than this program.
    #[error("format version {found} is newer than {known}")]
    TooNew {
        /// Version found.
        found: u16,
        /// Newest version known.
        known: u16,
    },
    /// The algorithm is unknown.
    #[error("unknown {what} {found}")]
    UnknownAlgorithm {
        /// Which one.
        what: &'static str,
        /// Its number.
        found: u8,
    },
    /// The bytes are authentic but break the format; a bug of the writer.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// More of the pack is bad than its parity can make up for.
    #[error("{bad} of its shards are bad and parity can heal {healable}")]
    BeyondParity {
        /// Shards that are bad.
        bad: usize,
        /// Shards that could be healed.
        healable: usize,
    },
    /// The segment does not decompress to its length.
    #[error("the segment does not decompress")]
    Undecodable,
    /// The chunk's bytes do not hash to its id.
    #[error("the decoded bytes do not match the chunk's id")]
    WrongId,
}
