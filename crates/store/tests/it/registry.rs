//! Opening stores by URL, and the first few calls on each.

use strongroom_store::{ErrorKind, Key, Store};

fn key(text: &str) -> Key {
    Key::new(text).unwrap()
}

fn keys(store: &Store, prefix: &str) -> Vec<String> {
    let mut keys = Vec::new();
    store
        .list(prefix, &mut |key, _| {
            keys.push(key.to_string());
            Ok(())
        })
        .unwrap();
    keys
}

#[test]
fn an_object_comes_back_and_stays_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("deep/store");
    for url in [
        "memory:",
        path.to_str().unwrap(),
        &format!("file://{}", path.display()),
    ] {
        let store = Store::open(url).unwrap();
        let prefix = if url.starts_with("file") {
            "second/"
        } else {
            ""
        };
        let name = key(&format!("{prefix}a/b"));
        store.create_new(&name, b"one").unwrap();
        let taken = store.create_new(&name, b"two").unwrap_err();
        assert_eq!(
            (taken.kind, taken.key.as_ref()),
            (ErrorKind::AlreadyExists, Some(&name))
        );
        store.put_idempotent(&name, b"six").unwrap();
        assert_eq!(
            store.put_idempotent(&name, b"four").unwrap_err().kind,
            ErrorKind::Corrupt
        );
        assert_eq!(&store.get(&name).unwrap()[..], b"one");
        assert_eq!(&store.get_range(&name, 1..3).unwrap()[..], b"ne");
        assert_eq!(
            store.get_range(&name, 1..4).unwrap_err().kind,
            ErrorKind::Corrupt
        );
        store.create_new(&key(&format!("{prefix}c")), b"").unwrap();
        assert_eq!(
            keys(&store, &format!("{prefix}a")),
            [format!("{prefix}a/b")]
        );
        store.delete(&name).unwrap();
        store.delete(&name).unwrap();
        assert_eq!(store.get(&name).unwrap_err().kind, ErrorKind::NotFound);
    }
}

#[test]
fn opening_a_store_and_reading_from_it_make_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("mistyped");
    let store = Store::open(path.to_str().unwrap()).unwrap();
    assert_eq!(store.get(&key("a")).unwrap_err().kind, ErrorKind::NotFound);
    assert_eq!(keys(&store, ""), Vec::<String>::new());
    store.delete(&key("a")).unwrap();
    assert!(!path.exists());
}

#[test]
fn a_url_that_names_no_store_is_refused_with_the_forms_that_do() {
    for url in ["ftp://host/x", "memory:named", "", "file://host/x", "c:"] {
        let error = Store::open(url).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unsupported, "{url}");
    }
    let error = Store::open("ftp://host/x").unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(
        cause.contains("file:///directory") && cause.contains("memory:"),
        "{cause}"
    );
}
