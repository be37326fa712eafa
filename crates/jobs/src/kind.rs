//! Job types: a name, steps in order, and what happens in the catalog when the job ends.
//!
//! A job type is data, found by name in a [`Registry`], so that one suite of tests can run over
//! all of them: each step twice, a failure after each step, a crash at each point.

use std::{collections::BTreeMap, fmt};

use serde_json::Value;
use strongroom_model::Clock;

use crate::{
    context::StepContext,
    error::{HookError, StepError},
    job::{Ending, Job},
    store::JobStore,
};

/// The world in which steps run: what they may use, and where their jobs are remembered.
pub trait Context: Send + Sync + 'static {
    /// Where the jobs are remembered.
    type Store: JobStore;

    /// The store.
    fn job_store(&self) -> &Self::Store;

    /// The time.
    fn clock(&self) -> &dyn Clock;
}

/// The transaction in which a job of context `C` ends.
pub type TxOf<'t, C> = <<C as Context>::Store as JobStore>::Tx<'t>;

/// What a step runs.
pub type Run<C> = fn(&C, &StepContext<'_>) -> Result<Value, StepError>;

/// What takes back a step, finished or interrupted at any point; must bear being run twice.
pub type Undo<C> = fn(&C, &StepContext<'_>) -> Result<(), StepError>;

/// What is written in the transaction that ends a job. The job's `ending` is set.
pub type Finished<C> = fn(&C, &TxOf<'_, C>, &Job, &Ending) -> Result<(), HookError>;

/// One step of a job. It may be run again after a crash at any point of it.
pub struct Step<C> {
    /// Its name; recorded, so it must not change while jobs of the type are unfinished.
    pub name: &'static str,
    /// What it does; the value is recorded before the next step starts.
    pub run: Run<C>,
    /// What takes it back.
    pub undo: Option<Undo<C>>,
    /// How often it may be started, crashes included, before it counts as failed.
    pub attempts: u32,
}

impl<C> Step<C> {
    /// How often a step is started unless it says otherwise.
    pub const ATTEMPTS: u32 = 5;

    /// A step without undo.
    pub const fn new(name: &'static str, run: Run<C>) -> Self {
        Self {
            name,
            run,
            undo: None,
            attempts: Self::ATTEMPTS,
        }
    }

    /// The same step, taken back by `undo`.
    #[must_use]
    pub const fn undo(self, undo: Undo<C>) -> Self {
        Self {
            undo: Some(undo),
            ..self
        }
    }

    /// The same step, started at most `attempts` times.
    #[must_use]
    pub const fn attempts(self, attempts: u32) -> Self {
        Self { attempts, ..self }
    }
}

/// A kind of job.
pub struct JobType<C: Context> {
    /// Its name; recorded with each job.
    pub name: &'static str,
    /// Its steps, in order.
    pub steps: &'static [Step<C>],
    /// What is written along with its end.
    pub finished: Option<Finished<C>>,
}

/// Two job types have one name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("two job types are called {0}")]
pub struct TwiceRegistered(pub &'static str);

/// The job types that a runner knows.
pub struct Registry<C: Context> {
    types: BTreeMap<&'static str, &'static JobType<C>>,
}

impl<C: Context> Registry<C> {
    /// A registry of these types.
    pub fn new(types: &[&'static JobType<C>]) -> Result<Self, TwiceRegistered> {
        let mut known = BTreeMap::new();
        for kind in types {
            if known.insert(kind.name, *kind).is_some() {
                return Err(TwiceRegistered(kind.name));
            }
        }
        Ok(Self { types: known })
    }

    /// The type of that name.
    pub fn get(&self, name: &str) -> Option<&'static JobType<C>> {
        self.types.get(name).copied()
    }

    /// All names.
    pub fn names(&self) -> Vec<&'static str> {
        self.types.keys().copied().collect()
    }

    /// All types, for suites that run over them.
    pub fn types(&self) -> impl Iterator<Item = &'static JobType<C>> {
        self.types.values().copied()
    }
}

impl<C: Context> fmt::Debug for Registry<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Registry").field(&self.names()).finish()
    }
}
