//! Finds the programs to compare with, and gets them if asked to.
//!
//! What is on the search path or below `target/xtask/peers` takes part. Installing is a matter of
//! its own (`--install`): it takes long, and no comparison needs everybody. Kopia has neither a
//! crate nor a Debian package, and so is only compared with by who has it at hand.

use std::{fs, path::PathBuf, process::Command};

use anyhow::{Context as _, Result};

use super::programs::{Program, Role};
use crate::{
    needs,
    workspace::{cargo, run, scratch, target},
};

/// Versions that the commands in `programs` are written for.
const RUSTIC: [&str; 4] = ["rustic-rs", "--version", "0.11.4", "--no-default-features"];
const BUPSTASH: [&str; 3] = ["bupstash", "--version", "0.12.0"];
const BORG: &str = "borgbackup==1.4.5";

fn peers() -> PathBuf {
    scratch().join("peers")
}

/// The search path of everything that is measured: ours, what was installed, the machine's.
pub(super) fn path() -> String {
    let own = [
        target().join("release"),
        peers().join("bin"),
        peers().join("borg/bin"),
    ];
    let machine = std::env::var("PATH").unwrap_or_default();
    let own = own.map(|place| place.display().to_string());
    format!("{}:{machine}", own.join(":"))
}

/// What the program calls itself; `None` if it cannot be started.
pub(super) fn version(program: &Program) -> Option<String> {
    let shell = ["-o", "pipefail", "-c", program.version];
    let output = Command::new("bash")
        .args(shell)
        .env("PATH", path())
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let first = text.lines().next().unwrap_or_default().trim();
    let words: Vec<&str> = first.split_whitespace().take(3).collect();
    output.status.success().then(|| match program.role {
        Role::Bare => "zstd 1, AES-256-GCM".to_owned(),
        Role::Ours | Role::Peer => words.join(" "),
    })
}

/// Builds what is ours.
pub(super) fn build() -> Result<()> {
    let packages = ["--package", "strongroom", "--package", "strongroom-limits"];
    run(cargo().args(["build", "--release"]).args(packages))
}

/// How to get something.
type Way = fn() -> Result<()>;

/// Gets every peer that the registries carry; one that cannot be had is named and left out.
pub(super) fn install() -> Result<()> {
    fs::create_dir_all(peers()).context("cannot make the place for the peers")?;
    let steps: [(&str, Way); 4] = [
        ("restic and what bupstash needs", || {
            needs::tools(needs::FOR_BENCH)
        }),
        ("borg", borg),
        ("bupstash", || crate_of(&BUPSTASH)),
        ("rustic", || crate_of(&RUSTIC)),
    ];
    for (what, step) in steps {
        if let Err(error) = step() {
            println!("without {what}: {error:#}");
        }
    }
    Ok(())
}

fn borg() -> Result<()> {
    let place = peers().join("borg");
    if place.join("bin/borg").exists() {
        return Ok(());
    }
    run(Command::new("python3").args(["-m", "venv"]).arg(&place))?;
    run(Command::new(place.join("bin/pip")).args([
        "install",
        "--quiet",
        "--disable-pip-version-check",
        BORG,
    ]))
}

fn crate_of(words: &[&str]) -> Result<()> {
    // Cargo itself knows what is installed already.
    run(cargo()
        .args(["install", "--locked", "--root"])
        .arg(peers())
        .arg("--target-dir")
        .arg(peers().join("build"))
        .args(words))
}
