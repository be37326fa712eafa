//! `strongroom repo copy`: manifests into another repository, or into a mirror of this one.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use serde::Serialize;
use strongroom_engine::{
    Repository, WriterOptions,
    copy::{self, Copied, CopyOptions},
    tree::Progress,
};
use strongroom_model::Bytes;
use strongroom_store::Store;

use super::{At, entropy, key::Key, manifests};
use crate::{arguments::Context, output::chain, progress};

/// What to copy where.
#[derive(clap::Args)]
pub(crate) struct Copy {
    #[command(flatten)]
    at: At,
    /// The other repository: a folder or an address
    #[arg(value_name = "DEST")]
    destination: String,
    /// Manifests: ids, beginnings of ids, tags, or `latest`; all if none is named
    manifests: Vec<String>,
    /// The other repository's key file, if it has a key of its own
    #[arg(long, value_name = "FILE", env = "STRONGROOM_TO_KEY_FILE")]
    to_key_file: Option<PathBuf>,
}

/// What was copied, for programs.
#[derive(Serialize)]
struct Done {
    copied: Vec<Pair>,
    present: u64,
    failed: Vec<Failed>,
    stored_bytes: u64,
}

#[derive(Serialize)]
struct Pair {
    manifest: String,
    copy: String,
}

#[derive(Serialize)]
struct Failed {
    manifest: String,
    cause: String,
}

impl Copy {
    pub(crate) fn run(self, context: &Context) -> Result<()> {
        let source = self.at.open()?;
        let dest = self.open_destination()?;
        let chosen = self
            .manifests
            .iter()
            .map(|word| Ok(manifests::find(&source, word)?.id))
            .collect::<Result<Vec<_>>>()?;
        let told = Progress::default();
        let options = CopyOptions {
            manifests: &chosen,
            writer: WriterOptions::default(),
            progress: &told,
            entropy: entropy(),
            labels: None,
        };
        let copied = progress::watch(context.output, "copying", &told, || {
            Ok(copy::copy(&source, &dest, &options)?)
        })
        .context("the copy was interrupted; run it again, it goes on where it stopped")?;
        let done = Done::new(&copied);
        context.output.done(&done, Done::text)?;
        if !done.failed.is_empty() {
            bail!(
                "{} manifests could not be copied whole and were left out",
                done.failed.len()
            );
        }
        Ok(())
    }

    fn open_destination(&self) -> Result<Repository> {
        let place = &self.destination;
        let store = Store::open(place);
        let store = store.with_context(|| format!("{place} is no place for a repository"))?;
        let unlock = match &self.to_key_file {
            Some(file) => Key::of(file.clone()).unlock()?,
            None => self.at.key.unlock()?,
        };
        Repository::open(store, &unlock).with_context(|| {
            format!(
                "cannot open the repository {place}; `strongroom repo init` makes one, and \
                 --to-key-file names its key"
            )
        })
    }
}

impl Done {
    fn new(copied: &Copied) -> Self {
        let pairs = copied.copied.iter().map(|(manifest, copy)| Pair {
            manifest: manifest.to_string(),
            copy: copy.to_string(),
        });
        let failed = copied.failed.iter().map(|(manifest, error)| Failed {
            manifest: manifest.to_string(),
            cause: chain(&anyhow::Error::new(error.clone())),
        });
        Self {
            copied: pairs.collect(),
            present: copied.present.len() as u64,
            failed: failed.collect(),
            stored_bytes: copied.stored_bytes,
        }
    }

    fn text(&self) -> String {
        let mut lines: Vec<String> = self
            .failed
            .iter()
            .map(|failed| format!("not copied: {}: {}", failed.manifest, failed.cause))
            .collect();
        lines.extend(
            self.copied
                .iter()
                .map(|pair| format!("{} is {} there", pair.manifest, pair.copy)),
        );
        lines.push(format!(
            "{} manifests are copied, {} were there, {} stored",
            self.copied.len(),
            self.present,
            Bytes(self.stored_bytes)
        ));
        lines.join("\n")
    }
}

/// `repo init --mirror-of`: a second store for the objects of a repository that exists.
pub(super) fn make_mirror(source: &str, at: &At) -> Result<Repository> {
    let store = Store::open(source);
    let store = store.with_context(|| format!("{source} is no place for a repository"))?;
    let unlock = at.key.unlock()?;
    let source_repository = Repository::open(store, &unlock)
        .with_context(|| format!("cannot open the repository {source}"))?;
    let dest = at.store()?;
    copy::create_mirror(&source_repository, &dest)
        .with_context(|| format!("cannot make a mirror in {}", dest.describe()))?;
    Ok(Repository::open(dest, &unlock)?)
}
