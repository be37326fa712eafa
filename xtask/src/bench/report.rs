//! Shows the figures as Markdown: the targets first, then a table per data set.

use std::fmt::Write as _;

use super::{
    data::Dataset,
    figures::Figures,
    programs::{PROGRAMS, Role, Step},
    targets::{TARGETS, Verdict},
};

/// The text that docs/benchmarks.md quotes.
pub(super) fn markdown(figures: &Figures, before: Option<&Figures>) -> String {
    let mut text = String::new();
    let versions: Vec<String> = figures
        .programs
        .iter()
        .map(|(name, version)| format!("{name} ({version})"))
        .collect();
    let _ = writeln!(
        text,
        "{}; {:?} scale, medians of {} repetitions; others kept {:.2} processors busy.\n\n{}.\n",
        figures.machine,
        figures.scale,
        figures.repetitions(),
        figures.disturbance(),
        versions.join(", ")
    );
    targets(&mut text, figures);
    for dataset in measured(figures) {
        table(&mut text, figures, before, dataset);
    }
    text
}

fn measured(figures: &Figures) -> Vec<Dataset> {
    let known = |set: &Dataset| figures.cells.iter().any(|cell| cell.dataset == *set);
    Dataset::ALL.into_iter().filter(known).collect()
}

/// What must be reached, and by how much it is or is not.
fn targets(text: &mut String, figures: &Figures) {
    let sets = measured(figures);
    let names: Vec<String> = sets.iter().map(|set| format!("{set:?}")).collect();
    let _ = writeln!(text, "| target | {} |", names.join(" | "));
    let _ = writeln!(text, "|---|{}", "---|".repeat(sets.len()));
    let (mut reached, mut all) = (0, 0);
    for target in TARGETS {
        let _ = write!(text, "| {} ", target.words);
        for set in &sets {
            let wanted = target.datasets.contains(set);
            let Some(verdict) = wanted.then(|| target.verdict(figures, *set)).flatten() else {
                text.push_str(if wanted { "| ? " } else { "| " });
                continue;
            };
            all += 1;
            reached += usize::from(verdict.reached());
            let _ = write!(text, "| {} ", shown(&verdict));
        }
        text.push_str("|\n");
    }
    let _ = writeln!(text, "\n{reached} of {all} targets are reached.\n");
}

fn shown(verdict: &Verdict) -> String {
    let Verdict {
        figure,
        bound,
        rival,
        seconds,
    } = verdict;
    let mark = if verdict.reached() { "✓" } else { "✗" };
    let rival = rival
        .as_ref()
        .map(|rival| format!(" {rival}"))
        .unwrap_or_default();
    let figures = if *seconds {
        format!("{figure:.3} of {bound:.3} s")
    } else {
        format!("{figure:.1} of {bound:.1} MiB")
    };
    format!("{mark} {figures} ({:.2}){rival}", verdict.strain())
}

fn table(text: &mut String, figures: &Figures, before: Option<&Figures>, dataset: Dataset) {
    let steps = &Step::ALL[1..];
    let titles: Vec<_> = steps.iter().map(|step| step.title()).collect();
    let _ = writeln!(text, "**{dataset:?}**: wall seconds (processor seconds)\n");
    let _ = write!(text, "| program | {} ", titles.join(" | "));
    let _ = writeln!(
        text,
        "| peak MiB: backup / restore / all | repository MiB: first / growth / after |"
    );
    let _ = writeln!(text, "|---{}|---|---|", "|---:".repeat(steps.len()));
    let took_part = |name: &str| figures.programs.iter().any(|(known, _)| known == name);
    for program in PROGRAMS.iter().filter(|program| took_part(program.name)) {
        let _ = write!(text, "| {} ", program.name);
        for step in steps {
            let times = figures
                .wall(program.name, dataset, *step)
                .zip(figures.processor(program.name, dataset, *step));
            let failed = figures
                .cell(program.name, dataset, *step)
                .is_some_and(|cell| cell.failed.is_some());
            let _ = match times {
                _ if failed => write!(text, "| failed "),
                Some((wall, processor)) => write!(text, "| {wall:.3} ({processor:.2}) "),
                None => write!(text, "| – "),
            };
        }
        let peak = |steps: &[Step]| number(figures.peak(program.name, dataset, steps), 0);
        let saves = [Step::First, Step::NoChange, Step::Change];
        let _ = write!(
            text,
            "| {} / {} / {} ",
            peak(&saves),
            peak(&[Step::Restore]),
            peak(steps)
        );
        let growth = figures.growth(program.name, dataset, [Step::NoChange, Step::Change]);
        let _ = writeln!(
            text,
            "| {} / {} / {} |",
            number(figures.mib(program.name, dataset, Step::First), 1),
            number(growth, 1),
            number(figures.mib(program.name, dataset, Step::Prune), 1)
        );
    }
    ratios(text, figures, dataset);
    if let Some(before) = before {
        since(text, figures, before, dataset);
    }
    text.push('\n');
}

fn number(figure: Option<f64>, digits: usize) -> String {
    figure.map_or_else(|| "–".to_owned(), |figure| format!("{figure:.digits$}"))
}

/// How many times our time everyone else takes.
fn ratios(text: &mut String, figures: &Figures, dataset: Dataset) {
    let others = figures
        .of_role(Role::Bare)
        .chain(figures.of_role(Role::Peer));
    for other in others {
        let _ = write!(text, "| *{other} : strongroom* ");
        for step in &Step::ALL[1..] {
            let theirs = figures.wall(other, dataset, *step);
            let _ = match theirs.zip(figures.wall("strongroom", dataset, *step)) {
                Some((theirs, ours)) => write!(text, "| {:.2}× ", theirs / ours),
                None => write!(text, "| – "),
            };
        }
        text.push_str("| | |\n");
    }
}

/// Our times now against the last run's, each measured in its own run's bare pipeline.
fn since(text: &mut String, figures: &Figures, before: &Figures, dataset: Dataset) {
    if before.scale != figures.scale {
        return;
    }
    let relative = |run: &Figures, step: Step| {
        let yardstick = match step {
            Step::Restore | Step::One | Step::Check => Step::Restore,
            _ => Step::First,
        };
        let bare = run.wall("bare pipeline", dataset, yardstick)?;
        Some(run.wall("strongroom", dataset, step)? / bare)
    };
    text.push_str("| *now : last run* ");
    for step in &Step::ALL[1..] {
        let _ = match relative(figures, *step).zip(relative(before, *step)) {
            Some((now, then)) => write!(text, "| {:.2}× ", now / then),
            None => write!(text, "| – "),
        };
    }
    text.push_str("| | |\n");
}
