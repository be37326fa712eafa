//! Threads that share the work on one tree.
//!
//! Work on files is done before more directories are opened, and the directory found last is
//! entered first. So what waits is bounded by the files of one directory and the siblings on one
//! path, whatever the size of the tree, and files that lie together are handled together.
//!
//! Invariant: [`Crew::next`] returns `None` on every thread once nothing waits and nobody works,
//! because only work makes work; or at once after [`Crew::stop`].

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

/// Locks, also after a panic on another thread: that panic is on its way up already.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Work that waits, and how many threads are at work.
pub(crate) struct Crew<J> {
    state: Mutex<State<J>>,
    changed: Condvar,
}

struct State<J> {
    files: VecDeque<J>,
    directories: Vec<J>,
    working: usize,
    stopped: bool,
}

/// A piece of work and the promise that somebody is at it; it ends when dropped.
pub(crate) struct Job<'c, J> {
    crew: &'c Crew<J>,
    work: Option<J>,
}

impl<J> Crew<J> {
    pub(crate) fn new() -> Self {
        let state = State {
            files: VecDeque::new(),
            directories: Vec::new(),
            working: 0,
            stopped: false,
        };
        Self {
            state: Mutex::new(state),
            changed: Condvar::new(),
        }
    }

    /// Adds work on files, behind what waits already.
    pub(crate) fn add_files(&self, work: J) {
        lock(&self.state).files.push_back(work);
        self.changed.notify_one();
    }

    /// Adds work that is to be next: more of the file just worked on.
    pub(crate) fn add_next(&self, work: J) {
        lock(&self.state).files.push_front(work);
        self.changed.notify_one();
    }

    /// Adds work on a file behind the first `ahead` pieces that wait.
    pub(crate) fn add_soon(&self, work: J, ahead: usize) {
        let mut state = lock(&self.state);
        let at = ahead.min(state.files.len());
        state.files.insert(at, work);
        drop(state);
        self.changed.notify_one();
    }

    /// Adds a directory, in front of those that wait already.
    pub(crate) fn add_directory(&self, work: J) {
        lock(&self.state).directories.push(work);
        self.changed.notify_one();
    }

    /// Waits for work; `None` if there will be no more.
    pub(crate) fn next(&self) -> Option<Job<'_, J>> {
        let mut state = lock(&self.state);
        loop {
            if state.stopped {
                return None;
            }
            let work = state.files.pop_front();
            if let Some(work) = work.or_else(|| state.directories.pop()) {
                state.working += 1;
                return Some(Job {
                    crew: self,
                    work: Some(work),
                });
            }
            if state.working == 0 {
                return None;
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Sends everybody home; what waits is not done.
    pub(crate) fn stop(&self) {
        lock(&self.state).stopped = true;
        self.changed.notify_all();
    }
}

impl<J> Job<'_, J> {
    /// The work itself.
    pub(crate) fn take(&mut self) -> J {
        self.work.take().expect("work is taken once")
    }
}

impl<J> Drop for Job<'_, J> {
    fn drop(&mut self) {
        let mut state = lock(&self.crew.state);
        state.working -= 1;
        state.stopped |= std::thread::panicking();
        if state.stopped || state.working == 0 {
            drop(state);
            self.crew.changed.notify_all();
        }
    }
}
