//! Projects, users and keys: made beside a running service, and walls between them.

use anyhow::Result;
use serde_json::Value;
use strongroom_e2e::{
    binary::{self, Program},
    session,
};

use crate::scene::{Scene, text};

/// Runs the words as the user that `admin user add` printed, by password.
fn as_user(scene: &Scene, account: &Value, words: &[&str]) -> Result<(bool, String)> {
    let endpoints = scene.service.file("endpoints.json")?;
    let field = |name: &str| account[name].as_str().expect("the field is text");
    let output = binary::command()
        .current_dir(scene.folder.path())
        .args(words)
        .env(
            "OS_AUTH_URL",
            format!("{}/v3", session::text(&endpoints["identity"])?),
        )
        .env("OS_USERNAME", field("user"))
        .env("OS_PASSWORD", field("password"))
        .env("OS_USER_DOMAIN_NAME", field("domain"))
        .env("OS_PROJECT_NAME", field("project"))
        .output()?;
    let said = [output.stdout, output.stderr].concat();
    Ok((
        output.status.success(),
        String::from_utf8_lossy(&said).into_owned(),
    ))
}

#[test]
fn a_second_project_sees_nothing_of_the_first() -> Result<()> {
    let scene = Scene::set()?;
    let program: Program = scene.program();
    let backup = program.last_line(&["backup", "files"])?;
    let project = program.json(&["admin", "project", "add", "other"])?;
    assert_eq!(project["project"], "other");
    let account = program.json(&["admin", "user", "add", "eve", "--project", "other"])?;
    assert_eq!(account["project_id"], project["project_id"]);

    let (worked, said) = as_user(&scene, &account, &["--json", "backups"])?;
    assert!(worked, "{said}");
    let seen: Value = serde_json::from_str(&said)?;
    assert_eq!(seen["count"], 0);
    let to = scene.place("stolen");
    let (worked, said) = as_user(&scene, &account, &["restore", &backup, "--to", text(&to)])?;
    assert!(!worked, "{said}");
    assert!(!to.exists());
    let (worked, said) = as_user(&scene, &account, &["vault", "delete", "shares"])?;
    assert!(!worked && said.contains("no vault"), "{said}");
    Ok(())
}

#[test]
fn what_was_made_is_listed_and_secrets_are_told_once() -> Result<()> {
    let scene = Scene::set()?;
    let program = scene.program();
    let account = program.json(&["admin", "user", "add", "ann"])?;
    let admin = scene.service.file("admin.json")?;
    for field in ["domain", "domain_id", "project", "project_id"] {
        assert_eq!(account[field], admin[field], "{field}");
    }
    let secret = account["secret_key"].as_str().unwrap();
    let (password, access) = (
        account["password"].as_str().unwrap(),
        &account["access_key"],
    );
    let key = program.json(&["admin", "key", "add", "--user", "ann"])?;
    assert_eq!(key["user"], "ann");

    let listed = program.run(&["admin", "key", "list", "--user", "ann"])?;
    assert!(listed.contains(access.as_str().unwrap()) && !listed.contains(secret));
    let listed = program.run(&["admin", "user", "list"])?;
    assert!(listed.contains("ann") && !listed.contains(password));
    let listed = program.run(&["admin", "project", "list"])?;
    assert!(listed.contains(admin["project"].as_str().unwrap()));

    let refused = program.refused(&["admin", "user", "add", "ann"])?;
    assert!(refused.contains("ann"), "{refused}");
    let refused = program.refused(&["admin", "user", "add", "bob", "--project", "nowhere"])?;
    assert!(refused.contains("nowhere"), "{refused}");
    Ok(())
}

#[test]
fn commands_say_how_to_find_a_service() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let output = binary::command()
        .current_dir(folder.path())
        .arg("backups")
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success());
    for word in ["serve", "--data-dir", "STRONGROOM_URL", "OS_AUTH_URL"] {
        assert!(said.contains(word), "{word} is not in {said}");
    }
    let nowhere = Program::new(&folder.path().join("nowhere"));
    let said = nowhere.refused(&["admin", "project", "list"])?;
    assert!(said.contains("not the data directory"), "{said}");
    let said = nowhere.refused(&["policy", "create", "p"])?;
    assert!(said.contains("--rule"), "{said}");
    Ok(())
}
