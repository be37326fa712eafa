//! How far something is: a bar on a terminal, a line now and then elsewhere.
//!
//! Everything here goes to standard error, so that results can be piped. A program that reads JSON
//! gets no progress at all.

use std::{
    io::{self, IsTerminal},
    panic::resume_unwind,
    thread,
    time::{Duration, Instant},
};

use anyhow::Result;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output::Output;

/// How often a line is printed where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(15);

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
    pub(crate) fn bytes(output: Output, what: &str) -> Self {
        let template = "{prefix}  {wide_bar} {bytes}/{total_bytes}  {bytes_per_sec}  {eta}";
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

/// Does the work while showing how far it is, by the numbers that the work keeps.
pub(crate) fn watch<T: Send>(
    output: Output,
    what: &str,
    told: &strongroom_engine::tree::Progress,
    work: impl FnOnce() -> Result<T> + Send,
) -> Result<T> {
    let mut progress = Progress::bytes(output, what);
    thread::scope(|scope| {
        let watcher = thread::current();
        let working = scope.spawn(move || {
            let done = work();
            watcher.unpark();
            done
        });
        while !working.is_finished() {
            progress.set(told.bytes_done(), told.bytes_total());
            // Woken early by the end of the work.
            thread::park_timeout(Duration::from_millis(100));
        }
        working.join().unwrap_or_else(|panic| resume_unwind(panic))
    })
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Shown::Bar(bar) = &self.shown {
            bar.finish_and_clear();
        }
    }
}
