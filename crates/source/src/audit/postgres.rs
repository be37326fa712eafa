//! Lines of PostgreSQL's `csvlog`: 23 to 26 columns by its version, text in doubled quotes.
//!
//! A message of `pgaudit` is itself a list of such columns, and is taken apart too.
//!
//! A server that dies in the middle of a record leaves a quote open, and the next one may go on in
//! the same file. Whoever only counted quotes would take all that follows inside out, so a line
//! that is a [whole record](whole_record) ends what stands before it. No statement can feign one:
//! inside of quotes each quote is doubled, and a record needs single ones.

use std::borrow::Cow;

use strongroom_model::Timestamp;

use super::{
    format::Zone,
    record::{Record, text},
    when,
};

/// The least columns of any version.
const COLUMNS: usize = 23;
/// The most.
const COLUMNS_MAX: usize = 26;
/// The place of the message, which every record has, and in quotes.
const MESSAGE: usize = 13;
/// No column without quotes is longer.
const UNQUOTED_MAX: usize = 128;
const PGAUDIT: &str = "AUDIT: ";

/// Whether a line, or the beginning of one, is of this kind.
pub(super) fn begins(line: &[u8]) -> bool {
    let Some(time) = when::civil(line) else {
        return false;
    };
    let behind = line.get(time.length..).unwrap_or_default();
    let comma = memchr::memchr(b',', behind);
    // A word for the zone may stand before the comma.
    comma.is_some_and(|comma| comma <= 8)
}

pub(super) fn time(line: &[u8], zone: Zone) -> Option<i64> {
    when::civil(line).map(|time| time.instant(zone.0))
}

/// Whether bytes begin with a whole record and not with text that stands between quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begins {
    /// With a record.
    Record,
    /// With something else.
    Text,
    /// More bytes will tell.
    Undecided,
}

/// Whether bytes behind the end of a line begin with a whole record.
pub(super) fn whole_record(bytes: &[u8]) -> Begins {
    const STEM: &[u8; 19] = b"0000-00-00 00:00:00";
    for (have, like) in bytes.iter().zip(STEM) {
        let fits = match like {
            b'0' => have.is_ascii_digit(),
            mark => have == mark,
        };
        if !fits {
            return Begins::Text;
        }
    }
    let (mut at, mut columns) = (0, 0);
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let length = if rest.first() == Some(&b'"') {
            quoted_length(rest)
        } else if columns == MESSAGE && !rest.is_empty() {
            return Begins::Text;
        } else {
            let end = rest.iter().position(|byte| b",\n\"".contains(byte));
            match end {
                None if rest.len() > UNQUOTED_MAX => return Begins::Text,
                Some(end) if end > UNQUOTED_MAX => return Begins::Text,
                end => end,
            }
        };
        let Some(length) = length else {
            return Begins::Undecided;
        };
        columns += 1;
        match rest.get(length) {
            Some(b',') if columns < COLUMNS_MAX => at += length + 1,
            Some(b'\n') if (COLUMNS..=COLUMNS_MAX).contains(&columns) => return Begins::Record,
            Some(_) => return Begins::Text,
            None => return Begins::Undecided,
        }
    }
}

/// The length of a column in quotes, if its end is there.
fn quoted_length(column: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        let quote = at + memchr::memchr(b'"', column.get(at..)?)?;
        match column.get(quote + 1) {
            Some(b'"') => at = quote + 2,
            Some(_) => return Some(quote + 1),
            None => return None,
        }
    }
}

pub(super) fn record(line: &[u8], zone: Zone) -> Option<Record<'_>> {
    let time = time(line, zone)?;
    let columns: Vec<Cow<'_, str>> = Columns(Some(line)).collect();
    if columns.len() < COLUMNS {
        return None;
    }
    let mut columns = columns.into_iter();
    let mut skip_to = |count: usize| columns.nth(count).unwrap_or_default();
    // 0 log_time, 1 user_name, 2 database_name, 3 process_id, 4 connection_from, 5 session_id,
    // 6 session_line_num, 7 command_tag, 11 error_severity, 12 sql_state_code, 13 message, 19 query
    let (user, database) = (skip_to(1), skip_to(0));
    let host = skip_to(1);
    let (connection, query) = (skip_to(0), skip_to(0));
    let tag = skip_to(0);
    let (severity, _state, message) = (skip_to(3), skip_to(0), skip_to(0));
    let quoted = skip_to(5);
    let failed = matches!(&*severity, "ERROR" | "FATAL" | "PANIC");
    let host = match host.rsplit_once(':') {
        // The client's port stands behind its address.
        Some((address, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
            Cow::Owned(address.to_owned())
        }
        _ => host,
    };
    let mut record = Record {
        time: Some(Timestamp::from_micros(time)),
        user,
        host,
        database,
        operation: tag,
        connection,
        query,
        failed,
        ..Record::default()
    };
    fill(&mut record, message, quoted);
    Some(record)
}

/// What a message says of a statement.
fn fill<'a>(record: &mut Record<'a>, message: Cow<'a, str>, quoted: Cow<'a, str>) {
    if let Some(audit) = message.strip_prefix(PGAUDIT) {
        let columns: Vec<String> = Columns(Some(audit.as_bytes()))
            .map(Cow::into_owned)
            .collect();
        // type, statement, part, class, command, type of the object, object, text, parameters
        if let [_, _, _, class, command, _, object, statement, ..] = columns.as_slice() {
            record.operation = Cow::Owned(if command.is_empty() { class } else { command }.clone());
            record.object = Cow::Owned(object.clone());
            record.statement = Cow::Owned(statement.clone());
            return;
        }
    }
    let connected =
        message.starts_with("connection authorized") || message.contains("authentication failed");
    if connected {
        record.operation = Cow::Borrowed("CONNECT");
    }
    let said = ["statement: ", "execute "].iter().find_map(|word| {
        let at = message.find(word)?;
        let text = message.get(at + word.len()..)?;
        // `execute NAME: TEXT`
        if *word == "execute " {
            text.split_once(": ").map(|(_, text)| text.to_owned())
        } else {
            Some(text.to_owned())
        }
    });
    record.statement = match said {
        Some(statement) => Cow::Owned(statement),
        None if !quoted.is_empty() => quoted,
        None => message,
    };
}

/// The columns of a line.
struct Columns<'a>(Option<&'a [u8]>);

impl<'a> Iterator for Columns<'a> {
    type Item = Cow<'a, str>;

    fn next(&mut self) -> Option<Cow<'a, str>> {
        let rest = self.0?;
        if rest.first() != Some(&b'"') {
            let end = memchr::memchr(b',', rest).unwrap_or(rest.len());
            self.0 = rest.get(end + 1..);
            return Some(text(rest.get(..end).unwrap_or_default()));
        }
        let (mut at, mut doubled) = (1, false);
        let end = loop {
            let Some(quote) = memchr::memchr(b'"', rest.get(at..).unwrap_or_default()) else {
                break rest.len();
            };
            if rest.get(at + quote + 1) == Some(&b'"') {
                doubled = true;
                at += quote + 2;
            } else {
                break at + quote;
            }
        };
        let inside = text(rest.get(1..end).unwrap_or_default());
        let behind = rest.get(end + 1..).unwrap_or_default();
        self.0 = memchr::memchr(b',', behind).and_then(|comma| behind.get(comma + 1..));
        Some(if doubled {
            Cow::Owned(inside.replace("\"\"", "\""))
        } else {
            inside
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: &str = "2026-11-21 12:00:00.123 UTC,\"app\",\"shop\",4711,\"10.0.0.7:50123\",\
        6560a.1267,7,";

    fn line(rest: &str) -> String {
        format!("{START}{rest}")
    }

    #[test]
    fn a_line_of_pgaudit_is_taken_apart() {
        let line = line(
            "\"INSERT\",2026-11-21 11:00:00 UTC,3/9,77,LOG,00000,\"AUDIT: SESSION,1,1,WRITE,INSERT,\
             TABLE,public.t,\"\"insert into t values ('a,b', \"\"\"\"x\"\"\"\")\"\",<not logged>\",\
             ,,,,,,,,\"psql\",\"client backend\",,0",
        );
        let record = record(line.as_bytes(), Zone(0)).unwrap();
        assert_eq!(record.time.unwrap().as_micros(), 1_795_262_400_123_000);
        assert_eq!((&*record.user, &*record.database), ("app", "shop"));
        assert_eq!((&*record.host, &*record.object), ("10.0.0.7", "public.t"));
        assert_eq!(record.operation, "INSERT");
        assert_eq!(record.statement, "insert into t values ('a,b', \"x\")");
        assert!(record.succeeded());
    }

    #[test]
    fn statements_and_failures_of_the_plain_log_are_found() {
        let plain = line(
            "\"SELECT\",2026-11-21 11:00:00 UTC,3/9,0,LOG,00000,\"statement: SELECT\n 1\",,,,,,,,,\
             \"psql\",\"client backend\",,0",
        );
        let record = super::record(plain.as_bytes(), Zone(0)).unwrap();
        assert_eq!(record.statement, "SELECT\n 1");
        let failed = line(
            "\"SELECT\",2026-11-21 11:00:00 UTC,3/9,0,ERROR,42P01,\"relation \"\"x\"\" does not \
             exist\",,,,,,\"select * from x\",15,,\"psql\",\"client backend\",,0",
        );
        let record = super::record(failed.as_bytes(), Zone(0)).unwrap();
        assert_eq!(record.statement, "select * from x");
        assert!(!record.succeeded());
    }

    #[test]
    fn a_whole_record_is_told_from_text_that_looks_like_one() {
        let rest = "\"SELECT\",2026-11-21 11:00:00 UTC,3/9,0,LOG,00000,\"statement: SELECT\n \"\"1\"\"\",\
            ,,,,,,,,\"psql\",\"client backend\",,0\n";
        let record = line(rest);
        assert_eq!(whole_record(record.as_bytes()), Begins::Record);
        for length in 0..record.len() {
            let part = &record.as_bytes()[..length];
            assert_eq!(whole_record(part), Begins::Undecided, "{length}");
        }
        // What a client sent, as it stands between the quotes of its own record, up to the end of
        // that record.
        let ends = "\",,,,,,,,,\"psql\",\"client backend\",,0\n";
        let old = "\",,,,,,,,,\"\"\n2026-11-21 12:00:01.123 UTC,\"app\",\"shop\",4711,";
        let none = "2026-11-21 12:00:00.123 UTC,,,4711,,6560a.1267,7,,,,0,LOG,00000,,,,,,,,,,,,,\n";
        let quotes = "2026-11-21 12:00:00.123 UTC,,,4711,,6560a.1267,7,,,,0,LOG,00000,\"\"x\"\",,,";
        for feigned in [
            &*record.replace('"', "\"\""),
            none,
            quotes,
            "2026-11-21 12:00:00.1 UTC,",
        ] {
            for ends in [ends, old] {
                let text = format!("{feigned}{ends}");
                assert_eq!(whole_record(text.as_bytes()), Begins::Text, "{text}");
            }
        }
        assert_eq!(whole_record(b"  1"), Begins::Text);
    }

    #[test]
    fn anything_else_is_refused() {
        assert_eq!(record(b"2026-11-21 12:00:00.123 UTC,a,b", Zone(0)), None);
        assert!(begins(b"2026-11-21 12:00:00.123 CEST,\"app\""));
        assert!(!begins(b"2026-11-21 12:00:00.123 UTC [4711] LOG:  x"));
    }
}
