//! The bytes of one file in order, read ahead while those before are handed over.

use std::{panic::resume_unwind, thread};

use crate::{
    error::{Error, Result},
    pieces::{self, Held, Wanted, What, load},
    reader::Reader,
    tree::{
        Progress,
        entry::{Content, Extent},
        find::Extents,
    },
};

/// Bytes that are read ahead.
const AHEAD_BYTES: u64 = 4 << 20;

/// A range of a file that is no hole, or was lost.
pub(super) enum Piece<'a> {
    /// These bytes.
    Bytes(&'a [u8]),
    /// So many bytes that nobody has any more.
    Lost(u64, Error),
}

/// Hands over everything of a file that is no hole, with its position, in order. A store that
/// does not answer ends it: that says nothing about what is there.
pub(super) fn visit_content(
    reader: &Reader,
    content: &Content,
    size: u64,
    progress: &Progress,
    visit: &mut dyn FnMut(u64, Piece<'_>) -> Result<()>,
) -> Result<()> {
    if let Content::Inline(bytes) = content {
        return visit(0, Piece::Bytes(bytes));
    }
    let mut extents = Extents::from_offset(content, size, 0);
    let read = |window| load(reader, vec![window]).pop().unwrap_or_default();
    let mut window = read(next_window(&mut extents, reader)?);
    while !window.is_empty() {
        progress.check()?;
        let following = next_window(&mut extents, reader)?;
        window = thread::scope(|scope| {
            let following = scope.spawn(|| read(following));
            hand_over(window, visit)?;
            Ok(following
                .join()
                .unwrap_or_else(|panic| resume_unwind(panic)))
        })?;
    }
    Ok(())
}

fn hand_over(
    window: Vec<pieces::Piece>,
    visit: &mut dyn FnMut(u64, Piece<'_>) -> Result<()>,
) -> Result<()> {
    for piece in window {
        match piece.held {
            Held::Hole => {}
            Held::Data(bytes) => visit(piece.position, Piece::Bytes(&bytes))?,
            Held::Lost(error @ (Error::Store { .. } | Error::Cancelled)) => return Err(error),
            Held::Lost(error) => visit(piece.position, Piece::Lost(piece.length, error))?,
        }
    }
    Ok(())
}

/// What comes next and is no hole; nothing at the end.
fn next_window(extents: &mut Extents, reader: &Reader) -> Result<Vec<Wanted>> {
    let (mut window, mut bytes) = (Vec::new(), 0);
    while bytes < AHEAD_BYTES {
        let Some((position, extent)) = extents.next(reader) else {
            break;
        };
        let (length, what) = match extent {
            Ok(Extent::Hole(_)) => continue,
            Ok(Extent::Data { length, id }) => (length.into(), What::Chunk(id)),
            Err((_, error @ (Error::Store { .. } | Error::Cancelled))) => return Err(error),
            Err((length, error)) => (length, What::Lost(error)),
        };
        if let What::Chunk(_) = what {
            bytes += length;
        }
        window.push(Wanted {
            position,
            length,
            what,
        });
    }
    Ok(window)
}
