//! The entries that a directory had in the manifest before, found while going through the names.
//!
//! Invariant: what cannot be read of the previous manifest is treated as if it had never been
//! there: a damaged past costs time, never content.

use std::cmp::Ordering;

use strongroom_model::content::Name;

use super::{
    entry::Entry,
    sequence::{Fetch, Items, Root},
};

/// The entries of one directory of the previous manifest.
pub(crate) struct Previous {
    items: Items<Entry>,
    ahead: Option<Entry>,
}

impl Previous {
    /// The entries of that directory; none if there was no such directory.
    pub(crate) fn of(root: Option<Root>) -> Self {
        Self {
            items: Items::all(root),
            ahead: None,
        }
    }

    /// The entry of that name. Names are to be asked for in order.
    pub(crate) fn find(&mut self, name: &Name, fetch: &Fetch<'_>) -> Option<Entry> {
        loop {
            if self.ahead.is_none() {
                self.ahead = self.advance(fetch);
            }
            match self.ahead.as_ref()?.name.cmp(name) {
                Ordering::Less => self.ahead = None,
                Ordering::Equal => return self.ahead.take(),
                Ordering::Greater => return None,
            }
        }
    }

    fn advance(&mut self, fetch: &Fetch<'_>) -> Option<Entry> {
        loop {
            match self.items.next(fetch)? {
                Ok(entry) => return Some(entry),
                Err(lost) => tracing::warn!(
                    node = %lost.id, error = %lost.error,
                    "a part of the previous manifest is lost; its files are read again",
                ),
            }
        }
    }
}
