//! Sharding layers in front of real MariaDB servers: registered, backed up, dropped, restored.
//!
//! Nothing is mocked: a layer is a server with the Spider engine, data nodes are servers of their
//! own, and what is compared after a restore is what the layer answers.

use std::{fmt::Write as _, fs, process::Command};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use strongroom_e2e::{binary, service::Service, session::Session};
use strongroom_testkit::mariadb::{Cluster, Database, PASSWORD, Setup};

use crate::layer::{Nodes, Stage, denied, holds, register};

/// Orders of schemas that are refused, each with its own code.
fn schemas_that_cannot_be(
    stage: &Stage,
    databases: &str,
    new: &dyn Fn(&str, u32, &str) -> Value,
) -> Result<()> {
    for (refused, code) in [
        (new("stock", 4, PASSWORD), "DBS.300112"),
        (new("Stock2", 4, PASSWORD), "DBS.300109"),
        (new("s", 4, PASSWORD), "DBS.300109"),
        (new("mysql", 4, PASSWORD), "DBS.300109"),
        (new("stock2", 1, PASSWORD), "DBS.300106"),
        (new("stock2", 2000, PASSWORD), "DBS.300106"),
        (new("stock2", 4, "guessed"), "DBS.300114"),
    ] {
        denied(&stage.ddm("POST", databases, Some(&refused))?, 400, code);
    }
    Ok(())
}

/// What a layer shows of itself: schemas, tables, links but their ports, accounts.
fn shown(layer: &Database) -> Result<String> {
    let mut all = String::new();
    for statement in [
        "SHOW CREATE DATABASE shop",
        "SHOW CREATE TABLE shop.orders",
        "SHOW CREATE TABLE shop.first_part",
        "SHOW CREATE TABLE shop.rates",
        "SHOW CREATE VIEW shop.a_view",
        "SHOW CREATE PROCEDURE shop.count_orders",
        "SELECT Server_name, Db, Username, Wrapper FROM mysql.servers ORDER BY 1",
        "SHOW GRANTS FOR reader@'%'",
        "SHOW GRANTS FOR clerks",
        "SELECT COUNT(*), SUM(id) FROM shop.a_view",
    ] {
        all.push_str(&layer.sql(statement)?);
        all.push('\n');
    }
    Ok(all)
}

#[test]
fn metadata_come_back_to_an_empty_layer_as_they_were() -> Result<()> {
    let stage = Stage::set(2, Nodes::Named)?;
    let before = shown(&stage.cluster.layer)?;
    let backup = stage.backup()?;

    // What is listed and shown is what the vendor's pages show.
    let list = stage.get("/v3/{project}/backups")?;
    let row = &list["backups"][0];
    assert_eq!(
        (&list["total"], &list["offset"], &list["limit"]),
        (&json!(1), &json!(0), &json!(10))
    );
    assert_eq!(
        (row["id"].as_str(), row["status"].as_str()),
        (Some(&*backup), Some("normal"))
    );
    assert_eq!(
        (&row["backup_type"], &row["instance_status"]),
        (&json!("metadata"), &json!("normal"))
    );
    assert!(
        row["file_size"].as_f64().is_some_and(|size| size > 1.0),
        "{row}"
    );
    let shown_backup = stage.get(&format!(
        "/v3/{{project}}/instances/{}/backups/{backup}",
        stage.instance
    ))?;
    let names: Vec<_> = shown_backup["related_data_nodes"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|node| node["instance_name"].as_str().unwrap_or_default())
        .collect();
    assert_eq!(names, ["node0", "node1"]);

    // Another layer in front of servers that hold the same physical databases.
    let other = Cluster::start(stage.path(), "other", 2)?;
    other.fill_nodes()?;
    for (from, to) in stage.cluster.nodes.iter().zip(&other.nodes) {
        let number = usize::from(from.port() != stage.cluster.nodes[0].port());
        let table = format!("shop_{number}.orders");
        for line in from.sql(&format!("SELECT id, note FROM {table}"))?.lines() {
            let (id, note) = line.split_once('\t').context("two columns")?;
            to.sql(&format!("INSERT INTO {table} VALUES ({id}, '{note}')"))?;
        }
    }
    register(&stage.service, "other", &other, Nodes::Named)?;
    stage
        .service
        .program()
        .run(&["ddm", "restore", &backup, "--to", "other"])?;
    assert_eq!(shown(&other.layer)?, before);

    // Not empty any more, so a second time is refused, as the documents say.
    let again = stage
        .service
        .program()
        .refused(&["ddm", "restore", &backup, "--to", "other"])?;
    assert!(again.contains("common accounts"), "{again}");

    // A password of a database is nowhere in the clear: not in catalog, log or data.
    assert!(!holds(&stage.path().join("service"), PASSWORD)?);
    assert!(!fs::read_to_string(stage.path().join("service.log"))?.contains(PASSWORD));
    Ok(())
}

#[test]
fn a_schema_is_backed_up_before_it_is_deleted_and_backups_outlive_their_instance() -> Result<()> {
    let stage = Stage::set(2, Nodes::Named)?;
    let databases = format!("/v3/{{project}}/instances/{}/databases", stage.instance);
    let node = stage.get(&format!(
        "/v3/{{project}}/instances/{}/available-data-nodes",
        stage.instance
    ))?["data_nodes"]
        .take();
    let account = |place: usize, password: &str| {
        let id = &node[place]["id"];
        json!({"id": id, "user_name": "app", "user_password": password})
    };
    let new = |name: &str, shards: u32, password: &str| {
        json!({"name": name, "shard_mode": "cluster", "shard_number": shards,
            "dn_instances": [account(0, password), account(1, password)]})
    };

    let made = stage.ddm("POST", &databases, Some(&new("stock", 4, PASSWORD)))?;
    assert_eq!(
        (made.status, &made.body["name"]),
        (202, &json!("stock")),
        "{}",
        made.body
    );
    stage.done(&made)?;
    let shown = stage.get(&format!("{databases}/stock"))?;
    assert_eq!(
        (&shown["shard_number"], &shown["shard_mode"]),
        (&json!(4), &json!("cluster"))
    );
    assert_eq!(shown["shards"][3]["physical_db_name"], "stock_0003");
    schemas_that_cannot_be(&stage, &databases, &new)?;

    let gone = stage.ddm(
        "DELETE",
        &format!("{databases}/stock?delete_dn_data=true"),
        None,
    )?;
    assert_eq!(
        (gone.status, &gone.body["database_name"]),
        (202, &json!("stock"))
    );
    stage.done(&gone)?;
    let left = stage.cluster.nodes[0].sql("SHOW DATABASES LIKE 'stock%'")?;
    assert_eq!(left, "");
    denied(
        &stage.ddm("GET", &format!("{databases}/stock"), None)?,
        400,
        "DBS.300129",
    );
    let list = stage.get("/v3/{project}/backups")?;
    assert_eq!(list["total"], 1, "{list}");
    assert_eq!(
        list["backups"][0]["description"],
        "metadata backup before deleting schema stock"
    );

    // The layer goes; its backups stay, under its name.
    stage.service.program().run(&["ddm", "remove", "layer"])?;
    let list = stage.get("/v3/{project}/backups?instance_name=layer")?;
    assert_eq!(list["total"], 2, "{list}");
    let backup = list["backups"][0]["id"].as_str().context("an id")?;
    let path = format!(
        "/v3/{{project}}/instances/{}/backups/{backup}",
        stage.instance
    );
    assert_eq!(stage.get(&path)?["instance_name"], "layer");
    let instance = format!("/v3/{{project}}/instances/{}", stage.instance);
    denied(&stage.ddm("GET", &instance, None)?, 404, "DBS.200002");

    let deleted = stage.ddm("DELETE", &format!("/v3/{{project}}/backups/{backup}"), None)?;
    assert_eq!(deleted.status, 202);
    assert_eq!(stage.get("/v3/{project}/backups")?["total"], 1);
    stage.done(&deleted)?;
    denied(&stage.ddm("GET", &path, None)?, 400, "DBS.280001");
    Ok(())
}

#[test]
fn exported_schemas_are_carried_to_another_layer() -> Result<()> {
    let stage = Stage::set(2, Nodes::Named)?;
    let export = stage.get(&format!(
        "/v3/{{project}}/instances/{}/schema-metadata",
        stage.instance
    ))?;
    assert_eq!(export["data_nodes"][1]["instance_name"], "node1");
    let other = Cluster::start(stage.path(), "other", 2)?;
    other.fill_nodes()?;
    let id = register(&stage.service, "other", &other, Nodes::Named)?;
    let nodes = stage.get(&format!(
        "/v3/{{project}}/instances/{id}/available-data-nodes"
    ))?;
    let nodes: Vec<_> = nodes["data_nodes"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|node| {
            json!({"dn_instance_id": node["id"], "admin_user": "app", "admin_password": PASSWORD})
        })
        .collect();
    let path = format!("/v3/{{project}}/instances/{id}/schema-metadata");
    let body = json!({"compressed_databases_info": export["compressed_databases_info"],
        "dn_instance": nodes});
    let sent = stage.ddm("POST", &path, Some(&body))?;
    assert_eq!(
        (sent.status, &sent.body["instance_name"]),
        (202, &json!("other"))
    );
    stage.done(&sent)?;
    let (ours, theirs) = (&stage.cluster.layer, &other.layer);
    let table = "SHOW CREATE TABLE shop.orders";
    assert_eq!(ours.sql(table)?, theirs.sql(table)?);
    // Accounts are not part of an export.
    assert_eq!(
        theirs.sql("SELECT COUNT(*) FROM mysql.user WHERE User = 'reader'")?,
        "0"
    );
    denied(&stage.ddm("POST", &path, Some(&body))?, 400, "DBS.300112");
    // What somebody wrote into it would be run with all rights.
    let text = export["compressed_databases_info"]
        .as_str()
        .context("text")?;
    let (left, right) = text.split_at(text.len() / 2);
    let other = if right.starts_with('A') { "B" } else { "A" };
    let changed = format!("{left}{other}{}", &right[1..]);
    let changed = json!({"compressed_databases_info": changed, "dn_instance": nodes});
    denied(
        &stage.ddm("POST", &path, Some(&changed))?,
        400,
        "DBS.280001",
    );
    let garbage = json!({"compressed_databases_info": "AAAA", "dn_instance": nodes});
    denied(
        &stage.ddm("POST", &path, Some(&garbage))?,
        400,
        "DBS.280001",
    );
    Ok(())
}

#[test]
fn bad_input_gets_the_documented_refusals_and_a_dead_node_is_named() -> Result<()> {
    let mut stage = Stage::set(2, Nodes::Named)?;
    for query in ["limit=0", "limit=129", "limit=abc", "offset=-1", "offset=x"] {
        let answer = stage.ddm("GET", &format!("/v3/{{project}}/backups?{query}"), None)?;
        denied(&answer, 400, "DBS.280001");
    }
    let old = stage.ddm("GET", "/v1/{project}/instances?limit=0", None)?;
    assert_eq!(old.body["errCode"], "DBS.280001", "{}", old.body);
    assert!(old.body["externalMessage"].is_string());

    // Where the password is wrong, or a link leads elsewhere, nothing is registered.
    let program = stage.service.program();
    let wrong = stage.cluster.layer.url_with("guessed");
    let refused = program.refused(&["resource", "add", "ddm", "x", "--url", &wrong])?;
    assert!(
        refused.contains("refuses the user or the password"),
        "{refused}"
    );
    assert!(!refused.contains("guessed"), "{refused}");
    let url = stage.cluster.layer.url();
    let refused = program.refused(&["resource", "add", "ddm", "x", "--url", &url])?;
    assert!(refused.contains("link dn0"), "{refused}");
    let plain = Database::start(stage.path(), "plain", Setup::default())?;
    let url = plain.url();
    let refused = program.refused(&["resource", "add", "ddm", "x", "--url", &url])?;
    assert!(refused.contains("no Spider engine"), "{refused}");

    // A backup of the layer under another one's path, and jobs over too long a time.
    let backup = stage.backup()?;
    let foreign = format!(
        "/v3/{{project}}/instances/{}in09/backups/{backup}",
        "0".repeat(32)
    );
    denied(&stage.ddm("GET", &foreign, None)?, 400, "DBS.280001");
    let span = "/v3/{project}/jobs?start_time=0&end_time=2592000001";
    denied(&stage.ddm("GET", span, None)?, 400, "DBS.280001");
    denied(
        &stage.ddm("GET", "/v3/{project}/jobs", None)?,
        400,
        "DBS.280001",
    );

    // Without a log the metadata are kept all the same; without a node they are not.
    stage.cluster.nodes[1].kill()?;
    let failed = program.refused(&["ddm", "backup", "layer"])?;
    assert!(failed.contains("data node node1"), "{failed}");
    let list = stage.get("/v3/{project}/backups")?;
    let states: Vec<_> = list["backups"].as_array().into_iter().flatten().collect();
    assert_eq!(
        (&states[0]["status"], &states[1]["status"]),
        (&json!("createfail"), &json!("normal"))
    );
    let sync = format!(
        "/v3/{{project}}/instances/{}/data-nodes/sync",
        stage.instance
    );
    assert_eq!(stage.ddm("POST", &sync, Some(&json!({})))?.status, 200);
    let nodes = stage.get(&format!(
        "/v3/{{project}}/instances/{}/available-data-nodes",
        stage.instance
    ))?;
    assert_eq!(nodes["data_nodes"][1]["status"], "abnormal", "{nodes}");
    stage.cluster.nodes[1].up()?;
    stage.backup()?;
    Ok(())
}

#[test]
fn the_vendors_sdk_lists_shows_and_restores() -> Result<()> {
    let stage = Stage::set(2, Nodes::Named)?;
    let backup = stage.backup()?;
    let other = Cluster::start(stage.path(), "other", 2)?;
    other.fill_nodes()?;
    let target = register(&stage.service, "other", &other, Nodes::Named)?;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/python/scenario_ddm.py");
    let output = Command::new(binary::python("python"))
        .arg(script)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .arg("--data-dir")
        .arg(stage.service.data_dir())
        .args([
            "--instance",
            &stage.instance,
            "--backup",
            &backup,
            "--target",
            &target,
        ])
        .args(["--password", PASSWORD])
        .output()?;
    if !output.status.success() {
        bail!(
            "the scenario failed:\n{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(())
}

#[test]
fn a_service_that_is_killed_anywhere_finishes_what_was_ordered() -> Result<()> {
    let mut stage = Stage::set(2, Nodes::Named)?;
    let first = stage.backup()?;
    for looks in 0..6 {
        let ordered = stage
            .service
            .program()
            .run(&["ddm", "backup", "layer", "--detach"])?;
        let (backup, job) = ordered.trim().split_once('\n').context("two ids")?;
        // The more often it is looked at before, the further the job has come.
        for _ in 0..looks * 4 {
            stage.get(&format!("/v3/{{project}}/jobs/{job}"))?;
        }
        stage = stage.reborn()?;
        let ended = stage.job(job)?;
        assert_eq!(ended["status"], "Completed", "{ended}");
        let list = stage.get("/v3/{project}/backups?limit=128")?;
        let rows = list["backups"].as_array().context("a list")?;
        assert_eq!(rows.len(), looks + 2, "nothing is made twice");
        assert!(rows.iter().any(|row| row["id"] == *backup));
        assert!(rows.iter().all(|row| row["status"] == "normal"), "{list}");
    }

    // A deletion that is cut off is finished too.
    let path = format!("/v3/{{project}}/backups/{first}");
    let deleted = stage.ddm("DELETE", &path, None)?;
    let job = deleted.body["job_id"].as_str().context("a job")?.to_owned();
    stage = stage.reborn()?;
    assert_eq!(stage.job(&job)?["status"], "Completed");
    assert_eq!(stage.get("/v3/{project}/backups")?["total"], 6);
    Ok(())
}

#[test]
fn backups_are_in_a_catalog_that_was_rebuilt_from_the_data() -> Result<()> {
    let stage = Stage::set(2, Nodes::Named)?;
    let backup = stage.backup()?;
    let before = stage.get("/v3/{project}/backups")?;
    let stage = stage.without_catalog()?;
    let after = stage.get("/v3/{project}/backups")?;
    let row = |list: &Value| {
        let mut row = list["backups"][0].clone();
        row["updated"].take();
        row
    };
    assert_eq!(row(&after), row(&before));

    // The layer is registered anew, and what it was is written to an empty one.
    let other = Cluster::start(stage.path(), "other", 2)?;
    other.fill_nodes()?;
    register(&stage.service, "other", &other, Nodes::Named)?;
    let shown = stage.get(&format!(
        "/v3/{{project}}/instances/{}/backups/{backup}",
        stage.instance
    ))?;
    assert_eq!(shown["id"], *backup);
    let program = stage.service.program();
    program.run(&["ddm", "restore", &backup, "--to", "other"])?;
    let table = "SHOW CREATE TABLE shop.orders";
    assert_eq!(other.layer.sql(table)?, stage.cluster.layer.sql(table)?);
    Ok(())
}

/// The figure: a thousand schemas with twenty thousand tables in under a minute of CPU.
#[test]
#[ignore = "nightly: makes twenty thousand tables"]
fn a_thousand_schemas_with_twenty_thousand_tables_take_less_than_a_minute_of_processor_time()
-> Result<()> {
    let stage = Stage::set(2, Nodes::Named)?;
    for schema in 0..1000 {
        let mut statements = format!("CREATE DATABASE big{schema:04}; USE big{schema:04};");
        for table in 0..20 {
            write!(
                statements,
                "CREATE TABLE t{table} (id BIGINT PRIMARY KEY, note VARCHAR(100)) ENGINE=SPIDER \
                 COMMENT='wrapper \"mysql\", table \"t{table}\"' PARTITION BY KEY (id) \
                 (PARTITION p0 COMMENT = 'srv \"dn0\"', PARTITION p1 COMMENT = 'srv \"dn1\"');"
            )?;
        }
        stage.cluster.layer.sql(&statements)?;
    }
    let before = stage.service.processor_seconds()?;
    let started = std::time::Instant::now();
    stage.backup()?;
    let used = stage.service.processor_seconds()? - before;
    let size = &stage.get("/v3/{project}/backups")?["backups"][0]["file_size"];
    println!(
        "20,000 tables: {:.1} s, {used:.1} s of processor time, {size} KB, peak {} MiB",
        started.elapsed().as_secs_f64(),
        stage.service.peak_mebibytes()?
    );
    assert!(used < 60.0, "{used} s");
    Ok(())
}

/// Servers without Spider: a schema whose tables something else spreads, and where they are.
fn planned(folder: &std::path::Path, name: &str) -> Result<Cluster> {
    let start = |name: String| Database::start(folder, &name, Setup::default());
    Ok(Cluster {
        layer: start(name.to_owned())?,
        nodes: vec![start(format!("{name}0"))?, start(format!("{name}1"))?],
    })
}

/// Registers it with a topology file; the words of the refusal, or its id.
fn register_planned(
    stage: &Service,
    name: &str,
    cluster: &Cluster,
    file: &std::path::Path,
) -> Result<std::result::Result<String, String>> {
    let (url, nodes) = (cluster.layer.url(), cluster.node_words());
    let file = file.to_string_lossy();
    let mut words = vec![
        "resource",
        "add",
        "ddm",
        name,
        "--url",
        &url,
        "--topology",
        &file,
    ];
    for node in &nodes {
        words.extend(["--data-node", node]);
    }
    let program = stage.program();
    if program.try_run(&words)?.status.success() {
        let found = program.json(&["ddm", "list"])?;
        let rows = found.as_array().or_else(|| found["instances"].as_array());
        let mut rows = rows.into_iter().flatten();
        let row = rows.find(|row| row["name"] == name).context("a row")?;
        return Ok(Ok(row["id"].as_str().context("an id")?.to_owned()));
    }
    Ok(Err(program.refused(&words)?))
}

#[test]
#[expect(clippy::too_many_lines, reason = "a story is told in one piece")]
fn any_server_with_a_topology_file_is_backed_up_and_comes_back_with_a_topology_of_its_own()
-> Result<()> {
    let folder = tempfile::tempdir()?;
    let cluster = planned(folder.path(), "plain")?;
    cluster.fill_nodes()?;
    cluster.layer.sql(
        "CREATE DATABASE shop; CREATE TABLE shop.orders (id BIGINT PRIMARY KEY, \
         note VARCHAR(100)) ENGINE=InnoDB; CREATE TABLE shop.rates (code CHAR(3)) ENGINE=InnoDB; \
         CREATE USER reader@'%' IDENTIFIED BY 'a secret'; GRANT SELECT ON shop.* TO reader@'%'",
    )?;
    let service = Service::start(&folder.path().join("service"))?;
    let shards = json!([{"name": "0", "node": "node0", "database": "shop_0", "range": "even"},
        {"name": "1", "node": "node1", "database": "shop_1", "range": "odd"}]);
    let topology = json!({"version": 1, "data_nodes": ["node0", "node1"], "schemas": [
        {"name": "shop", "tables": [{"name": "orders",
            "rule": {"algorithm": "MOD", "key": "id"}, "shards": shards}]}]});
    let file = folder.path().join("topology.json");
    // What does not fit what is there is refused, with the place.
    for (from, to, word) in [
        ("\"version\":1", "\"version\":7", "version 7"),
        ("\"node1\"]", "\"node1\",\"node2\"]", "node2"),
        ("\"orders\"", "\"ordered\"", "no table shop.ordered"),
        ("\"shop_1\"", "\"shop_2\"", "no shop_2.orders"),
    ] {
        let text = topology.to_string().replace(from, to);
        assert_ne!(text, topology.to_string());
        fs::write(&file, text)?;
        let refused = register_planned(&service, "plain", &cluster, &file)?;
        let why = refused.err().context("it must be refused")?;
        assert!(why.contains(word), "{why}");
    }
    fs::write(&file, topology.to_string())?;
    let instance = register_planned(&service, "plain", &cluster, &file)?;
    let instance = instance.map_err(anyhow::Error::msg)?;
    let program = service.program();
    let backup = program.last_line(&["ddm", "backup", "plain"])?;
    let session = Session::admin(&service)?;
    let schema = format!("/v3/{{project}}/instances/{instance}/databases/shop");
    let shown = session.call("ddm", "GET", &schema, None)?.body;
    assert_eq!(shown["shards"][1]["physical_db_name"], "shop_1", "{shown}");

    // What spreads the tables makes and drops them, not we.
    let path = format!("{schema}?delete_dn_data=false");
    let dropped = session.call("ddm", "DELETE", &path, None)?;
    let why = denied(&dropped, 400, "DBS.300372");
    assert!(why.contains("by the software that spreads them"), "{why}");
    assert_eq!(cluster.layer.sql("SHOW DATABASES LIKE 'shop'")?, "shop");

    // To empty servers under other names, which hold the same physical databases.
    let mut other = planned(folder.path(), "other")?;
    other.fill_nodes()?;
    let empty = json!({"version": 1, "data_nodes": ["node0", "node1"]});
    fs::write(&file, empty.to_string())?;
    let target = register_planned(&service, "other", &other, &file)?;
    assert!(target.is_ok(), "{target:?}");
    program.run(&["ddm", "restore", &backup, "--to", "other"])?;
    for statement in [
        "SHOW CREATE TABLE shop.orders",
        "SHOW GRANTS FOR reader@'%'",
    ] {
        assert_eq!(other.layer.sql(statement)?, cluster.layer.sql(statement)?);
    }
    let of = |name: &str| -> Result<Value> {
        let shown = program.json(&["ddm", "topology", name])?;
        let text = shown["topology"].as_str().context("a text")?;
        Ok(serde_json::from_str(text)?)
    };
    assert_eq!(of("plain")?, topology);
    assert_eq!(of("other")?, topology, "its nodes have the same names");
    // It is backed up by what was restored; and a file that is out of date is noticed.
    program.run(&["ddm", "backup", "other"])?;
    other.nodes[1].sql("DROP TABLE shop_1.orders")?;
    let failed = program.refused(&["ddm", "backup", "other"])?;
    assert!(failed.contains("no shop_1.orders"), "{failed}");
    other.nodes[1].kill()?;

    // A layer that says itself what is where takes no file.
    let url = cluster.layer.url();
    let words = [
        "resource",
        "add",
        "ddm",
        "x",
        "--url",
        &url,
        "--provider",
        "topology",
    ];
    let refused = program.refused(&words)?;
    assert!(refused.contains("needs a topology file"), "{refused}");
    Ok(())
}

#[test]
#[expect(clippy::too_many_lines, reason = "a story is told in one piece")]
fn connections_are_encrypted_as_the_address_says_or_they_are_refused() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let tls = Setup {
        tls: true,
        ..Setup::default()
    };
    let cluster = Cluster {
        layer: Database::start(folder.path(), "layer", tls)?,
        nodes: vec![Database::start(folder.path(), "node", tls)?],
    };
    cluster.fill_nodes()?;
    let service = Service::start(&folder.path().join("service"))?;
    let program = service.program();
    let file = folder.path().join("topology.json");
    let topology = json!({"version": 1, "data_nodes": ["node0"]});
    fs::write(&file, topology.to_string())?;
    let file = file.to_string_lossy();
    let verified = |server: &Database, by: &Database| {
        let certificate = by.certificate();
        let url = server.url();
        format!(
            "{url}?ssl-mode=VERIFY_IDENTITY&ssl-ca={}",
            certificate.display()
        )
    };
    let node = &cluster.nodes[0];
    let words = |url: &str, node_url: &str| -> Vec<String> {
        let directory = format!("node0={}", node.folder().display());
        [
            "resource",
            "add",
            "ddm",
            "layer",
            "--url",
            url,
            "--topology",
            &file,
            "--data-node",
        ]
        .into_iter()
        .map(str::to_owned)
        .chain([
            format!("node0={node_url}"),
            "--node-dir".to_owned(),
            directory,
        ])
        .collect()
    };
    // Unencrypted, by an authority of somebody else, or left to chance.
    let plain = Database::start(folder.path(), "plain", Setup::default())?;
    let good = verified(node, node);
    for (url, why) in [
        (cluster.layer.url(), "refuses"),
        (verified(&cluster.layer, node), "certificate"),
        (
            format!("{}?ssl-mode=PREFERRED", cluster.layer.url()),
            "not tell",
        ),
        // A server that knows no encryption is not talked to without.
        (
            format!("{}?ssl-mode=REQUIRED", plain.url()),
            "secure connection",
        ),
    ] {
        let refused = program.refused(&words(&url, &good))?;
        assert!(refused.contains(why), "{refused}");
    }
    let refused = program.refused(&words(
        &verified(&cluster.layer, &cluster.layer),
        &node.url(),
    ))?;
    assert!(refused.contains("refuses"), "{refused}");

    // Sessions, copies and logs all go through it.
    program.run(&words(&verified(&cluster.layer, &cluster.layer), &good))?;
    program.run(&["ddm", "backup", "layer"])?;
    let logs = program.json(&["ddm", "logs", "layer"])?;
    let logs = logs["logs"].as_array().context("logs")?;
    assert!(logs.iter().all(|log| log["problem"].is_null()), "{logs:?}");
    program.run(&["ddm", "copy", "layer"])?;
    node.sql("INSERT INTO shop_0.orders VALUES (1, 'later')")?;
    let logs = program.json(&["ddm", "logs", "layer"])?;
    assert!(!logs.to_string().contains("refuses"), "{logs}");
    Ok(())
}

/// Kills the service when it was looked at so often, and waits for the job's end afterwards.
fn killed(stage: Stage, ordered: &Value, looks: usize) -> Result<Stage> {
    let job = ordered["job_id"].as_str();
    let job = job.with_context(|| format!("no job: {ordered}"))?;
    for _ in 0..looks {
        stage.get(&format!("/v3/{{project}}/jobs/{job}"))?;
    }
    let stage = stage.reborn()?;
    let ended = stage.job(job)?;
    assert_eq!(ended["status"], "Completed", "{looks} looks: {ended}");
    Ok(stage)
}

#[test]
fn schemas_restores_and_removals_that_are_killed_anywhere_are_finished() -> Result<()> {
    let mut stage = Stage::set(2, Nodes::Named)?;
    let backup = stage.backup()?;
    let other = Cluster::start(stage.path(), "other", 2)?;
    other.fill_nodes()?;
    let target = register(&stage.service, "other", &other, Nodes::Named)?;
    let of = |instance: &str| format!("/v3/{{project}}/instances/{instance}");
    let nodes = |stage: &Stage, instance: &str| -> Result<Vec<Value>> {
        let found = stage.get(&format!("{}/available-data-nodes", of(instance)))?;
        Ok(found["data_nodes"].as_array().context("nodes")?.clone())
    };
    let running = |stage: &Stage, instance: &str| -> Result<()> {
        let shown = stage.get(&of(instance))?;
        assert_eq!(shown["instances"][0]["status"], "RUNNING", "{shown}");
        Ok(())
    };
    // The more often a job is looked at before, the further it has come.
    for looks in [0, 2, 5, 10, 25] {
        let databases = format!("{}/databases", of(&stage.instance));
        let accounts: Vec<_> = nodes(&stage, &stage.instance)?
            .iter()
            .map(|node| json!({"id": node["id"], "user_name": "app", "user_password": PASSWORD}))
            .collect();
        let new = json!({"name": "stock", "shard_mode": "cluster", "shard_number": 8,
            "dn_instances": accounts});
        let made = stage.ddm("POST", &databases, Some(&new))?;
        stage = killed(stage, &made.body, looks)?;
        let shown = stage.get(&format!("{databases}/stock"))?;
        assert_eq!(shown["shard_number"], 8, "{shown}");
        let gone = stage.ddm(
            "DELETE",
            &format!("{databases}/stock?delete_dn_data=true"),
            None,
        )?;
        stage = killed(stage, &gone.body, looks)?;
        for node in &stage.cluster.nodes {
            assert_eq!(node.sql("SHOW DATABASES LIKE 'stock%'")?, "");
        }
        running(&stage, &stage.instance)?;

        let ids: Vec<_> = nodes(&stage, &target)?
            .iter()
            .map(|node| node["id"].clone())
            .collect();
        let order = json!({"source": {"backup_id": backup},
            "target": {"instance_id": target, "data_nodes": ids}});
        let path = format!("{}/backups/metadata-recovery", of(&stage.instance));
        let restored = stage.ddm("POST", &path, Some(&order))?;
        stage = killed(stage, &restored.body, looks)?;
        running(&stage, &target)?;
        assert_eq!(
            other.layer.sql("SHOW CREATE TABLE shop.orders")?,
            stage.cluster.layer.sql("SHOW CREATE TABLE shop.orders")?
        );
        let list = stage.get("/v3/{project}/backups?limit=128")?;
        let rows = list["backups"].as_array().context("backups")?;
        assert!(rows.iter().all(|row| row["status"] == "normal"), "{list}");
        let empty = "DROP DATABASE shop; DROP USER reader@'%'; DROP ROLE clerks; \
                     DROP SERVER dn0; DROP SERVER dn1";
        other.layer.sql(empty)?;
    }
    for (looks, instance) in [(3, target.clone()), (12, stage.instance.clone())] {
        let removed = stage.ddm("DELETE", &of(&instance), None)?;
        stage = killed(stage, &removed.body, looks)?;
        denied(&stage.ddm("GET", &of(&instance), None)?, 404, "DBS.200002");
    }
    Ok(())
}
