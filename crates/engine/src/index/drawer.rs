//! The pages that a thread used last, within its reach: a lookup that finds its page here takes
//! no lock and touches nothing that another thread writes.
//!
//! A save that finds nothing changed does little but look chunks up, from all threads in the same
//! few pages; what they shared made two threads no faster than one. Each thread holds at most
//! [`SLOTS`] pages, 8 MiB, until it ends.
//!
//! Invariant: a page stands under its own key only, and keys are never used again: runs are
//! numbered in the order in which the process opened them.

use std::{cell::RefCell, sync::Arc};

/// Pages that a thread holds: as many as a byte can tell apart.
const SLOTS: usize = 256;

/// Run, part, number.
pub(super) type Key = (u64, u8, u32);

/// A page in its place.
type Slot = Option<(Key, Arc<Vec<u8>>)>;

thread_local! {
    static PAGES: RefCell<Vec<Slot>> = const { RefCell::new(Vec::new()) };
}

/// What `read` makes of the page; it is loaded, and put into the drawer, if it is not there.
pub(super) fn with_page<T, E>(
    key: Key,
    load: impl FnOnce() -> Result<Arc<Vec<u8>>, E>,
    read: impl FnOnce(&[u8]) -> T,
) -> Result<T, E> {
    let (run, part, number) = key;
    // Neighbouring pages of a run get neighbouring slots, so a small index finds room for all.
    let spread = run
        .wrapping_mul(61)
        .wrapping_add(u64::from(part) * 31 + u64::from(number));
    let at = usize::from(spread.to_le_bytes()[0]);
    let held = PAGES.with_borrow(|pages| match pages.get(at) {
        Some(Some((held, page))) if *held == key => Ok(read(page)),
        _ => Err(read),
    });
    let read = match held {
        Ok(done) => return Ok(done),
        Err(read) => read,
    };
    let page = load()?;
    let done = read(&page);
    PAGES.with_borrow_mut(|pages| {
        pages.resize(SLOTS, None);
        pages[at] = Some((key, page));
    });
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loads(key: Key) -> bool {
        let mut loaded = false;
        let load = || {
            loaded = true;
            Ok::<_, ()>(Arc::new(vec![key.1, u8::try_from(key.2 % 251).unwrap()]))
        };
        let bytes = with_page(key, load, <[u8]>::to_vec).unwrap();
        assert_eq!(bytes, [key.1, u8::try_from(key.2 % 251).unwrap()]);
        loaded
    }

    #[test]
    fn a_small_index_is_loaded_once_and_a_big_one_gives_the_right_pages() {
        assert!((0..100).all(|number| loads((1, 4, number))));
        assert!(!(0..100).any(|number| loads((1, 4, number))));
        for number in (0..5000).chain(0..5000) {
            loads((2, 4, number));
            loads((3, 5, number / 32));
        }
    }

    #[test]
    fn what_could_not_be_loaded_is_asked_for_again() {
        assert_eq!(with_page((9, 4, 0), || Err("no"), <[u8]>::len), Err("no"));
        assert!(loads((9, 4, 0)));
    }
}
