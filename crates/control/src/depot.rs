//! Where the backups of a project's databases are kept: one repository for the project.
//!
//! The engine keeps them as it keeps everything; they are in no vault, for the vendors' database
//! services have none. The repository has a key of its own, wrapped with the master key, and beside
//! its data lies the key record, as with vaults.
//!
//! Invariant: a repository is made only for a depot that never had one. If the catalog says that
//! there is one and the store has none, the storage is not where it was, and nothing is written.

use std::io::Read;

use strongroom_catalog::{DepotRow, Sealed};
use strongroom_engine::{CreateOptions, Error as EngineError, Repository, Unlock, tree::Input};
use strongroom_model::{
    ProjectId, VaultId,
    content::{Attributes, Name},
};
use strongroom_store::{ErrorKind, Key, Store};

use crate::{
    Control, Error, Result,
    jobs::{audit_told, ddm_points_told, ddm_told},
    keys::{self, DataKey},
};

/// Where the key record of a depot lies; a vault's has another name.
pub(crate) const RECORD_PATH: &str = "depot.json";

/// The repository of a project's database backups.
pub(crate) struct Depot<'a> {
    control: &'a Control,
    row: DepotRow,
}

impl Control {
    /// Takes a depot whose data were found into the catalog, with what is in it; can be repeated.
    /// `None` if the store holds none, else how many backups it holds.
    pub(crate) fn rebuild_depot(&self, store: &Store, id: VaultId) -> Result<Option<u64>> {
        let place = Key::new(RECORD_PATH).expect("a legal key");
        let record = match store.get(&place) {
            Ok(record) => self.master_key().open_record(&record)?,
            Err(error) if error.kind == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        if record.vault != id {
            let why = format!("its key record is that of {}", record.vault);
            return Err(Error::invalid("key record", why));
        }
        let row = DepotRow {
            project_id: record.project,
            vault_id: id,
            data_key_sealed: Sealed(record.wrapped().to_vec()),
            made: true,
            created_at: self.now(),
        };
        let repository = match Repository::open(store.clone(), &Unlock::Key(record.key())) {
            Ok(repository) => repository,
            // Nothing tells whose it was, and nothing is lost.
            Err(EngineError::NotARepository { .. }) => return Ok(Some(0)),
            Err(error) => return Err(failed(error)),
        };
        let rows = ddm_told::rows(self, &repository, record.project)?;
        let points = ddm_points_told::rows(self, &repository, record.project)?;
        let logs = audit_told::rows(self, &repository, record.project)?;
        let of_logs: usize = logs.iter().map(|told| told.backups.len()).sum();
        let found = (rows.len() + of_logs + points.copies()) as u64;
        if rows.is_empty() && logs.is_empty() {
            // Nothing tells whose it was. What there is of copies and logs stays where it is.
            return Ok(Some(0));
        }
        self.write(|tx| {
            for told in &rows {
                crate::import::put_project(tx, &told.domain, &told.project)?;
            }
            for told in &logs {
                crate::import::put_project(tx, &told.domain, &told.project)?;
            }
            if tx.depots().get(&row.project_id)?.is_none() {
                tx.depots().insert(&row)?;
            }
            for told in rows {
                let (backup, layer) = (told.row, told.instance);
                let known = tx.ddm_instances().get(&layer.project_id, &layer.id)?;
                if known.is_none() {
                    tx.ddm_instances().insert(&layer)?;
                    for node in &told.nodes {
                        tx.ddm_instances().set_node(node)?;
                    }
                }
                if tx
                    .ddm_backups()
                    .get(&backup.project_id, &backup.id)?
                    .is_none()
                {
                    tx.ddm_backups().insert(&backup)?;
                }
            }
            for told in logs {
                told.put(tx)?;
            }
            points.put(tx)?;
            Ok(Some(found))
        })
    }

    /// The depot of the project; made now if there is none.
    pub(crate) fn depot(&self, project: ProjectId) -> Result<Depot<'_>> {
        let known = self.read(|tx| Ok(tx.depots().get(&project)?))?;
        let row = known.map_or_else(|| self.make_depot(project), Ok)?;
        Ok(Depot { control: self, row })
    }

    fn make_depot(&self, project: ProjectId) -> Result<DepotRow> {
        let vault_id = VaultId::new(self.entropy());
        let key = DataKey::generate(self.entropy());
        let wrapped = self.master_key().wrap(vault_id, &key, self.entropy());
        let row = DepotRow {
            project_id: project,
            vault_id,
            data_key_sealed: Sealed(wrapped),
            made: false,
            created_at: self.now(),
        };
        self.write(|tx| {
            // Another caller may have been first.
            if let Some(there) = tx.depots().get(&project)? {
                return Ok(there);
            }
            tx.depots().insert(&row)?;
            Ok(row)
        })
    }
}

impl Depot<'_> {
    /// The repository; `None` if nothing was ever kept.
    pub(crate) fn open(&self) -> Result<Option<Repository>> {
        match Repository::open(self.store()?, &self.unlock()?) {
            Ok(repository) => Ok(Some(repository)),
            Err(EngineError::NotARepository { place }) if self.row.made => {
                let why = format!(
                    "the repository of the project's database backups is not in {place} any \
                     more; is the storage there?"
                );
                Err(Error::unavailable("the project's database backups", why))
            }
            Err(EngineError::NotARepository { .. }) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    /// The repository; made now if nothing was ever kept.
    pub(crate) fn open_or_create(&self) -> Result<Repository> {
        if let Some(repository) = self.open()? {
            self.note_made()?;
            return Ok(repository);
        }
        let store = self.store()?;
        let DepotRow {
            vault_id,
            project_id,
            data_key_sealed,
            ..
        } = &self.row;
        let record = keys::record(*vault_id, *project_id, &data_key_sealed.0);
        let place = Key::new(RECORD_PATH).expect("a legal key");
        match store.create_new(&place, &record) {
            Ok(()) => {}
            Err(error) if error.kind == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed(error)),
        }
        let options = CreateOptions::default();
        match Repository::create(store, &self.unlock()?, options, self.control.entropy()) {
            Ok(repository) => {
                self.note_made()?;
                Ok(repository)
            }
            Err(EngineError::RepositoryExists { .. }) => self
                .open()?
                .ok_or_else(|| failed("the repository is being made; try again")),
            Err(error) => Err(failed(error)),
        }
    }

    fn note_made(&self) -> Result<()> {
        if self.row.made {
            return Ok(());
        }
        let project = self.row.project_id;
        self.control.write(|tx| {
            tx.depots().note_made(&project)?;
            Ok(())
        })
    }

    fn store(&self) -> Result<Store> {
        self.control
            .store_in(None, self.row.vault_id)
            .map_err(failed)
    }

    fn unlock(&self) -> Result<Unlock> {
        let sealed = &self.row.data_key_sealed.0;
        let key = self
            .control
            .master_key()
            .unwrap(self.row.vault_id, sealed)?;
        Ok(Unlock::Key(key.bytes()))
    }
}

/// A stream that is stored as a file of that name, the only one of its manifest.
pub(crate) fn only_file<'a>(name: &str, bytes: &'a mut dyn Read) -> Input<'a> {
    Input {
        bytes,
        name: Name::new(name.as_bytes()).expect("a legal name"),
        attributes: Attributes {
            mode: 0o600,
            ..Attributes::default()
        },
    }
}

fn failed(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::unavailable("the project's database backups", error)
}
