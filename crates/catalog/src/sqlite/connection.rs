//! Opening SQLite files: whose they are, who may read them, how they are to behave.
//!
//! Invariant: a file that is not ours is recognised before anything is written to it.

use std::{
    fs::{self, OpenOptions, Permissions},
    io::{self, Read},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, ErrorCode, OpenFlags, config::DbConfig};

use super::session::problem;
use crate::error::{Error, Result};

/// Marks our files in SQLite's header: the letters S, R, c, t.
pub(super) const APPLICATION_ID: i64 = 0x5352_6374;

/// The first SQLite without the race that corrupts a write-ahead log at its reset.
const OLDEST_SQLITE: i32 = 3_051_003;

/// Pages that the writer keeps in memory. With a million backups a write touches a dozen indexes
/// at places that are far apart; the usual 2 MiB would read and write each of them anew.
const WRITER_CACHE_KIB: i64 = 32 << 10;
/// Pages that each reader keeps in memory.
const READER_CACHE_KIB: i64 = 8 << 10;

/// How long a writer waits for one of another process.
const PATIENCE: Duration = Duration::from_secs(10);

/// The connection that writes. Makes the file if there is none.
pub(super) fn open_writer(path: &Path) -> Result<Connection> {
    assert!(
        rusqlite::version_number() >= OLDEST_SQLITE,
        "this SQLite corrupts write-ahead logs"
    );
    make_file(path)?;
    recognise_header(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(problem)?;
    connection.busy_timeout(PATIENCE).map_err(problem)?;
    recognise(&connection, path)?;
    for suffix in ["", "-wal", "-shm"] {
        close_to_others(&beside(path, suffix))?;
    }
    let mode: String = connection
        .query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))
        .map_err(problem)?;
    if mode != "wal" {
        let reason = io::Error::other(format!("the journal mode stays {mode}"));
        return Err(file_error("preparing the catalog", path)(reason));
    }
    behave(&connection)?;
    remember(&connection, WRITER_CACHE_KIB)?;
    Ok(connection)
}

/// A connection that cannot write.
pub(super) fn open_reader(path: &Path) -> Result<Connection> {
    // Not opened read-only: a reader of a write-ahead log takes part in its index file.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(problem)?;
    connection.busy_timeout(PATIENCE).map_err(problem)?;
    behave(&connection)?;
    connection
        .pragma_update(None, "query_only", true)
        .map_err(problem)?;
    remember(&connection, READER_CACHE_KIB)?;
    Ok(connection)
}

/// A database without a file.
pub(super) fn open_memory() -> Result<Connection> {
    let connection = Connection::open_in_memory().map_err(problem)?;
    behave(&connection)?;
    Ok(connection)
}

/// Lets the connection keep pages of the file in memory.
fn remember(connection: &Connection, kib: i64) -> Result<()> {
    connection
        .pragma_update(None, "cache_size", -kib)
        .map_err(problem)
}

fn behave(connection: &Connection) -> Result<()> {
    for (name, value) in [
        ("synchronous", "FULL"),
        ("foreign_keys", "ON"),
        ("secure_delete", "ON"),
        ("cell_size_check", "ON"),
        ("trusted_schema", "OFF"),
    ] {
        connection
            .pragma_update(None, name, value)
            .map_err(problem)?;
    }
    // Plans must not hang on the values that are bound: a partial index makes SQLite plan anew for
    // each value, which costs more than the look-up itself.
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
        .map_err(problem)?;
    connection.set_prepared_statement_cache_capacity(128);
    Ok(())
}

/// Refuses what is plainly another program's file by its first bytes, so that SQLite, which
/// writes when it opens a database in need of recovery, does not touch it.
fn recognise_header(path: &Path) -> Result<()> {
    let mut header = Vec::with_capacity(100);
    let read = fs::File::open(path).and_then(|file| file.take(100).read_to_end(&mut header));
    read.map_err(file_error("reading the catalog", path))?;
    let foreign = |reason: &str| {
        Err(Error::Foreign {
            path: path.into(),
            reason: reason.into(),
        })
    };
    if header.is_empty() {
        return Ok(());
    }
    if header.len() < 100 || !header.starts_with(b"SQLite format 3\0") {
        return foreign("file is not a database");
    }
    let mark = i64::from(u32::from_be_bytes([
        header[68], header[69], header[70], header[71],
    ]));
    // Zero too: the mark of a new catalog may still be in its write-ahead log.
    if mark == APPLICATION_ID || mark == 0 {
        Ok(())
    } else {
        foreign(OTHER_PROGRAM)
    }
}

const OTHER_PROGRAM: &str = "a SQLite database of another program";

/// Refuses a file that somebody else made. An empty file is new.
fn recognise(connection: &Connection, path: &Path) -> Result<()> {
    let foreign = |reason: String| Error::Foreign {
        path: path.to_owned(),
        reason,
    };
    let ask = |sql| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let tables = match ask("SELECT COUNT(*) FROM sqlite_schema") {
        Ok(tables) => tables,
        Err(rusqlite::Error::SqliteFailure(cause, message)) => {
            let reason = message.unwrap_or_else(|| cause.to_string());
            return Err(match cause.code {
                ErrorCode::NotADatabase => foreign(reason),
                ErrorCode::DatabaseCorrupt => Error::Corrupt(reason),
                _ => problem(rusqlite::Error::SqliteFailure(cause, Some(reason))),
            });
        }
        Err(other) => return Err(problem(other)),
    };
    let mark = ask("PRAGMA application_id").map_err(problem)?;
    match (mark, tables) {
        (APPLICATION_ID, _) | (0, 0) => Ok(()),
        _ => Err(foreign(OTHER_PROGRAM.into())),
    }
}

/// Makes the file, durably and private to its owner, if there is none.
///
/// SQLite gives the files beside it (`-wal`, `-shm`) the same permissions.
fn make_file(path: &Path) -> Result<()> {
    match OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
    {
        Ok(file) => {
            file.sync_all()
                .map_err(file_error("making the catalog", path))?;
            sync_folder(path)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(file_error("making the catalog", path)(error)),
    }
}

fn close_to_others(path: &Path) -> Result<()> {
    let mode = match fs::metadata(path) {
        Ok(found) => found.permissions().mode(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(file_error("looking at", path)(error)),
    };
    if mode & 0o077 != 0 {
        tracing::warn!(path = %path.display(), "others could read the catalog; now they cannot");
        fs::set_permissions(path, Permissions::from_mode(mode & 0o700))
            .map_err(file_error("closing to others", path))?;
    }
    Ok(())
}

/// `path` with `suffix` at its end.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Makes the entry of `path` in its folder durable.
pub(super) fn sync_folder(path: &Path) -> Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let opened = fs::File::open(folder).and_then(|folder| folder.sync_all());
    opened.map_err(file_error("syncing the folder", folder))
}

/// An [`Error::File`] about that path.
pub(super) fn file_error(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| {
        if source.kind() == io::ErrorKind::StorageFull {
            Error::NoSpace
        } else {
            Error::File { what, path, source }
        }
    }
}

/// What SQLite finds wrong with its own structures and with the ties between rows.
pub(super) fn check(connection: &Connection) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    let mut structure = connection
        .prepare("PRAGMA integrity_check(100)")
        .map_err(problem)?;
    let found = structure
        .query_map([], |row| row.get::<_, String>(0))
        .map_err(problem)?;
    for line in found {
        match line {
            Ok(line) if line == "ok" => {}
            Ok(line) => problems.push(line),
            Err(error) => problems.push(error.to_string()),
        }
    }
    if !problems.is_empty() {
        return Ok(problems);
    }
    let mut ties = connection
        .prepare("PRAGMA foreign_key_check")
        .map_err(problem)?;
    let found = ties
        .query_map([], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(2)?))
        })
        .map_err(problem)?;
    for tie in found {
        let (table, parent) = tie.map_err(problem)?;
        problems.push(format!(
            "a row of {table} refers to a row of {parent} that is missing"
        ));
    }
    Ok(problems)
}
