//! Restores one backup: onto a resource in place, or to a new path.
//!
//! In place, nothing is written before the safety backup of the target is known to be good. A
//! share is built beside its place and switched at once, so a restore that fails leaves the
//! original as it was; a volume is written block by differing block, so one that fails is taken
//! back from its safety backup.
//!
//! To a new path, the content is built under a name made from the job's id and given its own name
//! by one rename in a step of its own: after a crash in between it is known whose it is.

use std::{
    ffi::OsStr,
    fs, io,
    os::unix::ffi::{OsStrExt as _, OsStringExt as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use strongroom_catalog::{BackupRow, Tx};
use strongroom_engine::{
    ManifestId, Repository,
    tree::{Progress, RestoreOptions, Restored, restore_path},
    volume::restore_volume,
};
use strongroom_jobs::{Ending, Job, JobType, Step, StepContext, StepError, error::HookError};
use strongroom_model::{
    BackupId, JobId, ProjectId, ResourceId, ResourceKind, Timestamp,
    content::{self, TreePath},
    state::{BackupStatus, ProtectStatus},
};
use strongroom_source::{Place, Target, registry};

use super::{
    failure::{self, chain, fail, of_content, of_control},
    params::{Restore, Target as To},
    repository::Data,
    watch::watch,
};
use crate::{Control, Reason, Result, backups, operation_logs, resources};

/// The job.
pub(super) const JOB: JobType<Control> = JobType {
    name: super::RESTORE,
    steps: &[
        Step::new("prepare", prepare),
        Step::new("write", write).undo(unwrite).attempts(10),
        Step::new("switch", switch),
    ],
    finished: Some(finished),
};

/// Losses that a failure names.
const NAMED_MAX: usize = 3;

/// What a restore wrote.
#[derive(Serialize, Deserialize)]
struct Written {
    bytes: u64,
    files: u64,
    /// Attributes that the target refused.
    refused: u64,
}

fn prepare(control: &Control, context: &StepContext<'_>) -> Result<Value, StepError> {
    let params: Restore = context.params()?;
    let (project, now) = (params.project, control.now());
    let safety = control.write(|tx| {
        operation_logs::started(tx, project, params.log, now)?;
        let backup = backups::rows::get(tx, params.owner(), params.backup)?;
        if backup.status == BackupStatus::WaitingRestore {
            set_status(tx, &backup, BackupStatus::Restoring, now)?;
        }
        let Some(id) = params.target.safety() else {
            return Ok(None);
        };
        let safety = backups::rows::get(tx, project, id)?;
        // In use from now on, so that nobody deletes it while it may be needed.
        let usable = matches!(
            safety.status,
            BackupStatus::Available | BackupStatus::WaitingRestore
        );
        Ok(Some(if usable {
            set_status(tx, &safety, BackupStatus::WaitingRestore, now)?
        } else {
            safety
        }))
    });
    match safety.map_err(|error| of_control(context, &error))? {
        Some(safety) if safety.status != BackupStatus::WaitingRestore => {
            let why = safety
                .fail_reason
                .unwrap_or_else(|| format!("it is {}", safety.status));
            let message = format!("nothing was written, for the target could not be saved: {why}");
            Err(fail(Reason::TargetStateForbidsRestore, message))
        }
        _ => Ok(Value::Null),
    }
}

fn set_status(
    tx: &Tx<'_>,
    backup: &BackupRow,
    status: BackupStatus,
    now: Timestamp,
) -> Result<BackupRow> {
    Ok(tx.backups().change(&backup.project_id, &backup.id, |row| {
        row.status = status;
        row.updated_at = now;
    })?)
}

/// A backup is free again, if it is still there.
fn let_go(tx: &Tx<'_>, project: ProjectId, id: BackupId, now: Timestamp) -> Result<()> {
    let held = [BackupStatus::WaitingRestore, BackupStatus::Restoring];
    match tx.backups().get(&project, &id)? {
        Some(backup) if held.contains(&backup.status) => {
            set_status(tx, &backup, BackupStatus::Available, now).map(drop)
        }
        _ => Ok(()),
    }
}

/// A backup's content and where it is to go.
struct Work<'a> {
    context: &'a StepContext<'a>,
    data: Data<'a>,
    repository: Repository,
    backup: BackupRow,
    manifest: ManifestId,
}

impl<'a> Work<'a> {
    fn of(
        control: &'a Control,
        context: &'a StepContext<'a>,
        project: ProjectId,
        backup: BackupId,
    ) -> Result<Self, StepError> {
        let backup = control
            .read(|tx| backups::rows::get(tx, project, backup))
            .map_err(|error| of_control(context, &error))?;
        let lost = || {
            fail(
                Reason::DataDamaged,
                format!("backup {} has no data", backup.id),
            )
        };
        let data = Data::of(control, context, project, backup.vault_id)?.ok_or_else(lost)?;
        let repository = data.open()?.ok_or_else(lost)?;
        let manifest = backup
            .manifest_id
            .as_deref()
            .and_then(|id| id.parse().ok())
            .ok_or_else(lost)?;
        Ok(Self {
            context,
            data,
            repository,
            backup,
            manifest,
        })
    }

    /// Writes the content to a target and, if all of it came back, makes it visible.
    ///
    /// To a new place, what can be read is made visible even if some is lost; the failure says
    /// what.
    fn write(&self, path: &Path, place: Place, inside: &TreePath) -> Result<Written, StepError> {
        let kind = self.backup.kind;
        let target = registry::target(kind, path, place).map_err(|error| refused(&error))?;
        let progress = Progress::default();
        let options = RestoreOptions {
            threads: 0,
            progress: &progress,
        };
        let (repository, manifest) = (&self.repository, &self.manifest);
        let restored = watch(
            self.context,
            &progress,
            || false,
            || match &target {
                Target::Tree(sink) => restore_path(repository, manifest, inside, sink, options),
                Target::Blocks(sink) => restore_volume(repository, manifest, sink, options),
            },
        );
        let restored = restored.map_err(|error| self.data.failed(&error))?;
        let loss = loss(&restored);
        if let (Some(loss), Place::InPlace) = (&loss, place) {
            return Err(fail(Reason::DataDamaged, loss.as_str()));
        }
        let refused = target.switch().map_err(|error| refused(&error))?;
        loss.map_or(Ok(()), |loss| Err(fail(Reason::DataDamaged, loss)))?;
        Ok(Written {
            bytes: restored.bytes,
            files: restored.files,
            refused: restored.refused_total + refused.len() as u64,
        })
    }
}

fn refused(error: &content::Error) -> StepError {
    of_content(error, &chain(error))
}

/// What did not come back, in a sentence; `None` if everything did.
fn loss(restored: &Restored) -> Option<String> {
    if restored.is_complete() {
        return None;
    }
    let named: Vec<_> = restored
        .losses
        .iter()
        .take(NAMED_MAX)
        .map(ToString::to_string)
        .collect();
    Some(format!(
        "{} losses: {}",
        restored.losses_total,
        named.join("; ")
    ))
}

fn write(control: &Control, context: &StepContext<'_>) -> Result<Value, StepError> {
    let params: Restore = context.params()?;
    let work = Work::of(control, context, params.owner(), params.backup)?;
    let written = match &params.target {
        To::Resource { resource, .. } => {
            let path = target_path(control, context, &params, *resource)?;
            work.write(&path, Place::InPlace, &TreePath::root())?
        }
        To::Path { path, inside } => {
            let path = PathBuf::from(OsStr::from_bytes(path));
            let inside = TreePath::parse(inside.as_deref().unwrap_or_default())
                .map_err(|error| fail(Reason::InvalidParameter, chain(&error)))?;
            let staged = staged(&path, context.job_id());
            remove(&staged).map_err(|error| unusable(&staged, &error))?;
            work.write(&staged, Place::New, &inside)?
        }
    };
    if written.refused > 0 {
        tracing::warn!(backup = %params.backup, refused = written.refused,
            "attributes were refused by the target of a restore");
    }
    Ok(json!(written))
}

/// Where the resource that is restored onto is.
fn target_path(
    control: &Control,
    context: &StepContext<'_>,
    params: &Restore,
    resource: ResourceId,
) -> Result<PathBuf, StepError> {
    let row = control
        .read(|tx| resources::get(tx, params.project, resource))
        .map_err(|error| of_control(context, &error))?;
    let path = resources::path_of(&row);
    if control.is_around_own(&path) {
        let message = format!("{} holds the service's own data", path.display());
        return Err(fail(Reason::TargetStateForbidsRestore, message));
    }
    Ok(path)
}

/// Takes back what an interrupted restore may have written.
fn unwrite(control: &Control, context: &StepContext<'_>) -> Result<(), StepError> {
    let params: Restore = context.params()?;
    match &params.target {
        To::Path { path, .. } => {
            let staged = staged(Path::new(OsStr::from_bytes(path)), context.job_id());
            remove(&staged).map_err(|error| unusable(&staged, &error))
        }
        To::Resource {
            resource,
            safety: Some(safety),
        } => {
            let work = Work::of(control, context, params.project, *safety)?;
            if work.backup.kind != ResourceKind::Volume {
                return Ok(());
            }
            let path = target_path(control, context, &params, *resource)?;
            work.write(&path, Place::InPlace, &TreePath::root())
                .map(drop)
        }
        To::Resource { safety: None, .. } => Ok(()),
    }
}

/// Gives the content at a new path its name.
fn switch(_: &Control, context: &StepContext<'_>) -> Result<Value, StepError> {
    let params: Restore = context.params()?;
    let To::Path { path, .. } = &params.target else {
        return Ok(Value::Null);
    };
    let path = PathBuf::from(OsStr::from_bytes(path));
    let staged = staged(&path, context.job_id());
    match rename_to_new(&staged, &path) {
        Ok(()) => Ok(Value::Null),
        // The staged content was there when the step before ended, so a start before this one
        // has renamed it.
        Err(error) if error.kind() == io::ErrorKind::NotFound && context.attempt() > 1 => {
            Ok(Value::Null)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let message = format!("{} was made by somebody else meanwhile", path.display());
            Err(fail(Reason::AlreadyExists, message))
        }
        Err(error) => Err(unusable(&path, &error)),
    }
}

/// Renames to where nothing is, durably.
fn rename_to_new(from: &Path, to: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // A file system without the flag: look first.
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => {
            if to.symlink_metadata().is_ok() {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            fs::rename(from, to)?;
        }
        renamed => renamed?,
    }
    to.parent()
        .map_or(Ok(()), |parent| fs::File::open(parent)?.sync_all())
}

/// The name beside `path` under which a job builds what is to be there.
fn staged(path: &Path, job: JobId) -> PathBuf {
    let name = path.file_name().unwrap_or_default().as_bytes();
    let mut staged = b".".to_vec();
    staged.extend(name.iter().take(120));
    staged.extend(format!(".{job}").into_bytes());
    path.with_file_name(std::ffi::OsString::from_vec(staged))
}

/// Removes a file or a tree; nothing there is fine.
fn remove(path: &Path) -> io::Result<()> {
    let removed = match path.symlink_metadata() {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

fn unusable(path: &Path, error: &io::Error) -> StepError {
    fail(Reason::InputOutput, format!("{}: {error}", path.display()))
}

fn finished(control: &Control, tx: &Tx<'_>, job: &Job, ending: &Ending) -> Result<(), HookError> {
    end(control, tx, job, ending).map_err(failure::hook)
}

fn end(control: &Control, tx: &Tx<'_>, job: &Job, ending: &Ending) -> Result<()> {
    let params: Restore = super::of_job(&job.params)?;
    let (project, now) = (params.project, control.now());
    let mut failure = operation_logs::failure_of(ending);
    if let (Some(failure), Some(trouble)) = (&mut failure, &job.trouble) {
        failure.message = format!("{}; {trouble}", failure.message);
    }
    let_go(tx, params.owner(), params.backup, now)?;
    params
        .target
        .safety()
        .map_or(Ok(()), |safety| let_go(tx, project, safety, now))?;
    if let To::Resource { resource, .. } = &params.target {
        settle_target(tx, &params, *resource, failure.is_none())?;
    }
    operation_logs::ended(tx, project, params.log, now, failure)
}

fn settle_target(tx: &Tx<'_>, params: &Restore, resource: ResourceId, good: bool) -> Result<()> {
    let project = params.project;
    let place = tx.vault_resources().get(&project, &resource)?;
    if let Some(place) = place.filter(|place| place.protect_status == ProtectStatus::Restoring) {
        tx.vault_resources()
            .change(&project, &place.vault_id, &resource, |place| {
                place.protect_status = if good {
                    ProtectStatus::Available
                } else {
                    ProtectStatus::Error
                };
            })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_staged_name_is_beside_the_target_and_legal() {
        let job = JobId::from_bytes([7; 16]);
        let short = staged(Path::new("/a/b"), job);
        assert_eq!(short.parent(), Some(Path::new("/a")));
        assert!(short.file_name().unwrap().as_bytes().starts_with(b".b."));
        let long = staged(&Path::new("/a").join("x".repeat(255)), job);
        assert!(long.file_name().unwrap().len() <= 255 - ".strongroom-restore.".len());
    }
}
