//! Telling people: channels, and an outbox that is worked off apart from everything else.
//!
//! What is to be told stands in the catalog before anybody tries, so a mail server that is down
//! costs a delay and no message, and no backup ever waits for one. Attempts are repeated with
//! growing pauses for three days; then the message is given up, which is logged.
//!
//! How a message travels is not decided here: a [`Courier`] is handed in.

pub mod channels;

use strongroom_catalog::NotificationRow;
use strongroom_model::{ProjectId, Timestamp};

pub use channels::{Channel, Channels, Settings};

use crate::{Control, Result, freshness::watchdog::Round};

/// Pauses double from here …
const FIRST_PAUSE: i64 = 60;
/// … to here.
const LONGEST_PAUSE: i64 = 3600;
/// After that long nobody needs the message any more.
const GIVE_UP_AFTER: i64 = 3 * 86_400;
/// So many seconds ago the watchdog has looked if it is alive: it looks every minute.
const LOOKED_LATELY: i64 = 300;
/// Messages of one round.
const AT_ONCE: u32 = 100;

/// Takes messages where they belong.
pub trait Courier {
    /// Delivers a message; `Err` says what went wrong and leads to another attempt.
    fn deliver(
        &self,
        settings: &Settings,
        message: &serde_json::Value,
    ) -> std::result::Result<(), String>;

    /// Tells a heartbeat address that all is well.
    fn beat(&self, url: &str) -> std::result::Result<(), String>;
}

/// What one round of deliveries did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Delivered {
    /// Told.
    pub delivered: u64,
    /// To be tried again.
    pub postponed: u64,
    /// Not tried any more.
    pub given_up: u64,
}

impl Control {
    /// Where people are told.
    pub fn channels(&self) -> Channels<'_> {
        Channels {
            catalog: self.catalog(),
            master_key: self.master_key(),
            entropy: self.entropy(),
        }
    }

    /// Tries to deliver what is due. Nothing is held while a courier is on its way.
    pub fn deliver_notifications(&self, courier: &dyn Courier) -> Result<Delivered> {
        let due = self.read(|tx| Ok(tx.notifications().due(self.now(), AT_ONCE)?))?;
        let channels = if due.is_empty() {
            Vec::new()
        } else {
            self.channels().list()?
        };
        let mut done = Delivered::default();
        for row in due {
            let channel = channels.iter().find(|channel| channel.name == row.channel);
            let told = match channel {
                Some(channel) => courier.deliver(&channel.settings, &row.message.0),
                None => Err("the channel is gone".to_owned()),
            };
            let now = self.now();
            let after = attempt(&row, told.err(), now);
            done.delivered += u64::from(after.delivered_at.is_some());
            done.given_up += u64::from(after.given_up_at.is_some());
            if after.delivered_at.is_none() {
                let (channel, problem) = (&row.channel, after.problem.as_deref());
                let given_up = after.given_up_at.is_some();
                done.postponed += u64::from(!given_up);
                tracing::warn!(
                    channel,
                    problem,
                    given_up,
                    "a notification was not delivered"
                );
            }
            self.write(|tx| Ok(tx.notifications().tried(row.seq, |row| *row = after)?))?;
        }
        Ok(done)
    }

    /// Tells the heartbeat addresses that all is well, if it is: by silence they notice that it
    /// is not, or that this service is gone. A project's heart beats for that project alone.
    ///
    /// Nobody knows that all is well unless the watchdog has looked lately: no heart beats then.
    pub fn beat(&self, courier: &dyn Courier) -> Result<u64> {
        let lately = |round: Round| {
            let apart = self.now().as_seconds() - round.at.as_seconds();
            apart.abs() <= LOOKED_LATELY
        };
        if !self.last_round().is_some_and(lately) {
            return Ok(0);
        }
        let open = self.read(|tx| Ok(tx.notifications().any_project_open()?))?;
        let well = |of: Option<ProjectId>| {
            let concerns = |project| of.is_none_or(|own| own == project);
            !open.iter().any(|alarm| concerns(alarm.project_id))
        };
        let mut beaten = 0;
        for channel in self.channels().list()? {
            let Settings::Heartbeat { url } = &channel.settings else {
                continue;
            };
            if !well(channel.project_id) {
                continue;
            }
            match courier.beat(url) {
                Ok(()) => beaten += 1,
                Err(problem) => {
                    let channel = &channel.name;
                    tracing::warn!(channel, problem, "a heartbeat was not delivered");
                }
            }
        }
        Ok(beaten)
    }

    /// How many notifications are still to be told.
    pub fn notifications_waiting(&self) -> Result<u64> {
        self.read(|tx| Ok(tx.notifications().waiting()?))
    }
}

/// The notification after an attempt.
fn attempt(row: &NotificationRow, problem: Option<String>, now: Timestamp) -> NotificationRow {
    let mut after = NotificationRow {
        attempts: row.attempts.saturating_add(1),
        problem,
        ..row.clone()
    };
    if after.problem.is_none() {
        after.delivered_at = Some(now);
        return after;
    }
    let pause = FIRST_PAUSE << row.attempts.min(6);
    after.not_before = now.plus_seconds(pause.min(LONGEST_PAUSE));
    if row.created_at.plus_seconds(GIVE_UP_AFTER) <= now {
        after.given_up_at = Some(now);
    }
    after
}

#[cfg(test)]
mod tests;
