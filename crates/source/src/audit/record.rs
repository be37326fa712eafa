//! A line of an audit log taken apart: who did what, where, when, with what outcome.
//!
//! Lines are kept as they are and taken apart only when somebody searches. What a format does not
//! say is empty, and a line that is not understood is a record with nothing but its text: a search
//! still finds it by its words.

use std::borrow::Cow;

use strongroom_model::Timestamp;

use super::{
    format::{Format, Zone},
    json, mariadb, postgres,
};

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record<'a> {
    /// When.
    pub time: Option<Timestamp>,
    /// The database account.
    pub user: Cow<'a, str>,
    /// Where the client was.
    pub host: Cow<'a, str>,
    /// The database or schema.
    pub database: Cow<'a, str>,
    /// The table or other object.
    pub object: Cow<'a, str>,
    /// What the log calls the event.
    pub operation: Cow<'a, str>,
    /// The statement, or the message.
    pub statement: Cow<'a, str>,
    /// What the server answered, as far as it is a number.
    pub return_code: Option<i64>,
    /// The connection or session.
    pub connection: Cow<'a, str>,
    /// The statement's number.
    pub query: Cow<'a, str>,
    /// Whether the log says by a word that it failed.
    pub failed: bool,
}

/// What kind of statement it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatementKind {
    /// Somebody connected, or tried to.
    Login,
    /// `CREATE TABLE`
    CreateTable,
    /// `CREATE TABLESPACE`
    CreateTablespace,
    /// `DROP TABLE`
    DropTable,
    /// `DROP TABLESPACE`
    DropTablespace,
    /// `DELETE`
    Delete,
    /// `INSERT`
    Insert,
    /// `INSERT … SELECT`
    InsertSelect,
    /// `SELECT`
    Select,
    /// `SELECT … FOR UPDATE`
    SelectForUpdate,
    /// `UPDATE`
    Update,
    /// `CREATE USER`, `CREATE ROLE`
    CreateUser,
    /// `DROP USER`, `DROP ROLE`
    DropUser,
    /// `GRANT`
    Grant,
    /// Anything else.
    Operate,
}

impl<'a> Record<'a> {
    /// Takes a line apart.
    pub fn of(format: Format, line: &'a [u8], zone: Zone) -> Self {
        let line = super::format::without_hole(line);
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let understood = match format {
            Format::ServerAudit => mariadb::record(line, zone),
            Format::PostgresCsv => postgres::record(line, zone),
            Format::JsonLines => json::record(line, zone),
        };
        understood.unwrap_or_else(|| Record {
            statement: String::from_utf8_lossy(line),
            ..Record::default()
        })
    }

    /// The time of a line, without taking the rest apart.
    pub fn time_of(format: Format, line: &[u8], zone: Zone) -> Option<Timestamp> {
        let line = super::format::without_hole(line);
        time(format, line, zone).map(Timestamp::from_micros)
    }

    /// Whether what was tried succeeded.
    pub fn succeeded(&self) -> bool {
        !self.failed && self.return_code.unwrap_or(0) == 0
    }

    /// What kind of statement it is.
    pub fn kind(&self) -> StatementKind {
        use StatementKind as K;
        let is = |word: &str| self.operation.eq_ignore_ascii_case(word);
        if ["connect", "failed_connect", "login", "authentication"]
            .iter()
            .any(|word| is(word))
        {
            return K::Login;
        }
        let mut words = words(&self.statement);
        let first = words.next().unwrap_or_default();
        let second = words.next().unwrap_or_default();
        let starts = |a: &str| first.eq_ignore_ascii_case(a);
        let goes_on = |b: &str| second.eq_ignore_ascii_case(b);
        let has = |word: &str| self.has_word(word);
        match () {
            () if starts("select") && self.locks_rows() => K::SelectForUpdate,
            () if starts("select") => K::Select,
            () if starts("insert") && has("select") => K::InsertSelect,
            () if starts("insert") || starts("replace") => K::Insert,
            () if starts("update") => K::Update,
            () if starts("delete") => K::Delete,
            () if starts("grant") => K::Grant,
            () if starts("create") => match () {
                () if goes_on("tablespace") => K::CreateTablespace,
                () if goes_on("user") || goes_on("role") => K::CreateUser,
                () if goes_on("table") || has("table") && is_aside(second) => K::CreateTable,
                () => K::Operate,
            },
            () if starts("drop") => match () {
                () if goes_on("tablespace") => K::DropTablespace,
                () if goes_on("user") || goes_on("role") => K::DropUser,
                () if goes_on("table") || goes_on("temporary") => K::DropTable,
                () => K::Operate,
            },
            () => K::Operate,
        }
    }

    fn has_word(&self, word: &str) -> bool {
        words(&self.statement).any(|found| found.eq_ignore_ascii_case(word))
    }

    /// `FOR UPDATE` behind the rest.
    fn locks_rows(&self) -> bool {
        let mut before = "";
        self.statement.split_whitespace().any(|word| {
            let word = word.trim_end_matches([';', ')']);
            let found = before.eq_ignore_ascii_case("for") && word.eq_ignore_ascii_case("update");
            before = word;
            found
        })
    }
}

/// `CREATE OR REPLACE TABLE`, `CREATE TEMPORARY TABLE`, `CREATE UNLOGGED TABLE`
fn is_aside(second: &str) -> bool {
    ["or", "temporary", "temp", "unlogged", "global", "local"]
        .iter()
        .any(|word| second.eq_ignore_ascii_case(word))
}

/// The words of a statement, without comments before it.
fn words(statement: &str) -> impl Iterator<Item = &str> {
    let mut text = statement.trim_start();
    while let Some(comment) = text.strip_prefix("/*") {
        let Some((_, behind)) = comment.split_once("*/") else {
            break;
        };
        text = behind.trim_start();
    }
    text.split(|letter: char| !(letter.is_alphanumeric() || letter == '_'))
        .filter(|word| !word.is_empty())
}

/// The time of a line in microseconds since 1970, without taking the rest apart.
pub(super) fn time(format: Format, line: &[u8], zone: Zone) -> Option<i64> {
    match format {
        Format::ServerAudit => mariadb::time(line, zone),
        Format::PostgresCsv => postgres::time(line, zone),
        Format::JsonLines => json::time(line, zone),
    }
}

/// Bytes as text; what is no UTF-8 becomes marks.
pub(super) fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(statement: &str) -> StatementKind {
        Record {
            operation: "QUERY".into(),
            statement: statement.into(),
            ..Record::default()
        }
        .kind()
    }

    #[test]
    fn statements_are_sorted_by_their_first_words() {
        use StatementKind as K;
        for (statement, expected) in [
            ("SELECT 1", K::Select),
            (
                "  /* app */ select * from t where id=1 for update",
                K::SelectForUpdate,
            ),
            ("SELECT 'for', 'update'", K::Select),
            ("insert into t values (1)", K::Insert),
            ("INSERT INTO t SELECT * FROM u", K::InsertSelect),
            ("CREATE TABLE t (id INT)", K::CreateTable),
            ("CREATE OR REPLACE TABLE t (id INT)", K::CreateTable),
            ("CREATE INDEX i ON t (x)", K::Operate),
            ("create user 'a'@'b'", K::CreateUser),
            ("DROP ROLE r", K::DropUser),
            ("drop table t", K::DropTable),
            ("GRANT ALL ON *.* TO a", K::Grant),
            ("SET NAMES utf8", K::Operate),
            ("", K::Operate),
            ("/* never ends", K::Operate),
        ] {
            assert_eq!(kind(statement), expected, "{statement}");
        }
    }

    #[test]
    fn a_line_that_is_not_understood_is_all_text() {
        for format in Format::ALL {
            let record = Record::of(format, b"what is this\n", Zone(0));
            assert_eq!(record.statement, "what is this");
            assert_eq!(record.time, None);
        }
    }
}
