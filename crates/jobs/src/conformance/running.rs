//! What the real runner makes of a store: the promises of the crate, as tests.

use std::sync::{Arc, mpsc};

use strongroom_model::{Clock, JobId};

use super::{
    Bench, LastCall, World,
    world::{STEPS, Script, job_id},
};
use crate::{
    job::{Ending, JobFailure, JobState, StepOutput},
    runner::Runner,
    store::{Change, Claim, JobStore, Lease, Then},
};

fn idle<B: Bench>(runner: &Runner<World<B>>) {
    runner.run_until_idle().expect("the store works");
}

/// Asserts how the job ended: its state, that its deeds stand or not, and one note of it.
fn assert_ended<B: Bench>(world: &World<B>, id: &JobId, state: JobState) {
    let job = world.job(id);
    assert_eq!(job.state, state, "{job:?}");
    let standing = world.standing(id);
    match state {
        JobState::Succeeded => assert_eq!(standing, STEPS, "{job:?}"),
        _ => assert_eq!(standing, [""; 0], "{job:?} {:?}", world.trace(id)),
    }
    let mine = format!("{id} ");
    let notes: Vec<_> = world
        .bench
        .notes()
        .into_iter()
        .filter(|n| n.starts_with(&mine))
        .collect();
    assert_eq!(notes, [format!("{id} {}", state.as_str())]);
}

fn failure<B: Bench>(world: &World<B>, id: &JobId) -> JobFailure {
    match world.job(id).ending {
        Some(Ending::Failed(failure)) => failure,
        other => panic!("it should have failed: {other:?}"),
    }
}

/// The straight way.
pub fn steps_run_in_order_and_see_earlier_outputs<B: Bench>() {
    let world = World::<B>::new();
    let id = world.enqueue(1, None, &Script::default());
    idle(&world.runner());
    assert_ended(&world, &id, JobState::Succeeded);
    assert_eq!(world.trace(&id), STEPS);
    assert_eq!(world.job(&id).outputs.len(), STEPS.len());
}

/// By an error or by a panic: undone backwards, the failing step included.
pub fn a_failure_at_each_step_undoes_it_and_those_before_it<B: Bench>() {
    for (how, code) in [("fail", "E1"), ("panic", JobFailure::PANICKED)] {
        for step in 0..STEPS.len() {
            let world = World::<B>::new();
            let id = world.enqueue(1, None, &Script::at(step, how));
            idle(&world.runner());
            assert_ended(&world, &id, JobState::Failed);
            assert_eq!(failure(&world, &id).code, code);
            let forth = STEPS[..=step].iter().map(|step| (*step).to_owned());
            let back = STEPS[..=step]
                .iter()
                .rev()
                .map(|step| format!("undo {step}"));
            assert_eq!(world.trace(&id), forth.chain(back).collect::<Vec<_>>());
        }
    }
}

/// The process dies at each call of the store, done or not done: the next one ends the job as
/// it would have ended, with each step run again at most.
pub fn a_crash_at_each_store_call_changes_no_outcome<B: Bench>() {
    let scripts = [
        (Script::default(), JobState::Succeeded),
        (Script::at(1, "fail"), JobState::Failed),
        (
            Script {
                refusals: 1,
                ..Script::default()
            },
            JobState::Succeeded,
        ),
    ];
    for (script, state) in scripts {
        for last in [LastCall::Lost, LastCall::Unheard] {
            for call in 0.. {
                let world = World::<B>::new();
                let id = world.enqueue(1, Some("k"), &script);
                let runner = world.runner();
                world.fuse.halt_at(call, last);
                let crashed = runner.run_until_idle().is_err();
                drop(runner);
                let runner = world.restarted();
                idle(&runner);
                world.advance(60);
                idle(&runner);
                assert_ended(&world, &id, state);
                if !crashed && call > 0 {
                    break;
                }
            }
        }
    }
}

/// Another runner took the job over and ended it while the first one's step hung.
pub fn a_runner_that_comes_back_late_changes_nothing<B: Bench>() {
    for step in 0..STEPS.len() {
        let world = World::<B>::new();
        let id = world.enqueue(1, None, &Script::default());
        let other = world.runner();
        world.meanwhile(step, move |world| {
            other.adopt_orphans().expect("the store works");
            idle(&other);
            let ended = world.job(&job_id(1));
            assert_eq!(ended.state, JobState::Succeeded);
        });
        let late = world.runner();
        late.run_one().expect("the store works");
        assert_ended(&world, &id, JobState::Succeeded);
        assert_eq!(world.job(&id).fence, 2);
        assert_eq!(late.run_until_idle().expect("the store works"), 0);
    }
}

/// Whatever the clock says: the lease of a running job is as good as its runner.
pub fn a_runner_never_claims_a_job_that_it_works_on<B: Bench>() {
    let world = World::<B>::new();
    let id = world.enqueue(1, None, &Script::default());
    let runner = Arc::new(world.runner());
    let same = Arc::clone(&runner);
    world.meanwhile(1, move |world| {
        assert!(!same.run_one().expect("the store works"));
        world.advance(1_000_000_000);
        assert!(!same.run_one().expect("the store works"));
    });
    idle(&runner);
    assert_ended(&world, &id, JobState::Succeeded);
    assert_eq!(world.job(&id).fence, 1);
}

/// Before it begins, while a step runs, and too late.
pub fn a_cancel_at_each_point_undoes_what_was_done<B: Bench>() {
    for step in 0..STEPS.len() {
        let world = World::<B>::new();
        let id = world.enqueue(1, None, &Script::default());
        world.meanwhile(step, |world| {
            let known = world.bench.store().request_cancel(&job_id(1), world.now());
            assert!(known.expect("the store works"));
        });
        idle(&world.runner());
        assert_ended(&world, &id, JobState::Cancelled);
        assert_eq!(world.trace(&id).len(), 2 * (step + 1));
    }
    let world = World::<B>::new();
    let id = world.enqueue(1, None, &Script::default());
    let runner = world.runner();
    assert!(runner.cancel(&id).expect("the store works"));
    idle(&runner);
    assert_ended(&world, &id, JobState::Cancelled);
    assert_eq!(
        world.trace(&id),
        [""; 0],
        "nothing was begun, nothing is undone"
    );
    assert!(!runner.cancel(&id).expect("the store works"), "too late");
}

/// It needs nothing of what the line protects.
pub fn a_cancelled_job_that_never_began_leaves_the_line<B: Bench>() {
    let world = World::<B>::new();
    let head = world.enqueue(1, Some("k"), &Script::at(0, "retry"));
    let second = world.enqueue(2, Some("k"), &Script::default());
    let runner = world.runner();
    idle(&runner);
    assert_eq!(world.job(&head).state, JobState::Running);
    runner.cancel(&second).expect("the store works");
    idle(&runner);
    assert_ended(&world, &second, JobState::Cancelled);
    assert_eq!(world.job(&head).state, JobState::Running);
    // A cancel does not wait for the time of the next try either.
    runner.cancel(&head).expect("the store works");
    idle(&runner);
    assert_ended(&world, &head, JobState::Cancelled);
}

/// Once too often is a failure that tells the last cause.
pub fn a_retry_waits_and_its_number_is_bounded<B: Bench>() {
    let world = World::<B>::new();
    let id = world.enqueue(
        1,
        None,
        &Script {
            times: 2,
            ..Script::at(1, "retry")
        },
    );
    let runner = world.runner();
    idle(&runner);
    idle(&runner);
    assert_eq!(world.job(&id).attempts, 1, "it waits");
    assert_eq!(world.job(&id).trouble.as_deref(), Some("not now"));
    for _ in 0..2 {
        world.advance(10);
        idle(&runner);
    }
    assert_ended(&world, &id, JobState::Succeeded);
    assert_eq!(world.job(&id).trouble, None);

    let id = world.enqueue(2, None, &Script::at(1, "retry"));
    for _ in 0..10 {
        idle(&runner);
        world.advance(10);
    }
    assert_ended(&world, &id, JobState::Failed);
    let why = failure(&world, &id);
    assert_eq!(why.code, JobFailure::EXHAUSTED);
    assert!(
        why.message.contains("step two") && why.message.contains("not now"),
        "{why:?}"
    );
    assert_eq!(
        world
            .trace(&id)
            .iter()
            .filter(|deed| *deed == "two")
            .count(),
        5
    );
}

/// Attempts are counted before the step starts.
pub fn a_step_that_kills_the_process_is_not_started_for_ever<B: Bench>() {
    let world = World::<B>::new();
    let id = world.enqueue(1, None, &Script::default());
    for _ in 0..10 {
        world.meanwhile(1, |world| world.fuse.halt_at(0, LastCall::Lost));
        let _died = world.restarted().run_until_idle();
    }
    idle(&world.restarted());
    assert_ended(&world, &id, JobState::Failed);
    assert_eq!(failure(&world, &id).code, JobFailure::EXHAUSTED);
    assert_eq!(
        world
            .trace(&id)
            .iter()
            .filter(|deed| *deed == "two")
            .count(),
        5
    );
}

/// The job fails with its first cause, and its trouble names what was left behind.
pub fn an_undo_that_fails_is_reported_and_the_others_still_run<B: Bench>() {
    for how in ["fail", "panic", "retry"] {
        let world = World::<B>::new();
        let script = Script {
            undo: how.into(),
            ..Script::at(1, "fail")
        };
        let id = world.enqueue(1, None, &script);
        let runner = world.runner();
        for _ in 0..10 {
            idle(&runner);
            world.advance(10);
        }
        let job = world.job(&id);
        assert_eq!(job.state, JobState::Failed);
        assert_eq!(failure(&world, &id).code, "E1");
        let trouble = job.trouble.expect("it names the step");
        assert!(trouble.contains("step two was not undone"), "{trouble}");
        assert_eq!(world.standing(&id), ["two"], "the others were undone");
    }
}

/// Nothing is reported as done that the catalog does not say.
pub fn an_end_that_cannot_be_recorded_becomes_a_failure<B: Bench>() {
    for (refusals, state) in [(1, JobState::Succeeded), (5, JobState::Failed)] {
        let world = World::<B>::new();
        let id = world.enqueue(
            1,
            None,
            &Script {
                refusals,
                ..Script::default()
            },
        );
        let runner = world.runner();
        for _ in 0..10 {
            idle(&runner);
            world.advance(10);
        }
        assert_ended(&world, &id, state);
    }
    // Refused for ever: it still ends, and says what is missing.
    let world = World::<B>::new();
    let id = world.enqueue(
        1,
        None,
        &Script {
            refusals: 99,
            ..Script::at(0, "fail")
        },
    );
    let runner = world.runner();
    for _ in 0..20 {
        idle(&runner);
        world.advance(10);
    }
    let job = world.job(&id);
    assert_eq!(job.state, JobState::Failed);
    assert!(
        job.trouble
            .expect("it says so")
            .contains("the hook refuses")
    );
    assert_eq!(world.bench.notes(), [""; 0]);
}

/// Its steps were others: it is neither continued nor undone by guess.
pub fn a_job_of_another_release_fails_and_says_so<B: Bench>() {
    let world = World::<B>::new();
    let id = world.enqueue(1, None, &Script::default());
    let store = world.bench.store();
    let now = world.now();
    let claim = Claim {
        runner: "old",
        kinds: &["three"],
        held: &[],
        now,
        lease_until: now,
    };
    let mut job = store
        .claim(&claim)
        .expect("the store works")
        .expect("it is free");
    let done = StepOutput {
        step: "zero".into(),
        output: serde_json::Value::Null,
    };
    job.start();
    job.advance(done.clone());
    let then = Then::Release { not_before: now };
    let change = Change {
        job: &job,
        output: Some(&done),
        then,
        now,
    };
    let lease = Lease {
        job: id,
        fence: job.fence,
    };
    store.save(&lease, &change).expect("the lease holds");
    idle(&world.runner());
    assert_ended(&world, &id, JobState::Failed);
    assert_eq!(failure(&world, &id).code, JobFailure::STEPS_CHANGED);
    assert_eq!(world.trace(&id), [""; 0]);
}

/// Durably, while the step still runs.
pub fn progress_is_remembered<B: Bench>() {
    let world = World::<B>::new();
    let id = world.enqueue(1, None, &Script::default());
    world.meanwhile(2, |world| assert_eq!(world.job(&job_id(1)).progress, 60));
    idle(&world.runner());
    assert_eq!(world.job(&id).progress, 90);
}

/// A shutdown is neither a failure nor an attempt.
pub fn a_drained_step_goes_on_after_the_next_start<B: Bench>() {
    for step in 0..STEPS.len() {
        let world = World::<B>::new();
        let id = world.enqueue(1, None, &Script::default());
        let runner = Arc::new(world.runner());
        let drained = Arc::clone(&runner);
        world.meanwhile(step, move |_| drained.drain());
        runner.run_one().expect("the store works");
        let left = world.job(&id);
        assert_eq!(
            (left.state, left.position, left.attempts),
            (JobState::Running, step, 0)
        );
        assert!(
            !runner.run_one().expect("the store works"),
            "it takes no more work"
        );
        idle(&world.restarted());
        assert_ended(&world, &id, JobState::Succeeded);
    }
}

/// The threads themselves: a step on one of them may end the runner.
pub fn a_step_may_drain_its_own_runner<B: Bench>() {
    let world = World::<B>::new();
    let id = world.enqueue(1, None, &Script::default());
    let runner = Arc::new(world.runner());
    let (drained, is_drained) = mpsc::channel();
    let own = Arc::clone(&runner);
    world.meanwhile(1, move |_| {
        own.drain();
        drained.send(()).expect("the test waits");
    });
    runner.start().expect("threads can be had");
    is_drained.recv().expect("it does not wait for itself");
    drop(runner);
    idle(&world.restarted());
    assert_ended(&world, &id, JobState::Succeeded);
}

/// With real threads: a late wake-up or a double claim would show here.
pub fn threads_run_all_jobs_and_never_two_of_one_key<B: Bench>() {
    const JOBS: u8 = 24;
    let world = World::<B>::new();
    let (begun, first_is_nearly_done) = mpsc::channel();
    world.meanwhile(2, move |_| begun.send(()).expect("the test waits"));
    let runner = world.runner();
    runner.start().expect("threads can be had");
    let ids: Vec<_> = (0..JOBS)
        .map(|number| {
            let key = format!("key {}", number % 3);
            let id = world.enqueue(number, Some(&key), &Script::default());
            runner.notify();
            id
        })
        .collect();
    first_is_nearly_done.recv().expect("some job gets there");
    // Those that wait or run go on after a restart.
    runner.drain();
    idle(&world.restarted());
    for id in &ids {
        assert_ended(&world, id, JobState::Succeeded);
    }
    for key in 0..3 {
        let mine = |id: &JobId| id.as_bytes()[0] % 3 == key;
        let mut order: Vec<_> = world.order().into_iter().filter(mine).collect();
        order.dedup();
        let came: Vec<_> = ids.iter().copied().filter(mine).collect();
        assert_eq!(order, came, "one after the other, in the order they came");
    }
}
