//! The service of the trial: a process of its own that ends with the trial.
//!
//! The process reads its standard input and drains when that is closed, so even a trial that is
//! killed leaves no service behind.

use std::{
    env,
    fs::File,
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::signal::unix::{SignalKind, signal};

/// The running process.
pub(super) struct Service {
    child: Child,
    log: PathBuf,
}

impl Service {
    /// Starts the service on free ports of loopback and waits for its ready line.
    pub(super) fn start(data_dir: &Path, keep: bool) -> Result<Self> {
        let log = data_dir.with_extension("log");
        let program = env::current_exe().context("cannot find the program itself")?;
        let mut command = Command::new(program);
        command.arg("--data-dir").arg(data_dir);
        command.args(["serve", "--listen", "127.0.0.1:0"]);
        if keep {
            // Out of the terminal's reach: control-C is for the next command.
            std::os::unix::process::CommandExt::process_group(&mut command, 0);
            command.stdin(Stdio::null());
        } else {
            command.arg("--until-stdin-closes").stdin(Stdio::piped());
        }
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(File::create(&log)?)
            .spawn()
            .context("cannot start the service")?;
        let stdout = child.stdout.take().context("standard output is piped")?;
        let service = Self { child, log };
        let ready = BufReader::new(stdout)
            .lines()
            .map_while(Result::ok)
            .any(|line| line.contains("ready"));
        if !ready {
            bail!("the service did not start; it said:\n{}", service.said());
        }
        Ok(service)
    }

    /// What the service wrote to its log.
    fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// From now on control-C and a request to end stop the service instead of this program: what
    /// is under way then fails, and everything is cleared away on the usual road.
    pub(super) fn end_when_interrupted(&self) -> Result<Arc<AtomicBool>> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()?;
        let signals = runtime.block_on(async {
            Ok::<_, io::Error>((
                signal(SignalKind::interrupt())?,
                signal(SignalKind::terminate())?,
            ))
        });
        let (mut interrupt, mut terminate) = signals.context("cannot watch for control-C")?;
        let service = Pid::from_child(&self.child);
        let interrupted = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&interrupted);
        // Ends with the program: it waits for nothing else.
        thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
            });
            told.store(true, Ordering::SeqCst);
            let _ = kill_process(service, Signal::TERM);
        });
        Ok(interrupted)
    }

    /// The number of the process.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks the service to end, and waits until it has.
    pub(super) fn stop(mut self) -> Result<()> {
        drop(self.child.stdin.take());
        let status = self.child.wait()?;
        if !status.success() {
            bail!("the service ended with {status}; it said:\n{}", self.said());
        }
        Ok(())
    }
}
