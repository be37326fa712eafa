//! The conformance suite over every backend, bare and under every decorator.

use strongroom_store::{
    ErrorKind, Store, conformance,
    fault::{Fault, Faults, Rule},
    record::Recorder,
    retry::{RetryPolicy, Wait, retrying},
};

/// A wait that takes no time.
struct AtOnce;

impl Wait for AtOnce {
    fn wait(&self, _: std::time::Duration) {}
}

/// The store under all decorators, with every seventh call failing before it is done and every
/// eleventh after it: what retrying must make invisible.
pub(crate) fn decorated(store: &Store) -> Store {
    let faults = Faults::new();
    faults.add(Rule::any().every(7), Fault::Refuse(ErrorKind::Throttled));
    faults.add(
        Rule::any().every(11),
        Fault::LoseReply(ErrorKind::Unavailable),
    );
    let store = Recorder::counting().wrap(&faults.wrap(store));
    // Threads share the count of calls, and one that does not wait can meet the seventh many times
    // in a row.
    let policy = RetryPolicy {
        attempts: 500,
        ..RetryPolicy::default()
    };
    retrying(&store, policy, std::sync::Arc::new(AtOnce))
}

#[test]
fn memory_keeps_the_contract() {
    let store = Store::open("memory:").unwrap();
    conformance(&store).unwrap();
    conformance(&decorated(&store)).unwrap();
}

#[test]
fn a_directory_keeps_the_contract() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path().join("store").to_str().unwrap()).unwrap();
    conformance(&store).unwrap();
}

#[test]
fn a_directory_keeps_the_contract_under_decorators_and_faults() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path().join("store").to_str().unwrap()).unwrap();
    conformance(&decorated(&store)).unwrap();
}
