//! `strongroom repo`: the engine on a repository itself, with no service running.
//!
//! For rescue, for scripts and for comparison with other programs. A repository is a folder or an
//! `s3://` address; it is opened with a key file or a passphrase. Manifests are named by id (or
//! the beginning of one), by tag, or as `latest`.

mod backup;
mod care;
mod copy;
mod diff;
mod events;
mod excludes;
mod export;
mod input;
mod key;
mod keys;
mod limits;
mod ls;
mod manifests;
mod mount;
mod repair;
mod restore;
mod trust;

use std::{path::PathBuf, sync::Arc};

use anyhow::{Context as _, Result};
use clap::Subcommand;
use serde::Serialize;
use strongroom_engine::{CreateOptions, Repository};
use strongroom_model::Entropy;
use strongroom_store::Store;

use self::{key::Key, limits::Limits};
use crate::{arguments::Context, system::SystemEntropy};

/// What is done with a repository.
#[derive(Subcommand)]
pub(crate) enum Verb {
    /// Make a repository
    Init(Init),
    /// Save a folder, an image file or a device; prints the manifest's id
    Backup(backup::Options),
    /// Restore a manifest to a new place
    Restore(restore::Options),
    /// Write a file of a manifest or a disk, or a range of one, to standard output
    Cat(restore::Cat),
    /// Say which keys and passphrases open a repository
    #[command(subcommand, alias = "key")]
    Keys(keys::Verb),
    /// List manifests
    List(At),
    /// List the files and folders of a manifest
    Ls(ls::Options),
    /// Show all manifests as folders and files, until interrupted
    Mount(mount::Options),
    /// Write a manifest as a tar archive or a disk image
    Export(export::Options),
    /// Tell what differs between two manifests
    Diff(diff::Options),
    /// Look for damage; fails and names it if there is any
    Check(care::Check),
    /// Bring back what redundancy allows; never makes anything worse
    Repair(repair::Repair),
    /// Copy manifests to another repository, only what is missing, verified
    Copy(copy::Copy),
    /// Forget manifests; `collect` then frees what only they needed
    Forget(care::Forget),
    /// Free what no manifest needs any more
    Collect(At),
    /// Show how much there is
    Stats(At),
}

/// Which repository, and what opens it.
#[derive(clap::Args)]
pub(crate) struct At {
    /// The repository: a folder or an address such as `s3://bucket/prefix`
    #[arg(value_name = "REPO")]
    repository: String,
    #[command(flatten)]
    key: Key,
    #[command(flatten)]
    limits: Limits,
}

impl Verb {
    pub(crate) fn run(self, context: &Context) -> Result<()> {
        let tells_events = matches!(
            self,
            Self::Backup(_) | Self::Restore(_) | Self::Check(_) | Self::Collect(_)
        );
        let done = self.dispatch(context);
        match &done {
            Err(error) if tells_events => events::failed(context.output, error),
            _ => {}
        }
        done
    }

    fn dispatch(self, context: &Context) -> Result<()> {
        match self {
            Self::Init(init) => init.run(context),
            Self::Backup(options) => options.run(context),
            Self::Restore(options) => options.run(context),
            Self::Cat(options) => options.run(),
            Self::Keys(verb) => verb.run(context),
            Self::List(at) => manifests::list(context, &at),
            Self::Ls(options) => options.run(context),
            Self::Mount(options) => options.run(context),
            Self::Export(options) => options.run(context),
            Self::Diff(options) => options.run(context),
            Self::Check(options) => options.run(context),
            Self::Repair(options) => options.run(context),
            Self::Copy(options) => options.run(context),
            Self::Forget(options) => options.run(context),
            Self::Collect(at) => care::collect(context, &at),
            Self::Stats(at) => care::stats(context, &at),
        }
    }
}

/// How the repository is made.
#[derive(clap::Args)]
pub(crate) struct Init {
    #[command(flatten)]
    at: At,
    /// Store so many percent of each pack again, from which `repair` heals damage; 0 is none
    #[arg(
        long,
        value_name = "PERCENT",
        default_value_t = 0,
        conflicts_with = "mirror_of"
    )]
    parity: u8,
    /// Make a mirror of that repository: same name, same keys, filled by `repo copy`
    #[arg(long, value_name = "REPO")]
    mirror_of: Option<String>,
}

/// A repository that was made.
#[derive(Serialize)]
struct Made {
    repository: String,
    place: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_file: Option<PathBuf>,
}

impl Init {
    fn run(self, context: &Context) -> Result<()> {
        let Self {
            at,
            parity,
            mirror_of,
        } = self;
        let store = at.store()?;
        trust::probe(&store)?;
        let made = if let Some(source) = &mirror_of {
            copy::make_mirror(source, &at)?
        } else {
            let unlock = at.key.unlock_or_make()?;
            let options = CreateOptions {
                parity_percent: parity,
                ..CreateOptions::default()
            };
            Repository::create(store, &unlock, options, &SystemEntropy)
                .with_context(|| format!("cannot make the repository {}", at.repository))?
        };
        let made = Made {
            repository: made.id().to_string(),
            place: made.store().describe(),
            key_file: at.key.file().cloned(),
        };
        context.output.show(&made, |made| {
            let keep = match &made.key_file {
                Some(file) => format!("keep {} safe", file.display()),
                None => "keep the passphrase safe".to_owned(),
            };
            format!(
                "{keep}: nothing else opens what is saved\n{}",
                made.repository
            )
        })
    }
}

impl At {
    /// Opens the repository.
    fn open(&self) -> Result<Repository> {
        let store = self.store()?;
        let unlock = self.key.unlock()?;
        Repository::open(store, &unlock)
            .with_context(|| format!("cannot open the repository {}", self.repository))
    }

    fn store(&self) -> Result<Store> {
        let store = Store::open(&self.repository)
            .with_context(|| format!("{} is no place for a repository", self.repository))?;
        Ok(self.limits.apply(&store))
    }
}

/// The randomness that saves and collections draw from.
fn entropy() -> Arc<dyn Entropy> {
    Arc::new(SystemEntropy)
}
