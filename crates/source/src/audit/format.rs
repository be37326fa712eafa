//! Which logs can be read, and by what one tells them.
//!
//! Invariant: a format is told by the first line of a file, never by its name.

use serde::{Deserialize, Serialize};

use super::{json, mariadb, postgres};

/// What a line of the log looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// The file of MariaDB's `server_audit` plugin.
    ServerAudit,
    /// PostgreSQL's `csvlog`, with or without lines of `pgaudit`.
    PostgresCsv,
    /// One JSON object per line: PostgreSQL's `jsonlog`, Percona's and other plugins.
    JsonLines,
}

/// Where the clock that a log was written by stands, for times without a zone: minutes east of UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Zone(pub i32);

impl Format {
    /// Every format.
    pub const ALL: [Self; 3] = [Self::ServerAudit, Self::PostgresCsv, Self::JsonLines];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ServerAudit => "server_audit",
            Self::PostgresCsv => "postgres_csv",
            Self::JsonLines => "json_lines",
        }
    }

    /// The format of that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == word)
    }

    /// Whether bytes could be the beginning of such a log.
    pub(super) fn fits(self, opening: &[u8]) -> bool {
        let opening = without_hole(opening);
        let line = match memchr::memchr(b'\n', opening) {
            Some(end) => opening.get(..end).unwrap_or_default(),
            None => opening,
        };
        match self {
            Self::ServerAudit => mariadb::begins(line),
            Self::PostgresCsv => postgres::begins(line),
            Self::JsonLines => json::begins(line),
        }
    }

    /// The format that bytes could be the beginning of.
    pub(super) fn of(opening: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.fits(opening))
    }
}

/// The bytes behind a hole: a writer that does not append leaves one when its file is cut.
pub(super) fn without_hole(bytes: &[u8]) -> &[u8] {
    let data = bytes.iter().position(|byte| *byte != 0);
    data.map_or(&[], |start| bytes.get(start..).unwrap_or_default())
}
