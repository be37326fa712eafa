//! Shows the figures: a Markdown table per data set, and everything as JSON.

use std::fmt::Write as _;

use anyhow::Result;

use super::{
    Figures,
    data::Dataset,
    measure::Cost,
    peers::{Peer, Step},
};

/// The cheapest of a cell's repetitions, each figure by itself.
fn best(figures: &Figures, name: &str, dataset: Dataset, step: Step) -> Option<Cost> {
    let all = figures.costs.get(name)?.iter();
    let mine = all
        .filter(|(set, at, _)| *set == dataset && *at == step)
        .map(|(_, _, cost)| *cost);
    mine.reduce(|a, b| Cost {
        wall: a.wall.min(b.wall),
        processor: a.processor.min(b.processor),
        peak_mib: a.peak_mib.max(b.peak_mib),
    })
}

fn size(figures: &Figures, name: &str, dataset: Dataset, step: Step) -> Option<f64> {
    let cell = (name, dataset, step);
    let bytes = figures
        .sizes
        .iter()
        .rev()
        .find(|((a, b, c), _)| (*a, *b, *c) == cell)?
        .1;
    #[expect(
        clippy::cast_precision_loss,
        reason = "one digit behind the point is shown"
    )]
    Some(bytes as f64 / f64::from(1 << 20))
}

/// The tables that docs/benchmarks.md quotes.
pub(super) fn markdown(figures: &Figures, peers: &[&Peer]) -> String {
    let mut text = String::new();
    for dataset in Dataset::ALL {
        let known = |peer: &&&Peer| best(figures, peer.name, dataset, Step::First).is_some();
        if peers.iter().any(|peer| known(&peer)) {
            table(&mut text, figures, peers, dataset);
        }
    }
    text
}

fn table(text: &mut String, figures: &Figures, peers: &[&Peer], dataset: Dataset) {
    let steps = &Step::ALL[1..];
    let titles: Vec<_> = steps.iter().map(|step| step.title()).collect();
    let _ = writeln!(text, "**{dataset:?}**: wall seconds (processor seconds)\n");
    let _ = write!(text, "| program | {} ", titles.join(" | "));
    let _ = writeln!(
        text,
        "| peak MiB: backup / restore | repository MiB: first / growth / after |"
    );
    let _ = writeln!(text, "|---{}|---|---|", "|---:".repeat(steps.len()));
    for peer in peers {
        let _ = write!(text, "| {} ", peer.name);
        for step in steps {
            match best(figures, peer.name, dataset, *step) {
                Some(cost) => {
                    let _ = write!(text, "| {:.2} ({:.2}) ", cost.wall, cost.processor);
                }
                None => text.push_str("| – "),
            }
        }
        let peak = |step| best(figures, peer.name, dataset, step).map_or(0.0, |cost| cost.peak_mib);
        let mib = |step| size(figures, peer.name, dataset, step).unwrap_or(0.0);
        let backup = [Step::First, Step::NoChange, Step::Change].map(peak);
        let backup = backup.into_iter().fold(0.0, f64::max);
        let (first, change, after) = (mib(Step::First), mib(Step::Change), mib(Step::Prune));
        let _ = write!(text, "| {backup:.0} / {:.0} ", peak(Step::Restore));
        let _ = writeln!(text, "| {first:.1} / {:.1} / {after:.1} |", change - first);
    }
    ratios(text, figures, peers, dataset);
}

/// How many times our time each peer takes.
fn ratios(text: &mut String, figures: &Figures, peers: &[&Peer], dataset: Dataset) {
    for peer in peers.iter().filter(|peer| peer.name != "strongroom") {
        let _ = write!(text, "| *{} : strongroom* ", peer.name);
        for step in &Step::ALL[1..] {
            let both = best(figures, peer.name, dataset, *step).zip(best(
                figures,
                "strongroom",
                dataset,
                *step,
            ));
            match both {
                Some((theirs, ours)) => {
                    let _ = write!(text, "| {:.1}× ", theirs.wall / ours.wall);
                }
                None => text.push_str("| – "),
            }
        }
        text.push_str("| | |\n");
    }
    text.push('\n');
}

/// Every single figure.
pub(super) fn json(figures: &Figures) -> Result<String> {
    let costs: Vec<_> = figures
        .costs
        .iter()
        .flat_map(|(name, costs)| costs.iter().map(move |cost| (name, cost)))
        .map(|(name, (dataset, step, cost))| {
            let (dataset, step) = (format!("{dataset:?}"), step.title());
            serde_json::json!({"program": name, "dataset": dataset, "step": step, "cost": cost})
        })
        .collect();
    let sizes: Vec<_> = figures
        .sizes
        .iter()
        .map(|((name, dataset, step), bytes)| {
            let (dataset, step) = (format!("{dataset:?}"), step.title());
            serde_json::json!({"program": name, "dataset": dataset, "after": step, "bytes": bytes})
        })
        .collect();
    let all = serde_json::json!({"costs": costs, "repository_bytes": sizes});
    Ok(serde_json::to_string_pretty(&all)?)
}
