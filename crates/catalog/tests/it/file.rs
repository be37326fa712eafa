//! The file: whose it is, who may read it, how it is copied, what is left in it.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use rusqlite::Connection;
use strongroom_catalog::{Catalog, Error};

use crate::{
    backends::in_file,
    sample::{self, VAULT, contents, fill},
};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn only_the_owner_may_read_the_catalog_and_the_files_beside_it() {
    let subject = in_file();
    fill(&subject.catalog);
    let names = ["catalog.sqlite", "catalog.sqlite-wal", "catalog.sqlite-shm"];
    for name in names {
        assert_eq!(mode(&subject.folder.path().join(name)), 0o600, "{name}");
        fs::set_permissions(
            subject.folder.path().join(name),
            fs::Permissions::from_mode(0o644),
        )
        .unwrap();
    }
    let again = Catalog::open(subject.path()).unwrap();
    for name in names {
        assert_eq!(mode(&subject.folder.path().join(name)), 0o600, "{name}");
    }
    drop(again);
    // Stricter is fine and stays.
    fs::set_permissions(subject.path(), fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn what_was_written_is_there_after_the_catalog_is_opened_again() {
    let subject = in_file();
    let tenants = fill(&subject.catalog);
    let before = contents(&subject.catalog, &tenants);
    let path = subject.path();
    let crate::backends::Subject {
        catalog, folder, ..
    } = subject;
    drop(catalog);
    let again = Catalog::open(path).unwrap();
    assert_eq!(contents(&again, &tenants), before);
    drop(folder);
}

#[test]
fn the_database_runs_with_the_settings_that_durability_needs() {
    let subject = in_file();
    fill(&subject.catalog);
    // The mode stands in the file; the settings of connections are asked for in unit tests.
    let outside = Connection::open(subject.path()).unwrap();
    let journal: String = outside
        .query_row("PRAGMA journal_mode", [], |row| row.get(0))
        .unwrap();
    assert_eq!(journal, "wal");
}

#[test]
fn foreign_files_are_refused_and_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("text");
    fs::write(
        &text,
        "a letter, not a database, and a long one at that ".repeat(9),
    )
    .unwrap();
    let short = folder.path().join("short");
    fs::write(&short, "SQLite format 3\0").unwrap();
    let other = folder.path().join("other");
    Connection::open(&other)
        .unwrap()
        .execute_batch("CREATE TABLE theirs (x)")
        .unwrap();
    let marked = folder.path().join("marked");
    Connection::open(&marked)
        .unwrap()
        .execute_batch("PRAGMA application_id = 42; CREATE TABLE theirs (x)")
        .unwrap();
    for path in [&text, &short, &other, &marked] {
        let before = (fs::read(path).unwrap(), mode(path));
        let refused = Catalog::open(path);
        let Err(Error::Foreign { path: named, .. }) = &refused else {
            panic!("{}: {refused:?}", path.display())
        };
        assert_eq!(named, path);
        assert_eq!(
            (fs::read(path).unwrap(), mode(path)),
            before,
            "{}",
            path.display()
        );
    }
    let refused = Catalog::open(folder.path().join("missing/catalog.sqlite"));
    assert!(matches!(refused, Err(Error::File { .. })), "{refused:?}");
    let refused = Catalog::open(folder.path());
    assert!(matches!(refused, Err(Error::File { .. })), "{refused:?}");
}

#[test]
fn an_empty_file_is_a_new_catalog() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("catalog.sqlite");
    fs::write(&path, "").unwrap();
    let catalog = Catalog::open(&path).unwrap();
    fill(&catalog);
    assert_eq!(mode(&path), 0o600);
}

#[test]
fn a_copy_is_the_catalog_of_one_moment_and_never_replaces_a_file() {
    let subject = in_file();
    let tenants = fill(&subject.catalog);
    let copy = subject.folder.path().join("copy.sqlite");
    subject.catalog.copy_to(&copy).unwrap();
    assert_eq!(mode(&copy), 0o600);
    let before = contents(&subject.catalog, &tenants);
    subject
        .catalog
        .write(|tx| tx.settings().set("later", "x"))
        .unwrap();
    let again = subject.catalog.copy_to(&copy);
    assert!(matches!(again, Err(Error::File { .. })), "{again:?}");
    let names: Vec<_> = fs::read_dir(subject.folder.path()).unwrap().collect();
    assert_eq!(
        names.len(),
        4,
        "nothing is left of the refused copy: {names:?}"
    );
    let opened = Catalog::open(&copy).unwrap();
    assert_eq!(contents(&opened, &tenants), before);
    assert_eq!(opened.check().unwrap(), [""; 0]);
}

#[test]
fn a_catalog_in_memory_can_be_copied_to_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let catalog = Catalog::memory().unwrap();
    let tenants = fill(&catalog);
    let copy = folder.path().join("copy.sqlite");
    catalog.copy_to(&copy).unwrap();
    let opened = Catalog::open(&copy).unwrap();
    assert_eq!(contents(&opened, &tenants), contents(&catalog, &tenants));
}

#[test]
fn a_destroyed_key_is_in_no_file_any_more() {
    let subject = in_file();
    let ours = fill(&subject.catalog).ours;
    let in_files = || {
        fs::read_dir(subject.folder.path()).unwrap().any(|entry| {
            let bytes = fs::read(entry.unwrap().path()).unwrap();
            bytes
                .windows(sample::KEY.len())
                .any(|window| window == sample::KEY)
        })
    };
    subject.catalog.fold_log().unwrap();
    assert!(in_files());
    subject
        .catalog
        .write(|tx| {
            tx.vaults()
                .change(&ours, &VAULT, |vault| vault.data_key_sealed.0.clear())
        })
        .unwrap();
    subject.catalog.fold_log().unwrap();
    assert!(!in_files());
}
