//! The checks of reading, listing and deleting.

use super::{Area, Finding, Outcome, ensure, ensure_fails, in_parallel, pattern};
use crate::{error::ErrorKind, key::Key};

/// More than one page of an S3 listing, which ends at 1,000.
const MANY: usize = 1_100;

/// More than one part of a multipart upload, and not a multiple of it.
const LARGE: usize = 20 * 1024 * 1024 + 12_345;

pub(super) fn comes_back(area: &Area) -> Outcome {
    for (name, length) in [("one", 1), ("small", 100), ("a.b_c-d/e/f/0", 70_000)] {
        let (key, bytes) = (area.key(name), pattern(length, 1));
        area.store.create_new(&key, &bytes)?;
        ensure(area.store.get(&key)? == bytes, || {
            "get returns other bytes".into()
        })?;
        ensure(area.store.size(&key)? == length as u64, || {
            "size returns another length".into()
        })?;
    }
    Ok(())
}

pub(super) fn missing_is_missing(area: &Area) -> Outcome {
    let key = area.key("never/written");
    ensure_fails(
        area.store.get(&key),
        ErrorKind::NotFound,
        "get of a missing object",
    )?;
    ensure_fails(
        area.store.size(&key),
        ErrorKind::NotFound,
        "size of a missing object",
    )?;
    ensure_fails(
        area.store.get_range(&key, 0..1),
        ErrorKind::NotFound,
        "get_range of a missing object",
    )?;
    ensure(area.list("never")?.is_empty(), || {
        "a missing object is listed".into()
    })
}

pub(super) fn empty_object(area: &Area) -> Outcome {
    for key in [area.key("created"), area.key("put")] {
        if key.as_str().ends_with("put") {
            area.store.put_idempotent(&key, b"")?;
        } else {
            area.store.create_new(&key, b"")?;
        }
        ensure(area.store.get(&key)?.is_empty(), || {
            "it is not empty when read".into()
        })?;
        ensure(area.store.get_range(&key, 0..0)?.is_empty(), || {
            "its range is not empty".into()
        })?;
        ensure_fails(
            area.store.get_range(&key, 0..1),
            ErrorKind::Corrupt,
            "a range of it",
        )?;
    }
    let expected = [("created".to_owned(), 0), ("put".to_owned(), 0)];
    ensure(area.list("")? == expected, || {
        "it is not listed with size 0".into()
    })
}

pub(super) fn large_object(area: &Area) -> Outcome {
    let bytes = pattern(LARGE, 2);
    let (created, put) = (area.key("created"), area.key("put"));
    area.store.create_new(&created, &bytes)?;
    area.store.put_idempotent(&put, &bytes)?;
    area.store.put_idempotent(&put, &bytes)?;
    for key in [&created, &put] {
        ensure(area.store.size(key)? == LARGE as u64, || {
            format!("size of {key} is wrong")
        })?;
        ensure(area.store.get(key)? == bytes, || {
            format!("{key} returns other bytes")
        })?;
        let middle = 8 * 1024 * 1024 - 3..8 * 1024 * 1024 + 3;
        let expected = bytes.get(middle.clone()).unwrap_or_default();
        let range = middle.start as u64..middle.end as u64;
        ensure(area.store.get_range(key, range)? == expected, || {
            format!("a range of {key} across 8 MiB returns other bytes")
        })?;
    }
    Ok(())
}

pub(super) fn ranges(area: &Area) -> Outcome {
    let (key, bytes) = (area.key("object"), pattern(1000, 3));
    area.store.create_new(&key, &bytes)?;
    for range in [0..1, 0..1000, 999..1000, 1..999, 0..0, 500..500, 1000..1000] {
        let wide = range.start as u64..range.end as u64;
        let expected = bytes.get(range.clone()).unwrap_or_default();
        ensure(
            area.store.get_range(&key, wide.clone())? == expected,
            || format!("get_range of {range:?} returns other bytes"),
        )?;
        let mut buffer = b"before".to_vec();
        area.store.get_into(&key, wide, &mut buffer)?;
        ensure(buffer.strip_prefix(b"before") == Some(expected), || {
            format!("get_into of {range:?} appends other bytes")
        })?;
    }
    Ok(())
}

pub(super) fn ranges_beyond(area: &Area) -> Outcome {
    let key = area.key("object");
    area.store.create_new(&key, &pattern(1000, 4))?;
    for range in [0..1001, 999..1001, 1000..1001, 2000..3000, 1001..1001] {
        let what = format!("get_range of {range:?} in 1000 bytes");
        ensure_fails(
            area.store.get_range(&key, range.clone()),
            ErrorKind::Corrupt,
            &what,
        )?;
        let mut buffer = b"before".to_vec();
        let done = area.store.get_into(&key, range, &mut buffer);
        ensure_fails(done, ErrorKind::Corrupt, &what)?;
        ensure(buffer == b"before", || {
            "a failed get_into changes its buffer".into()
        })?;
    }
    #[expect(clippy::reversed_empty_ranges, reason = "that is what is refused")]
    let backwards = 2..1;
    ensure_fails(
        area.store.get_range(&key, backwards),
        ErrorKind::Unsupported,
        "a range that runs backwards",
    )
}

pub(super) fn deletion(area: &Area) -> Outcome {
    let key = area.key("a/object");
    area.store.delete(&key)?;
    area.store.create_new(&key, b"first")?;
    area.store.delete(&key)?;
    ensure_fails(
        area.store.get(&key),
        ErrorKind::NotFound,
        "get after delete",
    )?;
    ensure(area.list("")?.is_empty(), || {
        "a deleted object is listed".into()
    })?;
    area.store.delete(&key)?;
    area.store.create_new(&key, b"second")?;
    ensure(area.store.get(&key)? == "second", || {
        "the old object came back".into()
    })
}

pub(super) fn listing(area: &Area) -> Outcome {
    let names = [
        "a-b", "a-b.c", "a.b", "a0", "aa/b-c", "aa/b.c", "aa/b0/c", "aa/bb", "b/a", "c",
    ];
    let mut written = Vec::new();
    for (number, name) in names.iter().rev().enumerate() {
        area.store
            .create_new(&area.key(name), &pattern(number, 5))?;
        written.push(((*name).to_owned(), number as u64));
        written.sort();
        for found in [area.list("")?, area.list_unsettled("")?] {
            ensure(found == written, || {
                format!("it lists {found:?} instead of {written:?}")
            })?;
        }
    }
    Ok(())
}

pub(super) fn prefixes(area: &Area) -> Outcome {
    let names = [
        "aa/1", "ab/c/1", "ab/c/2", "ab/d", "ab/d-e", "abc", "abc.d", "b",
    ];
    for name in &names {
        area.store.create_new(&area.key(name), b"x")?;
    }
    for prefix in [
        "", "a", "ab", "ab/", "ab/c", "ab/c/", "ab/c/1", "ab/d", "abc", "abcd", "c", "b/",
    ] {
        let expected: Vec<&str> = names
            .iter()
            .copied()
            .filter(|name| name.starts_with(prefix))
            .collect();
        let found: Vec<String> = area
            .list(prefix)?
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        ensure(found == expected, || {
            format!("prefix {prefix:?} lists {found:?} instead of {expected:?}")
        })?;
        for after in &names {
            let (base, after) = (format!("{}/", area.directory), area.key(after));
            let mut found = Vec::new();
            area.store
                .list_after(&format!("{base}{prefix}"), Some(&after), &mut |key, _| {
                    found.push(key);
                    Ok(())
                })?;
            let expected: Vec<Key> = expected
                .iter()
                .map(|name| area.key(name))
                .filter(|key| *key > after)
                .collect();
            ensure(found == expected, || {
                format!("prefix {prefix:?} after {after} lists {found:?} instead of {expected:?}")
            })?;
        }
    }
    Ok(())
}

pub(super) fn many_objects(area: &Area) -> Outcome {
    let mut names: Vec<String> = (0..MANY)
        .map(|number| format!("{:02x}/{number}", number % 7))
        .collect();
    names.sort();
    let keys: Vec<Key> = names.iter().map(|name| area.key(name)).collect();
    in_parallel(&keys, |key| {
        area.store.create_new(key, key.as_str().as_bytes())
    })?;
    let found: Vec<String> = area.list("")?.into_iter().map(|(name, _)| name).collect();
    ensure(found == names, || {
        format!(
            "of {} objects it lists {}, or not in order",
            names.len(),
            found.len()
        )
    })?;
    let some: Vec<String> = area
        .list("03/")?
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    let expected: Vec<String> = names
        .into_iter()
        .filter(|name| name.starts_with("03/"))
        .collect();
    ensure(some == expected, || {
        "a listing of one directory of many is wrong".into()
    })
}

pub(super) fn deleting_while_listing(area: &Area) -> Outcome {
    for number in 0..20 {
        area.store
            .create_new(&area.key(&format!("{}/{number}", number % 3)), b"x")?;
    }
    let mut visited = 0;
    area.store
        .list(&format!("{}/", area.directory), &mut |key, _| {
            visited += 1;
            area.store.delete(&key)
        })?;
    ensure(visited == 20, || {
        format!("it visits {visited} objects of 20")
    })?;
    ensure(area.list("")?.is_empty(), || {
        "some objects are still listed".into()
    })
}

pub(super) fn visitor_stops(area: &Area) -> Outcome {
    for name in ["1", "2", "3"] {
        area.store.create_new(&area.key(name), b"x")?;
    }
    let mut visited = 0;
    let done = area
        .store
        .list(&format!("{}/", area.directory), &mut |_, _| {
            visited += 1;
            Err(crate::Error::new(ErrorKind::Corrupt))
        });
    ensure_fails(done, ErrorKind::Corrupt, "a listing whose visitor fails")?;
    ensure(visited == 1, || format!("it goes on for {visited} objects"))
}

pub(super) fn hostile_keys(area: &Area) -> Outcome {
    for text in [
        "", "/a", "a/", "a//b", "..", "../a", "a/../b", ".a", "A", "a b", "a\0b", "tmp~",
    ] {
        ensure(Key::new(text).is_err(), || {
            format!("{text:?} is accepted as a key")
        })?;
    }
    for prefix in ["/", "../", "a/../", "tmp~/", "A"] {
        let done = area.store.list(prefix, &mut |_, _| Ok(()));
        ensure_fails(
            done,
            ErrorKind::Unsupported,
            &format!("a listing of {prefix:?}"),
        )?;
    }
    let key = area.key("object");
    area.store.create_new(&key, b"x").map_err(Finding::from)
}
