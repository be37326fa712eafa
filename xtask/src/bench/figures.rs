//! Everything that was measured, in memory and in a file.
//!
//! The file of the last full run is committed (`bench/last.json`), so that the next run can say
//! what became better or worse since.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use super::{
    data::{Dataset, Scale},
    measure::Cost,
    programs::{PROGRAMS, Role, Step},
};

/// A run.
#[derive(Serialize, Deserialize)]
pub(super) struct Figures {
    /// Processors, memory, system: in words.
    pub(super) machine: String,
    pub(super) scale: Scale,
    /// What took part, with its version.
    pub(super) programs: Vec<(String, String)>,
    pub(super) cells: Vec<Cell>,
}

/// One program's figures for one step on one data set.
#[derive(Serialize, Deserialize)]
pub(super) struct Cell {
    pub(super) program: String,
    pub(super) dataset: Dataset,
    pub(super) step: Step,
    /// One for each repetition, in their order.
    pub(super) costs: Vec<Cost>,
    /// Of the repository after a step that writes; taken on the disk by what a restore brought
    /// back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) bytes: Option<u64>,
    /// Why the last repetition has no figure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) failed: Option<String>,
}

impl Figures {
    pub(super) fn new(scale: Scale, programs: Vec<(String, String)>) -> Self {
        Self {
            machine: machine(),
            scale,
            programs,
            cells: Vec::new(),
        }
    }

    pub(super) fn load(path: &Path) -> Result<Self> {
        let text = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_slice(&text)
            .with_context(|| format!("{} is no file of figures", path.display()))
    }

    /// Writes one line for each cell, so that a diff of two runs can be read.
    pub(super) fn store(&self, path: &Path) -> Result<()> {
        let lines = self.cells.iter().map(serde_json::to_string);
        let lines: Vec<String> = lines.collect::<serde_json::Result<_>>()?;
        let text = format!(
            "{{\n\"machine\": {},\n\"scale\": {},\n\"programs\": {},\n\"cells\": [\n{}\n]\n}}\n",
            serde_json::to_string(&self.machine)?,
            serde_json::to_string(&self.scale)?,
            serde_json::to_string(&self.programs)?,
            lines.join(",\n")
        );
        fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
    }

    /// The cell, made if it is not there.
    pub(super) fn cell_mut(&mut self, program: &str, dataset: Dataset, step: Step) -> &mut Cell {
        let known = |cell: &Cell| cell.is(program, dataset, step);
        let place = self.cells.iter().position(known).unwrap_or_else(|| {
            self.cells.push(Cell {
                program: program.to_owned(),
                dataset,
                step,
                costs: Vec::new(),
                bytes: None,
                failed: None,
            });
            self.cells.len() - 1
        });
        &mut self.cells[place]
    }

    pub(super) fn cell(&self, program: &str, dataset: Dataset, step: Step) -> Option<&Cell> {
        self.cells
            .iter()
            .find(|cell| cell.is(program, dataset, step))
    }

    /// Median seconds.
    pub(super) fn wall(&self, program: &str, dataset: Dataset, step: Step) -> Option<f64> {
        self.median(program, dataset, step, |cost| cost.wall)
    }

    /// Median seconds of processor time.
    pub(super) fn processor(&self, program: &str, dataset: Dataset, step: Step) -> Option<f64> {
        self.median(program, dataset, step, |cost| cost.processor)
    }

    /// The largest peak of memory over all steps but the making of the repository, MiB.
    pub(super) fn peak(&self, program: &str, dataset: Dataset, steps: &[Step]) -> Option<f64> {
        let cells = steps
            .iter()
            .filter_map(|step| self.cell(program, dataset, *step));
        let peaks = cells.flat_map(|cell| cell.costs.iter().map(|cost| cost.peak_mib));
        peaks.reduce(f64::max)
    }

    /// What stands on the disk after a step, MiB.
    pub(super) fn mib(&self, program: &str, dataset: Dataset, step: Step) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "a digit or two are shown")]
        let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        self.cell(program, dataset, step)?.bytes.map(mib)
    }

    /// By how much the repository grew from the one step to the other, MiB.
    pub(super) fn growth(&self, program: &str, dataset: Dataset, steps: [Step; 2]) -> Option<f64> {
        let [from, to] = steps.map(|step| self.mib(program, dataset, step));
        Some(to? - from?)
    }

    /// The names of the programs of that role that took part.
    pub(super) fn of_role(&self, role: Role) -> impl Iterator<Item = &'static str> {
        let took_part = |name: &str| self.programs.iter().any(|(known, _)| known == name);
        PROGRAMS
            .iter()
            .filter(move |program| program.role == role && took_part(program.name))
            .map(|program| program.name)
    }

    fn median(
        &self,
        program: &str,
        dataset: Dataset,
        step: Step,
        of: impl Fn(&Cost) -> f64,
    ) -> Option<f64> {
        let cell = self.cell(program, dataset, step)?;
        let mut all: Vec<f64> = cell.costs.iter().map(of).collect();
        all.sort_by(f64::total_cmp);
        // Of an even number the lower one: it is a run that happened.
        all.get((all.len().checked_sub(1)?) / 2).copied()
    }

    /// How many processors others kept busy meanwhile: the median over everything.
    pub(super) fn disturbance(&self) -> f64 {
        let costs = self.cells.iter().flat_map(|cell| &cell.costs);
        let mut all: Vec<f64> = costs.map(|cost| cost.others).collect();
        all.sort_by(f64::total_cmp);
        all.get(all.len() / 2).copied().unwrap_or(0.0)
    }

    pub(super) fn repetitions(&self) -> usize {
        let counts = self.cells.iter().map(|cell| cell.costs.len());
        counts.max().unwrap_or(0)
    }
}

impl Cell {
    fn is(&self, program: &str, dataset: Dataset, step: Step) -> bool {
        self.program == program && self.dataset == dataset && self.step == step
    }
}

/// The machine in words, from what Linux says.
fn machine() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let values = |text: &str| -> BTreeMap<String, String> {
        let pairs = text.lines().rev().filter_map(|line| line.split_once(':'));
        pairs
            .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
            .collect()
    };
    let (processor, memory) = (
        values(&read("/proc/cpuinfo")),
        values(&read("/proc/meminfo")),
    );
    let count = std::thread::available_parallelism().map_or(0, usize::from);
    let name = processor.get("model name").cloned().unwrap_or_default();
    let kib = memory.get("MemTotal").and_then(|total| {
        let number = total.split_whitespace().next()?;
        number.parse::<u64>().ok()
    });
    let release = read("/proc/sys/kernel/osrelease");
    format!(
        "{count} processors ({name}), {} GiB of memory, Linux {}",
        kib.unwrap_or(0) >> 20,
        release.trim()
    )
}
