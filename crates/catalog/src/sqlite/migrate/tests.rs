//! Migrations: in order, once, all or nothing each, and never edited.

use rusqlite::Connection;

use super::{Migration, run, seen};
use crate::error::Error;

const FIRST: Migration = Migration {
    version: 1,
    name: "first",
    sql: "CREATE TABLE a (x INTEGER) STRICT; INSERT INTO a VALUES (1);",
};
const SECOND: Migration = Migration {
    version: 2,
    name: "second",
    sql: "ALTER TABLE a ADD COLUMN y INTEGER; UPDATE a SET y = x + 1;",
};
const BROKEN: Migration = Migration {
    version: 3,
    name: "broken",
    sql: "CREATE TABLE b (x INTEGER) STRICT; INSERT INTO nowhere VALUES (1);",
};

fn memory() -> Connection {
    Connection::open_in_memory().unwrap()
}

fn y(connection: &Connection) -> i64 {
    connection
        .query_row("SELECT y FROM a", [], |row| row.get(0))
        .unwrap()
}

#[test]
fn each_migration_runs_once_and_in_order() {
    let mut connection = memory();
    run(&mut connection, &[FIRST]).unwrap();
    run(&mut connection, &[FIRST, SECOND]).unwrap();
    run(&mut connection, &[FIRST, SECOND]).unwrap();
    assert_eq!(y(&connection), 2);
    let mut at_once = memory();
    run(&mut at_once, &[FIRST, SECOND]).unwrap();
    assert_eq!(y(&at_once), 2);
}

#[test]
fn a_migration_that_fails_leaves_those_before_it_and_nothing_of_itself() {
    let mut connection = memory();
    assert!(run(&mut connection, &[FIRST, SECOND, BROKEN]).is_err());
    assert_eq!(seen(&connection, &[FIRST, SECOND]).unwrap(), 2);
    let tables: i64 = connection
        .query_row(
            "SELECT COUNT(*) FROM sqlite_schema WHERE name = 'b'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(tables, 0);
    run(&mut connection, &[FIRST, SECOND]).unwrap();
}

#[test]
fn an_edited_migration_and_a_newer_schema_are_refused() {
    let mut connection = memory();
    run(&mut connection, &[FIRST, SECOND]).unwrap();
    let edited = Migration {
        sql: "CREATE TABLE a (x TEXT) STRICT;",
        ..FIRST
    };
    let refused = run(&mut connection, &[edited, SECOND]);
    assert!(
        matches!(refused, Err(Error::MigrationAltered { version: 1, .. })),
        "{refused:?}"
    );
    let renumbered = Migration {
        version: 5,
        ..SECOND
    };
    let refused = run(&mut connection, &[FIRST, renumbered]);
    assert!(
        matches!(refused, Err(Error::MigrationAltered { version: 2, .. })),
        "{refused:?}"
    );
    let refused = run(&mut connection, &[FIRST]);
    assert!(
        matches!(refused, Err(Error::TooNew { found: 2, known: 1 })),
        "{refused:?}"
    );
    assert_eq!(y(&connection), 2);
}

#[test]
fn the_migrations_are_numbered_from_one_and_rise() {
    let versions: Vec<_> = super::ALL.iter().map(|one| one.version).collect();
    assert_eq!(versions[0], 1);
    assert!(
        versions.is_sorted_by(|one, next| one < next),
        "{versions:?}"
    );
}
