//! Transactions: all or nothing, alone or not at all, and what they may not do.

use std::panic::{AssertUnwindSafe, catch_unwind};

use strongroom_catalog::{Error, Result};

use crate::backends::{Tenants, on_every_backend};

#[test]
fn what_a_write_returned_ok_for_is_there_and_what_it_failed_is_not() {
    on_every_backend(|subject| {
        let catalog = &subject.catalog;
        catalog
            .write(|tx| tx.settings().set("region", "here"))
            .unwrap();
        let refused: Result<()> = catalog.write(|tx| {
            tx.settings().set("region", "there")?;
            tx.settings().set("more", "x")?;
            Err(Error::Busy)
        });
        assert!(matches!(refused, Err(Error::Busy)), "{}", subject.name);
        let settings = catalog.read(|tx| tx.settings().list()).unwrap();
        assert_eq!(settings.len(), 1);
        assert_eq!(settings[0].value, "here");
    });
}

#[test]
fn a_panic_in_a_write_undoes_it_and_the_next_one_works() {
    on_every_backend(|subject| {
        let catalog = &subject.catalog;
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            catalog.write::<(), Error>(|tx| {
                tx.settings().set("a", "b")?;
                panic!("on purpose")
            })
        }));
        assert!(panicked.is_err());
        assert_eq!(catalog.read(|tx| tx.settings().get("a")).unwrap(), None);
        catalog.write(|tx| tx.settings().set("a", "c")).unwrap();
        assert_eq!(
            catalog
                .read(|tx| tx.settings().get("a"))
                .unwrap()
                .as_deref(),
            Some("c")
        );
    });
}

#[test]
fn a_read_cannot_write() {
    on_every_backend(|subject| {
        let refused = subject.catalog.read(|tx| tx.settings().set("a", "b"));
        assert!(matches!(refused, Err(Error::ReadOnly)));
    });
}

#[test]
fn a_transaction_inside_another_is_refused_instead_of_waiting_for_ever() {
    on_every_backend(|subject| {
        let catalog = &subject.catalog;
        let refused = catalog.write(|_| catalog.read(|tx| tx.settings().get("a")));
        assert!(matches!(refused, Err(Error::Nested)));
        catalog.write(|tx| tx.settings().set("a", "b")).unwrap();
    });
}

#[test]
fn a_name_that_must_be_unique_is_a_duplicate_and_a_missing_parent_a_broken_tie() {
    on_every_backend(|subject| {
        let catalog = &subject.catalog;
        let tenants = Tenants::settle(catalog);
        let again = catalog.write(|tx| {
            let mut row = tx.projects().get(&tenants.ours)?.unwrap();
            row.id = strongroom_model::ProjectId::from_bytes([9; 16]);
            tx.projects().insert(&row)
        });
        let Err(Error::Duplicate(columns)) = again else {
            panic!("{again:?}")
        };
        assert!(columns.contains("projects.name"), "{columns}");
        let orphan = catalog.write(|tx| {
            let mut row = tx.projects().get(&tenants.ours)?.unwrap();
            row.id = strongroom_model::ProjectId::from_bytes([9; 16]);
            row.domain_id = strongroom_model::DomainId::from_bytes([9; 16]);
            tx.projects().insert(&row)
        });
        assert!(matches!(orphan, Err(Error::Reference)), "{orphan:?}");
    });
}
