//! Windows on lists: what a caller asks for and what it gets.
//!
//! Every list of the vendor knows limit and offset, and one client walks every list by marker, so
//! every list here knows all three. A window past the end is empty, never an error; a marker
//! whose row is gone meanwhile is still a place in the order.

use strongroom_catalog as catalog;

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
    /// The window for the catalog; a limit outside 1 to `max` is refused.
    pub(crate) fn rows(&self, max: u32) -> Result<catalog::Page> {
        if (1..=max).contains(&self.limit) {
            let Self {
                limit,
                offset,
                marker,
            } = self.clone();
            Ok(catalog::Page {
                limit,
                offset,
                marker,
            })
        } else {
            Err(Error::invalid("limit", format!("must be from 1 to {max}")))
        }
    }

    /// The window of a list that is in memory as a whole.
    pub(crate) fn window<T>(&self, all: Vec<T>, id: impl Fn(&T) -> String) -> Result<Listed<T>> {
        self.rows(LIMIT_MAX)?;
        let total = all.len() as u64;
        let begin = match &self.marker {
            None => 0,
            Some(marker) => match all.iter().position(|item| id(item) == *marker) {
                Some(place) => place + 1,
                None => all.len(),
            },
        };
        let skip = begin.saturating_add(usize::try_from(self.offset).unwrap_or(usize::MAX));
        let items = all
            .into_iter()
            .skip(skip)
            .take(self.limit as usize)
            .collect();
        Ok(Listed { items, total })
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
    /// A list without items.
    pub(crate) const fn nothing() -> Self {
        Self {
            items: Vec::new(),
            total: 0,
        }
    }

    /// The catalog's window with every row translated.
    pub(crate) fn of_rows<R>(
        rows: catalog::Listed<R>,
        translate: impl FnMut(R) -> Result<T>,
    ) -> Result<Self> {
        let items = rows
            .rows
            .into_iter()
            .map(translate)
            .collect::<Result<_>>()?;
        Ok(Self {
            items,
            total: rows.total,
        })
    }

    /// The same window with every item translated.
    pub fn map<U>(self, translate: impl FnMut(T) -> U) -> Listed<U> {
        Listed {
            items: self.items.into_iter().map(translate).collect(),
            total: self.total,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_past_the_end_or_after_a_vanished_marker_is_empty() {
        let all = || vec!["a", "b", "c"];
        let page = |limit, offset, marker: Option<&str>| Page {
            limit,
            offset,
            marker: marker.map(str::to_owned),
        };
        let items = |page: &Page| page.window(all(), ToString::to_string).unwrap().items;
        assert_eq!(items(&page(2, 0, None)), ["a", "b"]);
        assert_eq!(items(&page(2, 2, None)), ["c"]);
        assert_eq!(items(&page(2, 9, None)), [""; 0]);
        assert_eq!(items(&page(2, 0, Some("b"))), ["c"]);
        assert_eq!(items(&page(2, 0, Some("gone"))), [""; 0]);
        assert!(page(0, 0, None).window(all(), ToString::to_string).is_err());
        assert!(page(1001, 0, None).rows(LIMIT_MAX).is_err());
    }
}
