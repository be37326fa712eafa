//! Windows on lists: what a query says, and the reply's echo of it.

use strongroom_control::Page;
use strongroom_wire::{cbr::Limit, query::Offset};

/// The window that a query asks for; a marker comes before the offset.
pub(super) fn page(limit: Option<Limit>, offset: Option<Offset>, marker: Option<String>) -> Page {
    Page {
        limit: limit.unwrap_or(Limit::DEFAULT).rows(),
        offset: u64::from(offset.unwrap_or_default().0),
        marker,
    }
}

/// The limit that a reply tells.
#[expect(clippy::unnecessary_wraps, reason = "the reply's field is optional")]
pub(super) fn limit_of(page: &Page) -> Option<u32> {
    Some(page.limit)
}

/// The offset that a reply tells.
pub(super) fn offset_of(page: &Page) -> Option<u32> {
    u32::try_from(page.offset).ok()
}
