//! A running `strongroom serve`.
//!
//! Invariant: the process never outlives its [`Service`]; what it wrote to standard error is kept
//! in a file beside the data directory and shown when it does not come up.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc,
    thread,
};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::{
    binary::{self, Program},
    wait,
};

/// The running server.
#[derive(Debug)]
pub struct Service {
    child: Child,
    data_dir: PathBuf,
}

impl Service {
    /// Kills the server and starts another over what it left.
    pub fn reborn(self) -> Result<Self> {
        let place = self.data_dir.clone();
        self.kill()?;
        Self::start(&place)
    }

    /// Kills the server, takes its catalog away, has it made anew from the data, and starts again.
    pub fn rebuilt(self) -> Result<Self> {
        let place = self.data_dir.clone();
        self.kill()?;
        for name in ["catalog.sqlite", "catalog.sqlite-wal", "catalog.sqlite-shm"] {
            // The last two are there only if something was not folded in.
            let _ = fs::remove_file(place.join(name));
        }
        Program::new(&place).run(&["admin", "rebuild-catalog"])?;
        Self::start(&place)
    }

    /// Starts the server on free ports and waits for its ready line.
    pub fn start(data_dir: &Path) -> Result<Self> {
        Self::start_with(data_dir, &[])
    }

    /// As [`Self::start`], with more options.
    pub fn start_with(data_dir: &Path, options: &[&str]) -> Result<Self> {
        Self::start_program(binary::command(), data_dir, options)
    }

    /// As [`Self::start_with`], with another way to call the program.
    pub fn start_program(mut program: Command, data_dir: &Path, options: &[&str]) -> Result<Self> {
        let log = data_dir.with_extension("log");
        let mut child = program
            .arg("--data-dir")
            .arg(data_dir)
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(options)
            .stdout(Stdio::piped())
            .stderr(File::options().create(true).append(true).open(&log)?)
            .spawn()
            .context("cannot start the server")?;
        let stdout = child.stdout.take().context("standard output is piped")?;
        let (sender, lines) = mpsc::channel();
        // Reads on until the end, or a chatty server would block on a full pipe.
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let mut service = Self {
            child,
            data_dir: data_dir.to_owned(),
        };
        loop {
            match lines.recv_timeout(wait::PATIENCE) {
                Ok(line) if line.contains("ready") => return Ok(service),
                Ok(_) => {}
                Err(_) => {
                    let _ = service.child.kill();
                    let said = fs::read_to_string(&log).unwrap_or_default();
                    bail!("the server did not get ready; it said: {said}");
                }
            }
        }
    }

    /// The data directory.
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// Commands against this server.
    pub fn program(&self) -> Program {
        Program::new(&self.data_dir)
    }

    /// The file of that name in the data directory, as JSON.
    pub fn file(&self, name: &str) -> Result<Value> {
        let text = fs::read_to_string(self.data_dir.join(name))?;
        serde_json::from_str(&text).with_context(|| format!("{name} is not JSON: {text}"))
    }

    /// Seconds of processor time that the service has used.
    pub fn processor_seconds(&self) -> Result<f64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The name in parentheses may hold blanks; what comes behind does not.
        let (_, rest) = stat.rsplit_once(')').context("a line of the kernel's")?;
        let ticks = rest.split_whitespace().skip(11).take(2);
        let ticks: Result<Vec<f64>, _> = ticks.map(str::parse).collect();
        Ok(ticks?.iter().sum::<f64>() / 100.0)
    }

    /// The most memory that the service ever held, in MiB.
    pub fn peak_mebibytes(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
        Ok(kibibytes.context("no peak")?.trim().parse::<u64>()? / 1024)
    }

    /// Ends the server as a power cut would: without a word.
    pub fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Ends a server that was told to end with its standard input, and waits until it has.
    pub fn close(mut self) -> Result<ExitStatus> {
        drop(self.child.stdin.take());
        wait::until("the end of the server", || Ok(self.child.try_wait()?))
    }

    /// Whether the server is gone.
    pub fn has_ended(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_some())
    }

    /// Asks the server to end, and waits until it has.
    pub fn stop(mut self) -> Result<ExitStatus> {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM)?;
        wait::until("the end of the server", || Ok(self.child.try_wait()?))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
