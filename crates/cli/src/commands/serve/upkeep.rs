//! The rounds: the scheduler's and the logs' every minute, the checks' every ten, the upkeep's
//! every hour.
//!
//! A round decides by what the catalog says and nothing else, so one that is missed, or comes
//! twice, does no harm. The threads end with the service.

use std::{io, time::Duration};

use strongroom_control::{Control, Error, verification::Terms};

use super::rounds::{Next, Rounds};

/// All rounds of the service; they end when this is dropped.
pub(super) struct Upkeep {
    _rounds: [Rounds; 4],
}

impl Upkeep {
    /// Makes each round now and at its intervals.
    pub(super) fn start(control: &Control, terms: Terms) -> io::Result<Self> {
        let (scheduled, kept, verified) = (control.clone(), control.clone(), control.clone());
        let schedule = move || next("scheduler", schedule(&scheduled));
        let keep_up = move || {
            let done = kept.keep_up().map(|_| Next::InTime);
            next("upkeep", done)
        };
        let verify = move || {
            let done = verified.verification_round(terms).map(|_| Next::InTime);
            next("verification", done)
        };
        let followed = control.clone();
        let follow = move || next("logs", follow_logs(&followed));
        let minute = Duration::from_mins(1);
        let hour = Duration::from_hours(1);
        let often = Duration::from_mins(10);
        Ok(Self {
            _rounds: [
                Rounds::start("scheduler", minute, panicked(control), schedule)?,
                Rounds::start("logs", minute, panicked(control), follow)?,
                Rounds::start("upkeep", hour, panicked(control), keep_up)?,
                Rounds::start("verification", often, panicked(control), verify)?,
            ],
        })
    }
}

/// Counts a round that panicked.
pub(super) fn panicked(control: &Control) -> impl Fn(&'static str) + Send + 'static {
    let control = control.clone();
    move |name| control.count_panic(name)
}

fn schedule(control: &Control) -> Result<Next, Error> {
    let round = control.schedule_round()?;
    if round.ordered + round.failed + round.put_off > 0 {
        tracing::info!(?round, "policies were due");
    }
    let layers = control.ddm_round()?;
    if layers.ordered + layers.expired > 0 {
        tracing::info!(?layers, "sharding layers were due");
    }
    let logs = control.dbss_round()?;
    if logs.ordered + logs.pressed + logs.expired > 0 {
        tracing::info!(?logs, "audit logs were due");
    }
    Ok(if round.more { Next::Soon } else { Next::InTime })
}

fn follow_logs(control: &Control) -> Result<Next, Error> {
    let round = control.log_round()?;
    if round.failed + round.ordered > 0 {
        tracing::info!(?round, "logs of databases were followed");
    }
    Ok(Next::InTime)
}

fn next(name: &str, round: Result<Next, Error>) -> Next {
    round.unwrap_or_else(|error| {
        tracing::warn!(name, %error, "a round failed; the next may not");
        Next::InTime
    })
}
