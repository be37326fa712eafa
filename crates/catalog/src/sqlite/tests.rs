//! What needs a hand on the connection: settings, a full disk, a lock that stays.

use std::time::Duration;

use rusqlite::Connection;

use super::Sqlite;
use crate::{
    backend::{Backend, Verdict},
    error::{Error, Result},
    tx::Tx,
};

fn set(sqlite: &Sqlite, name: &str, value: &str) -> Result<()> {
    let mut set = Ok(());
    let written = sqlite.write(&mut |session| {
        set = Tx::new(session).settings().set(name, value);
        if set.is_ok() {
            Verdict::Commit
        } else {
            Verdict::Rollback
        }
    });
    set.and(written)
}

fn get(sqlite: &Sqlite, name: &str) -> Option<String> {
    let mut found = None;
    sqlite
        .read(&mut |session| found = Some(Tx::new(session).settings().get(name)))
        .unwrap();
    found.unwrap().unwrap()
}

fn pragma(connection: &Connection, name: &str) -> i64 {
    connection
        .query_row(&format!("PRAGMA {name}"), [], |row| row.get(0))
        .unwrap()
}

#[test]
fn every_connection_is_set_up_for_durability_and_ties() {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = Sqlite::open(&folder.path().join("catalog.sqlite")).unwrap();
    let check = |connection: &Connection| {
        for (name, value) in [
            ("synchronous", 2),
            ("foreign_keys", 1),
            ("secure_delete", 1),
        ] {
            assert_eq!(pragma(connection, name), value, "{name}");
        }
    };
    check(&sqlite.writer());
    sqlite
        .with_reader(|reader| {
            check(reader);
            assert_eq!(pragma(reader, "query_only"), 1);
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_full_disk_is_told_as_such_and_rolls_everything_back() {
    let folder = tempfile::tempdir().unwrap();
    for sqlite in [
        Sqlite::memory().unwrap(),
        Sqlite::open(&folder.path().join("catalog.sqlite")).unwrap(),
    ] {
        set(&sqlite, "before", "kept").unwrap();
        let pages = pragma(&sqlite.writer(), "page_count") + 4;
        let limit = |pages: i64| {
            let sql = format!("PRAGMA max_page_count = {pages}");
            sqlite.writer().query_row(&sql, [], |_| Ok(())).unwrap();
        };
        limit(pages);
        let large = "x".repeat(100_000);
        let refused = set(&sqlite, "large", &large);
        assert!(matches!(refused, Err(Error::NoSpace)), "{refused:?}");

        // A body that hides the failure commits nothing all the same.
        let hidden = sqlite.write(&mut |session| {
            let tx = Tx::new(session);
            tx.settings().set("small", "x").unwrap();
            assert!(tx.settings().set("large", &large).is_err());
            Verdict::Commit
        });
        let small = get(&sqlite, "small");
        match hidden {
            // SQLite gave up the whole transaction,
            Err(Error::NoSpace) => assert_eq!(small, None),
            // or only the statement: then the rest is whole.
            Ok(()) => assert_eq!(small.as_deref(), Some("x")),
            other => panic!("{other:?}"),
        }
        assert_eq!(get(&sqlite, "large"), None);
        assert_eq!(get(&sqlite, "before").as_deref(), Some("kept"));
        limit(1_000_000);
        set(&sqlite, "large", &large).unwrap();
        assert_eq!(sqlite.check().unwrap(), [""; 0]);
    }
}

#[test]
fn a_lock_that_stays_is_busy_in_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("catalog.sqlite");
    let sqlite = Sqlite::open(&path).unwrap();
    sqlite
        .writer()
        .busy_timeout(Duration::from_millis(20))
        .unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let refused = set(&sqlite, "a", "b");
    assert!(matches!(refused, Err(Error::Busy)), "{refused:?}");
    assert!(Error::Busy.is_retryable());
    other.execute_batch("COMMIT").unwrap();
    set(&sqlite, "a", "b").unwrap();
}

#[test]
fn more_readers_than_connections_wait_for_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = Sqlite::open(&folder.path().join("catalog.sqlite")).unwrap();
    set(&sqlite, "a", "b").unwrap();
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| (0..20).for_each(|_| assert_eq!(get(&sqlite, "a").unwrap(), "b")));
        }
    });
    assert!(sqlite.readers.idle().opened <= super::READERS);
}
