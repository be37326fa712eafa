//! From the data back to the catalog: imports of a vault's backups, and the catalog made anew.
//!
//! - `rows`: which rows travel with the data; the labels of manifests
//! - `note`: all rows of a vault, sealed beside its data
//! - `bring`: backups of a repository that the catalog does not know
//! - `rebuild`: everything, into an empty catalog
//!
//! Invariant: the repositories decide what there is; the catalog is only what is said of it.

pub(crate) mod bring;
pub(crate) mod note;
mod rebuild;
pub(crate) mod rows;

pub use bring::Brought;
pub(crate) use rebuild::put_project;
pub use rebuild::{Found, Rebuilt};
pub(crate) use rows::labels;

use serde_json::json;
use strongroom_catalog::{Tx, VaultFilter, VaultRow};
use strongroom_model::{BackupId, JobId, OperationLogId, ProjectId, VaultId};

use crate::{
    Caller, Control, Error, Reason, Result,
    control::project,
    jobs::{self, params},
    operation_logs::{self, NewTask, OperationDetail},
    vaults,
};

/// Backups that one call may name.
const IMPORTED_MAX: usize = 50;

/// A backup to be imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewImport {
    /// The backup.
    pub backup_id: BackupId,
    /// The vault whose data hold it, by id or name.
    pub place: String,
}

impl Control {
    /// Orders that the backups in a vault's data that the catalog does not know are taken into
    /// it; the task that does so.
    pub fn import_vault(&self, caller: &Caller, vault: VaultId) -> Result<OperationLogId> {
        let project = project(caller)?;
        self.order(|tx| {
            let otherwise = Reason::VaultCannotSynchronise;
            let vault = vaults::rows::get_available(tx, project, vault, otherwise)?;
            if tx
                .jobs()
                .unfinished_with_key(&params::import_key(vault.id))?
                > 0
            {
                return Err(Error::conflict(Reason::SynchronisationRuns, &vault.name));
            }
            self.begin_import(tx, caller, &vault, None)
        })
    }

    /// The same for single backups, each by a task of its own, in the order given.
    pub fn import_backups(
        &self,
        caller: &Caller,
        imports: &[NewImport],
    ) -> Result<Vec<(BackupId, OperationLogId)>> {
        let project = project(caller)?;
        if imports.is_empty() || imports.len() > IMPORTED_MAX {
            let problem = format!("must name 1 to {IMPORTED_MAX} backups");
            return Err(Error::invalid("sync", problem));
        }
        self.order(|tx| {
            let mut begun = Vec::with_capacity(imports.len());
            for import in imports {
                let vault = vault_named(tx, project, &import.place)?;
                let log = self.begin_import(tx, caller, &vault, Some(import.backup_id))?;
                begun.push((import.backup_id, log));
            }
            Ok(begun)
        })
    }

    fn begin_import(
        &self,
        tx: &Tx<'_>,
        caller: &Caller,
        vault: &VaultRow,
        only: Option<BackupId>,
    ) -> Result<OperationLogId> {
        let log = OperationLogId::new(self.entropy());
        let params = params::Import {
            project: vault.project_id,
            vault: vault.id,
            only,
            log,
        };
        let task = NewTask {
            id: log,
            vault,
            checkpoint_id: None,
            backup: None,
            resource: None,
            detail: OperationDetail::Sync {
                imported: 0,
                failed: 0,
            },
            job: jobs::IMPORT,
            params: json!(params),
            exclusive_key: params::import_key(vault.id),
        };
        operation_logs::begin(self, tx, &caller.request_id, task)?;
        Ok(log)
    }

    /// Orders a new note beside the data of every vault whose note would say something else now;
    /// how many there were. To be called now and then; idempotent.
    pub fn note_vaults(&self) -> Result<u64> {
        let everything = (VaultFilter::default(), strongroom_catalog::Page::ALL);
        let vaults = self.read(|tx| {
            let listed = tx.vaults().any_project_list(&everything.0, &everything.1)?;
            Ok(listed.rows)
        })?;
        let mut ordered = 0;
        for vault in vaults {
            // One vault in memory at a time.
            if self.read(|tx| is_noted(tx, &vault))? {
                continue;
            }
            self.order(|tx| jobs::order_note(self, tx, &vault))?;
            ordered += 1;
        }
        Ok(ordered)
    }

    /// The id under which the next job is ordered.
    pub(crate) fn job_id(&self) -> JobId {
        JobId::new(self.entropy())
    }
}

/// Whether the note beside the vault's data says what there is to say.
fn is_noted(tx: &Tx<'_>, vault: &VaultRow) -> Result<bool> {
    if vault.status != strongroom_model::state::VaultStatus::Available {
        return Ok(true);
    }
    let noted = tx.notes().get(&vault.project_id, &vault.id)?;
    let Some(noted) = noted else { return Ok(false) };
    Ok(note_of(tx, vault)?.digest == noted.digest)
}

/// What the note of a vault says now.
pub(crate) fn note_of(tx: &Tx<'_>, vault: &VaultRow) -> Result<note::Text> {
    Ok(note::Text::of(&rows::Rows::of_vault(tx, vault)?))
}

/// The project's vault of that id or of that name, if one alone has it.
fn vault_named(tx: &Tx<'_>, project: ProjectId, place: &str) -> Result<VaultRow> {
    let otherwise = Reason::VaultCannotSynchronise;
    if let Ok(id) = place.parse::<VaultId>() {
        return vaults::rows::get_available(tx, project, id, otherwise);
    }
    let filter = VaultFilter {
        name: Some(place.to_owned()),
        ..VaultFilter::default()
    };
    let named = tx
        .vaults()
        .list(&project, &filter, &strongroom_catalog::Page::ALL)?
        .rows;
    match named.as_slice() {
        [one] => vaults::rows::get_available(tx, project, one.id, otherwise),
        [] => Err(Error::not_found(Reason::NoSuchVault, place)),
        _ => Err(Error::invalid(
            "bucket_name",
            "is the name of several vaults; give the vault's id",
        )),
    }
}
