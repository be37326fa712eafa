//! Which files their writer has left for another one.
//!
//! What went away of a file that was read to its end and left is no loss; of one that is written to
//! lines may have come after the last look. So a file counts as left only when another one of the
//! same log was written later, and never while it has the name that the writer writes to.

use std::collections::BTreeMap;

use super::{
    follow::Tracked,
    listing::{Listing, family},
    position::{Mark, State},
};

/// Closes the files that were read to their end and that their writer has left.
pub(super) fn close(tracked: &mut [Tracked], newest: &BTreeMap<String, i64>) {
    for tracked in tracked {
        let mark = &mut tracked.mark;
        let open = tracked.file.is_some() && mark.state == State::Open && mark.is_exhausted();
        if open && is_left(mark, newest) {
            mark.state = State::Closed;
        }
    }
}

/// When each log was written last.
pub(super) fn newest(listing: &Listing) -> BTreeMap<String, i64> {
    let mut newest = BTreeMap::new();
    for file in &listing.files {
        let last = newest.entry(family(&file.name)).or_insert(i64::MIN);
        *last = file.stat.modified.max(*last);
    }
    newest
}

/// Whether the writer of a file has gone on to another one: that one was written later, and this
/// one does not have the name that the writer writes to.
pub(super) fn is_left(mark: &Mark, newest: &BTreeMap<String, i64>) -> bool {
    let family = family(&mark.name);
    mark.name != family
        && newest
            .get(&family)
            .is_some_and(|newest| *newest > mark.stat.modified)
}
