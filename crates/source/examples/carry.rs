//! Saves, restores and compares without the service: what the speed of the engine is measured by.
//!
//! `carry init REPO`, `carry save REPO share|volume PATH`, `carry restore REPO PATH`,
//! `carry list REPO`, `carry cat REPO INSIDE`. Each works on the newest manifest and prints its
//! time and peak memory.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "an example talks to the terminal"
)]

use std::{io, path::Path, process::ExitCode, sync::Arc, time::Instant};

use anyhow::{Context as _, Result, bail};
use strongroom_engine::{
    CreateOptions, Layer, ManifestId, Repository, Unlock,
    tree::{Depth, Progress, RestoreOptions, SaveOptions, cat, list, restore_tree, save_tree},
    volume::{restore_volume, save_volume},
};
use strongroom_model::{Entropy, ResourceKind, content::TreePath};
use strongroom_source::{Place, Source, Target, registry};
use strongroom_store::Store;

const KEY: [u8; 32] = [1; 32];

/// Random bytes of the operating system.
struct System;

impl Entropy for System {
    fn fill(&self, out: &mut [u8]) {
        use io::Read as _;
        let mut source = std::fs::File::open("/dev/urandom").expect("every system has it");
        source.read_exact(out).expect("it never ends");
    }
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let started = Instant::now();
    let outcome = run(&words);
    let peak = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = peak
        .lines()
        .find(|line| line.starts_with("VmHWM"))
        .unwrap_or_default();
    eprintln!(
        "{:.3} s, {}",
        started.elapsed().as_secs_f64(),
        peak.replace('\t', " ")
    );
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[&str]) -> Result<()> {
    match words {
        ["init", repository] => {
            let store = Store::open(repository)?;
            let unlock = Unlock::Key(KEY);
            Repository::create(store, &unlock, CreateOptions::default(), &System)?;
            Ok(())
        }
        ["save", repository, kind, path] => save(repository, kind, Path::new(path)),
        ["restore", repository, path] => restore(repository, Path::new(path)),
        ["list", repository] => {
            let (repository, id) = newest(repository)?;
            let mut count = 0;
            list(&repository, &id, &TreePath::root(), Depth::All, &mut |_| {
                count += 1;
                Ok(())
            })?;
            println!("{count} entries");
            Ok(())
        }
        ["cat", repository, inside] => {
            let (repository, id) = newest(repository)?;
            let path = TreePath::parse(inside.as_bytes())?;
            let mut out = io::stdout().lock();
            cat(
                &repository,
                &id,
                &path,
                0..u64::MAX,
                &mut out,
                &Progress::default(),
            )?;
            Ok(())
        }
        _ => bail!(
            "init REPO | save REPO KIND PATH | restore REPO PATH | list REPO | cat REPO INSIDE"
        ),
    }
}

fn open(repository: &str) -> Result<Repository> {
    Ok(Repository::open(
        Store::open(repository)?,
        &Unlock::Key(KEY),
    )?)
}

/// The repository and its newest manifest.
fn newest(repository: &str) -> Result<(Repository, ManifestId)> {
    let repository = open(repository)?;
    let mut found = Vec::new();
    for id in repository.manifests()? {
        found.push((repository.manifest(&id)?.body.started, id));
    }
    let (_, id) = found
        .into_iter()
        .max_by_key(|found| found.0)
        .context("nothing is saved")?;
    Ok((repository, id))
}

fn save(repository: &str, kind: &str, path: &Path) -> Result<()> {
    let progress = Progress::default();
    let mut options = SaveOptions::new(&progress, Arc::new(System));
    options.previous = newest(repository).ok().map(|(_, id)| id);
    let repository = open(repository)?;
    let saved = match registry::open(kind.parse::<ResourceKind>()?, path)? {
        Source::Tree(share) => save_tree(&repository, &share, &options)?,
        Source::Blocks(volume) => save_volume(&repository, &volume, &options)?,
    };
    println!(
        "{:?} {:?} {} problems",
        saved.stats, saved.counts, saved.problem_count
    );
    Ok(())
}

fn restore(repository: &str, path: &Path) -> Result<()> {
    let (repository, id) = newest(repository)?;
    let progress = Progress::default();
    let options = RestoreOptions {
        threads: 0,
        progress: &progress,
    };
    let layer = repository.manifest(&id)?.body.layer;
    let kind = if layer == Layer::Tree {
        ResourceKind::Share
    } else {
        ResourceKind::Volume
    };
    let target = registry::target(kind, path, Place::New)?;
    let restored = match &target {
        Target::Tree(target) => restore_tree(&repository, &id, target, options)?,
        Target::Blocks(target) => restore_volume(&repository, &id, target, options)?,
    };
    let refused = target.switch()?;
    println!("{restored:?} {} refused", refused.len());
    Ok(())
}
