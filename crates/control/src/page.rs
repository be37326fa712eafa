//! Windows on lists: what a caller asks for and what it gets.
//!
//! Every list of the vendor knows limit and offset, and one client walks every list by marker, so
//! every list here knows all three. A window past the end is empty, never an error; a marker
//! whose row is gone meanwhile is still a place in the order.

use crate::{Error, Result};

/// The largest `limit` of most lists.
pub const LIMIT_MAX: u32 = 1000;

/// The window on a list that a caller asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// At most so many items.
    pub limit: u32,
    /// Skip so many items; after the marker if there is one.
    pub offset: u64,
    /// Begin after the item with this id.
    pub marker: Option<String>,
}

impl Default for Page {
    fn default() -> Self {
        Self {
            limit: LIMIT_MAX,
            offset: 0,
            marker: None,
        }
    }
}

impl Page {
    /// Refuses a limit outside 1 to `max`.
    pub(crate) fn checked(&self, max: u32) -> Result<&Self> {
        if (1..=max).contains(&self.limit) {
            Ok(self)
        } else {
            Err(Error::invalid("limit", format!("must be from 1 to {max}")))
        }
    }
}

/// One window of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<T> {
    /// The items of this window.
    pub items: Vec<T>,
    /// How many items match over all windows.
    pub total: u64,
}

impl<T> Listed<T> {
    /// The same window with every item translated.
    pub fn map<U>(self, translate: impl FnMut(T) -> U) -> Listed<U> {
        Listed {
            items: self.items.into_iter().map(translate).collect(),
            total: self.total,
        }
    }
}
