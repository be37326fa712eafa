//! The private contract of a database: transactions, statements, care of the file.
//!
//! Object-safe and small, so that PostgreSQL can be the second implementation; the rows and
//! their SQL above it are written once. One suite runs over all of them (`tests/it`).

use std::path::Path;

use crate::{error::Result, table::Row, value::Value};

/// What a transaction's body decided.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    Commit,
    Rollback,
}

/// A database.
pub(crate) trait Backend: Send + Sync {
    /// Runs `body` on one snapshot; it cannot write.
    fn read(&self, body: &mut dyn FnMut(&dyn Session)) -> Result<()>;

    /// As [`read`](Self::read), for a body of one statement, which is a snapshot by itself.
    fn glance(&self, body: &mut dyn FnMut(&dyn Session)) -> Result<()>;

    /// Whether somebody who reads now would begin at once.
    fn is_free(&self) -> bool;

    /// Runs `body` alone among writers. What it wrote is durable when `Ok` is returned after
    /// [`Verdict::Commit`], and gone after `Err`, [`Verdict::Rollback`] or a panic.
    fn write(&self, body: &mut dyn FnMut(&dyn Session) -> Verdict) -> Result<()>;

    /// The problems that the database finds in its own structure.
    fn check(&self) -> Result<Vec<String>>;

    /// A consistent copy in a new file, while others read and write.
    fn copy_to(&self, path: &Path) -> Result<()>;

    /// Removes what deleted rows left behind in files beside the database.
    fn fold_log(&self) -> Result<()>;

    /// Where it is, for messages.
    fn describe(&self) -> String;
}

/// An open transaction.
pub(crate) trait Session {
    /// Runs a statement; the number of rows it changed.
    fn execute(&self, sql: &str, params: &[Value]) -> Result<u64>;

    /// Runs a query and hands out its rows; `table` is named in messages about values.
    fn query(
        &self,
        table: &'static str,
        sql: &str,
        params: &[Value],
        each: &mut dyn FnMut(Row) -> Result<()>,
    ) -> Result<()>;
}
