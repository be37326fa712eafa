//! The version of identity is another one after everything that may take a right away, and after
//! nothing else, whoever wrote it.

use strongroom_catalog::{
    Catalog, Error, GrantRow, KeyStatus, PermissionGrantRow, PermissionPolicyRow, Tx,
};

use crate::{
    backends::{Tenants, at, in_file, on_every_backend},
    sample::{access_key, token, vault},
};

type Deed = fn(&Tx<'_>, &Tenants) -> Result<(), Error>;

/// What happens, in an order in which each can; whether it may take something away.
const DEEDS: &[(&str, bool, Deed)] = &[
    ("a new token", false, |tx, t| tx.tokens().insert(&token(t))),
    ("a new key", false, |tx, t| {
        tx.access_keys().insert(&access_key(t))
    }),
    ("a key that was used", false, |tx, t| {
        let access = access_key(t).access;
        let edit = |row: &mut strongroom_catalog::AccessKeyRow| row.last_used_at = Some(at(9));
        tx.access_keys().change(&access, edit).map(drop)
    }),
    ("a vault", false, |tx, t| tx.vaults().insert(&vault(t.ours))),
    ("a role", true, |tx, t| tx.grants().give(&role(t))),
    ("a role taken", true, |tx, t| {
        tx.grants().take(&role(t)).map(drop)
    }),
    ("a policy", true, |tx, t| {
        tx.permissions().put(&policy(t, 1))
    }),
    ("a policy granted", true, |tx, t| {
        tx.permissions().give(&granted(t))
    }),
    ("a policy with another text", true, |tx, t| {
        tx.permissions().put(&policy(t, 2))
    }),
    ("a policy taken", true, |tx, t| {
        tx.permissions().take(&granted(t)).map(drop)
    }),
    ("a policy removed", true, |tx, t| {
        tx.permissions().remove(&t.domain, "p").map(drop)
    }),
    ("a key switched off", true, |tx, t| {
        let off = |row: &mut strongroom_catalog::AccessKeyRow| row.status = KeyStatus::Inactive;
        let access = access_key(t).access;
        tx.access_keys().change(&access, off).map(drop)
    }),
    ("a key removed", true, |tx, t| {
        tx.access_keys().remove(&access_key(t).access).map(drop)
    }),
    ("a project closed", true, |tx, t| {
        let close = |row: &mut strongroom_catalog::ProjectRow| row.enabled = false;
        tx.projects().change(&t.ours, close).map(drop)
    }),
    ("a user shut out", true, |tx, t| {
        let close = |row: &mut strongroom_catalog::UserRow| row.enabled = false;
        tx.users().change(&t.user, close).map(drop)
    }),
    ("another password", true, |tx, t| {
        let change = |row: &mut strongroom_catalog::UserRow| row.password_changed_at = at(5);
        tx.users().change(&t.user, change).map(drop)
    }),
    ("a token revoked", true, |tx, t| {
        tx.tokens().revoke(&token(t).hash, at(3)).map(drop)
    }),
    ("tokens forgotten", true, |tx, _| {
        tx.tokens().remove_ended_before(at(100_000)).map(drop)
    }),
];

fn role(tenants: &Tenants) -> GrantRow {
    GrantRow {
        user_id: tenants.user,
        project_id: tenants.ours,
        role: "member".into(),
    }
}

fn policy(tenants: &Tenants, edition: u8) -> PermissionPolicyRow {
    PermissionPolicyRow {
        domain_id: tenants.domain,
        name: "p".into(),
        document: format!("{{\"edition\": {edition}}}"),
        created_at: at(1),
        updated_at: at(1),
    }
}

fn granted(tenants: &Tenants) -> PermissionGrantRow {
    PermissionGrantRow {
        user_id: tenants.user,
        domain_id: tenants.domain,
        policy: "p".into(),
        project_id: None,
    }
}

#[test]
fn everything_that_may_take_a_right_away_changes_the_version_and_nothing_else_does() {
    on_every_backend(|subject| {
        let catalog = &subject.catalog;
        let tenants = Tenants::settle(catalog);
        for (name, takes, deed) in DEEDS {
            let before = catalog.identity_version().unwrap();
            catalog.write(|tx| deed(tx, &tenants)).unwrap();
            let after = catalog.identity_version().unwrap();
            assert_eq!(after > before, *takes, "{name} in {}", subject.name);
            assert!(after >= before, "{name}: versions only grow");
        }
    });
}

#[test]
fn what_is_undone_changes_no_version() {
    on_every_backend(|subject| {
        let tenants = Tenants::settle(&subject.catalog);
        let before = subject.catalog.identity_version().unwrap();
        let failed: Result<(), Error> = subject.catalog.write(|tx| {
            tx.grants().give(&role(&tenants))?;
            Err(Error::Busy)
        });
        assert!(failed.is_err());
        assert_eq!(subject.catalog.identity_version().unwrap(), before);
    });
}

#[test]
fn what_another_process_takes_away_is_seen_at_the_next_look() {
    let subject = in_file();
    let tenants = Tenants::settle(&subject.catalog);
    let before = subject.catalog.identity_version().unwrap();
    // Another handle shares nothing with the first but the file.
    let other = Catalog::open(subject.path()).unwrap();
    other.write(|tx| tx.grants().give(&role(&tenants))).unwrap();
    assert!(subject.catalog.identity_version().unwrap() > before);
}
