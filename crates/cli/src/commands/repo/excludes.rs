//! Which part of a folder is not saved: the options, their traces in the manifest's labels.
//!
//! Files with patterns are read in the order in which they are named, after the patterns of the
//! command line, so that a `!pattern` in a file can take back what the line leaves out.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context as _, Result};
use strongroom_source::{Caches, Exclude, Mounts, Share};

/// What is left out.
#[derive(clap::Args)]
pub(super) struct Excludes {
    /// Leave out what matches, in the language of gitignore; may be given again
    #[arg(long, value_name = "PATTERN", allow_hyphen_values = true)]
    exclude: Vec<String>,
    /// The same with the patterns in a file, one a line
    #[arg(long, value_name = "FILE")]
    exclude_from: Vec<PathBuf>,
    /// Leave out what is in folders that hold a CACHEDIR.TAG
    #[arg(long)]
    exclude_caches: bool,
    /// Keep folders on which other file systems are mounted, but not what is in them
    #[arg(long, short = 'x')]
    one_file_system: bool,
}

/// Rules, ready to be used.
pub(super) struct Rules {
    patterns: Vec<String>,
    caches: Caches,
    mounts: Mounts,
    exclude: Arc<Exclude>,
}

impl Excludes {
    /// Whether nothing is left out.
    pub(super) fn is_empty(&self) -> bool {
        self.exclude.is_empty()
            && self.exclude_from.is_empty()
            && !self.exclude_caches
            && !self.one_file_system
    }

    /// Reads the files and understands the patterns.
    pub(super) fn rules(self) -> Result<Rules> {
        let mut patterns = self.exclude;
        for file in &self.exclude_from {
            let text = fs::read_to_string(file)
                .with_context(|| format!("cannot read the patterns in {}", file.display()))?;
            patterns.extend(text.lines().map(ToOwned::to_owned));
        }
        patterns.retain(|pattern| !pattern.trim().is_empty() && !pattern.starts_with('#'));
        let caches = if self.exclude_caches {
            Caches::LeaveOut
        } else {
            Caches::Keep
        };
        let mounts = if self.one_file_system {
            Mounts::Stay
        } else {
            Mounts::Cross
        };
        let exclude = Arc::new(Exclude::new(&patterns, caches)?);
        Ok(Rules {
            patterns,
            caches,
            mounts,
            exclude,
        })
    }
}

impl Rules {
    /// Opens a folder under these rules.
    pub(super) fn open(&self, path: &Path) -> Result<Share> {
        let share = Share::open_with(path, self.mounts)?;
        Ok(share.excluding(Arc::clone(&self.exclude)))
    }

    /// The rules as labels of the manifest, so that a gap can be told from a loss years later.
    pub(super) fn labels(&self) -> BTreeMap<String, String> {
        let mut labels = BTreeMap::new();
        if !self.patterns.is_empty() {
            labels.insert("exclude".to_owned(), self.patterns.join("\n"));
        }
        if self.caches == Caches::LeaveOut {
            labels.insert("exclude-caches".to_owned(), "yes".to_owned());
        }
        if self.mounts == Mounts::Stay {
            labels.insert("one-file-system".to_owned(), "yes".to_owned());
        }
        labels
    }

    /// Entries that were left out; a folder counts once.
    pub(super) fn left_out(&self) -> u64 {
        self.exclude.left_out()
    }
}
