//! Audit logs of a real MariaDB server: written, rotated, backed up, lost, restored, found, proven.
//!
//! Nothing is mocked: the logs are those of the server's own plugin, and what is found after a
//! restore is what somebody sent to the server.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use strongroom_e2e::{
    binary,
    service::Service,
    session::{Answer, Session},
    wait,
};
use strongroom_testkit::mariadb::{Database, Setup};
use tempfile::TempDir;

/// A service, and the audit logs of a server that it knows as `shop`.
pub(crate) struct Stage<D = Database> {
    pub(crate) folder: TempDir,
    pub(crate) service: Service,
    pub(crate) database: D,
    pub(crate) logs: PathBuf,
    pub(crate) instance: String,
    pub(crate) session: Session,
}

impl Stage {
    fn set() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let setup = Setup {
            audit: true,
            ..Setup::default()
        };
        let database = Database::start(folder.path(), "db", setup)?;
        let logs = database.audit_directory();
        database.sql("CREATE DATABASE shop; CREATE TABLE shop.orders (id INT PRIMARY KEY)")?;
        Self::of(folder, database, logs)
    }
}

impl<D> Stage<D> {
    /// A service that knows the logs of a server.
    pub(crate) fn of(folder: TempDir, database: D, logs: PathBuf) -> Result<Self> {
        let service = Service::start(&folder.path().join("service"))?;
        let path = logs.to_str().context("a path")?;
        let words = ["resource", "add", "audit", "shop", "--path", path];
        let instance = service.program().last_line(&words)?;
        Ok(Self {
            session: Session::admin(&service)?,
            folder,
            service,
            database,
            logs,
            instance,
        })
    }

    /// Kills the service and starts another over what it left.
    pub(crate) fn reborn(self) -> Result<Self> {
        let service = self.service.reborn()?;
        Ok(Self {
            session: Session::admin(&service)?,
            service,
            ..self
        })
    }

    pub(crate) fn run(&self, words: &[&str]) -> Result<String> {
        self.service.program().run(words)
    }

    pub(crate) fn refused(&self, words: &[&str]) -> Result<String> {
        self.service.program().refused(words)
    }

    pub(crate) fn backup(&self) -> Result<String> {
        let words = ["audit", "backup", "shop"];
        self.service.program().last_line(&words)
    }

    pub(crate) fn dbss(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Answer> {
        let path = path.replace("{instance}", &self.instance);
        self.session.call("dbss", method, &path, body)
    }

    pub(crate) fn get(&self, path: &str) -> Result<Value> {
        let path = path.replace("{instance}", &self.instance);
        self.session.get_of("dbss", &path)
    }

    pub(crate) fn status(&self) -> Result<Value> {
        let path = "/v1/{project}/audit/{instance}/backup/status";
        Ok(self.get(path)?["status"].take())
    }

    /// The backups, the newest first.
    pub(crate) fn backups(&self) -> Result<Vec<Value>> {
        let path = "/v2/{project}/audit/{instance}/backups";
        let body = json!({"page": 1, "size": 1000});
        let mut answer = self.dbss("POST", path, Some(&body))?;
        let rows = answer.body["data_list"].as_array_mut();
        let rows = rows.with_context(|| format!("no list: {}", answer.status))?;
        assert_eq!(rows.len(), answer.body["total_num"]);
        Ok(answer.body["data_list"]
            .as_array()
            .cloned()
            .unwrap_or_default())
    }

    /// The row of a backup when nothing is being done with it any more.
    pub(crate) fn settled(&self, id: &str) -> Result<Value> {
        const RUNS: [&str; 6] = [
            "BACKUP_WAITING",
            "AUTO_BACKUPING",
            "MANUAL_BACKUPING",
            "RESTORING_WAITING",
            "RESTORING",
            "DELETING",
        ];
        wait::until("a backup to settle", || {
            let row = self.backups()?.into_iter().find(|row| row["id"] == *id);
            let row = row.with_context(|| format!("no backup {id}"))?;
            let runs = row["progress"]
                .as_str()
                .is_some_and(|word| RUNS.contains(&word));
            Ok((!runs).then_some(row))
        })
    }

    /// The statements that hold the text.
    pub(crate) fn found(&self, text: &str) -> Result<Vec<Value>> {
        let path = "/v2/{project}/audit/{instance}/sqls";
        let body = json!({"time": {}, "sql_statement": text, "page": 1, "size": 100,
            "time_order": "ASC"});
        let answer = self.dbss("POST", path, Some(&body))?;
        if answer.status != 200 {
            bail!("a search answered {} {}", answer.status, answer.body);
        }
        let rows = answer.body["sqls"].as_array().cloned();
        Ok(rows.unwrap_or_default())
    }
}

/// A call that must be refused with that code.
fn denied(answer: &Answer, status: u16, code: &str) {
    answer.must_refuse(status, code);
    assert_eq!(answer.body["details"][0]["error_code"], code);
}

#[test]
fn a_statement_is_found_again_after_its_log_was_lost_and_a_changed_segment_shows() -> Result<()> {
    let stage = Stage::set()?;
    assert_eq!(stage.status()?, 0, "never");
    stage
        .database
        .sql("INSERT INTO shop.orders VALUES (4711)")?;
    let first = stage.backup()?;
    assert_eq!(stage.status()?, 1);

    // Rotated, written on, backed up again: nothing twice, nothing left out.
    stage
        .database
        .sql("SET GLOBAL server_audit_file_rotate_now = ON")?;
    stage
        .database
        .sql("DELETE FROM shop.orders WHERE id = 4711")?;
    let second = stage.backup()?;
    let rows = stage.backups()?;
    assert_eq!(rows.len(), 2);
    assert_eq!(
        (&rows[0]["id"], &rows[0]["progress"], &rows[0]["mode"]),
        (&json!(second), &json!("MANUAL_BACKUPED"), &json!("MANUAL"))
    );
    assert_eq!(rows[1]["sha256"].as_str().map(str::len), Some(64));
    assert_eq!(rows[1]["backup_task_fail_reason"], Value::Null);
    assert_eq!(stage.found("VALUES (4711)")?.len(), 1);

    // The logs are lost; what was backed up comes back beside them.
    stage
        .database
        .sql("SET GLOBAL server_audit_logging = OFF")?;
    for entry in fs::read_dir(&stage.logs)? {
        fs::remove_file(entry?.path())?;
    }
    assert_eq!(stage.found("VALUES (4711)")?.len(), 0);
    stage.run(&["audit", "restore", "shop", &first])?;
    let found = stage.found("VALUES (4711)")?;
    assert_eq!(found.len(), 1, "{found:?}");
    let sql = &found[0]["sql"];
    assert_eq!(
        (&sql["query_type"], &sql["sql_response"], &sql["db_user"]),
        (&json!("INSERT"), &json!("SUCCESS"), &json!("root"))
    );
    let id = sql["id"].as_str().context("an id")?;
    let shown = stage.get(&format!("/v2/{{project}}/audit/{{instance}}/sqls/{id}"))?;
    assert_eq!(shown["sql"]["sql_statement"], sql["sql_statement"]);
    assert_eq!(
        fs::read_dir(&stage.logs)?.count(),
        0,
        "nothing is written there"
    );
    assert!(
        stage
            .run(&["audit", "search", "shop", "4711"])?
            .contains("INSERT INTO")
    );

    proven_until_it_is_not(stage, &first)
}

/// What is kept is proven; not what was deleted, nor what somebody changed.
fn proven_until_it_is_not(stage: Stage, first: &str) -> Result<()> {
    // Proven; a deleted backup leaves its link, and a proof says so.
    let report = stage.folder.path().join("report.json");
    let file = report.to_str().context("a path")?;
    stage.run(&["audit", "verify", "shop", "--report", file])?;
    let signed: Value = serde_json::from_slice(&fs::read(&report)?)?;
    assert_eq!(signed["report"]["proven"], true, "{signed}");
    assert!(
        signed["signature"]
            .as_str()
            .is_some_and(|text| text.len() > 64)
    );
    stage.run(&["audit", "delete", "shop", first])?;
    let gone = stage.settled(first)?;
    assert_eq!(
        (&gone["deleted"], &gone["progress"]),
        (&json!(true), &json!("DELETED"))
    );
    assert_eq!(stage.found("VALUES (4711)")?.len(), 0, "its lines are gone");
    let seen = signed["report"]["first"]["number"].clone();
    assert_eq!(seen, 1, "{signed}");
    stage.refused(&["audit", "verify", "shop", "--report", file])?;
    let signed: Value = serde_json::from_slice(&fs::read(&report)?)?;
    let found = &signed["report"];
    assert_eq!(
        (&found["deleted"], &found["problem_count"]),
        (&json!(1), &json!(0))
    );

    // What is changed in what is kept is found.
    let stage = spoiled(stage)?;
    fs::remove_file(&report)?;
    let why = stage.refused(&["audit", "verify", "shop", "--report", file])?;
    let signed = fs::read(&report).with_context(|| format!("no report: {why}"))?;
    let signed: Value = serde_json::from_slice(&signed)?;
    let problems = &signed["report"]["problem_count"];
    assert!(problems.as_u64().is_some_and(|count| count > 0), "{signed}");
    Ok(())
}

/// Spoils every pack below the service's folder while it does not run: more than parity heals, and
/// wherever in a pack the few lines are.
fn spoiled(stage: Stage) -> Result<Stage> {
    let place = stage.folder.path().join("service");
    stage.service.kill()?;
    let mut packs = Vec::new();
    files(&place, &mut packs)?;
    packs.retain(|path| path.components().any(|part| part.as_os_str() == "packs"));
    assert!(!packs.is_empty());
    for path in packs {
        let mut bytes = fs::read(&path)?;
        for byte in &mut bytes {
            *byte ^= 1;
        }
        fs::remove_file(&path)?;
        fs::write(&path, bytes)?;
    }
    let service = Service::start(&place)?;
    Ok(Stage {
        session: Session::admin(&service)?,
        service,
        ..stage
    })
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files(&path, found)?;
        } else {
            found.push(path);
        }
    }
    Ok(())
}

#[test]
fn bad_input_is_refused_with_the_vendors_codes_and_loses_nothing() -> Result<()> {
    let stage = Stage::set()?;
    let backup = stage.backup()?;
    let list = "/v2/{project}/audit/{instance}/backups";
    for body in [
        json!({}),
        json!({"page": 0, "size": 10}),
        json!({"page": 1, "size": 0}),
        json!({"page": 1, "size": 1001}),
        json!({"page": "abc", "size": 10}),
        json!({"page": -1, "size": 10}),
        json!({"page": 1, "size": 10, "start_time": "yesterday"}),
        json!({"page": 1, "size": 10, "start_time": "2026-02-02 00:00:00",
            "end_time": "2026-02-01 00:00:00"}),
    ] {
        denied(
            &stage.dbss("POST", list, Some(&body))?,
            400,
            "DBSS.10000001",
        );
    }
    for query in ["limit=0", "limit=1001", "limit=abc", "offset=-1"] {
        let path = format!("/v2/{{project}}/audit/instances?{query}");
        denied(&stage.dbss("GET", &path, None)?, 400, "DBSS.10000001");
    }
    let old = stage.dbss("GET", "/v1/{project}/dbss/audit/instances?limit=0", None)?;
    assert_eq!(
        old.body["error"]["error_code"], "DBSS.10000001",
        "{}",
        old.body
    );

    // Of another instance, of nothing.
    let nobody = "0".repeat(32);
    for path in [
        format!("/v1/{{project}}/audit/{nobody}/backups/{backup}"),
        format!("/v1/{{project}}/audit/{{instance}}/backups/{nobody}"),
        "/v1/{project}/audit/{instance}/backups/x".to_owned(),
    ] {
        denied(&stage.dbss("DELETE", &path, None)?, 404, "DBSS.10021004");
    }
    let status = format!("/v1/{{project}}/audit/{nobody}/backup/status");
    denied(&stage.dbss("GET", &status, None)?, 404, "DBSS.10021004");
    let retry = format!("/v1/{{project}}/audit/{{instance}}/backup/{backup}/retry");
    denied(&stage.dbss("POST", &retry, None)?, 400, "DBSS.10000001");
    Ok(())
}

#[test]
fn what_was_set_at_registration_can_be_changed() -> Result<()> {
    let stage = Stage::set()?;
    let set = |words: &[&str]| -> Result<Value> {
        let all = [&["audit", "set", "shop"], words].concat();
        stage.service.program().json(&all)
    };
    let before = set(&[])?;
    assert_eq!(
        (&before["hurry_percent"], &before["keep_days"]),
        (&json!(80), &json!(180))
    );
    let now = set(&[
        "--hurry-percent",
        "0",
        "--timezone",
        "-03:00",
        "--keep-days",
        "90",
    ])?;
    assert_eq!(
        (&now["hurry_percent"], &now["keep_days"], &now["timezone"]),
        (&json!(0), &json!(90), &json!("GMT-03:00"))
    );
    let why = stage.refused(&["audit", "set", "shop", "--hurry-percent", "101"])?;
    assert!(why.contains("from 0 to 100"), "{why}");
    stage.refused(&["audit", "set", "shop", "--keep-days", "0"])?;
    assert_eq!(set(&["--comment", "of a shop"])?["hurry_percent"], 0);
    Ok(())
}

#[test]
fn a_directory_has_one_instance_and_what_is_lost_in_it_is_told() -> Result<()> {
    let stage = Stage::set()?;
    stage.backup()?;
    // Two instances on one directory, by another name too; an empty one; one that is not there.
    let other = stage.folder.path().join("other");
    std::os::unix::fs::symlink(&stage.logs, &other)?;
    for path in [&stage.logs, &other] {
        let path = path.to_str().context("a path")?;
        let why = stage.refused(&["resource", "add", "audit", "twin", "--path", path])?;
        assert!(why.contains("reads that directory"), "{why}");
    }
    let why = stage.refused(&["resource", "add", "audit", "none", "--path", "/nonexistent"])?;
    assert!(why.contains("/nonexistent"), "{why}");

    // A directory that went away: the backup fails and says so, and is repeated when it is back.
    let aside = stage.folder.path().join("aside");
    fs::rename(&stage.logs, &aside)?;
    stage.refused(&["audit", "backup", "shop"])?;
    assert_eq!(stage.status()?, 2, "failed");
    let rows = stage.backups()?;
    assert_eq!(rows[0]["progress"], "MANUAL_BACKUP_FAIL");
    assert!(
        rows[0]["backup_task_fail_reason"].is_string(),
        "{}",
        rows[0]
    );
    fs::rename(&aside, &stage.logs)?;
    let failed = rows[0]["id"].as_str().context("an id")?;
    stage.run(&["audit", "retry", "shop", failed])?;
    assert_eq!(stage.status()?, 1);

    // A log that was deleted before it was read is told of.
    stage
        .database
        .sql("SET GLOBAL server_audit_file_rotate_now = ON")?;
    stage.database.sql("INSERT INTO shop.orders VALUES (1)")?;
    stage.backup()?;
    stage.database.sql("INSERT INTO shop.orders VALUES (2)")?;
    stage
        .database
        .sql("SET GLOBAL server_audit_logging = OFF")?;
    for entry in fs::read_dir(&stage.logs)? {
        fs::remove_file(entry?.path())?;
    }
    stage.database.sql("SET GLOBAL server_audit_logging = ON")?;
    stage.backup()?;
    let verified = stage.refused(&["audit", "verify", "shop"])?;
    assert!(verified.contains("not proven"), "{verified}");
    Ok(())
}

#[test]
fn a_service_that_is_killed_anywhere_finishes_what_was_ordered() -> Result<()> {
    let mut stage = Stage::set()?;
    for looks in 0..5 {
        let statement = format!("INSERT INTO shop.orders VALUES ({looks})");
        stage.database.sql(&statement)?;
        let ordered = stage.run(&["audit", "backup", "shop", "--detach"])?;
        let (backup, _) = ordered.trim().split_once('\n').context("two ids")?;
        // The more often it is looked at before, the further the job has come.
        for _ in 0..looks * 3 {
            stage.backups()?;
        }
        stage = stage.reborn()?;
        let row = stage.settled(backup)?;
        assert_eq!(row["progress"], "MANUAL_BACKUPED", "{row}");
        assert_eq!(stage.backups()?.len(), looks + 1, "nothing is made twice");
    }
    let rows = stage.backups()?;
    for row in &rows[..2] {
        let id = row["id"].as_str().context("an id")?;
        let path = format!("/v1/{{project}}/audit/{{instance}}/backup/{id}/restore");
        assert_eq!(stage.dbss("POST", &path, None)?.body["result"], "SUCCESS");
        stage = stage.reborn()?;
        assert_eq!(stage.settled(id)?["progress"], "RESTORED");
        let path = format!("/v1/{{project}}/audit/{{instance}}/backups/{id}");
        assert_eq!(stage.dbss("DELETE", &path, None)?.body["result"], "SUCCESS");
        stage = stage.reborn()?;
        assert_eq!(stage.settled(id)?["progress"], "DELETED");
    }
    // What was deleted is missing, and nothing else.
    let proof = stage.folder.path().join("proof.json");
    let verify = |stage: &Stage| -> Result<Value> {
        let file = proof.to_str().context("a path")?;
        stage.refused(&["audit", "verify", &stage.instance, "--report", file])?;
        Ok(serde_json::from_slice::<Value>(&fs::read(&proof)?)?["report"].take())
    };
    let before_loss = verify(&stage)?;
    let said = (&before_loss["deleted"], &before_loss["problem_count"]);
    assert_eq!(said, (&json!(2), &json!(0)), "{before_loss}");

    // A lost catalog is made anew from the data: the rows, the chain, and what it proves.
    let before = stage.backups()?;
    let service = stage.service.rebuilt()?;
    let stage = Stage {
        session: Session::admin(&service)?,
        service,
        ..stage
    };
    let told = |rows: &[Value]| -> Vec<[String; 3]> {
        let shown = |row: &Value| ["id", "sha256", "deleted"].map(|name| row[name].to_string());
        let mut told: Vec<_> = rows.iter().map(shown).collect();
        told.sort();
        told
    };
    assert_eq!(told(&stage.backups()?), told(&before));
    assert_eq!(verify(&stage)?["head"], before_loss["head"]);
    Ok(())
}

#[test]
fn the_vendors_sdk_calls_every_operation() -> Result<()> {
    let stage = Stage::set()?;
    stage
        .database
        .sql("INSERT INTO shop.orders VALUES (4711)")?;
    let backup = stage.backup()?;
    let place = stage.service.data_dir().to_str().context("a path")?;
    let of = ["--instance", &stage.instance, "--backup", &backup];
    binary::scenario(
        "scenario_dbss.py",
        &[&["--data-dir", place], &of[..]].concat(),
    )
}
