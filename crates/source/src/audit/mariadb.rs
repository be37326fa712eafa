//! Lines of MariaDB's `server_audit`: `time,server,user,host,connection,query,operation,database,`
//! `object,return code`, the object of a `QUERY` being the statement in quotes.
//!
//! Nothing but the statement is quoted or escaped, so the places are counted from the front up to
//! the database, and from the back for the return code.

use std::borrow::Cow;

use strongroom_model::Timestamp;

use super::{
    format::Zone,
    record::{Record, text},
    when,
};

/// Whether a line, or the beginning of one, is of this kind.
pub(super) fn begins(line: &[u8]) -> bool {
    when::compact(line).is_some() && line.get(17) == Some(&b',')
}

pub(super) fn time(line: &[u8], zone: Zone) -> Option<i64> {
    let micros = when::compact(line)?;
    Some(micros - i64::from(zone.0) * 60_000_000)
}

pub(super) fn record(line: &[u8], zone: Zone) -> Option<Record<'_>> {
    let time = time(line, zone)?;
    let mut fields = line.splitn(9, |byte| *byte == b',');
    fields.next()?;
    fields.next()?;
    let mut field = || fields.next().map(text);
    let (user, host, connection, query) = (field()?, field()?, field()?, field()?);
    let (operation, database) = (field()?, field()?);
    let rest = fields.next().unwrap_or_default();
    let (object, code) = match memchr::memrchr(b',', rest) {
        Some(comma) => (
            rest.get(..comma).unwrap_or_default(),
            rest.get(comma + 1..).unwrap_or_default(),
        ),
        None => (rest, &[][..]),
    };
    let (object, statement) = match object.strip_prefix(b"'") {
        Some(quoted) => (
            Cow::Borrowed(""),
            unescape(quoted.strip_suffix(b"'").unwrap_or(quoted)),
        ),
        None => (text(object), Cow::Borrowed("")),
    };
    let failed = operation == "FAILED_CONNECT";
    Some(Record {
        time: Some(Timestamp::from_micros(time)),
        user,
        host,
        database,
        object,
        operation,
        statement,
        return_code: std::str::from_utf8(code)
            .ok()
            .and_then(|code| code.parse().ok()),
        connection,
        query,
        failed,
    })
}

/// The statement as the client sent it.
fn unescape(quoted: &[u8]) -> Cow<'_, str> {
    if memchr::memchr(b'\\', quoted).is_none() {
        return text(quoted);
    }
    let mut plain = Vec::with_capacity(quoted.len());
    let mut bytes = quoted.iter();
    while let Some(byte) = bytes.next() {
        if *byte != b'\\' {
            plain.push(*byte);
            continue;
        }
        plain.push(match bytes.next() {
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(other) => *other,
            None => b'\\',
        });
    }
    Cow::Owned(String::from_utf8_lossy(&plain).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Record<'_> {
        record(line.as_bytes(), Zone(60)).unwrap()
    }

    #[test]
    fn a_query_is_taken_apart_with_its_statement_as_it_was_sent() {
        let record = parsed(
            r"20261121 13:00:00,db1,root,10.0.0.7,3,5,QUERY,shop,'SELECT \'a,b\'\nFROM t',1146",
        );
        assert_eq!(record.time.unwrap().as_micros(), 1_795_262_400_000_000);
        assert_eq!((&*record.user, &*record.host), ("root", "10.0.0.7"));
        assert_eq!((&*record.connection, &*record.query), ("3", "5"));
        assert_eq!((&*record.operation, &*record.database), ("QUERY", "shop"));
        assert_eq!(record.statement, "SELECT 'a,b'\nFROM t");
        assert_eq!(record.return_code, Some(1146));
        assert!(!record.succeeded());
    }

    #[test]
    fn connections_and_tables_have_no_statement() {
        let record = parsed("20261121 13:00:00,db1,app,localhost,4,0,CONNECT,shop,,0");
        assert_eq!(record.kind(), super::super::StatementKind::Login);
        assert!(record.succeeded());
        let record = parsed("20261121 13:00:00,db1,app,localhost,4,9,WRITE,shop,orders,");
        assert_eq!((&*record.object, record.return_code), ("orders", None));
        let record = parsed("20261121 13:00:00,db1,app,localhost,4,0,FAILED_CONNECT,,,1045");
        assert!(!record.succeeded());
    }

    #[test]
    fn anything_else_is_refused() {
        for line in [
            "",
            "20261121 13:00:00",
            "x,y,z",
            "20261121 13:00:00,db1,root",
        ] {
            assert_eq!(record(line.as_bytes(), Zone(0)), None, "{line}");
        }
        assert!(begins(b"20261121 13:00:00,h") && !begins(b"2026-11-21 13:00:00,h"));
    }
}
