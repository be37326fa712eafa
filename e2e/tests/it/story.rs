//! The user's commands, from registering data to having it back.

use std::{fs, os::unix::fs::PermissionsExt};

use anyhow::Result;
use strongroom_e2e::{binary, data, fingerprint::Fingerprint, service::Service};

use crate::scene::{Scene, files_below, text};

#[test]
fn what_was_backed_up_comes_back_whole_in_part_and_in_place() -> Result<()> {
    let scene = Scene::set()?;
    let program = scene.program();
    let files = Fingerprint::of(&scene.share.path)?;
    let disk = Fingerprint::of_disk(&scene.disk.path)?;
    let first = program.last_line(&["backup", "files"])?;
    let first_of_disk = program.last_line(&["backup", &scene.disk.id])?;

    data::change_share(&scene.share.path, 5)?;
    data::change_image(&scene.disk.path, 6)?;
    let changed = Fingerprint::of(&scene.share.path)?;
    let second = program.json(&["backup", "files"])?;
    assert_eq!(second["backup"]["incremental"], true);
    assert_eq!(second["backup"]["status"], "available");
    program.run(&["backup", "disk"])?;

    // Elsewhere, whole.
    for (backup, was) in [(&first, &files), (&first_of_disk, &disk)] {
        let to = scene.place(&format!("restored {backup}"));
        program.run(&["restore", backup, "--to", text(&to)])?;
        was.compare(&to)?;
    }
    // Elsewhere, in part: a folder and a file.
    for part in ["deep/er", "text"] {
        let to = scene.place(&format!("part {}", part.len()));
        program.run(&["restore", &first, "--path", part, "--to", text(&to)])?;
        files.below(part).compare(&to)?;
    }
    // In place: the state before is kept in a safety backup.
    program.run(&["restore", &first])?;
    files.compare(&scene.share.path)?;
    program.run(&["restore", &first_of_disk])?;
    disk.compare(&scene.disk.path)?;
    let backups = program.json(&["backups", "--resource", "files"])?;
    let safety = backups["backups"]
        .as_array()
        .unwrap()
        .iter()
        .find(|backup| backup["name"].as_str().unwrap().starts_with("safety_"))
        .expect("a restore in place makes a safety backup");
    let to = scene.place("as it was before");
    program.run(&["restore", safety["id"].as_str().unwrap(), "--to", text(&to)])?;
    changed.compare(&to)
}

#[test]
fn each_list_tells_people_and_programs_the_same() -> Result<()> {
    let scene = Scene::set()?;
    let program = scene.program();
    let backup = program.last_line(&["backup", "files", "--name", "before-upgrade"])?;
    let backups = program.json(&["backups"])?;
    assert_eq!(backups["backups"][0]["id"], backup.as_str());
    assert_eq!(backups["backups"][0]["name"], "before-upgrade");
    assert_eq!(backups["count"], 1);
    assert!(program.run(&["backups"])?.contains("before-upgrade"));
    for word in [&backup[..8], "before-upgrade"] {
        let report = program.json(&["backups", word])?;
        assert_eq!(report["backup_id"], backup.as_str());
        assert!(report["stored_bytes"].as_u64() > Some(0), "{report}");
        assert_eq!(report["problem_count"], 0);
    }
    assert!(program.run(&["backups", &backup])?.contains("restores to"));
    let said = program.refused(&["restore", "after-upgrade"])?;
    assert!(said.contains("there is no backup after-upgrade"), "{said}");

    let resources = program.json(&["resource", "list"])?;
    assert_eq!(resources["resources"].as_array().unwrap().len(), 2);
    let shown = program.json(&["resource", "show", "files"])?;
    assert_eq!(shown["id"], scene.share.id.as_str());

    let vaults = program.json(&["vault", "list"])?;
    let vault = vaults["vaults"][0]["id"].as_str().unwrap();
    assert_eq!(vaults["vaults"].as_array().unwrap().len(), 1);
    let shown = program.json(&["vault", "show", vault])?;
    assert_eq!(
        shown["vault"]["resources"][0]["id"],
        scene.share.id.as_str()
    );

    let tasks = program.json(&["task", "list"])?;
    let task = tasks["operation_logs"][0]["id"].as_str().unwrap();
    let task = program.json(&["task", "show", task])?;
    assert_eq!(task["operation_log"]["status"], "success");
    assert_eq!(
        task["operation_log"]["extra_info"]["common"]["progress"],
        100
    );
    Ok(())
}

#[test]
fn detached_a_backup_prints_ids_that_can_be_watched() -> Result<()> {
    let scene = Scene::set()?;
    let program = scene.program();
    let begun = program.json(&["backup", "disk", "--detach"])?;
    let task = begun["task_id"].as_str().unwrap();
    strongroom_e2e::wait::until("the end of the backup", || {
        let log = program.json(&["task", "show", task])?;
        let status = log["operation_log"]["status"].as_str().unwrap().to_owned();
        Ok((status == "success").then_some(()))
    })?;
    let backups = program.json(&["backups"])?;
    assert_eq!(backups["backups"][0]["id"], begun["backup_id"]);
    assert_eq!(backups["backups"][0]["status"], "available");
    Ok(())
}

#[test]
fn a_deleted_vault_takes_its_backups_and_data_with_it() -> Result<()> {
    let scene = Scene::set()?;
    let program = scene.program();
    program.run(&[
        "vault", "create", "small", "--kind", "volume", "--size", "10",
    ])?;
    let backup = program.last_line(&["backup", "disk", "--vault", "small"])?;
    let plan = program.run(&["vault", "delete", "small", "--plan"])?;
    assert!(plan.contains("1 backups"), "{plan}");
    program.run(&[
        "restore",
        &backup,
        "--to",
        text(&scene.place("still there")),
    ])?;

    program.run(&["vault", "delete", "small"])?;
    let refused = program.refused(&["restore", &backup, "--to", text(&scene.place("gone"))])?;
    assert!(refused.contains("404"), "{refused}");
    let left = files_below(&scene.service.data_dir().join("repositories"))?;
    assert!(left.is_empty(), "the vault's repository is gone: {left:?}");
    program.run(&["resource", "remove", "disk"])?;
    let refused = program.refused(&["backup", "disk"])?;
    assert!(refused.contains("there is no resource disk"), "{refused}");
    Ok(())
}

#[test]
fn a_socket_is_left_out_and_does_no_harm() -> Result<()> {
    let scene = Scene::set()?;
    let program = scene.program();
    let _socket = std::os::unix::net::UnixListener::bind(scene.share.path.join("socket"))?;
    let backup = program.last_line(&["backup", "files"])?;
    let to = scene.place("restored");
    program.run(&["restore", &backup, "--to", text(&to)])?;
    assert!(!to.join("socket").exists());
    assert!(to.join("text").exists());
    Ok(())
}

#[test]
fn an_unreadable_file_makes_the_backup_incomplete_and_the_rest_restores() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let files = folder.path().join("files");
    fs::create_dir(&files)?;
    fs::write(files.join("readable"), data::prose(1, 50_000))?;
    fs::write(files.join("secret"), b"not for everybody")?;
    fs::set_permissions(files.join("secret"), fs::Permissions::from_mode(0o000))?;
    let program = binary::unprivileged(folder.path())?;
    let service = Service::start_program(program, &folder.path().join("service"), &[])?;
    let program = service.program();
    program.run(&["resource", "add", "share", "files", "--path", text(&files)])?;

    let refused = program.refused(&["backup", "files"])?;
    assert!(refused.contains("secret"), "{refused}");
    let backups = program.json(&["backups"])?;
    let backup = &backups["backups"][0];
    assert_eq!(backup["status"], "error", "never silently good: {backup}");
    let to = folder.path().join("restored");
    let id = backup["id"].as_str().unwrap();
    program.run(&["restore", id, "--to", text(&to)])?;
    assert_eq!(fs::read(to.join("readable"))?, data::prose(1, 50_000));
    assert!(!to.join("secret").exists());
    Ok(())
}
