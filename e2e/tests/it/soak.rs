//! A soak: the real binary, for as long as one likes. Trees and images change at random; saves,
//! forgettings, collections, checks and restores come in any order, several at once; processes are
//! killed, and the disk is full for some. Every backup that was ever acknowledged, and not
//! forgotten, restores and hashes equal.
//!
//! By a printed seed: `cargo xtask soak --minutes N --seed S`, or `STRONGROOM_SOAK_SECONDS` and
//! `STRONGROOM_SOAK_SEED`. The seed decides what is done; the moment of a kill is a size that the
//! repository has reached, so what a kill meets may differ from run to run.

use std::{
    collections::BTreeMap,
    fs,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use strongroom_e2e::{
    binary, data,
    draws::{Draws, setting},
    fingerprint::Fingerprint,
    wait,
};
use tempfile::TempDir;

use crate::scene::{files_below, text};

/// How long a run of all tests soaks.
const SECONDS: u64 = 20;
const SEED: u64 = 2026;

/// What is saved.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Source {
    Files,
    Disk,
}

impl Source {
    const fn name(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::Disk => "disk.img",
        }
    }
}

struct Soak {
    folder: TempDir,
    draws: Draws,
    tags: u64,
    /// What was acknowledged and not forgotten.
    kept: BTreeMap<String, (Source, Fingerprint)>,
    /// How often each thing was done.
    done: BTreeMap<&'static str, u64>,
}

impl Soak {
    fn begin(seed: u64) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        fs::create_dir(folder.path().join("files"))?;
        data::make_share(&folder.path().join("files"), seed)?;
        data::make_image(&folder.path().join("disk.img"), 16, seed + 1)?;
        let soak = Self {
            folder,
            draws: Draws::new(seed),
            tags: 0,
            kept: BTreeMap::new(),
            done: BTreeMap::new(),
        };
        soak.run(&["init", &soak.path("repository")])?;
        Ok(soak)
    }

    fn path(&self, name: &str) -> String {
        text(&self.folder.path().join(name)).to_owned()
    }

    fn prepared(&self, mut command: Command, words: &[&str]) -> Command {
        command.arg("repo").args(words);
        command.env("STRONGROOM_KEY_FILE", self.path("key"));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn command(&self, words: &[&str]) -> Command {
        self.prepared(binary::command(), words)
    }

    fn run(&self, words: &[&str]) -> Result<String> {
        let output = self.command(words).output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "repo {words:?}: {said}");
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Another tag, and what is saved under it as it is now.
    fn subject(&mut self, source: Source) -> Result<(String, Fingerprint)> {
        self.tags += 1;
        let place = self.folder.path().join(source.name());
        let print = match source {
            Source::Files => Fingerprint::of(&place)?,
            Source::Disk => Fingerprint::of_disk(&place)?,
        };
        Ok((format!("tag-{}", self.tags), print))
    }

    fn backup(&self, source: Source, tag: &str) -> Command {
        let (repository, from) = (self.path("repository"), self.path(source.name()));
        self.command(&["backup", &repository, &from, "--tag", tag])
    }

    fn edit(&mut self) -> Result<()> {
        let seed = self.draws.below(1 << 40);
        data::edit_share(&self.folder.path().join("files"), seed)?;
        data::change_image(&self.folder.path().join("disk.img"), seed)
    }

    fn source(&mut self) -> Source {
        if self.draws.below(3) == 0 {
            Source::Disk
        } else {
            Source::Files
        }
    }

    fn save(&mut self) -> Result<()> {
        let source = self.source();
        let (tag, print) = self.subject(source)?;
        let output = self.backup(source, &tag).output()?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.success(), "backup {tag}: {said}");
        self.kept.insert(tag, (source, print));
        Ok(())
    }

    /// Two saves and a collection at once.
    fn crowd(&mut self) -> Result<()> {
        let repository = self.path("repository");
        let mut saves = Vec::new();
        for source in [Source::Files, Source::Disk] {
            let (tag, print) = self.subject(source)?;
            saves.push((self.backup(source, &tag).spawn()?, tag, source, print));
        }
        let collection = self.command(&["collect", &repository]).spawn()?;
        for (save, tag, source, print) in saves {
            let output = save.wait_with_output()?;
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            ensure!(output.status.success(), "backup {tag} in a crowd: {said}");
            self.kept.insert(tag, (source, print));
        }
        let output = collection.wait_with_output()?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.success(), "collect in a crowd: {said}");
        Ok(())
    }

    /// Starts a command and kills it when it has stored or removed some objects.
    fn kill(&mut self, words: &[&str]) -> Result<()> {
        let place = self.folder.path().join("repository");
        let before = files_below(&place)?.len();
        let wanted = self.draws.below(12);
        let mut child: Child = self.command(words).spawn()?;
        wait::until("the moment to kill", || {
            let now = files_below(&place)?.len();
            let ended = child.try_wait()?.is_some();
            Ok((ended || now.abs_diff(before) as u64 >= wanted).then_some(()))
        })?;
        // It may have ended before.
        let _gone = child.kill();
        child.wait()?;
        Ok(())
    }

    fn killed_save(&mut self) -> Result<()> {
        let source = self.source();
        let (tag, _) = self.subject(source)?;
        let (repository, from) = (self.path("repository"), self.path(source.name()));
        self.kill(&["backup", &repository, &from, "--tag", &tag])
    }

    fn killed_collection(&mut self) -> Result<()> {
        let repository = self.path("repository");
        self.kill(&["collect", &repository])
    }

    fn pick(&mut self) -> Option<String> {
        let at = self.draws.below(self.kept.len().max(1) as u64);
        self.kept.keys().nth(usize::try_from(at).ok()?).cloned()
    }

    fn forget(&mut self) -> Result<()> {
        if let Some(tag) = self.pick().filter(|_| self.kept.len() > 2) {
            self.kept.remove(&tag);
            self.run(&["forget", &self.path("repository"), &tag])?;
        }
        Ok(())
    }

    fn collect(&self) -> Result<()> {
        self.run(&["collect", &self.path("repository")]).map(drop)
    }

    /// A save on a disk that takes no file of the size of a pack fails, and says so.
    fn full_disk(&mut self) -> Result<()> {
        self.edit()?;
        let source = Source::Files;
        let (tag, _) = self.subject(source)?;
        let (repository, from) = (self.path("repository"), self.path(source.name()));
        let mut shell = Command::new("sh");
        shell.args(["-c", "trap '' XFSZ; ulimit -f 2; exec \"$0\" \"$@\""]);
        shell.arg(binary::path());
        let mut command = self.prepared(shell, &["backup", &repository, &from, "--tag", &tag]);
        let output = command.output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(!output.status.success(), "a save succeeded on a full disk");
        ensure!(said.contains("too large"), "a full disk is called: {said}");
        Ok(())
    }

    fn restore(&self, tag: &str) -> Result<()> {
        let (_, print) = self
            .kept
            .get(tag)
            .context("only what is kept is restored")?;
        let to = self.folder.path().join("restored");
        self.run(&["restore", &self.path("repository"), tag, "--to", text(&to)])?;
        print
            .compare(&to)
            .with_context(|| format!("{tag} comes back as something else"))?;
        if to.is_dir() {
            fs::remove_dir_all(&to)?;
        } else {
            fs::remove_file(&to)?;
        }
        Ok(())
    }

    fn step(&mut self) -> Result<()> {
        let (name, done) = match self.draws.below(14) {
            0 | 1 => ("edit", self.edit()),
            2 | 3 => ("save", self.save()),
            4 => ("crowd", self.crowd()),
            5 | 6 => ("killed save", self.killed_save()),
            7 => ("killed collection", self.killed_collection()),
            8 | 9 => ("forget", self.forget()),
            10 => ("collect", self.collect()),
            11 => ("full disk", self.full_disk()),
            12 => (
                "check",
                self.run(&["check", &self.path("repository")]).map(drop),
            ),
            _ => match self.pick() {
                Some(tag) => ("restore", self.restore(&tag)),
                None => ("save", self.save()),
            },
        };
        *self.done.entry(name).or_default() += 1;
        done.with_context(|| {
            format!(
                "seed {}, after {} draws: {name}",
                self.draws.seed(),
                self.draws.made()
            )
        })
    }

    fn end(&self) -> Result<()> {
        self.run(&["check", &self.path("repository"), "--read-data"])?;
        for tag in self.kept.keys() {
            self.restore(tag)?;
        }
        Ok(())
    }
}

#[test]
fn every_acknowledged_backup_survives_edits_kills_full_disks_and_collections() -> Result<()> {
    let seed = setting("STRONGROOM_SOAK_SEED", SEED)?;
    let time = Duration::from_secs(setting("STRONGROOM_SOAK_SECONDS", SECONDS)?);
    println!("seed {seed}");
    let started = Instant::now();
    let mut soak = Soak::begin(seed)?;
    while started.elapsed() < time {
        if let Err(error) = soak.step() {
            bail!(
                "{error:?}\nthe repository is kept in {}",
                soak.folder.keep().display()
            );
        }
    }
    soak.end()
        .with_context(|| format!("seed {seed}, at the end"))?;
    println!("{:?}, {} backups kept", soak.done, soak.kept.len());
    Ok(())
}
