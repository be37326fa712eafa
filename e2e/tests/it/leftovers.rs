//! Nothing is left behind: not by a service that ends, not by what failed, not by what was deleted.

use std::fs;

use anyhow::Result;
use strongroom_e2e::service::Service;

use crate::scene::{Scene, listing, text};

#[test]
fn a_service_leaves_only_what_it_is_documented_to_keep() -> Result<()> {
    let scene = Scene::set()?;
    let program = scene.program();
    program.run(&["backup", "files"])?;
    let data_dir = scene.service.data_dir().to_owned();
    let status = scene.service.stop()?;
    assert!(status.success(), "{status}");
    let known = [
        "lock",
        "catalog.sqlite",
        "catalog.sqlite-wal",
        "catalog.sqlite-shm",
        "master.key",
        "repositories/",
        "endpoints.json",
        "admin.json",
    ];
    let left = listing(&data_dir)?;
    let unknown: Vec<_> = left
        .iter()
        .filter(|name| !known.contains(&name.as_str()) && !name.starts_with("repositories/"))
        .collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    // It can be served from again, by the same user with the same secrets.
    let admin = fs::read(data_dir.join("admin.json"))?;
    let service = Service::start(&data_dir)?;
    assert_eq!(fs::read(data_dir.join("admin.json"))?, admin);
    assert_eq!(service.program().json(&["backups"])?["count"], 1);
    Ok(())
}

#[test]
fn a_second_service_over_the_same_directory_is_refused() -> Result<()> {
    let scene = Scene::set()?;
    let refused = scene
        .program()
        .refused(&["serve", "--listen", "127.0.0.1:0"])?;
    assert!(refused.contains("another strongroom serves"), "{refused}");
    scene.program().run(&["backup", "files"])?;
    Ok(())
}

#[test]
fn plain_http_to_other_machines_must_be_asked_for() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let program = strongroom_e2e::binary::Program::new(&folder.path().join("service"));
    let refused = program.refused(&["serve", "--listen", "0.0.0.0:0"])?;
    assert!(
        refused.contains("--tls") && refused.contains("--insecure"),
        "{refused}"
    );
    assert!(!folder.path().join("service").exists());
    Ok(())
}

#[test]
fn a_restore_that_fails_leaves_the_target_as_it_was_and_no_shadow() -> Result<()> {
    let scene = Scene::set()?;
    let program = scene.program();
    let backup = program.last_line(&["backup", "disk"])?;
    // The disk has shrunk since: what was backed up does not fit.
    fs::File::options()
        .write(true)
        .open(&scene.disk.path)?
        .set_len(1 << 20)?;
    let before = fs::read(&scene.disk.path)?;
    let names = listing(scene.folder.path())?;
    let refused = program.refused(&["restore", &backup])?;
    assert!(refused.contains("small"), "{refused}");
    assert_eq!(fs::read(&scene.disk.path)?, before);
    let outside = |names: Vec<String>| -> Vec<String> {
        names
            .into_iter()
            .filter(|name| !name.starts_with("service/"))
            .collect()
    };
    assert_eq!(outside(listing(scene.folder.path())?), outside(names));

    // A target that is taken is not touched either.
    let taken = scene.place("taken");
    fs::write(&taken, b"mine")?;
    program.refused(&["restore", &backup, "--to", text(&taken)])?;
    assert_eq!(fs::read(&taken)?, b"mine");
    Ok(())
}
