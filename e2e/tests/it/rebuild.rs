//! The catalog is deleted, and comes back from the data of the vaults.

use std::fs;

use anyhow::Result;
use serde_json::Value;
use strongroom_e2e::{
    binary::{self, Program},
    fingerprint::Fingerprint,
    service::Service,
};

use crate::scene::{Scene, text};

/// The backups by id, without what a new catalog cannot know.
fn backups(program: &Program) -> Result<Vec<Value>> {
    let mut listed = program.json(&["backups"])?["backups"].clone();
    let mut found = listed.as_array_mut().cloned().unwrap_or_default();
    for backup in &mut found {
        for passing in ["updated_at", "protected_at"] {
            backup[passing] = Value::Null;
        }
    }
    found.sort_by_key(|backup| backup["id"].to_string());
    Ok(found)
}

#[test]
fn a_deleted_catalog_is_rebuilt_from_the_data_and_everything_works_as_before() -> Result<()> {
    let scene = Scene::set()?;
    let program = scene.program();
    let of_files = program.last_line(&["backup", "files"])?;
    let of_disk = program.last_line(&["backup", "disk"])?;
    let project = scene.service.file("admin.json")?["project_id"].clone();
    let before = backups(&program)?;
    assert_eq!(before.len(), 2);

    let Scene {
        folder,
        service,
        share,
        disk,
    } = scene;
    let place = folder.path().join("service");
    service.stop()?;
    for name in ["catalog.sqlite", "catalog.sqlite-wal", "catalog.sqlite-shm"] {
        let _ = fs::remove_file(place.join(name));
    }
    let at = ["--data-dir", text(&place)];
    let rebuild = ["admin", "rebuild-catalog", at[0], at[1], "--json"];
    let output = binary::command().args(rebuild).output()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    let report: Value = serde_json::from_slice(&output.stdout)?;
    assert_eq!(
        (&report["backups"], &report["lost"]),
        (&2.into(), &0.into())
    );

    let service = Service::start_with(&place, &[])?;
    let program = service.program();
    assert_eq!(service.file("admin.json")?["project_id"], project);
    assert_eq!(backups(&program)?, before);
    let resources = program.json(&["resource", "list"])?.to_string();
    assert!(resources.contains(&share.id) && resources.contains(&disk.id));
    let (files, image) = (folder.path().join("r"), folder.path().join("r.img"));
    program.last_line(&["restore", &of_files, "--to", text(&files)])?;
    program.last_line(&["restore", &of_disk, "--to", text(&image)])?;
    Fingerprint::of(&share.path)?.compare(&files)?;
    assert!(fs::read(&disk.path)? == fs::read(&image)?);
    program.last_line(&["backup", "files"])?;
    service.stop()?;

    // Without the master key nothing is begun.
    fs::remove_file(place.join("catalog.sqlite"))?;
    fs::rename(place.join("master.key"), folder.path().join("kept"))?;
    let output = binary::command().args(rebuild).output()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        !output.status.success() && said.contains("master key is missing"),
        "{said}"
    );
    assert!(!place.join("catalog.sqlite").exists() && !place.join("master.key").exists());
    Ok(())
}
