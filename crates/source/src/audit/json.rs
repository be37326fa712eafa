//! Lines that are JSON objects: PostgreSQL's `jsonlog`, Percona's audit log, and whoever else
//! writes an object per event.
//!
//! Names of fields differ from program to program, so each thing is looked for under the names that
//! are in use. Percona's events are one level down.

use std::borrow::Cow;

use serde_json::Value;
use strongroom_model::Timestamp;

use super::{format::Zone, record::Record, when};

const TIME: [&str; 6] = [
    "timestamp",
    "time",
    "ts",
    "@timestamp",
    "log_time",
    "event_time",
];
const USER: [&str; 5] = ["user", "username", "db_user", "user_name", "account"];
const HOST: [&str; 6] = [
    "ip",
    "host",
    "client_ip",
    "remote_host",
    "client",
    "remote_ip",
];
const DATABASE: [&str; 6] = [
    "db",
    "database",
    "dbname",
    "schema",
    "db_name",
    "database_name",
];
const OBJECT: [&str; 4] = ["object", "table", "object_name", "table_name"];
const OPERATION: [&str; 7] = [
    "operation",
    "command_class",
    "command",
    "action",
    "ps",
    "event",
    "name",
];
const STATEMENT: [&str; 7] = [
    "sqltext",
    "statement",
    "sql",
    "query",
    "sql_text",
    "sql_statement",
    "message",
];
const CODE: [&str; 5] = ["status", "return_code", "retcode", "error_code", "code"];
const CONNECTION: [&str; 4] = ["connection_id", "session_id", "connection", "pid"];
const QUERY: [&str; 3] = ["query_id", "queryid", "statement_id"];

/// Whether a line, or the beginning of one, is of this kind.
pub(super) fn begins(line: &[u8]) -> bool {
    let line = line.trim_ascii_start();
    line.first() == Some(&b'{')
        && matches!(
            line.get(1..).unwrap_or_default().trim_ascii_start().first(),
            Some(b'"')
        )
}

/// The time of a line: the first field with a name for it, wherever it stands.
pub(super) fn time(line: &[u8], zone: Zone) -> Option<i64> {
    let mut from = 0;
    while let Some(colon) = memchr::memchr(b':', line.get(from..)?) {
        let at = from + colon;
        from = at + 1;
        let before = line.get(..at)?.trim_ascii_end();
        let Some(before) = before.strip_suffix(b"\"") else {
            continue;
        };
        let is_time = TIME.iter().any(|name| {
            before
                .strip_suffix(name.as_bytes())
                .is_some_and(|rest| rest.last() == Some(&b'"'))
        });
        if !is_time {
            continue;
        }
        let value = line.get(at + 1..)?.trim_ascii_start();
        let read = match value.strip_prefix(b"\"") {
            Some(text) => when::civil(text).map(|time| time.instant(zone.0)),
            None => number(value).and_then(when::since_epoch),
        };
        if read.is_some() {
            return read;
        }
    }
    None
}

fn number(text: &[u8]) -> Option<f64> {
    let end = text
        .iter()
        .position(|byte| !matches!(byte, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E'));
    let text = text.get(..end.unwrap_or(text.len()))?;
    std::str::from_utf8(text).ok()?.parse().ok()
}

pub(super) fn record(line: &[u8], zone: Zone) -> Option<Record<'_>> {
    let Value::Object(fields) = serde_json::from_slice(line).ok()? else {
        return None;
    };
    let inner = ["audit_record", "audit", "data"]
        .iter()
        .find_map(|name| fields.get(*name)?.as_object());
    let find = |names: &[&str]| {
        names.iter().find_map(|name| {
            let value = inner
                .and_then(|inner| inner.get(*name))
                .or_else(|| fields.get(*name))?;
            match value {
                Value::String(text) if text.is_empty() => None,
                Value::String(text) => Some(text.clone()),
                Value::Number(number) => Some(number.to_string()),
                _ => None,
            }
        })
    };
    let text = |names: &[&str]| Cow::Owned(find(names).unwrap_or_default());
    let severity = find(&["error_severity", "severity", "level"]).unwrap_or_default();
    let outcome = find(&["result", "outcome", "sql_response"]).unwrap_or_default();
    let failed = ["error", "fatal", "panic"]
        .iter()
        .any(|word| severity.eq_ignore_ascii_case(word))
        || ["failed", "failure", "denied"]
            .iter()
            .any(|word| outcome.eq_ignore_ascii_case(word));
    Some(Record {
        time: time(line, zone).map(Timestamp::from_micros),
        user: text(&USER),
        host: text(&HOST),
        database: text(&DATABASE),
        object: text(&OBJECT),
        operation: text(&OPERATION),
        statement: text(&STATEMENT),
        return_code: find(&CODE).and_then(|code| code.parse().ok()),
        connection: text(&CONNECTION),
        query: text(&QUERY),
        failed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_of_several_programs_are_understood() {
        let percona = br#"{"audit_record":{"name":"Query","timestamp":"2026-11-21T12:00:00 UTC",
            "command_class":"select","connection_id":7,"status":1146,"sqltext":"SELECT 1",
            "user":"root[root] @ localhost []","host":"localhost","ip":"10.0.0.7","db":"shop"}}"#;
        let record = record(percona, Zone(0)).unwrap();
        assert_eq!(record.time.unwrap().as_micros(), 1_795_262_400_000_000);
        assert_eq!((&*record.host, &*record.database), ("10.0.0.7", "shop"));
        assert_eq!((&*record.operation, &*record.connection), ("select", "7"));
        assert_eq!(record.statement, "SELECT 1");
        assert!(!record.succeeded());
        let postgres = br#"{"timestamp":"2026-11-21 12:00:00.500 UTC","user":"app","dbname":"shop",
            "pid":12,"remote_host":"::1","ps":"SELECT","error_severity":"ERROR","message":"no",
            "statement":"select x"}"#;
        let record = super::record(postgres, Zone(0)).unwrap();
        assert_eq!(record.time.unwrap().as_micros(), 1_795_262_400_500_000);
        assert_eq!((&*record.user, &*record.operation), ("app", "SELECT"));
        assert_eq!(record.statement, "select x");
        assert!(!record.succeeded());
    }

    #[test]
    fn a_time_is_found_without_parsing_and_not_inside_texts() {
        let of = |line: &str| time(line.as_bytes(), Zone(0));
        let noon = 1_795_262_400_000_000;
        assert_eq!(of(r#"{"ts": 1795262400, "x": 1}"#), Some(noon));
        assert_eq!(of(r#"{"a":{"time" : "2026-11-21T12:00:00Z"}}"#), Some(noon));
        assert_eq!(
            of(r#"{"uptime":5,"time":"2026-11-21T12:00:00Z"}"#),
            Some(noon)
        );
        assert_eq!(of(r#"{"sql":"\"time\": now"}"#), None);
        assert_eq!(of("{}"), None);
    }

    #[test]
    fn anything_else_is_refused() {
        for line in ["", "[]", "{", "1", "{\"a\":1"] {
            assert_eq!(record(line.as_bytes(), Zone(0)), None, "{line}");
        }
        assert!(begins(b" { \"a\"") && !begins(b"{}") && !begins(b"[{"));
    }
}
