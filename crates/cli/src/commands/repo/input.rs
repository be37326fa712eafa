//! A stream as the thing to save: standard input, or what a command prints.
//!
//! Invariant: a command that fails leaves no manifest, however much it printed. Half a database
//! dump must never look like a backup.

use std::{
    ffi::OsString,
    io::{self, Read},
    process::{Child, ChildStdout, Command, Stdio},
};

use anyhow::{Context as _, Result, bail};
use strongroom_engine::{
    Repository,
    tree::{Input, SaveOptions, Saved, save_input},
    volume::save_volume_input,
};
use strongroom_model::content::{Attributes, Name};

use crate::system::SystemClock;

/// How a stream is saved.
#[derive(clap::Args)]
pub(super) struct InputOptions {
    /// With `-` as the path: the name of the file that standard input becomes
    #[arg(long, value_name = "NAME")]
    stdin_name: Option<String>,
    /// With `-` as the path: standard input is a disk
    #[arg(long, conflicts_with = "stdin_name")]
    volume: bool,
    /// With `-` as the path: run this command, to the end of the line, and save what it prints; if
    /// it fails, nothing is saved
    #[arg(long, value_name = "CMD", num_args = 1.., allow_hyphen_values = true)]
    stdin_command: Vec<OsString>,
}

/// What the stream becomes.
enum Becomes {
    File(Name),
    Volume,
}

/// A stream that is going to be saved.
pub(super) struct Stream {
    becomes: Becomes,
    bytes: Box<dyn Read + Send>,
}

impl InputOptions {
    /// Whether nothing was said about streams.
    pub(super) fn is_empty(&self) -> bool {
        self.stdin_name.is_none() && !self.volume && self.stdin_command.is_empty()
    }

    /// Opens the stream; starts the command.
    pub(super) fn open(self) -> Result<Stream> {
        let becomes = match &self.stdin_name {
            _ if self.volume => Becomes::Volume,
            Some(name) => Becomes::File(Name::new(name.as_bytes())?),
            None => bail!(
                "say what standard input becomes: --stdin-name NAME for a file, --volume for a disk"
            ),
        };
        let bytes: Box<dyn Read + Send> = match self.stdin_command.split_first() {
            None => Box::new(io::stdin()),
            Some((program, words)) => Box::new(Producer::start(program, words)?),
        };
        Ok(Stream { becomes, bytes })
    }
}

impl Stream {
    /// The label by which the same stream is recognised.
    pub(super) fn source(&self) -> String {
        match &self.becomes {
            Becomes::File(name) => format!("-/{name}"),
            Becomes::Volume => "-".to_owned(),
        }
    }

    /// Saves the stream to its end.
    pub(super) fn save(
        mut self,
        repository: &Repository,
        options: &SaveOptions<'_>,
    ) -> strongroom_engine::Result<Saved> {
        let name = match self.becomes {
            Becomes::File(name) => name,
            Becomes::Volume => {
                return save_volume_input(repository, &mut self.bytes, &SystemClock, options);
            }
        };
        let input = Input {
            bytes: &mut self.bytes,
            name,
            attributes: Attributes {
                mode: 0o600,
                uid: rustix::process::geteuid().as_raw(),
                gid: rustix::process::getegid().as_raw(),
                ..Attributes::default()
            },
        };
        save_input(repository, input, &SystemClock, options)
    }
}

/// What a command prints; at the end, an error unless the command succeeded.
struct Producer {
    command: String,
    child: Child,
    out: ChildStdout,
    ended: bool,
}

impl Producer {
    fn start(program: &OsString, words: &[OsString]) -> Result<Self> {
        let command = program.to_string_lossy().into_owned();
        let mut child = Command::new(program)
            .args(words)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {command}"))?;
        let out = child.stdout.take().context("the command has no output")?;
        Ok(Self {
            command,
            child,
            out,
            ended: false,
        })
    }
}

impl Read for Producer {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.out.read(buffer)?;
        if count == 0 && !buffer.is_empty() && !self.ended {
            self.ended = true;
            let status = self.child.wait()?;
            if !status.success() {
                return Err(io::Error::other(format!(
                    "{} ended with {status}",
                    self.command
                )));
            }
        }
        Ok(count)
    }
}

impl Drop for Producer {
    /// A command whose output nobody reads any more must not stay behind.
    fn drop(&mut self) {
        if !self.ended {
            // It may have ended by itself; then there is nothing to kill.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
