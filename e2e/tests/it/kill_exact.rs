//! The server dies at an exact system call: in the middle of a copy into another region, and of a
//! collection. What it goes on with after that must be as if nothing had happened.
//!
//! `strace` kills the whole process as one of its threads enters its n-th call of a kind: the store
//! puts each object into its place by `renameat2` and removes one by `unlinkat`, so the turn is the
//! number of the object. Neither call is made.

use std::{fs, path::Path, process::Stdio};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use strongroom_e2e::{
    binary, data, fingerprint::Fingerprint, service::Service, session::Session, wait,
};

use crate::scene::{Scene, files_below, text};

/// The server, which dies as a thread enters its `turn`-th `call`. It may die before it is ready.
fn doomed(data_dir: &Path, call: &str, turn: u32, options: &[&str]) -> Option<Service> {
    let mut strace = std::process::Command::new("strace");
    // Not by seccomp: then signals are not delivered.
    strace.args(["-f", "-qq", "-o", "/dev/null"]);
    strace.args(["-e", &format!("trace={call}")]);
    strace.args(["-e", &format!("inject={call}:signal=KILL:when={turn}")]);
    strace.arg(binary::path());
    // If it is strace that ends first, the server goes with its standard input.
    strace.stdin(Stdio::piped());
    let all = [options, &["--until-stdin-closes"]].concat();
    Service::start_program(strace, data_dir, &all).ok()
}

/// Whether the server died before `done` said that there was nothing left to do.
fn dies(service: &mut Service, mut done: impl FnMut(&Session) -> Result<bool>) -> Result<bool> {
    // Signing in may already meet a server that is gone.
    let Ok(session) = Session::admin(service) else {
        return Ok(true);
    };
    wait::until("the death of the server", || {
        if service.has_ended()? {
            return Ok(Some(true));
        }
        Ok(match done(&session) {
            Ok(true) => Some(false),
            Ok(false) => None,
            // It may have died between the two looks.
            Err(_) => None,
        })
    })
}

fn id(value: &Value) -> Result<String> {
    let id = value["id"].as_str().context("there is no id")?;
    Ok(id.to_owned())
}

fn records(session: &Session, backup: &str) -> Result<Vec<Value>> {
    let shown = session.get(&format!("/v3/{{project}}/backups/{backup}"))?;
    let records = shown["backup"]["replication_records"].as_array();
    Ok(records.cloned().unwrap_or_default())
}

fn is_copied(session: &Session, backup: &str) -> Result<bool> {
    let records = records(session, backup)?;
    Ok(records.iter().any(|record| record["status"] == "success"))
}

/// Orders the copy, unless that was done.
fn order_once(service: &Service, backup: &str, order: &Value) -> Result<()> {
    let session = Session::admin(service)?;
    if records(&session, backup)?.is_empty() {
        let path = format!("/v3/{{project}}/backups/{backup}/replicate");
        session.post(&path, order)?;
    }
    Ok(())
}

#[test]
fn killed_at_any_object_of_a_copy_it_finishes_the_copy_and_copies_nothing_twice() -> Result<()> {
    let far = tempfile::tempdir()?;
    let region = format!("far={}", text(far.path()));
    let options = ["--region-store", &*region];
    let scene = Scene::set_with(&options)?;
    // Several packs.
    fs::write(scene.share.path.join("news"), data::noise(9, 40 << 20))?;
    let was = Fingerprint::of(&scene.share.path)?;
    let backup = scene.program().last_line(&["backup", "files"])?;
    let session = Session::admin(&scene.service)?;
    let vault = session.post(
        "/v3/{project}/vaults",
        &json!({"vault": {"name": "far", "resources": [], "billing": {
            "consistent_level": "crash_consistent", "object_type": "turbo",
            "protect_type": "replication", "size": 10,
        }}}),
    )?;
    let order = json!({"replicate": {
        "destination_project_id": session.project(), "destination_region": "far",
        "destination_vault_id": id(&vault["vault"])?, "name": "copy",
    }});
    let Scene {
        folder, service, ..
    } = scene;
    let data_dir = service.data_dir().to_owned();
    ensure!(service.stop()?.success());

    let (mut deaths, mut in_the_middle, mut asked, mut ordered) = (0, 0, false, false);
    // The first deaths may be the region's own first objects, before anything can be ordered.
    for turn in [2, 3, 2, 3, 2, 3, 4, 5, 6, 8] {
        let before = files_below(far.path())?.len();
        if let Some(mut service) = doomed(&data_dir, "renameat2", turn, &options) {
            // The reply may be lost with the service; the next one knows whether the order came.
            ordered = ordered || order_once(&service, &backup, &order).is_ok();
            asked = true;
            if !dies(&mut service, |session| is_copied(session, &backup))? {
                service.close()?;
                break;
            }
        }
        deaths += 1;
        in_the_middle += u32::from(asked && files_below(far.path())?.len() > before);
    }
    ensure!(deaths > 1, "it died {deaths} times");
    ensure!(
        in_the_middle > 0,
        "it never died with objects of the copy there"
    );

    let service = Service::start_with(&data_dir, &options)?;
    let session = Session::admin(&service)?;
    order_once(&service, &backup, &order)?;
    wait::until("the copy", || {
        Ok(is_copied(&session, &backup)?.then_some(()))
    })?;
    let found = records(&session, &backup)?;
    ensure!(found.len() == 1, "one copy was ordered: {found:?}");
    let replica = found[0]["destination_backup_id"].clone();
    let replica = replica.as_str().context("the copy has no id")?;
    // What the deaths left behind is no more than a collection takes away.
    fs::rename(
        data_dir.join("repositories"),
        folder.path().join("the source is gone"),
    )?;
    let to = folder.path().join("from the copy");
    service
        .program()
        .run(&["restore", replica, "--to", text(&to)])?;
    was.compare(&to)
}

#[test]
fn killed_at_any_object_of_a_collection_it_removes_that_and_nothing_else() -> Result<()> {
    let scene = Scene::set()?;
    let mut kept = Vec::new();
    for round in 0..5 {
        fs::write(
            scene.share.path.join("news"),
            data::noise(100 + round, 6 << 20),
        )?;
        let backup = scene.program().last_line(&["backup", "files"])?;
        kept.push((backup, Fingerprint::of(&scene.share.path)?));
    }
    let Scene {
        folder, service, ..
    } = scene;
    let data_dir = service.data_dir().to_owned();
    ensure!(service.stop()?.success());
    let mut deaths = 0;
    for turn in [1, 2, 3] {
        let (gone, _) = kept.remove(1);
        let path = format!("/v3/{{project}}/backups/{gone}");
        if let Some(mut service) = doomed(&data_dir, "unlinkat", turn, &[]) {
            // It may die before it has answered.
            if let Ok(session) = Session::admin(&service) {
                let _ = session.cbr("DELETE", &path, None);
            }
            let idle = |session: &Session| {
                let gone = session.cbr("GET", &path, None)?.status == 404;
                let metrics = session.request("identity", "GET", "/metrics")?;
                let metrics = metrics.send()?.text()?;
                Ok(gone && metrics.contains("strongroom_jobs_unfinished 0\n"))
            };
            if dies(&mut service, idle)? {
                deaths += 1;
            } else {
                service.close()?;
            }
        } else {
            deaths += 1;
        }
        let service = Service::start_with(&data_dir, &[])?;
        let session = Session::admin(&service)?;
        if session.cbr("GET", &path, None)?.status == 200 {
            session.cbr("DELETE", &path, None)?;
        }
        wait::until("the end of a deletion", || {
            Ok((session.cbr("GET", &path, None)?.status == 404).then_some(()))
        })?;
        for (number, (backup, was)) in kept.iter().enumerate() {
            let to = folder.path().join(format!("{turn} {number}"));
            service
                .program()
                .run(&["restore", backup, "--to", text(&to)])?;
            was.compare(&to)?;
            fs::remove_dir_all(&to)?;
        }
        ensure!(service.stop()?.success());
    }
    ensure!(deaths > 0, "it never died");
    Ok(())
}
