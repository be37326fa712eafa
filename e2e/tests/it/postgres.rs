//! Audit logs of a real PostgreSQL server with `pgaudit`: rotated, cut off by a crash, lost.
//!
//! Nothing is mocked: the records are the server's own, with statements of many lines in them, and
//! what is found is what somebody sent.

use std::fs;

use anyhow::{Context as _, Result};
use serde_json::json;
use strongroom_testkit::postgres::Database;

use crate::dbss::Stage;

fn stage(log_name: &str) -> Result<Stage<Database>> {
    let folder = tempfile::tempdir()?;
    let database = Database::start(folder.path(), "db", log_name)?;
    database.sql("CREATE TABLE orders (id INT, note TEXT)")?;
    let logs = database.audit_directory();
    Stage::of(folder, database, logs)
}

/// A statement of many lines, with whatever could be taken for the end of a record.
fn statement(number: u32) -> String {
    format!(
        "INSERT INTO orders VALUES ({number}, 'mark {number:04}\n\n2026-11-21 12:00:00.123 UTC,\
         \"app\",\"shop\",4711,,x,1\n\"\"a, b\"\nend {number:04}')"
    )
}

impl Stage<Database> {
    /// How often each statement is found, and that it is found whole.
    fn times_found(&self, numbers: std::ops::Range<u32>) -> Result<Vec<usize>> {
        let find = |number: u32| {
            let found = self.found(&format!("mark {number:04}"))?;
            for row in &found {
                let sql = &row["sql"];
                assert_eq!(sql["sql_statement"], statement(number), "{sql}");
                assert_eq!(
                    (&sql["query_type"], &sql["db_user"], &sql["sql_response"]),
                    (&json!("INSERT"), &json!("postgres"), &json!("SUCCESS"))
                );
            }
            Ok(found.len())
        };
        numbers.map(find).collect()
    }

    /// What a proof of everything so far says.
    fn verified(&self) -> Result<serde_json::Value> {
        let file = self.folder.path().join("report.json");
        let words = ["audit", "verify", "shop", "--report"];
        let path = file.to_str().context("a path")?;
        self.service
            .program()
            .try_run(&[&words[..], &[path]].concat())?;
        let mut signed: serde_json::Value = serde_json::from_slice(&fs::read(file)?)?;
        Ok(signed["report"].take())
    }
}

#[test]
fn every_statement_of_a_real_postgresql_is_found_once_through_rotations_and_a_crash() -> Result<()>
{
    let mut stage = stage("postgresql-%Y-%m-%d_%H%M%S.log")?;
    for number in 0..4 {
        stage.database.sql(&statement(number))?;
        if number == 1 {
            stage.backup()?;
        }
        // Twice in a second the log goes on in the same file.
        stage.database.rotate()?;
    }
    stage.backup()?;
    assert_eq!(stage.times_found(0..4)?, [1; 4]);
    assert!(stage.found("no such table")?.is_empty());
    stage.database.sql("SELECT * FROM nothing").unwrap_err();
    let failed = stage.found("FROM nothing")?;
    assert!(
        failed
            .iter()
            .any(|row| row["sql"]["sql_response"] == "FAILED"),
        "{failed:?}"
    );

    // The server dies; it had written half of a record.
    stage.database.kill()?;
    let mut logs: Vec<_> = fs::read_dir(&stage.logs)?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    logs.retain(|path| path.extension().is_some_and(|end| end == "csv"));
    logs.sort();
    let last = logs.last().context("a log")?;
    let mut text = fs::read(last)?;
    let record = text.split_inclusive(|byte| *byte == b'\n').next_back();
    let half: Vec<u8> = record
        .context("a record")?
        .iter()
        .copied()
        .take(150)
        .collect();
    text.extend_from_slice(&half);
    fs::write(last, &text)?;
    stage.backup()?;
    stage.database.up()?;
    stage.database.sql(&statement(4))?;
    stage.backup()?;
    stage.database.sql(&statement(5))?;
    stage.backup()?;
    assert_eq!(stage.times_found(0..6)?, [1; 6]);
    let report = stage.verified()?;
    assert_eq!(
        (&report["proven"], &report["gap_count"]),
        (&json!(true), &json!(0)),
        "{report}"
    );

    // All logs are lost; what was backed up is found as it was, and what was not is told missing.
    stage.database.sql(&statement(6))?;
    for path in fs::read_dir(&stage.logs)? {
        fs::remove_file(path?.path())?;
    }
    stage.database.rotate()?;
    stage.database.sql(&statement(7))?;
    stage.backup()?;
    let report = stage.verified()?;
    assert_eq!(report["proven"], false, "{report}");
    assert!(report["gap_count"].as_u64() > Some(0), "{report}");
    for row in stage.backups()? {
        let id = row["id"].as_str().context("an id")?.to_owned();
        stage.run(&["audit", "restore", "shop", &id])?;
    }
    assert_eq!(stage.times_found(0..8)?, [1, 1, 1, 1, 1, 1, 0, 1]);
    Ok(())
}

#[test]
fn a_postgresql_that_goes_on_behind_half_a_record_is_read_from_its_next_record_on() -> Result<()> {
    let mut stage = stage("postgresql.log")?;
    stage.database.sql(&statement(0))?;
    stage.backup()?;
    stage.database.kill()?;
    // Half a record with an open quote, on which the next server goes on in the same file.
    let log = stage.logs.join("postgresql.csv");
    let mut text = fs::read(&log)?;
    let whole = text.len();
    let start = text.windows(7).position(|part| part == b"\"AUDIT:");
    let open = text
        .get(start.context("a record")?..whole)
        .context("text")?;
    let half: Vec<u8> = open.iter().copied().take(40).collect();
    text.extend_from_slice(&half);
    fs::write(&log, &text)?;
    stage.database.up()?;
    for number in 1..4 {
        stage.database.sql(&statement(number))?;
    }
    stage.backup()?;
    assert_eq!(stage.times_found(0..4)?, [1; 4]);
    for row in stage.backups()? {
        let id = row["id"].as_str().context("an id")?.to_owned();
        stage.run(&["audit", "restore", "shop", &id])?;
    }
    assert_eq!(stage.times_found(0..4)?, [1; 4], "nor twice when restored");
    let report = stage.verified()?;
    assert_eq!(report["gap_count"], 0, "{report}");
    Ok(())
}
