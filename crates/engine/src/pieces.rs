//! Pieces of a file or volume: what is wanted by its place, and then its bytes.
//!
//! Restores and streams ask for many chunks at once, so that neighbours are read and decoded
//! together; what lies in a row in one segment is one piece afterwards, and one write.
//!
//! Invariant: a piece that holds data has exactly the length that its place asks for.

use std::ops::Range;

use crate::{
    codec::Malformed,
    error::{Error, Result},
    id::{ChunkId, Stream},
    reader::{Chunk, Found, Reader},
};

/// A place and what belongs there.
pub(crate) struct Wanted {
    pub(crate) position: u64,
    pub(crate) length: u64,
    pub(crate) what: What,
}

/// What belongs in a place.
pub(crate) enum What {
    Hole,
    Chunk(ChunkId),
    /// It is not known: what would tell cannot be read.
    Lost(Error),
}

/// A place and its content.
pub(crate) struct Piece {
    pub(crate) position: u64,
    pub(crate) length: u64,
    pub(crate) held: Held,
}

/// The content of a place.
pub(crate) enum Held<B = Chunk> {
    Hole,
    Data(B),
    Lost(Error),
}

/// Takes a place and its content.
pub(crate) type Put<'p> = dyn FnMut(Range<u64>, Held<&[u8]>) -> Result<()> + 'p;

/// Reads everything that is wanted and hands it out as it comes, in no order but each place once;
/// ends with the first error of `put`. What is written where it belongs is best read like this.
pub(crate) fn stream(reader: &Reader, wanted: &[Wanted], put: &mut Put<'_>) -> Result<()> {
    let (mut ids, mut places) = (Vec::new(), Vec::new());
    for wanted in wanted {
        let place = wanted.position..wanted.position + wanted.length;
        match &wanted.what {
            What::Hole => put(place, Held::Hole)?,
            What::Lost(error) => put(place, Held::Lost(error.clone()))?,
            What::Chunk(id) => {
                ids.push(*id);
                places.push(place);
            }
        }
    }
    reader.visit(Stream::Data, &ids, &mut |found| match found {
        Found::Lost(at, error) => put(places[at].clone(), Held::Lost(error)),
        Found::Chunks { bytes, chunks } => {
            let mut run = (0..0, 0..0);
            for (at, chunk) in chunks {
                let place = places[*at].clone();
                if chunk.len() as u64 != place.end - place.start {
                    put(place, Held::Lost(another_length(ids[*at])))?;
                } else if (run.0.end, run.1.end) == (place.start, chunk.start) {
                    run = (run.0.start..place.end, run.1.start..chunk.end);
                } else {
                    flush(bytes, &run, put)?;
                    run = (place, chunk.clone());
                }
            }
            flush(bytes, &run, put)
        }
    })
}

/// Hands out chunks in a row: their place and their bytes.
fn flush(bytes: &[u8], (place, run): &(Range<u64>, Range<usize>), put: &mut Put<'_>) -> Result<()> {
    match bytes.get(run.clone()) {
        Some(run) if !run.is_empty() => put(place.clone(), Held::Data(run)),
        _ => Ok(()),
    }
}

fn another_length(id: ChunkId) -> Error {
    Error::NodeMalformed {
        id,
        malformed: Malformed::new("a chunk has another length than its place"),
    }
}

/// Reads everything that is wanted; each group by itself has its pieces in order.
pub(crate) fn load(reader: &Reader, groups: Vec<Vec<Wanted>>) -> Vec<Vec<Piece>> {
    let id = |wanted: &Wanted| match wanted.what {
        What::Chunk(id) => Some(id),
        _ => None,
    };
    let ids: Vec<ChunkId> = groups.iter().flatten().filter_map(id).collect();
    let mut chunks = reader.read_all(Stream::Data, &ids).into_iter();
    let mut loaded = Vec::with_capacity(groups.len());
    for group in groups {
        let mut pieces: Vec<Piece> = Vec::with_capacity(group.len());
        for wanted in group {
            let piece = hold(wanted, &mut chunks);
            if !pieces.last_mut().is_some_and(|last| last.join(&piece)) {
                pieces.push(piece);
            }
        }
        loaded.push(pieces);
    }
    loaded
}

fn hold(wanted: Wanted, chunks: &mut impl Iterator<Item = Result<Chunk>>) -> Piece {
    let Wanted {
        position,
        length,
        what,
    } = wanted;
    let held = match what {
        What::Hole => Held::Hole,
        What::Lost(error) => Held::Lost(error),
        What::Chunk(id) => match chunks.next() {
            Some(Ok(chunk)) if chunk.len() as u64 == length => Held::Data(chunk),
            Some(Err(error)) => Held::Lost(error),
            _ => Held::Lost(another_length(id)),
        },
    };
    Piece {
        position,
        length,
        held,
    }
}

impl Piece {
    /// Takes `next` in if its bytes follow on these, in the file and in memory.
    fn join(&mut self, next: &Self) -> bool {
        let joined = match (&mut self.held, &next.held) {
            (Held::Data(mine), Held::Data(theirs)) => {
                self.position + self.length == next.position && mine.join(theirs)
            }
            _ => false,
        };
        if joined {
            self.length += next.length;
        }
        joined
    }
}
