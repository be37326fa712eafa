//! How the jobs reach a vault's data: its repository, opened by the vault's key.
//!
//! Beside the repository the store of a vault holds the vault's key record (see `keys`). It goes
//! with the vault.
//!
//! Invariant: a repository is made only for a vault that never had one. If the catalog says that
//! there is one and the store has none, the storage is not where it was, and nothing is written.

use std::sync::Arc;

use strongroom_catalog::{Json, RepositoryRow, VaultRow};
use strongroom_engine::{CreateOptions, Error as EngineError, Manifest, Repository, Unlock};
use strongroom_jobs::{StepContext, StepError};
use strongroom_model::{BackupId, Bytes, ProjectId, VaultId};
use strongroom_store::{
    ErrorKind, Key, Operation, Store,
    limit::{Limits, Pace, limited},
    record::Recorder,
};

use super::failure::{again, chain, fail, of_control, of_engine, of_store};
use crate::{
    Control, Reason,
    keys::{self, DataKey},
};

/// The label of a manifest by which its backup finds it again.
pub(crate) const BACKUP_LABEL: &str = "backup";

/// A vault's data, as the steps of a job reach them.
pub(super) struct Data<'a> {
    control: &'a Control,
    context: &'a StepContext<'a>,
    vault: VaultRow,
    written: Recorder,
}

impl<'a> Data<'a> {
    /// The data of that vault, which may be in the trash; `None` if the vault is gone.
    pub(super) fn of(
        control: &'a Control,
        context: &'a StepContext<'a>,
        project: ProjectId,
        vault: VaultId,
    ) -> Result<Option<Self>, StepError> {
        let row = control
            .read(|tx| Ok(tx.trash().vault_anywhere(&project, &vault)?))
            .map_err(|error| of_control(context, &error))?;
        Ok(row.map(|vault| Self {
            control,
            context,
            vault,
            written: Recorder::counting(),
        }))
    }

    /// The store of the vault, and of nothing else.
    pub(super) fn store(&self) -> Result<Store, StepError> {
        let store = self
            .control
            .store_of(&self.vault)
            .map_err(|error| of_store(self.context, error.kind, chain(&error)))?;
        Ok(self.written.wrap(&store))
    }

    /// The vault, as it was when this was made.
    pub(super) fn vault(&self) -> &VaultRow {
        &self.vault
    }

    /// How many bytes were written to the store through this.
    pub(super) fn written(&self) -> Bytes {
        let bytes = |operation| self.written.tally(operation).bytes;
        Bytes(bytes(Operation::CreateNew) + bytes(Operation::PutIdempotent))
    }

    /// The repository; made now if the vault never had one.
    pub(super) fn open_or_create(&self) -> Result<Repository, StepError> {
        match self.open()? {
            Some(repository) => Ok(repository),
            None => self.create(),
        }
    }

    /// The repository; `None` if the vault never had one.
    pub(super) fn open(&self) -> Result<Option<Repository>, StepError> {
        self.open_in(self.store()?)
    }

    /// The same, read and written no faster than that.
    pub(super) fn open_limited(
        &self,
        limits: Limits,
        pace: &Arc<dyn Pace>,
    ) -> Result<Option<Repository>, StepError> {
        self.open_in(limited(&self.store()?, limits, pace))
    }

    fn open_in(&self, store: Store) -> Result<Option<Repository>, StepError> {
        match Repository::open(store, &self.unlock()?) {
            Ok(repository) => {
                self.remember()?;
                Ok(Some(repository))
            }
            Err(EngineError::NotARepository { place }) => {
                if self.is_remembered()? {
                    let message = format!(
                        "the repository of vault {} is not in {place} any more; \
                         is the storage there?",
                        self.vault.id
                    );
                    return Err(again(self.context, message));
                }
                Ok(None)
            }
            Err(error) => Err(self.failed(&error)),
        }
    }

    fn create(&self) -> Result<Repository, StepError> {
        let store = self.store()?;
        self.leave_key(&store)?;
        let options = CreateOptions::default();
        let entropy = self.control.entropy();
        match Repository::create(store, &self.unlock()?, options, entropy) {
            Ok(repository) => {
                self.remember()?;
                Ok(repository)
            }
            // Another job of the vault was first.
            Err(EngineError::RepositoryExists { .. }) => self
                .open()?
                .ok_or_else(|| again(self.context, "the repository is being made")),
            Err(error) => Err(self.failed(&error)),
        }
    }

    /// Puts the wrapped key beside the repository that is about to be.
    pub(super) fn leave_key(&self, store: &Store) -> Result<(), StepError> {
        let VaultRow {
            id,
            project_id,
            data_key_sealed,
            ..
        } = &self.vault;
        let record = keys::record(*id, *project_id, &data_key_sealed.0);
        match store.create_new(&key_record(), &record) {
            Ok(()) => Ok(()),
            Err(error) if error.kind == ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(of_store(self.context, error.kind, chain(&error))),
        }
    }

    fn unlock(&self) -> Result<Unlock, StepError> {
        Ok(Unlock::Key(self.key()?.bytes()))
    }

    /// The vault's data key.
    pub(super) fn key(&self) -> Result<DataKey, StepError> {
        let sealed = &self.vault.data_key_sealed.0;
        let key = self.control.master_key().unwrap(self.vault.id, sealed);
        key.map_err(|error| fail(Reason::Unavailable, chain(&error)))
    }

    fn is_remembered(&self) -> Result<bool, StepError> {
        let (project, id) = (self.vault.project_id, self.vault.id);
        self.control
            .read(|tx| Ok(tx.repositories().get(&project, &id)?.is_some()))
            .map_err(|error| of_control(self.context, &error))
    }

    /// Notes in the catalog that the vault has a repository.
    fn remember(&self) -> Result<(), StepError> {
        if self.is_remembered()? {
            return Ok(());
        }
        let row = RepositoryRow {
            vault_id: self.vault.id,
            project_id: self.vault.project_id,
            created_at: self.control.now(),
            stored_bytes: Bytes(0),
            last_collect_at: None,
            last_check_at: None,
            check_problems: Json(Vec::new()),
        };
        self.control
            .write(|tx| {
                if tx
                    .repositories()
                    .get(&row.project_id, &row.vault_id)?
                    .is_none()
                {
                    tx.repositories().insert(&row)?;
                }
                Ok(())
            })
            .map_err(|error| of_control(self.context, &error))
    }

    /// The manifest of a backup, looked for among all: after a crash nobody wrote it down.
    pub(super) fn find(
        &self,
        repository: &Repository,
        backup: BackupId,
    ) -> Result<Option<Manifest>, StepError> {
        let label = backup.to_string();
        for id in repository
            .manifests()
            .map_err(|error| self.failed(&error))?
        {
            match repository.manifest(&id) {
                Ok(manifest) if manifest.body.labels.get(BACKUP_LABEL) == Some(&label) => {
                    return Ok(Some(manifest));
                }
                Ok(_) => {}
                // Another backup's; its own jobs will say so.
                Err(EngineError::ManifestMissing { .. } | EngineError::Damaged { .. }) => {}
                Err(error) => return Err(self.failed(&error)),
            }
        }
        Ok(None)
    }

    /// Forgets the manifest of that name, if it is still there.
    pub(super) fn forget(&self, repository: &Repository, name: &str) -> Result<(), StepError> {
        let id = name
            .parse()
            .map_err(|_| fail(Reason::Internal, format!("{name} is no manifest's name")))?;
        match repository.forget(&id, self.control.entropy()) {
            Ok(())
            | Err(EngineError::ManifestMissing { .. } | EngineError::ManifestForgotten { .. }) => {
                Ok(())
            }
            Err(error) => Err(self.failed(&error)),
        }
    }

    /// How a failure of the engine ends the step.
    pub(super) fn failed(&self, error: &EngineError) -> StepError {
        of_engine(self.context, error)
    }
}

/// Where the wrapped key lies.
pub(super) fn key_record() -> Key {
    Key::new(keys::RECORD_PATH).expect("a legal key")
}
