//! Retrying, recording and misbehaving by script.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use strongroom_store::{
    Call, Error, ErrorKind, Key, Operation, Result, Store,
    fault::{Fault, Faults, Rule},
    record::{Recorder, Tally},
    retry::{RetryPolicy, Wait, retrying},
};

fn key(text: &str) -> Key {
    Key::new(text).unwrap()
}

fn memory() -> Store {
    Store::open("memory:").unwrap()
}

fn keys(store: &Store) -> Vec<String> {
    let mut found = Vec::new();
    store
        .list("", &mut |key, _| {
            found.push(key.to_string());
            Ok(())
        })
        .unwrap();
    found
}

fn kind<T: std::fmt::Debug>(done: Result<T>) -> ErrorKind {
    done.unwrap_err().kind
}

/// Remembers the waits it was asked for.
#[derive(Default)]
struct Waits(Mutex<Vec<Duration>>);

impl Wait for Waits {
    fn wait(&self, time: Duration) {
        self.0.lock().unwrap().push(time);
    }
}

const POLICY: RetryPolicy = RetryPolicy {
    attempts: 5,
    first_wait: Duration::from_millis(100),
    longest_wait: Duration::from_millis(300),
};

/// A store in memory with faults, and above them retries that do not sleep.
struct Bench {
    bare: Store,
    faults: Faults,
    waits: Arc<Waits>,
    store: Store,
}

impl Bench {
    fn new() -> Self {
        let (bare, faults, waits) = (memory(), Faults::new(), Arc::new(Waits::default()));
        let store = retrying(&faults.wrap(&bare), POLICY, waits.clone());
        Self {
            bare,
            faults,
            waits,
            store,
        }
    }

    fn waited(&self) -> Vec<u128> {
        self.waits
            .0
            .lock()
            .unwrap()
            .iter()
            .map(Duration::as_millis)
            .collect()
    }
}

#[test]
fn a_passing_failure_is_waited_out_with_doubling_waits() {
    let bench = Bench::new();
    bench
        .faults
        .add(Rule::any().times(4), Fault::Refuse(ErrorKind::Throttled));
    bench.store.create_new(&key("a"), b"x").unwrap();
    assert_eq!(bench.waited(), [100, 200, 300, 300]);
}

#[test]
fn after_the_last_attempt_the_failure_is_reported() {
    let bench = Bench::new();
    bench
        .faults
        .add(Rule::any(), Fault::Refuse(ErrorKind::Unavailable));
    assert_eq!(kind(bench.store.get(&key("a"))), ErrorKind::Unavailable);
    assert_eq!((bench.faults.calls(), bench.waited().len()), (5, 4));
}

#[test]
fn a_failure_that_waiting_does_not_cure_is_reported_at_once() {
    for lasting in [
        ErrorKind::NotFound,
        ErrorKind::AlreadyExists,
        ErrorKind::Denied,
        ErrorKind::Corrupt,
        ErrorKind::NoSpace,
        ErrorKind::Unsupported,
        ErrorKind::Other,
    ] {
        let bench = Bench::new();
        bench.faults.add(Rule::any(), Fault::Refuse(lasting));
        assert_eq!(kind(bench.store.create_new(&key("a"), b"x")), lasting);
        assert_eq!(bench.faults.calls(), 1, "{lasting:?}");
    }
}

#[test]
fn a_create_whose_reply_was_lost_is_recognised_as_ours() {
    let bench = Bench::new();
    let lost = Fault::LoseReply(ErrorKind::Unavailable);
    bench
        .faults
        .add(Rule::on(Operation::CreateNew).times(2), lost);
    bench.store.create_new(&key("a"), b"mine").unwrap();
    assert_eq!(bench.bare.get(&key("a")).unwrap(), "mine");
}

#[test]
fn a_create_that_lost_the_race_behind_a_lost_reply_is_not_ours() {
    for theirs in [&b"their"[..], b"theirs are longer"] {
        let bench = Bench::new();
        let competitor = bench.bare.clone();
        bench
            .faults
            .add(Rule::call(1), Fault::Refuse(ErrorKind::Unavailable));
        let win = move || competitor.create_new(&key("a"), theirs).unwrap();
        bench
            .faults
            .add(Rule::call(2), Fault::Before(Arc::new(win)));
        let done = bench.store.create_new(&key("a"), b"mine!");
        assert_eq!(kind(done), ErrorKind::AlreadyExists);
        assert_eq!(bench.bare.get(&key("a")).unwrap(), theirs);
    }
}

#[test]
fn a_taken_key_is_reported_without_looking_at_it_when_no_reply_was_lost() {
    let bench = Bench::new();
    bench.bare.create_new(&key("a"), b"same").unwrap();
    assert_eq!(
        kind(bench.store.create_new(&key("a"), b"same")),
        ErrorKind::AlreadyExists
    );
    assert_eq!(bench.faults.calls(), 1);
}

#[test]
fn the_look_at_a_doubtful_object_is_retried_too() {
    let bench = Bench::new();
    bench
        .faults
        .add(Rule::call(1), Fault::LoseReply(ErrorKind::Unavailable));
    bench.faults.add(
        Rule::on(Operation::Get).nth(1),
        Fault::Refuse(ErrorKind::Throttled),
    );
    bench.store.create_new(&key("a"), b"mine").unwrap();
}

#[test]
fn a_listing_goes_on_where_it_broke_off() {
    let bench = Bench::new();
    for n in 0..9 {
        bench.bare.create_new(&key(&n.to_string()), b"x").unwrap();
    }
    let report = ErrorKind::Unavailable;
    bench
        .faults
        .add(Rule::call(1), Fault::BreakOff { after: 0, report });
    bench
        .faults
        .add(Rule::call(2), Fault::BreakOff { after: 4, report });
    // Everything was visited, but the end was not heard of: then nothing is left to visit.
    bench.faults.add(Rule::call(3), Fault::LoseReply(report));
    let expected: Vec<String> = (0..9).map(|n| n.to_string()).collect();
    assert_eq!(keys(&bench.store), expected);
    assert_eq!(bench.waited().len(), 3);

    // The visitor's own failure is not retried, even of a kind that would be.
    let mut visits = 0;
    let done = bench.store.list("", &mut |_, _| {
        visits += 1;
        Err(Error::new(ErrorKind::Unavailable))
    });
    assert_eq!(kind(done), ErrorKind::Unavailable);
    assert_eq!((visits, bench.waited().len()), (1, 3));
}

#[test]
fn a_range_read_again_is_appended_once() {
    let bench = Bench::new();
    bench.bare.create_new(&key("a"), b"0123456789").unwrap();
    let lost = Fault::LoseReply(ErrorKind::Unavailable);
    bench
        .faults
        .add(Rule::on(Operation::GetRange).times(3), lost);
    let mut buffer = b">".to_vec();
    bench.store.get_into(&key("a"), 2..5, &mut buffer).unwrap();
    assert_eq!(buffer, b">234");
}

#[test]
fn a_torn_write_is_never_taken_for_the_whole_object() {
    let bench = Bench::new();
    let report = Some(ErrorKind::Unavailable);
    bench
        .faults
        .add(Rule::call(1), Fault::TearWrite { keep: 2, report });
    assert_eq!(
        kind(bench.store.put_idempotent(&key("a"), b"whole")),
        ErrorKind::Corrupt
    );
    bench.faults.add(
        Rule::on(Operation::CreateNew).nth(1),
        Fault::TearWrite { keep: 2, report },
    );
    assert_eq!(
        kind(bench.store.create_new(&key("b"), b"whole")),
        ErrorKind::AlreadyExists
    );
}

#[test]
fn rules_choose_calls_by_number_operation_and_prefix() {
    let faults = Faults::new();
    let store = faults.wrap(&memory());
    let refuse = Fault::Refuse(ErrorKind::Denied);
    faults.add(Rule::call(2), refuse.clone());
    faults.add(
        Rule::on(Operation::CreateNew).under("packs/").nth(2),
        refuse.clone(),
    );
    faults.add(Rule::on(Operation::Size).every(3).times(2), refuse);
    let create = |name: &str| store.create_new(&key(name), b"x").is_ok();
    assert_eq!(
        ["a", "b", "packs/1", "packs/2", "packs/3"].map(create),
        [true, false, true, false, true]
    );
    let sizes: Vec<bool> = (0..10).map(|_| store.size(&key("a")).is_ok()).collect();
    let failed: Vec<usize> = (0..10).filter(|n| !sizes[*n]).collect();
    assert_eq!(failed, [2, 5]);
}

#[test]
fn a_stopped_store_does_nothing_more_until_healed() {
    let (bare, faults) = (memory(), Faults::new());
    let store = faults.wrap(&bare);
    store.create_new(&key("before"), b"x").unwrap();
    faults.stop_after(1);
    store.create_new(&key("last"), b"x").unwrap();
    assert_eq!(
        kind(store.create_new(&key("after"), b"x")),
        ErrorKind::Other
    );
    assert_eq!(kind(store.delete(&key("before"))), ErrorKind::Other);
    assert_eq!(keys(&bare), ["before", "last"]);
    faults.heal();
    store.create_new(&key("healed"), b"x").unwrap();
    assert_eq!(faults.calls(), 5);
}

#[test]
fn reads_and_listings_can_lie() {
    let faults = Faults::new();
    let store = faults.wrap(&memory());
    for n in 0..5 {
        store
            .create_new(&key(&n.to_string()), b"0123456789")
            .unwrap();
    }
    faults.add(Rule::on(Operation::Get).nth(1), Fault::CutRead { keep: 3 });
    faults.add(Rule::on(Operation::Get).nth(2), Fault::FlipBit { at: 12 });
    faults.add(
        Rule::on(Operation::GetRange).nth(1),
        Fault::CutRead { keep: 3 },
    );
    faults.add(
        Rule::on(Operation::List).nth(1),
        Fault::OmitListed { skip: 1, count: 2 },
    );
    faults.add(
        Rule::on(Operation::List).nth(2),
        Fault::StaleList { newest: 2 },
    );
    assert_eq!(store.get(&key("0")).unwrap(), "012");
    assert_eq!(store.get(&key("0")).unwrap(), "0133456789");
    assert_eq!(store.get(&key("0")).unwrap(), "0123456789");
    assert_eq!(kind(store.get_range(&key("0"), 0..5)), ErrorKind::Corrupt);
    assert_eq!(keys(&store), ["0", "3", "4"]);
    assert_eq!(keys(&store), ["0", "1", "2"]);
    assert_eq!(keys(&store).len(), 5);
}

#[test]
fn a_recorder_counts_calls_bytes_and_failures() {
    let recorder = Recorder::listing();
    let store = recorder.wrap(&memory());
    store.create_new(&key("a/b"), b"12345").unwrap();
    store.create_new(&key("a/b"), b"again").unwrap_err();
    store.get(&key("a/b")).unwrap();
    store.get_range(&key("a/b"), 1..3).unwrap();
    store.get_into(&key("a/b"), 1..3, &mut Vec::new()).unwrap();
    store.list("a/", &mut |_, _| Ok(())).unwrap();
    store.delete(&key("a/b")).unwrap();
    assert_eq!(
        recorder.tally(Operation::CreateNew),
        Tally {
            calls: 2,
            failures: 1,
            bytes: 5
        }
    );
    assert_eq!(
        recorder.tally(Operation::GetRange),
        Tally {
            calls: 2,
            failures: 0,
            bytes: 4
        }
    );
    assert_eq!(recorder.tally(Operation::Size), Tally::default());
    assert_eq!(recorder.total(), 7);

    let calls = recorder.take_calls();
    let (operation, name) = (Operation::CreateNew, "a/b".to_owned());
    let failure = Some(ErrorKind::AlreadyExists);
    assert_eq!(
        calls[1],
        Call {
            operation,
            name,
            bytes: 0,
            failure
        }
    );
    assert_eq!(
        (calls[5].operation, calls[5].name.as_str()),
        (Operation::List, "a/")
    );
    assert_eq!(recorder.take_calls(), []);

    let counting = Recorder::counting();
    counting.wrap(&memory()).delete(&key("a")).unwrap();
    assert_eq!((counting.total(), counting.take_calls().len()), (1, 0));
}
