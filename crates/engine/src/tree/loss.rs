//! What a restore could not bring back, named exactly.
//!
//! Damage does not end a restore: what is lost is listed, everything else comes back.

use std::{fmt, ops::Range, sync::Arc};

use strongroom_model::content::{self, TreePath};

use crate::error::Error;

/// Losses beyond these are counted, not listed.
const LISTED_MAX: usize = 10_000;

/// Which part of a tree or volume.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Part {
    /// These bytes of a file or volume; they read as zeroes.
    Bytes(Range<u64>),
    /// The entry, with everything below it.
    Entry,
    /// Some entries of this directory, whose names are lost too.
    Entries,
    /// Extended attributes of the entry.
    Attributes,
}

/// Why it did not come back.
#[derive(Clone, Debug)]
pub enum Cause {
    /// The repository does not hold it any more. The error names chunk and pack.
    Repository(Error),
    /// The target refused it.
    Target(Arc<content::Error>),
}

/// One thing that did not come back.
#[derive(Clone, Debug)]
pub struct Loss {
    /// Where.
    pub path: TreePath,
    /// What of it.
    pub part: Part,
    /// Why.
    pub cause: Cause,
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.part {
            Part::Bytes(range) => {
                write!(
                    f,
                    "{}: bytes {} to {} are lost",
                    self.path, range.start, range.end
                )?;
            }
            Part::Entry => write!(f, "{} is lost", self.path)?,
            Part::Entries => write!(f, "{}: some entries are lost", self.path)?,
            Part::Attributes => write!(f, "{}: extended attributes are lost", self.path)?,
        }
        let mut cause: Option<&dyn std::error::Error> = match &self.cause {
            Cause::Repository(error) => Some(error),
            Cause::Target(error) => Some(&**error),
        };
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

/// The losses of one operation, as they come up.
#[derive(Debug, Default)]
pub(crate) struct Losses {
    listed: Vec<Loss>,
    total: u64,
}

impl Losses {
    pub(crate) fn add(&mut self, path: TreePath, part: Part, cause: Cause) {
        self.total += 1;
        if self.listed.len() < LISTED_MAX {
            self.listed.push(Loss { path, part, cause });
        }
    }

    /// Repeats what is lost of the first of these names for the others, which are links to it.
    pub(crate) fn repeat(&mut self, names: &[TreePath]) {
        let Some((first, others)) = names.split_first() else {
            return;
        };
        let of_first = |loss: &&Loss| loss.path == *first && matches!(loss.part, Part::Bytes(_));
        let lost: Vec<Loss> = self.listed.iter().filter(of_first).cloned().collect();
        for name in others {
            for Loss { part, cause, .. } in lost.iter().cloned() {
                self.add(name.clone(), part, cause);
            }
        }
    }

    /// The list, sorted by path, and how many there are in all.
    pub(crate) fn finish(mut self) -> (Vec<Loss>, u64) {
        let start = |loss: &Loss| match &loss.part {
            Part::Bytes(range) => range.start,
            _ => 0,
        };
        self.listed
            .sort_by(|a, b| (&a.path, start(a)).cmp(&(&b.path, start(b))));
        (self.listed, self.total)
    }
}
