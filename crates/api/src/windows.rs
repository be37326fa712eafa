//! Windows on lists of databases' services: what a query says of them, and what they show.

use std::str::FromStr;

use strongroom_control::{Error, Page, Reason};
use strongroom_wire::query::{Limit, Offset};

use crate::failure::Failure;

/// A window on a list; of so many rows where nothing is said.
pub(crate) fn page<const MAX: u32>(
    limit: Option<Limit<MAX>>,
    offset: Option<Offset>,
    unsaid: u32,
) -> Page {
    Page {
        limit: limit.map_or(unsaid, Limit::rows),
        offset: u64::from(offset.unwrap_or_default().0),
        marker: None,
    }
}

/// The window of a list that is at hand as a whole.
pub(crate) fn window<T>(all: Vec<T>, page: &Page) -> Vec<T> {
    let skip = usize::try_from(page.offset).unwrap_or(usize::MAX);
    all.into_iter()
        .skip(skip)
        .take(page.limit as usize)
        .collect()
}

/// An id as it stands in a path, query or body. A text that is no id names nothing, so what is
/// malformed is what is unknown: the vendors have one code for both.
pub(crate) fn known<I: FromStr>(text: &str, reason: Reason) -> Result<I, Failure> {
    text.parse().map_err(|_| {
        let shown: String = text.chars().take(64).collect();
        Failure::Refused(Error::not_found(reason, shown))
    })
}
