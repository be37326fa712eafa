//! What the engine must reach, as data; and whether it did.
//!
//! A target compares a figure of ours with the bare pipeline's, with the best peer's of the same
//! run, or with a fixed bound. Where nobody took part to compare with, there is no verdict: a
//! target is never reached for want of a rival.

use super::{
    data::Dataset::{self, D1, D2, D3, D4},
    figures::Figures,
    programs::{Role, Step},
};

const OURS: &str = "strongroom";
const ALL: &[Dataset] = &Dataset::ALL;

/// Something to compare; smaller is better.
#[derive(Clone, Copy, Debug)]
enum Figure {
    /// Seconds of a step.
    Wall(Step),
    /// MiB of the repository after the first backup.
    Stored,
    /// MiB that the change adds to the repository.
    Growth,
    /// MiB beyond the first backup after everything but the last state was forgotten.
    Left,
    /// MiB of memory at the peak, over all steps.
    Peak,
    /// MiB that the restored data takes on the disk.
    Restored,
}

/// With what it is compared.
#[derive(Clone, Copy, Debug)]
enum Against {
    /// The bare pipeline's figure, times this.
    Bare(f64),
    /// The best peer's figure, times this.
    Peers(f64),
    /// The best of restic's and rustic's, times this.
    Kin(f64),
    /// What the data itself takes, times this.
    Data(f64),
    /// This many seconds or MiB.
    Fixed(f64),
}

/// A line of the table.
pub(super) struct Target {
    pub(super) words: &'static str,
    pub(super) datasets: &'static [Dataset],
    figure: Figure,
    against: Against,
}

const fn target(
    words: &'static str,
    datasets: &'static [Dataset],
    figure: Figure,
    against: Against,
) -> Target {
    Target {
        words,
        datasets,
        figure,
        against,
    }
}

/// Every target; one for several data sets stands in several lines where its bound differs.
pub(super) const TARGETS: &[Target] = &[
    target(
        "first backup ≤ 1.25 × bare",
        ALL,
        Figure::Wall(Step::First),
        Against::Bare(1.25),
    ),
    target(
        "first backup, faster than every peer",
        ALL,
        Figure::Wall(Step::First),
        Against::Peers(1.0),
    ),
    target(
        "no change ≤ 0.5 × fastest peer",
        &[D1],
        Figure::Wall(Step::NoChange),
        Against::Peers(0.5),
    ),
    target(
        "no change < 0.03 s",
        &[D2, D3, D4],
        Figure::Wall(Step::NoChange),
        Against::Fixed(0.03),
    ),
    target(
        "change ≤ 0.4 × fastest peer",
        &[D1, D2],
        Figure::Wall(Step::Change),
        Against::Peers(0.4),
    ),
    target(
        "change ≤ 0.2 × fastest peer",
        &[D3],
        Figure::Wall(Step::Change),
        Against::Peers(0.2),
    ),
    target(
        "change ≤ 0.6 × fastest peer",
        &[D4],
        Figure::Wall(Step::Change),
        Against::Peers(0.6),
    ),
    target(
        "growth ≤ smallest peer",
        &[D1],
        Figure::Growth,
        Against::Peers(1.0),
    ),
    target(
        "growth ≤ 0.2 × smallest peer",
        &[D2, D3, D4],
        Figure::Growth,
        Against::Peers(0.2),
    ),
    target(
        "restore ≤ 1.3 × bare",
        ALL,
        Figure::Wall(Step::Restore),
        Against::Bare(1.3),
    ),
    target(
        "restore ≤ 0.65 × fastest peer",
        ALL,
        Figure::Wall(Step::Restore),
        Against::Peers(0.65),
    ),
    target(
        "sparse stays sparse",
        &[D3],
        Figure::Restored,
        Against::Data(1.05),
    ),
    target(
        "one file or MiB < 0.03 s",
        &[D1, D3],
        Figure::Wall(Step::One),
        Against::Fixed(0.03),
    ),
    target(
        "list < 0.03 s",
        ALL,
        Figure::Wall(Step::List),
        Against::Fixed(0.03),
    ),
    target(
        "check ≤ 0.35 × fastest peer",
        ALL,
        Figure::Wall(Step::Check),
        Against::Peers(0.35),
    ),
    target(
        "forget + collect, faster than restic and rustic",
        ALL,
        Figure::Wall(Step::Prune),
        Against::Kin(1.0),
    ),
    target(
        "left behind, less than restic and rustic",
        ALL,
        Figure::Left,
        Against::Kin(1.0),
    ),
    target(
        "stored ≤ 1.08 × restic and rustic",
        ALL,
        Figure::Stored,
        Against::Kin(1.08),
    ),
    target(
        "peak memory ≤ 200 MiB",
        ALL,
        Figure::Peak,
        Against::Fixed(200.0),
    ),
];

/// Whether a target is reached on a data set.
pub(super) struct Verdict {
    pub(super) figure: f64,
    /// The largest figure allowed.
    pub(super) bound: f64,
    /// With what it was compared; `None` for a fixed bound.
    pub(super) rival: Option<String>,
    pub(super) seconds: bool,
}

impl Verdict {
    pub(super) fn reached(&self) -> bool {
        self.figure <= self.bound
    }

    /// How far beyond the bound: 1 is at it, less is better.
    pub(super) fn strain(&self) -> f64 {
        self.figure / self.bound.max(0.001)
    }
}

impl Target {
    pub(super) fn verdict(&self, figures: &Figures, dataset: Dataset) -> Option<Verdict> {
        let of = |name: &str| self.figure.of(figures, name, dataset);
        let best = |names: &mut dyn Iterator<Item = &'static str>| {
            names
                .filter_map(|name| Some((of(name)?, name.to_owned())))
                .min_by(|a, b| a.0.total_cmp(&b.0))
        };
        let (rival, factor) = match self.against {
            Against::Bare(factor) => (best(&mut figures.of_role(Role::Bare))?, factor),
            Against::Peers(factor) => (best(&mut figures.of_role(Role::Peer))?, factor),
            Against::Kin(factor) => {
                let kin = |name: &&str| matches!(*name, "restic" | "rustic");
                let mut kin = figures.of_role(Role::Peer).filter(kin);
                (best(&mut kin)?, factor)
            }
            Against::Data(factor) => {
                let data = figures.mib(DATA, dataset, Step::Restore)?;
                ((data, "the data".to_owned()), factor)
            }
            Against::Fixed(bound) => ((bound, String::new()), 1.0),
        };
        Some(Verdict {
            figure: of(OURS)?,
            bound: rival.0 * factor,
            rival: Some(rival.1).filter(|name| !name.is_empty()),
            seconds: matches!(self.figure, Figure::Wall(_)),
        })
    }
}

/// The name under which the data's own size is kept among the figures.
pub(super) const DATA: &str = "data";

impl Figure {
    fn of(self, figures: &Figures, name: &str, dataset: Dataset) -> Option<f64> {
        match self {
            Self::Wall(step) => figures.wall(name, dataset, step),
            Self::Stored => figures.mib(name, dataset, Step::First),
            Self::Growth => figures.growth(name, dataset, [Step::NoChange, Step::Change]),
            Self::Left => figures.growth(name, dataset, [Step::First, Step::Prune]),
            Self::Peak => figures.peak(name, dataset, &Step::ALL),
            Self::Restored => figures.mib(name, dataset, Step::Restore),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::data::Scale, *};
    use crate::bench::measure::Cost;

    fn figures(names: &[&str]) -> Figures {
        let named = names.iter().map(|name| ((*name).to_owned(), String::new()));
        Figures::new(Scale::Small, named.collect())
    }

    fn took(figures: &mut Figures, name: &str, step: Step, walls: &[f64]) {
        let cost = |wall: &f64| Cost {
            wall: *wall,
            processor: 0.0,
            peak_mib: 50.0,
            others: 0.0,
        };
        figures.cell_mut(name, D1, step).costs = walls.iter().map(cost).collect();
    }

    fn named(words: &str) -> &'static Target {
        let found = TARGETS.iter().find(|target| target.words == words);
        found.expect("the target is there")
    }

    #[test]
    fn a_target_is_judged_by_medians_against_the_best_peer() {
        let mut figures = figures(&["strongroom", "restic", "borg"]);
        took(&mut figures, "strongroom", Step::Restore, &[9.0, 0.5, 0.6]);
        took(&mut figures, "restic", Step::Restore, &[2.0]);
        took(&mut figures, "borg", Step::Restore, &[1.0, 0.8, 1.2]);
        let verdict = named("restore ≤ 0.65 × fastest peer").verdict(&figures, D1);
        let verdict = verdict.unwrap();
        assert!(verdict.reached() && verdict.seconds);
        assert_eq!(verdict.rival.as_deref(), Some("borg"));
        assert!((verdict.figure - 0.6).abs() < 1e-9 && (verdict.bound - 0.65).abs() < 1e-9);
        took(&mut figures, "strongroom", Step::Restore, &[0.7]);
        let verdict = named("restore ≤ 0.65 × fastest peer").verdict(&figures, D1);
        assert!(!verdict.unwrap().reached());
    }

    #[test]
    fn without_a_rival_there_is_no_verdict() {
        let mut figures = figures(&["strongroom"]);
        took(&mut figures, "strongroom", Step::First, &[1.0]);
        assert!(
            named("first backup ≤ 1.25 × bare")
                .verdict(&figures, D1)
                .is_none()
        );
        assert!(
            named("first backup, faster than every peer")
                .verdict(&figures, D1)
                .is_none()
        );
        assert!(
            named("peak memory ≤ 200 MiB")
                .verdict(&figures, D1)
                .unwrap()
                .reached()
        );
    }
}
