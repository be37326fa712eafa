//! The registry of backends that the suite runs over, and one domain, project and user in each.

use std::path::PathBuf;

use strongroom_catalog::{Catalog, DomainRow, Error, ProjectRow, UserRow};
use strongroom_model::{DomainId, Entropy, ProjectId, Timestamp, UserId};
use strongroom_testkit::entropy::SeededEntropy;
use tempfile::TempDir;

/// A catalog to test, with what keeps it alive.
pub(crate) struct Subject {
    pub(crate) name: &'static str,
    pub(crate) catalog: Catalog,
    pub(crate) folder: TempDir,
}

impl Subject {
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("catalog.sqlite")
    }
}

type Open = fn(&TempDir) -> Catalog;

/// Every backend. A new one is one line here.
const BACKENDS: &[(&str, Open)] = &[
    ("memory", |_| Catalog::memory().unwrap()),
    ("file", |folder| {
        Catalog::open(folder.path().join("catalog.sqlite")).unwrap()
    }),
];

/// Runs `test` over every backend.
pub(crate) fn on_every_backend(test: impl Fn(&Subject)) {
    for (name, open) in BACKENDS {
        let folder = tempfile::tempdir().unwrap();
        let catalog = open(&folder);
        test(&Subject {
            name,
            catalog,
            folder,
        });
    }
}

/// A catalog in a file.
pub(crate) fn in_file() -> Subject {
    let folder = tempfile::tempdir().unwrap();
    let catalog = Catalog::open(folder.path().join("catalog.sqlite")).unwrap();
    Subject {
        name: "file",
        catalog,
        folder,
    }
}

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(1_767_323_045_000_000).plus_seconds(seconds)
}

/// Two projects and a user.
pub(crate) struct Tenants {
    pub(crate) domain: DomainId,
    pub(crate) user: UserId,
    pub(crate) ours: ProjectId,
    pub(crate) theirs: ProjectId,
}

impl Tenants {
    pub(crate) fn settle(catalog: &Catalog) -> Self {
        let new: &dyn Entropy = &SeededEntropy::new(7);
        let tenants = Self {
            domain: DomainId::new(new),
            user: UserId::new(new),
            ours: ProjectId::new(new),
            theirs: ProjectId::new(new),
        };
        catalog.write(|tx| tenants.insert(tx)).unwrap();
        tenants
    }

    fn insert(&self, tx: &strongroom_catalog::Tx<'_>) -> Result<(), Error> {
        tx.domains().insert(&DomainRow {
            id: self.domain,
            name: "acme".into(),
            created_at: at(0),
        })?;
        for (id, name) in [(self.ours, "ours"), (self.theirs, "theirs")] {
            tx.projects().insert(&ProjectRow {
                id,
                domain_id: self.domain,
                name: name.into(),
                enabled: true,
                created_at: at(0),
            })?;
        }
        tx.users().insert(&UserRow {
            id: self.user,
            domain_id: self.domain,
            name: "ada".into(),
            password_hash: None,
            enabled: true,
            is_admin: false,
            created_at: at(0),
            password_changed_at: at(0),
        })
    }
}
