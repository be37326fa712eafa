//! How far a directory of logs was read: of every file what it was and up to where.
//!
//! A file is known by device and inode as long as its content agrees, and by its content when it
//! was copied or compressed: hashes of its first bytes, and of the last bytes before the place up
//! to which it was read. So a rename, a copy that is then cut, a compression and a replacement are
//! told apart, and reading goes on in the right place or not at all.
//!
//! Invariant: a position is about bytes that were read and passed on, never about more.

use serde::{Deserialize, Serialize};

/// The version that this release writes.
const VERSION: u32 = 1;
/// Bytes before the place in a file that prove what was read.
pub(super) const TAIL: u64 = 4096;
/// How many first bytes are remembered, if there are as many.
pub(super) const HEADS: [u64; 3] = [64, 512, 4096];

/// How far the logs of a directory were read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    pub(super) version: u32,
    /// The files, in the order in which they were met.
    pub(super) marks: Vec<Mark>,
}

impl Default for Position {
    fn default() -> Self {
        Self {
            version: VERSION,
            marks: Vec::new(),
        }
    }
}

impl Position {
    /// The version, if it is not one that this release knows.
    pub(super) fn unknown_version(&self) -> Option<u32> {
        (self.version != VERSION).then_some(self.version)
    }

    /// Files that are known, and bytes of each that were read.
    pub fn files(&self) -> impl Iterator<Item = (&str, u64)> {
        self.marks
            .iter()
            .map(|mark| (mark.name.as_str(), mark.offset))
    }
}

/// How a file is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Packing {
    Plain,
    Gzip,
    Zstd,
}

/// What is with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    /// It may have more.
    Open,
    /// It was read to its end, and its writer has gone on to another file.
    Closed,
    /// It was closed and is no more; should it come back, it is not read again.
    Gone,
}

/// A file as the file system tells of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stat {
    pub(super) device: u64,
    pub(super) inode: u64,
    /// Bytes as they are stored.
    pub(super) size: u64,
    /// Nanoseconds since 1970.
    pub(super) modified: i64,
    pub(super) changed: i64,
}

impl Stat {
    pub(super) const fn identity(&self) -> (u64, u64) {
        (self.device, self.inode)
    }
}

/// A hash of the first `length` bytes of a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Head {
    pub(super) length: u64,
    pub(super) hash: Hash,
}

/// The first half of a BLAKE3 hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct Hash([u8; 16]);

impl Hash {
    pub(super) fn of(bytes: &[u8]) -> Self {
        let hash = blake3::hash(bytes);
        let mut half = [0; 16];
        half.copy_from_slice(&hash.as_bytes()[..16]);
        Self(half)
    }
}

impl Head {
    /// Whether bytes begin so.
    pub(super) fn fits(&self, opening: &[u8]) -> bool {
        let length = usize::try_from(self.length).ok();
        let opening = length.and_then(|length| opening.get(..length));
        opening.is_some_and(|opening| Hash::of(opening) == self.hash)
    }
}

impl From<Hash> for String {
    fn from(hash: Hash) -> Self {
        use std::fmt::Write as _;
        let mut text = Self::with_capacity(32);
        for byte in hash.0 {
            write!(text, "{byte:02x}").expect("texts grow");
        }
        text
    }
}

impl TryFrom<String> for Hash {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        const BAD: &str = "not 32 hexadecimal digits";
        let digits = text.as_bytes();
        let mut half = [0; 16];
        if digits.len() != 32 {
            return Err(BAD);
        }
        for (byte, pair) in half.iter_mut().zip(digits.chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| BAD)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| BAD)?;
        }
        Ok(Self(half))
    }
}

/// How far one file was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    pub(super) name: String,
    pub(super) stat: Stat,
    pub(super) packing: Packing,
    pub(super) state: State,
    /// Bytes that were read, as the writer wrote them.
    pub(super) offset: u64,
    /// Bytes behind them that were there and not read: a line without its end, or more than the
    /// budget. Of a compressed file nobody knows before it is read.
    pub(super) unread: Option<u64>,
    /// Of the bytes that it begins with, read or not.
    pub(super) heads: Vec<Head>,
    /// How many of them are whole lines, or were read: what tells the file again elsewhere.
    pub(super) firm: u64,
    /// Of the last [`TAIL`] bytes that were read, or of all if there were fewer.
    pub(super) tail: Hash,
    /// The time of the last line that had one, in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) latest: Option<i64>,
}

impl Mark {
    /// A file of which nothing was read, that begins with these bytes.
    pub(super) fn new(name: String, stat: Stat, packing: Packing, opening: &[u8]) -> Self {
        Self {
            name,
            stat,
            packing,
            state: State::Open,
            offset: 0,
            unread: (packing == Packing::Plain).then_some(stat.size),
            heads: heads(opening),
            firm: firm(opening),
            tail: Hash::of(b""),
            latest: None,
        }
    }

    /// Whether bytes that a file begins with are those that this one began with; `None` if there
    /// are too few of either to say.
    pub(super) fn opens_like(&self, opening: &[u8]) -> Option<bool> {
        let mut known = self.heads.iter().rev();
        let head = known.find(|head| head.length <= opening.len() as u64)?;
        Some(head.fits(opening))
    }

    /// The same by whole lines only, for files that nothing else speaks for: the first bytes of a
    /// line may be those of any line.
    pub(super) fn surely_opens_like(&self, opening: &[u8]) -> Option<bool> {
        let most = self.firm.min(opening.len() as u64);
        let mut known = self.heads.iter().rev();
        let head = known.find(|head| head.length <= most)?;
        Some(head.fits(opening))
    }

    /// Where the bytes begin that [`tail`](Self::tail) is of.
    pub(super) const fn tail_from(&self) -> u64 {
        self.offset.saturating_sub(TAIL)
    }

    /// Notes that the file was read up to `offset`, with what it begins with and what came last.
    pub(super) fn advance(&mut self, offset: u64, opening: &[u8], recent: &[u8]) {
        self.offset = offset;
        self.tail = Hash::of(recent);
        // What was read was taken for lines, with their ends or without.
        (self.heads, self.firm) = (heads(opening), opening.len() as u64);
    }

    /// Whether it was read to its end.
    pub(super) const fn is_exhausted(&self) -> bool {
        matches!(self.unread, Some(0))
    }
}

/// How many of the first bytes are whole lines.
fn firm(opening: &[u8]) -> u64 {
    let length = opening.len() as u64;
    if length >= TAIL {
        return TAIL;
    }
    memchr::memrchr(b'\n', opening).map_or(0, |end| end as u64 + 1)
}

/// Hashes of the first bytes, at a few lengths.
fn heads(opening: &[u8]) -> Vec<Head> {
    let most = (opening.len() as u64).min(TAIL);
    let mut lengths: Vec<u64> = HEADS.into_iter().filter(|len| *len <= most).collect();
    lengths.extend([firm(opening), most]);
    lengths.retain(|length| *length > 0);
    lengths.sort_unstable();
    lengths.dedup();
    let of = |length: u64| {
        let bytes = opening.get(..usize::try_from(length).ok()?)?;
        let hash = Hash::of(bytes);
        Some(Head { length, hash })
    };
    lengths.into_iter().filter_map(of).collect()
}
