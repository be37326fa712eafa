//! The house rules (STYLE.md) that neither the compiler nor clippy can check.
//!
//! A rule is a function from the repository's files to offences; [`offences`] runs them all. The
//! same list is a test of this crate, so that a rule cannot be forgotten by who only runs tests.
//!
//! Invariant: an offence names the file, the line and what to write instead.

mod edges;
mod markdown;
mod text;

#[cfg(test)]
mod tests;

use std::{fmt, fs, process::Command};

use anyhow::{Context, Result, bail};

use crate::workspace::{output, root};

/// A file under version control, or new and not ignored.
pub(crate) struct File {
    /// Relative to the repository's root, with slashes.
    path: String,
    /// `None` if it is not text.
    text: Option<String>,
    bytes: u64,
}

/// A rule that is not kept, and where.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Offence {
    path: String,
    /// From 1; 0 speaks of the whole file.
    line: usize,
    message: String,
}

impl fmt::Display for Offence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            path,
            line,
            message,
        } = self;
        match line {
            0 => write!(f, "{path}: {message}"),
            _ => write!(f, "{path}:{line}: {message}"),
        }
    }
}

impl File {
    /// Relative to the repository's root, with slashes.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// Its text if it is Rust.
    pub(crate) fn rust(&self) -> Option<&str> {
        self.text.as_deref().filter(|_| self.extension() == "rs")
    }

    fn extension(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        name.rsplit_once('.').map_or("", |(_, ext)| ext)
    }

    fn offence(&self, line: usize, message: impl Into<String>) -> Offence {
        Offence {
            path: self.path.clone(),
            line,
            message: message.into(),
        }
    }
}

/// The task.
pub(crate) fn task() -> Result<()> {
    let files = files()?;
    let offences = offences(&files)?;
    for offence in &offences {
        println!("{offence}");
    }
    if !offences.is_empty() {
        bail!(
            "tidy: {} house rules are not kept (STYLE.md)",
            offences.len()
        );
    }
    println!("tidy: {} files follow the house rules", files.len());
    Ok(())
}

/// Every offence in the repository.
pub(crate) fn offences(files: &[File]) -> Result<Vec<Offence>> {
    let mut found: Vec<Offence> = files.iter().flat_map(text::check).collect();
    found.extend(markdown::check(files));
    found.extend(edges::check(&edges::from_cargo()?));
    Ok(found)
}

/// All files that are or would be committed.
pub(crate) fn files() -> Result<Vec<File>> {
    let list = output(Command::new("git").current_dir(root()).args([
        "ls-files",
        "--cached",
        "--others",
        "--exclude-standard",
        "-z",
    ]))?;
    let mut files = Vec::new();
    for path in list.split('\0').filter(|path| !path.is_empty()) {
        let place = root().join(path);
        // Deleted but not yet committed, or a link to nowhere: not ours to judge.
        let Ok(metadata) = fs::metadata(&place) else {
            continue;
        };
        let bytes = fs::read(&place).with_context(|| format!("cannot read {path}"))?;
        // Inputs of fuzzers are bytes even where they look like text.
        let input = path.starts_with("fuzz/corpus/");
        files.push(File {
            path: path.to_owned(),
            text: String::from_utf8(bytes).ok().filter(|_| !input),
            bytes: metadata.len(),
        });
    }
    Ok(files)
}
