//! Policies: what is due, what is recorded once, what goes with what.

use strongroom_catalog::{Error, PolicyType};

use crate::{
    backends::{at, on_every_backend},
    sample::{BACKUP, POLICY, VAULT, binding, fill, fill_policies, run},
};

#[test]
fn a_run_is_recorded_by_whoever_comes_first_and_by_nobody_else() {
    on_every_backend(|subject| {
        let ours = fill(&subject.catalog).ours;
        fill_policies(&subject.catalog, ours);
        let catalog = &subject.catalog;
        let again = catalog.write(|tx| tx.policy_runs().claim(&run(ours)));
        assert_eq!(again.unwrap(), None);
        // After the clock was set back the same instant is another run.
        let mut later = run(ours);
        later.era = 1;
        let claimed = catalog.write(|tx| tx.policy_runs().claim(&later)).unwrap();
        assert_eq!(claimed.unwrap().seq, 2);
        // The newest number is kept, so that it does not come again.
        let forgotten = catalog.write(|tx| tx.policy_runs().any_project_remove_before(at(99)));
        assert_eq!(forgotten.unwrap(), 1);
        later.era = 2;
        let claimed = catalog.write(|tx| tx.policy_runs().claim(&later)).unwrap();
        assert_eq!(claimed.unwrap().seq, 3);
    });
}

#[test]
fn what_is_due_comes_longest_due_first_with_its_policy() {
    on_every_backend(|subject| {
        let ours = fill(&subject.catalog).ours;
        fill_policies(&subject.catalog, ours);
        let due = |until| {
            let due = subject
                .catalog
                .read(|tx| tx.vault_policies().any_project_due(until, 10));
            due.unwrap().len()
        };
        assert_eq!((due(at(10)), due(at(11))), (0, 1));
        let off = |tx: &strongroom_catalog::Tx<'_>| {
            let mut place = binding(ours);
            place.start_at = None;
            tx.vault_policies().set(&place)
        };
        subject.catalog.write::<_, Error>(off).unwrap();
        assert_eq!(due(at(99)), 0);
    });
}

#[test]
fn a_bound_policy_is_not_removed_and_a_backup_takes_its_note_along() {
    on_every_backend(|subject| {
        let ours = fill(&subject.catalog).ours;
        fill_policies(&subject.catalog, ours);
        let catalog = &subject.catalog;
        let bound = catalog.write(|tx| tx.policies().remove(&ours, &POLICY));
        assert!(matches!(bound, Err(Error::Reference)), "{bound:?}");
        catalog
            .write::<_, Error>(|tx| {
                assert_eq!(tx.vault_policies().remove_policy(&ours, &POLICY)?, 1);
                assert!(tx.policies().remove(&ours, &POLICY)?);
                assert_eq!(
                    tx.vault_policies().get(&ours, &VAULT, PolicyType::Backup)?,
                    None
                );
                assert!(tx.backups().remove(&ours, &BACKUP)?);
                assert_eq!(tx.scheduled_backups().get(&ours, &BACKUP)?, None);
                Ok(())
            })
            .unwrap();
    });
}
