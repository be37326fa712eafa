//! Runs a long call of the engine while its progress is passed on and a wish to stop is heard.

use std::{
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::Duration,
};

use strongroom_engine::tree::Progress;
use strongroom_jobs::StepContext;

/// How often the work is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Percent of a job that are left to what follows the long call.
const RESERVED: u8 = 1;

/// Runs `work` in a thread of its own; its progress becomes that of the job. It is cancelled when
/// the job is, and when `enough` says so.
pub(super) fn watch<T: Send>(
    context: &StepContext<'_>,
    progress: &Progress,
    enough: impl Fn() -> bool,
    work: impl FnOnce() -> T + Send,
) -> T {
    thread::scope(|scope| {
        let (done, waiting) = mpsc::channel();
        scope.spawn(move || {
            // The receiver is there until this is sent, or this thread has panicked.
            let _ = done.send(work());
        });
        // The total grows while a tree is discovered; what was shown never goes back.
        let mut shown = 0;
        loop {
            match waiting.recv_timeout(LOOK_EVERY) {
                Ok(outcome) => return outcome,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => panic!("the work panicked"),
            }
            if context.cancelled() || enough() {
                progress.cancel();
            }
            shown = percent(progress.bytes_done(), progress.bytes_total()).max(shown);
            context.progress(shown);
        }
    })
}

fn percent(done: u64, total: u64) -> u8 {
    let most = u128::from(100 - RESERVED);
    let percent = (u128::from(done) * most)
        .checked_div(u128::from(total))
        .unwrap_or(0);
    u8::try_from(percent.min(most)).expect("at most 99")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_percent_is_kept_for_the_end() {
        for (done, total, expected) in [(0, 0, 0), (0, 9, 0), (1, 2, 49), (2, 2, 99), (9, 2, 99)] {
            assert_eq!(percent(done, total), expected);
        }
        assert_eq!(percent(u64::MAX, u64::MAX), 99);
    }
}
