//! Reads a file piece by piece, cuts it into chunks and builds its content.
//!
//! A piece ends where a chunk ends, and the next one starts there. So the cuts of a file do not
//! depend on who reads which piece, and one file can be read by many threads: reading and cutting
//! are serial but cheap, hashing and compressing are not and happen outside.

use std::ops::Range;

use strongroom_model::content::{self, SourceFile, Stat, Xattr};

use crate::{
    chunk::{Cutter, Rest},
    error::Result,
    tree::{
        entry::{Content, Extent, INLINE_EXTENTS_MAX, INLINE_XATTRS_MAX, Xattrs},
        sequence::{Builder, Put},
    },
};

/// Bytes read at a time; at least two of the longest chunks.
pub(super) const PIECE_BYTES: usize = 2 << 20;

/// What fits into a page and has all its blocks has no holes worth a question.
const PAGE_BYTES: u64 = 4096;

/// A file that is being read, and how far.
pub(super) struct Pieces {
    size: u64,
    offset: u64,
    /// The data around `offset`; nothing is known behind it.
    data: Range<u64>,
    sparse: bool,
}

/// What was read: perhaps a hole, then chunks of these lengths at the front of the buffer.
pub(super) struct Piece {
    pub(super) hole: u64,
    pub(super) lengths: Vec<usize>,
}

impl Pieces {
    /// The pieces of the file that `stat` tells of.
    pub(super) fn of(stat: &Stat) -> Self {
        Self {
            size: stat.size,
            offset: 0,
            data: 0..0,
            // The allocated blocks tell little: attributes and block maps are among them, so that
            // a file with holes can have more blocks than it has bytes.
            sparse: stat.allocated < stat.size || stat.size > PAGE_BYTES,
        }
    }

    /// Reads the next piece into `buffer`; `None` at the end, which comes early if the file was
    /// cut off meanwhile.
    pub(super) fn next(
        &mut self,
        file: &dyn SourceFile,
        cutter: &Cutter,
        buffer: &mut Vec<u8>,
    ) -> content::Result<Option<Piece>> {
        if self.offset >= self.size {
            return Ok(None);
        }
        let hole = if self.offset < self.data.end {
            0
        } else {
            self.find_data(file)?
        };
        let wanted = usize::try_from(self.data.end - self.offset).unwrap_or(usize::MAX);
        let wanted = wanted.min(PIECE_BYTES);
        if buffer.len() < wanted {
            buffer.resize(wanted, 0);
        }
        let window = buffer.get_mut(..wanted).unwrap_or_default();
        let count = if wanted == 0 {
            0
        } else {
            file.read_at(window, self.offset)?
        };
        if count < wanted {
            self.size = self.offset + count as u64;
            self.data.end = self.size;
        }
        let mut rest = window.get(..count).unwrap_or_default();
        let ended = self.offset + count as u64 == self.data.end;
        let mut lengths = Vec::with_capacity(count / cutter.max() * 4 + 1);
        while let Some(length) = cutter.next(rest, if ended { Rest::Ended } else { Rest::Follows })
        {
            lengths.push(length);
            self.offset += length as u64;
            rest = rest.get(length..).unwrap_or_default();
        }
        Ok(Some(Piece { hole, lengths }))
    }

    /// Goes to the next data; returns the length of the hole in front of it.
    fn find_data(&mut self, file: &dyn SourceFile) -> content::Result<u64> {
        let from = self.offset;
        let data = if self.sparse {
            file.next_data(from)?
        } else {
            Some(from..self.size)
        };
        self.data = match data {
            Some(data) if data.start < self.size => data.start.max(from)..data.end.min(self.size),
            _ => self.size..self.size,
        };
        self.offset = self.data.start;
        Ok(self.offset - from)
    }
}

/// Builds the content of a file from its extents in order.
#[derive(Default)]
pub(super) struct ContentBuilder {
    few: Vec<Extent>,
    many: Option<Builder<Extent>>,
    length: u64,
}

impl ContentBuilder {
    pub(super) fn push(&mut self, extent: Extent, put: &mut Put<'_>) -> Result<()> {
        use crate::tree::sequence::Item as _;
        self.length += extent.length();
        if let Some(many) = &mut self.many {
            return many.push(&extent, extent.hash(), put);
        }
        self.few.push(extent);
        if self.few.len() > INLINE_EXTENTS_MAX {
            let mut many = Builder::default();
            for extent in self.few.drain(..) {
                many.push(&extent, extent.hash(), put)?;
            }
            self.many = Some(many);
        }
        Ok(())
    }

    /// The content and its length in bytes.
    pub(super) fn finish(self, put: &mut Put<'_>) -> Result<(Content, u64)> {
        let list = match self.many {
            Some(many) => many.finish(put)?,
            None => None,
        };
        let content = list.map_or(Content::Extents(self.few), Content::List);
        Ok((content, self.length))
    }
}

/// Stores extended attributes, in the entry or apart from it.
pub(super) fn store_xattrs(xattrs: Vec<Xattr>, put: &mut Put<'_>) -> Result<Xattrs> {
    let bytes: usize = xattrs
        .iter()
        .map(|xattr| xattr.name.len() + xattr.value.len() + 8)
        .sum();
    if bytes <= INLINE_XATTRS_MAX {
        return Ok(Xattrs::Inline(xattrs));
    }
    let mut list = Builder::default();
    for xattr in &xattrs {
        list.push(xattr, 1, put)?;
    }
    let root = list.finish(put)?;
    Ok(root.map_or(Xattrs::Inline(Vec::new()), Xattrs::List))
}
