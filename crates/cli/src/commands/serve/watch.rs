//! The watchdog's minute and the courier's: two threads apart from everything that makes backups.
//!
//! The courier has its own, because a mail server may take its time; a round of the watchdog
//! waits for nobody. Both end with the service.

use std::{
    io,
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread::{self, JoinHandle},
    time::Duration,
};

use strongroom_control::Control;

use super::courier::Post;

const EVERY: Duration = Duration::from_mins(1);
/// A heart beats every so many rounds of the courier.
const BEAT_EVERY: u32 = 5;

/// The two threads; they end when this is dropped.
pub(super) struct Watch {
    threads: Vec<(Sender<()>, JoinHandle<()>)>,
}

impl Watch {
    /// Looks now and every minute, and delivers what is due.
    pub(super) fn start(control: &Control, post: Post) -> io::Result<Self> {
        let watched = control.clone();
        let look = move || match watched.watch_round() {
            Ok(round) if round.raised > 0 => {
                tracing::warn!(raised = round.raised, "the watchdog raised alarms");
            }
            Ok(_) => {}
            Err(error) => tracing::error!(%error, "the watchdog could not look"),
        };
        let told = control.clone();
        let mut rounds = 0;
        let deliver = move || {
            if let Err(error) = told.deliver_notifications(&post) {
                tracing::error!(%error, "notifications could not be delivered");
            }
            rounds += 1;
            if rounds % BEAT_EVERY == 1
                && let Err(error) = told.beat(&post)
            {
                tracing::error!(%error, "no heart could beat");
            }
        };
        let threads = vec![every("watchdog", look)?, every("courier", deliver)?];
        Ok(Self { threads })
    }
}

fn every(
    name: &str,
    mut work: impl FnMut() + Send + 'static,
) -> io::Result<(Sender<()>, JoinHandle<()>)> {
    let (stop, stopped) = mpsc::channel();
    let rounds = move || {
        loop {
            work();
            if stopped.recv_timeout(EVERY) != Err(RecvTimeoutError::Timeout) {
                return;
            }
        }
    };
    let thread = thread::Builder::new().name(name.into()).spawn(rounds)?;
    Ok((stop, thread))
}

impl Drop for Watch {
    fn drop(&mut self) {
        for (stop, thread) in self.threads.drain(..) {
            drop(stop);
            // A panic there has been reported by the thread itself.
            let _ended = thread.join();
        }
    }
}
