//! `cargo xtask bench`: strongroom beside its peers on the same data in one run.
//!
//! For each data set all programs do one step after another before anyone does the next, in an
//! order that turns with each repetition, so that the machine's moods hit all alike. Everything
//! that comes back is compared byte for byte with the data. Ratios within one run are what counts
//! (docs/benchmarks.md). A peer that fails a step gets no figure there; the run goes on.

mod api;
mod compare;
mod data;
mod figures;
mod install;
mod measure;
mod programs;
mod random;
mod report;
mod targets;
mod text;
mod trial;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};

pub(crate) use self::measure::probe;
use self::{
    data::{Dataset, Scale},
    figures::Figures,
    programs::{PROGRAMS, Program, Role, Step},
    trial::{Trial, forget},
};
use crate::workspace::{root, scratch};

/// The figures of the last full run.
const LAST: &str = "bench/last.json";

/// Something to measure besides the engine.
#[derive(clap::Subcommand)]
enum What {
    /// Lists of backups over HTTP as the catalog grows.
    Api(api::Options),
}

/// What to measure.
#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Options {
    #[command(subcommand)]
    what: Option<What>,
    /// How much data.
    #[arg(long, value_enum, default_value = "small")]
    scale: Scale,
    /// Which data sets.
    #[arg(long, value_enum, ignore_case = true, value_delimiter = ',',
          default_values = ["d1", "d2", "d3", "d4"])]
    sets: Vec<Dataset>,
    /// Which programs (`ours`, `bare`, `restic`, …); the default is all that are found.
    #[arg(long, value_delimiter = ',')]
    programs: Vec<String>,
    /// Repetitions; medians are shown.
    #[arg(long, default_value_t = 3)]
    reps: usize,
    /// Starts no repetition that would not end within this time, judged by the first.
    #[arg(long, value_name = "SECONDS")]
    budget: Option<u64>,
    /// Where data and repositories go; the default is below target/.
    #[arg(long)]
    work: Option<PathBuf>,
    /// Writes every figure into this file; `bench/last.json` after a full run.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Shows the figures of this file again and measures nothing.
    #[arg(long, value_name = "FILE")]
    show: Option<PathBuf>,
    /// Gets the peers that the registries carry first; that takes long.
    #[arg(long)]
    install: bool,
    /// Leaves data and repositories of the last set where they are, to look at them.
    #[arg(long)]
    keep: bool,
    /// Ends after this step.
    #[arg(long, value_enum, default_value = "prune")]
    until: Step,
    /// Takes the binaries as they are.
    #[arg(long)]
    no_build: bool,
}

pub(crate) fn task(options: &Options) -> Result<()> {
    if let Some(What::Api(options)) = &options.what {
        return api::task(options);
    }
    let last = root().join(LAST);
    let before = last.exists().then(|| Figures::load(&last)).transpose()?;
    if let Some(file) = &options.show {
        let figures = Figures::load(file)?;
        println!("{}", report::markdown(&figures, before.as_ref()));
        return Ok(());
    }
    if options.install {
        install::install()?;
    }
    if !options.no_build {
        install::build()?;
    }
    let found = programs(options)?;
    let chosen: Vec<&Program> = found.iter().map(|(program, _)| *program).collect();
    let known = found
        .iter()
        .map(|(program, version)| (program.name.to_owned(), version.clone()));
    let mut figures = Figures::new(options.scale, known.collect());
    let work = options
        .work
        .clone()
        .unwrap_or_else(|| scratch().join("bench"));
    fs::create_dir_all(&work)?;
    let work = work.canonicalize()?;
    let measured = repetitions(options, &chosen, &work, &mut figures);
    if !options.keep {
        forget(&work)?;
    }
    measured?;
    if let Some(path) = &options.json {
        figures.store(path)?;
    }
    println!("\n{}", report::markdown(&figures, before.as_ref()));
    Ok(())
}

/// The programs that take part, with their versions.
fn programs(options: &Options) -> Result<Vec<(&'static Program, String)>> {
    let mut found = Vec::new();
    for program in PROGRAMS {
        let named = |word: &String| match program.role {
            Role::Ours if word == "ours" => true,
            Role::Bare if word == "bare" => true,
            _ => word == program.name,
        };
        let wanted = options.programs.iter().any(named);
        if !wanted && !options.programs.is_empty() {
            continue;
        }
        match install::version(program) {
            Some(version) => found.push((program, version)),
            None if wanted => bail!("{} cannot be started; try --install", program.name),
            None => println!("without {}: it is not installed (--install)", program.name),
        }
    }
    let unknown = options.programs.iter().find(|word| {
        let known = |program: &Program| program.name == word.as_str();
        !matches!(word.as_str(), "ours" | "bare") && !PROGRAMS.iter().any(known)
    });
    if let Some(word) = unknown {
        let names: Vec<_> = PROGRAMS.iter().map(|program| program.name).collect();
        bail!(
            "{word} is no program known here; known are {}",
            names.join(", ")
        );
    }
    Ok(found)
}

fn repetitions(
    options: &Options,
    programs: &[&Program],
    work: &Path,
    figures: &mut Figures,
) -> Result<()> {
    let started = Instant::now();
    for rep in 0..options.reps {
        let spent = started.elapsed();
        let next = spent.checked_div(u32::try_from(rep)?).unwrap_or_default();
        if options
            .budget
            .is_some_and(|budget| spent + next > Duration::from_secs(budget))
        {
            println!("no time is left for repetition {}", rep + 1);
            break;
        }
        for dataset in Dataset::ALL {
            if options.sets.contains(&dataset) {
                forget(work)?;
                fs::create_dir_all(work)?;
                repetition(dataset, rep, options.until, programs, work, figures)?;
                let passed = started.elapsed().as_secs();
                println!(
                    "repetition {} of {}: {dataset:?}, {passed} s",
                    rep + 1,
                    options.reps
                );
            }
        }
    }
    Ok(())
}

fn repetition(
    dataset: Dataset,
    rep: usize,
    until: Step,
    programs: &[&Program],
    work: &Path,
    figures: &mut Figures,
) -> Result<()> {
    let src = work.join("data");
    dataset.create(&src, figures.scale)?;
    let mut trials = Vec::new();
    for program in programs {
        let dir = work.join(program.name.replace(' ', "-"));
        fs::create_dir_all(dir.join("home"))?;
        let src = src.clone();
        trials.push(Trial {
            program,
            dataset,
            src,
            dir,
        });
    }
    for step in Step::ALL.into_iter().filter(|step| *step <= until) {
        if step == Step::Change {
            dataset.change(&src, figures.scale)?;
        }
        // The source is in the page cache for everyone.
        warm(&src)?;
        for turn in 0..trials.len() {
            let trial = &trials[(turn + rep) % trials.len()];
            let done = trial.step(step);
            note(figures, trial, step, done)?;
        }
    }
    let taken = compare::sizes(&src)?.1;
    figures
        .cell_mut(targets::DATA, dataset, Step::Restore)
        .bytes = Some(taken);
    Ok(())
}

/// Keeps what a step came to; only our own failure ends the run.
fn note(
    figures: &mut Figures,
    trial: &Trial<'_>,
    step: Step,
    done: Result<Option<trial::Done>>,
) -> Result<()> {
    let cell = figures.cell_mut(trial.program.name, trial.dataset, step);
    match done {
        Ok(Some(done)) => {
            cell.costs.push(done.cost);
            cell.bytes = done.bytes;
        }
        Ok(None) => {}
        Err(error) if trial.program.role == Role::Ours && step != Step::One => return Err(error),
        Err(error) => {
            println!("FAILED {:?}: {error:#}", trial.dataset);
            cell.failed = Some(format!("{error:#}").chars().take(300).collect());
        }
    }
    Ok(())
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
