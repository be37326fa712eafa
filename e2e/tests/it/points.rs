//! Databases at points in time: copies of real data nodes, their logs, and the way to a second.
//!
//! The proof is at the end of the first story: what was recorded of every shard at an instant is
//! what every shard holds after the recovery, though writers wrote on and everything was dropped.

use std::{
    fs,
    sync::{
        RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use strongroom_e2e::{
    service::Service,
    session::{Answer, Session},
    wait,
};
use strongroom_testkit::mariadb::{Cluster, Database, PASSWORD, Setup, USER};

use crate::layer::{Nodes, Stage, denied, holds, register};

/// A second schema, spread over all nodes.
fn add_events(cluster: &Cluster) -> Result<()> {
    let mut parts = Vec::new();
    for (number, node) in cluster.nodes.iter().enumerate() {
        node.sql(&format!(
            "CREATE DATABASE events_{number}; CREATE TABLE events_{number}.seen \
             (id BIGINT PRIMARY KEY, note VARCHAR(100)) ENGINE=InnoDB"
        ))?;
        cluster.layer.sql(&format!(
            "CREATE SERVER ev{number} FOREIGN DATA WRAPPER mysql OPTIONS (HOST '127.0.0.1', \
             PORT {}, DATABASE 'events_{number}', USER '{USER}', PASSWORD '{}')",
            node.port(),
            PASSWORD.replace('\'', "''")
        ))?;
        parts.push(format!(
            "PARTITION p{number} COMMENT = 'srv \"ev{number}\"'"
        ));
    }
    cluster.layer.sql(&format!(
        "CREATE DATABASE events; CREATE TABLE events.seen (id BIGINT PRIMARY KEY, \
         note VARCHAR(100)) ENGINE=SPIDER COMMENT='wrapper \"mysql\", table \"seen\"' \
         PARTITION BY KEY (id) ({})",
        parts.join(", ")
    ))?;
    Ok(())
}

/// Rows and checksum of every shard, and what the layer counts.
fn recorded(cluster: &Cluster, tables: &[(&str, &str)]) -> Result<String> {
    let mut all = String::new();
    for (schema, table) in tables {
        for (number, node) in cluster.nodes.iter().enumerate() {
            let shard = format!("{schema}_{number}.{table}");
            all += &node.sql(&format!(
                "SELECT COUNT(*) FROM {shard}; CHECKSUM TABLE {shard}"
            ))?;
            all.push('\n');
        }
        let sql = format!("SELECT COUNT(*), SUM(id) FROM {schema}.{table}");
        all += &cluster.layer.sql(&sql)?;
        all.push('\n');
    }
    Ok(all)
}

fn second(server: &Database) -> Result<i64> {
    Ok(server.sql("SELECT UNIX_TIMESTAMP()")?.parse()?)
}

/// Waits until the servers' clock shows a later second than that.
fn later(server: &Database, than: i64) -> Result<i64> {
    wait::until("a later second", || {
        let now = second(server)?;
        Ok((now > than).then_some(now))
    })
}

fn recovery(at: i64, target: &str, nodes: &[(String, String)]) -> Value {
    let relations: Vec<_> = nodes
        .iter()
        .map(|(source, target)| json!({"source_instance_id": source, "target_instance_id": target}))
        .collect();
    json!({"source": {"restore_time": at * 1000}, "target": {"instance_id": target},
        "data_node_relations": relations})
}

fn recover(stage: &Stage, at: i64, target: &str, nodes: &[(String, String)]) -> Result<Answer> {
    let path = format!(
        "/v3/{{project}}/instances/{}/backups/recovery",
        stage.instance
    );
    stage.ddm("POST", &path, Some(&recovery(at, target, nodes)))
}

/// The ids of an instance's data nodes.
fn node_ids(stage: &Stage, instance: &str) -> Result<Vec<String>> {
    let path = format!("/v3/{{project}}/instances/{instance}/available-data-nodes");
    let nodes = stage.get(&path)?["data_nodes"].take();
    let ids = nodes.as_array().into_iter().flatten();
    ids.map(|node| Ok(node["id"].as_str().context("an id")?.to_owned()))
        .collect()
}

fn pairs(stage: &Stage, target: &str) -> Result<Vec<(String, String)>> {
    let (sources, targets) = (node_ids(stage, &stage.instance)?, node_ids(stage, target)?);
    Ok(sources.into_iter().zip(targets).collect())
}

fn times(stage: &Stage) -> Result<Vec<(i64, i64)>> {
    let path = format!(
        "/v3/{{project}}/instances/{}/backups/restorable-time-interval",
        stage.instance
    );
    let reply = stage.get(&path)?;
    let all = reply["restorable_time_intervals"].as_array().into_iter();
    all.flatten()
        .map(|interval| {
            let time = |name: &str| -> Result<i64> {
                let text = interval[name].as_str().context("a text")?;
                Ok(text.parse::<i64>()? / 1000)
            };
            Ok((time("start_time")?, time("end_time")?))
        })
        .collect()
}

/// Archives the logs; what is said of each server.
fn logs(stage: &Stage) -> Result<Value> {
    let program = stage.service.program();
    Ok(program.json(&["ddm", "logs", "layer"])?["logs"].take())
}

/// Has copies, metadata and logs, so that there is a first point in time; the second behind it.
fn begin(stage: &Stage) -> Result<i64> {
    let program = stage.service.program();
    logs(stage)?;
    program.run(&["ddm", "copy", "layer"])?;
    stage.backup()?;
    logs(stage)?;
    let now = second(&stage.cluster.layer)?;
    later(&stage.cluster.layer, now + 1)
}

/// Writes through the layer until it is told to end; statements fail once tables are dropped.
fn write_on(cluster: &Cluster, gate: &RwLock<()>, ended: &AtomicBool, count: &AtomicU64) {
    while !ended.load(Ordering::SeqCst) {
        let _open = gate
            .read()
            .expect("no writer panicked while it held the gate");
        let id = 1000 + count.fetch_add(1, Ordering::SeqCst) * 10;
        let statements = format!(
            "INSERT INTO shop.orders SELECT {id} + seq, CONCAT('written ', {id} + seq) \
             FROM seq_0_to_9; INSERT INTO events.seen VALUES ({id}, 'seen'); \
             UPDATE shop.orders SET note = 'changed' WHERE id = {id} - 7"
        );
        // Everything is dropped in the midst of it.
        let _refused = cluster.layer.sql(&statements);
    }
}

#[test]
fn shards_come_back_to_the_second_before_a_table_and_a_schema_were_dropped() -> Result<()> {
    const TABLES: &[(&str, &str)] = &[("shop", "orders"), ("events", "seen")];
    let stage = Stage::set(2, Nodes::Copied)?;
    let cluster = &stage.cluster;
    add_events(cluster)?;
    begin(&stage)?;
    let other = Cluster::start(stage.path(), "other", 2)?;
    let target = register(&stage.service, "other", &other, Nodes::Named)?;

    let (gate, ended, count) = (RwLock::new(()), AtomicBool::new(false), AtomicU64::new(0));
    let (at, before) = thread::scope(|scope| -> Result<(i64, String)> {
        for _ in 0..2 {
            scope.spawn(|| write_on(cluster, &gate, &ended, &count));
        }
        let told = (|| {
            let written = |more: u64| {
                let until = count.load(Ordering::SeqCst) + more;
                wait::until("some writes", || {
                    Ok((count.load(Ordering::SeqCst) >= until).then_some(()))
                })
            };
            // Logs that are rotated and archived in the midst of it are put together again.
            written(8)?;
            logs(&stage)?;
            cluster.nodes[0].sql("FLUSH LOGS")?;
            written(8)?;
            logs(&stage)?;
            written(8)?;
            let closed = gate.write().expect("no writer panicked");
            let at = second(&cluster.layer)?;
            let before = recorded(cluster, TABLES)?;
            later(&cluster.layer, at)?;
            drop(closed);
            written(4)?;
            cluster
                .layer
                .sql("DROP TABLE shop.orders; DROP DATABASE events")?;
            for (number, node) in cluster.nodes.iter().enumerate() {
                node.sql(&format!(
                    "DROP TABLE shop_{number}.orders; DROP DATABASE events_{number}"
                ))?;
            }
            written(4)?;
            anyhow::Ok((at, before))
        })();
        ended.store(true, Ordering::SeqCst);
        told
    })?;
    let archived = logs(&stage)?;
    let intervals = times(&stage)?;
    assert!(
        intervals
            .iter()
            .any(|(from, until)| (*from..=*until).contains(&at)),
        "{at} {intervals:?} {archived}"
    );

    stage.done(&recover(&stage, at, &target, &pairs(&stage, &target)?)?)?;
    assert_eq!(recorded(&other, TABLES)?, before);
    // Nothing is left of the work, and no password is anywhere in the clear.
    let scratch = stage.service.data_dir().join("scratch");
    let left: Vec<_> = fs::read_dir(&scratch).into_iter().flatten().collect();
    assert!(left.is_empty(), "{left:?}");
    assert!(!holds(stage.service.data_dir(), PASSWORD)?);
    assert!(!fs::read_to_string(stage.path().join("service.log"))?.contains(PASSWORD));

    // Not empty any more.
    let again = recover(&stage, at, &target, &pairs(&stage, &target)?)?;
    let why = denied(&again, 400, "DBS.300372");
    assert!(why.contains("already"), "{why}");
    Ok(())
}

#[test]
fn times_that_cannot_be_restored_are_refused_with_the_reason_and_gaps_are_told() -> Result<()> {
    let mut stage = Stage::set(1, Nodes::Copied)?;
    let other = Cluster::start(stage.path(), "other", 1)?;
    let target = register(&stage.service, "other", &other, Nodes::Named)?;
    let relation = pairs(&stage, &target)?;
    let refused = |stage: &Stage, at: i64, nodes: &[(String, String)], code: &str| {
        let answer = recover(stage, at, &target, nodes)?;
        anyhow::Ok(denied(&answer, 400, code))
    };
    let now = begin(&stage)?;
    logs(&stage)?;
    let (first, last) = *times(&stage)?.first().context("a first interval")?;
    assert!(first <= last && last <= now, "{first} {last} {now}");
    for at in [first - 1, last + 3600] {
        let why = refused(&stage, at, &relation, "DBS.300377")?;
        assert!(why.contains("restorable are"), "{why}");
    }
    let nobody = [(relation[0].1.clone(), relation[0].0.clone())];
    refused(&stage, last, &nobody, "DBS.280001")?;
    refused(&stage, last, &[], "DBS.280001")?;
    other.nodes[0].sql("CREATE DATABASE in_the_way")?;
    let why = refused(&stage, last, &relation, "DBS.300372")?;
    assert!(why.contains("in_the_way"), "{why}");
    other.nodes[0].sql("DROP DATABASE in_the_way")?;

    // A log that is purged or reset is a gap: told, and nothing is restored across it.
    stage.cluster.nodes[0].sql("INSERT INTO shop_0.orders VALUES (5001, 'lost'); RESET MASTER")?;
    let found = logs(&stage)?;
    let node = found.as_array().and_then(|logs| {
        let mut logs = logs.iter();
        logs.find(|log| log["name"] == "data node node0")
    });
    let gap = node.context("the node")?["gap"].as_str().context("a gap")?;
    assert!(gap.contains("reset"), "{gap}");
    let ended = *times(&stage)?.last().context("an interval")?;
    let later_on = later(&stage.cluster.layer, ended.1 + 1)?;
    logs(&stage)?;
    let why = refused(&stage, later_on - 1, &relation, "DBS.300377")?;
    assert!(why.contains("node0"), "{why}");
    stage.service.program().run(&["ddm", "copy", "layer"])?;
    later(&stage.cluster.layer, later_on + 1)?;
    logs(&stage)?;
    let after = times(&stage)?;
    assert_eq!(after.len(), 2, "{after:?}");
    assert_eq!(after[0].0, first);

    // A data node that is down fails its copy by name; nothing of it is listed as normal.
    stage.cluster.nodes[0].kill()?;
    let failed = stage.service.program().refused(&["ddm", "copy", "layer"])?;
    assert!(failed.contains("data node node0"), "{failed}");
    let copies = stage.service.program().json(&["ddm", "copies", "layer"])?;
    let newest = copies["copies"].as_array().and_then(|all| all.last());
    assert_eq!(newest.context("a copy")?["status"], "createfail");
    let found = logs(&stage)?;
    assert!(found.to_string().contains("does not answer"), "{found}");
    stage.cluster.nodes[0].up()?;
    stage.service.program().run(&["ddm", "copy", "layer"])?;
    Ok(())
}

#[test]
fn without_a_log_metadata_are_kept_and_points_in_time_say_why_not() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let no_log = Setup {
        spider: false,
        no_log: true,
        ..Setup::default()
    };
    let spider = Setup {
        spider: true,
        ..Setup::default()
    };
    let cluster = Cluster {
        layer: Database::start(folder.path(), "layer", spider)?,
        nodes: vec![Database::start(folder.path(), "layer0", no_log)?],
    };
    let stage = Stage::over(folder, cluster, Nodes::Copied)?;
    stage.backup()?;
    stage.service.program().run(&["ddm", "copy", "layer"])?;
    let found = logs(&stage)?;
    assert!(found.to_string().contains("keeps no binary log"), "{found}");
    assert_eq!(times(&stage)?, []);
    let other = Cluster::start(stage.path(), "other", 1)?;
    let target = register(&stage.service, "other", &other, Nodes::Named)?;
    let now = second(&stage.cluster.layer)?;
    let answer = recover(&stage, now, &target, &pairs(&stage, &target)?)?;
    let why = denied(&answer, 400, "DBS.300377");
    assert!(why.contains("keeps no binary log"), "{why}");

    // A data directory that is none, or of no data node, is refused when it is named.
    let url = other.layer.url();
    let node = format!("n={}", other.nodes[0].url());
    for (folder, word) in [
        ("n=/nowhere", "ibdata1"),
        ("m=/tmp", "names no --data-node"),
    ] {
        let words = [
            "resource",
            "add",
            "ddm",
            "x",
            "--url",
            &url,
            "--data-node",
            &node,
        ];
        let words = [words.as_slice(), &["--node-dir", folder]].concat();
        let refused = stage.service.program().refused(&words)?;
        assert!(refused.contains(word), "{refused}");
    }
    Ok(())
}

#[test]
fn a_recovery_that_is_killed_again_and_again_is_finished() -> Result<()> {
    const TABLES: &[(&str, &str)] = &[("shop", "orders")];
    let mut stage = Stage::set(1, Nodes::Copied)?;
    let at = begin(&stage)?;
    let before = recorded(&stage.cluster, TABLES)?;
    later(&stage.cluster.layer, at)?;
    stage.cluster.nodes[0].sql("DROP DATABASE shop_0")?;
    logs(&stage)?;
    let other = Cluster::start(stage.path(), "other", 1)?;
    let target = register(&stage.service, "other", &other, Nodes::Named)?;
    let relation = pairs(&stage, &target)?;
    let ordered = recover(&stage, at, &target, &relation)?;
    let job = ordered.body["job_id"].as_str();
    let job = job
        .with_context(|| format!("no job: {}", ordered.body))?
        .to_owned();
    for looks in [1_usize, 10, 40, 120, 250] {
        // The more often it is looked at before, the further it has come.
        for _ in 0..looks {
            stage.get(&format!("/v3/{{project}}/jobs/{job}"))?;
        }
        stage = stage.reborn()?;
    }
    let ended = stage.job(&job)?;
    assert_eq!(ended["status"], "Completed", "{ended}");
    assert_eq!(recorded(&other, TABLES)?, before);
    let state = stage.get(&format!("/v3/{{project}}/instances/{target}"))?;
    assert_eq!(state["instances"][0]["status"], "RUNNING", "{state}");
    Ok(())
}

#[test]
fn a_data_node_that_goes_down_in_the_middle_of_a_recovery_fails_it_by_name() -> Result<()> {
    let stage = Stage::set(1, Nodes::Copied)?;
    let at = begin(&stage)?;
    let before = recorded(&stage.cluster, &[("shop", "orders")])?;
    later(&stage.cluster.layer, at + 1)?;
    logs(&stage)?;
    let mut other = Cluster::start(stage.path(), "other", 1)?;
    let target = register(&stage.service, "other", &other, Nodes::Named)?;
    let relation = pairs(&stage, &target)?;
    let ordered = recover(&stage, at, &target, &relation)?;
    other.nodes[0].kill()?;
    let id = ordered.body["job_id"].as_str().context("a job")?;
    let ended = stage.job(id)?;
    assert_eq!(ended["status"], "Failed", "{ended}");
    let why = ended["fail_reason"].as_str().unwrap_or_default();
    assert!(why.contains("data node node0"), "{ended}");
    // What was there may be half of something; once it is empty it is as good as new.
    other.nodes[0].up()?;
    other.nodes[0].sql("DROP DATABASE IF EXISTS shop_0")?;
    stage.done(&recover(&stage, at, &target, &relation)?)?;
    assert_eq!(recorded(&other, &[("shop", "orders")])?, before);
    Ok(())
}

#[test]
fn points_in_time_outlive_the_catalog() -> Result<()> {
    const TABLES: &[(&str, &str)] = &[("shop", "orders")];
    let stage = Stage::set(1, Nodes::Copied)?;
    let at = begin(&stage)?;
    let before = recorded(&stage.cluster, TABLES)?;
    later(&stage.cluster.layer, at + 1)?;
    stage.cluster.nodes[0].sql("DROP DATABASE shop_0")?;
    logs(&stage)?;
    let known = times(&stage)?;
    let stage = stage.without_catalog()?;
    let anew = times(&stage)?;
    let holds = |times: &[(i64, i64)]| {
        times
            .iter()
            .any(|(from, until)| (*from..=*until).contains(&at))
    };
    assert!(holds(&known) && holds(&anew), "{at} {known:?} {anew:?}");
    // The log goes on where it was left, behind the layer as it is registered now.
    register(&stage.service, "layer", &stage.cluster, Nodes::Copied)?;
    let found = logs(&stage)?;
    assert!(
        found.to_string().contains("moved to another layer"),
        "{found}"
    );
    let other = Cluster::start(stage.path(), "other", 1)?;
    let target = register(&stage.service, "other", &other, Nodes::Named)?;
    let known = stage.service.program().json(&["ddm", "list"])?;
    let path = "/v3/{project}/instances?limit=10";
    let rows = stage.get(path)?;
    let rows = rows["instances"].as_array().context("instances")?.clone();
    let row = rows.iter().find(|row| row["name"] == "layer");
    let new = row.with_context(|| known.to_string())?["id"]
        .as_str()
        .context("an id")?
        .to_owned();
    let pair = (
        node_ids(&stage, &new)?.remove(0),
        node_ids(&stage, &target)?.remove(0),
    );
    stage.done(&recover(&stage, at, &target, &[pair])?)?;
    assert_eq!(recorded(&other, TABLES)?, before);
    Ok(())
}

#[test]
#[expect(clippy::too_many_lines, reason = "a story is told in one piece")]
fn a_copy_by_a_command_counts_only_if_it_came_whole() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let cluster = Cluster::start(folder.path(), "layer", 1)?;
    cluster.fill()?;
    let service = Service::start(&folder.path().join("service"))?;
    let (node, script) = (&cluster.nodes[0], folder.path().join("copy.sh"));
    let data = node.folder().display();
    let whole = format!(
        "mariadb-backup --no-defaults --backup --stream=mbstream --user=root --datadir={data} \
         --socket={data}/s --target-dir={}",
        folder.path().join("work").display()
    );
    let say = |how: &str| fs::write(&script, format!("#!/bin/sh\n{how}\n"));
    say(&whole)?;
    let (url, nodes) = (cluster.layer.url(), cluster.node_words());
    let command = format!("node0=sh {}", script.display());
    let words = [
        "resource",
        "add",
        "ddm",
        "layer",
        "--url",
        &url,
        "--data-node",
        &nodes[0],
    ];
    let words = [words.as_slice(), &["--backup-command", &command]].concat();
    let instance = service.program().last_line(&words)?;
    let session = Session::admin(&service)?;
    let stage = Stage {
        folder,
        service,
        cluster,
        instance,
        session,
    };
    begin(&stage)?;
    logs(&stage)?;
    let before = times(&stage)?;
    assert_eq!(before.len(), 1, "{before:?}");

    // It dies on its way, with a failure or without one; or it is no copy at all.
    let program = stage.service.program();
    let cut = format!("{whole} | head -c 3000000");
    for (how, word) in [
        (format!("{cut}; exit 7"), "node0"),
        (cut, "node0"),
        ("echo cannot reach the server; exit 1".to_owned(), "node0"),
    ] {
        say(&how)?;
        let failed = program.refused(&["ddm", "copy", "layer"])?;
        assert!(failed.contains(word), "{failed}");
    }
    let listed = program.json(&["ddm", "copies", "layer"])?;
    let states = listed["copies"].as_array().context("copies")?.iter();
    let states: Vec<_> = states.map(|copy| copy["status"].as_str()).collect();
    let failed = Some("createfail");
    assert_eq!(states, [Some("normal"), failed, failed, failed], "{listed}");
    assert_eq!(times(&stage)?[0].0, before[0].0);

    // A password that is not right any more fails copy and log by name, and heals with it.
    say(&whole)?;
    let server = &stage.cluster.nodes[0];
    server.sql(&format!(
        "ALTER USER {USER}@'127.0.0.1' IDENTIFIED BY 'another'"
    ))?;
    program
        .run(&["ddm", "copy", "layer"])
        .err()
        .context("who copies cannot follow the log")?;
    let found = logs(&stage)?.to_string();
    assert!(
        found.contains("refuses the user or the password"),
        "{found}"
    );
    assert!(!found.contains("another"), "{found}");
    let password = PASSWORD.replace('\'', "''");
    server.sql(&format!(
        "ALTER USER {USER}@'127.0.0.1' IDENTIFIED BY '{password}'"
    ))?;
    program.run(&["ddm", "copy", "layer"])?;
    let found = logs(&stage)?;
    let logs = found.as_array().context("logs")?;
    assert!(logs.iter().all(|log| log["problem"].is_null()), "{found}");
    Ok(())
}
