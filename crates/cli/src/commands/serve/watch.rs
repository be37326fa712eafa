//! The watchdog's minute and the courier's: two threads apart from everything that makes backups.
//!
//! The courier has its own, because a mail server may take its time; a round of the watchdog
//! waits for nobody. Both end with the service.

use std::{io, time::Duration};

use strongroom_control::Control;

use super::{
    courier::Post,
    rounds::{Next, Rounds},
    upkeep::panicked,
};

const EVERY: Duration = Duration::from_mins(1);
/// A heart beats every so many rounds of the courier.
const BEAT_EVERY: u32 = 5;

/// The two threads; they end when this is dropped.
pub(super) struct Watch {
    _watchdog: Rounds,
    _courier: Rounds,
}

impl Watch {
    /// Looks now and every minute, and delivers what is due.
    pub(super) fn start(control: &Control, post: Post) -> io::Result<Self> {
        let watched = control.clone();
        let look = move || {
            match watched.watch_round() {
                Ok(round) if round.raised > 0 => {
                    tracing::warn!(raised = round.raised, "the watchdog raised alarms");
                }
                Ok(_) => {}
                Err(error) => tracing::error!(%error, "the watchdog could not look"),
            }
            Next::InTime
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
            Next::InTime
        };
        Ok(Self {
            _watchdog: Rounds::start("watchdog", EVERY, panicked(control), look)?,
            _courier: Rounds::start("courier", EVERY, panicked(control), deliver)?,
        })
    }
}
