//! One program at work on one data set: runs a step, and compares what came back.

use std::{
    fs,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};

use super::{
    compare::{self, Links},
    data::Dataset,
    install,
    measure::{self, Cost},
    programs::{Program, Role, Step},
};

/// How much of a disk image is fetched alone.
const ONE_MIB: u64 = 1 << 20;

/// A program with its repository.
pub(super) struct Trial<'a> {
    pub(super) program: &'a Program,
    pub(super) dataset: Dataset,
    pub(super) src: PathBuf,
    pub(super) dir: PathBuf,
}

/// What a step came to.
pub(super) struct Done {
    pub(super) cost: Cost,
    /// See [`super::figures::Cell`].
    pub(super) bytes: Option<u64>,
}

impl Trial<'_> {
    /// Does the step; `None` if the program has no such thing.
    pub(super) fn step(&self, step: Step) -> Result<Option<Done>> {
        let Some(shell) = (self.program.command)(step, self.dataset) else {
            return Ok(None);
        };
        let out = self.dir.join("out");
        forget(&out)?;
        fs::create_dir_all(&out)?;
        if matches!(step, Step::First | Step::Change | Step::Restore) {
            self.make_room()?;
        }
        let part = self.part()?;
        let fill = |text: &str| self.fill(text, step, part);
        let own = self.program.variables.iter();
        let mut variables: Vec<_> = own
            .map(|(name, value)| ((*name).to_owned(), fill(value)))
            .collect();
        variables.push(("PATH".to_owned(), install::path()));
        let cost = measure::measure(&fill(shell), &variables, &self.dir)
            .with_context(|| format!("{}: {}", self.program.name, step.title()))?;
        let bytes = match step {
            _ if step.writes() => Some(compare::sizes(&self.dir.join("repo"))?.0),
            Step::Restore => {
                Some(self.restored(&out, &fill((self.program.restored)(self.dataset)))?)
            }
            Step::One => {
                let (offset, length) = part;
                let whole = self.src.join(self.dataset.one());
                compare::part(&whole, offset, length, &out.join("one"))?;
                None
            }
            _ => None,
        };
        forget(&out)?;
        Ok(Some(Done { cost, bytes }))
    }

    /// Touches as much memory or disk as the step may fill, and gives it back: a virtual machine
    /// gets fresh pages from its host slowly, and whoever comes first would pay that for all.
    fn make_room(&self) -> Result<()> {
        let taken = compare::sizes(&self.src)?.1;
        let place = self.dir.join("room");
        let mut room = fs::File::create(&place)?;
        io::copy(&mut io::repeat(0xA5).take(taken), &mut room)?;
        drop(room);
        fs::remove_file(place)?;
        Ok(())
    }

    /// What the restored data takes on the disk, once it is found to be right.
    fn restored(&self, out: &Path, below: &str) -> Result<u64> {
        let place = out.join(below.trim_start_matches('/'));
        let links = match self.program.role {
            Role::Bare => Links::LeftOut,
            Role::Ours | Role::Peer => Links::Compared,
        };
        compare::trees(&self.src, &place, links)
            .with_context(|| format!("{} restored something else", self.program.name))?;
        Ok(compare::sizes(&place)?.1)
    }

    /// The part of the file that is fetched alone: all of it, or a MiB of data amid an image.
    fn part(&self) -> Result<(u64, u64)> {
        let path = self.src.join(self.dataset.one());
        let length = fs::metadata(&path)?.len();
        if self.dataset != Dataset::D3 {
            return Ok((0, length));
        }
        let file = fs::File::open(&path)?;
        let seek = |from: u64, whence| -> Result<u64> {
            let found = nix::unistd::lseek(&file, i64::try_from(from)?, whence)?;
            Ok(u64::try_from(found)?)
        };
        let hole = seek(length / 2, nix::unistd::Whence::SeekHole)?;
        let offset = seek(hole, nix::unistd::Whence::SeekData)?;
        ensure!(offset + ONE_MIB <= length, "the image ends too early");
        Ok((offset, ONE_MIB))
    }

    fn fill(&self, template: &str, step: Step, part: (u64, u64)) -> String {
        let paths = [
            ("{repo}", self.dir.join("repo")),
            ("{home}", self.dir.join("home")),
            ("{out}", self.dir.join("out")),
            ("{src}", self.src.clone()),
        ];
        let filled = paths
            .iter()
            .fold(template.to_owned(), |text, (word, path)| {
                text.replace(word, &path.display().to_string())
            });
        filled
            .replace("{one}", self.dataset.one())
            .replace("{tag}", step.tag())
            .replace("{offset}", &part.0.to_string())
            .replace("{from}", &(part.0 + 1).to_string())
            .replace("{length}", &part.1.to_string())
    }
}

/// Removes a folder that may be there.
pub(super) fn forget(dir: &Path) -> Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", dir.display()))
        }
        _ => Ok(()),
    }
}
