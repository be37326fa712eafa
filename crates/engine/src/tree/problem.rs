//! What a save could not keep as it should, and its encoding.
//!
//! ```text
//! problem   path blob, kind u8 (0 unreadable, 1 changed, 2 vanished, 3 socket), cause blob
//! ```
//!
//! Invariant: a manifest with an unreadable entry is incomplete and says so; nothing that is
//! missing from a tree is missing from its list of problems, or at least from its count.
//!
//! Format: docs/format.md, "Problems".

use std::fmt;

use strongroom_model::content::TreePath;

use super::sequence::{Builder, Item, Put, Root};
use crate::{
    codec::{Decoder, Encoder, Malformed},
    error::Result,
};

/// Problems beyond these are counted, not listed.
const LISTED_MAX: usize = 10_000;
/// A cause is cut here, in bytes.
const CAUSE_MAX: usize = 1024;

/// Why an entry is not in the tree as it was.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ProblemKind {
    /// It could not be read and is missing, or empty if it is a directory.
    Unreadable,
    /// It was written to during every attempt to read it; its content may be of two times.
    Changed,
    /// It was listed and then gone; it is missing.
    Vanished,
    /// It is a socket, which only a running program can use; it is missing.
    Socket,
}

impl ProblemKind {
    const ALL: [Self; 4] = [
        Self::Unreadable,
        Self::Changed,
        Self::Vanished,
        Self::Socket,
    ];

    /// Whether the save is incomplete because of it: data that was there is not kept.
    pub const fn is_loss(self) -> bool {
        matches!(self, Self::Unreadable)
    }

    fn code(self) -> u8 {
        match self {
            Self::Unreadable => 0,
            Self::Changed => 1,
            Self::Vanished => 2,
            Self::Socket => 3,
        }
    }
}

impl fmt::Display for ProblemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unreadable => "could not be read",
            Self::Changed => "changed while it was read",
            Self::Vanished => "vanished before it was read",
            Self::Socket => "is a socket and was skipped",
        })
    }
}

/// One entry that is not in the tree as it was.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Problem {
    /// Where it is.
    pub path: TreePath,
    /// What happened to it.
    pub kind: ProblemKind,
    /// What the system said; may be empty.
    pub cause: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.path, self.kind)?;
        if self.cause.is_empty() {
            Ok(())
        } else {
            write!(f, ": {}", self.cause)
        }
    }
}

impl Item for Problem {
    const ROLE: u8 = 4;
    const LEN_MIN: usize = 9;

    fn encode(&self, to: &mut Encoder) {
        to.blob(self.path.as_bytes())
            .u8(self.kind.code())
            .text(&self.cause);
    }

    fn decode(from: &mut Decoder<'_>) -> Result<Self, Malformed> {
        let written = from.blob()?;
        // Paths have one form: what people may type, such as a slash at the end, is not stored.
        let path = TreePath::parse(written)
            .ok()
            .filter(|path| path.as_bytes() == written)
            .ok_or(Malformed::new("the path of a problem is no path"))?;
        let code = from.u8()?;
        let kind = ProblemKind::ALL
            .into_iter()
            .find(|kind| kind.code() == code);
        let kind = kind.ok_or(Malformed::new("unknown kind of problem"))?;
        Ok(Self {
            path,
            kind,
            cause: from.text()?.to_owned(),
        })
    }

    fn key(&self) -> &[u8] {
        &[]
    }

    fn length(&self) -> u64 {
        0
    }
}

/// The problems of one save, as they come up.
#[derive(Default)]
pub(crate) struct Problems {
    listed: Vec<Problem>,
    total: u64,
    losses: u64,
}

impl Problems {
    pub(crate) fn add(&mut self, path: TreePath, kind: ProblemKind, mut cause: String) {
        self.total += 1;
        self.losses += u64::from(kind.is_loss());
        let end = (0..=CAUSE_MAX)
            .rev()
            .find(|end| cause.is_char_boundary(*end));
        cause.truncate(end.unwrap_or(0));
        let problem = Problem { path, kind, cause };
        if self.listed.len() < LISTED_MAX {
            self.listed.push(problem);
        } else if kind.is_loss()
            && let Some(lesser) = self.listed.iter_mut().find(|known| !known.kind.is_loss())
        {
            // A loss is worth more of the list's room than a note.
            *lesser = problem;
        }
    }

    /// How many there are, listed or not.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// Whether everything that was there is kept.
    pub(crate) fn is_complete(&self) -> bool {
        self.losses == 0
    }

    /// The list, sorted by path: the same problems make the same list.
    pub(crate) fn into_sorted(mut self) -> Vec<Problem> {
        self.listed.sort_unstable();
        self.listed
    }
}

/// Stores a list of problems.
pub(crate) fn store(problems: &[Problem], put: &mut Put<'_>) -> Result<Option<Root>> {
    let mut list = Builder::default();
    for problem in problems {
        list.push(problem, 1, put)?;
    }
    list.finish(put)
}
