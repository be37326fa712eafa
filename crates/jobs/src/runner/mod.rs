//! Claims jobs and runs them: in threads of its own, or one at a time for tests and tools.
//!
//! Threads are woken by [`Runner::notify`] when there is work, and look by themselves from time
//! to time. One more thread, the keeper, prolongs the leases of running jobs and passes on the
//! wish to cancel them.
//!
//! Invariants: a job that this runner works on is listed in `held` from before its claim returns
//! until after its last write, so it is never claimed a second time by the same runner, whatever
//! the clock does; and a failure of the store ends the work on a job, never the job.

mod execution;
mod held;

use std::{
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use strongroom_model::{JobId, Timestamp, chain};

use crate::{
    error::StoreError,
    kind::{Context, Registry},
    store::{Claim, JobStore},
};
use execution::Execution;
use held::Held;

/// How a runner works.
#[derive(Clone, Debug)]
pub struct Options {
    /// Its name, different from that of every other running one: draw it at random.
    pub name: String,
    /// How many jobs run at once.
    pub threads: usize,
    /// For how long others keep away from a job whose runner is silent, in seconds.
    pub lease_seconds: u32,
    /// How long a thread without work sleeps at most before it looks again.
    pub look_every: Duration,
}

impl Options {
    /// Two threads, leases of a minute, a look each second.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            threads: 2,
            lease_seconds: 60,
            look_every: Duration::from_secs(1),
        }
    }
}

/// Runs the jobs of a context.
pub struct Runner<C: Context> {
    inner: Arc<Inner<C>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// What the threads of a runner share.
struct Inner<C: Context> {
    context: Arc<C>,
    registry: Registry<C>,
    kinds: Vec<&'static str>,
    options: Options,
    /// Taken around a claim and the entry of its job in `shared.held`.
    claiming: Mutex<()>,
    shared: Mutex<Shared>,
    wake: Condvar,
    #[cfg(any(test, feature = "conformance"))]
    fuse: crate::conformance::Fuse,
}

#[derive(Default)]
struct Shared {
    held: Vec<Arc<Held>>,
    draining: bool,
    nudges: u64,
}

impl<C: Context> Runner<C> {
    /// A runner of the registry's jobs; no thread runs before [`start`](Self::start).
    pub fn new(context: Arc<C>, registry: Registry<C>, options: Options) -> Self {
        let kinds = registry.names();
        let inner = Inner {
            context,
            registry,
            kinds,
            options,
            claiming: Mutex::default(),
            shared: Mutex::default(),
            wake: Condvar::new(),
            #[cfg(any(test, feature = "conformance"))]
            fuse: crate::conformance::Fuse::default(),
        };
        Self {
            inner: Arc::new(inner),
            threads: Mutex::default(),
        }
    }

    /// The same runner, to be killed by that fuse; for tests, before it is started.
    #[cfg(any(test, feature = "conformance"))]
    #[must_use]
    pub fn with_fuse(mut self, fuse: crate::conformance::Fuse) -> Self {
        Arc::get_mut(&mut self.inner)
            .expect("no thread was started yet")
            .fuse = fuse;
        self
    }

    /// Frees the jobs that other runners hold; returns how many there were.
    ///
    /// Only for one who knows that they are dead, because it holds the lock that they held.
    pub fn adopt_orphans(&self) -> Result<u64, StoreError> {
        self.inner
            .call(|store| store.adopt(&self.inner.options.name))
    }

    /// Starts the threads.
    pub fn start(&self) -> std::io::Result<()> {
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        for number in 0..self.inner.options.threads {
            let inner = Arc::clone(&self.inner);
            let name = format!("job-{number}");
            threads.push(
                thread::Builder::new()
                    .name(name)
                    .spawn(move || inner.work())?,
            );
        }
        let inner = Arc::clone(&self.inner);
        let keeper = thread::Builder::new().name("job-keeper".into());
        threads.push(keeper.spawn(move || inner.keep())?);
        Ok(())
    }

    /// Says that there may be work, or that a job was cancelled.
    pub fn notify(&self) {
        self.inner.shared().nudges += 1;
        self.inner.wake.notify_all();
    }

    /// Asks for a job to be stopped; `false` if it is unknown or has ended.
    pub fn cancel(&self, job: &JobId) -> Result<bool, StoreError> {
        let known = self
            .inner
            .call(|store| store.request_cancel(job, self.inner.now()))?;
        self.notify();
        Ok(known)
    }

    /// Claims one job and works on it until it ends or must wait; `false` if none may run now.
    pub fn run_one(&self) -> Result<bool, StoreError> {
        self.inner.run_one()
    }

    /// Works until no job may run now; returns how often one was claimed.
    pub fn run_until_idle(&self) -> Result<usize, StoreError> {
        let mut claims = 0;
        while self.run_one()? {
            claims += 1;
        }
        Ok(claims)
    }

    /// Stops: no job is claimed any more, running steps are asked to stop, and what they have
    /// not finished is left for the next start. Returns when all threads have ended, but on one
    /// of these threads at once.
    pub fn drain(&self) {
        {
            let mut shared = self.inner.shared();
            shared.draining = true;
            for held in &shared.held {
                held.drain();
            }
        }
        self.inner.wake.notify_all();
        let threads = {
            let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
            let me = thread::current().id();
            if threads.iter().any(|thread| thread.thread().id() == me) {
                // A step that ends its own runner: the threads wait for it, not it for them.
                return;
            }
            mem::take(&mut *threads)
        };
        for thread in threads {
            // A panic there has been reported by the thread itself.
            let _ended = thread.join();
        }
    }
}

impl<C: Context> Drop for Runner<C> {
    fn drop(&mut self) {
        self.drain();
    }
}

impl<C: Context> Inner<C> {
    /// Every call of the store passes here.
    fn call<T>(
        &self,
        act: impl FnOnce(&C::Store) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        #[cfg(any(test, feature = "conformance"))]
        return self.fuse.call(|| act(self.context.job_store()));
        #[cfg(not(any(test, feature = "conformance")))]
        act(self.context.job_store())
    }

    fn now(&self) -> Timestamp {
        self.context.clock().now()
    }

    fn lease_until(&self, now: Timestamp) -> Timestamp {
        now.plus_seconds(i64::from(self.options.lease_seconds))
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run_one(&self) -> Result<bool, StoreError> {
        let Some(execution) = self.claim()? else {
            return Ok(false);
        };
        match execution.run() {
            Err(StoreError::Fenced) => {
                tracing::warn!("a job was taken over by another runner; its work here is dropped");
                Ok(true)
            }
            done => done.map(|()| true),
        }
    }

    fn claim(&self) -> Result<Option<Execution<'_, C>>, StoreError> {
        let _one_at_a_time = self.claiming.lock().unwrap_or_else(PoisonError::into_inner);
        let held: Vec<JobId> = {
            let shared = self.shared();
            if shared.draining {
                return Ok(None);
            }
            shared.held.iter().map(|held| held.lease.job).collect()
        };
        let now = self.now();
        let claim = Claim {
            runner: &self.options.name,
            kinds: &self.kinds,
            held: &held,
            now,
            lease_until: self.lease_until(now),
        };
        let Some(job) = self.call(|store| store.claim(&claim))? else {
            return Ok(None);
        };
        let kind = self
            .registry
            .get(&job.kind)
            .expect("only known kinds are claimed");
        let held = Arc::new(Held::new(&job));
        let mut shared = self.shared();
        if shared.draining {
            held.drain();
        }
        shared.held.push(Arc::clone(&held));
        drop(shared);
        Ok(Some(Execution::new(self, kind, job, held)))
    }

    fn let_go(&self, job: &JobId) {
        self.shared().held.retain(|held| held.lease.job != *job);
        // The keeper of a runner that drains waits for the last one.
        self.wake.notify_all();
    }

    /// What a working thread does.
    fn work(&self) {
        loop {
            let nudges = {
                let shared = self.shared();
                if shared.draining {
                    return;
                }
                shared.nudges
            };
            match catch_unwind(AssertUnwindSafe(|| self.run_one())) {
                Ok(Ok(true)) => {}
                Ok(Ok(false)) => self.sleep(nudges, self.options.look_every),
                Ok(Err(error)) => {
                    tracing::error!(error = chain(&error), "jobs wait: their store failed");
                    self.sleep(nudges, self.options.look_every);
                }
                Err(_panic) => {
                    tracing::error!("the job runner panicked; the job will be taken up again");
                    self.sleep(nudges, self.options.look_every);
                }
            }
        }
    }

    /// What the keeper does.
    fn keep(&self) {
        let period = Duration::from_secs(u64::from(self.options.lease_seconds.div_ceil(3)));
        let mut renewed = Instant::now();
        loop {
            let (nudges, held) = {
                let shared = self.shared();
                if shared.draining && shared.held.is_empty() {
                    return;
                }
                (shared.nudges, shared.held.clone())
            };
            let due = renewed.elapsed() >= period;
            for held in held {
                self.look_after(&held, due);
            }
            if due {
                renewed = Instant::now();
            }
            // Wanted until the last step has ended, however long the others have been gone.
            let quiet = |shared: &Shared| {
                shared.nudges == nudges && !(shared.draining && shared.held.is_empty())
            };
            self.sleep_while(quiet, period.saturating_sub(renewed.elapsed()));
        }
    }

    fn look_after(&self, held: &Held, renew: bool) {
        let signal = if renew {
            self.call(|store| store.renew(&held.lease, self.lease_until(self.now())))
        } else {
            self.call(|store| store.job(&held.lease.job))
                .map(|job| crate::store::Signal {
                    cancel_requested: job.is_some_and(|job| job.cancel_requested),
                })
        };
        match signal {
            Ok(signal) => held.heed(signal),
            Err(StoreError::Fenced) => held.lose(),
            Err(error) => {
                tracing::warn!(job = %held.lease.job, error = chain(&error),
                    "a lease is not prolonged");
            }
        }
    }

    /// Sleeps until something was said since `nudges` was read, or that time is over.
    fn sleep(&self, nudges: u64, at_most: Duration) {
        self.sleep_while(
            |shared| shared.nudges == nudges && !shared.draining,
            at_most,
        );
    }

    fn sleep_while(&self, quiet: impl Fn(&Shared) -> bool, at_most: Duration) {
        let slept = self
            .wake
            .wait_timeout_while(self.shared(), at_most, |shared| quiet(shared));
        drop(slept.unwrap_or_else(PoisonError::into_inner));
    }
}

#[cfg(test)]
mod tests;
