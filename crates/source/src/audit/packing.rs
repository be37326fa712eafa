//! The bytes of a file as its writer wrote them, compressed since or not.
//!
//! A file is told by its first bytes, not by its name. One that grows while it is read ends where
//! it ended when it was opened.

use std::{
    fs::File,
    io::{self, BufReader, ErrorKind, Read},
    os::unix::fs::FileExt,
};

use flate2::bufread::MultiGzDecoder;

use super::position::{Mark, Packing, TAIL};

/// Bytes read ahead of the decoders.
const AHEAD: usize = 128 << 10;

/// Reads what the writer wrote.
pub(super) struct Unpacked {
    from: From,
}

enum From {
    Plain { file: File, at: u64, end: u64 },
    Gzip(Box<MultiGzDecoder<BufReader<File>>>),
    Zstd(Box<zstd::Decoder<'static, BufReader<File>>>),
}

/// A file, open where its mark says.
pub(super) struct Resumed {
    pub(super) reader: Unpacked,
    /// The bytes that it begins with, at most [`TAIL`], at most those that were read.
    pub(super) opening: Vec<u8>,
    /// The last bytes that were read, at most [`TAIL`].
    pub(super) recent: Vec<u8>,
}

/// Whether a file holds what its mark says was read.
pub(super) enum Resumption {
    /// It does.
    Fits(Resumed),
    /// It ends before that place, and all of it is what was read, as far as one can tell.
    Short,
    /// It holds something else.
    Differs,
}

/// How a file is stored.
pub(super) fn packing(file: &File) -> io::Result<Packing> {
    let mut magic = [0; 4];
    let read = fill_at(file, &mut magic, 0)?;
    Ok(match magic.get(..read).unwrap_or_default() {
        [0x1f, 0x8b, ..] => Packing::Gzip,
        [0x28, 0xb5, 0x2f, 0xfd] => Packing::Zstd,
        _ => Packing::Plain,
    })
}

/// Reads until the buffer is full or the file ends.
fn fill_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(free) = buffer.get_mut(filled..).filter(|free| !free.is_empty()) {
        match file.read_at(free, at + filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Reads until the buffer is full or the stream ends.
pub(super) fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(free) = buffer.get_mut(filled..).filter(|free| !free.is_empty()) {
        match reader.read(free) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// The bytes that a file begins with, at most [`TAIL`], as the writer wrote them; and what ended
/// them early.
pub(super) fn opening(file: File, packing: Packing) -> (Vec<u8>, io::Result<()>) {
    let mut bytes = Vec::new();
    let opened = Unpacked::open(file, packing).and_then(|reader| {
        // What a damaged stream yields before its damage is worth having.
        reader.take(TAIL).read_to_end(&mut bytes).map(drop)
    });
    (bytes, opened)
}

impl Unpacked {
    /// Reads from the beginning.
    pub(super) fn open(file: File, packing: Packing) -> io::Result<Self> {
        let ahead = |file| BufReader::with_capacity(AHEAD, file);
        let from = match packing {
            Packing::Plain => From::Plain {
                end: file.metadata()?.len(),
                file,
                at: 0,
            },
            Packing::Gzip => From::Gzip(Box::new(MultiGzDecoder::new(ahead(file)))),
            Packing::Zstd => From::Zstd(Box::new(zstd::Decoder::with_buffer(ahead(file))?)),
        };
        Ok(Self { from })
    }

    /// Reads from a place on.
    pub(super) fn open_at(file: File, packing: Packing, place: u64) -> io::Result<Self> {
        let mut opened = Self::open(file, packing)?;
        match &mut opened.from {
            From::Plain { at, end, .. } => *at = place.min(*end),
            From::Gzip(_) | From::Zstd(_) => drop(opened.skip(place, &mut Vec::new())?),
        }
        Ok(opened)
    }

    /// Reads the next `length` bytes away, and returns the last of them, at most [`TAIL`], with the
    /// number that there were.
    fn skip(&mut self, length: u64, opening: &mut Vec<u8>) -> io::Result<(u64, Vec<u8>)> {
        let (mut recent, mut skipped) = (Vec::new(), 0);
        let mut buffer = vec![0; AHEAD];
        while skipped < length {
            let part = usize::try_from(length - skipped).map_or(AHEAD, |part| part.min(AHEAD));
            let read = fill(self, buffer.get_mut(..part).unwrap_or_default())?;
            if read == 0 {
                break;
            }
            let bytes = buffer.get(..read).unwrap_or_default();
            remember(bytes, opening, &mut recent);
            skipped += read as u64;
        }
        Ok((skipped, recent))
    }
}

/// Keeps the first and the last [`TAIL`] bytes of all that passes.
pub(super) fn remember(bytes: &[u8], opening: &mut Vec<u8>, recent: &mut Vec<u8>) {
    let most = usize::try_from(TAIL).unwrap_or(usize::MAX);
    let room = most.saturating_sub(opening.len()).min(bytes.len());
    opening.extend_from_slice(bytes.get(..room).unwrap_or_default());
    let last = bytes
        .get(bytes.len().saturating_sub(most)..)
        .unwrap_or_default();
    let too_many = (recent.len() + last.len()).saturating_sub(most);
    recent.drain(..too_many.min(recent.len()));
    recent.extend_from_slice(last);
}

impl Read for Unpacked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.from {
            From::Plain { file, at, end } => {
                let left = usize::try_from(*end - *at).unwrap_or(usize::MAX);
                let length = buffer.len().min(left);
                let read = file.read_at(buffer.get_mut(..length).unwrap_or_default(), *at)?;
                *at += read as u64;
                Ok(read)
            }
            From::Gzip(decoder) => decoder.read(buffer),
            From::Zstd(decoder) => decoder.read(buffer),
        }
    }
}

/// Opens a file at the place up to which it was read, if it holds what was read.
pub(super) fn resume(file: File, packing: Packing, mark: &Mark) -> io::Result<Resumption> {
    if packing == Packing::Plain {
        return resume_plain(file, mark);
    }
    let (mut opening, mut reader) = (Vec::new(), Unpacked::open(file, packing)?);
    let (skipped, recent) = reader.skip(mark.offset, &mut opening)?;
    if mark.offset > 0 && mark.opens_like(&opening) == Some(false) {
        return Ok(Resumption::Differs);
    }
    if skipped < mark.offset {
        return Ok(Resumption::Short);
    }
    Ok(if super::position::Hash::of(&recent) == mark.tail {
        Resumption::Fits(Resumed {
            reader,
            opening,
            recent,
        })
    } else {
        Resumption::Differs
    })
}

fn resume_plain(file: File, mark: &Mark) -> io::Result<Resumption> {
    let end = file.metadata()?.len();
    let mut opening = read_at(&file, 0, end.min(TAIL))?;
    if mark.opens_like(&opening) == Some(false) {
        return Ok(Resumption::Differs);
    }
    // What was seen and not read is missed as well.
    if end < mark.offset.saturating_add(mark.unread.unwrap_or(0)) {
        return Ok(Resumption::Short);
    }
    opening.truncate(usize::try_from(mark.offset).unwrap_or(usize::MAX));
    let from = mark.tail_from();
    let recent = read_at(&file, from, mark.offset - from)?;
    if super::position::Hash::of(&recent) != mark.tail {
        return Ok(Resumption::Differs);
    }
    let at = mark.offset;
    let reader = Unpacked {
        from: From::Plain { file, at, end },
    };
    Ok(Resumption::Fits(Resumed {
        reader,
        opening,
        recent,
    }))
}

fn read_at(file: &File, at: u64, length: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
    let read = fill_at(file, &mut bytes, at)?;
    bytes.truncate(read);
    Ok(bytes)
}

/// The bytes before a place in a file and those that it begins with, for a mark that stands there.
pub(super) fn around(file: &File, place: u64) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let from = place.saturating_sub(TAIL);
    Ok((
        read_at(file, 0, place.min(TAIL))?,
        read_at(file, from, place - from)?,
    ))
}
