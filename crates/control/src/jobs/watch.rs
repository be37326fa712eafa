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
    use std::{
        ops::Range,
        sync::{
            Arc,
            atomic::{AtomicBool, Ordering},
        },
    };

    use serde_json::Value;
    use strongroom_engine::{
        CreateOptions, Error, Repository, Unlock, tree::SaveOptions, volume::save_volume,
    };
    use strongroom_jobs::{Job, NewJob};
    use strongroom_model::{
        Clock as _, JobId,
        content::{self, BlockSource, FileTime, Stat},
    };
    use strongroom_store::Store;
    use strongroom_testkit::{clock::ManualClock, entropy::SeededEntropy};

    use super::*;

    /// A disk that takes hours to read and holds one block again and again, so that nothing of it
    /// needs room: a save of it ends in time only because it is stopped.
    struct Endless;

    impl BlockSource for Endless {
        fn size(&self) -> u64 {
            1 << 50
        }

        fn stat(&self) -> content::Result<Option<Stat>> {
            Ok(None)
        }

        fn clock(&self) -> FileTime {
            FileTime {
                seconds: 0,
                nanos: 0,
            }
        }

        fn read_at(&self, buffer: &mut [u8], _: u64) -> content::Result<()> {
            buffer.fill(7);
            Ok(())
        }

        fn next_data(&self, from: u64) -> content::Result<Option<Range<u64>>> {
            Ok(Some(from..self.size()))
        }
    }

    /// Saves the endless disk; says how it ended and whether it left a manifest.
    fn save(stop: bool, enough: impl Fn() -> bool) -> (Option<Error>, usize) {
        let entropy = Arc::new(SeededEntropy::new(3));
        let store = Store::open("memory:").unwrap();
        let unlock = Unlock::Key([1; 32]);
        let options = CreateOptions::default();
        let repository = Repository::create(store, &unlock, options, &*entropy).unwrap();
        let new = NewJob {
            id: JobId::new(&*entropy),
            kind: "protect".into(),
            params: Value::Null,
            exclusive_key: None,
            not_before: None,
            created_at: ManualClock::default().now(),
        };
        let stopped = Arc::new(AtomicBool::new(stop));
        let ignored = |_| {};
        let job = Job::from(&new);
        let context = StepContext::new(&job, Arc::clone(&stopped), &ignored);
        let progress = Progress::default();
        let options = SaveOptions::new(&progress, entropy);
        let saved = watch(&context, &progress, enough, || {
            save_volume(&repository, &Endless, &options)
        });
        assert_eq!(stopped.load(Ordering::Relaxed), stop);
        (saved.err(), repository.manifests().unwrap().len())
    }

    #[test]
    fn a_save_that_is_cancelled_in_the_middle_ends_without_a_manifest() {
        let (error, manifests) = save(true, || false);
        assert!(matches!(error, Some(Error::Cancelled)), "{error:?}");
        assert_eq!(manifests, 0);
    }

    #[test]
    fn a_save_that_outgrows_its_vault_is_stopped_before_it_ends() {
        let (error, manifests) = save(false, || true);
        assert!(matches!(error, Some(Error::Cancelled)), "{error:?}");
        assert_eq!(manifests, 0);
    }

    #[test]
    fn the_last_percent_is_kept_for_the_end() {
        for (done, total, expected) in [(0, 0, 0), (0, 9, 0), (1, 2, 49), (2, 2, 99), (9, 2, 99)] {
            assert_eq!(percent(done, total), expected);
        }
        assert_eq!(percent(u64::MAX, u64::MAX), 99);
    }
}
