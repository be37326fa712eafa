//! The server is killed in the midst of its work, as by a power cut, and started again.
//!
//! The moment is found by watching what the work leaves on the disk: each round waits for another
//! share of it (drawn from a seed) and kills then. Whatever the moment: every task ends, what was
//! acknowledged restores byte for byte, and what did not succeed has left nothing half done.

use std::{fs, path::Path, time::Instant};

use anyhow::{Result, bail};
use serde_json::Value;
use strongroom_e2e::{data, fingerprint::Fingerprint, service::Service, session::Session, wait};
use tempfile::TempDir;

use crate::scene::{Registered, Scene, files_below, text};

/// A scene whose service comes and goes.
struct Ordeal {
    folder: TempDir,
    service: Option<Service>,
    share: Registered,
    disk: Registered,
    /// What was acknowledged: backups and what they hold.
    kept: Vec<(String, Fingerprint)>,
    draws: u64,
}

impl Ordeal {
    fn begin(seed: u64) -> Result<Self> {
        let scene = Scene::set()?;
        Ok(Self {
            folder: scene.folder,
            service: Some(scene.service),
            share: scene.share,
            disk: scene.disk,
            kept: Vec::new(),
            draws: seed,
        })
    }

    fn service(&self) -> &Service {
        self.service
            .as_ref()
            .expect("the service runs between two kills")
    }

    /// A number from 0 to `below`, the next of the seed's.
    fn draw(&mut self, below: u64) -> u64 {
        self.draws += 1;
        let bytes = data::noise(self.draws, 8);
        u64::from_le_bytes(bytes.try_into().expect("eight bytes were asked for")) % below
    }

    /// Kills the service as soon as `reached`, and starts it again.
    fn kill_when(&mut self, reached: impl FnMut() -> Result<Option<()>>) -> Result<()> {
        wait::until("the moment to kill", reached)?;
        let service = self
            .service
            .take()
            .expect("the service runs between two kills");
        let data_dir = service.data_dir().to_owned();
        service.kill()?;
        self.service = Some(Service::start(&data_dir)?);
        Ok(())
    }

    /// Waits for the end of a task; whether it succeeded.
    fn outcome(&self, task: &str) -> Result<bool> {
        let program = self.service().program();
        wait::until("the end of a task", || {
            let log = program.json(&["task", "show", task])?;
            Ok(match log["operation_log"]["status"].as_str() {
                Some("waiting" | "running") => None,
                status => Some(status == Some("success")),
            })
        })
    }

    /// Backs up and remembers what was backed up.
    fn back_up(&mut self, path: &Path, resource: &str) -> Result<()> {
        let was = print_of(path)?;
        let backup = self.service().program().last_line(&["backup", resource])?;
        self.kept.push((backup, was));
        Ok(())
    }

    /// Everything that was acknowledged restores.
    fn verify(&self) -> Result<()> {
        let program = self.service().program();
        for (number, (backup, was)) in self.kept.iter().enumerate() {
            let to = self.folder.path().join(format!("verified {number}"));
            program.run(&["restore", backup, "--to", text(&to)])?;
            was.compare(&to)?;
            remove(&to)?;
        }
        Ok(())
    }
}

/// The share as a tree, the disk as its bytes.
fn print_of(path: &Path) -> Result<Fingerprint> {
    if path.is_dir() {
        Fingerprint::of(path)
    } else {
        Fingerprint::of_disk(path)
    }
}

fn remove(path: &Path) -> Result<()> {
    let done = if path.is_dir() {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    };
    Ok(done?)
}

/// Bytes of all files below the folder; it may change meanwhile.
fn bytes_below(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else {
        return 0;
    };
    let sizes = entries.flatten().map(|entry| match entry.metadata() {
        Ok(facts) if facts.is_dir() => bytes_below(&entry.path()),
        Ok(facts) => std::os::unix::fs::MetadataExt::blocks(&facts) * 512,
        Err(_) => 0,
    });
    sizes.sum()
}

#[test]
fn killed_in_the_midst_of_backups_it_loses_nothing_and_finishes_them() -> Result<()> {
    let mut ordeal = Ordeal::begin(1000)?;
    let (share, disk) = (ordeal.share.path.clone(), ordeal.disk.path.clone());
    let repositories = ordeal.service().data_dir().join("repositories");
    ordeal.back_up(&share, "files")?;
    ordeal.back_up(&disk, "disk")?;
    for round in 0..10 {
        let (resource, path) = if round % 2 == 0 {
            ("disk", &disk)
        } else {
            ("files", &share)
        };
        // Eight MiB of news, so that there is something to be in the midst of.
        if round % 2 == 0 {
            let image = fs::File::options().write(true).open(path)?;
            let news = data::noise(500 + round, 8 << 20);
            std::os::unix::fs::FileExt::write_all_at(&image, &news, (round % 7) << 23)?;
        } else {
            fs::write(path.join("news"), data::noise(500 + round, 8 << 20))?;
        }
        let was = print_of(path)?;
        let full = round >= 6;
        let mut words = vec!["backup", resource, "--detach"];
        words.extend(full.then_some("--full"));
        let begun = ordeal.service().program().json(&words)?;
        let text_of = |name: &str| begun[name].as_str().unwrap().to_owned();
        let (task, backup) = (text_of("task_id"), text_of("backup_id"));

        let before = bytes_below(&repositories);
        let growth = ordeal.draw(9 << 20);
        let started = Instant::now();
        let mut session = Session::admin(ordeal.service())?;
        let mut polled = 0_u32;
        ordeal.kill_when(|| {
            polled += 1;
            let far = bytes_below(&repositories) >= before + growth;
            // What does not grow that far is killed when it is done.
            let done = polled.is_multiple_of(16) && is_final(&mut session, &task)?;
            Ok((far || done || started.elapsed() > wait::PATIENCE).then_some(()))
        })?;
        assert!(
            ordeal.outcome(&task)?,
            "round {round}: what was begun is finished"
        );
        ordeal.kept.push((backup, was));
        // The newest at once, all of them at the end.
        let newest = ordeal.kept.split_off(ordeal.kept.len() - 1);
        let older = std::mem::replace(&mut ordeal.kept, newest);
        ordeal.verify()?;
        ordeal.kept.splice(0..0, older);
    }
    ordeal.verify()
}

fn is_final(session: &mut Session, task: &str) -> Result<bool> {
    let log = session.get(&format!("/v3/{{project}}/operation-logs/{task}"))?;
    let status = log["operation_log"]["status"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    Ok(!matches!(status.as_str(), "waiting" | "running"))
}

#[test]
fn killed_in_the_midst_of_restores_it_leaves_all_or_nothing() -> Result<()> {
    let mut ordeal = Ordeal::begin(2000)?;
    let (share, disk) = (ordeal.share.path.clone(), ordeal.disk.path.clone());
    ordeal.back_up(&share, "files")?;
    ordeal.back_up(&disk, "disk")?;
    for round in 0..6 {
        let (backup, was) = ordeal.kept[round % 2].clone();
        let to = ordeal.folder.path().join(format!("to {round}"));
        let words = ["restore", &backup, "--to", text(&to), "--detach"];
        let task = ordeal.service().program().last_line(&words)?;
        let growth = ordeal.draw(18 << 20);
        kill_at_growth(&mut ordeal, growth, &task)?;
        if ordeal.outcome(&task)? {
            was.compare(&to)?;
        } else {
            assert!(!to.exists(), "a restore that failed leaves nothing");
        }
    }
    // In place: what was there before, or what was restored, and never a mixture.
    for round in 0..4 {
        let (backup, was) = ordeal.kept[round % 2].clone();
        let path = if round % 2 == 0 { &share } else { &disk };
        if round % 2 == 0 {
            data::change_share(path, 40)?;
        } else {
            data::change_image(path, 41)?;
        }
        let changed = print_of(path)?;
        let task = ordeal
            .service()
            .program()
            .last_line(&["restore", &backup, "--detach"])?;
        let growth = ordeal.draw(18 << 20);
        kill_at_growth(&mut ordeal, growth, &task)?;
        let restored = ordeal.outcome(&task)?;
        if restored {
            was.compare(path)?;
        } else {
            changed.compare(path)?;
        }
        if !restored {
            ordeal.service().program().run(&["restore", &backup])?;
            was.compare(path)?;
        }
    }
    let names: Vec<_> = fs::read_dir(ordeal.folder.path())?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<Result<_>>()?;
    let known = |name: &String| {
        name.starts_with("to ")
            || ["files", "disk.img", "service", "service.log"].contains(&name.as_str())
    };
    assert!(names.iter().all(known), "no shadow is left: {names:?}");
    ordeal.verify()
}

/// Kills when the files beside the data have grown that much, or the task is done.
fn kill_at_growth(ordeal: &mut Ordeal, growth: u64, task: &str) -> Result<()> {
    let folder = ordeal.folder.path().to_owned();
    let before = bytes_below(&folder);
    let mut session = Session::admin(ordeal.service())?;
    let mut polled = 0_u32;
    ordeal.kill_when(|| {
        polled += 1;
        let far = bytes_below(&folder) >= before + growth;
        let done = polled.is_multiple_of(16) && is_final(&mut session, task)?;
        Ok((far || done).then_some(()))
    })
}

#[test]
fn killed_in_the_midst_of_deletions_it_deletes_that_and_nothing_else() -> Result<()> {
    let mut ordeal = Ordeal::begin(3000)?;
    let (share, disk) = (ordeal.share.path.clone(), ordeal.disk.path.clone());
    for round in 0..4 {
        data::change_image(&disk, 60 + round)?;
        ordeal.back_up(&disk, "disk")?;
        ordeal.back_up(&share, "files")?;
    }
    for _ in 0..4 {
        let which = usize::try_from(ordeal.draw(ordeal.kept.len() as u64))?;
        let (backup, _) = ordeal.kept.remove(which);
        let session = Session::admin(ordeal.service())?;
        let path = format!("/v3/{{project}}/backups/{backup}");
        assert_eq!(session.cbr("DELETE", &path, None)?.status, 204);
        let mut looks = ordeal.draw(40);
        ordeal.kill_when(|| {
            looks = looks.saturating_sub(1);
            Ok((looks == 0).then_some(()))
        })?;
        until_gone(&ordeal, &path)?;
        ordeal.verify()?;
    }
    // The whole vault of the disk: its data goes, the share's stays.
    let session = Session::admin(ordeal.service())?;
    let vaults = session.get("/v3/{project}/vaults?object_type=disk")?;
    let vault = vaults["vaults"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/v3/{{project}}/vaults/{vault}");
    assert_eq!(session.cbr("DELETE", &path, None)?.status, 204);
    ordeal.kill_when(|| Ok(Some(())))?;
    until_gone(&ordeal, &path)?;
    let repository = ordeal
        .service()
        .data_dir()
        .join("repositories")
        .join(&vault);
    let left = if repository.exists() {
        files_below(&repository)?
    } else {
        Vec::new()
    };
    assert!(
        left.is_empty(),
        "the data of a deleted vault is gone: {left:?}"
    );
    let backups = ordeal.service().program().json(&["backups"])?;
    let left: Vec<&str> = backups["backups"]
        .as_array()
        .unwrap()
        .iter()
        .map(id)
        .collect();
    ordeal
        .kept
        .retain(|(backup, _)| left.contains(&backup.as_str()));
    assert!(!ordeal.kept.is_empty());
    ordeal.verify()
}

fn id(backup: &Value) -> &str {
    backup["id"].as_str().unwrap_or_default()
}

/// Waits until the service says that there is no such thing.
fn until_gone(ordeal: &Ordeal, path: &str) -> Result<()> {
    let session = Session::admin(ordeal.service())?;
    wait::until("the end of a deletion", || {
        let answer = session.cbr("GET", path, None)?;
        match answer.status {
            404 => Ok(Some(())),
            200 => Ok(None),
            status => bail!("GET {path} answered {status}: {}", answer.body),
        }
    })
}
