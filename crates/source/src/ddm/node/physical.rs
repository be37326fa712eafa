//! A copy of a server's files while it works, as one stream.
//!
//! `mariadb-backup` must run where the files are: on this machine, or by a command that an operator
//! names (`ssh db1 mariadb-backup …`) and whose output is the stream. The copy shows the server as
//! it was at a place in its log, which stands in the stream itself.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    process::Stdio,
};

use serde::{Deserialize, Serialize};

use super::{
    program::{self, Program, defaults, private_folder},
    stream::{Contents, Watcher},
};
use crate::ddm::{
    address::Address,
    error::{Error, Result},
};

/// How the files of a server are copied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Physical {
    /// They are in that folder of this machine.
    Folder(PathBuf),
    /// That command writes the stream to its standard output.
    Command(Vec<String>),
}

/// What a copy shows.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Taken {
    /// How long the stream was.
    pub bytes: u64,
    /// The file of the log that follows the copy, and the place in it; none if there is no log.
    pub place: Option<(String, u64)>,
    /// The transactions that the copy holds.
    pub gtid: Option<String>,
    /// How far the engine's own log goes.
    pub lsn: Option<String>,
}

impl Physical {
    /// Refuses what cannot be meant.
    pub fn check(&self) -> Result<()> {
        match self {
            Self::Folder(path) if !path.is_absolute() => Err(Error::Unfit(format!(
                "the data directory {} is not an absolute path",
                path.display()
            ))),
            Self::Folder(path) if !path.join("ibdata1").exists() => Err(Error::Unfit(format!(
                "{} is no data directory that the service can read: there is no ibdata1",
                path.display()
            ))),
            Self::Command(words) if words.is_empty() => {
                Err(Error::Unfit("the backup command is empty".to_owned()))
            }
            _ => Ok(()),
        }
    }
}

/// Copies the files of a server to `out`. `scratch` is an own folder for the time of the call.
pub fn back_up(
    name: &str,
    address: &Address,
    how: &Physical,
    scratch: &Path,
    out: &mut dyn Write,
) -> Result<Taken> {
    let server = format!("data node {name} at {address}");
    private_folder(scratch)?;
    let action = "be copied with its files";
    let mut program = match how {
        Physical::Folder(folder) => {
            let mut program = Program::new("mariadb-backup", &server, action, scratch)?;
            program
                .command()
                .arg(defaults(scratch, address)?)
                .args(["--backup", "--stream=mbstream"])
                .arg(format!("--datadir={}", folder.display()))
                .arg(format!("--target-dir={}", scratch.display()));
            program
        }
        Physical::Command(words) => {
            let (first, rest) = words
                .split_first()
                .ok_or_else(|| Error::Unfit("the backup command is empty".to_owned()))?;
            let place = if first.contains('/') {
                PathBuf::from(first)
            } else {
                program::place(first)?
            };
            let mut program = Program::of(&place, &server, action, scratch)?;
            program.command().args(rest);
            program
        }
    };
    program.command().stdout(Stdio::piped());
    let mut child = program.spawn()?;
    let mut watcher = Watcher::new(out);
    let named = |error: Error| match error {
        Error::Damaged(why) => Error::Damaged(format!("{server}: {why}")),
        other => other,
    };
    let copied = match child.stdout.take() {
        Some(mut stdout) => copy(&mut stdout, &mut watcher),
        None => Err(io::ErrorKind::BrokenPipe.into()),
    };
    // One whose reader is gone must not write on for hours.
    if copied.is_err() {
        let _ended = child.kill();
    }
    let status = child.wait()?;
    match copied {
        // What does not look like a copy is often a message.
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            let broken = watcher.finish().err().map(named);
            return Err(broken.unwrap_or_else(|| program.failed()));
        }
        copied => copied?,
    }
    program.ended(status)?;
    let contents = watcher.finish().map_err(named)?;
    let taken = read(&contents).map_err(named)?;
    let _left = std::fs::remove_dir_all(scratch);
    Ok(taken)
}

fn copy(from: &mut dyn io::Read, to: &mut dyn Write) -> io::Result<()> {
    let mut buffer = vec![0; 256 << 10];
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        to.write_all(buffer.get(..read).unwrap_or_default())?;
    }
}

/// What the small files in the stream say.
fn read(contents: &Contents) -> Result<Taken> {
    if contents.text("checkpoints").is_none() {
        let why = "the copy of the server's files is not usable: it does not say how far it goes";
        return Err(Error::Damaged(why.to_owned()));
    }
    let mut taken = Taken {
        bytes: contents.bytes,
        lsn: contents.value("checkpoints", "to_lsn"),
        ..Taken::default()
    };
    if let Some(info) = contents.text("binlog_info") {
        let mut words = info.split_whitespace();
        let file = words.next().map(ToOwned::to_owned);
        let offset = words.next().and_then(|word| word.parse().ok());
        taken.place = file.zip(offset);
        taken.gtid = words.next().map(ToOwned::to_owned);
    }
    Ok(taken)
}
