//! What takes too long for every change: the tests marked for the night, then the fuzz targets.
//!
//! A test belongs here when it says `#[ignore = "nightly: why"]`; the mark is read from the source,
//! because other ignored tests are children of their neighbours or print figures, and must not run
//! by themselves. Fuzz targets are whatever `fuzz/Cargo.toml` declares.
//!
//! Invariant: a mark that is followed by no test fails the task; nothing marked is passed over.

use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

use crate::{
    needs, tidy,
    workspace::{cargo, root, run, target},
};

/// How long, and what.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// How long each fuzz target runs.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    fuzz_seconds: u64,
    /// Leaves out the fuzz targets.
    #[arg(long)]
    no_fuzz: bool,
    /// Names what would run, and runs nothing.
    #[arg(long)]
    list: bool,
}

/// The beginning of the mark. The break keeps this file from marking anything itself.
const MARK: &str = concat!("#[ignore = \"", "nightly:");

/// How they are built: a year is simulated in an hour instead of a night.
const PROFILE: &str = "night";

pub(crate) fn task(options: &Options) -> Result<()> {
    let mut tests = Vec::new();
    for file in tidy::files()? {
        if let Some(text) = file.rust() {
            let found = marked(text).with_context(|| format!("in {}", file.path()))?;
            tests.extend(found);
        }
    }
    tests.sort_unstable();
    tests.dedup();
    let targets = if options.no_fuzz {
        Vec::new()
    } else {
        fuzz_targets()?
    };
    if options.list {
        for name in tests.iter().chain(&targets) {
            println!("{name}");
        }
        return Ok(());
    }
    if !tests.is_empty() {
        ignored(&tests)?;
    }
    for target in &targets {
        fuzz(target, options.fuzz_seconds)?;
    }
    println!(
        "nightly: {} tests and {} fuzz targets passed",
        tests.len(),
        targets.len()
    );
    Ok(())
}

/// The names of the functions behind the marks.
fn marked(text: &str) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for behind in text.split(MARK).skip(1) {
        let name = behind.split_once("fn ").and_then(|(between, rest)| {
            // Attributes may stand between, but not the end of something else.
            let clear = !between.contains('}');
            let name = rest.split('(').next()?;
            clear.then(|| name.trim().to_owned())
        });
        names.push(name.context("a nightly mark stands before no test")?);
    }
    Ok(names)
}

fn ignored(tests: &[String]) -> Result<()> {
    needs::tools(needs::FOR_TESTS)?;
    let venv = needs::python()?;
    run(cargo().args(["build", "--profile", PROFILE, "--package", "strongroom"]))?;
    let mut command = cargo();
    if needs::has_nextest() {
        let names: Vec<String> = tests
            .iter()
            .map(|name| format!("test(/(^|::){name}$/)"))
            .collect();
        command
            .args(["nextest", "run", "--workspace", "--profile", "nightly"])
            .args([
                "--cargo-profile",
                PROFILE,
                "--run-ignored",
                "only",
                "-E",
                &names.join(" | "),
            ]);
    } else {
        command
            .args(["test", "--profile", PROFILE, "--workspace", "--all-targets"])
            .args(["--", "--ignored"])
            .args(tests);
    }
    command
        .env("STRONGROOM_BIN", target().join(PROFILE).join("strongroom"))
        .env("STRONGROOM_VENV", &venv)
        .env("STRONGROOM_TEST_WEED", venv.join("bin/weed"));
    run(&mut command)
}

fn fuzz_targets() -> Result<Vec<String>> {
    let manifest = root().join("fuzz/Cargo.toml");
    if !manifest.exists() {
        return Ok(Vec::new());
    }
    let text = std::fs::read_to_string(&manifest).context("cannot read fuzz/Cargo.toml")?;
    let names = bins(&text);
    ensure!(!names.is_empty(), "fuzz/Cargo.toml declares no target");
    Ok(names)
}

/// The names of the binaries that a manifest declares.
fn bins(manifest: &str) -> Vec<String> {
    manifest
        .split("[[bin]]")
        .skip(1)
        .filter_map(|table| {
            let line = table
                .lines()
                .find(|line| line.trim_start().starts_with("name"))?;
            Some(line.split('"').nth(1)?.to_owned())
        })
        .collect()
}

fn fuzz(target: &str, seconds: u64) -> Result<()> {
    let found = cargo().args(["fuzz", "--version"]).output();
    if !found.is_ok_and(|output| output.status.success()) {
        bail!("cargo-fuzz is missing; by hand: cargo install cargo-fuzz (or --no-fuzz)");
    }
    let mut command: Command = cargo();
    command
        .args(["fuzz", "run", target, "--"])
        .arg(format!("-max_total_time={seconds}"))
        // The sanitizers' flags are still closed to stable compilers.
        .env("RUSTC_BOOTSTRAP", "1");
    run(&mut command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marked_tests_are_found_by_name_and_others_are_not() {
        let text = format!(
            "#[test]\n{MARK} ten minutes\"]\nfn fifty_million_chunks() {{}}\n\
             #[test]\n#[ignore = \"a child\"]\nfn child() {{}}\n\
             {MARK} slow\"]\n#[expect(lint)]\n#[test]\nfn another() {{}}\n"
        );
        assert_eq!(marked(&text).unwrap(), ["fifty_million_chunks", "another"]);
        assert!(marked(&format!("{MARK} lost\"]\n}}\n")).is_err());
    }

    #[test]
    fn fuzz_targets_are_the_binaries_of_their_manifest() {
        let manifest = "[package]\nname = \"fuzz\"\n[[bin]]\nname = \"header\"\npath = \"x\"\n\
                        [[bin]]\npath = \"y\"\nname = \"slot\"\n";
        assert_eq!(bins(manifest), ["header", "slot"]);
        assert!(bins("[package]\nname = \"fuzz\"\n").is_empty());
    }
}
