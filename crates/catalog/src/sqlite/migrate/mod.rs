//! Brings a database to the schema of this release, one numbered file after the other.
//!
//! A migration that has been released is never edited: the database remembers the BLAKE3 of
//! each one that it has seen, and a difference is refused, because nobody knows what such a
//! database holds. So is a database that has seen more than this release knows.
//!
//! Each migration is one transaction; a crash between two leaves a database that the next start
//! continues with.

use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::{connection::APPLICATION_ID, session::problem};
use crate::error::{Error, Result};

/// One step of the schema.
#[derive(Clone, Copy)]
pub(crate) struct Migration {
    pub(crate) version: i64,
    pub(crate) name: &'static str,
    pub(crate) sql: &'static str,
}

/// Every migration, in order.
pub(crate) const ALL: &[Migration] = &[
    Migration {
        version: 1,
        name: "start",
        sql: include_str!("../../../migrations/sqlite/0001_start.sql"),
    },
    Migration {
        version: 2,
        name: "policies",
        sql: include_str!("../../../migrations/sqlite/0002_policies.sql"),
    },
    Migration {
        version: 3,
        name: "safety",
        sql: include_str!("../../../migrations/sqlite/0003_safety.sql"),
    },
    Migration {
        version: 4,
        name: "watch",
        sql: include_str!("../../../migrations/sqlite/0004_watch.sql"),
    },
    Migration {
        version: 5,
        name: "replication",
        sql: include_str!("../../../migrations/sqlite/0005_replication.sql"),
    },
    Migration {
        version: 6,
        name: "copies",
        sql: include_str!("../../../migrations/sqlite/0006_replication.sql"),
    },
    Migration {
        version: 7,
        name: "safety of promises",
        sql: include_str!("../../../migrations/sqlite/0007_safety.sql"),
    },
    Migration {
        version: 8,
        name: "usage",
        sql: include_str!("../../../migrations/sqlite/0008_usage.sql"),
    },
    Migration {
        version: 9,
        name: "ddm",
        sql: include_str!("../../../migrations/sqlite/0009_ddm.sql"),
    },
    Migration {
        version: 10,
        name: "dbss",
        sql: include_str!("../../../migrations/sqlite/0010_dbss.sql"),
    },
    Migration {
        version: 11,
        name: "points in time",
        sql: include_str!("../../../migrations/sqlite/0011_pitr.sql"),
    },
    Migration {
        version: 12,
        name: "looks",
        sql: include_str!("../../../migrations/sqlite/0012_looks.sql"),
    },
];

impl Migration {
    fn checksum(&self) -> String {
        blake3::hash(self.sql.as_bytes()).to_hex().to_string()
    }
}

/// Applies what `migrations` has and the database has not.
pub(crate) fn run(connection: &mut Connection, migrations: &[Migration]) -> Result<()> {
    if seen(connection, migrations)? == migrations.len() {
        return Ok(());
    }
    for _ in migrations {
        let tx = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(problem)?;
        // Looked up again under the lock: another process may have been faster.
        let done = seen(&tx, migrations)?;
        let Some(next) = migrations.get(done) else {
            break;
        };
        apply(&tx, next)?;
        tx.commit().map_err(problem)?;
    }
    Ok(())
}

/// How many of the migrations the database has seen; an error if it has seen anything else.
fn seen(connection: &Connection, migrations: &[Migration]) -> Result<usize> {
    let known: i64 = connection
        .query_row(
            "SELECT COUNT(*) FROM sqlite_schema WHERE name = 'migrations'",
            [],
            |row| row.get(0),
        )
        .map_err(problem)?;
    if known == 0 {
        return Ok(0);
    }
    let mut statement = connection
        .prepare("SELECT version, name, checksum FROM migrations ORDER BY version")
        .map_err(problem)?;
    let applied: Vec<(i64, String, String)> = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .and_then(Iterator::collect)
        .map_err(problem)?;
    for (place, (version, name, checksum)) in applied.iter().enumerate() {
        match migrations.get(place) {
            None => {
                let newest = applied.last().map_or(0, |(version, ..)| *version);
                let known = migrations.last().map_or(0, |migration| migration.version);
                return Err(Error::TooNew {
                    found: newest,
                    known,
                });
            }
            Some(ours) if ours.version == *version && ours.checksum() == *checksum => {}
            Some(_) => {
                return Err(Error::MigrationAltered {
                    version: *version,
                    name: name.clone(),
                });
            }
        }
    }
    Ok(applied.len())
}

fn apply(tx: &Transaction<'_>, next: &Migration) -> Result<()> {
    if next.version == 1 {
        tx.pragma_update(None, "application_id", APPLICATION_ID)
            .map_err(problem)?;
        tx.execute_batch(
            "CREATE TABLE migrations (
                 version INTEGER PRIMARY KEY,
                 name TEXT NOT NULL,
                 checksum TEXT NOT NULL
             ) STRICT",
        )
        .map_err(problem)?;
    }
    tx.execute_batch(next.sql).map_err(problem)?;
    tx.execute(
        "INSERT INTO migrations (version, name, checksum) VALUES (?1, ?2, ?3)",
        params![next.version, next.name, next.checksum()],
    )
    .map_err(problem)?;
    Ok(())
}

#[cfg(test)]
mod tests;
