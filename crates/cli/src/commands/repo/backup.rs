//! `strongroom repo backup`: saves a folder as a tree, a file or device as a volume, a stream as
//! either.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use serde::Serialize;
use strongroom_engine::{
    Layer,
    tree::{Progress, SaveOptions, Saved, save_tree},
    volume::save_volume,
};
use strongroom_model::{Bytes, content::TreePath};
use strongroom_source::{Share, Volume};

use super::{
    At, entropy, events,
    excludes::{Excludes, Rules},
    input,
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
    /// A folder, an image file, a block device, or `-` for standard input
    path: PathBuf,
    /// A name to find it by
    #[arg(long)]
    tag: Option<String>,
    /// Read everything, whatever was saved before
    #[arg(long)]
    full: bool,
    #[command(flatten)]
    excludes: Excludes,
    #[command(flatten)]
    input: input::InputOptions,
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
    left_out: u64,
    problems: Vec<String>,
}

/// What is saved, and how it is found again.
enum What {
    /// A folder.
    Tree(Share, Rules),
    /// An image or a device.
    Volume(Volume),
    /// A stream.
    Input(input::Stream),
}

impl Options {
    pub(crate) fn run(self, context: &Context) -> Result<()> {
        let shown = self.path.display().to_string();
        let repository = self.at.open()?;
        let (what, source, layer) = open(&self.path, self.excludes, self.input)?;
        let previous = match layer {
            Some(layer) if !self.full => manifests::previous(&repository, &source, layer)?,
            _ => None,
        };
        let mut labels = BTreeMap::from([(SOURCE.to_owned(), source)]);
        labels.extend(self.tag.map(|tag| (TAG.to_owned(), tag)));
        if let What::Tree(_, rules) = &what {
            labels.extend(rules.labels());
        }
        let told = Progress::default();
        let options = SaveOptions {
            previous,
            labels,
            ..SaveOptions::new(&told, entropy())
        };
        let (saved, left_out) =
            progress::watch(context.output, &format!("saving {shown}"), &told, || {
                Ok(match what {
                    What::Tree(share, rules) => {
                        let saved = save_tree(&repository, &share, &options)?;
                        (saved, rules.left_out())
                    }
                    What::Volume(volume) => (save_volume(&repository, &volume, &options)?, 0),
                    What::Input(stream) => (stream.save(&repository, &options)?, 0),
                })
            })
            .with_context(|| format!("cannot save {shown}"))?;
        let manifest = repository.manifest(&saved.manifest)?;
        let done = Done::new(Shown::new(&manifest), &saved, left_out);
        events::problems(context.output, &done.problems)?;
        context
            .output
            .done(&done, |_| text(&saved, left_out, manifest.stored_bytes))?;
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

/// Opens what is to be saved; with the label of where it is from, and what it may build on.
fn open(
    path: &Path,
    excludes: Excludes,
    input: input::InputOptions,
) -> Result<(What, String, Option<Layer>)> {
    if path.as_os_str() == "-" {
        if !excludes.is_empty() {
            bail!("a stream is saved whole; exclude rules are for folders");
        }
        let stream = input.open()?;
        let source = stream.source();
        return Ok((What::Input(stream), source, None));
    }
    if !input.is_empty() {
        bail!("--stdin-name, --stdin-command and --volume need `-` as the path");
    }
    let found = path.canonicalize();
    let path = found.with_context(|| format!("cannot find {}", path.display()))?;
    let source = shown_path(&path);
    if fs::metadata(&path)?.is_dir() {
        let rules = excludes.rules()?;
        let share = rules.open(&path)?;
        return Ok((What::Tree(share, rules), source, Some(Layer::Tree)));
    }
    if !excludes.is_empty() {
        bail!(
            "{} is no folder; exclude rules are for folders",
            path.display()
        );
    }
    let volume = Volume::open(&path)?;
    Ok((What::Volume(volume), source, Some(Layer::Volume)))
}

impl Done {
    fn new(manifest: Shown, saved: &Saved, left_out: u64) -> Self {
        Self {
            manifest,
            read_bytes: saved.stats.read_bytes,
            new: saved.stats.new,
            changed: saved.stats.changed,
            unchanged: saved.stats.unchanged,
            left_out,
            problems: saved.problems.iter().map(ToString::to_string).collect(),
        }
    }
}

fn text(saved: &Saved, left_out: u64, stored_bytes: u64) -> String {
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
    if left_out > 0 {
        lines.push(format!("{left_out} entries are left out by the rules"));
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
fn shown_path(path: &Path) -> String {
    use std::os::unix::ffi::OsStrExt as _;
    match TreePath::parse(path.as_os_str().as_bytes()) {
        Ok(path) => format!("/{path}"),
        Err(_) => path.display().to_string(),
    }
}
