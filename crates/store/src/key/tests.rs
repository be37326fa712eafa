//! Which names are keys and which are not.

use proptest::prelude::*;

use super::{Key, Prefix};
use crate::error::ErrorKind;

#[test]
fn ordinary_names_are_keys() {
    for text in [
        "a",
        "a/b",
        "packs/0f/0f3a",
        "x.y_z-1",
        "a..b",
        "a.",
        "-",
        "_",
    ] {
        assert_eq!(Key::new(text).unwrap().as_str(), text);
    }
    assert!(Key::new(&["a"; 256].join("/")).is_ok(), "511 bytes");
    assert!(Key::new(&"a".repeat(255)).is_ok());
}

#[test]
fn names_that_could_escape_or_collide_are_refused() {
    let long_segment = "a".repeat(256);
    let long_key = ["a"; 257].join("/");
    let hostile = [
        "",
        "/",
        "/a",
        "a/",
        "a//b",
        ".",
        "..",
        "../a",
        "a/..",
        "a/../b",
        ".hidden",
        "a/.b",
        "A",
        "a b",
        "a\0b",
        "a\nb",
        "a\\b",
        "tmp~",
        "é",
        "a%2fb",
        "~",
        "a:b",
        &long_segment,
        &long_key,
    ];
    for text in hostile {
        assert_eq!(
            Key::new(text).unwrap_err().kind,
            ErrorKind::Unsupported,
            "{text:?}"
        );
    }
}

#[test]
fn the_directory_is_what_stands_before_the_last_slash() {
    assert_eq!(Key::new("a/b/c").unwrap().directory(), "a/b");
    assert_eq!(Key::new("a").unwrap().directory(), "");
}

#[test]
fn a_prefix_that_no_key_can_have_is_refused() {
    for text in ["/", "/a", "a//", "../", "a/../", ".a", "a/.", "A", "a/b~"] {
        assert!(Prefix::new(text).is_err(), "{text:?}");
    }
    for text in ["", "a", "a/", "a/b", "a/b/"] {
        assert!(Prefix::new(text).is_ok(), "{text:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_beginning_of_a_key_is_a_prefix(text in "[a-z0-9_-]{1,4}(/[a-z0-9_-]{1,4}){0,3}") {
        let key = Key::new(&text).unwrap();
        for end in 0..=key.as_str().len() {
            prop_assert!(Prefix::new(&text[..end]).is_ok(), "{:?}", &text[..end]);
        }
    }
}
