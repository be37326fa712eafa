//! What is said between a store's user and the other Strongroom that keeps it: paths, headers and
//! the words for failures. Both sides read it here.
//!
//! ```text
//! GET    /v1/stores/NAME                              what the store offers
//! GET    /v1/stores/NAME/objects?prefix=P&after=KEY   a page of keys
//!                                                    (&unsettled=yes: nothing is built on them)
//! GET    /v1/stores/NAME/objects/KEY                  an object, or a range of it
//! HEAD   /v1/stores/NAME/objects/KEY                  its length
//! PUT    /v1/stores/NAME/objects/KEY?put=create       a create, which has one winner
//! PUT    /v1/stores/NAME/objects/KEY?put=content      a put under a name made from the content
//! DELETE /v1/stores/NAME/objects/KEY
//! GET    /v1/stores/NAME/retention/KEY                until when an object is kept from deletion
//! PUT    /v1/stores/NAME/retention/KEY?until=SECONDS  keeps an object from deletion
//! ```
//!
//! Invariant: every answer of ours carries [`MARK`]. What answers without it is somebody else, and
//! its 404 must not be taken for an object that is missing.

use crate::error::ErrorKind;

/// In every answer, with [`VERSION`] as its value.
pub const MARK: &str = "strongroom-store";
/// The version of what is said here.
pub const VERSION: &str = "1";
/// In every answer that is a failure: the word for its kind.
pub const KIND: &str = "strongroom-store-kind";
/// In the answer to HEAD: the object's length.
pub const LENGTH: &str = "strongroom-store-length";
/// In the answer about a store: `yes` if it keeps objects from deletion.
pub const RETAINS: &str = "strongroom-store-retains";
/// In the answer about a retention: the second of its end; absent if there is none.
pub const UNTIL: &str = "strongroom-store-until";

/// The longest object: the engine's largest, a pack, has half of that at most.
pub const OBJECT_BYTES_MAX: u64 = 256 << 20;
/// The most keys of a page.
pub const PAGE: usize = 1000;
/// The last line of a page after which there are more keys.
pub const MORE: &str = "+";
/// The last line of the last page; without it or [`MORE`], the page was cut short.
pub const END: &str = ".";

/// The words and the statuses of the kinds of failure.
const KINDS: &[(ErrorKind, &str, u16)] = &[
    (ErrorKind::NotFound, "not-found", 404),
    (ErrorKind::AlreadyExists, "already-exists", 409),
    (ErrorKind::Denied, "denied", 403),
    (ErrorKind::Retained, "retained", 423),
    (ErrorKind::Corrupt, "corrupt", 422),
    (ErrorKind::Throttled, "throttled", 429),
    (ErrorKind::Unavailable, "unavailable", 503),
    (ErrorKind::NoSpace, "no-space", 507),
    (ErrorKind::Unsupported, "unsupported", 400),
    (ErrorKind::Other, "other", 500),
];

/// The word for a kind of failure, and the status of the answer that says it.
pub fn said(kind: ErrorKind) -> (&'static str, u16) {
    let known = KINDS.iter().find(|(known, ..)| *known == kind);
    known.map_or(("other", 500), |(_, word, status)| (word, *status))
}

/// The kind that a word says.
pub fn understood(word: &str) -> ErrorKind {
    let known = KINDS.iter().find(|(_, known, _)| *known == word);
    known.map_or(ErrorKind::Other, |(kind, ..)| *kind)
}

/// Whether a text can be the name of a store: 1 to 64 lower-case letters, digits, `_` and `-`.
pub fn is_name(text: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| letter(byte) || b"_-".contains(&byte))
        && text.bytes().next().is_some_and(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_failure_is_understood_as_it_was_said() {
        for (kind, ..) in KINDS {
            let (word, status) = said(*kind);
            assert_eq!(understood(word), *kind);
            assert!(status >= 400);
        }
        assert_eq!(understood("a word of a later release"), ErrorKind::Other);
    }

    #[test]
    fn a_name_is_one_plain_segment_of_a_path() {
        for good in ["a", "home-2", "0_x"] {
            assert!(is_name(good), "{good}");
        }
        for bad in [
            "",
            "A",
            "a/b",
            "..",
            ".a",
            "-a",
            "a b",
            "ä",
            &"a".repeat(65),
        ] {
            assert!(!is_name(bad), "{bad}");
        }
    }
}
