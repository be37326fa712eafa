//! What a backup of metadata holds: lines of JSON, the first a head, the last an end.
//!
//! One line per object, so that a document of any length is written and read with one object in
//! memory. A reader refuses a version that it does not know, and a document without its end: it
//! was cut short.
//!
//! Format: docs/ddm.md, "The metadata document".

use std::{
    collections::BTreeMap,
    io::{BufRead, Write},
};

use serde::{Deserialize, Serialize};
use strongroom_model::DataNodeId;

use super::{
    error::{Error, Result},
    layer::{Ground, Table},
};

/// The version that this release writes.
pub const VERSION: u32 = 1;
/// The longest line: one table's statement is far below.
const LINE_MAX: u64 = 64 << 20;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Line {
    /// What this is.
    Head(Head),
    /// The layer's parameters.
    Parameters(Parameters),
    /// A database server behind it.
    DataNode(NodeLine),
    /// What the layer calls a link to one.
    Link(Link),
    /// An account.
    Account(Account),
    /// A logical schema; its tables follow.
    Schema(Schema),
    /// A table.
    Table(Table),
    /// A stored program.
    Program(Program),
    /// The end.
    End(End),
}

/// What a document is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// [`VERSION`].
    pub version: u32,
    /// The instance's id.
    pub instance_id: String,
    /// The instance's name.
    pub instance_name: String,
    /// The provider's word.
    pub provider: String,
    /// What the layer is.
    pub engine: String,
    /// The layer's version.
    pub engine_version: String,
}

/// The layer's parameters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameters {
    /// By name.
    pub values: BTreeMap<String, String>,
}

/// A database server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeLine {
    /// Its id.
    pub id: DataNodeId,
    /// Its name.
    pub name: String,
    /// Its host.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// `MariaDB` or `MySQL`.
    pub engine: String,
    /// Its version.
    pub engine_version: String,
}

/// What the layer calls a link to a server. Its password is not in here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Its name.
    pub name: String,
    /// The server.
    pub node: DataNodeId,
    /// The database there.
    pub database: String,
    /// The word for the protocol.
    pub wrapper: String,
}

/// An account with its rights.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its name.
    pub user: String,
    /// Where it comes from.
    pub host: String,
    /// Whether it is a role.
    pub role: bool,
    /// The statement that makes it, with the hash of its password.
    pub create: String,
    /// The statements that give it its rights.
    pub grants: Vec<String>,
}

/// A logical schema.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schema {
    /// Its name.
    pub name: String,
    /// Its character set.
    pub charset: String,
    /// Its order of letters.
    pub collation: String,
}

/// A stored program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// The schema.
    pub schema: String,
    /// `procedure`, `function`, `trigger` or `event`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// The statement that makes it.
    pub create: String,
    /// What the statement was read by.
    pub ground: Ground,
}

/// The place in a server's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The server.
    pub node: DataNodeId,
    /// The transactions that it had done.
    pub gtid: Option<String>,
    /// The log's file.
    pub file: Option<String>,
    /// The place in the file.
    pub offset: Option<u64>,
    /// Why there is no place: the server keeps no log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// The place in the layer's own log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The log's file.
    pub file: String,
    /// The place in the file.
    pub offset: u64,
}

/// The end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// Microseconds since 1970 at which everything above was so.
    pub taken_at: i64,
    /// How long writes stood still, in microseconds.
    pub still_micros: i64,
    /// Where every server's log was.
    pub positions: Vec<Position>,
    /// Where the layer's own log was; none if it keeps none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<Place>,
    /// How many schemas there are above.
    pub schemas: u64,
    /// How many tables.
    pub tables: u64,
    /// How many accounts.
    pub accounts: u64,
}

/// A document in memory, for a restore.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// What it is.
    pub head: Head,
    /// Everything between head and end, in order.
    pub lines: Vec<Line>,
    /// The end.
    pub end: End,
}

/// A document without what is between its head and its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// What it is.
    pub head: Head,
    /// The database servers.
    pub nodes: Vec<NodeLine>,
    /// The end.
    pub end: End,
}

/// Reads a document to its end with one line in memory, and proves that it is whole.
pub fn summarise(from: &mut dyn BufRead) -> Result<Summary> {
    let (mut nodes, mut count) = (Vec::new(), Count::default());
    let (head, end) = walk(from, |line| {
        count.add(&line);
        if let Line::DataNode(node) = line {
            nodes.push(node);
        }
    })?;
    count.check(&end)?;
    Ok(Summary { head, nodes, end })
}

/// Writes one line.
pub fn write(out: &mut dyn Write, line: &Line) -> Result<()> {
    let mut text = serde_json::to_vec(line).map_err(std::io::Error::from)?;
    text.push(b'\n');
    out.write_all(&text)?;
    Ok(())
}

impl Document {
    /// Reads a document to its end, and refuses what is behind it.
    pub fn read(from: &mut dyn BufRead) -> Result<Self> {
        let (mut lines, mut count) = (Vec::new(), Count::default());
        let (head, end) = walk(from, |line| {
            count.add(&line);
            lines.push(line);
        })?;
        count.check(&end)?;
        Ok(Self { head, lines, end })
    }

    /// The database servers, in order.
    pub fn nodes(&self) -> Vec<&NodeLine> {
        self.lines
            .iter()
            .filter_map(|line| match line {
                Line::DataNode(node) => Some(node),
                _ => None,
            })
            .collect()
    }

    /// The logical schemas, in order.
    pub fn schemas(&self) -> impl Iterator<Item = &Schema> {
        self.lines.iter().filter_map(|line| match line {
            Line::Schema(schema) => Some(schema),
            _ => None,
        })
    }

    /// The tables, in order.
    pub fn tables(&self) -> impl Iterator<Item = &Table> {
        self.lines.iter().filter_map(|line| match line {
            Line::Table(table) => Some(table),
            _ => None,
        })
    }

    /// The links, in order.
    pub fn links(&self) -> impl Iterator<Item = &Link> {
        self.lines.iter().filter_map(|line| match line {
            Line::Link(link) => Some(link),
            _ => None,
        })
    }

    /// The accounts, in order.
    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.lines.iter().filter_map(|line| match line {
            Line::Account(account) => Some(account),
            _ => None,
        })
    }

    /// The stored programs, in order.
    pub fn programs(&self) -> impl Iterator<Item = &Program> {
        self.lines.iter().filter_map(|line| match line {
            Line::Program(program) => Some(program),
            _ => None,
        })
    }
}

/// How many lines there are of what the end counts.
#[derive(Default)]
struct Count {
    schemas: u64,
    tables: u64,
    accounts: u64,
}

impl Count {
    fn add(&mut self, line: &Line) {
        match line {
            Line::Schema(_) => self.schemas += 1,
            Line::Table(_) => self.tables += 1,
            Line::Account(_) => self.accounts += 1,
            _ => {}
        }
    }

    fn check(&self, end: &End) -> Result<()> {
        let same =
            (self.schemas, self.tables, self.accounts) == (end.schemas, end.tables, end.accounts);
        same.then_some(())
            .ok_or_else(|| Error::Unreadable("lines are missing in it".to_owned()))
    }
}

/// Visits the lines between head and end.
fn walk(from: &mut dyn BufRead, mut visit: impl FnMut(Line)) -> Result<(Head, End)> {
    let unreadable = |why: &str| Error::Unreadable(why.to_owned());
    let Some(Line::Head(head)) = next(from)? else {
        return Err(unreadable("it does not begin with a head"));
    };
    if head.version != VERSION {
        let why = format!("version {} is not known to this release", head.version);
        return Err(Error::Unreadable(why));
    }
    loop {
        match next(from)? {
            None => return Err(unreadable("it is cut short")),
            Some(Line::Head(_)) => return Err(unreadable("it has two heads")),
            Some(Line::End(end)) => {
                return match next(from)? {
                    None => Ok((head, end)),
                    Some(_) => Err(unreadable("there is something behind its end")),
                };
            }
            Some(line) => visit(line),
        }
    }
}

fn next(from: &mut dyn BufRead) -> Result<Option<Line>> {
    let mut text = Vec::new();
    std::io::Read::take(&mut *from, LINE_MAX).read_until(b'\n', &mut text)?;
    if text.is_empty() {
        return Ok(None);
    }
    if text.last() != Some(&b'\n') {
        return Err(Error::Unreadable("a line is cut short".to_owned()));
    }
    // What the line says may be a secret, so the parser's words about it are not passed on.
    let parsed = serde_json::from_slice(&text);
    parsed.map(Some).map_err(|error| {
        Error::Unreadable(format!("a line is malformed at column {}", error.column()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head() -> Line {
        Line::Head(Head {
            version: VERSION,
            instance_id: "i".to_owned(),
            instance_name: "n".to_owned(),
            provider: "spider".to_owned(),
            engine: "MariaDB".to_owned(),
            engine_version: "10.11.19".to_owned(),
        })
    }

    fn end(schemas: u64) -> Line {
        Line::End(End {
            taken_at: 1,
            still_micros: 1,
            positions: Vec::new(),
            layer: None,
            schemas,
            tables: 0,
            accounts: 0,
        })
    }

    fn schema() -> Line {
        Line::Schema(Schema {
            name: "s`\n".to_owned(),
            charset: "utf8mb4".to_owned(),
            collation: "utf8mb4_bin".to_owned(),
        })
    }

    fn text(lines: &[Line]) -> Vec<u8> {
        let mut out = Vec::new();
        for line in lines {
            write(&mut out, line).unwrap();
        }
        out
    }

    #[test]
    fn a_document_is_read_back_as_it_was_written() {
        let bytes = text(&[head(), schema(), end(1)]);
        let document = Document::read(&mut &*bytes).unwrap();
        assert_eq!(document.schemas().count(), 1);
        assert_eq!(document.lines, [schema()]);
    }

    #[test]
    fn a_document_that_is_cut_short_anywhere_is_refused() {
        let bytes = text(&[head(), schema(), end(1)]);
        for length in 0..bytes.len() {
            assert!(Document::read(&mut &bytes[..length]).is_err(), "{length}");
        }
        for lines in [
            vec![head(), end(1)],
            vec![head(), schema(), end(1), schema()],
            vec![schema(), end(1)],
        ] {
            assert!(Document::read(&mut &*text(&lines)).is_err());
        }
    }

    #[test]
    fn a_document_of_a_later_release_is_refused() {
        let newer = String::from_utf8(text(&[head(), end(0)])).unwrap();
        let newer = newer.replace("\"version\":1", "\"version\":2");
        let error = Document::read(&mut newer.as_bytes()).unwrap_err();
        assert!(error.to_string().contains("version 2"), "{error}");
    }
}
