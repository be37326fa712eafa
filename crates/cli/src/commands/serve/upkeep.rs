//! The rounds: the scheduler's every minute, the checks' every ten, the upkeep's every hour.
//!
//! A round decides by what the catalog says and nothing else, so one that is missed, or comes
//! twice, does no harm. The threads end with the service.

use std::{
    io,
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread::{self, JoinHandle},
    time::Duration,
};

use strongroom_control::{Control, Error, verification::Terms};

/// A thread that makes rounds; ends when this is dropped.
struct Rounds {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// All rounds of the service; they end when this is dropped.
pub(super) struct Upkeep {
    _rounds: [Rounds; 3],
}

impl Upkeep {
    /// Makes each round now and at its intervals.
    pub(super) fn start(control: &Control, terms: Terms) -> io::Result<Self> {
        let (scheduled, kept, verified) = (control.clone(), control.clone(), control.clone());
        let minute = Duration::from_mins(1);
        let hour = Duration::from_hours(1);
        let often = Duration::from_mins(10);
        let verify = move || verified.verification_round(terms).map(drop);
        Ok(Self {
            _rounds: [
                Rounds::start("scheduler", minute, move || schedule(&scheduled))?,
                Rounds::start("upkeep", hour, move || kept.keep_up().map(drop))?,
                Rounds::start("verification", often, verify)?,
            ],
        })
    }
}

fn schedule(control: &Control) -> Result<(), Error> {
    let round = control.schedule_round()?;
    if round.ordered + round.failed + round.put_off > 0 {
        tracing::info!(?round, "policies were due");
    }
    Ok(())
}

impl Rounds {
    fn start(
        name: &'static str,
        every: Duration,
        round: impl Fn() -> Result<(), Error> + Send + 'static,
    ) -> io::Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let rounds = move || {
            loop {
                if let Err(error) = round() {
                    tracing::warn!(name, %error, "a round failed; the next may not");
                }
                if stopped.recv_timeout(every) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        };
        let thread = thread::Builder::new().name(name.into()).spawn(rounds)?;
        Ok(Self {
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for Rounds {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic there has been reported by the thread itself.
            let _ended = thread.join();
        }
    }
}
