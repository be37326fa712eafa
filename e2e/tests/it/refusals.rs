//! Bad input, and what it gets: the documented code, and everything else untouched.

use std::fs;

use anyhow::Result;
use serde_json::{Value, json};
use strongroom_e2e::{
    binary,
    fingerprint::Fingerprint,
    session::{self, Session, send},
};

use crate::scene::{Scene, register, text};

const NOBODYS: &str = "6df2b54c-dd62-4059-a07c-1b8f24f2725d";

/// Makes a vault of that many GB by HTTP; its id.
fn vault(session: &Session, object_type: &str, size: u64) -> Result<String> {
    let body = json!({"vault": {"name": "by-hand", "resources": [], "billing": {
        "consistent_level": "crash_consistent", "object_type": object_type,
        "protect_type": "backup", "size": size,
    }}});
    let reply = session.post("/v3/{project}/vaults", &body)?;
    Ok(session::text(&reply["vault"]["id"])?.to_owned())
}

fn add(vault: &str, resource: &str, kind: &str) -> (String, Value) {
    let path = format!("/v3/{{project}}/vaults/{vault}/addresources");
    (path, json!({"resources": [{"id": resource, "type": kind}]}))
}

/// A request, and the status and the end of the error code that it gets.
type Case = (&'static str, String, Option<Value>, u16, &'static str);

fn wrong_requests() -> Vec<Case> {
    let of = |noun: &str| format!("/v3/{{project}}/{noun}");
    let checkpoint = |vault: &str| json!({"checkpoint": {"vault_id": vault, "parameters": {}}});
    let get = |path: String, status, code| ("GET", path, None, status, code);
    let post = |path, body, status, code| ("POST", path, Some(body), status, code);
    let vault = of(&format!("vaults/{NOBODYS}"));
    vec![
        // Unknown ids.
        get(vault.clone(), 404, "6105"),
        ("DELETE", vault, None, 404, "6105"),
        get(of(&format!("backups/{NOBODYS}")), 404, "6200"),
        get(of(&format!("checkpoints/{NOBODYS}")), 404, "6217"),
        get(of(&format!("operation-logs/{NOBODYS}")), 404, "6500"),
        post(of("checkpoints"), checkpoint(NOBODYS), 404, "6105"),
        // Malformed ids, limits, words and bodies.
        get(of("backups/nonsense"), 400, "9900"),
        get(of("backups?limit=0"), 400, "9900"),
        get(of("backups?limit=1001"), 400, "9900"),
        get(of("backups?status=fine"), 400, "9900"),
        post(of("checkpoints"), json!({"checkpoint": 7}), 400, "9900"),
        get(of("no/such/path"), 404, "APIGW.0101"),
    ]
}

#[test]
fn wrong_requests_get_the_documented_codes() -> Result<()> {
    let scene = Scene::set()?;
    let session = Session::admin(&scene.service)?;
    let vault = vault(&session, "turbo", 100)?;
    for (method, path, body, status, code) in wrong_requests() {
        let answer = session.cbr(method, &path, body.as_ref())?;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.body);
        let told = text_of(&answer.body);
        assert!(told.ends_with(code), "{method} {path}: {}", answer.body);
    }
    // What does not work yet says so in the same shape.
    let answer = session.cbr("GET", "/v3/{project}/organization-policies", None)?;
    assert!(
        answer.status >= 400 && !text_of(&answer.body).is_empty(),
        "{answer:?}"
    );

    let checkpoints = || session.request("cbr", "POST", "/v3/{project}/checkpoints");
    let no_json = checkpoints()?
        .header("X-Auth-Token", session.token())
        .body("not json");
    let answer = send(no_json)?;
    assert_eq!(
        (answer.status, text_of(&answer.body)),
        (400, "BackupService.9900".to_owned())
    );
    let body = vec![b' '; 13 << 20];
    let answer = send(
        checkpoints()?
            .header("X-Auth-Token", session.token())
            .body(body),
    )?;
    assert_eq!(
        (answer.status, text_of(&answer.body)),
        (413, "APIGW.0201".to_owned())
    );
    // All that left the service as it was.
    let vaults = session.get("/v3/{project}/vaults")?;
    assert_eq!(
        (&vaults["count"], &vaults["vaults"][0]["id"]),
        (&json!(1), &json!(vault))
    );
    Ok(())
}

fn text_of(body: &Value) -> String {
    body["error_code"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn strangers_get_401_and_never_on_the_public_paths_of_identity() -> Result<()> {
    let scene = Scene::set()?;
    let session = Session::admin(&scene.service)?;
    for token in [None, Some("srt1_wrong"), Some(""), Some("\u{7f}")] {
        let mut request = session.request("cbr", "GET", "/v3/{project}/vaults")?;
        if let Some(token) = token {
            request = request.header("X-Auth-Token", token.as_bytes());
        }
        let Ok(answer) = send(request) else {
            continue; // the HTTP client itself refuses to send such a header
        };
        assert_eq!(
            (answer.status, text_of(&answer.body)),
            (401, "APIGW.0301".to_owned())
        );
    }
    for path in ["/", "/v3"] {
        let answer = send(session.request("identity", "GET", path)?)?;
        assert!(
            answer.status < 400,
            "{path}: {} {}",
            answer.status,
            answer.body
        );
    }
    // Revoked, a token is worth nothing at once.
    let path = "/v3/auth/tokens";
    let revoke = session
        .request("identity", "DELETE", path)?
        .header("X-Auth-Token", session.token())
        .header("X-Subject-Token", session.token());
    assert_eq!(send(revoke)?.status, 204);
    let answer = session.cbr("GET", "/v3/{project}/vaults", None)?;
    assert_eq!(answer.status, 401);
    Ok(())
}

#[test]
fn a_resource_is_in_one_vault_at_a_time() -> Result<()> {
    let scene = Scene::set()?;
    let session = Session::admin(&scene.service)?;
    let (first, second) = (
        vault(&session, "turbo", 100)?,
        vault(&session, "turbo", 100)?,
    );
    let (path, body) = add(&first, &scene.share.id, "OS::Sfs::Turbo");
    session.post(&path, &body)?;
    let (path, body) = add(&second, &scene.share.id, "OS::Sfs::Turbo");
    let answer = session.cbr("POST", &path, Some(&body))?;
    assert_eq!(
        (answer.status, text_of(&answer.body)),
        (400, "BackupService.6103".to_owned())
    );
    // A disk does not go into a vault of shares.
    let (path, body) = add(&second, &scene.disk.id, "OS::Cinder::Volume");
    let answer = session.cbr("POST", &path, Some(&body))?;
    assert_eq!(
        (answer.status, text_of(&answer.body)),
        (400, "BackupService.6102".to_owned())
    );
    let refused = scene.program().refused(&["resource", "remove", "files"])?;
    assert!(refused.contains("vault"), "{refused}");
    Ok(())
}

#[test]
fn what_has_vanished_since_it_was_registered_is_named() -> Result<()> {
    let scene = Scene::set()?;
    let program = scene.program();
    program.run(&["backup", "files"])?;
    let away = scene.place("away");
    fs::rename(&scene.share.path, &away)?;
    let refused = program.refused(&["backup", "files"])?;
    assert!(refused.contains(text(&scene.share.path)), "{refused}");
    fs::rename(&away, &scene.share.path)?;
    let backup = program.json(&["backup", "files"])?;
    assert_eq!(backup["backup"]["status"], "available");
    Ok(())
}

#[test]
fn only_what_is_there_and_of_its_kind_is_registered() -> Result<()> {
    let scene = Scene::set()?;
    let program = scene.program();
    let cases: &[(&str, &std::path::Path)] = &[
        ("share", &scene.place("nowhere")),
        ("share", &scene.disk.path),
        ("volume", &scene.share.path),
        ("share", scene.service.data_dir()),
    ];
    for (kind, path) in cases {
        let refused = program.refused(&["resource", "add", kind, "x", "--path", text(path)])?;
        assert!(
            refused.contains(text(path)) || refused.contains("path"),
            "{refused}"
        );
    }
    let refused = program.refused(&["resource", "add", "server", "x", "--path", "/"])?;
    assert!(refused.contains("share, volume"), "{refused}");
    assert_eq!(
        program.json(&["resource", "list"])?["resources"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    Ok(())
}

#[test]
fn two_backups_of_one_resource_at_once_both_come_out_well() -> Result<()> {
    let scene = Scene::set()?;
    let program = scene.program();
    program.run(&["backup", "files"])?;
    let was = Fingerprint::of(&scene.share.path)?;
    let at_once: Vec<_> = (0..3)
        .map(|_| {
            let program = program.clone();
            std::thread::spawn(move || program.try_run(&["backup", "files"]))
        })
        .collect();
    let mut made = 0;
    for one in at_once {
        let output = one.join().expect("nothing panics in there")?;
        let said = String::from_utf8_lossy(&output.stderr);
        // Either it waits for its turn, or it is told that one runs already.
        assert!(
            output.status.success() || said.contains("runs already"),
            "{said}"
        );
        made += usize::from(output.status.success());
    }
    assert!(made > 0);
    let backups = program.json(&["backups", "--resource", "files"])?;
    for backup in backups["backups"].as_array().unwrap() {
        assert_eq!(backup["status"], "available");
        let id = backup["id"].as_str().unwrap();
        let to = scene.place(&format!("restored {id}"));
        program.run(&["restore", id, "--to", text(&to)])?;
        was.compare(&to)?;
    }
    Ok(())
}

#[test]
fn a_disk_that_is_full_fails_the_backup_and_harms_no_earlier_one() -> Result<()> {
    // A small file system of its own, in a namespace of its own: no rights are needed for it.
    let folder = tempfile::tempdir()?;
    let files = folder.path().join("files");
    fs::create_dir(&files)?;
    fs::write(files.join("small"), strongroom_e2e::data::prose(1, 100_000))?;
    let was = Fingerprint::of(&files)?;
    let script = r#"
        set -eu
        mkdir "$1/small"
        mount -t tmpfs -o size=24m tmpfs "$1/small"
        run() { "$2" --data-dir "$1/small/service" "${@:3}"; }
        "$2" --data-dir "$1/small/service" serve --listen 127.0.0.1:0 > "$1/ready" 2> "$1/log" &
        until grep -q ready "$1/ready"; do kill -0 $!; done
        run "$1" "$2" resource add share files --path "$1/files"
        first=$(run "$1" "$2" backup files | tail -n 1)
        head -c 40000000 /dev/urandom > "$1/files/big"
        if run "$1" "$2" backup files > "$1/refused" 2>&1; then echo "it fitted"; exit 3; fi
        run "$1" "$2" restore "$first" --to "$1/restored"
        rm "$1/files/big"
        run "$1" "$2" backup files
        kill %1
        wait %1
    "#;
    let output = std::process::Command::new("unshare")
        .args([
            "--user",
            "--map-root-user",
            "--mount",
            "bash",
            "-c",
            script,
            "bash",
        ])
        .args([folder.path(), &strongroom_e2e::binary::path()])
        .output()?;
    let log = fs::read_to_string(folder.path().join("log")).unwrap_or_default();
    let said = [output.stdout, output.stderr].concat();
    assert!(
        output.status.success(),
        "{}\n{log}",
        String::from_utf8_lossy(&said)
    );
    was.compare(&folder.path().join("restored"))?;
    let refused = fs::read_to_string(folder.path().join("refused"))?;
    assert!(refused.contains("space"), "{refused}");
    Ok(())
}

#[test]
fn a_vault_that_is_full_refuses_and_keeps_what_it_has() -> Result<()> {
    let scene = Scene::set()?;
    let session = Session::admin(&scene.service)?;
    let program = scene.program();
    // The smallest vault has 10 GB; it can be made smaller once it is there.
    let big = scene.place("big.img");
    let image = fs::File::create(&big)?;
    image.set_len(1200 << 20)?;
    for part in 0..1100 {
        let bytes = strongroom_e2e::data::noise(part, 1 << 20);
        std::os::unix::fs::FileExt::write_all_at(&image, &bytes, part << 20)?;
    }
    let disk = register(&program, "volume", "big", big)?;
    let vault = vault(&session, "disk", 10)?;
    let path = format!("/v3/{{project}}/vaults/{vault}");
    let smaller = json!({"vault": {"billing": {"size": 1}}});
    assert_eq!(session.cbr("PUT", &path, Some(&smaller))?.status, 200);
    program.run(&["backup", "disk", "--vault", &vault])?;
    let refused = program.refused(&["backup", &disk.id, "--vault", &vault])?;
    assert!(refused.contains("6114"), "{refused}");
    let backups = program.json(&["backups", "--resource", &scene.disk.id])?;
    let id = backups["backups"][0]["id"].as_str().unwrap();
    let to = scene.place("restored");
    program.run(&["restore", id, "--to", text(&to)])?;
    Fingerprint::of_disk(&scene.disk.path)?.compare(&to)
}

#[test]
fn a_second_server_on_one_directory_is_refused_in_words_and_the_first_goes_on() -> Result<()> {
    let scene = Scene::set()?;
    let data_dir = scene.service.data_dir();
    let endpoints = scene.service.file("endpoints.json")?;
    let second = binary::command()
        .args(["--data-dir", text(data_dir), "serve"])
        .args(["--listen", "127.0.0.1:0"])
        .output()?;
    assert!(!second.status.success());
    let said = String::from_utf8_lossy(&second.stderr);
    assert!(
        said.contains("another strongroom serves from") && said.contains("--data-dir"),
        "{said}"
    );
    assert_eq!(scene.service.file("endpoints.json")?, endpoints);
    scene.program().last_line(&["backup", "files"])?;
    // The operator's commands are let in beside it, and what they take away is gone at once.
    let session = Session::admin(&scene.service)?;
    session.get("/v3/{project}/backups")?;
    session.get("/v3/{project}/backups")?;
    let file = scene.place("deny.json");
    let deny = json!({"Version": "1.1", "Statement": [
        {"Effect": "Deny", "Action": ["cbr:backups:list"]},
    ]});
    fs::write(&file, deny.to_string())?;
    let program = scene.program();
    program.run(&["admin", "policy", "put", "no-lists", text(&file)])?;
    program.run(&["admin", "policy", "grant", "no-lists", "admin"])?;
    let answer = session.cbr("GET", "/v3/{project}/backups", None)?;
    assert_eq!(answer.status, 403);
    program.run(&["admin", "policy", "revoke", "no-lists", "admin"])?;
    session.get("/v3/{project}/backups")?;
    Ok(())
}
