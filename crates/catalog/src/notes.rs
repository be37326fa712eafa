//! What was last written beside a vault's data, so that unchanged vaults are left alone.

use strongroom_model::{ProjectId, Timestamp, VaultId};

use crate::{error::Result, query::Filter, table::table, tx::Tx};

table! {
    /// The newest note beside a vault's data.
    pub struct NoteRow, "vault_notes", "note", key ["vault_id"] {
        /// The vault.
        vault_id: VaultId,
        /// The vault's project.
        project_id: ProjectId,
        /// The hash of what it says.
        digest: Vec<u8>,
        /// When it was written.
        noted_at: Timestamp,
    }
}

/// The table of notes.
pub struct Notes<'t>(&'t Tx<'t>);

impl Tx<'_> {
    /// The notes.
    pub fn notes(&self) -> Notes<'_> {
        Notes(self)
    }
}

impl Notes<'_> {
    /// Remembers what was written.
    pub fn set(&self, row: &NoteRow) -> Result<()> {
        self.0.upsert(row)
    }

    /// What was last written beside the data of the project's vault.
    pub fn get(&self, project: &ProjectId, vault: &VaultId) -> Result<Option<NoteRow>> {
        self.0.one(&of_vault(project, vault))
    }

    /// Forgets it; `false` if nothing was written.
    pub fn remove(&self, project: &ProjectId, vault: &VaultId) -> Result<bool> {
        Ok(self.0.remove::<NoteRow>(&of_vault(project, vault))? > 0)
    }
}

fn of_vault(project: &ProjectId, vault: &VaultId) -> Filter {
    Filter::new()
        .is("project_id", project)
        .is("vault_id", vault)
}
