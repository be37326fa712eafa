//! What one reading of a directory took, and what it found on its way.

use serde::{Deserialize, Serialize};
use strongroom_model::Timestamp;

use super::{
    gap::{Gap, Pending},
    position::{Head, Position},
};

/// The longest line that is kept, in bytes; a longer one becomes a gap.
pub const LINE_MAX: usize = 64 << 20;

/// How much one reading takes: it ends with the line that reaches this many bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Bytes of lines.
    pub bytes: u64,
}

impl Budget {
    /// As much as there is.
    pub const ALL: Self = Self { bytes: u64::MAX };
}

/// Bytes of one file that were taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// The file's name then.
    pub file: String,
    /// The device it was on.
    pub device: u64,
    /// Its inode.
    pub inode: u64,
    /// What it begins with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begins: Option<Head>,
    /// The first byte of what the writer wrote, before compression.
    pub from: u64,
    /// The byte after the last one.
    pub to: u64,
}

/// What a reading took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Where the next one begins.
    pub position: Position,
    /// From which files the lines are, in the order in which they came.
    pub spans: Vec<Span>,
    /// What is missing.
    pub gaps: Vec<Gap>,
    /// What could not be read now.
    pub pending: Vec<Pending>,
    /// How many lines.
    pub lines: u64,
    /// How many bytes, line ends included.
    pub bytes: u64,
    /// The earliest time in a line.
    pub first_event: Option<Timestamp>,
    /// The latest.
    pub last_event: Option<Timestamp>,
    /// Whether the budget ended it before the logs did.
    pub more: bool,
}

impl Reading {
    /// Whether it says anything that the position it began at did not.
    pub fn is_news(&self, from: &Position) -> bool {
        self.lines > 0 || !self.gaps.is_empty() || self.position != *from
    }
}
