//! How far something is: a bar on a terminal, a line now and then elsewhere.
//!
//! For people it goes to standard error, so that results can be piped. A program that reads JSON
//! gets events from the long commands of `repo`, and from others no progress at all.

use std::{
    io::{self, IsTerminal},
    panic::resume_unwind,
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use anyhow::Result;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use strongroom_model::Bytes;

use crate::output::Output;

/// How often a line is printed where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(15);
/// How often the work is asked how far it is.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How often a program is told.
const EVENT_EVERY: Duration = Duration::from_secs(1);

/// Shows how far one thing is.
pub(crate) struct Progress {
    what: String,
    shown: Shown,
}

enum Shown {
    Bar(ProgressBar),
    Lines { last: Instant },
    Nothing,
}

impl Progress {
    /// Begins to show `what`, measured in bytes.
    fn bytes(output: Output, what: &str) -> Self {
        let template = "{prefix}  {wide_bar} {bytes}/{total_bytes}  {bytes_per_sec}  {eta} left";
        Self::start(output, what, template)
    }

    /// Begins to show `what`, measured in percent.
    pub(crate) fn percent(output: Output, what: &str) -> Self {
        let progress = Self::start(output, what, "{prefix}  {wide_bar} {pos:>3} %  {elapsed}");
        progress.set_total(100);
        progress
    }

    fn start(output: Output, what: &str, template: &str) -> Self {
        let shown = if output.is_json() {
            Shown::Nothing
        } else if io::stderr().is_terminal() {
            let style = ProgressStyle::with_template(template);
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.set_prefix(what.to_owned());
            bar.enable_steady_tick(Duration::from_millis(200));
            Shown::Bar(bar)
        } else {
            Shown::Lines {
                last: Instant::now(),
            }
        };
        Self {
            what: what.to_owned(),
            shown,
        }
    }

    fn set_total(&self, total: u64) {
        if let Shown::Bar(bar) = &self.shown {
            bar.set_length(total);
        }
    }

    /// It is at `done` of `total`.
    pub(crate) fn set(&mut self, done: u64, total: u64) {
        match &mut self.shown {
            Shown::Bar(bar) => {
                bar.set_length(total);
                bar.set_position(done);
            }
            Shown::Lines { last } if last.elapsed() >= LINE_EVERY => {
                *last = Instant::now();
                let percent = done.saturating_mul(100).checked_div(total).unwrap_or(0);
                eprintln!("{}: {percent} %", self.what);
            }
            Shown::Lines { .. } | Shown::Nothing => {}
        }
    }
}

/// How far something is after some time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
struct Reading {
    bytes_done: u64,
    /// Known of so far; may grow.
    bytes_total: u64,
    items_done: u64,
    seconds: f64,
    bytes_per_second: u64,
    /// At the speed so far; `None` while nothing can be said.
    seconds_left: Option<u64>,
}

impl Reading {
    fn new(told: &strongroom_engine::tree::Progress, passed: Duration) -> Self {
        // The total first: it never lies below what was done when it was read.
        let (items_done, bytes_done) = (told.items_done(), told.bytes_done());
        Self::of(bytes_done, told.bytes_total(), items_done, passed)
    }

    fn of(bytes_done: u64, bytes_total: u64, items_done: u64, passed: Duration) -> Self {
        let millis = u64::try_from(passed.as_millis()).unwrap_or(u64::MAX).max(1);
        let rate = u128::from(bytes_done) * 1000 / u128::from(millis);
        let bytes_per_second = u64::try_from(rate).unwrap_or(u64::MAX);
        let left = bytes_total.saturating_sub(bytes_done);
        Self {
            bytes_done,
            bytes_total,
            items_done,
            seconds: passed.as_secs_f64(),
            bytes_per_second,
            seconds_left: left.checked_div(bytes_per_second),
        }
    }

    fn line(&self, what: &str) -> String {
        let left = self.seconds_left.map_or_else(String::new, |seconds| {
            format!(", {}:{:02} left", seconds / 60, seconds % 60)
        });
        format!(
            "{what}: {} of {}, {}/s{left}",
            Bytes(self.bytes_done),
            Bytes(self.bytes_total),
            Bytes(self.bytes_per_second)
        )
    }
}

/// An event of a program's log.
#[derive(Serialize)]
struct Told<'a> {
    what: &'a str,
    #[serde(flatten)]
    reading: Reading,
}

/// Shows readings: to a program as events, to people as a bar or a line now and then.
struct Watcher<'a> {
    output: Output,
    what: &'a str,
    started: Instant,
    last: Instant,
    bar: Progress,
}

impl<'a> Watcher<'a> {
    fn new(output: Output, what: &'a str) -> Self {
        let now = Instant::now();
        Self {
            output,
            what,
            started: now,
            last: now,
            bar: Progress::bytes(output, what),
        }
    }

    fn tell(&mut self, told: &strongroom_engine::tree::Progress) -> Result<()> {
        let reading = Reading::new(told, self.started.elapsed());
        let what = self.what;
        self.output.event("progress", &Told { what, reading })
    }

    fn look(&mut self, told: &strongroom_engine::tree::Progress) -> Result<()> {
        let every = match self.bar.shown {
            Shown::Bar(_) => {
                self.bar.set(told.bytes_done(), told.bytes_total());
                return Ok(());
            }
            Shown::Lines { .. } => LINE_EVERY,
            Shown::Nothing => EVENT_EVERY,
        };
        if self.last.elapsed() < every {
            return Ok(());
        }
        self.last = Instant::now();
        if self.output.is_json() {
            return self.tell(told);
        }
        let reading = Reading::new(told, self.started.elapsed());
        eprintln!("{}", reading.line(self.what));
        Ok(())
    }
}

/// Does the work while showing how far it is, by the numbers that the work keeps. A program is told
/// at the beginning, about every second, and at the end.
pub(crate) fn watch<T: Send>(
    output: Output,
    what: &str,
    told: &strongroom_engine::tree::Progress,
    work: impl FnOnce() -> Result<T> + Send,
) -> Result<T> {
    let mut watcher = Watcher::new(output, what);
    watcher.tell(told)?;
    thread::scope(|scope| {
        // Its end is a message: a thread that says so and then takes its time to end would cost a
        // short command another round of waiting.
        let (ended, end) = mpsc::sync_channel(1);
        let working = scope.spawn(move || {
            // Nobody waits any more only if the other thread panicked.
            let _ = ended.send(work());
        });
        let mut shown = Ok(());
        let done = loop {
            match end.recv_timeout(LOOK_EVERY) {
                Ok(done) => break done,
                Err(RecvTimeoutError::Disconnected) => {
                    let panic = working.join().expect_err("work that ends says so");
                    resume_unwind(panic);
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
            if shown.is_ok() {
                shown = watcher.look(told);
                if shown.is_err() {
                    // Nobody reads any more: the work ends as soon as it can.
                    told.cancel();
                }
            }
        };
        shown?;
        let done = done?;
        watcher.tell(told)?;
        Ok(done)
    })
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Shown::Bar(bar) = &self.shown {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn a_reading_tells_the_rate_and_the_time_left() {
        let reading = Reading::of(10 * MIB, 40 * MIB, 3, Duration::from_secs(5));
        assert_eq!(reading.bytes_per_second, 2 * MIB);
        assert_eq!(reading.seconds_left, Some(15));
        let line = reading.line("saving");
        assert_eq!(line, "saving: 10.0 MiB of 40.0 MiB, 2.0 MiB/s, 0:15 left");
    }

    #[test]
    fn while_nothing_is_done_no_time_left_is_made_up() {
        let reading = Reading::of(0, 40 * MIB, 0, Duration::ZERO);
        assert_eq!((reading.bytes_per_second, reading.seconds_left), (0, None));
        assert!(!reading.line("saving").contains("left"));
        let reading = Reading::of(u64::MAX, u64::MAX, 0, Duration::from_millis(1));
        assert_eq!(reading.seconds_left, Some(0));
    }
}
