//! `strongroom repo backup`: saves a folder as a tree, a file or device as a volume.

use std::{collections::BTreeMap, fs, path::PathBuf};

use anyhow::{Context as _, Result, bail};
use serde::Serialize;
use strongroom_engine::{
    Layer,
    tree::{Progress, SaveOptions, Saved, save_tree},
    volume::save_volume,
};
use strongroom_model::{Bytes, ResourceKind, content::TreePath};
use strongroom_source::{Source, registry};

use super::{
    At, entropy,
    manifests::{self, SOURCE, Shown, TAG},
};
use crate::{arguments::Context, progress};

/// How many problems are told one by one.
const PROBLEMS_TOLD: usize = 20;

/// What to save.
#[derive(clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    at: At,
    /// A folder, an image file or a block device
    path: PathBuf,
    /// A name to find it by
    #[arg(long)]
    tag: Option<String>,
    /// Read everything, whatever was saved before
    #[arg(long)]
    full: bool,
}

/// What was saved, for programs.
#[derive(Serialize)]
struct Done {
    #[serde(flatten)]
    manifest: Shown,
    read_bytes: u64,
    new: u64,
    changed: u64,
    unchanged: u64,
    problems: Vec<String>,
}

impl Options {
    pub(crate) fn run(self, context: &Context) -> Result<()> {
        let path = self.path.canonicalize();
        let path = path.with_context(|| format!("cannot find {}", self.path.display()))?;
        let repository = self.at.open()?;
        let kind = if fs::metadata(&path)?.is_dir() {
            ResourceKind::Share
        } else {
            ResourceKind::Volume
        };
        let layer = match kind {
            ResourceKind::Share => Layer::Tree,
            ResourceKind::Volume => Layer::Volume,
        };
        let source = shown_path(&path);
        let previous = if self.full {
            None
        } else {
            manifests::previous(&repository, &source, layer)?
        };
        let mut labels = BTreeMap::from([(SOURCE.to_owned(), source)]);
        labels.extend(self.tag.map(|tag| (TAG.to_owned(), tag)));
        let told = Progress::default();
        let options = SaveOptions {
            previous,
            labels,
            ..SaveOptions::new(&told, entropy())
        };
        let what = format!("saving {}", path.display());
        let saved = progress::watch(context.output, &what, &told, || {
            Ok(match registry::open(kind, &path)? {
                Source::Tree(share) => save_tree(&repository, &share, &options)?,
                Source::Blocks(volume) => save_volume(&repository, &volume, &options)?,
            })
        })
        .with_context(|| format!("cannot save {}", path.display()))?;
        let manifest = repository.manifest(&saved.manifest)?;
        let done = Done::new(Shown::new(&manifest), &saved);
        context
            .output
            .show(&done, |_| text(&saved, manifest.stored_bytes))?;
        if !saved.complete {
            bail!(
                "the save is incomplete: {} of the problems above are losses or more are not \
                 listed; what could be read is kept as {}",
                saved.problem_count,
                saved.manifest
            );
        }
        Ok(())
    }
}

impl Done {
    fn new(manifest: Shown, saved: &Saved) -> Self {
        Self {
            manifest,
            read_bytes: saved.stats.read_bytes,
            new: saved.stats.new,
            changed: saved.stats.changed,
            unchanged: saved.stats.unchanged,
            problems: saved.problems.iter().map(ToString::to_string).collect(),
        }
    }
}

fn text(saved: &Saved, stored_bytes: u64) -> String {
    let stats = &saved.stats;
    let mut lines: Vec<String> = saved
        .problems
        .iter()
        .take(PROBLEMS_TOLD)
        .map(|problem| format!("problem: {problem}"))
        .collect();
    let untold = saved.problem_count.saturating_sub(PROBLEMS_TOLD as u64);
    if untold > 0 {
        lines.push(format!("and {untold} problems more"));
    }
    lines.push(format!(
        "{} logical, {} read, {} unique, {} stored",
        Bytes(stats.logical_bytes),
        Bytes(stats.read_bytes),
        Bytes(saved.counts.unique_bytes),
        Bytes(stored_bytes),
    ));
    lines.push(saved.manifest.to_string());
    lines.join("\n")
}

/// The path as a label: bytes that are no text are escaped, so two paths never look alike.
fn shown_path(path: &std::path::Path) -> String {
    use std::os::unix::ffi::OsStrExt as _;
    match TreePath::parse(path.as_os_str().as_bytes()) {
        Ok(path) => format!("/{path}"),
        Err(_) => path.display().to_string(),
    }
}
