//! Statements on an open SQLite transaction, and what SQLite's errors mean to us.

use rusqlite::{
    Connection, ErrorCode, ToSql, ffi, params_from_iter,
    types::{ToSqlOutput, ValueRef},
};

use crate::{
    backend::Session,
    error::{Error, Result},
    table::Row,
    value::Value,
};

/// A transaction on a connection.
pub(super) struct SqliteSession<'c> {
    connection: &'c Connection,
    writes: bool,
}

impl<'c> SqliteSession<'c> {
    pub(super) fn reading(connection: &'c Connection) -> Self {
        Self {
            connection,
            writes: false,
        }
    }

    pub(super) fn writing(connection: &'c Connection) -> Self {
        Self {
            connection,
            writes: true,
        }
    }
}

impl Session for SqliteSession<'_> {
    fn execute(&self, sql: &str, params: &[Value]) -> Result<u64> {
        if !self.writes {
            return Err(Error::ReadOnly);
        }
        let mut statement = self.connection.prepare_cached(sql).map_err(problem)?;
        let changed = statement
            .execute(params_from_iter(params))
            .map_err(problem)?;
        Ok(changed as u64)
    }

    fn query(
        &self,
        table: &'static str,
        sql: &str,
        params: &[Value],
        each: &mut dyn FnMut(Row) -> Result<()>,
    ) -> Result<()> {
        let mut statement = self.connection.prepare_cached(sql).map_err(problem)?;
        let width = statement.column_count();
        let mut rows = statement.query(params_from_iter(params)).map_err(problem)?;
        while let Some(row) = rows.next().map_err(problem)? {
            let mut values = Vec::with_capacity(width);
            for column in 0..width {
                values.push(value(row.get_ref(column).map_err(problem)?)?);
            }
            each(Row {
                table,
                values: values.into_iter(),
            })?;
        }
        Ok(())
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

fn value(found: ValueRef<'_>) -> Result<Value> {
    Ok(match found {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Text(text) => match String::from_utf8(text.to_vec()) {
            Ok(text) => Value::Text(text),
            // Reported by the column that wanted text.
            Err(bytes) => Value::Blob(bytes.into_bytes()),
        },
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
        ValueRef::Real(_) => return Err(Error::Corrupt("a fraction where none is kept".into())),
    })
}

/// What an error of SQLite means.
pub(super) fn problem(error: rusqlite::Error) -> Error {
    let rusqlite::Error::SqliteFailure(cause, message) = &error else {
        return Error::Database(Box::new(error));
    };
    let message = message.clone().unwrap_or_else(|| cause.to_string());
    match (cause.code, cause.extended_code) {
        (ErrorCode::DiskFull, _) | (_, ffi::SQLITE_IOERR_SHMSIZE) => Error::NoSpace,
        (ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked, _) => Error::Busy,
        (ErrorCode::DatabaseCorrupt, _) => Error::Corrupt(message),
        (_, ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY) => {
            let columns = message.rsplit(": ").next().unwrap_or(&message);
            Error::Duplicate(columns.to_owned())
        }
        (_, ffi::SQLITE_CONSTRAINT_FOREIGNKEY) => Error::Reference,
        _ => Error::Database(Box::new(error)),
    }
}
