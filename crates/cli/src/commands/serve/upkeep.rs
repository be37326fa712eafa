//! The hourly round: expired backups, old tasks, traces of what was deleted.
//!
//! A round decides by what the catalog says and nothing else, so one that is missed, or comes
//! twice, does no harm. Ends with the service.

use std::{
    io,
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread::{self, JoinHandle},
    time::Duration,
};

use strongroom_control::Control;

const EVERY: Duration = Duration::from_hours(1);

/// The thread that makes the rounds; ends when this is dropped.
pub(super) struct Upkeep {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Upkeep {
    /// Makes a round now and every hour.
    pub(super) fn start(control: Control) -> io::Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let rounds = move || {
            loop {
                if let Err(error) = control.keep_up() {
                    tracing::warn!(%error, "a round of upkeep failed; the next may not");
                }
                if stopped.recv_timeout(EVERY) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        };
        let thread = thread::Builder::new().name("upkeep".into()).spawn(rounds)?;
        Ok(Self {
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for Upkeep {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic there has been reported by the thread itself.
            let _ended = thread.join();
        }
    }
}
