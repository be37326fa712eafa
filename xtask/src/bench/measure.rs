//! Runs one command and tells what it cost: wall time, processor time, peak memory.
//!
//! The kernel keeps the peak memory of ended children per process, as one maximum over all of
//! them; so each command runs under a fresh `cargo xtask` process of its own ([`probe`]), whose
//! only child it is, and which reports in one line of JSON.

use std::{fs, path::Path, process::Command, time::Instant};

use anyhow::{Context as _, Result, bail};
use nix::sys::resource::{UsageWho, getrusage};
use serde::{Deserialize, Serialize};

/// What a command cost.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Cost {
    /// Seconds from start to end.
    pub(super) wall: f64,
    /// Seconds of processor time, user and system, of all its processes.
    pub(super) processor: f64,
    /// Peak resident memory of its largest process, MiB.
    pub(super) peak_mib: f64,
    /// Processors that the rest of the machine kept busy meanwhile.
    #[serde(default)]
    pub(super) others: f64,
}

/// The hidden task: runs `shell` and prints its cost.
pub(crate) fn probe(shell: &str) -> Result<()> {
    let (started, busy) = (Instant::now(), busy());
    let status = Command::new("bash")
        .args(["-o", "pipefail", "-c", shell])
        .status()
        .context("cannot start bash")?;
    let wall = started.elapsed().as_secs_f64();
    let busy = self::busy() - busy;
    if !status.success() {
        bail!("{shell}: {status}");
    }
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).context("cannot ask for usage")?;
    #[expect(
        clippy::cast_precision_loss,
        reason = "microseconds and KiB of one command"
    )]
    let (processor, peak_mib) = (
        [usage.user_time(), usage.system_time()]
            .map(|time| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6)
            .iter()
            .sum(),
        usage.max_rss() as f64 / 1024.0,
    );
    let micro = |figure: f64| (figure * 1e6).round() / 1e6;
    let cost = Cost {
        wall: micro(wall),
        processor: micro(processor),
        peak_mib,
        others: micro(((busy - processor) / wall.max(0.01)).max(0.0)),
    };
    eprintln!("{}", serde_json::to_string(&cost)?);
    Ok(())
}

/// Seconds that all processors together have worked since the machine's start.
fn busy() -> f64 {
    let text = fs::read_to_string("/proc/stat").unwrap_or_default();
    let line = text.lines().next().unwrap_or_default();
    let ticks: Vec<f64> = line
        .split_whitespace()
        .skip(1)
        .take(8)
        .filter_map(|word| word.parse().ok())
        .collect();
    // The fourth and the fifth are idling and waiting; a tick is a hundredth of a second.
    let idle: f64 = ticks.iter().skip(3).take(2).sum();
    (ticks.iter().sum::<f64>() - idle) / 100.0
}

/// Runs `shell` with these variables and in that directory; its output is thrown away.
pub(super) fn measure(shell: &str, variables: &[(String, String)], dir: &Path) -> Result<Cost> {
    let me = std::env::current_exe().context("where is this program?")?;
    nix::unistd::sync();
    let output = Command::new(me)
        .args(["bench-probe", shell])
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .current_dir(dir)
        .output()
        .context("cannot start the probe")?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        bail!("{shell}\n{said}");
    }
    let line = said.lines().last().context("the probe said nothing")?;
    serde_json::from_str(line).with_context(|| format!("the probe said {line:?}"))
}
