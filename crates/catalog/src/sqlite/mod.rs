//! SQLite as the catalog's database: one writer connection, a few readers, one file.
//!
//! Write-ahead log, so that lists are served while jobs write; `synchronous = FULL`, so that a
//! commit that was reported survives a power cut; `secure_delete`, so that a destroyed key is
//! overwritten. Writers of this process queue at a mutex, those of others (`strongroom admin`
//! beside `serve`) at SQLite's own lock.
//!
//! In memory there is one connection for all, because SQLite's shared memory databases fail
//! with lock errors where files wait.

mod connection;
mod copy;
pub(crate) mod migrate;
mod session;

use std::{
    path::{Path, PathBuf},
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

use rusqlite::{Connection, TransactionBehavior};

use crate::{
    backend::{Backend, Session, Verdict},
    error::{Error, Result},
};
use session::{SqliteSession, problem};

/// How many connections read a file at once; further readers wait for one of these.
const READERS: usize = 4;

/// A SQLite database.
pub(crate) struct Sqlite {
    path: Option<PathBuf>,
    writer: Mutex<Connection>,
    readers: Readers,
}

impl Sqlite {
    /// Opens or makes the database in that file.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let mut writer = connection::open_writer(path)?;
        migrate::run(&mut writer, migrate::ALL)?;
        Ok(Self {
            path: Some(path.to_owned()),
            writer: Mutex::new(writer),
            readers: Readers::default(),
        })
    }

    /// A database without a file.
    pub(crate) fn memory() -> Result<Self> {
        let mut writer = connection::open_memory()?;
        migrate::run(&mut writer, migrate::ALL)?;
        Ok(Self {
            path: None,
            writer: Mutex::new(writer),
            readers: Readers::default(),
        })
    }

    fn writer(&self) -> MutexGuard<'_, Connection> {
        // A panic inside a transaction has rolled it back: the connection is sound.
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `body` with a connection that only reads, or in memory with the only one.
    fn with_reader<T>(&self, body: impl FnOnce(&mut Connection) -> Result<T>) -> Result<T> {
        match &self.path {
            None => body(&mut self.writer()),
            Some(path) => body(self.readers.lend(path)?.connection()),
        }
    }
}

impl Backend for Sqlite {
    fn read(&self, body: &mut dyn FnMut(&dyn Session)) -> Result<()> {
        self.with_reader(|connection| {
            let view = View::open(connection)?;
            body(&SqliteSession::reading(connection));
            view.close()
        })
    }

    fn glance(&self, body: &mut dyn FnMut(&dyn Session)) -> Result<()> {
        self.with_reader(|connection| {
            body(&SqliteSession::reading(connection));
            Ok(())
        })
    }

    fn is_free(&self) -> bool {
        match self.path {
            None => self.writer.try_lock().is_ok(),
            Some(_) => self.readers.is_free(),
        }
    }

    fn write(&self, body: &mut dyn FnMut(&dyn Session) -> Verdict) -> Result<()> {
        let mut writer = self.writer();
        let tx = writer
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(problem)?;
        match body(&SqliteSession::writing(&tx)) {
            Verdict::Commit if tx.is_autocommit() => {
                // SQLite gave the transaction up by itself (disk full) and the body hid that.
                Err(Error::NoSpace)
            }
            Verdict::Commit => tx.commit().map_err(problem),
            // Not `rollback()`: after a full disk SQLite has rolled back already.
            Verdict::Rollback => {
                drop(tx);
                Ok(())
            }
        }
    }

    fn check(&self) -> Result<Vec<String>> {
        self.with_reader(|connection| connection::check(connection))
    }

    fn copy_to(&self, path: &Path) -> Result<()> {
        self.with_reader(|connection| copy::copy(connection, path))
    }

    fn fold_log(&self) -> Result<()> {
        if self.path.is_none() {
            return Ok(());
        }
        let blocked: i64 = self
            .writer()
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
            .map_err(problem)?;
        if blocked == 0 {
            Ok(())
        } else {
            Err(Error::Busy)
        }
    }

    fn describe(&self) -> String {
        self.path
            .as_ref()
            .map_or_else(|| "memory".to_owned(), |path| path.display().to_string())
    }
}

/// A snapshot for reading. It begins and ends by statements that are kept prepared, because for a
/// look at one row these would cost as much as the look.
struct View<'c> {
    connection: &'c Connection,
    is_open: bool,
}

impl<'c> View<'c> {
    fn open(connection: &'c Connection) -> Result<Self> {
        run(connection, "BEGIN DEFERRED")?;
        Ok(Self {
            connection,
            is_open: true,
        })
    }

    fn close(mut self) -> Result<()> {
        self.is_open = false;
        run(self.connection, "ROLLBACK")
    }
}

impl Drop for View<'_> {
    fn drop(&mut self) {
        // After a panic in the body; a connection that cannot even end a snapshot says so at its
        // next one.
        if self.is_open {
            let _ = run(self.connection, "ROLLBACK");
        }
    }
}

fn run(connection: &Connection, sql: &str) -> Result<()> {
    let mut statement = connection.prepare_cached(sql).map_err(problem)?;
    statement.execute([]).map(drop).map_err(problem)
}

/// The reading connections: opened when first needed, lent one at a time.
#[derive(Default)]
struct Readers {
    state: Mutex<Idle>,
    returned: Condvar,
}

#[derive(Default)]
struct Idle {
    connections: Vec<Connection>,
    opened: usize,
}

impl Readers {
    fn lend(&self, path: &Path) -> Result<Lent<'_>> {
        let mut idle = self.idle();
        loop {
            if let Some(connection) = idle.connections.pop() {
                return Ok(Lent {
                    readers: self,
                    connection: Some(connection),
                });
            }
            if idle.opened < READERS {
                let connection = connection::open_reader(path)?;
                idle.opened += 1;
                return Ok(Lent {
                    readers: self,
                    connection: Some(connection),
                });
            }
            idle = self
                .returned
                .wait(idle)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn is_free(&self) -> bool {
        let idle = self.idle();
        !idle.connections.is_empty() || idle.opened < READERS
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A reading connection that goes back when it is dropped, by a panic too.
struct Lent<'r> {
    readers: &'r Readers,
    connection: Option<Connection>,
}

impl Lent<'_> {
    fn connection(&mut self) -> &mut Connection {
        self.connection.as_mut().expect("it is taken only by drop")
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        self.readers
            .idle()
            .connections
            .extend(self.connection.take());
        self.readers.returned.notify_one();
    }
}

#[cfg(test)]
mod tests;
