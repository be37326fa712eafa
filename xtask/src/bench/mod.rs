//! `cargo xtask bench`: strongroom beside its peers on the same data in one run.
//!
//! For each data set all peers do one step after another before anyone does the next, in an order
//! that turns with each repetition, so that the machine's moods hit all alike. A restore is
//! compared byte for byte with the data. Ratios within one run are what counts
//! (docs/benchmarks.md).

mod data;
mod measure;
mod peers;
mod random;
mod report;
mod text;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};

pub(crate) use self::measure::probe;
use self::{
    data::{Dataset, Scale},
    measure::Cost,
    peers::{PEERS, Peer, Step},
};
use crate::{
    needs,
    workspace::{cargo, run, scratch, target},
};

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// How much data.
    #[arg(long, value_enum, default_value = "small")]
    scale: Scale,
    /// Which data sets.
    #[arg(long, value_enum, value_delimiter = ',', default_values = ["d1", "d2", "d3", "d4"])]
    datasets: Vec<Dataset>,
    /// Which programs: strongroom, restic, borg.
    #[arg(long, value_delimiter = ',', default_values = ["strongroom", "restic", "borg"])]
    peers: Vec<String>,
    /// Repetitions; the minimum is shown.
    #[arg(long, default_value_t = 3)]
    reps: usize,
    /// Where data and repositories go; the default is below target/.
    #[arg(long)]
    work: Option<PathBuf>,
    /// Writes every figure as JSON into this file.
    #[arg(long)]
    json: Option<PathBuf>,
}

/// A figure's name: program, data set, step.
type Cell = (&'static str, Dataset, Step);

/// All figures of a run.
#[derive(Default)]
struct Figures {
    costs: BTreeMap<&'static str, Vec<(Dataset, Step, Cost)>>,
    /// Bytes of the repository after a step.
    sizes: Vec<(Cell, u64)>,
}

/// One program at work on one data set.
struct Trial<'a> {
    peer: &'a Peer,
    dataset: Dataset,
    src: PathBuf,
    dir: PathBuf,
}

pub(crate) fn task(options: &Options) -> Result<()> {
    needs::tools(needs::FOR_BENCH)?;
    run(cargo().args(["build", "--release", "--package", "strongroom"]))?;
    let work = options
        .work
        .clone()
        .unwrap_or_else(|| scratch().join("bench"));
    fs::create_dir_all(&work)?;
    let work = work.canonicalize()?;
    let chosen: Vec<&Peer> = PEERS
        .iter()
        .filter(|peer| options.peers.iter().any(|name| name == peer.name))
        .collect();
    if chosen.len() != options.peers.len() {
        bail!("known programs are strongroom, restic and borg");
    }
    let mut figures = Figures::default();
    for rep in 0..options.reps {
        for dataset in Dataset::ALL
            .into_iter()
            .filter(|set| options.datasets.contains(set))
        {
            println!("repetition {} of {}: {dataset:?}", rep + 1, options.reps);
            repetition(dataset, options.scale, &chosen, rep, &work, &mut figures)?;
        }
    }
    fs::remove_dir_all(&work).context("cannot clean up")?;
    if let Some(path) = &options.json {
        fs::write(path, report::json(&figures)?)?;
    }
    println!("\n{}", report::markdown(&figures, &chosen));
    Ok(())
}

fn repetition(
    dataset: Dataset,
    scale: Scale,
    peers: &[&Peer],
    rep: usize,
    work: &Path,
    figures: &mut Figures,
) -> Result<()> {
    let src = work.join("data");
    forget(&src)?;
    dataset.create(&src, scale)?;
    let mut trials = Vec::new();
    for peer in peers {
        let dir = work.join(peer.name);
        forget(&dir)?;
        fs::create_dir_all(dir.join("home"))?;
        trials.push(Trial {
            peer,
            dataset,
            src: src.clone(),
            dir,
        });
    }
    for step in Step::ALL {
        if step == Step::Change {
            dataset.change(&src, scale)?;
        }
        // The source is in the page cache for everyone.
        warm(&src)?;
        for turn in 0..trials.len() {
            let trial = &trials[(turn + rep) % trials.len()];
            let cost = trial.step(step)?;
            let name = trial.peer.name;
            figures
                .costs
                .entry(name)
                .or_default()
                .push((dataset, step, cost));
            if matches!(step, Step::First | Step::Change | Step::Prune) {
                figures
                    .sizes
                    .push(((name, dataset, step), stored(&trial.dir.join("repo"))?));
            }
        }
    }
    for trial in &trials {
        forget(&trial.dir)?;
    }
    forget(&src)
}

impl Trial<'_> {
    fn step(&self, step: Step) -> Result<Cost> {
        let out = self.dir.join("out");
        forget(&out)?;
        fs::create_dir_all(&out)?;
        let shell = self.fill((self.peer.command)(step, self.dataset), step);
        let mut variables: Vec<_> = self
            .peer
            .variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), self.fill(value, step)))
            .collect();
        let path = std::env::var("PATH").unwrap_or_default();
        let ours = target().join("release");
        variables.push(("PATH".to_owned(), format!("{}:{path}", ours.display())));
        let cost = measure::measure(&shell, &variables, &self.dir)
            .with_context(|| format!("{}: {}", self.peer.name, step.title()))?;
        if step == Step::Restore {
            let restored = self.fill((self.peer.restored)(self.dataset), step);
            let restored = out.join(restored.trim_start_matches('/'));
            let status = Command::new("diff")
                .args(["-rq", "--no-dereference"])
                .args([&self.src, &restored])
                .status()?;
            if !status.success() {
                bail!("{} restored something else", self.peer.name);
            }
        }
        forget(&out)?;
        Ok(cost)
    }

    fn fill(&self, template: &str, step: Step) -> String {
        let paths = [
            ("{repo}", self.dir.join("repo")),
            ("{home}", self.dir.join("home")),
            ("{out}", self.dir.join("out")),
            ("{src}", self.src.clone()),
        ];
        let filled = paths
            .iter()
            .fold(template.to_owned(), |text, (word, path)| {
                text.replace(word, &path.display().to_string())
            });
        filled
            .replace("{one}", self.dataset.one())
            .replace("{tag}", step.tag())
    }
}

fn forget(dir: &Path) -> Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", dir.display()))
        }
        _ => Ok(()),
    }
}

/// Reads everything below `dir` once.
fn warm(dir: &Path) -> Result<()> {
    let files = format!(
        "find {} -type f -print0 | xargs -0 cat > /dev/null",
        dir.display()
    );
    let status = Command::new("bash").args(["-c", &files]).status()?;
    if status.success() {
        Ok(())
    } else {
        bail!("cannot read {}", dir.display())
    }
}

/// Bytes of all files below `dir`.
fn stored(dir: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(dir).with_context(|| format!("cannot list {}", dir.display()))? {
        let entry = entry?;
        let kind = entry.file_type()?;
        bytes += if kind.is_dir() {
            stored(&entry.path())?
        } else {
            entry.metadata()?.len()
        };
    }
    Ok(bytes)
}
