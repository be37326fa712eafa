//! Jobs in memory: the model that other stores are compared with, and a store for tests.

use std::{
    cell::RefCell,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use strongroom_model::{JobId, Timestamp};

use crate::{
    error::{HookError, StoreError},
    job::{Job, JobState, NewJob},
    store::{Change, Claim, End, JobStore, Lease, Signal, Then},
};

/// Jobs in memory, and the notes that hooks wrote at their ends. A handle.
#[derive(Clone, Default)]
pub struct MemoryStore(Arc<Mutex<Memory>>);

#[derive(Default)]
struct Memory {
    /// In the order they came.
    records: Vec<Record>,
    notes: Vec<String>,
}

struct Record {
    job: Job,
    leased: Option<(String, Timestamp)>,
}

/// The transaction in which a job ends: notes written here are kept if it ends.
#[derive(Default)]
pub struct MemoryTx(RefCell<Vec<String>>);

impl MemoryTx {
    /// Writes a note.
    pub fn note(&self, text: &str) {
        self.0.borrow_mut().push(text.to_owned());
    }
}

impl MemoryStore {
    /// Puts a job into the queue.
    pub fn enqueue(&self, new: &NewJob) {
        self.memory().records.push(Record {
            job: new.into(),
            leased: None,
        });
    }

    /// The notes that were kept, in order.
    pub fn notes(&self) -> Vec<String> {
        self.memory().notes.clone()
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something with the job of a lease that is still the newest.
    fn leased<T>(
        &self,
        lease: &Lease,
        act: impl FnOnce(&mut Record, &mut Vec<String>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let memory = &mut *self.memory();
        let record = memory.records.iter_mut().find(|record| {
            record.job.id == lease.job
                && record.job.fence == lease.fence
                && record.leased.is_some()
                && !record.job.state.is_final()
        });
        act(record.ok_or(StoreError::Fenced)?, &mut memory.notes)
    }
}

impl Memory {
    fn may_run(&self, place: usize, claim: &Claim<'_>) -> bool {
        let Record { job, leased } = &self.records[place];
        let free = match leased {
            None => true,
            Some((runner, until)) => runner == claim.runner || *until < claim.now,
        };
        let cancelled = job.cancel_requested;
        let in_line = job.exclusive_key.is_none()
            || (cancelled && job.state == JobState::Waiting)
            || !self.records[..place].iter().any(|older| {
                older.job.exclusive_key == job.exclusive_key && !older.job.state.is_final()
            });
        !job.state.is_final()
            && free
            && in_line
            && !claim.held.contains(&job.id)
            && claim.kinds.contains(&job.kind.as_str())
            && (job.not_before <= claim.now || (cancelled && job.state != JobState::Undoing))
    }
}

impl JobStore for MemoryStore {
    type Tx<'t> = MemoryTx;

    fn claim(&self, claim: &Claim<'_>) -> Result<Option<Job>, StoreError> {
        let memory = &mut *self.memory();
        let Some(place) = (0..memory.records.len()).find(|at| memory.may_run(*at, claim)) else {
            return Ok(None);
        };
        let record = &mut memory.records[place];
        record.job.fence += 1;
        record.leased = Some((claim.runner.to_owned(), claim.lease_until));
        Ok(Some(record.job.clone()))
    }

    fn save(&self, lease: &Lease, change: &Change<'_>) -> Result<Signal, StoreError> {
        self.leased(lease, |record, _| {
            let old = &record.job;
            let mut outputs = old.outputs.clone();
            outputs.extend(change.output.cloned());
            record.job = Job {
                outputs,
                cancel_requested: old.cancel_requested,
                not_before: old.not_before,
                updated_at: change.now,
                ..change.job.clone()
            };
            match change.then {
                Then::Hold { until } => {
                    record.leased = record.leased.take().map(|(runner, _)| (runner, until));
                }
                Then::Release { not_before } => {
                    record.job.not_before = not_before;
                    record.leased = None;
                }
            }
            Ok(Signal {
                cancel_requested: record.job.cancel_requested,
            })
        })
    }

    fn renew(&self, lease: &Lease, until: Timestamp) -> Result<Signal, StoreError> {
        self.leased(lease, |record, _| {
            record.leased = record.leased.take().map(|(runner, _)| (runner, until));
            Ok(Signal {
                cancel_requested: record.job.cancel_requested,
            })
        })
    }

    fn finish(
        &self,
        lease: &Lease,
        end: &End<'_>,
        hook: &mut dyn FnMut(&MemoryTx) -> Result<(), HookError>,
    ) -> Result<(), StoreError> {
        self.leased(lease, |record, notes| {
            let tx = MemoryTx::default();
            hook(&tx).map_err(StoreError::Hook)?;
            notes.extend(tx.0.into_inner());
            record.job.state = end.state();
            record.job.ending = Some(end.ending.clone());
            record.job.trouble = end.trouble.map(str::to_owned);
            record.job.updated_at = end.now;
            record.job.ended_at = Some(end.now);
            record.leased = None;
            Ok(())
        })
    }

    fn adopt(&self, runner: &str) -> Result<u64, StoreError> {
        let mut adopted = 0;
        for record in &mut self.memory().records {
            if record
                .leased
                .as_ref()
                .is_some_and(|(holder, _)| holder != runner)
            {
                record.leased = None;
                adopted += 1;
            }
        }
        Ok(adopted)
    }

    fn request_cancel(&self, job: &JobId, now: Timestamp) -> Result<bool, StoreError> {
        let memory = &mut *self.memory();
        let known = memory
            .records
            .iter_mut()
            .find(|record| record.job.id == *job);
        Ok(match known {
            Some(record) if !record.job.state.is_final() => {
                record.job.cancel_requested = true;
                record.job.updated_at = now;
                true
            }
            _ => false,
        })
    }

    fn job(&self, job: &JobId) -> Result<Option<Job>, StoreError> {
        let memory = self.memory();
        let found = memory.records.iter().find(|record| record.job.id == *job);
        Ok(found.map(|record| record.job.clone()))
    }
}
