//! The program under test.
//!
//! `cargo xtask test` builds it and names it in `STRONGROOM_BIN`; a test that is run by hand finds
//! it beside itself in cargo's target folder.

use std::{
    ffi::OsStr,
    fs,
    os::unix::fs::chown,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// Where the program lies.
pub fn path() -> PathBuf {
    let named = std::env::var_os("STRONGROOM_BIN").map(PathBuf::from);
    let found = named.unwrap_or_else(|| {
        let test = std::env::current_exe().expect("a test knows where it lies");
        // target/debug/deps/it-0123 lies two folders below target/debug/strongroom.
        let folder = test.ancestors().nth(2).expect("cargo's folders are nested");
        folder.join("strongroom")
    });
    assert!(
        found.is_file(),
        "{} is missing; run `cargo xtask test`, or `cargo build` first",
        found.display()
    );
    found
}

/// The Python environment with the vendors' clients.
pub fn python(program: &str) -> PathBuf {
    let named = std::env::var_os("STRONGROOM_VENV").map(PathBuf::from);
    let venv = named.unwrap_or_else(|| {
        let binary = path();
        let target = binary.ancestors().nth(2).expect("target/debug/strongroom");
        target.join("xtask/venv")
    });
    let found = venv.join("bin").join(program);
    assert!(
        found.is_file(),
        "{} is missing; run `cargo xtask test` once, it installs it",
        found.display()
    );
    found
}

/// The command, untouched by the caller's environment.
pub fn command() -> Command {
    let mut command = Command::new(path());
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("OS_") || text.starts_with("STRONGROOM_") {
            command.env_remove(&name);
        }
    }
    command
}

/// The user without rights that a test run by root plays.
const NOBODY: u32 = 65534;

/// The command as run by a user without special rights, in a folder that the user may use.
///
/// Root can read everything; only so a file that cannot be read can be had.
pub fn unprivileged(folder: &Path) -> Result<Command> {
    if !rustix::process::geteuid().is_root() {
        return Ok(command());
    }
    // Where the program lies now, the user may have no business.
    let copy = folder.join("strongroom");
    fs::copy(path(), &copy)?;
    chown(folder, Some(NOBODY), Some(NOBODY))?;
    let mut command = Command::new("setpriv");
    command
        .arg(format!("--reuid={NOBODY}"))
        .arg(format!("--regid={NOBODY}"));
    command.arg("--clear-groups").arg(copy);
    Ok(command)
}

/// Commands against one data directory.
#[derive(Clone, Debug)]
pub struct Program {
    data_dir: PathBuf,
}

impl Program {
    /// Commands that find their service by that data directory.
    pub fn new(data_dir: &Path) -> Self {
        Self {
            data_dir: data_dir.to_owned(),
        }
    }

    /// Runs the words and gives everything that came out.
    pub fn try_run<S: AsRef<OsStr>>(&self, words: &[S]) -> Result<Output> {
        let mut command = command();
        command.arg("--data-dir").arg(&self.data_dir).args(words);
        command.output().context("cannot start the program")
    }

    /// Runs the words, which must succeed, and gives what they printed.
    pub fn run<S: AsRef<OsStr>>(&self, words: &[S]) -> Result<String> {
        let output = self.try_run(words)?;
        let said = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            bail!("{} ended with {}: {said}", shown(words), output.status);
        }
        String::from_utf8(output.stdout).with_context(|| format!("{} is not text", shown(words)))
    }

    /// Runs the words, which must succeed; the last line they printed.
    pub fn last_line<S: AsRef<OsStr>>(&self, words: &[S]) -> Result<String> {
        let text = self.run(words)?;
        let last = text.lines().last().unwrap_or_default();
        Ok(last.to_owned())
    }

    /// Runs the words with `--json`, which must succeed.
    pub fn json<S: AsRef<OsStr>>(&self, words: &[S]) -> Result<Value> {
        let mut all: Vec<&OsStr> = vec![OsStr::new("--json")];
        all.extend(words.iter().map(AsRef::as_ref));
        let text = self.run(&all)?;
        serde_json::from_str(&text).with_context(|| format!("{} wrote {text:?}", shown(words)))
    }

    /// Runs the words, which must fail; what they said.
    pub fn refused<S: AsRef<OsStr>>(&self, words: &[S]) -> Result<String> {
        let output = self.try_run(words)?;
        if output.status.success() {
            bail!("{} succeeded", shown(words));
        }
        Ok(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

fn shown<S: AsRef<OsStr>>(words: &[S]) -> String {
    let words: Vec<_> = words
        .iter()
        .map(|word| word.as_ref().to_string_lossy())
        .collect();
    format!("strongroom {}", words.join(" "))
}

/// Runs a scenario of `e2e/python`, which must succeed.
pub fn scenario<S: AsRef<OsStr>>(name: &str, words: &[S]) -> Result<()> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/python/");
    let output = Command::new(python("python"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .arg(format!("{folder}{name}"))
        .args(words)
        .output()?;
    if !output.status.success() {
        bail!(
            "{name} failed:\n{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(())
}
