//! Which keys may stand beside each other.

use super::Memory;
use crate::{error::ErrorKind, key::Key, store::Store};

#[test]
fn keys_that_not_every_store_can_hold_together_are_refused_in_either_order() {
    let conflicts = [
        ("a", "a/b"),
        ("a", "a/b/c"),
        ("a/b", "a/b/c"),
        ("a/b", "a-c"),
        ("a/b", "a.c"),
        ("a/b", "a.c/d"),
        ("a/b", "a-c-d.e"),
        ("x/a/b", "x/a.c"),
        ("x/a/b/c", "x/a-1/c"),
    ];
    for pair in conflicts {
        for (first, second) in [pair, (pair.1, pair.0)] {
            let store = Store::new(Memory::default());
            store.create_new(&Key::new(first).unwrap(), b"x").unwrap();
            let error = store
                .put_idempotent(&Key::new(second).unwrap(), b"x")
                .unwrap_err();
            assert_eq!(
                error.kind,
                ErrorKind::Unsupported,
                "{second} beside {first}"
            );
        }
    }
}

#[test]
fn keys_that_only_look_alike_stand_beside_each_other() {
    let store = Store::new(Memory::default());
    for name in [
        "a-b", "a.b", "a", "a-b-c", "a.b.c", "ab/c", "ab/c-d", "ab/c.d", "ab0", "b/c",
    ] {
        store.create_new(&Key::new(name).unwrap(), b"x").unwrap();
    }
}
