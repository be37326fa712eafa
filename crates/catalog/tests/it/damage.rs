//! Damage: what was changed behind the catalog's back is found and named, never read as truth.

use std::{fs, path::Path};

use rusqlite::Connection;
use strongroom_catalog::{Catalog, Error};

use crate::{
    backends::in_file,
    sample::{BACKUP, fill},
};

/// A closed catalog, as one file.
fn closed(folder: &Path) -> std::path::PathBuf {
    let path = folder.join("copy.sqlite");
    let subject = in_file();
    fill(&subject.catalog);
    subject.catalog.copy_to(&path).unwrap();
    path
}

#[test]
fn a_newer_schema_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = closed(folder.path());
    let outside = Connection::open(&path).unwrap();
    outside
        .execute("INSERT INTO migrations VALUES (9999, 'later', 'x')", [])
        .unwrap();
    drop(outside);
    let before = fs::read(&path).unwrap();
    let refused = Catalog::open(&path);
    assert!(
        matches!(refused, Err(Error::TooNew { found: 9999, .. })),
        "{refused:?}"
    );
    let after = fs::read(&path).unwrap();
    // The header's switch to a write-ahead log aside, no byte of it has changed.
    assert_eq!(before[100..], after[100..]);
}

#[test]
fn an_altered_migration_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = closed(folder.path());
    let outside = Connection::open(&path).unwrap();
    outside
        .execute("UPDATE migrations SET checksum = 'x' WHERE version = 1", [])
        .unwrap();
    drop(outside);
    let refused = Catalog::open(&path);
    assert!(
        matches!(&refused, Err(Error::MigrationAltered { version: 1, name }) if name == "start"),
        "{refused:?}"
    );
}

#[test]
fn a_value_that_nobody_wrote_is_named_and_the_other_rows_are_still_read() {
    let subject = in_file();
    let ours = fill(&subject.catalog).ours;
    let outside = Connection::open(subject.path()).unwrap();
    for (sql, named) in [
        ("UPDATE backups SET status = 'fine'", "backups.status"),
        (
            "UPDATE backups SET status = 'available', items = -1",
            "backups.items",
        ),
        (
            "UPDATE backups SET items = 1, problems = '{'",
            "backups.problems",
        ),
        ("UPDATE backups SET problems = '[]', id = 'x'", "backups.id"),
    ] {
        outside.execute_batch(sql).unwrap();
        let problems = subject.catalog.check().unwrap();
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].contains(named), "{problems:?}");
    }
    outside
        .execute_batch(&format!(
            "UPDATE backups SET id = '{BACKUP}', kind = 'disk'"
        ))
        .unwrap();
    let read = subject.catalog.read(|tx| tx.backups().get(&ours, &BACKUP));
    assert!(
        matches!(read, Err(Error::Unreadable { column: "kind", .. })),
        "{read:?}"
    );
    assert!(
        subject
            .catalog
            .read(|tx| tx.vaults().get(&ours, &crate::sample::VAULT))
            .is_ok()
    );
}

#[test]
fn a_broken_tie_is_found() {
    let subject = in_file();
    fill(&subject.catalog);
    let outside = Connection::open(subject.path()).unwrap();
    outside
        .execute_batch("PRAGMA foreign_keys = OFF; DELETE FROM checkpoints")
        .unwrap();
    let problems = subject.catalog.check().unwrap();
    assert_eq!(
        problems,
        ["a row of backups refers to a row of checkpoints that is missing"]
    );
}

#[test]
fn damaged_pages_are_found_whichever_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = closed(folder.path());
    let whole = fs::read(&path).unwrap();
    let pages = whole.len() / 4096;
    assert!(pages > 20);
    for page in 0..pages {
        let mut damaged = whole.clone();
        // The page's header and a stretch in its middle.
        let start = page * 4096 + if page == 0 { 100 } else { 0 };
        damaged[start..start + 64].fill(0x5a);
        damaged[page * 4096 + 2000..page * 4096 + 2100].fill(0x5a);
        let copy = folder.path().join(format!("page-{page}.sqlite"));
        fs::write(&copy, damaged).unwrap();
        let found = match Catalog::open(&copy) {
            Err(Error::Corrupt(_)) => true,
            Err(other) => panic!("page {page}: {other:?}"),
            Ok(catalog) => match catalog.check() {
                Ok(problems) => !problems.is_empty(),
                Err(Error::Corrupt(_)) => true,
                Err(other) => panic!("page {page}: {other:?}"),
            },
        };
        assert!(found, "page {page}");
        fs::remove_file(copy).unwrap();
    }
}

#[test]
fn a_truncated_file_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let path = closed(folder.path());
    let whole = fs::read(&path).unwrap();
    for keep in [150, 4096, whole.len() / 2, whole.len() - 4096] {
        let copy = folder.path().join(format!("{keep}.sqlite"));
        fs::write(&copy, &whole[..keep]).unwrap();
        let opened = Catalog::open(&copy).and_then(|catalog| catalog.check());
        match opened {
            Err(Error::Corrupt(_) | Error::Foreign { .. }) => {}
            Ok(problems) => assert!(!problems.is_empty(), "{keep}"),
            Err(other) => panic!("{keep}: {other:?}"),
        }
    }
}
