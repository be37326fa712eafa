//! One connection to a database, with every statement's failure told in our words.
//!
//! The session's settings are made plain first: what a server shows must not hang on how somebody
//! configured it.

use std::time::Duration;

use mysql::{Conn, Params, Row, Value, prelude::Queryable as _};

use super::{
    address::{Address, Encryption},
    error::{Error, Result},
    layer::Looked,
};

/// How long a server may take to take a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// How long a server may be silent. Restoring a log or waiting for a lock takes less.
const SILENT: Duration = Duration::from_mins(2);
/// How long we wait for other sessions' locks.
const LOCK_SECONDS: u32 = 60;

/// One connection.
pub(super) struct Session {
    /// What messages call the server.
    name: String,
    connection: Conn,
}

impl Session {
    /// Connects to the server that messages shall call `name`.
    pub(super) fn open(name: &str, address: &Address) -> Result<Self> {
        let name = format!("{name} at {address}");
        let options = address
            .options()
            .tcp_connect_timeout(Some(CONNECT))
            .read_timeout(Some(SILENT))
            .write_timeout(Some(SILENT))
            .stmt_cache_size(0_usize);
        let connection =
            Conn::new(options).map_err(|error| Error::of(&name, "take a connection", error))?;
        let mut session = Self { name, connection };
        if address.encryption != Encryption::Off {
            session.must_be_encrypted()?;
        }
        session.plain()?;
        Ok(session)
    }

    /// Refuses a connection that came about without what was asked for.
    fn must_be_encrypted(&mut self) -> Result<()> {
        let sql = "SHOW SESSION STATUS LIKE 'Ssl_cipher'";
        let cipher = self.first("say how we are connected", sql, |row| {
            row.skip();
            row.text()
        })?;
        if cipher.is_none_or(|cipher| cipher.is_empty()) {
            let why = format!("the connection to {} is not encrypted", self.name);
            return Err(Error::Unfit(why));
        }
        Ok(())
    }

    /// Makes the session's settings plain.
    pub(super) fn plain(&mut self) -> Result<()> {
        self.run("set up a session", "SET NAMES utf8mb4")?;
        let sql = format!(
            "SET SESSION sql_mode = '', sql_quote_show_create = 1, time_zone = '+00:00', \
             lock_wait_timeout = {LOCK_SECONDS}, foreign_key_checks = 0"
        );
        self.run("set up a session", &sql)
    }

    /// What messages call the server.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Runs a statement; `action` is what it does, as a verb, for messages.
    pub(super) fn run(&mut self, action: &'static str, sql: &str) -> Result<()> {
        self.connection
            .query_drop(sql)
            .map_err(|error| Error::of(&self.name, action, error))
    }

    /// Visits the rows of an answer as they come.
    pub(super) fn each(
        &mut self,
        action: &'static str,
        sql: &str,
        parameters: &[&str],
        mut visit: impl FnMut(&mut Columns) -> Result<()>,
    ) -> Result<()> {
        let wrong = |error| Error::of(&self.name, action, error);
        let mut take = |row: Row| {
            visit(&mut Columns {
                values: row.unwrap().into_iter(),
            })
        };
        // The text protocol shows what people see; prepared statements know fewer of them.
        if parameters.is_empty() {
            let rows = self.connection.query_iter(sql).map_err(wrong)?;
            for row in rows {
                take(row.map_err(wrong)?)?;
            }
        } else {
            let values = parameters.iter().map(|text| Value::from(*text)).collect();
            let rows = self
                .connection
                .exec_iter(sql, Params::Positional(values))
                .map_err(wrong)?;
            for row in rows {
                take(row.map_err(wrong)?)?;
            }
        }
        Ok(())
    }

    /// What `read` makes of every row.
    pub(super) fn all<T>(
        &mut self,
        action: &'static str,
        sql: &str,
        parameters: &[&str],
        mut read: impl FnMut(&mut Columns) -> T,
    ) -> Result<Vec<T>> {
        let mut found = Vec::new();
        self.each(action, sql, parameters, |columns| {
            found.push(read(columns));
            Ok(())
        })?;
        Ok(found)
    }

    /// The first row.
    pub(super) fn first<T>(
        &mut self,
        action: &'static str,
        sql: &str,
        read: impl FnMut(&mut Columns) -> T,
    ) -> Result<Option<T>> {
        let mut found = self.all(action, sql, &[], read)?;
        found.truncate(1);
        Ok(found.pop())
    }

    /// The server's variable of that name, as text.
    pub(super) fn variable(&mut self, name: &'static str) -> Result<Option<String>> {
        let sql = format!("SHOW GLOBAL VARIABLES LIKE '{name}'");
        self.first("show its variables", &sql, |row| {
            row.skip();
            row.text()
        })
    }

    /// What the server says of itself.
    pub(super) fn look(&mut self) -> Result<Looked> {
        let found = self.first(
            "say its version",
            "SELECT VERSION(), @@version_comment, @@global.read_only, @@server_id",
            |row| (row.text(), row.text(), row.text(), row.text()),
        )?;
        let (version, comment, read_only, server_id) = found.unwrap_or_default();
        let maria = version.contains("MariaDB") || comment.contains("MariaDB");
        Ok(Looked {
            engine: if maria { "MariaDB" } else { "MySQL" }.to_owned(),
            version: version
                .split(['-', '+'])
                .next()
                .unwrap_or_default()
                .to_owned(),
            read_only: !matches!(read_only.as_str(), "0" | "OFF"),
            server_id: server_id.parse().unwrap_or_default(),
        })
    }
}

/// Looks at a database server.
pub fn look(name: &str, address: &Address) -> Result<Looked> {
    Session::open(name, address)?.look()
}

/// The databases on a server, without the server's own.
pub fn databases(name: &str, address: &Address) -> Result<Vec<String>> {
    let mut session = Session::open(name, address)?;
    let found = super::capture::schemas(&mut session)?.into_iter();
    Ok(found.map(|schema| schema.name).collect())
}

/// Removes every database from a server, but the server's own.
pub fn drop_databases(name: &str, address: &Address) -> Result<()> {
    let mut session = Session::open(name, address)?;
    for schema in super::capture::schemas(&mut session)? {
        let sql = format!("DROP DATABASE IF EXISTS {}", quoted(&schema.name));
        session.run("remove a database", &sql)?;
    }
    Ok(())
}

/// The columns of one row, read from the left.
pub(super) struct Columns {
    values: std::vec::IntoIter<Value>,
}

impl Columns {
    /// The next column as text; empty for NULL.
    pub(super) fn text(&mut self) -> String {
        self.maybe().unwrap_or_default()
    }

    /// The next column as text; `None` for NULL and behind the last.
    pub(super) fn maybe(&mut self) -> Option<String> {
        match self.values.next()? {
            Value::NULL => None,
            Value::Bytes(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
            Value::Int(number) => Some(number.to_string()),
            Value::UInt(number) => Some(number.to_string()),
            Value::Float(number) => Some(number.to_string()),
            Value::Double(number) => Some(number.to_string()),
            other => Some(other.as_sql(true).trim_matches('\'').to_owned()),
        }
    }

    /// Leaves the next column out.
    pub(super) fn skip(&mut self) {
        self.values.next();
    }
}

/// A name between backticks.
pub(super) fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A text between quotes, in a session whose mode knows the backslash.
pub(super) fn literal(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('\'');
    for letter in text.chars() {
        match letter {
            '\'' => out.push_str("''"),
            '\\' => out.push_str("\\\\"),
            '\0' => out.push_str("\\0"),
            other => out.push(other),
        }
    }
    out.push('\'');
    out
}
