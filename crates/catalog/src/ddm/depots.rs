//! Where the backups of a project's databases are kept: one repository and its key.
//!
//! One for each project, as tenants must share neither keys nor chunks; no vault of the project's
//! lists shows it. Its id is a vault's, because that is how stores are divided.

use strongroom_model::{ProjectId, Timestamp, VaultId};

use crate::{error::Result, query::Filter, table::table, tx::Tx, value::Sealed};

table! {
    /// The place of a project's database backups.
    pub struct DepotRow, "database_depots", "depot", key ["project_id"] {
        /// The project.
        project_id: ProjectId,
        /// The part of the store that holds it.
        vault_id: VaultId,
        /// The key of its repository, wrapped.
        data_key_sealed: Sealed,
        /// Whether the repository was ever made.
        made: bool,
        /// When it was first needed.
        created_at: Timestamp,
    }
}

/// The table of depots.
pub struct Depots<'t>(&'t Tx<'t>);

impl Tx<'_> {
    /// The depots.
    pub fn depots(&self) -> Depots<'_> {
        Depots(self)
    }
}

impl Depots<'_> {
    /// Adds the depot of a project.
    pub fn insert(&self, row: &DepotRow) -> Result<()> {
        self.0.insert(row)
    }

    /// The depot of the project.
    pub fn get(&self, project: &ProjectId) -> Result<Option<DepotRow>> {
        self.0.one(&Filter::new().is("project_id", project))
    }

    /// Notes that the repository of the project's depot was made.
    pub fn note_made(&self, project: &ProjectId) -> Result<DepotRow> {
        let filter = Filter::new().is("project_id", project);
        self.0
            .change(&filter, project, |row: &mut DepotRow| row.made = true)
    }
}
