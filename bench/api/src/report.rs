//! Medians, and whether the targets are reached, as a table.

use std::fmt::Write as _;

use crate::cases::Case;

/// Rates of all sizes may differ by this factor.
const FLAT: f64 = 2.0;
/// Showing one backup may cost that many bare handlers.
const OF_BARE: f64 = 0.5;

/// What was measured of one case.
pub(crate) struct Line {
    name: &'static str,
    rates: Vec<Vec<f64>>,
    bare: Vec<f64>,
}

impl Line {
    pub(crate) const fn of(case: &Case) -> Self {
        Self {
            name: case.name,
            rates: Vec::new(),
            bare: Vec::new(),
        }
    }

    /// Notes replies a second of the service at that place.
    pub(crate) fn add(&mut self, place: usize, rate: f64) {
        self.rates
            .resize(self.rates.len().max(place + 1), Vec::new());
        self.rates[place].push(rate);
    }

    /// Notes replies a second of the bare handler.
    pub(crate) fn add_bare(&mut self, rate: f64) {
        self.bare.push(rate);
    }
}

fn median(rates: &[f64]) -> f64 {
    let mut sorted = rates.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The table.
pub(crate) fn markdown(sizes: &[u64], lines: &[Line]) -> String {
    let mut text = String::from("| replies a second |");
    for size in sizes {
        let _ = write!(text, " {size} |");
    }
    text.push_str(" fastest : slowest | of bare |\n| --- |");
    text.push_str(&" ---: |".repeat(sizes.len() + 2));
    text.push('\n');
    let mut reached = 0;
    for line in lines {
        let rates: Vec<f64> = line.rates.iter().map(|rates| median(rates)).collect();
        let fastest = rates.iter().copied().fold(f64::MIN, f64::max);
        let slowest = rates.iter().copied().fold(f64::MAX, f64::min);
        let last = rates.last().copied().unwrap_or(f64::NAN);
        let (spread, share) = (fastest / slowest, last / median(&line.bare));
        let good = spread <= FLAT && (line.name != "ShowBackup" || share >= OF_BARE);
        reached += usize::from(good);
        let _ = write!(text, "| {} |", line.name);
        for rate in &rates {
            let _ = write!(text, " {rate:.0} |");
        }
        let mark = if good { "✓" } else { "✗" };
        let _ = writeln!(text, " {mark} {spread:.2} | {share:.2} |");
    }
    let _ = writeln!(
        text,
        "\n{reached} of {} are flat within a factor of {FLAT}; showing one backup must reach \
         {OF_BARE} of the bare handler.",
        lines.len()
    );
    text
}
