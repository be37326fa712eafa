//! A store that fails, lies or stops at every single call: nothing that was committed is lost,
//! nothing is half committed, and the next run succeeds.

use strongroom_engine::{Error, ManifestId, Repository, Result};
use strongroom_store::{
    ErrorKind, Operation, Store,
    fault::{Fault, Faults, Rule},
};

use crate::scene::*;

/// The first save, which must survive everything.
const FIRST: std::ops::Range<u64> = 0..60;
/// The save that is disturbed; half of it is known.
const SECOND: std::ops::Range<u64> = 30..110;

/// A repository with one save in it, behind a store that can be made to fail.
fn prepared() -> (Store, Faults, Repository, ManifestId) {
    let inner = memory();
    let first = save(&create(&inner), 2, FIRST).unwrap();
    let faults = Faults::new();
    let repository = open(&faults.wrap(&inner));
    (inner, faults, repository, first)
}

/// How many store calls the second save takes.
fn calls() -> u64 {
    let (_, faults, repository, _) = prepared();
    let before = faults.calls();
    save(&repository, 3, SECOND).unwrap();
    faults.calls() - before
}

/// What must hold after a disturbed save ended so.
fn check(store: &Store, first: ManifestId, disturbed: &Result<ManifestId>, what: &str) {
    let repository = open(store);
    assert_restores(&repository, &first, FIRST);
    let manifests = repository.manifests().unwrap();
    match disturbed {
        Ok(id) => {
            assert!(manifests.contains(id), "{what}: acknowledged and not there");
            assert_restores(&repository, id, SECOND);
        }
        Err(_) => {
            for id in manifests.iter().filter(|id| **id != first) {
                assert_restores(&repository, id, SECOND);
            }
        }
    }
    let again = save(&repository, 4, SECOND).unwrap();
    assert_restores(&open(store), &again, SECOND);
}

#[test]
fn a_store_that_stops_at_any_call_loses_nothing() {
    for n in 0..calls() + 2 {
        let (store, faults, repository, first) = prepared();
        faults.stop_after(n);
        let disturbed = save(&repository, 3, SECOND);
        faults.heal();
        let commits = open(&store).manifests().unwrap().len();
        assert_eq!(
            commits,
            1 + usize::from(disturbed.is_ok()),
            "stopped after {n} calls"
        );
        check(
            &store,
            first,
            &disturbed,
            &format!("stopped after {n} calls"),
        );
    }
}

#[test]
fn a_single_failure_at_any_call_is_reported_or_harmless() {
    for kind in [
        ErrorKind::Unavailable,
        ErrorKind::NoSpace,
        ErrorKind::Denied,
    ] {
        for n in 1..=calls() {
            let (store, faults, repository, first) = prepared();
            faults.add(Rule::call(faults.calls() + n), Fault::Refuse(kind));
            let disturbed = save(&repository, 3, SECOND);
            if let Err(error) = &disturbed {
                assert_eq!(error.store_kind(), Some(kind), "call {n}: {error:?}");
            }
            check(
                &store,
                first,
                &disturbed,
                &format!("call {n} failed with {kind:?}"),
            );
        }
    }
}

#[test]
fn a_lost_reply_at_any_call_never_makes_two_truths() {
    for n in 1..=calls() {
        let (store, faults, repository, first) = prepared();
        faults.add(
            Rule::call(faults.calls() + n),
            Fault::LoseReply(ErrorKind::Unavailable),
        );
        let disturbed = save(&repository, 3, SECOND);
        let manifests = open(&store).manifests().unwrap().len();
        assert_eq!(
            manifests,
            1 + usize::from(disturbed.is_ok()),
            "reply {n} lost"
        );
        check(&store, first, &disturbed, &format!("reply {n} lost"));
    }
}

#[test]
fn a_torn_write_that_is_reported_leaves_the_rest_whole() {
    for n in 1..=calls() {
        for keep in [0, 1, 500] {
            let (store, faults, repository, first) = prepared();
            let torn = Fault::TearWrite {
                keep,
                report: Some(ErrorKind::Unavailable),
            };
            faults.add(Rule::call(faults.calls() + n), torn);
            let disturbed = save(&repository, 3, SECOND);
            let repository = open(&store);
            assert_restores(&repository, &first, FIRST);
            if let Ok(id) = disturbed {
                assert_restores(&repository, &id, SECOND);
            }
        }
    }
}

#[test]
fn a_commit_whose_reply_is_lost_is_found_out() {
    let (store, faults, repository, _) = prepared();
    let rule = Rule::on(Operation::CreateNew).under("manifests/").nth(1);
    faults.add(rule, Fault::LoseReply(ErrorKind::Unavailable));
    let id = save(&repository, 3, SECOND).unwrap();
    assert_restores(&open(&store), &id, SECOND);
    assert!(keys(&store, "leases/").is_empty());
}

#[test]
fn a_commit_of_unknown_outcome_keeps_the_lease() {
    let (store, faults, repository, first) = prepared();
    let rule = Rule::on(Operation::CreateNew).under("manifests/");
    faults.add(rule, Fault::Refuse(ErrorKind::Unavailable));
    let failed = save(&repository, 3, SECOND);
    assert_eq!(
        failed.unwrap_err().store_kind(),
        Some(ErrorKind::Unavailable)
    );
    assert_eq!(keys(&store, "leases/").len(), 1);
    assert_eq!(open(&store).manifests().unwrap(), [first]);
}

#[test]
fn the_first_error_stops_the_writer_and_every_later_call_returns_it() {
    let (store, faults, repository, _) = prepared();
    faults.add(
        Rule::on(Operation::PutIdempotent),
        Fault::Refuse(ErrorKind::NoSpace),
    );
    let writer = repository.writer(options(), entropy(3)).unwrap();
    let mut stream = writer.stream(strongroom_engine::Stream::Data);
    let mut put = (1000..).map(|n| stream.put(&chunk(n)));
    let error = put.find_map(Result::err).unwrap();
    assert_eq!(error.store_kind(), Some(ErrorKind::NoSpace));
    assert_eq!(
        stream.put(b"more").unwrap_err().store_kind(),
        Some(ErrorKind::NoSpace)
    );
    drop(stream);
    let root = strongroom_engine::ChunkId::from_bytes([0; 32]);
    assert_eq!(
        writer.commit(body(root)).unwrap_err().store_kind(),
        Some(ErrorKind::NoSpace)
    );
    assert!(keys(&store, "leases/").is_empty());
}

#[test]
fn a_writer_that_is_dropped_releases_its_lease_and_leaves_no_manifest() {
    let (store, _, repository, first) = prepared();
    let writer = repository.writer(options(), entropy(3)).unwrap();
    let mut stream = writer.stream(strongroom_engine::Stream::Data);
    for n in 0..300 {
        stream.put(&chunk(n)).unwrap();
    }
    drop(writer);
    assert!(matches!(stream.put(b"late"), Err(Error::WriterDied)));
    assert!(keys(&store, "leases/").is_empty());
    assert_eq!(repository.manifests().unwrap(), [first]);
}

#[test]
fn what_a_crashed_writer_stored_is_used_by_the_next() {
    let (store, faults, repository, _) = prepared();
    let rule = Rule::on(Operation::CreateNew).under("manifests/");
    faults.add(rule, Fault::Refuse(ErrorKind::Unavailable));
    save(&repository, 3, SECOND).unwrap_err();
    let writer = open(&store).writer(options(), entropy(4)).unwrap();
    put(&writer, SECOND).unwrap();
    assert_eq!(writer.counts().new_chunks, 0);
}
