//! When runs become too many: which of them to merge.
//!
//! Every save adds a run, and a chunk that is not there is asked of every run. A *generation* is
//! what one merge wrote: runs of one epoch that do not overlap, of which a lookup asks one. Once
//! there are more than so many generations, the smallest are merged, together with every larger
//! one that is not much larger than all before it. So an entry is written anew about as often as
//! its repository doubles.

use std::{cmp::Reverse, sync::Arc};

use super::Run;

/// Generations that may stand.
pub(crate) const GENERATIONS_MAX: usize = 16;
/// A generation joins a merge if it has at most so many times the entries of all smaller ones.
const GROWTH: usize = 2;

/// The runs to merge, newest first; none while there are few generations.
pub(crate) fn crowded(runs: &[Arc<Run>]) -> Vec<Arc<Run>> {
    let mut generations = generations(runs);
    if generations.len() <= GENERATIONS_MAX {
        return Vec::new();
    }
    let entries = |generation: &[Arc<Run>]| generation.iter().map(|run| run.len()).sum::<usize>();
    generations.sort_by_key(|generation| entries(generation));
    let least = generations.len() - GENERATIONS_MAX / 2;
    let (mut merged, mut sum) = (Vec::new(), 0);
    for (at, generation) in generations.into_iter().enumerate() {
        let count = entries(&generation);
        if at > least && count > sum * GROWTH {
            break;
        }
        sum += count;
        merged.extend(generation);
    }
    merged.sort_by_key(|run| (Reverse(run.epoch()), run.id()));
    merged
}

/// The runs by what merge wrote them.
fn generations(runs: &[Arc<Run>]) -> Vec<Vec<Arc<Run>>> {
    let mut sorted: Vec<&Arc<Run>> = runs.iter().collect();
    sorted.sort_by_key(|run| (run.epoch(), run.ends()));
    let mut generations: Vec<Vec<Arc<Run>>> = Vec::new();
    for run in sorted {
        let follows = generations
            .last()
            .and_then(|generation| generation.last())
            .is_some_and(|last| last.epoch() == run.epoch() && last.ends().1 < run.ends().0);
        match generations.last_mut() {
            Some(generation) if follows => generation.push(Arc::clone(run)),
            _ => generations.push(vec![Arc::clone(run)]),
        }
    }
    generations
}
