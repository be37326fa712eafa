//! All lines of logs as they are, for searches: files of a directory, and streams of lines that
//! were stored.
//!
//! Nothing is remembered; a buffer of one line is all that is held.

use std::{
    io::{self, Read},
    ops::ControlFlow,
};

use super::{
    directory::LogDirectory,
    error::{Error, Result},
    format::Format,
    lines::line_end,
    listing::{Found, Listing},
    packing::{Unpacked, opening, packing},
    reading::{LINE_MAX, Span},
};

/// Bytes read at once.
const BLOCK: usize = 256 << 10;

/// The files of a directory at one moment.
pub struct LiveFiles {
    listing: Listing,
    files: Vec<LiveFile>,
}

/// A file of a directory.
#[derive(Clone, Debug)]
pub struct LiveFile {
    found: Found,
    opening: Vec<u8>,
    /// Its name.
    pub name: String,
    /// Its inode.
    pub inode: u64,
}

impl LogDirectory {
    /// The files that are logs of the directory's format. Of a file that is there plain and
    /// compressed only the first by name counts.
    pub fn live(&self) -> Result<LiveFiles> {
        let listing = self.list()?;
        let (mut files, mut seen): (Vec<LiveFile>, Vec<Vec<u8>>) = (Vec::new(), Vec::new());
        for found in listing.files.iter().filter(|found| found.stat.size > 0) {
            let looked = listing.file(found).and_then(|file| {
                let packing = packing(&file)?;
                Ok(opening(file, packing).0)
            });
            let Ok(opening) = looked else {
                continue;
            };
            let is_copy = seen.iter().any(|other| is_copy(other, &opening));
            if is_copy || !self.format().fits(&opening) {
                continue;
            }
            seen.push(opening.clone());
            files.push(LiveFile {
                opening,
                name: found.name.clone(),
                inode: found.stat.inode,
                found: found.clone(),
            });
        }
        Ok(LiveFiles { listing, files })
    }
}

/// Whether two files begin with the same bytes: lines have times, so one is a copy of the other.
fn is_copy(a: &[u8], b: &[u8]) -> bool {
    let length = a.len().min(b.len());
    a.get(..length) == b.get(..length)
}

impl LiveFile {
    /// Whether bytes that were read once are of this file, whatever its name is now.
    pub fn holds(&self, span: &Span) -> bool {
        let begins = span.begins.as_ref();
        begins.is_some_and(|head| head.fits(&self.opening))
    }
}

impl LiveFiles {
    /// The files, by name.
    pub fn files(&self) -> &[LiveFile] {
        &self.files
    }

    /// The bytes of a file as its writer wrote them, from a place on.
    pub fn open(&self, file: &LiveFile, from: u64) -> Result<impl Read + use<>> {
        let opened = self.listing.file(&file.found).and_then(|open| {
            let packing = packing(&open)?;
            Unpacked::open_at(open, packing, from)
        });
        opened.map_err(|cause| Error::File {
            file: file.name.clone(),
            cause,
        })
    }
}

/// Shows every whole line of a stream with its place; a last line without an end is shown too.
/// Lines longer than any that is kept are shown in parts.
pub fn lines(
    from: &mut dyn Read,
    format: Format,
    visit: &mut dyn FnMut(u64, &[u8]) -> ControlFlow<()>,
) -> io::Result<()> {
    let mut buffer = vec![0; BLOCK];
    let (mut place, mut filled, mut scanned) = (0, 0, 0);
    let (quotes, mut quoted) = (format == Format::PostgresCsv, false);
    loop {
        if filled == buffer.len() && buffer.len() < LINE_MAX {
            buffer.resize(buffer.len() * 2, 0);
        } else if filled == buffer.len() {
            // Longer than anything that is kept.
            if visit(place, &buffer).is_break() {
                return Ok(());
            }
            place += filled as u64;
            (filled, scanned, quoted) = (0, 0, false);
        }
        let mut reader = &mut *from;
        let room = buffer.get_mut(filled..).unwrap_or_default();
        let read = super::packing::fill(&mut reader, room)?;
        filled += read;
        let held = buffer.get(..filled).unwrap_or_default();
        let mut start = 0;
        while let Some(end) = line_end(held, &mut scanned, quotes.then_some(&mut quoted)) {
            let line = held.get(start..end).unwrap_or_default();
            if visit(place + start as u64, line).is_break() {
                return Ok(());
            }
            start = end;
        }
        if read == 0 {
            let rest = held.get(start..).unwrap_or_default();
            if !rest.is_empty() {
                let _ = visit(place + start as u64, rest);
            }
            return Ok(());
        }
        buffer.copy_within(start..filled, 0);
        place += start as u64;
        filled -= start;
        scanned -= start;
    }
}
