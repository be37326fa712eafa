//! `strongroom restore`: brings a backup back, in place or to a new path of the service's host.
//!
//! In place the service first makes a safety backup of what is there. A new path is an operator's
//! word, so this goes through the native API.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use strongroom_wire::{
    native::{BackupPath, RestoreBackupTo, RestoreTo, TaskStarted},
    query::NoQuery,
};

use crate::{
    arguments::Context,
    commands::{backups, task},
    connection::Connection,
    output::Output,
};

/// What to restore, and where to.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The backup, by id, the beginning of it, or name
    backup: String,
    /// A new path on the service's host; in place if nothing is said
    #[arg(long, value_name = "PATH")]
    to: Option<PathBuf>,
    /// Only this file or directory of a share
    #[arg(long, value_name = "INSIDE")]
    path: Option<String>,
    /// Do not wait; print the id of the task
    #[arg(long)]
    detach: bool,
}

impl Options {
    pub(crate) fn run(self, context: &Context) -> Result<()> {
        let connection = Connection::find(context)?;
        let backup = backups::find(&connection, &self.backup)?;
        let started = begin(&connection, &backup, self.to.as_deref(), self.path)?;
        if !self.detach {
            finish(&connection, context.output, &backup, &started)?;
        }
        context
            .output
            .show(&started, |started| started.job_id.clone())
    }
}

/// Restores the backup to a new path, and waits for it.
pub(crate) fn restore_to(
    connection: &Connection,
    output: Output,
    backup: &str,
    to: &Path,
) -> Result<()> {
    let started = begin(connection, backup, Some(to), None)?;
    finish(connection, output, backup, &started)
}

fn begin(
    connection: &Connection,
    backup: &str,
    to: Option<&Path>,
    inside: Option<String>,
) -> Result<TaskStarted> {
    let to = to.map(std::path::absolute).transpose()?;
    let to = match to.as_deref().map(|path| (path, path.to_str())) {
        Some((path, None)) => bail!("{} is not UTF-8; choose another name", path.display()),
        Some((_, Some(path))) => Some(path.to_owned()),
        None => None,
    };
    let path = BackupPath {
        backup_id: backup.to_owned(),
    };
    connection
        .call::<RestoreBackupTo>(path, NoQuery, RestoreTo { to, inside })
        .with_context(|| format!("cannot restore backup {backup}"))
}

fn finish(
    connection: &Connection,
    output: Output,
    backup: &str,
    started: &TaskStarted,
) -> Result<()> {
    let what = format!("restoring backup {backup}");
    task::wait(connection, output, &what, &started.job_id)?;
    Ok(())
}
