//! `strongroom repo mount`: all backups as folders and files, until it is interrupted.
//!
//! - `shelf`: the folders above the backups
//! - `inodes`: what the kernel knows
//! - `view`: the answers to its questions
//!
//! Invariant: nothing is ever written, and what was mounted is unmounted when the command ends.

mod inodes;
mod kernel;
mod shelf;
mod view;

use std::{
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::SystemTime,
};

use anyhow::{Context as _, Result, bail};
use fuser::{Config, MountOption, Session, SessionACL};
use rustix::mount::{UnmountFlags, unmount};
use serde::Serialize;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::oneshot,
};

use self::view::View;
use super::At;
use crate::arguments::Context;

/// Requests that are answered at the same time.
const THREADS: usize = 4;

/// What to show, and where.
#[derive(clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    at: At,
    /// A folder on which the repository is shown until the command is interrupted
    folder: PathBuf,
    /// Let other users in too, as far as the modes and owners of the files do
    #[arg(long)]
    allow_other: bool,
}

/// That it is mounted, for programs.
#[derive(Serialize)]
struct Mounted {
    mounted: PathBuf,
}

impl Options {
    pub(crate) fn run(self, context: &Context) -> Result<()> {
        let repository = self.at.open()?;
        let found = self.folder.canonicalize();
        let folder = found.with_context(|| format!("cannot find {}", self.folder.display()))?;
        if !folder.is_dir() {
            bail!("{} is no folder; name one to mount on", folder.display());
        }
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }
            .enable_io()
            .build()
            .context("cannot watch for signals")?;
        runtime.block_on(async {
            // Before anything is mounted, so that no signal can come too early.
            let mut signals = Signals::watch()?;
            let view = View::new(&repository, now());
            let session = Session::new(view, &folder, &self.config()).with_context(|| {
                format!(
                    "cannot mount on {}; it takes /dev/fuse (`modprobe fuse`), and the rights of \
                     root or the program fusermount3",
                    folder.display()
                )
            })?;
            let (ended, mut end) = oneshot::channel();
            let serving = thread::Builder::new()
                .name("mount".to_owned())
                .spawn(move || {
                    // Nobody waits for the end any more if the command was interrupted twice.
                    let _ = ended.send(session.run());
                })?;
            let mounted = Mounted {
                mounted: folder.clone(),
            };
            context.output.show(&mounted, |mounted| {
                format!("mounted on {}; interrupt to end", mounted.mounted.display())
            })?;
            tokio::select! {
                done = &mut end => return done?.context("the mount failed"),
                () = signals.next() => {}
            }
            detach(&folder)?;
            eprintln!(
                "unmounted; readers that are still at it may finish, interrupt again to end now"
            );
            tokio::select! {
                done = &mut end => {
                    done?.context("the mount failed")?;
                    // It has sent its last word.
                    let _ = serving.join();
                }
                () = signals.next() => {}
            }
            Ok(())
        })
    }

    fn config(&self) -> Config {
        let mut config = Config::default();
        config.mount_options = vec![
            MountOption::RO,
            MountOption::NoSuid,
            MountOption::NoDev,
            MountOption::NoAtime,
            MountOption::DefaultPermissions,
            MountOption::FSName("strongroom".to_owned()),
            MountOption::Subtype("strongroom".to_owned()),
        ];
        if self.allow_other {
            config.acl = SessionACL::All;
        }
        config.n_threads = Some(THREADS);
        config
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "it is only shown, as the time of folders"
)]
fn now() -> SystemTime {
    SystemTime::now()
}

/// The signals that end a mount.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn watch() -> Result<Self> {
        let watch = |kind| signal(kind).context("cannot watch for signals");
        Ok(Self {
            interrupt: watch(SignalKind::interrupt())?,
            terminate: watch(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Takes the mount away from its folder at once; open files stay readable until they are closed.
fn detach(folder: &Path) -> Result<()> {
    if unmount(folder, UnmountFlags::DETACH).is_ok() {
        return Ok(());
    }
    let status = Command::new("fusermount3")
        .args(["-u", "-z", "--"])
        .arg(folder)
        .status();
    let status = status.context("cannot run fusermount3")?;
    if !status.success() {
        bail!(
            "{} cannot be unmounted; fusermount3 ended with {status}",
            folder.display()
        );
    }
    Ok(())
}
