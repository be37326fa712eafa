//! `strongroom try`: the whole main job on real data in one go.
//!
//! A real service on loopback, a folder and a disk image, two backups of each through the vendor's
//! API, a restore and a comparison of every byte; with times and sizes. The user's folder is only
//! read: a copy of it is what is protected and changed.
//!
//! Invariant: whatever happens, nothing is left behind, unless `--keep` asks for it.

mod data;
mod service;

use std::{
    path::{Path, PathBuf},
    sync::atomic::Ordering,
    time::Instant,
};

use anyhow::{Context as _, Result, bail};
use serde::Serialize;
use strongroom_model::Bytes;
use strongroom_wire::{
    Empty,
    cbr::backup::BackupReply,
    native::{BackupPath, BackupReport, Resource, ResourceKind, ShowBackupReport},
    query::NoQuery,
};
use tempfile::TempDir;

use self::service::Service;
use super::{audit, backup, ddm, resource, restore};
use crate::{arguments::Context, connection::Connection, output::Output};

/// What to try it on.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// A folder to protect; the current one if nothing is said
    #[arg(default_value = ".")]
    path: PathBuf,
    /// Leave the service running, and say where it is
    #[arg(long)]
    keep: bool,
}

/// What one step did; a line for people, an object for programs.
#[derive(Debug, Serialize)]
struct Step {
    #[serde(rename = "step")]
    name: &'static str,
    what: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    logical_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unique_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stored_bytes: Option<u64>,
    seconds: f64,
}

impl Options {
    pub(crate) fn run(self, context: &Context) -> Result<()> {
        let source = self.path.canonicalize();
        let source =
            source.with_context(|| format!("cannot find the folder {}", self.path.display()))?;
        let folder = tempfile::Builder::new()
            .prefix("strongroom-try-")
            .tempdir()
            .context("cannot make a folder for the trial")?;
        let mut trial = Trial::start(context.output, folder.path(), self.keep)?;
        let interrupted = trial.service.end_when_interrupted()?;
        let told = trial.tell(&source);
        if interrupted.load(Ordering::SeqCst) {
            bail!("interrupted; nothing is left behind");
        }
        if self.keep && told.is_ok() {
            return trial.leave(folder);
        }
        let stopped = trial.service.stop();
        told?;
        stopped?;
        folder
            .close()
            .context("cannot remove the folder of the trial")?;
        context.output.say("nothing is left behind")?;
        if context.output.is_json() {
            context.output.show(&trial.steps, |_| String::new())?;
        }
        Ok(())
    }
}

/// The trial as far as it has come.
struct Trial {
    output: Output,
    folder: PathBuf,
    service: Service,
    connection: Connection,
    steps: Vec<Step>,
}

impl Trial {
    fn start(output: Output, folder: &Path, keep: bool) -> Result<Self> {
        let started = Instant::now();
        let data_dir = folder.join("service");
        let service = Service::start(&data_dir, keep)?;
        let connection = Connection::to_data_dir(&data_dir)?;
        let mut trial = Self {
            output,
            folder: folder.to_owned(),
            service,
            connection,
            steps: Vec::new(),
        };
        let what = format!("ready; CBR is at {}", trial.connection.cbr()?);
        trial.step("service", what, started)?;
        Ok(trial)
    }

    /// The whole story.
    fn tell(&mut self, source: &Path) -> Result<()> {
        let (files, image) = (self.folder.join("files"), self.folder.join("disk.img"));
        self.make_data(source, &files, &image)?;
        let started = Instant::now();
        let share = self.protect(ResourceKind::Share, "files", &files)?;
        let disk = self.protect(ResourceKind::Volume, "disk", &image)?;
        let what = "share `files` and volume `disk` are registered".to_owned();
        self.step("protect", what, started)?;

        let first_of_files = self.back_up("first backup", &share)?;
        let first_of_disk = self.back_up("first backup", &disk)?;

        let (kept_files, kept_image) = (self.folder.join("kept"), self.folder.join("kept.img"));
        data::copy(&files, &kept_files)?;
        std::fs::copy(&image, &kept_image)?;
        let started = Instant::now();
        let names = data::change_files(&files)?;
        let bytes = Bytes(data::change_image(&image)?);
        let what = format!("{names} names of the folder, {bytes} of the image");
        self.step("change", what, started)?;

        self.back_up("second backup", &share)?;
        let last = self.back_up("second backup", &disk)?;
        self.show_answer(&last)?;

        self.restore_and_compare(&first_of_files, &kept_files)?;
        self.restore_and_compare(&first_of_disk, &kept_image)
    }

    fn make_data(&mut self, source: &Path, files: &Path, image: &Path) -> Result<()> {
        let started = Instant::now();
        let copied = data::copy(source, files)?;
        data::make_image(image)?;
        let what = format!(
            "{} files, {} copied from {} (yours is only read); disk image of {}, a quarter used",
            copied.files,
            Bytes(copied.bytes),
            source.display(),
            Bytes(data::IMAGE_BYTES),
        );
        self.step("data", what, started)
    }

    fn protect(&self, kind: ResourceKind, name: &str, path: &Path) -> Result<Resource> {
        let kind = match kind {
            ResourceKind::Share => resource::Kind::Share,
            ResourceKind::Volume => resource::Kind::Volume,
        };
        let add = resource::Add {
            kind,
            name: name.to_owned(),
            path: Some(path.to_owned()),
            layer: ddm::Layer::default(),
            logs: audit::Directory::default(),
            project: None,
            tags: Vec::new(),
        };
        resource::add(&self.connection, add)
    }

    fn back_up(&mut self, step: &'static str, resource: &Resource) -> Result<BackupReply> {
        let started = Instant::now();
        let wish = backup::Wish::default();
        let reply = backup::back_up(&self.connection, self.output, resource, &wish)?;
        let report = self.report(&reply)?;
        let sort = match reply.backup.incremental {
            Some(true) => ", incremental",
            _ => "",
        };
        let what = format!(
            "{}{sort}: {} logical, {} unique, {} stored",
            resource.name,
            Bytes(report.logical_bytes),
            Bytes(report.unique_bytes),
            Bytes(report.stored_bytes),
        );
        self.step(step, what, started)?;
        if let Some(step) = self.steps.last_mut() {
            step.logical_bytes = Some(report.logical_bytes);
            step.unique_bytes = Some(report.unique_bytes);
            step.stored_bytes = Some(report.stored_bytes);
        }
        Ok(reply)
    }

    fn report(&self, reply: &BackupReply) -> Result<BackupReport> {
        let path = BackupPath {
            backup_id: reply.backup.id.clone(),
        };
        self.connection
            .call::<ShowBackupReport>(path, NoQuery, Empty)
    }

    /// What the vendor's page "Querying a Specified Backup" shows, for a backup of ours.
    fn show_answer(&mut self, reply: &BackupReply) -> Result<()> {
        let started = Instant::now();
        let asked = super::backups::show(&self.connection, &reply.backup.id)?;
        let what = format!(
            "GET /v3/{}/backups/{}",
            reply.backup.project_id, reply.backup.id
        );
        self.step("answer", what, started)?;
        self.output.say(&serde_json::to_string_pretty(&asked)?)
    }

    fn restore_and_compare(&mut self, reply: &BackupReply, original: &Path) -> Result<()> {
        let started = Instant::now();
        let name = &reply.backup.resource_name;
        let to = self.folder.join(format!("restored {name}"));
        restore::restore_to(&self.connection, self.output, &reply.backup.id, &to)?;
        self.step(
            "restore",
            format!("first backup of {name} to a new place"),
            started,
        )?;
        let started = Instant::now();
        let same = if to.is_dir() {
            data::compare(original, &to)?
        } else {
            data::compare_disks(original, &to)?
        };
        let what = format!(
            "{name} as it was, byte for byte: {} files, {}",
            same.files,
            Bytes(same.bytes)
        );
        self.step("compare", what, started)
    }

    fn step(&mut self, step: &'static str, what: String, started: Instant) -> Result<()> {
        let seconds = started.elapsed().as_secs_f64();
        self.output
            .say(&format!("{step:<14} {what}  ({seconds:.2} s)"))?;
        self.steps.push(Step {
            name: step,
            what,
            logical_bytes: None,
            unique_bytes: None,
            stored_bytes: None,
            seconds: (seconds * 1000.0).round() / 1000.0,
        });
        Ok(())
    }

    /// Leaves everything as it is and says where it is.
    fn leave(self, folder: TempDir) -> Result<()> {
        let folder = folder.keep();
        let data_dir = folder.join("service");
        let read = |name: &str| -> Result<serde_json::Value> {
            Ok(serde_json::from_slice(&std::fs::read(
                data_dir.join(name),
            )?)?)
        };
        let left = Left {
            endpoints: read("endpoints.json")?,
            admin: read("admin.json")?,
            data_dir: data_dir.clone(),
            folder,
            pid: self.service.id(),
            steps: self.steps,
        };
        self.output.show(&left, Left::text)
    }
}

/// What `--keep` leaves.
#[derive(Serialize)]
struct Left {
    endpoints: serde_json::Value,
    admin: serde_json::Value,
    data_dir: PathBuf,
    folder: PathBuf,
    pid: u32,
    steps: Vec<Step>,
}

impl Left {
    fn text(&self) -> String {
        let mut lines = vec!["\nthe service goes on".to_owned()];
        for object in [&self.endpoints, &self.admin] {
            for (name, value) in object.as_object().into_iter().flatten() {
                let value = value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned);
                lines.push(format!("  {name:<12} {value}"));
            }
        }
        let data_dir = self.data_dir.display();
        lines.push(format!(
            "look around:  strongroom --data-dir {data_dir} backups"
        ));
        let (pid, folder) = (self.pid, self.folder.display());
        lines.push(format!("end it:       kill {pid}; rm -r {folder}"));
        lines.join("\n")
    }
}
