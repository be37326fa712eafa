//! A thread that makes rounds: the scheduler's, the upkeep's, the watchdog's, the courier's.
//!
//! A round that panics is a mistake of ours and must not be the end of all later ones: nobody
//! would notice that nothing is scheduled any more. It is caught, counted for the metrics and
//! said in the log, and the next round comes as if nothing had been. A round keeps nothing in
//! memory that a panic could leave half done: what it decides is in the catalog, whose
//! transaction was undone.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread::{self, JoinHandle},
    time::Duration,
};

/// When the next round is to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// At its time.
    InTime,
    /// Soon: this one left something to do.
    Soon,
}

/// A pause that leaves the machine to others between rounds that have much to do.
const SOON: Duration = Duration::from_secs(1);

/// A thread that makes rounds; ends when this is dropped.
pub(super) struct Rounds {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Rounds {
    /// Makes a round now and then after each pause; `panicked` is called after one that panicked.
    pub(super) fn start(
        name: &'static str,
        every: Duration,
        panicked: impl Fn(&'static str) + Send + 'static,
        mut round: impl FnMut() -> Next + Send + 'static,
    ) -> io::Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let rounds = move || {
            loop {
                let next = catch_unwind(AssertUnwindSafe(&mut round)).unwrap_or_else(|_| {
                    tracing::error!(name, "a round panicked; the next one is made all the same");
                    panicked(name);
                    Next::InTime
                });
                let pause = match next {
                    Next::InTime => every,
                    Next::Soon => SOON.min(every),
                };
                if stopped.recv_timeout(pause) != Err(RecvTimeoutError::Timeout) {
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
            // It catches what panics, so it ends because it was told to.
            let _ended = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    };

    use super::*;

    #[test]
    fn a_round_that_panics_is_counted_and_the_next_one_comes() {
        let (done, told) = mpsc::channel();
        let counted = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&counted);
        let panicked = move |name: &'static str| {
            assert_eq!(name, "test");
            count.fetch_add(1, Ordering::SeqCst);
        };
        let mut number = 0;
        let round = move || {
            number += 1;
            assert!(number > 2, "the first two rounds panic");
            let _stopped = done.send(number);
            Next::InTime
        };
        let rounds = Rounds::start("test", Duration::from_millis(1), panicked, round).unwrap();
        let long = Duration::from_secs(30);
        assert_eq!(told.recv_timeout(long), Ok(3));
        assert_eq!(told.recv_timeout(long), Ok(4));
        assert_eq!(counted.load(Ordering::SeqCst), 2);
        // Ends with its owner: the sender is gone, or this would wait for ever.
        drop(rounds);
        assert!(told.into_iter().all(|number| number > 4));
    }
}
