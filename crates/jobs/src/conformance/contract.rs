//! What a store promises to a runner, without a runner.

use serde_json::json;
use strongroom_model::Timestamp;

use super::{Bench, world::job_id};
use crate::{
    error::StoreError,
    job::{Ending, Job, JobFailure, JobState, NewJob, StepOutput},
    store::{Change, Claim, End, JobStore, Lease, Then},
};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(1_767_323_045_000_006).plus_seconds(seconds)
}

fn new(number: u8, key: Option<&str>) -> NewJob {
    NewJob {
        id: job_id(number),
        kind: "known".into(),
        params: json!({ "number": number }),
        exclusive_key: key.map(str::to_owned),
        not_before: None,
        created_at: at(0),
    }
}

fn claim<B: Bench>(bench: &B, runner: &str, seconds: i64) -> Option<Job> {
    claim_holding(bench, runner, seconds, &[])
}

fn claim_holding<B: Bench>(bench: &B, runner: &str, seconds: i64, held: &[u8]) -> Option<Job> {
    let held: Vec<_> = held.iter().map(|number| job_id(*number)).collect();
    let claim = Claim {
        runner,
        kinds: &["known"],
        held: &held,
        now: at(seconds),
        lease_until: at(seconds + 60),
    };
    bench.store().claim(&claim).expect("the store works")
}

fn lease(job: &Job) -> Lease {
    Lease {
        job: job.id,
        fence: job.fence,
    }
}

fn save<B: Bench>(bench: &B, job: &Job, then: Then) -> Result<(), StoreError> {
    let change = Change {
        job,
        output: None,
        then,
        now: at(1),
    };
    bench.store().save(&lease(job), &change).map(drop)
}

fn finish<B: Bench>(bench: &B, job: &Job) -> Result<(), StoreError> {
    let end = End {
        ending: &Ending::Succeeded,
        trouble: None,
        now: at(2),
    };
    bench.store().finish(&lease(job), &end, &mut |_| Ok(()))
}

fn numbers(found: Option<&Job>) -> Option<u8> {
    found.map(|job| job.id.as_bytes()[0])
}

/// The oldest first, each to one claimer, `None` when there is none left.
pub fn the_oldest_runnable_job_is_claimed_once<B: Bench>() {
    let bench = B::fresh();
    assert!(claim(&bench, "a", 0).is_none());
    // Ids fall while age rises: it is the age that counts.
    for number in [3, 2, 1] {
        bench.enqueue(&new(number, None));
    }
    assert_eq!(numbers(claim(&bench, "a", 0).as_ref()), Some(3));
    assert_eq!(numbers(claim(&bench, "b", 0).as_ref()), Some(2));
    assert_eq!(
        numbers(claim_holding(&bench, "a", 0, &[3]).as_ref()),
        Some(1)
    );
    assert!(claim_holding(&bench, "a", 0, &[3, 1]).is_none());
}

/// Every write of the older lease is refused.
pub fn a_claim_raises_the_fence_and_voids_the_older_lease<B: Bench>() {
    let bench = B::fresh();
    bench.enqueue(&new(1, None));
    let stale = claim(&bench, "a", 0).expect("it is free");
    bench.store().adopt("b").expect("the store works");
    let fresh = claim(&bench, "b", 0).expect("it was adopted");
    assert!(fresh.fence > stale.fence);
    let before = bench.store().job(&stale.id).expect("the store works");
    let hold = Then::Hold { until: at(60) };
    assert!(matches!(
        save(&bench, &stale, hold),
        Err(StoreError::Fenced)
    ));
    assert!(matches!(
        bench.store().renew(&lease(&stale), at(99)),
        Err(StoreError::Fenced)
    ));
    assert!(matches!(finish(&bench, &stale), Err(StoreError::Fenced)));
    assert_eq!(
        bench.store().job(&stale.id).expect("the store works"),
        before
    );
    save(&bench, &fresh, hold).expect("the newest lease holds");
    finish(&bench, &fresh).expect("the newest lease holds");
}

/// Time voids the leases of others only; renewing helps; adopting voids at once.
pub fn a_lease_of_another_runner_is_void_after_its_time_or_when_adopted<B: Bench>() {
    let bench = B::fresh();
    bench.enqueue(&new(1, None));
    let job = claim(&bench, "a", 0).expect("it is free");
    assert!(claim(&bench, "b", 60).is_none(), "until the very end");
    bench
        .store()
        .renew(&lease(&job), at(100))
        .expect("the newest lease holds");
    assert!(claim(&bench, "b", 61).is_none(), "it was prolonged");
    assert!(
        claim_holding(&bench, "a", 1_000_000, &[1]).is_none(),
        "a clock that jumps"
    );
    assert_eq!(
        bench.store().adopt("a").expect("the store works"),
        0,
        "its own are not orphans"
    );
    assert!(claim(&bench, "b", 101).is_some());
    assert_eq!(bench.store().adopt("c").expect("the store works"), 1);
    assert!(claim(&bench, "c", 101).is_some());
}

/// A runner that failed to record something claims its own job again.
pub fn a_job_the_runner_forgot_is_free_again_for_it<B: Bench>() {
    let bench = B::fresh();
    bench.enqueue(&new(1, None));
    let first = claim(&bench, "a", 0).expect("it is free");
    assert!(claim(&bench, "b", 0).is_none());
    let again = claim(&bench, "a", 0).expect("it is not held");
    assert!(again.fence > first.fence);
}

/// Final is final; a released lease is no lease.
pub fn an_ended_job_takes_no_further_writes<B: Bench>() {
    let bench = B::fresh();
    bench.enqueue(&new(1, None));
    let job = claim(&bench, "a", 0).expect("it is free");
    save(&bench, &job, Then::Release { not_before: at(5) }).expect("the lease holds");
    assert!(
        matches!(finish(&bench, &job), Err(StoreError::Fenced)),
        "the lease was given back"
    );
    assert!(claim(&bench, "a", 4).is_none(), "it waits");
    let job = claim(&bench, "a", 5).expect("it is time");
    finish(&bench, &job).expect("the lease holds");
    assert!(matches!(finish(&bench, &job), Err(StoreError::Fenced)));
    let hold = Then::Hold { until: at(60) };
    assert!(matches!(save(&bench, &job, hold), Err(StoreError::Fenced)));
    assert!(
        !bench
            .store()
            .request_cancel(&job.id, at(9))
            .expect("the store works")
    );
    assert!(
        !bench
            .store()
            .request_cancel(&job_id(9), at(9))
            .expect("the store works")
    );
    assert!(claim(&bench, "a", 1000).is_none());
    let ended = bench
        .store()
        .job(&job.id)
        .expect("the store works")
        .expect("it is there");
    assert_eq!(
        (ended.state, ended.ended_at),
        (JobState::Succeeded, Some(at(2)))
    );
}

/// The end of a job and what its hook writes are one.
pub fn a_hook_that_refuses_leaves_no_trace<B: Bench>() {
    let bench = B::fresh();
    bench.enqueue(&new(1, None));
    let job = claim(&bench, "a", 0).expect("it is free");
    let end = End {
        ending: &Ending::Cancelled,
        trouble: None,
        now: at(2),
    };
    let refused = bench.store().finish(&lease(&job), &end, &mut |tx| {
        B::note(tx, "lost");
        Err("no".into())
    });
    assert!(matches!(refused, Err(StoreError::Hook(_))), "{refused:?}");
    assert_eq!(bench.notes(), Vec::<String>::new());
    let left = bench
        .store()
        .job(&job.id)
        .expect("the store works")
        .expect("it is there");
    assert_eq!(left.state, JobState::Waiting);
    bench
        .store()
        .finish(&lease(&job), &end, &mut |tx| {
            B::note(tx, "kept");
            Ok(())
        })
        .expect("the lease still holds");
    assert_eq!(bench.notes(), ["kept"]);
}

/// The line of a key: strictly by age, whatever the head waits for; other keys pass.
pub fn jobs_with_one_exclusive_key_run_in_the_order_they_came<B: Bench>() {
    let bench = B::fresh();
    bench.enqueue(&new(1, Some("k")));
    bench.enqueue(&new(2, Some("k")));
    bench.enqueue(&new(3, Some("other")));
    let head = claim(&bench, "a", 0).expect("it is free");
    assert_eq!(numbers(Some(&head)), Some(1));
    assert_eq!(
        numbers(claim_holding(&bench, "a", 0, &[1]).as_ref()),
        Some(3)
    );
    assert!(claim_holding(&bench, "a", 0, &[1, 3]).is_none());
    save(&bench, &head, Then::Release { not_before: at(50) }).expect("the lease holds");
    assert!(
        claim_holding(&bench, "a", 10, &[3]).is_none(),
        "a head that waits is still the head"
    );
    let head = claim_holding(&bench, "a", 50, &[3]).expect("it is time");
    assert_eq!(numbers(Some(&head)), Some(1));
    finish(&bench, &head).expect("the lease holds");
    assert_eq!(
        numbers(claim_holding(&bench, "a", 50, &[3]).as_ref()),
        Some(2)
    );
}

/// Neither is an error; both stay in the queue.
pub fn a_job_waits_for_its_time_and_unknown_kinds_wait_for_ever<B: Bench>() {
    let bench = B::fresh();
    bench.enqueue(&NewJob {
        not_before: Some(at(30)),
        ..new(1, None)
    });
    bench.enqueue(&NewJob {
        kind: "unknown".into(),
        ..new(2, None)
    });
    assert!(claim(&bench, "a", 29).is_none());
    assert_eq!(numbers(claim(&bench, "a", 30).as_ref()), Some(1));
    assert!(claim_holding(&bench, "a", 1_000_000, &[1]).is_none());
}

/// What a runner records is what the next claim reads.
pub fn outputs_and_every_other_field_come_back<B: Bench>() {
    let bench = B::fresh();
    bench.enqueue(&new(1, Some("k")));
    let mut job = claim(&bench, "a", 0).expect("it is free");
    assert_eq!(
        (&job.params, job.created_at),
        (&json!({ "number": 1 }), at(0))
    );
    for step in ["one", "two"] {
        job.start();
        let done = StepOutput {
            step: step.into(),
            output: json!([step, null, 1.5, "ä"]),
        };
        job.advance(done.clone());
        job.progress = 40;
        let then = Then::Hold { until: at(60) };
        let change = Change {
            job: &job,
            output: Some(&done),
            then,
            now: at(3),
        };
        bench
            .store()
            .save(&lease(&job), &change)
            .expect("the lease holds");
    }
    job.turn_back(Ending::Failed(JobFailure::new("c", "m")), 9);
    job.add_trouble("something");
    save(&bench, &job, Then::Release { not_before: at(7) }).expect("the lease holds");
    bench
        .store()
        .request_cancel(&job.id, at(8))
        .expect("the store works");
    job.cancel_requested = true;
    job.not_before = at(7);
    job.updated_at = at(8);
    let read = bench
        .store()
        .job(&job.id)
        .expect("the store works")
        .expect("it is there");
    assert_eq!(read, job);
    assert!(
        claim(&bench, "a", 6).is_none(),
        "a job that goes back waits, cancelled or not"
    );
    assert_eq!(
        claim(&bench, "a", 7).expect("it is time").fence,
        job.fence + 1
    );
}
