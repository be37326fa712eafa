//! `strongroom repo restore` and `cat`: brings back what was saved, to a place where nothing is.
//!
//! Damage does not stop a restore: everything that is whole is brought back, what is lost is named,
//! and the command fails.

use std::{
    fs::File,
    io,
    os::{fd::AsFd, unix::ffi::OsStrExt},
    path::PathBuf,
};

use anyhow::{Context as _, Result, bail};
use serde::Serialize;
use strongroom_engine::{
    Layer, Manifest, Repository,
    tree::{self, Progress, RestoreOptions, Restored, restore_path},
    volume::{cat_volume, restore_volume},
};
use strongroom_model::{
    Bytes, ResourceKind,
    content::{Refused, TreePath},
};
use strongroom_source::{
    Target,
    registry::{self, Place},
};

use super::{At, events, manifests};
use crate::{arguments::Context, output::Output, progress};

/// How many losses are told one by one.
const LOSSES_TOLD: usize = 50;

/// What to restore, and where to.
#[derive(clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    at: At,
    /// The manifest: its id or the beginning of it, a tag, or `latest`
    manifest: String,
    /// A place where nothing is yet, or an empty folder; `-` writes one file, or a volume, to
    /// standard output
    #[arg(long, value_name = "PATH")]
    to: PathBuf,
    /// Only this file or folder of a tree
    #[arg(long, value_name = "INSIDE")]
    path: Option<PathBuf>,
}

/// What to write to standard output.
#[derive(clap::Args)]
pub(crate) struct Cat {
    #[command(flatten)]
    at: At,
    /// The manifest: its id or the beginning of it, a tag, or `latest`
    manifest: String,
    /// The file inside a tree; not for a volume
    path: Option<PathBuf>,
    /// The first byte to write
    #[arg(long, value_name = "BYTES", default_value_t = 0)]
    offset: u64,
    /// How many bytes to write; the default is all that follow
    #[arg(long, value_name = "BYTES")]
    length: Option<u64>,
}

/// What came back, for programs.
#[derive(Serialize)]
struct Done {
    manifest: String,
    to: PathBuf,
    files: u64,
    directories: u64,
    others: u64,
    written_bytes: u64,
    lost: Vec<String>,
    lost_count: u64,
    refused: Vec<String>,
}

impl Options {
    pub(crate) fn run(self, context: &Context) -> Result<()> {
        if self.to.as_os_str() == "-" {
            let Self {
                at, manifest, path, ..
            } = self;
            return Cat {
                at,
                manifest,
                path,
                offset: 0,
                length: None,
            }
            .run();
        }
        let repository = self.at.open()?;
        let manifest = manifests::find(&repository, &self.manifest)?;
        let inside = inside(&manifest, self.path.as_ref())?;
        let kind = match manifest.body.layer {
            Layer::Tree => ResourceKind::Share,
            Layer::Volume => ResourceKind::Volume,
        };
        let to = std::path::absolute(&self.to)?;
        let target = registry::target(kind, &to, Place::New)
            .with_context(|| format!("cannot restore to {}", to.display()))?;
        let (restored, refused) = write(context.output, &repository, &manifest, &inside, target)
            .with_context(|| format!("cannot restore {} to {}", manifest.id, to.display()))?;
        let done = Done {
            manifest: manifest.id.to_string(),
            to,
            files: restored.files,
            directories: restored.directories,
            others: restored.others,
            written_bytes: restored.bytes,
            lost: restored.losses.iter().map(ToString::to_string).collect(),
            lost_count: restored.losses_total,
            refused: restored
                .refused
                .iter()
                .cloned()
                .chain(refused.iter().map(ToString::to_string))
                .collect(),
        };
        events::problems(context.output, done.lost.iter().chain(&done.refused))?;
        context.output.done(&done, text)?;
        if done.lost_count > 0 {
            bail!(
                "{} parts of {} are lost; everything else is in {}",
                done.lost_count,
                done.manifest,
                done.to.display()
            );
        }
        Ok(())
    }
}

fn write(
    output: Output,
    repository: &Repository,
    manifest: &Manifest,
    inside: &TreePath,
    target: Target,
) -> Result<(Restored, Refused)> {
    let told = Progress::default();
    let options = RestoreOptions {
        threads: 0,
        progress: &told,
    };
    let what = format!("restoring {}", manifest.id);
    progress::watch(output, &what, &told, || {
        let restored = match &target {
            Target::Tree(sink) => restore_path(repository, &manifest.id, inside, sink, options)?,
            Target::Blocks(sink) => restore_volume(repository, &manifest.id, sink, options)?,
        };
        let refused = target.switch()?;
        Ok((restored, refused))
    })
    .with_context(|| {
        let (bytes, entries) = (Bytes(told.bytes_done()), told.items_done());
        format!("it ended after {bytes} in {entries} entries, and nothing of that was left")
    })
}

/// The path inside the manifest; the root if nothing is said.
pub(super) fn inside(manifest: &Manifest, path: Option<&PathBuf>) -> Result<TreePath> {
    match (path, manifest.body.layer) {
        (None, _) => Ok(TreePath::root()),
        (Some(path), Layer::Volume) => bail!(
            "{} is a volume; there is no {} inside",
            manifest.id,
            path.display()
        ),
        (Some(path), Layer::Tree) => Ok(TreePath::parse(path.as_os_str().as_bytes())?),
    }
}

fn text(done: &Done) -> String {
    let mut lines: Vec<String> = done.lost.iter().take(LOSSES_TOLD).cloned().collect();
    let refused = done
        .refused
        .iter()
        .map(|refused| format!("not set: {refused}"));
    lines.extend(refused.take(LOSSES_TOLD));
    lines.push(format!(
        "restored {} files, {} folders, {} written to {}",
        done.files,
        done.directories,
        Bytes(done.written_bytes),
        done.to.display()
    ));
    lines.join("\n")
}

impl Cat {
    pub(crate) fn run(self) -> Result<()> {
        let repository = self.at.open()?;
        let manifest = manifests::find(&repository, &self.manifest)?;
        let path = inside(&manifest, self.path.as_ref())?;
        if manifest.body.layer == Layer::Tree && path == TreePath::root() {
            bail!(
                "{} is a tree; name a file in it, or write all of it with `repo export`",
                manifest.id
            );
        }
        // Past the buffer of std, which looks for line breaks.
        let mut out = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        let end = self
            .length
            .map_or(u64::MAX, |length| self.offset.saturating_add(length));
        let (range, told) = (self.offset..end, Progress::default());
        match manifest.body.layer {
            Layer::Volume => cat_volume(&repository, &manifest.id, range, &mut out, &told)
                .with_context(|| format!("cannot read {}", manifest.id))?,
            Layer::Tree => tree::cat(&repository, &manifest.id, &path, range, &mut out, &told)
                .with_context(|| format!("cannot read {path} of {}", manifest.id))?,
        };
        Ok(())
    }
}
