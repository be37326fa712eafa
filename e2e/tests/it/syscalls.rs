//! System calls that fail under the real binary: any call of any kind may be interrupted, find a
//! bad disk or a full one. Whatever a command acknowledged is there afterwards, byte for byte,
//! whatever it refused it gave a reason for, and a clean run succeeds.
//!
//! `strace` makes the chosen call of each thread fail without being made. Which command, call,
//! error and turn is drawn from a printed seed (`STRONGROOM_SYSCALLS_SEED`); how many are tried is
//! `STRONGROOM_SYSCALLS_RUNS`. Calls of the loader, before the program begins, fail as well: then
//! nothing was done, and the loader says why.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::{Command, Output},
};

use anyhow::{Context, Result, ensure};
use strongroom_e2e::{
    binary, data,
    draws::{Draws, setting},
    fingerprint::Fingerprint,
};

use crate::repository::Workshop;

/// How many faults a run of all tests tries.
const RUNS: u64 = 60;
const SEED: u64 = 7;
/// Turns of a call that may fail, counted in each thread; the loader takes some of the first.
const TURNS: u64 = 40;

/// Kinds of calls, as `strace` names them: what reads, and what writes.
const READING: &[&str] = &[
    "openat",
    "read",
    "pread64",
    "statx",
    "getdents64",
    "lseek",
    "flistxattr",
    "readlinkat",
];
const WRITING: &[&str] = &[
    "openat",
    "write",
    "pwrite64",
    "fsync",
    "fdatasync",
    "mkdirat",
    "renameat2",
    "linkat",
    "unlinkat",
    "ftruncate",
    "fallocate",
    "symlinkat",
    "utimensat",
    "fchmodat",
    "fsetxattr",
];

/// A call that fails.
#[derive(Debug)]
struct Fault {
    call: &'static str,
    error: &'static str,
    turn: u64,
}

struct Ordeal {
    shop: Workshop,
    draws: Draws,
    /// What was acknowledged.
    kept: BTreeMap<String, Fingerprint>,
    refused: u64,
}

impl Ordeal {
    fn begin(seed: u64) -> Result<Self> {
        let shop = Workshop::new()?;
        let mut ordeal = Self {
            shop,
            draws: Draws::new(seed),
            kept: BTreeMap::new(),
            refused: 0,
        };
        let (repo, files) = (ordeal.shop.repository(), ordeal.shop.path("files"));
        for tag in ["first", "second"] {
            ordeal.shop.run(&["backup", &repo, &files, "--tag", tag])?;
            let print = Fingerprint::of(files.as_ref())?;
            ordeal.kept.insert(tag.to_owned(), print);
            data::edit_share(files.as_ref(), seed)?;
        }
        Ok(ordeal)
    }

    fn fault(&mut self) -> Fault {
        let writing = self.draws.below(2) == 0;
        let (calls, errors): (_, &[_]) = if writing {
            (WRITING, &["ENOSPC", "EIO", "EINTR"])
        } else {
            (READING, &["EIO", "EINTR"])
        };
        let call = calls[self.draws.place(calls.len())];
        let error = errors[self.draws.place(errors.len())];
        // Rare calls have few turns; late ones are past what the loader does.
        let turns = if self.draws.below(2) == 0 {
            TURNS / 8
        } else {
            TURNS
        };
        let turn = 1 + self.draws.below(turns);
        Fault { call, error, turn }
    }

    /// Runs `repo …` while the call fails.
    fn with(&self, fault: &Fault, words: &[&str]) -> Result<Output> {
        let Fault { call, error, turn } = fault;
        let mut strace = Command::new("strace");
        strace.args(["-f", "--seccomp-bpf", "-qq", "-o", "/dev/null"]);
        strace.args(["-e", &format!("trace={call}")]);
        strace.args(["-e", &format!("inject={call}:error={error}:when={turn}")]);
        strace.arg(binary::path()).arg("repo").args(words);
        strace.env("STRONGROOM_KEY_FILE", self.shop.place("key"));
        strace.output().context("cannot start strace")
    }

    /// Whether the command says that it succeeded; if not, it must say why.
    fn succeeded(&mut self, output: &Output) -> Result<bool> {
        if output.status.success() {
            return Ok(true);
        }
        self.refused += 1;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(!said.trim().is_empty(), "it failed without a word");
        ensure!(!said.contains("panicked"), "it panicked: {said}");
        Ok(false)
    }

    fn backup(&mut self, fault: &Fault) -> Result<()> {
        let (repo, files) = (self.shop.repository(), self.shop.path("files"));
        data::edit_share(files.as_ref(), self.draws.made())?;
        let tag = format!("tag-{}", self.draws.made());
        let output = self.with(fault, &["backup", &repo, &files, "--tag", &tag])?;
        if self.succeeded(&output)? {
            self.kept.insert(tag, Fingerprint::of(files.as_ref())?);
        }
        Ok(())
    }

    fn restore(&mut self, fault: &Fault) -> Result<()> {
        let at = self.draws.place(self.kept.len());
        let tag = self.kept.keys().nth(at).expect("drawn below").clone();
        let to = self.shop.path("restored");
        let repo = self.shop.repository();
        let output = self.with(fault, &["restore", &repo, &tag, "--to", &to])?;
        if self.succeeded(&output)? {
            self.kept[&tag].compare(to.as_ref())?;
        }
        remove(to.as_ref())
    }

    fn collect(&mut self, fault: &Fault) -> Result<()> {
        let repo = self.shop.repository();
        if self.kept.len() > 3 {
            let at = self.draws.place(self.kept.len());
            let tag = self.kept.keys().nth(at).expect("drawn below").clone();
            self.kept.remove(&tag);
            self.shop.run(&["forget", &repo, &tag])?;
        }
        let output = self.with(fault, &["collect", &repo])?;
        self.succeeded(&output)?;
        self.shop.run(&["check", &repo, "--read-data"]).map(drop)
    }

    fn check(&mut self, fault: &Fault) -> Result<()> {
        let repo = self.shop.repository();
        let output = self.with(fault, &["check", &repo, "--read-data"])?;
        self.succeeded(&output).map(drop)
    }

    fn step(&mut self) -> Result<()> {
        let fault = self.fault();
        let (name, done) = match self.draws.below(7) {
            0..=2 => ("backup", self.backup(&fault)),
            3 | 4 => ("restore", self.restore(&fault)),
            5 => ("collect", self.collect(&fault)),
            _ => ("check", self.check(&fault)),
        };
        done.with_context(|| {
            format!(
                "seed {}, after {} draws: {name} with {fault:?}",
                self.draws.seed(),
                self.draws.made()
            )
        })
    }

    /// Clean runs succeed, and everything that was acknowledged comes back.
    fn end(&self) -> Result<()> {
        let repo = self.shop.repository();
        self.shop.run(&["collect", &repo])?;
        self.shop.run(&["check", &repo, "--read-data"])?;
        for (tag, print) in &self.kept {
            let to = self.shop.path(&format!("last {tag}"));
            self.shop.run(&["restore", &repo, tag, "--to", &to])?;
            print
                .compare(to.as_ref())
                .with_context(|| format!("{tag} comes back as something else"))?;
            remove(to.as_ref())?;
        }
        Ok(())
    }
}

fn remove(place: &Path) -> Result<()> {
    if place.exists() {
        fs::remove_dir_all(place)?;
    }
    Ok(())
}

#[test]
fn whatever_call_fails_what_was_acknowledged_is_there_and_a_clean_run_succeeds() -> Result<()> {
    let seed = setting("STRONGROOM_SYSCALLS_SEED", SEED)?;
    println!("seed {seed}");
    let mut ordeal = Ordeal::begin(seed)?;
    let runs = setting("STRONGROOM_SYSCALLS_RUNS", RUNS)?;
    for _ in 0..runs {
        ordeal.step()?;
    }
    ordeal.end().with_context(|| format!("seed {seed}"))?;
    let (kept, refused) = (ordeal.kept.len(), ordeal.refused);
    println!("{runs} faults, {refused} commands refused, {kept} backups kept");
    ensure!(refused > 0, "no fault was ever met");
    Ok(())
}

#[test]
fn an_interrupted_call_is_made_again() -> Result<()> {
    let ordeal = Ordeal::begin(SEED)?;
    let (repo, files) = (ordeal.shop.repository(), ordeal.shop.path("files"));
    for (number, call) in ["pread64", "fsync", "getdents64"].into_iter().enumerate() {
        let fault = Fault {
            call,
            error: "EINTR",
            turn: 3,
        };
        data::edit_share(files.as_ref(), number as u64)?;
        let output = ordeal.with(&fault, &["backup", &repo, &files])?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{call} was interrupted: {said}");
    }
    Ok(())
}
