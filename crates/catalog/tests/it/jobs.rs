//! The catalog as a job store: the suite of the jobs crate, and random histories that must go
//! here as they go in the store in memory that is its model.

use proptest::prelude::*;
use strongroom_catalog::{AuditRow, Catalog, Page, Tx};
use strongroom_jobs::{
    NewJob,
    conformance::{Bench, MemoryBench, history},
};
use strongroom_model::JobId;
use tempfile::TempDir;

use crate::backends::at;

/// A catalog in a file, or in memory.
struct CatalogBench<const IN_FILE: bool>(
    Catalog,
    #[expect(dead_code, reason = "kept alive")] Option<TempDir>,
);

impl<const IN_FILE: bool> Bench for CatalogBench<IN_FILE> {
    type Store = Catalog;

    fn fresh() -> Self {
        if !IN_FILE {
            return Self(Catalog::memory().unwrap(), None);
        }
        let folder = tempfile::tempdir().unwrap();
        Self(
            Catalog::open(folder.path().join("catalog.sqlite")).unwrap(),
            Some(folder),
        )
    }

    fn store(&self) -> Catalog {
        self.0.clone()
    }

    fn enqueue(&self, new: &NewJob) {
        self.0.write(|tx| tx.jobs().enqueue(new)).unwrap();
    }

    /// Notes are kept in the audit trail: any table would do.
    fn note(tx: &Tx<'_>, text: &str) {
        let row = AuditRow {
            seq: 0,
            at: at(0),
            project_id: None,
            who: "suite".into(),
            source: String::new(),
            request_id: String::new(),
            operation: text.into(),
            target: String::new(),
            outcome: String::new(),
        };
        tx.audit().append(&row, crate::sample::seal).unwrap();
    }

    fn notes(&self) -> Vec<String> {
        let rows = self
            .0
            .read(|tx| tx.audit().any_project_list(&Page::ALL))
            .unwrap()
            .rows;
        rows.into_iter().rev().map(|row| row.operation).collect()
    }
}

mod memory {
    strongroom_jobs::conformance_suite!(super::CatalogBench<false>);
}

mod file {
    strongroom_jobs::conformance_suite!(super::CatalogBench<true>);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_history_goes_as_it_goes_in_the_model(
        moves in proptest::collection::vec(any::<u8>(), 0..60)
    ) {
        let here = history::play::<CatalogBench<false>>(&moves);
        let there = history::play::<MemoryBench>(&moves);
        prop_assert_eq!(here, there);
    }
}

#[test]
fn a_job_that_waits_already_is_not_put_into_the_queue_again() {
    let catalog = Catalog::memory().unwrap();
    let job = |number: u8, key: Option<&str>| NewJob {
        id: JobId::from_bytes([number; 16]),
        kind: "collect".into(),
        params: serde_json::Value::Null,
        exclusive_key: key.map(str::to_owned),
        not_before: None,
        created_at: at(0),
    };
    let once = |number, key| {
        catalog
            .write(|tx| tx.jobs().enqueue_once(&job(number, key)))
            .unwrap()
    };
    let id = |number: u8| JobId::from_bytes([number; 16]);
    assert_eq!(once(1, Some("a")), id(1));
    assert_eq!(once(2, Some("a")), id(1), "one waits");
    assert_eq!(once(3, Some("b")), id(3), "another key");
    assert_eq!(once(4, None), id(4), "no key is not any key");
    catalog
        .write(|tx| tx.jobs().request_cancel(&id(1), at(1)))
        .unwrap();
    assert_eq!(
        once(5, Some("a")),
        id(5),
        "one that is to be cancelled will not do it"
    );
    assert_eq!(
        catalog
            .read(|tx| tx.jobs().unfinished_with_key("a"))
            .unwrap(),
        2
    );
}
