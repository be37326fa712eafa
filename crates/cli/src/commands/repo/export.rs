//! `strongroom repo export`: a backup in a form that other programs read.
//!
//! A file appears under its name only when all of it is written and durable; `-` is standard
//! output. What is lost reads as zeroes, is named, and the command fails; only the bytes of a
//! volume on standard output end at the first loss.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    os::fd::AsFd,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use clap::ValueEnum;
use serde::Serialize;
use strongroom_engine::{
    Layer, Manifest, Repository,
    export::{Exported, export_qcow2, export_tar},
    tree::{Progress, RestoreOptions},
    volume::{cat_volume, restore_volume},
};
use strongroom_model::{Bytes, content::TreePath};
use strongroom_source::{Place, VolumeTarget};
use tempfile::NamedTempFile;

use super::{At, ls::told, manifests, restore::inside};
use crate::{arguments::Context, output::Output, progress};

/// The form of an export.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A pax archive of a tree
    Tar,
    /// The bytes of a volume
    Raw,
    /// A qcow2 image of a volume, with only the clusters that hold something
    Qcow2,
}

/// What to export, and as what.
#[derive(clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    at: At,
    /// The manifest: its id or the beginning of it, a tag, or `latest`
    manifest: String,
    /// tar for trees; raw or qcow2 for volumes
    #[arg(long)]
    format: Format,
    /// A file that does not exist yet; `-` for standard output
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    /// Only this file or folder of a tree
    #[arg(long, value_name = "INSIDE")]
    path: Option<PathBuf>,
}

/// What was exported, for programs.
#[derive(Serialize)]
struct Done {
    manifest: String,
    to: PathBuf,
    items: u64,
    written_bytes: u64,
    lost: Vec<String>,
    lost_count: u64,
}

impl Options {
    pub(crate) fn run(self, context: &Context) -> Result<()> {
        let repository = self.at.open()?;
        let manifest = manifests::find(&repository, &self.manifest)?;
        match (self.format, manifest.body.layer) {
            (Format::Tar, Layer::Volume) => bail!(
                "{} is a volume and no tree; export it as raw or qcow2",
                manifest.id
            ),
            (Format::Raw | Format::Qcow2, Layer::Tree) => {
                bail!("{} is a tree and no volume; export it as tar", manifest.id)
            }
            _ => {}
        }
        let inside = inside(&manifest, self.path.as_ref())?;
        let to_stdout = self.to.as_os_str() == "-";
        if to_stdout && self.format == Format::Raw {
            let mut out = File::from(io::stdout().as_fd().try_clone_to_owned()?);
            let (all, told) = (0..u64::MAX, Progress::default());
            cat_volume(&repository, &manifest.id, all, &mut out, &told)
                .with_context(|| format!("cannot export {}", manifest.id))?;
            return Ok(());
        }
        let how_far = Progress::default();
        let what = format!("exporting {}", manifest.id);
        // Standard output belongs to the export then, so nothing else may be told there.
        let telling = if to_stdout {
            Output::new(false)
        } else {
            context.output
        };
        let exported = progress::watch(telling, &what, &how_far, || {
            let export = |out: &mut dyn Write| {
                export_to(&repository, &manifest, &inside, self.format, out, &how_far)
            };
            if to_stdout {
                let out = File::from(io::stdout().as_fd().try_clone_to_owned()?);
                export(&mut BufWriter::with_capacity(1 << 20, out))
            } else if self.format == Format::Raw {
                raw(&repository, &manifest, &self.to, &how_far)
            } else {
                to_file(&self.to, export)
            }
        })
        .with_context(|| format!("cannot export {} to {}", manifest.id, self.to.display()))?;
        let done = Done::new(&manifest, self.to, &exported);
        if !to_stdout {
            context.output.done(&done, Done::text)?;
        }
        if exported.losses_total > 0 {
            bail!(
                "{} parts of {} are lost; they are left out or read as zeroes:\n{}",
                exported.losses_total,
                manifest.id,
                told(&exported.losses)
            );
        }
        Ok(())
    }
}

fn export_to(
    repository: &Repository,
    manifest: &Manifest,
    inside: &TreePath,
    format: Format,
    out: &mut dyn Write,
    progress: &Progress,
) -> Result<Exported> {
    Ok(match format {
        Format::Tar => export_tar(repository, &manifest.id, inside, out, progress)?,
        Format::Raw | Format::Qcow2 => export_qcow2(repository, &manifest.id, out, progress)?,
    })
}

/// An image with holes, in the way of a restore.
fn raw(
    repository: &Repository,
    manifest: &Manifest,
    to: &Path,
    progress: &Progress,
) -> Result<Exported> {
    let target = VolumeTarget::create(&std::path::absolute(to)?, Place::New)?;
    let options = RestoreOptions {
        threads: 0,
        progress,
    };
    let restored = restore_volume(repository, &manifest.id, &target, options)?;
    target.switch()?;
    Ok(Exported {
        items: 1,
        bytes: restored.bytes,
        losses: restored.losses,
        losses_total: restored.losses_total,
    })
}

/// Writes beside the place, makes it durable, and gives it its name.
fn to_file(to: &Path, export: impl FnOnce(&mut dyn Write) -> Result<Exported>) -> Result<Exported> {
    let to = std::path::absolute(to)?;
    let folder = to.parent().context("that is no place for a file")?;
    if to.symlink_metadata().is_ok() {
        bail!(
            "{} exists; name a file that does not exist yet",
            to.display()
        );
    }
    let file = NamedTempFile::new_in(folder)
        .with_context(|| format!("cannot write to {}", folder.display()))?;
    let mut out = BufWriter::with_capacity(1 << 20, file);
    let exported = export(&mut out)?;
    let file = out.into_inner().context("cannot write the last bytes")?;
    file.as_file().sync_all()?;
    file.persist_noclobber(&to)?;
    File::open(folder)?.sync_all()?;
    Ok(exported)
}

impl Done {
    fn new(manifest: &Manifest, to: PathBuf, exported: &Exported) -> Self {
        Self {
            manifest: manifest.id.to_string(),
            to,
            items: exported.items,
            written_bytes: exported.bytes,
            lost: exported.losses.iter().map(ToString::to_string).collect(),
            lost_count: exported.losses_total,
        }
    }

    fn text(&self) -> String {
        format!(
            "{} written to {}",
            Bytes(self.written_bytes),
            self.to.display()
        )
    }
}
