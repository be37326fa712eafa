//! Lines that are not there, or may not be: which, how many bytes, why.
//!
//! Invariant: nothing is lost without a gap; a gap that may have lost nothing says so.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why lines are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GapKind {
    /// A log went away before it was read to its end.
    DeletedUnread,
    /// A log was cut before it was read to its end, and nobody kept a copy of what it was.
    Truncated,
    /// Something else stands where a log was that was not read to its end.
    Rewritten,
    /// The medium or the compression is damaged.
    Unreadable,
    /// A line is longer than [`LINE_MAX`](super::reading::LINE_MAX).
    LineTooLong,
    /// A line is older than the one before it: nothing is lost, but the clock moved.
    ClockRanBack,
}

/// How much is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lost {
    /// Nothing.
    Nothing,
    /// That many bytes were seen and not read; more may have come after.
    Bytes(u64),
    /// Nobody knows; perhaps nothing.
    Unknown,
}

/// Lines that are missing, or may be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// Why.
    pub kind: GapKind,
    /// The name that the file had last.
    pub file: String,
    /// The first missing byte of what the writer wrote, before compression.
    pub from: u64,
    /// The byte after the last missing one, if that is known.
    pub to: Option<u64>,
    /// How much.
    pub lost: Lost,
}

/// A log that cannot be read now; nothing of it is lost yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// Its name.
    pub file: String,
    /// Why not.
    pub why: String,
}

impl GapKind {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DeletedUnread => "deleted_unread",
            Self::Truncated => "truncated",
            Self::Rewritten => "rewritten",
            Self::Unreadable => "unreadable",
            Self::LineTooLong => "line_too_long",
            Self::ClockRanBack => "clock_ran_back",
        }
    }

    const fn sentence(self) -> &'static str {
        match self {
            Self::DeletedUnread => "was deleted before it was read to its end",
            Self::Truncated => "was cut before it was read to its end",
            Self::Rewritten => "was replaced before it was read to its end",
            Self::Unreadable => "is damaged",
            Self::LineTooLong => "has a line that is too long",
            Self::ClockRanBack => "goes on with an earlier time",
        }
    }
}

impl Gap {
    /// Whether lines are or may be missing.
    pub fn loses(&self) -> bool {
        self.lost != Lost::Nothing
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (file, kind) = (&self.file, self.kind.sentence());
        write!(f, "{file} {kind}, from byte {}", self.from)?;
        match self.lost {
            Lost::Nothing => f.write_str("; nothing is lost"),
            Lost::Bytes(bytes) => write!(f, "; at least {bytes} bytes are lost"),
            Lost::Unknown => f.write_str("; lines may be lost"),
        }
    }
}
