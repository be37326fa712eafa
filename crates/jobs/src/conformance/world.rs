//! The world of the suite: jobs of three steps whose deeds can be counted, a clock, and runners
//! that die at a chosen call.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use strongroom_model::{Clock, JobId, Timestamp};

use super::{Bench, Fuse};
use crate::{
    context::StepContext,
    error::{HookError, StepError},
    job::{Ending, Job, NewJob},
    kind::{Context, JobType, Registry, Step, TxOf},
    runner::{Options, Runner},
    store::JobStore,
};

/// The names of the steps of the suite's jobs.
pub(super) const STEPS: [&str; 3] = ["one", "two", "three"];

/// How a job of the suite misbehaves.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Script {
    /// The step that fails.
    pub(super) step: usize,
    /// How: "", "fail", "panic", "retry".
    pub(super) how: String,
    /// In how many attempts.
    pub(super) times: u32,
    /// How the undo of that step fails: "", "fail", "panic", "retry" (each time).
    pub(super) undo: String,
    /// How often the hook refuses.
    pub(super) refusals: u32,
}

impl Script {
    /// The step at that place fails so, each time.
    pub(super) fn at(step: usize, how: &str) -> Self {
        Self {
            step,
            how: how.into(),
            times: u32::MAX,
            ..Self::default()
        }
    }
}

type Meanwhile<B> = Box<dyn FnOnce(&World<B>) + Send>;

/// Where the suite's jobs run.
pub struct World<B: Bench> {
    pub(super) bench: B,
    pub(super) fuse: Fuse,
    store: B::Store,
    pub(super) now: AtomicI64,
    deeds: Mutex<Deeds>,
    meanwhile: Mutex<Vec<(usize, Meanwhile<B>)>>,
    runners: AtomicUsize,
    refused: AtomicUsize,
}

/// What steps have done.
#[derive(Default)]
struct Deeds {
    standing: BTreeSet<(JobId, &'static str)>,
    trace: Vec<(JobId, String)>,
}

impl<B: Bench> World<B> {
    const STEPS: &'static [Step<Self>] = &[
        Step::new(STEPS[0], |w: &Self, c| w.step(c, 0)).undo(|w: &Self, c| w.undo(c, 0)),
        Step::new(STEPS[1], |w: &Self, c| w.step(c, 1)).undo(|w: &Self, c| w.undo(c, 1)),
        Step::new(STEPS[2], |w: &Self, c| w.step(c, 2)).undo(|w: &Self, c| w.undo(c, 2)),
    ];

    const THREE: &'static JobType<Self> = &JobType {
        name: "three",
        steps: Self::STEPS,
        finished: Some(Self::finished),
    };

    pub(super) fn new() -> Arc<Self> {
        let bench = B::fresh();
        Arc::new(Self {
            fuse: Fuse::default(),
            store: bench.store(),
            bench,
            now: AtomicI64::new(1_767_323_045_000_000),
            deeds: Mutex::default(),
            meanwhile: Mutex::default(),
            runners: AtomicUsize::new(0),
            refused: AtomicUsize::new(0),
        })
    }

    /// A runner, as of a new process.
    pub(super) fn runner(self: &Arc<Self>) -> Runner<Self> {
        let number = self.runners.fetch_add(1, Ordering::SeqCst);
        let registry = Registry::new(&[Self::THREE]).expect("there is one type");
        let options = Options::named(format!("runner-{number}"));
        Runner::new(Arc::clone(self), registry, options).with_fuse(self.fuse.clone())
    }

    /// A runner of a new process that has killed the others.
    pub(super) fn restarted(self: &Arc<Self>) -> Runner<Self> {
        self.fuse.revive();
        let runner = self.runner();
        runner.adopt_orphans().expect("the store works again");
        runner
    }

    pub(super) fn enqueue(&self, number: u8, key: Option<&str>, script: &Script) -> JobId {
        let id = job_id(number);
        self.bench.enqueue(&NewJob {
            id,
            kind: "three".into(),
            params: serde_json::to_value(script).expect("a script is plain"),
            exclusive_key: key.map(str::to_owned),
            not_before: None,
            created_at: self.clock().now(),
        });
        id
    }

    pub(super) fn advance(&self, seconds: i64) {
        self.now.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }

    /// While the step at that place runs next, `act` happens.
    pub(super) fn meanwhile(&self, step: usize, act: impl FnOnce(&Self) + Send + 'static) {
        lock(&self.meanwhile).push((step, Box::new(act)));
    }

    pub(super) fn job(&self, id: &JobId) -> Job {
        self.bench
            .store()
            .job(id)
            .expect("the store works")
            .expect("the job is there")
    }

    /// The steps of the job whose deeds stand, in the order of their names' places.
    pub(super) fn standing(&self, id: &JobId) -> Vec<&'static str> {
        let deeds = lock(&self.deeds);
        STEPS
            .into_iter()
            .filter(|step| deeds.standing.contains(&(*id, *step)))
            .collect()
    }

    /// What the job's steps did, in order.
    pub(super) fn trace(&self, id: &JobId) -> Vec<String> {
        let deeds = lock(&self.deeds);
        deeds
            .trace
            .iter()
            .filter(|(job, _)| job == id)
            .map(|(_, deed)| deed.clone())
            .collect()
    }

    /// Which job did something, in order.
    pub(super) fn order(&self) -> Vec<JobId> {
        let mut order: Vec<_> = lock(&self.deeds)
            .trace
            .iter()
            .map(|(job, _)| *job)
            .collect();
        order.dedup();
        order
    }

    /// Everything that was done, for comparison.
    pub(super) fn all_deeds(&self) -> Vec<String> {
        lock(&self.deeds)
            .trace
            .iter()
            .map(|(job, deed)| format!("{job} {deed}"))
            .collect()
    }

    fn step(&self, context: &StepContext<'_>, place: usize) -> Result<Value, StepError> {
        let script: Script = context.params()?;
        {
            let mut deeds = lock(&self.deeds);
            deeds
                .trace
                .push((context.job_id(), STEPS[place].to_owned()));
            deeds.standing.insert((context.job_id(), STEPS[place]));
        }
        if place > 0 {
            let earlier: Option<Value> = context.output(STEPS[place - 1])?;
            assert_eq!(
                earlier,
                Some(json!({ "of": STEPS[place - 1] })),
                "outputs are passed on"
            );
        }
        let acts: Vec<_> = lock(&self.meanwhile)
            .extract_if(.., |(at, _)| *at == place)
            .collect();
        for (_, act) in acts {
            act(self);
        }
        context.progress(u8::try_from(place * 30 + 30).expect("three steps"));
        context.check()?;
        if script.step == place && context.attempt() <= script.times {
            misbehave(&script.how)?;
        }
        Ok(json!({ "of": STEPS[place] }))
    }

    fn undo(&self, context: &StepContext<'_>, place: usize) -> Result<(), StepError> {
        let script: Script = context.params()?;
        context.check()?;
        lock(&self.deeds)
            .trace
            .push((context.job_id(), format!("undo {}", STEPS[place])));
        if script.step == place {
            misbehave(&script.undo)?;
        }
        lock(&self.deeds)
            .standing
            .remove(&(context.job_id(), STEPS[place]));
        Ok(())
    }

    fn finished(&self, tx: &TxOf<'_, Self>, job: &Job, ending: &Ending) -> Result<(), HookError> {
        let script: Script = serde_json::from_value(job.params.clone())?;
        assert_eq!(job.ending.as_ref(), Some(ending), "the job knows its end");
        B::note(tx, &format!("{} {}", job.id, ending.state().as_str()));
        if self.refused.load(Ordering::SeqCst) < script.refusals as usize {
            self.refused.fetch_add(1, Ordering::SeqCst);
            return Err("the hook refuses".into());
        }
        Ok(())
    }
}

fn misbehave(how: &str) -> Result<(), StepError> {
    match how {
        "fail" => Err(StepError::fail("E1", "it cannot be")),
        "retry" => Err(StepError::retry(10, "not now")),
        "panic" => panic!("on purpose"),
        _ => Ok(()),
    }
}

/// The id of the suite's job of that number.
pub(super) fn job_id(number: u8) -> JobId {
    JobId::from_bytes([number; 16])
}

impl<B: Bench> Clock for World<B> {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.now.load(Ordering::SeqCst))
    }
}

impl<B: Bench> Context for World<B> {
    type Store = B::Store;

    fn job_store(&self) -> &Self::Store {
        &self.store
    }

    fn clock(&self) -> &dyn Clock {
        self
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
